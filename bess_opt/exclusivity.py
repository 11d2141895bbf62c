"""Exact exclusivity (rule 10) at the least cost: small mixed-integer problems only where the plan cheats.

The linear relaxation is solved first; most plans keep the rule by themselves. Where one does not, a window
is cut around the place, up to steps where the stored energy rests at a bound. Two small problems are solved
per window. In the first, energy may cross the window's ends at the relaxation's own price for it: together
with the relaxation this bounds every possible plan. In the second, the ends stay as they are: this gives a
plan. Mostly they agree and the gap is zero; where they do not, the windows grow, at last to the whole horizon.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import repeat

import numpy as np

from bess_opt.models.exclusive import Pair
from bess_opt.models.expand import Program
from bess_opt.solve import InfeasibleProgramError, LimitReachedError, Solution, Solver
from bess_opt.solver_options import SolverOptions

Array = np.ndarray

HINT = 1e-4  # weight of the second objective beside the first
WIDE_ROW = 4  # places; a row of the energy law spans three
WIDEST = 384  # steps a window reaches at most for a resting instant
BOTH_WAYS = 1e-7  # of the plant's size: less than this in the weaker direction is rounding


@dataclass(frozen=True)
class Exact:
    """A plan that keeps rule 10: values, proven bound, and the solution of the program with its pattern fixed.

    `closed` are the columns that the pattern holds at zero.
    """

    x: Array
    solution: Solution
    bound: float
    windows: int
    limited: bool
    closed: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def gap(self) -> float:
        """Relative distance of the plan from the proven bound, 0 or more."""
        distance = self.solution.objective - self.bound
        return max(0.0, distance / max(abs(self.solution.objective), 1e-12)) if distance > 0 else 0.0


@dataclass(frozen=True)
class Window:
    """Steps first..last-1 and the instants first..last of the stored energy."""

    first: int
    last: int


@dataclass(frozen=True)
class Answer:
    """What a window's two problems gave: rise of the bound, gap of its plan, on/off pattern per binary."""

    window: Window
    raised: float
    gap: float
    pattern: dict[str, Array]


def _window_around(step: int, rests: Array) -> Window:
    """The window from the last resting instant before `step` to the first one after it."""
    first = int(rests[np.searchsorted(rests, step, side="right") - 1])
    last = int(rests[np.searchsorted(rests, step + 1)])
    return Window(max(first, step - WIDEST), min(last, step + WIDEST))


def _grown(window: Window, rests: Array) -> Window:
    """The window at least three times as wide, again up to resting instants."""
    more = window.last - window.first
    before = max(window.first - more, 0)
    after = min(window.last + more, int(rests[-1]))
    first = int(rests[np.searchsorted(rests, before, side="right") - 1])
    last = int(rests[np.searchsorted(rests, after)])
    return Window(max(first, before - WIDEST), min(last, after + WIDEST))


def _merged(windows: list[Window]) -> list[Window]:
    """Windows in order of time; those that touch become one."""
    merged: list[Window] = []
    for window in sorted(windows, key=lambda w: w.first):
        if merged and window.first <= merged[-1].last:
            merged[-1] = Window(merged[-1].first, max(merged[-1].last, window.last))
        else:
            merged.append(window)
    return merged


def cheats(program: Program, x: Array, pairs: tuple[Pair, ...], scale_mw: float) -> Array:
    """Steps in which a converter runs both ways."""
    found = [
        np.flatnonzero(
            np.minimum(x[program.variables[p.first].slice], x[program.variables[p.second].slice])
            > BOTH_WAYS * scale_mw
        )
        for p in pairs
    ]
    return np.unique(np.concatenate(found))


