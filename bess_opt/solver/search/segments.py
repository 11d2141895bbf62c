"""Segments of a program: cut out of it in time, with what crosses their ends priced or held.

A segment is the steps first..last-1 and the instants first..last of the stored energy. What ties it to the rest
of the plan are the energy at its ends and rows over many steps (warranty cycles, billed peaks).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.program import ENERGY, Program, of_flow, stores

WIDE_ROW = 4  # places; a row of the energy law spans three
WIDEST = 384  # steps a segment reaches at most for an instant at which it may end


@dataclass(frozen=True)
class Segment:
    """Steps first..last-1 and the instants first..last of the stored energy.

    `joined`: another segment ends where this one begins, so that both hold the energy of that instant.
    """

    first: int
    last: int
    joined: bool = False


def segment_around(step: int, rests: Array) -> Segment:
    """The segment from the last resting instant before `step` to the first one after it."""
    first = int(rests[np.searchsorted(rests, step, side="right") - 1])
    last = int(rests[np.searchsorted(rests, step + 1)])
    return Segment(max(first, step - WIDEST), min(last, step + WIDEST))


def grown(segment: Segment, rests: Array) -> Segment:
    """The segment at least half as wide again, up to resting instants."""
    more = max((segment.last - segment.first) // 4, 1)
    before = max(segment.first - more, 0)
    after = min(segment.last + more, int(rests[-1]))
    first = int(rests[np.searchsorted(rests, before, side="right") - 1])
    last = int(rests[np.searchsorted(rests, after)])
    return Segment(max(first, before - WIDEST), min(last, after + WIDEST))


def merged_segments(segments: list[Segment], separable: Array) -> list[Segment]:
    """Segments in order of time; those that overlap become one, and those that touch where it is not `separable`."""
    merged: list[Segment] = []
    for segment in sorted(segments, key=lambda w: (w.first, w.last)):
        meets = merged and segment.first == merged[-1].last
        if merged and (segment.first < merged[-1].last or (meets and not separable[segment.first])):
            merged[-1] = replace(merged[-1], last=max(merged[-1].last, segment.last))
        else:
            merged.append(Segment(segment.first, segment.last, joined=bool(meets)))
    return merged


def held_instants(program: Program, x: Array, row_dual: Array, steps: int, scale_mw: float) -> Array:
    """Per instant, whether a bound or a head-room holds each stored energy of the plan `x`; both ends do."""
    rests, slack = np.ones(steps + 1, dtype=bool), 1e-7 * scale_mw
    for energy in of_flow(program.variables, ENERGY):
        e, lower, upper = (v[energy.slice] for v in (x, program.lower, program.upper))
        rests &= (e - lower < slack) | (upper - e < slack)
    for rows in program.constraints.values():
        if rows.meaning.rests_at is not None:
            binding = row_dual[rows.slice] != 0.0
            rests[rows.positions[binding] + rows.meaning.rests_at] = True
    rests[0] = rests[-1] = True
    return rests


@dataclass(frozen=True)
class SegmentPrograms:
    """A segment's two programs. `origin` are the columns of the full program, in the order of the segment's.

    `priced`: what crosses the ends has the relaxation's price. `held`: the ends, and what the rest of the plan
    uses of shared rows, stay as they are; its cost is the plain objective.
    """

    priced: Program
    held: Program
    origin: Array
    ends: Array
    end_values: Array
    coupled: bool


@dataclass(frozen=True)
class _Frame:
    """Where a segment stands in the full program; its numbers are read anew each time.

    `rows` and `position` are those of each of its matrix `entries`, in the full program and in the segment's columns;
    `inside` are the entries of `own_rows`, which lie wholly in the segment, and `start` where each of these begins;
    `outside` are the others.
    """

    columns: Array
    entries: Array
    rows: Array
    position: Array
    inside: Array
    outside: Array
    own_rows: Array
    start: Array

    def program(self, full: Program) -> Program:
        """The segment's columns and own rows; what crosses its ends is left out."""
        own = self.entries[self.inside]
        return Program(
            cost=full.cost[self.columns],
            offset=0.0,
            lower=full.lower[self.columns],
            upper=full.upper[self.columns],
            row_lower=full.row_lower[self.own_rows],
            row_upper=full.row_upper[self.own_rows],
            start=self.start,
            column=self.position[self.inside],
            value=full.value[own],
            integer=full.integer[self.columns],
        )


