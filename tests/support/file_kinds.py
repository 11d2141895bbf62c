"""One file of every kind that is known, of our own making, with what is easy to get wrong in the real ones.

`SAMPLES` maps a name to the file's name and bytes, the verb, what is stated, and the first steps that are right.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

BERLIN, YORK, LONDON = "Europe/Berlin", "America/New_York", "Europe/London"


@dataclass(frozen=True)
class Sample:
    """A file of a kind: what it holds, how it is read, and what is right."""

    kind: str
    name: str
    data: bytes
    verb: str
    first: str
    values: list[float]
    stated: dict[str, Any] = field(default_factory=dict)
    steps: int | None = None


def hours(day: str, zone: str, days: int = 1, freq: str = "h") -> pd.DatetimeIndex:
    """The steps of local days."""
    begin = pd.Timestamp(day)
    end = begin + pd.Timedelta(days=days)
    return pd.date_range(begin.tz_localize(zone), end.tz_localize(zone), freq=freq, inclusive="left")


def csv_of(header: str, rows: list[str], *, end: str = "\n", encoding: str = "utf-8") -> bytes:
    return (end.join([header, *rows]) + end).encode(encoding)


def _entsoe_old() -> Sample:
    """Four names over three cells; the skipped hour of spring stands there empty."""
    wall = pd.date_range("2022-03-27", periods=24, freq="h")
    rows = [
        f'"{t:%d.%m.%Y %H:%M} - {t + pd.Timedelta(hours=1):%d.%m.%Y %H:%M}","{"" if t.hour == 2 else t.hour}","EUR"'
        for t in wall
    ]
    head = '"MTU (CET/CEST)","Day-ahead Price [EUR/MWh]","Currency","BZN|DE-LU"'
    return Sample(
        "ENTSO-E transparency platform", "Day-ahead Prices_2022.csv", csv_of(head, rows), "price",
        "2022-03-27 00:00+01:00", [0, 1, 3, 4], steps=23,
    )  # fmt: skip


def _entsoe_xml() -> Sample:
    points = "".join(
        f"<Point><position>{p}</position><price.amount>{v}</price.amount></Point>" for p, v in ((1, 5), (3, -2))
    )
    period = (
        "<Period><timeInterval><start>2025-01-01T23:00Z</start><end>2025-01-02T00:00Z</end></timeInterval>"
        f"<resolution>PT15M</resolution>{points}</Period>"
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:'
        'publicationdocument:7:3"><type>A44</type><TimeSeries><in_Domain.mRID codingScheme="A01">10Y1001A1001A82H'
        "</in_Domain.mRID><currency_Unit.name>EUR</currency_Unit.name><curveType>A03</curveType>"
        f"{period}</TimeSeries></Publication_MarketDocument>"
    )
    return Sample("ENTSO-E XML", "a44.xml", text.encode(), "price", "2025-01-02 00:00+01:00", [5, 5, -2, -2], steps=4)


def _smard() -> Sample:
    """The short day has 23 rows; thousands have dots, decimals commas; a byte order mark stands before all."""
    rows = [
        f"{t:%d.%m.%Y %H:%M};{t + pd.Timedelta(hours=1):%d.%m.%Y %H:%M};5{n}.123,25;-"
        for n, t in enumerate(hours("2025-03-30", BERLIN), 10)
    ]
    head = "Datum von;Datum bis;Netzlast [MWh] Berechnete Auflösungen;Residuallast [MWh] Berechnete Auflösungen"
    data = csv_of(head, rows, encoding="utf-8-sig")
    return Sample(
        "SMARD",
        "Realisierter_Stromverbrauch.csv",
        data,
        "load",
        "2025-03-30 00:00+01:00",
        [510123.25, 511123.25],
        steps=23,
    )


def _netztransparenz() -> Sample:
    rows = [
        f"{t:%d.%m.%Y};{t:%H:%M};{'CEST' if t.utcoffset() > pd.Timedelta(hours=1) else 'CET'};{t + pd.Timedelta(hours=1):%H:%M};CET;{n},05"
        for n, t in enumerate(hours("2024-10-27", BERLIN))
    ]
    head = "Datum;von;Zeitzone von;bis;Zeitzone bis;Spotmarktpreis in ct/kWh"
    return Sample(
        "netztransparenz.de",
        "spot.csv",
        csv_of(head, rows),
        "price",
        "2024-10-27 00:00+02:00",
        [0.5, 10.5, 20.5, 30.5, 40.5],
        steps=25,
    )


def _energy_charts_json() -> Sample:
    content = {"unix_seconds": [1_759_269_600 + 900 * i for i in range(4)], "production_types": [
        {"name": "Solar", "data": [0.0, 1.0, 2.0, None]}, {"name": "Load", "data": [50.0, 51.0, 52.0, 53.0]}]}  # fmt: skip
    return Sample(
        "energy-charts API",
        "public_power.json",
        json.dumps(content).encode(),
        "load",
        "2025-10-01 00:00+02:00",
        [50, 51],
        steps=4,
    )


def _omie() -> Sample:
    rows = [f"2025;03;30;{n};{n}.10;{n}.20;" for n in range(1, 24)]
    return Sample(
        "OMIE",
        "marginalpdbc_20250330.1",
        csv_of("MARGINALPDBC;", [*rows, "*"]),
        "price",
        "2025-03-30 00:00+01:00",
        [1.2, 2.2, 3.2],
        {"place": "ES"},
        23,
    )


def _omie_lines() -> Sample:
    cells = ";".join(f"  {n},50" for n in range(1, 26))
    text = "\n".join([
        "OMIE - Mercado de electricidad;Fecha Emisión :29/10/2022 - 13:25;;30/10/2022;Precio del mercado diario (EUR/MWh);;;;",
        "", ";" + ";".join(str(n) for n in range(1, 26)) + ";",
        f"Precio marginal en el sistema español (EUR/MWh);{cells};", f"Precio marginal en el sistema portugués (EUR/MWh);{cells};",
        f"Energía total de compra sistema español (MWh);{cells};", ";" * 26])  # fmt: skip
    return Sample(
        "OMIE",
        "INT_PBC_EV_H.txt",
        text.encode("latin-1"),
        "price",
        "2022-10-30 00:00+02:00",
        [1.5, 2.5],
        {"place": "ES"},
        25,
    )


def _nord_pool() -> Sample:
    rows = [
        f"{t:%d.%m.%Y %H:%M:%S};{t + pd.Timedelta(hours=1):%d.%m.%Y %H:%M:%S};{n}.50;1.00"
        for n, t in enumerate(hours("2025-10-26", "Europe/Stockholm"))
    ]
    head = "Delivery Start (CET);Delivery End (CET);SE3 Price (EUR);SE4 Price (EUR)"
    return Sample(
        "Nord Pool",
        "AuctionPrice_2025.csv",
        csv_of(head, rows),
        "price",
        "2025-10-26 00:00+02:00",
        [0.5, 1.5, 2.5],
        {"place": "SE3"},
        25,
    )


def _elexon() -> Sample:
    data = [
        {
            "settlementDate": "2025-03-30",
            "settlementPeriod": n,
            "price": 10.0 * n,
            "volume": 1.0,
            "dataProvider": "APXMIDP",
        }
        for n in range(1, 47)
    ]
    return Sample(
        "Elexon",
        "mid.json",
        json.dumps({"data": data[::-1]}).encode(),
        "price",
        "2025-03-30 00:00+00:00",
        [10, 20, 30],
        steps=46,
    )


def _aemo() -> Sample:
    rows = [f"VIC1,2026/08/01 00:{m:02d}:00,8000.00,{m}.00,TRADE" for m in range(5, 60, 5)]
    head = "REGION,SETTLEMENTDATE,TOTALDEMAND,RRP,PERIODTYPE"
    return Sample(
        "AEMO", "PRICE_AND_DEMAND_202608_VIC1.csv", csv_of(head, rows), "price", "2026-08-01 00:00+10:00", [5, 10]
    )


def _iso_ne() -> Sample:
    """Hours are ends; the repeated hour is 02X; comments, a line of units and a total stand around the rows."""
    labels = ["01", "02", "02X", *(f"{n:02d}" for n in range(3, 25))]
    lines = ['"C","Day-Ahead Energy Market Hourly LMP Report"', '"C","Report for: 11/02/2025 - 11/02/2025"',
             '"H","Date","Hour Ending","Location ID","Location Name","Location Type","Locational Marginal Price","Energy Component"',
             '"H","mm/dd/yyyy","HE","","","","$/MWh","$/MWh"',
             *(f'"D","11/02/2025","{label}","4000",".H.INTERNAL_HUB","HUB",{n}.5,1' for n, label in enumerate(labels)), '"T","25"']  # fmt: skip
    return Sample(
        "ISO New England",
        "WW_DALMP_ISO_20251102.csv",
        "\n".join(lines).encode(),
        "price",
        "2025-11-02 00:00-04:00",
        [0.5, 1.5, 2.5, 3.5],
        steps=25,
    )


def _nyiso() -> Sample:
    rows = [
        f'"{t:%m/%d/%Y %H:%M}","{z}",1,{n + p}.00,0.00,0.00'
        for n, t in enumerate(hours("2025-11-02", YORK))
        for z, p in (("CAPITL", 0), ("N.Y.C.", 50))
    ]
    head = '"Time Stamp","Name","PTID","LBMP ($/MWHr)","Marginal Cost Losses ($/MWHr)","Marginal Cost Congestion ($/MWHr)"'
    return Sample(
        "NYISO",
        "20251102damlbmp_zone.csv",
        csv_of(head, rows, end="\r\n"),
        "price",
        "2025-11-02 00:00-04:00",
        [50, 51, 52],
        {"place": "N.Y.C."},
        25,
    )


def _pjm() -> Sample:
    utc = hours("2025-03-09", YORK).tz_convert("UTC")
    rows = [
        f"{t.month}/{t.day}/{t.year} {t.hour % 12 or 12}:00:00 {'AM' if t.hour < 12 else 'PM'},x,1,WESTERN HUB,{n}.25,1,TRUE"
        for n, t in enumerate(utc)
    ]
    head = "datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,total_lmp_da,congestion_price_da,row_is_current"
    return Sample(
        "PJM Data Miner",
        "da_hrl_lmps.csv",
        csv_of(head, rows),
        "price",
        "2025-03-09 00:00-05:00",
        [0.25, 1.25, 2.25],
        steps=23,
    )


def _miso() -> Sample:
    head = "Node,Type,Value," + ",".join(f"HE {n}" for n in range(1, 25))
    rows = [
        f"{node},Hub,{part}," + ",".join(f"{n + shift}.5" for n in range(24))
        for node, shift in (("ARKANSAS.HUB", 0), ("INDIANA.HUB", 30))
        for part in ("LMP", "MCC")
    ]
    text = (
        "\n".join(
            [
                "Day Ahead Market ExPost LMPs",
                "07/01/2025",
                "",
                ",,,All Hours-Ending are Eastern Standard Time (EST)",
                head,
                *rows,
            ]
        )
        + "\n"
    )
    return Sample(
        "MISO",
        "20250701_da_expost_lmp.csv",
        text.encode(),
        "price",
        "2025-07-01 00:00-05:00",
        [30.5, 31.5],
        {"place": "INDIANA.HUB"},
        24,
    )


def _ercot() -> Sample:
    rows = []
    for n, t in enumerate(hours("2025-11-02", "America/Chicago")):
        second = "Y" if n == 2 else "N"
        rows.append(f"11/02/2025,{t.hour + 1:02d}:00,HB_NORTH, {n}.00,{second}")
    return Sample(
        "ERCOT",
        "DAM_SPP.csv",
        csv_of("DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag", rows),
        "price",
        "2025-11-02 00:00-05:00",
        [0, 1, 2, 3],
        steps=25,
    )


def _ercot_quarters() -> Sample:
    rows = [f"08/01/2025,{h},{q},HB_NORTH,HU,{h}.{q}0,N" for h in range(1, 25) for q in range(1, 5)]
    head = "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,SettlementPointPrice,DSTFlag"
    return Sample(
        "ERCOT",
        "RTM_SPP.csv",
        csv_of(head, rows),
        "price",
        "2025-08-01 00:00-05:00",
        [1.1, 1.2, 1.3, 1.4, 2.1],
        steps=96,
    )


def _caiso() -> Sample:
    rows = [
        f"2025-03-09T{h:02d}:00:00-00:00,2025-03-09T{h + 1:02d}:00:00-00:00,{kind},TH_SP15_GEN-APND,DAM,{h if kind == 'LMP' else -1}"
        for h in range(13, 7, -1)
        for kind in ("MCC", "LMP")
    ]
    data = csv_of("INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,LMP_TYPE,NODE,MARKET_RUN_ID,MW", rows)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("20250309_PRC_LMP_DAM.csv", data)
    return Sample("CAISO OASIS", "lmp.zip", packed.getvalue(), "price", "2025-03-09 00:00-08:00", [8, 9, 10], steps=6)


def _gridstatus() -> Sample:
    rows = [
        f"{t.isoformat(sep=' ')},{(t + pd.Timedelta(hours=1)).isoformat(sep=' ')},DAM,HB_HOUSTON,{n}.5,1"
        for n, t in enumerate(hours("2025-01-01", "America/Chicago"))
    ]
    return Sample(
        "gridstatus",
        "lmp.csv.gz",
        gzip.compress(csv_of("Interval Start,Interval End,Market,Location,LMP,Energy", rows)),
        "price",
        "2025-01-01 00:00-06:00",
        [0.5, 1.5],
        {"clock": "America/Chicago"},
        24,
    )


def _octopus() -> Sample:
    rows = [
        f"{t:%Y-%m-%dT%H:%M:%SZ},{t + pd.Timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ},{n}.0,{n}.5"
        for n, t in enumerate(hours("2025-03-30", LONDON, freq="30min").tz_convert("UTC"))
    ]
    return Sample(
        "Octopus Energy",
        "agile.csv",
        csv_of("valid_from,valid_to,value_exc_vat,value_inc_vat", rows[::-1]),
        "price",
        "2025-03-30 00:00+00:00",
        [5, 15, 25],
        {"column": "value_inc_vat"},
        46,
    )


def _elprisetjustnu() -> Sample:
    data = [
        {
            "SEK_per_kWh": 0.5 + n,
            "EUR_per_kWh": 0.05 + n / 10,
            "EXR": 11.1,
            "time_start": t.isoformat(),
            "time_end": (t + pd.Timedelta(hours=1)).isoformat(),
        }
        for n, t in enumerate(hours("2025-01-01", "Europe/Stockholm"))
    ]
    return Sample(
        "elprisetjustnu.se",
        "SE3.json",
        json.dumps(data).encode(),
        "price",
        "2025-01-01 00:00+01:00",
        [50, 150],
        {"unit": "EUR/kWh"},
        24,
    )


def _green_button() -> Sample:
    """Two meters; values are hundreds of Wh by their power of ten; the feed's text names a licence before it."""

    def meter(number: int, base: int) -> str:
        link = f"RetailCustomer/1/UsagePoint/{number}/MeterReading/1"
        readings = "".join(
            f"<IntervalReading><timePeriod><duration>900</duration><start>{1_735_689_600 + 900 * i}</start></timePeriod><value>{base + i}</value></IntervalReading>"
            for i in range(4)
        )
        return (
            f'<entry><link rel="self" href="{link}"/><link rel="related" href="ReadingType/7"/><content><MeterReading xmlns="http://naesb.org/espi"/></content></entry>'
            f'<entry><link rel="self" href="{link}/IntervalBlock/1"/><link rel="up" href="{link}/IntervalBlock"/><content><IntervalBlock xmlns="http://naesb.org/espi">{readings}</IntervalBlock></content></entry>'
        )

    kind = '<entry><link rel="self" href="ReadingType/7"/><content><ReadingType xmlns="http://naesb.org/espi"><powerOfTenMultiplier>2</powerOfTenMultiplier><uom>72</uom></ReadingType></content></entry>'
    text = f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">{kind}{meter(1, 1)}{meter(2, 10)}</feed>'
    return Sample(
        "Green Button XML",
        "usage.xml",
        text.encode(),
        "load",
        "2025-01-01 00:00+00:00",
        [0.004, 0.0044],
        {"place": "UsagePoint/2"},
        4,
    )


