"""Net export in a daily window: a stated block with what is missing to it, or the firm block held.

A delivery is one occurrence of the window. It belongs to the local day on which it begins, so that a window
over midnight is one delivery, not two halves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyomo.core as pyo

from bess_opt.common import clock
from bess_opt.common.arrays import Array
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Constant, total
from bess_opt.models.meaning import Meaning
from bess_opt.models.units import MW, PER_UNIT
from bess_opt.plant.plant import Plant

BLOCK, SPARED = Meaning(kind="gauge", flow="grid_mw"), Meaning(kind="choice")
WHOLE = Meaning(kind="limit", flow="grid_mw")


@dataclass(frozen=True)
class Deliveries:
    """Which step belongs to which delivery (-1: to none), and each delivery to which period."""

    of_step: Array
    first: Array  # first step of each delivery
    length: Array  # its steps
    period: Array
    spared: Array  # deliveries of each period that may fall below its firm block

    @property
    def inside(self) -> Array:
        """Steps in a window."""
        return np.flatnonzero(self.of_step >= 0)

    def lowest_mw(self, net_mw: Array) -> Array:
        """Least net export of each delivery."""
        lowest = np.full(len(self.first), np.inf)
        np.minimum.at(lowest, self.of_step[self.inside], net_mw[self.inside])
        return lowest

    def firm_mw(self, net_mw: Array) -> Array:
        """Firm block of each period: the least net export of its deliveries, the spared ones left out."""
        return self.block_of(self.lowest_mw(net_mw))

    def block_of(self, lowest: Array) -> Array:
        """Firm block of each period from the least net export of each delivery."""
        held = [np.sort(lowest[self.period == p])[spared] for p, spared in enumerate(self.spared.tolist())]
        return np.array(held, dtype=float)


def deliveries(index: pd.DatetimeIndex, start: str, end: str, period: clock.Period, share: float) -> Deliveries:
    """The deliveries of the window [start, end); of each period's, a `share` must hold its block."""
    inside = np.flatnonzero(clock.window_mask(index, start, end))
    wraps = 0 < clock.parse_clock(end) < clock.parse_clock(start)
    late = clock.window_mask(index, "00:00", end) if wraps else np.zeros(len(index), dtype=bool)
    begins = index.tz_localize(None).normalize() - pd.to_timedelta(late.astype(int), unit="D")
    number, _ = clock.period_number(begins[inside], "day")
    of_step = np.full(len(index), -1)
    of_step[inside] = number
    _, at, length = np.unique(number, return_index=True, return_counts=True)
    periods, _ = clock.period_number(begins[inside], period)
    count = np.bincount(periods[at])
    return Deliveries(of_step, inside[at], length, periods[at], np.floor((1.0 - share) * count + 1e-9).astype(int))


def add_block(m: Any, given: Deliveries, block_mw: float) -> None:
    """Add `missing_mw`, what the net export is short of the block in the window; held at zero outside."""
    m.window_steps = pyo.Set(initialize=given.inside.tolist(), dimen=1)
    m.block_mw = Constant(block_mw, MW)
    most = np.where(given.of_step >= 0, np.inf, 0.0)
    m.missing_mw = ArrayVar(m.steps, upper=most, units=MW, doc="net export missing to the block", meaning=BLOCK)
    m.block_or_missing = ArrayConstraint(m.window_steps, rule=block_or_missing, meaning=BLOCK)


def block_or_missing(m: Any, t: Any) -> Any:
    """export[t] − import[t] − unserved[t] + missing[t] >= block, for the steps of the window."""
    return net_export(m, t) + m.missing_mw[t] >= m.block_mw


def add_whole_block(m: Any) -> None:
    """Nothing may be missing to the block."""
    m.whole_block = ArrayConstraint(m.window_steps, rule=whole_block, meaning=WHOLE)


def whole_block(m: Any, t: Any) -> Any:
    """missing[t] <= 0, for the steps of the window: the block is a hard limit."""
    return m.missing_mw[t] <= 0.0


def net_export(m: Any, t: Any) -> Any:
    """export[t] − import[t] − unserved[t]: load that is cut off delivers nothing."""
    return m.export_mw[t] - m.import_mw[t] - m.unserved_mw[t]


def missing_energy(m: Any, t: Any) -> Any:
    """−h·missing[t]."""
    return -m.step_h * m.missing_mw[t]