class Cutter:
    """Cuts segments out of `full`, the program with binaries, around the relaxation's values and row duals."""

    def __init__(self, full: Program, steps: int, place: Array | None = None) -> None:
        self.full, self.steps = full, steps
        self.place = full.place if place is None else place
        of_entry = self.place[full.column]
        self.row_first, self.row_last = _row_spans(full, of_entry)
        self._wide = (self.row_last - self.row_first > WIDE_ROW) & (self.row_last <= 2 * steps)
        self._long = self._wide & (self.row_last - self.row_first > 2 * WIDEST)
        self._rows = full.row_of_entry
        self._implied = np.zeros(full.rows, dtype=bool)
        for block in full.constraints.values():
            self._implied[block.slice] = block.meaning.kind == "cut"
        self._of_entry = of_entry
        self._frames: dict[Segment, _Frame] = {}

    @cached_property
    def _columns_in_time(self) -> tuple[Array, Array]:
        """(columns by their place in time, these places); a segment costs what it holds, not the horizon."""
        order = np.argsort(self.place, kind="stable")
        return order, self.place[order]

    @cached_property
    def _entries_in_time(self) -> tuple[Array, Array]:
        """(matrix entries by the place of their column in time, these places)."""
        order = np.argsort(self._of_entry, kind="stable")
        return order, self._of_entry[order]

    @property
    def has_wide_rows(self) -> bool:
        """Whether any row reaches over many steps."""
        return bool(self._wide.any())

    def ends_allowed(self, resting: Array) -> Array:
        """Instants at which a segment may end: the `resting` ones, where energy sits at a bound.

        Rows over many steps (warranty cycles of a day) tie a segment to its surroundings more than energy
        does: where there are any, segments end between them instead. Rows longer than a segment reaches (the
        cycles of a year) leave no such instant: like billed peaks they have a price in it.
        """
        crossed = self.crossed_by_short(WIDEST)
        return np.flatnonzero(~crossed) if crossed.any() else resting

    def crossed_by_short(self, longest: int) -> Array:
        """Per instant, whether a row over many steps, but no more than `longest`, reaches from before it to after."""
        return self._crossed(self._wide & (self.row_last - self.row_first <= 2 * longest))

    def crossed_beside_energy(self, longest: int | None = None) -> Array:
        """Per instant, whether any row but those that carry stored energy reaches from before it to after it.

        Rows over more than `longest` steps are left out.
        """
        carries = np.zeros(self.full.rows, dtype=bool)
        for block in self.full.constraints.values():
            if block.meaning.carries_energy:
                carries[block.slice] = True
        counted = ~carries & (self.row_last <= 2 * self.steps)
        if longest is not None:
            counted &= self.row_last - self.row_first <= 2 * longest
        return self._crossed(counted)

    def spans_all(self) -> bool:
        """Whether one row reaches from the first step to the last."""
        return bool((self._wide & (self.row_first <= 1) & (self.row_last >= 2 * self.steps - 1)).any())

    def separable(self, ends: Array) -> Array:
        """Per instant, whether segments that touch there stay two: `ends` without rest that only energy crosses.

        Where segments end at rest, what touches is one plan: both ways of it hang together.
        """
        found = np.zeros(self.steps + 1, dtype=bool)
        if not self._wide.any():
            return found
        found[ends] = ~self.crossed_beside_energy()[ends]
        return found

    def _crossed(self, rows: Array) -> Array:
        """Per instant, whether any of `rows` (a mask) reaches from before it to after it."""
        rows = rows & (self.row_last > self.row_first)  # a row of one place reaches nowhere
        begun = np.zeros(2 * self.steps + 2, dtype=np.int64)
        np.add.at(begun, self.row_first[rows] + 1, 1)
        np.add.at(begun, self.row_last[rows], -1)
        crossed: Array = np.cumsum(begun)[: 2 * self.steps + 1 : 2] > 0
        return crossed

    @property
    def has_long_rows(self) -> bool:
        """Whether any row is longer than a segment reaches."""
        return bool(self._long.any())

    def cut(self, segment: Segment, x: Array, row_dual: Array, *, share: bool = False) -> SegmentPrograms:
        """The segment's programs; `x` and `row_dual` may leave out the columns and rows of the binaries.

        With `share`, rows longer than a segment reaches have their price in `held` too: what its plan uses more of
        them, others give up.
        """
        full, frame = self.full, self._frame(segment)
        columns, rows, position, outside = frame.columns, frame.rows, frame.position, frame.outside
        cost = full.cost[columns]
        # Rows of the binaries have no dual.
        worth = full.value[frame.entries] * np.where(rows < len(row_dual), row_dual.take(rows, mode="clip"), 0.0)
        np.subtract.at(cost, position[outside], worth[outside])
        if segment.joined:  # the energy at a shared instant is priced once: what one segment gets the other gives
            for energy in stores(full.variables):
                first = int(np.searchsorted(columns, energy.first + segment.first))
                cost[first] = worth[frame.inside][position[frame.inside] == first].sum()
        held = frame.program(full)
        priced = replace(held, cost=cost, lower=held.lower.copy(), upper=held.upper.copy())
        shared = outside[self._long[rows[outside]]] if share else outside[:0]
        if len(shared):
            held = replace(held, cost=held.cost.copy())
            np.subtract.at(held.cost, position[shared], worth[shared])
        instants = [i for i in (segment.first, segment.last) if 0 < i < self.steps]
        own = [block.first + np.array(instants, dtype=np.int64) for block in stores(full.variables)]
        ends = np.concatenate(own)
        at = np.searchsorted(columns, ends)
        held.lower[at] = held.upper[at] = x[ends]
        # A cut that crosses an end would take the ways beyond it from `x`, which may not have any.
        others = np.setdiff1d(outside, shared)
        coupling = np.setdiff1d(rows[others[~self._implied[rows[others]]]], self._end_rows(segment))
        if len(coupling):
            held = held.with_rows(self._coupled_rows(coupling, columns, x))
        return SegmentPrograms(priced, held, columns, at, x[ends], bool(len(coupling)))

    def slice(self, segment: Segment) -> tuple[Program, Array, Array]:
        """(program, columns, rows) of what lies wholly in the segment, its numbers as they are."""
        columns, entries = self._held_by(segment)
        rows = self._rows[entries]
        inside = self._inside(segment, rows)
        small, of = self.full.part(columns, entries[inside], rows[inside])
        return small, columns, of

    def place_of(self, segment: Segment) -> tuple[Array, Array]:
        """(columns, rows) of what lies wholly in a segment that is asked for again and again."""
        frame = self._frame(segment)
        return frame.columns, frame.own_rows

    def _frame(self, segment: Segment) -> _Frame:
        if segment not in self._frames:
            columns, entries = self._held_by(segment)
            rows = self._rows[entries]
            own = self._inside(segment, rows)
            inside, outside = np.flatnonzero(own), np.flatnonzero(~own)
            first = np.flatnonzero(np.diff(rows[inside], prepend=-1))
            start = np.append(first, len(inside)).astype(np.int32)
            position = np.searchsorted(columns, self.full.column[entries]).astype(np.int32)
            self._frames[segment] = _Frame(
                columns, entries, rows, position, inside, outside, rows[inside][first], start
            )
        return self._frames[segment]

    def begun_before(
        self, segment: Segment, columns: Array, x: Array
    ) -> tuple[Array, list[tuple[Array, Array, float, float]]]:
        """(rows that begin before the segment and end in it, what is left of them over its `columns`).

        The second is as `Program.with_rows` takes it. What came before uses of them what `x` says; rows of which it
        does not know all (NaN) are left out, and so are those that carry energy.
        """
        begun = (self.row_first < 2 * segment.first) & (self.row_last > 2 * segment.first)
        rows = np.setdiff1d(np.flatnonzero(begun & (self.row_last <= 2 * segment.last)), self._end_rows(segment))
        left = self._coupled_rows(rows, columns, x)
        known = np.array([not (np.isnan(lower) or np.isnan(upper)) for _, _, lower, upper in left], dtype=bool)
        return rows[known], [row for row, there in zip(left, known, strict=True) if there]

    def _held_by(self, segment: Segment) -> tuple[Array, Array]:
        """(columns, matrix entries) of the segment, each in the order of the full program."""
        if segment == Segment(0, self.steps):
            return np.arange(self.full.columns), np.arange(len(self.full.column))
        places = (2 * segment.first, 2 * segment.last + 1)
        columns, column_places = self._columns_in_time
        entries, entry_places = self._entries_in_time
        first, last = np.searchsorted(column_places, places)
        first_entry, last_entry = np.searchsorted(entry_places, places)
        return np.sort(columns[first:last]), np.sort(entries[first_entry:last_entry])

    def _inside(self, segment: Segment, rows: Array) -> Array:
        """Which of `rows` lie wholly in the segment."""
        if segment == Segment(0, self.steps):
            return np.ones(len(rows), dtype=bool)
        inside: Array = (self.row_first[rows] >= 2 * segment.first) & (self.row_last[rows] <= 2 * segment.last)
        return inside

    def _end_rows(self, segment: Segment) -> Array:
        """Rows that only carry stored energy across the segment's ends."""
        rows = [
            block.first + t
            for block in self.full.constraints.values()
            if block.meaning.carries_energy
            for t in (segment.first - 1, segment.last)
            if 0 <= t < self.steps
        ]
        return np.array(rows, dtype=np.int64)

    def _coupled_rows(self, coupling: Array, held: Array, x: Array) -> list[tuple[Array, Array, float, float]]:
        """Rows that reach beyond the segment, with what the rest of the plan already uses taken off."""
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


def _row_spans(full: Program, of_entry: Array) -> tuple[Array, Array]:
    """First and last place that each row touches, from those of the entries; one of nowhere stretches it over all."""
    first = np.minimum.reduceat(of_entry, full.start[:-1])
    last = np.maximum.reduceat(of_entry, full.start[:-1])
    return first, np.where(first < 0, np.iinfo(np.int64).max, last)
