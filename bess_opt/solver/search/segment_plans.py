"""What a search for one-way plans asks again and again: small programs of segments, and plans of a held pattern."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array, dot
from bess_opt.common.progress import UNTOLD, Stretch
from bess_opt.models.one_way import Pair
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import ONE_WAY_ROUNDING, Exact, proven, rounding_of, steps_not_one_way
from bess_opt.solver.program import Program
from bess_opt.solver.search.choice_search import places_with_choices
from bess_opt.solver.search.segments import Cutter, Segment, SegmentPrograms
from bess_opt.solver.search.way_branches import MOST_CHOICES, WayBranches, Ways
from bess_opt.solver.solution import InfeasibleProgramError, LimitReachedError, Solution

LOOSE = 1e-9  # of the dearest: a price on a side that is not there, which is rounding
MENDS = 40  # how often a pattern is mended where time has ended; each round is one linear program


@dataclass(frozen=True)
class Begin:
    """What a segment's program begins with: a plan of it, a basis of its linear program, and how many branches."""

    plan: Array | None = None
    basis: Any = None
    nodes: int | None = None  # after which its plan so far will do


NOWHERE = Begin()


class SegmentPlans:
    """One program and the parts of it; `full` is it with binaries after its own rows and columns.

    `told` may end what is solved here, and so may the time limit: both raise `LimitReachedError`.
    """

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
        self.told = told
        self.solver, self.full, self.pairs, self.ties = solver, full, pairs, ties
        self.program, self.scale_mw = solver.program, scale_mw
        self.steps = len(full.variables[pairs[0].binary].positions)
        self.deadline = None if time_limit_s is None else time.perf_counter() + time_limit_s
        self.cutter = Cutter(full, self.steps, places_with_choices(full))
        binaries = [full.variables[pair.binary] for pair in pairs]
        choice = full.integer.copy()
        for block in binaries:
            choice[block.slice] = False
        # Whole numbers that are no ways; the model may have the ways of further converters.
        self.choices = np.flatnonzero(choice[: self.program.columns])
        self._small_options = solver.options.model_copy(update={"rel_gap": 0.0, "time_limit_s": None})
        self.statuses = (np.zeros(0), np.zeros(0))
        self._only_ways = int(full.integer.sum()) == sum(len(block.positions) for block in binaries)

    def begin(self, relaxed: Solution, x: Array) -> None:
        """Take the relaxation's solution and its tie-broken values `x`, around which segments are cut."""
        self._relaxed, self._x = relaxed, x

    def not_one_way(self, x: Array) -> Array:
        """Steps in which a converter of `pairs` is not one way."""
        return steps_not_one_way(self.program, x, self.pairs, self.scale_mw)

    @cached_property
    def tolerance(self) -> float:
        """Distance from the bound that is allowed, in units of the objective."""
        turnover = dot(np.abs(self.program.cost), np.abs(self._x))
        relative = self.solver.options.rel_gap * max(abs(self._relaxed.objective), 1e-6 * turnover)
        return max(relative, rounding_of(self.program, self.scale_mw))

    def _left_s(self) -> float | None:
        if self.told.cancelled:
            raise LimitReachedError("the search for a one-way plan was ended from outside")
        if self.deadline is None:
            return None
        left = self.deadline - time.perf_counter()
        if left <= 0:
            raise LimitReachedError("the time limit ended the search for an one-way plan")
        return left

    def ways(self, origin: Array, segment: Segment) -> Ways:
        """The columns of the segment's converters in its program, whose columns in the full one are `origin`."""
        steps = np.arange(segment.first, segment.last)

        def columns(names: Sequence[str]) -> Array:
            return np.searchsorted(origin, np.concatenate([self.full.variables[n].first + steps for n in names]))

        first, second, binary = zip(*((p.first, p.second, p.binary) for p in self.pairs), strict=True)
        weight = np.repeat(self._weights, len(steps))
        choices = np.flatnonzero(np.isin(origin, self.choices)) if len(self.choices) else self.choices
        return Ways(columns(first), columns(second), columns(binary), weight, choices)

    @cached_property
    def _weights(self) -> Array:
        """What both ways at once of each pair are worth: of calls, the share of energy that they would lose."""
        lost = np.array([self._lost(pair) for pair in self.pairs])
        others = lost.max(initial=0.0)
        return np.where(lost > 0.0, lost / others, 1.0) if others > 0.0 else np.ones(len(lost))

    def _lost(self, pair: Pair) -> float:
        """Energy that one MW both ways at once takes from the cells or from their room, MWh."""
        full = self.full
        flows = [full.variables[name].first for name in (pair.first, pair.second)]
        own = np.flatnonzero(np.isin(full.column, flows))
        rows = full.row_of_entry[own]
        taken = np.bincount(rows, full.value[own], full.rows)
        meaning = {name: block.meaning for name, block in full.constraints.items()}
        carries = [name for name, one in meaning.items() if one.carries_energy and one.kind != "cut"]
        return max((float(np.abs(taken[full.constraints[name].slice]).max()) for name in carries), default=0.0)

    def idle_in(self, programs: SegmentPrograms, segment: Segment, x: Array) -> dict[str, Array]:
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

    def on_balance(self, x: Array, at_least: float = ONE_WAY_ROUNDING) -> dict[str, Array]:
        """Steps at which each flow stands still if those that go both ways in `x`, by a share, keep their balance."""
        idle = {}
        for pair in self.pairs:
            first, second = (x[self.program.variables[n].slice] for n in (pair.first, pair.second))
            both = np.minimum(first, second) > at_least * self.scale_mw
            idle[pair.first] = np.flatnonzero(both & (first < second))
            idle[pair.second] = np.flatnonzero(both & (first >= second))
        return idle

    def branched(self, program: Program, ways: Ways, allowance: float, begin: Begin = NOWHERE) -> Solution | None:
        """The best plan by branches; None where the program is not one for them."""
        if begin.nodes is None and (not self._only_ways or len(ways.binary) > MOST_CHOICES):
            return None
        search = WayBranches(program, ways, self._small_options, self.scale_mw, self._left_s, begin.basis)
        return search.run(allowance, begin.plan, begin.nodes)

    def solve_small(self, program: Program, ways: Ways, allowance: float, begin: Begin = NOWHERE) -> Solution:
        """The best plan of a segment's program to within `allowance`, with its bound."""
        branched = self.branched(program, ways, allowance, begin)
        if branched is not None:
            return branched
        small = Solver(program, self._small_options, scale_mw=self.scale_mw)
        small.allow_gap(allowance)
        if len(ways.binary) <= MOST_CHOICES:
            small.expect_little(hard=self._only_ways)  # branches have been tried in vain
        small.follow(self.told)
        if begin.plan is not None:
            small.start_from(begin.plan)
        found = small.solve(time_limit_s=self._left_s())
        if found.limited:
            raise LimitReachedError("the time limit ended the search for an one-way plan")
        return found

    def with_pattern(
        self,
        idle: Sequence[Mapping[str, Array]],
        bound: float,
        segments: int,
        *,
        whole: Array | None = None,
        ties: bool = True,
    ) -> Exact:
        """Solve the whole program with the flows that are idle in the segments held at zero, then break ties.

        `whole` are the values at which its choices are held.
        """
        closed = [self.program.variables[name].first + steps for still in idle for name, steps in still.items()]
        return self.with_closed(np.concatenate(closed).astype(np.int64), bound, segments, whole=whole, ties=ties)

    def with_closed(
        self, columns: Array, bound: float, segments: int, *, whole: Array | None = None, ties: bool = True
    ) -> Exact:
        """As `with_pattern`, of the columns that are held at zero; without `ties` `statuses` are of the basis."""
        program = self.program
        kept, nothing = program.upper[columns].copy(), np.zeros(len(columns))
        self.solver.set_bounds(columns, nothing, nothing)
        if whole is not None:
            self.solver.set_bounds(self.choices, whole, whole)
        try:
            solution = self.solver.solve()
            x = self.solver.prefer(solution, self.ties) if ties else solution.x
            if not ties:
                self.statuses = self.solver.statuses(x)
        finally:
            self.solver.set_bounds(columns, nothing, kept)
            self.solver.set_bounds(self.choices, program.lower[self.choices], program.upper[self.choices])
        best = proven(bound, solution.objective, program, self.scale_mw)
        return Exact(x, solution, best, segments, limited=False, closed=columns)

    def mended(
        self,
        idle: Sequence[Mapping[str, Array]],
        bound: float,
        segments: int,
        *,
        whole: Array | None = None,
        ties: bool = True,
    ) -> Exact | None:
        """The plan of a pattern; where that is not one way, steps keep their way on balance, again and again."""
        for _ in range(MENDS):
            try:
                plan = self.with_pattern(idle, bound, segments, whole=whole, ties=ties)
            except InfeasibleProgramError:
                return None
            if not len(self.not_one_way(plan.x)):
                return plan
            idle = [*idle, self.on_balance(plan.x)]
        return None

    def with_ways(self, x: Array) -> Array:
        """Values of the program `full` that say the ways in which the plan `x` goes."""
        whole = np.append(x, np.zeros(self.full.columns - len(x)))
        for pair in self.pairs:
            first, second, way = (self.full.variables[n].slice for n in (pair.first, pair.second, pair.binary))
            whole[way] = whole[first] > whole[second]
        return whole

    def outside(self, row_dual: Array, segments: Sequence[Segment]) -> float:
        """What all that lies in no segment costs at least, at prices `row_dual`; -inf if they bound nothing.

        By weak duality: each row and column at its best side.
        """
        program, total = self.program, self.program.offset
        row, column = np.array(row_dual), program.cost - program.priced(row_dual)
        for segment in segments:
            columns, rows = self.cutter.place_of(segment)
            column[columns[columns < program.columns]] = row[rows[rows < program.rows]] = 0.0
        least = LOOSE * float(np.abs(program.cost).max(initial=0.0))
        for price, low, high in (
            (row, program.row_lower, program.row_upper),
            (column, program.lower, program.upper),
        ):
            side = np.where(price > 0.0, low, high)
            there = np.isfinite(side)
            if np.abs(price[~there]).max(initial=0.0) > least:
                return -np.inf
            total += dot(price[there], side[there])
        return total
