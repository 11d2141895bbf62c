"""A stated number of full equivalent cycles per local day, with what is missing to it measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.core as pyo

from bess_opt.common.arrays import Array
from bess_opt.models.assets import asset, rule_of
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Constant, total
from bess_opt.models.meaning import Meaning
from bess_opt.models.one_way import add_room_cuts
from bess_opt.models.units import CURRENCY, MWH, PER_UNIT
from bess_opt.plant.plant import Plant, Storage

MISSING, SHARED = Meaning(kind="gauge", flow="discharge_mw"), Meaning(kind="cut")


def add_stated_cycles(m: Any, plant: Plant, stated: Array, price_per_cycle: float) -> None:
    """Add `missing_cycles` at a price, and for each local day the `stated` cycles as done or missing, per battery.

    What a day misses stands at its last step; all other members are held at zero. The price is for a full cycle of
    all batteries: that of one costs its share of the nameplate. The cheapest cycle of a plain model is charging and
    discharging at once (one way): the cuts leave little of it.
    """
    day, last = plant.day, plant.day_end - 1
    at_end = np.arange(plant.steps) == last
    m.cycle_days = pyo.RangeSet(0, int(day[-1]))
    m.steps_of_cycle_day = np.split(np.arange(plant.steps), np.flatnonzero(np.diff(day)) + 1)
    m.missing_cycle_price = Constant(price_per_cycle, CURRENCY)
    m.stated_cycles = ArrayParam(m.cycle_days, stated, units=PER_UNIT, doc="full equivalent cycles asked for")
    most = np.where(at_end, stated[day], 0.0)
    m.shares_of_cycle = [(battery.prefix, battery.energy_mwh / plant.energy_mwh) for battery in plant.batteries]
    for battery in plant.batteries:
        own = asset(m, battery)
        own.full_cycle_mwh = Constant(battery.energy_mwh, MWH)
        own.missing_cycles = ArrayVar(
            m.steps, upper=most, units=PER_UNIT, doc="cycles missing to the day's number", meaning=MISSING
        )
        own.stated_cycles_per_day = ArrayConstraint(
            m.cycle_days, rule=rule_of(battery, stated_cycles_per_day), by_member=True, meaning=MISSING
        )
        own.shared_power = ArrayConstraint(m.steps, rule=rule_of(battery, shared_power), meaning=SHARED)
    add_room_cuts(m, plant)


def stated_cycles_per_day(m: Any, day: Any) -> Any:
    """Σ_{t in day} h·d[t]/η_d + E·missing[last step of day] = E·stated[day]."""
    steps = m.steps_of_cycle_day[day]
    leaving = total(m.discharge_mw, steps) * (m.step_h / m.eta_discharge)
    missing = m.missing_cycles[int(steps[-1])]
    return leaving + m.full_cycle_mwh * missing == m.full_cycle_mwh * m.stated_cycles[day]


def shared_power(m: Any, t: Any) -> Any:
    """c[t]/c_max + d[t]/d_max <= 1: holds for a battery that runs one way (one way)."""
    return m.charge_mw[t] / m.charge_max_mw + m.discharge_mw[t] / m.discharge_max_mw <= 1.0


def missing_cycle_cost(m: Any, t: Any) -> Any:
    """−price·Σ over batteries of (its share of the nameplate)·missing[t]."""
    return sum(
        -m.missing_cycle_price * share * getattr(m, f"{prefix}missing_cycles")[t]
        for prefix, share in m.shares_of_cycle
    )


def cycles_done(discharge_mw: Array, battery: Storage, plant: Plant) -> Array:
    """Full equivalent cycles of a battery on each local day: energy leaving the cells over nameplate."""
    leaving = np.bincount(plant.day, discharge_mw) * plant.step_h / battery.eta_discharge
    done: Array = leaving / battery.energy_mwh
    return done
