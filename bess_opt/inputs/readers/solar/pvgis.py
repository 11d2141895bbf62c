"""Hourly PV power of PVGIS (its column P), read by pvlib; weather files go through `bess_opt.solar`."""

from __future__ import annotations

import pandas as pd

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.opened import Opened
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log


def _knows_csv(opened: Opened) -> bool:
    return opened.head.startswith("Latitude (decimal degrees)")


def _knows_json(opened: Opened) -> bool:
    return '"outputs"' in opened.head or '"mounting_system"' in opened.head


def _table(opened: Opened, stated: Stated, log: Log) -> Table:
    """PV power [W] of each hour. ScenarioError if pvlib is missing, or the file has no PV power."""
    try:
        from pvlib import iotools
    except ModuleNotFoundError:
        expected = 'pip install "bess-opt[solar]"'
        raise problem("missing_package", opened.source, "needs pvlib, which is not installed", expected) from None
    try:
        form = "json" if opened.form == "json" else "csv"
        data, _ = iotools.read_pvgis_hourly(opened.path, pvgis_format=form, map_variables=False)
    except (ValueError, KeyError, IndexError) as error:
        expected = "download the file of PVGIS's hourly data again"
        raise problem("unreadable_file", opened.source, f"cannot be read: {error}", expected) from None
    if "P" not in data:
        expected = "ask PVGIS for PV power, or make it from this weather with bo.solar"
        raise problem("missing_column", opened.source, "has no column P", expected)
    index = pd.DatetimeIndex(data.index)
    said = f"stamps {index[0]:%H:%M} within their hour in UTC are put at its start"
    log.decide("stamps name", "a moment within their hour", "kind", said)
    starts = [f"{stamp:%Y-%m-%d %H:%M}" for stamp in index.floor("h")]
    return Table.of(opened.source, {"time (UTC)": starts, "P": [repr(float(value)) for value in data["P"]]})


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    return Layout(values={"solar": Values(r"^P$", "W")}, utc="time (UTC)", stamps="start")


_SOURCE = "re.jrc.ec.europa.eu/pvg_tools, hourly data with PV power"
KINDS = (
    Kind("PVGIS", '"Latitude (decimal degrees):", "time,P,G(i),..."', _SOURCE, _knows_csv, _layout, "text", _table),
    Kind("PVGIS JSON", '{"outputs": {"hourly": [...]}}', _SOURCE, _knows_json, _layout, "json", _table),
)
