"""The best one-way plan of a program whose relaxation breaks the rule in few steps, proven at its own prices.

The relaxation mended is a plan, and mostly near the best one. At its prices of stored energy and of shared rows no
plan costs less than the best plans of the segments around the mended steps, and all else at its best side. Where a
segment has a plan that costs less, that one's ways are tried in the whole; where they do not help, the segment grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.one_way import Exact
from bess_opt.solver.search.segment_plans import LOOSE, Begin, SegmentPlans
from bess_opt.solver.search.segments import WIDEST, Segment, SegmentPrograms
from bess_opt.solver.search.side_by_side import side_by_side
from bess_opt.solver.solution import AT_LOWER, AT_UPPER, BASIC, InfeasibleProgramError, basis_at
from bess_opt.solver.warm_start import complete

AROUND = 24  # steps of a segment about a mended step at first
ROUNDS = 60  # after which the search by segments is asked
NODES, NODES_MORE, MOST_NODES = 40, 3, 4_000  # branches of a segment at first, how many times more each time, at most
CLOSER = 10.0  # by how much closer rounds aim that have met their aim
FEW = 8  # segments whose own plans may go together; of more, some do not
LONGEST = 240  # steps of a segment up to which it grows here

Spans = Iterable[tuple[int, int]]


@dataclass(frozen=True)
class OwnWays:
    """How a segment's plan goes: steps at which each flow stands still, and its choices with their values."""

    idle: Mapping[str, Array]
    columns: Array
    values: Array


@dataclass(frozen=True)
class Priced:
    """A segment at some prices: what none of its plans costs less than, and the one that costs that."""

    cost: Array
    bound: float
    ways: OwnWays
    above: float  # what the plan of the whole costs more in it
    nodes: int  # branches that it was given
    allowance: float  # distance from the best plan's bound that it was given
    limited: bool  # whether they ended the search


