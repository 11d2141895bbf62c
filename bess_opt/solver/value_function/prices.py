"""Prices of a plan: they bound every plan of every scenario of the same shape, and say what a change is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bess_opt.common.arrays import Array, weighed
from bess_opt.solver.value_function.step_program import StepProgram

ROUNDING = 1e-9  # of the dearest unit: a price on a side that is not there


@dataclass(frozen=True)
class Prices:
    """A price of every row of every step (`row`), and of one MWh in store at each step's end (`energy`).

    By weak duality they bound the linear relaxation of any program with the same rows and columns, whatever its
    sizes, limits and costs (`bound`). How close the bound is depends on where the prices come from: with those of
    the relaxation of a program (`one_way=False`) it is that program's own value, and concave in its sizes.
    """

    row: Array
    energy: Array

    def bound(self, program: StepProgram, closed: Array | None = None) -> float:
        """What no plan of `program` exceeds; inf where a price presses on a limit that is not there.

        With `closed` (columns, steps) flows are held at zero there: the bound of plans that do so alone.
        """
        total, rounding = program.offset[0], ROUNDING * dearest(program)
        for i, right in enumerate(program.right):
            total += float((self.row[i] * right).sum())
        for j, (lower, upper) in enumerate(zip(program.lower, program.upper, strict=True)):
            most = upper if closed is None else np.where(closed[j], np.minimum(upper, 0.0), upper)
            total += _pressed(self.on_flow(program, j), lower, most, rounding)
        return total + _pressed(self.on_energy(program), program.least, program.most, rounding)

    def on_flow(self, program: StepProgram, column: int) -> Array:
        """What a unit more of a column earns beyond its use of the rows, per step."""
        price: Array = program.cost[0][column] - weighed(program.matrix[:, column], self.row)
        return price

    def on_energy(self, program: StepProgram) -> Array:
        """What a MWh more at each instant earns beyond what it cost to bring it there."""
        before = np.concatenate([[0.0], self.energy])
        price: Array = program.energy_worth[0] - before + program.kept * np.append(self.energy, 0.0)
        return price

    def worth(self, smaller: StepProgram, larger: StepProgram) -> float:
        """What the change from one program to the other is worth at these prices: a slope times its step.

        Sides, costs and coefficients may differ. Between two sizes the quotient by their distance is a subgradient
        of the value where the prices are those of an optimum there.
        """
        total = larger.offset[0] - smaller.offset[0]
        for price, right, was in zip(self.row, larger.right, smaller.right, strict=True):
            total += float((price * (right - was)).sum())
        for j in range(len(smaller.columns)):
            before, after = self.on_flow(smaller, j), self.on_flow(larger, j)
            if np.array_equal(before, after):
                total += _moved(before, (smaller.lower[j], smaller.upper[j]), (larger.lower[j], larger.upper[j]))
            else:
                total += _pressed(after, larger.lower[j], larger.upper[j], 0.0)
                total -= _pressed(before, smaller.lower[j], smaller.upper[j], 0.0)
        sides = (smaller.least, smaller.most), (larger.least, larger.most)
        return total + _moved(self.on_energy(smaller), *sides)


def dearest(program: StepProgram, level: int = 0) -> float:
    """Largest cost of a unit of any flow or of stored energy in an objective, without its sign."""
    worths = [program.energy_worth[level], *program.cost[level]]
    return max(float(np.abs(worth).max(initial=0.0)) for worth in worths)


def earned_by(program: StepProgram, flow: Array, energy: Array, level: int = 0) -> tuple[float, float]:
    """(what flows, a row per column, and energies bring in an objective but for its offset, turnover)."""
    parts = [cost * flows for cost, flows in zip(program.cost[level], flow, strict=True) if cost.any()]
    parts.append(program.energy_worth[level] * energy)
    return sum(float(part.sum()) for part in parts), sum(float(np.abs(part).sum()) for part in parts)


def _pressed(price: Array, lower: Array, upper: Array, rounding: float) -> float:
    """Σ of each price times the limit that it presses on."""
    side = np.where(price > 0.0, upper, lower)
    there = np.isfinite(side)
    if there.all():
        return float((price * side).sum())
    if np.abs(price[~there]).max() > rounding:
        return np.inf
    return float((price[there] * side[there]).sum())


def _moved(price: Array, before: tuple[Array, Array], after: tuple[Array, Array]) -> float:
    """Σ of each price times the way of the limit that it presses on."""
    lower, upper = (
        np.subtract(b, a, out=np.zeros(np.broadcast(a, b).shape), where=np.isfinite(a) & np.isfinite(b))
        for a, b in zip(before, after, strict=True)
    )
    return float((np.maximum(price, 0.0) * upper + np.minimum(price, 0.0) * lower).sum())
