"""The rows of a table as starts of steps in UTC, whatever columns their times stand in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bess_opt.common.wording import minutes
from bess_opt.inputs.readers.arguments import StampKind, Stated
from bess_opt.inputs.readers.file.table import Mask, Table, split_once
from bess_opt.inputs.readers.layout import Layout
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.times.beside import check_local, on_the_clock
from bess_opt.inputs.readers.times.ends import choose_end
from bess_opt.inputs.readers.times.localise import starts_of
from bess_opt.inputs.readers.times.order import choose_order
from bess_opt.inputs.readers.times.periods import instants_of_periods, read_periods
from bess_opt.inputs.readers.times.steps import step_of
from bess_opt.inputs.readers.times.words import Nanoseconds, Words, read_words

CLOCK_REMEDY = 'state clock, e.g. clock="Europe/Berlin", or clock="Etc/GMT+8" for UTC-8 all year'
SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Timed:
    """Starts in UTC [ns] of the `kept` of so many `rows`; `written`: distance of a row's own two times [ns]."""

    starts: Nanoseconds
    kept: npt.NDArray[np.int64]
    rows: int
    zone: str
    step: int
    written: Nanoseconds | None = None


def timed_rows(table: Table, layout: Layout, empty: Mask, stated: Stated, log: Log) -> Timed:
    """When each row's step begins. `empty` are the rows without a value, which a skipped hour may have."""
    if layout.year is not None:
        return _whole_year(table, layout, stated, log)
    if layout.period is not None and layout.date is not None:
        return _numbered(table, layout, empty, stated, log)
    if layout.utc is not None:
        return _in_utc(table, layout, stated, log)
    return _on_a_clock(table, layout, empty, stated, log)


def _in_utc(table: Table, layout: Layout, stated: Stated, log: Log) -> Timed:
    """Instants in UTC, with or without saying so; the clock of the caller or the file's market shows the result."""
    name = str(layout.utc)
    where = f"{table.source} column {name}"
    words = _epoch(table.cells(name)) or read_words(where, table.cells(name))
    order = choose_order(words, where, stated, log, layout.order)
    utc = words.wall(order)
    offsets = words.offsets
    if offsets is not None:
        utc = utc - (offsets * SECOND_NS).astype(np.int64)
    step = _stated_step(layout) or step_of(utc)
    zone = stated.take("clock") or layout.zone
    if layout.local is not None:
        check_local(table, layout.local, utc, zone)
    shown = utc if zone is None else on_the_clock(utc, zone)
    ends = choose_end(shown, step, name, words.late, where, stated, log, layout.stamps) == "end"
    zone = zone or "UTC"
    log.decide("clock", "UTC", "file", f"times are {'ends' if ends else 'starts'} in UTC", where=f"column {name}")
    written = None
    if layout.end is not None and not ends:
        other = _epoch(table.cells(layout.end)) or read_words(
            f"{table.source} column {layout.end}", table.cells(layout.end)
        )
        later = other.wall(choose_order(other, where, stated, Log(""), layout.order))
        if other.offsets is not None:
            later = later - (other.offsets * SECOND_NS).astype(np.int64)
        written = later - utc
        _check_lengths(table, utc, written)
    return Timed(utc - (step if ends else 0), np.arange(len(utc)), len(utc), zone, step, written)


def _on_a_clock(table: Table, layout: Layout, empty: Mask, stated: Stated, log: Log) -> Timed:
    name = layout.start if layout.start is not None else layout.date or ""
    where = f"{table.source} column {name}"
    begin, end = _split_interval(table.cells(name))
    words = read_words(where, begin, table.cells(layout.time) if layout.time else None)
    order = choose_order(words, where, stated, log, layout.order)
    wall = words.wall(order)
    if words.offsets is not None:
        return _with_offsets(table, layout, name, words, wall, stated, log)
    written = _written(table, layout, end, wall, order)
    step = _stated_step(layout) or (_usual(written) if written is not None else step_of(wall))
    known: StampKind | None = "start" if written is not None else layout.stamps
    stamps = choose_end(wall, step, name, words.late, where, stated, log, known)
    clock = _clock(where, layout, stated)
    summer = _summer(table, layout, words)
    found = starts_of(f"{table.source}, times", wall, clock, empty, step, ends=stamps == "end", summer=summer)
    said = f"interval starts are read on the clock of {clock}"
    if written is None:
        said = f"stamps on the clock of {clock} are {stamps}s of steps of {step / 60e9:g} min"
    if stamps == "end":
        said = f"ends of steps on the clock of {clock} are moved back by {step / 60e9:g} min to starts"
    basis = "stated" if stated.has("clock") else "kind"
    log.decide("clock", clock, basis, said, where=f"column {name}")  # type: ignore[arg-type]
    zone = layout.zone if layout.zone and not stated.has("clock") else clock
    return Timed(found.utc, found.kept, len(wall), zone, step, written)


