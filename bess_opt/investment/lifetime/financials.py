"""Whether a battery pays: net present value, return, payback and levelised cost of a plan's scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pandas as pd
import pyxirr

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding, Findings
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.finance import Finance
from bess_opt.investment.lifetime.cash_flow import Figures, cash_flow, weights, year_weight
from bess_opt.investment.lifetime.levelised import charging_cost, lcos

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

        Net revenue is that against `baseline`, the net revenue of a horizon without the battery.
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
        from bess_opt.common import html as notebook

        return notebook.financials_html(self)

    def to_dict(self) -> dict[str, Any]:
        """The figures under the same names, without the table and the findings."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.compare}


def financials(plan: Dispatch, baseline: Dispatch | None = None, *, ageing: Course | None = None) -> Financials:
    """What the battery of `plan` is worth over its lifetime under the scenario's [finance].

    A battery's revenue is what the site earns with it more than without it: give the site's plan without it as
    `baseline`, `bo.simulate(scenario, rule=lambda state: 0.0)` (the rung "none" of `bo.compare`). Without a
    baseline the whole site's net revenue counts, which is the battery's own only where it stands alone; a
    warning says so where there is solar or load. The plan stands for every year of the life.

    `ageing` makes later years earn less and takes the place of `fade_per_year`: what `bo.ageing` gives scales a
    year's revenue by the year's mean capacity, `faded_dispatch` takes plans made anew at the faded energy.

    ScenarioError without [finance] or its rates, for a horizon that is no year without `horizons_per_year`, for
    a baseline of other steps, and for ageing beside `fade_per_year` or `present_value_factor`.
    """
    finance = plan.scenario.finance
    if finance is None:
        expected = "give capital, discount_rate and lifetime_years"
        raise ScenarioError([Finding("missing_table", "finance", "is missing", expected)])
    _check(plan, baseline, finance, ageing is not None)
    figures = _figures(plan, baseline)
    throughput = None
    if ageing is not None:
        yearly, throughput = ageing.course(plan, _earned(baseline))
        figures = Figures(figures.power_mw, figures.energy_mwh, figures.net_revenue, figures.year_weight, yearly)
    bare = finance.present_value_factor is not None
    table = None if bare else cash_flow(figures, finance)
    first = figures.net_revenue if figures.yearly is None else figures.yearly[0]
    return Financials(
        currency=plan.scenario.site.currency,
        money=finance.money,
        revenue_basis="the whole site" if baseline is None else "against the baseline",
        ageing_basis=ageing.basis if ageing is not None else f"fade_per_year = {finance.fade_per_year:g}",
        year_weight=figures.year_weight,
        capital=figures.capital(finance),
        yearly_revenue=figures.year_weight * first,
        yearly_fixed_om=finance.fixed_om_per_mw_year * figures.power_mw,
        yearly_charging_cost=figures.year_weight * charging_cost(plan),
        npv=_bare_npv(figures, finance) if table is None else float(table["present_value"].sum()),
        irr=math.nan if table is None else internal_rate(table["net"]),
        payback_years=math.nan if table is None else payback(table["net"]),
        discounted_payback_years=math.nan if table is None else payback(table["present_value"]),
        lcos_per_mwh=lcos(plan, figures, finance, throughput),
        cash_flow=table,
        findings=Findings([*_whole_site(plan, baseline), *_idle(baseline), *_wear_twice(plan, finance)]),
    )


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
    linear = weights(finance, year_weight=figures.year_weight)
    return linear.npv(figures.net_revenue, figures.power_mw, figures.energy_mwh)


def _earned(baseline: Dispatch | None) -> float:
    return 0.0 if baseline is None else baseline.metrics.net_revenue


def _figures(plan: Dispatch, baseline: Dispatch | None) -> Figures:
    battery = plan.scenario.battery
    earned = plan.metrics.net_revenue - _earned(baseline)
    return Figures(battery.power_mw, battery.energy_mwh, earned, year_weight(plan.scenario))


def _check(plan: Dispatch, baseline: Dispatch | None, finance: Finance, ageing: bool) -> None:
    problems = []
    if baseline is not None and not baseline.schedule.index.equals(plan.schedule.index):
        found = f"has {len(baseline.schedule)} steps from {baseline.schedule.index[0]}, the plan other ones"
        problems.append(Finding("contradiction", "baseline", found, "give a plan of the same steps"))
    for key in ("fade_per_year", "present_value_factor"):
        if ageing and getattr(finance, key):
            found = "stands beside ageing, which says what every year earns"
            problems.append(Finding("contradiction", f"finance.{key}", found, "leave one of the two out"))
    if problems:
        raise ScenarioError(problems)


def _whole_site(plan: Dispatch, baseline: Dispatch | None) -> list[Finding]:
    alone = plan.metrics.solar_mwh == 0.0 and plan.metrics.load_mwh == 0.0
    if baseline is not None or alone:
        return []
    found = "none is given: what solar and load earn and cost without the battery counts as the battery's"
    expected = "give baseline=bo.simulate(scenario, rule=lambda state: 0.0)"
    return [Finding("whole_site", "baseline", found, expected, "warning")]


def _idle(baseline: Dispatch | None) -> list[Finding]:
    if baseline is None or baseline.metrics.discharged_mwh <= MOVED_MWH:
        return []
    found = f"its battery discharges {baseline.metrics.discharged_mwh:.4g} MWh"
    expected = "the figures are the difference of two plans with batteries"
    return [Finding("baseline_has_battery", "baseline", found, expected, "warning")]


def _wear_twice(plan: Dispatch, finance: Finance) -> list[Finding]:
    """Wear steers dispatch and is no cash; a replacement is cash: both may stand for the same cells."""
    if not (plan.scenario.battery.wear_cost_per_mwh and finance.replacement_cost):
        return []
    found = "steers dispatch beside finance.replacement_cost, which is paid; the wear itself is not in these figures"
    expected = "see that the wear cost is the replacement's, spread over its MWh, and not a second reserve"
    return [Finding("wear_and_replacement", "battery.wear_cost_per_mwh", found, expected, "warning")]
