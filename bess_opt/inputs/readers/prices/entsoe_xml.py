"""XML answers of ENTSO-E's API: prices (A44), load (A65) and generation (A75), with points that may be left out.

Under curve type A01 every position has a point. Under A03 a position without one repeats the point before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.markup import Element, text_of, xml_of
from bess_opt.inputs.readers.file.opened import Opened
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log

_RESOLUTION = re.compile(r"PT?(?:(\d+)H|(\d+)M|(\d+)D)")
_CAPACITY = {"A15": "a reserve", "A81": "contracted reserves", "A89": "prices of contracted reserves"}


def _knows(opened: Opened) -> bool:
    return "MarketDocument" in opened.head and "<TimeSeries>" in opened.head.replace("ns0:", "")


def _table(opened: Opened, stated: Stated, log: Log) -> Table:
    root = xml_of(opened)
    kind = text_of(root, "type")
    rows: list[tuple[str, str, str, str, str]] = []
    curves = set()
    for series in root.iter("TimeSeries"):
        curve = text_of(series, "curveType", "A01")
        curves.add(curve)
        place = _place(series)
        sort = "Solar" if text_of(series, "psrType") == "B16" else text_of(series, "psrType")
        for start, end, value in _points(opened.source, series, curve):
            rows.append((start, end, place, sort, value))
    if not rows:
        raise problem("empty_series", opened.source, "holds no points", "ask for a span with data")
    if "A03" in curves:
        log.decide("curve", "A03", "file", "curve A03: a position without a point repeats the one before it")
    money = text_of(root, "currency_Unit.name")
    name = f"price [{money}/MWh]" if root.find(".//price.amount") is not None else "quantity [MW]"
    columns = {"start (UTC)": 0, "end (UTC)": 1, "area": 2, "type": 3, name: 4}
    return Table.of(opened.source, {key: [row[i] for row in rows] for key, i in columns.items()}, preamble=(kind,))


def _place(series: Element) -> str:
    names = ("in_Domain.mRID", "out_Domain.mRID", "inBiddingZone_Domain.mRID", "outBiddingZone_Domain.mRID")
    return " ".join(dict.fromkeys(text for name in names if (text := text_of(series, name))))


def _points(source: str, series: Element, curve: str) -> Iterator[tuple[str, str, str]]:
    """(start, end, value) of each position of each period; under A03 the gaps are filled."""
    for period in series.iter("Period"):
        begin, stop = text_of(period, "start"), text_of(period, "end")
        found = _RESOLUTION.fullmatch(text_of(period, "resolution"))
        if found is None or not begin or not stop:
            raise problem(
                "unreadable_file", source, "has a period without start, end or resolution", "ask for it again"
            )
        step = pd.Timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0), days=int(found[3] or 0))
        first = pd.Timestamp(begin)
        count = round((pd.Timestamp(stop) - first) / step)
        given = {int(text_of(p, "position", "0")): _amount(p) for p in period.iter("Point")}
        if not given or min(given) < 1 or max(given) > count:
            found_text = (
                f"has positions {min(given, default=0)} to {max(given, default=0)} in a period of {count} steps"
            )
            raise problem("unreadable_file", source, found_text, "ask for the document again")
        if 1 not in given and curve == "A03":
            raise problem(
                "unreadable_file", source, "has no first point in a curve A03", "ask for the document again"
            )
        last = ""
        for position in range(1, count + 1):
            if position in given:
                last = given[position]
            elif curve != "A03":
                continue
            start = first + (position - 1) * step
            yield f"{start:%Y-%m-%dT%H:%M:%SZ}", f"{start + step:%Y-%m-%dT%H:%M:%SZ}", last


def _amount(point: Element) -> str:
    return text_of(point, "price.amount") or text_of(point, "quantity")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    capacity = _CAPACITY.get(table.preamble[0], "")
    keep = (("type", "Solar", "rows of solar power are used"),) if stated.quantity == "solar" else ()
    values = {"price": Values(r"^price"), "load": Values(r"^quantity")}
    if "Solar" in table.uniques("type"):
        values = {"solar": Values(r"^quantity")}
    return Layout(
        values=values, utc="start (UTC)", end="end (UTC)", stamps="start", zone="Europe/Brussels", places=("area",),
        keep=keep, capacity=capacity,
    )  # fmt: skip


KIND = Kind(
    "ENTSO-E XML",
    "<Publication_MarketDocument> or <GL_MarketDocument> with <Period> and <Point>",
    "transparency.entsoe.eu, RESTful API; curve types in the ENTSO-E EDI library",
    _knows,
    _layout,
    "xml",
    _table,
)
