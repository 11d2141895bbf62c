"""Windows of a program: cut out of it in time, with what crosses their ends priced or held.

A window is the steps first..last-1 and the instants first..last of the stored energy. What ties it to the rest
of the plan are the energy at its ends and rows over many steps (warranty cycles, billed peaks).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.program import ENERGY, Program, of_batteries, own_name, places, with_rows

WIDE_ROW = 4  # places; a row of the energy law spans three
WIDEST = 384  # steps a window reaches at most for an instant at which it may end
CARRIES_ENERGY = (
    "energy_balance", "charge_room", "discharge_room",
    "up_room_before", "up_room_after", "down_room_before", "down_room_after",
)  # fmt: skip


@dataclass(frozen=True)
class Window:
    """Steps first..last-1 and the instants first..last of the stored energy.

    `joined`: another window ends where this one begins, so that both hold the energy of that instant.
    """

    first: int
    last: int
    joined: bool = False


def window_around(step: int, rests: Array) -> Window:
    """The window from the last resting instant before `step` to the first one after it."""
    first = int(rests[np.searchsorted(rests, step, side="right") - 1])
    last = int(rests[np.searchsorted(rests, step + 1)])
    return Window(max(first, step - WIDEST), min(last, step + WIDEST))


def grown(window: Window, rests: Array) -> Window:
    """The window at least half as wide again, up to resting instants."""
    more = max((window.last - window.first) // 4, 1)
    before = max(window.first - more, 0)
    after = min(window.last + more, int(rests[-1]))
    first = int(rests[np.searchsorted(rests, before, side="right") - 1])
    last = int(rests[np.searchsorted(rests, after)])
    return Window(max(first, before - WIDEST), min(last, after + WIDEST))


def merged_windows(windows: list[Window], separable: Array) -> list[Window]:
    """Windows in order of time; those that overlap become one, and those that touch where it is not `separable`."""
    merged: list[Window] = []
    for window in sorted(windows, key=lambda w: (w.first, w.last)):
        meets = merged and window.first == merged[-1].last
        if merged and (window.first < merged[-1].last or (meets and not separable[window.first])):
            merged[-1] = replace(merged[-1], last=max(merged[-1].last, window.last))
        else:
            merged.append(Window(window.first, window.last, joined=bool(meets)))
    return merged


@dataclass(frozen=True)
class Cut:
    """A window's two programs. `origin` are the columns of the full program, in the order of the window's.

    `priced`: what crosses the ends has the relaxation's price. `held`: the ends, and what the rest of the plan
    uses of shared rows, stay as they are; its cost is the plain objective.
    """

    priced: Program
    held: Program
    origin: Array
    ends: Array
    end_values: Array
    coupled: bool


class Cutter:
    """Cuts windows out of `full`, the program with binaries, around the relaxation's values and row duals."""

    def __init__(self, full: Program, steps: int) -> None:
        self.full, self.steps = full, steps
        self.place = places(full)
        self.row_first, self.row_last = _row_spans(full, self.place)
        self._wide = (self.row_last - self.row_first > WIDE_ROW) & (self.row_last <= 2 * steps)
        self._rows = np.repeat(np.arange(full.rows), np.diff(full.start))
        # Sorted by time once, so that a window costs what it holds, not what the horizon holds.
        self._by_place = np.argsort(self.place, kind="stable")
        self._sorted_places = self.place[self._by_place]
        entries = np.argsort(self.place[full.column], kind="stable")
        self._entries_by_place, self._entry_places = entries, self.place[full.column][entries]

    def ends_allowed(self, resting: Array) -> Array:
        """Instants at which a window may end: the `resting` ones, where energy sits at a bound.

        Rows over many steps (warranty cycles of a day) tie a window to its surroundings more than energy
        does: where there are any, windows end between them instead.
        """
        return np.flatnonzero(~self._crossed(self._wide)) if self._wide.any() else resting

    def crossed_by_short(self, longest: int) -> Array:
        """Per instant, whether a row over many steps, but no more than `longest`, reaches from before it to after."""
        return self._crossed(self._wide & (self.row_last - self.row_first <= 2 * longest))

    def spans_all(self) -> bool:
        """Whether one row reaches from the first step to the last."""
        return bool((self._wide & (self.row_first <= 1) & (self.row_last >= 2 * self.steps - 1)).any())

    def separable(self, ends: Array) -> Array:
        """Per instant, whether windows that touch there stay two: `ends` without rest that only energy crosses.

        Where windows end at rest, what touches is one plan: both ways of it hang together.
        """
        found = np.zeros(self.steps + 1, dtype=bool)
        if not self._wide.any():
            return found
        carries = np.zeros(self.full.rows, dtype=bool)
        for block in self.full.constraints.values():
            if own_name(block.name) in CARRIES_ENERGY:
                carries[block.slice] = True
        found[ends] = ~self._crossed(~carries & (self.row_last <= 2 * self.steps))[ends]
        return found

    def _crossed(self, rows: Array) -> Array:
        """Per instant, whether any of `rows` (a mask) reaches from before it to after it."""
        begun = np.zeros(2 * self.steps + 2, dtype=np.int64)
        np.add.at(begun, self.row_first[rows] + 1, 1)
        np.add.at(begun, self.row_last[rows], -1)
        crossed: Array = np.cumsum(begun)[: 2 * self.steps + 1 : 2] > 0
        return crossed

    def cut(self, window: Window, x: Array, row_dual: Array) -> Cut:
        """The window's programs; `x` and `row_dual` may leave out the columns and rows of the binaries."""
        full = self.full
        columns, entries = self._held_by(window)
        position = np.searchsorted(columns, full.column[entries])
        rows = self._rows[entries]
        inside = self._inside(window, rows)
        cost = full.cost[columns].copy()
        dual = np.append(row_dual, 0.0)[np.minimum(rows, len(row_dual))]  # rows of the binaries have none
        worth = full.value[entries] * dual
        np.subtract.at(cost, position[~inside], worth[~inside])
        if window.joined:  # the energy at a shared instant is priced once: what one window gets the other gives
            for energy in of_batteries(full.variables, ENERGY):
                first = int(np.searchsorted(columns, energy.first + window.first))
                cost[first] = worth[inside & (position == first)].sum()
        priced = _slice(full, columns, rows[inside], position[inside], full.value[entries][inside], cost)
        held = replace(priced, cost=full.cost[columns], lower=priced.lower.copy(), upper=priced.upper.copy())
        instants = [i for i in (window.first, window.last) if 0 < i < self.steps]
        own = [block.first + np.array(instants, dtype=np.int64) for block in of_batteries(full.variables, ENERGY)]
        ends = np.concatenate(own)
        at = np.searchsorted(columns, ends)
        held.lower[at] = held.upper[at] = x[ends]
        coupling = np.setdiff1d(rows[~inside], self._end_rows(window))
        if len(coupling):
            held = with_rows(held, self._coupled_rows(coupling, columns, x))
        return Cut(priced, held, columns, at, x[ends], bool(len(coupling)))

    def slice(self, window: Window) -> tuple[Program, Array, Array]:
        """(program, columns, rows) of what lies wholly in the window, its numbers as they are."""
        full = self.full
        columns, entries = self._held_by(window)
        rows = self._rows[entries]
        inside = self._inside(window, rows)
        rows, entries = rows[inside], entries[inside]
        position = np.searchsorted(columns, full.column[entries])
        small = _slice(full, columns, rows, position, full.value[entries], full.cost[columns])
        return small, columns, np.unique(rows)

    def _held_by(self, window: Window) -> tuple[Array, Array]:
        """(columns, matrix entries) of the window, each in the order of the full program."""
        if window == Window(0, self.steps):
            return np.arange(self.full.columns), np.arange(len(self.full.column))
        places = (2 * window.first, 2 * window.last + 1)
        first, last = np.searchsorted(self._sorted_places, places)
        first_entry, last_entry = np.searchsorted(self._entry_places, places)
        return np.sort(self._by_place[first:last]), np.sort(self._entries_by_place[first_entry:last_entry])

    def _inside(self, window: Window, rows: Array) -> Array:
        """Which of `rows` lie wholly in the window."""
        if window == Window(0, self.steps):
            return np.ones(len(rows), dtype=bool)
        inside: Array = (self.row_first[rows] >= 2 * window.first) & (self.row_last[rows] <= 2 * window.last)
        return inside

    def _end_rows(self, window: Window) -> Array:
        """Rows that only carry stored energy across the window's ends."""
        rows = [
            block.first + t
            for block in self.full.constraints.values()
            if own_name(block.name) in CARRIES_ENERGY
            for t in (window.first - 1, window.last)
            if 0 <= t < self.steps
        ]
        return np.array(rows, dtype=np.int64)

    def _coupled_rows(self, coupling: Array, held: Array, x: Array) -> list[tuple[Array, Array, float, float]]:
        """Rows that reach beyond the window, with what the rest of the plan already uses taken off."""
        rows = []
        padded = np.append(x, np.zeros(self.full.columns - len(x)))
        for row in coupling:
            span = slice(self.full.start[row], self.full.start[row + 1])
            columns, values = self.full.column[span], self.full.value[span]
            at = np.minimum(np.searchsorted(held, columns), len(held) - 1)
            mine = held[at] == columns
            used = float(values[~mine] @ padded[columns[~mine]])
            lower, upper = self.full.row_lower[row] - used, self.full.row_upper[row] - used
            rows.append((at[mine], values[mine], lower, upper))
        return rows


def _row_spans(full: Program, place: Array) -> tuple[Array, Array]:
    """First and last place that each row touches; a column that stands nowhere stretches its row over all."""
    of_entry = place[full.column]
    first = np.minimum.reduceat(of_entry, full.start[:-1])
    last = np.maximum.reduceat(of_entry, full.start[:-1])
    return first, np.where(first < 0, np.iinfo(np.int64).max, last)


def _slice(full: Program, columns: Array, row_of: Array, position: Array, value: Array, cost: Array) -> Program:
    """The program of `columns` and the rows whose entries are given, in row order."""
    rows, counts = np.unique(row_of, return_counts=True)
    return Program(
        cost=cost,
        offset=0.0,
        lower=full.lower[columns],
        upper=full.upper[columns],
        row_lower=full.row_lower[rows],
        row_upper=full.row_upper[rows],
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        column=position.astype(np.int32),
        value=value,
        integer=full.integer[columns],
    )
