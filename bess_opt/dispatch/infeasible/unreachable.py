"""Conflicts that show before any solve: energy or power out of reach, as sentences with times and numbers.

What takes a solve to see is in `bess_opt.dispatch.infeasible.conflict`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.findings import Finding
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.reach import SLACK, Reach, may_rest, power_bounds, reach_of


def unreachable(plant: Plant) -> list[Finding]:
    """Conflicts that no solve is needed for; empty if none shows. Only what is certain is said."""
    return [*_energy_out_of_reach(plant), *_power_out_of_reach(plant)]


def _energy_out_of_reach(plant: Plant) -> list[Finding]:
    """Floors, ceilings and end conditions outside of what a battery can hold at this site."""
    crossing = [finding for battery in plant.batteries for finding in _crossing(plant, battery)]
    if crossing:
        return crossing[:1]
    if len(plant.batteries) > 1:
        return [finding for battery in plant.batteries for finding in _beyond_its_power(plant, battery)]
    least, most = power_bounds(plant)
    if float((least - most).max()) > SLACK * plant.scale_mw:
        return []
    if may_rest(plant, least, most):
        return []
    return _beyond(plant, reach_of(plant))


def _crossing(plant: Plant, battery: Storage) -> list[Finding]:
    """A floor above the ceiling."""
    crossing = np.flatnonzero(battery.floor_mwh > battery.ceiling_mwh + _slack(battery))
    if not len(crossing):
        return []
    i = int(crossing[0])
    asked = f"at least {battery.floor_mwh[i]:.4g} MWh are asked for {instant(plant, i)}"
    column = "energy_min_mwh" if battery.floor_mwh[i] > battery.floor_mwh[0] else "energy_max_mwh"
    allowed = f"at most {battery.ceiling_mwh[i]:.4g} MWh may be there"
    return [Finding("reserve_above_window", battery.series(column), asked, allowed)]


def _beyond_its_power(plant: Plant, battery: Storage) -> list[Finding]:
    """What one of several batteries cannot hold whatever site and other batteries do."""
    free, nothing = np.full(plant.steps, np.inf), np.zeros(plant.steps)
    alone = replace(
        plant, batteries=(battery,), bus=None, import_max_mw=free, export_max_mw=free, solar_ac_mw=nothing,
        solar_dc_mw=nothing, load_mw=nothing, auxiliary_mw=0.0, grid_charging=True, battery_export=True,
        strict_export=False, outages=None,
    )  # fmt: skip
    return _beyond(alone, reach_of(alone))


def _beyond(plant: Plant, found: Reach) -> list[Finding]:
    return _end_out_of_reach(plant, found) if found.lost is None else _window_out_of_reach(plant, found)


def _window_out_of_reach(plant: Plant, found: Reach) -> list[Finding]:
    """A reserve above or a window below all that can be in store; what a load takes is the solver's to explain."""
    storage, i = plant.storage, found.lost or 0
    drawn = float(np.sum(np.broadcast_to(storage.drawn_mw, plant.steps)[:i])) * plant.step_h
    reserve = storage.floor_mwh[i] > storage.floor_mwh[0]
    if found.beyond_mwh < 0.0 and (reserve or drawn > 0.0):
        asked = f"at least {storage.floor_mwh[i]:.4g} MWh must be in store {instant(plant, i)}"
        best = f"at most {max(storage.floor_mwh[i] + found.beyond_mwh, 0.0):.4g} MWh can be there"
        can = f"{best} when the battery takes all that the site gives from {storage.start_mwh:.4g} MWh on"
        can += f", {drawn:.4g} MWh drawn till then" if drawn > 0.0 else ""
        return [
            Finding("reserve_out_of_reach", storage.series("energy_min_mwh" if reserve else "drawn_mw"), asked, can)
        ]
    if found.beyond_mwh > 0.0:
        held = storage.ceiling_mwh[i] + found.beyond_mwh
        asked = f"{instant(plant, i)} no less than {held:.4g} MWh would be in store"
        ends = f"the SOC window ends at {storage.ceiling_mwh[i]:.4g} MWh, and load and export limit take no more"
        remedy = f"{ends}; raise the limit or allow site.curtailment"
        return [Finding("solar_beyond_sinks", "site.export_limit_mw", asked, remedy)]
    return []