def _with_offsets(
    table: Table, layout: Layout, name: str, words: Words, wall: Nanoseconds, stated: Stated, log: Log
) -> Timed:
    """Stamps that say their own offset from UTC: instants; the zone shows only which clock days follow."""
    where = f"{table.source} column {name}"
    offsets = words.offsets if words.offsets is not None else np.zeros(len(wall))
    utc = wall - (offsets * SECOND_NS).astype(np.int64)
    step = _stated_step(layout) or step_of(utc)
    known = "start" if layout.end is not None else layout.stamps
    zone = stated.take("clock") or layout.zone or dict(table.zones).get(name)
    shown = wall if zone is None else on_the_clock(utc, str(zone))
    stamps = choose_end(shown, step, name, words.late, where, stated, log, known)
    if zone is None and (offsets == 0).all():
        zone = "UTC"
    if zone is None:
        zone = stated.given.get("time_zone")
    if zone is None:
        raise problem("no_time_zone", where, "has offsets, which name no zone", 'state clock, "Europe/Berlin"')
    log.decide(
        "clock",
        "the offsets of the stamps",
        "file",
        f"{stamps}s are read with their own offsets",
        where=f"column {name}",
    )
    written = None
    if layout.end is not None and stamps == "start":
        other = read_words(f"{table.source} column {layout.end}", table.cells(layout.end))
        if other.offsets is not None:
            order = choose_order(other, where, stated, Log(""), layout.order)
            written = other.wall(order) - (other.offsets * SECOND_NS).astype(np.int64) - utc
            _check_lengths(table, utc, written)
    return Timed(utc - (step if stamps == "end" else 0), np.arange(len(utc)), len(utc), str(zone), step, written)


def _numbered(table: Table, layout: Layout, empty: Mask, stated: Stated, log: Log) -> Timed:
    date, period = str(layout.date), str(layout.period)
    where = f"{table.source} column {date}"
    words = read_words(where, table.cells(date))
    order = choose_order(words, where, stated, log, layout.order)
    days = words.wall(order) // 86_400_000_000_000 * 86_400_000_000_000
    number_where = f"{table.source} column {period}"
    numbers = read_periods(table.cells(period), number_where, stated, log, layout.step_min, layout.first_period)
    if layout.part is not None:
        quarter = read_periods(table.cells(layout.part), f"{table.source} column {layout.part}", stated, log, 15.0, 1)
        numbers = replace(numbers, number=(numbers.number - numbers.first) * 4 + quarter.number)
    if layout.summer is not None and table.has(layout.summer[0]):
        summer = _flag(table, layout)
        numbers = replace(numbers, second=np.where(np.isnan(summer), numbers.second, 1.0 - summer))
    clock = _clock(where, layout, stated)
    found = instants_of_periods(f"{table.source}, times", days, numbers, clock, empty, counted=layout.counted)
    said = f"numbers of steps of {numbers.step / 60e9:g} min from {numbers.first} are put on the clock of {clock}"
    log.decide("clock", clock, "stated" if stated.has("clock") else "kind", said, where=f"columns {date}, {period}")
    zone = layout.zone if layout.zone and not stated.has("clock") else clock
    return Timed(found.utc, found.kept, len(days), zone, numbers.step)


def _clock(where: str, layout: Layout, stated: Stated) -> str:
    """The clock of bare times. ScenarioError if neither the caller nor the kind of file says it."""
    given = stated.take("clock") or layout.clock
    if given is None:
        raise problem("no_time_zone", where, "says no time zone", CLOCK_REMEDY)
    return str(given)


def _stated_step(layout: Layout) -> int | None:
    return None if layout.step_min is None else int(layout.step_min * 60_000_000_000)


