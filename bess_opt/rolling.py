"""Windows of one horizon, planned one after the other in the same solver object.

A window is cut out of the horizon's program (`horizon`), its numbers are what is believed at the decision
(`beliefs`). Windows of one shape share one solver: bounds, sides, costs and the few coefficients that move with
the calendar are replaced, and the solve starts from the basis that the same steps had before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import highspy
import numpy as np

from bess_opt.beliefs import Aged, Beliefs
from bess_opt.dispatch import Flows
from bess_opt.exclusivity import BOTH_WAYS, in_order
from bess_opt.horizon import FLOWS, Cut, Horizon, entries_of
from bess_opt.models.exclusive import Pair, pairs
from bess_opt.models.expand import Program
from bess_opt.plant import Plant
from bess_opt.solve import Solution, Solver
from bess_opt.solver_options import SolverOptions
from bess_opt.windows import with_rows

Array = np.ndarray
Terminal = Literal["value", "free", "cyclic"]
TIE = 1e-6  # of a typical price: what rule 11 weighs in a window, too little to matter
MOST_CHANGES = 400  # coefficients beyond which a new matrix is quicker than changing the old one
LOWER, BASIC = highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kBasic


@dataclass(frozen=True)
class Window:
    """Steps `first` to `last` − 1, planned by `decision`; those before `until` are carried out.

    `energy_mwh` is what is in store when it begins; `happened` is the first step that is not history yet.
    """

    decision: int
    first: int
    last: int
    until: int
    energy_mwh: float
    happened: int


@dataclass
class _Loaded:
    """A solver with the matrix that it holds: places row · columns + column, ascending, and values."""

    solver: Solver
    keys: Array
    values: Array


class Rolling:
    """Plans windows of a horizon. `carried_by[t]` is the decision that carries step t out."""

    def __init__(
        self, beliefs: Beliefs, plant: Plant, carried_by: Array, youngest: int, terminal: Terminal, options: SolverOptions
    ) -> None:
        self.horizon = Horizon(beliefs.program, plant.steps)
        self._beliefs, self._plant, self._options = beliefs, plant, options
        self._carried_by, self._youngest = carried_by, youngest
        self._oldest = len(beliefs.lower.table) - 1
        self._terminal, self._day = terminal, max(round(24.0 / plant.step_h), 1)
        program = beliefs.program
        self.x = np.zeros(program.columns)
        self._least, self._most = np.full(program.columns, -np.inf), np.full(program.columns, np.inf)
        self._settled = 0
        self._worth = np.full((len(beliefs.costs) - 1, plant.steps + 1), np.nan)
        self._statuses = np.full(program.columns, LOWER, dtype=object), np.full(program.rows, BASIC, dtype=object)
        self._loaded: dict[tuple[int, int], _Loaded] = {}
        self._pairs, self._limits = pairs(plant), plant.flow_limits()
        step = np.maximum(self.horizon.place, 0) // 2
        self._column_step = np.minimum(step, plant.steps - 1)
        self._row_step = np.minimum(np.maximum(self.horizon.row_to - 1, 0) // 2, plant.steps - 1)
        self._flows = {name: program.variables[name].first for name in FLOWS if name in program.variables}
        self._tie = _tie_weight(beliefs)

    # ------------------------------------------------------------------------------------------- what happened

    def record(self, first: int, flows: Flows) -> None:
        """Enter what the plant did from step `first` on."""
        for name, column in self._flows.items():
            later = name == "energy_mwh"
            values = np.asarray(getattr(flows, name), dtype=float)[1 if later else 0 :]
            begin = column + first + (1 if later else 0)
            self.x[begin : begin + len(flows.charge_mw)] = values

    def _bounds_so_far(self, happened: int, first: int) -> tuple[Array, Array]:
        """What history makes of the gauges; what is only expected up to `first` counts for this window alone."""
        self._settled = self._settle(self._settled, happened, self._least, self._most)
        if first == happened:
            return self._least, self._most
        least, most = self._least.copy(), self._most.copy()
        self._settle(self._settled, first, least, most)
        return least, most

    def _settle(self, done: int, step: int, least: Array, most: Array) -> int:
        """Turn rows whose decisions lie before `step` into bounds of their gauge."""
        horizon, program = self.horizon, self.horizon.program
        end = int(np.searchsorted(horizon.lasting_to, 2 * step, side="right"))
        if end <= done:
            return done
        rows = horizon.lasting[done:end]
        entry, row = entries_of(program, rows)
        column, value = program.column[entry], program.value[entry]
        known = horizon.decides[column]
        used = np.bincount(row[known], value[known] * self.x[column[known]], minlength=len(rows))
        gauge, factor = np.zeros(len(rows), dtype=np.int64), np.ones(len(rows))
        gauge[row[~known]], factor[row[~known]] = column[~known], value[~known]
        sides = (program.row_lower[rows] - used) / factor, (program.row_upper[rows] - used) / factor
        np.maximum.at(least, gauge, np.where(factor > 0.0, sides[0], sides[1]))
        np.minimum.at(most, gauge, np.where(factor > 0.0, sides[1], sides[0]))
        return end

    # ------------------------------------------------------------------------------------------------ planning

    def plan(self, window: Window) -> dict[str, Array]:
        """Values of the window's flows by name, energy at both ends included.

        Raises `InfeasibleProgramError` if no plan meets the limits as they are believed.
        """
        cut = self.horizon.cut(window.first, window.last)
        open_end = window.last < self.horizon.steps
        if self._terminal == "value" and open_end and np.isnan(self._worth).all():
            self._solve(cut, window, cyclic=True)  # what a MWh is worth in a day that repeats itself
        x = self._solve(cut, window, cyclic=self._terminal == "cyclic" and open_end)
        steps, found = np.arange(window.first, window.last), {}
        for name, column in self._flows.items():
            at = np.append(steps, window.last) if name == "energy_mwh" else steps
            found[name] = x[np.searchsorted(cut.columns, column + at)]
        return found

    def _solve(self, cut: Cut, window: Window, *, cyclic: bool) -> Array:
        believed = self._program(cut, window, cyclic=cyclic)
        costs = self._costs(cut, window)
        whole = (window.first, window.last) == (0, self.horizon.steps)
        exact = whole or len(costs) > 2  # else rule 11 stands in the one objective, at a price too small to matter
        program = replace(believed, cost=costs[0] if exact else costs[0] + self._tie * costs[-1])
        solver = self._fit(program, cut)
        self._start_from(solver, cut)
        found = self._best(solver, costs[1:] if exact else [])
        both = self._both_ways(cut, window, found[-1].x)
        if len(both):
            mixed = replace(program, cost=in_order(costs)) if exact else program
            closed = self._one_way(mixed, cut, window)
            solver.set_bounds(closed, np.zeros(len(closed)), np.zeros(len(closed)))
            found = self._best(solver, costs[1:] if exact else [])
        self._learn(solver, cut, window, found)
        return np.clip(found[-1].x, program.lower, program.upper)

    def _best(self, solver: Solver, later: Sequence[Array]) -> list[Solution]:
        """The solution of each objective in turn, the tie-break last."""
        first = solver.solve()
        return [first, *(solver.preferred(later) if later else [])]

    def _age(self, step: Array, decision: int) -> Array:
        age: Array = np.clip(self._carried_by[step] - decision - self._youngest, 0, self._oldest)
        return age

    def _program(self, cut: Cut, window: Window, *, cyclic: bool) -> Program:
        """The window's program as believed; costs are entered later."""
        beliefs, horizon = self._beliefs, self.horizon
        age = self._age(self._column_step[cut.columns], window.decision)
        row_age = self._age(self._row_step[cut.rows], window.decision)
        lower, upper = beliefs.lower.at(cut.columns, age), beliefs.upper.at(cut.columns, age)
        least, most = self._bounds_so_far(window.happened, window.first)
        lower, upper = np.maximum(lower, least[cut.columns]), np.minimum(upper, most[cut.columns])
        crossed = lower > upper  # what has happened stands against what was believed of it
        lower[crossed] = upper[crossed] = np.where(most[cut.columns] < np.inf, upper, lower)[crossed]
        start, end = (self._slot(cut, instant) for instant in (window.first, window.last))
        lower[start] = upper[start] = window.energy_mwh
        if cyclic:
            lower[end] = max(lower[end], window.energy_mwh)
        value = beliefs.value.at(cut.entry, row_age[cut.row])
        below, above = beliefs.row_lower.at(cut.rows, row_age), beliefs.row_upper.at(cut.rows, row_age)
        used = self._used(cut, row_age, least, most)
        fewest, more = self._to_come(cut, row_age)
        return Program(
            cost=np.zeros(len(cut.columns)),
            offset=0.0,
            lower=lower,
            upper=upper,
            row_lower=below - used - more,
            row_upper=above - used - fewest,
            start=np.searchsorted(cut.row, np.arange(len(cut.rows) + 1)).astype(np.int32),
            column=cut.column.astype(np.int32),
            value=value,
            integer=horizon.program.integer[cut.columns],
        )

    def _slot(self, cut: Cut, instant: int) -> int:
        return int(np.searchsorted(cut.columns, self._flows["energy_mwh"] + instant))

    def _used(self, cut: Cut, row_age: Array, least: Array, most: Array) -> Array:
        """What has happened uses of each row."""
        of = self.horizon.program.column[cut.past]
        settled = np.where(np.isfinite(least), least, np.where(np.isfinite(most), most, 0.0))
        happened = np.where(self.horizon.decides[of], self.x[of], settled[of]) if len(of) else self.x[of]
        value = self._beliefs.value.at(cut.past, row_age[cut.past_row])
        used: Array = np.bincount(cut.past_row, value * happened, minlength=len(cut.rows))
        return used

    def _to_come(self, cut: Cut, row_age: Array) -> tuple[Array, Array]:
        """(least, most) that what lies beyond the window can add to each row."""
        rows = len(cut.rows)
        if not len(cut.future):
            return np.zeros(rows), np.zeros(rows)
        of = self.horizon.program.column[cut.future]
        value = self._beliefs.value.at(cut.future, row_age[cut.future_row])
        oldest = np.full(len(of), self._oldest)
        lower, upper = self._beliefs.lower.at(of, oldest), self._beliefs.upper.at(of, oldest)
        counts = value != 0.0
        value, lower, upper, row = value[counts], lower[counts], upper[counts], cut.future_row[counts]
        least = np.bincount(row, value * np.where(value > 0.0, lower, upper), minlength=rows)
        return least, np.bincount(row, value * np.where(value > 0.0, upper, lower), minlength=rows)

    def _costs(self, cut: Cut, window: Window) -> list[Array]:
        """Cost of each objective, stored energy at an open end at its worth; the tie-break last."""
        age = self._age(self._column_step[cut.columns], window.decision)
        costs = [cost.at(cut.columns, age) for cost in self._beliefs.costs]
        if self._terminal == "value" and window.last < self.horizon.steps and not np.isnan(self._worth).all():
            end = self._slot(cut, window.last)
            for cost, worth in zip(costs, self._worth, strict=False):
                cost[end] -= self._worth_at(worth, window.last)
        return costs

    def _worth_at(self, worth: Array, instant: int) -> float:
        """Worth of a MWh at the same time a day before, by the latest solve that knew it; else the mean."""
        before = max(instant - self._day, 0)
        return float(worth[before] if np.isfinite(worth[before]) else np.nanmean(worth))

    # ------------------------------------------------------------------------------------------ the same solver

    def _fit(self, program: Program, cut: Cut) -> Solver:
        """The solver of this shape with these numbers in it."""
        shape = (program.rows, program.columns)
        keys = cut.row * program.columns + cut.column
        held = self._loaded.get(shape)
        if held is None or not _follow(held, keys, program):
            solver = Solver(program, self._options, scale_mw=self._plant.scale_mw)
            self._loaded[shape] = _Loaded(solver, keys, program.value)
            return solver
        held.solver.set_costs(program.cost)
        held.solver.set_bounds(np.arange(program.columns), program.lower, program.upper)
        held.solver.set_rows(np.arange(program.rows), program.row_lower, program.row_upper)
        held.keys, held.values = keys, program.value
        return held.solver

    def _start_from(self, solver: Solver, cut: Cut) -> None:
        """The basis that these columns and rows had when they were last solved."""
        basis = solver.basis()
        basis.alien, basis.valid = True, True
        basis.col_status = self._statuses[0][cut.columns].tolist()
        basis.row_status = self._statuses[1][cut.rows].tolist()
        solver.set_basis(basis)

    def _learn(self, solver: Solver, cut: Cut, window: Window, found: list[Solution]) -> None:
        """Keep the basis and what a MWh in store is worth."""
        basis = solver.basis()
        self._statuses[0][cut.columns] = basis.col_status
        self._statuses[1][cut.rows] = basis.row_status
        law = self.horizon.program.constraints["energy_balance"].first
        rows = np.searchsorted(cut.rows, law + np.arange(window.first, window.last))
        for worth, solution in zip(self._worth, found, strict=False):
            worth[window.first + 1 : window.last + 1] = -solution.row_dual[rows]

    # ------------------------------------------------------------------------------------------------- rule 10

    def _both_ways(self, cut: Cut, window: Window, x: Array) -> Array:
        """Steps to be carried out in which a converter would run both ways."""
        steps = np.arange(window.first, window.until)
        least = np.zeros(len(steps))
        for pair in self._pairs:
            first, second = (x[self._columns(cut, name, steps)] for name in (pair.first, pair.second))
            least = np.maximum(least, np.minimum(first, second))
        return steps[least > BOTH_WAYS * self._plant.scale_mw]

    def _columns(self, cut: Cut, name: str, steps: Array) -> Array:
        return np.searchsorted(cut.columns, self.horizon.program.variables[name].first + steps)

    def _one_way(self, program: Program, cut: Cut, window: Window) -> Array:
        """Columns to be closed so that the steps carried out run one way: chosen exactly, the rest relaxed."""
        steps = np.arange(window.first, window.until)
        choices = [(pair, step) for pair in self._pairs for step in steps.tolist()]
        count, new = program.columns, len(choices)
        rows: list[tuple[Array, Array, float, float]] = []
        ways: list[tuple[int, int]] = []
        for number, (pair, step) in enumerate(choices):
            first, second = (int(self._columns(cut, n, np.array([step]))[0]) for n in (pair.first, pair.second))
            most = self._most_of(pair, step)
            rows.append((np.array([first, count + number]), np.array([1.0, -most[0]]), -np.inf, 0.0))
            rows.append((np.array([second, count + number]), np.array([1.0, most[1]]), -np.inf, most[1]))
            ways.append((first, second))
        mixed = replace(
            program,
            cost=np.append(program.cost, np.zeros(new)),
            lower=np.append(program.lower, np.zeros(new)),
            upper=np.append(program.upper, np.ones(new)),
            integer=np.append(program.integer, np.ones(new, dtype=bool)),
        )
        x = Solver(with_rows(mixed, rows), self._options, scale_mw=self._plant.scale_mw).solve().x
        return np.array([second if x[first] >= x[second] else first for first, second in ways], dtype=np.int64)

    def _most_of(self, pair: Pair, step: int) -> tuple[float, float]:
        return float(self._limits[pair.first][step]), float(self._limits[pair.second][step])


def _follow(held: _Loaded, keys: Array, program: Program) -> bool:
    """Change the matrix that a solver holds to that of `program`; False where a new one is quicker."""
    if np.array_equal(held.keys, keys):
        changed = np.flatnonzero(held.values != program.value)
        at, values = keys[changed], program.value[changed]
    else:
        every = np.union1d(held.keys, keys)
        before, after = np.zeros(len(every)), np.zeros(len(every))
        before[np.searchsorted(every, held.keys)] = held.values
        after[np.searchsorted(every, keys)] = program.value
        changed = np.flatnonzero(before != after)
        at, values = every[changed], after[changed]
    if len(at) > MOST_CHANGES:
        return False
    held.solver.set_values(at // program.columns, at % program.columns, values)
    return True


def _tie_weight(beliefs: Beliefs) -> float:
    """Brings the tie-break's largest cost to a small share of a typical price."""
    first, tie = _typical(beliefs.costs[0]), float(np.abs(beliefs.costs[-1].base).max(initial=0.0))
    return TIE * first / tie if tie else 0.0


def _typical(cost: Aged) -> float:
    present = np.abs(cost.base[cost.base != 0.0])
    return float(np.median(present)) if len(present) else 1.0