class ExclusiveSearch:
    """Finds the exact plan of one program. `full` is the program with binaries, its first columns those of the relaxation."""

    def __init__(
        self,
        solver: Solver,
        full: Program,
        pairs: tuple[Pair, ...],
        ties: Sequence[Array],
        scale_mw: float,
        time_limit_s: float | None = None,
    ) -> None:
        self.solver, self.full, self.pairs, self.ties = solver, full, pairs, ties
        self.program, self.scale_mw = solver.program, scale_mw
        self.steps = len(full.variables[pairs[0].binary].positions)
        self.deadline = None if time_limit_s is None else time.perf_counter() + time_limit_s
        self._hint = _hint(full, ties)
        self._place = _places(full)
        self._row_first, self._row_last = _row_spans(full, self._place)
        self._rows = np.repeat(np.arange(full.rows), np.diff(full.start))

    def run(self, relaxed: Solution, x: Array) -> Exact:
        """The exact plan, from the relaxation's solution and its tie-broken values `x`.

        Raises `InfeasibleProgramError` if no plan keeps rule 10.
        """
        self._relaxed, self._x = relaxed, x
        rests = self._resting_instants()
        windows = _merged([_window_around(int(t), rests) for t in self._cheats(x)])
        solved: dict[Window, Answer] = {}
        best: Exact | None = None
        try:
            while True:
                allowance = self._tolerance() / (2 * len(windows))
                fresh_ones = [window for window in windows if window not in solved]
                solved |= self._solve_windows(fresh_ones, allowance / 4)
                answers = [solved[window] for window in windows]
                bound = relaxed.objective + sum(a.raised for a in answers)
                open_ones = [w for w in windows if not solved[w].gap <= allowance]
                short = sum(a.gap for a in answers) > self._tolerance() / 2
                if short and open_ones != [Window(0, self.steps)]:
                    grown = [_grown(w, rests) if w in open_ones else w for w in windows]
                    windows = _merged(grown)
                    continue
                best = self._with_pattern(answers, bound)
                fresh = self._cheats(best.x)
                if not len(fresh):
                    return best
                windows = _merged([*windows, *(_window_around(int(t), rests) for t in fresh)])
        except LimitReachedError:
            return self._within_limit(relaxed.objective, len(windows))

    def _cheats(self, x: Array) -> Array:
        return cheats(self.program, x, self.pairs, self.scale_mw)

    def _tolerance(self) -> float:
        """Distance from the bound that is allowed, in units of the objective."""
        turnover = float(np.abs(self.program.cost) @ np.abs(self._x))
        return self.solver.options.rel_gap * max(abs(self._relaxed.objective), 1e-6 * turnover)

    def _left_s(self) -> float | None:
        if self.deadline is None:
            return None
        left = self.deadline - time.perf_counter()
        if left <= 0:
            raise LimitReachedError("the time limit ended the search for an exclusive plan")
        return left

    def _within_limit(self, bound: float, count: int) -> Exact:
        """Out of time: the plan in which each step keeps the way it goes on balance, with what is proven."""
        self.deadline = None
        pattern = {}
        for pair in self.pairs:
            first, second = (self._x[self.program.variables[n].slice] for n in (pair.first, pair.second))
            pattern[pair.binary] = first >= second
        every = Answer(Window(0, self.steps), 0.0, np.inf, pattern)
        return replace(self._with_pattern([every], bound), limited=True, windows=count)

    def _resting_instants(self) -> Array:
        """Instants at which a window may end: where the stored energy sits at a bound, ends of the horizon included.

        Rows over many steps (warranty cycles of a day) tie a window to its surroundings more than energy
        does: where there are any, windows end between them instead.
        """
        wide = (self._row_last - self._row_first > WIDE_ROW) & (self._row_last <= 2 * self.steps)
        if wide.any():
            cut = np.zeros(2 * self.steps + 2, dtype=np.int64)
            np.add.at(cut, self._row_first[wide] + 1, 1)
            np.add.at(cut, self._row_last[wide], -1)
            return np.flatnonzero(np.cumsum(cut)[: 2 * self.steps + 1 : 2] == 0)
        energy = self.program.variables["energy_mwh"].slice
        e, lower, upper = self._x[energy], self.program.lower[energy], self.program.upper[energy]
        slack = 1e-7 * self.scale_mw
        rests = (e - lower < slack) | (upper - e < slack)
        rests[0] = rests[-1] = True
        return np.flatnonzero(rests)

    def _solve_windows(self, windows: list[Window], allowance: float) -> dict[Window, Answer]:
        """The windows' answers, found side by side: HiGHS lets go of the interpreter while it solves."""
        workers = max(1, min(len(windows), os.cpu_count() or 1))
        with ThreadPoolExecutor(workers) as pool:
            answers = list(pool.map(self._solve_window, windows, repeat(allowance)))
        return dict(zip(windows, answers, strict=True))

    def _solve_window(self, window: Window, allowance: float) -> Answer:
        """Bound and plan of one window; a plan that does not exist leaves the gap infinite."""
        cut = self._cut(window)
        relaxed_cost = float(cut.priced.cost @ np.append(self._x, 0.0)[cut.origin])
        priced = self._solve_small(cut.priced, allowance)
        raised = max(0.0, priced.bound - relaxed_cost)
        paid = priced.objective - relaxed_cost
        x = priced.x
        rests = np.allclose(x[cut.ends], cut.end_values, rtol=0.0, atol=1e-7 * self.scale_mw)
        if cut.coupled or not rests or self._hint.any():
            try:
                fixed = self._solve_small(cut.fixed, 0.0 if self._hint.any() else allowance)
            except InfeasibleProgramError:
                if window == Window(0, self.steps):
                    raise
                return Answer(window, raised, np.inf, {})
            paid = float(cut.cost @ (fixed.x - np.append(self._x, 0.0)[cut.origin]))
            x = fixed.x
        pattern = {p.binary: x[cut.binaries[p.binary]] > 0.5 for p in self.pairs}
        return Answer(window, raised, paid - raised, pattern)

    def _solve_small(self, program: Program, allowance: float) -> Solution:
        own = self.solver.options
        options = SolverOptions(rel_gap=0.0, threads=own.threads, seed=own.seed)
        small = Solver(program, options, scale_mw=self.scale_mw)
        small.allow_gap(allowance)
        found = small.solve(time_limit_s=self._left_s())
        if found.limited:
            raise LimitReachedError("the time limit ended the search for an exclusive plan")
        return found

    def _cut(self, window: Window) -> Cut:
        x = self._x
        full, low, high = self.full, 2 * window.first, 2 * window.last
        columns = np.flatnonzero((self._place >= low) & (self._place <= high))
        new = np.full(full.columns, -1)
        new[columns] = np.arange(len(columns))
        inside = (self._row_first >= low) & (self._row_last <= high)
        crossing = (self._row_first <= high) & (self._row_last >= low) & ~inside
        entry = inside[self._rows] & (new[full.column] >= 0)
        across = crossing[self._rows] & (new[full.column] >= 0)
        cost = full.cost[columns].copy()
        dual = np.zeros(full.rows)
        dual[: self.program.rows] = self._relaxed.row_dual
        np.subtract.at(cost, new[full.column[across]], (full.value * dual[self._rows])[across])
        priced = _slice(full, columns, new, inside, entry, cost)
        energy = full.variables["energy_mwh"]
        ends = energy.first + np.array([window.first, window.last])
        fixed = _slice(full, columns, new, inside, entry, (full.cost + self._hint)[columns])
        end_values = x[ends]
        fixed.lower[new[ends]] = fixed.upper[new[ends]] = end_values
        coupling = np.setdiff1d(self._rows[across], self._end_rows(window))
        if len(coupling):
            fixed = _with_rows(fixed, self._coupled_rows(coupling, new, x))
        origin = np.where(columns < self.program.columns, columns, self.program.columns)
        binaries = {
            p.binary: new[full.variables[p.binary].first + np.arange(window.first, window.last)] for p in self.pairs
        }
        return Cut(priced, fixed, full.cost[columns], origin, new[ends], end_values, binaries, bool(len(coupling)))

    def _end_rows(self, window: Window) -> Array:
        """Rows that only carry stored energy across the window's ends."""
        rows = [
            block.first + t
            for name, block in self.full.constraints.items()
            if name in ("energy_balance", "charge_room", "discharge_room")
            for t in (window.first - 1, window.last)
            if 0 <= t < self.steps
        ]
        return np.array(rows, dtype=np.int64)

    def _coupled_rows(self, coupling: Array, new: Array, x: Array) -> list[tuple[Array, Array, float, float]]:
        """Rows that reach beyond the window, with what the rest of the plan already uses taken off."""
        rows = []
        padded = np.append(x, np.zeros(self.full.columns - len(x)))
        for row in coupling:
            span = slice(self.full.start[row], self.full.start[row + 1])
            columns, values = self.full.column[span], self.full.value[span]
            mine = new[columns] >= 0
            used = float(values[~mine] @ padded[columns[~mine]])
            lower, upper = self.full.row_lower[row] - used, self.full.row_upper[row] - used
            rows.append((new[columns[mine]], values[mine], lower, upper))
        return rows

    def _with_pattern(self, answers: list[Answer], bound: float) -> Exact:
        """Solve the whole program with the flows that the windows close held at zero, then break ties."""
        program = self.program
        closed = []
        for answer in answers:
            steps = np.arange(answer.window.first, answer.window.last)
            for pair in self.pairs:
                on = answer.pattern[pair.binary]
                closed += [program.variables[pair.second].first + steps[on]]
                closed += [program.variables[pair.first].first + steps[~on]]
        columns = np.concatenate(closed).astype(np.int64)
        kept, nothing = program.upper[columns].copy(), np.zeros(len(columns))
        self.solver.set_bounds(columns, nothing, nothing)
        try:
            solution = self.solver.solve()
            x = self.solver.prefer(self.ties)
        finally:
            self.solver.set_bounds(columns, nothing, kept)
        best = min(bound, solution.objective)
        return Exact(x, solution, best, len(answers), limited=False, closed=columns)


