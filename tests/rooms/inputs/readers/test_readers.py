"""Users' own files: each documented format on its own clock, over clock changes, in our units, with notes."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support import exported_files as samples

import bess_opt as bo

HOURS = {f"{h:02d}": float(h) for h in range(23)}


def codes(error: pytest.ExceptionInfo[bo.ScenarioError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def said(frame: pd.DataFrame) -> str:
    return "\n".join(note.sentence() for note in frame.notes)  # type: ignore[operator]


# ---- ENTSO-E


def test_entsoe_spring_leaves_out_the_hour_that_is_not_there(tmp_path: Path) -> None:
    """26 March 2023: the export lists 02:00 without a price; 23 hours, 120 minutes of clock in 60 of time."""
    prices = {f"{h:02d}": ("" if h == 2 else float(h)) for h in range(23)}
    read = bo.read_prices(samples.entsoe_old(tmp_path / "p.csv", "26.03.2023", prices))
    assert [stamp.hour for stamp in read.index[:4]] == [0, 1, 3, 4]
    assert (np.diff(read.index.tz_convert("UTC").tz_localize(None)) == np.timedelta64(1, "h")).all()
    assert "1 empty rows of an hour that the clock skips are left out" in said(read)
    assert str(read.index.tz) == "Europe/Brussels"


def test_entsoe_autumn_tells_the_two_hours_apart(tmp_path: Path) -> None:
    """29 October 2023: 02:00 comes twice, first in summer time, and each keeps its own price."""
    prices = {"00": 0.0, "01": 1.0, "02": 2.0, "02b": 2.5, "03": 3.0}
    read = bo.read_prices(samples.entsoe_old(tmp_path / "p.csv", "29.10.2023", prices))
    two = read[[stamp.hour == 2 for stamp in read.index]]
    assert two["price_per_mwh"].tolist() == [2.0, 2.5]
    assert [stamp.utcoffset().total_seconds() / 3600 for stamp in two.index] == [2.0, 1.0]


@pytest.mark.parametrize("quoted", [False, True])
def test_entsoe_marks_of_newer_files_are_believed(tmp_path: Path, quoted: bool) -> None:
    day = "27/10/2024"
    rows = [
        (f"{day} 01:00:00 (CEST)", f"{day} 02:00:00 (CEST)", "Without Sequence", 1.0),
        (f"{day} 02:00:00 (CEST)", f"{day} 02:00:00 (CET)", "Without Sequence", 2.0),
        (f"{day} 02:00:00 (CET)", f"{day} 03:00:00 (CET)", "Without Sequence", 2.5),
        (f"{day} 03:00:00 (CET)", f"{day} 04:00:00 (CET)", "Without Sequence", 3.0),
    ]
    read = bo.read_prices(samples.entsoe_new(tmp_path / "p.csv", rows, quoted=quoted), time_zone="Europe/Berlin")
    assert read.index.tz_convert("UTC").hour.tolist() == [23, 0, 1, 2]
    assert read["price_per_mwh"].tolist() == [1.0, 2.0, 2.5, 3.0]


def test_a_mark_tells_the_hour_where_the_order_cannot(tmp_path: Path) -> None:
    """A file that begins in the repeated hour holds it once: only its mark says that it is the second."""
    day = "27/10/2024"
    rows = [
        (f"{day} 02:00:00 (CET)", f"{day} 03:00:00 (CET)", "Without Sequence", 2.5),
        (f"{day} 03:00:00 (CET)", f"{day} 04:00:00 (CET)", "Without Sequence", 3.0),
    ]
    read = bo.read_prices(samples.entsoe_new(tmp_path / "p.csv", rows))
    assert read.index.tz_convert("UTC").hour.tolist() == [1, 2]
    rows[0] = (f"{day} 02:00:00 (CEST)", f"{day} 02:00:00 (CET)", "Without Sequence", 2.0)
    gap = bo.read_prices(samples.entsoe_new(tmp_path / "q.csv", rows))
    assert gap.index.tz_convert("UTC").hour.tolist() == [0, 2]


def test_entsoe_change_to_quarter_hours_and_the_second_auction(tmp_path: Path) -> None:
    """The market went from 60 to 15 minutes: an hour's price holds in each of its quarters; one auction counts."""
    rows = [
        ("30/09/2025 22:00:00", "30/09/2025 23:00:00", "Without Sequence", 50.0),
        ("30/09/2025 23:00:00", "01/10/2025 00:00:00", "Without Sequence", 40.0),
    ]
    for quarter in range(8):
        start = pd.Timestamp("2025-10-01") + quarter * pd.Timedelta(minutes=15)
        text = [f"{t:%d/%m/%Y %H:%M:%S}" for t in (start, start + pd.Timedelta(minutes=15))]
        rows += [(*text, "Sequence 1", float(quarter)), (*text, "Sequence 2", 99.0)]
    read = bo.read_prices(samples.entsoe_new(tmp_path / "p.csv", rows))
    assert len(read) == 16
    assert read["price_per_mwh"].tolist()[:6] == [50.0] * 4 + [40.0] * 2
    assert 99.0 not in read["price_per_mwh"].tolist()
    assert "2 longer intervals are repeated as steps of 15 min" in said(read)
    assert "'Sequence 1 and Without Sequence' are used" in said(read)


