"""The bill of a site's import and export under a tariff: plain pandas, nothing of the package.

Money paid is positive. `tariff` is the table as a scenario states it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from support.peers.rates import (
    ALL_MONTHS,
    Row,
    Tiers,
    active,
    day_keys,
    interval_keys,
    month_hours,
    month_keys,
    through,
    tiers_of,
)


@dataclass
class Meter:
    """What flows at the meter, and the price series beside the rows."""

    index: pd.DatetimeIndex
    import_mw: np.ndarray
    export_mw: np.ndarray
    import_price: np.ndarray | None = None
    export_price: np.ndarray | None = None  # a series of its own
    both_price: np.ndarray | None = None  # price_per_mwh
    holidays: list[str] = field(default_factory=list)

    @property
    def step_h(self) -> float:
        return float((self.index[1] - self.index[0]).total_seconds() / 3600)


@dataclass
class Totals:
    """Sums over the horizon, and the bill of each local month."""

    energy: float = 0.0
    demand: float = 0.0
    overrun: float = 0.0
    fixed: float = 0.0
    minimum: float = 0.0
    credits: float = 0.0
    outside: float = 0.0  # of demand and overrun, what stands outside minimum and credits

    @property
    def bill(self) -> float:
        return self.energy + self.demand + self.overrun + self.fixed + self.minimum + self.credits


def counted_cost(meter: Meter, row: Row, mwh: np.ndarray) -> dict[int, float]:
    """Money of one direction's energy under one row, by local month."""
    held = active(meter.index, row, meter.holidays)
    months = month_keys(meter.index)
    periods = day_keys(meter.index) if row.get("tier_period", "month") == "day" else months
    tiers = tiers_of(row, "price_per_mwh")
    money: dict[int, float] = {}
    for period in np.unique(periods):
        inside = periods == period
        used = float(row.get("used_mwh", 0.0)) if period == periods[0] else 0.0
        quantity = used + float(mwh[inside & held].sum())
        month = int(months[inside][0])
        money[month] = money.get(month, 0.0) + through(tiers, quantity) - through(tiers, used)
    return money


def netted_cost(meter: Meter, row: Row, tariff: dict[str, Any]) -> dict[int, float]:
    held = active(meter.index, row, meter.holidays)
    months = month_keys(meter.index)
    tiers = tiers_of(row, "price_per_mwh")
    export = tariff.get("export", "same")
    surplus = {"none": 0.0, "same": row.get("price_per_mwh", 0.0)}.get(export, export)
    money = {}
    for month in np.unique(months):
        used = float(row.get("used_mwh", 0.0)) if month == months[0] else 0.0
        flow = (meter.import_mw - meter.export_mw)[(months == month) & held]
        net = used + float(flow.sum()) * meter.step_h
        money[int(month)] = through(tiers, net, surplus) - through(tiers, used, surplus)
    return money


def by_month(meter: Meter, values: np.ndarray) -> dict[int, float]:
    months = month_keys(meter.index)
    return {int(month): float(values[months == month].sum()) for month in np.unique(months)}


def add(total: dict[int, float], part: dict[int, float], sign: float = 1.0) -> None:
    for month, money in part.items():
        total[month] = total.get(month, 0.0) + sign * money


def energy_by_month(meter: Meter, tariff: dict[str, Any]) -> dict[int, float]:
    """Import cost less export revenue of each local month."""
    rows = tariff.get("energy", [])
    bought = [row for row in rows if row.get("direction", "import") == "import"]
    sold = [row for row in rows if row.get("direction", "import") == "export"]
    money = by_month(meter, np.zeros(len(meter.index)))
    if tariff.get("net_metering") == "month":
        for row in bought:
            add(money, netted_cost(meter, row, tariff))
        return money
    imported, exported = meter.import_mw * meter.step_h, meter.export_mw * meter.step_h
    for row in bought:
        add(money, counted_cost(meter, row, imported))
    for series in (meter.import_price, meter.both_price):
        if series is not None:
            add(money, by_month(meter, imported * series))
    export = tariff.get("export", "same")
    for row in sold:
        add(money, counted_cost(meter, row, exported), -1.0)
    if meter.export_price is not None:
        add(money, by_month(meter, exported * meter.export_price), -1.0)
    if isinstance(export, float | int):
        add(money, by_month(meter, exported * export), -1.0)
    elif export == "same" and not sold and meter.export_price is None:
        if meter.both_price is not None:
            add(money, by_month(meter, exported * meter.both_price), -1.0)
        for row in bought:
            held = active(meter.index, row, meter.holidays)
            add(money, by_month(meter, exported * held * row["price_per_mwh"]), -1.0)
    return money


