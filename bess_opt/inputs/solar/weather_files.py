"""Weather files: which kind one is, and its rows as they stand there, read by pvlib."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bess_opt.common.names import nearest
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.solar.pv_plant import SolarPlant
from bess_opt.inputs.solar.weather import TYPICAL_YEAR, Weather, pvlib_package, rows_of

_PLACE = ("latitude", "longitude", "altitude")


def from_file(path: str | Path, plant: SolarPlant) -> Weather:
    """The rows of a weather file. ScenarioError for one that is not there, not known or not whole."""
    if not isinstance(path, str | Path):
        expected = "give the path of a weather file or a DataFrame"
        raise problem("wrong_value", "weather", f"found {type(path).__name__}", expected)
    file = Path(path)
    if not file.is_file():
        others = [other.name for other in file.parent.glob("*")] if file.parent.is_dir() else []
        raise problem("missing_file", "weather", f"there is no file {str(file)!r}", nearest(file.name, others))
    kind = plant.kind or _kind_of(file)
    read, stamps, typical = _READERS[kind]
    try:
        data, meta = read(file)
        index = pd.DatetimeIndex(data.index)
        zone = index.tz
        offset = pd.Timedelta(hours=float(meta.get("offset_h", 0.0)))
        place = tuple(None if meta.get(key) is None else float(meta[key]) for key in _PLACE)
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as cause:
        reason = (str(cause).strip() or type(cause).__name__).splitlines()[0]
        expected = f"give a whole file of this kind, or another kind than {kind!r}"
        raise problem("unreadable_file", file.name, f"cannot be read as {kind}: {reason}", expected) from None
    rows = rows_of(file.name, data.set_axis(index + offset), plant.stamps or stamps, zone)
    return replace(rows, typical=typical, plane=meta.get("plane"), place=place)  # type: ignore[arg-type]


def _kind_of(file: Path) -> str:
    """The format, from the extension where it says enough, else from how the file begins."""
    suffix = file.suffix.lower()
    with file.open(encoding="latin-1") as lines:
        head = lines.read(4000)
    if suffix == ".tm2" or re.match(r" ?\d{5} .{22} .{2} *-?\d+ [NS] ", head):
        return "tmy2"
    if suffix == ".epw" or head.startswith("LOCATION,"):
        return "epw"
    if suffix == ".json" or head.lstrip().startswith("{"):
        text = file.read_text(encoding="utf-8", errors="replace")
        if '"tmy_hourly"' in text or '"hourly"' in text:
            return "pvgis_tmy" if '"tmy_hourly"' in text else "pvgis_hourly"
    if head.startswith("Latitude (decimal degrees)"):
        return "pvgis_tmy" if "month,year" in head else "pvgis_hourly"
    if head.startswith("Source,Location ID"):
        return "nsrdb"
    if "Date (MM/DD/YYYY),Time (HH:MM)" in head:
        return "tmy3"
    expected = "give a TMY3, TMY2, EPW, PVGIS or NSRDB file, or state its kind"
    raise problem("unknown_kind", file.name, "is of no kind known here", expected)


def _read_tmy3(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    # In a leap year the end of 28 February would else be read as that of the 29th.
    data, meta = pvlib_package().iotools.read_tmy3(file, coerce_year=TYPICAL_YEAR, map_variables=True)
    return data, meta


def _read_tmy2(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    data, meta = pvlib_package().iotools.read_tmy2(file)
    names = {"GHI": "ghi", "DNI": "dni", "DHI": "dhi", "DryBulb": "temp_air", "Wspd": "wind_speed"}
    data = data.rename(columns=names)
    return data.assign(temp_air=data["temp_air"] / 10.0, wind_speed=data["wind_speed"] / 10.0), meta


def _read_epw(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    data, meta = pvlib_package().iotools.read_epw(file)
    return data, meta


def _read_pvgis_tmy(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The irradiance of a row was taken some minutes off its stamp, as the file says."""
    data, meta = pvlib_package().iotools.read_pvgis_tmy(file, pvgis_format=_pvgis_format(file), map_variables=True)
    inputs = _flat(meta["inputs"])
    offset = inputs.get("irradiance time offset", inputs.get("irradiance_time_offset", 0.0))
    return data, inputs | {"altitude": inputs.get("elevation"), "offset_h": offset}


def _read_pvgis_hourly(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Irradiance on the plane that the file was made for; its stamps are the moments of the pictures."""
    data, meta = pvlib_package().iotools.read_pvgis_hourly(file, pvgis_format=_pvgis_format(file), map_variables=True)
    inputs = {key.lower(): value for key, value in _flat(meta["inputs"]).items()}
    tilt, azimuth = (_leading_number(inputs.get(key)) for key in ("slope", "azimuth"))
    if tilt is None:
        raise ValueError("it does not state a fixed plane")
    # South is 0 there.
    plane = (tilt, (180.0 + (azimuth or 0.0)) % 360.0)
    return data, inputs | {"altitude": inputs.get("elevation"), "plane": plane}


def _pvgis_format(file: Path) -> str:
    with file.open(encoding="latin-1") as lines:
        return "json" if lines.read(100).lstrip().startswith("{") else "csv"


def _flat(inputs: dict[str, Any]) -> dict[str, Any]:
    """PVGIS nests in json what it writes in lines in csv: location.latitude, mounting_system.fixed.slope."""
    fixed: dict[str, Any] = inputs.get("mounting_system", {}).get("fixed", {})
    angles = {key: value.get("value") for key, value in fixed.items() if isinstance(value, dict)}
    location: dict[str, Any] = inputs.get("location", {})
    return inputs | location | angles


def _leading_number(value: object) -> float | None:
    found = re.match(r"\s*(-?\d+(\.\d+)?)", str(value))
    return float(found[1]) if found else None


def _read_nsrdb(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    data, meta = pvlib_package().iotools.read_nsrdb_psm4(file, map_variables=True)
    return data, meta


# Reader, which part of its interval pvlib's stamp marks, and whether the months come from different years.
_READERS: dict[str, tuple[Callable[[Path], tuple[pd.DataFrame, dict[str, Any]]], str, bool]] = {
    "tmy3": (_read_tmy3, "end", True),
    "tmy2": (_read_tmy2, "start", True),
    "epw": (_read_epw, "start", False),
    "pvgis_tmy": (_read_pvgis_tmy, "middle", True),
    "pvgis_hourly": (_read_pvgis_hourly, "middle", False),
    "nsrdb": (_read_nsrdb, "middle", False),
}
