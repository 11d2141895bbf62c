"""Rule 11 as one cost: of equal optima the one of least throughput, then least curtailment, then the earliest.

Of several batteries the one that is stated first goes before the earliest.
"""

from __future__ import annotations

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.program import Program, own_name

# Weights apart by more than a horizon can bridge: throughput, curtailment, file order, other converters, earliest.
THROUGHPUT, CURTAILMENT, LATER_IN_FILE, CONVERTERS, EARLIEST = 1e4, 1e2, 10.0, 1.0, 0.1


def tie_weight(name: str, positions: Array) -> Array:
    """Cost of a unit of the variable `name` at each of its `positions`."""
    later = EARLIEST * positions / max(len(positions), 1)
    if name in ("charge_mw", "discharge_mw"):
        return THROUGHPUT + later
    if name in ("curtailed_ac_mw", "curtailed_dc_mw"):
        return np.full(len(positions), CURTAILMENT)
    if name in ("import_mw", "export_mw", "inverter_out_mw", "inverter_in_mw", "solar_over_load_mw"):
        return np.full(len(positions), CONVERTERS)
    if name in ("regulation_up_mw", "regulation_down_mw"):
        return CONVERTERS + later
    return np.zeros(len(positions))


def tie_break_cost(program: Program) -> Array:
    """The cost of every column of `program`, to be minimised on the face of its optima."""
    cost, batteries = np.zeros(program.columns), list[str]()
    for name, block in program.variables.items():
        cost[block.slice] = tie_weight(own_name(name), block.positions)
        battery = name.removesuffix(own_name(name))
        if battery and own_name(name) in ("charge_mw", "discharge_mw"):
            batteries += [battery] if battery not in batteries else []
            cost[block.slice] += LATER_IN_FILE * batteries.index(battery)
    return cost
