"""The DC bus of a DC-coupled battery and its one inverter to the AC bus."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.models.assets import net_power
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Constant
from bess_opt.models.meaning import Limit, Meaning
from bess_opt.models.site import add_curtailment
from bess_opt.models.units import MW, PER_UNIT
from bess_opt.plant import physics
from bess_opt.plant.plant import Bus, Plant

INVERTER_OUT = Meaning("inverter", kind="flow", flow="inverter_out_mw", way="out", tie="converter")
INVERTER_IN = Meaning("inverter", kind="flow", flow="inverter_in_mw", way="in", tie="converter")
BALANCE = Meaning(kind="law", closed_by=("inverter_out_mw", "inverter_in_mw"), in_reach=True)


def add_dc_bus(m: Any, plant: Plant) -> None:
    """Add DC-side PV, its curtailment, and the shared inverter (AC-side flows, one rating for both ways).

    PV that the inverter would clip can be stored; what neither takes is curtailed on the bus.
    """
    if plant.bus is None:
        raise ValueError("this plant has no DC bus")
    out, into = _most_through(plant, plant.bus)
    m.eta_inverter_out = Constant(plant.bus.eta_out, PER_UNIT)
    m.eta_inverter_in = Constant(plant.bus.eta_in, PER_UNIT)
    m.solar_dc_mw = ArrayParam(m.steps, plant.solar_dc_mw, units=MW, doc="PV power on the DC bus")
    given = Limit(
        "inverter",
        derived="all that the plant gives",
        stated_at="site.inverter_mw",
        words="the inverter's rating of {} MW",
        rank=3,
        most=plant.bus.inverter_mw,
    )
    taken = replace(given, derived="all that the plant takes")
    m.inverter_out_mw = ArrayVar(
        m.steps,
        upper=out,
        units=MW,
        doc="inverter to the AC bus, AC side",
        meaning=replace(INVERTER_OUT, limit=given),
    )
    m.inverter_in_mw = ArrayVar(
        m.steps,
        upper=into,
        units=MW,
        doc="inverter from the AC bus, AC side",
        meaning=replace(INVERTER_IN, limit=taken),
    )
    add_curtailment(m, plant, "dc", plant.solar_dc_mw)
    m.dc_balance = ArrayConstraint(m.steps, rule=dc_balance, meaning=BALANCE)


def _most_through(plant: Plant, bus: Bus) -> tuple[Array, Array]:
    """Most through the inverter out and in; as means over calls what goes out in one adds to what comes in beside it.

    Without a rating too the flows need an end, or in and out at once could waste energy without end.
    """
    limits, one = plant.flow_limits(), np.ones(plant.steps)
    if np.isfinite(bus.inverter_mw):
        rating = one * bus.inverter_mw * (2.0 if plant.activated else 1.0)
        return rating, rating
    out, into = limits["inverter_out_mw"], limits["inverter_in_mw"]
    if not plant.activated:
        return 2.0 * out, 2.0 * into
    # A call may turn all batteries round: from all of one way to all of the other.
    charging, discharging = np.zeros(plant.steps), np.zeros(plant.steps)
    for battery in plant.on_dc_bus:
        charging, discharging = charging + battery.charge_limit_mw, discharging + battery.discharge_limit_mw
    return out + charging * bus.eta_out, into + discharging / bus.eta_in


def dc_balance(m: Any, t: Any) -> Any:
    """solar_dc − curtailed_dc + Σ (d − c) = out/η_out − η_in·in: the bus and its inverter."""
    sources = m.solar_dc_mw[t] - m.curtailed_dc_mw[t] + net_power(m, m.on_dc_bus, t)
    return sources == physics.inverter_dc_mw(
        m.inverter_out_mw[t], m.inverter_in_mw[t], eta_out=m.eta_inverter_out, eta_in=m.eta_inverter_in
    )
