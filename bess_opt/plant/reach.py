"""Which stored energies a plant can reach at each instant, one way per step (one way), without a solve.

What the site lets a battery give or take in a step does not depend on what it holds, and every power between the
least and the most is possible. So the energies within reach form one interval at each instant, and its ends follow
from the last one's. Caps on cycles and a strategy's own rows are not looked at: with them the interval is too wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.room import Setpoints, room_of

SLACK = 1e-9  # of nameplate energy: an energy that misses a bound by less meets it


@dataclass(frozen=True)
class Reach:
    """Highest and lowest energy within reach at each instant, MWh.

    `lost` is the first instant at which none is: all that can be stored lies `beyond_mwh` above the window's ceiling
    there, or as far below its floor if that is negative. Values from that instant on say nothing.
    """

    highest_mwh: Array
    lowest_mwh: Array
    lost: int | None = None
    beyond_mwh: float = 0.0


def power_bounds(plant: Plant) -> tuple[Array, Array]:
    """(least, most) battery power per step, MW at the port, + discharges, with PV and load used for it at best.

    Of several batteries on one bus their sum.
    Where the least is above the most there is no power that the site allows.
    """
    storage, nothing = plant.together, np.zeros(plant.steps)
    least = room_of(plant, Setpoints(nothing, nothing, nothing, plant.sheddable_mw)).lowest_mw
    most = room_of(plant, Setpoints(nothing, nothing, nothing, nothing)).highest_mw
    if plant.curtailable.any():
        dark = Setpoints(nothing, plant.solar_ac_mw, plant.solar_dc_mw, nothing)
        most = np.where(plant.curtailable, np.maximum(most, room_of(plant, dark).highest_mw), most)
    if plant.bus is not None:  # what the AC bus needs and the inverter cannot pass, PV on the DC bus does not change
        needed = plant.load_mw - plant.sheddable_mw - plant.import_max_mw - plant.solar_ac_mw
        least = np.where(needed > plant.bus.inverter_mw + SLACK * plant.scale_mw, np.inf, least)
    return np.maximum(least, -storage.charge_limit_mw), np.minimum(most, storage.discharge_limit_mw)


def reach_of(plant: Plant) -> Reach:
    """The energies within reach of `plant` from its start; the end condition is not looked at."""
    storage = plant.storage
    kept, into, out = storage.law(plant.step_h)
    least, most = power_bounds(plant)
    drawn = plant.step_h * storage.drawn_mw
    gains = (np.where(least < 0.0, -into * least, -out * least) - drawn).tolist()
    losses = (np.where(most > 0.0, out * most, into * most) + drawn).tolist()
    slack = SLACK * storage.energy_mwh
    high, low = [storage.start_mwh], [storage.start_mwh]
    lost, beyond = None, 0.0
    windows = zip(storage.floor_mwh[1:].tolist(), storage.ceiling_mwh[1:].tolist(), strict=True)
    for t, (floor, ceiling) in enumerate(windows):
        highest, lowest = kept * high[-1] + gains[t], kept * low[-1] - losses[t]
        if lost is None and (highest < floor - slack or lowest > ceiling + slack):
            lost, beyond = t + 1, highest - floor if highest < floor else lowest - ceiling
        high.append(min(highest, ceiling))
        low.append(max(lowest, floor))
    return Reach(np.array(high), np.array(low), lost, beyond)


def may_rest(plant: Plant, least_mw: Array, most_mw: Array) -> bool:
    """Whether the battery may do nothing from the start to the end: then nothing is out of reach.

    `least_mw` and `most_mw` are `power_bounds`. Quick, and False says nothing.
    """
    storage, start = plant.storage, plant.storage.start_mwh
    if storage.retention != 1.0 or np.any(storage.drawn_mw):
        return False
    inside = storage.floor_mwh.max() <= start <= storage.ceiling_mwh.min()
    ends = storage.end_min_mwh <= start <= storage.end_max_mwh
    return bool(inside and ends and least_mw.max() <= 0.0 <= most_mw.min())


def within_reach(plant: Plant) -> bool:
    """Whether some plan keeps window, power and site at every step and meets the end condition."""
    least, most = power_bounds(plant)
    if float((least - most).max()) > SLACK * plant.scale_mw:
        return False
    found, storage = reach_of(plant), plant.storage
    slack = SLACK * storage.energy_mwh
    enough = found.highest_mwh[-1] >= storage.end_min_mwh - slack
    return found.lost is None and bool(enough and found.lowest_mwh[-1] <= storage.end_max_mwh + slack)


def least_mwh(battery: Storage) -> Array:
    """The floor at each instant, at the first one the start where it lies below."""
    return np.append(min(battery.floor_mwh[0], battery.start_mwh), battery.floor_mwh[1:])


def most_mwh(battery: Storage) -> Array:
    """The ceiling at each instant, at the first one the start where it lies above."""
    return np.append(max(battery.ceiling_mwh[0], battery.start_mwh), battery.ceiling_mwh[1:])
