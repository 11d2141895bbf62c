"""The best plan in which each converter runs one way: binaries only where the relaxed plan is not one way.

The linear relaxation is solved first; most plans keep the rule by themselves. Where one does not, a segment
is cut around the place, up to steps where the stored energy rests at a bound. Two small problems are solved
per segment. In the first, energy may cross the segment's ends at the relaxation's own price for it: together
with the relaxation this bounds every possible plan. In the second, the ends stay as they are: this gives a
plan. Mostly they agree and the gap is zero; where they do not, the segments grow, at last to the whole horizon.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bess_opt.common.arrays import Array, dot
from bess_opt.common.errors import SolveError
from bess_opt.common.progress import UNTOLD, Stretch
from bess_opt.models.one_way import Pair
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import ONE_WAY_ROUNDING, Exact, in_order, proven, rounding_of, steps_not_one_way
from bess_opt.solver.program import Program
from bess_opt.solver.search.segments import (
    Cutter,
    Segment,
    SegmentPrograms,
    grown,
    held_instants,
    merged_segments,
    segment_around,
)
from bess_opt.solver.search.side_by_side import side_by_side
from bess_opt.solver.search.way_branches import MOST_CHOICES, WayBranches, Ways
from bess_opt.solver.solution import InfeasibleProgramError, LimitReachedError, Solution

TIE_CHOICES = 300  # yes-or-no choices of a segment up to which equal plans are told apart
PRICE_ROUNDS = 4  # how often prices of rows that segments share are brought up to date
LOOSE = 1e-9  # of the dearest: a price on a side that is not there, which is rounding
MENDS = 40  # how often a pattern is mended where time has ended; each round is one linear program
TIE_ROUNDING = 1e-9  # of the cost that breaks ties: plans that differ by less are told apart by nothing
TIE_NODES = 100  # branches spent on telling equal plans apart; counted, not timed, so that it repeats


@dataclass(frozen=True)
class Answer:
    """What a segment's two problems gave: rise of the bound, gap of its plan, and the plan `x` of the `programs`."""

    segment: Segment
    raised: float
    gap: float
    programs: SegmentPrograms | None
    x: Array