def interval_means(meter: Meter, row: Row) -> np.ndarray:
    """Mean import of each step's billing interval."""
    interval = row.get("interval_min", meter.step_h * 60)
    flow = pd.Series(meter.import_mw)
    return np.asarray(flow.groupby(interval_keys(meter.index, interval)).transform("mean"))


def peak(meter: Meter, row: Row, steps: np.ndarray, further: list[float]) -> float:
    """The peak of the steps (or the mean of n peaks), with the `further` ones of before the horizon."""
    means = interval_means(meter, row)
    if "peaks" not in row:
        return float(max([*means[steps], *further], default=0.0))
    if row["peaks"].get("distinct") == "day":
        each = pd.Series(means[steps]).groupby(day_keys(meter.index)[steps]).max()
    else:
        interval = row.get("interval_min", meter.step_h * 60)
        each = pd.Series(means[steps]).groupby(interval_keys(meter.index, interval)[steps]).first()
    highest = sorted([*each, *further], reverse=True)[: row["peaks"]["n"]]
    return float(np.mean(highest)) if highest else 0.0


def incurred(row: Row) -> list[float]:
    stated = row.get("incurred_mw", 0.0)
    values = list(stated) if isinstance(stated, list) else [float(stated)]
    return [float(value) for value in values if value > 0]


def charge(row: Row, peak_mw: float) -> tuple[float, float]:
    """Price of a month's billed peak: (demand, overrun)."""
    if "contracted_mw" in row:
        contracted = float(row["contracted_mw"])
        over = max(peak_mw - contracted, 0.0) * row["overrun_price_per_mw_month"]
        return contracted * row["price_per_mw_month"], over
    return through(tiers_of(row, "price_per_mw_month"), peak_mw), 0.0


def monthly_peaks(meter: Meter, row: Row) -> dict[int, float]:
    """Measured peak of each local month touched, listed or not, and of the months of the history."""
    anywhere = {key: value for key, value in row.items() if key not in ("months", "from", "to")}
    steps = active(meter.index, anywhere, meter.holidays)
    months = month_keys(meter.index)
    first = int(months[0])
    peaks = {}
    for month in np.unique(months):
        peaks[int(month)] = peak(meter, row, steps & (months == month), incurred(row) if month == first else [])
    history = row.get("history_mw", row.get("ratchet", {}).get("history_mw", []))
    for age, value in enumerate(reversed(history), start=1):
        peaks[first - age] = float(value)
    return peaks


def listed_months(row: Row) -> list[int]:
    if "from" not in row:
        return list(row.get("months", ALL_MONTHS))
    low, high = (int(row[key][:2]) for key in ("from", "to"))
    return [month for month in ALL_MONTHS if (low <= month <= high if low <= high else month >= low or month <= high)]


