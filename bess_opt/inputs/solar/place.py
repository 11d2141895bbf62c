"""Where a PV plant stands and which way it faces: stated, else the file's, else the usual."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.solar.pv_plant import SolarPlant
from bess_opt.inputs.solar.weather import Weather, height_of, sun_of


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
