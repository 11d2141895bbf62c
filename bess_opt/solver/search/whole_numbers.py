"""Whole-number columns of a linear program's solution: which of them its rows let be whole as all else stands."""

from __future__ import annotations

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.program import Program

WHOLE = 1e-7  # less than this beyond a whole number is one


class WholeNumbers:
    """The columns `of` a program, each by itself: a least bid is met or not at whatever its choice is in part."""

    def __init__(self, program: Program, of: Array) -> None:
        self.of = of
        row_of = program.row_of_entry
        rows = np.unique(row_of[np.isin(program.column, of)])
        entries, self._row = program.entries_of(rows)
        self._column, self._value = program.column[entries], program.value[entries]
        self._lower, self._upper = program.row_lower[rows], program.row_upper[rows]
        order = np.argsort(of)
        at = order[np.searchsorted(of, self._column, sorter=order).clip(max=max(len(of) - 1, 0))]
        self._own = np.flatnonzero(of[at] == self._column) if len(of) else np.zeros(0, dtype=np.int64)
        self._at = at[self._own] if len(of) else self._own

    def nearest(self, x: Array) -> tuple[Array, Array]:
        """(the least whole number that its rows let each column be, 0 there and else its part beyond a whole number).

        Where there is none the first is the whole number below.
        """
        if not len(self.of):
            return np.zeros(0), np.zeros(0)
        low, high = self._range(x)
        whole = np.ceil(low - WHOLE)
        missed = whole > high + WHOLE
        part = np.clip(high - whole + 1.0, WHOLE, 1.0 - WHOLE)
        return np.where(missed, whole - 1.0, whole), np.where(missed, part, 0.0)

    def _range(self, x: Array) -> tuple[Array, Array]:
        """(least, most) that the rows let each column be, all others as in `x`."""
        activity = np.bincount(self._row, self._value * x[self._column], len(self._lower))
        row, value = self._row[self._own], self._value[self._own]
        sides = np.stack([self._lower[row] - activity[row], self._upper[row] - activity[row]]) / value
        here = x[self.of]
        low, high = np.full(len(here), -np.inf), np.full(len(here), np.inf)
        np.maximum.at(low, self._at, here[self._at] + sides.min(axis=0))
        np.minimum.at(high, self._at, here[self._at] + sides.max(axis=0))
        return np.maximum(low, 0.0), high