def demand_by_month(meter: Meter, row: Row) -> tuple[dict[int, tuple[float, float]], tuple[float, float]]:
    """(demand, overrun) of each month, and of periods that stand outside the months."""
    months = month_keys(meter.index)
    touched = [int(month) for month in np.unique(months)]
    if "coincident" in row:
        means = interval_means(meter, row)
        money: dict[int, tuple[float, float]] = {}
        for stamp in row["coincident"]:
            at = pd.Timestamp(stamp).tz_convert(meter.index.tz)
            step = int(meter.index.searchsorted(at, side="right")) - 1
            if step < 0 or at >= meter.index[-1] + pd.Timedelta(hours=meter.step_h):
                continue
            month = int(months[step])
            now = charge(row, float(means[step]))
            money[month] = (money.get(month, (0.0, 0.0))[0] + now[0], 0.0)
        return money, (0.0, 0.0)
    listed = listed_months(row)
    period = row.get("period", "month")
    least = float(row.get("minimum_mw", 0.0))
    steps = active(meter.index, row, meter.holidays)
    if period in ("year", "horizon"):
        years = months // 12
        outside = np.zeros(2)
        for group in np.unique(years) if period == "year" else [None]:
            inside = steps & (years == group) if group is not None else steps
            further = incurred(row) if group is None or group == years[0] else []
            highest = max(peak(meter, row, inside, further), least)
            hours = float(np.isin(meter.index.month, listed).sum()) * meter.step_h
            scale = 12.0 if period == "year" else hours / 730.5
            outside += scale * np.array(charge(row, highest))
        return {}, (float(outside[0]), float(outside[1]))
    peaks = monthly_peaks(meter, row)
    money = {}
    for month in touched:
        if month % 12 + 1 not in listed:
            continue
        billed = max(peaks[month], least)
        if period == "rolling_12":
            billed = max([billed, *(peaks.get(month - age, 0.0) for age in range(1, 12))])
        if "ratchet" in row:
            ratchet = row["ratchet"]
            for age in range(1, ratchet.get("months", 11) + 1):
                if (month - age) % 12 + 1 in ratchet.get("named_months", ALL_MONTHS):
                    billed = max(billed, ratchet["share"] * peaks.get(month - age, 0.0))
        share = 1.0
        if row.get("part_months", "full") == "share" and period == "month":
            share = float((months == month).sum()) * meter.step_h / month_hours(month, meter.index.tz)
        demand, over = charge(row, billed)
        money[month] = (demand * share, over * share)
    return money, (0.0, 0.0)


def settled(sums: dict[int, float], tariff: dict[str, Any]) -> tuple[float, float]:
    """(minimum charges, credits withheld less used) of months whose sums are given."""
    least, lasts = tariff.get("minimum_per_month"), tariff.get("credit_months")
    first = min(sums)
    purse = {first - age: float(c) for age, c in enumerate(reversed(tariff.get("credit_so_far", [])), start=1)}
    topped = withheld = spent = 0.0
    for month in sorted(sums):
        total = sums[month] + (float(tariff.get("billed_so_far", 0.0)) if month == first else 0.0)
        if lasts is not None and total < 0:
            withheld -= total
            purse[month] = -total
            total = 0.0
        if least is not None and total < least:
            topped += least - total
            total = float(least)
        if lasts is not None:
            for origin in sorted(purse):
                if origin < month <= origin + lasts:
                    pays = min(purse[origin], max(total - (least or 0.0), 0.0))
                    purse[origin] -= pays
                    spent += pays
                    total -= pays
    return topped, withheld - spent


def bill(meter: Meter, tariff: dict[str, Any]) -> Totals:
    """What the site pays over the horizon."""
    totals = Totals()
    sums = energy_by_month(meter, tariff)
    totals.energy = sum(sums.values())
    for row in tariff.get("demand", []):
        money, outside = demand_by_month(meter, row)
        for month, (demand, over) in money.items():
            sums[month] += demand + over
        totals.demand += sum(demand for demand, _ in money.values()) + outside[0]
        totals.overrun += sum(over for _, over in money.values()) + outside[1]
        totals.outside += sum(outside)
    fixed = float(tariff.get("fixed_per_month", 0.0))
    for month in sums:
        sums[month] += fixed
        totals.fixed += fixed
    totals.minimum, totals.credits = settled(sums, tariff)
    return totals


__all__ = ["Meter", "Tiers", "Totals", "bill"]
