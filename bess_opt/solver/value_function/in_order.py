"""What counts after the first objective where its value has several humps: a second objective, and the tie-break.

Value functions are kept by their slopes, level by level. Where two humps of the first level cross, the next jumps,
and slopes alone do not tell. Both are then added, the second with a small weight w, and the sum is the one
first level. With V the most of the first alone and W the most of the sum, any plan that reaches V has at most
(W − V) / w of the second. A plan that reaches V and that much of the second is therefore the best in this order.
The weight is right if the plan shows it; else a smaller one is tried. A second objective needs this proof; of
plans that are equal in all objectives the one of less tie-break cost is taken (`with_ties_broken`).
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
EQUAL = 1e-12  # of the turnover: what breaking ties may cost, which is rounding

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
            plan = _tied_less(_added(program, weight), ways, sum_of_both, until)
            return replace(_priced(program, ways, plan), value=np.array([most]))
    raise NotStepwiseError([NO_WEIGHT])


def with_ties_broken(program: StepProgram, ways: Modes, found: Schedule, seconds: float | None = None) -> Schedule:
    """`found`, or a plan as good in the first level of `program` and of less cost in its second, the tie-break.

    Prices of such a plan are those of its own modes. Where the time does not do, or no weight leads to a plan as
    good, `found` stands: it is as good in the first level as any.
    """
    plan = _tied_less(program, ways, found, None if seconds is None else time.perf_counter() + seconds)
    return found if plan is found else replace(_priced(program, ways, plan), value=found.value)


def _tied_less(program: StepProgram, ways: Modes, found: Schedule, until: float | None) -> Schedule:
    """See `with_ties_broken`; another plan than `found` has no prices and the value of the sum."""
    first, second = dearest(program), dearest(program, 1)
    if not (first > 0.0 and second > 0.0):
        return found
    before, _ = earned_by(program, found.flow, found.energy, 1)
    for share in _likely(program):
        recursion = Recursion(_added(program, share * first / second, again=True), ways)
        try:
            with recursion.within(None if until is None else until - time.perf_counter()):
                plan = recursion.schedule_of(0, program.steps, float(program.least[0]), recursion.end(), priced=False)
        except RecursionFailedError:
            return found
        earned, turnover = earned_by(program, plan.flow, plan.energy)
        if float(found.value[0]) - earned > EQUAL * turnover + 1e-12:
            continue
        then, turnover = earned_by(program, plan.flow, plan.energy, 1)
        return plan if then - before > EXACT * turnover else found  # less would be bought with rounding
    return found


def _likely(program: StepProgram) -> tuple[float, ...]:
    """Weights without those that would outweigh the least difference of two costs, and the last one in any case."""
    costs = np.unique(np.concatenate([np.abs(cost) for cost in program.cost[0]]))
    least = float(np.diff(costs, prepend=0.0)[costs > 0.0].min(initial=np.inf))
    return tuple(share for share in WEIGHTS[:-1] if share * costs[-1] < least) + WEIGHTS[-1:]


def _priced(program: StepProgram, ways: Modes, plan: Schedule) -> Schedule:
    """`plan` with the prices of its own modes, whose value has one hump."""
    priced = Recursion(program, ways.held(plan.mode)).along(plan.energy)
    return replace(plan, price=priced.price, row=priced.row)


def _added(program: StepProgram, weight: float, *, again: bool = False) -> StepProgram:
    """`program` with its first two levels as one, the second times `weight`; with `again` the second stands on."""

    def both(one: Array, other: Array) -> Array:
        return one + weight * other if other.any() else one

    cost = [both(one, other) for one, other in zip(program.cost[0], program.cost[1], strict=True)]
    worth = both(program.energy_worth[0], program.energy_worth[1])
    then = 1 if again else 2
    return replace(
        program,
        cost=[cost, *program.cost[then:]],
        energy_worth=[worth, *program.energy_worth[then:]],
        offset=[program.offset[0] + weight * program.offset[1], *program.offset[then:]],
    )
