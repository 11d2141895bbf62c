"""CSV exports of ENTSO-E's transparency platform: prices, loads and generation per market time unit (MTU).

Stamps are intervals "01.01.2023 00:00 - 01.01.2023 01:00", newer ones with slashes and seconds, in the zone that the
header or every cell names; on the day that repeats an hour newer files mark (CET) and (CEST). A skipped hour stands
there empty. Price files of 2015 to 2022 have four names over three cells, the fourth names the area. Values that are
missing are empty, "-" or "n/e".
"""

from __future__ import annotations

import re

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.reading import Log

ZONES = {
    "UTC": "UTC",
    "CET/CEST": "Europe/Brussels",
    "CET": "Europe/Brussels",
    "WET/WEST": "Europe/Lisbon",
    "EET/EEST": "Europe/Athens",
    "GMT/BST": "Europe/London",
}
_TIME = r"^(MTU|Time)\b"
_VALUES = {
    "price": Values(r"^Day-ahead Price"),
    "load": Values(r"Actual Total Load"),
    "solar": Values(r"^Solar\b.*Actual( Aggregated)?\b(?!.*Consumption)"),
}


def _knows(table: Table) -> bool:
    name = _time(table)
    return name is not None and " - " in table.first(name)


def _time(table: Table) -> str | None:
    return next((name for name in table.names if re.match(_TIME, name)), None)


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    name = _time(table) or table.names[0]
    if table.surplus:
        area = " ".join(table.surplus)
        log.decide("place", area, "kind", f"the last name in the header, {area}, is the area and has no cells")
    label = (
        re.findall(r"\(([^)]*)\)", name) or re.findall(r"\(([A-Z]+(?:/[A-Z]+)?)\)\s*$", table.first(name)) or [""]
    )[0]
    clock = ZONES.get(label)
    zone = "Europe/Brussels" if clock == "UTC" else clock
    keep = _sequence(table, log)
    values = dict(_VALUES)
    if table.has("Production Type"):
        values = {"solar": Values(r"^(Actual )?Generation( \(MW\))?$", "MW")}
        keep = (("Production Type", "Solar", "rows of solar power are used"),)
    return Layout(
        values=values, start=name, clock=clock, zone=zone, places=("Area",), keep=keep, stamps="start",
        order="day first",
    )  # fmt: skip


def _sequence(table: Table, log: Log) -> tuple[tuple[str, str, str], ...]:
    """Rows of the first auction where a file lists several for the same interval, and those of no sequence."""
    if not table.has("Sequence"):
        return ()
    names = sorted(table.uniques("Sequence"))
    used = "Sequence 1" if "Sequence 1" in names else "Without Sequence" if "Without Sequence" in names else names[0]
    wanted = {used, "Without Sequence"} & set(names)
    if set(names) == wanted:
        return ()
    said = f"rows of {' and '.join(sorted(wanted))!r} are used"
    log.decide("rows", " and ".join(sorted(wanted)), "choice", said, where="column Sequence", warns=True)
    return (("Sequence", "|".join(sorted(wanted)), ""),)


KIND = Kind(
    "ENTSO-E transparency platform",
    '"MTU (CET/CEST)", "Day-ahead Price [EUR/MWh]"',
    "transparency.entsoe.eu, exports of prices, load and generation",
    _knows,
    _layout,
)
