"""The rows of several batteries without the grid: stretches of steps side by side in one linear program.

Powers and energies are shares of the plant's size. A column per step and battery: charge, discharge at the AC side,
energy at the end, "above its floor"; per step what the inverter gives of PV over, takes, and gives of the batteries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array

from bess_opt.common.arrays import Array
from bess_opt.comparison.resilience.island import Island, Unit
from bess_opt.solver.program import Program


@dataclass(frozen=True)
class Stretch:
    """Steps `first` to `last`, from `energy` in MWh in each battery."""

    first: int
    last: int
    energy: Array

    @property
    def steps(self) -> int:
        """Number of steps."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Parts:
    """A program of several stretches: their steps one after the other, then the shares, starts and levels of all.

    A stretch's last step is scaled by its share. `begins` and `ends` are its first and last row of `flows`, `least`
    the least energy at the end of each step.
    """

    stretches: Sequence[Stretch]
    program: Program
    begins: Array
    ends: Array
    least: Array
    width: int

    @property
    def shares(self) -> slice:
        """The columns of the shares."""
        first = (int(self.ends[-1]) + 1) * self.width
        return slice(first, first + len(self.stretches))

    @property
    def levels(self) -> slice:
        """The columns of the levels."""
        return slice(self.program.columns - len(self.stretches), self.program.columns)

    def flows(self, x: Array) -> Array:
        """The columns of the steps, a row for each."""
        flows: Array = x[: self.shares.start].reshape(-1, self.width)
        return flows


