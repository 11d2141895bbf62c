"""What a plan's stored energy would be if calls came unlike those that it expects: information, no promise.

A longer call, a market without calls, and a whole call in every block are run through the step simulator's energy law
at the planned base points. Energies are not held at the window: what is missing is how far a plan would fall short.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.plant.flows import of_battery
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.products.activation import BASE, port_factor
from bess_opt.plant.products.offers import SIGN, Direction, Offer
from bess_opt.plant.reach import least_mwh, most_mwh


def leaving_mw(battery: Storage, power_mw: Array) -> Array:
    """Power that leaves the cells at a power of the port, + discharges."""
    out, into = np.maximum(power_mw, 0.0), np.maximum(-power_mw, 0.0)
    leaving: Array = out / battery.eta_discharge - battery.eta_charge * into
    return leaving


class UnlikePlan:
    """One battery of a plan, and how its stored energy would differ from the planned one."""

    def __init__(self, schedule: pd.DataFrame, plant: Plant, battery: Storage) -> None:
        self.plant, self.battery = plant, battery
        self.base, charge, discharge, after = of_battery(
            schedule, battery, BASE, "charge_mw", "discharge_mw", "energy_mwh"
        )
        self.planned = discharge / battery.eta_discharge - battery.eta_charge * charge
        self.energy: Array = np.append(battery.start_mwh, after)
        self._bids = {o.name: schedule[f"{battery.prefix}{o.column}"].to_numpy(dtype=float) for o in plant.offers}
        self._room = {"up": (1.0, least_mwh(battery)), "down": (-1.0, most_mwh(battery))}

    def room(self, energy_mwh: Array, direction: Direction) -> Array:
        """What the window leaves at each instant for calls of a direction."""
        sign, edge = self._room[direction]
        left: Array = sign * (energy_mwh - edge)
        return left

    def quiet(self) -> Array:
        """Stored energy at each instant if no call came at all."""
        return self._besides((), "up", np.zeros((0, self.plant.steps)))

    def every_block(self, offers: Sequence[Offer], direction: Direction) -> Array:
        """Stored energy at each instant if a whole call of `offers` began with each of their blocks, and no other."""
        h, steps = self.plant.step_h, np.arange(self.plant.steps)
        shares = [
            np.clip((offer.headroom_h - (steps - offer.block_starts[offer.block]) * h) / h, 0.0, 1.0)
            for offer in offers
        ]
        return self._besides(offers, direction, np.array(shares))

    def _besides(self, offers: Sequence[Offer], direction: Direction, shares: Array) -> Array:
        """Stored energy at each instant with calls of `offers` for these shares of each step, and no others."""
        energy: Array = self.energy + self._apart(self._beside_plan(offers, direction, shares))
        return energy

    def longer(self, offers: Sequence[Offer], direction: Direction) -> Array:
        """Least room of a call that begins with each step and runs to the end of its block, or for its own hours.

        Of the two what is longer; it ends with the horizon.
        """
        steps, h, kept = self.plant.steps, self.plant.step_h, self.battery.retention
        run = [np.maximum(offer.headroom_h / h, _steps_left(offer)) for offer in offers]
        apart, least = np.zeros(steps), np.full(steps, np.inf)
        begin = np.arange(steps)
        for k in range(int(np.ceil(max((float(r.max()) for r in run), default=0.0)))):
            here = np.minimum(begin + k, steps - 1)
            shares = np.array([np.clip(r - k, 0.0, 1.0) for r in run])
            runs = (begin + k < steps) & (shares > 0.0).any(axis=0)
            if not runs.any():
                break
            change = self._beside_plan(offers, direction, shares, here)
            apart = np.where(runs, kept * apart + change, apart)
            room = self.room(self.energy, direction)[here + 1] + self._room[direction][0] * apart
            least = np.where(runs, np.minimum(least, room), least)
        return least

    def _beside_plan(
        self, offers: Sequence[Offer], direction: Direction, shares: Array, at: Array | None = None
    ) -> Array:
        """MWh that a step's cells gain beside the plan, `offers` called for `shares` of steps `at` and nothing else.

        Those that are called for longer run on where the others have ended.
        """
        at = np.arange(self.plant.steps) if at is None else at
        base, h = self.base[at], self.plant.step_h
        factor = SIGN[direction] * port_factor(self.plant, self.battery, direction)
        moved = np.array([factor * self._bids[offer.name][at] for offer in offers]).reshape(len(offers), len(at))
        order = np.argsort(shares, axis=0)
        shares, moved = (np.take_along_axis(values, order, axis=0) for values in (shares, moved))
        leaving, before = np.zeros(len(at)), np.zeros(len(at))
        for rank in range(len(offers)):
            called = leaving_mw(self.battery, base + moved[rank:].sum(axis=0))
            leaving = leaving + (shares[rank] - before) * called
            before = shares[rank]
        leaving = leaving + (1.0 - before) * leaving_mw(self.battery, base)
        gained: Array = h * (self.planned[at] - leaving)
        return gained

    def _apart(self, change_mwh: Array) -> Array:
        """How far the stored energy is from the plan at each instant, for what each step gains beside it."""
        kept, apart = self.battery.retention, [0.0]
        for change in change_mwh.tolist():
            apart.append(kept * apart[-1] + change)
        return np.array(apart)


def _steps_left(offer: Offer) -> Array:
    """Steps to the end of its block, of each step."""
    ends = np.append(offer.block_starts[1:], len(offer.block))
    left: Array = (ends[offer.block] - np.arange(len(offer.block))).astype(float)
    return left
