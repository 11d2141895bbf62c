"""Which power and duration to buy, and how much better any other size could possibly be.

Where dispatch maximises the cash that the objective counts, the value is concave in (MW, MWh). Then cutting
planes from the duals give the next size to look at and an upper bound over all of them: a proof, after a handful
of solves. Where that argument does not hold, a grid is searched and the result says that there is no bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, overload

import pandas as pd

from bess_opt.common.findings import Finding, Findings
from bess_opt.common.progress import ShowProgress, Stretch
from bess_opt.common.progress_bar import followed
from bess_opt.dispatch.without_battery import dispatch_without_battery
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.joint.over_years import over_years
from bess_opt.investment.joint.region import Ranges
from bess_opt.investment.joint.result import JointSizing
from bess_opt.investment.joint.size_jointly import size_jointly
from bess_opt.investment.lifetime.counted_year import counted_scenario
from bess_opt.investment.lifetime.repeated_end import stored_energy_sold
from bess_opt.investment.sizing.checks import check_question, require_optimal
from bess_opt.investment.sizing.exact.whole_bids import takes_whole_bids
from bess_opt.investment.sizing.faces import NotConcaveError
from bess_opt.investment.sizing.grid import no_plan, no_size, search_grid
from bess_opt.investment.sizing.notes import do_not_build, ended, ends, gap_open
from bess_opt.investment.sizing.objectives import OBJECTIVES, Goal, goal_of
from bess_opt.investment.sizing.over_years import looks_for_years
from bess_opt.investment.sizing.planes import EmptyRangeError
from bess_opt.investment.sizing.proof import PLAN_SHARE, prove
from bess_opt.investment.sizing.region import Range, Region, region_of
from bess_opt.investment.sizing.result import Proven, Sizing
from bess_opt.investment.sizing.sized_program import resized

if TYPE_CHECKING:
    from bess_opt.dispatch.result import Dispatch
    from bess_opt.inputs.scenario import Scenario


@overload
def size(
    scenario: Scenario,
    power_mw: Range,
    duration_h: Range,
    objective: str = ...,
    twin: Literal["optimal", "rule"] = ...,
    *,
    power_step_mw: float | None = ...,
    energy_step_mwh: float | None = ...,
    module: Sequence[float] | None = ...,
    budget: float | None = ...,
    energy_min_mwh: float | None = ...,
    tolerance: float = ...,
    price_years: None = ...,
    executor: Executor | None = ...,
    workers: int | None = ...,
    progress: ShowProgress = ...,
) -> Sizing: ...


@overload
def size(
    scenario: Scenario,
    power_mw: Mapping[str, Range],
    duration_h: Ranges,
    objective: str = ...,
    twin: Literal["optimal", "rule"] = ...,
    *,
    power_step_mw: float | Mapping[str, float] | None = ...,
    energy_step_mwh: float | Mapping[str, float] | None = ...,
    module: Sequence[float] | Mapping[str, Sequence[float]] | None = ...,
    budget: float | None = ...,
    energy_min_mwh: float | None = ...,
    tolerance: float = ...,
    price_years: Sequence[Scenario] | None = ...,
    executor: Executor | None = ...,
    workers: int | None = ...,
    progress: ShowProgress = ...,
) -> JointSizing: ...


@overload
def size(
    scenario: Scenario,
    power_mw: Ranges,
    duration_h: Ranges,
    objective: str = ...,
    twin: Literal["optimal", "rule"] = ...,
    *,
    power_step_mw: float | Mapping[str, float] | None = ...,
    energy_step_mwh: float | Mapping[str, float] | None = ...,
    module: Sequence[float] | Mapping[str, Sequence[float]] | None = ...,
    budget: float | None = ...,
    energy_min_mwh: float | None = ...,
    tolerance: float = ...,
    price_years: Sequence[Scenario],
    executor: Executor | None = ...,
    workers: int | None = ...,
    progress: ShowProgress = ...,
) -> JointSizing: ...


def size(
    scenario: Scenario,
    power_mw: Any,
    duration_h: Any,
    objective: str = "npv",
    twin: Literal["optimal", "rule"] = "optimal",
    *,
    power_step_mw: Any = None,
    energy_step_mwh: Any = None,
    module: Any = None,
    budget: float | None = None,
    energy_min_mwh: float | None = None,
    tolerance: float = 1e-3,
    price_years: Sequence[Scenario] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: ShowProgress = None,
) -> Sizing | JointSizing:
    """The best battery size for `scenario` under its strategy, with a proof where there can be one.

    `power_mw` and `duration_h` are a number or (least, most), MW and hours at rated power; a least of 0 is no
    battery. `power_step_mw` and `energy_step_mwh` allow multiples only; `module` = (MW, MWh) whole numbers of
    a block; `budget` is the most capital, in the site's currency; `energy_min_mwh` a least size.
    `objective`: "npv" (needs [finance]), "irr", "lcos", "net_revenue", "score" (of the strategy, its own sense), and
    "energy_efficiency" or "curtailment" (as ratios, Metrics), which need a budget or `energy_min_mwh`: alone the
    smallest or the largest battery wins. `tolerance` is the gap at which the proof may stop, a share of what the
    battery earns or costs, never of the site's whole bill; with steps it goes on until the best step is proven.
    `twin="rule"` sizes for the rule-based controller.
    `replacement_years = "search"` looks for the years too, of "npv": `scenario` then states the best.

    Several batteries are sized together, `power_mw={"north": (0, 5), "south": (0, 2)}`: durations, steps and blocks
    are one for all or by name too, budget and least energy are those of all. With `price_years`,
    scenarios that differ from `scenario` in their series alone, the mean of the years counts, whatever the number of
    batteries. Both give a `JointSizing`, for "npv", "net_revenue" and "score" of the optimal twin.

    A grid (where no proof is possible) and years run on `executor`, any `concurrent.futures.Executor`, or on
    `workers` processes; the answer does not depend on it. `progress` is a callable that is told a `Progress` after
    each size, or whether a bar is drawn on stderr, by default on a terminal only. If it raises StopIteration the
    search ends with the best size so far, its plan and the bound proven so far; CancelledError where there is none
    yet, and of several batteries or years always.

    Raises `ScenarioError` for senseless ranges, `soc_end = "free"` (stored energy is no income), missing [finance],
    a horizon that is no year without `finance.horizons_per_year`; `StrategyError`, `SolveError` as `optimize`;
    `InfeasibleError` if no size of the range has a plan, no battery among them; BessOptError where a worker is lost.
    """
    given: dict[str, Any] = {
        "executor": executor, "workers": workers, "progress": progress, "power_step_mw": power_step_mw,
        "energy_step_mwh": energy_step_mwh, "module": module, "budget": budget, "energy_min_mwh": energy_min_mwh,
    }  # fmt: skip
    if len(scenario.batteries) > 1 or price_years is not None or isinstance(power_mw, Mapping):
        check_question(scenario, tolerance, objective, budget, energy_min_mwh)
        require_optimal(twin)

        def each(site: Scenario, years: Sequence[Scenario] | None) -> JointSizing:
            return size_jointly(
                site, power_mw, duration_h, objective, price_years=years, tolerance=tolerance, **given
            )

        return over_years(scenario, price_years, objective, each)
    return _size_one(scenario, power_mw, duration_h, objective, twin, tolerance, **given)


@looks_for_years
def _size_one(
    scenario: Scenario,
    power_mw: Range,
    duration_h: Range,
    objective: str,
    twin: Literal["optimal", "rule"],
    tolerance: float,
    *,
    executor: Executor | None,
    workers: int | None,
    progress: ShowProgress,
    **limits: Any,
) -> Sizing:
    """`size` of one battery in one year; `limits` are steps, blocks, budget and least energy."""
    if objective in OBJECTIVES and OBJECTIVES[objective].needs_finance and scenario.finance is not None:
        scenario = counted_scenario(scenario)
    goal = goal_of(scenario, objective, twin)
    check_question(scenario, tolerance, objective, limits["budget"], limits["energy_min_mwh"])
    sizes = region_of(power_mw, duration_h, scenario.finance, **limits)
    with followed(progress, "looking for the best size") as told:
        return _searched(scenario, sizes, goal, tolerance, executor, workers, told)


@dataclass(frozen=True)
class _Searched:
    """The best size found with its plan, a row per size, what is to be said; `proven` where there is a bound."""

    plan: Dispatch
    table: pd.DataFrame
    notes: list[Finding]
    proven: Proven | None = None


def _searched(
    scenario: Scenario,
    sizes: Region,
    goal: Goal,
    tolerance: float,
    executor: Executor | None,
    workers: int | None,
    told: Stretch,
) -> Sizing:
    """The proof where there can be one, else the grid; what `told` ends is as far as it came, and says so."""
    why = goal.unproven
    if not why:
        try:
            proven = prove(scenario, sizes, goal, tolerance, told)
            found = _Searched(proven.plan, proven.table, [*ended(told), *proven.notes], proven)
            return _sizing(scenario, sizes, goal, found, tolerance)
        except NotConcaveError as error:
            why = str(error)
        except EmptyRangeError:
            if _may_be_nothing(sizes, goal):
                return _nothing(scenario, sizes, goal, proven=True)
            raise no_plan(scenario, sizes) from None
    notes = [Finding("no_bound", "objective", why, "a grid was searched; a better size may lie between", "warning")]
    try:
        asked = _asked_of_each(scenario, sizes, goal, tolerance)
        best = search_grid(asked, sizes, goal, executor=executor, workers=workers, told=told)
    except EmptyRangeError as error:
        if not _may_be_nothing(sizes, goal):
            raise no_size(str(error)) from None
        return _nothing(scenario, sizes, goal, *notes)
    plan = replace(best.plan, scenario=resized(scenario, best.power_mw, best.energy_mwh))
    return _sizing(scenario, sizes, goal, _Searched(plan, best.table, [*notes, *ended(told)]), tolerance)


def _asked_of_each(scenario: Scenario, sizes: Region, goal: Goal, tolerance: float) -> Scenario:
    """What is planned at each size of a grid: whole bids no more closely than sizes are told apart, in its part of
    the time limit.
    """
    if goal.twin == "rule" or not takes_whole_bids(scenario):
        return scenario
    options: dict[str, float] = {"rel_gap": max(scenario.solver.rel_gap, PLAN_SHARE * tolerance)}
    if scenario.solver.time_limit_s is not None:
        options["time_limit_s"] = scenario.solver.time_limit_s / (len(sizes.grid()) + 1)  # the best one twice
    return scenario.replace(solver=options)


def _sizing(
    scenario: Scenario,
    sizes: Region,
    goal: Goal,
    found: _Searched,
    tolerance: float,
) -> Sizing:
    plan, table, proven = found.plan, found.table, found.proven
    battery, value, without = plan.scenario.battery, goal.value(plan), goal.without
    power, energy = battery.power_mw, battery.energy_mwh
    rounding = proven.rounding if proven else goal.rounding(plan.metrics.net_revenue)
    build = without is None or goal.sign * (value - without) > rounding
    notes = [*found.notes, *goal.notes]
    bound, continuous = (proven.bound, proven.bound_continuous) if proven else (None, None)
    nothing = sizes.holds_nothing and not build and without is not None and not goal.kind.rate
    if not build and without is not None:
        notes.append(do_not_build(goal, value, without, power, energy, bound, rounding))
    if nothing and without is not None:
        power, energy, value = 0.0, 0.0, without
        plan = dispatch_without_battery(scenario)
    else:
        notes += ends(sizes, power, energy)
        notes += stored_energy_sold(plan) if goal.kind.needs_finance else []
    if bound is not None and continuous is not None:
        other = value if nothing else goal.sign * -math.inf
        bound, continuous = (goal.farther(limit, value, other, rounding) for limit in (bound, continuous))
    rated = proven is not None and not math.isnan(value)  # money that never comes back has no rate of return
    gap = goal.sign * (bound - value) / proven.scale if rated and proven and bound is not None else None
    if gap is not None and gap > tolerance:
        notes.append(gap_open(gap, tolerance, whole_bids=proven is not None and proven.whole_bids))
    return Sizing(
        scenario=scenario if nothing else resized(scenario, power, energy),
        objective=goal.name,
        twin=goal.twin,
        power_mw=power,
        duration_h=0.0 if nothing else energy / power,
        energy_mwh=energy,
        value=value,
        bound=bound,
        bound_continuous=continuous,
        gap=gap,
        without=without,
        build=build,
        costs=goal.costs(plan, power, energy),
        assumptions=goal.assumptions,
        table=table,
        plan=plan,
        marginal_value=proven.marginal_value if proven else None,
        findings=Findings(notes),
        calls=proven.calls if proven else len(table),
        seconds=proven.seconds if proven else {},
        region=sizes,
        goal=goal,
        planes=proven.planes if proven else None,
        _known={"scale": proven.scale} if proven else {},
    )


def _may_be_nothing(sizes: Region, goal: Goal) -> bool:
    """Whether no battery is one of the sizes, and has a plan and a value."""
    return sizes.holds_nothing and not goal.kind.rate and goal.without is not None


def _nothing(scenario: Scenario, sizes: Region, goal: Goal, *notes: Finding, proven: bool = False) -> Sizing:
    """The sizing of a range in which every battery misses a limit and the site without one meets all."""
    value = goal.without
    found = "do not build: no battery of the range meets all limits, and the site without one does"
    advice = Finding("do_not_build", "finance", found, "a range with larger batteries may hold one", "warning")
    plan, (power, energy) = dispatch_without_battery(scenario), sizes.largest()
    tried = {"power_mw": power, "duration_h": energy / power, "energy_mwh": energy}
    return Sizing(
        scenario=scenario, objective=goal.name, twin=goal.twin, power_mw=0.0, duration_h=0.0, energy_mwh=0.0,
        value=math.nan if value is None else value, bound=value if proven else None,
        bound_continuous=value if proven and not sizes.stepped else None, gap=0.0 if proven else None,
        without=value, build=False, costs=goal.costs(plan, 0.0, 0.0), assumptions=goal.assumptions,
        table=pd.DataFrame([tried | {"value": math.nan, "objective_revenue": math.nan, "exact": False}]),
        plan=plan, marginal_value=None, findings=Findings([*notes, *goal.notes, advice]), calls=0, seconds={},
        region=sizes, goal=goal,
    )  # fmt: skip
