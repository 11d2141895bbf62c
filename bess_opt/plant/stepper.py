"""The step simulator: what a plant does with requested battery powers, step by step, without any solver.

Only the stored energy ties one step to the next. Everything that the site allows at a step (connection,
inverter, who may charge from or feed the grid) is known before, so it is worked out for all steps at once;
the loop itself is the storage law and three limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import cast

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import StrategyError
from bess_opt.plant import physics
from bess_opt.plant.flows import Flows
from bess_opt.plant.grid_band import GridBand, room_of_rule
from bess_opt.plant.plant import Plant
from bess_opt.plant.room import Room, Setpoints, room_of
from bess_opt.plant.rule import AnyRule, GridOf, Held, Rule, State
from bess_opt.plant.stepper_limits import SLACK
from bess_opt.plant.steps.shared_steps import run_several
from bess_opt.plant.steps.site_flows import site_flows
from bess_opt.plant.steps.transition import transition
from bess_opt.plant.warranty.cycle_caps import Allowance


def follow(plant: Plant, asked: Setpoints) -> Flows:
    """Run the plant through `asked`; limits change a request as little as possible.

    A discharge that the site cannot take is reduced, then PV is curtailed if that is allowed; a charge that
    it cannot give is reduced, then load is shed if that has a price. Raises `InfeasibleError` with the time
    where nothing of this helps.
    """
    if len(plant.batteries) > 1:
        names = [battery.name for battery in plant.batteries]
        requests = np.atleast_2d(asked.battery_mw).T.tolist()
        return run_several(plant, asked, lambda state: dict(zip(names, requests[state.step], strict=True)))
    request = asked.battery_mw.tolist()
    return _run(plant, asked, lambda state: request[state.step], room_of(plant, asked), GridBand(plant, asked))


def run_rule(plant: Plant, rule: AnyRule) -> Flows:
    """Run the plant under `rule`, which is asked once per step; limits as in `follow`.

    With several batteries it may say one power for all, which they share by room, or one for each by name.

    Where unserved load has a price the import limit changes no power that is asked for: load beyond it is shed.
    Caps of a connection that may be overrun at a price are kept where battery and PV can help it.
    """
    nothing = np.zeros(plant.steps)
    held: Held | None = getattr(rule, "held", None)
    asked = Setpoints(nothing, nothing, nothing, nothing, held)
    if len(plant.batteries) > 1:
        return run_several(plant, asked, rule, sheddable=True)
    band = GridBand(plant, asked, clauses_first=True)
    return _run(plant, asked, cast(Rule, rule), room_of_rule(plant, asked), band)


def rest(plant: Plant) -> Flows:
    """Run the plant with batteries that are asked for nothing in any step; limits as in `run_rule`."""
    storage, nothing = plant.batteries[0], np.zeros(plant.steps)
    asked = Setpoints(nothing, nothing, nothing, nothing)
    site, band = room_of_rule(plant, asked), GridBand(plant, asked, clauses_first=True)
    inside = (storage.floor_mwh[1:] <= storage.start_mwh) & (storage.start_mwh <= storage.ceiling_mwh[1:])
    allowed = (site.lowest_mw <= 0.0) & (site.highest_mw >= 0.0)
    leaks = storage.law(plant.step_h)[0] != 1.0 or np.any(storage.drawn_mw)
    if len(plant.batteries) > 1 or band.ramps or leaks or not (inside & allowed).all():
        return run_rule(plant, lambda _state: 0.0)
    stored = np.full(plant.steps + 1, storage.start_mwh)
    return site_flows(plant, asked, [nothing], [stored], np.full(plant.steps, "", dtype=object), band)


def _run(plant: Plant, asked: Setpoints, rule: Rule, site: Room, band: GridBand) -> Flows:
    """The loop over the steps: ask, limit by the site, then by the battery."""
    storage, step_h = plant.storage, plant.step_h
    power: list[float] = []
    limited, stored = [""] * plant.steps, [storage.start_mwh]
    state = State(plant, band.grid_mw.__getitem__ if band.ramps else _grid_of(plant, power))
    rounding, energy = SLACK * plant.scale_mw, storage.start_mwh
    kept, into, out = storage.law(step_h)
    caps = [(cap.charged, Allowance(cap, plant.steps)) for cap in storage.caps]
    held, ramps = None if asked.held is None else asked.held.swing_mw, band.ramps
    both, guarded, lowest_by, highest_by = out - into, bool(caps) or ramps, "", ""
    for t, floor, ceiling, lowest, highest, most_in, most_out, drawn in _limits(plant, site):
        left = kept * energy - step_h * drawn if drawn else kept * energy
        charge_room, discharge_room = (ceiling - left) / into, (left - floor) / out
        charge_room = most_in if charge_room > most_in else charge_room if charge_room > 0.0 else 0.0
        discharge_room = most_out if discharge_room > most_out else discharge_room if discharge_room > 0.0 else 0.0
        if guarded:
            lowest_by = highest_by = ""
            for charged, allowance in caps:
                may = allowance.left_mwh(t) / (into if charged else out)
                if charged:
                    charge_room = min(charge_room, may)
                    lowest, lowest_by = (-may, "cycles") if -may > lowest else (lowest, lowest_by)
                else:
                    discharge_room = min(discharge_room, may)
                    highest, highest_by = (may, "cycles") if may < highest else (highest, highest_by)
            if ramps:
                lowest, highest, lowest_by, highest_by = band.narrowed(t, lowest, highest, lowest_by, highest_by)
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
            allowed, by = wanted, ""
            if not lowest <= wanted <= highest:
                words = lowest_by or site.lowest_by[t], highest_by or site.highest_by[t]
                allowed, by = _allowed(wanted, lowest, highest, words)
            given, energy, stopped = transition(
                storage, energy - both / kept * swing, allowed, floor, ceiling, step_h,
                most_mw=(most_in, most_out), drawn_mw=drawn,
            )  # fmt: skip
            if abs(given - wanted) > rounding:
                limited[t] = stopped or by
        power.append(given)
        stored.append(energy)
        if guarded:
            for charged, allowance in caps:
                moved = -given if charged else given
                allowance.book(((moved if moved > 0.0 else 0.0) + swing) * (into if charged else out))
            if ramps:
                band.book(t, 0.0 if storage.on_dc_bus else given, given if storage.on_dc_bus else 0.0)
    return site_flows(plant, asked, [np.array(power)], [np.array(stored)], np.array(limited, dtype=object), band)


def _allowed(wanted: float, lowest: float, highest: float, words: tuple[str, str]) -> tuple[float, str]:
    """The power next to `wanted` in [`lowest`, `highest`], and which of `words` (of either bound) limits it."""
    allowed, by = wanted, ""
    if allowed > highest:
        allowed, by = highest, words[1]
    if allowed < lowest:
        allowed, by = lowest, words[0]
    return allowed, by


def _limits(plant: Plant, site: Room) -> Iterator[tuple[int, float, float, float, float, float, float, float]]:
    """(step, floor and ceiling at its end, least and most power of the site, most in and out, drawn) of each."""
    storage = plant.storage
    given = storage.charge_limit_mw, storage.discharge_limit_mw, storage.drawn_mw
    return zip(
        range(plant.steps), storage.floor_mwh[1:].tolist(), storage.ceiling_mwh[1:].tolist(),
        site.lowest_mw.tolist(), site.highest_mw.tolist(), *(_each(values, plant.steps) for values in given),
        strict=True,
    )  # fmt: skip


def _each(values: Array | float, steps: int) -> Iterable[float]:
    """One number per step, read quickly where all are the same."""
    array = np.atleast_1d(values)
    if (array == array[0]).all():
        return repeat(float(array[0]), steps)
    each: list[float] = array.tolist()
    return each


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
            through = physics.inverter_ac_mw(solar_dc[t] + battery, eta_out=bus.eta_out, eta_in=bus.eta_in)
            battery = min(through, bus.inverter_mw)
        grid: float = surplus[t] + battery
        least, most = most_in[t], most_out[t]
        inside = least if grid < least else grid
        return float(most if inside > most else inside)

    return grid_mw