@dataclass(frozen=True)
class Cut:
    """A window's two small programs and how their columns map back."""

    priced: Program
    fixed: Program
    cost: Array
    origin: Array
    ends: Array
    end_values: Array
    binaries: dict[str, Array]
    coupled: bool


def _hint(full: Program, ties: Sequence[Array]) -> Array:
    """A trace of the second objective in the windows' plans, so that their patterns serve it too.

    Zero when rule 11 alone breaks ties: it cannot tell patterns apart that the first objective does not.
    """
    hint = np.zeros(full.columns)
    if len(ties) < 2:
        return hint
    first, second = np.abs(full.cost[full.cost != 0.0]), np.abs(ties[0][ties[0] != 0.0])
    if len(first) and len(second):
        hint[: len(ties[0])] = ties[0] * (HINT * float(np.median(first)) / float(np.median(second)))
    return hint


def _places(full: Program) -> Array:
    """Where each column stands in time: step t at 2t+1, instant i at 2i, anything else nowhere (-1)."""
    place = np.full(full.columns, -1)
    for block in full.variables.values():
        if block.index == "instants":
            place[block.slice] = 2 * block.positions
        elif block.index == "steps":
            place[block.slice] = 2 * block.positions + 1
    return place


def _row_spans(full: Program, place: Array) -> tuple[Array, Array]:
    """First and last place that each row touches; a column that stands nowhere stretches its row over all."""
    of_entry = place[full.column]
    first = np.minimum.reduceat(of_entry, full.start[:-1])
    last = np.maximum.reduceat(of_entry, full.start[:-1])
    return first, np.where(first < 0, np.iinfo(np.int64).max, last)


def _slice(full: Program, columns: Array, new: Array, inside: Array, entry: Array, cost: Array) -> Program:
    rows = np.flatnonzero(inside)
    counts = np.diff(full.start)[rows]
    return Program(
        cost=cost,
        offset=0.0,
        lower=full.lower[columns].copy(),
        upper=full.upper[columns].copy(),
        row_lower=full.row_lower[rows],
        row_upper=full.row_upper[rows],
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        column=new[full.column[entry]].astype(np.int32),
        value=full.value[entry],
        integer=full.integer[columns],
    )


def _with_rows(program: Program, rows: list[tuple[Array, Array, float, float]]) -> Program:
    lengths = [len(columns) for columns, _, _, _ in rows]
    return replace(
        program,
        row_lower=np.append(program.row_lower, [r[2] for r in rows]),
        row_upper=np.append(program.row_upper, [r[3] for r in rows]),
        start=np.append(program.start, program.start[-1] + np.cumsum(lengths)).astype(np.int32),
        column=np.concatenate([program.column, *(r[0] for r in rows)]).astype(np.int32),
        value=np.concatenate([program.value, *(r[1] for r in rows)]),
    )

