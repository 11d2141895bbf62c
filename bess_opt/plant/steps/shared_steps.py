"""The step simulator for several batteries: a request is shared by room, and the site's limits hold for all together.

Room is what a battery can take or give in the step at its port. A power of the site is shared in proportion to it, so
that what one cannot use goes to the others. A limit of the site changes the sum as little as possible: those that run
against it stand back first, then room is used, both in proportion.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import StrategyError
from bess_opt.common.input_table import plain
from bess_opt.common.names import nearest
from bess_opt.plant import physics
from bess_opt.plant.flows import Flows
from bess_opt.plant.grid_band import GridBand, ac_band, within_soft_caps
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.room import Setpoints, dc_edges
from bess_opt.plant.rule import AnyRule, State, UnitState
from bess_opt.plant.stepper_limits import SLACK
from bess_opt.plant.steps.site_flows import site_flows
from bess_opt.plant.steps.transition import transition_of
from bess_opt.plant.warranty.cycle_caps import Allowances

HALVINGS = 60  # of an interval, to the last bit of a double
Powers = list[float]


def run_several(plant: Plant, asked: Setpoints, rule: AnyRule, *, sheddable: bool = False) -> Flows:
    """Run the plant under `rule`; `sheddable`: load that has a price gives way, and priced caps are kept first."""
    units = [_Unit(battery, plant) for battery in plant.batteries]
    band = GridBand(plant, asked, clauses_first=sheddable)
    site = _Site(plant, asked, sheddable)
    names = [battery.name for battery in plant.batteries]
    grid_of = band.grid_mw.__getitem__ if band.ramps else lambda t: site.grid_mw(t, [unit.power[t] for unit in units])
    state = State(plant, grid_of)
    rounding, limited = SLACK * plant.scale_mw, [""] * plant.steps
    swings = [None if asked.held is None else asked.held.swing_of.get(name) for name in names]
    for t in range(plant.steps):
        for unit in units:
            unit.look(t)
        state.step, state.energy_mwh = t, sum(unit.energy for unit in units)
        state.charge_room_mw = sum(unit.takes for unit in units)
        state.discharge_room_mw = sum(unit.gives for unit in units)
        state.units = {
            name: UnitState(unit.energy, unit.takes, unit.gives) for name, unit in zip(names, units, strict=True)
        }
        if band.ramps:
            site.narrow(t, *band.ac_power(t))
        wanted, of_site = _wanted(rule(state), names, plant, t)
        fitted, by = site.fitted(wanted, units, t, of_site)
        stopped = [
            unit.move(t, power, 0.0 if swing is None else swing[t])
            for unit, power, swing in zip(units, fitted, swings, strict=True)
        ]
        given = [unit.power[t] for unit in units]
        changed = [abs(g - w) > rounding for g, w in zip(given, wanted, strict=True)]
        if abs(sum(given) - sum(wanted)) > rounding if of_site is not None else any(changed):
            own = [word for word in stopped if word] or [unit.bound_by for unit in units if unit.bound_by]
            limited[t] = by or (own[0] if own else "power")
        if band.ramps:
            band.book(t, *site.by_bus(given))
    power, stored = [np.array(unit.power) for unit in units], [np.array(unit.stored) for unit in units]
    return site_flows(plant, asked, power, stored, np.array(limited, dtype=object), band)


def _wanted(answer: object, names: Sequence[str], plant: Plant, t: int) -> tuple[Powers, float | None]:
    """(what is asked of each battery, or the sum on the first, and that sum where the answer is one for the site)."""
    at = f"{plant.index[t]:%Y-%m-%d %H:%M}"
    stated = answer if isinstance(answer, Mapping) else {"": answer}
    powers: dict[str, float] = {}
    for name, value in stated.items():
        if isinstance(answer, Mapping) and name not in names:
            hint = nearest(str(name), names)
            raise StrategyError(f"rule: at {at} it named {name!r}, no battery of the site; {hint}")
        powers[str(name)] = _number(value, at)
    if isinstance(answer, Mapping):
        return [powers.get(name, 0.0) for name in names], None
    return [powers[""], *[0.0] * (len(names) - 1)], powers[""]


def _number(value: object, at: str) -> float:
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise StrategyError(f"rule: at {at} it returned {value}; return a finite battery power in MW, + discharges")
    return float(number)


class _Unit:
    """One battery while the steps go by."""

    def __init__(self, battery: Storage, plant: Plant) -> None:
        self.battery, self.step_h = battery, plant.step_h
        self.energy = battery.start_mwh
        self.power: Powers = []
        self.stored = [battery.start_mwh]
        self.takes = self.gives = self.forced = 0.0
        self.bound_by = ""
        self._kept, self._into, self._out = battery.law(plant.step_h)
        self._step = transition_of(battery, plant.step_h)
        self._floor, self._ceiling = battery.floor_mwh[1:].tolist(), battery.ceiling_mwh[1:].tolist()
        of_step = [battery.charge_limit_mw, battery.discharge_limit_mw, battery.drawn_mw]
        self._most_in, self._most_out, self._drawn = (np.broadcast_to(v, plant.steps).tolist() for v in of_step)
        self._caps = Allowances(battery.caps, plant.steps, self._into, self._out)
        self._may_in = self._may_out = math.inf

    def look(self, t: int) -> None:
        """What it can take and give in step `t`."""
        left = self._kept * self.energy - self.step_h * self._drawn[t]
        room_in, room_out = (self._ceiling[t] - left) / self._into, (left - self._floor[t]) / self._out
        self._may_in, self._may_out = self._caps.most_mw(t)
        self.takes = max(min(room_in, self._most_in[t], self._may_in), 0.0)
        self.gives = max(min(room_out, self._most_out[t], self._may_out), 0.0)
        self.forced = -min(-room_out * self._out / self._into, self.takes) if room_out < 0.0 else 0.0
        if room_in < 0.0:
            self.forced = min(-room_in * self._into / self._out, self.gives)
        full = self.takes < self._most_in[t] or self.gives < self._most_out[t]
        self.bound_by = "energy" if full else "power"

    def move(self, t: int, power: float, swing: float) -> str:
        """Carry out a power in step `t`; the word for what changed it, empty if nothing did.

        `swing` flows into and out of the port beside it.
        """
        capped = min(max(power, -self._may_in), self._may_out)
        lost = (self._out - self._into) / self._kept * swing
        given, self.energy, word = self._step(
            self.energy - lost, capped, self._floor[t], self._ceiling[t],
            self._most_in[t], self._most_out[t], self._drawn[t],
        )  # fmt: skip
        self._caps.book(given, swing)
        self.power.append(given)
        self.stored.append(self.energy)
        return word or ("cycles" if capped != power else "")


@dataclass(frozen=True)
class _Edge:
    """Most or least power per step and what sets it."""

    mw: Powers
    by: list[str]


class _Site:
    """What the site leaves its batteries together, per step; the DC bus for those on it, the AC bus for all."""

    def __init__(self, plant: Plant, asked: Setpoints, sheddable: bool) -> None:
        self._bus, self._curtailment = plant.bus, plant.curtailable.tolist()
        most = within_soft_caps(plant).export_max_mw if sheddable else plant.export_max_mw
        self._dark = (plant.load_mw - asked.unserved_mw + most).tolist()
        self._on_dc = [battery.on_dc_bus for battery in plant.batteries]
        self._forced: Powers = [0.0] * len(self._on_dc)
        self._low, self._high = (_edge(*edge) for edge in ac_band(plant, asked, of_rule=sheddable))
        called_ac, called_dc = asked.called(plant)
        self._called_ac = called_ac.tolist()
        self._solar_dc = (plant.solar_dc_mw - asked.curtailed_dc_mw - called_dc).tolist()
        dc_low, dc_high = dc_edges(plant, asked)
        self._dc_low, self._dc_high = dc_low.tolist(), dc_high.tolist()
        self._surplus = (plant.solar_ac_mw - plant.load_mw).tolist()
        self._most_in, self._most_out = (-plant.import_max_mw).tolist(), plant.export_max_mw.tolist()

    def narrow(self, t: int, least: float, most: float, dark: float) -> None:
        """Hold step `t` to what a ramp allows on the AC bus; `dark` is the most with all PV curtailed."""
        if least > self._low.mw[t]:
            self._low.mw[t], self._low.by[t] = least, "ramp limit"
        if most < self._high.mw[t]:
            self._high.mw[t], self._high.by[t] = most, "ramp limit"
        self._dark[t] = min(self._dark[t], dark)

    def by_bus(self, powers: Powers) -> tuple[float, float]:
        """(power of the batteries on the AC bus, power of those on the DC bus), MW."""
        return tuple(  # type: ignore[return-value]
            sum(power for power, on_dc in zip(powers, self._on_dc, strict=True) if on_dc is side)
            for side in (False, True)
        )

    def at_ac(self, t: int, powers: Powers) -> float:
        """What batteries and DC bus give on the AC bus, MW; within the inverter's rating towards the AC bus."""
        ac = sum(power for power, on_dc in zip(powers, self._on_dc, strict=True) if not on_dc)
        if self._bus is None:
            return ac
        net = self._solar_dc[t] + sum(power for power, on_dc in zip(powers, self._on_dc, strict=True) if on_dc)
        through = physics.inverter_ac_mw(net, eta_out=self._bus.eta_out, eta_in=self._bus.eta_in)
        return float(ac + min(through, self._bus.inverter_mw) + self._called_ac[t])

    def grid_mw(self, t: int, powers: Powers) -> float:
        """Grid power of a step, + exports, limits included."""
        return float(min(max(self._surplus[t] + self.at_ac(t, powers), self._most_in[t]), self._most_out[t]))

    def fitted(self, wanted: Powers, units: Sequence[_Unit], t: int, of_site: float | None) -> tuple[Powers, str]:
        """(powers that the site allows, what changed them); a power `of_site` is shared by room first."""
        takes, gives = [unit.takes for unit in units], [unit.gives for unit in units]
        powers = wanted
        if of_site is not None:
            powers = moved([0.0] * len(units), takes, gives, of_site)
        self._forced = [unit.forced for unit in units]
        powers = [
            min(power, forced) if forced < 0.0 else max(power, forced) if forced > 0.0 else power
            for power, forced in zip(powers, self._forced, strict=True)
        ]
        by = ""
        if self._bus is not None:
            powers, by = self._within_inverter(powers, takes, gives, t, of_site)
        here = self.at_ac(t, powers)
        if here > self._high.mw[t]:
            lowered = self._to(powers, self._high.mw[t], takes, gives, t, down=True)
            if self._curtailment[t] and self._without_solar(lowered) > self._dark[t]:
                # No PV is left to give way: what is too much is negative load, which a battery has to take.
                goal = self._dark[t] + self.at_ac(t, lowered) - self._without_solar(lowered)
                lowered = self._to(lowered, goal, takes, gives, t, down=True, turning=True)
            by = self._high.by[t] if lowered != powers else by
            powers = lowered
        here = self.at_ac(t, powers)
        if here < self._low.mw[t]:
            by, powers = self._low.by[t], self._to(powers, self._low.mw[t], takes, gives, t, down=False)
        return powers, by

    def _within_inverter(
        self, powers: Powers, takes: Powers, gives: Powers, t: int, of_site: float | None
    ) -> tuple[Powers, str]:
        """The batteries on the DC bus within the inverter's rating; the others take what was asked of the site."""
        held = sum(power for power, on_dc in zip(powers, self._on_dc, strict=True) if on_dc)
        high = max(self._dc_high[t], min(held, 0.0)) if self._curtailment[t] else self._dc_high[t]
        goal = min(max(held, self._dc_low[t]), high)
        if goal == held:
            return powers, ""
        on_bus = [float(on_dc) for on_dc in self._on_dc]
        free = self._free(powers)
        moved_ones = moved(powers, _only(takes, on_bus), _only(gives, on_bus), goal - held, _only(free, on_bus))
        if of_site is not None:
            off = [1.0 - on for on in on_bus]
            rest = held - sum(power for power, on in zip(moved_ones, on_bus, strict=True) if on)
            free = self._free(moved_ones)
            moved_ones = moved(moved_ones, _only(takes, off), _only(gives, off), rest, _only(free, off))
        return moved_ones, "inverter"

    def _free(self, powers: Powers) -> Powers:
        """The part of each power that may stand back: what is not needed to come to a floor or ceiling."""
        return [power - forced for power, forced in zip(powers, self._forced, strict=True)]

    def _without_solar(self, powers: Powers) -> float:
        """What batteries and DC bus give on the AC bus with all PV of the DC bus curtailed, MW."""
        if self._bus is None:
            return sum(powers)
        ac = sum(power for power, on_dc in zip(powers, self._on_dc, strict=True) if not on_dc)
        net = sum(power for power, on_dc in zip(powers, self._on_dc, strict=True) if on_dc)
        return float(
            ac + (min(net * self._bus.eta_out, self._bus.inverter_mw) if net > 0.0 else net / self._bus.eta_in)
        )

    def _to(
        self, powers: Powers, goal: float, takes: Powers, gives: Powers, t: int, *, down: bool, turning: bool = False
    ) -> Powers:
        """The powers moved as little as it takes for the AC bus to get `goal`.

        With curtailment none turns round from giving to taking unless `turning` says so.
        """
        room_in = [0.0] * len(powers) if down and self._curtailment[t] and not turning else takes

        def change(by: float) -> Powers:
            return moved(powers, room_in, gives, -by if down else by, self._free(powers))

        missing = abs(self.at_ac(t, powers) - goal)
        if self._bus is None:
            return change(missing)
        low, high = 0.0, sum(map(abs, powers)) + sum(takes) + sum(gives)
        for _ in range(HALVINGS):
            middle = (low + high) / 2.0
            reached = self.at_ac(t, change(middle))
            low, high = (low, middle) if (reached <= goal if down else reached >= goal) else (middle, high)
        return change(high)


