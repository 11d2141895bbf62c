"""A start for a long program: the bases of segments that end where the battery rests, stitched together.

The simplex method's work grows faster than the horizon. Segments of it are small programs of their own. Each looks
a little beyond the part that it answers for, and hands over at an instant at which the energy stands at a bound:
there the plan before and the plan after know no more of each other, so that their bases fit together. Where there is
no such instant it hands over at the last one: what the segment has seen beyond says how the two bases fit. Where
rest is far from the optimum, a segment begins as steps of some days before it ended. Most often the whole is optimal
as it stands. It is solved to its proven optimum all the same: a poor start costs time, never exactness.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import SolveError
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import ENERGY, Program, law_of, of_flow
from bess_opt.solver.search.segments import Cutter, Segment
from bess_opt.solver.solution import AT_LOWER, AT_UPPER, BASIC, FREE, basis_at

SHORTEST = 2_000  # steps below which a program is solved as quickly without a start
OWN_STEPS = 480  # steps that a segment answers for at most; whole days, of steps that make a day in up to 96
BEYOND_STEPS = 96  # steps that it looks further
CHUNK_STEPS, CHUNKS = 4_000, 8  # about so long are parts gone through side by side, and at most so many

Energies = tuple[float, ...] | None


def start_near_optimum(solver: Solver, scale_mw: float) -> None:
    """Give a `solver` that has not run a basis stitched from segments, if its program is long enough to gain."""
    program = solver.program
    energies = of_flow(program.variables, ENERGY)
    if solver.starts_itself or not energies or len(energies[0].positions) <= SHORTEST or program.integer.any():
        return
    steps = len(energies[0].positions) - 1
    if Cutter(program, steps).spans_all():
        return  # what one row of the whole horizon allows, no segment knows: its start is further off than none
    solver.set_basis(basis_at(*stitched(program, steps, solver.options, scale_mw)))
    solver.expect_few_steps()


def stitched(program: Program, steps: int, options: SolverOptions, scale_mw: float) -> tuple[Array, Array]:
    """(column, row) statuses of a basis for `program`, as `basis_at` takes them.

    What no segment answers for (peaks, segments without a plan) is as it is with the battery at rest.
    """
    segments = _Segments(program, steps, options, scale_mw)
    chunks = min(max(steps // CHUNK_STEPS, 1), CHUNKS)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        inner = pool.map(segments.hand_over_near, [steps * i // chunks for i in range(1, chunks)])
        ends = [_HandOver(0, segments.guess), *sorted({h for h in inner if h}, key=lambda h: h.instant)]
        segments.meet(ends[1:])
        list(pool.map(segments.go_through, ends, [*ends[1:], _HandOver(steps, None)]))
    complete(segments.column, segments.row)
    return segments.column, segments.row


def complete(column: Array, row: Array) -> None:
    """Make as many basic ones as there are rows, which segments that do not fit together miss by a few."""
    missing = len(row) - int((column == BASIC).sum()) - int((row == BASIC).sum())
    if missing > 0:
        row[np.flatnonzero(row != BASIC)[:missing]] = BASIC
    elif missing < 0:
        slack = np.flatnonzero(row == BASIC)[:-missing]
        row[slack] = AT_LOWER
        column[np.flatnonzero(column == BASIC)[: -missing - len(slack)]] = AT_LOWER


@dataclass(frozen=True)
class _HandOver:
    """An instant at which one segment's part ends and the next one's begins, and the energies then (None: free).

    `open`: how many of these energies what comes after decides.
    """

    instant: int
    energy_mwh: tuple[float, ...] | None
    open: int = 0


@dataclass(frozen=True)
class _Solved:
    """What a segment gave: values `x` and statuses of some columns and rows of the whole program, and its effort."""

    segment: Segment
    columns: Array
    rows: Array
    column: Array
    row: Array
    x: Array
    iterations: int


class _Segments:
    """Segments of one program, each started from what is known so far; `column` and `row` are what they gave."""

    def __init__(self, program: Program, steps: int, options: SolverOptions, scale_mw: float) -> None:
        self._program, self._steps, self._scale_mw = program, steps, scale_mw
        self._options = options.model_copy(update={"time_limit_s": None})
        limit = options.time_limit_s
        self._deadline = None if limit is None else time.perf_counter() + limit
        self._cutter = Cutter(program, steps)
        self._energy = np.array([block.first for block in of_flow(program.variables, ENERGY)])
        # A row longer than a segment (a month's cycles) is left to the whole: it would make one segment of it.
        self._may_end = ~self._cutter.crossed_by_short(OWN_STEPS)
        # Rows that slide from step to step cross every instant: segments then know what was used before them.
        self._slides = not self._may_end[1:-1].any()
        self._may_end |= self._slides
        self.guess = tuple(program.lower[self._energy].tolist())
        self.column, self.row = at_rest(program)
        # Components with one value of each step, or of some: where they begin, these steps, and their statuses.
        self._by_step = [
            (block.first, place[block.slice] // 2, status)
            for blocks, place, status in (
                (program.variables, self._cutter.place, self.column),
                (program.constraints, self._cutter.row_first, self.row),
            )
            for block in blocks.values()
            if (np.diff(place[block.slice]) > 0).all()
        ]

    def hand_over_near(self, instant: int) -> _HandOver | None:
        """Where a plan rests next to `instant`, whatever came before; None if it does not."""
        width = OWN_STEPS // 2 + BEYOND_STEPS
        segment = Segment(max(instant - width, 0), min(instant + width, self._steps))
        solved = self._solve(segment, self.guess, None)
        if solved is None:
            return None
        rests = self._rests(solved, instant - OWN_STEPS // 4, instant + OWN_STEPS // 4)
        return self._hand_over(solved, int(rests[np.argmin(np.abs(rests - instant))])) if len(rests) else None

    def meet(self, ends: list[_HandOver]) -> None:
        """Hold the energy at `ends`, which no segment answers for, at the bound that it rests at."""
        for end in ends:
            at = self._energy + end.instant
            self.column[at] = np.where(self._program.lower[at] == end.energy_mwh, AT_LOWER, AT_UPPER)

    def go_through(self, begin: _HandOver, end: _HandOver) -> None:
        """One segment after the other from `begin` to `end`; wider ones where it cannot end."""
        own, far, x = OWN_STEPS, False, np.full(self._program.columns, np.nan)
        while begin.instant < end.instant:
            last = min(begin.instant + own + BEYOND_STEPS, end.instant)
            is_last = last == end.instant
            part, end_mwh = Segment(begin.instant, last), end.energy_mwh if is_last else None
            solved = self._solve(part, begin.energy_mwh, end_mwh, x)
            if solved is None:
                return
            self._note(self._fitted(solved, begin), end)
            x[solved.columns] = solved.x
            if is_last:
                return
            ends = self._ends(solved, begin.instant + 1, begin.instant + own)
            begin, own = (self._hand_over(solved, int(ends[-1])), OWN_STEPS) if len(ends) else (begin, 2 * own)
            far = far or solved.iterations > last - part.first
            if far:  # else rest is as near, and nearer to what the tie-break asks
                self._begin_as_before(last, min(begin.instant + own + BEYOND_STEPS, end.instant))

    def _solve(
        self, segment: Segment, begin_mwh: Energies, end_mwh: Energies, x: Array | None = None
    ) -> _Solved | None:
        """A segment's optimum from what is known so far; None if it has no plan, or the time is up.

        `x` are the values before it (NaN where none are known), which rows that slide have counted.
        """
        if self._deadline is not None and time.perf_counter() > self._deadline:
            return None
        small, columns, rows = self._cutter.slice(segment)
        small = self._with_ends(small, columns, segment, begin_mwh, end_mwh)
        if self._slides and x is not None:
            begun, left = self._cutter.begun_before(segment, columns, x)
            small, rows = small.with_rows(left) if left else small, np.append(rows, begun)
        solver = Solver(small, self._options, scale_mw=self._scale_mw)
        column, row = self.column[columns], self.row[rows]
        column[np.searchsorted(columns, self._energy + segment.first)] = AT_LOWER
        complete(column, row)
        solver.set_basis(basis_at(column, row))
        solver.expect_few_steps()
        try:
            found = solver.solve(duals=False)
        except SolveError:
            return None
        return _Solved(segment, columns, rows, *solver.statuses(found.x), found.x, found.iterations)

    def _with_ends(
        self, small: Program, columns: Array, segment: Segment, begin_mwh: Energies, end_mwh: Energies
    ) -> Program:
        """Energy at the ends inside the horizon as given; the last one else at the start's level or more."""
        lower, upper = small.lower.copy(), small.upper.copy()
        if segment.first > 0:
            at = np.searchsorted(columns, self._energy + segment.first)
            lower[at] = upper[at] = np.clip(np.array(begin_mwh), lower[at], upper[at])
        if segment.last < self._steps:
            at = np.searchsorted(columns, self._energy + segment.last)
            lower[at] = np.clip(self.guess if end_mwh is None else end_mwh, lower[at], upper[at])
            upper[at] = upper[at] if end_mwh is None else lower[at]
        return replace(small, lower=lower, upper=upper)

    def _ends(self, solved: _Solved, first: int, last: int) -> Array:
        """Instants first..last at which a segment may end: where all its energies rest, if they do at any."""
        rests = self._rests(solved, first, last)
        return rests if len(rests) else first + np.flatnonzero(self._may_end[first : last + 1])

    def _rests(self, solved: _Solved, first: int, last: int) -> Array:
        """Instants first..last at which all its energies stand at a bound and which no longer row spans."""
        rests: list[Array] = []
        for energy in self._energy:
            low, high = np.searchsorted(solved.columns, energy + np.array([first, last + 1]))
            rests.append(solved.columns[low:high][solved.column[low:high] != BASIC] - energy)
        every = reduce(np.intersect1d, rests)
        found: Array = every[self._may_end[every]]
        return found

    def _hand_over(self, solved: _Solved, instant: int) -> _HandOver:
        """The hand-over at `instant`; what is basic up to it and binds nothing before it is decided after it."""
        energy = tuple(solved.x[np.searchsorted(solved.columns, self._energy + instant)].tolist())
        given = np.isin(solved.columns, self._energy + solved.segment.first) & (solved.segment.first > 0)
        basic = (solved.column == BASIC) & (self._cutter.place[solved.columns] <= 2 * instant) & ~given
        tight = (solved.row != BASIC) & (self._cutter.row_last[solved.rows] <= 2 * instant)
        return _HandOver(instant, energy, max(int(basic.sum()) - int(tight.sum()), 0))

    def _fitted(self, solved: _Solved, begin: _HandOver) -> _Solved:
        """The segment's basis with the energies that it decides at its begin in it, which were given to it.

        So many others leave it. The segment before has seen which: the first that stood at a bound in its own basis.
        """
        columns = len(solved.columns)
        place = np.append(self._cutter.place[solved.columns], self._cutter.row_first[solved.rows])
        before = np.append(self.column[solved.columns], self.row[solved.rows])
        status = np.append(solved.column, solved.row)
        may_leave = (before != BASIC) & (status == BASIC) & (place >= 2 * begin.instant)
        may_leave[:columns] &= ~np.isin(solved.columns, self._energy + begin.instant)
        leave = np.flatnonzero(may_leave)
        leave = leave[np.argsort(place[leave], kind="stable")][: begin.open]
        status[leave] = before[leave]
        return replace(solved, column=status[:columns], row=status[columns:])

    def _begin_as_before(self, first: int, last: int) -> None:
        """Let the steps `first` to `last` − 1, which no segment has seen, stand as those some days before them do."""
        if last - first > OWN_STEPS:
            return
        for begun, step, status in self._by_step:
            at = np.arange(*np.searchsorted(step, [first, last]))
            before = np.searchsorted(step, step[at] - OWN_STEPS)
            same = step[before] == step[at] - OWN_STEPS
            status[begun + at[same]] = status[begun + before[same]]

    def _note(self, solved: _Solved, end: _HandOver) -> None:
        """Keep the segment's statuses, save those of energies that were given to it."""
        segment = solved.segment
        given = [i for i in (segment.first, end.instant) if 0 < i < self._steps and i <= segment.last]
        own = np.ones(len(solved.columns), dtype=bool)
        at = np.add.outer(self._energy, np.array(given, dtype=np.int64)).ravel()
        own[np.searchsorted(solved.columns, at)] = False
        self.column[solved.columns[own]], self.row[solved.rows] = solved.column[own], solved.row


