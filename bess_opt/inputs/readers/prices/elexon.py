"""Prices of Elexon's Insights API (Great Britain), JSON or CSV: half-hours in settlement periods and in UTC."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.reading import Log


def _knows(table: Table) -> bool:
    names = {name.lower() for name in table.names}
    return {"settlementdate", "settlementperiod"} <= names


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    by_name = {name.lower(): name for name in table.names}
    prices = r"^(systemSellPrice|systemBuyPrice)$" if matching(table, "^systemSellPrice$") else r"^price$"
    values = {"price": Values(prices, "GBP/MWh"), "load": Values(r"^(initialDemandOutturn|demand)$", "MW")}
    common = Layout(
        values={q: v for q, v in values.items() if matching(table, v.pattern)},
        places=tuple(by_name[name] for name in ("dataprovider",) if name in by_name),
        zone="Europe/London",
        stamps="start",
    )
    if "starttime" in by_name:
        return Layout(**vars(common) | {"utc": by_name["starttime"]})
    numbered = {"date": by_name["settlementdate"], "period": by_name["settlementperiod"]}
    return Layout(
        **vars(common) | numbered | {"first_period": 1, "counted": True, "step_min": 30.0, "clock": "Europe/London"}
    )


KIND = Kind(
    "Elexon",
    '"settlementDate", "settlementPeriod", "startTime", "systemSellPrice"',
    "bmrs.elexon.co.uk/api-documentation",
    _knows,
    _layout,
)
