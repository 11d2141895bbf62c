"""The matrix form of a problem: costs, bounds and rows as arrays, and where each named component stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.sparse import csr_array
from bess_opt.models.meaning import NOTHING_SAID, Meaning


@dataclass(frozen=True)
class Block:
    """A named component's place in the matrix: `positions` are its values of `index`, from `first` on.

    `meaning` is what it stands for, as said where it was declared, and `battery` the one of several batteries that
    it belongs to, "" for all else.
    """

    name: str
    index: str
    first: int
    positions: Array
    meaning: Meaning = NOTHING_SAID
    battery: str = ""

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

    @property
    def row_of_entry(self) -> Array:
        """The row of each entry of the matrix."""
        return np.repeat(np.arange(self.rows), np.diff(self.start))

    @property
    def place(self) -> Array:
        """Where each column stands in time: step t at 2t+1, instant i at 2i, anything else nowhere (-1)."""
        place = np.full(self.columns, -1)
        for block in self.variables.values():
            if block.index == "instants":
                place[block.slice] = 2 * block.positions
            elif block.index == "steps":
                place[block.slice] = 2 * block.positions + 1
        return place

    def activity(self, x: Array) -> Array:
        """Ax: the value of each row."""
        values: Array = self._matrix() @ x
        return values

    def holds(self, x: Array, slack: float) -> bool:
        """Whether every row holds at `x`, by no more than `slack` beyond its sides."""
        values = self.activity(x)
        return bool((values >= self.row_lower - slack).all() and (values <= self.row_upper + slack).all())

    def priced(self, row: Array) -> Array:
        """Aᵀy: what each column uses of the rows, at the prices `row`."""
        used: Array = self._matrix().T @ row
        return used

    def _matrix(self) -> csr_array[Any]:
        """The matrix as SciPy has it, on the same memory."""
        return csr_array((self.value, self.column, self.start), shape=(self.rows, self.columns))

    def entries_of(self, rows: Array) -> tuple[Array, Array]:
        """(matrix entries of `rows`, number of each entry's row among them)."""
        counts = self.start[rows + 1] - self.start[rows]
        row = np.repeat(np.arange(len(rows)), counts)
        within = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(self.start[rows], counts) + within, row

    def part(self, columns: Array, entries: Array, row_of: Array) -> tuple[Program, Array]:
        """(the program of `columns`, which hold all `entries`, and of the rows of these, those rows).

        Columns and entries ascend, and so does `row_of`, the row of each entry. What else the rows hold is left out.
        """
        first = np.flatnonzero(np.diff(row_of, prepend=-1))
        rows, counts = row_of[first], np.diff(first, append=len(row_of))
        small = Program(
            cost=self.cost[columns],
            offset=0.0,
            lower=self.lower[columns],
            upper=self.upper[columns],
            row_lower=self.row_lower[rows],
            row_upper=self.row_upper[rows],
            start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            column=np.searchsorted(columns, self.column[entries]).astype(np.int32),
            value=self.value[entries],
            integer=self.integer[columns],
        )
        return small, rows

    def with_rows(self, rows: list[tuple[Array, Array, float, float]]) -> Program:
        """The program with further rows: (columns, coefficients, lower, upper) each."""
        lengths = [len(columns) for columns, _, _, _ in rows]
        return replace(
            self,
            row_lower=np.append(self.row_lower, [r[2] for r in rows]),
            row_upper=np.append(self.row_upper, [r[3] for r in rows]),
            start=np.append(self.start, self.start[-1] + np.cumsum(lengths)).astype(np.int32),
            column=np.concatenate([self.column, *(r[0] for r in rows)]).astype(np.int32),
            value=np.concatenate([self.value, *(r[1] for r in rows)]),
        )

    def with_choices_held(self, x: Array) -> Program:
        """The program with its yes-or-no choices held as they are in `x`: a linear one."""
        choice = np.round(x[: self.columns])
        return replace(
            self,
            lower=np.where(self.integer, choice, self.lower),
            upper=np.where(self.integer, choice, self.upper),
            integer=np.zeros_like(self.integer),
        )

    def relaxed(self) -> Program:
        """The program without whole numbers."""
        return replace(self, integer=np.zeros_like(self.integer))

    def with_columns_closed(self, closed: Array) -> Program:
        """The program with the columns that `closed` marks held at 0."""
        return replace(self, lower=np.where(closed, 0.0, self.lower), upper=np.where(closed, 0.0, self.upper))

    def same_structure(self, other: Program) -> bool:
        """Whether the entries of the matrix of `other` stand where those of this one do."""
        return (
            self.columns == other.columns
            and np.array_equal(self.start, other.start)
            and np.array_equal(self.column, other.column)
        )


def _lookup(blocks: dict[str, Block], place: int) -> tuple[str, int]:
    for block in blocks.values():
        if block.first <= place < block.first + len(block.positions):
            return block.name, int(block.positions[place - block.first])
    raise IndexError(place)


ENERGY, ENERGY_LAW = "energy_mwh", "energy_balance"


def own_name(name: str) -> str:
    """A component's name without that of the battery to which it belongs, where there are several."""
    return name.rpartition(".")[2]


def of_flow(variables: Mapping[str, Block], flow: str) -> list[Block]:
    """The variables that are `flow`, one for each battery, in their order."""
    return [block for block in variables.values() if block.meaning.flow == flow and block.meaning.kind == "flow"]


def law_of(constraints: Mapping[str, Block], flow: str) -> list[Block]:
    """The laws of `flow`, one for each battery, in their order."""
    return [block for block in constraints.values() if block.meaning.flow == flow and block.meaning.kind == "law"]


def stores(blocks: Mapping[str, Block]) -> list[Block]:
    """The variables of stored energy, whole or in segments: what passes from one step to the next."""
    return [block for block in blocks.values() if block.index == "instants"]