class OneWaySearch:
    """The exact plan of one program; `full` is it with binaries after its own rows and columns. `told` may end it."""

    def __init__(
        self,
        solver: Solver,
        full: Program,
        pairs: tuple[Pair, ...],
        ties: Sequence[Array],
        scale_mw: float,
        time_limit_s: float | None = None,
        told: Stretch = UNTOLD,
    ) -> None:
        self._told = told
        self.solver, self.full, self.pairs, self.ties = solver, full, pairs, ties
        self.program, self.scale_mw = solver.program, scale_mw
        self.steps = len(full.variables[pairs[0].binary].positions)
        self.deadline = None if time_limit_s is None else time.perf_counter() + time_limit_s
        self._later = in_order(ties)
        self._tried = False
        self._early: Exact | None = None
        self._cutter = Cutter(full, self.steps)
        self._share = self._cutter.has_long_rows
        binaries = [full.variables[pair.binary] for pair in pairs]
        self._small_options = solver.options.model_copy(update={"rel_gap": 0.0, "time_limit_s": None})
        self._only_ways = int(full.integer.sum()) == sum(len(block.positions) for block in binaries)

    def run(self, relaxed: Solution, x: Array) -> Exact:
        """The exact plan, from the relaxation's solution and its tie-broken values `x`.

        Raises `InfeasibleProgramError` if no plan keeps the one-way rule.
        """
        self._relaxed, self._x = relaxed, x
        ends = self._cutter.ends_allowed(self._resting())
        separable = self._cutter.separable(ends)
        segments = merged_segments([segment_around(int(t), ends) for t in self._not_one_way(x)], separable)
        solved: dict[Segment, Answer] = {}
        answers: list[Answer] = []
        bound, rounds = relaxed.objective, self._told.halves()
        try:
            while True:
                told = next(rounds)
                told.tell(0.0, bound=-bound, best=None if self._early is None else -self._early.solution.objective)
                allowance = self._tolerance() / (2 * len(segments))
                fresh_ones = [segment for segment in segments if segment not in solved]
                solved |= self._solve_segments(fresh_ones, allowance / 4, told)
                answers = [solved[segment] for segment in segments]
                bound = max(bound, relaxed.objective + sum(a.raised for a in answers))
                early = self._early_plan(bound, answers)
                if early is not None:
                    return early
                open_ones = [w for w in segments if not solved[w].gap <= allowance]
                short = sum(a.gap for a in answers) > self._tolerance() / 2
                if short and open_ones and open_ones != [Segment(0, self.steps)]:
                    wider = [grown(w, ends) if w in open_ones else w for w in segments]
                    segments = merged_segments(wider, separable)
                    continue
                best = self._with_pattern(self._idle(answers), bound, len(answers))
                fresh = self._not_one_way(best.x)
                if not len(fresh):
                    if self._closes(best) or segments == [Segment(0, self.steps)]:
                        return self._proven(best)
                    if self._share:
                        best = self._at_shared_prices(best, segments, allowance / 4)
                        bound = max(bound, best.bound)
                        if self._closes(best):
                            return best
                        self._share, solved = False, {}
                    else:
                        segments = merged_segments([grown(segment, ends) for segment in segments], separable)
                    continue
                around = [segment_around(int(t), ends) for t in fresh]
                segments = merged_segments([*segments, *around], separable)
        except LimitReachedError:
            return self._within_limit(bound, answers)

    def _early_plan(self, bound: float, answers: list[Answer]) -> Exact | None:
        """The relaxation mended, where it is as near its bound as was asked for, which segments may have raised.

        Of calls of market products alone: few of their steps go both ways, and what is mended is near the best plan,
        while plans of segments break the rule beside them.
        """
        if not all(pair.of_call for pair in self.pairs):
            return None
        if not self._tried:
            self._tried, self._early = True, self._mended([self._on_balance(self._x)], bound, len(answers))
        if self._early is None or self._early.solution.objective - bound > self._tolerance():
            return None
        least = proven(bound, self._early.solution.objective, self.program, self.scale_mw)
        return replace(self._early, bound=least, segments=len(answers))

    def _at_shared_prices(self, best: Exact, segments: list[Segment], allowance: float) -> Exact:
        """`best` or a better plan, its bound from prices of the rows that segments share.

        Prices of the relaxation do not know what the segments do to each other; those of a plan do. The segments'
        best plans at these are a next plan, with next prices.
        """
        row_dual, bound = best.solution.row_dual, best.bound
        for _ in range(PRICE_ROUNDS):
            least, idle = self._bound_at(row_dual, segments, allowance)
            bound = max(bound, least)
            best = replace(best, bound=proven(bound, best.solution.objective, self.program, self.scale_mw))
            if self._closes(best):
                break
            try:
                plan = self._with_pattern(idle, bound, len(segments))
            except InfeasibleProgramError:
                break
            row_dual = plan.solution.row_dual
            if plan.solution.objective < best.solution.objective and not len(self._not_one_way(plan.x)):
                best = plan
        return best

    def _bound_at(
        self, row_dual: Array, segments: list[Segment], allowance: float
    ) -> tuple[float, list[dict[str, Array]]]:
        """(what the objective of no plan is below, idle flows of the segments) at prices `row_dual` of all rows.

        By weak duality: each segment's best plan at these prices, and each other row and column at its best side.
        """
        program, total = self.program, self.program.offset
        row, column = np.array(row_dual), program.cost - program.priced(row_dual)
        cuts = [self._cutter.cut(segment, self._x, row_dual) for segment in segments]
        asked = [(cut.priced, self._ways(cut.origin, segment)) for cut, segment in zip(cuts, segments, strict=True)]
        found = side_by_side(lambda one: self._solve_small(*one, allowance), asked)
        total += sum(plan.bound for plan in found)
        idle = [self._idle_in(*each) for each in zip(cuts, segments, (plan.x for plan in found), strict=True)]
        for segment in segments:
            _, columns, rows = self._cutter.slice(segment)
            column[columns[columns < program.columns]] = row[rows[rows < program.rows]] = 0.0
        least = LOOSE * float(np.abs(program.cost).max(initial=0.0))
        for price, low, high in (
            (row, program.row_lower, program.row_upper),
            (column, program.lower, program.upper),
        ):
            side = np.where(price > 0.0, low, high)
            there = np.isfinite(side)
            if np.abs(price[~there]).max(initial=0.0) > least:
                return -np.inf, idle
            total += dot(price[there], side[there])
        return total, idle

    def _proven(self, plan: Exact) -> Exact:
        """The plan, if its distance from the bound is what was asked for."""
        if not self._closes(plan):
            distance = plan.solution.objective - plan.bound
            raise SolveError(
                f"the plan is proven only to {distance:.3g} of its objective; state a larger solver.rel_gap"
            )
        return plan

    def _closes(self, plan: Exact) -> bool:
        return plan.solution.objective - plan.bound <= 10.0 * self._tolerance()

    def _not_one_way(self, x: Array) -> Array:
        return steps_not_one_way(self.program, x, self.pairs, self.scale_mw)

    def _tolerance(self) -> float:
        """Distance from the bound that is allowed, in units of the objective."""
        turnover = dot(np.abs(self.program.cost), np.abs(self._x))
        relative = self.solver.options.rel_gap * max(abs(self._relaxed.objective), 1e-6 * turnover)
        return max(relative, rounding_of(self.program, self.scale_mw))

    def _left_s(self) -> float | None:
        if self._told.cancelled:
            raise LimitReachedError("the search for a one-way plan was ended from outside")
        if self.deadline is None:
            return None
        left = self.deadline - time.perf_counter()
        if left <= 0:
            raise LimitReachedError("the time limit ended the search for an one-way plan")
        return left

    def _within_limit(self, bound: float, answers: list[Answer]) -> Exact:
        """Out of time: the last plans of all segments, else steps' ways on balance, with what is proven."""
        self.deadline, self._told = None, UNTOLD
        plans = [
            self._idle_in(answer.programs, answer.segment, answer.x)
            for answer in answers
            if answer.programs is not None
        ]
        complete = [plans] if plans and len(plans) == len(answers) else []
        for idle in (*complete, [self._on_balance(self._x)], [self._on_balance(self._x, at_least=-np.inf)]):
            plan = self._mended(idle, bound, len(answers))
            if plan is not None:
                best = plan if self._early is None else min(plan, self._early, key=lambda p: p.solution.objective)
                least = proven(bound, best.solution.objective, self.program, self.scale_mw)
                return replace(best, bound=least, limited=True)
        raise LimitReachedError(
            "the time limit ended the search before any plan was found in which each converter runs one way; "
            "raise solver.time_limit_s"
        )

    def _mended(self, idle: list[dict[str, Array]], bound: float, segments: int) -> Exact | None:
        """The plan of a pattern; where that is not one way, steps keep their way on balance, again and again."""
        for _ in range(MENDS):
            try:
                plan = self._with_pattern(idle, bound, segments)
            except InfeasibleProgramError:
                return None
            if not len(self._not_one_way(plan.x)):
                return plan
            idle = [*idle, self._on_balance(plan.x)]
        return None

    def _on_balance(self, x: Array, at_least: float = ONE_WAY_ROUNDING) -> dict[str, Array]:
        """Steps at which each flow stands still if those that go both ways in `x`, by a share, keep their balance."""
        idle = {}
        for pair in self.pairs:
            first, second = (x[self.program.variables[n].slice] for n in (pair.first, pair.second))
            both = np.minimum(first, second) > at_least * self.scale_mw
            idle[pair.first] = np.flatnonzero(both & (first < second))
            idle[pair.second] = np.flatnonzero(both & (first >= second))
        return idle

    def _resting(self) -> Array:
        return np.flatnonzero(held_instants(self.program, self._x, self._relaxed.row_dual, self.steps, self.scale_mw))

    def _solve_segments(self, segments: list[Segment], allowance: float, told: Stretch) -> dict[Segment, Answer]:
        """The segments' answers, found side by side."""
        answers = side_by_side(partial(self._solve_segment, allowance=allowance), segments, told)
        return dict(zip(segments, answers, strict=True))

    def _idle(self, answers: list[Answer]) -> list[dict[str, Array]]:
        """Steps at which each flow stands still in the segments' plans, once equal plans are told apart."""
        return side_by_side(self._idle_flows, answers)

    def _solve_segment(self, segment: Segment, allowance: float) -> Answer:
        """Bound and plan of one segment; a plan that does not exist leaves the gap infinite."""
        programs = self._cutter.cut(segment, self._x, self._relaxed.row_dual, share=self._share)
        here = np.append(self._x, np.zeros(self.full.columns - len(self._x)))[programs.origin]
        ways = self._ways(programs.origin, segment)
        priced = self._solve_small(programs.priced, ways, allowance)
        raised = max(0.0, priced.bound - float(programs.priced.cost @ here))
        x = priced.x
        rests = np.allclose(x[programs.ends], programs.end_values, rtol=0.0, atol=1e-7 * self.scale_mw)
        if not rests or (programs.coupled and not programs.held.holds(x, 1e-9 * self.scale_mw)):
            try:
                x = self._solve_small(programs.held, ways, allowance).x
            except InfeasibleProgramError:
                if segment == Segment(0, self.steps):
                    raise
                return Answer(segment, raised, np.inf, None, x)
        paid = float(programs.held.cost @ (x - here))
        return Answer(segment, raised, paid - raised, programs, x)

    def _break_ties(self, programs: SegmentPrograms, ways: Ways, x: Array) -> Array:
        """Among the segment's plans that cost no more than `x`: the later objectives, then the tie-break.

        A segment with many choices keeps the plan that it has: the solver finds the same one every time.
        """
        held, cost = programs.held, programs.held.cost
        if int(held.integer.sum()) > TIE_CHOICES:
            return x
        price = float(np.median(np.abs(cost[cost != 0.0]))) if cost.any() else 1.0
        carries = np.flatnonzero(cost)
        if len(carries):
            row = (carries, cost[carries] / price, -np.inf, float(cost @ x) / price)
            held = held.with_rows([row])
        later = np.append(self._later, np.zeros(self.full.columns - len(self._later)))[programs.origin]
        held = replace(held, cost=later)
        try:
            found = self._branched(held, ways, TIE_ROUNDING * abs(float(later @ x)), x)
            if found is None:
                small = Solver(held, self._small_options, scale_mw=self.scale_mw)
                small.limit_nodes(TIE_NODES)
                small.start_from(x)
                found = small.solve(time_limit_s=self._left_s())
        except (InfeasibleProgramError, LimitReachedError):
            return x  # the ceiling on the cost may be a hair below what is reachable
        return found.x

    def _idle_flows(self, answer: Answer) -> dict[str, Array]:
        """Steps at which each flow of a converter stands still in the segment's plan."""
        if answer.programs is None:
            return {}
        ways = self._ways(answer.programs.origin, answer.segment)
        x = self._break_ties(answer.programs, ways, answer.x)
        return self._idle_in(answer.programs, answer.segment, x)

    def _ways(self, origin: Array, segment: Segment) -> Ways:
        """The columns of the segment's converters in its program, whose columns in the full one are `origin`."""
        steps = np.arange(segment.first, segment.last)

        def columns(names: list[str]) -> Array:
            return np.searchsorted(origin, np.concatenate([self.full.variables[n].first + steps for n in names]))

        pairs = self.pairs
        return Ways(
            columns([p.first for p in pairs]), columns([p.second for p in pairs]), columns([p.binary for p in pairs])
        )

    def _idle_in(self, programs: SegmentPrograms, segment: Segment, x: Array) -> dict[str, Array]:
        """Steps of the segment at which each flow stands still in its plan `x`."""
        new = np.full(self.full.columns, -1)
        new[programs.origin] = np.arange(len(programs.origin))
        steps = np.arange(segment.first, segment.last)
        idle = {}
        for pair in self.pairs:
            first, second = (x[new[self.full.variables[n].first + steps]] for n in (pair.first, pair.second))
            rounding = ONE_WAY_ROUNDING * self.scale_mw
            idle[pair.first] = steps[(first <= rounding) | (first < second)]
            idle[pair.second] = steps[(second <= rounding) | (second <= first)]
        return idle

    def _branched(self, program: Program, ways: Ways, allowance: float, begin: Array | None) -> Solution | None:
        """The best plan by branches; None where the program is not one for them."""
        if not self._only_ways or len(ways.binary) > MOST_CHOICES:
            return None
        search = WayBranches(program, ways, self._small_options, self.scale_mw, self._left_s)
        return search.run(allowance, begin)

    def _solve_small(self, program: Program, ways: Ways, allowance: float) -> Solution:
        branched = self._branched(program, ways, allowance, None)
        if branched is not None:
            return branched
        small = Solver(program, self._small_options, scale_mw=self.scale_mw)
        small.allow_gap(allowance)
        if len(ways.binary) <= MOST_CHOICES:
            small.expect_little(hard=self._only_ways)  # branches have been tried in vain
        small.follow(self._told)
        found = small.solve(time_limit_s=self._left_s())
        if found.limited:
            raise LimitReachedError("the time limit ended the search for an one-way plan")
        return found

    def _with_pattern(self, idle: list[dict[str, Array]], bound: float, segments: int) -> Exact:
        """Solve the whole program with the flows that are idle in the segments held at zero, then break ties."""
        program = self.program
        closed = [program.variables[name].first + steps for still in idle for name, steps in still.items()]
        columns = np.concatenate(closed).astype(np.int64)
        kept, nothing = program.upper[columns].copy(), np.zeros(len(columns))
        self.solver.set_bounds(columns, nothing, nothing)
        try:
            solution = self.solver.solve()
            x = self.solver.prefer(solution, self.ties)
        finally:
            self.solver.set_bounds(columns, nothing, kept)
        best = proven(bound, solution.objective, program, self.scale_mw)
        return Exact(x, solution, best, segments, limited=False, closed=columns)
