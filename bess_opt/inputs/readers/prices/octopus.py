"""Unit rates and consumption of Octopus Energy (Great Britain): half-hours with their ends, newest first.

Rates are in pence per kWh without and with VAT, consumption in kWh.
"""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.reading import Log


def _knows(table: Table) -> bool:
    return table.has("valid_from", "value_exc_vat") or table.has("consumption", "interval_start")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    if table.has("valid_from"):
        values, start, end = {"price": Values(r"^value_(exc|inc)_vat$", "p/kWh")}, "valid_from", "valid_to"
    else:
        values, start, end = {"load": Values(r"^consumption$", "kWh")}, "interval_start", "interval_end"
    last = end if table.has(end) and "" not in table.uniques(end) else None
    return Layout(values=values, start=start, end=last, stamps="start", zone="Europe/London")


KIND = Kind(
    "Octopus Energy",
    '"valid_from", "valid_to", "value_exc_vat", "value_inc_vat"',
    "developer.octopus.energy, products and consumption",
    _knows,
    _layout,
)
