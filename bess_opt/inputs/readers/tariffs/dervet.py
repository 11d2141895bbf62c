"""DER-VET's tariff tables as ours: months from and to, hours 1 to 24 as the ends of hours, both inclusive."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from bess_opt.common.findings import Finding
from bess_opt.inputs.readers.problems import note, problem
from bess_opt.inputs.readers.tariffs.tariff_request import per_thousand, stated_export, unknown_tariff
from bess_opt.inputs.readers.tariffs.urdb import runs

COLUMNS = ("Start Month", "End Month", "Start Time", "End Time", "Weekday?", "Value", "Charge")
_KINDS: dict[int, str] = {0: "weekend", 1: "weekday", 2: "all"}


def from_dervet(source: str, text: str, export: float | str | None) -> tuple[dict[str, Any], list[Finding]]:
    """Rows "hour-ending, inclusive, $/kWh or $/kW-month" as ours; excluded hours cut a window in two."""
    rows = list(csv.DictReader(io.StringIO(text)))
    names = list(rows[0]) if rows else []
    if not all(name in names for name in COLUMNS):
        raise unknown_tariff(source, f"has the columns {', '.join(map(str, names)) or 'none'}")
    tables: dict[str, list[dict[str, Any]]] = {"energy": [], "demand": []}
    for number, row in enumerate(rows, start=2):
        try:
            kind, windows = row["Charge"].strip().lower(), _dervet_windows(row)
            first, last = int(row["Start Month"]), int(row["End Month"])
            common = {"months": list(range(first, last + 1)), "days": _KINDS[int(row["Weekday?"])]}
            price, target = per_thousand(float(row["Value"])), tables[kind]
        except (ValueError, KeyError) as error:
            found = f"cannot be read: {error}"
            expected = "give months, hours 1 to 24, Weekday? 0, 1 or 2, a value, and energy or demand"
            raise problem("wrong_value", f"{source} row {number}", found, expected) from None
        if kind == "demand" and len(windows) > 1:
            found = "is measured in several windows of the day"
            raise problem("no_such_row", f"{source} row {number}", found, "give one daily window per row")
        key = "price_per_mwh" if kind == "energy" else "price_per_mw_month"
        target += [{key: price, **common, "hours": hours} for hours in windows]
    said = note(
        f"{source} export", "the file says nothing of export: it is not paid", "state export if it is", warns=True
    )
    notes = [
        note(source, "hours 1 to 24 are ends and are made starts; values per kWh and kW are made per MWh and MW"),
        said if export is None else stated_export(source, export),
    ]
    return {**tables, "export": "none" if export is None else export}, notes


def _dervet_windows(row: Mapping[str, str]) -> list[tuple[int, int]]:
    taken = set(range(int(row["Start Time"]) - 1, int(row["End Time"])))
    if (row.get("Excluding Start Time") or "").strip():
        taken -= set(range(int(row["Excluding Start Time"]) - 1, int(row["Excluding End Time"])))
    return runs([int(hour in taken) for hour in range(24)], 1)
