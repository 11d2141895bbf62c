"""Exact exclusivity (rule 10) at the least cost: small mixed-integer problems only where the plan cheats.

The linear relaxation is solved first; most plans keep the rule by themselves. Where one does not, a window
is cut around the place, up to steps where the stored energy rests at a bound. Two small problems are solved
per window. In the first, energy may cross the window's ends at the relaxation's own price for it: together
with the relaxation this bounds every possible plan. In the second, the ends stay as they are: this gives a
plan. Mostly they agree and the gap is zero; where they do not, the windows grow, at last to the whole horizon.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bess_opt.errors import SolveError
from bess_opt.models.exclusive import Pair
from bess_opt.models.expand import Program
from bess_opt.solve import InfeasibleProgramError, LimitReachedError, Solution, Solver
from bess_opt.solver_options import SolverOptions

Array = np.ndarray

ROUNDS = 8
WIDEST = 384  # steps a window may first span on either side before a bound is met
BOTH_WAYS = 1e-7  # of the plant's size: less than this in the weaker direction is rounding


@dataclass(frozen=True)
class Exact:
    """A plan that keeps rule 10: values, proven bound, and the solution of the program with its pattern fixed."""

    x: Array
    solution: Solution
    bound: float
    seconds: float
    windows: int
    limited: bool

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
        self._place = _places(full)
        self._row_first, self._row_last = _row_spans(full, self._place)
        self._rows = np.repeat(np.arange(full.rows), np.diff(full.start))

    def run(self, relaxed: Solution, x: Array) -> Exact:
        """The exact plan, from the relaxation's solution and its tie-broken values `x`."""
        suspects = cheats(self.program, x, self.pairs, self.scale_mw)
        best: Exact | None = None
        widest, bound, count = 1, relaxed.objective, 0
        for _ in range(ROUNDS):
            windows = self._windows(suspects, x, widest)
            count = len(windows)
            try:
                pattern, improved = self._solve_windows(windows, relaxed, x)
                bound = max(bound, relaxed.objective + improved)
            except InfeasibleProgramError:
                if windows == [Window(0, self.steps)]:
                    raise
                widest *= 8
                continue
            except LimitReachedError:
                return self._within_limit(best, x, bound, count)
            plan = self._with_pattern(pattern, bound, count)
            fresh = np.setdiff1d(cheats(self.program, plan.x, self.pairs, self.scale_mw), suspects)
            if len(fresh):
                suspects = np.union1d(suspects, fresh)
                continue
            if best is None or plan.solution.objective < best.solution.objective:
                best = plan
            best = replace(best, bound=bound)
            if best.gap <= max(self.solver.options.rel_gap, 1e-9) or windows == [Window(0, self.steps)]:
                return best
            widest *= 8
        return self._solve_whole(suspects, relaxed, x, bound)

    def _solve_whole(self, suspects: Array, relaxed: Solution, x: Array, bound: float) -> Exact:
        """One window over the whole horizon: plain branch and bound."""
        window = [Window(0, self.steps)]
        pattern, improved = self._solve_windows(window, relaxed, x)
        plan = self._with_pattern(pattern, max(bound, relaxed.objective + improved), 1)
        if len(cheats(self.program, plan.x, self.pairs, self.scale_mw)):
            raise SolveError("the exclusive pattern could not be proven; report this scenario")
        return plan

    def _left_s(self) -> float | None:
        if self.deadline is None:
            return None
        left = self.deadline - time.perf_counter()
        if left <= 0:
            raise LimitReachedError("the time limit ended the search for an exclusive plan")
        return left

    def _within_limit(self, best: Exact | None, x: Array, bound: float, count: int) -> Exact:
        """The best plan so far, or one in which each cheating step takes the way it goes on balance."""
        self.deadline = None
        if best is None:
            pattern = {}
            for pair in self.pairs:
                first, second = (x[self.program.variables[n].slice] for n in (pair.first, pair.second))
                pattern[pair.first] = np.flatnonzero(first < second)
                pattern[pair.second] = np.flatnonzero(second <= first)
            best = self._with_pattern(pattern, bound, count)
        return replace(best, bound=bound, limited=True)

    def _windows(self, suspects: Array, x: Array, widest: int) -> list[Window]:
        energy = self.program.variables["energy_mwh"].slice
        e, lower, upper = x[energy], self.program.lower[energy], self.program.upper[energy]
        slack = 1e-7 * self.scale_mw
        rests = (e - lower < slack) | (upper - e < slack)
        rests[0] = rests[-1] = True
        places = np.flatnonzero(rests)
        windows: list[Window] = []
        for t in suspects:
            if windows and t < windows[-1].last:
                continue
            before = max(int(t) - widest + 1, 0)
            after = min(int(t) + widest, self.steps)
            first = int(places[np.searchsorted(places, before, side="right") - 1])
            last = int(places[min(np.searchsorted(places, after), len(places) - 1)])
            first, last = max(first, before - WIDEST * widest), min(last, after + WIDEST * widest)
            while windows and first <= windows[-1].last:
                first = min(first, windows.pop().first)
            windows.append(Window(first, last))
        return windows

    def _solve_windows(
        self, windows: list[Window], relaxed: Solution, x: Array
    ) -> tuple[dict[str, Array], float]:
        """Steps at which each flow is zero, and by how much the windows raise the bound."""
        closed: dict[str, list[Array]] = {name: [] for p in self.pairs for name in (p.first, p.second)}
        improved = 0.0
        allowance = self.solver.options.rel_gap * abs(relaxed.objective) / (2 * len(windows))
        for window in windows:
            solution, raised = self._solve_window(window, relaxed, x, allowance)
            improved += raised
            steps = np.arange(window.first, window.last)
            for pair in self.pairs:
                on = solution[pair.binary] > 0.5
                closed[pair.second].append(steps[on])
                closed[pair.first].append(steps[~on])
        return {name: np.concatenate(parts) for name, parts in closed.items()}, improved

    def _solve_window(
        self, window: Window, relaxed: Solution, x: Array, allowance: float
    ) -> tuple[dict[str, Array], float]:
        cut = self._cut(window, relaxed, x)
        options = SolverOptions(rel_gap=0.0, threads=self.solver.options.threads, seed=self.solver.options.seed)
        priced = self._solve_small(cut.priced, options, allowance)
        raised = max(0.0, priced.bound - float(cut.priced.cost @ np.append(x, 0.0)[cut.origin]))
        if not np.allclose(priced.x[cut.ends], cut.end_values, rtol=0.0, atol=1e-7 * self.scale_mw) or cut.coupled:
            priced = self._solve_small(cut.fixed, options, allowance)
        values = {p.binary: priced.x[cut.binaries[p.binary]] for p in self.pairs}
        return values, raised

    def _solve_small(self, program: Program, options: SolverOptions, allowance: float) -> Solution:
        small = Solver(program, options, scale_mw=self.scale_mw)
        small.allow_gap(allowance)
        found = small.solve(time_limit_s=self._left_s())
        if found.limited:
            raise LimitReachedError("the time limit ended the search for an exclusive plan")
        return found

    def _cut(self, window: Window, relaxed: Solution, x: Array) -> Cut:
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
        dual[: self.program.rows] = relaxed.row_dual
        np.subtract.at(cost, new[full.column[across]], (full.value * dual[self._rows])[across])
        priced = _slice(full, columns, new, inside, entry, cost)
        energy = full.variables["energy_mwh"]
        ends = energy.first + np.array([window.first, window.last])
        fixed = _slice(full, columns, new, inside, entry, full.cost[columns])
        end_values = x[ends]
        fixed.lower[new[ends]] = fixed.upper[new[ends]] = end_values
        coupling = np.setdiff1d(np.flatnonzero(crossing), self._end_rows(window))
        if len(coupling):
            fixed = _with_rows(fixed, self._coupled_rows(coupling, new, x))
        origin = np.where(columns < self.program.columns, columns, self.program.columns)
        binaries = {
            p.binary: new[full.variables[p.binary].first + np.arange(window.first, window.last)] for p in self.pairs
        }
        return Cut(priced, fixed, origin, new[ends], end_values, binaries, bool(len(coupling)))

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

    def _with_pattern(self, closed: dict[str, Array], bound: float, windows: int) -> Exact:
        """Solve the whole program with the flows that the pattern closes held at zero, then break ties."""
        program = self.program
        columns = np.concatenate(
            [program.variables[name].first + steps for name, steps in closed.items()]
        ).astype(np.int64)
        kept = program.upper[columns].copy()
        began = time.perf_counter()
        self.solver.set_bounds(columns, np.zeros(len(columns)), np.zeros(len(columns)))
        try:
            solution = self.solver.solve()
            x = self.solver.prefer(self.ties)
        finally:
            self.solver.set_bounds(columns, np.zeros(len(columns)), kept)
        return Exact(x, solution, bound, time.perf_counter() - began, windows, limited=False)


@dataclass(frozen=True)
class Cut:
    """A window's two small programs and how their columns map back."""

    priced: Program
    fixed: Program
    origin: Array
    ends: Array
    end_values: Array
    binaries: dict[str, Array]
    coupled: bool


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

