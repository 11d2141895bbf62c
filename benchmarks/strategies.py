"""Optima of all strategies: `bo.optimize` beside the raw linear program of each, HiGHS alone."""

from __future__ import annotations

from functools import partial
from typing import Any

from measure import paired
from rules import raw_program, scenario_of

import bess_opt as bo

Row = dict[str, Any]
LIMIT_S = 60.0


def time_strategy(name: str, repeat: int, clock: str, steps: int | None = None) -> Row:
    """A year of a strategy: exact, ties broken, audited; the floor is its relaxation, ready as arrays.

    What is not exact within `LIMIT_S` (a few seconds for few steps) is given up, and its gap shown.
    """
    scenario = scenario_of(name, steps).replace(solver={"time_limit_s": LIMIT_S if steps is None else LIMIT_S / 20})
    times = paired({"ours": partial(bo.optimize, scenario), "floor": raw_program(scenario)}, repeat, clock)
    report = times.answers["ours"].report
    return {
        "strategy": name,
        "steps": len(scenario.series),
        "seconds": {key: times.median(key) for key in times.seconds},
        "runs": times.seconds,
        "ratio": times.ratio("ours", "floor"),
        "gap": report.gap,
        "windows": report.windows,
    }
