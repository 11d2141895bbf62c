"""Names for what a column or row of the program stands for, and the step to which each belongs."""

from __future__ import annotations

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.plant.plant import Storage
from bess_opt.solver.program import Block, Program, own_name


class Places:
    """The steps that rows and columns stand in: their own, or those of what they are tied to."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.step = np.full(program.columns, -1)
        for block in program.variables.values():
            if block.index == "steps":
                self.step[block.slice] = block.positions
            elif block.index == "instants":
                self.step[block.slice] = np.maximum(block.positions - 1, 0)
        self._by_column = np.argsort(program.column, kind="stable")
        self._first = np.searchsorted(program.column[self._by_column], np.arange(program.columns + 1))
        self._row_of = program.row_of_entry

    def of_row(self, row: int) -> Array:
        """Steps of the row's columns; if none has any, of what these are tied to."""
        return self._reached([row])

    def of_column(self, column: int) -> Array:
        """The column's own step, or those of its rows."""
        return self.step[column : column + 1] if self.step[column] >= 0 else self._reached(self._rows_of(column))

    def _reached(self, rows: list[int]) -> Array:
        """Steps of the nearest rows that have some, from `rows` on; each row is looked at once."""
        program, found, seen, waiting = self._program, [], set(rows), list(rows)
        while waiting:
            at = waiting.pop()
            columns = program.column[program.start[at] : program.start[at + 1]]
            steps = self.step[columns]
            if (steps >= 0).any():
                found.append(steps[steps >= 0])
                continue
            further = {other for column in columns.tolist() for other in self._rows_of(column)} - seen
            seen |= further
            waiting += sorted(further)
        return _union(found)

    def _rows_of(self, column: int) -> list[int]:
        entries = self._by_column[self._first[column] : self._first[column + 1]]
        return [int(row) for row in self._row_of[entries]]


def _union(parts: list[Array]) -> Array:
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)


def reserved(battery: Storage) -> Array:
    """Instants at which a stated reserve, not the SOC window, is the floor."""
    floor = battery.floor_mwh
    held: Array = floor > floor[0] * (1.0 + 1e-12)
    return held


def causes_of(block: Block) -> tuple[str, str]:
    """(where too low, where too high) why a component binds or a plan differs from the optimum, in words."""
    cause = block.meaning.cause or _readable(own_name(block.name))
    return cause, block.meaning.cause_too_high or cause


def cause_of(block: Block) -> str:
    """Why a constraint binds, in words."""
    return causes_of(block)[0]


def _readable(name: str) -> str:
    return name.removesuffix("_mwh").removesuffix("_mw").replace("_", " ")
