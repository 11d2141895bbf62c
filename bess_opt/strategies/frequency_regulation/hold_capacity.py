"""The rule that holds regulation: capacity from what is stored when a block begins, base point towards the middle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.plant.grid_band import room_of_rule
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.products.activation import port_factor
from bess_opt.plant.products.offers import SIGN
from bess_opt.plant.room import Setpoints
from bess_opt.plant.rule import Held, State
from bess_opt.strategies.frequency_regulation.calls import PRODUCTS_SOLD, called_room, offers_sold, pressed
from bess_opt.strategies.shared.rule_parts import LAST_H, drawing

RECENTRE_H = 1.0  # hours in which the rule would bring the stored energy back to the middle
NO_CAPACITY = 1e-9  # of rated power: less than this is not held
BASE_SHARE = 0.5  # of the power, most that the rule keeps for its base point


class HoldCapacity:
    """The rule: capacity from what is stored when a block begins, base point towards the middle.

    Called with the state of a step it gives the mean power of each battery, and notes in `held` what it holds.
    """

    def __init__(self, plant: Plant, activation_up: float, activation_down: float) -> None:
        self._units = [_Unit(plant, battery, activation_up, activation_down) for battery in plant.batteries]
        names = [battery.name for battery in plant.batteries] if len(plant.batteries) > 1 else []
        prefixes = ["", *(battery.prefix for battery in plant.batteries if battery.prefix)]
        held = Held.nothing(plant.steps, [f"{prefix}{offer.name}" for prefix in prefixes for offer in plant.offers])
        self.held = Held(held.capacity_mw, held.swing_mw, {name: [0.0] * plant.steps for name in names})
        self._sold = [held.capacity_mw[name] for name in PRODUCTS_SOLD]
        self.wish = 0.0

    def beside_others(self, *, first: bool) -> None:
        """See `Committing`: with others, base point and capacity leave each other room in list order."""
        for unit in self._units:
            unit.beside_others(first=first)

    def __call__(self, state: State) -> float | Mapping[str, float]:
        """Mean power of the batteries in the step, + discharges: of each where any holds capacity, else their sum."""
        held = self.held
        if not held.swing_of:
            return self._answer(self._units[0], state.step, state.energy_mwh, held.swing_mw)
        powers = {
            unit.name: self._answer(unit, state.step, state.units[unit.name].energy_mwh, swing)
            for unit, swing in zip(self._units, held.swing_of.values(), strict=True)
        }
        return powers if held.any_at(state.step) else sum(powers.values())

    def _answer(self, unit: _Unit, t: int, energy: float, swing: list[float]) -> float:
        """Mean power of a battery in step `t`; what it holds is noted."""
        charge, discharge, bid = unit.flows(t, energy, self.wish)
        if bid > 0.0:
            for sold in self._sold:
                sold[t] += bid
            if unit.prefix:
                for name in PRODUCTS_SOLD:
                    self.held.capacity_mw[f"{unit.prefix}{name}"][t] = bid
            swing[t] = charge if charge < discharge else discharge
        return discharge - charge


class _Unit:
    """One battery: its part of the capacity, in MW by which a call upward moves its port."""

    def __init__(self, plant: Plant, storage: Storage, activation_up: float, activation_down: float) -> None:
        self.name, self.prefix = storage.name, storage.prefix
        sold = offers_sold(plant)
        self._share = storage.power_mw / plant.power_mw
        self._drawn = drawing(replace(plant, batteries=(storage,)))
        self._called_up, self._called_down = (
            np.broadcast_to(offer.called.get(way, 0.0), plant.steps).tolist()
            for offer, way in zip(sold, SIGN, strict=True)
        )
        moved = port_factor(plant, storage, "up")
        self._bid = 1.0 / moved
        self._down = port_factor(plant, storage, "down") / moved  # of what a call upward moves
        up, down = activation_up, activation_down
        gain = down * self._down * storage.eta_charge - up / storage.eta_discharge  # cells per MW held, on average
        self._shift = plant.step_h * gain
        known = "regulation_signal" not in plant.extra
        most, h = (max(up, down) if known else 1.0), plant.step_h
        self._step_h, self._headroom_h, self._most_called = h, sold[0].headroom_h, most
        self._pace = min(h / RECENTRE_H, 1.0)
        self._eta_in, self._eta_out, self._kept = storage.eta_charge, storage.eta_discharge, storage.retention
        self._goal = _goal(plant, storage).tolist()
        self._least_mw = NO_CAPACITY * storage.power_mw
        # Mean powers that use up no cap on cycles, and the share of the capacity that counts towards each.
        out, into = (_mean_mw(plant, storage, charged=charged) for charged in (False, True))
        self._warranty, self._counts = out * storage.eta_discharge, (up if known else 1.0)
        self._warranty_in, self._counts_in = into / storage.eta_charge, (down if known else 1.0)
        within = min(self._warranty / max(self._counts, 1e-9), self._warranty_in / max(self._counts_in, 1e-9))
        stated = np.minimum(*(offer.most_mw for offer in sold)) * self._share * moved
        both_buses = bool(plant.on_dc_bus) and bool(plant.on_ac_bus)
        known_to_fit = not both_buses and not plant.connection.has_ramps
        drift_h = h * abs(gain) / storage.eta_charge
        self._block = _Blocks(
            plant,
            storage,
            np.minimum(stated, within) if known_to_fit else np.zeros(plant.steps),
            lambda steps: self._ready_h(steps) + drift_h,
        )
        self._capacity = 0.0
        self._wish, self._stacked, self._first = 0.0, False, True

    def beside_others(self, *, first: bool) -> None:
        """See `HoldCapacity`."""
        self._stacked, self._first = True, first

    def flows(self, t: int, energy: float, wish: float) -> tuple[float, float, float]:
        """(mean charge, mean discharge, capacity held at the AC bus) of a step; `wish` is of all batteries."""
        self._wish, block = wish * self._share, self._block
        missing = self._pace * (self._goal[t + 1] - self._kept * energy)
        if block.starts[t]:
            self._capacity = self._offer(t, energy, missing)
        r = self._capacity
        base = self._drawn(self._shift * r - missing)
        if self._stacked:
            base = self._with_wish(base)
        if r == 0.0:
            base = max(min(base, self._warranty), -self._warranty_in)
            return max(-base, 0.0), max(base, 0.0), 0.0
        lowest, highest = block.now_low[t] + r, block.now_high[t] - r
        most_base = block.mean_high[t] - (self._called_up[t] - self._called_down[t] * self._down) * r
        highest = most_base if most_base < highest else highest
        base = lowest if lowest > base else base
        base = highest if base > highest else base
        if self._stacked:
            base = self._kept_ready(t, energy, base, r)
        if base > 0.0:
            most = self._most_base(t, energy, r)
            base = most if most < base else base
            most = self._warranty - self._counts * r
            if most < base:
                base = most if most > 0.0 else 0.0
        elif base < 0.0:
            most = self._warranty_in - self._counts_in * r
            if -most > base:
                base = -most if most > 0.0 else -0.0
        charge, discharge = self._means(t, base, r)
        return charge, discharge, r * self._bid

    def _most_base(self, t: int, energy: float, r: float) -> float:
        """Most discharge at the base point with room in store for a call downward.

        A call that stops discharge leaves 1/η_discharge per MWh in the cells, one that charges brings η_charge: a
        base point that discharges needs more room than one at rest.
        """
        ready, into = self._ready_h(self._block.left[t]), self._eta_in
        more = self._headroom_h / self._eta_out - ready * into
        if more <= 0.0:
            return float("inf")
        spare = self._block.ceiling[t] - energy - ready * into * r
        most = max(spare, 0.0) / more
        return most if most < r else float("inf")

    def _with_wish(self, base: float) -> float:
        """Recentring and what the others ask for: the earlier stands, the later may add to it."""
        first, second = (base, self._wish) if self._first else (self._wish, base)
        if first > 0.0:
            return max(first, second)
        return min(first, second) if first < 0.0 else second

    def _kept_ready(self, t: int, energy: float, base: float, r: float) -> float:
        """`base` held where the energy for the calls to come in the block stays in store, and the room for them."""
        h, block = self._step_h, self._block
        called = r * self._ready_h(block.left[t]) / h
        give = (self._kept * energy - block.floor[t]) * self._eta_out / h - called
        take = (block.ceiling[t] - self._kept * energy) / (self._eta_in * h) - called
        return float(min(max(base, -take), give))

    def _ready_h(self, steps: Any) -> Any:
        """Hours of full call for which energy must be there while `steps` of a block are to come; as `steps`."""
        return self._headroom_h + self._step_h * steps * self._most_called

    def _offer(self, t: int, energy: float, missing: float) -> float:
        """Capacity that a block beginning at `t` can hold whatever is called."""
        block, low, high = self._block, self._block.low[t], self._block.high[t]
        above = (energy if energy < block.goal_low[t] else block.goal_low[t]) - block.floor[t]
        below = block.ceiling[t] - (energy if energy > block.goal_high[t] else block.goal_high[t])
        give, take = above * self._eta_out, below / self._eta_in
        wish = 0.0 if self._first else self._wish
        if wish > 0.0:
            give -= wish * block.length[t] * self._step_h
        elif wish < 0.0:
            take += wish * block.length[t] * self._step_h
        if low > 0.0:  # the site makes it discharge: a call downward then leaves all of that in the cells
            take = min(take, below * self._eta_out * block.ready_h[t] / max(self._headroom_h, 1e-9))
        most = (give if give < take else take) / block.ready_h[t]
        if most > block.most_mw[t]:
            most = block.most_mw[t]
        if most <= self._least_mw:
            return 0.0
        # The expected calls move the store too: the base point brings what they leave missing.
        base, least, greatest = self._drawn(self._shift * most - missing), BASE_SHARE * low, BASE_SHARE * high
        base = least if least > base else base
        base = greatest if base > greatest else base
        if wish:
            base = min(max(wish, low), high)
        r: float = min(most, high - base, base - low)
        return r if r > self._least_mw else 0.0

    def _means(self, t: int, base: float, r: float) -> tuple[float, float]:
        """(charge, discharge) over base point and calls of a step, MW."""
        up, down, fall = self._called_up[t], self._called_down[t], self._down * r
        if base >= 0.0:  # a call down discharges less, then charges
            less = base if base < fall else fall
            return down * (fall - less), base + up * r - down * less
        less = -base if -base < r else r
        return -base - up * less + down * fall, up * (r - less)


def _mean_mw(plant: Plant, storage: Storage, *, charged: bool) -> float:
    """Mean power into or out of the cells that keeps every cap on cycles of a battery."""
    caps = (cap for cap in storage.caps if cap.charged is charged)
    return min((cap.mean_mw(plant.step_h) for cap in caps), default=float("inf"))


class _Blocks:
    """What the rule knows of each step's block, as lists over the steps."""

    def __init__(self, plant: Plant, storage: Storage, most_mw: Array, ready_h: Callable[[Array], Array]) -> None:
        up, _ = offers_sold(plant)
        first, number, share = up.block_starts, up.block, storage.power_mw / plant.power_mw
        length = np.diff(np.append(first, plant.steps))
        low, high = called_room(plant, plant.solar_ac_mw, plant.solar_dc_mw, plant.load_mw)
        low, high = share * low, share * high
        mean_high, between = np.full(plant.steps, np.inf), np.full(plant.steps, np.inf)
        if plant.connection.soft:
            least, mean_high, between = _mean_within_soft_caps(plant, share)
            low, high = np.maximum(low, least), np.where(mean_high < 0.0, np.minimum(high, mean_high), high)
        low, high = np.maximum(low, -storage.charge_limit_mw), np.minimum(high, storage.discharge_limit_mw)
        high = np.where(pressed(plant), -np.inf, high)
        self.now_low, self.now_high = low.tolist(), high.tolist()
        long = length[number] > 1  # what load and PV will be is not known: the worst that the site can show
        self.low, self.high = np.where(long, low.max(), low).tolist(), np.where(long, high.min(), high).tolist()
        self.mean_high = mean_high.tolist()
        between = np.minimum(between, mean_high - low) / 2.0  # calls may bring as much as is held
        cap = np.minimum(np.minimum(self.high, -np.array(self.low)), most_mw)
        cap = np.minimum(cap, np.where(long, between.min(), between))
        self.most_mw, self.ready_h = cap.tolist(), np.maximum(ready_h(length[number]), 1e-9).tolist()
        leak = (1.0 - storage.retention) * float(storage.ceiling_mwh.max()) + plant.step_h * float(
            np.max(storage.drawn_mw)
        )
        goal = _goal(plant, storage)

        def over(values: Array, worst: np.ufunc) -> Array:
            both = worst(values[:-1], values[1:])
            result: Array = worst.reduceat(both, first)[number]
            return result

        self.floor = (over(storage.floor_mwh, np.maximum) + leak * length[number]).tolist()
        self.ceiling = over(storage.ceiling_mwh, np.minimum).tolist()
        self.goal_low, self.goal_high = over(goal, np.minimum).tolist(), over(goal, np.maximum).tolist()
        self.starts, self.length = np.isin(np.arange(plant.steps), first).tolist(), length[number].tolist()
        self.left = (np.append(first, plant.steps)[number + 1] - np.arange(plant.steps)).tolist()


def _mean_within_soft_caps(plant: Plant, share: float) -> tuple[Array, Array, Array]:
    """(least, most) mean power of a `share` of the batteries that keeps priced caps, and how far a call may take it.

    The step simulator keeps priced caps with the mean power of a step, and would move a base point beyond them. PV
    that is thrown away for a priced cap is not there when a call downward draws on the grid.
    """
    nothing = np.zeros(plant.steps)
    room = room_of_rule(plant, Setpoints(nothing, nothing, nothing, nothing))
    between = plant.connection.soft_cap_mw("export_mw") + plant.import_max_mw
    slope = 1.0 if plant.bus is None else plant.bus.eta_in
    return share * room.lowest_mw, share * room.highest_mw, share * slope * between


def _goal(plant: Plant, storage: Storage) -> Array:
    """Stored energy that the rule comes back to: the middle, in the last hours what `soc_end` asks for."""
    goal = (storage.floor_mwh + storage.ceiling_mwh) / 2.0
    last = max(plant.steps - round(LAST_H / plant.step_h), 0)
    goal[last:] = np.clip(goal[last:], storage.end_min_mwh, storage.end_max_mwh)
    inside: Array = np.clip(goal, storage.floor_mwh, storage.ceiling_mwh)
    return inside
