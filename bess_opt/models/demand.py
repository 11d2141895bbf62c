"""Demand charges in the model: measured means, peaks of several days, what is billed, and its lines in the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.core as pyo

from bess_opt.common.arrays import Integers
from bess_opt.models.bends import add_bends, bend_cost, bends_of
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, total
from bess_opt.models.ledger import add_term
from bess_opt.models.meaning import Meaning
from bess_opt.models.units import CURRENCY, MW, PER_UNIT
from bess_opt.plant.billing.demand import Demand, Peak
from bess_opt.plant.plant import Plant

PEAK = Meaning("peak", kind="gauge", flow="import_mw")
PLAIN_PEAK = replace(PEAK, in_reach=True)


def add_demand(m: Any, plant: Plant, demand: Demand) -> None:
    """Add the highest mean of each measured node, the peaks made of several, the billed peaks, and their charges."""
    charges = demand.charges
    m.nodes = pyo.RangeSet(0, demand.nodes - 1)
    m.measured_mw = ArrayVar(m.nodes, units=MW, doc="highest mean import of a node's billing intervals", meaning=PEAK)
    _add_intervals(m, demand)
    several = [p for p, peak in enumerate(demand.peaks) if not peak.plain]
    _add_means(m, [demand.peaks[p] for p in several])
    m.charges = pyo.RangeSet(0, len(charges) - 1)
    floors = np.array([_floor(demand, c) for c in range(len(charges))])
    m.billed_mw = ArrayVar(m.charges, lower=floors, units=MW, doc="peak that is billed", meaning=PEAK)
    _add_sources(m, demand, {p: q for q, p in enumerate(several)})
    _add_charges(m, plant, demand, floors)


def _floor(demand: Demand, number: int) -> float:
    """What a charge bills at least: its floor, and shares of peaks that are known."""
    charge = demand.charges[number]
    known = [share * demand.peaks[peak].least_mw for peak, share in charge.sources if demand.peaks[peak].plain]
    return max([charge.floor_mw, *known])


def _add_intervals(m: Any, demand: Demand) -> None:
    """Intervals of the commonest length stand in one row set, of all other lengths in another."""
    intervals = demand.intervals
    length = _commonest(intervals.length)
    common = intervals.length == length
    m.interval_first, m.interval_length, m.interval_node = intervals.first, intervals.length, demand.node
    m.steps_per_interval = length
    m.intervals = pyo.Set(initialize=np.flatnonzero(common).tolist(), dimen=1)
    m.measured_peak = ArrayConstraint(m.intervals, rule=measured_peak, meaning=PLAIN_PEAK)
    if not common.all():
        m.longest_interval = int(intervals.length[~common].max())
        m.cut_intervals = pyo.Set(initialize=np.flatnonzero(~common).tolist(), dimen=1)
        m.measured_peak_cut = ArrayConstraint(m.cut_intervals, rule=measured_peak_cut, meaning=PLAIN_PEAK)


def _commonest(length: Integers) -> int:
    """The length that most intervals have, of several the longest; 1 where there is none."""
    if not len(length):
        return 1
    values, count = np.unique(length, return_counts=True)
    return int(values[count == count.max()][-1])


def measured_peak(m: Any, i: Any) -> Any:
    """measured[node(i)] >= mean import over billing interval i."""
    first, length = m.interval_first[i], m.steps_per_interval
    imported = sum(m.import_mw[first + k] for k in range(length))
    return m.measured_mw[m.interval_node[i]] >= imported * (1.0 / length)


def measured_peak_cut(m: Any, i: Any) -> Any:
    """measured[node(i)] >= mean import over the steps that interval i holds."""
    first, length = m.interval_first[i], m.interval_length[i]
    # All at once each interval has as many terms as the longest; those past its end stand at its end with weight 0.
    imported = sum(
        m.import_mw[first + np.minimum(k, length - 1)] * (np.less(k, length) / length)
        for k in range(m.longest_interval)
        if np.any(np.less(k, length))
    )
    return m.measured_mw[m.interval_node[i]] >= imported


def _add_means(m: Any, peaks: list[Peak]) -> None:
    """Mean of the n highest: n·level and what lies above the level add up to at least their sum, at the least it."""
    if not peaks:
        return
    node = np.concatenate([np.array(peak.nodes, dtype=np.int64) for peak in peaks])
    of = np.repeat(np.arange(len(peaks)), [len(peak.nodes) for peak in peaks])
    known = [(q, mw) for q, peak in enumerate(peaks) for mw in peak.known_mw]
    m.means = pyo.RangeSet(0, len(peaks) - 1)
    m.mean_mw = ArrayVar(m.means, units=MW, doc="mean of the highest measured peaks", meaning=PEAK)
    m.level_mw = ArrayVar(m.means, units=MW, doc="least of the highest peaks", meaning=PEAK)
    m.mean_of = ArrayParam(m.means, [peak.counted for peak in peaks], units=PER_UNIT, doc="peaks in the mean")
    m.members = pyo.RangeSet(0, len(node) + len(known) - 1)
    m.over_level_mw = ArrayVar(m.members, units=MW, doc="peak above the level", meaning=PEAK)
    m.member_node, m.member_mean = node, np.concatenate([of, np.array([q for q, _ in known], dtype=np.int64)])
    m.measured_members = pyo.RangeSet(0, len(node) - 1)
    m.over_level = ArrayConstraint(m.measured_members, rule=over_level, meaning=PEAK)
    if known:
        m.known_members = pyo.RangeSet(len(node), len(node) + len(known) - 1)
        m.known_mw = ArrayParam(
            m.known_members, [mw for _, mw in known], units=MW, doc="peak from before the horizon"
        )
        m.known_over_level = ArrayConstraint(m.known_members, rule=known_over_level, meaning=PEAK)
    m.members_of_mean = [np.flatnonzero(m.member_mean == q) for q in range(len(peaks))]
    m.mean_of_highest = ArrayConstraint(m.means, rule=mean_of_highest, by_member=True, meaning=PEAK)


def over_level(m: Any, i: Any) -> Any:
    """over[i] + level[q(i)] >= measured[node(i)]."""
    return m.over_level_mw[i] + m.level_mw[m.member_mean[i]] >= m.measured_mw[m.member_node[i]]


def known_over_level(m: Any, i: Any) -> Any:
    """over[i] + level[q(i)] >= the known peak."""
    return m.over_level_mw[i] + m.level_mw[m.member_mean[i]] >= m.known_mw[i]


def mean_of_highest(m: Any, q: Any) -> Any:
    """n[q]·mean[q] >= n[q]·level[q] + Σ over of its members."""
    over = total(m.over_level_mw, m.members_of_mean[int(q)])
    return m.mean_of[q] * m.mean_mw[q] >= m.mean_of[q] * m.level_mw[q] + over


def _add_sources(m: Any, demand: Demand, mean_of_peak: dict[int, int]) -> None:
    """A billed peak is at least its share of each peak that it looks at."""
    rows: dict[str, list[tuple[int, int, float]]] = {"measured": [], "mean": []}
    for c, charge in enumerate(demand.charges):
        for p, share in charge.sources:
            if p in mean_of_peak:
                rows["mean"].append((c, mean_of_peak[p], share))
            elif demand.peaks[p].nodes:
                rows["measured"].append((c, demand.peaks[p].nodes[0], share))
    for what, found in rows.items():
        if not found:
            continue
        charge_of, source = np.array([(c, where) for c, where, _ in found]).T
        shares = np.array([share for _, _, share in found])
        index = pyo.RangeSet(0, len(shares) - 1)
        setattr(m, f"{what}_sources", index)
        setattr(m, f"{what}_charge", charge_of)
        setattr(m, f"{what}_source", source)
        setattr(m, f"{what}_share", ArrayParam(index, shares, units=PER_UNIT, doc="share of the peak that is billed"))
        rule = billed_at_least_measured if what == "measured" else billed_at_least_mean
        meaning = PLAIN_PEAK if what == "measured" else PEAK
        setattr(m, f"billed_at_least_{what}", ArrayConstraint(index, rule=rule, meaning=meaning))


def billed_at_least_measured(m: Any, k: Any) -> Any:
    """billed[c(k)] >= share[k]·measured[node(k)]: its own peak, or one that it looks back to."""
    return m.billed_mw[m.measured_charge[k]] >= m.measured_share[k] * m.measured_mw[m.measured_source[k]]


def billed_at_least_mean(m: Any, k: Any) -> Any:
    """billed[c(k)] >= share[k]·mean[q(k)]: its own peak, or one that it looks back to."""
    return m.billed_mw[m.mean_charge[k]] >= m.mean_share[k] * m.mean_mw[m.mean_source[k]]


def _add_charges(m: Any, plant: Plant, demand: Demand, floors: np.ndarray) -> None:
    """Prices of the billed peaks, with their bends, as lines of the ledger."""
    charges = demand.charges
    highest = float(plant.flow_limits()["import_mw"].max(initial=0.0))
    shares = [max(share for _, share in charge.sources) for charge in charges]
    most = np.maximum(floors, np.array([max(share, 1.0) for share in shares]) * highest)
    factor = [float(charge.weight * charge.counts) for charge in charges]
    for line, curves in (
        ("demand", [charge.curve.scaled(f) for charge, f in zip(charges, factor, strict=True)]),
        ("overrun", [charge.overrun.scaled(f) for charge, f in zip(charges, factor, strict=True)]),
    ):
        within = [curve.within(low, np.inf) for curve, low in zip(curves, floors, strict=True)]
        passed = [curve.cost(low) - near.cost(low) for curve, near, low in zip(curves, within, floors, strict=True)]
        always = np.array(passed)
        if line == "demand":
            always = always + np.array([charge.contract * f for charge, f in zip(charges, factor, strict=True)])
        price = np.array([curve.price for curve in within])
        if line == "overrun" and not price.any() and not always.any() and not any(curve.at for curve in within):
            continue
        setattr(
            m, f"{line}_price_per_mw", ArrayParam(m.charges, price, units=CURRENCY / MW, doc="price of a billed MW")
        )
        setattr(m, f"{line}_always", ArrayParam(m.charges, always, units=CURRENCY, doc="charge whatever the peak"))
        add_term(m, line, demand_charge if line == "demand" else overrun_charge, m.charges)
        bends = bends_of(within, floors, most)
        if len(bends.of):
            name = f"{line}_over_mw"
            add_bends(m, name, "billed_mw", bends, MW, CURRENCY / MW, PEAK)
            add_term(m, line, bend_cost(name), getattr(m, f"{name}_bends"))


def demand_charge(m: Any, c: Any) -> Any:
    """−(price·billed[c] + what is paid always)."""
    return -m.demand_price_per_mw[c] * m.billed_mw[c] - m.demand_always[c]


def overrun_charge(m: Any, c: Any) -> Any:
    """−(price·billed[c] + what is paid always), for what lies above a contracted power."""
    return -m.overrun_price_per_mw[c] * m.billed_mw[c] - m.overrun_always[c]
