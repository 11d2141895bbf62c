"""The time axis of a series: its stamps on the site's clock, and what can be wrong with their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bess_opt.common.clock import HOUR_NS, Mask, zone_name
from bess_opt.common.findings import Finding
from bess_opt.common.wording import counted, minutes, moment, more, show
from bess_opt.inputs.series.raw import RawSeries

_STAMP = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_UTC = r"(?:Z|[+-]00(?::?00)?)"
_OFFSET = r"\s?(?:Z|[+-]\d{2}(?::?\d{2})?)"
SECOND_NS = 1_000_000_000
_YEARS = (1900, 2200)
ZONE_REMEDY = 'state site.time_zone, e.g. "Europe/Berlin"'


@dataclass(frozen=True)
class TimeAxis:
    """Stamps in the local zone [ns], in the order of the rows; `defaulted` if the zone is nobody's choice."""

    index: pd.DatetimeIndex
    zone: str
    defaulted: bool = False

    def at(self, position: int) -> str:
        """Local time of a row for people, with its offset."""
        return moment(self.index[position])


def read_time(raw: RawSeries, stated: str | None) -> tuple[TimeAxis | None, list[Finding]]:
    """The stamps in `stated` or their own zone; None if some cannot be read. All problems of the reading."""
    if pd.api.types.is_datetime64_any_dtype(raw.time.dtype):
        index = pd.DatetimeIndex(raw.time)
        problems = _unread(raw, np.asarray(index.isna()), "time is empty", "give every row its time")
        if index.tz is None:
            problems.append(_naive(raw, ~np.asarray(index.isna())))
        own, defaulted = zone_name(index.tz), False
    else:
        index, problems = _parse(raw)
        text = pd.Series(raw.time).astype("string").str.strip()
        own = None if problems or not text.str.contains(_UTC + "$").all() else "UTC"
        defaulted = own is not None
    # Counted, not converted: beyond some thousand years the conversion to a local clock fails.
    early, late = (np.datetime64(f"{year}-01-01", index.unit).astype(np.int64) for year in _YEARS)
    far = ((index.asi8 < early) | (index.asi8 >= late)) & (not problems)
    problems += _unread(raw, far, "found {}, a year far off", f"give times from {_YEARS[0]} to {_YEARS[1]}")
    if problems:
        return None, problems
    zone = stated or own
    if zone is None:
        found = "has times with offsets, which do not say in which time zone the days begin"
        problems.append(Finding("no_time_zone", raw.source, found, ZONE_REMEDY))
    local = index.as_unit("ns").tz_convert(zone or "UTC")
    return TimeAxis(local, zone or "UTC", defaulted and stated is None), problems


def _parse(raw: RawSeries) -> tuple[pd.DatetimeIndex, list[Finding]]:
    text = pd.Series(raw.time).astype("string").str.strip()
    naive = _matches(text, _STAMP)
    zoned = _matches(text, _STAMP + _OFFSET)
    stamps = pd.to_datetime(text.where(naive | zoned), utc=True, format="ISO8601", errors="coerce")
    index = pd.DatetimeIndex(stamps)
    expected = 'write times as in "2025-03-30 01:00+01:00"'
    empty = text.isna().to_numpy(dtype=bool)
    problems = [
        *_unread(raw, empty, "time is empty", "give every row its time"),
        *_unread(raw, np.asarray(index.isna()) & ~empty, "found {}, no time", expected),
    ]
    if naive.any():
        problems.append(_naive(raw, naive))
    return index, problems


def _matches(text: pd.Series, pattern: str) -> Mask:
    return np.asarray(text.fillna("").str.fullmatch(pattern), dtype=bool)


def _unread(raw: RawSeries, wrong: Mask, found: str, expected: str) -> list[Finding]:
    if not wrong.any():
        return []
    first = int(np.argmax(wrong))
    text = found.format(show(_as_text(raw.time, first))) + more(int(wrong.sum()))
    return [Finding("unreadable_time", f"{raw.row(first)}, column time", text, expected)]


def _as_text(times: pd.Series | pd.DatetimeIndex, row: int) -> str:
    try:
        return str(times[row])
    except (ValueError, OverflowError, NotImplementedError):  # a year that no calendar of Python's has
        index = pd.DatetimeIndex(times)
        return f"{index.asi8[row]} {index.unit} after 1970"


