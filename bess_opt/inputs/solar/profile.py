"""Solar power of a site without a profile: from a weather file to the AC power of a PV plant, by pvlib.

Every row of weather is tied to the moment that its irradiance stands for (the middle of its interval, or the
moment of a satellite picture), and the sun is put where it stands then. What comes out is on the site's own
clock: a stamp is the start of its step, a power the mean over it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.solar.calendar import around, clock_of, on_calendar, out_step, zone_of
from bess_opt.inputs.solar.power import ac_power, dc_power, finer, means
from bess_opt.inputs.solar.pv_plant import SolarPlant
from bess_opt.inputs.solar.weather import Weather, checked, from_frame, height_of, pvlib_package, sun_of
from bess_opt.inputs.solar.weather_files import from_file


def solar(
    weather: str | Path | pd.DataFrame, *, dc_mw: float, inverter_mw: float, latitude: float | None = None,
    longitude: float | None = None, altitude_m: float | None = None, time_zone: str | None = None,
    tilt_deg: float | None = None, azimuth_deg: float | None = None, tracking: str = "fixed",
    step_min: float | None = None, year: int | None = None, losses: float | None = None,
    kind: str | None = None, **options: Any,
) -> pd.DataFrame:  # fmt: skip
    """Power of a PV plant from weather: columns `solar_mw` (AC) and `solar_dc_mw` (before the inverter).

    The index is the start of each step, tz-aware; the frame fits `bess_opt.Scenario(series=...)`. Needs
    pvlib: `pip install "bess-opt[solar]"`. Further `options`: see `bess_opt.inputs.solar.pv_plant.SolarPlant`.

    `weather`: a TMY3, TMY2, EPW, PVGIS (typical year or hourly; csv, json) or NSRDB PSM file, or a DataFrame
    with a tz-aware index and columns ghi, dni, dhi [W/m2], temp_air [degrees C], wind_speed [m/s]. `kind`
    overrides what the file looks like: "tmy3", "tmy2", "epw", "pvgis_tmy", "pvgis_hourly", "nsrdb".
    Place and clock are the file's where not stated; `time_zone` (an IANA name) gives local time.
    `tilt_deg` defaults to 0.76 |latitude| + 3.1 (trackers: 0), `azimuth_deg` to the equator's side (180 is
    south). `tracking` is "fixed" or "single_axis" (backtracking, axis along `azimuth_deg`).
    `step_min` defaults to the file's: longer steps are means, in shorter ones the light follows the sun.
    `year`: months of different years are put on it (default 2025; 29 February is left out or repeats the day
    before); of several real years it picks one. Whole years come out as whole local years: the hours that
    the zone moves over one end come in at the other. `losses` before the inverter: a fraction, default 0.087.
    ScenarioError for whatever is wrong with file or numbers.
    """
    plant = SolarPlant(
        dc_mw=dc_mw, inverter_mw=inverter_mw, latitude=latitude, longitude=longitude, altitude_m=altitude_m,
        time_zone=time_zone, tilt_deg=tilt_deg, azimuth_deg=azimuth_deg, tracking=tracking, step_min=step_min,
        year=year, losses=losses, kind=kind, **options,
    )  # fmt: skip
    return _profile(weather, plant)


def _profile(weather: str | Path | pd.DataFrame, plant: SolarPlant) -> pd.DataFrame:
    pvlib_package()
    rows = from_frame(weather, plant) if isinstance(weather, pd.DataFrame) else from_file(weather, plant)
    rows, plant = placed(checked(rows), plant)
    out = out_step(rows, plant)
    whole, rows = on_calendar(rows, plant.year)
    index = clock_of(rows, whole, out, plant.time_zone or zone_of(rows.zone))
    rows = finer(around(rows) if whole else rows, out)
    dc = means(rows, dc_power(rows, plant), index, out)
    return pd.DataFrame({"solar_mw": ac_power(dc, plant), "solar_dc_mw": dc}, index=index)


def placed(rows: Weather, plant: SolarPlant) -> tuple[Weather, SolarPlant]:
    """Place and angles: stated, else the file's, else the usual; a level plane made beam and sky."""
    stated = (plant.latitude, plant.longitude, plant.altitude_m)
    latitude, longitude, height = (
        own if own is not None else theirs for own, theirs in zip(stated, rows.place, strict=True)
    )
    lacking = [name for name, value in (("latitude", latitude), ("longitude", longitude)) if value is None]
    if latitude is None or longitude is None:
        found = f"{rows.source} does not say where it is"
        raise problem("missing_key", f"solar.{lacking[0]}", found, f"state {' and '.join(lacking)}")
    place = (latitude, longitude, height or 0.0)
    rows = replace(rows, place=place)
    if rows.plane is not None and rows.plane[0] == 0.0:
        rows = _level(rows)
    angles = {"tilt_deg": plant.tilt_deg, "azimuth_deg": plant.azimuth_deg}
    if rows.plane is not None:
        _same_plane(rows.plane, plant)
        angles = dict(zip(angles, rows.plane, strict=True))
    usual = {"tilt_deg": 0.0 if plant.tracking != "fixed" else 0.76 * abs(latitude) + 3.1}
    usual["azimuth_deg"] = 180.0 if latitude >= 0.0 else 0.0
    filled = {key: usual[key] if value is None else value for key, value in angles.items()}
    return rows, SolarPlant(**plant.merged(filled))


def _same_plane(plane: tuple[float, float], plant: SolarPlant) -> None:
    """Irradiance on a plane serves that plane only."""
    for key, there in zip(("tilt_deg", "azimuth_deg"), plane, strict=True):
        own = getattr(plant, key)
        if plant.tracking != "fixed" or (own is not None and abs(own - there) > 0.5):
            found = f"the file holds irradiance on a fixed plane, tilt {plane[0]:g}, azimuth {plane[1]:g} deg"
            expected = "leave tilt and azimuth out, or download the file for slope 0"
            raise problem("contradiction", f"solar.{key}", found, expected)


def _level(rows: Weather) -> Weather:
    """Beam and sky on the level plane as ghi, dni and dhi; the beam of a sun at the horizon is left out."""
    beam, sky = rows.frame["poa_direct"].to_numpy(), rows.frame["poa_sky_diffuse"].to_numpy()
    height = height_of(sun_of(rows))
    high = height > 0.03
    dni = np.where(high, np.minimum(beam / np.where(high, height, 1.0), 1361.0), 0.0)
    horizontal = {"ghi": beam + sky, "dni": dni, "dhi": sky}
    rest = {name: rows.frame[name] for name in ("temp_air", "wind_speed")}
    return replace(rows, frame=pd.DataFrame(horizontal | rest), plane=None)
