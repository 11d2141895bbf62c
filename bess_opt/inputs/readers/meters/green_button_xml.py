"""Green Button XML (ESPI): intervals in seconds since 1970, with the power of ten and the unit of their meter.

A value is `value` x 10^powerOfTenMultiplier in the unit of its ReadingType: 72 Wh in an interval, 38 W over it.
"""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.markup import Element, text_of, xml_of
from bess_opt.inputs.readers.file.opened import Opened
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log

_UNITS = {"72": "Wh", "38": "W"}
_QUALITY = {"8": "estimated", "9": "forecasted", "11": "other", "12": "missing", "19": "estimated"}


def _knows(opened: Opened) -> bool:
    return "http://naesb.org/espi" in opened.head


def _table(opened: Opened, stated: Stated, log: Log) -> Table:
    root = xml_of(opened)
    entries = [_Entry(entry) for entry in root.iter("entry")]
    types = {e.self_link: e.content("ReadingType") for e in entries if e.content("ReadingType") is not None}
    readings = {e.self_link: e for e in entries if e.content("MeterReading") is not None}
    columns: dict[str, list[str]] = {name: [] for name in ("start (UTC)", "end (UTC)", "meter", "value")}
    units: set[str] = set()
    poor = 0
    for entry in entries:
        blocks = list(entry.element.iter("IntervalBlock"))
        if not blocks:
            continue
        meter = next((link for link in readings if any(up.startswith(link) for up in entry.up_links)), "")
        kind = _reading_type(opened.source, types, readings.get(meter))
        unit = _UNITS.get(text_of(kind, "uom"))
        if unit is None:
            found = f"meter {meter or '1'} is in the unit {text_of(kind, 'uom') or 'none'} of ESPI"
            raise problem("unknown_unit", opened.source, found, "give a meter of real energy (72) or power (38)")
        units.add(unit)
        factor = 10.0 ** int(text_of(kind, "powerOfTenMultiplier", "0") or 0)
        sign = -1 if text_of(kind, "flowDirection") == "19" else 1
        name = meter + (" (export)" if sign < 0 else "")
        for reading in (r for block in blocks for r in block.iter("IntervalReading")):
            start, length = int(text_of(reading, "start")), int(text_of(reading, "duration"))
            poor += text_of(reading, "quality") in _QUALITY
            row = (str(start), str(start + length), name, repr(int(text_of(reading, "value")) * factor))
            for column, cell in zip(columns, row, strict=True):
                columns[column].append(cell)
    if not columns["value"]:
        raise problem("empty_series", opened.source, "holds no interval readings", "ask for a span with data")
    if len(units) > 1:
        raise problem("several_places", opened.source, "holds meters of energy and of power", "ask for one of them")
    if poor:
        log.decide(
            "quality", f"{poor} estimated", "file", f"{poor} values are marked as estimated or worse", warns=True
        )
    unit = units.pop()
    return Table.of(opened.source, {f"value [{unit}]" if n == "value" else n: c for n, c in columns.items()})


class _Entry:
    """An entry of the feed, with the links that say what it belongs to."""

    def __init__(self, element: Element) -> None:
        links = [(link.get("rel", ""), link.get("href", "")) for link in element.findall("link")]
        self.element = element
        self.self_link = next((href for rel, href in links if rel == "self"), "")
        self.up_links = [href for rel, href in links if rel in ("up", "self")]
        self.related = [href for rel, href in links if rel == "related"]

    def content(self, tag: str) -> Element | None:
        return self.element.find(f"./content/{tag}")


def _reading_type(source: str, types: dict[str, Element | None], reading: _Entry | None) -> Element | None:
    """The ReadingType that a meter's entry relates to, or the only one there is."""
    for link in reading.related if reading else ():
        if link in types:
            return types[link]
    if len(types) == 1:
        return next(iter(types.values()))
    found = f"holds {len(types)} reading types, and a meter that relates to none of them"
    raise problem("unreadable_file", source, found, "ask for the whole feed again")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    return Layout(
        values={"load": Values(r"^value"), "solar": Values(r"^value")},
        utc="start (UTC)",
        end="end (UTC)",
        stamps="start",
        places=("meter",),
    )


KIND = Kind(
    "Green Button XML",
    "<feed> with <IntervalReading> of http://naesb.org/espi",
    "naesb.org/espi (ESPI REQ.21), greenbuttondata.org",
    _knows,
    _layout,
    "xml",
    _table,
)
