"""From light to power: finer steps, irradiance on the modules, the array's DC power, the inverter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Floats
from bess_opt.inputs.solar.calendar import nanoseconds
from bess_opt.inputs.solar.pv_plant import LOSSES, SolarPlant
from bess_opt.inputs.solar.weather import Weather, height_of, pvlib_package, sun_of


def finer(rows: Weather, out: pd.Timedelta) -> Weather:
    """Rows of `out` where the file's are longer: light follows the sun's height and keeps its mean."""
    parts = rows.step // out
    if parts <= 1:
        return rows
    steps = (np.arange(parts) - (parts - 1) / 2.0) * nanoseconds(out)
    stamps = (rows.middle.asi8[:, None] + steps.astype(np.int64)).ravel()
    middle = pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(rows.middle.tz)
    fine = replace(rows, middle=middle, step=out)
    height = height_of(sun_of(fine)).reshape(-1, parts)
    mean = height.mean(axis=1, keepdims=True)
    shape = np.where(mean > 0.0, height / np.where(mean > 0.0, mean, 1.0), 1.0)
    risen = (shape > 0.0).astype(float)  # the beam is the same as long as the sun is up
    up = risen / risen.mean(axis=1, keepdims=True)
    values: dict[str, Floats] = {}
    for name in rows.frame:
        column = rows.frame[name].to_numpy()
        if name in ("temp_air", "wind_speed"):
            values[str(name)] = np.interp(stamps, rows.middle.asi8, column)
        else:
            values[str(name)] = (column[:, None] * (up if name == "dni" else shape)).ravel()
    return replace(fine, frame=pd.DataFrame(values))


def dc_power(rows: Weather, plant: SolarPlant) -> Floats:
    """Power of the array at the middle of each row, MW, by PVWatts."""
    pvlib, air = pvlib_package(), rows.frame.set_axis(rows.middle)
    on_modules, effective = _on_modules(rows, plant)
    family = "sapm" if "_glass_" in plant.mounting else "pvsyst"
    thermal = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS[family][plant.mounting]
    model = pvlib.temperature.sapm_cell if family == "sapm" else pvlib.temperature.pvsyst_cell
    cell = model(on_modules, air["temp_air"], air["wind_speed"], **thermal)
    power = pvlib.pvsystem.pvwatts_dc(effective, cell, plant.dc_mw, plant.gamma_per_k)
    losses = LOSSES if plant.losses is None else plant.losses
    array: Floats = np.maximum(power.to_numpy() * (1.0 - losses), 0.0)
    return array


def _on_modules(rows: Weather, plant: SolarPlant) -> tuple[pd.Series, pd.Series]:
    """(irradiance on the modules, the part of it that reaches the cells), W/m2."""
    pvlib, sun, light = pvlib_package(), sun_of(rows), rows.frame.set_axis(rows.middle)
    tilt, azimuth = _held(sun, plant)
    angle = pvlib.irradiance.aoi(tilt, azimuth, sun["apparent_zenith"], sun["azimuth"])
    if rows.plane is not None:
        beam, diffuse = light["poa_direct"], light["poa_sky_diffuse"] + light["poa_ground_diffuse"]
    else:
        day = rows.middle.tz_convert("UTC").day_of_year.to_numpy(dtype=float)
        extra = pd.Series(pvlib.irradiance.get_extra_radiation(day), index=rows.middle)
        parts = pvlib.irradiance.get_total_irradiance(
            tilt, azimuth, sun["apparent_zenith"], sun["azimuth"], light["dni"], light["ghi"], light["dhi"],
            dni_extra=extra, airmass=pvlib.atmosphere.get_relative_airmass(sun["apparent_zenith"]),
            albedo=plant.albedo, model=plant.transposition,
        )  # fmt: skip
        beam, diffuse = parts["poa_direct"], parts["poa_diffuse"]
    effective = beam * pvlib.iam.physical(angle) + diffuse
    return (beam + diffuse).fillna(0.0), effective.fillna(0.0)


def _held(sun: pd.DataFrame, plant: SolarPlant) -> tuple[Any, Any]:
    """Tilt and azimuth of the modules; a tracker lies flat at night."""
    if plant.tracking == "fixed":
        return plant.tilt_deg, plant.azimuth_deg
    turned = pvlib_package().tracking.singleaxis(
        sun["apparent_zenith"], sun["azimuth"], axis_tilt=plant.tilt_deg, axis_azimuth=plant.azimuth_deg,
        max_angle=plant.max_angle_deg, backtrack=True, gcr=plant.ground_cover,
    )  # fmt: skip
    return turned["surface_tilt"].fillna(0.0), turned["surface_azimuth"].fillna(plant.azimuth_deg)


def means(rows: Weather, power: Floats, index: pd.DatetimeIndex, out: pd.Timedelta) -> Floats:
    """Means over the steps of `index`; between rows that do not fit the clock the power is drawn straight."""
    starts, stamps, step, length = index.asi8, rows.middle.asi8, nanoseconds(rows.step), nanoseconds(out)
    ahead = starts[0] - (stamps[0] - step // 2)
    if ahead % step == 0:
        first, parts = ahead // step, length // step
        whole: Floats = power[first : first + len(starts) * parts].reshape(len(starts), parts).mean(axis=1)
        return whole
    pieces = 12 * max(length // step, 1)
    within = starts[:, None] + ((np.arange(pieces) + 0.5) * (length / pieces)).astype(np.int64)
    mean: Floats = np.interp(within, stamps, power).mean(axis=1)
    return mean


def ac_power(dc_mw: Floats, plant: SolarPlant) -> Floats:
    """Power after the inverter, cut at its rating, MW."""
    eta = plant.eta_inverter
    ac = pvlib_package().inverter.pvwatts(dc_mw, plant.inverter_mw / eta, eta_inv_nom=eta)
    cut: Floats = np.clip(ac, 0.0, plant.inverter_mw)
    return cut
