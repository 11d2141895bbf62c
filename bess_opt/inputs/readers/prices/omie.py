"""Day-ahead prices of OMIE (Spain and Portugal), in the three layouts of its files.

`marginalpdbc` numbers the steps of a day from 1: hours, since 1 October 2025 quarter-hours, Portugal before Spain.
The older `PMD` and `PrecioMD` have a line for each quantity and a column for each hour, with the unit in brackets:
cents per kWh, later EUR/MWh. A short day has 23 hours, a long one 25, counted from midnight.
"""

from __future__ import annotations

import re

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.delimited import text_rows
from bess_opt.inputs.readers.file.opened import Opened
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log

_ZONES = {"ES": "Europe/Madrid", "PT": "Europe/Lisbon"}
_QUARTERS_FROM = "2025-10-01"
_PLACES = (("espa", "ES"), ("portug", "PT"))
_SYSTEM = re.compile(r"(?:Precio marginal|Marginal price).*\((.*)\)", re.IGNORECASE)


def _knows(opened: Opened) -> bool:
    first = opened.head.lstrip()[:200]
    return first.startswith("MARGINALPDBC") or bool(re.match(r"OM(EL|IE) - Mercado de electricidad", first))


def _table(opened: Opened, stated: Stated, log: Log) -> Table:
    rows = text_rows(opened, ";")
    return _numbered(opened, rows) if opened.head.lstrip().startswith("MARGINALPDBC") else _lined(opened, rows)


def _numbered(opened: Opened, rows: list[list[str]]) -> Table:
    """marginalpdbc: year;month;day;number;Portugal;Spain; and an asterisk at the end."""
    cells: dict[str, list[str]] = {name: [] for name in ("date", "period", "place", "price [EUR/MWh]")}
    numbers: list[int] = []
    for number, row in enumerate(rows, start=1):
        filled = [cell for cell in row if cell]
        if not filled or filled[0] in ("*", "MARGINALPDBC"):
            continue
        if len(row) != 7 or len(filled) != 6 or not all(re.fullmatch(r"\d+", cell) for cell in filled[:4]):
            found = f"has {len(filled)} cells, not year, month, day, number and two prices"
            raise problem("unreadable_file", f"{opened.source} row {number}", found, "download the file again")
        for place, price in zip(("PT", "ES"), filled[4:], strict=True):
            date = f"{filled[0]}-{filled[1].zfill(2)}-{filled[2].zfill(2)}"
            for name, cell in zip(cells, (date, filled[3], place, price), strict=True):
                cells[name].append(cell)
            numbers.append(number)
    return _made(opened, cells)


def _lined(opened: Opened, rows: list[list[str]]) -> Table:
    """PMD and PrecioMD: the date in the first line, numbers of hours in another, a line for each system."""
    dates = [cell for cell in rows[0] if re.fullmatch(r"\d{2}/\d{2}/\d{4}", cell)]
    hours = next((row for row in rows if [cell for cell in row if cell][:2] == ["1", "2"]), None)
    if len(dates) != 1 or hours is None:
        found = "has no date in its first line, or no line of hours"
        raise problem("unreadable_file", opened.source, found, "download the file again")
    numbers = [cell for cell in hours if cell]
    units: set[str] = set()
    cells: dict[str, list[str]] = {name: [] for name in ("date", "period", "place", "price")}
    for row in rows:
        system = _SYSTEM.match(row[0]) if row else None
        place = next((short for word, short in _PLACES if system and word in row[0].lower()), None)
        if system is None or place is None:
            continue
        units.add(system[1])
        prices = row[1 : len(numbers) + 1]
        if len([cell for cell in row[1:] if cell]) != len(numbers):
            found = f"has {len([c for c in row[1:] if c])} prices for {len(numbers)} hours"
            raise problem("unreadable_file", f"{opened.source}, {row[0]}", found, "download the file again")
        for hour, price in zip(numbers, prices, strict=True):
            for name, cell in zip(cells, (dates[0], hour, place, price), strict=True):
                cells[name].append(cell)
    if len(units) != 1:
        found = f"states the units {', '.join(sorted(units)) or 'none'} for prices"
        raise problem("unreadable_file", opened.source, found, "download the file again")
    unit = units.pop()
    return _made(opened, {f"price [{unit}]" if name == "price" else name: column for name, column in cells.items()})


def _made(opened: Opened, cells: dict[str, list[str]]) -> Table:
    if not cells["date"]:
        raise problem("empty_series", opened.source, "holds no prices", "download the file again")
    made = Table.of(opened.source, cells)
    return Table(made.source, made.names, made.columns, made.units, made.rows, separator=";")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    highest = max(int(number) for number in table.uniques("period"))
    date = table.first("date")
    iso = "-".join(reversed(date.split("/"))) if "/" in date else date
    quarters = highest > 25 or iso >= _QUARTERS_FROM
    place = str(stated.given.get("place", "ES")).upper()
    # Both countries are one market whose days are those of Madrid.
    return Layout(
        values={"price": Values(r"^price")},
        date="date",
        period="period",
        places=("place",),
        first_period=1,
        counted=True,
        step_min=15.0 if quarters else 60.0,
        clock="Europe/Madrid",
        zone=_ZONES.get(place),
        order="day first",
        decimal="." if "-" in date else ",",
    )


KIND = Kind(
    "OMIE",
    '"MARGINALPDBC;" or "OMIE - Mercado de electricidad;..."',
    "omie.es, file access list; layouts also in github.com/acruzgarcia/OMIEData",
    _knows,
    _layout,
    "text",
    _table,
)
