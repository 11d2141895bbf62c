"""Proof of a plan without the solver's word for it: primal and dual value from the program's own numbers.

For max cᵀx over row_lower <= Ax <= row_upper, lower <= x <= upper, any y gives a bound: with z = c − Aᵀy it is
Σ y·(side that y presses on) + Σ z·(bound that z presses on). Nothing but the rows' prices y is taken from the
solver; z is computed again. A price that presses on a side that is not there proves nothing and is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array, dot
from bess_opt.plant.warranty.depth_wear import WearIdentity
from bess_opt.solver.one_way import Exact
from bess_opt.solver.program import Program


def certificate_of(program: Program, found: Exact) -> LinearCertificate:
    """Primal and dual value of the plan `found`, whose on/off pattern and own choices are held as proven.

    The values are of the objective that is maximised, the plan's own after ties were broken.
    """
    x = found.x
    lower, upper = _held_bounds(program, found)
    row = -found.solution.row_dual
    column = -program.cost - program.priced(row)
    of_rows, loose_rows = _pressed(row, program.row_lower, program.row_upper)
    of_columns, loose_columns = _pressed(column, lower, upper)
    ax = program.activity(x)
    broken = np.concatenate([program.row_lower - ax, ax - program.row_upper, lower - x, x - upper])
    return LinearCertificate(
        primal=-dot(program.cost, x) - program.offset,
        dual=of_rows + of_columns - program.offset,
        turnover=dot(np.abs(program.cost), np.abs(x)) + abs(program.offset),
        primal_violation=max(0.0, float(broken.max(initial=0.0))),
        dual_violation=max(loose_rows, loose_columns),
    )


def _held_bounds(program: Program, found: Exact) -> tuple[Array, Array]:
    """Bounds of the linear program that was solved last: choices held, idle flows closed."""
    choice = np.round(found.solution.x)
    lower = np.where(program.integer, choice, program.lower)
    upper = np.where(program.integer, choice, program.upper)
    upper[found.closed] = 0.0
    return lower, upper


def _pressed(price: Array, lower: Array, upper: Array) -> tuple[float, float]:
    """(Σ price·side, largest price on a side that is not there)."""
    side = np.where(price > 0.0, upper, lower)
    there = np.isfinite(side)
    loose = float(np.abs(price[~there]).max(initial=0.0))
    return dot(price[there], side[there]), loose


@dataclass(frozen=True)
class LinearCertificate:
    """Primal and dual value of a plan's linear program, on/off pattern held, computed without the solver.

    `primal` and `dual` are of the strategy's own objective, maximised; no plan of that pattern exceeds `dual`.
    `turnover` is Σ|cost·x|, the size that both are measured by. `primal_violation`: by how much the plan breaks a
    row or bound (MW, MWh); `dual_violation`: the largest price that presses on a side that is not there.
    `wear` has a row for each battery with wear by depth of cycle: in the model, and by rainflow counting.
    """

    primal: float
    dual: float
    turnover: float
    primal_violation: float
    dual_violation: float
    wear: tuple[WearIdentity, ...] = ()

    @property
    def gap(self) -> float:
        """|dual − primal| as a share of the turnover; 0 is a proof."""
        return abs(self.dual - self.primal) / max(self.turnover, 1e-12)

    @classmethod
    def from_plain(cls, stored: Mapping[str, Any]) -> LinearCertificate:
        """A certificate from its plain data, as `dataclasses.asdict` gives it."""
        rows = [WearIdentity(**{**row, "reasons": tuple(row["reasons"])}) for row in stored.get("wear", ())]
        return cls(**{**stored, "wear": tuple(rows)})