def add_firm(m: Any, given: Deliveries, plant: Plant) -> None:
    """Add `daily_mw`, held through each delivery (it stands at its first step), and `firm_mw` of each period.

    Where deliveries may be spared, a binary for each lets it fall below the firm block.
    """
    least, most = delivery_bounds(given, plant)
    at_begin = np.zeros((2, plant.steps))
    at_begin[:, given.first] = least, most
    m.window_steps = pyo.Set(initialize=given.inside.tolist(), dimen=1)
    m.begin_of_step = given.first[given.of_step] if len(given.first) else given.of_step
    m.daily_mw = ArrayVar(
        m.steps,
        lower=at_begin[0],
        upper=at_begin[1],
        units=MW,
        doc="net export held through a delivery",
        meaning=BLOCK,
    )
    m.held_in_window = ArrayConstraint(m.window_steps, rule=held_in_window, meaning=BLOCK)
    m.deliveries = pyo.RangeSet(0, len(given.first) - 1)
    m.firm_periods = pyo.RangeSet(0, len(given.spared) - 1)
    m.delivery_begin, m.delivery_period = given.first, given.period
    lowest, highest = given.block_of(least), given.block_of(most)
    m.firm_mw = ArrayVar(
        m.firm_periods, lower=lowest, upper=highest, units=MW, doc="firm block of a period", meaning=BLOCK
    )
    if not given.spared.any():
        m.firm_block = ArrayConstraint(m.deliveries, rule=firm_block, meaning=BLOCK)
        return
    m.spared_deliveries = [np.flatnonzero(given.period == p) for p in range(len(given.spared))]
    m.spared_most = ArrayParam(m.firm_periods, given.spared, units=PER_UNIT, doc="deliveries that may be spared")
    span = highest[given.period] - least
    m.spared_span_mw = ArrayParam(m.deliveries, span, units=MW, doc="most that a spared delivery falls short")
    m.spared = ArrayVar(
        m.deliveries, upper=1.0, binary=True, units=PER_UNIT, doc="1: may fall below the block", meaning=SPARED
    )
    m.firm_block = ArrayConstraint(m.deliveries, rule=firm_block_unless_spared, meaning=BLOCK)
    m.spared_in_period = ArrayConstraint(m.firm_periods, rule=spared_in_period, by_member=True, meaning=WHOLE)


def delivery_bounds(given: Deliveries, plant: Plant) -> tuple[Array, Array]:
    """(least, most) net export that each delivery can hold: by power at each step, by energy over its steps."""
    limits, bus = plant.flow_limits(), plant.bus
    bought = limits["import_mw"] + plant.sheddable_mw if plant.grid_charging else plant.load_mw
    to_ac = 1.0 if bus is None else bus.eta_out
    batteries, stored = limits.get("inverter_out_mw", np.zeros(plant.steps)), 0.0
    for battery in plant.batteries:
        usable = (battery.ceiling_mwh.max() - battery.floor_mwh.min()) * battery.eta_discharge / plant.step_h
        stored += (to_ac if battery.on_dc_bus else 1.0) * usable
        batteries = batteries if battery.on_dc_bus else batteries + battery.discharge_limit_mw
    power = np.minimum(batteries + plant.solar_ac_mw - plant.load_mw, plant.export_max_mw)
    supply = plant.solar_ac_mw + to_ac * plant.solar_dc_mw - plant.load_mw
    inside = given.inside
    mean = (np.bincount(given.of_step[inside], supply[inside]) + stored) / given.length
    return given.lowest_mw(-bought), np.minimum(given.lowest_mw(power), mean)


def held_in_window(m: Any, t: Any) -> Any:
    """export[t] − import[t] − unserved[t] >= daily[first step of t's delivery], for the steps of the window."""
    return net_export(m, t) >= m.daily_mw[m.begin_of_step[t]]


def firm_block(m: Any, d: Any) -> Any:
    """firm[p(d)] <= daily[d]."""
    return m.firm_mw[m.delivery_period[d]] <= m.daily_mw[m.delivery_begin[d]]


def firm_block_unless_spared(m: Any, d: Any) -> Any:
    """firm[p(d)] <= daily[d] + span[d]·spared[d]."""
    return m.firm_mw[m.delivery_period[d]] <= m.daily_mw[m.delivery_begin[d]] + m.spared_span_mw[d] * m.spared[d]


def spared_in_period(m: Any, p: Any) -> Any:
    """Σ_{d in p} spared[d] <= deliveries of p that may be spared."""
    return total(m.spared, m.spared_deliveries[p]) <= m.spared_most[p]


def firm(m: Any, p: Any) -> Any:
    """firm[p]."""
    return m.firm_mw[p]
