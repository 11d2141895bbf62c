"""How long a site lasts without the grid from each step of a horizon, and what must be in store for a wanted time.

In each step the batteries take what PV has over the critical load and give what it lacks. A step that cannot be
served whole ends it; the share of the step for which the stored energy lasts counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.clock import Mask
from bess_opt.comparison.island import SLACK, Island, Unit, step

HALVINGS = 40  # of a level, to 1e-12 of all that can be stored


def hours_survived(island: Island, start_mwh: Sequence[Array]) -> tuple[Array, Mask]:
    """(hours from each step on, starts that last to the horizon's end) with `start_mwh` in each battery.

    All starts are followed at once, each until it ends or all batteries are full: from there on every start goes the
    same way, which is followed once from each instant.
    """
    plant = island.plant
    units = [Unit(battery, island) for battery in plant.batteries]
    full = np.array([unit.full for unit in units])
    hours, lasting, full_at = _followed(island, units, np.array([np.asarray(start) for start in start_mwh]), full)
    more, to_the_end, next_full = _followed(island, units, full[:, :-1], full)
    from_full, lasts = np.append(more, 0.0), np.append(to_the_end, True)
    for t in range(plant.steps - 1, -1, -1):
        if next_full[t] >= 0:
            from_full[t] += from_full[next_full[t]]
            lasts[t] = lasts[next_full[t]]
    met = full_at >= 0
    hours[met] += from_full[full_at[met]]
    lasting[met] = lasts[full_at[met]]
    return hours, lasting


def _followed(island: Island, units: Sequence[Unit], energy: Array, full: Array) -> tuple[Array, Mask, np.ndarray]:
    """(hours, starts that reach the end, instant at which all batteries are full or -1) for a start at each step."""
    plant = island.plant
    at, going, hours = np.arange(plant.steps), np.arange(plant.steps), np.zeros(plant.steps)
    lasting, full_at = np.ones(plant.steps, dtype=bool), np.full(plant.steps, -1)
    while len(going):
        energy, share = step(island, units, energy, at)
        hours[going] += share * plant.step_h
        on = share >= 1.0
        lasting[going[~on]] = False
        there = on & np.all(energy >= full[:, at + 1], axis=0)
        full_at[going[there]] = at[there] + 1
        keep = on & ~there & (at + 1 < plant.steps)
        going, at, energy = going[keep], at[keep] + 1, energy[:, keep]
    return hours, lasting, full_at


def needed_mwh(island: Island, cover_h: float) -> tuple[Array, Mask]:
    """(least energy in each battery at each instant that survives `cover_h` hours, instants at which none is enough).

    A row per battery, n+1 values each; what lies beyond the horizon asks for nothing. Several batteries have what
    they can store, or as many steps of full discharge each as the others, which is how they share the load.
    """
    if len(island.plant.batteries) > 1:
        return _needed_of_several(island, cover_h)
    need, never = _needed_of_one(island, cover_h)
    return need[None], never


def _needed_of_several(island: Island, cover_h: float) -> tuple[Array, Mask]:
    """The least level from which the batteries survive so long, found by halving for all starts at once."""
    plant, at = island.plant, np.arange(island.plant.steps)
    units = [Unit(battery, island) for battery in plant.batteries]
    floors, rates = np.array([[unit.floor] for unit in units]), np.array([unit.rate_mwh(at) for unit in units])
    full = np.array([unit.full for unit in units])[:, :-1]

    def stored(level: Array) -> Array:
        energy: Array = np.minimum(floors + level * rates, np.maximum(full, floors))
        return energy

    low, high = np.full(plant.steps, -1.0), ((full - floors) / rates).max(axis=0)
    never = ~_covered(island, units, stored(high), cover_h)
    for _ in range(HALVINGS):
        middle = np.maximum((low + high) / 2.0, 0.0)
        enough = _covered(island, units, stored(middle), cover_h)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.concatenate([stored(np.maximum(high, 0.0)), floors], axis=1), np.append(never, False)


def _covered(island: Island, units: Sequence[Unit], energy: Array, cover_h: float) -> Mask:
    """Starts that survive so many hours, or to the end of the horizon, with `energy` in each battery."""
    plant = island.plant
    at, going, hours = np.arange(plant.steps), np.arange(plant.steps), np.zeros(plant.steps)
    wanted = np.minimum(cover_h, (plant.steps - at) * plant.step_h) - SLACK * cover_h
    while len(going):
        energy, share = step(island, units, energy, at)
        hours[going] += share * plant.step_h
        keep = (share >= 1.0) & (hours[going] < wanted[going]) & (at + 1 < plant.steps)
        going, at, energy = going[keep], at[keep] + 1, energy[:, keep]
    covered: Mask = hours >= wanted
    return covered


def _needed_of_one(island: Island, cover_h: float) -> tuple[Array, Mask]:
    """The same of one battery, by going back from the end."""
    plant = island.plant
    (battery,) = plant.batteries
    unit = Unit(battery, island)
    whole = int(cover_h / plant.step_h + 1e-9)
    part = max(cover_h / plant.step_h - whole, 0.0)
    gain, steps = _most_gained(island, unit) - unit.drawn, plant.steps
    asking = (island.lacks_mw > 0.0) | (unit.drawn > 0.0)
    impossible = _beyond_power(island, unit)
    own = np.where(asking, (unit.floor - gain) / unit.kept, -np.inf)
    need, never = np.full(steps + 1, -np.inf), np.zeros(steps + 1, dtype=bool)
    if part > 1e-9:
        need[:-1] = np.where(asking, unit.floor - np.minimum(gain, 0.0) * part, -np.inf)
        never[:-1] = impossible
    for _ in range(min(whole, steps)):
        later, lost = need[1:], never[1:]
        lost_here = impossible | lost | (later > unit.ceiling + unit.slack)
        need = np.append(np.maximum(own, (later - gain) / unit.kept), -np.inf)
        never = np.append(lost_here, False)
    need = np.maximum(need, unit.floor)
    return need, never | (need > np.append(unit.ceiling, unit.ceiling[-1]) + unit.slack)


def _most_gained(island: Island, unit: Unit) -> Array:
    """Energy that one battery gains in each step where it has room, below zero where it serves the load."""
    forced, spare = island.spare_ac_mw + island.forced_mw, island.spare_dc_mw
    if unit.on_dc_bus:
        own = spare + island.eta_in * np.minimum(forced, island.takes_mw)
    else:
        own = forced + np.minimum(island.eta_out * spare, island.gives_mw)
    gained: Array = unit.into * np.minimum(own, unit.takes) - unit.out * island.lacks_mw
    return gained


def _beyond_power(island: Island, unit: Unit) -> Mask:
    """Steps in which one battery has not the power for what is lacking, or for what has to be taken."""
    gives, takes = unit.gives, unit.takes
    if unit.on_dc_bus:
        gives = np.minimum(gives, island.gives_mw)
        takes = np.minimum(takes / island.eta_in, island.takes_mw)
    slack = island.tolerance_mw
    beyond: Mask = (island.lacks_mw > gives + slack) | (island.forced_mw > takes + slack)
    return beyond
