"""Auction prices of Nord Pool's data portal: "Delivery Start (CET)", which is the local clock of Central Europe.

The header says CET all year, but on the last Sunday of March 02:00 is left out: the clock changes.
"""

from __future__ import annotations

import re

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.reading import Log


def _knows(table: Table) -> bool:
    return bool(matching(table, r"^Delivery Start( \((CET|UTC|EET)\))?$")) and bool(matching(table, r"Price"))


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    start = matching(table, r"^Delivery Start")[0]
    ends = matching(table, r"^Delivery End")
    label = (re.findall(r"\(([A-Z]+)\)", start) or [""])[0]
    clock = {"CET": "Europe/Stockholm", "UTC": "UTC", "EET": "Europe/Helsinki"}.get(label)
    prices = matching(table, r"Price")
    money = re.search(r"\((EUR|SEK|NOK|DKK|GBP|PLN)\)", prices[0])
    wanted = stated.given.get("place")
    pattern = r"Price"
    if wanted is not None and any(re.match(rf"{re.escape(str(wanted))} ", name) for name in prices):
        pattern = rf"^{re.escape(str(stated.take('place')))} "
    if clock == "Europe/Stockholm":
        said = "the header says CET, which here is the clock of Central Europe with its summer time"
        log.decide("clock of the header", clock, "kind", said, where=f"column {start}")
    return Layout(
        values={"price": Values(pattern, f"{money[1] if money else 'EUR'}/MWh")},
        start=start,
        end=ends[0] if ends else None,
        stamps="start",
        clock=clock,
        order="day first",
    )


KIND = Kind(
    "Nord Pool",
    '"Delivery Start (CET)";"Delivery End (CET)";"SE3 Price (EUR)"',
    "data.nordpoolgroup.com, day-ahead prices",
    _knows,
    _layout,
)