# ---- CAISO


@pytest.mark.parametrize("name", ["lmp.csv", "lmp.zip"])
def test_oasis_is_sorted_and_local(tmp_path: Path, name: str) -> None:
    """GMT stamps over the American clock change on 9 March 2025; only the whole price is read."""
    starts = pd.date_range("2025-03-09 08:00", periods=6, freq="h", tz="UTC")
    read = bo.read_prices(samples.oasis(tmp_path / name, starts))
    assert read["price_per_mwh"].tolist() == [8.0, 9.0, 10.0, 11.0, 12.0, 13.0]
    assert [stamp.hour for stamp in read.index] == [0, 1, 3, 4, 5, 6]
    assert "rows are sorted by time" in said(read)
    assert "holds the price in USD/MWh" in said(read)


def test_oasis_of_two_nodes_wants_one(tmp_path: Path) -> None:
    starts = pd.date_range("2025-01-01 08:00", periods=2, freq="h", tz="UTC")
    first = samples.oasis(tmp_path / "a.csv", starts, "NODE_A").read_text()
    second = samples.oasis(tmp_path / "b.csv", starts, "NODE_B").read_text().partition("\n")[2]
    both = tmp_path / "both.csv"
    both.write_text(first + second)
    with pytest.raises(bo.ScenarioError, match=r"column NODE holds NODE_A, NODE_B; state place, one of these"):
        bo.read_prices(both)
    assert bo.read_prices(both, place="NODE_B")["price_per_mwh"].tolist() == [8.0, 9.0]
    with pytest.raises(bo.ScenarioError, match=r"holds prices, no load; read it with bo\.read_prices"):
        bo.read_load(both, place="NODE_B")


# ---- energy-charts


def test_energy_charts_with_offsets(tmp_path: Path) -> None:
    stamps = ["2023-10-29T01:00+02:00", "2023-10-29T02:00+02:00", "2023-10-29T02:00+01:00", "2023-10-29T03:00+01:00"]
    file = samples.energy_charts(tmp_path / "e.csv", stamps, [1.0, 2.0, 2.5, -3.0])
    prices, load = bo.read_prices(file), bo.read_load(file)
    assert [stamp.hour for stamp in prices.index] == [1, 2, 2, 3]
    assert prices["price_per_mwh"].iloc[-1] == -3.0
    assert load["load_mw"].tolist() == [40_000.0] * 4
    assert bo.Scenario(battery={"power_mw": 1, "duration_h": 1}, series=prices.join(load)).step_h == 1.0


def test_energy_charts_answer_in_json(tmp_path: Path) -> None:
    read = bo.read_prices(samples.energy_charts_json(tmp_path / "e.json", 1_735_686_000, [1.0, None, 3.0, 4.0]))
    assert read.index[0] == pd.Timestamp("2025-01-01", tz="Europe/Berlin")
    assert "1 values are missing, first at 2025-01-01 00:15:00+01:00" in said(read)
    with pytest.raises(bo.ScenarioError, match="series"):
        bo.Scenario(battery={"power_mw": 1, "duration_h": 1}, series=read)
    filled = {"fill": {"price_per_mwh": "previous"}}
    scenario = bo.Scenario(battery={"power_mw": 1, "duration_h": 1}, series=read, series_options=filled)
    assert scenario.series["price_per_mwh"].tolist() == [1.0, 1.0, 3.0, 4.0]
    assert any(finding.code == "imported" for finding in scenario.notes)