def _naive(raw: RawSeries, naive: Mask) -> Finding:
    first = int(np.argmax(naive))
    found = f"found {str(raw.time[first])!r} without a time zone{more(int(np.sum(naive)))}"
    expected = 'write the offset, "2025-03-30 01:00+01:00", or localise: frame.tz_localize("Europe/Berlin")'
    return Finding("naive_time", f"{raw.row(first)}, column time", found, expected)


def find_step(axis: TimeAxis) -> int | None:
    """The most frequent distance of neighbouring stamps [ns]; None with fewer than two different ones."""
    gaps = np.diff(np.unique(axis.index.asi8))
    if not len(gaps):
        return None
    lengths, counts = np.unique(gaps, return_counts=True)
    return int(lengths[np.argmax(counts)])


def check_order(raw: RawSeries, axis: TimeAxis, step_ns: int) -> list[Finding]:
    """Unsorted and duplicate stamps, and steps that are neither `step_ns` nor a whole number of them."""
    stamps = axis.index.asi8
    problems = []
    back = np.diff(stamps) < 0
    if back.any():
        row = int(np.argmax(back)) + 1
        found = f"{axis.at(row)} comes after {axis.at(row - 1)}{more(int(back.sum()))}"
        problems.append(Finding("unsorted", raw.row(row), found, "sort the rows by time"))
    twice = axis.index.duplicated()
    if twice.any():
        row = int(np.argmax(twice))
        first = int(np.argmax(stamps == stamps[row]))
        found = f"{axis.at(row)} stands already in row {raw.first_row + first}{more(int(twice.sum()))}"
        problems.append(Finding("duplicate_time", raw.row(row), found, "keep one row for each step"))
    unique, rows = np.unique(stamps, return_index=True)
    odd = np.diff(unique) % step_ns != 0
    if odd.any():
        place = int(np.argmax(odd))
        here, before = int(rows[place + 1]), int(rows[place])
        length = minutes(unique[place + 1] - unique[place])
        found = f"{axis.at(here)} is {length} after {axis.at(before)}, other steps are {minutes(step_ns)}"
        expected = "give equal steps in UTC"
        problems.append(Finding("mixed_steps", raw.row(here), found + more(int(odd.sum())), expected))
    return problems


def check_gaps(raw: RawSeries, axis: TimeAxis, step_ns: int, names: list[str], filled: list[str]) -> list[Finding]:
    """Missing rows, unless all columns (`names`) are `filled` and most rows are there."""
    unique, rows = np.unique(axis.index.asi8, return_index=True)
    distance = np.diff(unique)
    gap = (distance > step_ns) & (distance % step_ns == 0)
    missing = int((distance[gap] // step_ns - 1).sum())
    unfilled = [name for name in names if name not in filled]
    too_many = missing > len(unique)
    if not missing or (names and not unfilled and not too_many):
        return []
    place = int(np.argmax(gap))
    here, before = int(rows[place + 1]), int(rows[place])
    steps = int(distance[place] // step_ns - 1)
    between = f"between {axis.at(before)} and {axis.at(here)}"
    found = f"{counted(steps, 'step')} of {minutes(step_ns)} missing {between}"
    remedy = "add the rows" + (f", or state series.fill for {', '.join(unfilled)}" if names else "")
    expected = f"add the rows; {missing} of them are too many to fill" if too_many else remedy
    return [Finding("gap", raw.row(here), found + more(int(gap.sum()), "gap"), expected)]


def check_step(where: str, step_ns: int) -> list[Finding]:
    """Steps are whole seconds that divide an hour, or whole hours up to a day."""
    if step_ns % SECOND_NS:
        expected = "give steps of whole seconds: the clock of tariffs and windows knows no parts of them"
        return [Finding("odd_step", where, f"steps are {step_ns / SECOND_NS:g} s", expected)]
    if HOUR_NS % step_ns == 0 or (step_ns % HOUR_NS == 0 and step_ns <= 24 * HOUR_NS):
        return []
    expected = "give steps that divide an hour, or of 1 to 24 whole hours"
    return [Finding("odd_step", where, f"steps are {minutes(step_ns)}", expected)]


def grid(start_ns: int, end_ns: int, step_ns: int, zone: str) -> pd.DatetimeIndex:
    """Equal steps from `start_ns` up to, not including, `end_ns`, on the clock of `zone`."""
    stamps = np.arange(start_ns, end_ns, step_ns).astype("datetime64[ns]")
    return pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(zone)
