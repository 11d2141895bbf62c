"""The flows of a plan, and the schedule that they make: every column computed here, for either twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array, ReadColumns
from bess_opt.common.columns import REGULATION, SCHEDULE, UNIT
from bess_opt.plant import physics
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.products.activation import BASE, called_at_port, settled_flows


@dataclass(frozen=True)
class BatteryFlows:
    """What a plan decides for one battery, MW at its port; `energy_mwh` has n+1 values, the start first."""

    charge_mw: Array
    discharge_mw: Array
    energy_mwh: Array


@dataclass(frozen=True)
class Flows:
    """What a plan decides, as arrays over the steps, MW; the batteries stand in the order of the plant's.

    `held_mw` is the capacity held of each product, by name; of one that is not there, none.
    """

    batteries: tuple[BatteryFlows, ...]
    import_mw: Array
    export_mw: Array
    curtailed_ac_mw: Array
    curtailed_dc_mw: Array
    unserved_mw: Array
    inverter_out_mw: Array
    inverter_in_mw: Array
    limited_by: Any = ""
    held_mw: Mapping[str, Array] = field(default_factory=dict)

    @property
    def battery(self) -> BatteryFlows:
        """The flows of the one battery there is."""
        (own,) = self.batteries
        return own


OF_ONE = tuple(BatteryFlows.__dataclass_fields__)
OF_SITE = tuple(name for name in Flows.__dataclass_fields__ if name not in ("batteries", "limited_by", "held_mw"))


def flows_by_name(plant: Plant, of: Callable[[str], Array]) -> Flows:
    """The flows of a plant, each by its name from `of(name)` [MW; MWh for the stored energy, the start first]."""
    batteries = tuple(
        BatteryFlows(**{name: of(f"{battery.prefix}{name}") for name in OF_ONE}) for battery in plant.batteries
    )
    held = {name: of(component) for component, name in bid_names(plant).items()}
    return Flows(batteries=batteries, held_mw=held, **{name: of(name) for name in OF_SITE})


def bid_names(plant: Plant) -> dict[str, str]:
    """Bids of market products: name in the model -> name among what is held; of several batteries each part too."""
    prefixes = ["", *(battery.prefix for battery in plant.batteries if battery.prefix)]
    return {f"{p}{offer.component}_mw": f"{p}{offer.name}" for p in prefixes for offer in plant.offers}


def flows_named(plant: Plant, flows: Flows) -> dict[str, Array]:
    """The flows of a plan by the names that they have in the model, of several batteries "north.charge_mw" each."""
    named = {name: np.asarray(getattr(flows, name), dtype=float) for name in OF_SITE}
    for battery, own in zip(plant.batteries, flows.batteries, strict=True):
        named |= {f"{battery.prefix}{name}": np.asarray(getattr(own, name), dtype=float) for name in OF_ONE}
    nothing = np.zeros(plant.steps)
    held = bid_names(plant)
    return named | {column: flows.held_mw.get(name, nothing[: len(flows.import_mw)]) for column, name in held.items()}


def schedule_of(plant: Plant, flows: Flows) -> pd.DataFrame:
    """Every column of the schedule from the flows, each on its own; none is the remainder of the others.

    With several batteries the columns of each follow those of the site, "north.charge_mw"; the site's are the sums.
    """
    bus, steps = plant.bus, plant.steps
    nothing = np.zeros(steps)
    inverter_loss = (
        nothing
        if bus is None
        else physics.inverter_loss_mw(
            flows.inverter_out_mw, flows.inverter_in_mw, eta_out=bus.eta_out, eta_in=bus.eta_in
        )
    )
    units = [_unit(plant, *pair) for pair in zip(plant.batteries, flows.batteries, strict=True)]
    bids = flows.held_mw
    settled = settled_flows(plant, flows.import_mw, flows.export_mw, bids)
    import_price, export_price, revenue = plant.settled_energy(*settled)
    columns: dict[str, Any] = {
        "solar_mw": plant.solar_mw,
        "solar_dc_mw": plant.solar_dc_mw,
        "load_mw": plant.load_mw,
        "unserved_mw": flows.unserved_mw,
        "shed_mw": plant.shed_mw(flows.unserved_mw),
        **{name: _sum([unit[name] for unit in units]) for name in UNIT},
        "inverter_mw": flows.inverter_out_mw - flows.inverter_in_mw,
        "inverter_loss_mw": inverter_loss,
        "import_mw": flows.import_mw,
        "export_mw": flows.export_mw,
        "grid_mw": flows.export_mw - flows.import_mw,
        "curtailed_mw": flows.curtailed_ac_mw + flows.curtailed_dc_mw,
        "curtailed_dc_mw": flows.curtailed_dc_mw,
        **{product.column: nothing + flows.held_mw.get(name, 0.0) for name, product in REGULATION.items()},
        "limited_by": np.broadcast_to(np.asarray(flows.limited_by, dtype=object), steps),
        "import_price_per_mwh": import_price,
        "export_price_per_mwh": export_price,
        "revenue": revenue,
    }
    columns["soc"] = columns["energy_mwh"] / plant.energy_mwh
    columns["loss_mw"] = columns["loss_mw"] + inverter_loss
    own: dict[str, Array] = {}
    if len(units) > 1:
        for battery, unit in zip(plant.batteries, units, strict=True):
            own |= {f"{battery.prefix}{name}": unit[name] for name in UNIT}
            own |= {
                f"{battery.prefix}{offer.column}": nothing + flows.held_mw.get(f"{battery.prefix}{offer.name}", 0.0)
                for offer in plant.offers
            }
    held = {offer.column: nothing + flows.held_mw.get(offer.name, 0.0) for offer in plant.offers}
    if plant.offers:
        bases = {
            f"{battery.prefix}{BASE}": unit["battery_mw"] - called_at_port(plant, battery, bids)
            if plant.activated
            else unit["battery_mw"]
            for battery, unit in zip(plant.batteries, units, strict=True)
        }
        held[BASE] = _sum(list(bases.values()))
        own |= bases if len(units) > 1 else {}
    return pd.DataFrame({name: columns[name] for name in SCHEDULE} | held | own, index=plant.index)


def own_columns(plant: Plant) -> list[str]:
    """The columns of a schedule beside those that every schedule has: market products, and several batteries."""
    held = [*(offer.column for offer in plant.offers), *([BASE] if plant.offers else [])]
    of_site = [name for name in held if name not in SCHEDULE]
    if len(plant.batteries) == 1:
        return of_site
    return [*of_site, *(f"{battery.prefix}{name}" for battery in plant.batteries for name in (*UNIT, *held))]


def _unit(plant: Plant, battery: Storage, flows: BatteryFlows) -> dict[str, Array]:
    """The columns of one battery."""
    loss = physics.storage_loss_mw(
        flows.energy_mwh[:-1],
        flows.charge_mw,
        flows.discharge_mw,
        eta_charge=battery.eta_charge,
        eta_discharge=battery.eta_discharge,
        retention=battery.retention,
        step_h=plant.step_h,
    )
    return {
        "charge_mw": flows.charge_mw,
        "discharge_mw": flows.discharge_mw,
        "battery_mw": flows.discharge_mw - flows.charge_mw,
        "energy_mwh": flows.energy_mwh[1:],
        "soc": flows.energy_mwh[1:] / battery.energy_mwh,
        "loss_mw": loss,
    }


def _sum(parts: list[Array]) -> Array:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def unit_of(schedule: pd.DataFrame, battery: Storage) -> pd.DataFrame:
    """The columns of one battery in a schedule, by their own names; of the one battery there is, the site's."""
    own: pd.DataFrame = schedule[[f"{battery.prefix}{name}" for name in UNIT]]
    return own.set_axis(list(UNIT), axis=1)


def of_battery(schedule: pd.DataFrame | ReadColumns, battery: Storage, *names: str) -> tuple[Array, ...]:
    """Columns of one battery in a schedule as arrays."""
    return tuple(np.asarray(schedule[f"{battery.prefix}{name}"], dtype=float) for name in names)