def at_rest(program: Program) -> tuple[Array, Array]:
    """(column, row) statuses of a basis: the energy law gives the energy, one flow closes each balance.

    All else is at a bound, all other rows are slack. Solved from here a program takes a fraction of the steps
    that it takes from nothing.
    """
    lower, upper = program.lower, program.upper
    column = np.where(np.isfinite(lower), AT_LOWER, np.where(np.isfinite(upper), AT_UPPER, FREE))
    row = np.full(program.rows, BASIC)
    for energy in of_flow(program.variables, ENERGY):
        column[energy.slice] = BASIC
        column[energy.first] = AT_LOWER
    for law in law_of(program.constraints, ENERGY):
        row[law.slice] = AT_LOWER
    x = np.where(np.isfinite(lower), lower, 0.0)
    for balance in program.constraints.values():  # a balance is declared after those that it follows from
        flows = balance.meaning.closed_by
        if not flows:
            continue
        entries, step = program.entries_of(np.arange(balance.first, balance.slice.stop))
        of_column, value = program.column[entries], program.value[entries]
        missing = program.row_lower[balance.slice] - np.bincount(step, value * x[of_column], len(balance.positions))
        for flow in flows:
            first = program.variables[flow].first
            own = of_column - first == step
            share = missing[step[own]] / value[own]
            carries = step[own][(row[balance.first + step[own]] == BASIC) & ((share >= 0.0) | (flow == flows[-1]))]
            column[first + carries], row[balance.first + carries] = BASIC, AT_LOWER
            x[first + carries] = share[np.isin(step[own], carries)]
    return column, row
