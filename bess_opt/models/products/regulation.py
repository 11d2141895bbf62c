"""Regulation in the model: three states of the battery per step, and what holding capacity asks of them.

Base point, called up and called down in full: each state charges or discharges (the one-way rule binds each of them),
a call may cross zero. Flows of a step are the mean over its calls. Site limits hold in the called states too,
where PV, load, curtailment and shedding stay as they are planned.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.environ as pyo

from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar
from bess_opt.models.ledger import add_term
from bess_opt.models.meaning import Meaning
from bess_opt.models.units import HOUR, MW, MWH, PER_MWH, PER_UNIT
from bess_opt.plant import money
from bess_opt.plant.plant import Plant
from bess_opt.plant.products.reserves import Reserves
from bess_opt.plant.reach import least_mwh, most_mwh

HELD = Meaning(kind="flow", tie="capacity")
STATE, MEAN, PRODUCT = Meaning(kind="gauge"), Meaning(kind="gauge"), Meaning(kind="limit")
HEADROOM = Meaning(kind="limit", flow="energy_mwh", carries_energy=True)


def add_regulation(m: Any, plant: Plant) -> None:
    """Add the capacity held up and down, the states it leads to, its head-room and its pay."""
    reserves, storage = plant.reserves, plant.storage
    if reserves is None:
        raise ValueError("this plant sells no regulation")
    charge, discharge = storage.charge_limit_mw, storage.discharge_limit_mw
    for state, words in (("base", "at the base point"), ("up", "called up"), ("down", "called down")):
        into = ArrayVar(m.steps, upper=charge, units=MW, doc=f"power into the port {words}", meaning=STATE)
        out = ArrayVar(m.steps, upper=discharge, units=MW, doc=f"power out of the port {words}", meaning=STATE)
        setattr(m, f"{state}_charge_mw", into)
        setattr(m, f"{state}_discharge_mw", out)
    most = np.minimum(reserves.up.max_mw, charge + discharge)
    m.regulation_up_mw = ArrayVar(
        m.steps, upper=most, units=MW, doc="upward capacity held", meaning=replace(HELD, flow="regulation_up_mw")
    )
    m.regulation_down_mw = ArrayVar(
        m.steps, upper=most, units=MW, doc="downward capacity held", meaning=replace(HELD, flow="regulation_down_mw")
    )
    m.activation_up = ArrayParam(m.steps, reserves.up.activation, units=PER_UNIT, doc="share of it called")
    m.activation_down = ArrayParam(m.steps, reserves.down.activation, units=PER_UNIT, doc="share of it called")
    for rule in (
        expected_charge, expected_discharge, up_capacity, down_capacity,
        up_charges_less, up_discharges_more, down_charges_more, down_discharges_less,
        base_shared_power, up_shared_power, down_shared_power,
    ):  # fmt: skip
        setattr(m, rule.__name__, ArrayConstraint(m.steps, rule=rule, meaning=MEAN))
    _add_headroom(m, plant, reserves)
    _add_product(m, reserves)
    _add_site_limits(m, plant)
    m.regulation_up_price = ArrayParam(m.steps, reserves.up.price, units=PER_MWH, doc="pay per MW and hour")
    m.regulation_down_price = ArrayParam(m.steps, reserves.down.price, units=PER_MWH, doc="pay per MW and hour")
    add_term(m, "regulation", capacity_revenue, m.steps)


def _add_headroom(m: Any, plant: Plant, reserves: Reserves) -> None:
    m.headroom_h = pyo.Param(initialize=reserves.up.headroom_h, units=HOUR, mutable=True)
    m.floor_mwh = ArrayParam(m.instants, least_mwh(plant.storage), units=MWH, doc="least energy")
    m.ceiling_mwh = ArrayParam(m.instants, most_mwh(plant.storage), units=MWH, doc="most energy")
    before, after = replace(HEADROOM, rests_at=0), replace(HEADROOM, rests_at=1)
    m.up_room_before = ArrayConstraint(m.steps, rule=up_room_before, meaning=before)
    m.up_room_after = ArrayConstraint(m.steps, rule=up_room_after, meaning=after)
    m.down_room_before = ArrayConstraint(m.steps, rule=down_room_before, meaning=before)
    m.down_room_after = ArrayConstraint(m.steps, rule=down_room_after, meaning=after)


def _add_product(m: Any, reserves: Reserves) -> None:
    if reserves.symmetric:
        m.symmetric_capacity = ArrayConstraint(m.steps, rule=symmetric_capacity, meaning=PRODUCT)
    inside = np.flatnonzero(~reserves.up.block_starts)
    if len(inside):
        m.inside_blocks = pyo.Set(initialize=inside.tolist(), dimen=1)
        m.up_constant_in_block = ArrayConstraint(m.inside_blocks, rule=up_constant_in_block, meaning=PRODUCT)
        m.down_constant_in_block = ArrayConstraint(m.inside_blocks, rule=down_constant_in_block, meaning=PRODUCT)


def pressed(plant: Plant) -> np.ndarray:
    """Steps at which AC-side PV alone exceeds what a DC-coupled plant may export."""
    surplus: np.ndarray = plant.solar_ac_mw - plant.load_mw > plant.export_max_mw
    return surplus if plant.bus is not None else np.zeros_like(surplus)


def _add_site_limits(m: Any, plant: Plant) -> None:
    """Connection, permissions and shared inverter in the called states, where there is a limit."""
    rules, over = [], pressed(plant)
    limited = np.isfinite(plant.export_max_mw)
    if limited.any():
        m.export_max_mw = ArrayParam(m.steps, plant.export_max_mw, units=MW, doc="most export")
        m.calm = pyo.Set(initialize=np.flatnonzero(limited & ~over).tolist(), dimen=1)
        m.called_export = ArrayConstraint(m.calm, rule=called_export, meaning=PRODUCT)
        if over.any():
            m.pressed = pyo.Set(initialize=np.flatnonzero(over).tolist(), dimen=1)
            m.called_export_pressed = ArrayConstraint(m.pressed, rule=called_export_pressed, meaning=PRODUCT)
    limited = np.isfinite(plant.import_max_mw)
    if limited.any():
        m.import_max_mw = ArrayParam(m.steps, plant.import_max_mw, units=MW, doc="most import")
        m.import_limited = pyo.Set(initialize=np.flatnonzero(limited).tolist(), dimen=1)
        for rule in (called_import,) if plant.bus is None else (called_import, called_import_through_inverter):
            setattr(m, rule.__name__, ArrayConstraint(m.import_limited, rule=rule, meaning=PRODUCT))
    if not plant.battery_export:
        rules.append(called_strict_export if plant.strict_export else called_no_battery_export)
    if not plant.grid_charging:
        rules += [called_from_pv] if plant.bus is None else [called_from_pv, called_from_pv_through_inverter]
    if plant.bus is not None and np.isfinite(plant.bus.inverter_mw):
        m.inverter_mw = pyo.Param(initialize=plant.bus.inverter_mw, units=MW, mutable=True)
        rules += [called_inverter_out, called_inverter_in]
    for rule in rules:
        setattr(m, rule.__name__, ArrayConstraint(m.steps, rule=rule, meaning=PRODUCT))


def expected_charge(m: Any, t: Any) -> Any:
    """c = (1 − α_up − α_dn)·c_base + α_up·c_up + α_dn·c_down: the mean over the calls of a step."""
    up, down = m.activation_up[t], m.activation_down[t]
    called = up * m.up_charge_mw[t] + down * m.down_charge_mw[t]
    return m.charge_mw[t] == (1.0 - up - down) * m.base_charge_mw[t] + called


def expected_discharge(m: Any, t: Any) -> Any:
    """d = (1 − α_up − α_dn)·d_base + α_up·d_up + α_dn·d_down: the mean over the calls of a step."""
    up, down = m.activation_up[t], m.activation_down[t]
    called = up * m.up_discharge_mw[t] + down * m.down_discharge_mw[t]
    return m.discharge_mw[t] == (1.0 - up - down) * m.base_discharge_mw[t] + called


def up_capacity(m: Any, t: Any) -> Any:
    """r_up = (d_up − c_up) − (d_base − c_base): from the base point to called up."""
    base = m.base_discharge_mw[t] - m.base_charge_mw[t]
    return m.regulation_up_mw[t] == m.up_discharge_mw[t] - m.up_charge_mw[t] - base


def down_capacity(m: Any, t: Any) -> Any:
    """r_dn = (d_base − c_base) − (d_down − c_down): from the base point to called down."""
    base = m.base_discharge_mw[t] - m.base_charge_mw[t]
    return m.regulation_down_mw[t] == base - m.down_discharge_mw[t] + m.down_charge_mw[t]


def up_charges_less(m: Any, t: Any) -> Any:
    """c_up <= c_base."""
    return m.up_charge_mw[t] <= m.base_charge_mw[t]


def up_discharges_more(m: Any, t: Any) -> Any:
    """d_up >= d_base."""
    return m.up_discharge_mw[t] >= m.base_discharge_mw[t]


def down_charges_more(m: Any, t: Any) -> Any:
    """c_down >= c_base."""
    return m.down_charge_mw[t] >= m.base_charge_mw[t]


def down_discharges_less(m: Any, t: Any) -> Any:
    """d_down <= d_base."""
    return m.down_discharge_mw[t] <= m.base_discharge_mw[t]


def base_shared_power(m: Any, t: Any) -> Any:
    """c_base/c_max + d_base/d_max <= 1: holds for a state that runs one way (one way)."""
    return m.base_charge_mw[t] / m.charge_max_mw + m.base_discharge_mw[t] / m.discharge_max_mw <= 1.0


def up_shared_power(m: Any, t: Any) -> Any:
    """c_up/c_max + d_up/d_max <= 1: holds for a state that runs one way (one way)."""
    return m.up_charge_mw[t] / m.charge_max_mw + m.up_discharge_mw[t] / m.discharge_max_mw <= 1.0


def down_shared_power(m: Any, t: Any) -> Any:
    """c_down/c_max + d_down/d_max <= 1: holds for a state that runs one way (one way)."""
    return m.down_charge_mw[t] / m.charge_max_mw + m.down_discharge_mw[t] / m.discharge_max_mw <= 1.0


def _drawn_mw(m: Any, t: Any) -> Any:
    """What an upward call takes from the cells, MW."""
    less = m.base_charge_mw[t] - m.up_charge_mw[t]
    return m.eta_charge * less + (m.up_discharge_mw[t] - m.base_discharge_mw[t]) / m.eta_discharge


def _taken_mw(m: Any, t: Any) -> Any:
    """What a downward call leaves in or puts into the cells, MW."""
    more = m.down_charge_mw[t] - m.base_charge_mw[t]
    return m.eta_charge * more + (m.base_discharge_mw[t] - m.down_discharge_mw[t]) / m.eta_discharge


def up_room_before(m: Any, t: Any) -> Any:
    """e[t] − H·(η_c·(c_base − c_up) + (d_up − d_base)/η_d) >= floor[t]: a call of H hours at once."""
    return m.energy_mwh[t] - m.headroom_h * _drawn_mw(m, t) >= m.floor_mwh[t]


def up_room_after(m: Any, t: Any) -> Any:
    """e[t+1] − H·(η_c·(c_base − c_up) + (d_up − d_base)/η_d) >= floor[t+1]: a call of H hours at the end."""
    return m.energy_mwh[t + 1] - m.headroom_h * _drawn_mw(m, t) >= m.floor_mwh[t + 1]


def down_room_before(m: Any, t: Any) -> Any:
    """e[t] + H·(η_c·(c_down − c_base) + (d_base − d_down)/η_d) <= ceiling[t]: a call of H hours at once."""
    return m.energy_mwh[t] + m.headroom_h * _taken_mw(m, t) <= m.ceiling_mwh[t]


def down_room_after(m: Any, t: Any) -> Any:
    """e[t+1] + H·(η_c·(c_down − c_base) + (d_base − d_down)/η_d) <= ceiling[t+1]: a call at the end."""
    return m.energy_mwh[t + 1] + m.headroom_h * _taken_mw(m, t) <= m.ceiling_mwh[t + 1]


def symmetric_capacity(m: Any, t: Any) -> Any:
    """r_up = r_dn."""
    return m.regulation_up_mw[t] == m.regulation_down_mw[t]


def up_constant_in_block(m: Any, t: Any) -> Any:
    """r_up[t] = r_up[t−1] within a block."""
    return m.regulation_up_mw[t] == m.regulation_up_mw[t - 1]


def down_constant_in_block(m: Any, t: Any) -> Any:
    """r_dn[t] = r_dn[t−1] within a block."""
    return m.regulation_down_mw[t] == m.regulation_down_mw[t - 1]


def _on_bus(m: Any, t: Any, state: str) -> Any:
    """What the battery in `state`, and PV on its bus, give to the inverter or, without one, to the AC bus."""
    battery = getattr(m, f"{state}_discharge_mw")[t] - getattr(m, f"{state}_charge_mw")[t]
    if not hasattr(m, "eta_inverter_out"):
        return battery
    return battery + m.solar_dc_mw[t] - m.curtailed_dc_mw[t]


def _eta_out(m: Any) -> Any:
    return m.eta_inverter_out if hasattr(m, "eta_inverter_out") else 1.0


def _solar_used(m: Any, t: Any) -> Any:
    return m.solar_ac_mw[t] - m.curtailed_ac_mw[t]


def _served(m: Any, t: Any) -> Any:
    return m.load_mw[t] - m.unserved_mw[t]


def called_export(m: Any, t: Any) -> Any:
    """solar_ac − load + η_out·x_up <= export limit, x the power on the battery's bus; exact while x_up >= 0."""
    return _solar_used(m, t) - _served(m, t) + _eta_out(m) * _on_bus(m, t, "up") <= m.export_max_mw[t]


