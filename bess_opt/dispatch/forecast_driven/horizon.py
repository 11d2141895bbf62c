"""A horizon's program seen from a moment in it: what has happened, what may still be chosen, what lies beyond.

Decisions are the plant's flows and its stored energy, step by step (`Flows`), with the segments of wear; all other
columns are gauges that rows tie to them: measured and billed peaks, missing cycles, excess over a ramp limit. A
window holds the decisions of its steps, and the gauges that its rows and others of their time reach. Of a row across
its start, what has happened is taken off the sides: warranty cycles used, intervals begun, the last grid power. A row
across its end is kept as far as what may still come cannot fill it. Nothing here knows a strategy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import StrategyError
from bess_opt.solver.program import Program

FAR = np.iinfo(np.int64).max // 4
SHORT = 192  # places, two per step; longer rows are few


@dataclass(frozen=True)
class WindowEntries:
    """A window's columns and rows in the horizon's program, and its matrix entries.

    `entry` are entries of the horizon's matrix that lie in the window, row by row from `start` on, at (`row`,
    `column`) of the window's own numbering; `keys` orders them. `past` and `future` are the entries of its rows
    that lie before and after it.
    """

    columns: Array
    rows: Array
    entry: Array
    row: Array
    column: Array
    start: Array
    keys: Array
    past: Array
    past_row: Array
    future: Array
    future_row: Array


class Horizon:
    """Where each column and row of `program` stands in time: step t at 2t + 1, instant i at 2i."""

    def __init__(self, program: Program, steps: int) -> None:
        self.program, self.steps = program, steps
        self.place = program.place
        decides = np.zeros(program.columns, dtype=bool)
        for block in program.variables.values():
            decides[block.slice] = block.meaning.kind in ("flow", "segment")
        self.decides = decides & (self.place >= 0)
        self._row_of = program.row_of_entry
        self._extend()
        self._decisions = _sorted_by(self.place, np.flatnonzero(self.decides))
        self._decision_places = self.place[self._decisions]
        self._gauges = np.flatnonzero(~self.decides)
        self._sort_rows()
        self._slot = np.full(program.columns, -1)
        self._lasting()
        self._pace = self._paces()
        self._windows: dict[int, tuple[int, WindowEntries]] = {}

    def _paces(self) -> Array | None:
        """Entries per row, if all steps look alike, so that one window is another one moved along; else None."""
        program = self.program
        if not self.decides.all() or any(len(b.positions) != self.steps for b in program.constraints.values()):
            return None
        counts = np.diff(program.start)
        for block in program.constraints.values():
            rows = block.first + np.arange(self.steps)
            entry, row = program.entries_of(rows)
            columns = program.column[entry] - row
            width = int(counts[rows[0]])
            alike = (counts[rows] == width).all() and (columns.reshape(self.steps, -1) == columns[:width]).all()
            if not alike or (self.row_to - self.row_from)[rows].max() > 2:
                return None
        return counts

    def _extend(self) -> None:
        """First and last place of each row, and of what each gauge is tied to.

        A row stands where its decisions and timed gauges do; one of gauges alone where these are tied to.
        """
        program, of_row, column = self.program, self._row_of, self.program.column
        timed = self.place >= 0
        self.loose = np.bincount(of_row[self.decides[column]], minlength=program.rows) == 0
        first, last = np.full(program.rows, FAR), np.full(program.rows, -1)
        at = timed[column]
        np.minimum.at(first, of_row[at], self.place[column[at]])
        np.maximum.at(last, of_row[at], self.place[column[at]])
        self.begins, self.ends = np.where(timed, self.place, FAR), np.where(timed, self.place, -1)
        for gauges in (timed & ~self.decides, ~timed):
            at = gauges[column]
            np.minimum.at(self.begins, column[at], first[of_row[at]])
            np.maximum.at(self.ends, column[at], last[of_row[at]])
            at &= self.loose[of_row]
            np.minimum.at(first, of_row[at], self.begins[column[at]])
            np.maximum.at(last, of_row[at], self.ends[column[at]])
        self._follow_gauges(first, last)
        at = self.loose[of_row]
        np.minimum.at(first, of_row[at], self.begins[column[at]])
        np.maximum.at(last, of_row[at], self.ends[column[at]])
        # A row of one instant alone is about the end of the step before it: it belongs to the window that ends there.
        self.row_from, self.row_to = np.where((first == last) & (first % 2 == 0), first - 1, first), last

    def _follow_gauges(self, first: Array, last: Array) -> None:
        """A gauge tied to no decision (a billed peak, energy above a tier) lives as long as what it follows."""
        of_row, column = self._row_of, self.program.column
        loose = self.loose[of_row]
        while True:
            known = self.ends[column] >= 0
            at = loose & known
            np.minimum.at(first, of_row[at], self.begins[column[at]])
            np.maximum.at(last, of_row[at], self.ends[column[at]])
            at = loose & ~known & (last[of_row] >= 0)
            if not at.any():
                return
            np.minimum.at(self.begins, column[at], first[of_row[at]])
            np.maximum.at(self.ends, column[at], last[of_row[at]])

    def _sort_rows(self) -> None:
        """Short rows by where they begin, so that a window finds its own; those over days stand apart."""
        long = self.row_to - self.row_from > SHORT
        self._long = np.flatnonzero(long)
        self._short = _sorted_by(self.row_from, np.flatnonzero(~long))
        self._short_from = self.row_from[self._short]

    def _lasting(self) -> None:
        """Rows that bind a gauge beyond their own time; with two such gauges they cannot be carried."""
        of_row, column = self._row_of, self.program.column
        tied = ~self.decides[column] & ~self.loose[of_row]
        lasts = tied & (self.ends[column] > self.row_to[of_row] + 1)
        outlived = self.loose[of_row] & (self.row_to[of_row] > self.ends[column] + 1)
        lasts |= tied & np.isin(column, column[outlived])
        gauges = np.bincount(of_row[tied], minlength=self.program.rows)
        rows = np.unique(of_row[lasts])
        shared = rows[gauges[rows] > 1]
        if len(shared):
            name, _ = self.program.row_name(int(shared[0]))
            raise StrategyError(
                f"strategy.name: its constraint {name!r} ties several quantities of the whole horizon together, "
                "which a window cannot carry; use optimize"
            )
        self.lasting = _sorted_by(self.row_to, rows)
        self.lasting_to = self.row_to[self.lasting]

    def entries(self, first: int, last: int) -> WindowEntries:
        """The window of the steps `first` to `last` − 1."""
        if self._pace is None:
            return self._new_entries(first, last)
        earlier = self._windows.get(last - first)
        if earlier is None:
            earlier = self._windows[last - first] = first, self._new_entries(first, last)
        moved, entries = first - earlier[0], earlier[1]
        return replace(
            entries,
            columns=entries.columns + moved,
            rows=entries.rows + moved,
            entry=entries.entry + moved * self._pace[entries.rows][entries.row],
        )

    def _new_entries(self, first: int, last: int) -> WindowEntries:
        low, high = 2 * first, 2 * last
        begin, end = np.searchsorted(self._decision_places, (low, high + 1))
        chosen = self._decisions[begin:end]
        gauges = self._gauges
        alive = (self.begins[gauges] < high) & (self.ends[gauges] > low) & (self.place[gauges] <= high)
        columns = np.sort(np.concatenate([chosen, gauges[alive]]))
        begin, end = np.searchsorted(self._short_from, (low - SHORT, high))
        near = np.concatenate([self._short[begin:end], self._long])
        rows = np.sort(near[(self.row_from[near] < high) & (self.row_to[near] > low)])
        return self._entries(columns, rows, low)

    def _entries(self, columns: Array, rows: Array, low: int) -> WindowEntries:
        program, slot = self.program, self._slot
        slot[columns] = np.arange(len(columns))
        entry, row = program.entries_of(rows)
        column = slot[program.column[entry]]
        inside = column >= 0
        slot[columns] = -1
        used = np.zeros(len(rows), dtype=bool)
        used[row[inside]] = True
        if not used.all():  # rows of gauges of other times
            number = np.cumsum(used) - 1
            kept = used[row]
            entry, row, column, inside = entry[kept], number[row[kept]], column[kept], inside[kept]
            rows = rows[used]
        of = program.column[entry]
        before = ~inside & (np.where(self.decides[of], self.place[of], self.ends[of]) <= low)
        after = ~inside & ~before
        held, at = row[inside], column[inside]
        start = np.searchsorted(held, np.arange(len(rows) + 1)).astype(np.int32)
        return WindowEntries(
            columns, rows, entry[inside], held, at.astype(np.int32), start, held * len(columns) + at,
            entry[before], row[before], entry[after], row[after],
        )  # fmt: skip


def _sorted_by(key: Array, which: Array) -> Array:
    ordered: Array = which[np.argsort(key[which], kind="stable")]
    return ordered
