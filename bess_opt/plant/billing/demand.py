"""Demand rows as peaks and charges: which mean imports are measured, and which peak is billed at which price.

A peak is the mean of the n highest of its measured means (n = 1: the highest), beside those that are known from
before the horizon. A charge bills the highest of its floor and of shares of peaks, through the row's tiers, so
often: a month once or by its hours, a year twelve times, the horizon by its hours. Model, metrics, rules, bills
and money over life all read the same peaks and charges.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array, Integers
from bess_opt.common.calendar import When
from bess_opt.common.clock import day_number
from bess_opt.inputs.tariff import DemandRate
from bess_opt.plant.billing.curve import Curve, curve_of
from bess_opt.plant.billing.intervals import Intervals, intervals_of
from bess_opt.plant.billing.periods import Months, month_label

HOURS_PER_MONTH = 8766.0 / 12.0  # a mean month, for a charge over the horizon
NOTHING = Curve(0.0)


@dataclass(frozen=True)
class Peak:
    """Mean of the `n` highest of the highest means of `nodes` (numbers of measured nodes) and of `known_mw`."""

    row: int
    label: str
    nodes: tuple[int, ...]
    known_mw: tuple[float, ...]
    n: int = 1

    @property
    def counted(self) -> int:
        """How many values the mean is taken of: with fewer than n those present."""
        return min(self.n, len(self.nodes) + len(self.known_mw))

    def of(self, node_mw: Array) -> float:
        """The peak for the highest mean of each node."""
        if not self.counted:
            return 0.0
        values = np.concatenate([node_mw[list(self.nodes)], np.array(self.known_mw)])
        return float(np.mean(np.sort(values)[-self.counted :]))

    @property
    def plain(self) -> bool:
        """Whether it is a number, or the highest of one node and of what is known."""
        return not self.nodes or (len(self.nodes) == 1 and (self.n == 1 or not self.known_mw))

    @property
    def least_mw(self) -> float:
        """What is known of it alone: the least that a plain peak is."""
        highest = sorted(self.known_mw, reverse=True)[: self.counted]
        return sum(highest) / self.counted if highest else 0.0


@dataclass(frozen=True)
class Charge:
    """A billed peak: max(`floor_mw`, share·peak over `sources`) through `curve`, `weight` months of it.

    `contract` is paid in each of these months whatever the peak, `overrun` for what the peak has above it. `month`
    is the place of the month under which the charge stands; one `apart` counts in no month's minimum and credits.
    `per_year` is how often a year counts it, None for one that a year counts with the horizon; `counts` is how
    often it counts here, 1 but in money over life.
    """

    row: int
    label: str
    month: int
    sources: tuple[tuple[int, float], ...]
    floor_mw: float
    curve: Curve
    weight: float
    apart: bool = False
    contract: float = 0.0
    contracted_mw: float = 0.0
    overrun: Curve = NOTHING
    per_year: float | None = 1.0
    counts: float = 1.0

    @property
    def free_mw(self) -> float:
        """Up to where a peak costs nothing: the contracted power, or a first tier without a price."""
        paid = self.overrun if self.curve == NOTHING else self.curve
        bends = (at for at, change in zip(paid.at, paid.change, strict=True) if change)
        return 0.0 if paid.price else next(bends, float("inf"))

    def billed_mw(self, peak_mw: Array) -> float:
        """The peak that is billed."""
        return max([self.floor_mw, *(share * float(peak_mw[peak]) for peak, share in self.sources)])

    def demand(self, billed_mw: float) -> float:
        """Demand charge of a billed peak, currency."""
        return float(self.weight * (self.contract + self.curve.cost(billed_mw)))

    def overruns(self, billed_mw: float) -> float:
        """Charge for what lies above the contracted power, currency."""
        return float(self.weight * self.overrun.cost(billed_mw))


@dataclass(frozen=True)
class Demand:
    """All rows' measured intervals (interval i is measured at `node[i]`), peaks and charges over a horizon."""

    intervals: Intervals
    node: Integers
    nodes: int
    peaks: tuple[Peak, ...]
    charges: tuple[Charge, ...]

    def node_mw(self, import_mw: Array) -> Array:
        """Highest mean import of each node's intervals."""
        highest = np.zeros(self.nodes)
        np.maximum.at(highest, self.node, self.intervals.means(import_mw))
        return highest

    def peak_mw(self, import_mw: Array) -> Array:
        """Each peak, what is known from before the horizon included."""
        node_mw = self.node_mw(import_mw)
        return np.array([peak.of(node_mw) for peak in self.peaks])

    def billed_mw(self, import_mw: Array) -> Array:
        """The billed peak of each charge."""
        peak_mw = self.peak_mw(import_mw)
        return np.array([charge.billed_mw(peak_mw) for charge in self.charges])

    def amounts(self, import_mw: Array) -> tuple[Array, Array]:
        """(demand charge, overrun charge) of each charge, currency, each counted once."""
        billed = self.billed_mw(import_mw).tolist()
        pairs = list(zip(self.charges, billed, strict=True))
        return (
            np.array([charge.demand(peak) for charge, peak in pairs]),
            np.array([charge.overruns(peak) for charge, peak in pairs]),
        )

    def over_life(self, horizons_per_year: float) -> Demand:
        """The same with each charge counted so that horizons_per_year times its money is a year's."""
        charges = tuple(
            charge if charge.per_year is None else replace(charge, counts=charge.per_year / horizons_per_year)
            for charge in self.charges
        )
        return replace(self, charges=charges)


