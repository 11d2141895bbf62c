"""The step simulator: what a plant does with requested battery powers, step by step, without any solver.

Only the stored energy ties one step to the next. Everything that the site allows at a step (connection,
inverter, who may charge from or feed the grid) is known before, so it is worked out for all steps at once;
the loop itself is the storage law and three limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from bess_opt.common.errors import StrategyError
from bess_opt.dispatch.result import Flows
from bess_opt.plant import physics
from bess_opt.plant.plant import Array, Bus, Plant, Storage
from bess_opt.plant.stepper_limits import SLACK, refuse_cycles, refuse_energy, refuse_grid_charging, refuse_power


@dataclass(frozen=True)
class Held:
    """Regulation held per step, MW; `swing_mw` flows both into and out of the port as calls change sign.

    A rule that holds some has one as its attribute `held` and fills it while it runs, a step at a time.
    """

    up_mw: list[float]
    down_mw: list[float]
    swing_mw: list[float]

    @classmethod
    def nothing(cls, steps: int) -> Held:
        """No regulation at any step."""
        return cls([0.0] * steps, [0.0] * steps, [0.0] * steps)


@dataclass(frozen=True)
class Setpoints:
    """What is asked of the plant per step, MW: battery power at the port (+ discharges), curtailment, shedding.

    `battery_mw` is net of what flows both ways under regulation, which `held` tells.
    """

    battery_mw: Array
    curtailed_ac_mw: Array
    curtailed_dc_mw: Array
    unserved_mw: Array
    held: Held | None = None


@dataclass(frozen=True)
class Room:
    """Battery power that the site allows per step, MW at the port, and what sets each bound."""

    lowest_mw: Array
    highest_mw: Array
    lowest_by: Array
    highest_by: Array


def transition(
    storage: Storage, energy_mwh: float, request_mw: float, floor_mwh: float, ceiling_mwh: float, step_h: float
) -> tuple[float, float, str]:
    """One step of the battery alone, stateless: (power delivered at the port, energy after, what limited it).

    `request_mw` > 0 discharges (rule 1). The power is changed as little as possible so that rated power,
    C-rate and the window [`floor_mwh`, `ceiling_mwh`] at the end of the step hold (rule 14). Where full power
    does not reach the window (a rising floor, self-discharge), it is given and the energy stays outside.
    """
    kept, eta_in, eta_out = storage.retention, storage.eta_charge, storage.eta_discharge
    power, limited = request_mw, ""
    if power > storage.discharge_max_mw:
        power, limited = storage.discharge_max_mw, "power"
    elif power < -storage.charge_max_mw:
        power, limited = -storage.charge_max_mw, "power"
    to_floor = (kept * energy_mwh - floor_mwh) / step_h
    highest = to_floor * eta_out if to_floor >= 0.0 else to_floor / eta_in
    if power > highest:
        power, limited = max(highest, -storage.charge_max_mw), "energy"
    to_ceiling = (ceiling_mwh - kept * energy_mwh) / step_h
    lowest = -to_ceiling / eta_in if to_ceiling >= 0.0 else -to_ceiling * eta_out
    if power < lowest:
        power, limited = min(lowest, storage.discharge_max_mw), "energy"
    charge, discharge = (0.0, power) if power >= 0.0 else (-power, 0.0)
    after: float = physics.energy_after(
        energy_mwh, charge, discharge, eta_charge=eta_in, eta_discharge=eta_out, retention=kept, step_h=step_h
    )
    return power, after, limited


class State:
    """What a rule may know at a step: the present, and what has been published; nothing of the future.

    `step` counts from 0. Powers in MW, `energy_mwh` and `soc` at the start of the step. `charge_room_mw` and
    `discharge_room_mw` are what the battery itself can take and give in this step at its port; the site may
    allow less. Prices are those of this step; `known_import_prices` and `known_export_prices` those from this
    step to the end of the local day (day-ahead prices are published before the day begins); NaN or empty
    without prices. `last_grid_mw` is the grid power of the step before (+ exports; 0 at the first step).
    """

    __slots__ = (
        "_buy", "_grid", "_load", "_nameplate", "_sell", "_solar", "charge_room_mw", "discharge_room_mw",
        "energy_mwh", "plant", "step", "step_h",
    )  # fmt: skip

    energy_mwh: float
    charge_room_mw: float
    discharge_room_mw: float

    def __init__(self, plant: Plant, grid: GridOf) -> None:
        self.plant, self.step_h, self._grid, self.step = plant, plant.step_h, grid, 0
        self._nameplate = plant.storage.energy_mwh
        self._solar, self._load = plant.solar_mw.tolist(), plant.load_mw.tolist()
        self._buy, self._sell = plant.import_price.tolist(), plant.export_price.tolist()

    @property
    def soc(self) -> float:
        """State of charge at the start of this step, 0 to 1 of nameplate."""
        return self.energy_mwh / self._nameplate

    @property
    def solar_mw(self) -> float:
        """PV power available in this step."""
        return float(self._solar[self.step])

    @property
    def load_mw(self) -> float:
        """Load of this step."""
        return float(self._load[self.step])

    @property
    def import_price(self) -> float:
        """Price paid in this step, currency/MWh."""
        return float(self._buy[self.step])

    @property
    def export_price(self) -> float:
        """Price received in this step, currency/MWh."""
        return float(self._sell[self.step])

    @property
    def time(self) -> pd.Timestamp:
        """Local start of this step."""
        return self.plant.index[self.step]

    @property
    def known_import_prices(self) -> Array:
        """Import prices from this step to the end of the local day, currency/MWh."""
        return self.plant.import_price[self.step : self.plant.day_end[self.step]]

    @property
    def known_export_prices(self) -> Array:
        """Export prices from this step to the end of the local day, currency/MWh."""
        return self.plant.export_price[self.step : self.plant.day_end[self.step]]

    @property
    def last_grid_mw(self) -> float:
        """Grid power of the step before, + exports; 0 at the first step."""
        return self._grid(self.step - 1) if self.step else 0.0


GridOf = Callable[[int], float]
Rule = Callable[[State], float]  # battery power wanted at the port, MW, + discharges (rule 1)


@runtime_checkable
class Committing(Protocol):
    """A rule that holds capacity, in `held`, and can do so beside others.

    `beside_others(first=)` tells it that there are others and whether it comes before them; `wish` is the power
    that they ask for in the step, MW, + discharges.
    """

    held: Held
    wish: float

    def beside_others(self, *, first: bool) -> None:
        """From now on, make room for `wish`: around the capacity if `first`, else before it."""

    def __call__(self, state: State) -> float:
        """Mean battery power of the step, + discharges."""


def follow(plant: Plant, asked: Setpoints) -> Flows:
    """Run the plant through `asked`; limits change a request as little as possible (rule 14).

    A discharge that the site cannot take is reduced, then PV is curtailed if that is allowed; a charge that
    it cannot give is reduced, then load is shed if that has a price. Raises `InfeasibleError` with the time
    where nothing of this helps.
    """
    request = asked.battery_mw.tolist()
    return _run(plant, asked, lambda state: request[state.step])


def run_rule(plant: Plant, rule: Rule) -> Flows:
    """Run the plant under `rule`, which is asked once per step; limits as in `follow`."""
    nothing = np.zeros(plant.steps)
    held: Held | None = getattr(rule, "held", None)
    return _run(plant, Setpoints(nothing, nothing, nothing, nothing, held), rule)


def _run(plant: Plant, asked: Setpoints, rule: Rule) -> Flows:
    """The loop over the steps: ask, limit by the site, then by the battery."""
    storage, site, step_h = plant.storage, room(plant, asked), plant.step_h
    power: list[float] = []
    limited, stored = [""] * plant.steps, [storage.start_mwh]
    state = State(plant, _grid_of(plant, power))
    rounding, energy = SLACK * plant.scale_mw, storage.start_mwh
    kept, into, out = storage.law(step_h)
    most_in, most_out = storage.charge_max_mw, storage.discharge_max_mw
    warranty = None if storage.cycles_per_day is None else _Warranty(plant, out)
    held = None if asked.held is None else asked.held.swing_mw
    both = out - into
    steps = zip(
        range(plant.steps), storage.floor_mwh[1:].tolist(), storage.ceiling_mwh[1:].tolist(),
        site.lowest_mw.tolist(), site.highest_mw.tolist(), strict=True,
    )  # fmt: skip
    for t, floor, ceiling, lowest, highest in steps:
        left = kept * energy
        charge_room, discharge_room = (ceiling - left) / into, (left - floor) / out
        if charge_room > most_in:
            charge_room = most_in
        elif charge_room < 0.0:
            charge_room = 0.0
        if discharge_room > most_out:
            discharge_room = most_out
        elif discharge_room < 0.0:
            discharge_room = 0.0
        if warranty is not None:
            may = warranty.left_mw(t)
            discharge_room, highest = min(discharge_room, may), min(highest, may)
        state.step, state.energy_mwh = t, energy
        state.charge_room_mw, state.discharge_room_mw = charge_room, discharge_room
        wanted = rule(state)
        swing = 0.0 if held is None else held[t]
        try:
            after = left - (out if wanted > 0.0 else into) * wanted - both * swing
        except (TypeError, ValueError):
            raise _no_number(plant, t, wanted) from None
        if floor <= after <= ceiling and lowest <= wanted <= highest and -most_in <= wanted <= most_out:
            given, energy = wanted, after
        else:
            _require_number(plant, t, wanted)
            energy -= both / kept * swing
            allowed, by = wanted, ""
            if allowed > highest:
                allowed, by = highest, site.highest_by[t] if highest == site.highest_mw[t] else "cycles"
            if allowed < lowest:
                allowed, by = lowest, site.lowest_by[t]
            given, energy, stopped = transition(storage, energy, allowed, floor, ceiling, step_h)
            if abs(given - wanted) > rounding:
                limited[t] = stopped or by
        if warranty is not None:
            warranty.spend(max(given, 0.0) + swing)
        power.append(given)
        stored.append(energy)
    return flows(plant, asked, np.array(power), np.array(stored), np.array(limited, dtype=object))


class _Warranty:
    """Energy that may still leave the cells on a local day under the warranty's cycles."""

    def __init__(self, plant: Plant, out: float) -> None:
        self._budget = (plant.storage.cycles_per_day or 0.0) * plant.storage.energy_mwh
        self._day_end, self._out, self._next, self._spent = plant.day_end.tolist(), out, 0, 0.0

    def left_mw(self, t: int) -> float:
        """Most discharge power of step t; steps are asked for in order."""
        if t == self._next:
            self._next, self._spent = self._day_end[t], 0.0
        return max(self._budget - self._spent, 0.0) / self._out

    def spend(self, discharge_mw: float) -> None:
        """Book the discharge of the step asked for last."""
        self._spent += discharge_mw * self._out


