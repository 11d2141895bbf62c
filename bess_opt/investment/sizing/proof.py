"""Planes over the sizes: the best size, and a bound on every other one.

Each round solves the size at which the bound is highest, and its planes lower the bound there. It ends when the
best value found and the bound are within the tolerance; with steps, when the best step itself is proven.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence

import pandas as pd
from scipy.optimize import brentq

from bess_opt.common.errors import CancelledError, ScenarioError
from bess_opt.common.progress import UNTOLD, Stretch
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.cash_flow import Weights
from bess_opt.investment.sizing.exact.plans import ExactPlans, or_worst
from bess_opt.investment.sizing.exact.whole_bids import WholeBids, takes_whole_bids
from bess_opt.investment.sizing.faces import NotConcaveError
from bess_opt.investment.sizing.notes import out_of_time
from bess_opt.investment.sizing.objectives import Goal
from bess_opt.investment.sizing.planes import EmptyRangeError, Planes, SolvedSize, require_within
from bess_opt.investment.sizing.recursed import RecursedPlanes, Way, solver_of_sizes
from bess_opt.investment.sizing.region import Region
from bess_opt.investment.sizing.result import Proven
from bess_opt.investment.sizing.sized_program import NoPlanError, SizedProgram
from bess_opt.investment.sizing.warm_program import needs_one_way_cuts
from bess_opt.plant.from_scenario import plants_kept
from bess_opt.solver.engines import EngineRefusedError

MOST_ROUNDS = 60
CHEAP_CALLS, CHEAP_STEPS = 10, 10_000  # a short horizon's proof goes on to the very corner for so many solves
CORNER = 1e-7  # share of the scale at which the best size is that corner
RATES = (-0.5, 10.0)  # internal rates of return among which the bound is looked for where none is known
LOWEST_RATE, HIGHEST_RATE = -0.99, 1e9
AGREE = 1e-6  # share of the objective by which a score may differ from it in rounding
BEYOND = 1e-3  # of a size: how much larger those are whose slopes say what one more adds
INWARD = 1e-6  # of the way to a size with a plan: so far inside of the limits' edge a size surely has one
PLAN_SHARE = 0.1  # of the tolerance: how far an exact plan may be from its own bound
PLANNING = 0.9  # share of a proof that is done when the bound is closed and the exact plan begins
MORE_PLANS = 6  # sizes planned exactly where the first one's plan leaves the bound open


def prove(scenario: Scenario, sizes: Region, goal: Goal, tolerance: float, told: Stretch = UNTOLD) -> Proven:
    """Find the best size of a concave value. NotConcaveError as `SizedProgram`; EmptyRangeError if none has a plan.

    Where prices are negative a plan may waste energy by running in and out at once: there the one-way cuts stand.
    AuditError if any size solved or planned is worth more than the bound says. Ended by whom `told` tells, it gives
    the best so far with the bound so far; CancelledError where no size was solved yet.
    """
    search = _Search(scenario, sizes, goal, tolerance, told)
    with plants_kept():
        plain: Way = "tight" if needs_one_way_cuts(scenario) else "plain"
        if search.plans.whole:
            if not _within(search, ((0.9, plain),), tolerance):
                search.plan_whole_bids(tolerance)
        elif not _proves(search, plain, tolerance):
            search.plan_more(tolerance)
        if not told.cancelled:
            search.look_beyond()
    return search.proven()


def _proves(search: _Search, plain: Way, tolerance: float) -> bool:
    """`_within` by the recursion, or where it refuses by HiGHS, at last with the cuts of the one-way rule."""
    try:
        return _within(search, ((0.9, "recursion"), (0.2, "recursion"), (0.2, "tight")), tolerance)
    except EngineRefusedError:
        return _within(search, ((0.9, plain), (0.2, plain), (0.2, "tight")), tolerance)


def _within(search: _Search, ways: Sequence[tuple[float, Way]], tolerance: float) -> bool:
    """Whether one of the ways, in order, brings an exact plan within the tolerance of the bound, or nobody waits on.

    Each goes on with what the earlier ones found, until the bound is within so much of the tolerance.
    """
    for share, way in ways:
        search.run(share * tolerance, way)
        search.plan_best()
        if search.gap <= tolerance or search.cancelled:
            return True
    return False


class _Search:
    """The rounds of one proof; values and bounds in the objective's unit."""

    def __init__(self, scenario: Scenario, sizes: Region, goal: Goal, tolerance: float, told: Stretch) -> None:
        self._scenario, self._sizes, self._goal = scenario, sizes, goal
        self._tolerance, self._told = tolerance, told
        self._first_gap: float | None = None
        self._planes = Planes(sizes)
        self._way: Way | None = None
        self._program: SizedProgram | RecursedPlanes | None = None
        self._seconds = {"first solve": 0.0, "proof": 0.0}
        self._earlier, self._tried = 0, set[tuple[float, float]]()
        self._solved: list[SolvedSize] = []  # by the present program
        self._none: list[tuple[float, float]] = []  # sizes without a plan
        self._best: SolvedSize | None = None
        self.plans = ExactPlans(scenario, goal, whole=takes_whole_bids(scenario))
        self._bound_of_whole_bids: float | None = None
        self._rows: list[dict[str, object]] = []
        self.best_value = -math.inf * goal.sign

    # ---- rounds

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for more."""
        return self._told.cancelled

    def run(self, target: float, way: Way) -> None:
        """Rounds until the bound is within `target` of the best value (with steps: closed).

        Raises `EngineRefusedError` where the sizes cannot be solved in this way.
        """
        began = time.perf_counter()
        try:
            if self._way != way:
                self._start(way)
                began += self._program.cold_s if self._program else 0.0
            elif self._best is not None:
                self._look(self._next())
            for _ in range(MOST_ROUNDS):
                following = self._next()
                if self._closed(target) or following in self._tried or self._told.cancelled:
                    break
                self._look(following)
        finally:
            self._seconds["proof"] += time.perf_counter() - began

    def _start(self, way: Way) -> None:
        """A program, solved at the best size so far or in the middle of the range, or of what is left of it."""
        at = (self._best.power_mw, self._best.energy_mwh) if self._best else self._sizes.middle()
        if self._program is not None:
            self._earlier += self._program.calls
        cash = self._goal.name != "score"
        self._program, self._way = solver_of_sizes(way, self._scenario, self._sizes, at, cash=cash), way
        self._seconds["first solve"] += self._program.cold_s
        self._best, self.best_value = None, -math.inf * self._goal.sign  # a tighter program has lower values
        self._tried, self._solved = set(), []
        self._look(at)
        for _ in range(MOST_ROUNDS):
            if self._best is not None:
                return
            if self._told.cancelled:
                raise CancelledError("cancelled before a size was found that meets the limits")
            left = self._left()
            if left in self._tried:  # below the smallest battery, as rounding leaves it
                raise EmptyRangeError("no size of the range has a plan")
            self._look(left)
            self._told.tell(0.0)
        raise NotConcaveError("some sizes of the range meet no limits, and none was found that does")

    def _left(self) -> tuple[float, float]:
        """A size in the middle of what may have a plan. EmptyRangeError where nothing is left."""
        left = self._planes.region
        if not len(left.corners()):
            raise EmptyRangeError("no size of the range has a plan")
        try:
            return left.middle()
        except ScenarioError:
            raise EmptyRangeError("no size on the steps has a plan") from None

    def _look(self, at: tuple[float, float]) -> None:
        """Solve a size and take its planes, or, where it has no plan, what that rules out."""
        if self._program is None or at in self._tried:
            return
        self._tried.add(at)
        try:
            size = self._program.solved(*at)
        except NoPlanError as error:
            self._planes.rule_out(error.ruled_out)
            self._none.append(at)
            self._rows.append(self._row(*at, math.nan, math.nan, exact=False))
            return
        self._solved.append(size)
        self._planes.add((*size.planes, *size.others))
        value = self._value(size)
        self._rows.append(self._row(size.power_mw, size.energy_mwh, value, size.revenue, exact=False))
        if self._best is None or math.isnan(self.best_value) or self._goal.better(value, self.best_value):
            self._best, self.best_value = size, value

    def look_beyond(self) -> None:
        """Take the planes of sizes a little larger than the best: what one more adds is a slope on that side."""
        battery = self.plans.best.scenario.battery
        if self._program is None:
            return
        for more in ((1.0 + BEYOND, 1.0), (1.0, 1.0 + BEYOND)):
            with contextlib.suppress(NoPlanError, EngineRefusedError):
                larger = self._program.solved(battery.power_mw * more[0], battery.energy_mwh * more[1])
                self._planes.add((*larger.planes, *larger.others))

    def _value(self, size: SolvedSize) -> float:
        return self._goal.of_revenue(size.revenue, size.power_mw, size.energy_mwh)

    def _weights(self) -> Weights:
        """What the planes are priced with; of a rate of return, at the best rate so far."""
        if not self._goal.kind.rate:
            return self._goal.priced
        return self._goal.weights_at(self._known_rate())

    def _known_rate(self) -> float:
        """The best rate of return so far, or one that is low."""
        return RATES[0] if math.isnan(self.best_value) else max(self.best_value, LOWEST_RATE)

    def _next(self) -> tuple[float, float]:
        """Where the bound is highest; of no battery the smallest one stands for it.

        Where that size was found to have no plan, by a hair, a size a little further in stands for it.
        """
        best = self._planes.best(self._weights(), stepped=True)
        at = self._sizes.battery(best.power_mw, best.energy_mwh)
        if self._sizes.stepped or not self._solved or not any(_near(at, one) for one in self._none):
            return at
        inner = self._solved[0]
        return at[0] + INWARD * (inner.power_mw - at[0]), at[1] + INWARD * (inner.energy_mwh - at[1])

    def _closed(self, target: float) -> bool:
        bound = self.bound(stepped=True)
        gap = self._gap_of(self.best_value, bound)
        self._tell(bound, gap, target)
        if self._sizes.stepped:
            return gap <= CORNER
        calls = self._earlier + (self._program.calls if self._program else 0)
        corner = calls < CHEAP_CALLS and len(self._scenario.series) <= CHEAP_STEPS
        return gap <= (min(target, CORNER) if corner else target)

    # ---- bounds

    @property
    def scale(self) -> float:
        """What a gap is a share of: what the best battery earns, or costs."""
        best = self._best
        if best is None:
            return 1.0
        least = min(size.revenue for size in self._solved)
        return self._goal.scale(best.revenue, least, best.power_mw, best.energy_mwh)

    @property
    def rounding(self) -> float:
        """Differences of the value that mean nothing."""
        return max(1e-9 * self.scale, self._goal.rounding(self._best.revenue if self._best else 0.0))

    def bound(self, *, stepped: bool) -> float:
        """The proven limit of the value."""
        if not self._goal.kind.rate:
            return self._goal.sign * self._planes.best(self._weights(), stepped=stepped).bound
        return self._rate_bound(stepped=stepped)

    def _rate_bound(self, *, stepped: bool) -> float:
        """The lowest rate at which no size can have a present value above nought."""

        def most(rate: float) -> float:
            return self._planes.best(self._goal.weights_at(rate), stepped=stepped).bound

        low = self._known_rate()
        high = max(RATES[1], 2.0 * low)
        if most(low) <= 0.0:
            return low
        while most(high) > 0.0:
            low, high = high, 10.0 * high
            if high > HIGHEST_RATE:
                raise NotConcaveError("the first payment may pay for a size at once, and no rate of return says that")
        return float(brentq(most, low, high, xtol=1e-9))

    def _gap_of(self, value: float, bound: float) -> float:
        """Distance of a value from the bound, as a share of the scale."""
        return self._goal.sign * (bound - (RATES[0] if math.isnan(value) else value)) / self.scale

    def _tell(self, bound: float, gap: float, target: float) -> None:
        """How far the gap has closed, in orders of magnitude; the exact plan comes after."""
        first = self._first_gap = self._first_gap or gap
        share = 1.0 if gap <= target else math.log(first / gap) / math.log(first / target) if gap < first else 0.0
        self._told.tell(PLANNING * share, best=None if math.isnan(self.best_value) else self.best_value, bound=bound)

    @property
    def gap(self) -> float:
        """Distance of the best exact plan's value from the bound, as a share of the scale."""
        return self._gap_of(self._goal.value(self.plans.best), self.bound(stepped=True))

    # ---- exact plans

    def plan_best(self) -> None:
        """Plan the best size exactly. NotConcaveError if a score is not what was maximised."""
        if self._best is None:
            raise NotConcaveError("no size was solved")
        sign = self._goal.sign
        for size in sorted(self._solved, key=lambda size: -sign * or_worst(self._value(size), sign)):
            plan = self._plan((size.power_mw, size.energy_mwh))
            if plan is not None:
                break
        else:
            raise self.plans.late or NotConcaveError("no size that was solved has a plan that keeps the one-way rule")
        if self._goal.name == "score" and plan.report is not None:
            aim = self._goal.sign * plan.report.objective
            if abs(aim - plan.metrics.score) > AGREE * max(abs(aim), 1.0):
                raise NotConcaveError("the strategy's score is not all that its dispatch maximises")

    def plan_more(self, tolerance: float) -> None:
        """Plan further sizes exactly, the most promising first, while one may be better by more than `tolerance`."""
        order = sorted(self._solved, key=lambda size: -self._goal.sign * self._value(size))
        for size in order[: MORE_PLANS + 1]:
            best = self._goal.value(self.plans.best)
            if self._goal.sign * (self._value(size) - best) > tolerance * self.scale:
                self._plan((size.power_mw, size.energy_mwh))

    def plan_whole_bids(self, tolerance: float) -> None:
        """Look among sizes for the one whose whole bids are worth most."""
        search = WholeBids(
            self._scenario, self._sizes, self._goal, self._planes, self.plans, self._look, self._plan,
            tolerance * self.scale, self._told,
        )  # fmt: skip
        self._bound_of_whole_bids = search.run()

    def _plan(self, at: tuple[float, float]) -> Dispatch | None:
        """The plan of a size, exact in the one-way rule; None where it has none."""
        return self.plans.at(at, self._plan_gap())

    def _plan_gap(self) -> float:
        """The relative gap of a plan, whose objective holds the site's whole bill, that does not blur the battery."""
        stated = self._scenario.solver.rel_gap
        if self._goal.kind.rate or self._best is None:
            return stated
        bill = abs(self._goal.priced.revenue * self._best.revenue)
        return PLAN_SHARE * self._tolerance * self.scale / bill if bill > 0.0 else stated

    def proven(self) -> Proven:
        """The result, the exact plans' values in its table. AuditError if the proof contradicts itself."""
        plan, weights, goal = self.plans.best, self._weights(), self._goal
        battery = plan.scenario.battery
        for size, made in self.plans.made.items():
            self._rows.append(self._row(*size, goal.value(made), made.metrics.net_revenue, exact=True))
        bound = self._require_bound()
        slopes = self._planes.slopes_at(weights, battery.power_mw, battery.energy_mwh, self.rounding)
        marginal = {"power_mw": goal.sign * slopes[0], "energy_mwh": goal.sign * slopes[1]}
        return Proven(
            power_mw=battery.power_mw,
            energy_mwh=battery.energy_mwh,
            plan=plan,
            bound=bound,
            bound_continuous=self.bound(stepped=False),
            scale=self.scale,
            rounding=self.rounding,
            table=pd.DataFrame(self._rows),
            marginal_value=None if self.plans.whole else marginal,  # a further bid may just fit, and adds at once
            calls=self._earlier + (self._program.calls if self._program else 0),
            seconds=self._seconds | {"exact plan": self.plans.seconds},
            planes=self._planes,
            whole_bids=self.plans.whole,
            notes=[out_of_time(len(self.plans.made))] if self.plans.cut_short else [],
        )

    def _require_bound(self) -> float:
        """The bound; AuditError unless every value of the last program and every exact plan lies within it."""
        over_planes, whole = self.bound(stepped=True), self._bound_of_whole_bids
        bound = over_planes if whole is None or self._goal.better(whole, over_planes) else whole
        relaxed = [(over_planes, size.power_mw, size.energy_mwh, self._value(size)) for size in self._solved]
        exact = [(bound, *size, self._goal.value(plan)) for size, plan in self.plans.made.items()]
        for limit, power, energy, value in relaxed + exact:
            require_within(limit, value, self._goal.sign, self.rounding, power, energy)
        return bound

    def _row(self, power: float, energy: float, value: float, revenue: float, *, exact: bool) -> dict[str, object]:
        return {
            "power_mw": power,
            "duration_h": energy / power,
            "energy_mwh": energy,
            "value": value,
            "objective_revenue": revenue,
            "exact": exact,
        }


def _near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(a - b) <= INWARD * max(a, b) for a, b in zip(one, other, strict=True))