NO_DEMAND = Demand(
    Intervals(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)), np.zeros(0, dtype=np.int64), 0, (), ()
)


def demand_of(
    rows: Collection[DemandRate], index: pd.DatetimeIndex, step_h: float, months: Months, holidays: Collection[str]
) -> Demand:
    """Peaks and charges of all demand rows. ScenarioError where a row's intervals do not fit the steps."""
    made = _Made(index, step_h, months, holidays)
    for number, rate in enumerate(rows):
        made.add(number, rate)
    if not made.charges and not made.peaks:
        return NO_DEMAND
    return Demand(
        Intervals(np.concatenate(made.first), np.concatenate(made.length)),
        np.concatenate(made.node),
        made.nodes,
        tuple(made.peaks),
        tuple(made.charges),
    )


class _Made:
    """Nodes, peaks and charges as they are made, row by row."""

    def __init__(self, index: pd.DatetimeIndex, step_h: float, months: Months, holidays: Collection[str]) -> None:
        self.index, self.step_h, self.months, self.holidays = index, step_h, months, holidays
        self.day = day_number(index)
        nothing = np.zeros(0, dtype=np.int64)
        self.first, self.length, self.node = [nothing], [nothing], [nothing]
        self.nodes = 0
        self.peaks: list[Peak] = []
        self.charges: list[Charge] = []

    def add(self, number: int, rate: DemandRate) -> None:
        """Add what a row of [[tariff.demand]] bills to the charges of the horizon."""
        where = f"tariff.demand[{number}]"
        intervals = intervals_of(rate, where, self.index, self.step_h)
        if rate.coincident is not None:
            self._coincident(number, rate, where, intervals)
            return
        when = rate.calendar
        measured = intervals.where(when.in_week(self.index, self.holidays))
        if rate.period in ("year", "horizon"):
            inside = measured.where(when.in_year(self.index))
            years = self.months.year[self.months.of_step]
            of_step = years - years[0] if rate.period == "year" else np.zeros(len(self.index), dtype=np.int64)
            labels = [str(y) for y in self.months.years] if rate.period == "year" else ["horizon"]
            peaks = self._peaks(number, rate, inside, of_step, labels)
            self._whole_periods(number, rate, where, when, peaks, labels)
        else:
            peaks = self._peaks(number, rate, measured, self.months.of_step, self.months.labels)
            self._by_month(number, rate, where, when, peaks)

    # ------------------------------------------------------------------------------------------------ peaks

    def _peaks(
        self, number: int, rate: DemandRate, intervals: Intervals, period: Integers, labels: list[str]
    ) -> list[int]:
        """Numbers of the row's peaks, one for each period; what is known before the start is in the first."""
        of = period[intervals.first]
        if rate.peaks is None:
            group = of
        elif rate.peaks.distinct == "day":
            group = self.day[intervals.first]
        else:
            group = np.arange(len(of))
        values, first_of, node = np.unique(group, return_index=True, return_inverse=True)
        self._measure(intervals, node)
        nodes = np.arange(len(values)) + self.nodes - len(values)
        found = []
        for p, label in enumerate(labels):
            mine = tuple(nodes[of[first_of] == p].tolist())
            known = rate.known_peaks_mw if p == 0 else ()
            found.append(len(self.peaks))
            n = 1 if rate.peaks is None else rate.peaks.n
            self.peaks.append(Peak(number, f"tariff.demand[{number}] {label}", mine, known, n))
        return found

    def _measure(self, intervals: Intervals, node: Integers) -> None:
        self.first.append(intervals.first)
        self.length.append(intervals.length)
        self.node.append(node.astype(np.int64) + self.nodes)
        self.nodes += int(node.max()) + 1 if len(node) else 0

    # ---------------------------------------------------------------------------------------------- charges

    def _by_month(self, number: int, rate: DemandRate, where: str, when: When, peaks: list[int]) -> None:
        """A charge for each listed month touched: of its own peak, of earlier ones, and of history."""
        months = self.months
        listed = [int(p) for p in np.flatnonzero(self._listed(when))]
        shared = rate.part_months == "share" and rate.period == "month"
        weights = {p: float(months.share[p]) if shared else 1.0 for p in listed}
        per_year = _listed_in_a_year(when) / sum(weights.values()) if listed else 1.0
        for p in listed:
            sources, floor = _looking_back(rate, months.number, p, peaks)
            self._charge(
                rate,
                Charge(
                    number, f"{where} {months.labels[p]}", p, sources, max(floor, rate.minimum_mw), NOTHING,
                    weights[p], per_year=per_year,
                ),
            )  # fmt: skip

    def _listed(self, when: When) -> Array:
        """Whether each month touched belongs to the row's part of the year."""
        middle = pd.DatetimeIndex([f"{month_label(int(number))}-15" for number in self.months.number])
        return when.in_year(middle)

    def _whole_periods(
        self, number: int, rate: DemandRate, where: str, when: When, peaks: list[int], labels: list[str]
    ) -> None:
        """A charge for each calendar year touched, or one for the horizon, under the last month touched."""
        months = self.months
        for p, (peak, label) in enumerate(zip(peaks, labels, strict=True)):
            if rate.period == "year":
                month, weight, per_year = months.last_of(months.years[p]), 12.0, 1.0 / len(labels)
            else:
                hours = float(when.in_year(self.index).sum()) * self.step_h
                month, weight, per_year = len(months.number) - 1, hours / HOURS_PER_MONTH, None
            made = Charge(
                number, f"{where} {label}", month, ((peak, 1.0),), rate.minimum_mw, NOTHING, weight, apart=True,
                per_year=per_year,
            )  # fmt: skip
            self._charge(rate, made)

    def _coincident(self, number: int, rate: DemandRate, where: str, intervals: Intervals) -> None:
        """A charge for each stamp within the horizon, of the mean of the interval that holds it."""
        years = len(self.months.years)
        for stamp in rate.coincident or ():
            steps = (pd.Timestamp(stamp) - self.index[0]) / pd.Timedelta(hours=self.step_h)
            here = np.flatnonzero((intervals.first <= steps) & (steps < intervals.first + intervals.length))
            if not len(here):
                continue
            self._measure(Intervals(intervals.first[here], intervals.length[here]), np.zeros(1, dtype=np.int64))
            label = f"{where} {pd.Timestamp(stamp).tz_convert(self.index.tz).isoformat(sep=' ', timespec='minutes')}"
            self.peaks.append(Peak(number, label, (self.nodes - 1,), ()))
            month = int(self.months.of_step[intervals.first[here[0]]])
            sources = ((len(self.peaks) - 1, 1.0),)
            made = Charge(number, label, month, sources, 0.0, NOTHING, 1.0, per_year=1.0 / years)
            self._charge(rate, made)

    def _charge(self, rate: DemandRate, made: Charge) -> None:
        """Enter a charge at the row's prices."""
        if rate.contracted_mw is None:
            self.charges.append(replace(made, curve=curve_of(rate.prices)))
            return
        held, over = rate.contracted_mw, float(rate.overrun_price_per_mw_month or 0.0)
        contract = float(rate.price_per_mw_month or 0.0) * held
        overrun = Curve(0.0, (held,), (over,)) if held > 0.0 else Curve(over)
        self.charges.append(replace(made, contract=contract, contracted_mw=held, overrun=overrun))


