"""What a site does for the powers of its batteries: grid, inverter, and the curtailment and shedding they need."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.plant import physics
from bess_opt.plant.flows import BatteryFlows, Flows, bid_names
from bess_opt.plant.grid_band import GridBand
from bess_opt.plant.plant import Plant
from bess_opt.plant.products.activation import through_inverter
from bess_opt.plant.room import Setpoints
from bess_opt.plant.rule import Held
from bess_opt.plant.stepper_limits import (
    refuse_battery_export,
    refuse_cycles,
    refuse_energy,
    refuse_grid,
    refuse_grid_charging,
    refuse_power,
)


def site_flows(
    plant: Plant, asked: Setpoints, power: Sequence[Array], stored: Sequence[Array], limited: Array, band: GridBand
) -> Flows:
    """All flows of the site for the powers and energies of each battery that came out.

    Curtailment and shedding are what they need beside what was asked for.
    """
    held = asked.held or Held.nothing(plant.steps)
    swings = [np.array(held.swing_of.get(battery.name, held.swing_mw)) for battery in plant.batteries]
    batteries = tuple(
        BatteryFlows(np.maximum(-mw, 0.0) + swing, np.maximum(mw, 0.0) + swing, mwh)
        for mw, mwh, swing in zip(power, stored, swings, strict=True)
    )
    battery_ac = np.zeros(plant.steps)
    for battery, mw in zip(plant.batteries, power, strict=True):
        battery_ac = battery_ac if battery.on_dc_bus else battery_ac + mw
    curtailed_dc, out, into = _dc_side(plant, asked, power, battery_ac, band.curtailed_above_mw)
    battery_ac = battery_ac + (out - into)
    surplus = plant.solar_ac_mw - asked.curtailed_ac_mw + battery_ac - plant.load_mw + asked.unserved_mw
    over = np.maximum(surplus - band.curtailed_above_mw, 0.0)
    more_ac = np.where(plant.curtailable, np.minimum(over, plant.solar_ac_mw - asked.curtailed_ac_mw), 0.0)
    surplus = surplus - more_ac
    short = np.maximum(band.least_mw - surplus, 0.0)
    shed = np.minimum(short, np.maximum(plant.sheddable_mw - asked.unserved_mw, 0.0))
    surplus = surplus + shed
    unserved = asked.unserved_mw + shed
    refuse_grid(plant, surplus, band.least_mw, band.most_mw)
    for battery, own in zip(plant.batteries, batteries, strict=True):
        refuse_energy(plant, battery, own.energy_mwh)
    refuse_grid_charging(plant, surplus, unserved)
    refuse_battery_export(plant, np.maximum(surplus, 0.0), asked.curtailed_ac_mw + more_ac, curtailed_dc)
    for battery, own in zip(plant.batteries, batteries, strict=True):
        refuse_cycles(plant, battery, own.charge_mw, own.discharge_mw)
    return Flows(
        batteries=batteries,
        import_mw=np.clip(-surplus, 0.0, plant.import_max_mw),
        export_mw=np.clip(surplus, 0.0, plant.export_max_mw),
        curtailed_ac_mw=asked.curtailed_ac_mw + more_ac,
        curtailed_dc_mw=curtailed_dc,
        unserved_mw=unserved,
        inverter_out_mw=out,
        inverter_in_mw=into,
        limited_by=limited,
        held_mw=dict.fromkeys(bid_names(plant).values(), np.zeros(plant.steps)) | held.bids,
    )


def _dc_side(
    plant: Plant, asked: Setpoints, power: Sequence[Array], battery_ac: Array, above_mw: Array
) -> tuple[Array, Array, Array]:
    """(curtailed on the DC bus, inverter to AC, inverter from AC), MW; `battery_ac` is given on the AC bus."""
    nothing = np.zeros(plant.steps)
    bus = plant.bus
    if bus is None:
        return nothing, nothing, nothing
    called_out, called_in = through_inverter(plant, asked.held.bids if asked.held and plant.activated else {})
    called_ac, called_dc = asked.called(plant)
    net = plant.solar_dc_mw - asked.curtailed_dc_mw - called_dc
    for battery, mw in zip(plant.batteries, power, strict=True):
        net = net + mw if battery.on_dc_bus else net
    out, into = physics.inverter_flows_mw(net, eta_out=bus.eta_out, eta_in=bus.eta_in)
    # AC-side PV gives way to the export limit before the DC side does: it loses least.
    takes = plant.load_mw - asked.unserved_mw + above_mw - battery_ac
    takes = np.where(plant.curtailable, takes, takes - plant.solar_ac_mw) - called_ac
    most = np.clip(takes, 0.0, bus.inverter_mw)
    over = np.maximum(out - most, 0.0) / bus.eta_out
    more = np.where(plant.curtailable, np.minimum(over, plant.solar_dc_mw - asked.curtailed_dc_mw), 0.0)
    out = out - more * bus.eta_out
    refuse_power(
        plant, np.maximum(out, into) - bus.inverter_mw, "the inverter passes", "site.inverter_mw", bus.inverter_mw
    )
    return asked.curtailed_dc_mw + more, out + called_out, into + called_in
