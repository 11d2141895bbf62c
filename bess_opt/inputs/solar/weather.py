"""Rows of weather: each tied to the moment that its irradiance stands for, checked, and where the sun stands then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Floats
from bess_opt.common.clock import zone_name
from bess_opt.common.wording import moment
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.solar.pv_plant import SolarPlant

TYPICAL_YEAR = 2025  # the calendar of weather whose months come from different years
WEATHER = {  # column of pvlib: what it may hold, unit
    "ghi": (-50.0, 2000.0, "W/m2"),
    "dni": (-50.0, 2000.0, "W/m2"),
    "dhi": (-50.0, 2000.0, "W/m2"),
    "temp_air": (-90.0, 70.0, "degrees C"),
    "wind_speed": (0.0, 100.0, "m/s"),
}
ON_PLANE = {f"poa_{part}": WEATHER["ghi"] for part in ("direct", "sky_diffuse", "ground_diffuse")}


@dataclass(frozen=True)
class Weather:
    """Rows of weather as a file gives them.

    `middle` is the moment that the irradiance of a row stands for, on a clock without summer time; `typical`
    says that the months come from different years. `plane` is (tilt, azimuth) [deg] where irradiance is given
    on a plane, in columns poa_*, in place of ghi, dni and dhi. `place` is (latitude, longitude, altitude).
    """

    source: str
    frame: pd.DataFrame
    middle: pd.DatetimeIndex
    step: pd.Timedelta
    zone: Any
    typical: bool = False
    plane: tuple[float, float] | None = None
    place: tuple[float | None, float | None, float | None] = (None, None, None)


def pvlib_package() -> Any:
    """The package that does the physics of the sun; it is an extra."""
    try:
        import pvlib
    except ImportError:
        remedy = 'install it: pip install "bess-opt[solar]"'
        raise problem("missing_package", "solar", "the package pvlib is not installed", remedy) from None
    return pvlib


def from_frame(frame: pd.DataFrame, plant: SolarPlant) -> Weather:
    """The rows of a table in memory. ScenarioError without a time zone."""
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        expected = 'give a tz-aware DatetimeIndex: frame.tz_localize("Europe/Berlin")'
        raise problem("naive_time", "weather", "has no index of times with a time zone", expected)
    zone = zone_name(index.tz) or index.tz
    utc = frame.set_axis(index.tz_convert("UTC"))
    return rows_of("weather", utc, plant.stamps or "start", zone)


def rows_of(source: str, data: pd.DataFrame, stamps: str, zone: Any) -> Weather:
    """Rows whose stamps mark the "start", "middle" or "end" of their intervals. ScenarioError for a single row."""
    index = pd.DatetimeIndex(data.index).as_unit("ns")
    gaps = np.diff(index.asi8)
    gaps = gaps[gaps > 0]
    if not len(gaps):
        raise problem("too_short", source, "has fewer than two rows in order", "give at least two rows")
    lengths, counts = np.unique(gaps, return_counts=True)
    step = pd.Timedelta(int(lengths[np.argmax(counts)]), "ns")
    shift = {"start": step / 2, "middle": pd.Timedelta(0), "end": -step / 2}[stamps]
    return Weather(source, data.reset_index(drop=True), index + shift, step, zone)


def checked(rows: Weather) -> Weather:
    """The columns that are needed, as numbers inside their ranges; small negative irradiance is none."""
    wanted = WEATHER if rows.plane is None else ON_PLANE | {key: WEATHER[key] for key in list(WEATHER)[3:]}
    missing = [name for name in wanted if name not in rows.frame]
    if missing:
        have = ", ".join(str(name) for name in rows.frame.columns[:12])
        hint = "; download PVGIS with its radiation components" if rows.plane is not None else ""
        expected = f"give {', '.join(wanted)}{hint}"
        raise problem("missing_column", rows.source, f"lacks {', '.join(missing)}; has {have}", expected)
    values: dict[str, Any] = {}
    for name, (low, high, unit) in wanted.items():
        numbers = pd.to_numeric(rows.frame[name], errors="coerce").to_numpy(dtype=np.float64)
        bad = ~((numbers >= low) & (numbers <= high))
        if bad.any():
            at = int(np.argmax(bad))
            where = f"{rows.source} row {at + 1} ({moment(rows.middle[at])}), column {name}"
            found = f"found {rows.frame[name].iloc[at]}" + (f", and {bad.sum() - 1} more" if bad.sum() > 1 else "")
            raise problem("wrong_value", where, found, f"give {low:g} to {high:g} {unit}, and fill gaps first")
        values[name] = np.maximum(numbers, 0.0) if unit == "W/m2" else numbers
    return replace(rows, frame=pd.DataFrame(values))


def sun_of(rows: Weather) -> pd.DataFrame:
    """Where the sun stands at the middle of each row."""
    latitude, longitude, height = rows.place
    sun: pd.DataFrame = pvlib_package().solarposition.get_solarposition(
        rows.middle, latitude, longitude, height, method="nrel_numpy"
    )
    return sun


def height_of(sun: pd.DataFrame) -> Floats:
    """Sine of the sun's height, 0 below the horizon."""
    height: Floats = np.maximum(np.cos(np.deg2rad(sun["zenith"].to_numpy())), 0.0)
    return height