class Rows:
    """What a step asks of batteries and inverter, and its numbers in each step of the horizon."""

    def __init__(self, island: Island, units: Sequence[Unit]) -> None:
        n, scale = len(units), island.plant.scale_mw
        self.count, self.scale = n, scale
        self.kept = np.array([unit.kept for unit in units])
        self.floor = np.array([unit.floor for unit in units]) / scale
        self.drawn = np.array([unit.drawn for unit in units]).T / scale
        self.gives = np.array([unit.gives for unit in units]).T / scale
        self.lacks = np.where(island.lacks_mw > island.tolerance_mw, island.lacks_mw, 0.0) / scale
        self.through = island.gives_mw / scale
        self._columns(island, units)
        self._rows(island, units)

    def _columns(self, island: Island, units: Sequence[Unit]) -> None:
        """Per step: charge, discharge, energy at its end, "above its floor" of each; inverter over, back, given."""
        lacking, scale = self.lacks > 0.0, self.scale
        upper = np.zeros((len(self.lacks), 4 * self.count + 3))
        for i, unit in enumerate(units):
            charges = ~lacking | ((island.spare_dc_mw > 0.0) & unit.on_dc_bus)
            upper[:, i] = np.where(charges, unit.takes / scale, 0.0)
            upper[:, self.count + i] = np.where(lacking, self.gives[:, i], 0.0)
            upper[:, 2 * self.count + i] = np.maximum(unit.ceiling, unit.floor) / scale
        upper[:, 3 * self.count : 4 * self.count] = 1.0
        upper[:, -3] = np.where(lacking, 0.0, self.through)
        upper[:, -2] = np.where(lacking, 0.0, island.takes_mw / scale)
        upper[:, -1] = np.where(lacking, self.through, 0.0)
        self.upper = upper

    def _rows(self, island: Island, units: Sequence[Unit]) -> None:
        """Per step: the law of each battery, what is lacking, the inverter, PV over on either bus, floors."""
        n, width = self.count, 4 * self.count + 3
        behind = np.array([unit.on_dc_bus for unit in units], dtype=float)
        own = np.zeros((3 * n + 4, width))
        each, most = np.arange(n), self.gives.max(axis=0)
        own[each, each] = [-unit.into for unit in units]
        own[each, n + each] = [unit.out for unit in units]
        own[each, 2 * n + each] = 1.0
        own[n, n : 2 * n], own[n, -1] = behind - 1.0, -1.0
        own[n + 1, n : 2 * n], own[n + 1, -1] = -behind, 1.0
        own[n + 2, :n], own[n + 2, -3:-1] = 1.0 - behind, (-1.0, 1.0)
        own[n + 3, :n], own[n + 3, -3:-1] = behind, (1.0 / island.eta_out, -island.eta_in)
        own[n + 4 + each, n + each], own[n + 4 + each, 3 * n + each] = 1.0, -most
        own[2 * n + 4 + each, 2 * n + each], own[2 * n + 4 + each, 3 * n + each] = -1.0, self.floor
        self.own = own
        side = np.zeros((len(self.lacks), 3 * n + 4))
        side[:, :n], side[:, n] = -self.drawn, -self.lacks
        side[:, n + 2], side[:, n + 3] = island.spare_ac_mw / self.scale, island.spare_dc_mw / self.scale
        self.side = side

    def beside(self, stretches: Sequence[Stretch], rates_mwh: Array | None = None) -> Parts:
        """All stretches in one program, without a cost.

        With `rates_mwh`, a row each, the energies at the start follow from a level: so many times the rate above the
        floor, at most that of the stretch. Else they are those of the stretch.
        """
        n, count, level = self.count, len(stretches), rates_mwh is not None
        steps = np.concatenate([np.arange(one.first, one.last + 1) for one in stretches])
        ends = np.cumsum([one.steps for one in stretches]) - 1
        begins = np.append(0, ends[:-1] + 1)
        energy = np.array([one.energy for one in stretches]) / self.scale
        lowest = np.tile(self.floor, (count, 1)) if level else energy
        starts = np.maximum(energy, self.floor) if level else energy
        least = np.concatenate(
            [self._least(one.first, one.last, own) for one, own in zip(stretches, lowest, strict=True)]
        )
        upper, lower, side = self.upper[steps], np.zeros((len(steps), self.upper.shape[1])), self.side[steps]
        lower[:, 2 * n : 3 * n], lower[:, 3 * n : 4 * n] = least, least >= self.floor
        upper[ends, :n] = 0.0  # what is charged in the last step comes too late
        side[ends, n] = 0.0
        above = np.tile(self.floor, count) if level else np.full(n * count, np.inf)
        rates = np.zeros((count, n)) if rates_mwh is None else rates_mwh / self.scale
        sides = np.concatenate([side.ravel(), np.zeros(count * (n + 1)), above])
        rows, columns, values = self._entries(steps[ends], begins, ends, rates)
        shape = len(sides), upper.size + count * (n + 2)
        matrix = coo_array((values, (rows, columns)), shape=shape).tocsr()
        nothing, one = np.zeros(count), np.ones(count)
        program = Program(
            cost=np.zeros(shape[1]),
            offset=0.0,
            lower=np.concatenate([lower.ravel(), nothing, lowest.ravel(), nothing]),
            upper=np.concatenate([upper.ravel(), one, starts.ravel(), np.full(count, np.inf if level else 0.0)]),
            row_lower=np.full(len(sides), -np.inf),
            row_upper=sides,
            start=matrix.indptr.astype(np.int32),
            column=matrix.indices.astype(np.int32),
            value=matrix.data,
            integer=np.zeros(shape[1], dtype=bool),
        )
        return Parts(stretches, program, begins, ends, least, self.upper.shape[1])

    def _entries(self, last: Array, begins: Array, ends: Array, rates: Array) -> tuple[Array, Array, Array]:
        """(rows, columns, values): the steps, what the shares scale in the last ones, and the energies of levels."""
        n, (height, width), count = self.count, self.own.shape, len(last)
        m, each, which = int(ends[-1]) + 1, np.arange(n), np.arange(count)[:, None]
        step, (row, column) = np.arange(m)[:, None], np.nonzero(self.own)
        share, start = m * width + which, m * width + count + which * n + each
        level = m * width + count * (n + 1) + which
        later = np.setdiff1d(np.arange(m), begins)[:, None]
        scaled = m * height + which * (n + 1) + np.arange(n + 1)
        flows = ends[:, None] * width + np.append(n + each, width - 1)
        limits = np.concatenate([self.gives[last], self.through[last][:, None]], axis=1)
        above = m * height + count * (n + 1) + which * n + each
        found = [
            (step * height + row, step * width + column, self.own[row, column]),
            (later * height + each, (later - 1) * width + 2 * n + each, -self.kept),
            (begins[:, None] * height + each, start, -self.kept),
            (ends[:, None] * height + n, share, self.lacks[last][:, None]),
            (scaled, flows, np.ones(1)),
            (scaled, share, -limits),
            (above, start, np.ones(1)),
            (above, level, -rates),
        ]
        even = [[entry.ravel() for entry in np.broadcast_arrays(*part)] for part in found]
        rows, columns, values = (np.concatenate([part[k] for part in even]) for k in range(3))
        return rows, columns, values

    def _least(self, first: int, last: int, energy: Array) -> Array:
        """What self-discharge leaves at the end of each step of a battery that starts at its floor or below."""
        steps = np.arange(1, last - first + 2)[:, None]
        low = np.minimum(self.floor, energy) * self.kept**steps
        at_floor = (self.drawn[first : last + 1] > 0.0) | (low >= self.floor * (1.0 - 1e-12))
        found: Array = np.where(at_floor, self.floor, low)
        return found
