"""The best sizes of several batteries together, or of one over several years of prices, with one proven bound.

Sizes stand only in limits, so that a year's revenue is concave in all of them at once, and so is the mean of the
years: the prices of each solved choice limit every other in every year. What a battery takes of the site however
small it is (auxiliary load, stored energy that is kept or drawn) is not concave at no battery: with and without such
a battery are searched apart, and the bound is the higher of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.errors import InfeasibleError, ScenarioError
from bess_opt.common.findings import Finding, Findings
from bess_opt.common.progress import ShowProgress, Stretch
from bess_opt.common.progress_bar import followed
from bess_opt.common.wording import show
from bess_opt.dispatch.without_battery import dispatch_without_battery
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.joint.branches import Found, search
from bess_opt.investment.joint.grid import choices, site_of
from bess_opt.investment.joint.hands import Hands, hands
from bess_opt.investment.joint.limits import Limits
from bess_opt.investment.joint.planes import JointPlanes
from bess_opt.investment.joint.region import JointRegion, joint_region_of, totals
from bess_opt.investment.joint.result import Amount, JointSizing
from bess_opt.investment.joint.search import Made, Search, Years, exact_plan, figures_of
from bess_opt.investment.joint.sites import NAMELESS, Sizes, burdened, name_of, without_some
from bess_opt.investment.lifetime.cash_flow import weights_of, year_weight
from bess_opt.investment.lifetime.counted_year import counted_scenario
from bess_opt.investment.lifetime.repeated_end import stored_energy_sold
from bess_opt.investment.lifetime.without_battery import present_costs
from bess_opt.investment.sizing.exact.whole_bids import takes_whole_bids
from bess_opt.investment.sizing.faces import NoneFoundError, NotConcaveError
from bess_opt.investment.sizing.objectives import OBJECTIVES, goal_of
from bess_opt.investment.sizing.over_years import require_no_later_cells
from bess_opt.investment.sizing.planes import EmptyRangeError
from bess_opt.investment.sizing.warm_program import needs_one_way_cuts

KNOWN = ("npv", "net_revenue", "score")
AT_END = 1e-6  # of a size: as near is at the end of its range
SAME = 1e-12
LEAP = 0.01  # of a horizon: a year that is longer by no more is another year of the same length


@dataclass(frozen=True)
class _Best:
    """The best choice: `made` None where nothing is bought or nothing has a plan; bounds in the maximised value."""

    made: Made | None
    value: float
    bound: float | None
    scale: float
    rounding: float
    rows: list[dict[str, object]]
    calls: int
    seconds: float
    why: str = ""  # there is no bound
    open: tuple[tuple[tuple[str, ...], JointPlanes], ...] = ()


def size_jointly(
    scenario: Scenario,
    power_mw: Any,
    duration_h: Any,
    objective: str,
    *,
    price_years: Sequence[Scenario] | None,
    tolerance: float,
    executor: Executor | None,
    workers: int | None,
    progress: ShowProgress,
    **limits: Any,
) -> JointSizing:
    """`bess_opt.size` for several batteries, or for `price_years`; `limits` are steps, blocks, budget, least energy.

    ScenarioError for years that differ in more than their series, and for objectives other than npv, net_revenue and
    score; else as there. Years of replacement that are looked for are found by `best_years_of`.
    """
    if objective not in KNOWN:
        expected = f"give {', '.join(KNOWN)}; the others are for one battery and one year"
        raise ScenarioError([Finding("wrong_value", "objective", f"found {objective!r}", expected)])
    require_no_later_cells(scenario.finance)
    stated = [scenario] if price_years is None else scenarios_of(price_years)
    _require_alike(scenario, stated)
    names = tuple(name_of(battery) for battery in scenario.batteries)
    region = joint_region_of(names, power_mw, duration_h, scenario.finance, **limits)
    counted = tuple(counted_scenario(one) for one in stated)
    years = Years(counted, tuple(goal_of(one, objective, "optimal") for one in counted))
    _require_one_weight(years)
    with followed(progress, "looking for the best sizes") as told, hands(executor, workers, len(stated)) as pool:
        try:
            best = _proven(years, region, pool, tolerance, told)
        except NotConcaveError as error:
            best = _from_grid(years, region, pool, str(error))
    return _sizing(scenario, years, region, best, tolerance, [one.name for one in stated])


def scenarios_of(price_years: object) -> list[Scenario]:
    """The price years as a list; ScenarioError for what is no list of scenarios."""
    if isinstance(price_years, Iterable) and not isinstance(price_years, str | Mapping | pd.DataFrame):
        listed = list(price_years)
        years = [one for one in listed if isinstance(one, Scenario)]
        if len(years) == len(listed):
            return years
        price_years = next(one for one in listed if not isinstance(one, Scenario))
    expected = "give a list of scenarios: [scenario.replace(series=...), ...]"
    found = "found a frame" if isinstance(price_years, pd.DataFrame) else f"found {show(price_years)}"
    raise ScenarioError([Finding("wrong_value", "price_years", found, expected)])


def _require_alike(scenario: Scenario, years: Sequence[Scenario]) -> None:
    """ScenarioError where there is no year, or one that differs in more than its series."""
    if not years:
        raise ScenarioError([Finding("wrong_value", "price_years", "is empty", "give at least one scenario")])
    problems, tables = [], scenario.to_tables()
    for number, year in enumerate(years):
        own = year.to_tables()
        other = [key for key in sorted({*own, *tables} - {"series"}) if own.get(key) != tables.get(key)]
        if other or year.step_h != scenario.step_h:
            found = f"differs from the scenario in {', '.join(other) or 'its step'}"
            expected = "give scenarios that differ in their series alone: scenario.replace(series=...)"
            problems.append(Finding("contradiction", f"price_years[{number}]", found, expected))
        elif abs(len(year.series) - len(scenario.series)) > LEAP * len(scenario.series):
            found = f"has {len(year.series):,} steps where the scenario has {len(scenario.series):,}"
            expected = "give horizons of one length; a leap day more or less is taken"
            problems.append(Finding("contradiction", f"price_years[{number}]", found, expected))
    if problems:
        raise ScenarioError(problems)


def _require_one_weight(years: Years) -> None:
    """ScenarioError where horizons count differently, so that their mean has no meaning."""
    own = [goal.priced.revenue for goal in years.goals]
    if max(own) - min(own) > SAME * max(own):
        expected = "give horizons of one length, or years that stand for themselves"
        raise ScenarioError(
            [Finding("contradiction", "price_years", "stand for different parts of a year", expected)]
        )


def _proven(years: Years, region: JointRegion, pool: Hands, tolerance: float, told: Stretch) -> _Best:
    """The best choice with its bound, batteries that ask something of the site whatever their size in and out.

    Where no size of a battery meets the limits with another one there, every set of batteries is searched apart.
    """
    optional = [name for name, part in zip(region.names, region.parts, strict=True) if part.holds_nothing]
    apart = burdened(years.scenarios[0], optional)
    try:
        return _proven_apart(years, region, pool, tolerance, told, apart)
    except NoneFoundError:
        if len(apart) == len(optional):
            raise
        return _proven_apart(years, region, pool, tolerance, told, optional)


def _proven_apart(
    years: Years, region: JointRegion, pool: Hands, tolerance: float, told: Stretch, apart: Sequence[str]
) -> _Best:
    """The best choice with its bound: a search for each set of those batteries of `apart` that are bought."""
    searches: list[tuple[JointRegion, Found]] = []
    without = years.without
    nothing = years.sign * without if region.holds_nothing and without is not None else -np.inf
    for stays in product((True, False), repeat=len(apart)):
        gone = {name for name, stay in zip(apart, stays, strict=True) if not stay}
        kept = [name for name in region.names if name not in gone]
        if not kept:
            continue  # no battery at all: the site without one
        part = replace(region.of(kept), bought_anyhow=frozenset(apart) - gone)
        sites = tuple(without_some(one, gone) for one in years.scenarios)
        tight = any(needs_one_way_cuts(one) for one in sites)
        try:
            found = search(replace(years, scenarios=sites), part, pool, tolerance, told, tight=tight, nothing=nothing)
        except EmptyRangeError:
            continue
        searches.append((part, found))
    if not searches:
        return _Best(None, -np.inf, None, 1.0, 0.0, [], 0, 0.0)
    made = [(found.value, part, found) for part, found in searches if found.best is not None]
    rows = [row for _, found in searches for row in found.rows]
    scale, rounding = (max(getattr(found, key) for _, found in searches) for key in ("scale", "rounding"))
    bound = max(found.bound for _, found in searches)
    calls, seconds = (sum(getattr(found, key) for _, found in searches) for key in ("calls", "seconds"))
    left = tuple((part.names, planes) for part, found in searches for planes in found.open)
    if not made:
        return _Best(None, -np.inf, bound, scale, rounding, rows, calls, seconds, open=left)
    value, part, found = max(made, key=lambda one: one[0])
    best = found.best
    if best is not None:
        best = replace(best, sizes=_of_all(region, part, best.sizes))
    return _Best(best, value, bound, scale, rounding, rows, calls, seconds, open=left)


def _of_all(region: JointRegion, part: JointRegion, sizes: Sizes) -> Sizes:
    """Sizes of all batteries of a region, those that are not of `part` being left out."""
    known = dict(zip(part.names, sizes, strict=True))
    return tuple(known.get(name, (0.0, 0.0)) for name in region.names)


def _from_grid(years: Years, region: JointRegion, pool: Hands, why: str) -> _Best:
    """The best choice of a grid, planned exactly; of equal ones the first."""
    table, found, count = Search(years, region, pool), choices(region), len(years.scenarios)
    sites = [site_of(one, region, choice) for choice in found for one in years.scenarios]
    figures = pool.all(figures_of, sites)
    rows, worths = [], []
    for number, choice in enumerate(found):
        known = [one for one in figures[number * count : (number + 1) * count] if one is not None]
        worth = np.nan
        if len(known) == count:
            worth = table.value_of(float(np.mean([years.maximised(one) for one in known])), choice)
        rows.append(table.row(choice, worth, exact=True))
        worths.append(worth)
    if np.isnan(worths).all():
        return _Best(None, -np.inf, None, 1.0, 0.0, rows, len(sites), 0.0, why)
    place = int(np.nanargmax(worths))
    plan = exact_plan(sites[place * count])
    if plan is None:
        return _Best(None, -np.inf, None, 1.0, 0.0, rows, len(sites), 0.0, why)
    own = [one for one in figures[place * count : (place + 1) * count] if one is not None]
    made = Made(found[place], plan, tuple(years.maximised(one) for one in own), tuple(one[2] for one in own))
    return _Best(made, worths[place], None, 1.0, 0.0, rows, len(sites), 0.0, why)


def _sizing(
    scenario: Scenario, years: Years, region: JointRegion, best: _Best, tolerance: float, named: Sequence[str]
) -> JointSizing:
    """The answer: the best choice, or no battery where that is one of the choices and worth as much."""
    made, sign, without = best.made, years.sign, years.without
    nothing = region.holds_nothing and without is not None and sign * without >= best.value - best.rounding
    if made is None and not nothing:
        found = "no choice of sizes has a plan"
        raise InfeasibleError([Finding("no_size", "power_mw", found, "widen the ranges")])
    value, bound = best.value, best.bound
    if nothing and without is not None:
        value = sign * without
    if bound is not None:
        bound = max(bound, value)
        bound = value if bound - value <= best.rounding else bound
    build = without is None or value - sign * without > best.rounding
    if nothing or made is None:
        sizes: Sizes = tuple((0.0, 0.0) for _ in region.names)
        plan = dispatch_without_battery(years.scenarios[0])
        each = [goal.idle_revenue or 0.0 for goal in years.goals]
        ledgers: Sequence[Mapping[str, float]] = [dispatch_without_battery(one).ledger for one in years.scenarios]
        final = scenario
    else:
        sizes, plan, each, ledgers = made.sizes, made.plan, list(made.revenues), made.ledgers
        final = site_of(scenario, region, sizes)
    gap = None if bound is None else (bound - value) / best.scale
    notes = [*years.goals[0].notes, *(stored_energy_sold(plan) if years.cash else [])]
    notes += _notes(region, sizes, best, gap, tolerance, years, build=build, value=value)
    return JointSizing(
        scenario=final,
        objective=years.goals[0].name,
        power_mw=_amount(region, [power for power, _ in sizes]),
        duration_h=_amount(region, [energy / power if power > 0.0 else 0.0 for power, energy in sizes]),
        energy_mwh=_amount(region, [energy for _, energy in sizes]),
        value=sign * value,
        bound=None if bound is None else sign * bound,
        gap=gap,
        without=without,
        build=build,
        years=_years(years, named, each, sizes, nothing=nothing),
        costs=_costs(years, sizes, ledgers),
        assumptions=years.goals[0].assumptions,
        table=pd.DataFrame(best.rows),
        plan=plan,
        findings=Findings(notes),
        calls=best.calls,
        seconds={"proof": best.seconds},
        unit=_unit(years, plan.metrics.score_unit),
        region=region,
        sign=sign,
        scale=best.scale,
        limits=Limits(best.open, years.weights, sign * without if nothing and without is not None else None)
        if best.open
        else None,
    )


def _unit(years: Years, score_unit: str) -> str:
    currency = years.scenarios[0].site.currency
    return years.goals[0].unit if years.cash else score_unit.replace("currency", currency)


def _amount(region: JointRegion, values: Sequence[float]) -> Amount:
    """By name, or a number for a battery without one."""
    return values[0] if region.names == (NAMELESS,) else dict(zip(region.names, values, strict=True))


def _years(
    years: Years, named: Sequence[str], revenues: Sequence[float], sizes: Sizes, *, nothing: bool
) -> pd.DataFrame:
    """A row per year: what the choice is worth, what its horizon earns, and what the year is worth without."""
    values = [
        goal.without if nothing else years.sign * goal.priced.npv(revenue, *totals(sizes))
        for goal, revenue in zip(years.goals, revenues, strict=True)
    ]
    without = [goal.without for goal in years.goals]
    table = {"value": values, "revenue": list(revenues), "without": without}
    return pd.DataFrame(table, index=pd.Index(list(named), name="year"))


def _costs(years: Years, sizes: Sizes, ledgers: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean over the years of each present cost of the choice."""
    goal = years.goals[0]
    finance = years.scenarios[0].finance
    if finance is None or not goal.kind.needs_finance:
        return {}
    linear = weights_of(finance, year_weight=year_weight(years.scenarios[0]), fade=goal.fade.per_year)
    lines = dict.fromkeys(name for ledger in ledgers for name in ledger)
    mean = {name: float(np.mean([ledger.get(name, 0.0) for ledger in ledgers])) for name in lines}
    idle = float(np.mean([one.idle_revenue or 0.0 for one in years.goals]))
    return present_costs(mean, *totals(sizes), finance, linear, idle)


