"""One clear year at one place, written in every format that is read: all of them must give the same plant."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib

LATITUDE, LONGITUDE, ALTITUDE = 45.0, 8.0, 250.0
YEAR = 2025
MONTH_YEARS = {month: 2005 + month % 7 for month in range(1, 13)}  # none of them is a leap year in February


@cache
def clear_sky(minute: float, step_min: int = 60, zone_h: int = 0) -> pd.DataFrame:
    """Light and air at `minute` of each step of the year, index: the start of the step in the zone."""
    zone = f"Etc/GMT{-zone_h:+d}" if zone_h else "UTC"
    steps = 365 * 24 * 60 // step_min
    index = pd.date_range(f"{YEAR}-01-01", periods=steps, freq=f"{step_min}min", tz=zone)
    moments = index + pd.Timedelta(minutes=minute)
    sun = pvlib.solarposition.get_solarposition(moments, LATITUDE, LONGITUDE, ALTITUDE)
    ghi = pvlib.clearsky.haurwitz(sun["apparent_zenith"])["ghi"].to_numpy()
    height = np.cos(np.deg2rad(sun["apparent_zenith"].to_numpy()))
    dhi = np.where(height > 0.05, 0.15 * ghi, ghi)
    dni = np.where(height > 0.05, (ghi - dhi) / np.maximum(height, 0.05), 0.0)
    season = np.cos(2 * np.pi * (index.day_of_year.to_numpy() - 200) / 365)
    data = {"ghi": ghi, "dni": dni, "dhi": dhi, "temp_air": 12.0 + 10.0 * season, "wind_speed": 2.0}
    return pd.DataFrame(data, index=index).round(4)


def epw(folder: Path, zone_h: int = 1, hours: int | None = None, year: int | None = None) -> Path:
    """EnergyPlus: hours 1 to 24 mark the end, local standard time; months of different years."""
    head = [
        f"LOCATION,Somewhere,-,ITA,TEST,000000,{LATITUDE},{LONGITUDE},{zone_h}.0,{ALTITUDE}",
        "DESIGN CONDITIONS,0", "TYPICAL/EXTREME PERIODS,0", "GROUND TEMPERATURES,0",
        "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0", "COMMENTS 1,made by a test", "COMMENTS 2,",
        "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31",
    ]  # fmt: skip
    rows = []
    for row in clear_sky(30, zone_h=zone_h)[:hours].itertuples():
        t = row.Index
        rows.append(
            f"{year or MONTH_YEARS[t.month]},{t.month},{t.day},{t.hour + 1},60,A7A7,{row.temp_air:.1f},5.0,"
            f"70,98000,0,0,300,{row.ghi:.1f},{row.dni:.1f},{row.dhi:.1f},0,0,0,0,180,{row.wind_speed:.1f},0,0,20,"
            "77777,9,999999999,10,0.1,0,88,0.2,0,0"
        )
    return written(folder / "place.epw", head + rows)


def nsrdb(folder: Path, step_min: int = 60, hours: int | None = None) -> Path:
    """NSRDB PSM: a picture at the stamp, minute 30 of hourly rows, 0 and 30 of half-hourly ones."""
    head = [
        "Source,Location ID,City,State,Country,Latitude,Longitude,Time Zone,Elevation,Local Time Zone",
        f"NSRDB,1,-,-,-,{LATITUDE},{LONGITUDE},1,{ALTITUDE:.0f},1",
        "Year,Month,Day,Hour,Minute,Temperature,DHI,DNI,GHI,Wind Speed,Surface Albedo",
    ]
    sky = clear_sky(30 if step_min == 60 else 0, step_min, zone_h=1)
    rows = [
        f"{row.Index:%Y,%m,%d,%H},{30 if step_min == 60 else row.Index.minute},"
        f"{row.temp_air},{row.dhi},{row.dni},{row.ghi},{row.wind_speed},0.2"
        for row in sky[:hours].itertuples()
    ]
    return written(folder / "psm.csv", head + rows)


def pvgis_tmy_csv(folder: Path) -> Path:
    """PVGIS typical year, UTC; the picture was taken 0.1833 h after the stamp."""
    head = [
        f"Latitude (decimal degrees): {LATITUDE:.3f}", f"Longitude (decimal degrees): {LONGITUDE:.3f}",
        f"Elevation (m): {ALTITUDE}", "Irradiance Time Offset (h): 0.1833", "month,year",
        *(f"{month},{year}" for month, year in MONTH_YEARS.items()),
        "time(UTC),T2m,RH,G(h),Gb(n),Gd(h),IR(h),WS10m,WD10m,SP",
    ]  # fmt: skip
    rows = [
        f"{tmy_stamp(row.Index)},{row.temp_air},70,{row.ghi},{row.dni},{row.dhi},300,{row.wind_speed},180,98000"
        for row in clear_sky(11).itertuples()
    ]
    return written(folder / "tmy.csv", [*head, *rows, "", "T2m: 2-m air temperature (degree Celsius)"])


def pvgis_tmy_json(folder: Path) -> Path:
    names = {"temp_air": "T2m", "ghi": "G(h)", "dni": "Gb(n)", "dhi": "Gd(h)", "wind_speed": "WS10m"}
    sky = clear_sky(11).rename(columns=names)
    records = zip(sky.index, sky.to_dict("records"), strict=True)
    rows = [{"time(UTC)": tmy_stamp(t), **row} for t, row in records]
    place = {"latitude": LATITUDE, "longitude": LONGITUDE, "elevation": ALTITUDE}
    place["irradiance_time_offset"] = 0.1833
    months = [{"month": month, "year": year} for month, year in MONTH_YEARS.items()]
    text = {
        "inputs": {"location": place},
        "outputs": {"months_selected": months, "tmy_hourly": rows},
        "meta": {"inputs": {}},
    }
    return written(folder / "tmy.json", [json.dumps(text)])


def pvgis_hourly_csv(folder: Path, slope: str = "0 deg.") -> Path:
    """PVGIS hourly on a plane, UTC, stamps at minute 10: the moment of the picture."""
    head = [
        f"Latitude (decimal degrees):\t{LATITUDE:.3f}", f"Longitude (decimal degrees):\t{LONGITUDE:.3f}",
        f"Elevation (m):\t{ALTITUDE:.0f}", "Radiation database:\tPVGIS-SARAH3", "", "", f"Slope: {slope} ",
        "Azimuth: 0 deg. ", "", "time,Gb(i),Gd(i),Gr(i),H_sun,T2m,WS10m,Int",
    ]  # fmt: skip
    rows = [
        f"{row.Index:%Y%m%d:%H}10,{max(row.ghi - row.dhi, 0):.2f},{row.dhi:.2f},0.0,0.0,{row.temp_air},"
        f"{row.wind_speed},0.0"
        for row in clear_sky(10).itertuples()
    ]
    return written(folder / "hourly.csv", [*head, *rows, "", "T2m: 2-m air temperature"])


def pvgis_hourly_json(folder: Path, mounting: str = "fixed") -> Path:
    rows = [
        {"time": f"{row.Index:%Y%m%d:%H}10", "Gb(i)": max(row.ghi - row.dhi, 0), "Gd(i)": row.dhi,
         "Gr(i)": 0.0, "H_sun": 0.0, "T2m": row.temp_air, "WS10m": row.wind_speed, "Int": 0.0}
        for row in clear_sky(10).itertuples()
    ]  # fmt: skip
    plane = {mounting: {"slope": {"value": 0, "optimal": False}, "azimuth": {"value": 0, "optimal": False}}}
    place = {"latitude": LATITUDE, "longitude": LONGITUDE, "elevation": ALTITUDE}
    text = {
        "inputs": {"location": place, "mounting_system": plane},
        "outputs": {"hourly": rows},
        "meta": {"inputs": {}},
    }
    return written(folder / "hourly.json", [json.dumps(text)])


def tmy_stamp(t: pd.Timestamp) -> str:
    return f"{MONTH_YEARS[t.month]}{t:%m%d:%H}00"


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "epw": epw,
    "nsrdb hourly": nsrdb,
    "nsrdb half-hourly": lambda folder: nsrdb(folder, 30),
    "pvgis tmy csv": pvgis_tmy_csv,
    "pvgis tmy json": pvgis_tmy_json,
    "pvgis hourly csv": pvgis_hourly_csv,
    "pvgis hourly json": pvgis_hourly_json,
}
