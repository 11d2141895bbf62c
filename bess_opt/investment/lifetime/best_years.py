"""The best years to replace the cells, of a battery whose yearly money fades: exact over all choices of years."""

from __future__ import annotations

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.inputs.finance import Finance
from bess_opt.investment.lifetime.cash_flow import Figures, cash_flow_of


def with_best_years(finance: Finance, figures: Figures, fade: float) -> Finance:
    """`finance` with the years of replacement that are worth most, where it asks to look for them.

    What the cells earn between two replacements depends on these two years alone, so that the best plan from each
    year on, the last year first, is the best of all: every choice of years is compared. Of equal ones that with
    fewer, later replacements.
    """
    if not finance.searches_years:
        return finance
    lifetime = finance.lifetime_years or 1
    earned, paid = _by_age(finance, figures, fade), _paid(finance, figures)
    best = np.zeros(lifetime + 1)
    following = np.full(lifetime + 1, lifetime)
    for begin in range(lifetime - 1, -1, -1):
        best[begin], following[begin] = earned[begin, lifetime], lifetime
        for end in range(lifetime - 1, begin, -1):
            value = earned[begin, end] - paid[end] + best[end]
            if value > best[begin] + ROUNDING * abs(best[begin]):
                best[begin], following[begin] = value, end
    years, year = [], int(following[0])
    while year < lifetime:
        years.append(year)
        year = int(following[year])
    return stated(finance, tuple(years))


ROUNDING = 1e-12  # of a value: a better one must be better by more


def stated(finance: Finance, years: tuple[int, ...]) -> Finance:
    """`finance` with these years of replacement; without any, without what a replacement would cost."""
    if years:
        return finance.model_copy(update={"replacement_years": years})
    nothing = {"replacement_per_mw": 0.0, "replacement_per_mwh": 0.0, "replacement_cost": 0.0}
    return finance.model_copy(update=nothing | {"replacement_years": ()})


def _by_age(finance: Finance, figures: Figures, fade: float) -> Array:
    """[begin, end]: present value of what is earned in years begin + 1 to end by cells that are new then."""
    lifetime = finance.lifetime_years or 1
    bare = stated(finance, ())
    worth = worth_of_years(bare, figures)
    site = worth * figures.unfading
    battery = worth * (figures.net_revenue - figures.unfading)
    earned = np.zeros((lifetime + 1, lifetime + 1))
    for begin in range(lifetime):
        kept = (1.0 - fade) ** np.arange(lifetime - begin)
        earned[begin, begin + 1 :] = np.cumsum(site[begin:] + battery[begin:] * kept)
    return earned


def worth_of_years(bare: Finance, figures: Figures) -> Array:
    """Present value of one unit of a horizon's net revenue in each year of operation, after tax."""
    lifetime = bare.lifetime_years or 1

    def npv(yearly: Array) -> float:
        alone = Figures(figures.power_mw, figures.energy_mwh, 0.0, figures.year_weight, yearly=tuple(yearly.tolist()))
        return float(cash_flow_of(alone, bare, fade=0.0)["present_value"].sum())

    nothing = npv(np.zeros(lifetime))
    return np.array([npv(year) - nothing for year in np.eye(lifetime)])


def _paid(finance: Finance, figures: Figures) -> Array:
    """Present value of a replacement at the end of each year, after tax."""
    lifetime, rate = finance.lifetime_years or 1, finance.discount_rate or 0.0
    once = finance.replacement(figures.power_mw, figures.energy_mwh) * (1.0 - finance.tax_rate)
    paid: Array = once * ((1.0 + finance.escalation_rate) / (1.0 + rate)) ** np.arange(lifetime + 1.0)
    return paid
