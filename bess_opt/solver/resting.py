"""A basis to begin with: the battery at rest, the grid and the inverter carrying what the site needs."""

from __future__ import annotations

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.program import Program
from bess_opt.solver.solution import AT_LOWER, AT_UPPER, BASIC, FREE

ENERGY, ENERGY_LAW = "energy_mwh", "energy_balance"
# Balances in the order in which they follow from each other, with the flows that may carry one.
CARRIERS = {"dc_balance": ("inverter_out_mw", "inverter_in_mw"), "ac_balance": ("import_mw", "export_mw")}


def at_rest(program: Program) -> tuple[Array, Array]:
    """(column, row) statuses of a basis: the energy law gives the energy, one flow closes each balance.

    All else is at a bound, all other rows are slack. Solved from here a program takes a fraction of the steps
    that it takes from nothing.
    """
    lower, upper = program.lower, program.upper
    column = np.where(np.isfinite(lower), AT_LOWER, np.where(np.isfinite(upper), AT_UPPER, FREE))
    row = np.full(program.rows, BASIC)
    column[program.variables[ENERGY].slice] = BASIC
    column[program.variables[ENERGY].first] = AT_LOWER
    row[program.constraints[ENERGY_LAW].slice] = AT_LOWER
    x = np.where(np.isfinite(lower), lower, 0.0)
    for name, flows in CARRIERS.items():
        if name not in program.constraints:
            continue
        balance = program.constraints[name]
        entries = slice(program.start[balance.first], program.start[balance.slice.stop])
        of_column, value = program.column[entries], program.value[entries]
        step = np.repeat(
            np.arange(len(balance.positions)), np.diff(program.start[balance.first : balance.slice.stop + 1])
        )
        missing = program.row_lower[balance.slice] - np.bincount(step, value * x[of_column], len(balance.positions))
        for flow in flows:
            first = program.variables[flow].first
            own = of_column - first == step
            share = missing[step[own]] / value[own]
            carries = step[own][(row[balance.first + step[own]] == BASIC) & ((share >= 0.0) | (flow == flows[-1]))]
            column[first + carries], row[balance.first + carries] = BASIC, AT_LOWER
            x[first + carries] = share[np.isin(step[own], carries)]
    return column, row
