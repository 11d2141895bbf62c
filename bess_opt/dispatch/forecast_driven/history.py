"""What has happened, as a window needs it: values of past decisions, and what they make of the gauges."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.dispatch.forecast_driven.horizon import Horizon, WindowEntries


class History:
    """Past decisions of a horizon. `flows` are the places of each flow, by name."""

    def __init__(self, horizon: Horizon) -> None:
        program = horizon.program
        self._horizon = horizon
        self.flows = {name: block for name, block in program.variables.items() if block.meaning.kind == "flow"}
        self._x = np.zeros(program.columns)
        self._least, self._most = np.full(program.columns, -np.inf), np.full(program.columns, np.inf)
        self._settled = 0

    def record(self, first: int, flows: Mapping[str, Array]) -> None:
        """Enter what the plant did from step `first` on, its flows by name."""
        for name, block in self.flows.items():
            later = 1 if block.index == "instants" else 0
            values = flows[name][later:]
            begin = block.first + first + later
            self._x[begin : begin + len(values)] = values

    def bounds(self, happened: int, first: int) -> tuple[Array, Array]:
        """What history makes of the gauges; what is only expected up to `first` counts for this window alone."""
        self._settled = self._settle(self._settled, happened, self._least, self._most)
        if first == happened:
            return self._least, self._most
        least, most = self._least.copy(), self._most.copy()
        self._settle(self._settled, first, least, most)
        return least, most

    def _settle(self, done: int, step: int, least: Array, most: Array) -> int:
        """Turn rows whose decisions lie before `step` into bounds of their gauge."""
        horizon, program = self._horizon, self._horizon.program
        end = int(np.searchsorted(horizon.lasting_to, 2 * step, side="right"))
        if end <= done:
            return done
        rows = horizon.lasting[done:end]
        entry, row = program.entries_of(rows)
        column, value = program.column[entry], program.value[entry]
        known = horizon.decides[column]
        used = np.bincount(row[known], value[known] * self._x[column[known]], minlength=len(rows))
        gauge, factor = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows))
        gauge[row[~known]], factor[row[~known]] = column[~known], value[~known]
        below, above = program.row_lower[rows] - used, program.row_upper[rows] - used
        tied = factor != 0.0  # a block in which nothing may be held says nothing of whether it is
        gauge, factor, below, above = gauge[tied], factor[tied], below[tied], above[tied]
        sides = below / factor, above / factor
        np.maximum.at(least, gauge, np.where(factor > 0.0, sides[0], sides[1]))
        np.minimum.at(most, gauge, np.where(factor > 0.0, sides[1], sides[0]))
        return end

    def used(self, entries: WindowEntries, value: Array, least: Array, most: Array) -> Array:
        """What has happened uses of each row of `entries`; `value` are the coefficients of its past entries."""
        if not len(entries.past):
            return np.zeros(len(entries.rows))
        of = self._horizon.program.column[entries.past]
        low, high = least[of], most[of]
        settled = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0))
        happened = np.where(self._horizon.decides[of], self._x[of], settled)
        used: Array = np.bincount(entries.past_row, value * happened, minlength=len(entries.rows))
        return used
