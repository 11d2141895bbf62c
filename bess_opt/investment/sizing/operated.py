"""What a size is worth by who operates it: with foresight, on forecasts, by the rule."""

from __future__ import annotations

import math

from bess_opt.common.errors import BessOptError
from bess_opt.dispatch.forecast_driven.control import control
from bess_opt.dispatch.result import Dispatch
from bess_opt.dispatch.simulate import simulate
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.objectives import Goal

OPTIMAL, RULE, FORECAST = "optimal", "rule", "forecast-driven"
EVERY_H, AHEAD_H = 24.0, 48.0  # a plan a day, which looks two days ahead: what a trader without foresight can do


def forecast_driven(scenario: Scenario) -> Dispatch:
    """The battery operated on the day before: planned anew every 24 h for the next 48 h."""
    return control(scenario, "persistence", horizon_h=AHEAD_H, every_h=EVERY_H)


def operated(goal: Goal, plan: Dispatch, *, nothing: bool) -> dict[str, float]:
    """The objective of the plan's size by operation; NaN where that operation has no plan. `nothing`: no battery."""
    if nothing:
        return dict.fromkeys((OPTIMAL, RULE, FORECAST), math.nan if goal.without is None else goal.without)
    found = {OPTIMAL: math.nan, RULE: math.nan, FORECAST: math.nan}
    found[RULE if plan.twin == "rule" else OPTIMAL] = goal.value(plan)
    makers = {RULE: simulate, FORECAST: forecast_driven}
    for name, make in makers.items():
        if math.isnan(found[name]):
            try:
                found[name] = goal.value(make(plan.scenario))
            except BessOptError:  # a rule that meets a limit, a strategy that windows cannot carry
                continue
    return found
