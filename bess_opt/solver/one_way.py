"""The one-way rule in a program: each converter either takes or gives in a step.

Where a plan breaks the rule, how far below the exact optimum a bound lies, and the program with the binaries
that hold it. `search.one_way_search` looks for the exact plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.models.one_way import Pair, add_one_way
from bess_opt.plant.plant import Plant
from bess_opt.solver.expand import extended
from bess_opt.solver.program import Program
from bess_opt.solver.solution import Solution

LATER = 1e-3  # weight of an objective beside the one before it, where both stand in one cost
ROUNDING = 1e-7  # of a typical flow's price at the plant's size: an objective near zero is not known better
ONE_WAY_ROUNDING = 1e-7  # of the plant's size: less than this in the weaker direction is rounding


@dataclass(frozen=True)
class Exact:
    """A plan in which each converter runs one way: values, proven bound, and the program's solution, pattern fixed.

    `closed` are the columns that the pattern holds at zero.
    """

    x: Array
    solution: Solution
    bound: float
    segments: int
    limited: bool
    closed: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def gap(self) -> float:
        """Relative distance of the plan from the proven bound, 0 or more."""
        distance = self.solution.objective - self.bound
        return max(0.0, distance / max(abs(self.solution.objective), 1e-12)) if distance > 0 else 0.0


def steps_not_one_way(program: Program, x: Array, pairs: tuple[Pair, ...], scale_mw: float) -> Array:
    """Steps in which a converter runs in and out at once."""
    found = [
        np.flatnonzero(
            np.minimum(x[program.variables[p.first].slice], x[program.variables[p.second].slice])
            > ONE_WAY_ROUNDING * scale_mw
        )
        for p in pairs
    ]
    return np.unique(np.concatenate(found))


def needs_both_ways(program: Program, x: Array, pairs: tuple[Pair, ...], scale_mw: float) -> bool:
    """Whether `x` breaks a row once what the flows of `pairs` have in common is taken off both.

    Where it does not, equal plans are one way, and what breaks ties finds one of them.
    """
    net = x.copy()
    for pair in pairs:
        first, second = program.variables[pair.first].slice, program.variables[pair.second].slice
        both = np.minimum(x[first], x[second])
        net[first] -= both
        net[second] -= both
    return not program.holds(net, ONE_WAY_ROUNDING * scale_mw)


def rounding_of(program: Program, scale_mw: float) -> float:
    """By how much two objectives of `program` may differ and still be the same."""
    priced = np.abs(program.cost[program.cost != 0.0])
    return ROUNDING * float(np.median(priced)) * scale_mw if len(priced) else 0.0


def proven(bound: float, objective: float, program: Program, scale_mw: float) -> float:
    """The bound of a plan that reaches `objective`: within rounding of it, it is the objective."""
    return objective if abs(objective - bound) <= rounding_of(program, scale_mw) else bound


def in_order(ties: Sequence[Array]) -> Array:
    """Several objectives as one cost, each a small fraction of the one before it.

    The first counts by what is usual in it, a later one by its dearest unit: the tie-break's weights lie far apart.
    """
    total, weight = np.zeros(len(ties[0])), 1.0
    for cost in ties:
        present = np.abs(cost[cost != 0.0])
        if len(present):
            unit = np.median(present) if weight == 1.0 else present.max()
            total += cost * (weight / float(unit))
            weight *= LATER
    return total


def one_way_program(m: Any, plant: Plant, program: Program, converters: tuple[Pair, ...]) -> Program:
    """`program`, an expansion of `m`, with the one-way rule for `converters`; what it holds stays held."""
    add_one_way(m, plant, converters)
    return extended(program, m)
