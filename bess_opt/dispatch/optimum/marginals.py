"""What a little more of everything would be worth: exact subgradients of a proven optimum.

The optimum moves with a size through every bound and side that carries it: power limits, SOC window, start,
end and reserve, C-rate, warranty cycles, limits of connection and inverter. None is listed here. The program
is built again, by the same code, a little smaller and a little larger, and what differs is multiplied with
its dual: d objective = Σ bounds·z + Σ sides·y + what cost and matrix change. With the on/off pattern of rule
10 fixed, the optimum is concave in every size: more brings at most this slope, less costs at least it. Where
limits coincide (a battery just as large as its connection) the optimum has a kink, and this is one of the
slopes there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from bess_opt.common.errors import SolveError
from bess_opt.dispatch.optimum.solve_scenario import Solved
from bess_opt.inputs.scenario import Scenario
from bess_opt.models.assemble import model_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.change import Change, Duals
from bess_opt.solver.expand import expand
from bess_opt.solver.program import Program
from bess_opt.strategies.shared.stack import ActiveStrategy

SIZES = ("power_mw", "energy_mwh", "import_limit_mw", "export_limit_mw", "inverter_mw")
NUDGE = 1e-6  # of a size: what depends on it is affine, so only rounding and kinks ask for a small one


@dataclass(frozen=True)
class Marginals:
    """Worth of one more of each size over the horizon, in units of the first objective (maximised).

    `power_mw` at constant energy, `energy_mwh` at constant power. A limit that the scenario does not state is
    worth nothing. More brings at most this, less costs at least this, on/off pattern fixed.
    """

    power_mw: float
    energy_mwh: float
    import_limit_mw: float
    export_limit_mw: float
    inverter_mw: float

    def to_dict(self) -> dict[str, float]:
        """The same figures under the same names."""
        return asdict(self)


def duals_of(solved: Solved) -> Duals:
    """The duals of a solved scenario. Raises `SolveError` where it has none: integers of a strategy's own."""
    program, solution = solved.program, solved.found.solution
    if len(solution.row_dual) != program.rows:
        raise SolveError("a model with whole-number variables of its own has no duals")
    row = -solution.row_dual
    closed = np.zeros(program.columns, dtype=bool)
    closed[solved.found.closed] = True
    return Duals(solution.x, row, -program.cost - program.priced(row), closed)


def marginals(solved: Solved) -> Marginals:
    """Worth of one more of every size."""
    return Marginals(**subgradient(solved))


def subgradient(solved: Solved, sizes: Sequence[str] = SIZES) -> dict[str, float]:
    """Slope of the optimum in each of `sizes`, in units of the first objective per MW or MWh; no solve."""
    duals = duals_of(solved)
    return {size: _slope(solved, duals, size) for size in sizes}


def _slope(solved: Solved, duals: Duals, size: str) -> float:
    stated = _stated(solved.scenario, size)
    if stated is None:
        return 0.0
    nudge = NUDGE * (stated or 1.0)
    low, high = max(stated - nudge, 0.0), stated + nudge
    smaller, larger = (_program(_resized(solved.scenario, size, value), solved.active) for value in (low, high))
    if (smaller.rows, smaller.columns) != (larger.rows, larger.columns) or larger.columns != len(duals.x):
        raise SolveError(f"{size}: the model changes its shape at {stated:g}, so it has no slope there")
    return Change.between(smaller, larger).worth(duals) / (high - low)


def _stated(scenario: Scenario, size: str) -> float | None:
    if size in ("power_mw", "energy_mwh"):
        return float(getattr(scenario.battery, size))
    limit = getattr(scenario.site, size)
    return None if limit is None else float(limit)


def _resized(scenario: Scenario, size: str, value: float) -> Scenario:
    battery = scenario.battery
    if size == "power_mw":
        return scenario.replace(battery={"power_mw": value, "duration_h": battery.energy_mwh / value})
    if size == "energy_mwh":
        return scenario.replace(battery={"duration_h": value / battery.power_mw})
    return scenario.replace(site={size: value})


def _program(scenario: Scenario, active: ActiveStrategy) -> Program:
    built, _ = model_of(active.restrict(plant_of(scenario)), active)
    return expand(built)