def _edge(mw: Array, by: Array) -> _Edge:
    return _Edge(mw.tolist(), by.tolist())


def _only(values: Powers, chosen: Powers) -> Powers:
    return [value * one for value, one in zip(values, chosen, strict=True)]


def moved(powers: Powers, takes: Powers, gives: Powers, by: float, movable: Powers | None = None) -> Powers:
    """`powers` whose sum is changed by `by`, as far as there is room: what one cannot use goes to the others.

    Those that run against the change stand back first, then room is used, both in proportion. `movable` are the
    powers that may stand back, by default all.
    """
    sign, left = (1.0, by) if by > 0.0 else (-1.0, -by)
    own = powers if movable is None else movable
    against = [max(-sign * power, 0.0) for power in own]
    powers, left = _added(powers, sign, against, left)
    most = gives if sign > 0.0 else takes
    return _added(powers, sign, [max(m - max(sign * p, 0.0), 0.0) for m, p in zip(most, powers, strict=True)], left)[
        0
    ]


def _added(powers: Powers, sign: float, room: Powers, left: float) -> tuple[Powers, float]:
    total = sum(room)
    if total <= 0.0 or left <= 0.0:
        return powers, left
    if left >= total:
        return [power + sign * own for power, own in zip(powers, room, strict=True)], left - total
    share = left / total
    return [power + sign * share * own for power, own in zip(powers, room, strict=True)], 0.0
