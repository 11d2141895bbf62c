"""From the relaxation to exact plans: the search over one set of batteries, branched where flows run at once.

The relaxed plan of the best choice may let a converter run in and out at once, where prices are negative. Either of
the two flows is zero in every plan that keeps the one-way rule: a search with the one held at zero and a search with
the other hold all such plans between them. The bound is the highest of those that are left open.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from itertools import count

from bess_opt.common.progress import Stretch
from bess_opt.investment.joint.hands import Hands
from bess_opt.investment.joint.planes import JointPlanes
from bess_opt.investment.joint.region import JointRegion
from bess_opt.investment.joint.search import Made, Search, Years
from bess_opt.investment.sizing.planes import EmptyRangeError

MOST_PLANS = 6  # choices planned exactly where the first one's plan leaves the bound open
MOST_WORK = 200_000  # steps of all programs that are solved for branches, before an open gap stays open
EACH = 500  # steps that building a program counts for
STAGES = ((0.9, False), (0.2, False), (0.2, True))  # share of the tolerance to close, and with one-way cuts anyhow


@dataclass(frozen=True)
class Found:
    """What the search over one set of batteries found: the best exact plan, and what no choice is worth more than.

    `scale` is what a gap is a share of, `rounding` a difference of values that means nothing. `open` are the limits
    of the branches, the highest of which is the bound.
    """

    best: Made | None
    value: float
    bound: float
    scale: float
    rounding: float
    rows: list[dict[str, object]]
    calls: int
    seconds: float
    open: tuple[JointPlanes, ...]


def search(
    years: Years,
    region: JointRegion,
    hands: Hands,
    tolerance: float,
    told: Stretch,
    *,
    tight: bool,
    nothing: float = -math.inf,
) -> Found:
    """The finished search over one set of batteries; `nothing` is the value of no battery where that is a choice.

    Raises as `Search.run`.
    """
    root = Search(years, region, hands, told)
    tree = _Tree(root, tolerance, nothing)
    try:
        for share, tightly in STAGES:
            root.run(share * tolerance, tight=tight or tightly, enough=tree.enough)
            root.plan_best()
            if tree.is_closed:
                return tree.found()
        root.plan_best(MOST_PLANS)
        if not tree.is_near_nothing:
            tree.branch()
    except EmptyRangeError:
        if root.best is None:
            raise
    finally:
        root.let_go()
    return tree.found()


class _Tree:
    """The searches that are left open, the one with the highest bound first."""

    def __init__(self, root: Search, tolerance: float, nothing: float) -> None:
        self._root, self._tolerance, self._nothing = root, tolerance, nothing
        self._left: list[tuple[float, int, Search]] = []
        self._shut: list[tuple[float, Search]] = []
        self._numbers = count()
        self._calls, self._seconds, self._branched = 0, 0.0, False

    @property
    def value(self) -> float:
        """The value of the best exact plan."""
        best = self._root.best
        return -math.inf if best is None else self._root.value_made(best)

    @property
    def bound(self) -> float:
        """What no choice of these batteries is worth more than."""
        if not self._branched:
            return _bound_of(self._root, self.value)
        known = [bound for bound, _ in self._shut] + [-bound for bound, _, _ in self._left]
        return max([*known, self.value])

    @property
    def enough(self) -> float:
        """A bound that asks for no more work: near the best plan, or no more than no battery brings."""
        return max(self.value + self._tolerance * self._root.scale, self._nothing)

    @property
    def is_near_nothing(self) -> bool:
        """Whether no battery is best, and no choice better by more than the tolerance of a large one's money."""
        return (
            self.value <= self._nothing and self.bound <= self._nothing + self._tolerance * self._root.largest_scale
        )

    @property
    def is_closed(self) -> bool:
        """Whether value and bound are within the tolerance."""
        return self.bound <= self.enough

    def branch(self) -> None:
        """Branch the search with the highest bound until the tolerance holds, or the work is spent."""
        years = self._root.years.scenarios
        steps = EACH + sum(len(scenario.series) for scenario in years) / len(years)
        self._push(self._root, self.bound)
        self._branched = True
        while self._left and not self.is_closed and self._calls * steps < MOST_WORK:
            bound, _, node = heapq.heappop(self._left)
            branches = node.branches()
            if not branches:
                self._shut.append((-bound, node))
                node.plan_best()
                continue
            for branch in branches:
                self._settle(branch, -bound)

    def _settle(self, branch: Search, above: float) -> None:
        """Close a branch as far as it helps; plan its best choice exactly where that keeps the one-way rule."""
        try:
            branch.run(0.2 * self._tolerance, tight=True, enough=self.enough)
            if not branch.breaks:
                branch.plan_best()
            self._push(branch, min(branch.bound, above))
        except EmptyRangeError:
            pass  # no plan of these sizes has that flow at zero
        self._calls, self._seconds = self._calls + branch.calls, self._seconds + branch.seconds

    def _push(self, node: Search, bound: float) -> None:
        heapq.heappush(self._left, (-bound, next(self._numbers), node))

    def found(self) -> Found:
        """What is known now."""
        root = self._root
        nodes = [node for _, node in self._shut] + [node for _, _, node in sorted(self._left)]
        return Found(
            best=root.best,
            value=self.value,
            bound=self.bound,
            scale=root.scale,
            rounding=root.rounding,
            rows=root.rows,
            calls=root.calls + self._calls,
            seconds=root.seconds + self._seconds,
            open=tuple(node.planes for node in nodes) if self._branched else (root.planes,),
        )


def _bound_of(node: Search, value: float) -> float:
    """The bound of a search; `value` where rounding leaves no choice."""
    try:
        return node.bound
    except EmptyRangeError:
        return value
