"""Rules against optima: a year of `bo.simulate` beside the raw linear program of the same strategy."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from measure import paired
from workloads import shipped

import bess_opt as bo
from bess_opt.inputs.scenario import Scenario
from bess_opt.models.assemble import model_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.rule import State
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.strategies.shared.activation import activate
from bess_opt.strategies.shared.discovery import discover

Row = dict[str, Any]
GOALS = {"built in": 0.1, "user": 0.3}
STATED: dict[str, dict[str, Any]] = {
    "cycling": {"cycles_per_day": 1.0},
    "export_cap": {"cap_mw": 5.0},
    "firm_delivery": {"window": ["18:00", "21:00"], "block_mw": 2.0},
    "solar_smoothing": {"ramp_limit_per_min": 0.004, "ramp_window_min": 60},
}
USER = "a user's rule"


def strategies() -> list[str]:
    """All strategies, and a rule of a user's own under arbitrage."""
    return [*sorted(discover()), USER]


def time_rule(name: str, repeat: int, clock: str, steps: int | None = None) -> Row:
    """`bo.simulate` and its step loop alone, as multiples of the raw linear program, HiGHS alone."""
    scenario = scenario_of(name, steps)
    rule = own_rule if name == USER else None
    halves = scenario.replace(series=scenario.series.iloc[: len(scenario.series) // 2])
    times = paired(
        {
            "simulate": partial(bo.simulate, scenario, rule),
            "half": partial(bo.simulate, halves, rule),
            "floor": raw_program(scenario),
        },
        repeat,
        clock,
    )
    return {
        "strategy": name,
        "steps": len(scenario.series),
        "seconds": {key: times.median(key) for key in times.seconds},
        "ratio": times.ratio("simulate", "floor"),
        "growth": statistics.median(
            whole / half for whole, half in zip(times.seconds["simulate"], times.seconds["half"], strict=True)
        ),
        "goal": GOALS["user" if name == USER else "built in"],
    }


def own_rule(state: State) -> float:
    """What a user might write: prices against two levels, a look at load and PV."""
    if state.export_price > 90.0 and state.soc > 0.2:
        return min(state.discharge_room_mw, 4.0)
    return -min(state.charge_room_mw, max(state.solar_mw - state.load_mw, 0.0)) if state.import_price < 60.0 else 0.0


def scenario_of(name: str, steps: int | None) -> Scenario:
    """solar_merchant with a load, a demand charge and regulation prices, under a strategy."""
    base = shipped("solar_merchant")
    hour = base.series.index.hour.to_numpy()
    series = base.series.assign(
        load_mw=1.0 + 0.8 * np.sin((hour - 12) / 24 * 2 * np.pi) ** 2,
        regulation_up_price_per_mw=12.0 + 8.0 * np.cos(hour / 24 * 2 * np.pi),
        regulation_down_price_per_mw=7.0,
    )
    strategy = "arbitrage" if name == USER else name
    return base.replace(
        series=series.iloc[:steps],
        strategy={"name": strategy} | STATED.get(strategy, {}),
        tariff={"demand": [{"price_per_mw_month": 9000.0, "interval_min": 60.0}]},
    )


def raw_program(scenario: Scenario) -> Callable[[], float]:
    """The strategy's linear program, arrays ready: what remains is HiGHS."""
    stated_plant = plant_of(scenario)
    active = activate(scenario, stated_plant)
    plant = active.restrict(stated_plant)
    m, _objectives = model_of(plant, active)
    program = expand(m)
    return lambda: Solver(program, scenario.solver, scale_mw=plant.scale_mw).solve().objective