def test_energy_charts_in_german(tmp_path: Path) -> None:
    file = tmp_path / "e.csv"
    rows = "2025-01-13T00:00+01:00,40.5,85.1\n2025-01-13T00:15+01:00,41.5,80.0\n"
    file.write_text(
        '"Datum (MEZ)","Last","Day Ahead Auktion (DE-LU)"\n,"Leistung (GW)","Preis (EUR/MWh, EUR/tCO2)"\n' + rows
    )
    assert bo.read_prices(file)["price_per_mwh"].tolist() == [85.1, 80.0]
    assert bo.read_load(file)["load_mw"].tolist() == [40_500.0, 41_500.0]


# ---- loads of the platforms


def test_entsoe_load_takes_the_actual_one(tmp_path: Path) -> None:
    """Forecast and actual load stand side by side; the header is that of the older or the newer platform."""
    old = write(tmp_path, (
        '"Time (CET/CEST)","Day-ahead Total Load Forecast [MW] - BZN|FR","Actual Total Load [MW] - BZN|FR"\n'
        '"13.01.2025 00:00 - 13.01.2025 00:15","1","50000"\n"13.01.2025 00:15 - 13.01.2025 00:30","1","n/e"\n'
    ))  # fmt: skip
    read = bo.read_load(old)
    assert read["load_mw"].iloc[0] == 50_000.0
    assert np.isnan(read["load_mw"].iloc[1])
    new = write(tmp_path, (
        '"MTU (UTC)","Area","Actual Total Load (MW)","Day-ahead Total Load Forecast (MW)"\n'
        '"13/01/2025 00:00 - 13/01/2025 00:15","BZN|FR","50000","1"\n'
        '"13/01/2025 00:15 - 13/01/2025 00:30","BZN|FR","51000","1"\n'
    ))  # fmt: skip
    assert bo.read_load(new).index[0] == pd.Timestamp("2025-01-13 01:00", tz="Europe/Brussels")


def test_oasis_load_of_one_area_and_one_market(tmp_path: Path) -> None:
    head = (
        "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,LOAD_TYPE,OPR_DT,OPR_HR,OPR_INTERVAL,MARKET_RUN_ID,TAC_AREA_NAME,"
        "LABEL,XML_DATA_ITEM,POS,MW,EXECUTION_TYPE,GROUP\n"
    )
    row = (
        "2025-01-13T{0}:00:00-00:00,2025-01-13T{1}:00:00-00:00,0,2025-01-13,1,0,{2},{3},x,SYS_FCST_MW,3.8,{4},{2},1\n"
    )
    cells = [("08", "09", "ACTUAL", "CA ISO-TAC", 21_000), ("09", "10", "ACTUAL", "CA ISO-TAC", 20_500)]
    file = write(tmp_path, head + "".join(row.format(*cell) for cell in cells))
    assert bo.read_load(file)["load_mw"].tolist() == [21_000.0, 20_500.0]
    with pytest.raises(bo.ScenarioError, match=r"holds load, no prices; read it with bo\.read_load"):
        bo.read_prices(file)
    both = write(tmp_path, head + row.format(*cells[0]) + row.format("08", "09", "DAM", "CA ISO-TAC", 1))
    with pytest.raises(bo.ScenarioError, match="column MARKET_RUN_ID holds ACTUAL, DAM; keep the rows of one market"):
        bo.read_load(both)


# ---- SAM, PVGIS, tables


def test_sam_year_needs_its_year_and_clock(tmp_path: Path) -> None:
    file = samples.sam(tmp_path / "sam.csv", [float(h) for h in range(8760)])
    with pytest.raises(bo.ScenarioError, match=r"does not say its year; state year, e\.g\. year=2025"):
        bo.read_load(file, clock="Etc/GMT+7")
    with pytest.raises(bo.ScenarioError, match=r"8,760 rows, which do not fill the 8,784 hours of 2024"):
        bo.read_load(file, clock="Etc/GMT+7", year=2024)
    read = bo.read_load(file, clock="Etc/GMT+7", year=2023, time_zone="America/Denver")
    assert read.index[0] == pd.Timestamp("2023-01-01", tz="America/Denver")
    assert read["load_mw"].iloc[1] == 0.001
    noon = read.index[12 + 24 * 182]
    assert (noon.hour, bo.read_solar(file, clock="Etc/GMT+7", year=2023).index[0].hour) == (13, 0)


