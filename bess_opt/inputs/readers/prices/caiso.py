"""Reports of CAISO's OASIS (CSV, also zipped): one row per interval, place and item, in GMT, in no order of time.

A report of prices for ancillary services has the same columns as one of loads: the value stands under MW in both.
"""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log

_START, _END = r"^INTERVAL_?START(TIME)?_GMT$", r"^INTERVAL_?END(TIME)?_GMT$"
_PLACES = ("NODE", "NODE_ID", "TAC_AREA_NAME", "TAC_ZONE_NAME")
_VALUE = r"^(MW|LMP_PRC|PRC|VALUE)$"


def _knows(table: Table) -> bool:
    return bool(matching(table, _START))


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    items = " ".join(table.uniques("XML_DATA_ITEM")) if table.has("XML_DATA_ITEM") else ""
    capacity = "ancillary services" if table.has("ANC_TYPE") or "CLR_PRC" in items else ""
    runs = table.uniques("MARKET_RUN_ID") if table.has("MARKET_RUN_ID") else []
    if len(runs) > 1 and not capacity:
        found = f"column MARKET_RUN_ID holds {', '.join(sorted(runs))}"
        raise problem("several_places", table.source, found, "keep the rows of one market in the file")
    priced = table.has("LMP_TYPE")
    if priced and stated.quantity == "price" and table.has("MW"):
        said = "holds the price in USD/MWh, as in every OASIS price report"
        log.decide("unit of MW", "USD/MWh", "kind", said, where="column MW")
    why = "rows of LMP, the whole price, are used; its parts are left out"
    return Layout(
        values={"price": Values(_VALUE, "USD/MWh")} if priced else {"load": Values(_VALUE, "MW")},
        utc=matching(table, _START)[0],
        end=next(iter(matching(table, _END)), None),
        stamps="start",
        zone="America/Los_Angeles",
        keep=(("LMP_TYPE", "LMP", why),) if priced else (),
        places=tuple(name for name in _PLACES if table.has(name))[:1],
        capacity=capacity,
    )


KIND = Kind(
    "CAISO OASIS",
    '"INTERVALSTARTTIME_GMT", "LMP_TYPE", "MW"',
    "oasis.caiso.com, PRC_LMP and SLD_FCST",
    _knows,
    _layout,
)
