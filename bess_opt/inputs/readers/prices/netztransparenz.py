"""Spot prices of netztransparenz.de, in ct/kWh: a date, hours from and to, and the name of the zone of each."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log

_CLOCK = "Europe/Berlin"
_SUMMER, _WINTER = ("CEST", "MESZ"), ("CET", "MEZ")


def _knows(table: Table) -> bool:
    return table.has("Datum", "von", "Zeitzone von")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    zones = {zone.upper() for zone in table.uniques("Zeitzone von")}
    utc = zones == {"UTC"}
    other = sorted(zones - {*_SUMMER, *_WINTER})
    if other and not utc:
        found = f"found {other[0] or 'an empty cell'!r}, no zone of the German clock"
        raise problem(
            "unknown_zone", f"{table.source} column Zeitzone von", found, "write CET, CEST, or UTC throughout"
        )
    return Layout(
        values={"price": Values(r"Spotmarktpreis"), "solar": Values(r"Solar|Photovoltaik|50Hertz|gesamt", "MW")},
        date="Datum",
        time="von",
        stamps="start",
        clock="UTC" if utc else _CLOCK,
        zone=_CLOCK,
        summer=None if utc else ("Zeitzone von", _SUMMER, _WINTER),
        order="day first",
    )


KIND = Kind(
    "netztransparenz.de",
    '"Datum";"von";"Zeitzone von";"bis";"Zeitzone bis";"Spotmarktpreis in ct/kWh"',
    "netztransparenz.de, Spotmarktpreis nach § 3 Nr. 42a EEG",
    _knows,
    _layout,
)