def _split_interval(cells: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Starts and ends of cells such as "01.01.2023 00:00 - 01.01.2023 01:00"."""
    if not pc.all(pc.match_substring(cells, " - ")).as_py():
        return cells, None
    begin, end = split_once(cells, " - ")
    # A zone in brackets behind the end is that of both.
    begin, end = pc.utf8_trim_whitespace(begin), pc.utf8_trim_whitespace(end)
    return begin, pc.replace_substring_regex(end, r"\s*\([A-Z]+/[A-Z]+\)$", "")


def _written(table: Table, layout: Layout, end: pa.Array | None, wall: Nanoseconds, order: str) -> Nanoseconds | None:
    """Distance of a row's two clock times [ns]; None if it has one."""
    if layout.end is not None:
        end = table.cells(layout.end)
    if end is None:
        return None
    words = read_words(f"{table.source} column {layout.end or layout.start}", end)
    if order not in words.days:
        found = f"found {words.texts[0].as_py()!r}, whose date is written otherwise than that of its start"
        raise problem("unreadable_time", f"{table.source}, times", found, "write both times alike")
    written = words.wall(order) - wall
    _check_lengths(table, wall, written)
    return written


def _check_lengths(table: Table, starts: Nanoseconds, written: Nanoseconds) -> None:
    """ScenarioError where rows end before they start, save by a clock that goes back, or reach into the next rows."""
    forward = _usual(written) >= 0 and bool((written > 0).any())
    wrong = written < -3_600_000_000_000 if forward else written <= 0
    advice = "see which column holds the starts of steps"
    if wrong.any():
        row = int(np.argmax(wrong))
        raise problem("unreadable_time", table.row(row), "ends before it starts, or as it starts", advice)
    order = np.argsort(starts, kind="stable")
    gaps = np.diff(starts[order])
    over = (gaps > 0) & (written[order][:-1] > gaps)
    if over.sum() * 2 > len(gaps):
        row = int(order[int(np.argmax(over))])
        found = (
            f"lasts {minutes(int(written[row]))}, but the next one begins {minutes(int(gaps[np.argmax(over)]))} later"
        )
        raise problem("unreadable_time", table.row(row), found, advice)


def _usual(written: Nanoseconds) -> int:
    lengths, counts = np.unique(written, return_counts=True)
    return int(lengths[np.argmax(counts)])


def _summer(table: Table, layout: Layout, words: Words) -> npt.NDArray[np.float64]:
    if layout.summer is not None and table.has(layout.summer[0]):
        return _flag(table, layout)
    return words.summer


def _flag(table: Table, layout: Layout) -> npt.NDArray[np.float64]:
    """A column that tells repeated hours apart as 1 for summer time, 0 for winter time, NaN for neither."""
    name, first, second = layout.summer or ("", (), ())
    cells = pc.utf8_upper(table.cells(name))
    summer = pc.is_in(cells, pa.array([word.upper() for word in first], pa.string())).to_numpy(zero_copy_only=False)
    winter = pc.is_in(cells, pa.array([word.upper() for word in second], pa.string())).to_numpy(zero_copy_only=False)
    return np.where(summer, 1.0, np.where(winter, 0.0, np.nan))


def _epoch(cells: pa.Array) -> Words | None:
    """Seconds or milliseconds since 1970 as stamps in UTC; None if the cells are none."""
    if not pc.all(pc.match_substring_regex(cells, r"^\d{10}(\d{3})?(\.\d+)?$")).as_py():
        return None
    values = pc.cast(cells, pa.float64()).to_numpy(zero_copy_only=False)
    seconds = np.where(values > 1e11, values / 1000.0, values)
    nanoseconds = np.round(seconds * 1e3).astype(np.int64) * 1_000_000
    unique, at = np.unique(nanoseconds, return_inverse=True)
    nothing = np.zeros(len(cells), dtype=np.int32)
    return Words(
        cells,
        nothing,
        at.astype(np.int32),
        {"seconds since 1970": np.zeros(1, np.int64)},
        unique,
        np.zeros(len(unique)),
        ("",) * len(unique),
        False,
    )


def _whole_year(table: Table, layout: Layout, stated: Stated, log: Log) -> Timed:
    """Rows without times as equal steps that fill a year on the stated clock. ScenarioError if they do not."""
    year = int(layout.year or 0)
    clock = _clock(table.source, layout, stated)
    begin, end = (pd.Timestamp(year=y, month=1, day=1, tz=clock) for y in (year, year + 1))
    hours = (end - begin).total_seconds() / 3600.0
    per_hour = len(table) / hours
    if per_hour < 1 or per_hour != round(per_hour) or 60 % round(per_hour):
        found = f"has {len(table):,} rows, which do not fill the {hours:,.0f} hours of {year}"
        expected = "give one row for each step of the year, or another year (some tools leave 29 February out)"
        raise problem("odd_step", table.source, found, expected)
    step = 3_600_000_000_000 // round(per_hour)
    starts = begin.tz_convert("UTC").value + np.arange(len(table), dtype=np.int64) * step
    said = f"{len(table):,} rows are the steps of {year} on the clock of {clock}, from 1 January 00:00"
    log.decide("times", f"the year {year}", "stated", said, expected="see that the year fits", warns=True)
    return Timed(starts, np.arange(len(table)), len(table), clock, step)
