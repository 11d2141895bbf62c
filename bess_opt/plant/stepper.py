"""The step simulator: what a plant does with requested battery powers, step by step, without any solver.

Only the stored energy ties one step to the next. Everything that the site allows at a step (connection,
inverter, who may charge from or feed the grid) is known before, so it is worked out for all steps at once;
the loop itself is the storage law and three limits.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

import numpy as np

from bess_opt.common.errors import StrategyError
from bess_opt.plant.cycle_caps import Allowance
from bess_opt.plant.flows import Flows
from bess_opt.plant.plant import Plant
from bess_opt.plant.room import Room, Setpoints, room_of
from bess_opt.plant.rule import AnyRule, GridOf, Held, Rule, State
from bess_opt.plant.shared_steps import run_several
from bess_opt.plant.site_flows import site_flows
from bess_opt.plant.stepper_limits import SLACK
from bess_opt.plant.transition import transition


def follow(plant: Plant, asked: Setpoints) -> Flows:
    """Run the plant through `asked`; limits change a request as little as possible (rule 14).

    A discharge that the site cannot take is reduced, then PV is curtailed if that is allowed; a charge that
    it cannot give is reduced, then load is shed if that has a price. Raises `InfeasibleError` with the time
    where nothing of this helps.
    """
    if len(plant.batteries) > 1:
        names = [battery.name for battery in plant.batteries]
        requests = np.atleast_2d(asked.battery_mw).T.tolist()
        return run_several(plant, asked, lambda state: dict(zip(names, requests[state.step], strict=True)))
    request = asked.battery_mw.tolist()
    return _run(plant, asked, lambda state: request[state.step], room_of(plant, asked))


def run_rule(plant: Plant, rule: AnyRule) -> Flows:
    """Run the plant under `rule`, which is asked once per step; limits as in `follow`.

    With several batteries it may say one power for all, which they share by room, or one for each by name.

    Where unserved load has a price the import limit changes no power that is asked for: load beyond it is shed.
    """
    nothing = np.zeros(plant.steps)
    held: Held | None = getattr(rule, "held", None)
    asked = Setpoints(nothing, nothing, nothing, nothing, held)
    # What a rule asks for comes before load that has a price: the import limit sheds it, and changes no power.
    shedding = room_of(plant, replace(asked, unserved_mw=plant.sheddable_mw))
    if len(plant.batteries) > 1:
        return run_several(plant, asked, rule, sheddable=True)
    site = replace(room_of(plant, asked), lowest_mw=shedding.lowest_mw, lowest_by=shedding.lowest_by)
    return _run(plant, asked, cast(Rule, rule), site)


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
            allowed, by = _allowed(wanted, lowest, highest, by_cap, (site.lowest_by[t], site.highest_by[t]))
            given, energy, stopped = transition(
                storage, energy, allowed, floor, ceiling, step_h, most_mw=(most_in, most_out), drawn_mw=drawn[t]
            )
            if abs(given - wanted) > rounding:
                limited[t] = stopped or by
        for charged, allowance in caps:
            allowance.book((max(-given, 0.0) + swing) * into if charged else (max(given, 0.0) + swing) * out)
        power.append(given)
        stored.append(energy)
    return site_flows(plant, asked, [np.array(power)], [np.array(stored)], np.array(limited, dtype=object))


def _allowed(
    wanted: float, lowest: float, highest: float, by_site: tuple[float, float], words: tuple[str, str]
) -> tuple[float, str]:
    """The power next to `wanted` in [`lowest`, `highest`], and what limits it: the site's `words`, or cycles.

    `by_site` is (highest, lowest) without the caps on cycles.
    """
    allowed, by = wanted, ""
    if allowed > highest:
        allowed, by = highest, "cycles" if highest < by_site[0] else words[1]
    if allowed < lowest:
        allowed, by = lowest, "cycles" if lowest > by_site[1] else words[0]
    return allowed, by


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
