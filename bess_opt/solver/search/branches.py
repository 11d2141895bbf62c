"""A small program with few places where the one-way rule is broken, branched there alone.

Each node is a linear program, begun from the last one's basis, in which some choices are held; only where its plan
goes both ways at once two more are made. Where most choices follow by themselves this is a fraction of the work of a
mixed-integer solver, which prepares for all of them.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program
from bess_opt.solver.solution import InfeasibleProgramError, Solution

MOST_NODES = 400  # linear programs; where they do not suffice, a mixed-integer solver goes on
Held = tuple[tuple[int, float], ...]  # (column of a choice, its value)


@dataclass(frozen=True)
class Choices:
    """Columns of a program, one place each: two flows of which one is nothing, and the choice between them."""

    first: Array
    second: Array
    choice: Array


def branched(
    program: Program,
    choices: Choices,
    options: SolverOptions,
    scale_mw: float,
    rounding_mw: float,
    allowance: float,
    left_s: Callable[[], float | None],
) -> Solution | None:
    """The best plan in which no place goes both ways by more than `rounding_mw`, its bound within `allowance`.

    None where it takes more nodes than `MOST_NODES`. Raises `InfeasibleProgramError` where there is no plan, and what
    `left_s`, asked for the seconds that are left, raises.
    """
    solver = Solver(replace(program, integer=np.zeros_like(program.integer)), options, scale_mw=scale_mw)
    best: Solution | None = None
    nodes, waiting, made = 0, list[tuple[float, int, Held]](), 0
    heapq.heappush(waiting, (-np.inf, 0, ()))
    held: Held = ()
    closed = np.inf  # the least that a node left aside may reach
    while waiting:
        known, _, wanted = heapq.heappop(waiting)
        if best is not None and known >= best.objective - allowance:
            closed = min(closed, known)
            break
        nodes += 1
        if nodes > MOST_NODES:
            return None
        _hold(solver, program, held, wanted)
        held = wanted
        try:
            found = solver.solve(time_limit_s=left_s())
        except InfeasibleProgramError:
            continue
        if best is not None and found.objective >= best.objective - allowance:
            closed = min(closed, found.objective)
            continue
        both = np.minimum(found.x[choices.first], found.x[choices.second])
        worst = int(np.argmax(both))
        if both[worst] <= rounding_mw:
            best = found
            continue
        column = int(choices.choice[worst])
        for value in (0.0, 1.0):
            made += 1
            heapq.heappush(waiting, (found.objective, made, (*wanted, (column, value))))
    if best is None:
        raise InfeasibleProgramError
    return replace(best, bound=min(closed, best.objective))


def _hold(solver: Solver, program: Program, before: Held, wanted: Held) -> None:
    """Hold the choices of a node in place of those of the last one."""
    free = np.array([column for column, _ in before if column not in dict(wanted)], dtype=np.int64)
    if len(free):
        solver.set_bounds(free, program.lower[free], program.upper[free])
    if wanted:
        columns = np.array([column for column, _ in wanted], dtype=np.int64)
        values = np.array([value for _, value in wanted])
        solver.set_bounds(columns, values, values)
