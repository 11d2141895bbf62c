"""Who operates the battery: what money over life is worth with foresight, on forecasts and by the rule."""

from __future__ import annotations

from collections.abc import Mapping

from bess_opt.common.errors import BessOptError
from bess_opt.common.progress import ShowProgress
from bess_opt.common.wording import Number, percent
from bess_opt.dispatch.forecast_driven.control import control
from bess_opt.dispatch.forecast_driven.forecasts import Forecasts
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.financials import Financials, financials

OPTIMAL, RULE, FORECAST = "optimal", "rule", "forecast-driven"
WORDS = {OPTIMAL: "with all prices known beforehand", RULE: "by the rule", FORECAST: "on forecasts, planned each day"}
EVERY_H, AHEAD_H = 24.0, 48.0  # a plan a day, which looks two days ahead: what a trader without foresight can do


def forecast_driven(
    scenario: Scenario, forecast: Forecasts = "persistence", progress: ShowProgress = False
) -> Dispatch:
    """The battery operated on a forecast, by default the day before: every 24 h a plan of the next 48 h."""
    return control(scenario, forecast, horizon_h=AHEAD_H, every_h=EVERY_H, progress=progress)


def by_operation(plans: Mapping[str, Dispatch], baseline: Dispatch | None) -> dict[str, Financials]:
    """Financials of the plans of one battery by who operates it, against `baseline`.

    One whose money over life is not known is left out, save the optimum's. Raises what `financials` raises of that.
    """
    found: dict[str, Financials] = {}
    for name, plan in plans.items():
        try:
            found[name] = financials(plan, baseline)
        except BessOptError:
            if name == OPTIMAL:
                raise
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
