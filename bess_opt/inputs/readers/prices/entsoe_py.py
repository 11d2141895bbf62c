"""Series that the Python package entsoe-py was asked for and pandas wrote: a first column without a name, offsets."""

from __future__ import annotations

import re

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.times.words import read_words

_STAMP = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}"
_NAMES = r"^0$|^price$|DA_price|Day-ahead Price|Actual Load|Forecasted Load|^Solar"


def _knows(table: Table) -> bool:
    return (
        table.names[0] == ""
        and bool(re.fullmatch(_STAMP, table.first("")))
        and any(re.search(_NAMES, name, re.IGNORECASE) for name in table.names)
    )


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    """Offsets +01:00 and +02:00 at the times of Central Europe are those of its clock; others are asked for."""
    offsets = read_words(f"{table.source}, first column", table.cells("")).offsets
    central = offsets is not None and set(offsets.tolist()) <= {3600.0, 7200.0}
    if central and not stated.has("clock"):
        said = "offsets of Central Europe: days are those of Europe/Brussels"
        log.decide("zone", "Europe/Brussels", "choice", said, expected='else state clock="Europe/Paris"')
    values = {
        "price": Values(r"^0$|price", "EUR/MWh"),
        "load": Values(r"^Actual Load", "MW"),
        "solar": Values(r"^Solar(?!.*Consumption)", "MW"),
    }
    return Layout(values=values, start="", stamps="start", zone="Europe/Brussels" if central else None)


KIND = Kind(
    "entsoe-py",
    '"" and "DA_price", "0" or "Actual Load", "2025-03-29 00:00:00+01:00"',
    "github.com/EnergieID/entsoe-py, pandas.Series.to_csv",
    _knows,
    _layout,
)
