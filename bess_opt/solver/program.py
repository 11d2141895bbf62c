"""The matrix form of a problem: costs, bounds and rows as arrays, and where each named component stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from bess_opt.common.arrays import Array


@dataclass(frozen=True)
class Block:
    """A named component's place in the matrix: `positions` are its values of `index`, from `first` on."""

    name: str
    index: str
    first: int
    positions: Array

    @property
    def slice(self) -> slice:
        """Its rows or columns."""
        return slice(self.first, self.first + len(self.positions))


@dataclass
class Program:
    """min cost·x + offset, row_lower <= A x <= row_upper, lower <= x <= upper.

    A stands by rows: entries `start[i]` to `start[i + 1]` of `column` and `value` are row i.
    """

    cost: Array
    offset: float
    lower: Array
    upper: Array
    row_lower: Array
    row_upper: Array
    start: Array
    column: Array
    value: Array
    integer: Array
    variables: dict[str, Block] = field(default_factory=dict)
    constraints: dict[str, Block] = field(default_factory=dict)

    @property
    def columns(self) -> int:
        """Number of variables."""
        return len(self.cost)

    @property
    def rows(self) -> int:
        """Number of constraints."""
        return len(self.row_lower)

    def row_name(self, row: int) -> tuple[str, int]:
        """(constraint, index) of a row."""
        return _lookup(self.constraints, row)

    def column_name(self, column: int) -> tuple[str, int]:
        """(variable, index) of a column."""
        return _lookup(self.variables, column)


def _lookup(blocks: dict[str, Block], place: int) -> tuple[str, int]:
    for block in blocks.values():
        if block.first <= place < block.first + len(block.positions):
            return block.name, int(block.positions[place - block.first])
    raise IndexError(place)


ENERGY, ENERGY_LAW = "energy_mwh", "energy_balance"


def own_name(name: str) -> str:
    """A component's name without that of the battery to which it belongs, where there are several."""
    return name.rpartition(".")[2]


def of_batteries(blocks: Mapping[str, Block], name: str) -> list[Block]:
    """The components called `name`, one for each battery, in their order."""
    return [block for block in blocks.values() if own_name(block.name) == name]


def places_of(full: Program) -> Array:
    """Where each column stands in time: step t at 2t+1, instant i at 2i, anything else nowhere (-1)."""
    place = np.full(full.columns, -1)
    for block in full.variables.values():
        if block.index == "instants":
            place[block.slice] = 2 * block.positions
        elif block.index == "steps":
            place[block.slice] = 2 * block.positions + 1
    return place


def with_rows(program: Program, rows: list[tuple[Array, Array, float, float]]) -> Program:
    """The program with further rows: (columns, coefficients, lower, upper) each."""
    lengths = [len(columns) for columns, _, _, _ in rows]
    return replace(
        program,
        row_lower=np.append(program.row_lower, [r[2] for r in rows]),
        row_upper=np.append(program.row_upper, [r[3] for r in rows]),
        start=np.append(program.start, program.start[-1] + np.cumsum(lengths)).astype(np.int32),
        column=np.concatenate([program.column, *(r[0] for r in rows)]).astype(np.int32),
        value=np.concatenate([program.value, *(r[1] for r in rows)]),
    )


def priced(program: Program, row: Array) -> Array:
    """Aᵀy: what each column uses of the rows, at the prices `row`."""
    of_entry = program.value * np.repeat(row, np.diff(program.start))
    used: Array = np.bincount(program.column, weights=of_entry, minlength=program.columns)
    return used


def activity(program: Program, x: Array) -> Array:
    """Ax: the value of each row."""
    rows = np.repeat(np.arange(program.rows), np.diff(program.start))
    values: Array = np.bincount(rows, weights=program.value * x[program.column], minlength=program.rows)
    return values
