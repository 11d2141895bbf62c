"""Monthly files of ENTSO-E's file library (formerly SFTP): tabs, times in UTC, all areas of Europe in one file.

Beside the start of its step, a row has the length of it (PT60M, PT15M) and the time at which it was updated.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values, matching
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.times.words import read_words

_END = "end of the step"
_PRICE = r"^Price(\[Currency/MWh\])?$"
_MINUTES = {"PT5M": 5.0, "PT15M": 15.0, "PT30M": 30.0, "PT60M": 60.0, "PT1H": 60.0}


def _knows(table: Table) -> bool:
    return table.has("ResolutionCode", "AreaCode") and bool(matching(table, r"^DateTime"))


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    place = next(name for name in ("MapCode", "AreaDisplayName", "AreaName", "AreaCode") if table.has(name))
    money = _currency(table, place, stated)
    keep = []
    if table.has("ContractType") and "Day-ahead" in table.uniques("ContractType"):
        keep.append(("ContractType", "Day-ahead", "rows of the day-ahead auction are used"))
    if table.has("ProductionType"):
        keep.append(("ProductionType", "Solar", "rows of solar power are used"))
    values = {
        "price": Values(_PRICE, f"{money}/MWh"),
        "load": Values(r"^TotalLoad(Value|\[MW\])$", "MW"),
        "solar": Values(r"^ActualGenerationOutput(\[MW\])?$", "MW"),
    }
    lengths = table.uniques("ResolutionCode")
    if any(length not in _MINUTES for length in lengths):
        found = f"has steps of {', '.join(sorted(lengths))}"
        raise problem("odd_step", table.source, found, "keep the rows of one length, PT15M, PT30M or PT60M")
    return Layout(
        values={q: v for q, v in values.items() if matching(table, v.pattern)},
        utc=matching(table, r"^DateTime")[0],
        stamps="start",
        zone="Europe/Brussels",
        places=(place,),
        keep=tuple(keep),
        end=_END,
        made=((_END, _ends(table)),),
    )


def _ends(table: Table) -> pa.Array:
    """The ends of steps as text: starts and lengths."""
    name = matching(table, r"^DateTime")[0]
    words = read_words(f"{table.source} column {name}", table.cells(name))
    coded = table.cells("ResolutionCode").dictionary_encode()
    lengths = np.array([_MINUTES[word] * 60.0 for word in coded.dictionary.to_pylist()])
    seconds = words.wall(next(iter(words.days))) // 1_000_000_000 + lengths[coded.indices.to_numpy()].astype(np.int64)
    return pa.array(np.char.replace(np.datetime_as_string(seconds.astype("datetime64[s]")), "T", " "))


def _currency(table: Table, place: str, stated: Stated) -> str:
    """The currency of the rows that are meant; "EUR" where the file has no prices."""
    if not table.has("Currency"):
        return "EUR"
    wanted = stated.given.get("place")
    rows = table.where(table.equal(place, str(wanted))) if wanted in table.uniques(place) else table
    found = [code for code in rows.uniques("Currency") if re.fullmatch(r"[A-Z]{3}", code)]
    if len(found) > 1 and wanted is not None:
        raise problem(
            "unknown_unit", table.source, f"has prices in {' and '.join(found)}", "keep those of one currency"
        )
    return found[0] if found else "EUR"


KIND = Kind(
    "ENTSO-E file library",
    '"DateTime(UTC)", "ResolutionCode", "AreaCode", "MapCode", "Price[Currency/MWh]", separated by tabs',
    "transparency.entsoe.eu, file library: EnergyPrices_12.1.D, ActualTotalLoad_6.1.A",
    _knows,
    _layout,
)
