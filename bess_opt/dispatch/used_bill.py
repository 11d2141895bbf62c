"""What a plan has counted of its bill up to a moment, in the tariff keys that the next scenario takes.

Rows of `used.ROWS`: energy counted in a tier period, peaks so far and of earlier months, money of the month under
way, and credits. Each is what a tariff that begins at that moment must know for the month to come out the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.clock import period_number
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.inputs.tariff import DemandRate, EnergyRate, Tariff
from bess_opt.plant.billing import Billing
from bess_opt.plant.billing.demand import Demand, demand_of
from bess_opt.plant.billing.periods import months_of
from bess_opt.plant.products.activation import settled

if TYPE_CHECKING:
    from bess_opt.dispatch.used import Past

ROLLING = 11  # months before its own that a rolling peak looks back to


class BillSoFar:
    """A plan's flows up to a moment, and the tariff, billing and measured peaks of the steps before it."""

    def __init__(self, past: Past, tariff: Tariff, billing: Billing) -> None:
        self.past, self.tariff, self.billing = past, tariff, billing
        plan, at = past.plan.schedule, past.steps
        self.index, self.steps = past.plant.index, at
        self.import_mw, self.export_mw = (plan[name].to_numpy().copy() for name in ("import_mw", "export_mw"))
        self.import_mw[at:] = self.export_mw[at:] = 0.0
        # What energy prices see of the two, see `Billing.settle`.
        before = np.arange(len(plan)) < at
        bought, sold = settled(past.plan.whole_schedule, past.plant)
        self.settled_mw = np.where(before, bought, 0.0), np.where(before, sold, 0.0)

    @property
    def month(self) -> int:
        """Months between the first month of the plan and that of the moment."""
        return self.number - int(self.billing.months.number[0])

    @property
    def number(self) -> int:
        """The moment's month, year·12 + month − 1."""
        return self.past.now.year * 12 + self.past.now.month - 1

    @cached_property
    def demand(self) -> Demand | None:
        """Demand as if the horizon ended at the moment; None where no step lies before it."""
        if not self.steps:
            return None
        index, step_h = self.index[: self.steps], self.past.plant.step_h
        holidays = self.past.plan.scenario.holidays
        return demand_of(self.tariff.demand, index, step_h, months_of(index, step_h), holidays)

    @cached_property
    def node_mw(self) -> Array:
        """Highest mean of each node of `demand`."""
        return np.zeros(0) if self.demand is None else self.demand.node_mw(self.import_mw[: self.steps])

    def peaks_mw(self, number: int) -> list[float]:
        """The row's peak in each of its periods so far, what was known at the start included."""
        peaks = () if self.demand is None else self.demand.peaks
        return [peak.of(self.node_mw) for peak in peaks if peak.row == number]

    def in_period(self, period: Any) -> Array:
        """Steps before the moment that lie in its own local period."""
        moments = self.index[: self.steps].append(pd.DatetimeIndex([self.past.now]))
        numbers, _ = period_number(pd.DatetimeIndex(moments), period)
        mine: Array = numbers[:-1] == numbers[-1]
        return mine

    def begun(self, period: Any) -> bool:
        """Whether the plan begins in the local period of the moment."""
        numbers, _ = period_number(pd.DatetimeIndex([self.index[0], self.past.now]), period)
        return bool(numbers[0] == numbers[1])


def so_far(past: Past) -> BillSoFar | None:
    """The bill so far; None without a tariff."""
    tariff, billing = past.plan.scenario.tariff, past.plant.billing
    return None if tariff is None or billing is None else BillSoFar(past, tariff, billing)


# ------------------------------------------------------------------------------------------------------- energy


def energy_rows(past: Past) -> list[dict[str, Any]] | None:
    """The energy rows with what each has counted in its tier period; None where no price depends on it."""
    bill = so_far(past)
    if bill is None or not any(_counts(bill.tariff, rate) for rate in bill.tariff.energy):
        return None
    return [
        rate.to_plain() | ({"used_mwh": _counted(bill, number, rate)} if _counts(bill.tariff, rate) else {})
        for number, rate in enumerate(bill.tariff.energy)
    ]


def _counts(tariff: Tariff, rate: EnergyRate) -> bool:
    return rate.tiers is not None or tariff.net_metering is not None


def _counted(bill: BillSoFar, number: int, rate: EnergyRate) -> float:
    rates = bill.billing.energy
    row = rates.import_row if rate.direction == "import" else rates.export_row
    mine = bill.in_period(rate.tier_period) & (row[: bill.steps] == number)
    bought, sold = (flow[: bill.steps][mine].sum() * rates.step_h for flow in bill.settled_mw)
    before = rate.used_mwh if bill.begun(rate.tier_period) else 0.0
    if bill.tariff.net_metering is not None:
        return float(before + bought - sold)
    return float(before + (bought if rate.direction == "import" else sold))


