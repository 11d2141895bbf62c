"""The best size together with the best years of replacement.

The net present value of a size depends on the years through two numbers alone: what a unit of yearly revenue is worth
(more with new cells more often), and what all replacements cost for each unit of the price of one. Whatever the size,
the best years are on the upper hull of these pairs, which a small exact program over the years lists corner by
corner. Each corner is a sizing with stated years; the best of them is the best of all, and so is its bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.inputs.finance import Finance
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.assumptions import fade_of
from bess_opt.investment.lifetime.best_years import stated, with_best_years
from bess_opt.investment.lifetime.cash_flow import Figures, weights_of
from bess_opt.investment.lifetime.without_battery import without_battery
from bess_opt.investment.sizing.objectives import OBJECTIVES

if TYPE_CHECKING:
    from bess_opt.investment.sizing.result import Sizing

Asked = TypeVar("Asked", bound="Callable[..., Sizing]")
NEAR_ZERO, FAR = 1e-9, 1e9  # prices of a replacement, per unit of yearly revenue, at which the hull begins and ends
SAME = 1e-10  # of the worth of revenue: a corner that lies above the hull so far by less is none


def looks_for_years(size: Asked) -> Asked:
    """`size`, for scenarios that do not state the years of replacement too."""

    @wraps(size)
    def sized(scenario: Scenario, *args: Any, **kwargs: Any) -> Sizing:
        finance, objective = scenario.finance, str(args[2] if len(args) > 2 else kwargs.get("objective", "npv"))
        kind = OBJECTIVES.get(objective)
        if finance is None or kind is None or not kind.needs_finance:
            return size(scenario, *args, **kwargs)
        if not (finance.searches_years or finance.augmentation):
            return size(scenario, *args, **kwargs)
        return over_years(scenario, finance, objective, lambda one: size(one, *args, **kwargs))

    return cast("Asked", sized)


def over_years(scenario: Scenario, finance: Finance, objective: str, each: Callable[[Scenario], Sizing]) -> Sizing:
    """The best of what `each` finds with years stated. ScenarioError for augmentation and for other objectives."""
    require_no_later_cells(finance)
    if objective != "npv":
        found = f"is 'search', which sizing does for 'npv', not for {objective!r}"
        raise ScenarioError([Finding("years_to_search", "finance.replacement_years", found, "state the years")])
    fade = 0.0 if without_battery(scenario) is None else fade_of(scenario).per_year
    choices = best_choices(finance, fade)
    sizings = [each(scenario.replace(finance=stated(finance, years).to_plain())) for years in choices]
    best = max(sizings, key=lambda one: one.value)
    bounds = [one.bound for one in sizings if one.bound is not None]
    wider = [one.bound_continuous for one in sizings if one.bound_continuous is not None]
    calls = sum(one.calls for one in sizings)
    if len(bounds) < len(sizings) or best.gap is None or best.bound is None:
        return replace(best, calls=calls)
    bound = max(bounds)
    revenue = best.plan.metrics.net_revenue
    scale = best.goal.scale(revenue, revenue, best.power_mw, best.energy_mwh)
    gap = max(best.gap, (bound - best.value) / scale)
    return replace(best, bound=bound, bound_continuous=max(wider) if wider else None, gap=gap, calls=calls)


def require_no_later_cells(finance: Finance | None) -> None:
    """ScenarioError where cells are added later."""
    if finance is not None and finance.augmentation:
        said = finance.augmentation
        found = "is 'search'" if isinstance(said, str) else "is stated"
        found += ", and what cells added later are worth differs from size to size by no straight line"
        expected = (
            "leave it out of the sizing, then say what it is worth at the size found: "
            "bo.financials(bo.optimize(sizing.plan.scenario.replace(finance={'augmentation': 'search'})))"
        )
        raise ScenarioError([Finding("contradiction", "finance.augmentation", found, expected)])


def best_choices(finance: Finance, fade: float) -> list[tuple[int, ...]]:
    """Years of replacement that are best at some price of a replacement, the fewest first."""

    def at(price: float) -> tuple[float, float, tuple[int, ...]]:
        """(what replacements cost per unit of their price, worth of a unit of revenue, years) that are best there."""
        priced = finance.model_copy(
            update={"replacement_per_mw": 0.0, "replacement_per_mwh": 0.0, "replacement_cost": price}
        )
        years = with_best_years(priced, Figures(0.0, 0.0, 1.0), fade).replaced_after
        alone = stated(priced.model_copy(update={"replacement_cost": 1.0}), years)
        weights = weights_of(alone.model_copy(update={"capital_fixed": 0.0}), fade=fade)
        return weights.fixed, weights.revenue, years

    corners = [at(FAR), at(NEAR_ZERO)]
    k = 0
    while k + 1 < len(corners):
        (paid, worth, _), (more_paid, more_worth, _) = corners[k], corners[k + 1]
        if more_paid - paid <= SAME:
            corners.pop(k + 1)
            continue
        price = (more_worth - worth) / (more_paid - paid)
        between = at(price)
        if between[1] - price * between[0] > worth - price * paid + SAME * abs(worth):
            corners.insert(k + 1, between)
        else:
            k += 1
    return [years for *_, years in corners]