def _green_button_csv() -> Sample:
    lines = ["Name,SOMEBODY", "Address,SOMEWHERE", "Account Number,1", "", "TYPE,DATE,START TIME,END TIME,USAGE,UNITS,COST,NOTES",
             *(f"Electric usage,2025-01-01,{m // 60:02d}:{m % 60:02d},{m // 60:02d}:{m % 60 + 14:02d},0.{m // 15 + 10},kWh,$0.10," for m in range(0, 120, 15))]  # fmt: skip
    return Sample(
        "Green Button CSV",
        "DailyUsage.csv",
        "\n".join(lines).encode(),
        "load",
        "2025-01-01 00:00-08:00",
        [0.0004, 0.00044],
        {"clock": "America/Los_Angeles"},
        8,
    )


def _nem12() -> Sample:
    values = ",".join(f"{n}.5" for n in range(48))
    lines = [
        "100,NEM12,202508010000,MDP,RETAILER",
        "200,VABD000163,E1Q1,E1,E1,N1,METER1,kWh,30,",
        f"300,20250801,{values},A,,,20250802000000,",
        "900",
    ]
    return Sample(
        "NEM12", "nem12.csv", "\n".join(lines).encode(), "load", "2025-08-01 00:00+10:00", [0.001, 0.003], steps=48
    )