def _require_number(plant: Plant, t: int, wanted: float) -> None:
    if not math.isfinite(wanted):
        raise _no_number(plant, t, wanted)


def _no_number(plant: Plant, t: int, wanted: object) -> StrategyError:
    at = f"{plant.index[t]:%Y-%m-%d %H:%M}"
    return StrategyError(f"rule: at {at} it returned {wanted}; return a finite battery power in MW, + discharges")


def _grid_of(plant: Plant, power: list[float]) -> GridOf:
    """Grid power of a step that has its battery `power`, + exports, limits included."""
    bus, most_in, most_out = plant.bus, -plant.import_max_mw, plant.export_max_mw
    surplus, solar_dc = (plant.solar_ac_mw - plant.load_mw).tolist(), plant.solar_dc_mw.tolist()

    def grid_mw(t: int) -> float:
        battery = power[t]
        if bus is not None:
            net = solar_dc[t] + battery
            battery = min(net * bus.eta_out, bus.inverter_mw) if net > 0.0 else net / bus.eta_in
        grid: float = surplus[t] + battery
        if grid > most_out:
            return most_out
        return most_in if grid < most_in else grid

    return grid_mw


def room(plant: Plant, asked: Setpoints) -> Room:
    """Battery power that connection, inverter and permissions allow, with `asked`'s curtailment and shedding."""
    load = plant.load_mw - asked.unserved_mw
    solar_ac, solar_dc = plant.solar_ac_mw - asked.curtailed_ac_mw, plant.solar_dc_mw - asked.curtailed_dc_mw
    upper = [(load + plant.export_max_mw - solar_ac, "export limit")]
    lower = [(load - plant.import_max_mw - solar_ac, "import limit")]
    if not plant.battery_export:
        sold = plant.bus.eta_out * solar_dc if plant.bus else 0.0
        upper.append((np.maximum(load + sold, 0.0), "battery export"))
    if not plant.grid_charging:
        lower.append((np.minimum(-solar_ac, 0.0), "grid charging"))
    if plant.bus is not None:
        upper.append((np.full(plant.steps, plant.bus.inverter_mw), "inverter"))
        lower.append((np.full(plant.steps, -plant.bus.inverter_mw), "inverter"))
        upper = [(_dc_of(plant.bus, ac) - solar_dc, by) for ac, by in upper]
        lower = [(_dc_of(plant.bus, ac) - solar_dc, by) for ac, by in lower]
    highest, highest_by = _tightest(upper, np.argmin)
    lowest, lowest_by = _tightest(lower, np.argmax)
    if plant.curtailment:  # an idle battery is always allowed: PV gives way
        highest = np.maximum(highest, 0.0)
    return Room(lowest, highest, lowest_by, highest_by)


