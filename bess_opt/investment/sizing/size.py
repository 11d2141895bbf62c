"""Which power and duration to buy, and how much better any other size could possibly be.

Where dispatch maximises the cash that the objective counts, the value is concave in (MW, MWh). Then cutting
planes from the duals give the next size to look at and an upper bound over all of them: a proof, after a handful
of solves. Where that argument does not hold, a grid is searched and the result says that there is no bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding, Findings
from bess_opt.common.progress import ShowProgress, Stretch
from bess_opt.common.progress_bar import followed
from bess_opt.common.wording import show
from bess_opt.dispatch.without_battery import dispatch_without_battery
from bess_opt.inputs.batteries import require_one_battery, starts_outside
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.counted_year import counted_scenario
from bess_opt.investment.sizing import key_figures
from bess_opt.investment.sizing.grid import no_plan, no_size, search_grid
from bess_opt.investment.sizing.notes import do_not_build, ends, gap_open
from bess_opt.investment.sizing.objective_units import unit_of
from bess_opt.investment.sizing.objectives import OBJECTIVES, ROUNDING, SITE_ROUNDING, Goal, goal_of
from bess_opt.investment.sizing.operated import operated
from bess_opt.investment.sizing.planes import EmptyRangeError
from bess_opt.investment.sizing.proof import Proven, prove, require_within
from bess_opt.investment.sizing.region import Range, Region, region_of
from bess_opt.investment.sizing.sized_program import NotConcaveError, resized
from bess_opt.investment.sizing.surface import surface_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bess_opt.dispatch.result import Dispatch
    from bess_opt.inputs.scenario import Scenario
    from bess_opt.investment.sizing.planes import Planes
    from bess_opt.plots.shared.units import Unit


@dataclass(frozen=True)
class Sizing:
    """The best size found, what it is worth, and what no size can be worth more than.

    `value` is that of the objective, from an exact plan of the winner; money is of the whole site. `without` is
    the same without a battery (None where that has no meaning), `build` whether the battery is worth more than
    nothing. Where no battery is the best of the sizes, power, duration and energy are 0, `scenario` keeps its size,
    and `plan` is of the site without a battery.
    `bound` is the proven limit over all sizes, on the steps where these are stated; `bound_continuous`
    that over the whole range; both None where the argument does not hold (`findings` say why). `gap` is
    (bound − value) as a share of the present value of what the battery earns beyond the site without it, or of what
    it costs if that is more; for `irr` it is the difference of the rates.
    `costs` are present values over the lifetime, costs positive, and add up to "total"; empty without [finance].
    `assumptions` says in one line what the money over life assumes; empty without [finance].
    `table` has a row per size tried: power_mw, duration_h, energy_mwh, value (of the relaxation where "exact" is
    False). `marginal_value` is what one more MW and MWh would add at most, costs taken off; of irr and npv in present
    value. `calls` counts the solves of the proof, `seconds` times its parts.
    """

    scenario: Scenario
    objective: str
    twin: Literal["optimal", "rule"]
    power_mw: float
    duration_h: float
    energy_mwh: float
    value: float
    bound: float | None
    bound_continuous: float | None
    gap: float | None
    without: float | None
    build: bool
    costs: dict[str, float]
    assumptions: str
    table: pd.DataFrame
    plan: Dispatch
    marginal_value: dict[str, float] | None
    findings: Findings
    calls: int
    seconds: dict[str, float]
    region: Region
    goal: Goal
    planes: Planes | None = field(repr=False, default=None)
    _known: dict[str, Any] = field(repr=False, compare=False, default_factory=dict)

    def surface(
        self,
        powers: int = 9,
        durations: int = 9,
        executor: Executor | None = None,
        workers: int | None = None,
        progress: ShowProgress = False,
    ) -> pd.DataFrame:
        """The value over an even grid of the ranges, a row per size: power_mw, duration_h, energy_mwh, value, exact.

        Steps and budget are not looked at; NaN where a size meets no limits. With a proof the values are exact where
        value functions fit (`solver.engine`), else those of the relaxation, by one program solved again for every
        size ("exact" False); without one they are those of exact plans.
        The same to the last bit on any `concurrent.futures.Executor`, on `workers` processes and in this one.
        A grid is computed once and kept. `progress` is a callable that is told a `Progress`, or whether to draw
        a bar. ScenarioError for numbers below 1; AuditError for a value beyond the proven bound.
        """
        name = f"surface {powers} x {durations}"
        if name not in self._known:
            with followed(progress, "valuing sizes") as told:
                table = surface_of(
                    self.goal, self.region, powers, durations, proven=self.planes is not None, executor=executor,
                    workers=workers, told=told,
                )  # fmt: skip
            self._require_below(table)
            self._known[name] = table
        return self._known[name].copy()  # type: ignore[no-any-return]

    def _require_below(self, table: pd.DataFrame) -> None:
        """AuditError if any value of a surface lies beyond its proven limit."""
        if self.planes is None:
            return
        rounding = max(ROUNDING * (self._known.get("scale") or 1.0), self.goal.rounding(0.0))
        for row in table.dropna(subset="value").to_dict("records"):
            size = row["power_mw"], row["energy_mwh"]
            if min(size) <= 0.0 or self.goal.name == "irr":
                continue
            limit = self.goal.sign * float(
                self.planes.bound_at(self.goal.priced, np.array(size[0]), np.array(size[1]))
            )
            allowed = rounding + SITE_ROUNDING * abs(limit)
            require_within(limit, row["value"], self.goal.sign, allowed, *size)

    @property
    def operated(self) -> dict[str, float]:
        """The value of the best size by who operates it: "optimal", "rule", "forecast-driven"; NaN where none can.

        The optimum knows every price beforehand; the rule knows none, the forecast-driven plan is made anew each day
        on the day before (persistence). Both are what the same battery is worth without foresight. Worked out once,
        when first asked for; that runs the site through its horizon twice.
        """
        if "operated" not in self._known:
            self._known["operated"] = operated(self.goal, self.plan, nothing=self.power_mw <= 0.0)
        return dict(self._known["operated"])

    def plot(self, *, theme: str = "light") -> Figure:
        """The value over power and duration, with the optimum, the sizes tried and the certified region."""
        from bess_opt.plots.sizing import surface as plots_sizing

        return plots_sizing.surface_figure(self, theme=theme)

    def unit_of(self, values: pd.Series) -> Unit:
        """The unit in which `values` of the objective are drawn."""
        currency, score_unit = self.scenario.site.currency, str(self.plan.metrics.score_unit)
        return unit_of(self.objective, currency, values, score_unit)

    def _repr_html_(self) -> str:
        return key_figures.sizing_html(self)


def size(
    scenario: Scenario,
    power_mw: Range,
    duration_h: Range,
    objective: str = "npv",
    twin: Literal["optimal", "rule"] = "optimal",
    *,
    power_step_mw: float | None = None,
    energy_step_mwh: float | None = None,
    module: Sequence[float] | None = None,
    budget: float | None = None,
    energy_min_mwh: float | None = None,
    tolerance: float = 1e-3,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: ShowProgress = None,
) -> Sizing:
    """The best battery size for `scenario` under its strategy, with a proof where there can be one.

    `power_mw` and `duration_h` are a number or (least, most), MW and hours at rated power; a least of 0 is no
    battery. `power_step_mw` and `energy_step_mwh` allow multiples only; `module` = (MW, MWh) whole numbers of
    a block; `budget` is the most capital, in the site's currency; `energy_min_mwh` a least size.
    `objective`: "npv" (needs [finance]), "irr", "lcos", "net_revenue", "score" (of the strategy, its own sense), and
    "energy_efficiency" or "curtailment" (as ratios, Metrics), which need a budget or `energy_min_mwh`: alone the
    smallest or the largest battery wins. `tolerance` is the gap at which the proof may stop, a share of what the
    battery earns or costs, never of the site's whole bill; with steps it goes on until the best step is proven.
    `twin="rule"` sizes for the rule-based controller.
    A grid (where no proof is possible) runs on `executor`, any `concurrent.futures.Executor`, or on `workers`
    processes; the answer does not depend on it. `progress` is a callable that is told a `Progress` after each size,
    or whether a bar is drawn on stderr, by default on a terminal only. If it raises StopIteration the search ends
    with the best size so far, its plan and the bound proven so far; CancelledError where there is none yet.

    Raises `ScenarioError` for senseless ranges, `soc_end = "free"` (stored energy is no income), missing [finance],
    a horizon that is no year without `finance.horizons_per_year`; `StrategyError`, `SolveError` as `optimize`;
    `InfeasibleError` if no size of the range has a plan, no battery among them.
    """
    require_one_battery(scenario.batteries, "size")
    if objective in OBJECTIVES and OBJECTIVES[objective].needs_finance and scenario.finance is not None:
        scenario = counted_scenario(scenario)
    goal = goal_of(scenario, objective, twin)
    _check(scenario, tolerance, objective, budget, energy_min_mwh)
    sizes = region_of(
        power_mw, duration_h, scenario.finance, power_step_mw=power_step_mw, energy_step_mwh=energy_step_mwh,
        module=module, budget=budget, energy_min_mwh=energy_min_mwh,
    )  # fmt: skip
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
            found = _Searched(proven.plan, proven.table, _ended(told), proven)
            return _sizing(scenario, sizes, goal, found, tolerance)
        except NotConcaveError as error:
            why = str(error)
        except EmptyRangeError:
            if _may_be_nothing(sizes, goal):
                return _nothing(scenario, sizes, goal, proven=True)
            raise no_plan(scenario, sizes) from None
    notes = [Finding("no_bound", "objective", why, "a grid was searched; a better size may lie between", "warning")]
    try:
        best = search_grid(scenario, sizes, goal, executor=executor, workers=workers, told=told)
    except EmptyRangeError as error:
        if not _may_be_nothing(sizes, goal):
            raise no_size(str(error)) from None
        return _nothing(scenario, sizes, goal, *notes)
    return _sizing(scenario, sizes, goal, _Searched(best.plan, best.table, [*notes, *_ended(told)]), tolerance)


def _ended(told: Stretch) -> list[Finding]:
    """What to say where the search was ended before its end."""
    if not told.cancelled:
        return []
    expected = "this is the best size so far; run it again to the end for the best of all"
    return [Finding("cancelled", "progress", "the search was ended from outside", expected, "warning")]


def _check(
    scenario: Scenario, tolerance: float, objective: str, budget: float | None, energy_min_mwh: float | None
) -> None:
    problems = []
    if not 0.0 < tolerance < 1.0:
        problems.append(
            Finding(
                "wrong_value", "tolerance", f"found {show(tolerance)}", "give a share between 0 and 1, such as 1e-3"
            )
        )
    if scenario.battery.soc_end == "free":
        expected = 'state "at_least_start", "equal" or a number: a battery sold empty is no income'
        problems.append(Finding("free_end", "battery.soc_end", 'is "free", which sizing does not take', expected))
    if starts_outside(scenario.battery):
        found = f"{scenario.battery.soc_start_resolved:.4g} lies outside the technology's window"
        problems.append(
            Finding("outside_window", "battery.soc_start", found, "size with a start inside: no life begins so")
        )
    if OBJECTIVES[objective].wins and budget is None and energy_min_mwh is None:
        found = f"{objective!r} has no cost in it, so the {OBJECTIVES[objective].wins} battery of the range wins"
        expected = "give a budget or energy_min_mwh, or take npv, irr or lcos"
        problems.append(Finding("no_cost", "objective", found, expected))
    if problems:
        raise ScenarioError(problems)


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
    nothing = sizes.holds_nothing and not build and without is not None and goal.name != "irr"
    if not build and without is not None:
        notes.append(do_not_build(goal, value, without, power, energy, bound, rounding))
    if nothing and without is not None:
        power, energy, value = 0.0, 0.0, without
        plan = dispatch_without_battery(scenario)
    else:
        notes += ends(sizes, power, energy)
    if bound is not None and continuous is not None:
        other = value if nothing else goal.sign * -math.inf
        bound, continuous = (_farther(goal, limit, value, other, rounding) for limit in (bound, continuous))
    rated = proven is not None and not math.isnan(value)  # money that never comes back has no rate of return
    gap = goal.sign * (bound - value) / proven.scale if rated and proven and bound is not None else None
    if gap is not None and gap > tolerance:
        notes.append(gap_open(gap, tolerance))
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
    return sizes.holds_nothing and goal.name != "irr" and goal.without is not None


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


def _farther(goal: Goal, limit: float, value: float, nothing: float, rounding: float) -> float:
    """The limit over all sizes, no battery among them; where only rounding parts it from the value, the value."""
    limit = limit if goal.better(limit, nothing) else nothing
    return value if abs(limit - value) <= rounding else limit
