"""Windows of one horizon, planned one after the other in the same solver object.

A window is cut out of the horizon's program (`horizon`), what has happened is taken off its rows (`history`), its
numbers are what is believed at the decision (`numbers_by_age`), and a solver of its shape is asked again (`reuse`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.dispatch.forecast_driven.history import History
from bess_opt.dispatch.forecast_driven.horizon import Horizon, WindowEntries
from bess_opt.dispatch.forecast_driven.numbers_by_age import Aged, NumbersByAge
from bess_opt.dispatch.forecast_driven.plant_state import PlantState
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.models.one_way import Pair, pairs_of
from bess_opt.plant.flows import Flows, flows_named
from bess_opt.plant.plant import Plant
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import ONE_WAY_ROUNDING, in_order
from bess_opt.solver.program import Program, law_of, of_flow, stores
from bess_opt.solver.reuse import ReusedSolvers
from bess_opt.solver.solution import InfeasibleProgramError, Solution

Terminal = Literal["value", "free", "cyclic"]
TIE = 1e-6  # of a typical price: what the tie-break weighs in a window, too little to matter
LATER = 4e-9  # of a typical price, per step: above the solver's tolerance of 1e-7 of 64 (its scale of a price)


@dataclass(frozen=True)
class PlanningWindow:
    """Steps `first` to `last` − 1, planned by `decision`; those before `until` are carried out.

    `state` is where the plant stands when it begins; `happened` is the first step that is not history yet.
    """

    decision: int
    first: int
    last: int
    until: int
    state: PlantState
    happened: int


class Rolling:
    """Plans windows of a horizon. `carried_by[t]` is the decision that carries step t out."""

    def __init__(
        self,
        numbers: NumbersByAge,
        plant: Plant,
        carried_by: Array,
        youngest: int,
        terminal: Terminal,
        options: SolverOptions,
    ) -> None:
        self.horizon = Horizon(numbers.program, plant.steps)
        # A gauge's bound may be made of many steps, of which its age says nothing: it must not tell the future.
        gauges = np.flatnonzero(~self.horizon.decides)
        numbers = replace(
            numbers,
            lower=numbers.lower.loosened(gauges, np.minimum),
            upper=numbers.upper.loosened(gauges, np.maximum),
        )
        self._numbers, self._plant, self._options = numbers, plant, options
        self._carried_by, self._youngest = carried_by, youngest
        self._oldest, self._changing = len(numbers.lower.table) - 1, numbers.changing
        self._terminal, self._day = terminal, max(round(24.0 / plant.step_h), 1)
        self._history = History(self.horizon)
        self._stored = of_flow(numbers.program.variables, "energy_mwh")
        self._laws = law_of(numbers.program.constraints, "energy_mwh")
        self._worth = np.full((len(self._stored), len(numbers.costs) - 1, plant.steps + 1), np.nan)
        self._solvers = ReusedSolvers(options, plant.scale_mw)
        self._pairs, self._limits = pairs_of(plant), plant.flow_limits()
        step = np.maximum(self.horizon.place, 0) // 2
        self._column_step = np.minimum(step, plant.steps - 1)
        self._row_step = np.minimum(np.maximum(self.horizon.row_to - 1, 0) // 2, plant.steps - 1)
        self._flows = self._history.flows
        worn = [block for block in stores(numbers.program.variables) if block.meaning.of_wear]
        self._segments = [[b.first for b in worn if b.battery == own.name] for own in plant.batteries]
        self._tie, self._price = _tie_weight(numbers), _typical(numbers.costs[0])

    def record(self, first: int, flows: Flows) -> None:
        """Enter what the plant did from step `first` on."""
        self._history.record(first, flows_named(self._plant, flows))

    # ------------------------------------------------------------------------------------------------ planning

    def plan(self, window: PlanningWindow) -> dict[str, Array]:
        """Values of the window's flows by name, energy at both ends included.

        Raises `InfeasibleProgramError` if no plan meets the limits as they are believed.
        """
        entries = self.horizon.entries(window.first, window.last)
        open_end = window.last < self.horizon.steps
        if self._terminal == "value" and open_end and np.isnan(self._worth).all():
            self._solve(entries, window, cyclic=True)  # what a MWh is worth in a time that repeats itself
            self._worth[..., 0] = self._worth[..., window.last]
        x = self._solve(entries, window, cyclic=self._terminal == "cyclic" and open_end)
        steps, found = np.arange(window.first, window.last), {}
        for name, block in self._flows.items():
            at = np.append(steps, window.last) if block.index == "instants" else steps
            found[name] = x[np.searchsorted(entries.columns, block.first + at)]
        return found

    def _solve(self, entries: WindowEntries, window: PlanningWindow, *, cyclic: bool) -> Array:
        believed = self._program(entries, window, cyclic=cyclic)
        costs = self._costs(entries, window)
        whole = (window.first, window.last) == (0, self.horizon.steps)
        exact = whole or len(costs) > 2  # else the tie-break stands in the one objective, too small to matter
        cost = costs[0] if exact else costs[0] + self._tie * costs[-1] + self._later(entries, window)
        open_choices = replace(believed, cost=cost, integer=self._to_be_chosen(believed, entries, window))
        program = self._chosen(open_choices)
        solver = self._solvers.holding(program, entries.keys)
        found = self._best(solver, costs[1:] if exact else [])
        both = self._not_one_way(entries, window, found[-1].x)
        if len(both):
            in_one = in_order(costs) if exact else cost
            try:
                program, closed = self._one_way(replace(program, cost=in_one), entries, window)
            except InfeasibleProgramError:
                if not open_choices.integer.any():
                    raise
                program, closed = self._one_way(replace(open_choices, cost=in_one), entries, window)
            solver.set_bounds(np.arange(program.columns), program.lower, program.upper)
            solver.set_bounds(closed, np.zeros(len(closed)), np.zeros(len(closed)))
            found = self._best(solver, costs[1:] if exact else [])
        self._learn(entries, window, found)
        inside: Array = np.minimum(np.maximum(found[-1].x, program.lower), program.upper)
        return inside

    def _best(self, solver: Solver, later: Sequence[Array]) -> list[Solution]:
        """The solution of each objective in turn, the tie-break last."""
        first = solver.solve()
        return [first, *(solver.preferred(first, later) if later else [])]

    def _age(self, step: Array, decision: int) -> Array:
        if not self._changing:
            return np.zeros(len(step), dtype=np.int64)
        age: Array = np.minimum(np.maximum(self._carried_by[step] - (decision + self._youngest), 0), self._oldest)
        return age

    def _program(self, entries: WindowEntries, window: PlanningWindow, *, cyclic: bool) -> Program:
        """The window's program as believed; costs are entered later."""
        numbers, horizon = self._numbers, self.horizon
        age = self._age(self._column_step[entries.columns], window.decision)
        row_age = self._age(self._row_step[entries.rows], window.decision)
        lower, upper = numbers.lower.at(entries.columns, age), numbers.upper.at(entries.columns, age)
        least, most = self._history.bounds(window.happened, window.first)
        if len(self.horizon.lasting):
            lower, upper = np.maximum(lower, least[entries.columns]), np.minimum(upper, most[entries.columns])
            crossed = lower > upper  # what has happened stands against what was believed of it
            lower[crossed] = upper[crossed] = np.where(most[entries.columns] < np.inf, upper, lower)[crossed]
        start, energy = self._slots(entries, window.first), np.array(window.state.energy_mwh)
        lower[start] = upper[start] = energy
        for segments, stand in zip(self._segments, window.state.wear_stand, strict=True):
            at = np.searchsorted(entries.columns, np.array(segments, dtype=np.int64) + window.first)
            lower[at] = upper[at] = stand
        if cyclic:
            end = self._slots(entries, window.last)
            # A battery that began above its window is not asked to be there again.
            lower[end] = np.maximum(lower[end], np.minimum(energy, upper[end]))
        value = numbers.value.at(entries.entry, row_age[entries.row])
        below, above = numbers.row_lower.at(entries.rows, row_age), numbers.row_upper.at(entries.rows, row_age)
        used = self._history.used(entries, numbers.value.at(entries.past, row_age[entries.past_row]), least, most)
        fewest, more = self._to_come(entries, row_age)
        return Program(
            cost=np.zeros(len(entries.columns)),
            offset=0.0,
            lower=lower,
            upper=upper,
            row_lower=below - used - more,
            row_upper=above - used - fewest,
            start=entries.start,
            column=entries.column,
            value=value,
            integer=horizon.program.integer[entries.columns],
        )

    def _slots(self, entries: WindowEntries, instant: int) -> Array:
        """Columns of the energy in each battery at an instant."""
        return np.searchsorted(entries.columns, np.array([block.first for block in self._stored]) + instant)

    def _to_come(self, entries: WindowEntries, row_age: Array) -> tuple[Array, Array]:
        """(least, most) that what lies beyond the window can add to each row."""
        rows = len(entries.rows)
        if not len(entries.future):
            return np.zeros(rows), np.zeros(rows)
        of = self.horizon.program.column[entries.future]
        value = self._numbers.value.at(entries.future, row_age[entries.future_row])
        oldest = np.full(len(of), self._oldest)
        lower, upper = self._numbers.lower.at(of, oldest), self._numbers.upper.at(of, oldest)
        counts = value != 0.0
        value, lower, upper, row = value[counts], lower[counts], upper[counts], entries.future_row[counts]
        least = np.bincount(row, value * np.where(value > 0.0, lower, upper), minlength=rows)
        return least, np.bincount(row, value * np.where(value > 0.0, upper, lower), minlength=rows)

    def _costs(self, entries: WindowEntries, window: PlanningWindow) -> list[Array]:
        """Cost of each objective, stored energy at an open end at its worth; the tie-break last."""
        age = self._age(self._column_step[entries.columns], window.decision)
        costs = [cost.at(entries.columns, age) for cost in self._numbers.costs]
        if self._terminal == "value" and window.last < self.horizon.steps and not np.isnan(self._worth).all():
            for end, worths in zip(self._slots(entries, window.last), self._worth, strict=True):
                for cost, worth in zip(costs, worths, strict=False):
                    cost[end] -= self._worth_at(worth, window.last)
        return costs

    def _later(self, entries: WindowEntries, window: PlanningWindow) -> Array:
        """What a MW through the battery costs more at each later step of the window, so that ties fall early.

        The horizon's own weight of "earliest" is spread over all its steps: in a window the solver would not see it.
        """
        cost, steps = np.zeros(len(entries.columns)), np.arange(window.first, window.last)
        for block in self.horizon.program.variables.values():
            if block.meaning.tie == "throughput":
                at = np.searchsorted(entries.columns, block.first + steps)
                cost[at] = LATER * self._price * (steps - window.first)
        return cost

    def _worth_at(self, worth: Array, instant: int) -> float:
        """Worth of a MWh at the same time a day before, by the latest solve that knew it; first, at its end."""
        before = max(instant - self._day, 0)
        return float(worth[before] if np.isfinite(worth[before]) else worth[0])

    def _learn(self, entries: WindowEntries, window: PlanningWindow, found: list[Solution]) -> None:
        """Keep what a MWh in store is worth at each instant of the window."""
        steps = np.arange(window.first, window.last)
        for law, worths in zip(self._laws, self._worth, strict=True):
            rows = np.searchsorted(entries.rows, law.first + steps)
            for worth, solution in zip(worths, found, strict=False):
                worth[window.first + 1 : window.last + 1] = -solution.row_dual[rows]

    # ------------------------------------------------------------------------------- bids that are choices, one way

    def _to_be_chosen(self, program: Program, entries: WindowEntries, window: PlanningWindow) -> Array:
        """Which columns are choices of blocks that begin in steps carried out; those of later blocks are relaxed."""
        chosen: Array = program.integer & (self.horizon.begins[entries.columns] < 2 * window.until)
        return chosen

    def _chosen(self, program: Program) -> Program:
        """The program with its choices made and held: a linear one."""
        if not program.integer.any():
            return program
        solver = Solver(program, self._options, scale_mw=self._plant.scale_mw)
        return program.with_choices_held(solver.solve().x)

    def _not_one_way(self, entries: WindowEntries, window: PlanningWindow, x: Array) -> Array:
        """Steps that stand once they are decided in which a converter would run in and out at once."""
        steps = self._standing(window)
        least = np.zeros(len(steps))
        for pair in self._pairs:
            first, second = (x[self._columns(entries, name, steps)] for name in (pair.first, pair.second))
            least = np.maximum(least, np.minimum(first, second))
        return steps[least > ONE_WAY_ROUNDING * self._plant.scale_mw]

    def _standing(self, window: PlanningWindow) -> Array:
        """Steps that are carried out, and those to the end of blocks whose bids then stand: these must be kept."""
        last = window.until - 1
        ends = [int(np.searchsorted(o.block, o.block[last], side="right")) for o in self._plant.offers]
        return np.arange(window.first, min(max([window.until, *ends]), window.last))

    def _columns(self, entries: WindowEntries, name: str, steps: Array) -> Array:
        return np.searchsorted(entries.columns, self.horizon.program.variables[name].first + steps)

    def _one_way(self, program: Program, entries: WindowEntries, window: PlanningWindow) -> tuple[Program, Array]:
        """The program, choices held, and columns to be closed so that steps carried out run one way.

        Both are chosen exactly, the rest relaxed.
        """
        steps = self._standing(window)
        choices = [(pair, step) for pair in self._pairs for step in steps.tolist()]
        count, new = program.columns, len(choices)
        rows: list[tuple[Array, Array, float, float]] = []
        ways: list[tuple[int, int]] = []
        for number, (pair, step) in enumerate(choices):
            first, second = (int(self._columns(entries, n, np.array([step]))[0]) for n in (pair.first, pair.second))
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
        x = Solver(mixed.with_rows(rows), self._options, scale_mw=self._plant.scale_mw).solve().x
        closed = np.array([second if x[first] >= x[second] else first for first, second in ways], dtype=np.int64)
        return program.with_choices_held(x), closed

    def _most_of(self, pair: Pair, step: int) -> tuple[float, float]:
        return float(self._limits[pair.first][step]), float(self._limits[pair.second][step])


def _tie_weight(numbers: NumbersByAge) -> float:
    """Brings the tie-break's largest cost to a small share of a typical price."""
    first, tie = _typical(numbers.costs[0]), float(np.abs(numbers.costs[-1].base).max(initial=0.0))
    return TIE * first / tie if tie else 0.0


def _typical(cost: Aged) -> float:
    present = np.abs(cost.base[cost.base != 0.0])
    return float(np.median(present)) if len(present) else 1.0
