"""Series of this package: a column "time" of starts of steps, and columns with our own names and units."""

from __future__ import annotations

from bess_opt.common.columns import SERIES
from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.reading import Log

_VALUES = {
    "price": Values(r"^price_per_mwh$", "currency/MWh"),
    "load": Values(r"^load_mw$"),
    "solar": Values(r"^solar_mw$"),
}


def _knows(table: Table) -> bool:
    others = [name for name in table.names if name != "time"]
    return table.names[0] == "time" and bool(others) and all(name in SERIES for name in others)


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    values = {q: v for q, v in _VALUES.items() if matching(table, v.pattern)}
    return Layout(values=values, start="time", stamps="start")


KIND = Kind("bess_opt series", '"time","price_per_mwh","load_mw"', "docs, add a scenario", _knows, _layout)
