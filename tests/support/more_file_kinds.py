"""More files of known kinds, as `support.file_kinds` has them: libraries, tools, workbooks' layouts and older exports."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from support.exported_files import energy_charts, pvgis, sam
from support.file_kinds import BERLIN, Sample, csv_of, hours

HOUR = pd.Timedelta(hours=1)
CHICAGO = "America/Chicago"


def _bytes(write: object, name: str, *arguments: object, **more: object) -> bytes:
    with TemporaryDirectory() as folder:
        return Path(write(Path(folder) / name, *arguments, **more)).read_bytes()  # type: ignore[operator]


def _entsoe_library() -> Sample:
    """All areas in one file, newest update last, hours beside quarter-hours of another area."""
    head = (
        "InstanceCode\tDateTime(UTC)\tResolutionCode\tAreaCode\tAreaDisplayName\tAreaTypeCode\tMapCode\t"
        "ContractType\tSequence\tPrice[Currency/MWh]\tCurrency\tUpdateTime(UTC)"
    )
    rows = [
        f"a\t{t:%Y-%m-%d %H:%M:%S}.000\tPT60M\t10Y-{area}\t{area}\tBZN\t{area}\tDay-ahead\t\t{n + more}.5\t{money}\t"
        f"2024-10-26 11:00:00"
        for n, t in enumerate(hours("2024-10-27", BERLIN).tz_convert("UTC"))
        for area, more, money in (("DE_LU", 0, "EUR"), ("PL", 100, "PLN"))
    ]
    return Sample(
        "ENTSO-E file library", "2024_10_EnergyPrices_12.1.D_r3.csv", csv_of(head, rows), "price",
        "2024-10-27 00:00+02:00", [100.5, 101.5], {"place": "PL"}, 25,
    )  # fmt: skip


def _ercot_native() -> Sample:
    """Ends with "24:00"; the second hour that ends at 02:00 is marked DST; loads with commas."""
    rows, seen = [], set()
    for n, t in enumerate(hours("2025-11-02", CHICAGO)):
        again = t.hour in seen
        seen.add(t.hour)
        rows.append(
            f'11/02/2025 {t.hour + 1:02d}:00{" DST" if again else ""},"9,{n:03d}.5","1,000","{40 + n},250.75"'
        )
    return Sample(
        "ERCOT native load", "Native_Load_2025.csv", csv_of("Hour Ending,COAST,EAST,ERCOT", rows), "load",
        "2025-11-02 00:00-05:00", [40250.75, 41250.75, 42250.75], steps=25,
    )  # fmt: skip


def _energy_charts_csv() -> Sample:
    """A second header line of units; offsets in every stamp of the day that repeats an hour."""
    stamps = [t.isoformat(timespec="minutes") for t in hours("2024-10-27", BERLIN)]
    data = _bytes(energy_charts, "e.csv", stamps, [float(n) for n in range(25)])
    return Sample(
        "energy-charts",
        "energy-charts_Electricity.csv",
        data,
        "price",
        "2024-10-27 00:00+02:00",
        [0, 1, 2, 3],
        steps=25,
    )


def _entsoe_py_prices() -> Sample:
    """A series that pandas wrote: the name of the column is 0."""
    rows = [f"{t.isoformat(sep=' ')},{n}.25" for n, t in enumerate(hours("2025-03-30", "Europe/Brussels"))]
    return Sample(
        "entsoe-py", "prices.csv", csv_of(",0", rows), "price", "2025-03-30 00:00+01:00", [0.25, 1.25], steps=23
    )


def _entsoe_py_generation() -> Sample:
    """Two header lines: the source above, "Actual Aggregated" below."""
    rows = [f"{t.isoformat(sep=' ')},{n}.5,7.0" for n, t in enumerate(hours("2025-03-30", "Europe/Brussels"))]
    head = ",Solar,Wind Onshore\n,Actual Aggregated,Actual Aggregated"
    return Sample(
        "entsoe-py", "generation.csv", csv_of(head, rows), "solar", "2025-03-30 00:00+01:00", [0.5, 1.5], steps=23
    )


def _pvgis() -> Sample:
    """Stamps ten minutes past the hour in UTC, text below the rows."""
    return Sample(
        "PVGIS", "Timeseries.csv", _bytes(pvgis, "p.csv"), "solar", "2020-06-01 00:00+00:00", [0, 0.001], steps=24
    )


def _sam() -> Sample:
    """8,760 hours without a year."""
    data = _bytes(sam, "s.csv", [float(n) for n in range(8760)])
    stated = {"year": 2023, "clock": "Etc/GMT+7"}
    return Sample("SAM", "sam.csv", data, "load", "2023-01-01 00:00-07:00", [0, 0.001], stated, 8760)


def _solaredge_chart() -> Sample:
    """A chart of power: W at each quarter-hour, empty before sunrise."""
    rows = [f"06/14/2025 {h:02d}:{m:02d},{'' if h < 4 else h * 100 + m}" for h in range(6) for m in (0, 15, 30, 45)]
    return Sample(
        "SolarEdge", "chart.csv", csv_of("Time,System Production (W)", rows), "solar", "2025-06-14 00:00+02:00",
        [float("nan")] * 16 + [4e-4, 4.15e-4], {"clock": BERLIN}, 24,
    )  # fmt: skip


def _own_series() -> Sample:
    rows = [f"2025-01-01T{h:02d}:00+01:00,{h * 10},{h}" for h in range(5)]
    return Sample(
        "bess_opt series", "series.csv", csv_of("time,price_per_mwh,load_mw", rows), "load", "2025-01-01 00:00+01:00",
        [0, 1, 2], {"clock": BERLIN}, 5,
    )  # fmt: skip


def _entsoe_generation() -> Sample:
    """The newer page: a row for each source, of which the solar ones are read."""
    rows = [
        f'"{t:%d/%m/%Y %H:%M} - {t + HOUR:%d/%m/%Y %H:%M}","BZN|NL","{source}","{n * factor}"'
        for source, factor in (("Biomass", 3), ("Solar", 1), ("Wind Onshore", 2))
        for n, t in enumerate(hours("2024-10-27", "Europe/Brussels"))
    ]
    head = '"MTU (CET/CEST)","Area","Production Type","Generation (MW)"'
    return Sample(
        "ENTSO-E transparency platform", "GUI_GENERATION.csv", csv_of(head, rows), "solar", "2024-10-27 00:00+02:00",
        [0, 1, 2, 3], steps=25,
    )  # fmt: skip


def _smard_english() -> Sample:
    """Names of months, AM and PM, commas for thousands, points for decimals."""

    def stamp(t: pd.Timestamp) -> str:
        return f"{t:%b} {t.day}, {t.year} {t.hour % 12 or 12}:{t:%M} {'AM' if t.hour < 12 else 'PM'}"

    rows = [f"{stamp(t)};{stamp(t + HOUR)};{50 + n},123.25;-" for n, t in enumerate(hours("2025-10-26", BERLIN))]
    head = "Start date;End date;grid load [MWh] Calculated resolutions;Residual load [MWh] Calculated resolutions"
    data = csv_of(head, rows, encoding="utf-8-sig")
    return Sample(
        "SMARD", "Actual_consumption.csv", data, "load", "2025-10-26 00:00+02:00", [50123.25, 51123.25], steps=25
    )


def _netztransparenz_utc() -> Sample:
    """Extrapolations of solar power name UTC in every row."""
    rows = [
        f"{t:%d.%m.%Y};{t:%H:%M};UTC;{t + pd.Timedelta(minutes=15):%H:%M};UTC;{n},5;1,0"
        for n, t in enumerate(hours("2024-10-27", BERLIN, freq="15min").tz_convert("UTC"))
    ]
    head = "Datum;von;Zeitzone von;bis;Zeitzone bis;50Hertz (MW);Amprion (MW)"
    return Sample(
        "netztransparenz.de", "HochrechnungSolar.csv", csv_of(head, rows), "solar", "2024-10-27 00:00+02:00",
        [0.5, 1.5], {"column": "50Hertz"}, 100,
    )  # fmt: skip


def _octopus_meter() -> Sample:
    """The download of a meter: blanks before the names, offsets in every stamp."""
    half = pd.Timedelta(minutes=30)
    steps = hours("2024-10-27", "Europe/London", freq="30min")
    rows = [f"{n}.5, {t.isoformat()}, {(t + half).isoformat()}" for n, t in enumerate(steps)]
    return Sample(
        "plain table", "consumption.csv", csv_of(" Consumption (kWh), Start, End", rows), "load",
        "2024-10-27 00:00+01:00", [0.001, 0.003], {"clock": "Europe/London"}, 50,
    )  # fmt: skip


MORE = {
    maker.__name__.strip("_"): maker()
    for maker in (
        _entsoe_library, _ercot_native, _energy_charts_csv, _entsoe_py_prices, _entsoe_py_generation, _pvgis, _sam,
        _solaredge_chart, _own_series, _entsoe_generation, _smard_english, _netztransparenz_utc, _octopus_meter,
    )
}  # fmt: skip
