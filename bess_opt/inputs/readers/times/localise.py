"""Clock times as instants in UTC, where the clock skips and repeats hours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.inputs.readers.file.table import Mask
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.times.words import Nanoseconds

Marked = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Instants:
    """Instants in UTC [ns], one for each kept row; `kept` are the positions of these rows."""

    utc: Nanoseconds
    kept: npt.NDArray[np.int64]


def starts_of(
    where: str, wall: Nanoseconds, clock: str, empty: Mask, step: int, *, ends: bool, summer: Marked
) -> Instants:
    """Starts of steps in UTC of clock times that mark their starts or `ends` on `clock`.

    A row of an hour that the clock skips is left out if it is `empty`. An hour that comes twice stands twice, in this
    order, unless rows say which are in `summer` time (1, 0, NaN unknown). The end of the last step before a change
    may be written as the new clock shows it (03:00) or as the old one would (02:00): whichever fits the rows.
    ScenarioError where the rows do not fit the clock.
    """
    if not ends:
        return instants_of(where, wall, clock, empty, step, summer)
    readings: list[Instants] = []
    errors: list[ScenarioError] = []
    for shift, after in ((0, step), (step, 0)):
        try:
            found = instants_of(where, wall - shift, clock, empty, step, summer)
        except ScenarioError as error:
            errors.append(error)
            continue
        readings.append(Instants(found.utc - after, found.kept))
    if not readings:
        raise errors[0]
    if len(readings) == 1 or np.array_equal(readings[0].utc, readings[1].utc):
        return readings[0]
    uneven = [_uneven(reading.utc, step) for reading in readings]
    if uneven[0] == uneven[1]:
        row = int(np.argmax(readings[0].utc != readings[1].utc))
        found_text = f"{_said(wall[row])} may be the end of two steps around the change of the clock of {clock}"
        raise problem("repeated_hour", where, found_text, "write times with their offset, as 2025-03-30T03:00+02:00")
    return readings[int(np.argmin(uneven))]


def instants_of(where: str, wall: Nanoseconds, clock: str, empty: Mask, step: int, summer: Marked) -> Instants:
    """Instants of clock times. ScenarioError for a filled row of a skipped hour, or a lone one of a repeated hour."""
    naive = pd.DatetimeIndex(wall.astype("datetime64[ns]"))
    plain = naive.tz_localize(clock, ambiguous="NaT", nonexistent="NaT")
    everything = np.arange(len(wall))
    if not plain.isna().any():
        _check_marks(where, wall, plain, clock, summer)
        return Instants(_utc(plain), everything)
    first = naive.tz_localize(clock, ambiguous=np.ones(len(wall), bool), nonexistent="NaT")
    there = ~np.asarray(first.isna())
    if (~there & ~empty).any():
        row = int(np.argmax(~there & ~empty))
        found = f"{_said(wall[row])} does not exist on the clock of {clock}"
        raise problem("skipped_hour", where, found, fixed_remedy(clock, naive[row]))
    kept = np.flatnonzero(there)
    early = _utc(first[kept])
    late = _utc(naive[kept].tz_localize(clock, ambiguous=np.zeros(len(kept), bool)))
    chosen = _tell_apart(where, wall[kept], early, late, summer[kept], step, clock)
    _check_marks(where, wall[kept], plain[kept], clock, summer[kept])
    return Instants(chosen, kept)


def _tell_apart(
    where: str, wall: Nanoseconds, early: Nanoseconds, late: Nanoseconds, summer: Marked, step: int, clock: str
) -> Nanoseconds:
    """For each row of a repeated hour the first or the second time: by its mark, else by the order of the rows."""
    twice = early != late
    chosen = np.where(twice & (summer == 0), late, early)
    open_rows = np.flatnonzero(twice & np.isnan(summer))
    if not len(open_rows):
        return chosen
    # Rows in the order of time: newest first is turned round, several series side by side are not.
    backwards = np.median(np.sign(np.diff(wall)[np.diff(wall) != 0])) < 0 if len(wall) > 1 else False
    for group in np.split(open_rows, np.flatnonzero(np.diff(open_rows) > 1) + 1):
        rows = group[::-1] if backwards else group
        before, after = (group[-1] + 1, group[0] - 1) if backwards else (group[0] - 1, group[-1] + 1)
        low = chosen[before] if 0 <= before < len(wall) else None
        high = chosen[after] if 0 <= after < len(wall) else None
        fitting = [
            made
            for k in range(len(rows) + 1)
            if _fits(made := np.concatenate([early[rows[:k]], late[rows[k:]]]), low, high, step)
        ]
        if len(fitting) != 1:
            row = int(rows[0])
            once = "but once here" if len(np.unique(wall[rows])) == len(rows) else "and the rows do not tell which"
            found = f"{_said(wall[row])} comes twice on the clock of {clock}, {once}"
            raise problem("repeated_hour", where, found, fixed_remedy(clock, pd.Timestamp(int(wall[row]))))
        chosen[rows] = fitting[0]
    return chosen


def _fits(made: Nanoseconds, low: int | None, high: int | None, step: int) -> bool:
    """Whether instants rise by whole steps, from the row before them and up to the row after them."""
    chain = np.concatenate([[] if low is None else [low], made, [] if high is None else [high]]).astype(np.int64)
    gaps = np.diff(chain)
    return bool((gaps > 0).all() and (gaps % step == 0).all())


def _check_marks(where: str, wall: Nanoseconds, there: pd.DatetimeIndex, clock: str, summer: Marked) -> None:
    """ScenarioError where a row says summer or winter time and the clock shows the other."""
    marked = ~np.isnan(summer) & ~np.asarray(there.isna())
    if not marked.any():
        return
    rows = np.flatnonzero(marked)
    is_summer = summer_time(there[rows])
    differ = is_summer != (summer[rows] == 1)
    if differ.any():
        row = int(rows[int(np.argmax(differ))])
        said = "summer" if summer[row] == 1 else "winter"
        found = f"{_said(wall[row])} is marked as {said} time, which it is not on the clock of {clock}"
        raise problem("clock_contradicted", where, found, "state the clock that the marks follow, or mend the row")


def summer_time(index: pd.DatetimeIndex) -> Mask:
    """Whether the clock is ahead of its winter time at each stamp."""
    wall = index.tz_localize(None).asi8 - index.tz_convert("UTC").tz_localize(None).asi8
    year = int(index[0].year)
    both = [pd.Timestamp(year=year, month=month, day=1, tz=index.tz).utcoffset() for month in (1, 7)]
    winter = min(offset for offset in both if offset is not None)
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[index.unit]
    return np.asarray(wall > winter.total_seconds() * scale)


def _utc(index: pd.DatetimeIndex) -> Nanoseconds:
    return np.array(index.as_unit("ns").asi8, dtype=np.int64)


def _uneven(utc: Nanoseconds, step: int) -> int:
    return int((np.diff(np.sort(utc)) != step).sum())


def fixed_remedy(clock: str, time: pd.Timestamp) -> str:
    """What to state for a file that keeps its winter time all year."""
    winter = pd.Timestamp(year=time.year, month=1, day=1, tz=clock).utcoffset()
    hours = round(winter.total_seconds() / 3600.0) if winter is not None else 0
    return f'if the file does not change its clock, state clock="Etc/GMT{-hours:+d}", else mend the row'


def _said(wall: np.int64) -> str:
    return f"{pd.Timestamp(int(wall)):%Y-%m-%d %H:%M}"
