"""A start outside the SOC window: the battery is brought back as fast as power and site allow, before money counts.

The distance to the window after the first step is made least, then that after the second, and so on; of several
batteries the sum, then each in their order. What comes out are the floors and ceilings of those steps: with them the
plant is planned, simulated and audited like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import InfeasibleError
from bess_opt.common.findings import Finding
from bess_opt.inputs.batteries import place_of, starts_outside
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.grid_band import within_soft_caps
from bess_opt.plant.plant import Plant
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import ONE_WAY_ROUNDING
from bess_opt.solver.program import Program
from bess_opt.solver.solution import InfeasibleProgramError
from bess_opt.strategies.shared import activation
from bess_opt.strategies.shared.activation import Prepared
from bess_opt.strategies.shared.stack import ActiveStrategy

INSIDE = 1e-6  # of nameplate: a distance to the window below this is none
SLACK = 1e-9  # of nameplate: what a path found is held to while the next step is looked at
MISSED = 2e-7  # of nameplate, for each step: by how much a plan may miss the path
SEEN = 1e-4  # of nameplate: what a finding calls outside


def prepare(scenario: Scenario, stated_plant: Plant | None = None) -> Prepared:
    """What every way to operate a scenario begins with, a start outside the window brought back."""
    plant, active = activation.prepare(scenario, stated_plant)
    return Prepared(brought_back(plant, scenario.batteries, active, scenario.solver), active)


def brought_back(plant: Plant, batteries: Sequence[Battery], active: ActiveStrategy, options: SolverOptions) -> Plant:
    """`plant` with the floors and ceilings of a return to the window at greatest speed; itself where none is needed.

    Speed sheds no load at a price, overruns no priced cap and leaves no cap on cycles. Where a plan needs to shed or
    overrun, speed does no more of it. Where the window is out of reach the nearest energy within reach stands for
    the edge in `soc_end`. Without any plan the window is left open until the end, for others to say what forbids it.
    """
    outside = [number for number, battery in enumerate(batteries) if starts_outside(battery)]
    if not outside:
        return plant
    open_plant = _opened(plant, outside)
    careful = replace(within_soft_caps(open_plant), unserved_price_per_mwh=None)
    for kept, ends in product((careful, open_plant), (True, False)):
        tried = kept if ends else _without_edges(kept, batteries, outside)
        path = _Return(tried, plant, outside, active, options).path()
        if path is not None:
            return _along(plant, batteries, outside, path)
    return open_plant


def open_window(believed: Plant, plant: Plant, batteries: Sequence[Battery]) -> Plant:
    """`believed` without its window in the steps in which `plant` is brought back, which then has its way.

    `plant` is the one that acts: it goes back as fast as it can, whatever was believed.
    """
    outside = [number for number, battery in enumerate(batteries) if starts_outside(battery)]
    if not outside:
        return believed
    changes: dict[int, dict[str, object]] = {}
    for number, opened in zip(outside, (_opened(believed, outside).batteries[n] for n in outside), strict=True):
        own = plant.batteries[number]
        off = (own.floor_mwh < own.floor_mwh[0]) | (own.ceiling_mwh > own.ceiling_mwh[0])
        before = believed.batteries[number]
        changes[number] = {
            "floor_mwh": np.where(off, opened.floor_mwh, before.floor_mwh),
            "ceiling_mwh": np.where(off, opened.ceiling_mwh, before.ceiling_mwh),
            "end_min_mwh": own.end_min_mwh,
            "end_max_mwh": own.end_max_mwh,
        }
    return _changed(believed, changes)


def return_findings(scenario: Scenario, plant: Plant) -> list[Finding]:
    """For each battery that starts outside its window, when it is back, or what it ends with."""
    found = []
    for battery, storage in zip(scenario.batteries, plant.batteries, strict=True):
        if not starts_outside(battery):
            continue
        tech, start = battery.tech, battery.soc_start_resolved
        place = place_of(battery, scenario.batteries)
        low, high = tech.soc_min * battery.energy_mwh, tech.soc_max * battery.energy_mwh
        edge = tech.soc_min if start < tech.soc_min else tech.soc_max
        said = f"{start:.4g} lies outside the technology's window from {tech.soc_min:g} to {tech.soc_max:g}"
        slack = SEEN * battery.energy_mwh
        off = (storage.floor_mwh[1:] < low - slack) | (storage.ceiling_mwh[1:] > high + slack)
        if off.all():
            bound = storage.floor_mwh[-1] if start < tech.soc_min else storage.ceiling_mwh[-1]
            expected = f"the nearest within reach by the end is {bound / battery.energy_mwh:.4g}, for {edge:g}"
        else:
            back = plant.index[int(np.argmin(off))]
            expected = f"it is brought back by paid power as fast as power and site allow, in the step of {back}"
        found.append(Finding("start_outside_window", f"{place}.soc_start", said, expected, "warning"))
    return found


def _opened(plant: Plant, outside: Sequence[int]) -> Plant:
    """The plant without the window of those that start outside, on their side; reserves and stated ceilings hold."""

    def opened(number: int) -> dict[str, object]:
        battery = plant.batteries[number]
        floor, ceiling = battery.floor_mwh.copy(), battery.ceiling_mwh.copy()
        if battery.start_mwh < floor[0]:
            floor[1:][floor[1:] <= floor[0]] = 0.0
        else:
            ceiling[1:][ceiling[1:] >= ceiling[0]] = battery.energy_mwh
        return {"floor_mwh": floor, "ceiling_mwh": ceiling}

    return _changed(plant, {number: opened(number) for number in outside})


def _without_edges(plant: Plant, batteries: Sequence[Battery], outside: Sequence[int]) -> Plant:
    """The plant without the end conditions that refer to the start, of those that start outside."""
    free: dict[str, object] = {"end_min_mwh": 0.0, "end_max_mwh": np.inf}
    return _changed(plant, {number: free for number in outside if _refers_to_start(batteries[number])})


def _refers_to_start(battery: Battery) -> bool:
    return battery.soc_end in ("at_least_start", "equal")


def _along(plant: Plant, batteries: Sequence[Battery], outside: Sequence[int], path: dict[int, Array]) -> Plant:
    """The plant held to the energies of `path`, which end with the first one inside."""
    changes: dict[int, dict[str, object]] = {}
    for number in outside:
        battery, energy = plant.batteries[number], path[number]
        slack, at = MISSED * battery.energy_mwh * np.arange(1, 1 + len(energy)), slice(1, 1 + len(energy))
        floor, ceiling = battery.floor_mwh.copy(), battery.ceiling_mwh.copy()
        least, most = battery.end_min_mwh, battery.end_max_mwh
        if battery.start_mwh < floor[0]:
            floor[at] = np.minimum(floor[at], np.maximum(energy - slack, 0.0))
        else:
            ceiling[at] = np.maximum(ceiling[at], energy + slack)
        if _refers_to_start(batteries[number]) and len(energy) == plant.steps:
            least, most = min(least, (energy - slack)[-1]), max(most, (energy + slack)[-1])
        changes[number] = {"floor_mwh": floor, "ceiling_mwh": ceiling, "end_min_mwh": least, "end_max_mwh": most}
    return _changed(plant, changes)


def _changed(plant: Plant, changes: dict[int, dict[str, object]]) -> Plant:
    batteries = tuple(
        replace(battery, **changes.get(number, {}))  # type: ignore[arg-type]
        for number, battery in enumerate(plant.batteries)
    )
    return replace(plant, batteries=batteries)


@dataclass
class _Return:
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
        both = self._both_ways(program, x, t)
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

    def _both_ways(self, program: Program, x: Array, t: int) -> bool:
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
