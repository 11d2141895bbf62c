"""Long programs with wear by depth, solved in parts that hand over where the cells are empty.

Where no segment holds energy the steps before and after know nothing of each other but what a first MWh is worth. So
the parts are solved from the last one backward, each with the worth of stored energy at its end as the next one has
found it. Solutions and prices of the parts are together those of the whole, and prove it: the value of the prices
bounds every plan and must equal the money of the plan. Where a part does not end empty it and the next become one;
where the proof should not close, HiGHS solves the whole from the parts' basis.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import highspy
import numpy as np

from bess_opt.common.arrays import Array, dot
from bess_opt.common.errors import SolveError
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.solver.highs import DUAL_ZERO, Solver
from bess_opt.solver.program import ENERGY, Program, stores
from bess_opt.solver.search.segments import Cutter, Segment
from bess_opt.solver.solution import AT_LOWER, BASIC, LimitReachedError, Solution, basis_at
from bess_opt.solver.warm_start import SHORTEST, complete, start_near_optimum
from bess_opt.solver.worn_start import SegmentBlocks, emptied, segment_blocks, without_segments, worn_basis

PART_STEPS = 192  # that a part has at least: shorter ones cost more to set up, and to join, than they save
EMPTY = 1e-9  # of the plant's size: less energy than this is none
KEPT = 1e-6  # of the plant's size: by how much the solver's tolerances may break a row
PROVEN = 1e-9  # of the turnover: how close the value of the prices must come to the plan's money
KNOWN = 3  # earlier solutions that a part remembers: pattern and ties are asked in turns
SAME_PRICE = 1e-11  # of the dearest: a worth that has moved by less has not moved
DEVEX = 1  # HiGHS's number for the dual simplex method with approximate edge weights
AT_BOUND = 1e-9  # of the plant's size: what is nearer to a bound stands at it


def solver_of(program: Program, options: SolverOptions, scale_mw: float) -> Solver:
    """What solves `program`: in parts where it has segments of wear and is long, else as a whole."""
    blocks = segment_blocks(program)
    if blocks is None or blocks.steps <= SHORTEST or not _energy_alone_stays(program, blocks):
        return Solver(program, options, scale_mw=scale_mw)
    cutter = Cutter(program, blocks.steps)
    ends = int((~cutter.crossed_beside_energy()).sum())
    if ends <= blocks.steps // 4:  # rows of months or of the year leave too few ends of parts
        return Solver(program, options, scale_mw=scale_mw)
    return ChainedSolver(program, blocks, cutter, options, scale_mw)


def _energy_alone_stays(program: Program, blocks: SegmentBlocks) -> bool:
    """Whether every column has its step, without choices, and the segments can all be empty at any instant."""
    if program.integer.any() or (program.place < 0).any():
        return False
    if len(stores(program.variables)) != len(blocks.energy) + 1:
        return False
    inner = program.variables[ENERGY].slice
    return not bool((program.lower[inner][1:-1] > blocks.below + EMPTY).any())


@dataclass
class Asked:
    """Numbers that a part was solved with, and what came out."""

    cost: Array
    sides: tuple[Array, Array, Array, Array]
    solution: Solution | None = None

    def same(self, other: Asked) -> bool:
        """Whether the solution answers for `other` too."""
        if not all(np.array_equal(one, two) for one, two in zip(self.sides, other.sides, strict=True)):
            return False
        dearest = float(np.abs(self.cost).max(initial=0.0))
        return float(np.abs(self.cost - other.cost).max(initial=0.0)) <= SAME_PRICE * dearest


class PartSolver(Solver):
    """A `Solver` that knows when a solution which it has found answers for other numbers too."""

    def expect_few_steps(self) -> None:
        """See `Solver`; few are still so many that weights which cost little to keep spare a third of them.

        So do costs perturbed in the first solve: segments of equal worth are many. The later ones are near it.
        """
        self._highs.setOptionValue("simplex_dual_edge_weight_strategy", DEVEX)

    def solve(self, *, time_limit_s: float | None = None, duals: bool = True) -> Solution:
        """See `Solver`."""
        found = super().solve(time_limit_s=time_limit_s, duals=duals)
        self.expect_repeats()
        return found

    def settled(self, best: Solution, asked: Asked, cost_scale: float) -> Solution | None:
        """`best`, if the last basis prices it as optimal at the numbers `asked` too; None otherwise.

        The prices are proof enough, whichever basis they are of: nothing that may still move would gain by it.
        """
        spare, (lower, upper, row_lower, row_upper) = AT_BOUND * self._x_scale, asked.sides
        x, activity = best.x, self.program.activity(best.x)
        places = ((x, lower, upper), (activity, row_lower, row_upper))
        if any((value < low - spare).any() or (value > high + spare).any() for value, low, high in places):
            return None
        basic = np.asarray(self._highs.getBasicVariables()[1])
        paid = np.where(basic >= 0, asked.cost[np.maximum(basic, 0)], 0.0)
        status, row = self._highs.getBasisTransposeSolve(paid)
        if status != highspy.HighsStatus.kOk:
            return None
        row = np.asarray(row)
        column = asked.cost - self.program.priced(row)
        least = DUAL_ZERO * cost_scale
        for price, (value, low, high) in zip((column, row), places, strict=True):
            if ((price < -least) & (value < high - spare)).any() or ((price > least) & (value > low + spare)).any():
                return None
        objective = dot(asked.cost, x)
        return Solution(x, objective, objective, column, row, 0.0, 0)


@dataclass
class _Part:
    """The steps first..last-1 as a program of their own, and its last solution.

    `begin` and `end` are its columns of stored energy at either end, none at the ends of the horizon.
    """

    first: int
    last: int
    columns: Array
    rows: Array
    begin: Array
    end: Array
    own_columns: Array
    own_rows: Array
    solver: PartSolver
    solution: Solution | None = None
    known: list[Asked] = field(default_factory=list)

    @property
    def worth(self) -> Array:
        """What a unit of stored energy at its begin costs, in each of the columns of `begin`."""
        return np.zeros(0) if self.solution is None else self.solution.column_dual[self.begin]


class ChainedSolver(Solver):
    """A `Solver` of a program with one battery's segments of wear, by parts; see the module."""

    starts_itself = True

    def __init__(
        self, program: Program, blocks: SegmentBlocks, cutter: Cutter, options: SolverOptions, scale_mw: float
    ) -> None:
        self._whole, self._parts, self._blocks = False, list[_Part](), blocks
        self._cutter, self._scale_mw = cutter, scale_mw
        super().__init__(program, options, scale_mw=scale_mw)
        self._stored = np.array([block.first for block in stores(program.variables)])

    def _load(self) -> None:
        """The whole is given to HiGHS only where the parts do not do."""
        if self._whole:
            super()._load()

    def set_costs(self, cost: Array, cost_scale: float | None = None) -> None:
        """See `Solver`."""
        if self._whole:
            super().set_costs(cost, cost_scale)
        else:
            self._cost_scale = self._cost_scale if cost_scale is None else cost_scale
            self._cost = np.array(cost, dtype=float)

    def set_bounds(self, columns: Array, lower: Array, upper: Array) -> None:
        """See `Solver`."""
        if self._whole:
            super().set_bounds(columns, lower, upper)
        elif len(columns):
            self._lower[columns], self._upper[columns] = lower, upper

    def set_rows(self, rows: Array, lower: Array, upper: Array) -> None:
        """See `Solver`."""
        if self._whole:
            super().set_rows(rows, lower, upper)
        elif len(rows):
            self._row_lower[rows], self._row_upper[rows] = lower, upper

    def basis(self) -> Any:
        """See `Solver`; parts go on from where they are."""
        return super().basis() if self._whole else None

    def set_basis(self, basis: Any) -> None:
        """See `Solver`."""
        if basis is not None:
            super().set_basis(basis)

    def statuses(self, x: Array) -> tuple[Array, Array]:
        """See `Solver`."""
        return super().statuses(x) if self._whole else self._stitched()

    def solve(self, *, time_limit_s: float | None = None, duals: bool = True) -> Solution:
        """See `Solver`."""
        if self._whole:
            return super().solve(time_limit_s=time_limit_s, duals=duals)
        began = time.perf_counter()
        limit = self.options.time_limit_s if time_limit_s is None else time_limit_s
        until = None if limit is None else began + limit
        try:
            if not self._parts:
                self._begin()
            iterations = self._go_back(until)
            found = self._joined(time.perf_counter() - began, iterations, duals=duals)
        except LimitReachedError:
            raise
        except SolveError:
            found = None
        self.seconds += time.perf_counter() - began
        if found is not None:
            return found
        left = None if until is None else max(until - time.perf_counter(), 0.0)
        self._take_whole()
        return super().solve(time_limit_s=left, duals=duals)

    def _take_whole(self) -> None:
        """Give the whole program to HiGHS, from the parts' basis where there is one."""
        solved = bool(self._parts) and all(part.solution is not None for part in self._parts)
        basis = basis_at(*self._stitched()) if solved else None
        self._whole = True
        self._load()
        if basis is not None:
            super().set_basis(basis)
            self.expect_few_steps()

    def _begin(self) -> None:
        """The parts, between instants at which the plan at one mean price of wear is empty."""
        program, blocks = self.program, self._blocks
        bare = without_segments(program, blocks)
        first = Solver(bare, self.options, scale_mw=self._scale_mw)
        start_near_optimum(first, self._scale_mw)
        found = first.solve()
        self._column, self._row = worn_basis(program, blocks, bare, found.row_dual, first.statuses(found.x))
        empty = emptied(program, blocks, self._column, self._row)
        empty &= found.x[bare.variables[ENERGY].slice] <= blocks.below + EMPTY * self._scale_mw
        empty &= ~self._cutter.crossed_beside_energy()
        cuts = [0]
        for instant in np.flatnonzero(empty).tolist():
            if instant - cuts[-1] >= PART_STEPS and blocks.steps - instant >= PART_STEPS // 2:
                cuts.append(instant)
        cuts.append(blocks.steps)
        self._parts = [self._part(a, b) for a, b in pairwise(cuts)]

    def _part(self, first: int, last: int) -> _Part:
        small, columns, rows = self._cutter.slice(Segment(first, last))
        inner = first > 0
        begin = np.searchsorted(columns, self._stored + first) if inner else np.zeros(0, dtype=np.int64)
        end = (
            np.searchsorted(columns, self._stored + last)
            if last < self._blocks.steps
            else np.zeros(0, dtype=np.int64)
        )
        own_columns, own_rows = np.ones(len(columns), dtype=bool), np.ones(len(rows), dtype=bool)
        column, row = self._column[columns], self._row[rows]
        if inner:  # what the instant itself asks for is the part before's; all is empty there
            own_columns[begin] = False
            own_rows = self._cutter.row_last[rows] > 2 * first
            column[begin], row[~own_rows] = AT_LOWER, BASIC
        complete(column, row)
        options = self.options.model_copy(update={"time_limit_s": None})
        solver = PartSolver(small, options, scale_mw=self._scale_mw)
        solver.set_basis(basis_at(column, row))
        solver.expect_few_steps()
        return _Part(first, last, columns, rows, begin, end, own_columns, own_rows, solver)

    def _go_back(self, until: float | None) -> int:
        """Solve all parts whose numbers have changed, the last one first; the simplex iterations that it took."""
        k, iterations = len(self._parts) - 1, 0
        while k >= 0:
            self._told.tell(1.0 - (k + 1) / len(self._parts))
            if self._told.cancelled or (until is not None and time.perf_counter() > until):
                raise LimitReachedError(
                    "the time limit ended the solve before any plan was found; raise solver.time_limit_s"
                )
            part = self._parts[k]
            after = self._parts[k + 1].worth if len(part.end) else np.zeros(0)
            iterations += self._solve_part(part, after)
            if part.solution is not None and self._holds_energy(part.solution.x[part.end]):
                self._note(part)
                self._note(self._parts[k + 1])
                self._parts[k : k + 2] = [self._part(part.first, self._parts[k + 1].last)]
                continue
            k -= 1
        return iterations

    def _holds_energy(self, stored: Array) -> bool:
        """Whether an instant whose energy and segments are `stored` is not empty."""
        spare = np.append(stored[:1] - self._blocks.below, stored[1:])
        return bool(spare.max(initial=0.0) > EMPTY * self._scale_mw)

    def _solve_part(self, part: _Part, after: Array) -> int:
        """Bring one part up to date; `after` is what a unit at its end costs the part behind it."""
        cost, lower, upper = self._cost[part.columns].copy(), self._lower[part.columns], self._upper[part.columns]
        cost[part.end] += after
        upper[part.begin] = lower[part.begin]
        row_lower, row_upper = self._row_lower[part.rows], self._row_upper[part.rows]
        row_lower[~part.own_rows], row_upper[~part.own_rows] = -np.inf, np.inf
        asked = Asked(cost, (lower, upper, row_lower, row_upper))
        known = next((one for one in part.known if one.same(asked)), None)
        if known is not None:
            part.solution = known.solution
            return 0
        if part.solution is not None:
            asked.solution = part.solver.settled(part.solution, asked, self._cost_scale)
        if asked.solution is None:
            part.solver.take_over(lower, upper, row_lower, row_upper)
            part.solver.set_costs(cost, self._cost_scale)
            asked.solution = part.solver.solve()
        part.solution = asked.solution
        part.known = [asked, *part.known[:KNOWN]]
        return part.solution.iterations

    def _joined(self, seconds: float, iterations: int, *, duals: bool) -> Solution | None:
        """The parts' solutions as that of the whole; None where their prices, if asked for, do not prove it."""
        program = self.program
        x, row = np.zeros(program.columns), np.zeros(program.rows)
        for part in self._parts:
            if part.solution is None:
                return None
            x[part.columns[part.own_columns]] = part.solution.x[part.own_columns]
            row[part.rows[part.own_rows]] = part.solution.row_dual[part.own_rows]
        activity = program.activity(x)
        broken = max(float((self._row_lower - activity).max()), float((activity - self._row_upper).max()))
        if broken > KEPT * self._scale_mw:
            return None
        objective, turnover = dot(self._cost, x), dot(np.abs(self._cost), np.abs(x))
        if not duals:
            value, nothing = objective + program.offset, np.zeros(0)
            return Solution(x, value, value, nothing, nothing, seconds, iterations)
        column = self._cost - program.priced(row)
        value, loose = 0.0, 0.0
        for price, low, high in ((row, self._row_lower, self._row_upper), (column, self._lower, self._upper)):
            side = np.where(price > 0.0, low, high)
            there = np.isfinite(side)
            value += dot(price[there], side[there])
            loose = max(loose, float(np.abs(price[~there]).max(initial=0.0)))
        dearest = float(np.abs(self._cost).max(initial=0.0))
        if abs(value - objective) > PROVEN * max(turnover, EMPTY * dearest) or loose > PROVEN * 1e3 * dearest:
            return None
        objective += program.offset
        return Solution(x, objective, objective, column, row, seconds, iterations)

    def _stitched(self) -> tuple[Array, Array]:
        """(column, row) statuses of the parts' bases, as those of the whole."""
        for part in self._parts:
            self._note(part)
        complete(self._column, self._row)
        return self._column, self._row

    def _note(self, part: _Part) -> None:
        if part.solution is None:
            return
        column, row = part.solver.statuses(part.solution.x)
        self._column[part.columns[part.own_columns]] = column[part.own_columns]
        self._row[part.rows[part.own_rows]] = row[part.own_rows]
