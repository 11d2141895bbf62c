"""CSV exports of ENTSO-E's transparency platform: prices and loads per market time unit (MTU).

Stamps are intervals "01.01.2023 00:00 - 01.01.2023 01:00", newer ones with slashes and seconds, in the zone that
the header names; on the day that repeats an hour newer files mark (CET) and (CEST). Values that are missing are
empty, "-" or "n/e". A price or mean power holds over its interval, so a file that changes from 60 to 15 minutes is
read in 15.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from bess_opt.inputs.readers.format import (
    Format,
    Found,
    Request,
    checked_zone,
    choose,
    matching,
    one_place,
    unit_for,
)
from bess_opt.inputs.readers.problems import note, problem
from bess_opt.inputs.readers.sheet import Sheet
from bess_opt.inputs.readers.stamps import localised, read_naive, step_of

_ZONES = {
    "UTC": "UTC",
    "CET/CEST": "Europe/Brussels",
    "CET": "Europe/Brussels",
    "WET/WEST": "Europe/Lisbon",
    "EET/EEST": "Europe/Athens",
    "GMT/BST": "Europe/London",
}
_TIME = r"^(MTU|Time)\b"
_COLUMNS = {"price": r"Day-ahead Price", "load": r"Actual Total Load", "solar": r"Solar.*Actual"}
_SUMMER = ("(CEST)", "(WEST)", "(EEST)", "(BST)")
_MARK = re.compile(r"\([A-Z]+\)$")


def _knows(sheet: Sheet) -> bool:
    return bool(re.match(_TIME, sheet.header[0])) and any(" - " in cell for cell in sheet.columns[0][:1])


def _read(sheet: Sheet, request: Request) -> Found:
    notes = []
    sheet, used = _one_sequence(sheet)
    if used:
        notes.append(note(f"{sheet.source} column Sequence", f"rows of {used!r} are used", warns=True))
    if "Area" in sheet.header:
        sheet = one_place(sheet, request, "Area")
    column = choose(sheet, request, matching(sheet, _COLUMNS[request.quantity]))
    unit = unit_for(sheet, request, column)
    time = sheet.header[0]
    label = (re.findall(r"\(([^)]*)\)", time) or [""])[0]
    clock = request.clock or _ZONES.get(label)
    if clock is None:
        raise problem(
            "no_time_zone", f"{sheet.source} column {time}", "says no known zone", f"state clock for {label}"
        )
    values = sheet.numbers(column)
    begin, end = _ends_of_intervals(sheet)
    clean = [_unmarked(text) for text in begin]
    naive = read_naive(sheet.source, clean)
    length = read_naive(sheet.source, [_unmarked(text) for text in end]) - naive
    # On the day on which the clock goes back newer files mark each row; elsewhere the mark is not needed.
    marked = any(_MARK.search(text) for text in begin)
    summer = np.array([any(mark in text for mark in _SUMMER) for text in begin]) if marked else None
    zone = checked_zone(clock, "clock")
    found = localised(sheet.source, naive, zone, np.isnan(values), "start", step_of(naive), summer)
    starts, kept = found.index, found.kept
    if len(kept) < len(naive):
        what = f"{len(naive) - len(kept)} empty rows of an hour that the clock skips are left out"
        notes.append(note(sheet.source, what))
    starts, values, text = _even(starts, values[kept], length[kept])
    if text:
        notes.append(
            note(sheet.source, text, "see that this is the market's own change of its time unit", warns=True)
        )
    zone = "Europe/Brussels" if zone == "UTC" else zone
    notes.append(note(f"{sheet.source} column {time}", f"interval starts are read on the clock of {clock}"))
    return Found(starts, values, unit, zone, column, tuple(notes))


def _ends_of_intervals(sheet: Sheet) -> tuple[list[str], list[str]]:
    parts = [cell.partition(" - ") for cell in sheet.columns[0]]
    return [part[0].strip() for part in parts], [part[2].strip() for part in parts]


def _unmarked(text: str) -> str:
    return re.sub(r"\s*\([A-Z]+\)$", "", text)


def _one_sequence(sheet: Sheet) -> tuple[Sheet, str]:
    """Rows of the first auction where a file lists several for the same interval."""
    if "Sequence" not in sheet.header:
        return sheet, ""
    cells = sheet.cells("Sequence")
    names = sorted(set(cells))
    if len(names) < 2:
        return sheet, ""
    used = "Sequence 1" if "Sequence 1" in names else "Without Sequence" if "Without Sequence" in names else names[0]
    wanted = {used, "Without Sequence"}
    return sheet.kept([i for i, cell in enumerate(cells) if cell in wanted]), " and ".join(
        sorted(wanted & set(names))
    )


def _even(
    starts: pd.DatetimeIndex, values: np.ndarray, length: pd.TimedeltaIndex
) -> tuple[pd.DatetimeIndex, np.ndarray, str]:
    """Longer intervals as several of the shortest.

    Where the clock changes, a row's clock times say too much or nothing: the next start or the usual length does.
    """
    stamps = starts.as_unit("ns").asi8
    written = length.as_unit("ns").asi8
    lengths, counts = np.unique(written[written > 0], return_counts=True)
    usual = int(lengths[np.argmax(counts)]) if len(lengths) else step_of(starts).value
    gap = np.append(np.diff(stamps), usual)
    plausible = (written > 0) & ((written <= gap) | (gap <= 0))
    nanoseconds = np.where(plausible, written, np.where(gap > 0, np.minimum(gap, usual), usual))
    shortest = int(nanoseconds.min())
    times = nanoseconds // shortest
    if (times == 1).all() or (nanoseconds % shortest).any():
        return starts, values, ""
    first = np.repeat(np.cumsum(times) - times, times)
    offset = (np.arange(int(times.sum())) - first) * shortest
    fine = pd.DatetimeIndex((np.repeat(stamps, times) + offset).astype("datetime64[ns]")).tz_localize("UTC")
    text = f"{int((times > 1).sum()):,} longer intervals are repeated as steps of {shortest / 60e9:g} min"
    return fine, np.repeat(values, times), text


FORMAT = Format("ENTSO-E transparency platform", '"MTU (CET/CEST)", "Day-ahead Price [EUR/MWh]"', _knows, _read)
