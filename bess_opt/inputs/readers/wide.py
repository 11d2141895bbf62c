"""Days as rows and their hours as columns, made one row for each step."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pyarrow as pa

from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.times.words import is_time

DATE, PERIOD, VALUE = "date of the row", "hour of the column", "value of the cell"
_LABEL = re.compile(
    r"(?:HE|HB|H|Hour|Stunde|Period|P)?[ _]*(\d{1,3})([XAB*])?|(\d{1,2}:\d{2})(?::00)?", re.IGNORECASE
)
_LEAST = 23


def melted(table: Table, log: Log) -> Table:
    """The table, or if 23 or more of its columns are the hours of the day, one row for each of them."""
    labels = [name for name in table.names if _LABEL.fullmatch(name)]
    if len(labels) < _LEAST or not _run_on(labels):
        return table
    others = [name for name in table.names if name not in labels]
    dates = [name for name in others if is_time(table.first(name))]
    if len(dates) != 1:
        return table
    log.decide("shape", "days as rows, hours as columns", "file", f"{len(labels)} columns are the steps of a day")
    return melt(table, dates[0], labels, [name for name in others if name != dates[0]])


def melt(table: Table, date: str, labels: list[str], keep: list[str]) -> Table:
    """One row for each cell below `labels`, day by day; the columns `keep` repeat. Trailing empty ones are none."""
    rows, count = len(table), len(labels)
    at = pa.array(np.repeat(np.arange(rows), count))
    named = {
        DATE: table.cells(date).take(at),
        PERIOD: pa.array(labels * rows, pa.string()),
        **{name: table.cells(name).take(at) for name in keep},
    }
    values = pa.concat_arrays([table.cells(label) for label in labels])
    order = pa.array(
        (np.arange(count) * rows)[None, :].repeat(rows, axis=0).ravel() + np.repeat(np.arange(rows), count)
    )
    named[VALUE] = values.take(order)
    made = Table.of(table.source, named, rows=np.repeat(table.rows, count), preamble=table.preamble)
    # Columns of a repeated hour ("3A", "3B", "02X") are empty on all other days.
    lettered = [label for label in labels if re.search(r"[XAB*]$", label, re.IGNORECASE)]
    return made.where(~(made.among(PERIOD, lettered) & made.equal(VALUE, ""))) if lettered else made


def _run_on(labels: list[str]) -> bool:
    """Whether labels number the steps of a day one after the other, or are its times."""
    found = [_LABEL.fullmatch(label) for label in labels]
    if all(f is not None and f[3] for f in found):
        return True
    numbers = [int(f[1]) for f in found if f is not None and f[1]]
    return len(numbers) == len(labels) and numbers[0] in (0, 1) and all(b - a in (0, 1) for a, b in pairwise(numbers))
