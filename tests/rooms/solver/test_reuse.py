"""A solver kept for programs of one shape finds what a new one finds, wherever the numbers of the next one stand."""

from __future__ import annotations

import numpy as np
import pytest

from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program
from bess_opt.solver.reuse import MOST_CHANGES, ReusedSolvers

ROWS, COLUMNS = 8, 12


def drawn(seed: int, rows: int = ROWS, columns: int = COLUMNS) -> tuple[Program, np.ndarray]:
    """A program whose entries stand elsewhere with each seed, 0 among them, and the places of its entries."""
    rng = np.random.default_rng(seed)
    held = rng.random((rows, columns)) < 0.4
    held[:, 0] = True
    row, column = np.nonzero(held)
    value = rng.choice([0.0, 0.5, 1.0], len(row))  # few, so that what comes often is as large as what was beside it
    program = Program(
        cost=-rng.uniform(0.5, 2.0, columns),
        offset=0.0,
        lower=np.zeros(columns),
        upper=rng.uniform(0.5, 3.0, columns),
        row_lower=np.full(rows, -np.inf),
        row_upper=rng.uniform(1.0, 4.0, rows),
        start=np.append(0, np.cumsum(held.sum(axis=1))).astype(np.int32),
        column=column.astype(np.int32),
        value=value,
        integer=np.zeros(columns, dtype=bool),
    )
    return program, row * columns + column


def test_programs_one_after_another_have_the_optimum_of_new_ones() -> None:
    """Entries that come, go and change, bounds, sides and costs: of one object, which is not made anew."""
    reused, used = ReusedSolvers(SolverOptions(), 1.0), set()
    for seed in range(12):
        program, keys = drawn(seed)
        solver = reused.holding(program, keys)
        used.add(id(solver))
        assert solver.solve().objective == pytest.approx(Solver(program).solve().objective, rel=1e-9)
    assert len(used) == 1


def test_a_matrix_of_many_changes_is_loaded_anew() -> None:
    """To change it number by number would take longer."""
    wide = MOST_CHANGES // ROWS * 4
    reused, (first, keys), (second, others) = (
        ReusedSolvers(SolverOptions(), 1.0),
        drawn(0, ROWS, wide),
        drawn(1, ROWS, wide),
    )
    solver = reused.holding(first, keys)
    after = reused.holding(second, others)
    assert after is not solver
    assert after.solve().objective == pytest.approx(Solver(second).solve().objective, rel=1e-9)