def _listed_in_a_year(when: When) -> int:
    """Number of months of a year that belong to a row."""
    middle = pd.DatetimeIndex([f"2025-{month:02d}-15" for month in range(1, 13)])
    return int(when.in_year(middle).sum())


def _looking_back(
    rate: DemandRate, number: Integers, place: int, peaks: list[int]
) -> tuple[tuple[tuple[int, float], ...], float]:
    """(peaks that a month is billed by, with their shares; floor from the months before the horizon)."""
    sources, floor = [(peaks[place], 1.0)], 0.0
    now = int(number[place])
    history = {int(number[0]) - 1 - back: peak for back, peak in enumerate(reversed(rate.months_before_mw))}
    looks: list[tuple[float, int, tuple[int, ...] | None]] = []
    if rate.period == "rolling_12":
        looks.append((1.0, 11, None))
    if rate.ratchet is not None:
        looks.append((rate.ratchet.share, rate.ratchet.months, rate.ratchet.named_months))
    for share, months, named in looks:
        for earlier in range(place):
            month = int(number[earlier])
            if now - months <= month and (named is None or month % 12 + 1 in named):
                sources.append((peaks[earlier], share))
        for month, peak in history.items():
            if now - months <= month and (named is None or month % 12 + 1 in named):
                floor = max(floor, share * peak)
    return tuple(sources), floor
