"""From a file to a series: an ordered list of decisions, each written down.

1 packing, form and encoding · 2 the kind of file · 3 lines before the header, header, separator · 4 rows of other
things, place · 5 column and unit · 6 time columns, order of dates · 7 which end of its step a stamp names · 8 clock,
skipped and repeated hours · 9 decimal mark, missing marks · 10 unequal steps, order, repeated rows · 11 our units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Floats
from bess_opt.common.wording import minutes
from bess_opt.inputs.readers.arguments import Quantity, Stated
from bess_opt.inputs.readers.choices import (
    THINGS,
    choose_column,
    choose_unit,
    kept_rows,
    one_place,
    refuse_capacity,
    refuse_reserves,
)
from bess_opt.inputs.readers.file.delimited import read_delimited
from bess_opt.inputs.readers.file.markup import json_of, keys_found, records_in, table_of_lists, table_of_records
from bess_opt.inputs.readers.file.opened import Opened, open_file
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.file.typed import read_parquet, read_workbook
from bess_opt.inputs.readers.layout import Kind, Layout, kind_of_document, kind_of_table, known_kinds
from bess_opt.inputs.readers.numbers import numbers
from bess_opt.inputs.readers.plain import plain_layout
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log, Reading
from bess_opt.inputs.readers.states import means_of_states
from bess_opt.inputs.readers.step_times import Timed, timed_rows
from bess_opt.inputs.readers.times.steps import evened, lengths_of, step_of
from bess_opt.inputs.readers.times.words import Nanoseconds
from bess_opt.inputs.readers.units import currency_of, factor_of
from bess_opt.inputs.readers.wide import melted
from bess_opt.inputs.series.imported import ImportedSeries

COLUMNS: dict[Quantity, str] = {"price": "price_per_mwh", "load": "load_mw", "solar": "solar_mw"}
MOST_ROWS = 10_000_000  # they take less than 2 GB while they are read
_DEAR = 3000.0  # per MWh in these currencies: a median beyond it is a wrong unit, not a market
_HARD = ("EUR", "USD", "GBP")
_OWN_USE = 0.01  # solar power below zero by no more than this share of the highest is an inverter's own use


@dataclass(frozen=True)
class Rows:
    """Starts in UTC [ns], values and lengths of steps [ns], in the order of time."""

    starts: Nanoseconds
    values: Floats
    lengths: Nanoseconds


def read_file(file: str | Path, stated: Stated, progress: Callable[[float], None] | None = None) -> ImportedSeries:
    """The series of a file on our clock and in our units. ScenarioError for whatever is unclear or does not fit.

    `progress` is told which share of a long file has been looked through.
    """
    log = Log(Path(file).name, progress=progress)
    opened = open_file(file, stated, log)
    kind, table, layout = _understood(opened, stated, log)
    refuse_capacity(table, layout, stated.quantity)
    table = one_place(kept_rows(table, layout, log), layout, stated, log)
    if len(table) > MOST_ROWS:
        found = f"holds {len(table):,} rows, more than the {MOST_ROWS:,} that are read"
        raise problem("too_large", table.source, found, "cut it into years")
    column = choose_column(table, layout, stated, log)
    unit = choose_unit(table, layout, column, stated, log)
    values = numbers(table, column, stated, log, layout.decimal)
    timed = timed_rows(table, layout, np.isnan(values), stated, log)
    rows = in_order(table.source, timed, values, log)
    if layout.held:
        starts, power, unit = means_of_states(table.source, rows.starts, rows.values, unit, stated, log)
        rows = Rows(starts, power, np.full(len(starts), step_of(starts), dtype=np.int64))
    in_units = _in_our_units(f"{table.source} column {column}", rows, unit, stated, log)
    frame = _frame(rows, in_units, timed.zone, stated, log)
    stated.refuse_unused(table.source, kind)
    reading = Reading(table.source, kind, stated.quantity, stated.used, tuple(log.decisions), _figures(frame, unit))
    frame.attrs["reading"] = reading.to_dict()
    return ImportedSeries.of(frame, tuple(log.notes))


def _understood(opened: Opened, stated: Stated, log: Log) -> tuple[str, Table, Layout]:
    """The kind of a file, its cells and where what stands in them."""
    kind = kind_of_document(opened)
    if kind is not None and kind.table is not None:
        log.decide("kind", kind.name, "file")
        return _laid_out(kind, kind.table(opened, stated, log), stated, log)
    table = table_of(opened, stated, log)
    kind = kind_of_table(table)
    if kind is not None:
        log.decide("kind", kind.name, "file")
        return _laid_out(kind, table, stated, log)
    refuse_reserves(table, stated.quantity)
    table = melted(table, log)
    log.decide("kind", "plain table", "choice")
    layout = plain_layout(table, stated, log, unknown_format)
    return "plain table", _with_made(table, layout), layout


def _laid_out(kind: Kind, table: Table, stated: Stated, log: Log) -> tuple[str, Table, Layout]:
    layout = kind.layout(table, stated, log)
    return kind.name, _with_made(table, layout), layout


def _with_made(table: Table, layout: Layout) -> Table:
    for name, cells in layout.made:
        table = table.with_column(name, cells)
    return table


def table_of(opened: Opened, stated: Stated, log: Log) -> Table:
    """The cells of an opened file of any form. ScenarioError where it holds no table."""
    if opened.form == "workbook":
        return read_workbook(opened, stated, log)
    if opened.form == "parquet":
        return read_parquet(opened, log)
    if opened.form == "json":
        content = json_of(opened)
        if '"energyratestructure"' in opened.head or '"flatdemandstructure"' in opened.head:
            thing = THINGS[stated.quantity]
            raise problem(
                "missing_column", opened.source, f"holds a tariff, no {thing}", "read it with bo.read_tariff"
            )
        records = records_in(content)
        table = table_of_records(opened.source, records) if records else None
        if table is None and isinstance(content, dict):
            table = table_of_lists(opened.source, content)
        if table is None:
            raise problem("unknown_format", opened.source, keys_found(content), _known(("json",)))
        return table
    if opened.form == "xml":
        raise problem("unknown_format", opened.source, "is XML of no known kind", _known(("xml",)))
    return read_delimited(opened, log)


def unknown_format(table: Table, found: str) -> Exception:
    """The error for a table in which nothing shows where the times are."""
    return problem("unknown_format", table.source, found, f"state time_column; {_known(('table', 'text'))}")


def _known(forms: tuple[str, ...]) -> str:
    kinds: list[Kind] = [kind for kind in known_kinds() if kind.form in forms]
    return "known kinds are " + ", ".join(kind.name for kind in kinds)


def in_order(source: str, timed: Timed, values: Floats, log: Log) -> Rows:
    """Rows in the order of time, each once, in equal steps. ScenarioError for two values of one time."""
    starts, values = timed.starts, values[timed.kept]
    written = None if timed.written is None else timed.written[timed.kept]
    dropped = len(timed.kept) < timed.rows
    if dropped:
        log.decide(
            "skipped hour", "left out", "file",
            f"{timed.rows - len(timed.kept)} empty rows of an hour that the clock skips are left out",
        )  # fmt: skip
    if (np.diff(starts) < 0).any():
        order = np.argsort(starts, kind="stable")
        starts, values = starts[order], values[order]
        written = None if written is None else written[order]
        log.decide("order of rows", "sorted", "file", "rows are sorted by time")
    again = np.flatnonzero(np.diff(starts) == 0) + 1
    differ = again[~((values[again] == values[again - 1]) | (np.isnan(values[again]) & np.isnan(values[again - 1])))]
    if len(differ):
        row = int(differ[0])
        stamp = pd.Timestamp(int(starts[row]), tz="UTC").tz_convert(timed.zone)
        what = f"{stamp} has the values {values[row - 1]:g} and {values[row]:g}"
        raise problem("duplicate_time", source, what, "keep one row for each step")
    if len(again):
        keep = np.ones(len(starts), dtype=bool)
        keep[again] = False
        starts, values = starts[keep], values[keep]
        written = None if written is None else written[keep]
        said = f"{len(again)} rows that repeat another are left out"
        log.decide("repeated rows", len(again), "file", said, warns=True)
    return Rows(starts, values, lengths_of(starts, written, timed.step))


def _in_our_units(where: str, rows: Rows, unit: str, stated: Stated, log: Log) -> Floats:
    """Values in MW, or currency per MWh; what is implausible is refused."""
    kind, factor = factor_of(unit) or ("power", 1.0)
    _source, _, column = where.partition(" ")
    if kind == "share":
        capacity = stated.take("capacity_mw")
        if capacity is None:
            expected = "state capacity_mw, the rated power"
            raise problem("missing_capacity", where, "gives power per rated power", expected)
        said = f"shares of the rated power are multiplied by {capacity:g} MW"
        log.decide("rated power", f"{capacity:g} MW", "stated", said, where=column)
        values = rows.values * float(capacity)
    else:
        values = rows.values * factor
        ours = "MW" if kind != "price" else "currency/MWh"
        said = f"read as {unit}" + ("" if factor == 1.0 else f", times {factor:g} to {ours}")
        log.decide("factor", f"{factor:g}", "file", said, where=column)
    if kind == "energy":
        hours = rows.lengths / 3.6e12
        values = values / hours
        length = minutes(float(np.median(rows.lengths)))
        log.decide(
            "energy", f"per {length}", "file", f"energy of each step of {length} is made its mean power", where=column
        )
    if kind == "price":
        _check_price(where, values, unit, stated)
    if stated.quantity == "solar":
        values = _without_own_use(where, rows, values, log)
    return values


def _check_price(where: str, values: Floats, unit: str, stated: Stated) -> None:
    median = float(np.nanmedian(np.abs(values))) if np.isfinite(values).any() else 0.0
    if currency_of(unit) in _HARD and not stated.has("unit") and median > _DEAR:
        found = f"a median price of {median:,.0f} per MWh is no price, if the unit is {unit} as the file says"
        raise problem("implausible_unit", where, found, 'state unit, e.g. unit="USD/MWh"')


def _without_own_use(where: str, rows: Rows, values: Floats, log: Log) -> Floats:
    """Solar power without what inverters draw at night. ScenarioError where it is negative by more than that."""
    below = values < 0
    if not below.any():
        return values
    highest = float(np.nanmax(values))
    row = int(np.nanargmin(values))
    if -values[row] > _OWN_USE * highest:
        stamp = pd.Timestamp(int(rows.starts[row]), tz="UTC")
        found = f"solar power is {values[row]:g} MW at {stamp:%Y-%m-%d %H:%M} UTC, and {highest:g} MW at most"
        expected = "state missing=, if that number stands for no value, or give the column of production alone"
        raise problem("negative_solar", where, found, expected)
    count = int(below.sum())
    least = f"{values[row]:g} MW at least"
    said = f"{count:,} steps slightly below zero, {least}, are set to 0: inverters draw that at night"
    log.decide("negative power", "set to 0", "choice", said, where=where.partition(" ")[2], warns=True)
    return np.where(below, 0.0, values)


def _frame(rows: Rows, values: Floats, zone: str, stated: Stated, log: Log) -> pd.DataFrame:
    """The series on the result's clock, longer steps repeated as the shortest."""
    starts, even, longer = evened(rows.starts, values, rows.lengths)
    if longer:
        step = minutes(float(rows.lengths.min()))
        said = f"{longer:,} longer intervals are repeated as steps of {step}"
        log.decide(
            "unequal steps",
            step,
            "choice",
            said,
            expected="see that this is the market's own change of its time unit",
            warns=True,
        )
    clock = stated.given.get("time_zone") or zone
    index = pd.DatetimeIndex(starts.astype("datetime64[ns]")).tz_localize("UTC").tz_convert(clock).rename("time")
    frame = pd.DataFrame({COLUMNS[stated.quantity]: even}, index=index)
    _refuse_off_grid(log.source, frame, starts)
    _say_gaps(frame, starts, log)
    span = f"{len(frame):,} steps of {minutes(float(step_of(starts)))} from {index[0]} in {clock}"
    log.decide("time zone", clock, "stated" if stated.has("time_zone") else "file", span)
    return frame