# ------------------------------------------------------------------------------------------------------- demand


def demand_rows(past: Past) -> list[dict[str, Any]] | None:
    """The demand rows with the peak of the period under way and the peaks of the months before it."""
    bill = so_far(past)
    if bill is None or all(rate.coincident is not None for rate in bill.tariff.demand):
        return None
    return [_demand_row(bill, number, rate) for number, rate in enumerate(bill.tariff.demand)]


def _demand_row(bill: BillSoFar, number: int, rate: DemandRate) -> dict[str, Any]:
    plain = rate.to_plain()
    if rate.coincident is not None or not bill.steps:
        return plain
    plain["incurred_mw"] = _incurred(bill, number, rate)
    if rate.ratchet is not None or rate.period == "rolling_12":
        plain["history_mw"] = _history(bill, number, rate)
        if "ratchet" in plain:
            plain["ratchet"].pop("history_mw", None)
    return plain


def _incurred(bill: BillSoFar, number: int, rate: DemandRate) -> float | list[float]:
    """Peak of the period under way: one number, or with `peaks` those of its days or intervals, highest first."""
    now, peaks = bill.past.now, bill.peaks_mw(number)
    last = bill.index[bill.steps - 1]
    of_period = {
        "year": now.year == last.year,
        "horizon": bill.steps < len(bill.index),
    }.get(rate.period, (now.year, now.month) == (last.year, last.month))
    if not of_period or not peaks:
        return 0.0
    if rate.peaks is None:
        return peaks[-1]
    return _several(bill, number, rate)


def _several(bill: BillSoFar, number: int, rate: DemandRate) -> float | list[float]:
    demand, peaks = bill.demand, rate.peaks
    if demand is None or peaks is None:
        return 0.0
    mine = next(peak for peak in reversed(demand.peaks) if peak.row == number)
    values = sorted([*(float(bill.node_mw[node]) for node in mine.nodes), *mine.known_mw], reverse=True)
    measured = rate.calendar.in_week(bill.index[: bill.steps], bill.past.plan.scenario.holidays)
    if peaks.distinct == "day" and (bill.in_period("day") & measured).any():
        where = f"tariff.demand[{number}].peaks"
        found = f"{bill.past.now} lies within a local day, whose peak would count as one of two days"
        raise ScenarioError([Finding("day_begun", where, found, "give `until` as a local midnight")])
    return values[: peaks.n] or 0.0


def _history(bill: BillSoFar, number: int, rate: DemandRate) -> list[float]:
    """Measured peaks of the months before that of the moment, oldest first, as far back as any look goes."""
    looks = [ROLLING if rate.period == "rolling_12" else 0, 0 if rate.ratchet is None else rate.ratchet.months]
    values = [*rate.months_before_mw, *bill.peaks_mw(number)[: bill.month]]
    return values[-max(looks) :]


# -------------------------------------------------------------------------------------------- charges of the month


def billed_so_far(past: Past) -> float | None:
    """Money of the month under way that a tariff from the moment on does not bill itself.

    Its energy, coincident times, and the shares of demand charges that go by hours. The fixed charge and whole
    demand charges are billed there again, the latter on the peak so far.
    """
    bill = so_far(past)
    if bill is None or not bill.billing.account.minds_sums:
        return None
    parts = bill.billing.settle(bill.import_mw, bill.export_mw, bill.settled_mw)
    here = bill.billing.months.of_step == bill.month
    paid = -float(np.nan_to_num(parts.revenue)[here].sum()) if here.any() else 0.0
    if bill.month == 0:
        paid += bill.tariff.billed_so_far
    return paid + _shared(bill) + 0.0


def _shared(bill: BillSoFar) -> float:
    """Demand charges of the month under way that the rest of it does not bill again."""
    if bill.demand is None:
        return 0.0
    paid = 0.0
    for charge, amounts in zip(
        bill.demand.charges, np.transpose(bill.demand.amounts(bill.import_mw[: bill.steps])).tolist(), strict=True
    ):
        rate = bill.tariff.demand[charge.row]
        once = rate.coincident is not None or (rate.part_months == "share" and rate.period == "month")
        if charge.month == bill.month and once:
            paid += sum(amounts)
    return paid


def credit_so_far(past: Past) -> list[float] | None:
    """Credits left of the months before that of the moment, by month of origin, oldest first."""
    bill = so_far(past)
    if bill is None or bill.tariff.credit_months is None:
        return None
    whole = min(bill.month, len(bill.billing.months.number))
    sums = bill.billing.settle(bill.import_mw, bill.export_mw, bill.settled_mw).sums[:whole]
    left: Mapping[int, float] = replace(bill.billing.account, months=whole).settled(sums)[2]
    keep = bill.tariff.credit_months
    credits = [left.get(month, 0.0) for month in range(bill.month - keep, bill.month)]
    while credits and credits[0] == 0.0:
        credits.pop(0)
    return credits
