"""Demand charges in the model: measured peaks, ratchets, and their line in the ledger."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, total
from bess_opt.models.ledger import add_term
from bess_opt.models.units import CURRENCY, MW, PER_UNIT
from bess_opt.plant.billing import Billing


def add_demand(m: Any, billing: Billing) -> None:
    """Add a measured and a billed peak per period, what ties them to the import, and the demand charges."""
    m.periods = pyo.RangeSet(0, billing.periods - 1)
    m.measured_mw = ArrayVar(m.periods, units=MW, doc="highest mean import of a billing interval")
    m.billed_mw = ArrayVar(m.periods, lower=billing.floor_mw, units=MW, doc="peak that is billed")
    m.demand_price_per_mw = ArrayParam(
        m.periods, billing.price_per_mw, units=CURRENCY / MW, doc="price of the billed peak"
    )
    m.billed_at_least_measured = ArrayConstraint(m.periods, rule=billed_at_least_measured)
    _add_intervals(m, billing)
    if billing.ratchets:
        _add_ratchets(m, billing)
    add_term(m, "demand", demand_charge, m.periods)


def _add_intervals(m: Any, billing: Billing) -> None:
    """Whole intervals are expanded together; those that the horizon cuts short stand one by one."""
    longest = int(billing.length.max(initial=1))
    whole = np.flatnonzero(billing.length == longest)
    m.interval_first, m.interval_length = billing.first, billing.length
    m.interval_period = billing.period
    m.steps_per_interval = longest
    m.intervals = pyo.Set(initialize=whole.tolist(), dimen=1)
    m.measured_peak = ArrayConstraint(m.intervals, rule=measured_peak)
    cut = np.flatnonzero(billing.length < longest)
    if len(cut):
        m.cut_intervals = pyo.Set(initialize=cut.tolist(), dimen=1)
        m.measured_peak_cut = ArrayConstraint(m.cut_intervals, rule=measured_peak_cut, by_member=True)


def measured_peak(m: Any, i: Any) -> Any:
    """measured[p(i)] >= mean import over billing interval i."""
    first, length = m.interval_first[i], m.steps_per_interval
    imported = sum(m.import_mw[first + k] for k in range(length))
    return m.measured_mw[m.interval_period[i]] >= imported * (1.0 / length)


def measured_peak_cut(m: Any, i: Any) -> Any:
    """measured[p(i)] >= mean import over the steps of interval i that lie in the horizon."""
    first, length = int(m.interval_first[i]), int(m.interval_length[i])
    imported = total(m.import_mw, np.arange(first, first + length))
    return m.measured_mw[int(m.interval_period[i])] >= imported * (1.0 / length)


def billed_at_least_measured(m: Any, p: Any) -> Any:
    """billed[p] >= measured[p]."""
    return m.billed_mw[p] >= m.measured_mw[p]


def _add_ratchets(m: Any, billing: Billing) -> None:
    later, earlier, share = (np.array(column) for column in zip(*billing.ratchets, strict=True))
    m.ratchets = pyo.RangeSet(0, len(share) - 1)
    m.ratchet_later, m.ratchet_earlier = later, earlier
    m.ratchet_share = ArrayParam(m.ratchets, share, units=PER_UNIT, doc="share of the earlier peak billed")
    m.ratchet = ArrayConstraint(m.ratchets, rule=ratchet)


def ratchet(m: Any, k: Any) -> Any:
    """billed[later] >= share·measured[earlier]."""
    return m.billed_mw[m.ratchet_later[k]] >= m.ratchet_share[k] * m.measured_mw[m.ratchet_earlier[k]]


def demand_charge(m: Any, p: Any) -> Any:
    """−price·billed[p]."""
    return -m.demand_price_per_mw[p] * m.billed_mw[p]
