"""Downloads of energy-charts.info: CSV with a second header line of units, or the JSON of its API.

Stamps carry their offset; older downloads have bare times on a clock that is UTC+1 all year. Prices are in EUR/MWh.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from bess_opt.inputs.readers.format import Format, Found, Request, choose, matching, unit_for
from bess_opt.inputs.readers.problems import note
from bess_opt.inputs.readers.sheet import Sheet
from bess_opt.inputs.readers.stamps import localised, read_naive, read_offsets, step_of, with_offsets

_ZONE, _FIXED = "Europe/Berlin", "Etc/GMT-1"
_TIME = r"^(Date|Datum) \((GMT\+1|MEZ|UTC)\)$"
_COLUMNS = {
    "price": r"Day.Ahead Au(ction|ktion)|^price$",
    "load": r"^(Load|Last)( \(.*\))?$",
    "solar": r"^Solar$",
}
_MARKETS = r"Day.Ahead Au(ction|ktion)|Intraday (Auction|Continuous|Auktion)"


def _knows(sheet: Sheet) -> bool:
    dated = bool(re.match(_TIME, sheet.header[0])) or sheet.header[0] == "unix_seconds"
    return dated or (sheet.header[0] == "Date" and bool(matching(sheet, _MARKETS)))


def _read(sheet: Sheet, request: Request) -> Found:
    fitting = matching(sheet, _COLUMNS[request.quantity])
    if request.quantity == "price" and not fitting:
        fitting = matching(sheet, _MARKETS)
    column = choose(sheet, request, fitting)
    unit = unit_for(sheet, request, column, "EUR/MWh" if request.quantity == "price" else "").replace(" ", "")
    values, texts = sheet.numbers(column), sheet.columns[0]
    if sheet.header[0] == "unix_seconds":
        seconds = sheet.numbers("unix_seconds").astype(np.int64)
        starts = pd.DatetimeIndex(seconds.astype("datetime64[s]")).tz_localize("UTC")
        said = "unix_seconds are read as starts in UTC"
    elif with_offsets(texts):
        starts = read_offsets(sheet.source, texts)
        said = "starts are read with their own offsets"
    else:
        naive = read_naive(sheet.source, texts)
        clock = request.clock or _FIXED
        found = localised(sheet.source, naive, clock, np.isnan(values), request.stamps or "start", step_of(naive))
        starts, values = found.index, values[found.kept]
        said = f"bare times are read as starts on the clock of {clock}" + (
            "" if request.clock else ", UTC+1 all year"
        )
    notes = (note(f"{sheet.source} column {sheet.header[0]}", said),)
    return Found(starts, values, unit, _ZONE, column, notes)


FORMAT = Format("energy-charts", '"Date (GMT+1)", "Day Ahead Auction (DE-LU)"', _knows, _read)
