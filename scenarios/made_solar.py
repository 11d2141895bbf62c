"""Solar power from a typical year and from the sun's path, for the scenarios of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from made_prices import Floats, autoregressive, season_wave

YEAR = 2025
BERLIN_LATITUDE, BERLIN_LONGITUDE = 51.0, 10.0  # the middle of Germany stands for its solar plants


@dataclass(frozen=True)
class Array:
    """A fixed-tilt solar plant with one inverter rating; losses are those before the inverter."""

    weather_file: str = "723170TYA.CSV"  # TMY3, Greensboro, North Carolina, in pvlib's data folder
    dc_mw: float = 13.0
    ac_mw: float = 10.0
    tilt_deg: float = 25.0
    azimuth_deg: float = 180.0
    albedo: float = 0.2
    gamma_per_k: float = -0.0035
    eta_inverter: float = 0.96


def weather(array: Array) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the typical year; the index becomes the start of each hour of `YEAR` in standard time."""
    import pvlib

    path = Path(pvlib.__file__).parent / "data" / array.weather_file
    data, site = pvlib.iotools.read_tmy3(path, coerce_year=YEAR, map_variables=True)
    data.index = data.index - pd.Timedelta(hours=1)  # TMY3 stamps the end of the hour
    return data, site


def plane_of_array(array: Array, data: pd.DataFrame, site: dict[str, Any]) -> tuple[pd.Series, pd.Series]:
    """Irradiance on the modules and the part of it that reaches the cells, W/m2, with the sun at mid-hour."""
    import pvlib

    middle = pd.DatetimeIndex(data.index) + pd.Timedelta(minutes=30)
    sun = pvlib.solarposition.get_solarposition(
        middle, site["latitude"], site["longitude"], site["altitude"], method="nrel_numpy"
    ).set_index(data.index)
    day = middle.tz_convert("UTC").day_of_year.to_numpy(dtype=float)
    extra = pd.Series(pvlib.irradiance.get_extra_radiation(day), index=data.index)
    parts = pvlib.irradiance.get_total_irradiance(
        array.tilt_deg, array.azimuth_deg, sun["apparent_zenith"], sun["azimuth"],
        data["dni"], data["ghi"], data["dhi"], dni_extra=extra, albedo=array.albedo, model="haydavies",
    )  # fmt: skip
    angle = pvlib.irradiance.aoi(array.tilt_deg, array.azimuth_deg, sun["apparent_zenith"], sun["azimuth"])
    effective = parts["poa_direct"] * pvlib.iam.physical(angle) + parts["poa_diffuse"]
    return parts["poa_global"].fillna(0.0), effective.fillna(0.0)


def solar_power(array: Array) -> pd.DataFrame:
    """AC power after the clipping inverter and DC power before it, MW, per hour of the year."""
    import pvlib

    data, site = weather(array)
    on_modules, effective = plane_of_array(array, data, site)
    thermal = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_polymer"]
    cell = pvlib.temperature.sapm_cell(on_modules, data["temp_air"], data["wind_speed"], **thermal)
    losses_percent = pvlib.pvsystem.pvwatts_losses(shading=0.0, availability=0.0)  # the others as PVWatts
    dc = pvlib.pvsystem.pvwatts_dc(effective, cell, array.dc_mw, array.gamma_per_k)
    dc = (dc * (1.0 - losses_percent / 100.0)).clip(lower=0.0)
    ac = pvlib.inverter.pvwatts(dc, array.ac_mw / array.eta_inverter, eta_inv_nom=array.eta_inverter)
    return pd.DataFrame({"solar_mw": ac, "solar_dc_mw": dc})


def sine_of_elevation(index: pd.DatetimeIndex, latitude_deg: float, longitude_deg: float) -> Floats:
    """Sine of the sun's elevation at the middle of each step (declination by Cooper, mean solar time)."""
    step = index[1] - index[0]
    utc = (index + step / 2).tz_convert("UTC")
    day = utc.day_of_year.to_numpy(dtype=float)
    hour = utc.hour.to_numpy(dtype=float) + utc.minute.to_numpy(dtype=float) / 60.0
    declination = np.deg2rad(23.45) * np.sin(2.0 * np.pi * (284.0 + day) / 365.0)
    hour_angle = np.deg2rad(15.0 * (hour - 12.0) + longitude_deg)
    latitude = np.deg2rad(latitude_deg)
    sine = np.sin(latitude) * np.sin(declination)
    return np.asarray(sine + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle), dtype=float)


def regional_solar_from_site(solar_dc_mw: pd.Series, dc_mw: float) -> Floats:
    """Per-unit solar of the region: the site's own, spread over three hours, and the month's mean day."""
    own = solar_dc_mw / dc_mw
    spread = (own.shift(1, fill_value=0.0) + own + own.shift(-1, fill_value=0.0)) / 3.0
    index = pd.DatetimeIndex(own.index).tz_convert("UTC")
    mean_day = own.groupby([index.month, index.hour]).transform("mean")
    return np.asarray(0.7 * spread + 0.3 * mean_day, dtype=float)


def regional_solar_from_sun(index: pd.DatetimeIndex, random: np.random.Generator) -> Floats:
    """Per-unit solar of a country: clear-sky shape times a clearness that drifts from day to day."""
    clear = 0.85 * np.maximum(sine_of_elevation(index, BERLIN_LATITUDE, BERLIN_LONGITUDE), 0.0) ** 1.2
    days, position = np.unique(index.normalize().tz_localize(None).to_numpy(), return_inverse=True)
    drift = autoregressive(random, len(days), correlation=0.55)
    season = season_wave(pd.DatetimeIndex(days), peak_day=172)
    clearness = 0.3 + 0.65 / (1.0 + np.exp(-(0.2 + 0.5 * season + 1.1 * drift)))
    return np.asarray(clear * clearness[position], dtype=float)
