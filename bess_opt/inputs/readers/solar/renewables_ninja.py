"""Hourly output of Renewables.ninja: comments with "#", then "time" in UTC, "local_time", "electricity" in kW."""

from __future__ import annotations

import re

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.reading import Log


def _knows(table: Table) -> bool:
    return table.has("time", "electricity") and any("enewables.ninja" in line for line in table.preamble)


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    text = "\n".join(table.preamble)
    zone = re.search(r"local_time in ([A-Za-z]+/[A-Za-z_/]+)", text)
    unit = re.search(r"electricity in (kW|MW)\b", text)
    return Layout(
        values={"solar": Values(r"^electricity$", unit[1] if unit else "kW")},
        utc="time",
        local="local_time" if table.has("local_time") and zone else None,
        stamps="start",
        zone=zone[1] if zone else None,
        order="year first",
    )


KIND = Kind(
    "Renewables.ninja",
    '"# Renewables.ninja PV ...", "time","local_time","electricity"',
    "renewables.ninja, CSV of PV",
    _knows,
    _layout,
)
