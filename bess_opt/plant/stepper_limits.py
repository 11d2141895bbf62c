"""What the step simulator cannot help: no battery power meets a limit, and the error says when."""

from __future__ import annotations

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import InfeasibleError
from bess_opt.common.findings import Finding
from bess_opt.plant.plant import Plant, Storage

SLACK = 1e-9  # of the battery's size: a limit missed by less is rounding


def refuse_power(plant: Plant, excess: Array, what: str, where: str, limit: Array | float) -> None:
    """Raise where a power (MW per step) is beyond its limit."""
    if float((excess - plant.rounding_mw).max()) <= _slack(plant):
        return
    worst = int(np.argmax(excess))
    here = float(np.broadcast_to(limit, plant.steps)[worst])
    there = round(here + float(excess[worst]), 12) + 0.0  # what rounding leaves of nothing is nothing
    found = f"at {_time(plant, worst)} {what} {there:.4g} MW, the limit is {here:.4g} MW"
    remedy = "request less, allow curtailment or state site.unserved_price_per_mwh"
    raise InfeasibleError([Finding("request_beyond_limits", where, found, remedy)])


def refuse_grid(plant: Plant, grid_mw: Array, least_mw: Array, most_mw: Array) -> None:
    """Raise where the grid power is outside what limits, clauses and ramps allow; the error names which of them."""
    sides = (
        ("export_mw", "the site gives", grid_mw - most_mw, most_mw, plant.export_max_mw),
        ("import_mw", "the site takes", least_mw - grid_mw, -least_mw, plant.import_max_mw),
    )
    for flow, what, excess, limit, without_ramp in sides:
        worst = int(np.argmax(excess))
        clause = plant.connection.limiting(flow, worst)
        where = f"site.{flow.removesuffix('_mw')}_limit_mw"
        outage = None if plant.outages is None else plant.outages.where(worst)
        if outage is not None:
            where, what = outage, f"without the grid {what}"
        elif limit[worst] < without_ramp[worst]:
            where, what = "connection", f"a ramp leaves no choice: {what}"
        elif clause is not None and clause.caps[flow] == limit[worst]:
            where, what = clause.where, f"under the clause {clause.name!r} {what}"
        refuse_power(plant, excess, what, where, limit)


def refuse_energy(plant: Plant, storage: Storage, stored: Array) -> None:
    """Raise where full power could not bring the energy into its window: the first such step."""
    short, over = storage.floor_mwh - stored, stored - storage.ceiling_mwh
    outside = np.flatnonzero(np.maximum(short, over)[1:] > _slack(plant, storage))
    if not len(outside):
        return
    t = int(outside[0])
    now = f"in the step at {_time(plant, t)} {_name(storage)} comes to {stored[t + 1]:.4g} MWh"
    if over[t + 1] > short[t + 1]:
        where, found = (
            storage.place("power_mw"),
            f"{now}, the SOC window ends at {storage.ceiling_mwh[t + 1]:.4g} MWh",
        )
        if storage.ceiling_mwh[t + 1] < storage.ceiling_mwh[0]:
            where, found = (
                storage.series("energy_max_mwh"),
                f"{now}, at most {storage.ceiling_mwh[t + 1]:.4g} MWh may be there",
            )
    elif np.broadcast_to(storage.drawn_mw, plant.steps)[t] > 0.0:
        drawn = float(np.broadcast_to(storage.drawn_mw, plant.steps)[t])
        where, found = storage.series("drawn_mw"), f"{now} after {drawn:.4g} MW are drawn, the window begins at "
        found += f"{storage.floor_mwh[t + 1]:.4g} MWh"
    elif storage.floor_mwh[t + 1] > storage.floor_mwh[0]:
        where, found = (
            storage.series("energy_min_mwh"),
            f"{now}, the reserve asks for {storage.floor_mwh[t + 1]:.4g} MWh",
        )
    else:
        where = storage.place("self_discharge_per_h")
        found = f"{now}, the SOC window begins at {storage.floor_mwh[t + 1]:.4g} MWh"
    remedy = "keep more in store before, or give the battery more power"
    raise InfeasibleError([Finding("energy_beyond_window", where, found, remedy)])


def refuse_grid_charging(plant: Plant, surplus: Array, unserved: Array) -> None:
    """Raise where the battery had to charge from a grid that it may not use."""
    into = np.maximum(-surplus, 0.0) + unserved - np.maximum(plant.load_mw, 0.0)
    if not plant.grid_charging and float((into - plant.rounding_mw).max()) > _slack(plant):
        worst = int(np.argmax(into))
        found = f"at {_time(plant, worst)} the battery has to take {into[worst]:.4g} MW from the grid"
        remedy = "keep more in store before, or allow it"
        raise InfeasibleError([Finding("grid_charging_forced", "site.grid_charging", found, remedy)])


def refuse_battery_export(plant: Plant, export: Array, curtailed_ac: Array, curtailed_dc: Array) -> None:
    """Raise where the battery had to give to a grid that takes PV power only."""
    if plant.battery_export:
        return
    used = plant.solar_used_mw(curtailed_ac, curtailed_dc)
    allowed = np.maximum(used - plant.load_mw, 0.0) if plant.strict_export else used + plant.generation_mw
    beyond = export - allowed
    if float((beyond - plant.rounding_mw).max()) > _slack(plant):
        worst = int(np.argmax(beyond))
        found = f"at {_time(plant, worst)} the battery has to give {beyond[worst]:.4g} MW to the grid"
        remedy = "keep less in store before, or allow it"
        raise InfeasibleError([Finding("battery_export_forced", "site.battery_export", found, remedy)])


def refuse_cycles(plant: Plant, storage: Storage, charge: Array, discharge: Array) -> None:
    """Raise where the site made a battery move more energy than a cap on cycles allows."""
    into, out = storage.through_cells(charge, discharge, plant.step_h)
    for cap in storage.caps:
        excess = cap.excess_mwh(cap.counted(into, out))
        worst = int(np.argmax(excess))
        if excess[worst] <= _slack(plant, storage):
            continue
        first, last = plant.index[int(cap.first[worst])], plant.index[int(cap.last[worst]) - 1]
        allowed = cap.most_mwh[worst] / storage.energy_mwh
        done = allowed + excess[worst] / storage.energy_mwh
        when = f"on {first:%Y-%m-%d}" if cap.daily else f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
        found = f"{when} the load asks for {done:.4g} cycles, the limit is {allowed:.4g}"
        remedy = "raise it, or site.import_limit_mw"
        if cap.most_mwh[worst] < 0.0:
            found = f"{when} drawn_mw takes {-allowed:.4g} cycles more from the cells than the limit allows"
            remedy = "raise it, or draw less"
        raise InfeasibleError([Finding("cycles_beyond_warranty", cap.where, found, remedy)])


def _slack(plant: Plant, storage: Storage | None = None) -> float:
    energy = plant.energy_mwh if storage is None else storage.energy_mwh
    return SLACK * max(plant.scale_mw, energy)


def _name(storage: Storage) -> str:
    return f"battery {storage.name}" if storage.name else "the battery"


def _time(plant: Plant, t: int) -> str:
    return f"{plant.index[t]:%Y-%m-%d %H:%M}"
