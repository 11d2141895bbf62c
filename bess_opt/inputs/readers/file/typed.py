"""Workbooks and parquet files, whose cells have types, as the same text cells that all other files give."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.delimited import read_delimited
from bess_opt.inputs.readers.file.opened import Opened
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.problems import listed, problem
from bess_opt.inputs.readers.reading import Log

MOST_CELLS = 60_000_000
_TIMES = r"date|time|datum|zeit|fecha|stamp|hour|stunde|start|end|von|bis|begin|interval"
_SERIAL = (20_000.0, 80_000.0)  # days since 1900: 1954 to 2119


def read_workbook(opened: Opened, stated: Stated, log: Log) -> Table:
    """The only sheet with rows of a workbook, or the one that `place` names. ScenarioError without openpyxl."""
    try:
        import openpyxl
    except ModuleNotFoundError:
        expected = 'pip install "bess-opt[excel]", or save it as CSV'
        raise problem("missing_package", opened.source, "needs openpyxl, which is not installed", expected) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles it does not know, which say nothing about cells
            book = openpyxl.load_workbook(io.BytesIO(opened.data), read_only=True, data_only=True)
            sheets = {
                sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets
            }
    except Exception as error:  # the package raises whatever a damaged archive makes it raise
        expected = "save it again as .xlsx or CSV"
        raise problem("unreadable_file", opened.source, f"cannot be read: {error}", expected) from None
    filled = {name: rows for name, rows in sheets.items() if sum(any(c is not None for c in row) for row in rows) > 1}
    if not filled:
        raise problem("empty_series", opened.source, "has no sheet with rows", "give a sheet with a header and rows")
    name = next(iter(filled)) if len(filled) == 1 else stated.take_part(list(filled))
    if name is None:
        found = f"has {len(filled)} sheets with rows: {listed(list(filled), 8)}"
        raise problem("several_places", opened.source, found, "state place, one of these")
    log.decide("sheet", name, "file" if len(filled) == 1 else "stated")
    rows = filled[name]
    width = max((i + 1 for row in rows for i, cell in enumerate(row) if cell is not None), default=0)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([[_cell(cell) for cell in row[:width]] for row in rows])
    data = text.getvalue().encode("utf-8")
    table = read_delimited(Opened(opened.path, "text", data, data[:65_536].decode("utf-8", "ignore")), log)
    return _with_serial_times(table, pd.Timestamp(book.epoch), log)


def _with_serial_times(table: Table, epoch: pd.Timestamp, log: Log) -> Table:
    """The table with times that a workbook keeps as days since its epoch, without a format that says so, as text."""
    columns = list(table.columns)
    for i, name in enumerate(table.names):
        if not re.search(_TIMES, name, re.IGNORECASE):
            continue
        cells = table.columns[i]
        if not pc.all(pc.match_substring_regex(cells, r"^\d+(\.\d+)?([eE]-?\d+)?$")).as_py():
            continue
        days = pc.cast(cells, pa.float64()).to_numpy(zero_copy_only=False)
        seconds = np.round(days * 86_400.0).astype(np.int64)
        if ((days > _SERIAL[0]) & (days < _SERIAL[1])).all():
            stamps = epoch.to_datetime64().astype("datetime64[s]") + seconds.astype("timedelta64[s]")
            columns[i] = pa.array(np.char.replace(np.datetime_as_string(stamps), "T", " "))
        elif days.max() <= 1.0 and (days % 1.0 > 0).any():
            columns[i] = pa.array([f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in seconds.tolist()])
        else:
            continue
        said = "numbers are days since 1900, as workbooks keep times"
        log.decide("times as numbers", name, "choice", said, where=f"column {name}")
    return replace(table, columns=tuple(columns))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        # Workbooks keep times as fractions of a day, which miss whole seconds by some microseconds.
        whole = (value + dt.timedelta(milliseconds=500)).replace(microsecond=0)
        return whole.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)


def read_parquet(opened: Opened, log: Log) -> Table:
    """A parquet file; a named time index is a column like the others, and its zone is kept."""
    expected = "write it again with pandas or pyarrow"
    try:
        stored = pq.ParquetFile(pa.BufferReader(opened.data))
        cells = stored.metadata.num_rows * stored.metadata.num_columns
        if cells > MOST_CELLS:
            found = f"holds {stored.metadata.num_rows:,} rows of {stored.metadata.num_columns} columns"
            raise problem("too_large", opened.source, found, "cut it into years, or keep fewer columns")
        content = stored.read()
        names = [str(name) for name in content.column_names]
        zones = tuple(
            (name, str(kind.tz))
            for name, kind in zip(names, content.schema.types, strict=True)
            if pa.types.is_timestamp(kind) and kind.tz is not None
        )
        columns = tuple(_as_text(content.column(i)) for i in range(len(names)))
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise problem("unreadable_file", opened.source, f"cannot be read: {reason}", expected) from None
    if not columns or not len(columns[0]):
        raise problem("empty_series", opened.source, "holds no rows", "give a file with rows")
    names = ["" if name == "__index_level_0__" else name for name in names]
    log.decide("columns", len(names), "file")
    return Table(
        opened.source, tuple(names), columns, ("",) * len(names), np.arange(1, len(columns[0]) + 1), zones=zones
    )


def _as_text(column: pa.ChunkedArray) -> pa.Array:
    kind = column.type
    if pa.types.is_timestamp(kind):
        stamps = pd.DatetimeIndex(column.to_pandas())
        texts = stamps.strftime("%Y-%m-%d %H:%M:%S%z") if len(stamps) else stamps.astype(str)
        return pa.array([text if isinstance(text, str) else "" for text in texts], pa.string())
    if pa.types.is_dictionary(kind):
        column = pc.cast(column, kind.value_type)
    text = pc.fill_null(pc.cast(column, pa.string()), "").combine_chunks()
    return pc.utf8_trim_whitespace(text.chunk(0) if isinstance(text, pa.ChunkedArray) else text)
