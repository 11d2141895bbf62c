"""Downloads of PJM's Data Miner 2: times in UTC beside Eastern ones; those in UTC are read."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.reading import Log

_CAPACITY = r"^(mcp|regmcp|rmccp|reg_ccp|reg_pcp|ancillary_service|service)$"


def _knows(table: Table) -> bool:
    return table.has("datetime_beginning_utc")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    keep = []
    if table.has("row_is_current"):
        keep.append(("row_is_current", table.first("row_is_current"), "")) if len(
            table.uniques("row_is_current")
        ) == 1 else keep.append(
            (
                "row_is_current",
                "TRUE" if "TRUE" in table.uniques("row_is_current") else "True",
                "rows that were replaced are left out",
            )
        )
    place = next((n for n in ("pnode_name", "load_area", "forecast_area", "zone") if table.has(n)), None)
    capacity = "regulation and reserves" if matching(table, _CAPACITY) and not matching(table, r"lmp") else ""
    return Layout(
        values={"price": Values(r"^total_lmp_(da|rt)", "USD/MWh"), "load": Values(r"^(mw|forecast_load_mw)$", "MW")},
        utc="datetime_beginning_utc",
        local="datetime_beginning_ept" if table.has("datetime_beginning_ept") else None,
        stamps="start",
        zone="America/New_York",
        places=(place,) if place else (),
        order="month first",
        keep=tuple(keep),
        capacity=capacity,
    )


KIND = Kind(
    "PJM Data Miner",
    '"datetime_beginning_utc","datetime_beginning_ept","total_lmp_da"',
    "dataminer2.pjm.com, da_hrl_lmps and hrl_load_metered",
    _knows,
    _layout,
)
