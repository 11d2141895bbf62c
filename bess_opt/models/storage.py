"""The battery in the model: power limits, SOC window, energy law, caps on cycles and wear by depth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.models.assets import asset, rule_of
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Constant
from bess_opt.models.meaning import Limit, Meaning
from bess_opt.models.units import HOUR, MW, MWH, PER_UNIT
from bess_opt.models.warranty.cycle_caps import add_cycle_caps
from bess_opt.models.warranty.wear import add_wear
from bess_opt.plant import physics
from bess_opt.plant.plant import Plant, Storage

CHARGE = Meaning("missed charge", "needless charge", kind="flow", flow="charge_mw", way="in", tie="throughput")
DISCHARGE = Meaning(
    "missed discharge", "needless discharge", kind="flow", flow="discharge_mw", way="out", tie="throughput"
)
ENERGY = Meaning("not full", "not empty", kind="flow", flow="energy_mwh")
ENERGY_LAW = Meaning(kind="law", flow="energy_mwh", carries_energy=True, in_reach=True)


def add_batteries(m: Any, plant: Plant) -> None:
    """Add every battery of the plant, and what tells the site which of them stand at which bus."""
    m.step_h = Constant(plant.step_h, HOUR)
    for battery in plant.batteries:
        add_storage(m, battery)
    m.on_ac_bus = tuple(battery.prefix for battery in plant.on_ac_bus)
    m.on_dc_bus = tuple(battery.prefix for battery in plant.on_dc_bus)


def add_storage(m: Any, battery: Storage) -> None:
    """Add a battery. `energy_mwh[0]` is the start, `energy_mwh[t + 1]` the end of step t.

    Power limits, SOC window, reserve floor and the start/end conditions are bounds of the variables.
    """
    own = asset(m, battery)
    own.eta_charge = Constant(battery.eta_charge, PER_UNIT)
    own.eta_discharge = Constant(battery.eta_discharge, PER_UNIT)
    own.retention = Constant(battery.retention, PER_UNIT)
    own.charge_max_mw = Constant(battery.charge_max_mw, MW)
    own.discharge_max_mw = Constant(battery.discharge_max_mw, MW)
    most = battery.charge_limit_mw
    taken = replace(CHARGE, limit=_power_limit(battery, "charge", "charging", most))
    own.charge_mw = ArrayVar(m.steps, upper=most, units=MW, doc="power into the port", meaning=taken)
    most = battery.discharge_limit_mw
    given = replace(DISCHARGE, limit=_power_limit(battery, "discharge", "discharging", most))
    own.discharge_mw = ArrayVar(m.steps, upper=most, units=MW, doc="power out of the port", meaning=given)
    lower, upper = energy_bounds(battery)
    own.energy_mwh = ArrayVar(
        m.instants, lower=lower, upper=upper, units=MWH, doc="energy in the cells", meaning=ENERGY
    )
    if np.any(battery.drawn_mw):
        own.drawn_mw = ArrayParam(m.steps, battery.drawn_mw, units=MW, doc="taken from the cells without loss")
    law = energy_balance_with_drawn if np.any(battery.drawn_mw) else energy_balance
    own.energy_balance = ArrayConstraint(m.steps, rule=rule_of(battery, law), meaning=ENERGY_LAW)
    add_cycle_caps(m, battery)
    add_wear(m, battery)


def _power_limit(battery: Storage, way: str, doing: str, most: Array | float) -> Limit:
    """What is stated of the power of a battery one way, MW at its port."""
    whose = f" of {battery.name}" if battery.name else ""
    return Limit(
        f"{way} limit",
        stated_at=battery.place("power_mw"),
        series=f"{battery.prefix}{way}_limit_mw",
        words=f"{doing}{whose} of at most {{}} MW",
        rank=2,
        most=most,
    )


def energy_bounds(battery: Storage) -> tuple[np.ndarray, np.ndarray]:
    """(least, most) energy at each instant: SOC window and reserve, start held, end condition."""
    lower, upper = battery.floor_mwh.copy(), battery.ceiling_mwh.copy()
    lower[0] = upper[0] = battery.start_mwh
    lower[-1], upper[-1] = max(lower[-1], battery.end_min_mwh), min(upper[-1], battery.end_max_mwh)
    return lower, upper


def energy_balance(m: Any, t: Any) -> Any:
    """e[t+1] = ρ·e[t] + η_c·h·c[t] − h·d[t]/η_d, with ρ the share that self-discharge leaves."""
    return m.energy_mwh[t + 1] == _after(m, t, None)


def energy_balance_with_drawn(m: Any, t: Any) -> Any:
    """e[t+1] = ρ·e[t] + η_c·h·c[t] − h·d[t]/η_d − h·drawn[t]: some leaves the cells without loss."""
    return m.energy_mwh[t + 1] == _after(m, t, m.drawn_mw[t])


def _after(m: Any, t: Any, drawn_mw: Any) -> Any:
    return physics.energy_after(
        m.energy_mwh[t],
        m.charge_mw[t],
        m.discharge_mw[t],
        eta_charge=m.eta_charge,
        eta_discharge=m.eta_discharge,
        retention=m.retention,
        step_h=m.step_h,
        drawn_mw=drawn_mw,
    )
