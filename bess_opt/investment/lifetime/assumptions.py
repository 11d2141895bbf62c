"""What money over life assumes: how the battery fades, who operates it, and at which rates and prices."""

from __future__ import annotations

from dataclasses import dataclass

from bess_opt.inputs.battery import Battery
from bess_opt.inputs.finance import Finance
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.technologies import Technology

OPERATION = {  # by twin
    "optimal": "operated by an optimal plan that knows every price beforehand",
    "rule": "operated by the rule, which knows no future",
    "control": "operated by plans made on forecasts",
    "replay": "operated as a plan that was replayed",
}


@dataclass(frozen=True)
class Fade:
    """Share of the battery's part of the revenue that each year of use takes [1/year], and in words where from."""

    per_year: float
    basis: str


def fade_of(scenario: Scenario) -> Fade:
    """The fade that [finance] states, else that of the technology; none beside a bare `present_value_factor`.

    Of several batteries that of the technology that fades fastest, for all of what they earn together.
    """
    finance = scenario.finance
    if finance is not None and finance.fade_per_year is not None:
        return Fade(finance.fade_per_year, f"fade of {finance.fade_per_year:.3g} a year as stated")
    if finance is not None and finance.present_value_factor is not None:
        return Fade(0.0, "no fade, as present_value_factor has no years")
    each = [_fade_of_cells(battery) for battery in scenario.batteries]
    fastest = max(each, key=lambda fade: fade.per_year)
    if all(fade == fastest for fade in each):
        return fastest
    return Fade(fastest.per_year, f"{fastest.basis}, which fades fastest of the batteries")


def _fade_of_cells(battery: Battery) -> Fade:
    technology, cells = battery.technology, battery.tech
    if not cells.states_ageing:
        return Fade(0.0, "no fade, as the technology states no life")
    name = "the technology" if isinstance(technology, Technology) else technology
    lasts = cells.life_in_words if cells.fade_per_year is None else "as it states"
    each_day = ", one cycle a day" if cells.fade_per_year is None else ""
    return Fade(cells.fade, f"fade of {cells.fade:.3g} a year of {name}, {lasts}{each_day}")


def assumptions_of(finance: Finance, currency: str, twin: str, fade: str) -> str:
    """One line for every table of money over life: foresight, fade, rates, life and unit costs.

    `fade` is the basis in words of what makes later years earn less.
    """
    return "; ".join([OPERATION[twin], fade, _time(finance), _prices(finance, currency)])


def _time(finance: Finance) -> str:
    if finance.present_value_factor is not None:
        return f"{finance.present_value_factor:g} times a year's money"
    rate, growth = finance.discount_rate or 0.0, finance.escalation_rate
    grows = f", revenue and upkeep growing by {100 * growth:g} %" if growth else ""
    return f"{finance.lifetime_years} years at a discount rate of {100 * rate:g} % {finance.money}{grows}"


def _prices(finance: Finance, currency: str) -> str:
    """Every price that is not 0, as stated."""
    named = {
        "capital_per_mw": "per MW", "capital_per_mwh": "per MWh", "capital_fixed": "fixed",
        "fixed_om_per_mw_year": "upkeep per MW and year", "variable_om_per_mwh": "upkeep per MWh discharged",
        "replacement_per_mw": "per MW replaced", "replacement_per_mwh": "per MWh replaced",
        "replacement_cost": "per replacement",
    }  # fmt: skip
    parts = [f"{getattr(finance, key):,.6g} {word}" for key, word in named.items() if getattr(finance, key)]
    when = f" (cells new after year {', '.join(map(str, finance.replaced_after))})" if finance.replaced_after else ""
    more = [f"{100 * finance.tax_rate:g} % tax"] if finance.tax_rate else []
    more += [f"{100 * finance.residual_share:g} % of the capital left at the end"] if finance.residual_share else []
    return ", ".join([f"{currency} {', '.join(parts) or 'nothing'} to pay{when}", *more])
