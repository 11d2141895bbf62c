"""What is measured, as plain data that goes to the table, the JSON file and the picture alike."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from floors import FLOORS
from measure import paired, peak_memory
from peers import ENERGYPYLINEAR, energypylinear, installed
from workloads import Case, growing

import bess_opt as bo
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario

AGREE = 1e-6  # relative; the relaxation may not be worse than the exact plan by more
PACKAGES = ("bess-opt", "highspy", "numpy", "pandas", "pyomo", "scipy", "cvxpy", "linopy", "pypsa")
PATIENCE_S = 10.0  # a contender that takes longer is not asked for more
YEAR = 8_760
ROLLING_GOAL = 4.0  # annual linear programs as raw arrays that a year of hourly decisions may take
Row = dict[str, Any]


def time_case(case: Case, repeat: int, clock: str = "wall", floors: Sequence[str] = tuple(FLOORS)) -> Row:
    """A case against the floors of these names."""
    known = {**FLOORS, **installed()}
    against = {name: known[name] for name in floors if case.floors is None or name in case.floors}
    scenario = case.scenario()
    stages: dict[str, list[float]] = {}

    def ours() -> Dispatch:
        plan = bo.optimize(scenario)
        for stage, seconds in _report(plan).seconds.items():
            stages.setdefault(stage, []).append(seconds)
        return plan

    times = paired({"ours": ours, **_floors(scenario, against)}, repeat, clock)
    report = _report(times.answers["ours"])
    relaxed = {name: times.answers[name] for name in against}
    return {
        "case": case.name,
        "what": case.what,
        "steps": len(scenario.series),
        "seconds": {name: times.median(name) for name in times.seconds},
        "runs": times.seconds,
        "ratio": {name: times.ratio("ours", name) for name in against},
        "goals": dict(case.goals),
        "stages": {stage: statistics.median(seconds) for stage, seconds in stages.items()},
        "gap": report.gap,
        "windows": report.windows,
        "objective": report.objective,
        "relaxed": relaxed,
        "agrees": _agrees(report.objective, relaxed),
    }


def time_size(steps: int, repeat: int, clock: str = "wall", others: Sequence[str] = ()) -> Row:
    """One size of the growing scenario against the arrays and `others`."""
    scenario = growing(steps)
    known = {**FLOORS, **installed()}
    against = {name: known[name] for name in ("arrays", *others)}
    times = paired({"ours": partial(bo.optimize, scenario), **_floors(scenario, against)}, repeat, clock)
    report = _report(times.answers["ours"])
    return {
        "steps": steps,
        "seconds": {name: times.median(name) for name in times.seconds},
        "runs": times.seconds,
        "ratio": {name: times.ratio("ours", name) for name in against},
        "gap": report.gap,
        "windows": report.windows,
        "agrees": _agrees(report.objective, {name: times.answers[name] for name in against}),
    }


def time_growth(
    sizes: Sequence[int], repeat: int, clock: str, floors: Sequence[str], progress: Callable[[str], None]
) -> list[Row]:
    """The growing scenario at each size; who took longer than `PATIENCE_S` is not asked for a larger one."""
    others = [name for name in floors if name not in ("arrays", "pyomo_members")]
    whole_numbers, rows = ENERGYPYLINEAR in os.environ, []
    for steps in sizes:
        progress(f"{steps:,} steps")
        row = time_size(steps, repeat, clock, others)
        others = [name for name in others if row["seconds"][name] <= PATIENCE_S]
        if whole_numbers:
            seconds = [energypylinear(growing(steps))[1] for _ in range(repeat)]
            row["seconds"]["energypylinear"], row["runs"]["energypylinear"] = statistics.median(seconds), seconds
            whole_numbers = row["seconds"]["energypylinear"] <= PATIENCE_S
        rows.append(row)
    return rows


def exponent(rows: Sequence[Row], name: str, least: int = YEAR) -> float | None:
    """Slope of log(seconds) over log(steps) from `least` steps on; None for fewer than two sizes."""
    points = [
        (row["steps"], row["seconds"][name]) for row in rows if row["steps"] >= least and name in row["seconds"]
    ]
    if len(points) < 2:
        return None
    steps, seconds = np.log(np.array(points)).T
    return float(np.polyfit(steps, seconds, 1)[0])


def time_rolling(case: Case, repeat: int, clock: str = "wall", forecast: str = "perfect") -> Row:
    """Operation of a case, hourly decisions 48 h ahead, against one cold solve of it all; `goal` is the most."""
    scenario = case.scenario()
    cold = {"cold": partial(bo.optimize, scenario), "arrays": partial(FLOORS["arrays"], scenario)}
    times = paired({"rolling": partial(bo.control, scenario, forecast), **cold}, repeat, clock)
    driven, best = (sum(times.answers[name].ledger.values()) for name in ("rolling", "cold"))
    decisions = times.answers["rolling"].figures["decisions"]
    return {
        "case": case.name,
        "forecast": forecast,
        "steps": len(scenario.series),
        "decisions": decisions,
        "seconds": {name: times.median(name) for name in times.seconds},
        "runs": times.seconds,
        "ms_per_decision": 1e3 * times.median("rolling") / decisions,
        "ratio": {name: times.ratio("rolling", name) for name in cold},
        "goal": ROLLING_GOAL,
        "share_of_optimum": driven / best,
        "agrees": driven <= best + AGREE * abs(best),
    }


def memory_of(case: Case, steps: int | None) -> Row:
    """Peak memory of a case."""
    return {"case": case.name, **peak_memory(case.name, steps)}


def machine() -> Row:
    """What the numbers hold for."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "packages": {name: version(name) for name in PACKAGES if find_spec(name.replace("-", "_")) is not None},
    }


def _floors(scenario: Scenario, floors: Mapping[str, Callable[[Scenario], float]]) -> dict[str, Callable[[], float]]:
    return {name: partial(floor, scenario) for name, floor in floors.items()}


def _report(plan: Dispatch) -> Any:
    if plan.report is None:
        raise RuntimeError("an optimal plan has a report")
    return plan.report


def _agrees(exact: float, relaxed: Mapping[str, float]) -> bool:
    """All floors found one optimum, and the exact plan is not above it."""
    slack = AGREE * max(abs(value) for value in (exact, *relaxed.values()))
    return max(relaxed.values()) - min(relaxed.values()) <= slack and exact <= min(relaxed.values()) + slack
