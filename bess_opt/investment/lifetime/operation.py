"""Who operates the battery: what money over life is worth with foresight, on forecasts and by the rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bess_opt.common.errors import BessOptError
from bess_opt.common.wording import Number, percent
from bess_opt.dispatch.forecast_driven.control import control
from bess_opt.dispatch.forecast_driven.forecasts import Forecasts
from bess_opt.dispatch.result import Dispatch
from bess_opt.dispatch.simulate import simulate
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.financials import Financials, financials

OPTIMAL, RULE, FORECAST = "optimal", "rule", "forecast-driven"
WORDS = {OPTIMAL: "with all prices known beforehand", RULE: "by the rule", FORECAST: "on forecasts, planned each day"}
EVERY_H, AHEAD_H = 24.0, 48.0  # a plan a day, which looks two days ahead: what a trader without foresight can do


def forecast_driven(scenario: Scenario, forecast: Forecasts = "persistence") -> Dispatch:
    """The battery operated on a forecast, by default the day before: every 24 h a plan of the next 48 h."""
    return control(scenario, forecast, horizon_h=AHEAD_H, every_h=EVERY_H)


def by_operation(
    plan: Dispatch, baseline: Dispatch | None, rule: Dispatch | None = None, driven: Dispatch | None = None
) -> dict[str, Financials]:
    """Financials of the optimal `plan`, of the rule and of plans on forecasts (made where not given), by operation.

    An operation that cannot run (a rule that meets a limit, a strategy that windows cannot carry) is left out. Raises
    what `financials` raises.
    """
    found = {OPTIMAL: financials(plan, baseline)}
    makers: dict[str, Callable[[Scenario], Dispatch]] = {RULE: simulate, FORECAST: forecast_driven}
    known = {name: made for name, made in ((RULE, rule), (FORECAST, driven)) if made is not None}
    for name, make in makers.items():
        try:
            made = known.get(name) or make(plan.scenario)
            found[name] = financials(made, baseline)
        except BessOptError:
            continue
    return found


def operation_table(found: Mapping[str, Financials]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of what a battery is worth by who operates it."""
    currency = next(iter(found.values())).currency
    header = ["operated", "money", f"net present value [{currency}]", "internal rate of return", "payback [years]"]
    rows = [
        [WORDS[name], one.money, str(Number(one.npv)), percent(one.irr), str(Number(one.payback_years))]
        for name, one in found.items()
    ]
    return header, rows
