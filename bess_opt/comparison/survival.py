"""How long a site lasts without the grid from each step of a horizon, and what must be in store for a wanted time.

In each step the batteries take what PV has over the critical load and give what it lacks. A step that cannot be
served whole ends it; the share of the step for which the stored energy lasts counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.clock import Mask
from bess_opt.plant.connection import Outages
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.reach import power_bounds
from bess_opt.plant.room import Setpoints, ac_edges, tightest

HALVINGS = 40  # of a level, to 1e-12 of all that can be stored
SLACK = 1e-9  # of nameplate energy or power: what misses a bound by less meets it


@dataclass(frozen=True)
class Island:
    """What a site asks of its batteries in each step without the grid, MW together at their ports.

    `least_mw` is the least power, + discharges: what is lacking, or below zero what is left to charge; `most_mw` the
    most, below zero where generation has to be taken. `can` are steps whose powers the batteries have.
    """

    plant: Plant
    least_mw: Array
    most_mw: Array
    can: Mask


def island_of(plant: Plant, critical_share: float) -> Island:
    """The site of `plant` without the grid in every step, serving `critical_share` of its load."""
    none, all_steps = np.zeros(plant.steps), np.zeros(plant.steps, dtype=int)
    alone = replace(
        plant, import_max_mw=none, export_max_mw=none, grid_charging=True, battery_export=True, strict_export=False,
        unserved_price_per_mwh=None, clauses=None, outages=Outages(all_steps, (critical_share,)),
    )  # fmt: skip
    if len(plant.batteries) == 1 or not plant.on_ac_bus:
        least, most = power_bounds(alone)
    else:
        least, most = _bounds_of_several(alone)
    return Island(alone, least, most, least <= most + SLACK * plant.scale_mw)


def _bounds_of_several(alone: Plant) -> tuple[Array, Array]:
    """(least, most) power of all batteries on the AC bus together."""
    none = np.zeros(alone.steps)
    takes = sum(np.broadcast_to(battery.charge_limit_mw, alone.steps) for battery in alone.batteries)
    gives = sum(np.broadcast_to(battery.discharge_limit_mw, alone.steps) for battery in alone.batteries)
    lower = ac_edges(alone, Setpoints(none, none, none, alone.sheddable_mw))[1]
    upper = ac_edges(alone, Setpoints(none, alone.solar_ac_mw, none, none))[0]
    most = np.maximum(tightest(upper, np.argmin)[0], 0.0) - alone.generation_mw
    return np.maximum(tightest(lower, np.argmax)[0], -takes), np.minimum(most, gives)


def hours_survived(island: Island, start_mwh: Sequence[Array]) -> tuple[Array, Mask]:
    """(hours from each step on, starts that last to the horizon's end) with `start_mwh` in each battery.

    All starts are followed at once, each until it ends or all batteries are full: from there on every start goes the
    same way, which is followed once from each instant.
    """
    plant = island.plant
    units = [_Unit(battery, plant) for battery in plant.batteries]
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


def _followed(island: Island, units: Sequence[_Unit], energy: Array, full: Array) -> tuple[Array, Mask, np.ndarray]:
    """(hours, starts that reach the end, instant at which all batteries are full or -1) for a start at each step."""
    plant = island.plant
    at, going, hours = np.arange(plant.steps), np.arange(plant.steps), np.zeros(plant.steps)
    lasting, full_at = np.ones(plant.steps, dtype=bool), np.full(plant.steps, -1)
    while len(going):
        energy, share = _step(island, units, energy, at)
        hours[going] += share * plant.step_h
        on = share >= 1.0
        lasting[going[~on]] = False
        there = on & np.all(energy >= full[:, at + 1], axis=0)
        full_at[going[there]] = at[there] + 1
        keep = on & ~there & (at + 1 < plant.steps)
        going, at, energy = going[keep], at[keep] + 1, energy[:, keep]
    return hours, lasting, full_at


class _Unit:
    """One battery's numbers per step."""

    def __init__(self, battery: Storage, plant: Plant) -> None:
        self.kept, self.into, self.out = battery.law(plant.step_h)
        self.floor, self.ceiling = own_window(battery, plant)
        self.full = np.append(battery.ceiling_mwh[:1], self.ceiling)
        self.takes = np.broadcast_to(battery.charge_limit_mw, plant.steps)
        self.gives = np.broadcast_to(battery.discharge_limit_mw, plant.steps)
        self.drawn = np.broadcast_to(battery.drawn_mw, plant.steps) * plant.step_h
        self.slack = SLACK * battery.energy_mwh

    def rate_mwh(self, at: Array) -> Array:
        """What full discharge takes from the cells in each of the steps `at`."""
        taken: Array = np.maximum(self.out * self.gives[at], 1e-12)
        return taken


def own_window(battery: Storage, plant: Plant) -> tuple[float, Array]:
    """(floor, ceiling at the end of each step) that hold without the grid: a reserve is there to be used."""
    return float(battery.floor_mwh[0]), np.broadcast_to(battery.ceiling_mwh[1:], plant.steps)


def _step(island: Island, units: Sequence[_Unit], energy: Array, at: Array) -> tuple[Array, Array]:
    """(energy of each battery after the steps `at`, share of each step that is served)."""
    left = np.array([unit.kept * own - unit.drawn[at] for unit, own in zip(units, energy, strict=True)])
    wanted, share = island.least_mw[at], island.can[at].astype(float)
    forced = np.maximum(-island.most_mw[at], 0.0)  # generation that has to be taken
    gives = np.array(
        [np.clip((own - unit.floor) / unit.out, 0.0, unit.gives[at]) for unit, own in zip(units, left, strict=True)]
    )
    takes = np.array(
        [
            np.clip((unit.ceiling[at] - own) / unit.into, 0.0, unit.takes[at])
            for unit, own in zip(units, left, strict=True)
        ]
    )
    needed, given = np.maximum(wanted, 0.0), gives.sum(axis=0)
    tolerance = SLACK * island.plant.scale_mw
    short = (needed > given + tolerance) | (forced > takes.sum(axis=0) + tolerance)
    # Where powers suffice it is energy that runs out: the share of the step for which it lasts.
    rated = np.array([unit.gives[at] for unit in units])
    by_energy = short & (needed <= rated.sum(axis=0) + tolerance) & (forced <= tolerance)
    room = np.array([own - unit.floor for unit, own in zip(units, left, strict=True)])
    lasts = _lasting(np.maximum(room, 0.0) / np.array([[unit.out] for unit in units]), rated, needed)
    share = np.where(short, np.where(by_energy, np.minimum(lasts, 1.0 - 1e-12), 0.0), share)
    discharge = _levelled(units, np.minimum(needed, given), gives, room, at, down=True)
    charge = _levelled(units, np.minimum(np.maximum(-wanted, 0.0), takes.sum(axis=0)), takes, room, at, down=False)
    rates = np.array([[unit.into, unit.out] for unit in units])
    after = left + rates[:, :1] * charge - rates[:, 1:] * discharge
    ceilings = np.array([unit.ceiling[at] for unit in units])
    slack = np.array([[unit.slack] for unit in units])
    after = np.where(np.abs(after - ceilings) <= slack, ceilings, after)
    # What is drawn must be there; energy that self-discharge takes below the window is missed by nobody.
    dry = [(unit.drawn[at] > 0.0) & (own < unit.floor - unit.slack) for unit, own in zip(units, after, strict=True)]
    return after, np.where(np.any(dry, axis=0) | ~island.can[at], 0.0, share)


def _lasting(stored: Array, rated: Array, needed: Array) -> Array:
    """Share of a step for which batteries give `needed` MW together; each row of `stored` in MW over a whole step.

    In a share f a battery gives at most min(f·rated, stored). That sum reaches f·needed where for every number of the
    batteries that run empty first what they hold is enough for what the rated power of the others leaves.
    """
    full = np.maximum(rated, 1e-12)
    order = np.argsort(stored / full, axis=0)
    held = np.take_along_axis(stored, order, axis=0).cumsum(axis=0)
    asked = needed - (rated.sum(axis=0) - np.take_along_axis(rated, order, axis=0).cumsum(axis=0))
    shares = np.divide(held, asked, out=np.full(held.shape, np.inf), where=asked > 0.0)
    least: Array = shares.min(axis=0)
    return least


def _levelled(units: Sequence[_Unit], total: Array, most: Array, room: Array, at: Array, *, down: bool) -> Array:
    """`total` MW over the batteries so that their hours of full discharge come as close together as can be.

    So none runs empty while the power of all is still needed. `room` is the energy above each one's floor.
    """
    if len(units) == 1:
        return total[None]
    full = np.array([unit.rate_mwh(at) for unit in units])
    rate = np.array([[unit.out] if down else [unit.into] for unit in units])

    def powers(level: Array) -> Array:
        over = room - level * full if down else level * full - room
        given: Array = np.clip(over / rate, 0.0, most)
        return given

    # The sum is a line between the levels at which one battery starts or stops to move: they bracket the level.
    moving = room / full, (room - rate * most if down else room + rate * most) / full
    marks = np.sort(np.concatenate(moving), axis=0)
    sums = np.array([powers(mark).sum(axis=0) for mark in marks])
    reached = sums >= total if down else sums <= total
    below = np.clip(reached.sum(axis=0) - 1, 0, len(marks) - 2)[None]
    (left,), (right,) = (np.take_along_axis(marks, below + k, axis=0) for k in (0, 1))
    (at_left,), (at_right,) = (np.take_along_axis(sums, below + k, axis=0) for k in (0, 1))
    change = at_right - at_left
    share = np.divide(total - at_left, change, out=np.zeros(len(at)), where=change != 0.0)
    return powers(left + np.clip(share, 0.0, 1.0) * (right - left))


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
    units = [_Unit(battery, plant) for battery in plant.batteries]
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


def _covered(island: Island, units: Sequence[_Unit], energy: Array, cover_h: float) -> Mask:
    """Starts that survive so many hours, or to the end of the horizon, with `energy` in each battery."""
    plant = island.plant
    at, going, hours = np.arange(plant.steps), np.arange(plant.steps), np.zeros(plant.steps)
    wanted = np.minimum(cover_h, (plant.steps - at) * plant.step_h) - SLACK * cover_h
    while len(going):
        energy, share = _step(island, units, energy, at)
        hours[going] += share * plant.step_h
        keep = (share >= 1.0) & (hours[going] < wanted[going]) & (at + 1 < plant.steps)
        going, at, energy = going[keep], at[keep] + 1, energy[:, keep]
    covered: Mask = hours >= wanted
    return covered


def _needed_of_one(island: Island, cover_h: float) -> tuple[Array, Mask]:
    """The same of one battery, by going back from the end."""
    plant = island.plant
    (battery,) = plant.batteries
    unit = _Unit(battery, plant)
    whole = int(cover_h / plant.step_h + 1e-9)
    part = max(cover_h / plant.step_h - whole, 0.0)
    least, steps = island.least_mw, plant.steps
    gain = np.where(least < 0.0, -unit.into * least, -unit.out * least) - unit.drawn
    asking, impossible = (least > 0.0) | (unit.drawn > 0.0), ~island.can
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
