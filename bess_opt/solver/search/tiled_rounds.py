"""Price rounds of a program with choices everywhere: segments tile the horizon and are joined with their neighbours.

What is known of all segments at the same prices is kept, and of all ways to tile the horizon with them the one that
proves most is the bound: it never falls while segments grow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.one_way import Exact
from bess_opt.solver.search.price_rounds import LONGEST, MOST_NODES, NODES, NODES_MORE, OwnWays, Priced, PriceRounds
from bess_opt.solver.search.segment_plans import SegmentPlans
from bess_opt.solver.search.segments import Segment
from bess_opt.solver.search.side_by_side import side_by_side

ROUGH = 1e-4  # relative gap at which the rounds aim first
TILE = 24  # steps of a segment at first
CLOSED, STALLED = 0.98, 3  # rounds that leave more of the distance than this, one after another, end the search


class TiledRounds(PriceRounds):
    """Plan and bound of one program with choices, brought together round by round."""

    _priced_at: Array | None = None
    _further: Sequence[Segment] = ()

    def __init__(self, plans: SegmentPlans, x: Array, bound: float, begin: Exact | None) -> None:
        super().__init__(plans, x, bound)
        self._begin, self._aim = begin, max(self._aim, ROUGH * abs(bound))
        self._last_distance, self._stalled = np.inf, 0

    def _first(self) -> Exact | None:
        return self._begin

    def _about(self, plan: Exact) -> list[Segment]:
        """The tiles that there are, at first of `TILE` steps, whatever the plan."""
        del plan
        if self._segments:
            return self._segments
        steps = self._plans.steps
        edges = sorted({*(self._out_to_ends(step, step)[0] for step in range(0, steps, TILE)), steps})
        return [Segment(first, last, joined=first > 0) for first, last in pairwise(edges)]

    def _evaluate(self, best: Exact) -> None:
        """Bound all plans at the present prices, by the best way to tile the horizon."""
        asked = list(dict.fromkeys([*self._segments, *self._further]))
        allowance = self._aim / (4 * max(1, len(self._segments)))
        full = self._plans.with_ways(best.x)
        found = dict(zip(asked, side_by_side(lambda one: self._priced(one, full, allowance), asked), strict=True))
        self._known = self._still_known() | found
        self._priced_at, self._further = self._prices, ()
        self._segments = self._tightest()
        outside = self._plans.outside(self._prices, self._segments)
        self.bound = max(self.bound, outside + sum(self._known[one].bound for one in self._segments))

    def _still_known(self) -> dict[Segment, Priced]:
        """What is known of segments at the present prices."""
        if self._priced_at is self._prices:
            return self._known
        cutter = self._plans.cutter
        costs = ((one, cutter.cut(one, self._x, self._prices).priced.cost) for one in self._known)
        return {one: self._known[one] for one, cost in costs if np.array_equal(cost, self._known[one].cost)}

    def _tightest(self) -> list[Segment]:
        """Of the known segments those that tile the horizon with the highest bound."""
        steps = self._plans.steps
        most, last = np.full(steps + 1, -np.inf), dict[int, Segment]()
        most[0] = 0.0
        for segment in sorted(self._known, key=lambda one: (one.first, one.last)):
            bound = most[segment.first] + self._known[segment].bound
            if bound > most[segment.last]:
                most[segment.last], last[segment.last] = bound, segment
        tiles, at = list[Segment](), steps
        while at > 0:
            tiles.append(last[at])
            at = last[at].first
        return tiles[::-1]

    def _goes_on(self, short: Sequence[Segment]) -> bool:
        """Join the segments that are short of the bound with the one before and the one after, or branch further.

        Not where that has brought plan and bound no closer for some rounds: a search of the whole may.
        """
        self._stalled = self._stalled + 1 if self._distance > CLOSED * self._last_distance else 0
        self._last_distance = self._distance
        if self._stalled == STALLED:
            return False
        wider, place = list[Segment](), {segment: number for number, segment in enumerate(self._segments)}
        for segment in short:
            wider += [segment] if self._may_prove_more(segment) else self._joined(place[segment])
        self._further = list(dict.fromkeys(wider))
        return bool(wider)

    def _joined(self, place: int) -> list[Segment]:
        """The segment at `place` with the fewest of its neighbours that may prove more than is known of them."""
        for reach in range(1, LONGEST // TILE):
            wider = [self._from_to(place - before, place + reach - before) for before in range(reach + 1)]
            more = [one for one in wider if one is not None and self._may_prove_more(one)]
            if more:
                return more
        return []

    def _from_to(self, first: int, last: int) -> Segment | None:
        """The segments at `first` to `last` as one; None where there are none, or they are too long."""
        if first < 0 or last >= len(self._segments):
            return None
        one, two = self._segments[first], self._segments[last]
        return Segment(one.first, two.last, one.joined) if two.last - one.first <= LONGEST else None

    def _may_prove_more(self, segment: Segment) -> bool:
        """Whether the segment is not known, or may be given more branches; these it is given."""
        if segment not in self._known:
            return True
        nodes = self._nodes.get(segment, NODES)
        if not self._known[segment].limited or NODES_MORE * nodes > MOST_NODES:
            return False
        self._nodes[segment] = NODES_MORE * nodes
        return True

    def _proposals(self, short: Sequence[Segment]) -> Iterator[Mapping[Segment, OwnWays]]:
        """Ways within the ends of the segments, else within those of wider ones."""
        for segments in (short, self._widened(short)):
            if self.best is not None:
                yield self._better_inside(self.best, segments)

    def _widened(self, segments: Sequence[Segment]) -> list[Segment]:
        """Each segment with its neighbours, as far as those before it in the list have left them."""
        place = {segment: number for number, segment in enumerate(self._segments)}
        free, wide = np.ones(len(self._segments) + 1, dtype=bool), list[Segment]()
        free[-1] = False
        for segment in segments:
            own = place[segment]
            if not free[own]:
                continue
            first, last = own - int(free[own - 1]), own + int(free[own + 1])
            free[first : last + 1] = False
            joined = self._from_to(first, last)
            wide += [] if joined is None else [joined]
        return wide