def called_export_pressed(m: Any, t: Any) -> Any:
    """export − import + (b_up − (d − c))/η_in <= export limit: no MW at the port counts more on the AC bus."""
    up = m.up_discharge_mw[t] - m.up_charge_mw[t]
    more = up - (m.discharge_mw[t] - m.charge_mw[t])
    return m.export_mw[t] - m.import_mw[t] + more / m.eta_inverter_in <= m.export_max_mw[t]


def called_import(m: Any, t: Any) -> Any:
    """load − solar_ac − η_out·x_down <= import limit: what the inverter gives."""
    return _served(m, t) - _solar_used(m, t) - _eta_out(m) * _on_bus(m, t, "down") <= m.import_max_mw[t]


def called_import_through_inverter(m: Any, t: Any) -> Any:
    """load − solar_ac − x_down/η_in <= import limit: what the inverter takes."""
    return _served(m, t) - _solar_used(m, t) - _on_bus(m, t, "down") / m.eta_inverter_in <= m.import_max_mw[t]


def called_no_battery_export(m: Any, t: Any) -> Any:
    """η_out·(d_up − c_up) <= load: a battery that may not feed the grid does not when called."""
    return _eta_out(m) * (m.up_discharge_mw[t] - m.up_charge_mw[t]) <= _served(m, t)


