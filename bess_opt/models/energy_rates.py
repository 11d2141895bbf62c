"""Energy counters in the model: tiers of a row's month or day, and net metering, beside the prices of the steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.core as pyo

from bess_opt.models.bends import add_bends, bend_cost, bends_of
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, total
from bess_opt.models.ledger import add_term, settled_flows
from bess_opt.models.meaning import Meaning
from bess_opt.models.units import CURRENCY, MWH, PER_MWH
from bess_opt.plant.billing.energy import EXPORT, IMPORT, NET, Counter
from bess_opt.plant.plant import Plant

TIER = Meaning("tier", kind="gauge")


def add_counters(m: Any, plant: Plant, counters: tuple[Counter, ...]) -> None:
    """Add what each counter stands at in the end, as far as its price can still change, and what that costs.

    The steps' prices hold the part that is known before (`Counter.ahead`); here is what its bends add.
    """
    used = [counter for counter in counters if any(counter.ahead.change)]
    if not used:
        return
    reach, curves = [_reach(counter, plant) for counter in used], [_signed(counter) for counter in used]
    least, most = np.array([low for low, _ in reach]), np.array([high for _, high in reach])
    m.used_counters = used
    m.counters = pyo.RangeSet(0, len(used) - 1)
    m.counted_mwh = ArrayVar(m.counters, lower=-np.inf, units=MWH, doc="energy that a row has counted", meaning=TIER)
    before = np.array([counter.before_mwh for counter in used])
    m.before_mwh = ArrayParam(m.counters, before, units=MWH, doc="energy counted before the start")
    m.steps_of_counter = [counter.steps for counter in used]
    m.counter_flows = [_flows(counter) for counter in used]
    m.counted = ArrayConstraint(m.counters, rule=counted, by_member=True, meaning=TIER)
    # Bends that lie below the start (net metering after a surplus or more) have been paid before.
    paid = [float(curve.cost(b) - curve.price * b) for curve, b in zip(curves, before.tolist(), strict=True)]
    m.paid_before = ArrayParam(m.counters, paid, units=CURRENCY, doc="cost of the bends before the start")
    add_bends(m, "counted_over_mwh", "counted_mwh", bends_of(curves, least, most), MWH, PER_MWH, TIER)
    passed = [_passed(curve, low) for curve, (low, _) in zip(curves, reach, strict=True)]
    m.passed_price = ArrayParam(m.counters, [p for p, _ in passed], units=PER_MWH, doc="bends below all reach")
    m.passed_at = ArrayParam(m.counters, [a for _, a in passed], units=CURRENCY, doc="their thresholds, priced")
    add_term(m, "energy", bend_cost("counted_over_mwh"), m.counted_over_mwh_bends)
    add_term(m, "energy", counters_begin, m.counters)


def _signed(counter: Counter) -> Any:
    """The curve as a cost: energy sold brings money."""
    return counter.ahead if counter.counts != EXPORT else counter.ahead.scaled(-1.0)


def _passed(curve: Any, low: float) -> tuple[float, float]:
    """(Σ change, Σ change·at) of the bends that lie at or below the least amount."""
    passed = [(change, change * at) for at, change in zip(curve.at, curve.change, strict=True) if at <= low]
    return sum(change for change, _ in passed), sum(priced for _, priced in passed)


def _reach(counter: Counter, plant: Plant) -> tuple[float, float]:
    """Least and most that a counter can stand at in the end."""
    limits = plant.flow_limits()
    bought = float(limits["settled_import_mw"][counter.steps].sum()) * plant.step_h
    sold = float(limits["settled_export_mw"][counter.steps].sum()) * plant.step_h
    up = bought if counter.counts != EXPORT else sold
    down = sold if counter.counts == NET else 0.0
    return counter.before_mwh - down, counter.before_mwh + up


def _flows(counter: Counter) -> tuple[float, float]:
    """Signs with which (import, export) count."""
    return {IMPORT: (1.0, 0.0), EXPORT: (0.0, 1.0), NET: (1.0, -1.0)}[counter.counts]


def counted(m: Any, k: Any) -> Any:
    """counted[k] = before[k] + Σ h·(import, export, or import − export) over the counter's steps."""
    steps, (bought, sold) = m.steps_of_counter[int(k)], m.counter_flows[int(k)]
    energy, (into, out) = 0.0, settled_flows(m)
    if bought:
        energy = energy + total(into, steps) * m.step_h
    if sold:
        energy = energy + sold * (total(out, steps) * m.step_h)
    return m.counted_mwh[k] == m.before_mwh[k] + energy


def counters_begin(m: Any, k: Any) -> Any:
    """What the bends had cost before the start, and those below all reach: Σ change·(counted − at)."""
    return m.paid_before[k] - m.passed_price[k] * m.counted_mwh[k] + m.passed_at[k]
