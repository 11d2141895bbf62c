"""The tie-break as one cost: of equal optima the one of least throughput, then least curtailment, then the earliest.

Of several batteries the one that is stated first goes before the earliest.
"""

from __future__ import annotations

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.models.meaning import Tie
from bess_opt.solver.program import Program

# Weights apart by more than a horizon can bridge: throughput, curtailment, file order, other converters, earliest.
THROUGHPUT, CURTAILMENT, LATER_IN_FILE, CONVERTERS, EARLIEST = 1e4, 1e2, 10.0, 1.0, 0.1


def tie_weight(tie: Tie, positions: Array) -> Array:
    """Cost of a unit of a variable of the group `tie` at each of its `positions`."""
    later = EARLIEST * positions / max(len(positions), 1)
    nothing = np.zeros(len(positions))
    weights: dict[Tie, Array] = {
        "": nothing,
        "throughput": THROUGHPUT + later,
        "curtailment": CURTAILMENT + nothing,
        "converter": CONVERTERS + nothing,
        "capacity": CONVERTERS + later,
    }
    return weights[tie]


def tie_break_cost(program: Program) -> Array:
    """The cost of every column of `program`, to be minimised on the face of its optima."""
    cost, batteries = np.zeros(program.columns), list[str]()
    for block in program.variables.values():
        cost[block.slice] = tie_weight(block.meaning.tie, block.positions)
        if block.battery and block.meaning.tie == "throughput":
            batteries += [block.battery] if block.battery not in batteries else []
            cost[block.slice] += LATER_IN_FILE * batteries.index(block.battery)
    return cost
