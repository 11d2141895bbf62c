"""The figures of a sizing that people look at first, as words and numbers with units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bess_opt.common.findings import findings_table
from bess_opt.common.html import box, pairs
from bess_opt.common.wording import Number, Row

if TYPE_CHECKING:
    from bess_opt.investment.sizing.result import Sizing


def sizing_rows(sizing: Sizing, *, operate: bool = True) -> list[Row]:
    """The best size, what it is worth by who operates it, what no size can be worth more than, what was assumed.

    Without `operate` the rule and the plans on forecasts are left out where they have not been run yet.
    """
    goal, currency = sizing.goal, sizing.scenario.site.currency
    unit, name = _unit(sizing), goal.kind.label
    rows = [
        ("best size", _size(sizing)),
        (name if sizing.twin == "optimal" else f"{name}, operated by the rule", str(Number(sizing.value, unit))),
    ]
    if goal.kind.needs_finance and (operate or sizing.was_operated):
        shown = [key for key in sizing.operated if key != sizing.twin]
        rows += [(f"the same, {_operation(key)}", str(Number(sizing.operated[key], unit))) for key in shown]
    if sizing.without is not None:
        rows.append(("the same without a battery", str(Number(sizing.without, unit))))
        rows.append(("worth building", "yes" if sizing.build else "no"))
    best = "more" if goal.sign > 0 else "less"
    bound = "no bound: see the notes" if sizing.bound is None else str(Number(sizing.bound, unit))
    rows.append((f"no size has {best} than", bound))
    if sizing.gap is not None:
        rows.append(("gap to that bound", f"{sizing.gap:.1e}" if sizing.gap else "0"))
    if sizing.marginal_value is not None:
        each = currency if goal.kind.rate else unit  # a rate adds up over no MW: its present value does
        for key, word in (("power_mw", "MW"), ("energy_mwh", "MWh")):
            worth = Number(sizing.marginal_value[key], f"{each}/{word}")
            rows.append((f"one more {word} is worth at most", str(worth)))
    costs = {key: value for key, value in sizing.costs.items() if key != "total"}
    rows += [(f"present {key.replace('_', ' ')}", str(Number(value, currency))) for key, value in costs.items()]
    rows.append(("sizes solved", str(sizing.calls)))
    return [*rows, ("assumed", sizing.assumptions)] if sizing.assumptions else rows


def _operation(key: str) -> str:
    return {"rule": "operated by the rule", "forecast-driven": "operated on forecasts"}.get(key, "with all foresight")


def _unit(sizing: Sizing) -> str:
    """The unit of the value; fractions have none."""
    if sizing.objective == "score":
        return sizing.plan.metrics.score_unit.replace("currency", sizing.scenario.site.currency)
    return "" if sizing.goal.unit == "1" else sizing.goal.unit


def _size(sizing: Sizing) -> str:
    if sizing.power_mw <= 0.0:
        return "no battery"
    sizes = ((sizing.power_mw, "MW"), (sizing.duration_h, "h"), (sizing.energy_mwh, "MWh"))
    return ", ".join(str(Number(value, unit)) for value, unit in sizes)


def sizing_html(sizing: Sizing) -> str:
    """The best size, its proof and the value over power and duration."""
    from bess_opt.plots.shared.page import picture_html
    from bess_opt.plots.sizing.surface import surface_figure

    warned = list(sizing.findings)
    notes = findings_table(warned) if warned else ""
    title = f"Size of {sizing.scenario.name}"
    drawn = picture_html(surface_figure(sizing), f"{title}, value over power and duration")
    return box(title, pairs(sizing_rows(sizing)) + notes + drawn)
