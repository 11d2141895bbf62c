"""Demand charges: which mean import is measured when, and which peak is billed at which price.

A demand row becomes periods (months, years or the horizon). In each, the highest mean import of a billing
interval within the row's window is measured, or, where the row names coincident times, that of the intervals
which contain one. What is billed is at least the row's minimum, the peak already incurred (first period) and,
with a ratchet, a share of the peaks of the months before, those before the horizon included. A month that the
horizon covers in part is billed pro rata by its hours. Model and metrics both read it here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bess_opt.common.arrays import Floats, Integers
from bess_opt.common.clock import calendar_mask, period_number
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.inputs.tariff import DemandRate, Tariff

HOURS_PER_MONTH = 8766.0 / 12.0  # a mean month, for periods that are not months
ALL_MONTHS = tuple(range(1, 13))


@dataclass(frozen=True)
class Billing:
    """Intervals and periods of all demand rows of a tariff over a horizon.

    An interval is the run of steps `first` to `first + length - 1`, measured for period `period`. Period p
    belongs to demand row `row[p]` and is billed at `price_per_mw[p]` (0 where it is only measured, for a
    ratchet), at least `floor_mw[p]` and at least `share` times the measured peak of each earlier period in
    `ratchets` (later, earlier, share).
    """

    first: Integers
    length: Integers
    period: Integers
    price_per_mw: Floats
    floor_mw: Floats
    row: Integers
    labels: tuple[str, ...]
    ratchets: tuple[tuple[int, int, float], ...]

    @property
    def periods(self) -> int:
        """Number of periods over all rows."""
        return len(self.price_per_mw)

    def measured_mw(self, import_mw: Floats) -> Floats:
        """Highest mean import of an interval, per period; 0 where none was measured."""
        sums = np.concatenate([[0.0], np.cumsum(import_mw)])
        mean = (sums[self.first + self.length] - sums[self.first]) / self.length
        peak = np.zeros(self.periods)
        np.maximum.at(peak, self.period, mean)
        return peak

    def billed_mw(self, import_mw: Floats) -> Floats:
        """Peak that is billed, per period: measured, incurred or ratcheted, whichever is highest."""
        measured = self.measured_mw(import_mw)
        billed = np.maximum(measured, self.floor_mw)
        for later, earlier, share in self.ratchets:
            billed[later] = max(billed[later], share * measured[earlier])
        return billed

    def charge(self, import_mw: Floats) -> float:
        """Demand charges of the horizon, currency."""
        return float(self.price_per_mw @ self.billed_mw(import_mw))


def billing(tariff: Tariff | None, index: pd.DatetimeIndex, step_h: float) -> Billing | None:
    """Billing of `tariff`'s demand rows over the steps of `index`; None without demand rows.

    Raises `ScenarioError` if a billing interval is not a whole number of steps.
    """
    if tariff is None or not tariff.demand:
        return None
    parts = [_row(rate, number, index, step_h) for number, rate in enumerate(tariff.demand)]
    shifts = np.concatenate([[0], np.cumsum([part.periods for part in parts])])
    return Billing(
        first=np.concatenate([p.first for p in parts]),
        length=np.concatenate([p.length for p in parts]),
        period=np.concatenate([p.period + s for p, s in zip(parts, shifts, strict=False)]),
        price_per_mw=np.concatenate([p.price_per_mw for p in parts]),
        floor_mw=np.concatenate([p.floor_mw for p in parts]),
        row=np.concatenate([p.row for p in parts]),
        labels=tuple(label for p in parts for label in p.labels),
        ratchets=tuple(
            (a + s, b + s, share) for p, s in zip(parts, shifts, strict=False) for a, b, share in p.ratchets
        ),
    )


def _row(rate: DemandRate, number: int, index: pd.DatetimeIndex, step_h: float) -> Billing:
    """One demand row's billing. With a ratchet, months that are not billed are measured all the same."""
    first, length = _intervals(rate, number, index, step_h)
    measured_in = rate.months if rate.ratchet is None else ALL_MONTHS
    inside = calendar_mask(index, measured_in, rate.days, rate.hours)[first]
    if rate.coincident is not None:
        inside &= _contain(rate.coincident, first, length, index, step_h)
    first, length = first[inside], length[inside]
    of_step, labels = period_number(index, rate.period)
    return Billing(
        first=first,
        length=length,
        period=of_step[first],
        price_per_mw=rate.price_per_mw_month * _months_billed(rate, index, of_step, len(labels), step_h),
        floor_mw=_floor(rate, _month_number(index, of_step)),
        row=np.full(len(labels), number),
        labels=tuple(f"tariff.demand[{number}] {label}" for label in labels),
        ratchets=_ratchets(rate, _month_number(index, of_step)),
    )


