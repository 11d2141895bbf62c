"""Regulation called: what the site leaves a called battery, and a plan against a signal."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.plant.flows import of_battery
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.products.activation import BASE, called_at_port, port_factor
from bess_opt.plant.products.offers import SIGN, Offer
from bess_opt.plant.steps.transition import transition

PRODUCTS_SOLD = ("regulation_up", "regulation_down")


def offers_sold(plant: Plant) -> tuple[Offer, Offer]:
    """The (upward, downward) product of a plant that `restrict` has seen."""
    named = {offer.name: offer for offer in plant.offers}
    up, down = (named[name] for name in PRODUCTS_SOLD)
    return up, down


def pressed(plant: Plant) -> Array:
    """Steps at which AC-side PV alone exceeds what a DC-coupled plant may export, as booleans."""
    surplus: Array = plant.solar_ac_mw - plant.load_mw > plant.export_max_mw
    return surplus if plant.bus is not None else np.zeros_like(surplus)


def called_room(plant: Plant, solar_ac: Array, solar_dc: Array, load: Array) -> tuple[Array, Array]:
    """(lowest, highest) battery power in a called state with this PV and load, on the safe side; + discharges.

    Of all batteries, on one bus: exact, save where a call up leaves the inverter importing into a full connection.
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
    """The batteries run through `signal` in steps of `step_h`, each at step `at` of the plan, at times `index`."""
    runs = [_replayed(schedule, plant, battery, signal, at, step_h) for battery in plant.batteries]
    table = pd.DataFrame(
        runs[0][0], index=index, columns=["requested_mw", "delivered_mw", "energy_mwh", "limited_by"]
    )
    for rows, _ in runs[1:]:
        other = pd.DataFrame(rows, index=index, columns=table.columns)
        words = table["limited_by"].where(table["limited_by"] != "", other["limited_by"])
        table = (table.drop(columns="limited_by") + other.drop(columns="limited_by")).assign(limited_by=words)
    missed = float((table["requested_mw"] - table["delivered_mw"]).abs().sum()) * step_h
    asked = float(np.abs(sum(called for _, called in runs)).sum()) * step_h
    share = max(0.0, 1.0 - missed / asked) if asked > 0.0 else None
    return SignalReplay(share, asked, missed, table)


def _replayed(
    schedule: pd.DataFrame, plant: Plant, battery: Storage, signal: Array, at: Array, step_h: float
) -> tuple[list[tuple[float, float, float, str]], Array]:
    """(rows of the replay of one battery, what the signal asks of it beside its base point [MW])."""
    storage = replace(battery, retention=battery.retention ** (step_h / plant.step_h))
    base, after = of_battery(schedule, battery, BASE, "energy_mwh")
    bids = {f"{battery.prefix}{o.name}": of_battery(schedule, battery, o.column)[0] for o in plant.offers}
    others = tuple(offer for offer in plant.offers if offer.name not in PRODUCTS_SOLD)
    base = base + called_at_port(replace(plant, offers=others), battery, bids)
    called = np.zeros(len(at))
    for offer, direction in zip(offers_sold(plant), SIGN, strict=True):
        held = of_battery(schedule, battery, offer.column)[0][at]
        moved = SIGN[direction] * port_factor(plant, battery, direction)
        called = called + moved * held * np.maximum(SIGN[direction] * signal, 0.0)
    first = int(at[0])
    energy = storage.start_mwh if first == 0 else float(after[first - 1])
    rows = []
    floor, ceiling = storage.floor_mwh[1:].tolist(), storage.ceiling_mwh[1:].tolist()
    for t, power in zip(at.tolist(), (base[at] + called).tolist(), strict=True):
        given, energy, by = transition(storage, energy, power, floor[t], ceiling[t], step_h)
        rows.append((power, given, energy, by))
    return rows, called
