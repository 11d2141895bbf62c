"""Plain tables: columns of times and of values, told by their names and cells."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.choices import WORDS, named_column
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Layout, Values, matching
from bess_opt.inputs.readers.problems import listed, problem, question
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.times.ends import says_end, says_start
from bess_opt.inputs.readers.times.periods import are_clock_times, are_numbers, is_clock_time
from bess_opt.inputs.readers.times.words import SUMMER, WINTER, is_time
from bess_opt.inputs.readers.units import fits, unit_in
from bess_opt.inputs.readers.wide import DATE, PERIOD, VALUE

_TIME = (
    r"date|time|datum|zeit|fecha|stamp|measured_on|hour|stunde|^utc|period|interval|^start|^end|\bvon\b|\bbis\b|"
    r"begin|settlement|valid_|^index$|^$"
)
_PERIOD = (
    r"^(he|hour|hours|hr|stunde|hora|period|periodo|interval|settlement[ _]?period|hour[ _]?ending|hourending|"
    r"hour[ _]?end|opr_hr|time|uhrzeit|zeit)\b"
)
_PARTS = ("year|jahr|año|anno|yr", "month|monat|mes|mese|mo", "day|tag|dia|día|giorno", "hour|stunde|hora|ora|hr|he")
_PARTED = "date of its columns"
_UTC = r"utc|gmt(?![+-]\d)|zulu"
_FIXED = r"\((?:UTC|GMT)([+-]\d{1,2})(?::00)?\)"
_OTHER_PLACES = r"^(node|area|zone|region|location|name|entity_id|meter|nmi|bidding zone|hub|site)(_?id|_?name)?$"


def plain_layout(table: Table, stated: Stated, log: Log, unknown: Callable[[Table, str], Exception]) -> Layout:
    """Where times, periods and values stand in a table of no known kind. `unknown` makes the error for none."""
    marks = _zone_marks(table)
    summer = (marks, SUMMER, WINTER) if marks is not None else None
    layout = Layout(
        values={stated.quantity: Values(_fitting(table, stated))}, places=_places(table, marks), summer=summer
    )
    if table.names[:2] == (DATE, PERIOD):
        only = Values(rf"^{VALUE}$")
        return _with_zone(replace(_dated(table, DATE, PERIOD, layout), values={stated.quantity: only}))
    time, period = stated.take("time_column"), stated.take("period_column")
    if time is not None:
        name = named_column(table, str(time), "time_column")
        log.decide("time column", name or "the column without a name", "stated")
        if period is not None:
            return _with_zone(_dated(table, name, named_column(table, str(period), "period_column"), layout))
        return _with_zone(_stamped(table, name, layout))
    found = _times(table)
    parted = _parted_dates(table)
    if parted is not None and period is None:
        log.decide("time columns", ", ".join(parted[1]), "file")
        made = ((_PARTED, parted[0]),)
        with_date = replace(layout, made=made)
        if len(parted[1]) > 3:
            return _dated(table, _PARTED, parted[1][3], with_date)
        return _stamped(table, _PARTED, with_date, str(parted[0][0].as_py()))
    if not found:
        if period is None and _numbers_only(table) and (stated.has("year") or _named_values(table, stated)):
            return replace(layout, year=year_of(table, stated))
        raise unknown(table, f"has the columns {listed(table.names)}, none of them of times")
    if period is not None:
        return _with_zone(_dated(table, found[0], named_column(table, str(period), "period_column"), layout))
    return _with_zone(_from_names(table, found, log, layout))


def _fitting(table: Table, stated: Stated) -> str:
    """A pattern for the columns whose name speaks of the quantity, those with a fitting unit first."""
    quantity = stated.quantity
    named = [name for name in matching(table, WORDS[quantity]) if not _timely(table, name)]
    fitting = [
        name for name in named if fits(unit_in(name) or unit_in(table.unit(name)) or table.unit(name), quantity)
    ]
    if not named:
        own = {"price": r"/", "load": "", "solar": ""}[quantity]
        named = [n for n in table.names if own and own in unit_in(n) and fits(unit_in(n), quantity)]
        fitting = named
    if stated.has("unit") or stated.has("capacity_mw") or not fitting:
        fitting = fitting or named
    return "|".join(rf"^{re.escape(name)}$" for name in fitting) or r"(?!)"


def _timely(table: Table, name: str) -> bool:
    first = table.first(name)
    return bool(first) and not re.fullmatch(r"[-+]?[\d.,]+", first) and is_time(first)


def _times(table: Table) -> list[str]:
    """Columns whose name or place speaks of time and whose cells are times."""
    named = [name for name in table.names if re.search(_TIME, name, re.IGNORECASE)]
    return [name for name in named if _holds_times(table, name)] or [
        name for name in table.names if _timely(table, name) and len(table.first(name)) > 6
    ]


def _holds_times(table: Table, name: str) -> bool:
    first = table.first(name)
    if re.fullmatch(r"\d{10}(\d{3})?(\.\d+)?", first):
        return True
    if re.fullmatch(r"\d{1,3}|\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?", first):
        return False
    return is_time(first.partition(" - ")[0]) or bool(
        re.match(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{4}-\d{2}-\d{2}T", first)
    )


def _from_names(table: Table, found: list[str], log: Log, layout: Layout) -> Layout:
    """The time columns that are there: UTC before local, start and end, date and hour, or a single one."""
    utc = [name for name in found if re.search(_UTC, name, re.IGNORECASE) and not re.search(_FIXED, name)]
    if utc:
        starts = [name for name in utc if not says_end(name)] or utc
        ends = [name for name in utc if says_end(name) and name != starts[0]]
        log.decide("time column", starts[0], "file", "the column in UTC is read", where=f"column {starts[0]}")
        others = [name for name in found if name not in utc and _has_clock(table, name)]
        beside = [name for name in others if says_end(name) == says_end(starts[0])]
        return replace(
            layout, utc=starts[0], end=ends[0] if ends else None, local=beside[0] if len(beside) == 1 else None
        )
    starts = [name for name in found if says_start(name)]
    ends = [name for name in found if says_end(name)]
    if len(starts) == 1 and len(ends) == 1 and _has_clock(table, starts[0]) and _has_clock(table, ends[0]):
        log.decide("time columns", f"{starts[0]}, {ends[0]}", "file")
        return replace(layout, start=starts[0], end=ends[0])
    clocked = [name for name in found if _has_clock(table, name)]
    if not clocked:
        return _date_and_hour(table, found[0], log, layout)
    if len(clocked) > 1 and not _alike(table, clocked):
        first = [f"{table.first(name)}" for name in clocked]
        readings = [(f"time_column={name!r}", text) for name, text in zip(clocked, first, strict=True)]
        raise question("several_columns", table.source, f"has {len(clocked)} columns of times", readings)
    log.decide("time column", clocked[0] or "the column without a name", "file")
    return _stamped(table, clocked[0], layout)


def _alike(table: Table, names: list[str]) -> bool:
    first = table.cells(names[0])
    return all(table.cells(name).equals(first) for name in names[1:])


def _has_clock(table: Table, name: str) -> bool:
    """Whether the cells of a column have times of day; midnights that repeat are dates, as workbooks keep them."""
    first = table.first(name)
    if re.search(r"[ T]00:00(:00)?$", first):
        cells = table.cells(name)
        midnights = pc.all(pc.match_substring_regex(cells, r"[ T]00:00(:00)?$")).as_py()
        return not midnights or len(cells.unique()) == len(cells)
    return bool(re.search(r"\d{1,2}:\d{2}|\d{10}|T\d{2}", first))


def _date_and_hour(table: Table, date: str, log: Log, layout: Layout) -> Layout:
    """A date, with the hour or the number of the step in another column; or a value for each day."""
    periods = [name for name in matching(table, _PERIOD) if name != date]
    periods = [name for name in periods if are_numbers(table.cells(name)) or are_clock_times(table.cells(name))]
    likely = [name for name in table.names if name != date and is_clock_time(table.first(name))]
    clocks = [name for name in likely if are_clock_times(table.cells(name))]
    begins, stops = ([name for name in clocks if says(name)] for says in (says_start, says_end))
    if len(begins) == 1 and stops:
        log.decide("time columns", f"{date}, {begins[0]}", "file", "times of the start of the step are read")
        return replace(layout, date=date, time=begins[0], stamps="start")
    if len(periods) > 1:
        readings = [(f"period_column={name!r}", table.first(name)) for name in periods]
        raise question("several_columns", table.source, f"has {len(periods)} columns of hours", readings)
    if periods:
        log.decide("time columns", f"{date}, {periods[0]}", "file")
        return _dated(table, date, periods[0], layout)
    log.decide("time column", date, "file")
    return _stamped(table, date, layout)


def _parted_dates(table: Table) -> tuple[pa.Array, tuple[str, ...]] | None:
    """Dates of columns for year, month and day, and these columns, with that of the hour if there is one."""
    named = [next(iter(matching(table, rf"^({words})$")), None) for words in _PARTS]
    if any(name is None for name in named[:3]):
        return None
    columns = tuple(name for name in named if name is not None)
    cells = [table.cells(name) for name in columns[:3]]
    if not all(pc.all(pc.match_substring_regex(c, r"^\d{1,4}$")).as_py() for c in cells):
        return None
    year, month, day = (pc.utf8_lpad(c, width, "0") for c, width in zip(cells, (4, 2, 2), strict=True))
    return pc.binary_join_element_wise(year, month, day, "-"), columns


def _stamped(table: Table, name: str, layout: Layout, first: str | None = None) -> Layout:
    if re.fullmatch(r"\d{10}(\d{3})?(\.\d+)?", table.first(name) if first is None else first):
        return replace(layout, utc=name)
    return replace(layout, start=name)


def _dated(table: Table, date: str, period: str, layout: Layout) -> Layout:
    """A date column with a column of numbers or of times of day."""
    if are_numbers(table.cells(period)) and not are_clock_times(table.cells(period)):
        first = 1 if re.search(r"\bHE\b|ending", period, re.IGNORECASE) or _says_he(table, period) else None
        return replace(layout, date=date, period=period, first_period=first)
    if are_clock_times(table.cells(period)):
        stamps = "end" if says_end(period) or re.search(r"hour_?end", period, re.IGNORECASE) else None
        return replace(layout, date=date, time=period, stamps=stamps)  # type: ignore[arg-type]
    found = f"found {table.first(period)!r}, which is neither a number of a step nor a time of day"
    raise problem("unreadable_time", f"{table.source} column {period}", found, "state another period_column")


def _says_he(table: Table, period: str) -> bool:
    return bool(re.match(r"HE", table.first(period), re.IGNORECASE))


def _with_zone(layout: Layout) -> Layout:
    """The clock that a column's name writes as a fixed distance from UTC."""
    name = layout.start or layout.date or ""
    fixed = re.search(_FIXED, name, re.IGNORECASE)
    if fixed and layout.clock is None:
        return replace(layout, clock=f"Etc/GMT{-int(fixed[1]):+d}" if int(fixed[1]) else "UTC")
    return layout


