"""A real site of five minutes: `bo.optimize` beside what HiGHS does with the same program by itself."""

from __future__ import annotations

from functools import partial
from typing import Any

import highspy
from measure import paired
from workloads import real_site

import bess_opt as bo
from bess_opt.inputs.scenario import Scenario
from bess_opt.models.assemble import model_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.expand import expand
from bess_opt.solver.program import Program
from bess_opt.strategies.shared.activation import activate

Row = dict[str, Any]
LIMIT_S = 120.0  # a way that has not ended by then is not waited for
WAYS: dict[str, dict[str, Any]] = {
    "dual simplex": {"solver": "simplex"},
    "primal simplex": {"solver": "simplex", "simplex_strategy": 4},
    "interior point": {"solver": "ipm"},
}
GOAL = 0.2


def time_real_site(repeat: int, clock: str, steps: int | None = None) -> list[Row]:
    """One row, or none without the data. `seconds` of a way that was ended are None."""
    scenario = real_site()
    if scenario is None:
        return []
    scenario = scenario.replace(series=scenario.series.iloc[:steps])
    program = _program(scenario)
    ours = paired({"ours": partial(bo.optimize, scenario)}, repeat, clock)
    ways = paired({name: partial(_alone, program, options) for name, options in WAYS.items()}, 1, clock)
    ended = {name: ways.median(name) for name in WAYS if ways.answers[name] is not None}
    objective = ours.answers["ours"].report.objective
    best = min(ended.values(), default=LIMIT_S)
    return [
        {
            "case": scenario.name,
            "steps": len(scenario.series),
            "seconds": {"ours": ours.median("ours"), **{name: ended.get(name) for name in WAYS}},
            "ratio": ours.median("ours") / best,
            "at_most": not ended,
            "goal": GOAL,
            "objective": objective,
            "agrees": all(abs(ways.answers[name] - objective) <= 1e-6 * abs(objective) for name in ended),
        }
    ]


def _program(scenario: Scenario) -> Program:
    stated_plant = plant_of(scenario)
    active = activate(scenario, stated_plant)
    return expand(model_of(active.restrict(stated_plant), active)[0])


def _alone(program: Program, options: dict[str, Any]) -> float | None:
    """HiGHS's optimum of the program, in the user's own units; None if it did not end in time."""
    highs = highspy.Highs()
    for name, value in {"output_flag": False, "time_limit": LIMIT_S, **options}.items():
        highs.setOptionValue(name, value)
    highs.passModel(
        program.columns, program.rows, len(program.value), int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize), program.offset, program.cost, program.lower, program.upper,
        program.row_lower, program.row_upper, program.start[:-1], program.column, program.value, program.integer,
    )  # fmt: skip
    highs.run()
    ended = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return -float(highs.getInfo().objective_function_value) if ended else None