def test_pvgis_power_is_read_by_pvlib(tmp_path: Path) -> None:
    pytest.importorskip("pvlib")
    read = bo.read_solar(samples.pvgis(tmp_path / "pv.csv"), time_zone="Europe/Berlin")
    assert read["solar_mw"].tolist() == pytest.approx([n / 1000.0 for n in range(24)])
    assert read.index[0] == pd.Timestamp("2020-06-01 02:00", tz="Europe/Berlin")
    assert "stamps 00:10 within their hour in UTC are put at its start" in said(read)
    with pytest.raises(bo.ScenarioError, match="has no column P; ask PVGIS for PV power"):
        bo.read_solar(samples.pvgis(tmp_path / "weather.csv", power=False))


def test_hour_ending_becomes_start_and_units_become_ours(tmp_path: Path) -> None:
    file = samples.hours_ending(tmp_path / "he.csv", "1/31/2017")
    prices = bo.read_prices(file, clock="Etc/GMT+8")
    load = bo.read_load(file, clock="Etc/GMT+8")
    assert prices.index[0].hour == 0
    assert prices["price_per_mwh"].iloc[:2].tolist() == [1.0, 2.0]
    assert load["load_mw"].iloc[23] == pytest.approx(2.4)
    assert "ends of steps on the clock of Etc/GMT+8 are moved back by 60 min to starts" in said(load)
    assert "read as kW, times 0.001 to MW" in said(load)


def test_cents_and_energy_per_step(tmp_path: Path) -> None:
    """15-minute kWh are a mean power four times as large; a cent per kWh is ten per MWh."""
    file = tmp_path / "meter.csv"
    file.write_text("time,price [ct/kWh],demand (kWh)\n2025-01-13 00:00,8.5,25\n2025-01-13 00:15,-1,50\n")
    assert bo.read_prices(file, clock="UTC")["price_per_mwh"].tolist() == [85.0, -10.0]
    assert bo.read_load(file, clock="UTC")["load_mw"].tolist() == pytest.approx([0.1, 0.2])


@pytest.mark.parametrize(
    ("stamps", "hours"),
    [
        (["13/02/2021 00:00", "13/02/2021 01:00"], ["2021-02-13 00", "2021-02-13 01"]),
        (["02/13/2021 00:00", "02/13/2021 01:00"], ["2021-02-13 00", "2021-02-13 01"]),
        (["01/02/2021 23:00", "02/02/2021 00:00", "02/02/2021 01:00"], ["2021-02-01 23", "2021-02-02 00"]),
    ],
)
def test_day_and_month_are_told_apart(tmp_path: Path, stamps: list[str], hours: list[str]) -> None:
    file = tmp_path / "t.csv"
    file.write_text("start,load_kw\n" + "".join(f"{stamp},1\n" for stamp in stamps))
    read = bo.read_load(file, clock="UTC")
    assert [f"{stamp:%Y-%m-%d %H}" for stamp in read.index[:2]] == hours


# ---- what is refused


