"""Solvers that are asked again and again: one per shape of program, its numbers replaced.

The solve starts from where the last one of that shape ended, factors of its basis included. To shift that basis along
with the steps takes fewer iterations, and more time than they take.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program

MOST_CHANGES = 400  # coefficients beyond which a new matrix is quicker than changing the old one


@dataclass
class _Loaded:
    """A solver with the matrix that it holds: places row · columns + column, ascending, and values."""

    solver: Solver
    keys: Array
    values: Array


class ReusedSolvers:
    """HiGHS objects kept by matrix structure, so that a further program replaces numbers and starts warm."""

    def __init__(self, options: SolverOptions, scale_mw: float) -> None:
        self._options, self._scale_mw = options, scale_mw
        self._held: dict[tuple[int, int], _Loaded] = {}

    def holding(self, program: Program, keys: Array) -> Solver:
        """The solver of this shape with `program` in it; `keys` are row · columns + column of its entries."""
        shape = (program.rows, program.columns)
        held = self._held.get(shape)
        if held is None or not _follow(held, keys, program):
            solver = Solver(program, self._options, scale_mw=self._scale_mw)
            solver.expect_repeats()
            self._held[shape] = _Loaded(solver, keys, program.value)
            return solver
        held.solver.set_costs(program.cost)
        held.solver.set_changed(program)
        held.keys, held.values = keys, program.value
        return held.solver


def _follow(held: _Loaded, keys: Array, program: Program) -> bool:
    """Change the matrix that a solver holds to that of `program`; False where a new one is quicker."""
    if held.keys is keys or np.array_equal(held.keys, keys):
        changed = np.flatnonzero(held.values != program.value)
        at, values = keys[changed], program.value[changed]
    else:
        at, values = _changes(held, keys, program.value)
    if len(at) > MOST_CHANGES:
        return False
    held.solver.set_values(at // program.columns, at % program.columns, values)
    return True


def _changes(held: _Loaded, keys: Array, values: Array) -> tuple[Array, Array]:
    """(places, values) that turn the matrix held into that of other places: what differs, and 0 for what is gone."""
    nearest = np.minimum(np.searchsorted(held.keys, keys), len(held.keys) - 1)
    stands = held.keys[nearest] == keys
    differs = values != np.where(stands, held.values[nearest], 0.0)
    gone = held.values != 0.0
    gone[nearest[stands]] = False
    places = np.concatenate([keys[differs], held.keys[gone]])
    order = np.argsort(places)
    return places[order], np.concatenate([values[differs], np.zeros(np.count_nonzero(gone))])[order]
