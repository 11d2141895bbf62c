"""The small program of ceilings: the best of them under what the plans tried so far say of every stretch of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from bess_opt.common.arrays import Array, Integers
from bess_opt.solver.value_function.on_top.beside import Beside
from bess_opt.solver.value_function.step_program import NotStepwiseError, StepProgram

HIGHER = 1e3  # times the battery: beyond this a ceiling limits nothing
TURNING = 1e4  # in how many units of money the small program sees the whole


@dataclass(frozen=True)
class StretchPlanes:
    """What the prices of one plan say of every stretch, whatever its energies and ceilings.

    It brings at most `constant` + `before` · its start energy − `after` · its end energy + Σ `peak` · its ceilings.
    `row`, `price` and `tied` are those prices: of the steps' rows, of stored energy, of each ceiling over a step.
    """

    constant: Array
    before: Array
    after: Array
    peak: Array
    row: Array
    price: Array
    tied: Array


@dataclass(frozen=True)
class Choice:
    """A choice of the variables beside the steps (`x`) and its `bound` on the money of all plans.

    `weight` is how much each cut (row) counts in each stretch (column), `row` the prices of the rows beside the
    steps.
    """

    x: Array
    bound: float
    weight: Array
    row: Array


class SmallProgram:
    """max Σ stretches + money beside the steps, over energies between stretches and the variables beside the steps.

    `first` is the first step of each stretch, `stretch_of` the stretch of each variable that is a ceiling; `money`
    is the size of the whole.
    """

    def __init__(
        self, program: StepProgram, beside: Beside, first: Integers, stretch_of: Integers, money: float
    ) -> None:
        self.cuts: list[StretchPlanes] = []
        self._beside, self._parts = beside, len(first)
        self._unit, self._size = max(money, 1e-300) / TURNING, max(float(np.max(program.most)), 1e-300)
        ends = np.append(first, program.steps)
        self._peaks = np.unique(beside.tied[1])
        self._stretch = stretch_of[self._peaks]
        worth = np.broadcast_to(program.energy_worth[0], program.steps + 1)[ends]
        self._cost = np.concatenate([beside.cost, worth]) * (self._size / self._unit)
        self._lower = np.concatenate([beside.lower, program.least[ends]]) / self._size
        self._upper = np.concatenate([beside.upper, program.most[ends]]) / self._size
        over, under = np.isfinite(beside.row_upper), np.isfinite(beside.row_lower)
        own = vstack([beside.matrix[np.flatnonzero(over)], -beside.matrix[np.flatnonzero(under)]], format="csr")
        self._own_sides = np.concatenate([beside.row_upper[over], -beside.row_lower[under]]) / self._size
        self._own_place = np.concatenate([np.flatnonzero(over), np.flatnonzero(under)])
        self._own_sign = np.repeat([1.0, -1.0], [over.sum(), under.sum()])
        self._own, count = own, own.shape[0]
        wide = csr_array((count, 2 * self._parts + 1))
        self._rows, self._sides = [hstack([own, wide], format="csr")], [self._own_sides]

    def add(self, cut: StretchPlanes) -> None:
        """One more cut for every stretch."""
        self.cuts.append(cut)
        parts, n, each = self._parts, len(self._beside.cost), np.arange(self._parts)
        of_money = self._size / self._unit
        values = [-cut.peak[self._peaks] * of_money, -cut.before * of_money, cut.after * of_money, np.ones(parts)]
        rows = [self._stretch, each, each, each]
        columns = [self._peaks, n + each, n + each + 1, n + parts + 1 + each]
        places = (np.concatenate(rows), np.concatenate(columns))
        self._rows.append(csr_array((np.concatenate(values), places), (parts, n + 2 * parts + 1)))
        self._sides.append(cut.constant / self._unit)

    def best(self, least: Array) -> Choice:
        """The best choice with the variables at `least` or above."""
        parts, n = self._parts, len(self._beside.cost)
        lower = self._lower.copy()
        lower[:n] = np.maximum(lower[:n], np.minimum(least / self._size, self._upper[:n]))
        bounds = np.column_stack([lower, self._upper])
        bounds = np.vstack([bounds, np.tile([-np.inf, np.inf], (parts, 1))])
        cost = np.append(self._cost, np.ones(parts))
        found = _solved(cost, vstack(self._rows, format="csr"), np.concatenate(self._sides), bounds, self._beside)
        price, own = -found.ineqlin.marginals, len(self._own_place)
        row = np.zeros(len(self._beside.row_lower))
        np.add.at(row, self._own_place, self._own_sign * price[:own] * (self._unit / self._size))
        return Choice(found.x[:n] * self._size, -found.fun * self._unit, price[own:].reshape(-1, parts), row)

    def highest(self, x: Array) -> Array:
        """`x` with its ceilings as high as they can be for the same money."""
        n, money = len(x), self._beside.cost / max(float(np.abs(self._beside.cost).max(initial=0.0)), 1e-300)
        above, lower, upper = np.zeros(n), self._lower[:n].copy(), self._upper[:n].copy()
        above[self._peaks] = 1.0
        lower[self._peaks] = x[self._peaks] / self._size
        upper[self._peaks] = np.fmin(upper[self._peaks], lower[self._peaks] + HIGHER)
        rows = vstack([self._own, csr_array(-money[np.newaxis])], format="csr")
        sides = np.append(self._own_sides, -float(money @ x) / self._size)
        bounds = np.column_stack([lower, np.maximum(upper, lower)])
        found = _answer(above, rows, sides, bounds)
        return x if found.x is None else np.where(above > 0.0, np.maximum(x, found.x * self._size), x)

    def cheapest(self, ceiling: Array) -> Array:
        """The variables that bring most with the ceilings at least as high as those given."""
        n, cost = len(ceiling), self._beside.cost
        lower = self._lower[:n].copy()
        lower[self._peaks] = np.maximum(lower[self._peaks], ceiling[self._peaks] / self._size)
        scale = max(float(np.abs(cost).max(initial=0.0)), 1e-300)
        bounds = np.column_stack([lower, np.maximum(self._upper[:n], lower)])
        x: Array = _solved(cost / scale, self._own, self._own_sides, bounds, self._beside).x * self._size
        return x


def _answer(cost: Array, rows: Any, sides: Array, bounds: Any) -> Any:
    """scipy's answer to max cost·x over rows·x <= sides; its `x` is None where there is none."""
    from scipy.optimize import linprog  # takes longer to load than most plans, which have no peaks, to make

    return linprog(-cost, A_ub=rows, b_ub=sides, bounds=bounds, method="highs")


def _solved(cost: Array, rows: Any, sides: Array, bounds: Array, beside: Beside) -> Any:
    """The same. Raises `NotStepwiseError` where there is none."""
    found = _answer(cost, rows, sides, bounds)
    if found.x is None:
        raise NotStepwiseError([f"{name}: no choice was found ({found.message})" for name in beside.variables])
    return found
