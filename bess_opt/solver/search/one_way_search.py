"""The best plan in which each converter runs one way: binaries only where the relaxed plan is not one way.

The linear relaxation is solved first; most plans keep the rule by themselves. Where one does not, a segment
is cut around the place, up to steps where the stored energy rests at a bound. Two small problems are solved
per segment. In the first, energy may cross the segment's ends at the relaxation's own price for it: together
with the relaxation this bounds every possible plan. In the second, the ends stay as they are: this gives a
plan. Mostly they agree and the gap is zero; where they do not, the segments grow, at last to the whole horizon.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import SolveError
from bess_opt.common.progress import UNTOLD, Stretch
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import Exact, in_order, proven
from bess_opt.solver.search.price_rounds import PriceRounds
from bess_opt.solver.search.segment_plans import Begin, SegmentPlans
from bess_opt.solver.search.segments import (
    Segment,
    SegmentPrograms,
    grown,
    held_instants,
    merged_segments,
    segment_around,
)
from bess_opt.solver.search.side_by_side import side_by_side
from bess_opt.solver.search.way_branches import Ways
from bess_opt.solver.solution import InfeasibleProgramError, LimitReachedError, Solution

TIE_CHOICES = 300  # yes-or-no choices of a segment up to which equal plans are told apart
PRICE_ROUNDS = 4  # how often prices of rows that segments share are brought up to date
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


class OneWaySearch(SegmentPlans):
    """The exact plan of one program; `full` is it with binaries after its own rows and columns. `told` may end it."""

    def run(self, relaxed: Solution, x: Array) -> Exact:
        """The exact plan, from the relaxation's solution and its tie-broken values `x`.

        Raises `InfeasibleProgramError` if no plan keeps the one-way rule.
        """
        self.begin(relaxed, x)
        self._bound, self._later = relaxed.objective, in_order(self.ties)
        self._early: Exact | None = None
        self._share = self.cutter.has_long_rows
        try:
            if any(pair.of_call for pair in self.pairs):
                self._by_prices()
                if self._early is not None and self._is_near(self._early):
                    return self._finished(self._early)
        except LimitReachedError:
            return self._within_limit(self._bound, [])
        return self._by_segments(relaxed)

    def _by_prices(self) -> None:
        """Plan and bound by prices of the plan: of calls of market products, of whose steps few go both ways."""
        rounds = PriceRounds(self, self._x, self._bound)
        try:
            rounds.run()
        finally:
            self._early, self._bound = rounds.found, rounds.bound

    def _is_near(self, plan: Exact) -> bool:
        return plan.solution.objective - self._bound <= self.tolerance

    def _finished(self, plan: Exact) -> Exact:
        """The plan with equal ones told apart, and its bound."""
        tied = self.with_closed(plan.closed, self._bound, plan.segments)
        x = plan.x if len(self.not_one_way(tied.x)) else tied.x
        return replace(tied, x=x)

    def _by_segments(self, relaxed: Solution) -> Exact:
        """Plan and bound by segments around the steps that go both ways, which grow until they meet."""
        ends = self.cutter.ends_allowed(self._resting())
        separable = self.cutter.separable(ends)
        segments = merged_segments([segment_around(int(t), ends) for t in self.not_one_way(self._x)], separable)
        solved: dict[Segment, Answer] = {}
        answers: list[Answer] = []
        bound, rounds = self._bound, self.told.halves()
        try:
            while True:
                told = next(rounds)
                told.tell(0.0, bound=-bound, best=None if self._early is None else -self._early.solution.objective)
                allowance = self.tolerance / (2 * len(segments))
                fresh_ones = [segment for segment in segments if segment not in solved]
                solved |= self._solve_segments(fresh_ones, allowance / 4, told)
                answers = [solved[segment] for segment in segments]
                bound = max(bound, relaxed.objective + sum(a.raised for a in answers))
                self._bound = max(self._bound, bound)
                if self._early is not None and self._is_near(self._early):
                    return self._finished(self._early)
                open_ones = [w for w in segments if not solved[w].gap <= allowance]
                short = sum(a.gap for a in answers) > self.tolerance / 2
                if short and open_ones and open_ones != [Segment(0, self.steps)]:
                    wider = [grown(w, ends) if w in open_ones else w for w in segments]
                    segments = merged_segments(wider, separable)
                    continue
                best = self.with_pattern(self._idle(answers), bound, len(answers))
                fresh = self.not_one_way(best.x)
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
                plan = self.with_pattern(idle, bound, len(segments))
            except InfeasibleProgramError:
                break
            row_dual = plan.solution.row_dual
            if plan.solution.objective < best.solution.objective and not len(self.not_one_way(plan.x)):
                best = plan
        return best

    def _bound_at(
        self, row_dual: Array, segments: list[Segment], allowance: float
    ) -> tuple[float, list[dict[str, Array]]]:
        """(what the objective of no plan is below, idle flows of the segments) at prices `row_dual` of all rows.

        By weak duality: each segment's best plan at these prices, and each other row and column at its best side.
        """
        cuts = [self.cutter.cut(segment, self._x, row_dual) for segment in segments]
        asked = [(cut.priced, self.ways(cut.origin, segment)) for cut, segment in zip(cuts, segments, strict=True)]
        found = side_by_side(lambda one: self.solve_small(*one, allowance), asked)
        idle = [self.idle_in(*each) for each in zip(cuts, segments, (plan.x for plan in found), strict=True)]
        return self.outside(row_dual, segments) + sum(plan.bound for plan in found), idle

    def _proven(self, plan: Exact) -> Exact:
        """The plan, if its distance from the bound is what was asked for."""
        if not self._closes(plan):
            distance = plan.solution.objective - plan.bound
            raise SolveError(
                f"the plan is proven only to {distance:.3g} of its objective; state a larger solver.rel_gap"
            )
        return plan

    def _closes(self, plan: Exact) -> bool:
        return plan.solution.objective - plan.bound <= 10.0 * self.tolerance

    def _within_limit(self, bound: float, answers: list[Answer]) -> Exact:
        """Out of time: the last plans of all segments, else steps' ways on balance, with what is proven."""
        self.deadline, self.told = None, UNTOLD
        plans = [
            self.idle_in(answer.programs, answer.segment, answer.x)
            for answer in answers
            if answer.programs is not None
        ]
        complete = [plans] if plans and len(plans) == len(answers) else []
        for idle in (*complete, [self.on_balance(self._x)], [self.on_balance(self._x, at_least=-np.inf)]):
            plan = self.mended(idle, bound, len(answers))
            if plan is not None:
                best = plan if self._early is None else min(plan, self._early, key=lambda p: p.solution.objective)
                least = proven(bound, best.solution.objective, self.program, self.scale_mw)
                return replace(best, bound=least, limited=True)
        raise LimitReachedError(
            "the time limit ended the search before any plan was found in which each converter runs one way; "
            "raise solver.time_limit_s"
        )

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
        programs = self.cutter.cut(segment, self._x, self._relaxed.row_dual, share=self._share)
        here = np.append(self._x, np.zeros(self.full.columns - len(self._x)))[programs.origin]
        ways = self.ways(programs.origin, segment)
        priced = self.solve_small(programs.priced, ways, allowance)
        raised = max(0.0, priced.bound - float(programs.priced.cost @ here))
        x = priced.x
        rests = np.allclose(x[programs.ends], programs.end_values, rtol=0.0, atol=1e-7 * self.scale_mw)
        if not rests or (programs.coupled and not programs.held.holds(x, 1e-9 * self.scale_mw)):
            try:
                x = self.solve_small(programs.held, ways, allowance).x
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
            found = self.branched(held, ways, TIE_ROUNDING * abs(float(later @ x)), Begin(x))
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
        ways = self.ways(answer.programs.origin, answer.segment)
        x = self._break_ties(answer.programs, ways, answer.x)
        return self.idle_in(answer.programs, answer.segment, x)
