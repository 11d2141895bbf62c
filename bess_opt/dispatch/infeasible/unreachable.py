"""Conflicts that show before any solve: energy or power out of reach, as sentences with times and numbers.

What takes a solve to see is in `bess_opt.dispatch.infeasible.conflict`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.findings import Finding
from bess_opt.plant import physics
from bess_opt.plant.plant import Plant

SLACK = 1e-9


def unreachable(plant: Plant) -> list[Finding]:
    """Conflicts that no solve is needed for; empty if none shows. Only what is certain is said."""
    return [*_energy_out_of_reach(plant), *_power_out_of_reach(plant)]


def _energy_out_of_reach(plant: Plant) -> list[Finding]:
    """Floors, ceilings and end conditions that charging or discharging at full power cannot meet."""
    storage, found = plant.storage, []
    highest, lowest = _reach(plant)
    scale = SLACK * storage.energy_mwh
    crossing = np.flatnonzero(storage.floor_mwh > storage.ceiling_mwh + scale)
    if len(crossing):
        i = int(crossing[0])
        asked = f"at least {storage.floor_mwh[i]:.4g} MWh are asked for {instant(plant, i)}"
        return [
            Finding(
                "reserve_above_window",
                "series.energy_min_mwh" if storage.floor_mwh[i] > storage.floor_mwh[0] else "series.energy_max_mwh",
                asked,
                f"at most {storage.ceiling_mwh[i]:.4g} MWh may be there",
            )
        ]
    late = np.flatnonzero(storage.floor_mwh > highest + scale)
    if len(late):
        i = int(late[0])
        asked = f"at least {storage.floor_mwh[i]:.4g} MWh must be in store {instant(plant, i)}"
        can = (
            f"at most {highest[i]:.4g} MWh can be there when charging at full power from {storage.start_mwh:.4g} MWh"
        )
        drawn = float(np.sum(np.broadcast_to(storage.drawn_mw, plant.steps)[:i])) * plant.step_h
        if drawn > 0.0:
            can += f" with {drawn:.4g} MWh drawn till then"
        reserve = storage.floor_mwh[i] > storage.floor_mwh[0] or drawn == 0.0
        where = "series.energy_min_mwh" if reserve else "series.drawn_mw"
        found.append(Finding("reserve_out_of_reach", where, asked, can))
    nameplate, horizon, end = (
        storage.energy_mwh,
        f"{plant.horizon_h:g} h",
        f"at the end, {instant(plant, plant.steps)[3:]}",
    )
    if not late.size and storage.end_min_mwh > highest[-1] + scale:
        asked = f"asks for SOC {storage.end_min_mwh / nameplate:.4g} or more {end}"
        can = f"at most {highest[-1] / nameplate:.4g} can be reached within {horizon}; lower soc_end or free it"
        found.append(Finding("end_out_of_reach", "battery.soc_end", asked, can))
    if storage.end_max_mwh < lowest[-1] - scale:
        asked = f"asks for SOC {storage.end_max_mwh / nameplate:.4g} or less {end}"
        can = f"no less than {lowest[-1] / nameplate:.4g} can be reached within {horizon}; raise soc_end or free it"
        found.append(Finding("end_out_of_reach", "battery.soc_end", asked, can))
    return found


def _reach(plant: Plant) -> tuple[Array, Array]:
    """(highest, lowest) energy at each instant at full charge and discharge power; optimistic."""
    storage = plant.storage
    limits = plant.flow_limits()
    supply = plant.solar_mw + (limits["import_mw"] if plant.grid_charging else 0.0)
    into = physics.energy_after(
        0.0, np.minimum(storage.charge_limit_mw, supply), 0.0,
        eta_charge=storage.eta_charge, eta_discharge=storage.eta_discharge, retention=1.0, step_h=plant.step_h,
        drawn_mw=storage.drawn_mw,
    )  # fmt: skip
    out = (
        (storage.discharge_limit_mw / storage.eta_discharge + storage.drawn_mw) * plant.step_h * np.ones(plant.steps)
    )
    high, low = [storage.start_mwh], [storage.start_mwh]
    kept = storage.retention
    for gain, most, floor, ceiling in zip(
        into.tolist(), out.tolist(), storage.floor_mwh[1:].tolist(), storage.ceiling_mwh[1:].tolist(), strict=True
    ):
        high.append(min(kept * high[-1] + gain, ceiling))
        low.append(max(kept * low[-1] - most, floor))
    return np.array(high), np.array(low)


def _power_out_of_reach(plant: Plant) -> list[Finding]:
    """Load beyond all supply, and PV power that nothing can take."""
    storage, limits = plant.storage, plant.flow_limits()
    found = []
    if plant.unserved_price_per_mwh is None:
        gives = limits.get("inverter_out_mw", storage.discharge_limit_mw + np.zeros(plant.steps))
        supply = plant.import_max_mw + gives + plant.solar_ac_mw
        for first, last in _runs(plant.load_mw > supply + SLACK * plant.scale_mw + plant.rounding_mw):
            worst = first + int(np.argmax((plant.load_mw - supply)[first:last]))
            asked = f"{span(plant, first, last)} the load of {plant.load_mw[worst]:.4g} MW"
            battery, solar = f"battery {gives[worst]:.4g}", f"solar {plant.solar_ac_mw[worst]:.4g} MW"
            remedy = f"exceeds import limit {plant.import_max_mw[worst]:.4g} + {battery} + {solar}; "
            remedy += "raise the limit or state site.unserved_price_per_mwh"
            found.append(Finding("load_beyond_supply", "site.import_limit_mw", asked, remedy))
    if not plant.curtailment:
        takes = limits.get("inverter_in_mw", storage.charge_limit_mw + np.zeros(plant.steps))
        sink = plant.load_mw + plant.export_max_mw + takes
        for first, last in _runs(plant.solar_ac_mw > sink + SLACK * plant.scale_mw + plant.rounding_mw):
            worst = first + int(np.argmax((plant.solar_ac_mw - sink)[first:last]))
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
