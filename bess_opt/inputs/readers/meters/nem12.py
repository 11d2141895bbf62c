"""NEM12 interval meter data of Australia: a 200 line for each register, a 300 line for each day, on UTC+10.

A 300 line has a value for each interval, of the length and in the unit of its 200 line; then a quality: A actual, S
substituted, N none, V varying, which 400 lines below detail.
"""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.delimited import text_rows
from bess_opt.inputs.readers.file.opened import Opened
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log

_QUALITIES = ("A", "E", "F", "N", "S", "V")


def _knows(opened: Opened) -> bool:
    return opened.head.startswith(("100,NEM12", '"100","NEM12"'))


def _table(opened: Opened, stated: Stated, log: Log) -> Table:
    columns: dict[str, list[str]] = {name: [] for name in ("date", "period", "meter", "unit", "length", "value")}
    meter, unit, length, substituted = "", "", 0, 0
    for number, row in enumerate(text_rows(opened, ","), start=1):
        where = f"{opened.source} row {number}"
        if row and row[0] == "200":
            if len(row) < 9 or row[8] not in ("5", "15", "30"):
                found = "states no interval of 5, 15 or 30 minutes"
                raise problem("unreadable_file", where, found, "get the file again")
            meter, unit, length = f"{row[1]} {row[4]}", row[7], int(row[8])
        elif row and row[0] == "300":
            count = 1440 // length if length else 0
            if not count or not count + 3 <= len(row) <= count + 7 or row[count + 2][:1] not in _QUALITIES:
                raise problem(
                    "unreadable_file", where, f"has {len(row) - 2} values, not {count}", "get the file again"
                )
            quality = row[count + 2][:1]
            substituted += quality in ("S", "E", "F", "V")
            for i in range(count):
                value = "" if quality == "N" else row[2 + i]
                cells = (row[1], str(i + 1), meter, unit, str(length), value)
                for name, cell in zip(columns, cells, strict=True):
                    columns[name].append(cell)
    if not columns["value"]:
        raise problem("empty_series", opened.source, "holds no 300 line", "get the file again")
    if substituted:
        said = f"{substituted} days hold values that are estimated or substituted"
        log.decide("quality", f"{substituted} days", "file", said, warns=True)
    if len(set(columns["length"])) > 1:
        found = f"holds intervals of {', '.join(sorted(set(columns['length'])))} min"
        raise problem("mixed_steps", opened.source, found, "keep the lines of one length")
    return Table.of(opened.source, columns)


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    unit = table.first("unit")
    return Layout(
        values={"load": Values(r"^value$", unit), "solar": Values(r"^value$", unit)},
        date="date",
        period="period",
        first_period=1,
        counted=True,
        step_min=float(table.first("length")),
        clock="Etc/GMT-10",
        places=("meter",),
    )


KIND = Kind(
    "NEM12",
    '"100,NEM12,..." with lines 200 and 300',
    "aemo.com.au, Meter Data File Format Specification NEM12",
    _knows,
    _layout,
    "text",
    _table,
)
