"""Time series of Open Power System Data: "utc_timestamp", and a column for each country and quantity."""

from __future__ import annotations

import re

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.reading import Log


def _knows(table: Table) -> bool:
    return table.has("utc_timestamp", "cet_cest_timestamp")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    ends = {
        "price": "_price_day_ahead",
        "load": "_load_actual_entsoe_transparency",
        "solar": "_solar_generation_actual",
    }
    area = ".+"
    if stated.has("place") and any(n.startswith(f"{stated.given['place']}_") for n in table.names):
        area = re.escape(str(stated.take("place")))
    units = {"price": "EUR/MWh", "load": "MW", "solar": "MW"}
    return Layout(
        values={q: Values(rf"^{area}{end}$", units[q]) for q, end in ends.items()},
        utc="utc_timestamp",
        local="cet_cest_timestamp",
        stamps="start",
        zone="Europe/Brussels",
    )


KIND = Kind(
    "Open Power System Data",
    '"utc_timestamp","cet_cest_timestamp","DE_load_actual_entsoe_transparency"',
    "data.open-power-system-data.org/time_series",
    _knows,
    _layout,
)