def write(folder: Path, text: str) -> Path:
    file = folder / "own.csv"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "Charging,Discharging\n0,0\n",
            {},
            r"has the columns Charging, Discharging, none of them of times; state time_column; known kinds are AEMO",
        ),
        ("time,price\n", {}, "holds no table"),
        ("time,price (EUR/MWh)\n2025-01-01 00:00,1,2\n", {}, r"row 2: has 3 cells under 2 columns"),
        ("time,price (EUR/MWh)\n2025-01-01 00:00,1\n", {}, "says no time zone; state clock"),
        ("time,price (EUR/MWh)\n2025-01-01 00:00,x\n", {}, r"column price \(EUR/MWh\): found 'x'; write a number"),
        ("time,price (EUR/MWh)\n2025-01-01 00:00,1\nsoon,1\n", {"clock": "UTC"}, "found 'soon', no time"),
        ("time,price (EUR/MWh)\n01/02/2025 00:00,1\n", {"clock": "UTC"}, "may be day/month or month/day"),
        ("time,price (EUR/MWh)\n2025-01-01 00:00,1\n", {"clock": "Berlin"}, "clock: found 'Berlin'; give an IANA"),
        ("time,price (EUR/MWh)\n2025-01-01 00:00+01:00,1\n", {}, "has offsets, which name no zone"),
        ("time,a price,b price\n2025-01-01 00:00,1,2\n", {"unit": "EUR/MWh"}, "state column: a price, b price"),
        ("time,a price\n2025-01-01 00:00,1\n", {"column": "z"}, "'z' is no column of own.csv; give one of time"),
        ("time,a price\n2025-01-01 00:00,1\n", {"column": "a"}, "'a price' states no unit; state unit: EUR/MWh"),
        ("time,a price\n2025-01-01 00:00,1\n", {"column": "a", "unit": "kW"}, "is in 'kW'; EUR/MWh, USD/kWh"),
        ("time,x\n2025-01-01 00:00,1\n", {"clock": "UTC"}, "has no column for price; state column and unit"),
        ("Price\n12\n13\n", {"unit": "EUR/MWh"}, "does not say its year"),
        ("time,price (EUR/MWh)\n2025-01-01 00:00,1\n", {"stamps": "mid"}, "found 'mid'; give 'start' or 'end'"),
        (
            "time,price (EUR/MWh)\n2025-01-13 00:00,1\n2025-01-13 01:00,2\n2025-01-13 01:00,3\n",
            {"clock": "UTC"},
            "has the values 2 and 3; keep one row for each step",
        ),
        (
            "time,price (EUR/kWh)\n2025-01-13 00:00,38\n2025-01-13 01:00,52\n",
            {"clock": "UTC"},
            r"45,000 per MWh is no price, if the unit is EUR/kWh as the file says; state unit",
        ),
        (
            "Datetime (he),price (EUR/MWh)\n2025-01-13 00:00,1\n2025-01-13 12:00,2\n",
            {"clock": "UTC"},
            "is named hour-ending, but runs from 2025-01-13 00:00",
        ),
        (
            "start,price (EUR/MWh)\n2025-03-30 01:00,1\n2025-03-30 02:00,2\n",
            {"clock": "Europe/Berlin"},
            'does not exist on the clock of Europe/Berlin; if the file does not change its clock, state clock="Etc/GMT-1"',
        ),
        (
            "start,price (EUR/MWh)\n2025-10-26 01:00,1\n2025-10-26 02:00,2\n2025-10-26 03:00,2\n",
            {"clock": "Europe/Berlin"},
            'comes twice on the clock of Europe/Berlin, but once here; if the file does not change its clock, state clock="Etc/GMT-1"',
        ),
        ('{"a": 1}', {}, "is JSON with the keys a; known kinds are energy-charts API"),
        ('{"a"', {}, "cannot be read: Expecting"),
        (
            "MTU (MST),Day-ahead Price [EUR/MWh]\n01.01.2023 00:00 - 01.01.2023 01:00,1\n",
            {},
            "column MTU .MST.: says no time zone; state clock",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, text: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        bo.read_prices(write(tmp_path, text), **options)  # type: ignore[arg-type]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(bo.ScenarioError, match="cannot be read: No such file"):
        bo.read_load(tmp_path / "none.csv")


def test_shares_of_the_rated_power_need_it(tmp_path: Path) -> None:
    file = write(tmp_path, "time,PV Gen (kW/rated kW)\n2025-01-13 00:00,0.5\n2025-01-13 01:00,0.25\n")
    with pytest.raises(bo.ScenarioError, match="gives power per rated power; state capacity_mw, the rated power"):
        bo.read_solar(file, clock="UTC")
    assert bo.read_solar(file, clock="UTC", capacity_mw=4.0)["solar_mw"].tolist() == [2.0, 1.0]


def test_notes_stay_with_the_frame_and_not_with_its_parts(tmp_path: Path) -> None:
    read = bo.read_prices(samples.entsoe_old(tmp_path / "p.csv", "02.01.2023", HOURS))
    assert len(read.notes) >= 3
    assert type(read.iloc[:2]) is pd.DataFrame
    assert not read.notes.errors


# ---- tariffs


def rate(folder: Path, content: object) -> Path:
    file = folder / "rate.json"
    file.write_text(json.dumps(content))
    return file


def test_urdb_becomes_rows(tmp_path: Path) -> None:
    """Adjustments add up, months with the same windows stand together, weekday windows wrap over midnight."""
    read = bo.read_tariff(rate(tmp_path, {"items": [samples.urdb()]}))
    energy = {(row.price_per_mwh, row.days, row.hours) for row in read.energy}
    assert energy == {(100.0, "weekday", (21, 16)), (300.0, "weekday", (16, 21)), (100.0, "weekend", (0, 24))}
    demand = [(row.price_per_mw_month, row.months, row.days, row.hours) for row in read.demand]
    every = tuple(range(1, 13))
    assert demand == [
        (5000.0, (1, 2, 3, 4, 5, 10, 11, 12), "all", (0, 24)),
        (8000.0, (6, 7, 8, 9), "all", (0, 24)),
        (12000.0, every, "weekday", (16, 21)),
    ]
    assert {row.interval_min for row in read.demand} == {15.0}
    assert (read.export, [note.where for note in read.notes.warnings]) == (
        "none",
        ["rate.json sell"],
    )
    assert read.fixed_per_month > 0.0
    scenario = bo.Scenario(
        battery={"power_mw": 1, "duration_h": 1},
        tariff=read,
        series=pd.DataFrame({"load_mw": 1.0}, index=pd.date_range("2025-01-01", periods=96, freq="15min", tz="UTC")),
    )
    assert scenario.tariff is read


def test_one_sell_rate_is_the_export_price(tmp_path: Path) -> None:
    tiers = [[{"rate": 0.1, "sell": 0.05}], [{"rate": 0.2, "sell": 0.05}]]
    assert bo.read_tariff(rate(tmp_path, samples.urdb(energyratestructure=tiers))).export == 50.0


def test_tiers_windows_and_sell_rates_of_urdb_become_rows(tmp_path: Path) -> None:
    """Two tiers of energy with a sell rate each way; one period measured in the morning and in the evening."""
    hours = [0] * 7 + [1] * 3 + [0] * 7 + [1] * 3 + [0] * 4
    every = {
        f"{what}{kind}schedule": [hours] * 12 for what in ("energy", "demand") for kind in ("weekday", "weekend")
    }
    tiers = [[{"rate": 0.1, "max": 500, "sell": 0.05}, {"rate": 0.2, "sell": 0.05}], [{"rate": 0.3, "sell": 0.07}]]
    demand = [[{"rate": 0}], [{"rate": 8, "max": 100}, {"rate": 12}]]
    sample = samples.urdb(energyratestructure=tiers, demandratestructure=demand, **every)
    read = bo.read_tariff(rate(tmp_path, sample))
    assert read.energy[0].tiers == ((0.5, 100.0), (float("inf"), 200.0))
    assert [row.price_per_mwh for row in read.energy if row.direction == "export"] == [50.0, 70.0]
    timed = [row for row in read.demand if row.tiers is not None]
    assert len(timed) == 1
    assert timed[0].tiers == ((0.1, 8000.0), (float("inf"), 12000.0))
    assert timed[0].hours == ((7.0, 10.0), (17.0, 20.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"demandratchetpercentage": [0.8] * 12},
            "demandratchetpercentage: is stated; take it out, and state a ratchet",
        ),
        ({"fueladjustmentsmonthly": [0.002] * 11}, "fueladjustmentsmonthly: is no list of 12 numbers; give one per"),
        ({"coincidentratestructure": [[{"rate": 0}], [{"rate": 9}]]}, "coincidentratestructure: is stated; take it"),
        ({"annualmincharge": 5}, "annualmincharge: is stated; take it out, and state minimum_per_month"),
        ({"flatdemandunit": "kVA"}, "flatdemandunit: is in kVA; give one rate per kW and month"),
        ({"demandrateunit": "kW daily"}, "demandrateunit: is in kW daily; give one rate per kW and month"),
        (
            {"flatdemandunit": "kW daily", "flatdemandstructure": [[{"rate": 5, "max": 9}, {"rate": 8}]] * 2},
            "flatdemandstructure: has tiers of daily peaks; give one rate per kW and day",
        ),
        ({"flatdemandunit": "kW daily", "lookbackPercent": 0.5}, "lookbackPercent: looks back to daily peaks"),
        ({"flatdemandstructure": [], "flatdemandmonths": [], "lookbackpercent": 0.5}, "has no flat demand charge"),
        ({"flatdemandmonths": [2] * 12}, "flatdemandmonths: found period 2; give 12 numbers of periods, 0 to 1"),
        ({"dgrules": "Buy All Sell All"}, "dgrules: is 'Buy All Sell All'; take it out"),
        ({"mincharge": 5, "minchargeunits": "$/year"}, "minchargeunits: is '\\$/year'; give"),
        (
            {"energyratestructure": [[{"rate": 0.1, "max": 5}, {"rate": 0.2}], [{"rate": 0}]]},
            "period 0 has other hours on weekdays than at weekends in month 1, counted together",
        ),
        ({"energyratestructure": [[{"rate": 0.1, "unit": "therm"}], [{"rate": 0}]]}, "is in therm; give rates"),
        ({"energyweekdayschedule": [[0] * 24]}, "is no table of months and hours; give 12 rows of 24 numbers"),
        (
            {"demandratestructure": [[{"rate": 1}], [{"rate": 2}]]},
            "period 0 has other hours on weekdays than at weekends in month 1, counted together",
        ),
    ],
)
def test_what_urdb_says_and_we_cannot_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        bo.read_tariff(rate(tmp_path, samples.urdb(**changes)))


