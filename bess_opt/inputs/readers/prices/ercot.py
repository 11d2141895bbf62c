"""Prices of Texas' ERCOT: hours that end at 01:00 to 24:00, or hour and quarter, and a flag for the repeated hour."""

from __future__ import annotations

import re
from dataclasses import replace

import pyarrow.compute as pc

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.reading import Log

_DATES = r"^(Delivery ?Date|Oper ?Day)$"
_HOURS = r"^(Hour ?Ending|Delivery ?Hour)$"
_FLAGS = r"^(DST ?Flag|Repeated Hour Flag)$"
_PRICE = r"^(Settlement ?Point ?Price|LMP)$"
_POINTS = r"^(Settlement ?Point( ?Name)?|Bus ?Name)$"
_BARE, _SECOND = "end of the hour", "second hour"
_CAPACITY = r"^(REGDN|REGUP|RRS|NSPIN|ECRS|MCPC|Ancillary ?Type)$"


def _knows(table: Table) -> bool:
    return bool(matching(table, _DATES)) and bool(matching(table, _HOURS))


def _knows_load(table: Table) -> bool:
    return bool(re.match(r"^Hour ?_?End(ing)?$", table.names[0], re.IGNORECASE)) and table.has("COAST", "ERCOT")


def _layout_load(table: Table, stated: Stated, log: Log) -> Layout:
    """The archive of native loads: "11/02/2025 24:00", and DST behind the second hour that ends at 02:00."""
    name = table.names[0]
    cells = table.cells(name)
    second = pc.if_else(pc.match_substring_regex(cells, r"DST$"), "Y", "N")
    return Layout(
        values={"load": Values(r"^ERCOT$", "MW")},
        start=_BARE,
        stamps="end",
        clock="America/Chicago",
        order="month first",
        summer=(_SECOND, (), ("Y",)),
        made=((_BARE, pc.replace_substring_regex(cells, r"\s*DST$", "")), (_SECOND, second)),
    )


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    flag = matching(table, _FLAGS)
    quarter = matching(table, r"^Delivery ?Interval$")
    layout = Layout(
        values={
            "price": Values(_PRICE, "USD/MWh"),
            "load": Values(r"^(ERCOT|TOTAL)$", "MW"),
        },
        date=matching(table, _DATES)[0],
        period=matching(table, _HOURS)[0],
        first_period=1,
        counted=False,
        step_min=60.0,
        clock="America/Chicago",
        places=tuple(matching(table, _POINTS)),
        order="month first",
        # N stands on every other row of the year, in summer and in winter.
        summer=(flag[0], (), ("Y",)) if flag else None,
        capacity="ancillary services" if matching(table, _CAPACITY) else "",
    )
    return replace(layout, part=quarter[0], step_min=15.0) if quarter else layout


KINDS = (
    Kind(
        "ERCOT",
        '"DeliveryDate","HourEnding","SettlementPoint","SettlementPointPrice","DSTFlag"',
        "ercot.com, DAM and RTM settlement point prices, hourly load",
        _knows,
        _layout,
    ),
    Kind(
        "ERCOT native load",
        '"Hour Ending","COAST","EAST",...,"ERCOT"',
        "ercot.com, hourly load data archives (Native_Load_*.xlsx)",
        _knows_load,
        _layout_load,
    ),
)
