"""Hourly prices of ISO New England: lines that begin with C (comment), H (header), D (data) and T (total).

Hours are ends, "01" to "24"; the repeated hour of autumn is "02X".
"""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.delimited import text_rows
from bess_opt.inputs.readers.file.opened import Opened
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log


def _knows(opened: Opened) -> bool:
    lines = opened.head.splitlines()
    return len(lines) > 2 and lines[0].startswith('"C",') and any(line.startswith('"H",') for line in lines[:20])


def _table(opened: Opened, stated: Stated, log: Log) -> Table:
    rows = text_rows(opened, ",")
    headers = [row for row in rows if row and row[0] == "H"]
    data = [(number, row) for number, row in enumerate(rows, start=1) if row and row[0] == "D"]
    width = len(headers[0])
    odd = next((number for number, row in data if len(row) != width), None)
    if odd is not None:
        raise problem(
            "unreadable_file", f"{opened.source} row {odd}", "has other cells than the header", "download it again"
        )
    if not data:
        raise problem("empty_series", opened.source, "holds no rows of data", "download it again")
    names = [name if name else f"column {i}" for i, name in enumerate(headers[0])]
    units = dict(zip(names, headers[1], strict=False)) if len(headers) > 1 else {}
    log.decide("lines beside the rows", len(rows) - len(data), "kind")
    return Table.of(
        opened.source, {name: [row[i] for _, row in data] for i, name in enumerate(names) if i}, units=units
    )


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    hour = next(name for name in table.names if name.lower().startswith("hour"))
    return Layout(
        values={
            "price": Values(r"^Locational Marginal Price$", "USD/MWh"),
            "load": Values(r"Load|Demand", "MW"),
        },
        date="Date",
        period=hour,
        first_period=1,
        counted=False,
        step_min=60.0,
        clock="America/New_York",
        places=("Location Name",),
        order="month first",
        capacity="regulation"
        if matching(table, r"Regulation|Reserve") and not matching(table, r"Marginal|Load")
        else "",
    )


KIND = Kind(
    "ISO New England",
    '"H","Date","Hour Ending","Location ID","Location Name"',
    "iso-ne.com, hourly LMPs (WW_DALMP_ISO_*.csv)",
    _knows,
    _layout,
    "text",
    _table,
)
