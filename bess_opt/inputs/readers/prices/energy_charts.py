"""Downloads of energy-charts.info: CSV with a second header line of units, or the JSON of its API.

Stamps carry their offset; older downloads have bare times on a clock that is UTC+1 all year. Prices are in EUR/MWh.
The answer on public power has `production_types` with a name and a list of MW each.
"""

from __future__ import annotations

import re
from typing import Any

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.markup import cell_text, json_of
from bess_opt.inputs.readers.file.opened import Opened
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log

_ZONE, _FIXED = "Europe/Berlin", "Etc/GMT-1"
_TIME = r"^(Date|Datum) \((GMT\+1|MEZ|UTC)\)$"
_MARKETS = r"Day.Ahead Au(ction|ktion)|Intraday (Auction|Continuous|Auktion)"
_SECONDS = "unix_seconds"


def _knows_csv(table: Table) -> bool:
    return bool(re.match(_TIME, table.names[0])) or (table.names[0] == "Date" and bool(matching(table, _MARKETS)))


def _layout_csv(table: Table, stated: Stated, log: Log) -> Layout:
    price = r"Day.Ahead Au(ction|ktion)"
    values = {
        "price": Values(price if matching(table, price) else _MARKETS, "EUR/MWh"),
        "load": Values(r"^(Load|Last)( \(.*\))?$"),
        "solar": Values(r"^Solar$"),
    }
    name = table.names[0]
    fixed: str | None = "UTC" if "UTC" in name else _FIXED
    if re.match(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$", table.first(name)):
        fixed = None  # written so, stamps have offsets; somebody took them off, and GMT+1 is no more true
    return Layout(values=values, start=name, stamps="start", clock=fixed, zone=_ZONE, order="day first")


def _knows_json(opened: Opened) -> bool:
    return f'"{_SECONDS}"' in opened.head


def _table(opened: Opened, stated: Stated, log: Log) -> Table:
    content: dict[str, Any] = json_of(opened)
    seconds = content.get(_SECONDS) if isinstance(content, dict) else None
    if not isinstance(seconds, list) or not seconds:
        raise problem("empty_series", opened.source, f"holds no {_SECONDS}", "ask energy-charts for a span with data")
    columns: dict[str, list[str]] = {_SECONDS: [cell_text(second) for second in seconds]}
    units = {"price": str(content.get("unit", "EUR/MWh")).replace(" ", "")}
    lists = {key: value for key, value in content.items() if isinstance(value, list) and key != _SECONDS}
    for entry in lists.pop("production_types", []):
        lists[str(entry.get("name"))] = entry.get("data")
        units[str(entry.get("name"))] = "MW"
    for name, cells in lists.items():
        if not isinstance(cells, list) or len(cells) != len(seconds):
            found = f"has {len(cells) if isinstance(cells, list) else 0} values of {name} for {len(seconds)} times"
            raise problem("unreadable_file", opened.source, found, "download it again")
        columns[name] = [cell_text(cell) for cell in cells]
    return Table.of(opened.source, columns, units=units)


def _layout_json(table: Table, stated: Stated, log: Log) -> Layout:
    values = {"price": Values(r"^price$"), "load": Values(r"^Load$"), "solar": Values(r"^Solar$")}
    return Layout(
        values={quantity: value for quantity, value in values.items() if matching(table, value.pattern)},
        utc=_SECONDS,
        stamps="start",
        zone=_ZONE,
    )


_SOURCE = "energy-charts.info, downloads and api.energy-charts.info"
KINDS = (
    Kind("energy-charts", '"Date (GMT+1)", "Day Ahead Auction (DE-LU)"', _SOURCE, _knows_csv, _layout_csv),
    Kind(
        "energy-charts API",
        '{"unix_seconds": [...], "price": [...]}',
        _SOURCE,
        _knows_json,
        _layout_json,
        "json",
        _table,
    ),
)