def _zone_marks(table: Table) -> str | None:
    """A column that names the zone of each row's time, such as CET and CEST."""
    words = {word for word in (*SUMMER, *WINTER) if len(word) > 1}
    likely = [name for name in table.names if table.first(name).upper() in words]
    return next((name for name in likely if {cell.upper() for cell in table.uniques(name)} <= words), None)


def _places(table: Table, marks: str | None) -> tuple[str, ...]:
    named = [name for name in matching(table, _OTHER_PLACES) if name != marks]
    found = [name for name in named if not re.fullmatch(r"[\d.,+-]*", table.first(name))]
    several = [name for name in found if len(table.uniques(name)) > 1]
    return tuple(several[:1] or found[:1])


def _numbers_only(table: Table) -> bool:
    numeric = r"^[-+]?[\d.,]*\d([eE][-+]?\d+)?$"
    return all(
        pc.all(pc.match_substring_regex(table.cells(name).slice(0, 50), numeric)).as_py() for name in table.names
    )


def _named_values(table: Table, stated: Stated) -> bool:
    return bool(matching(table, WORDS[stated.quantity])) or stated.has("column")


def year_of(table: Table, stated: Stated) -> int:
    """The stated year of rows that do not say theirs. ScenarioError without it."""
    year = stated.take("year")
    if year is None:
        raise problem("missing_year", table.source, "does not say its year", "state year, e.g. year=2025")
    return int(year)
