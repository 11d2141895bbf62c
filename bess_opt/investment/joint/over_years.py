"""The best sizes of several batteries together with the best years of replacement.

As for one battery the value depends on the years through what a unit of yearly revenue is worth and what replacements
cost for each unit of the price of one: each corner of their hull is a sizing with stated years.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.inputs.finance import Finance
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.joint.result import JointSizing
from bess_opt.investment.lifetime.assumptions import fade_of
from bess_opt.investment.lifetime.best_years import stated
from bess_opt.investment.lifetime.without_battery import without_battery
from bess_opt.investment.sizing.objectives import OBJECTIVES
from bess_opt.investment.sizing.over_years import best_choices

Years = Sequence[Scenario] | None


def over_years(
    scenario: Scenario, years: Years, objective: str, each: Callable[[Scenario, Years], JointSizing]
) -> JointSizing:
    """What `each` finds of a site and its price years, with the best years of replacement where they are looked for.

    ScenarioError where they are, for another objective than npv that counts them.
    """
    finance, kind = scenario.finance, OBJECTIVES.get(objective)
    if finance is None or not finance.searches_years or kind is None or not kind.needs_finance:
        return each(scenario, years)
    if objective != "npv":
        found = f"is 'search', which sizing does for 'npv', not for {objective!r}"
        raise ScenarioError([Finding("years_to_search", "finance.replacement_years", found, "state the years")])
    fade = 0.0 if without_battery(scenario) is None else fade_of(scenario).per_year
    sizings = []
    for choice in best_choices(finance, fade):
        own = stated(finance, choice)
        sizings.append(each(_with(scenario, own), None if years is None else [_with(year, own) for year in years]))
    best = max(sizings, key=lambda one: one.value)
    calls, bounds = sum(one.calls for one in sizings), [one.bound for one in sizings if one.bound is not None]
    if len(bounds) < len(sizings) or best.gap is None:
        return replace(best, calls=calls, bound=None, gap=None)
    bound = max(bounds)
    return replace(best, bound=bound, gap=max(best.gap, (bound - best.value) / best.scale), calls=calls)


def _with(scenario: Scenario, finance: Finance) -> Scenario:
    return scenario.replace(finance=finance.to_plain())