def _contain(
    stamps: tuple[str, ...], first: Integers, length: Integers, index: pd.DatetimeIndex, step_h: float
) -> npt.NDArray[np.bool_]:
    """Which intervals contain one of `stamps`; one beyond the horizon is in none of them."""
    found = np.zeros(len(first), dtype=np.bool_)
    for stamp in stamps:
        steps = (pd.Timestamp(stamp) - index[0]) / pd.Timedelta(hours=step_h)
        found |= (first <= steps) & (steps < first + length)
    return found


def _floor(rate: DemandRate, month: Integers) -> Floats:
    """Least billed peak per period: the minimum, and what is known of peaks before the horizon."""
    floor = np.full(len(month), rate.minimum_mw)
    floor[:1] = np.maximum(floor[:1], rate.incurred_mw)
    if rate.ratchet is not None:
        before = len(rate.ratchet.history_mw)
        known = [*rate.ratchet.history_mw, rate.incurred_mw]
        for earlier, peak in zip(month[0] + np.arange(-before, 1), known, strict=True):
            counts = (month > earlier) & (month - earlier <= rate.ratchet.months)
            floor[counts] = np.maximum(floor[counts], rate.ratchet.share * peak)
    return floor


def _month_number(index: pd.DatetimeIndex, of_step: Integers) -> Integers:
    """Calendar month in which each period starts, counted through the years."""
    starts = index[np.unique(of_step, return_index=True)[1]]
    return np.asarray(starts.year * 12 + starts.month, dtype=np.int64)


def _intervals(rate: DemandRate, number: int, index: pd.DatetimeIndex, step_h: float) -> tuple[Integers, Integers]:
    """(first step, number of steps) of the billing intervals; the horizon may cut the first and the last."""
    step_s = round(step_h * 3600)
    interval_s = step_s if rate.interval_min is None else round(rate.interval_min * 60)
    if interval_s % step_s:
        found = f"{rate.interval_min:g} min is not a whole number of {step_s / 60:g} min steps"
        remedy = "give a multiple of the step, or resample the series"
        where = f"tariff.demand[{number}].interval_min"
        raise ScenarioError([Finding("billing_interval", where, found, remedy)])
    utc_s = np.asarray(index.tz_convert("UTC").as_unit("s").asi8)
    local_s = np.asarray(index.tz_localize(None).as_unit("s").asi8)
    group = (utc_s + (local_s - utc_s) % interval_s) // interval_s
    first = np.flatnonzero(np.diff(group, prepend=group[:1] - 1))
    return first, np.diff(np.append(first, len(index)))


def _months_billed(
    rate: DemandRate, index: pd.DatetimeIndex, of_step: Integers, periods: int, step_h: float
) -> Floats:
    """How many months each period bills: a month pro rata by its hours, longer ones in mean months."""
    billed = np.isin(index.month.to_numpy(), rate.months)
    hours = np.bincount(of_step[billed], minlength=periods).astype(np.float64) * step_h
    if rate.period != "month":
        return hours / np.float64(HOURS_PER_MONTH)
    starts = index[np.unique(of_step, return_index=True)[1]]
    naive = starts.tz_localize(None).to_period("M")
    begin = naive.start_time.tz_localize(index.tz, ambiguous=True, nonexistent="shift_forward")
    end = (naive + 1).start_time.tz_localize(index.tz, ambiguous=True, nonexistent="shift_forward")
    whole = np.asarray((end - begin).total_seconds(), dtype=np.float64) / 3600.0
    months: Floats = np.minimum(hours / whole, 1.0)
    return months


def _ratchets(rate: DemandRate, month: Integers) -> tuple[tuple[int, int, float], ...]:
    """(later, earlier, share) for each month and the months that its ratchet looks back to."""
    ratchet = rate.ratchet
    if ratchet is None:
        return ()
    return tuple(
        (later, earlier, ratchet.share)
        for later in range(len(month))
        for earlier in range(later)
        if month[later] - month[earlier] <= ratchet.months
    )
