"""A site without the grid: what its load lacks in each step, what PV has over, and one step of its batteries.

PV serves the load first. What it has over charges the batteries of its own bus, then those of the other; what the
load lacks they give together. No battery charges another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.plant.connection import Outages
from bess_opt.plant.plant import Plant, Storage

SLACK = 1e-9  # of nameplate energy or power: what misses a bound by less meets it


@dataclass(frozen=True)
class Island:
    """What a site has and lacks in each step without the grid, MW at the AC side but for `spare_dc_mw`.

    `load_mw` is the critical load, `lacks_mw` what PV leaves of it, `forced_mw` generation that has to be taken.
    `spare_ac_mw` and `spare_dc_mw` are what PV has over on either bus. The shared inverter may still give the AC bus
    `gives_mw`, and take `takes_mw` from it.
    """

    plant: Plant
    load_mw: Array
    lacks_mw: Array
    forced_mw: Array
    spare_ac_mw: Array
    spare_dc_mw: Array
    gives_mw: Array
    takes_mw: Array
    eta_out: float
    eta_in: float

    @property
    def tolerance_mw(self) -> float:
        """A power that misses a limit by less meets it."""
        return SLACK * self.plant.scale_mw


def island_of(plant: Plant, critical_share: float) -> Island:
    """The site of `plant` without the grid in every step, serving `critical_share` of its load."""
    away = Outages(np.zeros(plant.steps, dtype=int), (critical_share,))
    alone = replace(plant, unserved_price_per_mwh=None, outages=away)
    net, nothing = alone.load_mw - alone.sheddable_mw, np.zeros(plant.steps)
    load, bus = np.maximum(net, 0.0), plant.bus
    eta_out, eta_in = (1.0, 1.0) if bus is None else (bus.eta_out, bus.eta_in)
    rating = nothing if bus is None else np.full(plant.steps, bus.inverter_mw)
    straight = np.minimum(load, plant.solar_ac_mw)
    through = np.minimum(np.minimum(load - straight, eta_out * plant.solar_dc_mw), rating)
    return Island(
        plant=alone,
        load_mw=load,
        lacks_mw=load - straight - through,
        forced_mw=np.maximum(-net, 0.0),
        spare_ac_mw=plant.solar_ac_mw - straight,
        spare_dc_mw=np.maximum(plant.solar_dc_mw - through / eta_out, 0.0),
        gives_mw=rating - through,
        takes_mw=rating,
        eta_out=eta_out,
        eta_in=eta_in,
    )


class Unit:
    """One battery's numbers per step; its discharge is counted at the AC side, its charge at the port."""

    def __init__(self, battery: Storage, island: Island) -> None:
        plant, to_ac = island.plant, island.eta_out if battery.on_dc_bus else 1.0
        self.on_dc_bus = battery.on_dc_bus
        self.kept, self.into, out = battery.law(plant.step_h)
        self.out = out / to_ac
        self.floor, self.ceiling = own_window(battery, plant)
        self.full = np.append(battery.ceiling_mwh[:1], self.ceiling)
        self.takes = np.broadcast_to(battery.charge_limit_mw, plant.steps)
        self.gives = to_ac * np.broadcast_to(battery.discharge_limit_mw, plant.steps)
        self.drawn = np.broadcast_to(battery.drawn_mw, plant.steps) * plant.step_h
        self.slack = SLACK * battery.energy_mwh

    def rate_mwh(self, at: Array) -> Array:
        """What full discharge takes from the cells in each of the steps `at`."""
        taken: Array = np.maximum(self.out * self.gives[at], 1e-12)
        return taken


def own_window(battery: Storage, plant: Plant) -> tuple[float, Array]:
    """(floor, ceiling at the end of each step) that hold without the grid: a reserve is there to be used."""
    return float(battery.floor_mwh[0]), np.broadcast_to(battery.ceiling_mwh[1:], plant.steps)


def step(island: Island, units: Sequence[Unit], energy: Array, at: Array) -> tuple[Array, Array]:
    """(energy of each battery after the steps `at`, share of each step that is served)."""
    left = np.array([unit.kept * own - unit.drawn[at] for unit, own in zip(units, energy, strict=True)])
    into, out = np.array([[unit.into] for unit in units]), np.array([[unit.out] for unit in units])
    floors, ceilings = np.array([[unit.floor] for unit in units]), np.array([unit.ceiling[at] for unit in units])
    rated = np.array([unit.gives[at] for unit in units])
    stored = np.maximum(left - floors, 0.0) / out
    takes = np.clip((ceilings - left) / into, 0.0, np.array([unit.takes[at] for unit in units]))
    gives, room = np.minimum(stored, rated), left - floors
    charge, taken = _charged(island, units, takes, room, at)
    discharge, given = _discharged(island, units, gives, room, at)
    needed, tolerance = island.lacks_mw[at], island.tolerance_mw
    short, stuck = needed > given + tolerance, island.forced_mw[at] > taken + tolerance
    # Where powers suffice it is energy that runs out: the share of the step for which it lasts.
    by_energy = ~stuck & (needed <= _together(island, units, rated, at) + tolerance)
    lasts = np.minimum(_lasting(island, units, stored, rated, at), 1.0 - 1e-12)
    share = np.where(short | stuck, np.where(by_energy, lasts, 0.0), 1.0)
    after = left + into * charge - out * discharge
    slack = np.array([[unit.slack] for unit in units])
    after = np.where(after >= ceilings - slack, ceilings, after)
    # What is drawn must be there; energy that self-discharge takes below the window is missed by nobody.
    dry = [(unit.drawn[at] > 0.0) & (own < unit.floor - unit.slack) for unit, own in zip(units, after, strict=True)]
    return after, np.where(np.any(dry, axis=0), 0.0, share)


