"""The best plan of a short program in which each converter runs one way, by branching on single steps.

The linear program is solved first. Where a converter takes and gives at once in its plan, every plan that keeps the
rule either takes or gives there: two programs hold all of them between them, each solved from the basis of the one
before. For some dozen steps that takes a fraction of what a mixed-integer solver spends before its first branch.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array, dot
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program
from bess_opt.solver.search.whole_numbers import WholeNumbers
from bess_opt.solver.solution import InfeasibleProgramError, Solution

MOST_NODES = 300  # linear programs, before a mixed-integer solver is asked: cuts then are worth their time
MOST_CHOICES = 300  # yes-or-no choices above which it is asked at once
IDLE = 1e-9  # of the plant's size: less than this is no flow


@dataclass(frozen=True)
class Ways:
    """Columns of flows that exclude each other, and of the binaries that are 1 where the first one may flow.

    `weight`: what both ways at once are worth beside those of other converters. `choices` are the columns of further
    whole numbers.
    """

    first: np.ndarray
    second: np.ndarray
    binary: np.ndarray
    weight: np.ndarray | float = 1.0
    choices: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(order=True)
class _Node:
    """Plans with the whole numbers within `lower` and `upper`, none of which costs less than `bound`."""

    bound: float
    number: int
    lower: Array = field(compare=False)
    upper: Array = field(compare=False)


class WayBranches:
    """The search in one `program`, whose integers are all in `ways`; `basis` is where it begins."""

    def __init__(
        self,
        program: Program,
        ways: Ways,
        options: SolverOptions,
        scale_mw: float,
        left_s: Callable[[], float | None],
        basis: Any = None,
    ) -> None:
        self._program, self._ways, self._scale_mw, self._left_s = program, ways, scale_mw, left_s
        self._whole = np.concatenate([ways.binary, ways.choices])
        self._choices = WholeNumbers(program, ways.choices)
        linear = program.relaxed()
        self._solver = Solver(linear, options, scale_mw=scale_mw)
        self._solver.expect_repeats()
        self._solver.expect_little()
        if basis is not None:
            self._solver.set_basis(basis)
        uppers = (program.upper[flow] for flow in (ways.first, ways.second))
        self._limits = [np.clip(np.where(np.isfinite(u), u, scale_mw), IDLE * scale_mw, None) for u in uppers]

    def run(self, allowance: float, begin: Array | None = None, nodes_left: int | None = None) -> Solution | None:
        """The plan of least cost to within `allowance`, with its bound; None where that takes too many branches.

        `begin` is a plan to be better than. With `nodes_left`, after so many branches it is the best plan so far,
        if there is one, `limited`, with the bound that the open branches leave. Raises `InfeasibleProgramError` where
        there is no plan.
        """
        best, value, bound = begin, math.inf, math.inf
        if begin is not None:
            value = dot(self._program.cost, begin) + self._program.offset
        numbers, nodes = count(1), 0
        open_nodes = [_Node(-math.inf, 0, self._program.lower[self._whole], self._program.upper[self._whole])]
        following: _Node | None = None
        while following is not None or open_nodes:
            node, following = following or heapq.heappop(open_nodes), None
            if node.bound >= value - allowance:
                bound = min(bound, node.bound)
                continue
            if nodes == (MOST_NODES if nodes_left is None else nodes_left):
                if nodes_left is None or best is None:
                    return None
                bound = min(bound, node.bound, *(one.bound for one in open_nodes))
                return self._solution(best, value, bound, limited=True)
            nodes += 1
            found = self._solved(node)
            if found is None:
                continue
            least = max(found.objective, node.bound)
            if least >= value - allowance:
                bound = min(bound, least)
                continue
            branch = self._branch(found.x)
            if branch is None:
                best, value, bound = self._rounded(found.x), found.objective, min(bound, least)
                continue
            following, other = self._branches(node, least, *branch, next(numbers))
            heapq.heappush(open_nodes, other)
        if best is None:
            raise InfeasibleProgramError("no schedule meets all limits")
        return self._solution(best, value, bound, limited=False)

    def _solution(self, best: Array, value: float, bound: float, *, limited: bool) -> Solution:
        none = np.zeros(0)
        return Solution(best, value, min(bound, value), none, none, self._solver.seconds, 0, limited)

    def _solved(self, node: _Node) -> Solution | None:
        """The best plan of a node, each binary between its two ways; None if there is none."""
        self._solver.set_bounds(self._whole, node.lower, node.upper)
        try:
            return self._solver.solve(time_limit_s=self._left_s(), duals=False)
        except InfeasibleProgramError:
            return None

    def _branch(self, x: Array) -> tuple[int, float, bool] | None:
        """(whole number to branch on, its lower value, whether the one above goes first): where most is missed."""
        first, second = x[self._ways.first], x[self._ways.second]
        both = self._ways.weight * np.minimum(first / self._limits[0], second / self._limits[1])
        both[np.minimum(first, second) <= IDLE * self._scale_mw] = 0.0
        below, part = self._choices.nearest(x)
        missed = np.append(both, np.minimum(part, 1.0 - part))
        place = int(np.argmax(missed))
        if missed[place] <= 0.0:
            return None
        if place < len(both):
            return place, 0.0, bool(first[place] > second[place])
        choice = place - len(both)
        return place, float(below[choice]), bool(part[choice] >= 0.5)

    def _branches(
        self, node: _Node, bound: float, place: int, below: float, above_first: bool, number: int
    ) -> tuple[_Node, _Node]:
        """The two halves of a node, the one that goes on as its plan mostly does before the other."""
        lower, upper = node.lower.copy(), node.upper.copy()
        lower[place], upper[place] = below + 1.0, below
        halves = _Node(bound, number, lower, node.upper), _Node(bound, number, node.lower, upper)
        return halves if above_first else (halves[1], halves[0])

    def _rounded(self, x: Array) -> Array:
        """The plan with each binary at one of its ways, nothing in the other, and each choice whole."""
        ways, whole = self._ways, x.copy()
        first = x[ways.first] > x[ways.second]
        whole[ways.binary] = first
        whole[np.where(first, ways.second, ways.first)] = 0.0
        whole[ways.choices] = self._choices.nearest(x)[0]
        return whole
