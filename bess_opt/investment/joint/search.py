"""The proof of the best sizes of several batteries over several years: cuts from solved choices until they close."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.errors import InfeasibleError
from bess_opt.common.progress import UNTOLD, Stretch
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.joint.grid import site_of
from bess_opt.investment.joint.hands import Hands
from bess_opt.investment.joint.planes import JointPlanes
from bess_opt.investment.joint.program import Answer, Both, Question, Read, answer, let_go
from bess_opt.investment.joint.region import JointRegion, totals
from bess_opt.investment.joint.sites import Sizes
from bess_opt.investment.lifetime.cash_flow import Weights
from bess_opt.investment.sizing.faces import AS_ONE, NoneFoundError, NotConcaveError
from bess_opt.investment.sizing.grid import planned
from bess_opt.investment.sizing.objectives import SITE_ROUNDING, Goal
from bess_opt.investment.sizing.planes import require_within
from bess_opt.investment.sizing.sized_program import SUMMED

MOST_ROUNDS = 400
USUAL_ROUNDS = 10  # after which half of the way is said to be done
INWARD = 1e-6  # of the way to a choice with a plan: so far inside of the limits' edge one surely has one


Figures = tuple[float, float, dict[str, float]]  # net revenue, score and ledger of a plan


@dataclass(frozen=True)
class Years:
    """The years whose mean counts: one scenario and goal each, alike in all but their series.

    `weights` price the mean revenue of a horizon over all of them.
    """

    scenarios: tuple[Scenario, ...]
    goals: tuple[Goal, ...]

    @property
    def weights(self) -> Weights:
        """What prices the mean revenue: of all years alike, but for what each earns without a battery."""
        own = [goal.priced for goal in self.goals]
        return replace(own[0], fixed=float(np.mean([one.fixed for one in own])))

    @property
    def sign(self) -> float:
        """+1 where more is better."""
        return self.goals[0].sign

    @property
    def cash(self) -> bool:
        """Whether the objective is about money."""
        return self.goals[0].name != "score"

    def maximised(self, figures: Figures) -> float:
        """What a plan brings of what is maximised."""
        revenue, score, _ = figures
        return revenue if self.cash else self.sign * score

    @property
    def without(self) -> float | None:
        """The mean value without a battery; None where a year needs one."""
        each = [goal.without for goal in self.goals]
        known = [one for one in each if one is not None]
        return float(np.mean(known)) if len(known) == len(each) else None

    def scale(self, revenue: float, least: float, sizes: Sizes) -> float:
        """What a gap is a share of: the present value of what the batteries earn, or of what they cost if more."""
        idle = [goal.idle_revenue for goal in self.goals]
        base = least if any(one is None for one in idle) else float(np.mean([one or 0.0 for one in idle]))
        weights, (power, energy) = self.weights, totals(sizes)
        cost = weights.per_mw * power + weights.per_mwh * energy
        return max(weights.revenue * abs(revenue - base), cost, self.rounding(revenue))

    def rounding(self, revenue: float) -> float:
        """Differences of the value that a program of this revenue cannot tell from nought."""
        return max(SITE_ROUNDING * abs(self.weights.revenue * revenue), 1e-9)


@dataclass(frozen=True)
class Made:
    """A choice planned exactly: the plan of the first year, and of each year what counts and the ledger."""

    sizes: Sizes
    plan: Dispatch
    revenues: tuple[float, ...]
    ledgers: tuple[dict[str, float], ...]


def exact_plan(scenario: Scenario) -> Dispatch | None:
    """The exact plan of a choice; None where it has none. What a worker runs."""
    try:
        return planned(scenario, "optimal")
    except InfeasibleError:
        return None


def figures_of(scenario: Scenario) -> Figures | None:
    """(net revenue, score, ledger) of the exact plan of a choice; None where it has none. What a worker runs."""
    plan = exact_plan(scenario)
    return None if plan is None else (plan.metrics.net_revenue, plan.metrics.score, dict(plan.ledger))


Closed = tuple[tuple[int, ...], ...]  # of each year the columns whose flow is held at zero


class Search:
    """The rounds over the choices of one set of batteries; values are those that are maximised.

    `closed`: flows held at zero, each of which leaves the bound that of the plans in which it is zero.
    """

    def __init__(self, years: Years, region: JointRegion, hands: Hands, told: Stretch = UNTOLD) -> None:
        self.years, self.region, self._hands, self._told = years, region, hands, told
        self.closed: Closed = tuple(() for _ in years.scenarios)
        self.planes = JointPlanes(region, len(years.scenarios))
        self._keys = [scenario.digest() for scenario in years.scenarios]
        self._basis: list[bytes | None] = [None] * len(years.scenarios)
        self._read: Read = tuple(() for _ in region.names)
        self._first: Sizes = ()
        self._tight = False
        self._solved: dict[Sizes, float] = {}  # mean revenue of what was solved and may be bought
        self._looked_at: set[Sizes] = set()
        self._none: set[Sizes] = set()
        self._both: dict[Sizes, tuple[Both | None, ...]] = {}
        self._lowest = math.inf
        self._made: dict[Sizes, Made | None] = {}
        self.rows: list[dict[str, object]] = []
        self.calls, self.seconds = 0, 0.0

    # ---- rounds

    def run(self, target: float, *, tight: bool, enough: float = -math.inf) -> None:
        """Rounds until the bound is within `target` of the best value, both of the relaxation, or at most `enough`.

        NotConcaveError where the argument does not hold; EmptyRangeError where no choice has a plan.
        """
        if not self._first or tight != self._tight:
            self._start(tight)
        for _ in range(MOST_ROUNDS):
            highest = self.planes.highest(self.years.weights)
            if highest.bound <= enough or (self._solved and self._is_closed(highest.bound, target)):
                return
            at = self._inner(self.region.batteries(highest.sizes))
            if at in self._looked_at:
                return
            self._look(at)

    def _start(self, tight: bool) -> None:
        self.let_go()
        self._first, self._tight = self._first or self.region.batteries(self.region.middle()), tight
        self._basis, self._lowest = [None] * len(self._keys), math.inf
        self._solved, self._none, self._looked_at = {}, set(), set()
        self._read = tuple(() for _ in self.region.names)
        self._look(self._first)
        for _ in range(MOST_ROUNDS):
            if all(self.planes.cuts):
                return
            at = self.region.batteries(self.planes.inside())
            if at in self._looked_at:
                break
            self._look(at)
        raise NoneFoundError

    def _inner(self, at: Sizes) -> Sizes:
        """The choice itself, or where it has no plan by a hair, one a little further in."""
        if at not in self._none or not self._solved or self.region.stepped:
            return at
        inner = next(iter(self._solved))
        return tuple((p + INWARD * (q - p), e + INWARD * (f - e)) for (p, e), (q, f) in zip(at, inner, strict=True))

    def _look(self, sizes: Sizes) -> None:
        """Solve a choice in every year and take its cuts, or what rules it out."""
        self._looked_at.add(sizes)
        done = len(self._looked_at)
        self._told.step(done / (done + USUAL_ROUNDS))
        questions = [
            Question(
                scenario, key, self.region.names, self._first, self.years.cash, self._tight, basis or None, sizes,
                self._read, closed,
            )
            for scenario, key, basis, closed in zip(
                self.years.scenarios, self._keys, self._basis, self.closed, strict=True
            )
        ]  # fmt: skip
        answers = self._hands.all(answer, questions)
        for year, found in enumerate(answers):
            if found.why:
                raise NotConcaveError(found.why)
            self.calls, self.seconds = self.calls + found.calls, self.seconds + found.seconds
            self._basis[year] = found.basis or None
            if found.short is not None:
                self.planes.short.append(found.short)
        self._read = _together([found.read for found in answers])
        if any(found.cut is None for found in answers):
            self._none.add(sizes)
            return
        for cuts, found in zip(self.planes.cuts, answers, strict=True):
            if found.cut is not None:
                cuts.append(found.cut)
        revenue = float(np.mean([found.revenue for found in answers]))
        self._require_below(answers, sizes)
        self._lowest = min(self._lowest, revenue)
        if self.region.contains(self.region.bought(sizes)):
            self._solved[sizes], self._both[sizes] = revenue, tuple(found.both for found in answers)
        self.rows.append(self.row(sizes, self.value_of(revenue, sizes), exact=False))

    def _require_below(self, answers: Sequence[Answer], sizes: Sizes) -> None:
        """Every year's revenue lies below the cuts of all choices. NotConcaveError where the argument fails."""
        for cuts, found in zip(self.planes.cuts, answers, strict=True):
            for cut in cuts:
                moved = max(abs(plane.at_origin) for planes in cut.parts for plane in planes)
                largest = max(abs(found.revenue), abs(cut.at), moved)
                slack = AS_ONE * abs(found.revenue - cut.at) + SUMMED * largest
                if found.revenue > cut.of(sizes) + slack:
                    raise NotConcaveError("the revenue is not concave in the sizes")

    def _is_closed(self, bound: float, target: float) -> bool:
        best = self._best_solved()
        return bound - self.value_of(self._solved[best], best) <= target * self.scale

    def _best_solved(self) -> Sizes:
        return max(self._solved, key=lambda sizes: self.value_of(self._solved[sizes], sizes))

    @property
    def scale(self) -> float:
        """What a gap is a share of: what the best choice earns, or costs."""
        if not self._solved:
            return 1.0
        best = self._best_solved()
        return self.years.scale(self._solved[best], self._lowest, best)

    @property
    def largest_scale(self) -> float:
        """The same of that of the choices solved of which it is the most."""
        each = [self.years.scale(revenue, self._lowest, sizes) for sizes, revenue in self._solved.items()]
        return max(each, default=1.0)

    @property
    def rounding(self) -> float:
        """Differences of the value that mean nothing."""
        largest = max((abs(revenue) for revenue in self._solved.values()), default=0.0)
        return max(1e-9 * self.scale, self.years.rounding(largest))

    def value_of(self, revenue: float, sizes: Sizes) -> float:
        """The maximised value of a mean revenue."""
        return self.years.weights.npv(revenue, *totals(sizes))

    @property
    def bound(self) -> float:
        """What no choice of these batteries is worth more than."""
        return self.planes.highest(self.years.weights).bound

    def let_go(self) -> None:
        """Forget the programs."""
        let_go(set(self._keys))

    # ---- branches

    def branches(self) -> list[Search]:
        """The two searches in which one of two flows is zero that the best choice's plan lets run at once.

        Between them they hold every plan that keeps the one-way rule. Empty where the plan lets no two run at once.
        """
        if not self.breaks:
            return []
        (first, second, _), year = max(self.breaks, key=lambda one: (one[0][2], -one[1]))
        return [self._branch(year, column) for column in (first, second)]

    @property
    def breaks(self) -> list[tuple[Both, int]]:
        """Flows that the plans of the best choice let run at once, with the year; none where nothing was solved."""
        known = self._both[self._best_solved()] if self._solved else ()
        return [(both, year) for year, both in enumerate(known) if both is not None]

    def _branch(self, year: int, column: int) -> Search:
        """A search with one flow more held at zero; what limits this one limits it, and plans are known to both."""
        other = copy(self)
        closed = list(self.closed)
        closed[year] = (*closed[year], column)
        other.closed = tuple(closed)
        other.planes = self.planes.copy()
        other._basis, other._none = list(self._basis), set(self._none)
        other._solved, other._both, other._looked_at = {}, {}, set(self._none)
        other.calls, other.seconds = 0, 0.0
        other._look(self._best_solved())
        return other

    # ---- exact plans

    def plan_best(self, number: int = 1) -> Made | None:
        """Plan the most promising choices exactly, `number` of them at most; the best one, None where none has one.

        NotConcaveError if a score is not what was maximised. AuditError for a value beyond the bound.
        """
        order = sorted(self._solved, key=lambda sizes: -self.value_of(self._solved[sizes], sizes))
        planned_now = 0
        for sizes in order:
            best = self.best
            if best is not None and planned_now >= number:
                break
            choice = self.region.bought(sizes)
            if choice in self._made or not any(power for power, _ in choice):
                continue
            if best is not None and self.value_of(self._solved[sizes], sizes) <= self.value_made(best):
                break
            self._made[choice] = self._plan(choice)
            planned_now += 1
        return self.best

    @property
    def best(self) -> Made | None:
        """The best of the exact plans."""
        made = [one for one in self._made.values() if one is not None]
        return max(made, key=self.value_made, default=None)

    def value_made(self, made: Made) -> float:
        """The maximised value of an exact plan."""
        return self.value_of(float(np.mean(made.revenues)), made.sizes)

    def _plan(self, sizes: Sizes) -> Made | None:
        if not self.region.contains(sizes):
            return None
        scenarios = [site_of(one, self.region, sizes) for one in self.years.scenarios]
        plan = exact_plan(scenarios[0])
        if plan is None:
            return None
        first = plan.metrics.net_revenue, plan.metrics.score, dict(plan.ledger)
        figures = [first, *self._hands.all(figures_of, scenarios[1:])]
        known = [one for one in figures if one is not None]
        if len(known) < len(figures):
            return None
        revenues = [self.years.maximised(one) for one in known]
        if not self.years.cash and plan.report is not None:
            aim = plan.report.objective
            if abs(aim - revenues[0]) > 1e-6 * max(abs(aim), 1.0):
                raise NotConcaveError("the strategy's score is not all that its dispatch maximises")
        made = Made(sizes, plan, tuple(revenues), tuple(ledger for _, _, ledger in known))
        value = self.value_made(made)
        if not any(self.closed):
            require_within(self.bound, value, 1.0, self.rounding + 1e-9 * abs(value), *totals(sizes))
        self.rows.append(self.row(sizes, value, exact=True))
        return made

    def row(self, sizes: Sizes, value: float, *, exact: bool) -> dict[str, object]:
        """A row of the table."""
        row: dict[str, object] = {}
        for name, (power, energy) in zip(self.region.names, sizes, strict=True):
            before = f"{name}." if name else ""
            duration = energy / power if power > 0.0 else 0.0
            row |= {f"{before}power_mw": power, f"{before}duration_h": duration, f"{before}energy_mwh": energy}
        return row | {"value": self.years.sign * value, "exact": exact}


def _together(reads: Sequence[Read]) -> Read:
    """The faces that all years have read, each once, in the order of the years."""
    return tuple(
        tuple(dict.fromkeys(one for own in of_battery for one in own)) for of_battery in zip(*reads, strict=True)
    )
