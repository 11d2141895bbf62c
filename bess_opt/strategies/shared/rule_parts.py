"""What rule twins share: the battery power that makes a given grid power, and the end of the horizon.

Both read the present step only, the clock, and the plant's own limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.plant import physics
from bess_opt.plant.plant import Plant
from bess_opt.plant.room import Setpoints, room_of
from bess_opt.plant.rule import AnyRule, Committing, Rule, State

LAST_H = 24.0  # hours before the end in which a rule minds `soc_end`


def balancing(plant: Plant) -> Callable[[int, float], float]:
    """`power(t, grid_mw)`: the battery power at which the site exports `grid_mw` at step t, on balance.

    Limits of the battery are not looked at, the shared inverter's rating is. + discharges. Where batteries
    stand at both buses, the power is what is missing on the AC bus beside the PV of the DC bus.
    """
    load, solar_ac, solar_dc = plant.load_mw.tolist(), plant.solar_ac_mw.tolist(), plant.solar_dc_mw.tolist()
    bus, beside = plant.bus, bool(plant.on_ac_bus)

    def power(t: int, grid_mw: float) -> float:
        ac: float = grid_mw + load[t] - solar_ac[t]
        if bus is None:
            return ac
        if beside:
            return float(ac - min(solar_dc[t] * bus.eta_out, bus.inverter_mw))
        ac = max(min(ac, bus.inverter_mw), -bus.inverter_mw)
        dc = physics.inverter_dc_mw(max(ac, 0.0), max(-ac, 0.0), eta_out=bus.eta_out, eta_in=bus.eta_in)
        return float(dc - solar_dc[t])

    return power


def meeting_end(plant: Plant, rule: Rule) -> Rule:
    """`rule`, held back or pushed in the last 24 hours so that the stored energy can still meet `soc_end`.

    With grid charging it charges just in time, from what the connection has left beside the present load;
    without, it takes PV power and gives nothing away below the end's energy in all those hours.
    """
    kept, first = plant.together.retention, plant.steps - round(LAST_H / plant.step_h)
    power = drawing(plant)

    def decide(state: State) -> float:
        if state.step < first:
            return rule(state)
        wanted, after = rule(state), state.step + 1
        now = kept * state.energy_mwh
        highest = power(now - least_later(plant, after, state.load_mw))
        lowest = power(now - _most_later(plant, after, state.load_mw))
        return max(min(wanted, highest), lowest)

    return decide


def serving_load(plant: Plant, rule: Rule) -> Rule:
    """`rule`, which charges no more than the connection leaves beside the load, and gives what the load lacks.

    Where unserved load has a price the step simulator sheds load for whatever a rule asks for; the strategies' own
    rules ask for nothing that does. Where it has none they are left as they are: the simulator sees to it.
    """
    least = _least_serving(plant)
    if least is None:
        return rule
    return lambda state: max(rule(state), min(least[state.step], state.discharge_room_mw))


def serving_load_beside_capacity(plant: Plant, rule: Committing) -> AnyRule:
    """`rule`, see `serving_load`; in a step in which it holds capacity it has seen to the connection itself."""
    least = _least_serving(plant)
    return rule if least is None else _ServingLoad(rule, least)


def _least_serving(plant: Plant) -> list[float] | None:
    """The least power of each step with which the connection still serves the load; None where no load gives way."""
    if not plant.sheddable_mw.any() or not np.isfinite(plant.import_max_mw).any():
        return None
    nothing = np.zeros(plant.steps)
    lowest = room_of(plant, Setpoints(nothing, nothing, nothing, plant.free_shed_mw)).lowest_mw
    return [float(power) for power in lowest]


class _ServingLoad:
    """A rule that holds capacity, held where it holds none at the least power that still serves the load."""

    def __init__(self, rule: Committing, least_mw: list[float]) -> None:
        self.held = rule.held
        self._rule, self._least_mw = rule, least_mw

    def __call__(self, state: State) -> float | Mapping[str, float]:
        wanted = self._rule(state)
        if isinstance(wanted, Mapping) or self.held.any_at(state.step):
            return wanted
        return max(wanted, min(self._least_mw[state.step], state.discharge_room_mw))


def least_later(plant: Plant, instant: int, load_mw: float) -> float:
    """Energy after `instant` steps from which `soc_end` can still be met at this load; 0 before the last 24 h."""
    left = plant.steps - instant
    if left * plant.step_h >= LAST_H:
        return 0.0
    storage = plant.together
    into = rates(plant, load_mw, instant)[0] - _each(storage.drawn_mw, plant, instant)
    return float(storage.end_min_mwh / storage.retention**left - float(np.sum(into)) * plant.step_h)


def _most_later(plant: Plant, instant: int, load_mw: float) -> float:
    left, storage = plant.steps - instant, plant.together
    out = rates(plant, load_mw, instant)[1] + _each(storage.drawn_mw, plant, instant)
    return float(storage.end_max_mwh / storage.retention**left + float(np.sum(out)) * plant.step_h)


def _each(values: Array | float, plant: Plant, instant: int) -> Array:
    """`values` (one or n) of each step after `instant`."""
    return np.broadcast_to(values, plant.steps)[instant:]


def drawing(plant: Plant) -> Callable[[float], float]:
    """`power(mwh)`: the power at the port that takes `mwh` from the cells within a step; negative puts it in."""
    out, into = plant.together.eta_discharge / plant.step_h, 1.0 / (plant.together.eta_charge * plant.step_h)

    def power(mwh: float) -> float:
        return mwh * out if mwh >= 0.0 else mwh * into

    return power


def rates(plant: Plant, load_mw: Any, first: int = 0) -> tuple[Array, Array]:
    """(into, out of) the cells of each step from `first` on, MW, that the battery can count on without PV.

    `load_mw` is one load for all of these steps or that of each.
    """
    storage, bus = plant.together, plant.bus
    import_mw, export_mw = plant.import_max_mw[first:], plant.export_max_mw[first:]
    bought = np.maximum(import_mw - load_mw, 0.0) if plant.grid_charging else np.maximum(-load_mw, 0.0)
    sold = np.maximum(load_mw + (export_mw if plant.battery_export else 0.0), 0.0)
    if bus is not None and not plant.on_ac_bus:
        bought = np.minimum(bought, bus.inverter_mw) * bus.eta_in
        sold = np.minimum(sold, bus.inverter_mw) / bus.eta_out
    into = np.minimum(bought, _each(storage.charge_limit_mw, plant, first)) * storage.eta_charge
    return into, np.minimum(sold, _each(storage.discharge_limit_mw, plant, first)) / storage.eta_discharge
