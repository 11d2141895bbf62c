"""The years around a dispatch: what a horizon's revenue and a battery's size are worth today.

Amounts are stated at the prices of the purchase, year 0. A lifetime of N years has N yearly payments, at
years f to f + N − 1 with f = `first_payment_year`: 1 for payments at the end of each year, 0 for payments at
its beginning. A payment of year y grows by (1 + escalation)^y and is discounted by (1 + rate)^y. What the battery
earns also fades: in year j after new cells it is (1 − fade)^(j − 1) of what new cells earn; what the site earns
without a battery does not fade. Capital is paid in year 0. A replacement "in year k" is paid at the end of year k
and grows by (1 + escalation)^k; year k + 1 has new cells. Cells added "in year k" are paid at the end of year k at
capital_per_mwh · (1 + augmentation_price_change_per_year)^k; what they bring fades from year k + 1 on, by itself.
The residual share of the capital comes back in year N. Tax takes its share of revenue − fixed O&M − replacement −
augmentation − straight-line depreciation of the capital over the N payments + residual; a
loss is refunded in its year, so there is income elsewhere to set it against. Wear is a shadow
price and stored energy a state: neither is cash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.inputs.finance import REPLACEMENT_COSTS, Finance
from bess_opt.inputs.scenario import Scenario

YEAR_H = (8760.0, 8784.0)
GIVE_RATES = "give discount_rate and lifetime_years, or present_value_factor in place of both"
CASH_FLOW = (
    "capital", "revenue", "fixed_om", "replacement", "augmentation", "tax", "net", "discount_factor", "present_value",
    "cumulative",
)  # fmt: skip


@dataclass(frozen=True)
class Weights:
    """Net present value as a linear function of revenue and size; costs are positive.

    npv = site · W + revenue · (R − W) − per_mw · power_mw − per_mwh · energy_mwh − fixed, with R the
    `Metrics.net_revenue` of the horizon and W that of the same site without a battery. `site` and `revenue` differ
    where the battery fades.
    """

    revenue: float  # present value of one unit of a horizon's net revenue that the battery earns
    per_mw: float  # currency/MW
    per_mwh: float  # currency/MWh
    fixed: float  # currency
    site: float  # present value of one unit of a horizon's net revenue without a battery

    def npv(self, net_revenue: float, power_mw: float, energy_mwh: float, without: float = 0.0) -> float:
        """Net present value, currency; `without` is the net revenue of a horizon without a battery."""
        earned = self.site * without + self.revenue * (net_revenue - without)
        return earned - self.cost(power_mw, energy_mwh)

    def cost(self, power_mw: float, energy_mwh: float) -> float:
        """Present value of what a battery of this size costs, currency."""
        return self.per_mw * power_mw + self.per_mwh * energy_mwh + self.fixed

    def against(self, without: float) -> Weights:
        """Weights of the whole net revenue alone, where `without` is that of a horizon without a battery."""
        return replace(self, fixed=self.fixed - (self.site - self.revenue) * without, site=self.revenue)


@dataclass(frozen=True)
class Added:
    """Cells added at the end of a year: what a horizon earns, and discharges, with them beyond what it did before."""

    year: int
    energy_mwh: float
    net_revenue: float
    discharged_mwh: float = 0.0

    def share(self, worked: Array, fade: float) -> Array:
        """Of what they bring when new, the share after so many full years of operation of the plant."""
        own = np.maximum(np.asarray(worked) - self.year, 0)
        share: Array = np.where(np.asarray(worked) >= self.year, (1.0 - fade) ** own, 0.0)
        return share


@dataclass(frozen=True)
class Figures:
    """What of a plan the years need: size, the horizon's cash, and how many horizons make a year.

    Of `net_revenue`, `unfading` is earned without a battery too, and ageing leaves it alone. `yearly` gives the net
    revenue of a horizon in each year of operation where it is known, in place of `net_revenue` and fade. `added` are
    the cells added later, in order.
    """

    power_mw: float
    energy_mwh: float
    net_revenue: float
    year_weight: float = 1.0
    yearly: tuple[float, ...] | None = None
    unfading: float = 0.0
    added: tuple[Added, ...] = ()

    def capital(self, finance: Finance) -> float:
        """Capital of this size, currency."""
        sized = finance.capital_per_mw * self.power_mw + finance.capital_per_mwh * self.energy_mwh
        return sized + finance.capital_fixed


@dataclass(frozen=True)
class Years:
    """The payments of a lifetime: year of each since the purchase, and per payment growth, discount and fade.

    `lost` is the share lost each year, `replaced_after` are the years at whose ends cells are replaced, `renewed`
    what a replacement is worth today for each unit of its price at the purchase, all replacements together.
    """

    lifetime: int
    rate: float
    year: Array
    growth: Array
    discount: Array
    fade: Array
    lost: float
    replaced_after: Array
    renewed: float

    def discounted(self, year: float) -> float:
        """Present value of one unit in `year`."""
        return float((1.0 + self.rate) ** -year)


def weights_of(
    finance: Finance, *, year_weight: float = 1.0, discount_rate: float | None = None, fade: float | None = None
) -> Weights:
    """The linear view of `finance` that sizing needs; see `Weights`.

    `year_weight` > 0 says how many horizons make a year, `discount_rate` (> −1) and `fade` (of what
    the battery earns, per year) replace what `finance` states.
    With `present_value_factor`, yearly amounts count that many times and there is nothing else to discount.
    ScenarioError where rates are missing, or where fade, replacement, residual or tax meet a bare factor.
    """
    if finance.present_value_factor is not None:
        factor = _bare_factor(finance, discount_rate)
        per_mw = finance.capital_per_mw + factor * finance.fixed_om_per_mw_year
        worth = year_weight * factor
        return Weights(worth, per_mw, finance.capital_per_mwh, finance.capital_fixed, worth)
    years, kept = years_of(finance, discount_rate, fade), 1.0 - finance.tax_rate
    yearly = years.growth * years.discount
    # What one unit of capital costs after its depreciation has saved tax and its residual has come back.
    written_off = finance.tax_rate * float(years.discount.mean())
    capital = 1.0 - written_off - kept * finance.residual_share * years.discounted(years.lifetime)
    renewed, upkeep = kept * years.renewed, kept * finance.fixed_om_per_mw_year * float(yearly.sum())
    return Weights(
        revenue=year_weight * kept * float((yearly * years.fade).sum()),
        per_mw=capital * finance.capital_per_mw + upkeep + renewed * finance.replacement_per_mw,
        per_mwh=capital * finance.capital_per_mwh + renewed * finance.replacement_per_mwh,
        fixed=capital * finance.capital_fixed + renewed * finance.replacement_cost,
        site=year_weight * kept * float(yearly.sum()),
    )


def cash_flow_of(
    figures: Figures, finance: Finance, *, discount_rate: float | None = None, fade: float | None = None
) -> pd.DataFrame:
    """Money by year, index `year` 0 to the lifetime, money received positive, in `finance.money`.

    Columns: capital (paid in year 0; its residual share comes back in the last year), revenue (net of variable
    O&M), fixed_om, replacement, augmentation, tax, net (their sum), discount_factor, present_value, cumulative (of
    net). The sum of present_value is `Weights.npv`. `discount_rate` and `fade` as in `weights`. ScenarioError as
    there, and for a bare `present_value_factor`, which knows no years.
    """
    if finance.present_value_factor is not None:
        found = "knows no years, and a cash flow has them"
        raise ScenarioError([_clash("present_value_factor", found, "give discount_rate and lifetime_years")])
    years = years_of(finance, discount_rate, fade)
    total, paid = figures.capital(finance), years.year
    year = np.arange(years.lifetime + 1)
    capital, revenue, fixed_om, replacement, added, depreciation = (np.zeros(len(year)) for _ in range(6))
    capital[0] = -total
    capital[-1] += finance.residual_share * total
    revenue[paid] = figures.year_weight * _revenue(figures, years) * years.growth
    fixed_om[paid] = -finance.fixed_om_per_mw_year * figures.power_mw * years.growth
    depreciation[paid] = total / years.lifetime
    once = finance.replacement(figures.power_mw, figures.energy_mwh)
    replacement[years.replaced_after] = -once * (1.0 + finance.escalation_rate) ** years.replaced_after
    for cells in figures.added:
        added[cells.year] -= augmentation_price(finance, cells.year) * cells.energy_mwh
    profit = revenue + fixed_om + replacement + added - depreciation
    profit[-1] += finance.residual_share * total
    tax = -finance.tax_rate * profit
    net = capital + revenue + fixed_om + replacement + added + tax
    factor = (1.0 + years.rate) ** -year.astype(float)
    columns = (capital, revenue, fixed_om, replacement, added, tax, net, factor, net * factor, net.cumsum())
    named = {name: column + 0.0 for name, column in zip(CASH_FLOW, columns, strict=True)}  # no negative zero
    return pd.DataFrame(named, index=pd.RangeIndex(len(year), name="year"))


def augmentation_price(finance: Finance, year: int) -> float:
    """What a MWh of cells added at the end of `year` costs then, currency."""
    return finance.capital_per_mwh * (1.0 + finance.augmentation_price_change_per_year) ** year


def years_of(finance: Finance, discount_rate: float | None = None, fade: float | None = None) -> Years:
    """The payments of the lifetime; `discount_rate` and `fade` as in `weights`.

    ScenarioError that names the missing keys.
    """
    rate = finance.discount_rate if discount_rate is None else discount_rate
    stated = {"discount_rate": rate, "lifetime_years": finance.lifetime_years}
    missing = [
        Finding("missing_key", f"finance.{k}", "is missing", GIVE_RATES) for k, v in stated.items() if v is None
    ]
    if missing or rate is None or finance.lifetime_years is None:
        raise ScenarioError(missing)
    if rate <= -1.0:
        raise ScenarioError([_clash("discount_rate", f"found {rate:g}", "give a rate > -1 per year")])
    worked, replaced = np.arange(finance.lifetime_years), np.array(finance.replaced_after, dtype=np.int64)
    year = worked + finance.first_payment_year
    lost = fade if fade is not None else finance.fade_per_year or 0.0
    growth = (1.0 + finance.escalation_rate) / (1.0 + rate)
    return Years(
        lifetime=finance.lifetime_years,
        rate=rate,
        year=year,
        growth=(1.0 + finance.escalation_rate) ** year,
        discount=(1.0 + rate) ** -year.astype(float),
        lost=lost,
        fade=(1.0 - lost) ** since_new(worked, finance.replaced_after),
        replaced_after=replaced,
        renewed=float((growth ** replaced.astype(float)).sum()),
    )


def since_new(worked: Array, replaced_after: Sequence[int]) -> Array:
    """Full years of use that the cells have behind them at the beginning of the year after `worked` years.

    `replaced_after` are the years at whose ends the cells are replaced, in order.
    """
    age: Array = np.asarray(worked).copy()
    for year in replaced_after:
        age = np.where(worked >= year, worked - year, age)
    return age


def year_weight(scenario: Scenario) -> float:
    """How many horizons of `scenario` make a year: as stated, or 1 for a horizon of 365 or 366 days.

    ScenarioError for any other horizon without `finance.horizons_per_year`.
    """
    if scenario.finance is not None and scenario.finance.horizons_per_year is not None:
        return scenario.finance.horizons_per_year
    hours = len(scenario.series) * scenario.step_h
    if not any(abs(hours - year) < 1e-6 * year for year in YEAR_H):
        found = f"is missing, and the horizon is {hours:g} h, not a year (8760 or 8784 h)"
        guess = f"state how many such horizons make a year, {YEAR_H[0] / hours:.6g} if they follow one another"
        raise ScenarioError([Finding("missing_key", "finance.horizons_per_year", found, guess)])
    return 1.0


def _revenue(figures: Figures, years: Years) -> Array:
    """Net revenue of a horizon in each year of operation, at the prices of the purchase."""
    if figures.yearly is None:
        own = figures.unfading + (figures.net_revenue - figures.unfading) * years.fade
        worked = np.arange(years.lifetime)
        more = [cells.net_revenue * cells.share(worked, years.lost) for cells in figures.added]
        return own + np.sum(more, axis=0) if more else own
    return np.asarray(for_years(figures.yearly, years.lifetime))


def for_years(values: Sequence[float], years: int) -> list[float]:
    """One value for each of `years`. ScenarioError where there are too few."""
    if len(values) < years:
        found = f"knows {len(values)} years of operation, the lifetime has {years}"
        raise ScenarioError([Finding("too_short", "yearly", found, "give a value for each year of the lifetime")])
    return list(values[:years])


def _bare_factor(finance: Finance, discount_rate: float | None) -> float:
    """`present_value_factor`, if nothing is stated that needs the years which it hides."""
    hidden = ["fade_per_year", *REPLACEMENT_COSTS, "residual_share", "tax_rate"]
    remedy = "leave one of the two out; the factor takes the place of rates and lifetime"
    problems = [
        _clash(key, "needs the years that present_value_factor replaces", remedy)
        for key in hidden
        if getattr(finance, key)
    ]
    if discount_rate is not None:
        problems.append(_clash("present_value_factor", "replaces the rate that is to be varied", remedy))
    if problems or finance.present_value_factor is None:
        raise ScenarioError(problems)
    return finance.present_value_factor


def _clash(key: str, found: str, expected: str) -> Finding:
    return Finding("contradiction", f"finance.{key}", found, expected)
