"""The figures of a result that people look at first, as words and numbers with units: shared by all faces."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NOTHING = "–"
Row = tuple[str, str]


@dataclass(frozen=True)
class Number:
    """A value with its unit, written once for all faces."""

    value: float | None
    unit: str = ""

    def __str__(self) -> str:
        return f"{number(self.value)} {self.unit}".strip() if number(self.value) != NOTHING else NOTHING


def number(value: float | None) -> str:
    """Four digits, or all before the point with separators; a dash for what is undefined."""
    if value is None or not math.isfinite(value):
        return NOTHING
    value += 0.0
    if abs(value) >= 1000.0:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-6 else "0"


def percent(value: float | None) -> str:
    """A fraction as percent with one decimal."""
    return NOTHING if value is None or not math.isfinite(value) else f"{round(value, 3) + 0.0:.1%}"


def moment(stamp: pd.Timestamp) -> str:
    """A local time for people; seconds only where there are any."""
    whole = stamp.second == 0 and stamp.microsecond == 0
    return stamp.isoformat(sep=" ", timespec="minutes" if whole else "auto")


def minutes(step_ns: float) -> str:
    """A step length in words."""
    return f"{step_ns / 60e9:g} min"


def counted(count: int, what: str) -> str:
    """A number and its noun."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def more(count: int, what: str = "row") -> str:
    """Tail of a finding that stands for several."""
    return f", and {counted(count - 1, f'more {what}')}" if count > 1 else ""


def show(value: object) -> str:
    """A found value as short text."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def error_said(error: BaseException) -> str:
    """The kind of somebody else's error, and its own words where it has any."""
    return ": ".join(part for part in (type(error).__name__, str(error).strip()) if part)