def test_every_part_that_cannot_be_said_is_named_at_once(tmp_path: Path) -> None:
    sample = samples.urdb(annualmincharge=5, lookbackPercent=0.5, flatdemandunit="kW daily", dgrules="Net Metering")
    with pytest.raises(bo.ScenarioError) as refused:
        bo.read_tariff(rate(tmp_path, sample))
    names = [problem.where.split()[-1] for problem in refused.value.problems]
    assert names == ["annualmincharge", "lookbackPercent", "dgrules"]


def test_fuel_adjustments_are_in_the_prices_of_their_months(tmp_path: Path) -> None:
    """0.002 in the first half of the year and 0.003 in the second, in tiers too; pay for export is without them."""
    tiers = [[{"rate": 0.1, "max": 500, "sell": 0.05}, {"rate": 0.2, "sell": 0.05}], [{"rate": 0.3, "sell": 0.07}]]
    every = {f"energy{kind}schedule": [[0] * 12 + [1] * 12] * 12 for kind in ("weekday", "weekend")}
    sample = samples.urdb(energyratestructure=tiers, fueladjustmentsmonthly=[0.002] * 6 + [0.003] * 6, **every)
    read = bo.read_tariff(rate(tmp_path, sample))
    first, second = tuple(range(1, 7)), tuple(range(7, 13))
    bought = {(row.months, row.price_per_mwh or row.tiers) for row in read.energy if row.direction == "import"}
    inf = float("inf")
    assert bought == {
        (first, ((0.5, 102.0), (inf, 202.0))),
        (second, ((0.5, 103.0), (inf, 203.0))),
        (first, 302.0),
        (second, 303.0),
    }
    assert {row.price_per_mwh for row in read.energy if row.direction == "export"} == {50.0, 70.0}


