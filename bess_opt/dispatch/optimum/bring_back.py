"""A start outside the SOC window: the battery is brought back as fast as power and site allow, before money counts.

The distance to the window after the first step is made least, then that after the second, and so on; of several
batteries the sum, then each in their order. What comes out are the floors and ceilings of those steps: with them the
plant is planned, simulated and audited like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.findings import Finding
from bess_opt.inputs.batteries import place_of, starts_outside
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.plant.grid_band import within_soft_caps
from bess_opt.plant.plant import Plant
from bess_opt.strategies.shared import activation
from bess_opt.strategies.shared.activation import Prepared
from bess_opt.strategies.shared.stack import ActiveStrategy

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
    from bess_opt.dispatch.optimum.way_back import WayBack  # brings Pyomo and HiGHS, which few starts need

    open_plant = _opened(plant, outside)
    careful = replace(within_soft_caps(open_plant), unserved_price_per_mwh=None)
    for kept, ends in product((careful, open_plant), (True, False)):
        tried = kept if ends else _without_edges(kept, batteries, outside)
        path = WayBack(tried, plant, outside, active, options).path()
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
        said = f"{start:.12g} lies outside the technology's window from {tech.soc_min:g} to {tech.soc_max:g}"
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