def _of_bus(units: Sequence[Unit]) -> tuple[list[int], list[int]]:
    """(rows of the batteries on the AC bus, of those on the DC bus)."""
    rows = range(len(units))
    return [i for i in rows if not units[i].on_dc_bus], [i for i in rows if units[i].on_dc_bus]


def _together(island: Island, units: Sequence[Unit], powers: Array, at: Array) -> Array:
    """What the batteries give the AC bus together at such powers each: those on the DC bus share the inverter."""
    ac, dc = _of_bus(units)
    total: Array = powers[ac].sum(axis=0) + np.minimum(powers[dc].sum(axis=0), island.gives_mw[at])
    return total


def _lasting(island: Island, units: Sequence[Unit], stored: Array, rated: Array, at: Array) -> Array:
    """Share of each step for which what is lacking is given; `stored` is what each holds, in MW over a whole step."""
    ac, dc = _of_bus(units)
    needed = island.lacks_mw[at]
    share = _share_of(stored, rated, needed)
    if dc:  # the inverter at its limit for as long
        share = np.minimum(share, _share_of(stored[ac], rated[ac], needed - island.gives_mw[at]))
    return share


def _share_of(stored: Array, rated: Array, needed: Array) -> Array:
    """The longest share f of a step for which the sum of min(f·rated, stored) is at least f·needed.

    It is where for every number of the batteries that run empty first what they hold is enough for what the rated
    power of the others leaves.
    """
    order = np.argsort(stored / np.maximum(rated, 1e-12), axis=0)
    nothing = np.zeros((1, len(needed)))
    held = np.concatenate([nothing, np.take_along_axis(stored, order, axis=0).cumsum(axis=0)])
    empty = np.concatenate([nothing, np.take_along_axis(rated, order, axis=0).cumsum(axis=0)])
    asked = needed - (rated.sum(axis=0) - empty)
    shares = np.divide(held, asked, out=np.full(held.shape, np.inf), where=asked > 1e-12)
    least: Array = shares.min(axis=0)
    return least


def _charged(island: Island, units: Sequence[Unit], takes: Array, room: Array, at: Array) -> tuple[Array, Array]:
    """(charge of each battery, most that all can take from the AC bus) where each can take `takes`."""
    ac, dc = _of_bus(units)
    most_ac, most_dc, forced = takes[ac].sum(axis=0), takes[dc].sum(axis=0), island.forced_mw[at]
    spare_ac, spare_dc = island.spare_ac_mw[at] + forced, island.spare_dc_mw[at]
    # Generation that cannot be curtailed comes before PV on the DC bus.
    must = np.minimum(island.eta_in * np.maximum(forced - most_ac, 0.0), most_dc)
    own_ac, own_dc = np.minimum(spare_ac, most_ac), np.minimum(spare_dc, most_dc - must)
    back = np.minimum(np.minimum(spare_ac - own_ac, island.takes_mw[at]), (most_dc - own_dc) / island.eta_in)
    over = np.minimum(np.minimum(island.eta_out * (spare_dc - own_dc), island.gives_mw[at]), most_ac - own_ac)
    charge = np.zeros(takes.shape)
    charge[ac] = _levelled([units[i] for i in ac], own_ac + over, takes[ac], room[ac], at, down=False)
    charge[dc] = _levelled([units[i] for i in dc], own_dc + island.eta_in * back, takes[dc], room[dc], at, down=False)
    return charge, most_ac + np.minimum(most_dc / island.eta_in, island.takes_mw[at])


def _discharged(island: Island, units: Sequence[Unit], gives: Array, room: Array, at: Array) -> tuple[Array, Array]:
    """(what each battery gives the AC bus of what is lacking, most that all can give) where each can give `gives`."""
    ac, dc = _of_bus(units)
    most = _together(island, units, gives, at)
    total = np.minimum(island.lacks_mw[at], most)
    discharge = _levelled(units, total, gives, room, at, down=True)
    limit = island.gives_mw[at]
    if dc and (discharge[dc].sum(axis=0) > limit).any():
        behind = np.minimum(discharge[dc].sum(axis=0), limit)
        discharge[dc] = _levelled([units[i] for i in dc], behind, gives[dc], room[dc], at, down=True)
        discharge[ac] = _levelled([units[i] for i in ac], total - behind, gives[ac], room[ac], at, down=True)
    return discharge, most


def _levelled(units: Sequence[Unit], total: Array, most: Array, room: Array, at: Array, *, down: bool) -> Array:
    """`total` MW over the batteries so that their hours of full discharge come as close together as can be.

    So none runs empty while the power of all is still needed. `room` is the energy above each one's floor.
    """
    if len(units) < 2:
        return np.repeat(total[None], len(units), axis=0)
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