def test_a_price_of_daily_peaks_is_their_mean_times_the_days(tmp_path: Path) -> None:
    """0.5 per kW and day, every day at 2 MW: 31 · 1,000 in January, 28 · 1,000 in February; 1.5 on one day adds 500."""
    sample = samples.urdb(
        flatdemandunit="kW daily", flatdemandstructure=[[{"rate": 0.5}]], flatdemandmonths=[0] * 12,
        demandratestructure=[], demandwindow=None,
    )  # fmt: skip
    read = bo.read_tariff(rate(tmp_path, sample))
    assert {row.price_per_mw_month for row in read.demand} == {15_500.0, 15_000.0, 14_000.0}
    at = pd.date_range("2025-01-01", "2025-03-01", freq="h", tz="UTC", inclusive="left")
    load = pd.DataFrame({"load_mw": 2.0}, index=at)
    load.loc["2025-01-09 12:00", "load_mw"] = 3.0
    made = bo.bill(bo.Scenario(battery={"power_mw": 1, "duration_h": 1}, tariff=read, series=load)).table
    paid = made[made["line"].str.contains("demand")].set_index("month")["money"]
    assert paid.to_dict() == {"2025-01": pytest.approx(31_500.0), "2025-02": pytest.approx(28_000.0)}


def test_a_look_back_is_a_ratchet_of_flat_demand(tmp_path: Path) -> None:
    months = [0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0]
    read = bo.read_tariff(rate(tmp_path, samples.urdb(lookbackpercent=0.75, lookbackmonths=months)))
    ratchets = [row.ratchet for row in read.demand]
    assert [(r.share, r.months, r.named_months) for r in ratchets if r] == [(0.75, 11, (6, 7, 8))] * 2
    assert ratchets[-1] is None
    ranged = bo.read_tariff(rate(tmp_path, samples.urdb(lookbackPercent=0.75, lookbackRange=6)))
    assert ranged.demand[0].ratchet is not None
    assert (ranged.demand[0].ratchet.months, ranged.demand[0].ratchet.named_months) == (6, None)
    assert "rate.json lookbackpercent" in [note.where for note in read.notes.warnings]