def _end_out_of_reach(plant: Plant, found: Reach) -> list[Finding]:
    storage, slack = plant.storage, _slack(plant.storage)
    nameplate, horizon = storage.energy_mwh, f"{plant.horizon_h:g} h"
    end = f"at the end, {instant(plant, plant.steps)[3:]}"
    if storage.end_min_mwh > found.highest_mwh[-1] + slack:
        asked = f"asks for SOC {storage.end_min_mwh / nameplate:.4g} or more {end}"
        best = found.highest_mwh[-1] / nameplate
        can = f"at most {best:.4g} can be reached within {horizon}; lower soc_end or free it"
        return [Finding("end_out_of_reach", storage.place("soc_end"), asked, can)]
    if storage.end_max_mwh < found.lowest_mwh[-1] - slack:
        asked = f"asks for SOC {storage.end_max_mwh / nameplate:.4g} or less {end}"
        best = found.lowest_mwh[-1] / nameplate
        can = f"no less than {best:.4g} can be reached within {horizon}; raise soc_end or free it"
        return [Finding("end_out_of_reach", storage.place("soc_end"), asked, can)]
    return []


def _slack(battery: Storage) -> float:
    return SLACK * battery.energy_mwh


def _power_out_of_reach(plant: Plant) -> list[Finding]:
    """Load beyond all supply, and PV power that nothing can take."""
    limits, nothing = plant.flow_limits(), np.zeros(plant.steps)
    found = []
    must = plant.load_mw - plant.sheddable_mw
    gives = limits.get("inverter_out_mw", nothing)
    for unit in plant.on_ac_bus:
        gives = gives + unit.discharge_limit_mw
    supply = plant.import_max_mw + gives + plant.solar_ac_mw
    for first, last in _runs(must > supply + SLACK * plant.scale_mw + plant.rounding_mw):
        worst = first + int(np.argmax((must - supply)[first:last]))
        asked = f"{span(plant, first, last)} the load of {must[worst]:.4g} MW"
        battery, solar = f"battery {gives[worst]:.4g}", f"solar {plant.solar_ac_mw[worst]:.4g} MW"
        remedy = f"exceeds import limit {plant.import_max_mw[worst]:.4g} + {battery} + {solar}; "
        remedy += "raise the limit or state site.unserved_price_per_mwh"
        outage = None if plant.outages is None else plant.outages.where(worst)
        if outage is not None:
            asked = asked.replace("the load", "without the grid the critical load")
            remedy = f"exceeds {battery} + {solar}; lower critical_share or state site.unserved_price_per_mwh"
        found.append(Finding("load_beyond_supply", outage or "site.import_limit_mw", asked, remedy))
    if not plant.curtailable.all():
        takes = limits.get("inverter_in_mw", nothing)
        for unit in plant.on_ac_bus:
            takes = takes + unit.charge_limit_mw
        sink = plant.load_mw + plant.export_max_mw + takes
        must_go = np.where(plant.curtailable, 0.0, plant.solar_ac_mw)
        for first, last in _runs(must_go > sink + SLACK * plant.scale_mw + plant.rounding_mw):
            worst = first + int(np.argmax((must_go - sink)[first:last]))
            asked = f"{span(plant, first, last)} the solar power of {plant.solar_ac_mw[worst]:.4g} MW"
            load, battery = f"load {plant.load_mw[worst]:.4g}", f"battery {takes[worst]:.4g} MW"
            remedy = f"exceeds {load} + export limit {plant.export_max_mw[worst]:.4g} + {battery}; "
            remedy += "raise the limit or allow site.curtailment"
            found.append(Finding("solar_beyond_sinks", "site.export_limit_mw", asked, remedy))
    return found[:5]


def _runs(mask: Array) -> Iterable[tuple[int, int]]:
    """(first, end) of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def span(plant: Plant, first: int, last: int) -> str:
    """Time of the steps `first` to `last` - 1, for people."""
    begin = plant.index[first]
    end = plant.index[last - 1] + pd.Timedelta(hours=plant.step_h)
    return f"from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


def instant(plant: Plant, i: int) -> str:
    """Time of an instant, 0 being the start, for people."""
    if i == 0:
        return f"at {plant.index[0]:%Y-%m-%d %H:%M}"
    return f"at {plant.index[i - 1] + pd.Timedelta(hours=plant.step_h):%Y-%m-%d %H:%M}"
