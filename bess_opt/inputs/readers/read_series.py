"""Users' own files as series: market prices, loads and solar power, put on our clock and in our units.

Each kind of file has a room `readers_*`; this one chooses it, and finishes what all have in common.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bess_opt.common.findings import Finding
from bess_opt.inputs.readers import caiso as readers_caiso
from bess_opt.inputs.readers import energy_charts as readers_energy_charts
from bess_opt.inputs.readers import entsoe as readers_entsoe
from bess_opt.inputs.readers import plain_table as readers_table
from bess_opt.inputs.readers import pvgis as readers_pvgis
from bess_opt.inputs.readers.format import Found, Request, checked_zone, kind_and_factor
from bess_opt.inputs.readers.problems import note, problem
from bess_opt.inputs.readers.sheet import Floats, read_sheet
from bess_opt.inputs.readers.stamps import StampKind, in_words, step_of
from bess_opt.inputs.readers.units import Quantity
from bess_opt.inputs.series.imported import ImportedSeries

FORMATS = (
    readers_entsoe.FORMAT,
    readers_caiso.FORMAT,
    readers_energy_charts.FORMAT,
    readers_table.SAM,
    readers_table.TABLE,
    readers_table.VALUES,
)
_NAMES: dict[Quantity, str] = {"price": "price_per_mwh", "load": "load_mw", "solar": "solar_mw"}
_DEAR = 3000.0  # per MWh in these currencies: a median beyond it is a wrong unit, not a market
_HARD = ("eur", "usd", "gbp", "€", "$", "£")


def read_prices(
    file: str | Path,
    *,
    time_zone: str | None = None,
    clock: str | None = None,
    column: str | None = None,
    place: str | None = None,
    unit: str | None = None,
    stamps: StampKind | None = None,
    year: int | None = None,
) -> ImportedSeries:
    """Prices of a file as `price_per_mwh` [currency/MWh], index: start of each step, tz-aware.

    Knows exports of ENTSO-E's transparency platform, CAISO OASIS (CSV or zip) and energy-charts (CSV or JSON),
    and plain tables whose columns state their units. `.notes` says what was done.

    `time_zone`: IANA name of the result's clock; default: the market's own, or `clock`. What a file does not say
    is stated: `clock`, the zone of bare times, with "Etc/GMT+8" for UTC-8 all year; `column`, its name or a part
    of it; `place`, node or area; `unit` such as "USD/kWh" or "ct/kWh", over what the file says; `stamps`, whether
    times are "start" or "end" of their steps; `year` of rows without one.
    ScenarioError for an unknown format, naming the columns found, or for whatever does not fit.
    """
    request = Request("price", clock, column, place, unit, stamps, year)
    return _series(Path(file), request, time_zone)


def read_load(
    file: str | Path,
    *,
    time_zone: str | None = None,
    clock: str | None = None,
    column: str | None = None,
    place: str | None = None,
    unit: str | None = None,
    stamps: StampKind | None = None,
    year: int | None = None,
) -> ImportedSeries:
    """Load of a file as `load_mw` [MW], mean over each step, index: start of each step, tz-aware.

    Formats, arguments and errors as in `read_prices`; `unit` is one of GW, MW, kW, W, or MWh, kWh per step.
    """
    request = Request("load", clock, column, place, unit, stamps, year)
    return _series(Path(file), request, time_zone)


def read_solar(
    file: str | Path,
    *,
    capacity_mw: float | None = None,
    time_zone: str | None = None,
    clock: str | None = None,
    column: str | None = None,
    unit: str | None = None,
    stamps: StampKind | None = None,
    year: int | None = None,
) -> ImportedSeries:
    """Solar power of a file as `solar_mw` [MW] at the AC side, index: start of each step, tz-aware.

    Knows PVGIS's hourly PV power (its column P; needs pvlib), SAM's exports, energy-charts and plain tables.
    `capacity_mw` is the rated power of a file that gives shares of it. Other arguments and errors as in
    `read_prices`. Weather without power goes through `bess_opt.solar`.
    """
    request = Request("solar", clock, column, None, unit, stamps, year, capacity_mw)
    return _series(Path(file), request, time_zone)


def _series(path: Path, request: Request, time_zone: str | None) -> ImportedSeries:
    if request.stamps not in (None, "start", "end"):
        raise problem("unknown_word", "stamps", f"found {request.stamps!r}", "give 'start' or 'end'")
    found = readers_pvgis.read(path) if request.quantity == "solar" and readers_pvgis.knows(path) else None
    found = found or _found(path, request)
    values, notes = _converted(path.name, found, request)
    zone = checked_zone(time_zone, "time_zone") if time_zone else found.zone
    index, values, more = _ordered(path.name, found.starts, values)
    frame = pd.DataFrame({_NAMES[request.quantity]: values}, index=index.tz_convert(zone).rename("time"))
    empty = int(np.isnan(values).sum())
    if empty:
        first = frame.index[int(np.argmax(np.isnan(values)))]
        what, remedy = f"{empty:,} values are missing, first at {first}", "state series_options={'fill': {...}}"
        more.append(note(path.name, what, remedy, warns=True))
    span = f"{len(frame):,} steps of {in_words(step_of(index))} from {frame.index[0]} in {zone}"
    return ImportedSeries.of(frame, (*found.notes, *notes, *more, note(path.name, span)))


def _found(path: Path, request: Request) -> Found:
    sheet = read_sheet(path)
    for form in FORMATS:
        if form.knows(sheet):
            return form.read(sheet, request)
    known = "; ".join(f"{form.name}: {form.looks_like}" for form in FORMATS)
    found = f"has the columns {', '.join(sheet.header[:12])}{' …' if len(sheet.header) > 12 else ''}"
    raise problem("unknown_format", path.name, found, f"known formats are {known}")


def _converted(source: str, found: Found, request: Request) -> tuple[Floats, list[Finding]]:
    """Values in our units, and what was done to them."""
    kind, factor = kind_and_factor(found.unit)
    where = f"{source} column {found.column}"
    if kind == "share":
        values, done = readers_table.per_rated(found.values, request.capacity_mw, where)
        return values, [done]
    values = found.values * factor
    ours = "MW" if kind != "price" else "currency/MWh"
    notes = [note(where, f"read as {found.unit}" + ("" if factor == 1.0 else f", times {factor:g} to {ours}"))]
    if kind == "energy":
        step = step_of(found.starts)
        values = values / (step / pd.Timedelta(hours=1))
        notes.append(note(where, f"energy of each step of {in_words(step)} is made its mean power"))
    hard = any(word in found.unit.lower() for word in _HARD)
    median = float(np.nanmedian(np.abs(values))) if np.isfinite(values).any() else 0.0
    if kind == "price" and hard and request.unit is None and median > _DEAR:
        found_text = (
            f"a median price of {median:,.0f} per MWh is no price, if the unit is {found.unit} as the file says"
        )
        raise problem("implausible_unit", where, found_text, 'state unit, e.g. unit="USD/MWh"')
    return values, notes


def _ordered(source: str, starts: pd.DatetimeIndex, values: Floats) -> tuple[pd.DatetimeIndex, Floats, list[Finding]]:
    """Rows in the order of time, each once. ScenarioError for two values of one time."""
    notes: list[Finding] = []
    stamps = starts.as_unit("ns")
    if not stamps.is_monotonic_increasing:
        order = np.argsort(stamps.asi8, kind="stable")
        stamps, values = stamps[order], values[order]
        notes.append(note(source, "rows are sorted by time"))
    again = np.flatnonzero(np.diff(stamps.asi8) == 0) + 1
    differ = again[~((values[again] == values[again - 1]) | (np.isnan(values[again]) & np.isnan(values[again - 1])))]
    if len(differ):
        row = int(differ[0])
        what = f"{stamps[row]} has the values {values[row - 1]:g} and {values[row]:g}"
        raise problem("duplicate_time", source, what, "keep one row for each step")
    if len(again):
        stamps, values = stamps.delete(again), np.delete(values, again)
        notes.append(note(source, f"{len(again)} rows that repeat another are left out", warns=True))
    return stamps, values, notes
