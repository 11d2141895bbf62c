"""Solar power of a site without a profile: from a weather file to the AC power of a PV plant, by pvlib.

Every row of weather is tied to the moment that its irradiance stands for (the middle of its interval, or the
moment of a satellite picture), and the sun is put where it stands then. What comes out is on the site's own
clock: a stamp is the start of its step, a power the mean over it (rule 2).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from bess_opt.inputs.solar.calendar import around, clock_of, on_calendar, out_step, zone_of
from bess_opt.inputs.solar.place import placed
from bess_opt.inputs.solar.power import ac_power, dc_power, finer, means
from bess_opt.inputs.solar.pv_plant import SolarPlant
from bess_opt.inputs.solar.weather import checked, from_frame, pvlib_package
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
