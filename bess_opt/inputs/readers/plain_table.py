"""Plain tables: a column of times and columns whose names state their units; SAM's exports; columns without times.

Hour-ending stamps are told by "(he)" in the column's name, as DER-VET writes it. SAM's years have 8,760 hours on
the standard clock and no number; a file of values only begins on 1 January of the stated year.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from bess_opt.common.findings import Finding
from bess_opt.inputs.readers.format import Format, Found, Request, choose, stated_clock, unit_for
from bess_opt.inputs.readers.problems import note, problem
from bess_opt.inputs.readers.sheet import Sheet
from bess_opt.inputs.readers.stamps import (
    StampKind,
    in_words,
    localised,
    read_naive,
    read_offsets,
    runs_from_midnight,
    step_of,
    whole_year,
    with_offsets,
)
from bess_opt.inputs.readers.units import fits, unit_in

_TIME = r"^(date|time|datum|zeit|timestamp|measured_on|hour_beginning|hour_ending|utc)"
_SAM_STAMP = r"[A-Z][a-z]{2} \d{1,2}, \d{1,2}:\d{2} ?[ap]m"
_WORDS = {"price": r"price|preis|lmp|tariff", "load": r"load|demand|last|verbrauch|consumption", "solar": r"pv|solar"}


def _times(sheet: Sheet) -> str | None:
    return next((name for name in sheet.header if re.match(_TIME, name, re.IGNORECASE)), None)


def _knows(sheet: Sheet) -> bool:
    return _times(sheet) is not None and not _knows_sam(sheet)


def _knows_sam(sheet: Sheet) -> bool:
    return bool(re.fullmatch(_SAM_STAMP, sheet.columns[0][0], re.IGNORECASE))


def _knows_values(sheet: Sheet) -> bool:
    """Columns of numbers, of which at least one bears the name of what we read."""
    named = any(re.search(word, name, re.IGNORECASE) for word in _WORDS.values() for name in sheet.header)
    return (
        named
        and _times(sheet) is None
        and all(re.fullmatch(r"-?[\d.]+([eE]-?\d+)?", column[0]) for column in sheet.columns)
    )


def _read(sheet: Sheet, request: Request) -> Found:
    column, unit = _column(sheet, request)
    time = _times(sheet) or sheet.header[0]
    texts, values = sheet.cells(time), sheet.numbers(column)
    where = f"{sheet.source} column {time}"
    if with_offsets(texts):
        if request.clock is None:
            raise problem("no_time_zone", where, "has offsets, which name no zone", 'state clock, "Europe/Berlin"')
        starts = read_offsets(sheet.source, texts)
        return Found(starts, values, unit, stated_clock(sheet, request), column, (note(where, "read as starts"),))
    naive = read_naive(sheet.source, texts)
    step = step_of(naive)
    stamps = request.stamps or _stamps(sheet, time, naive, step)
    clock = stated_clock(sheet, request)
    found = localised(sheet.source, naive, clock, np.isnan(values), stamps, step)
    notes = [note(where, f"stamps on the clock of {clock} are {stamps}s of steps of {in_words(step)}")]
    if stamps == "end":
        notes = [note(where, f"ends of steps on the clock of {clock} are moved back by {in_words(step)} to starts")]
    return Found(found.index, values[found.kept], unit, clock, column, tuple(notes))


def _read_rows(sheet: Sheet, request: Request) -> Found:
    """A year of rows without a year in their stamps, or without stamps."""
    column, unit = _column(sheet, request)
    if request.year is None:
        raise problem("missing_year", sheet.source, "does not say its year", "state year, e.g. year=2025")
    clock = stated_clock(sheet, request)
    values = sheet.numbers(column)
    starts = whole_year(sheet.source, len(values), request.year, clock)
    said = f"{len(values):,} rows are the steps of {request.year} on the clock of {clock}, from 1 January 00:00"
    return Found(
        starts, values, unit, clock, column, (note(sheet.source, said, "see that the year fits", warns=True),)
    )


def _column(sheet: Sheet, request: Request) -> tuple[str, str]:
    named = [name for name in sheet.header if re.search(_WORDS[request.quantity], name, re.IGNORECASE)]
    fitting = [name for name in named if fits(_unit_of(sheet, name), request.quantity)]
    if request.capacity_mw is not None or request.unit is not None:
        fitting = fitting or named
    column = choose(sheet, request, fitting)
    return column, unit_for(sheet, request, column)


def _unit_of(sheet: Sheet, name: str) -> str:
    return unit_in(name) or unit_in(sheet.units[sheet.header.index(name)])


def _stamps(sheet: Sheet, time: str, naive: pd.DatetimeIndex, step: pd.Timedelta) -> StampKind:
    """What the column's name says, unless its rows say something else."""
    if not re.search(r"\(he\)|ending", time, re.IGNORECASE):
        return "start"
    if runs_from_midnight(naive, step):
        found = f"is named hour-ending, but runs from {naive[0]:%Y-%m-%d %H:%M} to {naive[-1]:%Y-%m-%d %H:%M}"
        raise problem("stamps_unclear", f"{sheet.source} column {time}", found, 'state stamps="start" or "end"')
    return "end"


def per_rated(values: np.ndarray, capacity_mw: float | None, source: str) -> tuple[np.ndarray, Finding]:
    """Shares of the rated power as MW. ScenarioError without the rated power."""
    if capacity_mw is None:
        raise problem("missing_capacity", source, "gives power per rated power", "state capacity_mw, the rated power")
    return values * capacity_mw, note(source, f"shares of the rated power are multiplied by {capacity_mw:g} MW")


TABLE = Format("table", '"Datetime (he)" or "time", "DA Price ($/kWh)" or "Site Load (kW)"', _knows, _read)
SAM = Format("SAM", '"Time stamp" with "Jan 1, 12:00 am", "Electricity load [kW]"', _knows_sam, _read_rows)
VALUES = Format("values without times", '"load_kw", one row per step of a year', _knows_values, _read_rows)