def _home_assistant() -> Sample:
    rows = [
        "sensor.grid,1000,2025-01-01T00:00:00.000Z",
        "sensor.grid,3000,2025-01-01T00:07:30.000Z",
        "sensor.grid,unavailable,2025-01-01T00:40:00.000Z",
        "sensor.grid,500,2025-01-01T00:50:00.000Z",
        "sensor.grid,500,2025-01-01T01:15:00.000Z",
    ]
    return Sample(
        "Home Assistant history",
        "history.csv",
        csv_of("entity_id,state,last_changed", rows),
        "load",
        "2025-01-01 00:00+00:00",
        [0.002, 0.003],
        {"unit": "W", "step_min": 15},
        5,
    )


def _emhass() -> Sample:
    rows = [f"2025-01-01 {h:02d}:00:00+01:00,{h * 100},{h * 10 + 5},0.2,0.1" for h in range(4)]
    return Sample(
        "EMHASS",
        "opt_res.csv",
        csv_of("timestamp,P_PV,P_Load,unit_load_cost,unit_prod_price", rows),
        "solar",
        "2025-01-01 00:00+01:00",
        [0, 1e-4],
        {"clock": BERLIN},
        4,
    )


def _eia() -> Sample:
    utc = pd.date_range("2025-01-01 06:00", periods=4, freq="h")
    rows = [
        f'CISO,01/01/2025,1,x,{t:%m/%d/%Y} {t.hour % 12 or 12}:00:00 {"AM" if t.hour < 12 else "PM"},"{n + 23},500"'
        for n, t in enumerate(utc)
    ]
    return Sample(
        "EIA-930",
        "EIA930.csv",
        csv_of(
            "Balancing Authority,Data Date,Hour Number,Local Time at End of Hour,UTC Time at End of Hour,Demand (MW)",
            rows,
        ),
        "load",
        "2025-01-01 05:00+00:00",
        [23500, 24500],
        steps=4,
    )