class PriceRounds:
    """Plan and bound of one program, brought together round by round: `best` and `bound`, minimised.

    `x` is the relaxed plan; `begin` are values of which those of the choices begin the search.
    """

    def __init__(self, plans: SegmentPlans, x: Array, bound: float, begin: Array | None = None) -> None:
        self.best: Exact | None = None
        self.bound = bound
        self._plans, self._x, self._begin = plans, x, x if begin is None else begin
        crossed = plans.cutter.crossed_beside_energy(WIDEST)
        self._ends = np.flatnonzero(~crossed)
        self._segments: list[Segment] = []
        self._known: dict[Segment, Priced] = {}
        self._nodes: dict[Segment, int] = {}
        self._fruitless: dict[Segment, int] = {}  # branches by which the best plan is no better, its ends held
        self._aim = plans.tolerance  # distance between plan and bound at which the rounds aim for the time being
        self._prices = self._column = self._row = np.zeros(0)

    @property
    def closes(self) -> bool:
        """Whether the plan is as near its bound as was asked for."""
        return self._distance <= self._plans.tolerance

    @property
    def _distance(self) -> float:
        return np.inf if self.best is None else self.best.solution.objective - self.bound

    @property
    def found(self) -> Exact | None:
        """The best plan, with the number of segments about it."""
        return None if self.best is None else replace(self.best, segments=len(self._segments))

    def run(self) -> None:
        """Go on until plan and bound meet, or no segment that is still short helps."""
        begin = self._whole(self._begin)
        self._take(self._plans.mended([self._plans.on_balance(self._x)], self.bound, 0, whole=begin, ties=False))
        for told in islice(self._plans.told.halves(), ROUNDS):
            if self.best is None:
                return
            self._evaluate(self.best)
            told.tell(0.0, best=-self.best.solution.objective, bound=-self.bound)
            if self.closes:
                return
            while self._distance <= self._aim:
                self._aim = max(self._aim / CLOSER, self._plans.tolerance)
            short = self._short_of_bound()
            tried = (self._try(self.best, ways) for ways in self._proposals(short))
            if not any(tried) and not self._goes_on(short):
                return

    def _proposals(self, short: Sequence[Segment]) -> Iterator[Mapping[Segment, OwnWays]]:
        """Ways of segments that may make a better plan: within their ends, else those that their prices ask for."""
        if self.best is not None:
            yield self._better_inside(self.best, short)
        if len(short) <= FEW:
            yield {segment: self._known[segment].ways for segment in short}

    def _goes_on(self, short: Sequence[Segment]) -> bool:
        """Give the segments that are short of the bound more room or more branches; whether there is more to give.

        Those that were not solved to their end go on; those that were know too little of what is around.
        """
        ended = {segment for segment in short if not self._known[segment].limited}
        for segment in short:
            self._nodes[segment] = NODES_MORE * self._nodes.get(segment, NODES)
        self._segments = self._wider(ended)
        longest = max(segment.last - segment.first for segment in self._segments)
        most = max(self._nodes.get(segment, NODES) for segment in self._segments)
        return bool(short) and longest <= LONGEST and most <= MOST_NODES

    def _take(self, plan: Exact | None) -> None:
        """Enter a better plan: its prices, its basis, and segments around all steps in which it closes a way."""
        if plan is None:
            return
        plans = self._plans
        self._enter(plan)
        new = plan.solution.row_dual
        if len(self._prices):  # what has changed by rounding alone keeps its price, and segments what is known
            least = LOOSE * float(np.abs(new).max(initial=0.0))
            new = np.where(np.abs(new - self._prices) <= least, self._prices, new)
        self._prices = new
        self._column, self._row = plans.statuses
        self._segments = self._about(plan)

    def _enter(self, plan: Exact) -> None:
        """Make a plan the best one, at the prices that there are."""
        last, self.best = self.best, plan
        self._fruitless = {s: nodes for s, nodes in self._fruitless.items() if self._is_as_before(s, last, plan)}

    def _about(self, plan: Exact) -> list[Segment]:
        """Segments around all steps in which the plan closes a way, beside those that there are."""
        plans = self._plans
        steps = np.unique(plans.program.place[plan.closed] // 2)
        covered = np.zeros(plans.steps, dtype=bool)
        for segment in self._segments:
            covered[segment.first : segment.last] = True
        spans = [(segment.first, segment.last) for segment in self._segments]
        for step in steps[~covered[steps]].tolist():
            spans.append(self._out_to_ends(step - AROUND // 2, step + 1 + AROUND // 2))
        return _laid_out(spans, 2 * AROUND)

    def _is_as_before(self, segment: Segment, last: Exact | None, plan: Exact) -> bool:
        """Whether the segment, its ends held, is the same in both plans."""
        cutter = self._plans.cutter
        if last is None or cutter.has_wide_rows:
            return False
        columns, _ = cutter.place_of(segment)
        columns = columns[columns < self._plans.program.columns]
        return bool(np.abs(plan.x[columns] - last.x[columns]).max() <= LOOSE * self._plans.scale_mw)

    def _out_to_ends(self, first: int, last: int) -> tuple[int, int]:
        """The span from the last instant up to `first` at which a segment may end to the first one from `last` on."""
        ends = self._ends
        before = int(np.searchsorted(ends, max(first, 0), side="right")) - 1
        after = int(np.searchsorted(ends, min(last, self._plans.steps)))
        return int(ends[before]), int(ends[after])

    def _evaluate(self, best: Exact) -> None:
        """Bound all plans at the present prices."""
        allowance = self._aim / (4 * max(1, len(self._segments)))
        full = self._plans.with_ways(best.x)
        found = side_by_side(lambda one: self._priced(one, full, allowance), self._segments)
        self._known = dict(zip(self._segments, found, strict=True))
        outside = self._plans.outside(self._prices, self._segments)
        self.bound = max(self.bound, outside + sum(one.bound for one in found))

    def _priced(self, segment: Segment, full: Array, allowance: float) -> Priced:
        """A segment's best plan at the prices, begun with the plan `full` of the whole and its basis."""
        plans = self._plans
        cut = plans.cutter.cut(segment, self._x, self._prices)
        here, known = full[cut.origin], self._known.get(segment)
        paid = float(cut.priced.cost @ here)
        nodes = self._nodes.get(segment, NODES)
        done = known is not None and (not known.limited or known.nodes >= nodes)
        if known is not None and np.array_equal(known.cost, cut.priced.cost):
            above = paid - known.bound
            if above <= allowance or (done and known.allowance <= allowance):
                return replace(known, above=above)
        ways = plans.ways(cut.origin, segment)
        begin = Begin(here, self._basis(segment, here), nodes)
        found = plans.solve_small(cut.priced, ways, allowance, begin)
        own = self._ways_of(cut, segment, found.x)
        above = paid - found.bound
        return Priced(cut.priced.cost, found.bound, own, above, nodes, allowance, limited=found.limited)

    def _ways_of(self, cut: SegmentPrograms, segment: Segment, x: Array) -> OwnWays:
        chosen = np.flatnonzero(np.isin(cut.origin, self._plans.choices))
        return OwnWays(self._plans.idle_in(cut, segment, x), cut.origin[chosen], x[chosen])

    def _basis(self, segment: Segment, here: Array) -> Any:
        """The part of the basis of the whole plan that is a segment's, with the ways of its plan `here`."""
        plans = self._plans
        columns, rows = plans.cutter.place_of(segment)
        column = np.where(here > 0.5, AT_UPPER, AT_LOWER)
        own = columns < plans.program.columns
        column[own] = self._column[columns[own]]
        row = np.full(len(rows), BASIC)
        own = rows < plans.program.rows
        row[own] = self._row[rows[own]]
        complete(column, row)
        return basis_at(column, row)

    def _short_of_bound(self) -> list[Segment]:
        """The segments in which the plan costs most above the bound, the worst first; the others leave little."""
        by_worst = sorted(self._segments, key=lambda segment: -self._known[segment].above)
        left = np.cumsum([self._known[segment].above for segment in reversed(by_worst)])[::-1]
        return [segment for segment, rest in zip(by_worst, left, strict=True) if rest > self._aim / 2]

    def _better_inside(self, best: Exact, segments: Sequence[Segment]) -> dict[Segment, OwnWays]:
        """Ways of better plans of `segments` whose ends are as in `best`, where there are any."""
        plans, full = self._plans, self._plans.with_ways(best.x)
        allowance = self._aim / (4 * max(1, len(segments)))

        def solved(segment: Segment) -> OwnWays | None:
            cut = plans.cutter.cut(segment, full, self._prices)
            here, nodes = full[cut.origin], self._nodes.get(segment, NODES)
            begin = Begin(here, None if cut.coupled else self._basis(segment, here), nodes)
            try:
                found = plans.solve_small(cut.held, plans.ways(cut.origin, segment), allowance, begin)
            except InfeasibleProgramError:
                return None  # by a hair: what is held is a plan
            better = float(cut.held.cost @ (here - found.x)) > allowance
            return self._ways_of(cut, segment, found.x) if better else None

        asked = [segment for segment in segments if self._fruitless.get(segment) != self._nodes.get(segment, NODES)]
        found = dict(zip(asked, side_by_side(solved, asked), strict=True))
        self._fruitless |= {segment: self._nodes.get(segment, NODES) for segment in asked if found[segment] is None}
        return {segment: own for segment, own in found.items() if own is not None}

    def _try(self, best: Exact, ways: Mapping[Segment, OwnWays]) -> bool:
        """Whether those ways of segments, and those of `best` elsewhere, make a better plan; then it is taken."""
        if not ways:
            return False
        plans, elsewhere = self._plans, np.ones(self._plans.steps, dtype=bool)
        for segment in ways:
            elsewhere[segment.first : segment.last] = False
        still = {}
        for pair in plans.pairs:
            for flow in (pair.first, pair.second):
                steps = best.closed - plans.program.variables[flow].first
                steps = steps[(steps >= 0) & (steps < plans.steps)]
                still[flow] = steps[elsewhere[steps]]
        whole = self._whole(best.x, ways.values())
        idle = [*(own.idle for own in ways.values()), still]
        plan = plans.mended(idle, self.bound, len(self._segments), whole=whole, ties=False)
        if plan is None or plan.solution.objective >= best.solution.objective:
            return False
        if plan.solution.objective > best.solution.objective - self._aim / 10.0:
            self._enter(plan)  # not worth other prices
            return False
        self._take(plan)
        return True

    def _whole(self, x: Array, ways: Iterable[OwnWays] = ()) -> Array | None:
        """Values of the choices: those of `ways`, elsewhere of the plan `x`; None where there are none."""
        choices = self._plans.choices
        if not len(choices):
            return None
        values = np.round(x[choices])
        for own in ways:
            values[np.searchsorted(choices, own.columns)] = np.round(own.values)
        return values

    def _wider(self, short: set[Segment]) -> list[Segment]:
        """Those in `short` at least half as wide again, at the cost of the others beside them."""
        grown = []
        for segment in self._segments:
            if segment in short:
                more = max((segment.last - segment.first) // 4, 1)
                grown.append(self._out_to_ends(segment.first - more, segment.last + more))
        most = max((last - first for first, last in grown), default=0)
        laid = _laid_out(grown, most)
        free = np.ones(self._plans.steps, dtype=bool)
        for segment in laid:
            free[segment.first : segment.last] = False
        spans = [(segment.first, segment.last) for segment in laid]
        for segment in self._segments:
            left = np.flatnonzero(free[segment.first : segment.last])
            if len(left):
                spans.append((segment.first + int(left[0]), segment.first + int(left[-1]) + 1))
        return _laid_out(spans, most)


def _laid_out(spans: Spans, most: int) -> list[Segment]:
    """Segments of the spans in order of time; those that overlap become one of at most `most` steps, else touch."""
    laid: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        begun = laid[-1] if laid else (-1, -1)
        if first >= begun[1]:
            laid.append((first, last))
        elif last - begun[0] <= most:
            laid[-1] = (begun[0], max(begun[1], last))
        elif last > begun[1]:
            laid.append((begun[1], last))
    ends = {last for _, last in laid}
    return [Segment(first, last, joined=first in ends) for first, last in laid]
