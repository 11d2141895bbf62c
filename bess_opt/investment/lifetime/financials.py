"""Whether a battery pays: net present value, return, payback and levelised cost of a plan's scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pandas as pd
import pyxirr

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding, Findings, findings_table
from bess_opt.common.html import box, pairs
from bess_opt.common.wording import Number, Row, percent
from bess_opt.dispatch.result import Dispatch, nameplate_mwh
from bess_opt.inputs.batteries import place_of
from bess_opt.inputs.finance import REPLACEMENT_COSTS, Finance
from bess_opt.investment.lifetime.assumptions import Fade, assumptions_of, fade_of
from bess_opt.investment.lifetime.augmentation import augmentation_of
from bess_opt.investment.lifetime.best_years import with_best_years
from bess_opt.investment.lifetime.cash_flow import Figures, cash_flow_of, weights_of, year_weight
from bess_opt.investment.lifetime.counted_year import counted_plan
from bess_opt.investment.lifetime.levelised import charging_cost, lcos
from bess_opt.investment.lifetime.repeated_end import ONCE, free_ends, stored_energy_sold
from bess_opt.investment.lifetime.without_battery import without_battery

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOVED_MWH = 1e-6  # a baseline that discharges less has no battery at work


class Course(Protocol):
    """What years of operation do to a plan: `bess_opt.Ageing`, `bess_opt.Faded`."""

    @property
    def basis(self) -> str:
        """In words, for the result."""

    def course(self, plan: Dispatch, baseline: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """(net revenue of a horizon, throughput as a share of `plan`'s) in each year of operation.

        Net revenue is that against `baseline`, the net revenue of a horizon without the battery: only that fades.
        """


@dataclass(frozen=True)
class Financials:
    """Money of a plan over its lifetime, in `currency`, received positive; costs per MWh are positive.

    `money` says whether all of it is nominal or real, as the rates are stated. NaN where a figure is undefined:
    no change of sign (irr), never paid back, no discharge (lcos), or a bare `present_value_factor`, which has no
    years. `cash_flow` has one row per year (see `finance.cash_flow`); None with a bare factor.
    """

    currency: str
    money: Literal["nominal", "real"]
    revenue_basis: Literal["against the baseline", "the whole site"]
    ageing_basis: str  # what makes later years earn less
    assumptions: str  # in one line: foresight, fade, rates, life, unit costs
    year_weight: float  # horizons that make a year
    capital: float
    yearly_revenue: float  # first year, net of variable O&M, before escalation
    yearly_fixed_om: float
    yearly_charging_cost: float  # first year, before escalation; a valuation, see `levelised`
    npv: float
    irr: float  # 1/year
    payback_years: float  # first year in which cumulative money is not negative, interpolated within it
    discounted_payback_years: float
    lcos_per_mwh: float
    cash_flow: pd.DataFrame | None = field(compare=False)
    findings: Findings = field(compare=False)
    replaced_after: tuple[int, ...] = ()  # years at whose ends cells are replaced, as stated or as looked for
    added: tuple[tuple[int, float], ...] = ()  # (year at whose end cells are added, MWh), as stated or as looked for
    npv_bound: float = math.nan  # no other choice of what was looked for is worth more; NaN where that is not known

    def plot(self, *, theme: str = "light") -> Figure:
        """Cash flow by year. ScenarioError with a bare `present_value_factor`, which has no years."""
        from bess_opt.plots import cash_flow as plots_cash_flow

        if self.cash_flow is None:
            found = "present_value_factor has no years to draw"
            expected = "give discount_rate and lifetime_years"
            raise ScenarioError([Finding("no_years", "finance", found, expected)])
        return plots_cash_flow.cash_flow_figure(
            self.cash_flow, currency=self.currency, theme="dark" if theme == "dark" else "light"
        )

    def _repr_html_(self) -> str:

        return financials_html(self)

    def to_dict(self) -> dict[str, Any]:
        """The figures under the same names, without the table and the findings."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.compare}


def financials(plan: Dispatch, baseline: Dispatch | None = None, *, ageing: Course | None = None) -> Financials:
    """What the battery of `plan` is worth over its lifetime under the scenario's [finance], several of them together.

    A battery's revenue is what the site earns with it more than without it: give the site's plan without it as
    `baseline`, `bo.simulate(scenario, rule=0)` (the rung "none" of `bo.compare`). Without a
    baseline the whole site's net revenue counts, which is the battery's own only where it stands alone; a
    warning says so where there is solar or load. The plan stands for every year of the life.

    What the battery earns fades: by `fade_per_year` where [finance] states it, else as the technology lives
    (`bo.technologies()`, of several batteries the one that fades fastest); what the site earns without it does not.
    `ageing` takes the place of both: what `bo.ageing` gives scales a year's revenue by the year's mean capacity,
    `faded_dispatch` takes plans made anew at the faded energy. `assumptions` says in one line what was taken.

    ScenarioError without [finance] or its rates, for a horizon that is no year without `horizons_per_year`, for
    `soc_end = "free"` where the horizon repeats, for a baseline of other steps, for ageing beside
    `fade_per_year`, `augmentation` or `present_value_factor`, and for augmentation of a replayed plan.
    """
    finance = plan.scenario.finance
    if finance is None:
        expected = "give capital, discount_rate and lifetime_years"
        raise ScenarioError([Finding("missing_table", "finance", "is missing", expected)])
    searched = finance.searches_years or finance.searches_augmentation
    _check(plan, baseline, finance, ageing is not None)
    plan, baseline = counted_plan(plan), None if baseline is None else counted_plan(baseline)
    fade = fade_of(plan.scenario) if ageing is None else Fade(0.0, ageing.basis)
    figures, notes = _figures(plan, baseline, fades=ageing is not None or fade.per_year > 0.0)
    finance = with_best_years(finance, figures, fade.per_year)
    more, throughput = augmentation_of(plan, figures, finance, fade.per_year), None
    figures = replace(figures, added=more.added)
    if ageing is not None:
        unfading = figures.unfading if baseline is None else baseline.metrics.net_revenue
        yearly, throughput = ageing.course(plan, unfading)
        yearly = tuple(value + figures.unfading for value in yearly)
        figures = replace(figures, yearly=yearly)
    table = None if finance.present_value_factor else cash_flow_of(figures, finance, fade=fade.per_year)
    first = figures.net_revenue if figures.yearly is None else figures.yearly[0]
    npv = _bare_npv(figures, finance) if table is None else float(table["present_value"].sum())
    return Financials(
        currency=plan.scenario.site.currency,
        money=finance.money,
        revenue_basis="the whole site" if baseline is None else "against the baseline",
        ageing_basis=fade.basis,
        assumptions=assumptions_of(finance, plan.scenario.site.currency, plan.twin, fade.basis),
        year_weight=figures.year_weight,
        capital=figures.capital(finance),
        yearly_revenue=figures.year_weight * first,
        yearly_fixed_om=finance.fixed_om_per_mw_year * figures.power_mw,
        yearly_charging_cost=figures.year_weight * charging_cost(plan),
        npv=npv,
        irr=math.nan if table is None else internal_rate(table["net"]),
        payback_years=math.nan if table is None else payback(table["net"]),
        discounted_payback_years=math.nan if table is None else payback(table["present_value"]),
        lcos_per_mwh=lcos(plan, figures, finance, throughput, fade.per_year),
        cash_flow=table,
        findings=Findings([*_whole_site(plan, baseline), *_idle(baseline), *_wear_twice(plan, finance), *notes]),
        replaced_after=finance.replaced_after,
        added=tuple((cells.year, cells.energy_mwh) for cells in more.added),
        npv_bound=npv + more.missed if searched else math.nan,
    )


def financial_rows(money: Financials) -> list[Row]:
    """What a battery is worth over its life, and what that assumes."""
    currency = money.currency
    return [
        (f"net present value, {money.money}", str(Number(money.npv, currency))),
        ("internal rate of return", percent(money.irr)),
        ("payback", str(Number(money.payback_years, "years"))),
        ("discounted payback", str(Number(money.discounted_payback_years, "years"))),
        ("levelised cost of storage", str(Number(money.lcos_per_mwh, f"{currency}/MWh"))),
        ("capital", str(Number(money.capital, currency))),
        *([("cells added", _added_in_words(money.added))] if money.added else []),
        (f"revenue of the first year, {money.revenue_basis}", str(Number(money.yearly_revenue, currency))),
        ("assumed", money.assumptions),
    ]


def _added_in_words(added: tuple[tuple[int, float], ...]) -> str:
    return ", ".join(f"{energy:.4g} MWh after year {year}" for year, energy in added)


def payback(money: pd.Series) -> float:
    """First time, in years, at which the cumulative sum of yearly `money` is not negative.

    Interpolated within its year; 0 if it never is negative at the start, NaN if it stays so.
    """
    total = money.cumsum().to_numpy()
    back = next((year for year, value in enumerate(total) if value >= 0.0), None)
    if back is None:
        return math.nan
    return 0.0 if back == 0 else float(back - total[back] / (total[back] - total[back - 1]))


def internal_rate(net: pd.Series) -> float:
    """Rate at which the present value of yearly money `net` is nought; NaN where no rate does it."""
    found = pyxirr.irr(net.to_numpy(), silent=True)
    return math.nan if found is None else float(found)


def _bare_npv(figures: Figures, finance: Finance) -> float:
    linear = weights_of(finance, year_weight=figures.year_weight)
    return linear.npv(figures.net_revenue, figures.power_mw, figures.energy_mwh)


def _figures(plan: Dispatch, baseline: Dispatch | None, *, fades: bool) -> tuple[Figures, list[Finding]]:
    """What the years need of a plan, and what has to be said about it; `fades`: later years earn less."""
    batteries, notes = plan.scenario.batteries, stored_energy_sold(plan)
    earned = plan.metrics.net_revenue - (0.0 if baseline is None else baseline.metrics.net_revenue)
    unfading = 0.0
    if fades and baseline is None and not _alone(plan):
        without = without_battery(plan.scenario)
        unfading = earned if without is None else without
        if without is None:
            notes.append(nothing_fades("baseline"))
    weight = year_weight(plan.scenario)
    power_mw, energy_mwh = sum(one.power_mw for one in batteries), nameplate_mwh(plan.scenario)
    return Figures(power_mw, energy_mwh, earned, weight, unfading=unfading), notes


def nothing_fades(where: str) -> Finding:
    """For a site that its battery keeps running: nothing says which part of its money the battery earns."""
    found = "the site needs its battery, so its own part of the revenue is not known: no fade is taken"
    return Finding(
        "fade_left_out", where, found, "state unserved_price_per_mwh, or raise the import limit", "warning"
    )


def _check(plan: Dispatch, baseline: Dispatch | None, finance: Finance, ageing: bool) -> None:
    problems = []
    if baseline is not None and not baseline.schedule.index.equals(plan.schedule.index):
        found = f"has {len(baseline.schedule)} steps from {baseline.schedule.index[0]}, the plan other ones"
        problems.append(Finding("contradiction", "baseline", found, "give a plan of the same steps"))
    for key in ("fade_per_year", "present_value_factor", "augmentation"):
        if ageing and getattr(finance, key):
            found = "stands beside ageing, which says what every year earns"
            problems.append(Finding("contradiction", f"finance.{key}", found, "leave one of the two out"))
    if _repeats(plan, finance):
        problems += free_ends(plan.scenario.batteries, "and the horizon repeats", ONCE)
    if problems:
        raise ScenarioError(problems)


def _repeats(plan: Dispatch, finance: Finance) -> bool:
    """Whether the life holds the horizon more than once."""
    years = finance.present_value_factor or finance.lifetime_years or 1
    return year_weight(plan.scenario) * years > 1.0 + 1e-9


def _alone(plan: Dispatch) -> bool:
    """Whether the battery stands alone, so that the site's money is its own."""
    return plan.metrics.solar_mwh == 0.0 and plan.metrics.load_mwh == 0.0


def _whole_site(plan: Dispatch, baseline: Dispatch | None) -> list[Finding]:
    if baseline is not None or _alone(plan):
        return []
    found = "none is given: what solar and load earn and cost without the battery counts as the battery's"
    expected = "give baseline=bo.simulate(scenario, rule=0)"
    return [Finding("whole_site", "baseline", found, expected, "warning")]


def _idle(baseline: Dispatch | None) -> list[Finding]:
    if baseline is None or baseline.metrics.discharged_mwh <= MOVED_MWH:
        return []
    found = f"its battery discharges {baseline.metrics.discharged_mwh:.4g} MWh"
    expected = "the figures are the difference of two plans with batteries"
    return [Finding("baseline_has_battery", "baseline", found, expected, "warning")]


def _wear_twice(plan: Dispatch, finance: Finance) -> list[Finding]:
    """Wear steers dispatch and is no cash; a replacement is cash: both may stand for the same cells."""
    paid = [key for key in REPLACEMENT_COSTS if getattr(finance, key)]
    batteries = plan.scenario.batteries
    notes = []
    for battery in batteries if paid else ():
        if battery.wear_cost_per_mwh or battery.wear is not None:
            where = f"{place_of(battery, batteries)}.{'wear_cost_per_mwh' if battery.wear is None else 'wear'}"
            found = (
                f"steers dispatch beside finance.{paid[0]}, which is paid; the wear itself is not in these figures"
            )
            expected = "see that the wear cost is the replacement's, spread over its MWh, and not a second reserve"
            notes.append(Finding("wear_and_replacement", where, found, expected, "warning"))
    return notes


def financials_html(money: Financials) -> str:
    """Worth over the life, and the cash flow where it has years."""
    from bess_opt.plots.cash_flow import cash_flow_figure
    from bess_opt.plots.shared.page import picture_html

    warned = list(money.findings)
    notes = findings_table(warned) if warned else ""
    table = money.cash_flow
    drawn = (
        "" if table is None else picture_html(cash_flow_figure(table, currency=money.currency), "cash flow by year")
    )
    return box("Financials", pairs(financial_rows(money)) + notes + drawn)
