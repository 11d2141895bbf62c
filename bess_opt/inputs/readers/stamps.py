"""Stamps of foreign files as the starts of steps in UTC, with skipped and repeated hours told apart (rule 2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bess_opt.common.wording import minutes
from bess_opt.inputs.readers.problems import problem

StampKind = Literal["start", "end"]
Mask = npt.NDArray[np.bool_]
DAY = pd.Timedelta(days=1)
_NAIVE = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M",
    "%d/%m/%y %H:%M", "%m/%d/%y %H:%M",
)  # fmt: skip
_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")
CLOCK_REMEDY = 'state clock, e.g. clock="Europe/Berlin", or clock="Etc/GMT+8" for UTC-8 all year'


@dataclass(frozen=True)
class Starts:
    """Starts of the steps in UTC, one per kept row; `kept` are the positions of these rows."""

    index: pd.DatetimeIndex
    kept: npt.NDArray[np.int64]


def with_offsets(texts: Sequence[str]) -> bool:
    """Whether the stamps say their offset from UTC themselves."""
    return bool(texts) and all(_OFFSET.search(text) for text in (texts[0], texts[-1]))


def read_offsets(source: str, texts: Sequence[str]) -> pd.DatetimeIndex:
    """Stamps with offsets, in UTC. ScenarioError for a row that is none."""
    index = pd.DatetimeIndex(pd.to_datetime(pd.Series(texts), utc=True, format="ISO8601", errors="coerce"))
    _refuse_unread(source, texts, np.asarray(index.isna()))
    return index


def read_naive(source: str, texts: Sequence[str]) -> pd.DatetimeIndex:
    """Clock times without a zone. Day and month are told apart by the order that makes even steps.

    "24:00" is the end of its day. ScenarioError for a row that is no time, or where both orders are as good.
    """
    series = pd.Series(texts, dtype="str")
    late = series.str.contains(r"\b24:00", regex=True)
    series = series.str.replace(r"\b24:00", "00:00", regex=True)
    read: list[pd.DatetimeIndex] = []
    for form in _NAIVE:
        stamps = pd.DatetimeIndex(pd.to_datetime(series, format=form, errors="coerce"))
        if not stamps.isna().any():
            read.append(stamps + pd.to_timedelta(np.where(late, 1, 0), unit="D"))
    if not read:
        best = pd.to_datetime(series, format=_nearest_form(series), errors="coerce")
        _refuse_unread(source, texts, best.isna().to_numpy())
    uneven = [len(np.unique(np.diff(stamps.asi8))) for stamps in read]
    if len(read) > 1 and uneven.count(min(uneven)) > 1:
        found = f"found {texts[0]!r}, which may be day/month or month/day"
        raise problem("ambiguous_date", f"{source}, times", found, "write times as in 2025-03-30 01:00")
    return read[int(np.argmin(uneven))]


def localised(
    source: str,
    naive: pd.DatetimeIndex,
    clock: str,
    empty: Mask,
    stamps: StampKind,
    step: pd.Timedelta,
    summer: Mask | None = None,
) -> Starts:
    """Starts in UTC of clock times that mark the start or the end of their steps on `clock`.

    A row of an hour that the clock skips is left out if it is `empty`. An hour that comes twice stands twice,
    in this order, unless the rows say which of them are in `summer` time. ScenarioError where the rows do not
    fit the clock.
    """
    starts = naive - step if stamps == "end" else naive
    there = ~np.asarray(starts.tz_localize(clock, ambiguous=np.ones(len(starts), bool), nonexistent="NaT").isna())
    if (~there & ~empty).any():
        row = int(np.argmax(~there & ~empty))
        found = f"{starts[row]:%Y-%m-%d %H:%M} does not exist on the clock of {clock}"
        raise problem("skipped_hour", f"{source}, times", found, _fixed_remedy(clock, starts[row]))
    kept = np.flatnonzero(there)
    try:
        index = starts[kept].tz_localize(clock, ambiguous="infer" if summer is None else summer[kept])
    except ValueError:
        repeated = starts[kept].tz_localize(clock, ambiguous="NaT", nonexistent="NaT").isna()
        row = int(np.argmax(np.asarray(repeated)))
        found = f"{starts[kept][row]:%Y-%m-%d %H:%M} comes twice on the clock of {clock}, but once here"
        raise problem("repeated_hour", f"{source}, times", found, _fixed_remedy(clock, starts[kept][row])) from None
    return Starts(index.tz_convert("UTC"), kept)


def step_of(stamps: pd.DatetimeIndex) -> pd.Timedelta:
    """The most frequent distance of neighbouring stamps; an hour for a single one."""
    gaps = np.diff(np.unique(stamps.as_unit("ns").asi8))
    if not len(gaps):
        return pd.Timedelta(hours=1)
    lengths, counts = np.unique(gaps, return_counts=True)
    return pd.Timedelta(int(lengths[np.argmax(counts)]), unit="ns")


def whole_year(source: str, rows: int, year: int, clock: str) -> pd.DatetimeIndex:
    """Starts of `rows` equal steps that fill `year` on `clock`. ScenarioError if they do not."""
    begin, end = (
        pd.Timestamp(year=year, month=1, day=1, tz=clock),
        pd.Timestamp(year=year + 1, month=1, day=1, tz=clock),
    )
    length = (end - begin).total_seconds() / 3600.0
    per_hour = rows / length
    if per_hour < 1 or per_hour != round(per_hour) or 60 % round(per_hour):
        found = f"has {rows:,} rows, which do not fill the {length:,.0f} hours of {year}"
        expected = "give one row for each step of the year, or another year (some tools leave 29 February out)"
        raise problem("odd_step", source, found, expected)
    step = pd.Timedelta(hours=1) / round(per_hour)
    return pd.date_range(begin, periods=rows, freq=step).tz_convert("UTC")


def runs_from_midnight(naive: pd.DatetimeIndex, step: pd.Timedelta) -> bool:
    """Whether the stamps begin a day and end one step before a day's end, as starts of steps do."""
    first, last = naive[0], naive[-1]
    return bool(first == first.normalize() and last + step == (last + step).normalize() and len(naive) > 1)


def in_words(step: pd.Timedelta) -> str:
    """A step length in words."""
    return minutes(step.value)


def _fixed_remedy(clock: str, time: pd.Timestamp) -> str:
    winter = pd.Timestamp(year=time.year, month=1, day=1, tz=clock).utcoffset()
    hours = round(winter.total_seconds() / 3600.0) if winter is not None else 0
    return f'if the file does not change its clock, state clock="Etc/GMT{-hours:+d}", else mend the row'


def _nearest_form(series: pd.Series) -> str:
    counts = [int(pd.to_datetime(series, format=form, errors="coerce").notna().sum()) for form in _NAIVE]
    return _NAIVE[int(np.argmax(counts))]


def _refuse_unread(source: str, texts: Sequence[str], wrong: Mask) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        expected = "write times as in 2025-03-30 01:00 or 2025-03-30T01:00+01:00"
        raise problem("unreadable_time", f"{source}, times", f"found {texts[row]!r}, no time", expected)
