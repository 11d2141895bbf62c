"""What one MW more of a clause would bring in each step: read from the prices of the proven plan, or solved for.

A cap of zero leaves a plan no choice in a step, so that its on/off pattern does not say which way the site would go
with a MW more. There the pattern that uses the MW is taken, equally good in the plan at hand, and the prices come
from the small programs of those steps alone, with all that ties them to others held at its price.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.clock import Mask
from bess_opt.dispatch.optimum.marginals import duals_of
from bess_opt.dispatch.optimum.solve_scenario import Solved
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.connection import ClauseNumbers
from bess_opt.solver.change import Duals
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Block, Program, of_flow

SAME = 1.0 - 1e-12  # of a cap: a bound of the program that reaches it is the clause's
IDLE = 1e-9  # of the plant's power: a smaller flow is none


def clause_price(solved: Solved, clause: ClauseNumbers) -> tuple[Array, str]:
    """(what one more of `clause` would bring in each step, the unit), with the proven on/off pattern held.

    `solved` holds this clause alone. Per MW of a cap, per MW per minute of a ramp; both where a clause states both.
    """
    duals, price, unit = duals_of(solved), np.zeros(solved.plant.steps), []
    for flow in clause.caps:
        price += _cap_price(solved, duals, clause, flow)
        unit = ["per MW"]
    if np.isfinite(clause.ramp_mw):
        price += _ramp_price(solved, duals)
        unit.append("per MW/min")
    return price + 0.0, " + ".join(unit)


def _cap_price(solved: Solved, duals: Duals, clause: ClauseNumbers, flow: str) -> Array:
    program, active = solved.program, clause.active
    if not clause.hard:
        (row,) = _rows_of(program, flow)
        worth: Array = np.where(active, np.maximum(duals.row[row.slice], 0.0), 0.0)
        return worth
    block = of_flow(program.variables, flow)[0].slice
    bound = active & (program.upper[block] >= clause.caps[flow] * SAME)
    price: Array = np.where(bound & ~duals.closed[block], np.maximum(duals.column[block], 0.0), 0.0)
    if clause.caps[flow] == 0.0 and bound.any():
        price[bound] = np.maximum(price, _price_at_zero(solved, duals, flow, bound))[bound]
    return price


def _ramp_price(solved: Solved, duals: Duals) -> Array:
    program, minutes = solved.program, solved.plant.step_h * 60.0
    price = np.zeros(solved.plant.steps)
    for block in _rows_of(program, "grid_mw"):
        ramped = block.index == solved.model.ramped_steps.local_name
        steps = solved.model.ramped_step if ramped else block.positions
        price[steps] += np.abs(duals.row[block.slice])
    return minutes * price


def _rows_of(program: Program, flow: str) -> list[Block]:
    """The rows in which a clause limits `flow`."""
    rows = [block for block in program.constraints.values() if block.meaning.stated_at == "connection"]
    return [block for block in rows if block.meaning.flow == flow]


def _price_at_zero(solved: Solved, duals: Duals, flow: str, bound: Mask) -> Array:
    """What a MW of `flow` would bring in the steps `bound`, in which its cap is zero."""
    program, plant = solved.program, solved.plant
    shut = np.zeros(program.columns, dtype=bool)
    (capped,) = of_flow(program.variables, flow)
    for pair in pairs_of(plant):
        first, second = program.variables[pair.first], program.variables[pair.second]
        for one, other in ((first, second), (second, first)):
            idle = duals.x[other.slice] <= IDLE * plant.scale_mw
            used = duals.x[one.slice] > IDLE * plant.scale_mw
            shut[other.slice] |= used | (idle & (one.meaning.way == capped.meaning.way))  # a MW more goes that way
    step = (program.place - 1) // 2
    mine = (program.place % 2 == 1) & bound[np.clip(step, 0, plant.steps - 1)] & (step >= 0)
    local, columns = _of_steps(program, duals, mine)
    local.upper[shut[columns]] = np.maximum(local.lower[shut[columns]], 0.0)
    found = Solver(local, solved.scenario.solver, scale_mw=plant.scale_mw).solve()
    reduced = np.zeros(program.columns)
    reduced[columns] = -found.column_dual
    price: Array = np.maximum(reduced[capped.slice], 0.0)
    return price


def _of_steps(program: Program, duals: Duals, mine: Mask) -> tuple[Program, Array]:
    """(the program of the columns `mine` and the rows that hold no others, priced for all else; the columns)."""
    row_of = program.row_of_entry
    foreign = np.bincount(row_of, weights=~mine[program.column], minlength=program.rows) > 0
    kept = ~foreign & (np.diff(program.start) > 0)
    columns, entries = np.flatnonzero(mine), np.flatnonzero(kept[row_of])
    cost = program.cost + program.priced(np.where(kept, 0.0, duals.row))
    local, _ = program.part(columns, entries, row_of[entries])
    return replace(local, cost=cost[columns], upper=local.upper.copy()), columns
