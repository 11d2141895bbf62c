"""Calls of market products in numbers: a step's mean flows from its base point, and what energy prices see of them.

The base point runs for the part of a step in which nothing is called; a call moves the battery's port by the whole
bid for its share of the step. Flows of a schedule are means over that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array, ReadColumns
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.products.offers import SIGN, Direction

BASE = "base_mw"  # the column of the base point, at the port

Bids = Mapping[str, Array]  # MW per step by the product's name, of a battery with its prefix before it


def port_factor(plant: Plant, battery: Storage, direction: Direction) -> float:
    """MW by which a battery's port moves for one MW called at the AC bus."""
    if plant.bus is None or not battery.on_dc_bus:
        return 1.0
    return 1.0 / plant.bus.eta_out if direction == "up" else plant.bus.eta_in


def movable_mw(plant: Plant, directions: Sequence[Direction]) -> float:
    """Most MW at the AC bus that calls of these directions share: from all of one way to all of the other."""
    return sum(
        (own.discharge_max_mw + own.charge_max_mw) / sum(port_factor(plant, own, way) for way in directions)
        for own in plant.batteries
    )


def bids_of(schedule: pd.DataFrame | ReadColumns, plant: Plant) -> dict[str, Array]:
    """The bids in a schedule's columns, the batteries' parts too."""
    prefixes = ["", *(battery.prefix for battery in plant.batteries if battery.prefix)]
    columns = {f"{p}{offer.name}": f"{p}{offer.column}" for p in prefixes for offer in plant.offers}
    return {name: np.asarray(schedule[column], dtype=float) for name, column in columns.items()}


def called_mw(plant: Plant, bids: Bids, *, priced: bool = False) -> Array:
    """Mean power that calls bring to the AC bus, + gives; `priced`: of products with an activation price alone."""
    called = np.zeros(plant.steps)
    for offer in plant.offers:
        if offer.called and (offer.activation_price is not None or not priced):
            called = called + offer.net_called * bids[offer.name]
    return called


def called_at_port(plant: Plant, battery: Storage, bids: Bids) -> Array:
    """Mean power that calls bring to a battery's port, + discharges."""
    called = np.zeros(plant.steps)
    for offer in plant.offers:
        for direction, share in offer.called.items():
            moved = SIGN[direction] * port_factor(plant, battery, direction)
            called = called + share * moved * bids[f"{battery.prefix}{offer.name}"]
    return called


def through_inverter(plant: Plant, bids: Bids) -> tuple[Array, Array]:
    """Mean power of calls through the shared inverter, (to the AC bus, from it), both >= 0."""
    out, into = np.zeros(plant.steps), np.zeros(plant.steps)
    for battery in plant.on_dc_bus:
        for offer in plant.offers:
            bid = bids.get(f"{battery.prefix}{offer.name}", np.zeros(plant.steps))
            out = out + offer.called.get("up", 0.0) * bid
            into = into + offer.called.get("down", 0.0) * bid
    return out, into


def mean_flows(plant: Plant, battery: Storage, base_mw: Array, bids: Bids) -> tuple[Array, Array]:
    """(charge, discharge) at the port as means over the base point and its calls, MW."""
    rest, charge, discharge = np.ones(plant.steps), np.zeros(plant.steps), np.zeros(plant.steps)
    for offer in plant.offers:
        for direction, share in offer.called.items():
            bid = bids[f"{battery.prefix}{offer.name}"]
            power = base_mw + SIGN[direction] * port_factor(plant, battery, direction) * bid
            charge = charge + share * np.maximum(-power, 0.0)
            discharge = discharge + share * np.maximum(power, 0.0)
            rest = rest - share
    return charge + rest * np.maximum(-base_mw, 0.0), discharge + rest * np.maximum(base_mw, 0.0)


def settled_flows(plant: Plant, import_mw: Array, export_mw: Array, bids: Bids) -> tuple[Array, Array]:
    """(import, export) that energy prices see: the meter's, without calls that have a price of their own."""
    if not any(offer.called and offer.activation_price is not None for offer in plant.offers):
        return import_mw, export_mw
    called = called_mw(plant, bids, priced=True)
    net = export_mw - import_mw - called
    bought, sold = np.maximum(-net, 0.0), np.maximum(net, 0.0)
    return np.where(called == 0.0, import_mw, bought), np.where(called == 0.0, export_mw, sold)


def settled(schedule: pd.DataFrame | ReadColumns, plant: Plant) -> tuple[Array, Array]:
    """(import, export) of a schedule that energy prices see, see `settled_flows`."""
    bought, sold = (np.asarray(schedule[name], dtype=float) for name in ("import_mw", "export_mw"))
    return settled_flows(plant, bought, sold, bids_of(schedule, plant) if plant.activated else {})
