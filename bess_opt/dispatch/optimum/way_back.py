"""The quickest way back into the SOC window: a program that makes the distance least step after step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import InfeasibleError
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.plant import Plant
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import ONE_WAY_ROUNDING
from bess_opt.solver.program import Program
from bess_opt.solver.solution import InfeasibleProgramError
from bess_opt.strategies.shared.stack import ActiveStrategy

INSIDE = 1e-6  # of nameplate: a distance to the window below this is none
SLACK = 1e-9  # of nameplate: what a path found is held to while the next step is looked at


@dataclass
class WayBack:
    """The program of a plant whose window is open, and the way back into that of `closed`, step by step."""

    plant: Plant
    closed: Plant
    outside: Sequence[int]
    active: ActiveStrategy
    options: SolverOptions

    def path(self) -> dict[int, Array] | None:
        """Energy after each step until the first inside, by number of battery; None where there is no plan."""
        program = expand(model_of(self.plant, self.active)[0])
        program.cost = np.zeros(program.columns)
        program.offset = 0.0
        still, energy = list(self.outside), {number: list[float]() for number in self.outside}
        try:
            for t in range(1, self.plant.steps + 1):
                if not still:
                    break
                x = self._nearest(program, still, t)
                for number in list(still):
                    here = float(x[self._column(program, number, t)])
                    energy[number].append(here)
                    if self._hold(program, number, t, here):
                        still.remove(number)
        except (InfeasibleProgramError, InfeasibleError):
            return None
        return {number: np.array(values) for number, values in energy.items()}

    def _column(self, program: Program, number: int, t: int) -> int:
        return program.variables[f"{self.plant.batteries[number].prefix}energy_mwh"].first + t

    def _nearest(self, program: Program, still: Sequence[int], t: int) -> Array:
        """A plan with the least distance after step `t`: of all together, then of each in their order."""
        base, count = program.columns, len(still)
        costs = [np.append(np.zeros(base), np.ones(count))]
        if count > 1:
            costs += [np.append(np.zeros(base), np.eye(count)[place]) for place in range(count - 1)]
        measured = self._with_distances(program, still, t)
        x = self._in_order(measured, costs)
        both = self._not_one_way(program, x, t)
        if both:
            x = self._in_order(self._choosing(measured, t), costs)
        return x

    def _in_order(self, program: Program, costs: Sequence[Array]) -> Array:
        """A plan that makes each cost least among those that make the ones before least."""
        for place, cost in enumerate(costs):
            padded = np.append(cost, np.zeros(program.columns - len(cost)))
            program = replace(program, cost=padded)
            x = Solver(program, self.options, scale_mw=self.plant.scale_mw).solve(duals=False).x
            if place + 1 < len(costs):
                columns = np.flatnonzero(padded)
                most = float(padded @ x) + SLACK * self.plant.energy_mwh
                program = program.with_rows([(columns, padded[columns], -np.inf, most)])
        return x

    def _with_distances(self, program: Program, still: Sequence[int], t: int) -> Program:
        """A column for the distance of each battery after step `t`."""
        new = len(still)
        wide = replace(
            program,
            cost=np.append(program.cost, np.zeros(new)),
            lower=np.append(program.lower, np.zeros(new)),
            upper=np.append(program.upper, np.full(new, np.inf)),
            integer=np.append(program.integer, np.zeros(new, dtype=bool)),
        )
        rows = []
        for place, number in enumerate(still):
            own, at = (
                self.closed.batteries[number],
                np.array([self._column(program, number, t), program.columns + place]),
            )
            if own.start_mwh < own.floor_mwh[0]:
                rows.append((at, np.array([1.0, 1.0]), float(own.floor_mwh[t]), np.inf))
            else:
                rows.append((at, np.array([1.0, -1.0]), -np.inf, float(own.ceiling_mwh[t])))
        return wide.with_rows(rows)

    def _hold(self, program: Program, number: int, t: int, energy: float) -> bool:
        """Hold what was reached after step `t`; whether that is inside, from where on the window holds."""
        own, column = self.closed.batteries[number], self._column(program, number, t)
        inside, slack = INSIDE * own.energy_mwh, SLACK * own.energy_mwh
        rest = slice(column + 1, column + self.plant.steps + 1 - t)
        if own.start_mwh < own.floor_mwh[0]:
            program.lower[column] = max(program.lower[column], min(float(own.floor_mwh[t]), energy - slack))
            if energy < own.floor_mwh[t] - inside:
                return False
            program.lower[rest] = np.maximum(program.lower[rest], own.floor_mwh[t + 1 :])
            return True
        program.upper[column] = min(program.upper[column], max(float(own.ceiling_mwh[t]), energy + slack))
        if energy > own.ceiling_mwh[t] + inside:
            return False
        program.upper[rest] = np.minimum(program.upper[rest], own.ceiling_mwh[t + 1 :])
        return True

    def _not_one_way(self, program: Program, x: Array, t: int) -> bool:
        """Whether a converter runs in and out at once until then."""
        least = ONE_WAY_ROUNDING * self.plant.scale_mw
        firsts = (
            (program.variables[pair.first].first, program.variables[pair.second].first)
            for pair in pairs_of(self.plant)
        )
        return any(bool((np.minimum(x[a : a + t], x[b : b + t]) > least).any()) for a, b in firsts)

    def _choosing(self, program: Program, t: int) -> Program:
        """The program with a choice of way for each converter in the steps until then."""
        limits, rows, count = self.plant.flow_limits(), [], program.columns
        for pair in pairs_of(self.plant):
            first, second = program.variables[pair.first].first, program.variables[pair.second].first
            for step in range(t):
                into, out = float(limits[pair.first][step]), float(limits[pair.second][step])
                rows.append((np.array([first + step, count]), np.array([1.0, -into]), -np.inf, 0.0))
                rows.append((np.array([second + step, count]), np.array([1.0, out]), -np.inf, out))
                count += 1
        new = count - program.columns
        wide = replace(
            program,
            cost=np.append(program.cost, np.zeros(new)),
            lower=np.append(program.lower, np.zeros(new)),
            upper=np.append(program.upper, np.ones(new)),
            integer=np.append(program.integer, np.ones(new, dtype=bool)),
        )
        return wide.with_rows(rows)