def called_strict_export(m: Any, t: Any) -> Any:
    """η_out·(d_up − c_up) <= short: when called up too the battery gives only what PV lacks for the load."""
    return _eta_out(m) * (m.up_discharge_mw[t] - m.up_charge_mw[t]) <= m.solar_short_of_load_mw[t]


def called_from_pv(m: Any, t: Any) -> Any:
    """solar_ac + η_out·x_down >= 0: a battery that may not charge from the grid does not when called."""
    return -_eta_out(m) * _on_bus(m, t, "down") <= _solar_used(m, t)


def called_from_pv_through_inverter(m: Any, t: Any) -> Any:
    """solar_ac + x_down/η_in >= 0: what the inverter takes is PV power."""
    return -_on_bus(m, t, "down") / m.eta_inverter_in <= _solar_used(m, t)


def called_inverter_out(m: Any, t: Any) -> Any:
    """η_out·x_up <= inverter rating."""
    return _eta_out(m) * _on_bus(m, t, "up") <= m.inverter_mw


def called_inverter_in(m: Any, t: Any) -> Any:
    """x_down/η_in >= −inverter rating."""
    return _on_bus(m, t, "down") / m.eta_inverter_in >= -m.inverter_mw


def capacity_revenue(m: Any, t: Any) -> Any:
    """h·(p_up·r_up + p_dn·r_dn)."""
    up = money.capacity_revenue(m.regulation_up_mw[t], m.regulation_up_price[t], m.step_h)
    return up + money.capacity_revenue(m.regulation_down_mw[t], m.regulation_down_price[t], m.step_h)
