"""What stands on top of the steps of a plan: a row over all of them, or ceilings, each with the prices found for it.

A plan's money, limits and proof have a part of the steps and a part of what stands on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.program import Program
from bess_opt.solver.value_function.on_top.beside import Beside
from bess_opt.solver.value_function.step_program import HorizonRow


class OnTop(Protocol):
    """Rows and variables beside the steps with their prices; money in units of the first objective."""

    @property
    def rows(self) -> int:
        """Rows of the linear program that belong to it."""

    @property
    def columns(self) -> int:
        """Columns of the linear program that belong to it."""

    @property
    def money(self) -> tuple[float, float]:
        """(what its variables bring, turnover)."""

    def priced(self, cost: list[Array]) -> list[Array]:
        """Costs of the steps' flows in the first level, less what the flows use of it at its prices."""

    def dual(self) -> tuple[float, float]:
        """(what its limits are worth at its prices, largest price on a limit that is not there)."""

    def violated(self, flow: Array) -> float:
        """By how much the flows (a row per column) and its own variables break it."""

    def flow(self, name: str) -> Array | None:
        """Values of one of its variables; None if it has none of this name."""

    def place(self, program: Program, x: Array, row: Array) -> None:
        """Write its values and prices to where `program` has them."""


@dataclass(frozen=True)
class RowPrice:
    """A row over all steps at its `price`."""

    row: HorizonRow
    price: float
    rows, columns = 1, 0

    @property
    def money(self) -> tuple[float, float]:
        """See `OnTop`."""
        return 0.0, 0.0

    def priced(self, cost: list[Array]) -> list[Array]:
        """See `OnTop`."""
        return self.row.priced(cost, self.price)

    def dual(self) -> tuple[float, float]:
        """See `OnTop`."""
        return self.price * self.row.most, 0.0

    def violated(self, flow: Array) -> float:
        """See `OnTop`."""
        return self.row.used(flow) - self.row.most

    def flow(self, _name: str) -> Array | None:
        """See `OnTop`."""
        return None

    def place(self, program: Program, _x: Array, row: Array) -> None:
        """See `OnTop`."""
        row[program.constraints[self.row.name].slice] = self.price


@dataclass(frozen=True)
class PeakPrices:
    """Ceilings over flows of many steps: the variables' values `x`, prices of their own rows (`row`) and of each
    ceiling over a step (`tied`, in the order of `beside.tied`)."""

    beside: Beside
    x: Array
    row: Array
    tied: Array

    @property
    def rows(self) -> int:
        """See `OnTop`."""
        return len(self.row) + len(self.tied)

    @property
    def columns(self) -> int:
        """See `OnTop`."""
        return len(self.x)

    @property
    def money(self) -> tuple[float, float]:
        """See `OnTop`."""
        part = self.beside.cost * self.x
        return float(part.sum()), float(np.abs(part).sum())

    def priced(self, cost: list[Array]) -> list[Array]:
        """See `OnTop`."""
        step, _ = self.beside.tied
        less, own = list(cost), self.beside.column
        less[own] = cost[own] - np.bincount(step, self.tied, self.beside.steps)
        return less

    def dual(self) -> tuple[float, float]:
        """See `OnTop`."""
        beside = self.beside
        reduced = beside.cost - beside.matrix.T @ self.row
        np.add.at(reduced, beside.tied[1], self.tied)
        columns, loose = _pressed(reduced, beside.lower, beside.upper)
        rows, more = _pressed(self.row, beside.row_lower, beside.row_upper)
        return columns + rows, max(loose, more)

    def violated(self, flow: Array) -> float:
        """See `OnTop`."""
        beside, (step, of) = self.beside, self.beside.tied
        activity = beside.matrix @ self.x
        sides = (beside.row_lower - activity, activity - beside.row_upper)
        bounds = (beside.lower - self.x, self.x - beside.upper)
        over = flow[beside.column][step] - self.x[of]
        return max(float(part.max(initial=0.0)) for part in (*sides, *bounds, over))

    def flow(self, name: str) -> Array | None:
        """See `OnTop`."""
        return self.x[self.beside.variables[name]] if name in self.beside.variables else None

    def place(self, program: Program, x: Array, row: Array) -> None:
        """See `OnTop`."""
        for name, own in self.beside.variables.items():
            x[program.variables[name].slice] = self.x[own]
        for name, own in self.beside.rows.items():
            row[program.constraints[name].slice] = self.row[own]
        begin = 0
        for ceilings in self.beside.ceilings:
            # A ceiling stands as variable − flow >= 0: its price has the other sign.
            prices = self.tied[begin : begin + len(ceilings.step)]
            row[program.constraints[ceilings.name].slice] = -prices
            begin += len(prices)


def _pressed(price: Array, lower: Array, upper: Array) -> tuple[float, float]:
    """(Σ each price times the limit that it presses on, the largest price on a limit that is not there)."""
    side = np.where(price > 0.0, upper, lower)
    there = np.isfinite(side)
    return float(price[there] @ side[there]), float(np.abs(price[~there]).max(initial=0.0))
