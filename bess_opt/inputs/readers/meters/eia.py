"""Hourly grid data of the EIA (form 930): balancing authorities, times in UTC at the end of hours."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.reading import Log

_UTC = "UTC Time at End of Hour"


def _knows(table: Table) -> bool:
    return table.has(_UTC) or table.has("period", "respondent", "value")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    if table.has(_UTC):
        demand = r"^Demand \(MW\)$"
        return Layout(
            values={
                "load": Values(demand if matching(table, demand) else r"^Demand"),
                "solar": Values(r"Solar \(MW\)$|from Solar"),
            },
            utc=_UTC,
            stamps="end",
            places=tuple(name for name in ("Balancing Authority", "BA Code") if table.has(name))[:1],
            order="month first",
            decimal=".",
        )
    # The answers of the API do not say which end of its hour a period names: the caller does.
    return Layout(
        values={"load": Values(r"^value$", "MWh")},
        utc="period",
        places=("respondent",),
        keep=(("type", "D", "rows of demand (D) are used"),) if table.has("type") else (),
    )


KIND = Kind(
    "EIA-930",
    '"Balancing Authority","UTC Time at End of Hour","Demand (MW)"',
    "eia.gov/electricity/gridmonitor, and api.eia.gov/v2/electricity/rto",
    _knows,
    _layout,
)
