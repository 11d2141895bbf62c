"""The battery in the model: power limits, SOC window, energy law."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar
from bess_opt.models.cycle_caps import add_cycle_caps
from bess_opt.models.units import HOUR, MW, MWH, PER_UNIT
from bess_opt.plant import physics
from bess_opt.plant.plant import Plant


def add_storage(m: Any, plant: Plant) -> None:
    """Add the battery. `energy_mwh[0]` is the start, `energy_mwh[t + 1]` the end of step t.

    Power limits, SOC window, reserve floor and the start/end conditions are bounds of the variables.
    """
    storage = plant.storage
    m.step_h = pyo.Param(initialize=plant.step_h, units=HOUR, mutable=True)
    m.eta_charge = pyo.Param(initialize=storage.eta_charge, units=PER_UNIT, mutable=True)
    m.eta_discharge = pyo.Param(initialize=storage.eta_discharge, units=PER_UNIT, mutable=True)
    m.retention = pyo.Param(initialize=storage.retention, units=PER_UNIT, mutable=True)
    m.charge_max_mw = pyo.Param(initialize=storage.charge_max_mw, units=MW, mutable=True)
    m.discharge_max_mw = pyo.Param(initialize=storage.discharge_max_mw, units=MW, mutable=True)
    m.charge_mw = ArrayVar(m.steps, upper=storage.charge_limit_mw, units=MW, doc="power into the port")
    m.discharge_mw = ArrayVar(m.steps, upper=storage.discharge_limit_mw, units=MW, doc="power out of the port")
    lower, upper = energy_bounds(plant)
    m.energy_mwh = ArrayVar(m.instants, lower=lower, upper=upper, units=MWH, doc="energy in the cells")
    if np.any(storage.drawn_mw):
        m.drawn_mw = ArrayParam(m.steps, storage.drawn_mw, units=MW, doc="taken from the cells without loss")
    law = energy_balance_with_drawn if np.any(storage.drawn_mw) else energy_balance
    m.energy_balance = ArrayConstraint(m.steps, rule=law)
    add_cycle_caps(m, plant)


def energy_bounds(plant: Plant) -> tuple[np.ndarray, np.ndarray]:
    """(least, most) energy at each instant: SOC window and reserve, start held, end condition (rule 7)."""
    storage = plant.storage
    lower, upper = storage.floor_mwh.copy(), storage.ceiling_mwh.copy()
    lower[0] = upper[0] = storage.start_mwh
    lower[-1], upper[-1] = max(lower[-1], storage.end_min_mwh), min(upper[-1], storage.end_max_mwh)
    return lower, upper


def energy_balance(m: Any, t: Any) -> Any:
    """e[t+1] = ρ·e[t] + η_c·h·c[t] − h·d[t]/η_d, with ρ the share that self-discharge leaves (rule 9)."""
    return m.energy_mwh[t + 1] == _after(m, t, None)


def energy_balance_with_drawn(m: Any, t: Any) -> Any:
    """e[t+1] = ρ·e[t] + η_c·h·c[t] − h·d[t]/η_d − h·drawn[t]: some leaves the cells without loss (rule 9)."""
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
