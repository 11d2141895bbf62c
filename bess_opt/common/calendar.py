"""When something holds: months or dates of the year, kinds of days, and local hours, all at once.

Rates, demand rows and other clauses that follow a calendar read their steps here. Everything is local to the
index; a step belongs to the window, day and month that hold its start.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bess_opt.common.clock import Mask, between, local_seconds, minute_of_day, parse_clock

DAY_MIN = 1440.0
ALL_YEAR = tuple(range(1, 13))
KINDS = ("weekday", "saturday", "sunday", "holiday")  # a list of days is made of these; together they are all days
_MONDAY = 4  # 1970-01-01 was a Thursday: the first Monday is four days later


@dataclass(frozen=True)
class When:
    """Conditions that a step must meet all at once.

    `months` 1 to 12; or `first_day` to `last_day`, "MM-DD" both inclusive, which runs over New Year where the last
    comes before the first. `days` is "all", "weekday", "weekend", or a list of `KINDS`, in which a date that is a
    holiday is nothing else. `windows` are pairs of minutes after local midnight, half-open, that may wrap.
    """

    months: tuple[int, ...] = ALL_YEAR
    first_day: str | None = None
    last_day: str | None = None
    days: str | tuple[str, ...] = "all"
    windows: tuple[tuple[float, float], ...] = ((0.0, DAY_MIN),)

    @property
    def needs_holidays(self) -> bool:
        """Whether it must be known which dates are holidays."""
        return not isinstance(self.days, str) and "holiday" in self.days

    @property
    def all_day(self) -> bool:
        """Whether the clock does not matter."""
        return self.windows == ((0.0, DAY_MIN),)

    def mask(self, index: pd.DatetimeIndex, holidays: Collection[str] = ()) -> Mask:
        """Steps that meet every condition. `holidays` are local dates, "YYYY-MM-DD"."""
        return self.in_year(index) & self.in_week(index, holidays)

    def in_week(self, index: pd.DatetimeIndex, holidays: Collection[str] = ()) -> Mask:
        """Steps on such days and in such hours, whatever the month."""
        return self._on_days(index, holidays) & self._in_hours(index)

    def in_year(self, index: pd.DatetimeIndex) -> Mask:
        """Steps in the stated part of the year."""
        if self.first_day is None or self.last_day is None:
            return np.isin(index.month.to_numpy(), list(self.months))
        day = index.month.to_numpy() * 100 + index.day.to_numpy()
        first, last = (int(text[:2]) * 100 + int(text[3:]) for text in (self.first_day, self.last_day))
        after, before = day >= first, day <= last
        inside: Mask = after & before if first <= last else after | before
        return inside

    def _on_days(self, index: pd.DatetimeIndex, holidays: Collection[str]) -> Mask:
        if self.days == "all":
            return np.ones(len(index), dtype=np.bool_)
        day = local_seconds(index) // 86_400
        of_week = (day - _MONDAY) % 7
        if self.days == "weekday":
            return np.asarray(of_week < 5)
        if self.days == "weekend":
            return np.asarray(of_week >= 5)
        off = np.isin(day, np.array(sorted(holidays), dtype="datetime64[D]").astype(np.int64))
        kinds = {"weekday": of_week < 5, "saturday": of_week == 5, "sunday": of_week == 6}
        found = off & ("holiday" in self.days)
        for kind, mask in kinds.items():
            if kind in self.days:
                found |= mask & ~off
        return np.asarray(found, dtype=np.bool_)

    def _in_hours(self, index: pd.DatetimeIndex) -> Mask:
        minute = minute_of_day(index)
        found = np.zeros(len(index), dtype=np.bool_)
        for first, last in self.windows:
            found |= between(minute, first, last)
        return found

    def months_cut(self, years: Collection[int]) -> list[int]:
        """Months that `first_day` and `last_day` cut in one of `years`."""
        cut = set()
        for year in years:
            days = pd.date_range(f"{year}-01-01", f"{year}-12-31", freq="D")
            inside = pd.Series(self.in_year(days)).groupby(days.month.to_numpy())
            cut |= {int(month) for month, share in inside.mean().items() if 0.0 < share < 1.0}  # type: ignore[call-overload]
        return sorted(cut)


def edge_minutes(edge: float | str) -> float:
    """Minutes after midnight of an edge: a number of hours (6.5), or "HH:MM" up to "24:00".

    ValueError for a text that is no clock time.
    """
    return float(parse_clock(edge)) if isinstance(edge, str) else round(float(edge) * 60.0, 6)


def overlapping(windows: Sequence[tuple[float, float]]) -> bool:
    """Whether two daily windows share a moment; touching ones do not."""
    parts = sorted(part for window in windows for part in _unwrapped(*window))
    return any(later[0] < earlier[1] for earlier, later in itertools.pairwise(parts))


def _unwrapped(first: float, last: float) -> list[tuple[float, float]]:
    if first < last:
        return [(first, last)]
    return [(first, DAY_MIN), (0.0, last)] if last > 0.0 else [(first, DAY_MIN)]


def step_for_edge(index: pd.DatetimeIndex, step_h: float, minute: float) -> float | None:
    """The step in minutes at which a daily edge would be one; None where it is fine.

    It is not where on every day on which the horizon holds that clock time a step stretches over it.
    """
    first_days = index[: math.ceil(48.0 / step_h)]  # mostly a step begins there, which is answer enough
    for part in (first_days, index) if len(first_days) < len(index) else (index,):
        inside, step_ns = _inside_steps(part, step_h, minute)
        if not inside.all():
            return None
    if not len(inside):
        return None
    return float(np.gcd.reduce(np.append(inside, step_ns)) / 6e10)


def _inside_steps(index: pd.DatetimeIndex, step_h: float, minute: float) -> tuple[npt.NDArray[np.int64], int]:
    """(how far into its step the clock time lies each time that the horizon holds it, length of a step), ns."""
    step_ns = round(step_h * 3.6e12)
    days = np.unique(index.tz_localize(None).to_numpy().astype("datetime64[D]"))
    midnights = np.append(days, days[-1:] + 1).astype("datetime64[ns]")
    wall = pd.DatetimeIndex(midnights + pd.Timedelta(minutes=minute).to_timedelta64())
    offsets: list[npt.NDArray[np.int64]] = []
    for earlier in (True, False):
        found = wall.tz_localize(index.tz, ambiguous=np.full(len(wall), earlier), nonexistent="NaT").dropna()
        ns = (found - index[0]).to_numpy().astype("timedelta64[ns]").astype(np.int64)
        offsets.append(ns[(ns >= 0) & (ns < step_ns * len(index))])
    return np.concatenate(offsets) % step_ns, step_ns


def window_text(first: float, last: float) -> str:
    """A window as people write it."""
    return f"{_clock_text(first)} to {_clock_text(last)}"


def _clock_text(minute: float) -> str:
    return f"{int(minute // 60):02d}:{minute % 60:02g}"