def _neso() -> Sample:
    rows = [f"26-OCT-2025,{n},{20000 + n},1" for n in range(1, 51)]
    return Sample(
        "NESO demand data",
        "demanddata_2025.csv",
        csv_of("SETTLEMENT_DATE,SETTLEMENT_PERIOD,ND,TSD", rows),
        "load",
        "2025-10-26 00:00+01:00",
        [20001, 20002],
        steps=50,
    )


def _opsd() -> Sample:
    rows = [f"2020-01-01T{h:02d}:00:00Z,2020-01-01T{h + 1:02d}:00:00+0100,{h},{h + 0.5}" for h in range(4)]
    return Sample(
        "Open Power System Data",
        "time_series_60min.csv",
        csv_of(
            "utc_timestamp,cet_cest_timestamp,AT_load_actual_entsoe_transparency,DE_load_actual_entsoe_transparency",
            rows,
        ),
        "load",
        "2020-01-01 01:00+01:00",
        [0.5, 1.5],
        {"place": "DE"},
        4,
    )


def _solaredge() -> Sample:
    values = [
        {"date": f"2025-06-01 {m // 60:02d}:{m % 60:02d}:00", "value": None if m == 0 else float(m)}
        for m in range(0, 60, 15)
    ]
    return Sample(
        "SolarEdge API",
        "energy.json",
        json.dumps({"energy": {"timeUnit": "QUARTER_OF_AN_HOUR", "unit": "Wh", "values": values}}).encode(),
        "solar",
        "2025-06-01 00:00+02:00",
        [float("nan"), 6e-5],
        {"clock": BERLIN},
        4,
    )


