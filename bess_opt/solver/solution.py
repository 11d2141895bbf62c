"""What a solver hands back: the optimum with its prices and basis, or the proof that there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import AuditError, SolveError

AT_LOWER, BASIC, AT_UPPER, FREE = 0, 1, 2, 3  # where a basis has a column or row, by HiGHS's own numbers


STATUSES = np.array([highspy.HighsBasisStatus(number) for number in (AT_LOWER, BASIC, AT_UPPER, FREE)], dtype=object)
BOUND_ROUNDING = 1e-6  # of the money that changes hands: more is no rounding but a false proof
NOTHING = 1e-9  # of what the dearest unit costs at the plant's size: an optimum of 0 is met to rounding only


class InfeasibleProgramError(SolveError):
    """The program has no solution; the caller knows the names and makes `InfeasibleError` of it."""


class LimitReachedError(SolveError):
    """A time limit ended the solve without any solution."""


@dataclass(frozen=True)
class Solution:
    """What HiGHS proved. `objective` and `bound` are of the minimisation, offset included."""

    x: Array
    objective: float
    bound: float
    column_dual: Array
    row_dual: Array
    seconds: float
    iterations: int
    limited: bool = False


@dataclass(frozen=True)
class FarkasProof:
    """Prices of rows and columns, yᵀA = z, under which their limits contradict each other (Farkas).

    Only what has a price is in conflict: a row's lower side where y > 0, its upper where y < 0; a column's upper
    bound where z > 0, its lower where z < 0.
    """

    row: Array
    column: Array

    def short(self, lower: Array, upper: Array, row_lower: Array, row_upper: Array) -> float:
        """By how much rows ask for more than the columns can give, at these prices; linear in every limit."""
        y, z = self.row, self.column
        asked = y[y > 0] @ row_lower[y > 0] + y[y < 0] @ row_upper[y < 0]
        given = z[z > 0] @ upper[z > 0] + z[z < 0] @ lower[z < 0]
        return float(asked - given)


def require_bound(bound: float, objective: float, turnover: float, unit: float) -> None:
    """AuditError where a plan is better than its bound, both minimised, by more than rounding.

    Rounding is a share of `turnover`, Σ|cost·x|; where next to nothing changes hands, of `unit`, the largest cost of
    a flow times the plant's size.
    """
    if bound - objective > BOUND_ROUNDING * max(turnover, abs(objective)) + NOTHING * unit:
        found = f"the plan reaches {-objective:.9g}, above its proven bound {-bound:.9g}"
        raise AuditError(f"{found}: one of the two is wrong, and neither is returned")


def basis_at(column: Array, row: Array) -> Any:
    """A basis from statuses, to be given to `set_basis`: as many basic columns and rows as there are rows."""
    basis = highspy.HighsBasis()
    basis.col_status, basis.row_status = STATUSES[column].tolist(), STATUSES[row].tolist()
    basis.valid, basis.alien = True, False
    return basis
