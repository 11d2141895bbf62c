"""The part of a model that stands beside its steps: peaks, what is billed of them, and what they cost.

Variables that belong to no step are reached from the steps in one way only: each is a ceiling over one flow of many
steps. What they cost and how they hang together is a small linear program of its own. It is read from the model's
rules like the steps; nothing is known here of tariffs or months.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from bess_opt.common.arrays import Array, Integers
from bess_opt.models.components import ArrayVar
from bess_opt.solver.expand import Relation

Slices = dict[str, slice]


@dataclass(frozen=True)
class Ceilings:
    """Rows of one name: flow `column` of step `step[i]` is at most variable `of[i]` of the part beside the steps."""

    name: str
    column: int
    step: Integers
    of: Integers


@dataclass(frozen=True)
class Beside:
    """Beside `steps` steps: max cost·x, row_lower <= matrix·x <= row_upper, lower <= x <= upper.

    Some of the x are `ceilings` over a flow of the steps. `variables` and `rows` say by the model's names where each
    stands.
    """

    steps: int
    variables: Slices
    rows: Slices
    matrix: csr_array
    row_lower: Array
    row_upper: Array
    lower: Array
    upper: Array
    cost: Array
    ceilings: tuple[Ceilings, ...]

    @property
    def column(self) -> int:
        """The one flow that has ceilings."""
        return self.ceilings[0].column

    def least_over(self, values: Array) -> tuple[Array, Integers]:
        """(the lowest ceiling of each step, inf where there is none; which place of `tied` it is, −1 for none)."""
        step, of = self.tied
        height, which = np.full(self.steps, np.inf), np.full(self.steps, -1)
        order = np.argsort(-values[of], kind="stable")  # the lowest is written last
        height[step[order]], which[step[order]] = values[of][order], order
        return height, which

    def reached(self, flow: Array) -> Array:
        """How high each variable must be as a ceiling over `flow` (a value per step)."""
        step, of = self.tied
        highest = np.zeros(len(self.cost))
        np.maximum.at(highest, of, flow[step])
        return highest

    @property
    def tied(self) -> tuple[Integers, Integers]:
        """(step, variable) of all ceilings, one name after the other."""
        return np.concatenate([c.step for c in self.ceilings]), np.concatenate([c.of for c in self.ceilings])


@dataclass
class BesideReader:
    """Collects variables that belong to no step, and the rows that hold them.

    `first` is where each such variable's columns begin in the model, `places` where they stand in `Beside`.
    """

    variables: dict[str, Any]
    names: list[str]
    refused: list[str]

    def __post_init__(self) -> None:
        self.slices: Slices = {}
        self._rows: list[tuple[str, Relation, Array]] = []
        self._ceilings: list[Ceilings] = []
        begin = 0
        self.place_of = np.full(sum(len(b.positions) for b in self.variables.values()), -1)
        for name in self.names:
            block = self.variables[name]
            self.slices[name] = slice(begin, begin + len(block.positions))
            self.place_of[block.slice] = np.arange(begin, begin + len(block.positions))
            begin += len(block.positions)
        self.columns = begin

    def takes(self, name: str, relation: Relation, number: dict[str, int], steps_of: Any) -> bool:
        """Whether rows of a constraint hold variables of no step; they are then kept, or refused with the reason.

        `steps_of` gives (variable, steps) of columns of the model that are all of one variable.
        """
        rows, columns, values = entries_of(relation)
        mine = self.place_of[columns] >= 0
        if not mine.any():
            return False
        sides = [np.broadcast_to(side - relation.body.constant, relation.body.rows) for side in _sides(relation)]
        if mine.all():
            self._rows.append((name, relation, np.array(sides)))
            return True
        variable, step = steps_of(columns[~mine])
        once = np.array_equal(np.sort(rows[~mine]), np.arange(relation.body.rows))
        once = once and np.array_equal(np.sort(rows[mine]), np.arange(relation.body.rows))
        ceiling = once and variable in number and bool((values[mine] == 1.0).all() and (values[~mine] == -1.0).all())
        if not ceiling or bool((sides[0] != 0.0).any()) or bool(np.isfinite(sides[1]).any()):
            above = next(
                n for n, own in self.slices.items() if own.start <= self.place_of[columns[mine][0]] < own.stop
            )
            self.refused.append(f"{name}: {above} holds more than a flow of one step at a time below it")
            return True
        over = np.empty(relation.body.rows, dtype=np.int64)
        under = np.empty(relation.body.rows, dtype=np.int64)
        over[rows[mine]], under[rows[~mine]] = self.place_of[columns[mine]], step
        self._ceilings.append(Ceilings(name, number[variable], under, over))
        return True

    def made(self, model: Any, steps: int, cost: Array) -> Beside | None:
        """What was read; None where the model has nothing beside its steps."""
        if not self.names:
            return None
        if len({c.column for c in self._ceilings}) != 1:
            self.refused += [f"{name}: belongs to no step, and is no ceiling over a flow" for name in self.names]
            return None
        own: list[ArrayVar] = [getattr(model, name) for name in self.names]
        rows, begin, parts = {}, 0, []
        for name, relation, _ in self._rows:
            count = relation.body.rows
            rows[name] = slice(begin, begin + count)
            at, columns, values = entries_of(relation)
            parts.append((at + begin, self.place_of[columns], values))
            begin += count
        at, columns, values = (np.concatenate([p[k] for p in parts] or [np.zeros(0)]) for k in range(3))
        sides = np.hstack([s for _, _, s in self._rows]) if self._rows else np.zeros((2, 0))
        return Beside(
            steps=steps,
            variables=self.slices,
            rows=rows,
            matrix=csr_array((values, (at.astype(np.int64), columns.astype(np.int64))), (begin, self.columns)),
            row_lower=sides[0],
            row_upper=sides[1],
            lower=np.concatenate([v.lower_values for v in own]),
            upper=np.concatenate([v.upper_values for v in own]),
            cost=cost,
            ceilings=tuple(self._ceilings),
        )


def entries_of(relation: Relation) -> tuple[Array, Array, Array]:
    """(row, column, coefficient) of every term that is not zero."""
    terms = [(r, c, np.broadcast_to(np.asarray(v, dtype=float), len(c))) for r, c, v in relation.body.terms]
    rows, columns, values = (np.concatenate([t[k] for t in terms]) for k in range(3))
    there = values != 0.0
    return rows[there], columns[there], values[there]


def _sides(relation: Relation) -> tuple[float, float]:
    return relation.lower, relation.upper
