"""What a size is worth by who operates it: with foresight, on forecasts, by the rule."""

from __future__ import annotations

import math
from collections.abc import Callable

from bess_opt.common.errors import BessOptError
from bess_opt.dispatch.optimize import optimize
from bess_opt.dispatch.result import Dispatch
from bess_opt.dispatch.simulate import simulate
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.operation import FORECAST, OPTIMAL, RULE, forecast_driven
from bess_opt.investment.sizing.objectives import Goal


def operated(goal: Goal, plan: Dispatch, *, nothing: bool) -> dict[str, float]:
    """The objective of the plan's size by operation; NaN where that operation has no plan. `nothing`: no battery."""
    if nothing:
        return dict.fromkeys((OPTIMAL, RULE, FORECAST), math.nan if goal.without is None else goal.without)
    found = {OPTIMAL: math.nan, RULE: math.nan, FORECAST: math.nan}
    found[RULE if plan.twin == "rule" else OPTIMAL] = goal.value(plan)
    makers: dict[str, Callable[[Scenario], Dispatch]] = {OPTIMAL: optimize, RULE: simulate, FORECAST: forecast_driven}
    for name, make in makers.items():
        if math.isnan(found[name]):
            try:
                found[name] = goal.value(make(plan.scenario))
            except BessOptError:  # a rule that meets a limit, a strategy that windows cannot carry
                continue
    return found
