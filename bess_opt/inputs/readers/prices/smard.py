"""Downloads of SMARD (Bundesnetzagentur): prices, consumption and generation in German and English.

Separated by semicolons, decimal comma and thousands dot, times on the German clock: a short day has 23 hours.
Energies are MWh in each step; a column whose name ends in "Originalauflösungen" or "Berechnete Auflösungen".
"""

from __future__ import annotations

import re

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Order, Values, matching
from bess_opt.inputs.readers.reading import Log

_MARKED = r"(Originalaufl|Berechnete Aufl|Original resolutions|Calculated resolutions|Gesamtverbrauch|Netzlast)"
_VALUES = {
    "price": Values(r"[\[(](€|EUR)/MWh[\])]"),
    "load": Values(r"^(Netzlast|Gesamt(verbrauch)? ?\(Netzlast\)|Total \(grid load\)|grid load)"),
    "solar": Values(r"^(Photovoltaik|Photovoltaics)"),
}


def _knows(table: Table) -> bool:
    dated = table.names[0] in ("Datum von", "Datum", "Start date", "Date")
    return dated and table.separator == ";" and bool(matching(table, _MARKED))


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    order: Order = "month first" if re.search(r"[AP]M$", table.first(table.names[0])) else "day first"
    common = Layout(values=_VALUES, clock="Europe/Berlin", stamps="start", order=order)
    if table.has("DateTime"):
        return Layout(**vars(common) | {"start": "DateTime"})
    if table.has("Uhrzeit"):
        return Layout(**vars(common) | {"date": "Datum", "time": "Uhrzeit"})
    if table.has("Anfang"):
        return Layout(**vars(common) | {"date": "Datum", "time": "Anfang"})
    ends = [name for name in ("Datum bis", "End date") if table.has(name)]
    return Layout(**vars(common) | {"start": table.names[0], "end": ends[0] if ends else None})


KIND = Kind(
    "SMARD",
    '"Datum von";"Datum bis";"Deutschland/Luxemburg [€/MWh] Originalauflösungen"',
    "smard.de, Daten herunterladen",
    _knows,
    _layout,
)