def _dc_of(bus: Bus, ac_mw: Array) -> Array:
    """DC-side power of the shared inverter for a net AC-side power, + towards the AC bus."""
    dc: Array = physics.inverter_dc_mw(
        np.maximum(ac_mw, 0.0), np.maximum(-ac_mw, 0.0), eta_out=bus.eta_out, eta_in=bus.eta_in
    )
    return dc


def _tightest(bounds: list[tuple[Array, str]], pick: object) -> tuple[Array, Array]:
    values = np.stack([value for value, _ in bounds])
    names = np.array([by for _, by in bounds], dtype=object)
    which = pick(values, axis=0)  # type: ignore[operator]
    return np.take_along_axis(values, which[None], axis=0)[0], names[which]


def flows(plant: Plant, asked: Setpoints, power: Array, stored: Array, limited: Array) -> Flows:
    """All flows of the site for the battery powers that came out, with the curtailment and shedding they need."""
    held = asked.held or Held.nothing(plant.steps)
    swing = np.array(held.swing_mw)
    charge, discharge = np.maximum(-power, 0.0) + swing, np.maximum(power, 0.0) + swing
    curtailed_dc, out, into = _dc_side(plant, asked, power)
    battery_ac = power if plant.bus is None else out - into
    surplus = plant.solar_ac_mw - asked.curtailed_ac_mw + battery_ac - plant.load_mw + asked.unserved_mw
    over = np.maximum(surplus - plant.export_max_mw, 0.0)
    more_ac = np.minimum(over, plant.solar_ac_mw - asked.curtailed_ac_mw) if plant.curtailment else 0.0 * over
    surplus = surplus - more_ac
    short = np.maximum(-surplus - plant.import_max_mw, 0.0)
    shed = np.minimum(short, np.maximum(plant.sheddable_mw - asked.unserved_mw, 0.0))
    surplus = surplus + shed
    unserved = asked.unserved_mw + shed
    refuse_power(plant, surplus - plant.export_max_mw, "the site gives", "site.export_limit_mw", plant.export_max_mw)
    refuse_power(plant, -surplus - plant.import_max_mw, "the site takes", "site.import_limit_mw", plant.import_max_mw)
    refuse_energy(plant, stored)
    refuse_grid_charging(plant, surplus, unserved)
    refuse_cycles(plant, discharge)
    return Flows(
        charge_mw=charge,
        discharge_mw=discharge,
        energy_mwh=stored,
        import_mw=np.clip(-surplus, 0.0, plant.import_max_mw),
        export_mw=np.clip(surplus, 0.0, plant.export_max_mw),
        curtailed_ac_mw=asked.curtailed_ac_mw + more_ac,
        curtailed_dc_mw=curtailed_dc,
        unserved_mw=unserved,
        inverter_out_mw=out,
        inverter_in_mw=into,
        limited_by=limited,
        regulation_up_mw=np.array(held.up_mw),
        regulation_down_mw=np.array(held.down_mw),
    )


def _dc_side(plant: Plant, asked: Setpoints, power: Array) -> tuple[Array, Array, Array]:
    """(curtailed on the DC bus, inverter to AC, inverter from AC), MW."""
    nothing = np.zeros(plant.steps)
    bus = plant.bus
    if bus is None:
        return nothing, nothing, nothing
    net = plant.solar_dc_mw - asked.curtailed_dc_mw + power
    into = np.maximum(-net, 0.0) / bus.eta_in
    out = np.maximum(net, 0.0) * bus.eta_out
    # AC-side PV gives way to the export limit before the DC side does: it loses least.
    takes = plant.load_mw - asked.unserved_mw + plant.export_max_mw
    if not plant.curtailment:
        takes = takes - plant.solar_ac_mw
    most = np.clip(takes, 0.0, bus.inverter_mw)
    over = np.maximum(out - most, 0.0) / bus.eta_out
    more = np.minimum(over, plant.solar_dc_mw - asked.curtailed_dc_mw) if plant.curtailment else 0.0 * over
    out = out - more * bus.eta_out
    refuse_power(
        plant, np.maximum(out, into) - bus.inverter_mw, "the inverter passes", "site.inverter_mw", bus.inverter_mw
    )
    return asked.curtailed_dc_mw + more, out, into