def _enphase() -> Sample:
    rows = [f"06/14/2025 {h:02d}:{m:02d},{h}" for h in range(3) for m in (0, 15, 30, 45)]
    return Sample(
        "Enphase",
        "system_energy.csv",
        csv_of("Date/Time,Energy Produced (Wh)", rows),
        "solar",
        "2025-06-14 00:00-07:00",
        [0, 0, 0, 0, 4e-6],
        {"clock": "America/Los_Angeles"},
        12,
    )


def _pvwatts() -> Sample:
    lines = [
        "PVWatts: Hourly PV Performance Data,,,,",
        "Requested Location:,SOMEWHERE,,,",
        "Lat (deg N):,39.73,,,",
        "Capacity Factor (%),16.9,,,",
        ",,,,",
        "Month,Day,Hour,DC Array Output (W),AC System Output (W)",
        *(f"7,1,{h},{h * 11},{h * 10}" for h in range(24)),
    ]
    return Sample(
        "PVWatts",
        "pvwatts_hourly.csv",
        "\n".join(lines).encode(),
        "solar",
        "2025-07-01 01:00-06:00",
        [0, 1e-5],
        {"year": 2025, "clock": "America/Denver"},
        24,
    )


def _ninja() -> Sample:
    lines = [
        "# Renewables.ninja PV (Point API) - 48.0, 11.0 - Version: 1.1",
        "# Units: time in UTC, local_time in Europe/Berlin, electricity in kW",
        "time,local_time,electricity",
        *(f"2019-07-01 {h:02d}:00,2019-07-01 {h + 2:02d}:00,0.{h}" for h in range(9)),
    ]
    return Sample(
        "Renewables.ninja",
        "ninja_pv.csv",
        "\n".join(lines).encode(),
        "solar",
        "2019-07-01 02:00+02:00",
        [0, 1e-4],
        steps=9,
    )


MAKERS = (
    _entsoe_old, _entsoe_xml, _smard, _netztransparenz, _energy_charts_json, _omie, _omie_lines, _nord_pool, _elexon, _aemo, _iso_ne, _nyiso,
    _pjm, _miso, _ercot, _ercot_quarters, _caiso, _gridstatus, _octopus, _elprisetjustnu, _green_button, _green_button_csv, _nem12,
    _home_assistant, _emhass, _eia, _neso, _opsd, _solaredge, _enphase, _pvwatts, _ninja,
)  # fmt: skip
SAMPLES = {maker.__name__.strip("_"): maker() for maker in MAKERS}
