"""A date and the number or the hour of its step: counted from midnight, or read off the clock."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Mask
from bess_opt.inputs.readers.problems import problem, question
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.times.localise import Instants, fixed_remedy, instants_of
from bess_opt.inputs.readers.times.words import DAY_NS, Nanoseconds

MINUTE_NS = 60_000_000_000
_FULL_DAYS = {
    23: 60, 24: 60, 25: 60, 46: 30, 47: 30, 48: 30, 49: 30, 50: 30, 92: 15, 94: 15, 96: 15, 98: 15, 100: 15,
    276: 5, 282: 5, 288: 5, 294: 5, 300: 5,
}  # fmt: skip
_NUMBER = re.compile(r"(?:HE|H|Hour|Stunde|P|Period)?\s*(\d{1,3})(?:\.0|:00)?\s*([XAB*])?", re.IGNORECASE)
_RANGE = re.compile(r"(\d{1,2})(?::00)?\s*[-–]\s*\d{1,2}(?::00)?")
_CLOCK = re.compile(r"\d{1,2}[AB]?:\d{2}.*|(?:[01]\d|2[0-4])[0-5]\d", re.IGNORECASE)


@dataclass(frozen=True)
class Periods:
    """Numbers of steps within their days; `second` marks the second time of a repeated hour (NaN: not said).

    `first` is the number of the step that begins at midnight, `step` its length [ns].
    """

    number: npt.NDArray[np.int64]
    second: npt.NDArray[np.float64]
    first: int
    step: int


def are_numbers(cells: pa.Array) -> bool:
    """Whether the cells of a column number steps, instead of writing times of day."""
    words = [str(word) for word in cells.unique().to_pylist()]
    return all(_NUMBER.fullmatch(word) or _RANGE.fullmatch(word) for word in words)


def is_clock_time(text: str) -> bool:
    """Whether a cell is a time of day."""
    return bool(_CLOCK.fullmatch(text))


def are_clock_times(cells: pa.Array) -> bool:
    """Whether the cells of a column are times of day."""
    return all(_CLOCK.fullmatch(str(word)) for word in cells.unique().to_pylist())


def read_periods(
    cells: pa.Array, where: str, stated: Stated, log: Log, step_min: float | None, first: int | None
) -> Periods:
    """Numbers of steps. `step_min` and `first` are what the kind of file knows of them, else the numbers show it."""
    coded = cells.dictionary_encode()
    words = [str(word) for word in coded.dictionary.to_pylist()]
    at = np.asarray(coded.indices.to_numpy(), dtype=np.int64)
    found = [_NUMBER.fullmatch(word) for word in words]
    ranges = [_RANGE.fullmatch(word) for word in words]
    bad = next((w for w, n, r in zip(words, found, ranges, strict=True) if n is None and r is None), None)
    if bad is not None:
        raise problem("unreadable_time", where, f"found {bad!r}, no number of a step", "number the steps of a day")
    each = [int((n or r)[1]) for n, r in zip(found, ranges, strict=True) if n is not None or r is not None]  # type: ignore[index]
    letters = [(n[2] or "").upper() if n is not None else "" for n in found]
    numbers = np.array(each, dtype=np.int64)[at]
    second = np.array([1.0 if x in ("X", "B", "*") else 0.0 if x == "A" else np.nan for x in letters])[at]
    spoken = first
    if spoken is None and any(r is not None for r in ranges):
        spoken = 0
    if spoken is None:
        spoken = _first_number(numbers, where, stated, log)
    minutes = step_min if step_min is not None else _step_minutes(numbers, spoken, where)
    return Periods(numbers, second, spoken, int(minutes * MINUTE_NS))


def _first_number(numbers: npt.NDArray[np.int64], where: str, stated: Stated, log: Log) -> int:
    """0 or 1: the number of the step at midnight. Hour 0 exists only as a start, the highest number as an end."""
    low, high = int(numbers.min()), int(numbers.max())
    given = stated.take("stamps")
    if given is not None:
        log.decide("numbers name", f"the {given} of their step", "stated")
        return 1 if given == "end" else 0
    if low == 0:
        log.decide("numbers name", "steps from 0", "file", "number 0 begins a day", where=where)
        return 0
    if high in _FULL_DAYS and low == 1:
        log.decide(
            "numbers name", "steps from 1", "file", f"numbers run from 1 to {high}: 1 begins a day", where=where
        )
        return 1
    readings = [
        ('stamps="start"', f"number {low} from {low:02d}:00"),
        ('stamps="end"', f"number {low} from {low - 1:02d}:00"),
    ]
    raise question("stamps_unclear", where, f"numbers run from {low} to {high}, not over a whole day", readings)


def _step_minutes(numbers: npt.NDArray[np.int64], first: int, where: str) -> float:
    count = int(numbers.max()) - first + 1
    if count not in _FULL_DAYS:
        found = f"holds numbers up to {int(numbers.max())}, which fill no day of equal steps"
        expected = "give whole days, or write the times of the steps"
        raise problem("odd_step", where, found, expected)
    return _FULL_DAYS[count]


def instants_of_periods(
    where: str, day_ns: Nanoseconds, periods: Periods, clock: str, empty: Mask, *, counted: bool | None
) -> Instants:
    """Starts in UTC of numbered steps of days on `clock`.

    Numbers are either `counted` through a day of 23 or 25 hours, or follow the clock, which skips or repeats some.
    None: the days on which the clock changes show which. ScenarioError where they do not.
    """
    offset = (periods.number - periods.first) * periods.step
    if counted is None:
        counted = _are_counted(where, day_ns, periods, clock, empty)
    if counted:
        days, at = np.unique(day_ns, return_inverse=True)
        starts = _midnights(days, clock)[at] + offset
        over = starts >= _midnights(days + DAY_NS, clock)[at]
        if (over & ~empty).any():
            row = int(np.argmax(over & ~empty))
            found = (
                f"number {int(periods.number[row])} of {_day(day_ns[row])} lies beyond the end of that day in {clock}"
            )
            raise problem("skipped_hour", where, found, "state the clock of the file, or mend the row")
        kept = np.flatnonzero(~over)
        _refuse_usual_day(where, days, at, periods, clock)
        return Instants(starts[kept], kept)
    summer = _marks(day_ns + offset, periods.second, clock)
    return instants_of(where, day_ns + offset, clock, empty, periods.step, summer)


def _marks(wall: Nanoseconds, second: npt.NDArray[np.float64], clock: str) -> npt.NDArray[np.float64]:
    """1 for the first time of a repeated hour, 0 for the second. "A" stands on every day in columns of hours."""
    summer = 1.0 - second
    if not (summer == 1).any():
        return summer
    naive = pd.DatetimeIndex(wall.astype("datetime64[ns]"))
    twice = np.asarray(naive.tz_localize(clock, ambiguous="NaT", nonexistent="shift_forward").isna())
    return np.where((summer == 1) & ~twice, np.nan, summer)


def _refuse_usual_day(where: str, days: Nanoseconds, at: npt.NDArray[np.int64], periods: Periods, clock: str) -> None:
    """ScenarioError for a longer day that has only the usual numbers: the file keeps another clock."""
    usual = DAY_NS // periods.step
    lengths = (_midnights(days + DAY_NS, clock) - _midnights(days, clock)) // periods.step
    for i in np.flatnonzero(lengths > usual):
        here = np.unique(periods.number[at == i])
        if len(here) == usual:
            found = f"{_day(days[i])} has {lengths[i]} steps on the clock of {clock}, but {usual} here"
            raise problem("repeated_hour", where, found, fixed_remedy(clock, pd.Timestamp(int(days[i]))))


def _are_counted(where: str, day_ns: Nanoseconds, periods: Periods, clock: str, empty: Mask) -> bool:
    """Whether numbers are counted through days of clock changes; True where no such day is in the file."""
    days = np.unique(day_ns)
    begin = _midnights(days, clock)
    length = _midnights(days + DAY_NS, clock) - begin
    votes: set[bool] = set()
    for at in np.flatnonzero(length != DAY_NS):
        here = (periods.number - periods.first)[(day_ns == days[at]) & ~empty]
        if len(here):
            votes |= _votes(
                days[at], int(begin[at]), here, int(length[at]) // periods.step, periods.step, clock, where
            )
    if len(votes) > 1:
        found = "numbers of some days are counted from midnight, of others read off the clock"
        raise problem("repeated_hour", where, found, "write the times of the steps with their offsets")
    return votes.pop() if votes else True


def _votes(
    day: np.int64, begin: int, here: npt.NDArray[np.int64], steps: int, step: int, clock: str, where: str
) -> set[bool]:
    """What one day of a clock change shows: {True} counted, {False} read off the clock, nothing, or an error."""
    usual = DAY_NS // step
    naive = pd.DatetimeIndex((day + here * step).astype("datetime64[ns]"))
    once = np.ones(len(here), bool)
    if steps > usual:
        if here.max() >= usual:
            return {True}
        if len(np.unique(here)) < len(here):
            return {False}
    else:
        skipped = bool(naive.tz_localize(clock, ambiguous=once, nonexistent="NaT").isna().any())
        last = bool((here >= steps).any())
        if skipped != last:
            return {skipped}
    wall = naive.tz_localize(clock, ambiguous=once, nonexistent="shift_forward")
    if np.array_equal(_utc(wall), begin + here * step):
        return set()
    found = f"{pd.Timestamp(int(day)):%Y-%m-%d} has {steps} steps on the clock of {clock}, but {len(here)} here"
    code = "repeated_hour" if steps > usual else "skipped_hour"
    raise problem(code, where, found, fixed_remedy(clock, pd.Timestamp(int(day))))


def _midnights(days: Nanoseconds, clock: str) -> Nanoseconds:
    """The instant at which each day begins."""
    naive = pd.DatetimeIndex(days.astype("datetime64[ns]"))
    return _utc(naive.tz_localize(clock, ambiguous=np.ones(len(days), bool), nonexistent="shift_forward"))


def _utc(index: pd.DatetimeIndex) -> Nanoseconds:
    return np.array(index.as_unit("ns").asi8, dtype=np.int64)


def _day(day: np.int64) -> str:
    return f"{pd.Timestamp(int(day)):%Y-%m-%d}"
