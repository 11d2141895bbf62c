"""What a MW of regulation means when called: base point, parts of a call, room at the site, a signal replayed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.columns import PRODUCTS
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.plant import physics
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.products.reserves import Reserves
from bess_opt.plant.steps.transition import transition

PRODUCTS_SOLD = ("regulation_up", "regulation_down")
NO_CAPACITY = 1e-9  # of rated power: less than this is not held


def reserves_of(plant: Plant) -> Reserves:
    """The regulation of a plant that `restrict` has seen."""
    if plant.reserves is None:
        raise ValueError("this plant sells no regulation")
    return plant.reserves


def base_mw(schedule: pd.DataFrame, plant: Plant) -> Array:
    """Base point of each step, + discharges: the battery's mean power without what was called."""
    reserves, (up, down) = reserves_of(plant), capacities(schedule)
    called = reserves.up.activation * up - reserves.down.activation * down
    base: Array = schedule["battery_mw"].to_numpy() - called
    return base


def capacities(schedule: pd.DataFrame) -> tuple[Array, Array]:
    """(upward, downward) capacity of each step, MW."""
    up, down = (schedule[PRODUCTS[name].column].to_numpy() for name in PRODUCTS_SOLD)
    return up, down


def parts_of(base: Array, up: Array, down: Array) -> tuple[Array, Array, Array, Array]:
    """(charging less, discharging more) of a call up, (discharging less, charging more) of a call down."""
    less, below = np.minimum(up, np.maximum(-base, 0.0)), np.minimum(down, np.maximum(base, 0.0))
    return less, up - less, below, down - below


def called_room(plant: Plant, solar_ac: Array, solar_dc: Array, load: Array) -> tuple[Array, Array]:
    """(lowest, highest) battery power in a called state with this PV and load, on the safe side; + discharges.

    As in the model: exact, save where a call up leaves the inverter importing into a full connection.
    """
    bus = plant.bus
    slopes = (1.0,) if bus is None else (bus.eta_out, 1.0 / bus.eta_in)
    highest = (plant.export_max_mw + load - solar_ac) / slopes[0] - solar_dc
    lowest = np.maximum.reduce([(load - plant.import_max_mw - solar_ac) / s for s in slopes]) - solar_dc
    if not plant.battery_export:
        lacking = np.maximum(load - solar_ac - slopes[0] * solar_dc, 0.0) if plant.strict_export else load
        highest = np.minimum(highest, lacking / slopes[0])
    if not plant.grid_charging:
        lowest = np.maximum(lowest, np.maximum.reduce([-solar_ac / s for s in slopes]) - solar_dc)
    if bus is not None:
        highest = np.minimum(highest, bus.inverter_mw / bus.eta_out - solar_dc)
        lowest = np.maximum(lowest, -bus.inverter_mw * bus.eta_in - solar_dc)
    return lowest, highest


def beyond_site(schedule: pd.DataFrame, plant: Plant) -> Array:
    """MW by which a full call goes beyond connection, permissions or inverter, PV and load as planned."""
    up, down = capacities(schedule)
    base = base_mw(schedule, plant)
    curtailed_dc, solar_dc = schedule["curtailed_dc_mw"].to_numpy(), schedule["solar_dc_mw"].to_numpy()
    solar_ac = schedule["solar_mw"].to_numpy() - solar_dc - (schedule["curtailed_mw"].to_numpy() - curtailed_dc)
    served = (schedule["load_mw"] - schedule["unserved_mw"]).to_numpy()
    bus, used = plant.bus, solar_dc - curtailed_dc
    beyond = [np.zeros(plant.steps)]
    gives, takes = base + up + used, base - down + used
    if bus is not None:
        flows = (physics.inverter_flows_mw(x, eta_out=bus.eta_out, eta_in=bus.eta_in) for x in (gives, takes))
        gives, takes = (out - into for out, into in flows)
        beyond += [np.abs(gives) - bus.inverter_mw, np.abs(takes) - bus.inverter_mw]
    out, into = solar_ac + gives - served, served - solar_ac - takes
    beyond += [out - plant.export_max_mw, into - plant.import_max_mw]
    if not plant.battery_export:
        from_pv = solar_ac + (bus.eta_out if bus else 1.0) * used
        allowed = np.maximum(from_pv - served, 0.0) if plant.strict_export else from_pv
        beyond.append(np.minimum(out, out - allowed))
    if not plant.grid_charging:
        beyond.append(into - served)
    result: Array = np.maximum.reduce(beyond)
    return result


@dataclass(frozen=True)
class SignalReplay:
    """A plan against a regulation signal. `delivered_share` = 1 − missed / called, at least 0; None without calls.

    `called_mwh` is Σ|capacity · signal|, `missed_mwh` Σ|requested − delivered|, both at the battery's port.
    `schedule` has a row per value of the signal: requested_mw, delivered_mw, energy_mwh (end), limited_by.
    """

    delivered_share: float | None
    called_mwh: float
    missed_mwh: float
    schedule: pd.DataFrame


def plan_steps(plant: Plant, signal: pd.Series) -> Array:
    """The plan's step of each value of `signal`, if it is a signal for that plan."""
    index, expected = signal.index, "give numbers from -1 to 1 at equal steps, tz-aware, inside the plan's horizon"
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None or len(index) < 2:
        found = "has no tz-aware time stamps"
    elif len(np.unique(np.diff(index.as_unit("ns").asi8))) > 1:
        found = "has unequal steps"
    elif not (np.abs(signal.to_numpy(dtype=float)) <= 1.0).all():
        found = "has values that are no share of the capacity"
    else:
        offset_h = (index - plant.index[0]) / pd.Timedelta(hours=1)
        at = np.floor(offset_h.to_numpy() / plant.step_h + 1e-9).astype(int)
        if 0 <= at[0] <= at[-1] < plant.steps:
            return at
        found = f"runs from {index[0]} to {index[-1]}, the plan from {plant.index[0]} for {plant.horizon_h:g} h"
    raise ScenarioError([Finding("wrong_signal", "signal", found, expected)])


def replayed(
    schedule: pd.DataFrame, plant: Plant, signal: Array, at: Array, step_h: float, index: pd.Index
) -> SignalReplay:
    """The battery run through `signal` in steps of `step_h`; `at` is the plan's step of each, `index` their times."""
    storage: Storage = replace(plant.storage, retention=plant.storage.retention ** (step_h / plant.step_h))
    up, down = capacities(schedule)
    called = up[at] * np.maximum(signal, 0.0) - down[at] * np.maximum(-signal, 0.0)
    requested = base_mw(schedule, plant)[at] + called
    first = int(at[0])
    energy = storage.start_mwh if first == 0 else float(schedule["energy_mwh"].iloc[first - 1])
    rows = []
    floor, ceiling = storage.floor_mwh[1:].tolist(), storage.ceiling_mwh[1:].tolist()
    for t, power in zip(at.tolist(), requested.tolist(), strict=True):
        given, energy, by = transition(storage, energy, power, floor[t], ceiling[t], step_h)
        rows.append((power, given, energy, by))
    table = pd.DataFrame(rows, index=index, columns=["requested_mw", "delivered_mw", "energy_mwh", "limited_by"])
    missed = float((table["requested_mw"] - table["delivered_mw"]).abs().sum()) * step_h
    asked = float(np.abs(called).sum()) * step_h
    share = max(0.0, 1.0 - missed / asked) if asked > 0.0 else None
    return SignalReplay(share, asked, missed, table)
