"""Green Button CSV of American utilities: lines about the customer, then TYPE, DATE, START TIME, END TIME, USAGE.

END TIME is the last minute of the interval (00:14), or its end.
"""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.reading import Log


def _knows(table: Table) -> bool:
    return table.has("TYPE", "DATE", "START TIME") and bool(matching(table, r"^(USAGE|IMPORT|EXPORT)"))


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    written = table.first("UNITS") if table.has("UNITS") else ""
    return Layout(
        values={"load": Values(r"^(USAGE|IMPORT)", written), "solar": Values(r"^EXPORT", written)},
        date="DATE",
        time="START TIME",
        stamps="start",
        places=("TYPE",),
    )


KIND = Kind(
    "Green Button CSV",
    '"TYPE","DATE","START TIME","END TIME","USAGE"',
    "greenbuttondata.org, downloads of utilities such as PG&E and SDG&E",
    _knows,
    _layout,
)
