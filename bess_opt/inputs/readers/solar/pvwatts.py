"""Hourly results of NREL's PVWatts: lines about the plant, then month, day and hour of a typical year, in W.

The year has no number and no clock change: hours are those of the standard clock, from 0, each the start of its step.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.plain import year_of
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.times.words import is_time

STAMP = "standard time"


def _knows(table: Table) -> bool:
    return table.has("Month", "Day", "Hour", "AC System Output (W)")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    year = year_of(table, stated)
    clock = stated.take("clock")
    if clock is None:
        found = "has hours of the standard clock of its place"
        raise problem("no_time_zone", table.source, found, 'state clock, e.g. clock="America/Denver"')
    winter = min(pd.Timestamp(year=year, month=m, day=1, tz=clock).utcoffset() for m in (1, 7))  # type: ignore[type-var]
    seconds = int(winter.total_seconds())  # type: ignore[union-attr]
    offset = f"{'-' if seconds < 0 else '+'}{abs(seconds) // 3600:02d}:{abs(seconds) // 60 % 60:02d}"
    said = f"hours of a typical year are put in {year} at UTC{offset}, the standard time of {clock}"
    log.decide("year", year, "stated", said, expected="see that the year fits", warns=True)
    return Layout(
        values={"solar": Values(r"^AC System Output")}, start=STAMP, stamps="start", zone=str(clock),
        made=((STAMP, _stamps(table, year, offset)),),
    )  # fmt: skip


def _stamps(table: Table, year: int, offset: str) -> pa.Array:
    """Month, day and hour as text with the offset of the standard clock."""
    parts = [pc.utf8_lpad(table.cells(name), 2, "0") for name in ("Month", "Day", "Hour")]
    dates = pc.binary_join_element_wise(pa.scalar(str(year)), parts[0], parts[1], "-")
    stamps = pc.binary_join_element_wise(
        dates, pc.binary_join_element_wise(parts[2], pa.scalar(f":00{offset}"), ""), " "
    )
    if not is_time(str(stamps[0].as_py())):
        raise problem("unreadable_time", table.source, f"found {stamps[0].as_py()!r}, no time", "download it again")
    return stamps


KIND = Kind(
    "PVWatts",
    '"Month","Day","Hour",...,"AC System Output (W)" below lines about the plant',
    "pvwatts.nrel.gov, hourly results",
    _knows,
    _layout,
)
