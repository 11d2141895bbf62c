"""How two programs of one shape differ: what a size moves in costs, bounds, sides and coefficients."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array, dot
from bess_opt.solver.program import Program


@dataclass(frozen=True)
class Duals:
    """A proven optimum `x` and its prices, all for the objective that is maximised, cᵀx.

    `row` is y (0 or more at an upper side), `column` z = c − Aᵀy, `closed` marks the columns that the one-way rule's
    pattern holds at zero. Of several sets of duals this is the one that the solver ended with.
    """

    x: Array
    row: Array
    column: Array
    closed: Array


@dataclass(frozen=True)
class Change:
    """What differs from one program to another of the same shape: bounds, sides, and the matrix if it does."""

    lower: Array
    upper: Array
    row_lower: Array
    row_upper: Array
    cost: Array
    offset: float
    matrices: tuple[Program, Program] | None

    @classmethod
    def between(cls, smaller: Program, larger: Program) -> Change:
        """From `smaller` to `larger`; a bound that is none does not change."""
        same = smaller.value is larger.value or np.array_equal(smaller.value, larger.value)
        return cls(
            _change(smaller.lower, larger.lower),
            _change(smaller.upper, larger.upper),
            _change(smaller.row_lower, larger.row_lower),
            _change(smaller.row_upper, larger.row_upper),
            larger.cost - smaller.cost,
            larger.offset - smaller.offset,
            None if same else (smaller, larger),
        )

    def per(self, nudge: float) -> Change:
        """The change for each unit of a size that `nudge` units made."""
        return replace(
            self,
            lower=self.lower / nudge,
            upper=self.upper / nudge,
            row_lower=self.row_lower / nudge,
            row_upper=self.row_upper / nudge,
            cost=self.cost / nudge,
            offset=self.offset / nudge,
        )

    def worth(self, duals: Duals) -> float:
        """First-order change of the maximum, at the prices of a program between the two."""
        x, y, z = duals.x, duals.row, duals.column
        bounds = np.where(z > 0.0, np.where(duals.closed, 0.0, self.upper), self.lower)
        sides = np.where(y > 0.0, self.row_upper, self.row_lower)
        worth = dot(z, bounds) + dot(y, sides) - dot(self.cost, x) - self.offset
        if self.matrices is not None:
            smaller, larger = self.matrices
            worth -= dot(y, larger.activity(x) - smaller.activity(x))
        return worth


def _change(before: Array, after: Array) -> Array:
    """Difference of two bounds; a bound that is none does not change."""
    finite = np.isfinite(before) & np.isfinite(after)
    change: Array = np.subtract(after, before, out=np.zeros(len(before)), where=finite)
    return change


@dataclass(frozen=True)
class Direction:
    """Change of a program's bounds and sides per unit of a size."""

    lower: Array
    upper: Array
    row_lower: Array
    row_upper: Array

    def times(self, factor: float) -> Direction:
        """The change multiplied by `factor`, so that it is per another unit of what changed."""
        return Direction(factor * self.lower, factor * self.upper, factor * self.row_lower, factor * self.row_upper)

    def of_floors(self) -> Direction:
        """The change of lower bounds alone."""
        nothing = np.zeros(len(self.upper))
        return replace(self, upper=nothing)


def direction_of(program: Program, moved: Program, by: float) -> Direction | None:
    """How `program` becomes `moved` by a small change of a size; None if not by bounds and sides alone."""
    if not program.same_structure(moved) or not np.allclose(program.value, moved.value, rtol=1e-12, atol=0.0):
        return None
    return Direction(
        _change(program.lower, moved.lower) / by,
        _change(program.upper, moved.upper) / by,
        _change(program.row_lower, moved.row_lower) / by,
        _change(program.row_upper, moved.row_upper) / by,
    )
