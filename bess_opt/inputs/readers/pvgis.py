"""Hourly PV power of PVGIS (its column P), read by pvlib; weather files go through `bess_opt.solar`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bess_opt.inputs.readers.format import Found
from bess_opt.inputs.readers.problems import note, problem


def knows(path: Path) -> bool:
    """Whether the file begins as PVGIS's hourly CSV or JSON does."""
    try:
        with path.open(encoding="latin-1") as lines:
            head = lines.read(4000)
    except OSError:
        return False
    return head.startswith("Latitude (decimal degrees)") or ('"outputs"' in head or '"mounting_system"' in head)


def read(path: Path) -> Found:
    """PV power [W] of each hour. ScenarioError if pvlib is missing, or the file has no PV power."""
    try:
        from pvlib import iotools
    except ModuleNotFoundError:
        expected = 'pip install "bess-opt[solar]"'
        raise problem("missing_package", path.name, "needs pvlib, which is not installed", expected) from None
    form = "json" if path.suffix.lower() == ".json" else "csv"
    try:
        data, _ = iotools.read_pvgis_hourly(path, pvgis_format=form, map_variables=False)
    except (ValueError, KeyError, IndexError) as error:
        expected = "download the file of PVGIS's hourly data again"
        raise problem("unreadable_file", path.name, f"cannot be read: {error}", expected) from None
    if "P" not in data:
        expected = "ask PVGIS for PV power, or make it from this weather with bo.solar"
        raise problem("missing_column", path.name, "has no column P", expected)
    index = pd.DatetimeIndex(data.index)
    starts = index.floor("h")
    said = f"stamps {index[0]:%H:%M} within their hour in UTC are put at its start"
    return Found(starts, data["P"].to_numpy(dtype=float), "W", "UTC", "P", (note(path.name, said),))
