"""Time series of NREL's System Advisor Model (SAM): stamps "Jan 1, 12:00 am" without a year, 8,760 standard hours."""

from __future__ import annotations

import re

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.choices import WORDS
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.plain import year_of
from bess_opt.inputs.readers.reading import Log

_STAMP = r"[A-Z][a-z]{2} \d{1,2}, \d{1,2}:\d{2} ?[ap]m"


def _knows(table: Table) -> bool:
    return bool(re.fullmatch(_STAMP, table.first(table.names[0]), re.IGNORECASE))


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    return Layout(values={stated.quantity: Values(WORDS[stated.quantity])}, year=year_of(table, stated))


KIND = Kind(
    "SAM",
    '"Time stamp" with "Jan 1, 12:00 am", "Electricity load [kW]"',
    "sam.nrel.gov, time series of results",
    _knows,
    _layout,
)
