"""A start for a long program: the bases of short windows, stitched together.

The simplex method's work grows faster than the horizon. Windows of it are small programs of their own, solved
side by side; each reaches a little beyond the part that it answers for, so that the energy guessed at its ends
hardly matters there. Their bases together are close to the optimum's. The whole program, started from them, is
still solved to its proven optimum: a poor start costs time, never exactness.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from bess_opt.errors import SolveError
from bess_opt.models.expand import Program
from bess_opt.solve import AT_LOWER, AT_UPPER, BASIC, FREE, Solver
from bess_opt.solver_options import SolverOptions
from bess_opt.windows import Cutter, Window

Array = np.ndarray

SHORTEST = 12_000  # steps below which a program is solved as quickly without a start
CORE_STEPS = 730  # steps that a window answers for, about
BEYOND_STEPS = 48  # steps that it reaches further at either end
ENERGY = "energy_mwh"


def start_near_optimum(solver: Solver, scale_mw: float) -> None:
    """Give a `solver` that has not run a basis stitched from windows, if its program is long enough to gain by it."""
    program = solver.program
    energy = program.variables.get(ENERGY)
    if energy is None or energy.index != "instants" or len(energy.positions) <= SHORTEST or program.integer.any():
        return
    solver.start_at(*stitched(program, len(energy.positions) - 1, solver.options, scale_mw))


def stitched(program: Program, steps: int, options: SolverOptions, scale_mw: float) -> tuple[Array, Array]:
    """(column, row) statuses of a basis for `program`, as `Solver.start_at` takes them.

    Rows and columns that no window answers for (peaks, windows without a plan) are slack and at a bound.
    """
    edges = np.linspace(0, steps, max(round(steps / CORE_STEPS), 2) + 1).round().astype(int).tolist()
    windows = _Windows(program, steps, options, scale_mw)
    column = np.where(np.isfinite(program.lower), AT_LOWER, np.where(np.isfinite(program.upper), AT_UPPER, FREE))
    row = np.full(program.rows, BASIC)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for part in pool.map(windows.part, edges[:-1], edges[1:]):
            if part is not None:
                column[part.columns], row[part.rows] = part.column_status, part.row_status
    _complete(column, row)
    return column, row


def _complete(column: Array, row: Array) -> None:
    """As many basic ones as there are rows, which windows that disagree at their ends may miss by a few."""
    missing = len(row) - int((column == BASIC).sum()) - int((row == BASIC).sum())
    if missing > 0:
        row[np.flatnonzero(row != BASIC)[:missing]] = BASIC
    elif missing < 0:
        slack = np.flatnonzero(row == BASIC)[:-missing]
        row[slack] = AT_LOWER
        column[np.flatnonzero(column == BASIC)[: -missing - len(slack)]] = AT_LOWER


@dataclass(frozen=True)
class _Part:
    """What a window answers for: statuses of some columns and rows of the whole program."""

    columns: Array
    column_status: Array
    rows: Array
    row_status: Array


class _Windows:
    """Windows of one program, solved each by itself."""

    def __init__(self, program: Program, steps: int, options: SolverOptions, scale_mw: float) -> None:
        self._program, self._steps, self._scale_mw = program, steps, scale_mw
        self._options = SolverOptions(threads=options.threads, seed=options.seed)
        self._cutter = Cutter(program, steps)
        energy = program.variables[ENERGY]
        self._first_energy, self._guess = energy.first, float(program.lower[energy.first])

    def part(self, first: int, last: int) -> _Part | None:
        """Statuses of steps first..last-1 and the instants after them; None if the window has no plan."""
        window = Window(max(first - BEYOND_STEPS, 0), min(last + BEYOND_STEPS, self._steps))
        small, columns, rows = self._cutter.slice(window)
        solver = Solver(self._with_guessed_ends(small, columns, window), self._options, scale_mw=self._scale_mw)
        try:
            solver.solve()
        except SolveError:
            return None
        column, row = solver.statuses()
        low, high = (2 * first + 1 if first else 0), 2 * last
        place, end = self._cutter.place[columns], self._cutter.row_last[rows]
        own, mine = (place >= low) & (place <= high), (end >= low) & (end <= high)
        return _Part(columns[own], column[own], rows[mine], row[mine])

    def _with_guessed_ends(self, small: Program, columns: Array, window: Window) -> Program:
        """Energy at the window's own ends: from the start's level, back to it or more."""
        lower, upper = small.lower.copy(), small.upper.copy()
        for instant, inner in ((window.first, window.first > 0), (window.last, window.last < self._steps)):
            if inner:
                i = int(np.searchsorted(columns, self._first_energy + instant))
                level = min(max(self._guess, lower[i]), upper[i])
                lower[i], upper[i] = level, level if instant == window.first else upper[i]
        return replace(small, lower=lower, upper=upper)
