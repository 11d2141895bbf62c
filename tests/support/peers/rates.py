"""When a row of a tariff holds, and what its tiers cost: plain pandas, nothing of the package."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

Row = dict[str, Any]
Tiers = list[tuple[float, float]]
ALL_MONTHS = list(range(1, 13))


def hour_of(edge: float | str) -> float:
    if isinstance(edge, str):
        hours, minutes = edge.split(":")
        return int(hours) + int(minutes) / 60
    return float(edge)


def windows_of(row: Row) -> list[tuple[float, float]]:
    hours = row.get("hours", [0, 24])
    pairs = hours if isinstance(hours[0], list) else [hours]
    return [(hour_of(a), hour_of(b)) for a, b in pairs]


def in_dates(index: pd.DatetimeIndex, row: Row) -> np.ndarray:
    """Whether the local date of each step is in the row's months, or between its dates of the year."""
    if "from" not in row:
        return np.isin(index.month, row.get("months", ALL_MONTHS))
    first, last = (tuple(int(part) for part in row[key].split("-")) for key in ("from", "to"))
    day = index.month * 100 + index.day
    low, high = first[0] * 100 + first[1], last[0] * 100 + last[1]
    return np.asarray((day >= low) & (day <= high) if low <= high else (day >= low) | (day <= high))


def in_days(index: pd.DatetimeIndex, row: Row, holidays: list[str]) -> np.ndarray:
    days = row.get("days", "all")
    weekday = index.day_of_week
    if days == "all":
        return np.ones(len(index), dtype=bool)
    if days == "weekday":
        return np.asarray(weekday < 5)
    if days == "weekend":
        return np.asarray(weekday >= 5)
    holiday = np.isin(index.strftime("%Y-%m-%d"), holidays)
    kinds = np.where(
        holiday, "holiday", np.where(weekday < 5, "weekday", np.where(weekday == 5, "saturday", "sunday"))
    )
    return np.isin(kinds, days)


def in_hours(index: pd.DatetimeIndex, row: Row) -> np.ndarray:
    clock = index.hour + index.minute / 60
    held = np.zeros(len(index), dtype=bool)
    for low, high in windows_of(row):
        held |= np.asarray((clock >= low) & (clock < high) if low < high else (clock >= low) | (clock < high))
    return held


def active(index: pd.DatetimeIndex, row: Row, holidays: list[str]) -> np.ndarray:
    return in_dates(index, row) & in_days(index, row, holidays) & in_hours(index, row)


def tiers_of(row: Row, price: str) -> Tiers:
    return [(float(a), float(b)) for a, b in row["tiers"]] if "tiers" in row else [(math.inf, float(row[price]))]


def through(tiers: Tiers, quantity: float, surplus_price: float = 0.0) -> float:
    """Money of a quantity counted from 0; below 0 it is paid at `surplus_price`."""
    if quantity < 0:
        return quantity * surplus_price
    money, low = 0.0, 0.0
    for top, price in tiers:
        money += price * (min(quantity, top) - low)
        if quantity <= top:
            break
        low = top
    return money


def month_keys(index: pd.DatetimeIndex) -> np.ndarray:
    """Local month of each step, counted from year 0."""
    return np.asarray(index.year * 12 + index.month - 1)


def day_keys(index: pd.DatetimeIndex) -> np.ndarray:
    return np.asarray(index.year * 10000 + index.month * 100 + index.day)


def month_hours(month: int, zone: Any) -> float:
    start = pd.Timestamp(year=month // 12, month=month % 12 + 1, day=1, tz=zone)
    after = month + 1
    end = pd.Timestamp(year=after // 12, month=after % 12 + 1, day=1, tz=zone)
    return (end - start).total_seconds() / 3600


def offsets_min(index: pd.DatetimeIndex) -> np.ndarray:
    return np.array([stamp.utcoffset().total_seconds() / 60 for stamp in index])


def interval_keys(index: pd.DatetimeIndex, interval_min: float) -> np.ndarray:
    """A number per billing interval: multiples of the local clock, anew at each clock change."""
    minute = index.hour * 60 + index.minute
    frame = pd.DataFrame({"day": day_keys(index), "offset": offsets_min(index), "part": minute // interval_min})
    return np.asarray(frame.groupby(["day", "offset", "part"], sort=False).ngroup())
