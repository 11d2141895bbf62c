"""Energy and power of SolarEdge: the JSON of its monitoring API, or CSV of its charts, local times."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.markup import json_of, table_of_records
from bess_opt.inputs.readers.file.opened import Opened
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log


def _knows_json(opened: Opened) -> bool:
    return '"timeUnit"' in opened.head and '"values"' in opened.head


def _table(opened: Opened, stated: Stated, log: Log) -> Table:
    content = json_of(opened)
    inner = content.get("energy", content.get("power")) if isinstance(content, dict) else None
    if not isinstance(inner, dict) or not inner.get("values"):
        raise problem("empty_series", opened.source, "holds no values of energy or power", "ask for a span with data")
    return table_of_records(opened.source, inner["values"], units={"value": str(inner.get("unit", ""))})


def _layout_json(table: Table, stated: Stated, log: Log) -> Layout:
    return Layout(values={"solar": Values(r"^value$")}, start="date", stamps="start")


def _knows_csv(table: Table) -> bool:
    return table.has("Time") and bool(matching(table, r"^System Production \((W|Wh|kWh)\)$"))


def _layout_csv(table: Table, stated: Stated, log: Log) -> Layout:
    values = {"solar": Values(r"^System Production"), "load": Values(r"^(System )?Consumption \(")}
    return Layout(values=values, start="Time", stamps="start")


_SOURCE = "SolarEdge Monitoring Server API, and charts of monitoring.solaredge.com"
KINDS = (
    Kind(
        "SolarEdge API",
        '{"energy": {"timeUnit": ..., "unit": "Wh", "values": [...]}}',
        _SOURCE,
        _knows_json,
        _layout_json,
        "json",
        _table,
    ),
    Kind("SolarEdge", '"Time","System Production (W)"', _SOURCE, _knows_csv, _layout_csv),
)
