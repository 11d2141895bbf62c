"""Price and demand of Australia's AEMO: ends of five-minute intervals on a market clock that is UTC+10 all year."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.reading import Log

_ZONES = {
    "NSW1": "Australia/Sydney",
    "QLD1": "Australia/Brisbane",
    "VIC1": "Australia/Melbourne",
    "SA1": "Australia/Adelaide",
    "TAS1": "Australia/Hobart",
}


def _knows(table: Table) -> bool:
    return table.has("SETTLEMENTDATE", "RRP")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    place = str(stated.given.get("place", table.first("REGION") if table.has("REGION") else ""))
    column = next((name for name in ("REGION", "REGIONID") if table.has(name)), None)
    return Layout(
        values={"price": Values(r"^RRP$", "AUD/MWh"), "load": Values(r"^TOTALDEMAND$", "MW")},
        start="SETTLEMENTDATE",
        stamps="end",
        clock="Etc/GMT-10",
        zone=_ZONES.get(place, "Australia/Brisbane"),
        places=(column,) if column else (),
        order="year first",
    )


KIND = Kind(
    "AEMO",
    '"REGION", "SETTLEMENTDATE", "TOTALDEMAND", "RRP"',
    "aemo.com.au, aggregated price and demand data",
    _knows,
    _layout,
)