def _notes(
    region: JointRegion, sizes: Sizes, best: _Best, gap: float | None, tolerance: float, years: Years,
    *, build: bool, value: float,
) -> list[Finding]:  # fmt: skip
    """What has to be said: no bound, an open gap, do not build, a range at whose end a size lies."""
    notes = []
    if best.why:
        expected = "a grid was searched; a better choice may lie between"
        notes.append(Finding("no_bound", "objective", best.why, expected, "warning"))
    if gap is not None and gap > tolerance:
        found = f"a better choice, if there is one, is better by at most {gap:.2g}, more than the tolerance"
        relaxed = "the one-way rule" + (" and whole bids" if takes_whole_bids(years.goals[0].scenario) else "")
        expected = f"the bound relaxes {relaxed}, and exact plans stay below it at these prices"
        notes.append(Finding("gap_open", "tolerance", found, expected, "warning"))
    name, without = OBJECTIVES[years.goals[0].name], years.without
    if not build and without is not None:
        found = (
            f"do not build: {name.label} is {years.sign * value:,.6g} at best and {without:,.6g} without a battery"
        )
        notes.append(Finding("do_not_build", "finance", found, "no choice found earns its cost", "warning"))
    for battery, part, (power, energy) in zip(region.names, region.parts, sizes, strict=True):
        if power <= 0.0:
            continue
        of = f" of {battery}" if battery else ""
        for key, unit, there, (low, high) in (
            ("power_mw", "MW", power, part.power_mw), ("duration_h", "h", energy / power, part.duration_h),
        ):  # fmt: skip
            for end, limit in (("smallest", low), ("largest", high)):
                if low < high and abs(there - limit) <= AT_END * limit:
                    found = f"the best size{of} has the {end} of the range, {limit:g} {unit}"
                    notes.append(
                        Finding("at_the_end", f"{key}{of}", found, "widen the range if it may be", "warning")
                    )
    return notes
