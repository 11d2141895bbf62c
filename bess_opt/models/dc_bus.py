"""The DC bus of a DC-coupled battery and its one inverter to the AC bus."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bess_opt.models.assets import net_power
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Constant
from bess_opt.models.meaning import Limit, Meaning
from bess_opt.models.site import add_curtailment
from bess_opt.models.units import MW, PER_UNIT
from bess_opt.plant import physics
from bess_opt.plant.plant import Plant

INVERTER_OUT = Meaning("inverter", kind="flow", flow="inverter_out_mw", way="out", tie="converter")
INVERTER_IN = Meaning("inverter", kind="flow", flow="inverter_in_mw", way="in", tie="converter")
BALANCE = Meaning(kind="law", closed_by=("inverter_out_mw", "inverter_in_mw"), in_reach=True)


def add_dc_bus(m: Any, plant: Plant) -> None:
    """Add DC-side PV, its curtailment, and the shared inverter (AC-side flows, one rating for both ways).

    PV that the inverter would clip can be stored; what neither takes is curtailed on the bus.
    """
    if plant.bus is None:
        raise ValueError("this plant has no DC bus")
    # Without a rating too the flows need an end, or in and out at once could waste energy without end.
    limits = plant.flow_limits()
    # Means over calls add what goes out in one to what comes in beside it.
    rating = plant.bus.inverter_mw * (2.0 if plant.activated else 1.0)
    out, into = (
        rating if np.isfinite(rating) else 2.0 * limits[flow] for flow in ("inverter_out_mw", "inverter_in_mw")
    )
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


def dc_balance(m: Any, t: Any) -> Any:
    """solar_dc − curtailed_dc + Σ (d − c) = out/η_out − η_in·in: the bus and its inverter."""
    sources = m.solar_dc_mw[t] - m.curtailed_dc_mw[t] + net_power(m, m.on_dc_bus, t)
    return sources == physics.inverter_dc_mw(
        m.inverter_out_mw[t], m.inverter_in_mw[t], eta_out=m.eta_inverter_out, eta_in=m.eta_inverter_in
    )
