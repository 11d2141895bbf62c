"""Where no proof is possible: every size of a grid planned in full, on any executor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bess_opt.common.errors import CancelledError, InfeasibleError
from bess_opt.common.findings import Finding
from bess_opt.common.progress import Stretch
from bess_opt.dispatch.batch.study import study
from bess_opt.dispatch.optimize import dispatch_of
from bess_opt.dispatch.optimum.solve_scenario import solve_scenario
from bess_opt.dispatch.result import Dispatch
from bess_opt.dispatch.simulate import simulate
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.objectives import Goal, Twin
from bess_opt.investment.sizing.planes import EmptyRangeError
from bess_opt.investment.sizing.region import Region
from bess_opt.investment.sizing.sized_program import resized
from bess_opt.solver.solution import LimitReachedError

HEAVY_STEPS = 2_000_000  # steps x sizes of optimal plans from which processes of our own pay off


@dataclass(frozen=True)
class Found:
    """The best size of a grid, with its plan and a row per size; value NaN where a size has no plan."""

    power_mw: float
    energy_mwh: float
    plan: Dispatch
    table: pd.DataFrame


@dataclass(frozen=True)
class Candidate:
    """What a worker computes for a size: its value, the objective's revenue and the figures of its plan."""

    goal: Goal

    def __call__(self, scenario: Scenario) -> dict[str, Any]:
        """One row of the table."""
        plan = planned(scenario, self.goal.twin)
        battery = scenario.battery
        return {
            "power_mw": battery.power_mw,
            "duration_h": battery.energy_mwh / battery.power_mw,
            "energy_mwh": battery.energy_mwh,
            "value": self.goal.value(plan),
            "objective_revenue": plan.metrics.net_revenue,
        }


def planned(scenario: Scenario, twin: Twin) -> Dispatch:
    """The plan of a twin; a size without one is told apart without asking what would mend it."""
    return simulate(scenario) if twin == "rule" else dispatch_of(solve_scenario(scenario))


def planned_sizes(
    scenario: Scenario,
    sizes: Sequence[tuple[float, float]],
    goal: Goal,
    executor: Executor | None,
    workers: int | None,
    told: Stretch,
) -> pd.DataFrame:
    """A row per size, in their order. Without an executor, light work stays in this process."""
    if executor is None and workers is None:
        heavy = goal.twin == "optimal" and len(sizes) * len(scenario.series) > HEAVY_STEPS
        workers = None if heavy else 1
    named = {f"{p:.12g} MW, {e:.12g} MWh": resized(scenario, p, e) for p, e in sizes}
    table = study(named, action=Candidate(goal), executor=executor, workers=workers, progress=told)
    table = table.reset_index(drop=True)
    table["exact"] = True
    return table


def search_grid(
    scenario: Scenario,
    sizes: Region,
    goal: Goal,
    *,
    executor: Executor | None,
    workers: int | None,
    told: Stretch,
) -> Found:
    """The best of all sizes of the grid; of equal ones the smallest.

    EmptyRangeError where the limits leave no size a plan; LimitReachedError where time left none,
    InfeasibleError if none was planned for another reason.
    """
    table = planned_sizes(scenario, sizes.grid(), goal, executor, workers, told)
    value = table["value"].astype(float) * goal.sign if "value" in table else pd.Series(dtype=float)
    best, place = -math.inf, -1
    for at, one in enumerate(value):
        if one > best + 1e-12 * abs(best) or (place < 0 and not math.isnan(one)):
            best, place = one, at
    if place < 0 and (table["error_kind"] == "").any():  # plans, but nothing that has a rate of return
        place = int((table["error_kind"] == "").to_numpy().argmax())
    if place < 0 and told.cancelled:
        raise CancelledError("cancelled before a size was planned")
    if place < 0:
        late = table["error"][table["error_kind"] == LimitReachedError.__name__]
        if len(late):
            raise LimitReachedError(str(late.iloc[0]))
        why = str(table["error"].iloc[0])
        raise EmptyRangeError(why) if (table["error_kind"] == "InfeasibleError").all() else no_size(why)
    power, energy = float(table["power_mw"].iloc[place]), float(table["energy_mwh"].iloc[place])
    return Found(power, energy, planned(resized(scenario, power, energy), goal.twin), table)


def no_plan(scenario: Scenario, sizes: Region) -> InfeasibleError:
    """What to say where no size has a plan: why the largest has none."""
    try:
        planned(resized(scenario, *sizes.largest()), "optimal")
    except InfeasibleError as error:
        return no_size(str(error))
    return no_size("of the limits together, each size meets some only")


def no_size(why: str) -> InfeasibleError:
    """What to say where no size has a plan, and why not."""
    found = f"no size of the range has a plan: {why}"
    return InfeasibleError([Finding("no_size", "power_mw", found, "widen the ranges")])
