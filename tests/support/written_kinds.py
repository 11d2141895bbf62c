"""Files of known kinds written from a truth, for any day, also one on which the clock changes: (name, text, truth)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

HOUR, HALF, QUARTER, FIVE = (pd.Timedelta(minutes=m) for m in (60, 30, 15, 5))
BRUSSELS, BERLIN, MADRID, LONDON = "Europe/Brussels", "Europe/Berlin", "Europe/Madrid", "Europe/London"
YORK, CHICAGO, WEST, EAST = "America/New_York", "America/Chicago", "America/Los_Angeles", "Etc/GMT-10"
EUROPE = ("2023-03-26", "2023-10-29", "2024-07-01")
BRITAIN = ("2024-03-31", "2024-10-27", "2024-07-01")
AMERICA = ("2024-03-10", "2024-11-03", "2024-07-01")
AUSTRALIA = ("2024-10-06", "2025-04-06", "2025-01-15")


@dataclass(frozen=True)
class Written:
    """A file, how it is read, and what is right: values in MW or per MWh on an index in UTC."""

    name: str
    file: str
    text: str
    verb: str
    index: pd.DatetimeIndex
    values: np.ndarray
    stated: dict[str, Any] = field(default_factory=dict)


def day_of(day: str, zone: str, step: pd.Timedelta = HOUR, days: int = 1) -> pd.DatetimeIndex:
    """The steps of local days."""
    first = pd.Timestamp(day)
    last = first + pd.Timedelta(days=days)
    return pd.date_range(first.tz_localize(zone), last.tz_localize(zone), freq=step, inclusive="left")


def rising(index: pd.DatetimeIndex, base: float = 0.0) -> np.ndarray:
    """A different value for each step."""
    return base + np.arange(len(index)) + 0.25


def lines(header: str, rows: Iterator[str] | list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


def comma(value: float) -> str:
    return str(value).replace(".", ",")


def american(stamp: pd.Timestamp) -> str:
    noon = "AM" if stamp.hour < 12 else "PM"
    return f"{stamp.month}/{stamp.day}/{stamp.year} {stamp.hour % 12 or 12}:{stamp:%M}:00 {noon}"


def entsoe(day: str) -> Iterator[Written]:
    index = day_of(day, BRUSSELS)
    values = rising(index)
    autumn = len(index) == 25

    def mark(stamp: pd.Timestamp) -> str:
        return f" ({stamp.tzname()})" if autumn else ""

    def span(start: pd.Timestamp, form: str = "%d/%m/%Y %H:%M") -> str:
        return f"{start:{form}}{mark(start)} - {start + HOUR:{form}}{mark(start + HOUR)}"

    pairs = list(zip(index, values, strict=True))
    head = '"MTU (CET/CEST)","Area","Sequence","Day-ahead Price (EUR/MWh)","Intraday Period (CET/CEST)","Intraday Price (EUR/MWh)"'
    rows = [f'"{span(t, "%d/%m/%Y %H:%M:%S")}","BZN|NL","Without Sequence","{v}","",""' for t, v in pairs]
    yield Written("entsoe prices", "GUI.csv", lines(head, rows), "price", index, values)
    rows = [f'"{span(t)}","BZN|NL","{v}","3"' for t, v in pairs]
    head = '"MTU (CET/CEST)","Area","Actual Total Load (MW)","Day-ahead Total Load Forecast (MW)"'
    yield Written("entsoe load", "LOAD.csv", lines(head, rows), "load", index, values)
    head = '"Time (CET/CEST)","Day-ahead Total Load Forecast [MW] - BZN|NL","Actual Total Load [MW] - BZN|NL"'
    rows = [f'"{t:%d.%m.%Y %H:%M} - {t + HOUR:%d.%m.%Y %H:%M}","3","{v}"' for t, v in pairs]
    yield Written("entsoe old load", "Total Load.csv", lines(head, rows), "load", index, values)
    utc = index.tz_convert("UTC")
    head = "DateTime\tResolutionCode\tAreaCode\tAreaTypeCode\tAreaName\tMapCode\tPrice\tCurrency\tUpdateTime"
    rows = [
        f"{t:%Y-%m-%d %H:%M:%S}.000\tPT60M\t10Y\tBZN\tNL BZN\tNL\t{v}\tEUR\t2023-01-01 13:00:00"
        for t, v in zip(utc, values, strict=True)
    ]
    yield Written("entsoe library", "12.1.D.csv", lines(head, rows), "price", index, values)
    for name in ("0", "Day-ahead Price", "price"):
        rows = [f"{t.isoformat(sep=' ')},{v}" for t, v in pairs]
        yield Written(f"entsoe-py {name}", "py.csv", lines(f",{name}", rows), "price", index, values)
    rows = [f"{t.isoformat(sep=' ')},1,{v}" for t, v in pairs]
    yield Written("entsoe-py load", "py.csv", lines(",Forecasted Load,Actual Load", rows), "load", index, values)
    yield Written("entsoe xml", "a44.xml", publication(utc, values), "price", index, values)


def publication(utc: pd.DatetimeIndex, values: np.ndarray) -> str:
    points = "".join(
        f"<Point><position>{n}</position><price.amount>{v}</price.amount></Point>" for n, v in enumerate(values, 1)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:'
        'publicationdocument:7:3"><type>A44</type><TimeSeries><in_Domain.mRID codingScheme="A01">10YNL</in_Domain.mRID>'
        "<currency_Unit.name>EUR</currency_Unit.name><curveType>A01</curveType><Period><timeInterval>"
        f"<start>{utc[0]:%Y-%m-%dT%H:%MZ}</start><end>{utc[-1] + HOUR:%Y-%m-%dT%H:%MZ}</end></timeInterval>"
        f"<resolution>PT60M</resolution>{points}</Period></TimeSeries></Publication_MarketDocument>"
    )


def germany(day: str) -> Iterator[Written]:
    index = day_of(day, BERLIN, QUARTER)
    values = rising(index, 10_123.0)

    def english(t: pd.Timestamp) -> str:
        return f"{t:%b} {t.day}, {t.year} {t.hour % 12 or 12}:{t:%M} {'AM' if t.hour < 12 else 'PM'}"

    pairs = list(zip(index, values, strict=True))
    rows = [f"{english(t)};{english(t + QUARTER)};{v:,.2f};1" for t, v in pairs]
    head = "Start date;End date;grid load [MWh] Original resolutions;Residual load [MWh] Original resolutions"
    yield Written("smard english load", "Actual.csv", lines(head, rows), "load", index, values * 4)
    rows = [f"{t:%d.%m.%Y};{t:%H:%M};{t + QUARTER:%H:%M};{comma(v - 10_000)}" for t, v in pairs]
    head = "Datum;Anfang;Ende;Deutschland/Luxemburg [€/MWh] Originalauflösungen"
    yield Written("smard old prices", "alt.csv", lines(head, rows), "price", index, values - 10_000)
    rows = [
        f"{t:%d.%m.%Y};{t:%H:%M};{t.tzname()};{t + QUARTER:%H:%M};{(t + QUARTER).tzname()};{comma(v / 10)}"
        for t, v in pairs
    ]
    head = "Datum;von;Zeitzone von;bis;Zeitzone bis;Spotmarktpreis in ct/kWh"
    yield Written("netztransparenz", "Spot.csv", lines(head, rows), "price", index, values)
    hours = day_of(day, BERLIN)
    prices = rising(hours)
    rows = [f"{t.isoformat(timespec='minutes')},{2 * v},{v}" for t, v in zip(hours, prices, strict=True)]
    head = '"Date (GMT+1)","Load","Day Ahead Auction (DE-LU)"\n,"Power (MW)","Price (EUR/MWh, EUR/tCO2)"'
    yield Written("energy-charts", "ec.csv", lines(head, rows), "price", hours, prices)
    yield Written("energy-charts load", "ec.csv", lines(head, rows), "load", hours, 2 * prices)
    winter = hours.tz_convert("Etc/GMT-1")
    rows = [f"{t:%d.%m.%Y %H:%M};{comma(2 * v)};{comma(v)}" for t, v in zip(winter, prices, strict=True)]
    head = '"Datum (MEZ)";"Last";"Day Ahead Auktion (DE-LU)"\n;"Leistung (MW)";"Preis (EUR/MWh)"'
    yield Written("energy-charts german", "ec.csv", lines(head, rows), "price", hours, prices)
    content = {"unix_seconds": [int(t.timestamp()) for t in hours], "price": list(prices), "unit": "EUR / MWh"}
    yield Written("energy-charts api", "ec.json", json.dumps(content), "price", hours, prices)


def north_and_south(day: str) -> Iterator[Written]:
    index = day_of(day, "Europe/Stockholm")
    values = rising(index)
    for label, zone in (("CET", "Europe/Stockholm"), ("UTC", "UTC"), ("EET", "Europe/Helsinki")):
        local = index.tz_convert(zone)
        rows = [
            f"{t:%d.%m.%Y %H:%M:%S};{t + HOUR:%d.%m.%Y %H:%M:%S};{comma(v)};1,0"
            for t, v in zip(local, values, strict=True)
        ]
        head = f"Delivery Start ({label});Delivery End ({label});SE3 Price (SEK);SE4 Price (SEK)"
        yield Written(f"nord pool {label}", "np.csv", lines(head, rows), "price", index, values, {"place": "SE3"})
    entries = [
        {"SEK_per_kWh": v, "EUR_per_kWh": v / 10, "EXR": 11, "time_start": t.isoformat(), "time_end": (t + HOUR).isoformat()}
        for t, v in zip(index, values, strict=True)
    ]  # fmt: skip
    stated = {"column": "SEK_per_kWh"}
    yield Written("elprisetjustnu", "se3.json", json.dumps(entries), "price", index, values * 1000, stated)
    for step in (HOUR, QUARTER):
        spanish = day_of(day if step == HOUR else day.replace("2023", "2026").replace("2024", "2026"), MADRID, step)
        prices = rising(spanish)
        rows = [
            f"{t.year};{t.month:02d};{t.day:02d};{n};{v + 1};{v};"
            for n, (t, v) in enumerate(zip(spanish, prices, strict=True), 1)
        ]
        text = lines("MARGINALPDBC;", [*rows, "*"])
        yield Written(f"omie {step}", "marginalpdbc.1", text, "price", spanish, prices, {"place": "ES"})
        yield Written(f"omie portugal {step}", "marginalpdbc.1", text, "price", spanish, prices + 1, {"place": "PT"})


def britain(day: str) -> Iterator[Written]:
    index = day_of(day, LONDON, HALF)
    values = rising(index)
    utc = index.tz_convert("UTC")
    rows = [f"{day},{n},{v},{v + 1}" for n, v in enumerate(values, 1)]
    head = "Settlement Date,Settlement Period,System Sell Price(GBP/MWh),System Buy Price(GBP/MWh)"
    stated = {"column": "Sell", "clock": LONDON}
    yield Written("elexon old", "ssp.csv", lines(head, rows), "price", index, values, stated)
    numbered = list(enumerate(zip(utc, values, strict=True), 1))
    rows = [f"{day},{n},{t:%Y-%m-%dT%H:%M:%SZ},2024-01-01T00:00:00Z,{v},{v + 1}" for n, (t, v) in numbered]
    head = "settlementDate,settlementPeriod,startTime,createdDateTime,systemSellPrice,systemBuyPrice"
    stated = {"column": "systemSellPrice"}
    yield Written("elexon", "s.csv", lines(head, rows), "price", index, values, stated)
    rows = [f"{pd.Timestamp(day):%d-%b-%Y},{n},{v + 2e4},1,{int(v)}".upper() for n, v in enumerate(values, 1)]
    head = "SETTLEMENT_DATE,SETTLEMENT_PERIOD,ND,TSD,EMBEDDED_SOLAR_GENERATION"
    yield Written("neso", "d.csv", lines(head, rows), "load", index, values + 2e4)
    yield Written("neso solar", "d.csv", lines(head, rows), "solar", index, np.floor(values))
    rates = [
        {"value_exc_vat": v, "value_inc_vat": 2 * v, "valid_from": f"{t:%Y-%m-%dT%H:%M:%SZ}", "valid_to": f"{t + HALF:%Y-%m-%dT%H:%M:%SZ}"}
        for t, v in zip(utc, values, strict=True)
    ]  # fmt: skip
    text = json.dumps({"count": len(rates), "next": None, "results": rates[::-1]})
    yield Written("octopus", "agile.json", text, "price", index, values * 10, {"column": "exc"})


def east_of_america(day: str) -> Iterator[Written]:
    index = day_of(day, YORK)
    values = rising(index)
    utc = index.tz_convert("UTC")
    both = list(zip(utc, index, values, strict=True))
    rows = [
        f"{american(u)},{american(t)},1,{node},{v + more},1,TRUE"
        for u, t, v in both
        for node, more in (("AEP", 0), ("HUB", 5))
    ]
    head = "datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,total_lmp_da,congestion_price_da,row_is_current"
    yield Written("pjm", "da.csv", lines(head, rows), "price", index, values, {"place": "AEP"})
    rows = [
        f"{american(u)},{american(t)},RFC,{area},{v + more},True"
        for u, t, v in both
        for area, more in (("AEP", 0), ("OVEC", 5))
    ]
    head = "datetime_beginning_utc,datetime_beginning_ept,nerc_region,load_area,mw,is_verified"
    yield Written("pjm load", "load.csv", lines(head, rows), "load", index, values + 5, {"place": "OVEC"})
    rows = [
        f'"{t:%m/%d/%Y %H:%M:%S}","{t.tzname()}","{zone}",1,{v + more}'
        for t, v in zip(index, values, strict=True)
        for zone, more in (("CAPITL", 0), ("NORTH", 5))
    ]
    head = '"Time Stamp","Time Zone","Name","PTID","Integrated Load"'
    yield Written("nyiso load", "pal.csv", lines(head, rows), "load", index, values, {"place": "CAPITL"})
    fives = day_of(day, YORK, FIVE)
    prices = rising(fives)
    rows = [
        f'"{t + FIVE:%m/%d/%Y %H:%M:%S}","{zone}",1,{v + more},1,0'
        for t, v in zip(fives, prices, strict=True)
        for zone, more in (("CAPITL", 0), ("NORTH", 5))
    ]
    head = '"Time Stamp","Name","PTID","LBMP ($/MWHr)","Marginal Cost Losses ($/MWHr)","Marginal Cost Congestion ($/MWHr)"'
    yield Written("nyiso real time", "rt.csv", lines(head, rows), "price", fives, prices, {"place": "CAPITL"})
    rows, seen = [], set()
    for t, v in zip(index, values, strict=True):
        rows.append(
            f'"D","{t:%m/%d/%Y}","{t.hour + 1:02d}{"X" if t.hour in seen else ""}","4000",".H.HUB","HUB","{v}"'
        )
        seen.add(t.hour)
    head = '"C","x"\n"C","y"\n"H","Date","Hour Ending","Location ID","Location Name","Location Type","Locational Marginal Price"\n"H","mm/dd/yyyy","","","","","$/MWh"'
    yield Written("iso-ne", "WW.csv", lines(head, [*rows, '"T","50"']), "price", index, values)
    rows = [
        f'"PJM","{t:%m/%d/%Y}",{n},"{american(t + HOUR)}","{american(u + HOUR)}","{v + 1000:,}"'
        for n, (u, t, v) in enumerate(both, 1)
    ]
    head = '"Balancing Authority","Data Date","Hour Number","Local Time at End of Hour","UTC Time at End of Hour","Demand (MW)"'
    yield Written("eia", "930.csv", lines(head, rows), "load", index, values + 1000)
    rows = [f"{t.isoformat()},{u.isoformat()},{(u + HOUR).isoformat()},A,{v}" for u, t, v in both]
    head = "interval_start_local,interval_start_utc,interval_end_utc,location,lmp"
    yield Written("gridstatus api", "g.csv", lines(head, rows), "price", index, values)


def west_of_america(day: str) -> Iterator[Written]:
    index = day_of(day, CHICAGO)
    values = rising(index)
    seen: set[int] = set()
    marks = []
    for t in index:
        marks.append("Y" if t.hour in seen else "N")
        seen.add(t.hour)
    marked = list(zip(index, values, marks, strict=True))
    rows = [f'{t:%m/%d/%Y},{t.hour + 1:02d}:00,{mark},HB,"{v + 1000:,}"' for t, v, mark in marked]
    head = "Delivery Date,Hour Ending,Repeated Hour Flag,Settlement Point,Settlement Point Price"
    yield Written("ercot", "dam.csv", lines(head, rows), "price", index, values + 1000)
    rows = [f"{t:%m/%d/%Y},{t.hour + 1:02d}:00,BUS,{v},{mark}" for t, v, mark in marked]
    yield Written(
        "ercot bus", "bus.csv", lines("DeliveryDate,HourEnding,BusName,LMP,DSTFlag", rows), "price", index, values
    )
    rows = [
        f'{t:%m/%d/%Y} {t.hour + 1:02d}:00{" DST" if mark == "Y" else ""},1.5,2,"{v + 40000:,}"'
        for t, v, mark in marked
    ]
    yield Written("ercot native", "n.csv", lines("Hour Ending,COAST,EAST,ERCOT", rows), "load", index, values + 40000)
    west = day_of(day, WEST)
    loads = rising(west)
    utc = west.tz_convert("UTC")
    rows = [
        f"{t:%Y-%m-%dT%H:%M:%S}-00:00,{t + HOUR:%Y-%m-%dT%H:%M:%S}-00:00,{area},0,ACTUAL,SYS_FCST_ACT_MW,{v + more}"
        for area, more in (("PGE-TAC", 5), ("CA ISO-TAC", 0))
        for t, v in zip(utc, loads, strict=True)
    ]
    head = "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,TAC_AREA_NAME,OPR_INTERVAL,MARKET_RUN_ID,XML_DATA_ITEM,MW"
    yield Written("caiso load", "SLD.csv", lines(head, rows), "load", west, loads, {"place": "CA ISO-TAC"})
    rows = [
        f"{t:%Y-%m-%dT%H:%M:%S}-00:00,{t + HOUR:%Y-%m-%dT%H:%M:%S}-00:00,N,DAM,LMP,{v}"
        for t, v in zip(utc, loads, strict=True)
    ]
    head = "INTERVAL_START_GMT,INTERVAL_END_GMT,NODE_ID,MARKET_RUN_ID,LMP_TYPE,MW"
    yield Written("caiso prices", "LMP.csv", lines(head, rows[::-1]), "price", west, loads)
    quarters = day_of(day, WEST, QUARTER)
    energy = rising(quarters)
    last = pd.Timedelta(minutes=14)
    rows = [
        f"Electric usage,{t:%Y-%m-%d},{t:%H:%M},{t + last:%H:%M},{v},$0.1,"
        for t, v in zip(quarters, energy, strict=True)
    ]
    head = "Name,X\nAddress,Y\n\nTYPE,DATE,START TIME,END TIME,USAGE (kWh),COST,NOTES"
    yield Written("green button csv", "gb.csv", lines(head, rows), "load", quarters, energy * 4e-3, {"clock": WEST})
    eastern = day_of(day, "Etc/GMT+5")
    prices = rising(eastern)
    parts = [
        f"{node},Hub,{part}," + ",".join(str(f * v) for v in prices)
        for node in ("AECI", "AMIL")
        for part, f in (("LMP", 1), ("MCC", 2))
    ]
    top = f"Day Ahead Market ExPost LMPs\n{day[5:7]}/{day[8:]}/{day[:4]}\n\n,,,All Hours-Ending are Eastern Standard Time (EST)"
    head = f"{top}\nNode,Type,Value," + ",".join(f"HE {n}" for n in range(1, 25))
    yield Written("miso", "m.csv", lines(head, parts), "price", eastern, prices, {"place": "AECI"})


def australia(day: str) -> Iterator[Written]:
    index = day_of(day, EAST, HALF)
    values = rising(index)
    for form in ("%Y/%m/%d %H:%M:%S", "%d/%m/%Y %H:%M"):
        rows = [f"VIC1,{t + HALF:{form}},{v},{2 * v},TRADE" for t, v in zip(index, values, strict=True)]
        text = lines("REGION,SETTLEMENTDATE,TOTALDEMAND,RRP,PERIODTYPE", rows)
        yield Written(f"aemo {form[:2]}", "PD.csv", text, "price", index, 2 * values)
        yield Written(f"aemo load {form[:2]}", "PD.csv", text, "load", index, values)
    cells = ",".join(str(v) for v in values)
    twice = ",".join(str(2 * v) for v in values)
    date = day.replace("-", "")
    text = lines(
        "100,NEM12,202401010000,A,B",
        ["200,NMI1,E1B1,E1,E1,N1,M1,kWh,30,", f"300,{date},{cells},V,,,20240101000000,", "400,1,20,F14,76,", "400,21,48,A,,",
         "200,NMI1,E1B1,B1,B1,N1,M1,kWh,30,", f"300,{date},{twice},A,,,20240101000000,", "900"],
    )  # fmt: skip
    yield Written("nem12", "nem12.csv", text, "load", index, values * 2e-3, {"place": "E1"})
    yield Written("nem12 export", "nem12.csv", text, "solar", index, values * 4e-3, {"place": "B1"})


DAYS = (
    (EUROPE, (entsoe, germany, north_and_south)), (BRITAIN, (britain,)), (AMERICA, (east_of_america, west_of_america)),
    (AUSTRALIA, (australia,)),
)  # fmt: skip


def every_file() -> Iterator[tuple[str, Written]]:
    """(day and name, file) of all of them."""
    for days, writers in DAYS:
        for day in days:
            for write in writers:
                for written in write(day):
                    yield f"{written.name} {day}", written
