"""Files as the platforms export them, written in their documented formats; the values are made up."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd

OASIS = (
    "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,OPR_INTERVAL,NODE_ID_XML,NODE_ID,NODE,"
    "MARKET_RUN_ID,LMP_TYPE,XML_DATA_ITEM,PNODE_RESMRID,GRP_TYPE,POS,MW,GROUP"
)


def entsoe_old(file: Path, day: str, prices: dict[str, float | str]) -> Path:
    """One day of hours on the clock, in the order given: "00", "01", "02", "02" where the hour repeats."""
    rows = ['"MTU (CET/CEST)","Day-ahead Price [EUR/MWh]","Currency","BZN|DE-LU"']
    for key, price in prices.items():
        hour = int(key[:2])
        rows.append(f'"{day} {hour:02d}:00 - {day} {hour + 1:02d}:00","{price}","EUR",""')
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file


def entsoe_new(file: Path, rows: list[tuple[str, str, str, float]], *, quoted: bool = False) -> Path:
    """Rows (start, end, sequence, price) of the platform since 2024; `quoted`: each line in quotes once more."""
    lines = ['"MTU (CET/CEST)","Area","Sequence","Day-ahead Price (EUR/MWh)","Intraday Period (CET/CEST)"']
    lines += [f'"{start} - {end}","BZN|DE-LU","{sequence}","{price}",""' for start, end, sequence, price in rows]
    if quoted:
        inner = [line.replace('"', "", 2).replace('"', '""') for line in lines]
        lines = [f'"{line}"' for line in inner]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def oasis(file: Path, starts: pd.DatetimeIndex, node: str = "TH_SP15_GEN-APND", reverse: bool = True) -> Path:
    """Rows of an OASIS price report, all components, unsorted as the real ones; price = hour of the day, UTC."""
    rows = []
    for start in starts:
        end = start + pd.Timedelta(hours=1)
        for kind, price in (("MCE", 1.0), ("LMP", float(start.hour)), ("MCL", -1.0)):
            times = f"{start:%Y-%m-%dT%H:%M:%S}-00:00,{end:%Y-%m-%dT%H:%M:%S}-00:00"
            rows.append(f"{times},2025-03-09,1,0,{node},{node},{node},DAM,{kind},LMP_PRC,{node},ALL,0,{price},1")
    text = "\n".join([OASIS, *(rows[::-1] if reverse else rows)]) + "\n"
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("20250309_PRC_LMP_DAM.csv", text)
    else:
        file.write_text(text, encoding="utf-8")
    return file


def energy_charts(file: Path, stamps: list[str], prices: list[float], load_mw: list[float] | None = None) -> Path:
    """The CSV with a second header line of units."""
    loads = load_mw or [40_000.0] * len(prices)
    lines = ['"Date (GMT+1)","Load","Day Ahead Auction (DE-LU)"', ',"Power (MW)","Price (EUR/MWh, EUR/tCO2)"']
    lines += [f"{stamp},{load},{price}" for stamp, load, price in zip(stamps, loads, prices, strict=True)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def energy_charts_json(file: Path, first: int, prices: list[float | None], step_s: int = 900) -> Path:
    """The API's answer to /price."""
    seconds = [first + step_s * i for i in range(len(prices))]
    content = {"license_info": "CC BY 4.0", "unix_seconds": seconds, "price": prices, "unit": "EUR / MWh"}
    file.write_text(json.dumps(content | {"deprecated": False}), encoding="utf-8")
    return file


def sam(file: Path, kw: list[float]) -> Path:
    """A time series of SAM: no year, the standard clock, 8,760 hours."""
    stamps = pd.date_range("2023-01-01", periods=len(kw), freq="h")
    lines = ["Time stamp,Electricity load (year 1) [kW],System power generated (PV) [kW]"]
    for stamp, value in zip(stamps, kw, strict=True):
        clock = f"{stamp.strftime('%b')} {stamp.day}, {stamp.hour % 12 or 12}:{stamp.minute:02d}"
        lines.append(f'"{clock} {"am" if stamp.hour < 12 else "pm"}",{value},{value / 2}')
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def pvgis(file: Path, hours: int = 24, power: bool = True) -> Path:
    """PVGIS's hourly CSV with PV power in W, stamps ten minutes past the hour in UTC."""
    head = [
        "Latitude (decimal degrees):\t48.000", "Longitude (decimal degrees):\t8.000", "Elevation (m):\t250",
        "Radiation database:\tPVGIS-SARAH3", "", "", "Slope: 35 deg. ", "Azimuth: 0 deg. ",
        "Nominal power of the PV system (c-Si) (kWp):\t1000.0", "System losses (%):\t14.0", "",
    ]  # fmt: skip
    columns = "time,P,G(i),H_sun,T2m,WS10m,Int" if power else "time,G(i),H_sun,T2m,WS10m,Int"
    begin = pd.Timestamp("2020-06-01 00:10")
    rows = []
    for n in range(hours):
        watts = f"{1000.0 * n:.1f}," if power else ""
        rows.append(f"{begin + pd.Timedelta(hours=n):%Y%m%d:%H%M},{watts}500.0,40.0,20.0,2.0,0.0")
    tail = ["", "P: PV system power (W)", "", "PVGIS (c) European Union, 2001-2023", ""]
    file.write_text("\n".join([*head, columns, *rows, *tail]), encoding="latin-1")
    return file


def urdb(**changes: Any) -> dict[str, Any]:
    """A small rate of URDB: on-peak 16 to 21 on weekdays, else off-peak; both demand charges."""
    peak = [1 if 16 <= hour < 21 else 0 for hour in range(24)]
    rate: dict[str, Any] = {
        "energyratestructure": [[{"rate": 0.1, "unit": "kWh"}], [{"rate": 0.25, "adj": 0.05, "unit": "kWh"}]],
        "energyweekdayschedule": [peak] * 12,
        "energyweekendschedule": [[0] * 24] * 12,
        "demandratestructure": [[{"rate": 0.0}], [{"rate": 12.0}]],
        "demandweekdayschedule": [peak] * 12,
        "demandweekendschedule": [[0] * 24] * 12,
        "flatdemandstructure": [[{"rate": 5.0}], [{"rate": 8.0}]],
        "flatdemandmonths": [0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0],
        "demandwindow": 15,
        "fixedmonthlycharge": 100.0,
    }
    return rate | changes


def hours_ending(file: Path, day: str, last: int = 24) -> Path:
    """A table of DER-VET: hours 1 to `last` of a day, load in kW and price in $/kWh."""
    rows = ["Datetime (he),DA Price ($/kWh),Site Load (kW)"]
    rows += [f"{day} {hour % 25}:00,{hour / 1000},{100 * hour}" for hour in range(1, last + 1)]
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file
