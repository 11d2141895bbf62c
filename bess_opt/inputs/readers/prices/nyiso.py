"""Prices and loads of New York's ISO: one row for each zone and time, on the local clock.

Day-ahead stamps are starts of hours, real-time stamps ends of five minutes; 01:00 comes twice in autumn, in order or
with "EDT" and "EST" in a column of their own.
"""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.times.steps import step_of
from bess_opt.inputs.readers.times.words import read_words


def _knows(table: Table) -> bool:
    return table.has("Time Stamp", "Name", "PTID")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    capacity = "" if matching(table, r"\bLoad$|LBMP") else "ancillary services"
    words = read_words(f"{table.source} column Time Stamp", table.cells("Time Stamp"))
    order = "month first" if "month first" in words.days else next(iter(words.days))
    five_minutes = step_of(words.wall(order)) < 3_600_000_000_000
    zoned = table.has("Time Zone")
    return Layout(
        values={"price": Values(r"^LBMP", "USD/MWh"), "load": Values(r"^(Integrated )?Load$", "MW")},
        start="Time Stamp",
        stamps="end" if five_minutes and not matching(table, r"\bLoad$") else "start",
        clock="America/New_York",
        places=("Name",),
        order="month first",
        summer=("Time Zone", ("EDT",), ("EST",)) if zoned else None,
        capacity=capacity,
    )


KIND = Kind(
    "NYISO",
    '"Time Stamp","Name","PTID","LBMP ($/MWHr)"',
    "mis.nyiso.com, public pricing and load data",
    _knows,
    _layout,
)
