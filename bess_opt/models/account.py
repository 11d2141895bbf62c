"""A month's sum in the model: the charge up to its minimum, and credits that pay later months."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.core as pyo

from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, total
from bess_opt.models.ledger import add_term, energy_revenue
from bess_opt.models.meaning import Meaning
from bess_opt.models.units import CURRENCY, PER_UNIT
from bess_opt.plant.billing import Billing
from bess_opt.plant.billing.account import Account
from bess_opt.plant.plant import Plant

MONTH = Meaning("bill of the month", kind="gauge")
CREDIT, IS_CREDIT = Meaning(kind="gauge"), Meaning(kind="choice")


def add_account(m: Any, plant: Plant, billing: Billing) -> None:
    """Add the fixed charge, and where a month's sum decides what is paid, the sums with minimum and credits.

    Call after energy and demand have entered the ledger.
    """
    account = billing.account
    m.months = pyo.RangeSet(0, account.months - 1)
    if account.fixed:
        fixed = np.full(account.months, account.fixed * account.counts)
        m.fixed_charge = ArrayParam(m.months, fixed, units=CURRENCY, doc="fixed charge of a month")
        add_term(m, "fixed", fixed_charge, m.months)
    if account.minds_sums:
        _add_sums(m, plant, billing)
        _add_minimum(m, account)
        if account.credit_months is not None:
            _add_credits(m, account)


def fixed_charge(m: Any, month: Any) -> Any:
    """−fixed[month]."""
    return -m.fixed_charge[month]


def _add_sums(m: Any, plant: Plant, billing: Billing) -> None:
    """`month_sum`: a month's import energy less export revenue, demand charges, overruns and fixed charge."""
    months = billing.months
    m.month_begins = ArrayParam(m.months, billing.account.begins_with(), units=CURRENCY, doc="in the sum before all")
    m.steps_of_month = [np.flatnonzero(months.of_step == month) for month in range(len(months.number))]
    m.month_has_energy = plant.has_prices
    m.month_parts = {month: _Parts(m, billing, month) for month in range(len(months.number))}
    m.month_sum = ArrayVar(
        m.months, lower=-np.inf, units=CURRENCY, doc="bill of a month before minimum and credits", meaning=MONTH
    )
    m.month_adds_up = ArrayConstraint(m.months, rule=month_adds_up, by_member=True, meaning=MONTH)
    m.largest_sum = _largest_sums(plant, billing)


class _Parts:
    """Members of the ledger's terms that belong to a month's sum, with how often each counts in the ledger."""

    def __init__(self, m: Any, billing: Billing, month: int) -> None:
        charges = billing.demand.charges
        mine = {c: charge.counts for c, charge in enumerate(charges) if charge.month == month and not charge.apart}
        counters = [k for k, counter in enumerate(getattr(m, "used_counters", [])) if counter.month == month]
        self.terms: list[tuple[Any, int, float]] = []
        for name, members in (("charges", mine), ("counters", dict.fromkeys(counters, 1.0))):
            for term in m.ledger:
                where = term.index.local_name
                if where == name:
                    self.terms += [(term.rule, i, counts) for i, counts in members.items()]
                elif where.endswith("_bends") and _amount_of(where) == name:
                    of = getattr(m, where.removesuffix("_bends") + "_of")
                    self.terms += [(term.rule, b, members[i]) for b, i in enumerate(of.tolist()) if i in members]


def _amount_of(bends: str) -> str:
    """Index set of the amounts that a set of bends is about."""
    return "counters" if bends.startswith("counted") else "charges"


def month_adds_up(m: Any, month: Any) -> Any:
    """sum[month] = what it begins with − Σ energy revenue of its steps + Σ charges of its rows."""
    steps, parts = m.steps_of_month[int(month)], m.month_parts[int(month)]
    paid = m.month_begins[month]
    if m.month_has_energy:
        paid = paid - over_steps(m, energy_revenue, steps)
    for rule, i, counts in parts.terms:
        paid = paid - rule(m, i) * (1.0 / counts)
    return m.month_sum[month] == paid


def over_steps(m: Any, rule: Any, steps: np.ndarray) -> Any:
    """Σ rule(m, t) over `steps`, in a model or in its expansion."""
    if hasattr(m.import_mw, "ctype"):
        return pyo.quicksum(rule(m, int(t)) for t in steps)
    return rule(m, steps).sum()


def _largest_sums(plant: Plant, billing: Billing) -> np.ndarray:
    """More than the sum of each month can be, either way."""
    limits, months = plant.flow_limits(), billing.months
    bought, sold = limits["settled_import_mw"] * plant.step_h, limits["settled_export_mw"] * plant.step_h
    size = np.abs(billing.account.begins_with())
    if plant.has_prices:
        prices = np.abs(np.nan_to_num([plant.import_price, plant.export_price])).max(axis=0)
        turns = [abs(c) for counter in billing.energy.counters for c in (counter.curve.price, *counter.curve.change)]
        steepest = prices + sum(sorted(set(turns)))
        size = size + np.bincount(months.of_step, steepest * (bought + sold), minlength=len(size))
    highest = float(limits["import_mw"].max(initial=0.0))
    for charge in billing.demand.charges:
        if not charge.apart:
            most = max([charge.floor_mw, highest, *(billing.demand.peaks[p].least_mw for p, _ in charge.sources)])
            size[charge.month] += charge.demand(most) + charge.overruns(most)
    largest: np.ndarray = size
    return largest


