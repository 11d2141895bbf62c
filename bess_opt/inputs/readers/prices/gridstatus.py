"""Tables of gridstatus: CSV of its Python library ("Interval Start", offsets) and of its API (interval_start_utc)."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.reading import Log

_VALUES = {
    "price": Values(r"^(lmp|spp|price)$", "USD/MWh"),
    "load": Values(r"^(load|net load)$", "MW"),
    "solar": Values(r"^solar$", "MW"),
}
_CAPACITY = r"^(non[_ -]?spin\w*|reg([_ ]?(up|down|dn|ulation).*)?|rrs|ecrs|as[_ ]type)"


def _knows(table: Table) -> bool:
    return table.has("interval_start_utc") or table.has("Interval Start", "Interval End")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    typed = matching(table, r"^as[_ ]type$")
    energy = [] if typed else [value for value in _VALUES.values() if matching(table, value.pattern)]
    place = next((name for name in ("location", "Location", "Zone") if table.has(name)), None)
    api = table.has("interval_start_utc")
    end = "interval_end_utc" if api else "Interval End"
    return Layout(
        values={q: v for q, v in _VALUES.items() if matching(table, v.pattern)},
        utc="interval_start_utc" if api else None,
        local="interval_start_local" if api and table.has("interval_start_local") else None,
        start=None if api else "Interval Start",
        end=end if table.has(end) else None,
        stamps="start",
        places=(place,) if place else (),
        capacity="ancillary services" if matching(table, _CAPACITY) and not energy else "",
    )


KIND = Kind(
    "gridstatus",
    '"interval_start_utc","interval_end_utc","location","lmp" or "Interval Start","LMP"',
    "gridstatus.io, API and the Python package gridstatus",
    _knows,
    _layout,
)
