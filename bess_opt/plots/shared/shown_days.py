"""Which days of a horizon a picture shows: all of a short one, a stated week, or the battery's busiest."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bess_opt.plots.shared.time_axes import DAY, day_text, local_days, midnights

SHORT_DAYS = 10
WEEK_DAYS = 7


@dataclass(frozen=True)
class ShownDays:
    """The rows that are shown, from `first` to before `last`, and how to call them."""

    first: int
    last: int
    whole: bool
    text: str


def shown_days_of(schedule: pd.DataFrame, index: pd.DatetimeIndex, step: pd.Timedelta, week: str | None) -> ShownDays:
    """The rows to show: all of a short horizon, else the stated or the busiest week. ValueError for a wrong date."""
    end = index[-1] + step
    asked = None if week is None else _asked_day(week, index)
    if end - index[0] < SHORT_DAYS * DAY:
        return ShownDays(0, len(index), True, _span_text(index))
    days = local_days(index[[0, -1]])
    starts = midnights(np.arange(days[0], days[1] - WEEK_DAYS + 2), index)
    if asked is None:
        begin = _busiest(schedule, index, step, starts)
    else:
        begin = min(int((asked - days[0]).astype(int)), len(starts) - 1)
    stop = midnights(days[:1] + begin + WEEK_DAYS, index)
    first, last = index.searchsorted(starts[begin]), index.searchsorted(stop[0])
    chosen = asked is None and schedule["battery_mw"].iloc[first:last].any()
    text = _span_text(index[first:last]) + (", the battery's busiest week" if chosen else "")
    return ShownDays(int(first), int(last), False, text)


def _asked_day(week: str, index: pd.DatetimeIndex) -> np.datetime64:
    try:
        day = np.datetime64(dt.date.fromisoformat(week))
    except ValueError:
        raise ValueError(f'week "{week}" is not a date; write it like "{index[0]:%Y-%m-%d}"') from None
    first, last = local_days(index[[0, -1]])
    if not first <= day <= last:
        raise ValueError(f'week "{week}" is outside the horizon, which runs from {first} to {last}')
    return day


def _busiest(schedule: pd.DataFrame, index: pd.DatetimeIndex, step: pd.Timedelta, starts: pd.DatetimeIndex) -> int:
    """The start with the most throughput, the earliest of equals; Mondays, if a whole week starts on one."""
    both = (schedule["charge_mw"] + schedule["discharge_mw"]).to_numpy(dtype=float)
    running = np.concatenate([[0.0], np.cumsum(both)])
    stops = midnights(local_days(starts) + WEEK_DAYS, index)
    total = np.round(running[index.searchsorted(stops)] - running[index.searchsorted(starts)], 6)
    inside = (starts >= index[0]) & (stops <= index[-1] + step)
    monday = inside & (starts.day_of_week == 0)
    allowed = monday if monday.any() else inside
    return int(np.argmax(np.where(allowed, total, -1.0)))


def _span_text(index: pd.DatetimeIndex) -> str:
    first, last = day_text(index[0]), day_text(index[-1])
    if first == last:
        return f"{first} {index[-1].year}"
    year = f" {index[0].year}" if index[0].year != index[-1].year else ""
    return f"{first}{year} to {last} {index[-1].year}"
