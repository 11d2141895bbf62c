"""How readers refuse a file: one problem as an error, and a question between two readings of the same cells."""

from __future__ import annotations

from collections.abc import Sequence

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding


def problem(code: str, where: str, found: str, expected: str) -> ScenarioError:
    """One problem as the error to raise."""
    return ScenarioError([Finding(code, where, found, expected)])


def question(code: str, where: str, found: str, readings: Sequence[tuple[str, str]]) -> ScenarioError:
    """A file that fits several readings, as the error that asks for the one that is meant.

    `readings` are pairs: what to state, such as 'stamps="end"', and what the first values then are.
    """
    return problem(code, where, found, "state " + "; or ".join(f"{say} for {means}" for say, means in readings))


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names in one line; how many more there are after the first `most`."""
    more = f" … and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def note(where: str, found: str, expected: str = "as the format says", *, warns: bool = False) -> Finding:
    """What was done, for the reader of the result."""
    return Finding("imported", where, found, expected, "warning" if warns else "recommendation")
