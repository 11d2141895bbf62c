"""Swedish day-ahead prices of elprisetjustnu.se (JSON), in kronor and in euros per kWh, with offsets."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.reading import Log


def _knows(table: Table) -> bool:
    return table.has("SEK_per_kWh", "EUR_per_kWh", "time_start")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    wanted = stated.given.get("unit")
    pattern = {"SEK/kWh": r"^SEK_per_kWh$", "EUR/kWh": r"^EUR_per_kWh$"}.get(str(wanted), r"^(SEK|EUR)_per_kWh$")
    end = "time_end" if table.has("time_end") else None
    return Layout(
        values={"price": Values(pattern)}, start="time_start", end=end, stamps="start", zone="Europe/Stockholm"
    )


KIND = Kind(
    "elprisetjustnu.se",
    '[{"SEK_per_kWh": ..., "EUR_per_kWh": ..., "time_start": ...}]',
    "elprisetjustnu.se/elpris-api",
    _knows,
    _layout,
)
