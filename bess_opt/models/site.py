"""The AC bus of the site: grid connection, load, AC-side PV, and who may charge from or feed the grid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bess_opt.models.assets import net_power
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Rule
from bess_opt.models.meaning import Limit, Meaning
from bess_opt.models.units import MW, PER_UNIT
from bess_opt.plant.plant import Plant

IMPORT = Meaning("import", kind="flow", flow="import_mw", way="in", tie="converter")
EXPORT = Meaning("export", kind="flow", flow="export_mw", way="out", tie="converter")
UNSERVED = Meaning("unserved load", kind="flow", flow="unserved_mw")
BALANCE = Meaning(kind="law", closed_by=("import_mw", "export_mw"), in_reach=True)
GRID_CHARGING = Meaning(
    "grid charging",
    kind="limit",
    flow="import_mw",
    in_reach=True,
    stated_at="site.grid_charging",
    words="no charging from the grid",
)
BATTERY_EXPORT = replace(
    GRID_CHARGING,
    cause="battery export",
    flow="export_mw",
    stated_at="site.battery_export",
    words="no export from the battery",
)
OVER_LOAD = Meaning(kind="gauge", tie="converter")
SHORT_OF_LOAD = Meaning(kind="gauge")
STRICT_EXPORT = replace(BATTERY_EXPORT, words="export of no more than PV has over the load")
AGAINST_LOAD = replace(STRICT_EXPORT, cause="", kind="gauge")
CHORD = replace(STRICT_EXPORT, kind="cut")


def add_site(m: Any, plant: Plant) -> None:
    """Add the AC bus. Call after the battery and, if there is one, the DC bus."""
    m.solar_ac_mw = ArrayParam(m.steps, plant.solar_ac_mw, units=MW, doc="PV power on the AC bus")
    m.load_mw = ArrayParam(m.steps, plant.load_mw, units=MW, doc="demand")
    import_max, export_max = grid_bounds(plant)
    taken, given = _connection_limits(plant)
    m.import_mw = ArrayVar(
        m.steps, upper=import_max, units=MW, doc="from the grid", meaning=replace(IMPORT, limit=taken)
    )
    m.export_mw = ArrayVar(
        m.steps, upper=export_max, units=MW, doc="to the grid", meaning=replace(EXPORT, limit=given)
    )
    add_curtailment(m, plant, "ac", plant.solar_ac_mw)
    shed = Limit("unserved load", something=plant.sheddable_mw > 0.0)
    m.unserved_mw = ArrayVar(
        m.steps, upper=plant.sheddable_mw, units=MW, doc="load not met", meaning=replace(UNSERVED, limit=shed)
    )
    m.ac_balance = ArrayConstraint(m.steps, rule=_balance_of(plant), meaning=BALANCE)
    if not plant.grid_charging:
        forbid_grid_charging(m, plant)
    if not plant.battery_export:
        forbid_battery_export(m, plant)


def _connection_limits(plant: Plant) -> tuple[Limit, Limit]:
    """What is stated of import and of export."""
    given = Limit(
        "export limit",
        derived="all that the plant gives",
        stated_at="site.export_limit_mw",
        series="export_limit_mw",
        words="the export limit of {} MW",
        rank=1,
        most=plant.export_max_mw,
        meter=True,
    )
    taken = replace(
        given,
        name="import limit",
        derived="all that the plant takes",
        stated_at="site.import_limit_mw",
        series="import_limit_mw",
        words="the import limit of {} MW",
        rank=0,
        most=plant.import_max_mw,
    )
    return taken, given


def add_curtailment(m: Any, plant: Plant, bus: str, solar_mw: np.ndarray) -> None:
    """Add what is not used of the PV power on a bus, "ac" or "dc"; nothing where curtailment is not allowed."""
    limit = Limit(
        "curtailment",
        stated_at="site.curtailment",
        words="no curtailment allowed",
        rank=4,
        most=np.where(plant.curtailable, np.inf, 0.0),
        something=solar_mw > 0.0,
    )
    name = f"curtailed_{bus}_mw"
    meaning = Meaning("curtailment", kind="flow", flow=name, limit=limit, tie="curtailment")
    upper, doc = np.where(plant.curtailable, solar_mw, 0.0), f"PV not used on the {bus.upper()} bus"
    setattr(m, name, ArrayVar(m.steps, upper=upper, units=MW, doc=doc, meaning=meaning))


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


def _balance_of(plant: Plant) -> Rule:
    if plant.bus is None:
        return ac_balance
    return ac_balance_on_both_buses if plant.on_ac_bus else ac_balance_behind_inverter


def ac_balance(m: Any, t: Any) -> Any:
    """solar − curtailed + Σ (d − c) + import + unserved = load + export: the AC bus."""
    return _ac_sources(m, t) + net_power(m, m.on_ac_bus, t) == m.load_mw[t] + m.export_mw[t]


def ac_balance_on_both_buses(m: Any, t: Any) -> Any:
    """solar_ac − curtailed_ac + Σ (d − c) + out − in + import + unserved = load + export: the AC bus."""
    inverter = m.inverter_out_mw[t] - m.inverter_in_mw[t]
    return _ac_sources(m, t) + net_power(m, m.on_ac_bus, t) + inverter == m.load_mw[t] + m.export_mw[t]


def ac_balance_behind_inverter(m: Any, t: Any) -> Any:
    """solar_ac − curtailed_ac + out − in + import + unserved = load + export: the AC bus."""
    inverter = m.inverter_out_mw[t] - m.inverter_in_mw[t]
    return _ac_sources(m, t) + inverter == m.load_mw[t] + m.export_mw[t]


def _ac_sources(m: Any, t: Any) -> Any:
    return m.solar_ac_mw[t] - m.curtailed_ac_mw[t] + m.import_mw[t] + m.unserved_mw[t]


def forbid_grid_charging(m: Any, plant: Plant) -> None:
    """The battery takes what PV and negative load give only."""
    if not hasattr(m, "no_grid_charging"):
        consumed = np.maximum(plant.load_mw, 0.0)
        m.consumption_mw = ArrayParam(m.steps, consumed, units=MW, doc="load above zero")
        m.no_grid_charging = ArrayConstraint(m.steps, rule=no_grid_charging, meaning=GRID_CHARGING)


def no_grid_charging(m: Any, t: Any) -> Any:
    """import + unserved <= max(load, 0): what the grid gives goes to the load; one way, c <= what the site makes."""
    return m.import_mw[t] + m.unserved_mw[t] <= m.consumption_mw[t]


def forbid_battery_export(m: Any, plant: Plant) -> None:
    """The battery serves the load only."""
    m.generation_mw = ArrayParam(m.steps, plant.generation_mw, units=MW, doc="load below zero: generation")
    if plant.strict_export:
        add_strict_export(m, plant)
        return
    rule = no_battery_export if plant.bus is None else no_battery_export_behind_inverter
    m.no_battery_export = ArrayConstraint(m.steps, rule=rule, meaning=BATTERY_EXPORT)


def add_strict_export(m: Any, plant: Plant) -> None:
    """Export is what the PV used has over the load.

    What it has over the load and what it is short of it are two columns of which at most one is positive (as with
    a converter that runs one way); the chord keeps the relaxation close to that.
    """
    limits, nothing = plant.flow_limits(), np.zeros(plant.steps)
    over, short = limits["solar_over_load_mw"], limits["solar_short_of_load_mw"]
    m.solar_over_load_mw = ArrayVar(m.steps, upper=over, units=MW, doc="PV used over the load", meaning=OVER_LOAD)
    m.solar_short_of_load_mw = ArrayVar(
        m.steps, upper=short, units=MW, doc="load over the PV used", meaning=SHORT_OF_LOAD
    )
    most = plant.solar_used_mw(nothing, nothing)
    share = np.divide(over - plant.generation_mw, most, out=np.zeros(plant.steps), where=most > 0.0)
    m.over_load_share = ArrayParam(m.steps, share, units=PER_UNIT, doc="most share of the PV used over the load")
    m.solar_against_load = ArrayConstraint(m.steps, rule=solar_against_load, meaning=AGAINST_LOAD)
    m.strict_export = ArrayConstraint(m.steps, rule=strict_export, meaning=STRICT_EXPORT)
    m.strict_export_chord = ArrayConstraint(m.steps, rule=strict_export_chord, meaning=CHORD)


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
    """over <= max(−load, 0) + share·PV used, share = most that PV has over a load / all PV: where over·short = 0."""
    return m.solar_over_load_mw[t] <= m.generation_mw[t] + m.over_load_share[t] * _solar_used(m, t)


def no_battery_export(m: Any, t: Any) -> Any:
    """export <= solar − curtailed + max(−load, 0): no battery feeds the grid; one way, d <= load served."""
    return m.export_mw[t] <= m.solar_ac_mw[t] - m.curtailed_ac_mw[t] + m.generation_mw[t]


def no_battery_export_behind_inverter(m: Any, t: Any) -> Any:
    """export <= solar_ac − curtailed_ac + η_out·(solar_dc − curtailed_dc) + max(−load, 0): not from the battery."""
    dc = m.eta_inverter_out * (m.solar_dc_mw[t] - m.curtailed_dc_mw[t])
    return m.export_mw[t] <= m.solar_ac_mw[t] - m.curtailed_ac_mw[t] + dc + m.generation_mw[t]
