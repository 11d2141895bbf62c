"""What rule twins share: the battery power that makes a given grid power, and the end of the horizon.

Both read the present step only, the clock, and the plant's own limits.
"""

from __future__ import annotations

from collections.abc import Callable

from bess_opt import physics
from bess_opt.plant import Plant
from bess_opt.stepper import Rule, State

LAST_H = 24.0  # hours before the end in which a rule minds `soc_end`


def balancing(plant: Plant) -> Callable[[int, float], float]:
    """`power(t, grid_mw)`: the battery power at which the site exports `grid_mw` at step t, on balance.

    Limits of the battery are not looked at, the shared inverter's rating is. + discharges (rule 1).
    """
    load, solar_ac, solar_dc = plant.load_mw.tolist(), plant.solar_ac_mw.tolist(), plant.solar_dc_mw.tolist()
    bus = plant.bus

    def power(t: int, grid_mw: float) -> float:
        ac: float = grid_mw + load[t] - solar_ac[t]
        if bus is None:
            return ac
        ac = max(min(ac, bus.inverter_mw), -bus.inverter_mw)
        dc = physics.inverter_dc_mw(max(ac, 0.0), max(-ac, 0.0), eta_out=bus.eta_out, eta_in=bus.eta_in)
        return float(dc - solar_dc[t])

    return power


def meeting_end(plant: Plant, rule: Rule) -> Rule:
    """`rule`, held back or pushed in the last 24 hours so that the stored energy can still meet `soc_end`.

    With grid charging it charges just in time, from what the connection has left beside the present load;
    without, it takes PV power and gives nothing away below the end's energy in all those hours.
    """
    kept, first = plant.storage.retention, plant.steps - round(LAST_H / plant.step_h)

    def decide(state: State) -> float:
        wanted = rule(state)
        after = state.step + 1
        if after <= first:
            return wanted
        now = kept * state.energy_mwh
        highest = port_mw(plant, now - least_later(plant, after, state.load_mw))
        lowest = port_mw(plant, now - _most_later(plant, after, state.load_mw))
        return max(min(wanted, highest), lowest)

    return decide


def least_later(plant: Plant, instant: int, load_mw: float) -> float:
    """Energy after `instant` steps from which `soc_end` can still be met at this load; 0 before the last 24 h."""
    left = plant.steps - instant
    if left * plant.step_h >= LAST_H:
        return 0.0
    return plant.storage.end_min_mwh / plant.storage.retention**left - rates(plant, load_mw)[0] * left * plant.step_h


def _most_later(plant: Plant, instant: int, load_mw: float) -> float:
    left = plant.steps - instant
    return plant.storage.end_max_mwh / plant.storage.retention**left + rates(plant, load_mw)[1] * left * plant.step_h


def port_mw(plant: Plant, drawn_mwh: float) -> float:
    """Power at the port that takes `drawn_mwh` from the cells within a step; negative puts it in."""
    storage = plant.storage
    eta = storage.eta_discharge if drawn_mwh >= 0.0 else 1.0 / storage.eta_charge
    return drawn_mwh * eta / plant.step_h


def rates(plant: Plant, load_mw: float) -> tuple[float, float]:
    """(into, out of) the cells, MW, that the battery can count on at this load without PV."""
    storage, bus = plant.storage, plant.bus
    bought = max(plant.import_max_mw - load_mw, 0.0) if plant.grid_charging else 0.0
    sold = load_mw + (plant.export_max_mw if plant.battery_export else 0.0)
    if bus is not None:
        bought, sold = min(bought, bus.inverter_mw) * bus.eta_in, min(sold, bus.inverter_mw) / bus.eta_out
    into = min(bought, storage.charge_max_mw) * storage.eta_charge
    return into, min(sold, storage.discharge_max_mw) / storage.eta_discharge