def test_tiers_by_day_and_texts_of_urdb(tmp_path: Path) -> None:
    tiers = [[{"rate": 0.1, "max": 20, "unit": "kWh daily"}, {"rate": 0.2, "unit": "kWh daily"}]]
    every = {f"energy{kind}schedule": [[0] * 24] * 12 for kind in ("weekday", "weekend")}
    texts = {"energyattrs": [{"Credit": "$-0.007/kWh"}]}
    read = bo.read_tariff(rate(tmp_path, samples.urdb(energyratestructure=tiers, **every, **texts)))
    assert (read.energy[0].tier_period, read.energy[0].tiers) == ("day", ((0.02, 100.0), (float("inf"), 200.0)))
    assert any(n.where.endswith("energyattrs") and "$-0.007/kWh" in n.found for n in read.notes.warnings)


DERVET = "Billing Period,Start Month,End Month,Start Time,End Time,Excluding Start Time,Excluding End Time,Weekday?,Value,Charge\n"


def test_dervet_rows_and_excluded_hours(tmp_path: Path) -> None:
    file = write(
        tmp_path, DERVET + "1,6,9,17,21,,,1,0.2,energy\n2,6,9,1,24,17,21,1,0.1,Energy\n3,1,12,1,24,,,2,7,demand\n"
    )
    read = bo.read_tariff(file, export="same")
    assert [(row.price_per_mwh, row.hours, row.months) for row in read.energy] == [
        (200.0, (16, 21), (6, 7, 8, 9)),
        (100.0, (21, 16), (6, 7, 8, 9)),
    ]
    assert (read.demand[0].price_per_mw_month, read.export) == (7000.0, "same")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DERVET + "1,6,9,17,21,,,7,0.2,energy\n", "row 2: cannot be read: 7; give months, hours 1 to 24"),
        (DERVET + "1,6,9,9,20,12,13,1,3,demand\n", "is measured in several windows of the day"),
        ("a,b\n1,2\n", "has the columns a, b; known formats are URDB"),
        ('{"a": 1}', "has the keys a; known formats are URDB"),
        ("[1", "cannot be read: Expecting"),
    ],
)
def test_tariffs_of_another_kind_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        bo.read_tariff(write(tmp_path, text))


def test_a_tariff_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(bo.ScenarioError, match="cannot be read: No such file"):
        bo.read_tariff(tmp_path / "none.json")


# ---- files that cannot be read


def test_a_zip_holds_one_table(tmp_path: Path) -> None:
    file = tmp_path / "two.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", "time\n")
        archive.writestr("b.csv", "time\n")
    with pytest.raises(bo.ScenarioError, match=r"two\.zip: holds 2 files: a.csv, b.csv; state place, one of these"):
        bo.read_prices(file)
    (tmp_path / "none.zip").write_text("no zip")
    with pytest.raises(bo.ScenarioError, match="cannot be read: File is not a zip file; give a CSV, JSON, XML"):
        bo.read_prices(tmp_path / "none.zip")


def test_oasis_without_the_whole_price(tmp_path: Path) -> None:
    row = "2025-01-13T08:00:00-00:00,2025-01-13T09:00:00-00:00,2025-01-13,1,0,A,A,A,DAM,MCC,LMP_PRC,A,ALL,0,1,1\n"
    with pytest.raises(bo.ScenarioError, match="has no row of LMP in column LMP_TYPE; give a file with rows of LMP"):
        bo.read_prices(write(tmp_path, samples.OASIS + "\n" + row))


def test_pvgis_needs_pvlib_and_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pvlib")
    file = samples.pvgis(tmp_path / "pv.csv")
    cut = tmp_path / "cut.csv"
    cut.write_text("Latitude (decimal degrees):\t48.000\n")
    with pytest.raises(bo.ScenarioError, match=r"cut\.csv: cannot be read: .*; download the file of PVGIS"):
        bo.read_solar(cut)
    monkeypatch.setitem(sys.modules, "pvlib", None)
    with pytest.raises(
        bo.ScenarioError, match=r'needs pvlib, which is not installed; pip install "bess-opt\[solar\]"'
    ):
        bo.read_solar(file)
