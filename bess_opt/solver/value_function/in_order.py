"""Two objectives that count one after the other where the value of the first has several humps.

Value functions are kept by their slopes, level by level. Where two humps of the first level cross, the second jumps,
and slopes alone do not tell. Both objectives are then added, the second with a small weight w, and the sum is the one
first level. With V the most of the first alone and W the most of the sum, any plan that reaches V has at most
(W − V) / w of the second. A plan that reaches V and that much of the second is therefore the best in this order.
The weight is right if the plan shows it; else a smaller one is tried.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.value_function.modes import Modes
from bess_opt.solver.value_function.prices import dearest, earned_by
from bess_opt.solver.value_function.recursion import STOPPED, Recursion, RecursionFailedError, Schedule
from bess_opt.solver.value_function.step_program import NotStepwiseError, StepProgram

# Of what makes the dearest units of both equal. A smaller one leaves less of the second to be told from rounding.
WEIGHTS = (1e-4, 1e-6)
EXACT = 1e-9  # of the turnover of each objective: how close the plan must come to what bounds it

NO_WEIGHT = "objectives: two count one after the other, and no weight on the second makes a plan the best in both"


def plan_in_order(program: StepProgram, ways: Modes, most: float, seconds: float | None = None) -> Schedule:
    """The plan of `program` that is best in the first objective, then in the second.

    `most` is the value of the first alone, without its offset. Prices are those of the plan's own modes, whose value
    has one hump. Raises `NotStepwiseError` where no weight leads to such a plan, `RecursionFailedError` where the
    time does not do.
    """
    until = None if seconds is None else time.perf_counter() + seconds
    first, second = dearest(program), dearest(program, 1)
    for share in WEIGHTS:
        weight = share * (first / second if first > 0.0 and second > 0.0 else 1.0)
        left = None if until is None else until - time.perf_counter()
        if left is not None and left <= 0.0:
            raise RecursionFailedError(STOPPED, 0)
        recursion = Recursion(_added(program, weight), ways)
        with recursion.within(left):
            sum_of_both = recursion.schedule_of(
                0, program.steps, float(program.least[0]), recursion.end(), priced=False
            )
        flow, energy = sum_of_both.flow, sum_of_both.energy
        earned, turnover = earned_by(program, flow, energy)
        if most - earned > EXACT * max(turnover, abs(most)) + 1e-12:
            continue
        then, turnover = earned_by(program, flow, energy, 1)
        bound = (float(sum_of_both.value[0]) - most) / weight
        if bound - then <= EXACT * max(turnover, abs(then)) + 1e-12:
            priced = Recursion(program, ways.held(sum_of_both.mode)).along(energy)
            return replace(sum_of_both, value=np.array([most]), price=priced.price, row=priced.row)
    raise NotStepwiseError([NO_WEIGHT])


def _added(program: StepProgram, weight: float) -> StepProgram:
    """`program` with both objectives as one, the second times `weight`."""

    def both(one: Array, other: Array) -> Array:
        return one + weight * other if other.any() else one

    cost = [both(one, other) for one, other in zip(program.cost[0], program.cost[1], strict=True)]
    worth = both(program.energy_worth[0], program.energy_worth[1])
    return replace(
        program,
        cost=[cost, *program.cost[2:]],
        energy_worth=[worth, *program.energy_worth[2:]],
        offset=[program.offset[0] + weight * program.offset[1], *program.offset[2:]],
    )
