"""Sizing: its proof, and a hundred candidates, as multiples of one solve of the same program from nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from measure import CLOCKS, paired
from workloads import Case, first_steps

import bess_opt as bo
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.sized_program import resized
from bess_opt.investment.sizing.warm_program import needs_one_way_cuts
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import add_one_way_cuts
from bess_opt.plant.from_scenario import plant_of, ratings_of
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.strategies.shared.activation import activate

Row = dict[str, Any]
GOALS = {"proof": 2.0, "calls": 12, "candidates": 2.0}
SIZED = {  # ranges of power [MW] and duration [h]
    "solar_merchant": ((1.0, 10.0), (1.0, 6.0)),
    "arbitrage_15min": ((1.0, 10.0), (0.5, 4.0)),  # a battery above its connection takes minutes to plan exactly
    "german_id1_2021": ((2.0, 20.0), (0.5, 4.0)),
}
CANDIDATES = 10  # powers, and as many durations
QUICK_STEPS = 168
COSTS = {
    "capital_per_mw": 100_000.0,
    "capital_per_mwh": 75_000.0,
    "fixed_om_per_mw_year": 5_000.0,
    "variable_om_per_mwh": 3.0,
    "lifetime_years": 20,
    "discount_rate": 0.07,
}


def time_sizing(case: Case, repeat: int, clock: str, steps: int | None = None) -> Row:
    """One solve of the program from nothing, the proof of `bo.size`, and `Sizing.surface` with its first solve.

    The proof is timed once, by its own report: its exact plan, which is no part of it, may take far longer. With the
    clock "cpu" the part of the report's seconds counts in which this process was at work.
    """
    scenario = priced(case.scenario(), steps)
    power_mw, duration_h = SIZED[case.name]
    middle = sum(power_mw) / 2, sum(power_mw) * sum(duration_h) / 4
    now = CLOCKS[clock]
    began, told = now(), CLOCKS["wall"]()
    sizing = bo.size(scenario, power_mw, duration_h)
    share = (now() - began) / (CLOCKS["wall"]() - told)  # a sizing reports seconds of the wall clock
    times = paired(
        {
            "cold": cold_solve(scenario, *middle),
            "surface": lambda: surface_anew(sizing),
        },
        repeat,
        clock,
    )
    return {
        "case": case.name,
        "steps": len(scenario.series),
        "seconds": {name: times.median(name) for name in times.seconds},
        "runs": times.seconds,
        "proof": share * (sizing.seconds["first solve"] + sizing.seconds["proof"]) / times.median("cold"),
        "calls": sizing.calls,
        "candidates": times.ratio("surface", "cold") * 100 / CANDIDATES**2,
        "goals": GOALS,
        "power_mw": sizing.power_mw,
        "duration_h": sizing.duration_h,
        "gap": sizing.gap,
    }


def surface_anew(sizing: bo.Sizing) -> None:
    """The value of all candidates; a `Sizing` keeps its own, so that it is asked for once."""
    replace(sizing, _known={}).surface(CANDIDATES, CANDIDATES)


def cold_solve(scenario: Scenario, power_mw: float, energy_mwh: float) -> Callable[[], float]:
    """The program of a size, arrays ready: what remains is HiGHS, from nothing."""
    sized = resized(scenario, power_mw, energy_mwh)
    stated_plant = plant_of(sized)
    active = activate(sized, stated_plant)
    plant = active.restrict(stated_plant)
    m, _objectives = model_of(plant, active)
    if needs_one_way_cuts(scenario):
        add_one_way_cuts(m, plant, [ratings_of(sized.battery)])
    program = expand(m)
    return lambda: Solver(program, scenario.solver, scale_mw=plant.scale_mw).solve().objective


def priced(scenario: Scenario, steps: int | None) -> Scenario:
    """The scenario with costs, where it states none; fewer steps stand for the year."""
    years = {} if steps is None else {"horizons_per_year": 1.0}
    short = scenario if steps is None else first_steps(scenario, steps)
    own = {} if scenario.finance is not None else COSTS
    return short.replace(finance={**own, **years})
