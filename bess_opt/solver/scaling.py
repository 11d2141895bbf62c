"""Units in which HiGHS meets a program, so that a home in kW and a plant in GW meet the same tolerances."""

from __future__ import annotations

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.program import Program

TIES_ONLY = 1e-8  # of the largest cost: a smaller one orders equal optima and measures nothing


def power_of_two(value: float) -> float:
    """The power of two nearest to `value`, by ratio; 1 for what is none."""
    return float(2.0 ** np.round(np.log2(value))) if value > 0 and np.isfinite(value) else 1.0


def cost_scale(cost: Array) -> float:
    """Brings the typical cost near 64: far above the dual tolerance, far below trouble.

    Costs that only break ties are no measure: a window may have more of them than of others.
    """
    present = np.abs(cost[cost != 0.0])
    present = present[present >= TIES_ONLY * present.max(initial=0.0)]
    return power_of_two(float(np.median(present)) / 64.0) if len(present) else 1.0


def row_scale(program: Program, x_scale: float) -> Array:
    """Rows of binaries alone stay as they are, all others are in powers or energies."""
    scale = np.full(program.rows, x_scale)
    if program.integer.any():
        continuous = np.add.reduceat(~program.integer[program.column], program.start[:-1]) > 0
        scale[~continuous] = 1.0
    return scale