def _refuse_off_grid(source: str, frame: pd.DataFrame, starts: Nanoseconds) -> None:
    """ScenarioError where rows follow each other otherwise than by whole steps."""
    gaps, step = np.diff(starts), step_of(starts)
    odd = gaps % step != 0
    if odd.any():
        row = int(np.argmax(odd))
        found = f"the row at {frame.index[row + 1]} begins {minutes(float(gaps[row]))} after the one before it"
        expected = f"mend that row, or cut the file where its steps of {minutes(float(step))} change"
        raise problem("mixed_steps", source, found, expected)


def _say_gaps(frame: pd.DataFrame, starts: Nanoseconds, log: Log) -> None:
    values = frame.iloc[:, 0].to_numpy()
    empty = int(np.isnan(values).sum())
    if empty:
        first = frame.index[int(np.argmax(np.isnan(values)))]
        what = f"{empty:,} values are missing, first at {first}"
        log.decide(
            "missing values", f"{empty:,}", "file", what, expected="state series_options={'fill': {...}}", warns=True
        )
    step = step_of(starts)
    gaps = np.flatnonzero(np.diff(starts) > step)
    if len(gaps):
        missing = int((np.diff(starts)[gaps] // step - 1).sum())
        what = f"{missing:,} steps have no row, first after {frame.index[gaps[0]]}"
        log.decide(
            "missing rows",
            f"{missing:,}",
            "file",
            what,
            expected="add the rows, or state series_options={'fill': {...}}",
            warns=True,
        )


def _figures(frame: pd.DataFrame, unit: str) -> dict[str, str | int | float]:
    """First and last step, range and mean, for people to check."""
    values = frame.iloc[:, 0]
    figures: dict[str, str | int | float] = {
        "steps": len(frame),
        "first_step": str(frame.index[0]),
        "last_step": str(frame.index[-1]),
    }
    if values.notna().any():
        figures |= {
            "lowest": round(float(values.min()), 6),
            "highest": round(float(values.max()), 6),
            "mean": round(float(values.mean()), 6),
        }
    currency = currency_of(unit)
    return figures | ({"currency": currency} if currency else {})
