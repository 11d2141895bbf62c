"""The least by which limits must give way: extra columns that move bounds and sides as sizes would.

Everything in a program is affine in a size between its kinks, so the change of its bounds and sides per unit
of the size, entered as the coefficients of one more column, is that size as a decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.solver.change import Direction
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program
from bess_opt.solver.solution import InfeasibleProgramError

PRECISE = 1e-9  # relative gap of an easing where whole numbers stand in the program


def least_easing(
    program: Program, directions: Sequence[Direction], most: Sequence[float], options: SolverOptions, scale_mw: float
) -> Array | None:
    """Least Σ s, s[k] within 0 and `most[k]`, with which `program` moved by Σ s[k]·directions[k] has a solution.

    None if there is none. Directions are per MW, so that s stands beside powers.
    """
    own = options.model_copy(update={"rel_gap": PRECISE})
    try:
        found = Solver(eased(program, directions, most), own, scale_mw=scale_mw).solve()
    except InfeasibleProgramError:
        return None
    values: Array = np.maximum(found.x[program.columns :], 0.0)
    return values


def eased(program: Program, directions: Sequence[Direction], most: Sequence[float]) -> Program:
    """`program` with a column for each direction, of cost 1; moved bounds become rows."""
    count, n = len(directions), program.columns
    own = n + np.arange(count)
    row_by = [np.where(d.row_lower != 0.0, d.row_lower, d.row_upper) for d in directions]
    per_row = np.reshape(row_by, (count, program.rows))
    lower_by = np.reshape([d.lower for d in directions], (count, n))
    upper_by = np.reshape([d.upper for d in directions], (count, n))
    floors, roofs = (np.flatnonzero(by.any(axis=0)) for by in (lower_by, upper_by))
    sizes, rows = np.nonzero(per_row)
    entries = [
        (program.row_of_entry, program.column, program.value),
        (rows, own[sizes], -per_row[sizes, rows]),
    ]
    first = program.rows
    for columns, by in ((floors, lower_by), (roofs, upper_by)):
        here = first + np.arange(len(columns))
        sizes, places = np.nonzero(by[:, columns])
        entries += [
            (here, columns, np.ones(len(columns))),
            (here[places], own[sizes], -by[sizes, columns[places]]),
        ]
        first += len(columns)
    at, column, value = (np.concatenate(part) for part in zip(*entries, strict=True))
    order = np.lexsort((column, at))
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[floors], upper[roofs] = -np.inf, np.inf
    endless = np.full(len(floors), np.inf), np.full(len(roofs), -np.inf)
    return replace(
        program,
        cost=np.append(np.zeros(n), np.ones(count)),
        offset=0.0,
        lower=np.append(lower, np.zeros(count)),
        upper=np.append(upper, np.array(most, dtype=float)),
        row_lower=np.concatenate([program.row_lower, program.lower[floors], endless[1]]),
        row_upper=np.concatenate([program.row_upper, endless[0], program.upper[roofs]]),
        start=np.concatenate([[0], np.cumsum(np.bincount(at, minlength=first))]).astype(np.int32),
        column=column[order].astype(np.int32),
        value=value[order],
        integer=np.append(program.integer, np.zeros(count, dtype=bool)),
    )
