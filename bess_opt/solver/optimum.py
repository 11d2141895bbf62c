"""A proven optimum, whoever found it: what dispatch, explanations and reports read of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.certificate import LinearCertificate, certificate_of
from bess_opt.solver.highs import solver_version
from bess_opt.solver.one_way import Exact
from bess_opt.solver.program import ENERGY, Program, law_of


class Optimum(Protocol):
    """What every engine says of a proven optimum; money in units of the first objective, maximised."""

    @property
    def engine(self) -> str:
        """Who solved, as `solver.engine` names it."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The variables and rows for which another engine did not do, each with the reason."""

    @property
    def solver(self) -> str:
        """Name and version of what solved."""

    @property
    def limited(self) -> bool:
        """Whether a time limit ended the search."""

    @property
    def segments(self) -> int:
        """Parts of the horizon that were solved with binaries."""

    @property
    def rows(self) -> int:
        """Rows of `program`."""

    @property
    def columns(self) -> int:
        """Columns of `program`."""

    @property
    def objective(self) -> float:
        """The plan's first objective, maximised (currency where it is money)."""

    @property
    def bound(self) -> float:
        """Proven upper limit of the first objective over all plans, at least `objective`."""

    @property
    def gap(self) -> float:
        """(bound − objective) as a share of their size, 0 for a proven optimum."""

    @property
    def program(self) -> Program:
        """The linear program that was solved, or that says the same."""

    @property
    def found(self) -> Exact:
        """Values and prices of `program`."""

    @property
    def dearest(self) -> float:
        """Largest cost of a unit of any variable in the first objective, without its sign."""

    @property
    def stored_energy_value(self) -> Array:
        """Worth of one MWh more in the cells at the end of each step; of several batteries a row each."""

    def flow(self, name: str) -> Array | None:
        """A variable's values, rounding beyond its bounds taken off; None if there is no such variable."""

    def certificate(self) -> LinearCertificate:
        """The proof of the plan, on/off pattern held, from the program's own numbers."""


@dataclass(frozen=True)
class LinearOptimum:
    """An optimum of HiGHS; `reasons` say why it was asked."""

    program: Program
    found: Exact
    reasons: tuple[str, ...] = ()

    @property
    def engine(self) -> str:
        """See `Optimum`."""
        return "highs"

    @property
    def solver(self) -> str:
        """See `Optimum`."""
        return solver_version()

    @property
    def limited(self) -> bool:
        """See `Optimum`."""
        return self.found.limited

    @property
    def segments(self) -> int:
        """See `Optimum`."""
        return self.found.segments

    @property
    def rows(self) -> int:
        """See `Optimum`."""
        return self.program.rows

    @property
    def columns(self) -> int:
        """See `Optimum`."""
        return self.program.columns

    @property
    def objective(self) -> float:
        """See `Optimum`."""
        return -self.found.solution.objective

    @property
    def bound(self) -> float:
        """See `Optimum`."""
        return -self.found.bound

    @property
    def gap(self) -> float:
        """See `Optimum`."""
        return self.found.gap

    @property
    def dearest(self) -> float:
        """See `Optimum`."""
        return float(np.abs(self.program.cost).max(initial=0.0))

    @property
    def stored_energy_value(self) -> Array:
        """See `Optimum`: the energy law's dual."""
        laws = law_of(self.program.constraints, ENERGY)
        values = np.array([-self.found.solution.row_dual[law.slice] for law in laws])
        return values if len(laws) > 1 else values[0]

    def flow(self, name: str) -> Array | None:
        """See `Optimum`."""
        if name not in self.program.variables:
            return None
        own = self.program.variables[name].slice
        values: Array = np.clip(self.found.x[own], self.program.lower[own], self.program.upper[own])
        return values

    def certificate(self) -> LinearCertificate:
        """See `Optimum`."""
        return certificate_of(self.program, self.found)
