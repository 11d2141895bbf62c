"""Exports of Enphase's Enlighten: energy of each quarter-hour in Wh, local times."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.reading import Log


def _knows(table: Table) -> bool:
    return table.has("Date/Time") and bool(matching(table, r"^Energy (Produced|Consumed)|^Production|^Consumption"))


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    return Layout(
        values={"solar": Values(r"^Energy Produced|^Production"), "load": Values(r"^Energy Consumed|^Consumption")},
        start="Date/Time",
        stamps="start",
    )


KIND = Kind("Enphase", '"Date/Time","Energy Produced (Wh)"', "enlighten.enphaseenergy.com, reports", _knows, _layout)
