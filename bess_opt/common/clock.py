"""Time once: what turns a tz-aware index of step starts into hours, masks and groups.

Every function takes a `DatetimeIndex` in the site's own zone whose stamps are the starts of equal steps.
A step belongs to the clock time, the day and the month of its start. A repeated or skipped hour counts as
its clock says, so a DST day has 23 or 25 hours.
"""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

Period = Literal["day", "month", "year", "horizon"]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

HOUR_NS = 3_600_000_000_000
_DAY_S = 86_400
_DAY_MIN = 1_440
_UNITS = {"day": "D", "month": "M", "year": "Y"}


def step_hours(index: pd.DatetimeIndex) -> float:
    """Length of one step [h]: the UTC time between the first two stamps. ValueError with fewer than two."""
    if len(index) < 2:
        raise ValueError("a step length needs at least two time stamps")
    first, second = index[:2].as_unit("ns").asi8
    return float((second - first) / HOUR_NS)


def parse_clock(text: str) -> int:
    """Minutes after local midnight, 0 to 1440, of a clock time "HH:MM"; "24:00" is the day's end.

    ValueError for anything else.
    """
    found = re.fullmatch(r"(\d{2}):(\d{2})", text) if isinstance(text, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else _DAY_MIN + 1
    if minutes > _DAY_MIN:
        raise ValueError(f'{text!r} is not a clock time; write "HH:MM" between "00:00" and "24:00"')
    return minutes


def window_mask(index: pd.DatetimeIndex, start: str, end: str) -> Mask:
    """Steps that start in the daily local window from `start` up to, not including, `end`.

    "HH:MM" each; a window whose end is before its start wraps over midnight; `end` may be "24:00".
    ValueError if a time cannot be read, if both are equal, or if the window starts at "24:00".
    """
    first, last = parse_clock(start), parse_clock(end)
    if first == last:
        raise ValueError(f'window from {start!r} to {end!r} is empty; the whole day is ["00:00", "24:00"]')
    if first == _DAY_MIN:
        raise ValueError('a window cannot start at "24:00"; write "00:00"')
    return between(minute_of_day(index), first, last)


def day_number(index: pd.DatetimeIndex) -> Numbers:
    """Local calendar day of each step, counted from 0 at the first step's day."""
    day = local_seconds(index) // _DAY_S
    return day - day[:1]


def period_number(index: pd.DatetimeIndex, period: Period) -> tuple[Numbers, list[str]]:
    """Number of the local period of each step, from 0 without holes, and the label of each number.

    Labels read "2025-03-30", "2025-03", "2025" or "horizon". ValueError for an unknown `period`.
    """
    if period == "horizon":
        return np.zeros(len(index), dtype=np.int64), ["horizon"] if len(index) else []
    if period not in _UNITS:
        raise ValueError(f'period is {period!r}; it is one of "day", "month", "year", "horizon"')
    local = local_seconds(index).astype("datetime64[s]").astype(f"datetime64[{_UNITS[period]}]")
    labels, numbers = np.unique(local, return_inverse=True)
    return numbers.astype(np.int64), [str(label) for label in labels]


def zone_name(zone: tzinfo | None) -> str | None:
    """IANA name of a zone; None for no zone and for a fixed offset other than UTC, which have none."""
    for attribute in ("key", "zone"):
        name = getattr(zone, attribute, None)
        if isinstance(name, str):
            return name
    is_utc = zone is not None and str(zone) in ("UTC", "UTC+00:00", "tzutc()")
    return "UTC" if is_utc else None


def is_zone(name: str) -> bool:
    """Whether `name` is an IANA time zone known on this machine."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def local_seconds(index: pd.DatetimeIndex) -> Numbers:
    """Wall-clock seconds since 1970-01-01 00:00 local."""
    return np.asarray(index.tz_localize(None).as_unit("s").asi8, dtype=np.int64)


def minute_of_day(index: pd.DatetimeIndex) -> npt.NDArray[np.float64]:
    """Minutes after local midnight of each step's start."""
    return local_seconds(index) % _DAY_S / 60.0


def between(minute: npt.NDArray[np.float64], first: float, last: float) -> Mask:
    """Half-open daily interval of minutes that wraps when `first` is after `last`."""
    after, before = minute >= first, minute < last
    return after & before if first < last else after | before
