"""The step simulator: what a plant does with requested battery powers, step by step, without any solver.

Only the stored energy ties one step to the next. Everything that the site allows at a step (connection,
inverter, who may charge from or feed the grid) is known before, so it is worked out for all steps at once;
the loop itself is the storage law and three limits.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import StrategyError
from bess_opt.plant import physics
from bess_opt.plant.cycle_caps import Allowance
from bess_opt.plant.flows import Flows
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.room import Room, Setpoints, room
from bess_opt.plant.rule import GridOf, Held, Rule, State
from bess_opt.plant.stepper_limits import (
    SLACK,
    refuse_battery_export,
    refuse_cycles,
    refuse_energy,
    refuse_grid_charging,
    refuse_power,
)


def transition(
    storage: Storage,
    energy_mwh: float,
    request_mw: float,
    floor_mwh: float,
    ceiling_mwh: float,
    step_h: float,
    *,
    most_mw: tuple[float, float] | None = None,
    drawn_mw: float = 0.0,
) -> tuple[float, float, str]:
    """One step of the battery alone, stateless: (power delivered at the port, energy after, what limited it).

    `request_mw` > 0 discharges (rule 1). The power is changed as little as possible so that rated power,
    C-rate and the window [`floor_mwh`, `ceiling_mwh`] at the end of the step hold (rule 14). Where full power
    does not reach the window (a rising floor, self-discharge), it is given and the energy stays outside.
    `most_mw` is the most charge and discharge power of this step, by default the battery's own; `drawn_mw` is
    taken from the cells beside it.
    """
    kept, eta_in, eta_out = storage.retention, storage.eta_charge, storage.eta_discharge
    most_in, most_out = most_mw or (storage.charge_max_mw, storage.discharge_max_mw)
    power, limited = request_mw, ""
    if power > most_out:
        power, limited = most_out, "power"
    elif power < -most_in:
        power, limited = -most_in, "power"
    to_floor = (kept * energy_mwh - floor_mwh) / step_h - drawn_mw
    highest = to_floor * eta_out if to_floor >= 0.0 else to_floor / eta_in
    if power > highest:
        power, limited = max(highest, -most_in), "energy"
    to_ceiling = (ceiling_mwh - kept * energy_mwh) / step_h + drawn_mw
    lowest = -to_ceiling / eta_in if to_ceiling >= 0.0 else -to_ceiling * eta_out
    if power < lowest:
        power, limited = min(lowest, most_out), "energy"
    charge, discharge = (0.0, power) if power >= 0.0 else (-power, 0.0)
    after: float = physics.energy_after(
        energy_mwh,
        charge,
        discharge,
        eta_charge=eta_in,
        eta_discharge=eta_out,
        retention=kept,
        step_h=step_h,
        drawn_mw=drawn_mw,
    )
    return power, after, limited


def follow(plant: Plant, asked: Setpoints) -> Flows:
    """Run the plant through `asked`; limits change a request as little as possible (rule 14).

    A discharge that the site cannot take is reduced, then PV is curtailed if that is allowed; a charge that
    it cannot give is reduced, then load is shed if that has a price. Raises `InfeasibleError` with the time
    where nothing of this helps.
    """
    request = asked.battery_mw.tolist()
    return _run(plant, asked, lambda state: request[state.step], room(plant, asked))


def run_rule(plant: Plant, rule: Rule) -> Flows:
    """Run the plant under `rule`, which is asked once per step; limits as in `follow`.

    Where unserved load has a price the import limit changes no power that is asked for: load beyond it is shed.
    """
    nothing = np.zeros(plant.steps)
    held: Held | None = getattr(rule, "held", None)
    asked = Setpoints(nothing, nothing, nothing, nothing, held)
    # What a rule asks for comes before load that has a price: the import limit sheds it, and changes no power.
    shedding = room(plant, replace(asked, unserved_mw=plant.sheddable_mw))
    site = replace(room(plant, asked), lowest_mw=shedding.lowest_mw, lowest_by=shedding.lowest_by)
    return _run(plant, asked, rule, site)


def _run(plant: Plant, asked: Setpoints, rule: Rule, site: Room) -> Flows:
    """The loop over the steps: ask, limit by the site, then by the battery."""
    storage, step_h = plant.storage, plant.step_h
    power: list[float] = []
    limited, stored = [""] * plant.steps, [storage.start_mwh]
    state = State(plant, _grid_of(plant, power))
    rounding, energy = SLACK * plant.scale_mw, storage.start_mwh
    kept, into, out = storage.law(step_h)
    drawn = np.broadcast_to(storage.drawn_mw, plant.steps).tolist()
    caps = [(cap.charged, Allowance(cap, plant.steps)) for cap in storage.caps]
    held = None if asked.held is None else asked.held.swing_mw
    both = out - into
    steps = zip(
        range(plant.steps), storage.floor_mwh[1:].tolist(), storage.ceiling_mwh[1:].tolist(),
        site.lowest_mw.tolist(), site.highest_mw.tolist(),
        np.broadcast_to(storage.charge_limit_mw, plant.steps).tolist(),
        np.broadcast_to(storage.discharge_limit_mw, plant.steps).tolist(), strict=True,
    )  # fmt: skip
    for t, floor, ceiling, lowest, highest, most_in, most_out in steps:
        left = kept * energy - step_h * drawn[t]
        charge_room, discharge_room = (ceiling - left) / into, (left - floor) / out
        if charge_room > most_in:
            charge_room = most_in
        elif charge_room < 0.0:
            charge_room = 0.0
        if discharge_room > most_out:
            discharge_room = most_out
        elif discharge_room < 0.0:
            discharge_room = 0.0
        by_cap = highest, lowest
        for charged, allowance in caps:
            may = allowance.left_mwh(t) / (into if charged else out)
            if charged:
                charge_room, lowest = min(charge_room, may), max(lowest, -may)
            else:
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
                allowed, by = highest, "cycles" if highest < by_cap[0] else site.highest_by[t]
            if allowed < lowest:
                allowed, by = lowest, "cycles" if lowest > by_cap[1] else site.lowest_by[t]
            given, energy, stopped = transition(
                storage, energy, allowed, floor, ceiling, step_h, most_mw=(most_in, most_out), drawn_mw=drawn[t]
            )
            if abs(given - wanted) > rounding:
                limited[t] = stopped or by
        for charged, allowance in caps:
            allowance.book((max(-given, 0.0) + swing) * into if charged else (max(given, 0.0) + swing) * out)
        power.append(given)
        stored.append(energy)
    return flows(plant, asked, np.array(power), np.array(stored), np.array(limited, dtype=object))


def _require_number(plant: Plant, t: int, wanted: float) -> None:
    if not math.isfinite(wanted):
        raise _no_number(plant, t, wanted)


def _no_number(plant: Plant, t: int, wanted: object) -> StrategyError:
    at = f"{plant.index[t]:%Y-%m-%d %H:%M}"
    return StrategyError(f"rule: at {at} it returned {wanted}; return a finite battery power in MW, + discharges")


def _grid_of(plant: Plant, power: list[float]) -> GridOf:
    """Grid power of a step that has its battery `power`, + exports, limits included."""
    bus, most_in, most_out = plant.bus, (-plant.import_max_mw).tolist(), plant.export_max_mw.tolist()
    surplus, solar_dc = (plant.solar_ac_mw - plant.load_mw).tolist(), plant.solar_dc_mw.tolist()

    def grid_mw(t: int) -> float:
        battery = power[t]
        if bus is not None:
            net = solar_dc[t] + battery
            battery = min(net * bus.eta_out, bus.inverter_mw) if net > 0.0 else net / bus.eta_in
        grid: float = surplus[t] + battery
        return float(min(max(grid, most_in[t]), most_out[t]))

    return grid_mw


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
    refuse_battery_export(plant, np.maximum(surplus, 0.0), asked.curtailed_ac_mw + more_ac, curtailed_dc)
    refuse_cycles(plant, charge, discharge)
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
