"""The AC bus of the site: grid connection, load, AC-side PV, and who may charge from or feed the grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar
from bess_opt.models.units import MW, PER_UNIT
from bess_opt.plant.plant import Plant

STRICT = {
    "solar_over_load_mw": "PV used over the load",
    "solar_short_of_load_mw": "load over the PV used",
}


def add_site(m: Any, plant: Plant) -> None:
    """Add the AC bus. Call after the battery and, if there is one, the DC bus."""
    m.solar_ac_mw = ArrayParam(m.steps, plant.solar_ac_mw, units=MW, doc="PV power on the AC bus")
    m.load_mw = ArrayParam(m.steps, plant.load_mw, units=MW, doc="demand")
    import_max, export_max = grid_bounds(plant)
    m.import_mw = ArrayVar(m.steps, upper=import_max, units=MW, doc="from the grid")
    m.export_mw = ArrayVar(m.steps, upper=export_max, units=MW, doc="to the grid")
    curtailable = plant.solar_ac_mw if plant.curtailment else 0.0
    m.curtailed_ac_mw = ArrayVar(m.steps, upper=curtailable, units=MW, doc="PV not used on the AC bus")
    m.unserved_mw = ArrayVar(m.steps, upper=plant.sheddable_mw, units=MW, doc="load not met")
    m.ac_balance = ArrayConstraint(m.steps, rule=ac_balance if plant.bus is None else ac_balance_behind_inverter)
    if not plant.grid_charging:
        forbid_grid_charging(m)
    if not plant.battery_export:
        forbid_battery_export(m, plant)


def grid_bounds(plant: Plant) -> tuple[np.ndarray, np.ndarray]:
    """Most import and export per step: the connection's limits.

    Where export pays more than import costs, also what the site can take or give without doing both at
    once: it keeps the relaxation bounded and cuts off nothing that the one-way rule allows.
    """
    limits = plant.flow_limits()
    pays = plant.export_price > plant.import_price
    return (
        np.where(pays, limits["import_mw"], plant.import_max_mw),
        np.where(pays, limits["export_mw"], plant.export_max_mw),
    )


def ac_balance(m: Any, t: Any) -> Any:
    """solar − curtailed + d − c + import + unserved = load + export: the AC bus (rule 9)."""
    battery = m.discharge_mw[t] - m.charge_mw[t]
    return _ac_sources(m, t) + battery == m.load_mw[t] + m.export_mw[t]


def ac_balance_behind_inverter(m: Any, t: Any) -> Any:
    """solar_ac − curtailed_ac + out − in + import + unserved = load + export: the AC bus (rule 9)."""
    inverter = m.inverter_out_mw[t] - m.inverter_in_mw[t]
    return _ac_sources(m, t) + inverter == m.load_mw[t] + m.export_mw[t]


def _ac_sources(m: Any, t: Any) -> Any:
    return m.solar_ac_mw[t] - m.curtailed_ac_mw[t] + m.import_mw[t] + m.unserved_mw[t]


def forbid_grid_charging(m: Any) -> None:
    """The battery takes PV power only."""
    if not hasattr(m, "no_grid_charging"):
        m.no_grid_charging = ArrayConstraint(m.steps, rule=no_grid_charging)


def no_grid_charging(m: Any, t: Any) -> Any:
    """import + unserved <= load: what the grid gives goes to the load; with the one-way rule, c <= PV used."""
    return m.import_mw[t] + m.unserved_mw[t] <= m.load_mw[t]


def forbid_battery_export(m: Any, plant: Plant) -> None:
    """The battery serves the load only."""
    if plant.strict_export:
        add_strict_export(m, plant)
        return
    rule = no_battery_export if plant.bus is None else no_battery_export_behind_inverter
    m.no_battery_export = ArrayConstraint(m.steps, rule=rule)


def add_strict_export(m: Any, plant: Plant) -> None:
    """Export is what the PV used has over the load.

    What it has over the load and what it is short of it are two columns of which at most one is positive (as with
    a converter that runs one way); the chord keeps the relaxation close to that.
    """
    limits, nothing = plant.flow_limits(), np.zeros(plant.steps)
    over, short = (ArrayVar(m.steps, upper=limits[name], units=MW, doc=doc) for name, doc in STRICT.items())
    m.solar_over_load_mw, m.solar_short_of_load_mw = over, short
    most = plant.solar_used_mw(nothing, nothing)
    share = np.divide(limits["solar_over_load_mw"], most, out=np.zeros(plant.steps), where=most > 0.0)
    m.over_load_share = ArrayParam(m.steps, share, units=PER_UNIT, doc="most share of the PV used over the load")
    m.solar_against_load = ArrayConstraint(m.steps, rule=solar_against_load)
    m.strict_export = ArrayConstraint(m.steps, rule=strict_export)
    m.strict_export_chord = ArrayConstraint(m.steps, rule=strict_export_chord)


def _solar_used(m: Any, t: Any) -> Any:
    used = m.solar_ac_mw[t] - m.curtailed_ac_mw[t]
    if hasattr(m, "eta_inverter_out"):
        used = used + m.eta_inverter_out * (m.solar_dc_mw[t] - m.curtailed_dc_mw[t])
    return used


def solar_against_load(m: Any, t: Any) -> Any:
    """over − short = PV used at the AC side − load."""
    return m.solar_over_load_mw[t] - m.solar_short_of_load_mw[t] == _solar_used(m, t) - m.load_mw[t]


def strict_export(m: Any, t: Any) -> Any:
    """export <= over: what PV has over the load."""
    return m.export_mw[t] <= m.solar_over_load_mw[t]


def strict_export_chord(m: Any, t: Any) -> Any:
    """over <= share·PV used, share = most that PV can have over the load / all PV: holds where over·short = 0."""
    return m.solar_over_load_mw[t] <= m.over_load_share[t] * _solar_used(m, t)


def no_battery_export(m: Any, t: Any) -> Any:
    """export <= solar − curtailed: only PV power reaches the grid; with the one-way rule, d <= load served."""
    return m.export_mw[t] <= m.solar_ac_mw[t] - m.curtailed_ac_mw[t]


def no_battery_export_behind_inverter(m: Any, t: Any) -> Any:
    """export <= solar_ac − curtailed_ac + η_out·(solar_dc − curtailed_dc): only PV power reaches the grid."""
    dc = m.eta_inverter_out * (m.solar_dc_mw[t] - m.curtailed_dc_mw[t])
    return m.export_mw[t] <= m.solar_ac_mw[t] - m.curtailed_ac_mw[t] + dc
