"""Historic demand of Britain's NESO: dates and settlement periods of half an hour, counted from local midnight."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.reading import Log


def _knows(table: Table) -> bool:
    return table.has("SETTLEMENT_DATE", "SETTLEMENT_PERIOD")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    return Layout(
        values={"load": Values(r"^ND$", "MW"), "solar": Values(r"^EMBEDDED_SOLAR_GENERATION$", "MW")},
        date="SETTLEMENT_DATE",
        period="SETTLEMENT_PERIOD",
        first_period=1,
        counted=True,
        step_min=30.0,
        clock="Europe/London",
        order="day first",
    )


KIND = Kind(
    "NESO demand data",
    '"SETTLEMENT_DATE","SETTLEMENT_PERIOD","ND","TSD"',
    "neso.energy/data-portal, historic demand data",
    _knows,
    _layout,
)