def _add_minimum(m: Any, account: Account) -> None:
    """`topped`: what a month is charged beside its sum so that the minimum is reached."""
    least = account.minimum
    m.month_minimum = ArrayParam(
        m.months, 0.0 if least is None else least, units=CURRENCY, doc="least bill of a month"
    )
    m.month_counts = ArrayParam(m.months, account.counts, units=PER_UNIT, doc="how often a month counts")
    most = 0.0 if least is None else np.inf
    m.topped = ArrayVar(m.months, upper=most, units=CURRENCY, doc="charge up to the minimum", meaning=MONTH)
    if least is not None:
        add_term(m, "minimum", minimum_charge, m.months)
    if account.credit_months is None:
        m.month_minimum_holds = ArrayConstraint(m.months, rule=month_minimum_holds, meaning=MONTH)


def month_minimum_holds(m: Any, month: Any) -> Any:
    """sum[month] + topped[month] >= minimum."""
    return m.month_sum[month] + m.topped[month] >= m.month_minimum[month]


def minimum_charge(m: Any, month: Any) -> Any:
    """−topped[month]."""
    return -m.month_counts[month] * m.topped[month]


def _add_credits(m: Any, account: Account) -> None:
    """A month's sum is either due or a credit; credits pay later months' dues down to the minimum while they last."""
    keep, earlier = account.credit_months or 0, len(account.credit_so_far)
    uses = [
        (origin, month)
        for month in range(account.months)
        for origin in range(max(month - keep, -earlier), month)
        if origin >= 0 or account.credit_so_far[origin + earlier] > 0.0
    ]
    m.month_due = ArrayVar(m.months, units=CURRENCY, doc="sum of a month that is above zero", meaning=CREDIT)
    m.withheld = ArrayVar(m.months, units=CURRENCY, doc="sum of a month below zero, kept as a credit", meaning=CREDIT)
    m.month_is_credit = ArrayVar(
        m.months, upper=1.0, binary=True, units=PER_UNIT, doc="1: the sum is below zero", meaning=IS_CREDIT
    )
    m.month_size = ArrayParam(m.months, m.largest_sum, units=CURRENCY, doc="more than a month's sum can be")
    m.due_or_credit = ArrayConstraint(m.months, rule=due_or_credit, meaning=CREDIT)
    m.due_only = ArrayConstraint(m.months, rule=due_only, meaning=CREDIT)
    m.credit_only = ArrayConstraint(m.months, rule=credit_only, meaning=CREDIT)
    add_term(m, "credits", credit_withheld, m.months)
    m.uses = pyo.RangeSet(0, len(uses) - 1)
    m.credit_used = ArrayVar(m.uses, units=CURRENCY, doc="credit of one month that pays another", meaning=CREDIT)
    m.use_counts = ArrayParam(m.uses, account.counts, units=PER_UNIT, doc="how often a month counts")
    m.uses_in_month = [
        np.array([k for k, (_, at) in enumerate(uses) if at == month]) for month in range(account.months)
    ]
    m.credit_minimum_holds = ArrayConstraint(m.months, rule=credit_minimum_holds, by_member=True, meaning=CREDIT)
    if not uses:
        return
    add_term(m, "credits", credit_used, m.uses)
    origins = sorted({origin for origin, _ in uses})
    m.origins = pyo.RangeSet(0, len(origins) - 1)
    stated = [account.credit_so_far[origin + earlier] if origin < 0 else 0.0 for origin in origins]
    m.credit_stated = ArrayParam(m.origins, stated, units=CURRENCY, doc="credit from before the horizon")
    m.origin_month = origins
    m.uses_of_origin = [np.array([k for k, (o, _) in enumerate(uses) if o == origin]) for origin in origins]
    m.credit_lasts = ArrayConstraint(m.origins, rule=credit_lasts, by_member=True, meaning=CREDIT)


def due_or_credit(m: Any, month: Any) -> Any:
    """due[month] − withheld[month] = sum[month]."""
    return m.month_due[month] - m.withheld[month] == m.month_sum[month]


def due_only(m: Any, month: Any) -> Any:
    """due[month] + size[month]·is_credit[month] <= size[month]."""
    return m.month_due[month] + m.month_size[month] * m.month_is_credit[month] <= m.month_size[month]


def credit_only(m: Any, month: Any) -> Any:
    """withheld[month] <= size[month]·is_credit[month]."""
    return m.withheld[month] <= m.month_size[month] * m.month_is_credit[month]


def credit_minimum_holds(m: Any, month: Any) -> Any:
    """due[month] − Σ used in it + topped[month] >= minimum."""
    used = m.uses_in_month[int(month)]
    paid = m.month_due[month] + m.topped[month]
    return (paid - total(m.credit_used, used) if len(used) else paid) >= m.month_minimum[month]


def credit_lasts(m: Any, o: Any) -> Any:
    """Σ used of a month's credit <= what was withheld in it, or stood from before."""
    used, month = total(m.credit_used, m.uses_of_origin[int(o)]), m.origin_month[int(o)]
    return used <= (m.withheld[month] if month >= 0 else m.credit_stated[o])


def credit_withheld(m: Any, month: Any) -> Any:
    """−withheld[month]."""
    return -m.month_counts[month] * m.withheld[month]


def credit_used(m: Any, k: Any) -> Any:
    """What a credit pays."""
    return m.use_counts[k] * m.credit_used[k]
