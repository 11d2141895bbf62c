"""Spot prices of netztransparenz.de, in ct/kWh: a date, hours from and to, and the name of the zone of each."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.reading import Log


def _knows(table: Table) -> bool:
    return table.has("Datum", "von", "Zeitzone von")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    return Layout(
        values={"price": Values(r"Spotmarktpreis"), "solar": Values(r"Solar|Photovoltaik|50Hertz|gesamt", "MW")},
        date="Datum",
        time="von",
        stamps="start",
        clock="Europe/Berlin",
        summer=("Zeitzone von", ("CEST", "MESZ"), ("CET", "MEZ")),
        order="day first",
    )


KIND = Kind(
    "netztransparenz.de",
    '"Datum";"von";"Zeitzone von";"bis";"Zeitzone bis";"Spotmarktpreis in ct/kWh"',
    "netztransparenz.de, Spotmarktpreis nach § 3 Nr. 42a EEG",
    _knows,
    _layout,
)
