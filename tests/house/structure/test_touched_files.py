"""What a change of each kind touches, as docs/design.md counts it: no more than its goal where that is reached."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "docs" / "touched_files.py"
SPEC = importlib.util.spec_from_file_location("touched_files", SCRIPT)
assert SPEC is not None
assert SPEC.loader is not None
touched_files = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = touched_files
SPEC.loader.exec_module(touched_files)

# Kind of change: (files that name it, whether a folder of its own does too).
REACHED = {
    "a strategy": (1, False),
    "a technology": (1, False),
    "a reader": (1, False),
    "a ledger line": (1, False),
    "an engine": (1, True),
    "a market product": (1, False),
}


@pytest.mark.parametrize("kind", [k for k in touched_files.KINDS if k.change in REACHED], ids=lambda k: k.change)
def test_a_goal_that_is_reached_stays_reached(kind: object) -> None:
    assert touched_files.touched(kind) == REACHED[kind.change]  # type: ignore[attr-defined]


def test_every_goal_that_is_reached_is_measured() -> None:
    assert set(REACHED) <= {kind.change for kind in touched_files.KINDS}
