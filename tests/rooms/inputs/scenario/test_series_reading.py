"""Series from files and frames: what is read, and the sentence for everything that is refused (rule 4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bess_opt.inputs.scenario import Scenario, load

Problems = Callable[..., list[str]]
Frames = Callable[..., pd.DataFrame]
Folder = Callable[..., Path]
SIZE = {"power_mw": 2, "duration_h": 4}
BERLIN = '[site]\ntime_zone = "Europe/Berlin"\n'
NUMBER = "give a number, with a point for decimals"
EMPTY = 'give a number, or state series.fill = {load_mw = "previous"}'


def rows(*cells: str, header: str = "time,load_mw", start: str = "2025-01-01T00:00Z") -> str:
    """A CSV text in hourly UTC steps."""
    stamps = pd.date_range(start, periods=len(cells), freq="h").strftime("%Y-%m-%dT%H:%MZ")
    return "\n".join([header, *(f"{stamp},{cell}" for stamp, cell in zip(stamps, cells, strict=True))]) + "\n"


def build(frame: object, **more: Any) -> Scenario:
    return Scenario(battery=SIZE, series=frame, **more)  # type: ignore[arg-type]


def test_utc_stamps_need_no_zone_and_that_is_noted(folder: Folder) -> None:
    scenario = load(folder(rows("1", "2.5")))
    assert scenario.time_zone == "UTC"
    assert scenario.series["load_mw"].tolist() == [1.0, 2.5]
    assert scenario.series.index.name == "time"
    note = scenario.notes[0]
    assert (note.code, note.severity) == ("defaulted", "warning")
    assert note.sentence() == (
        "series.csv: time zone is UTC, as in the file; state site.time_zone if days begin elsewhere"
    )


@pytest.mark.parametrize("utc", ["Z", "+00:00", " +00:00", "+0000", "+00"])
def test_every_spelling_of_utc(folder: Folder, utc: str) -> None:
    text = f"time,load_mw\n2025-01-01 00:00{utc},1\n2025-01-01T01:00:00{utc},2\n"
    assert load(folder(text)).time_zone == "UTC"


def test_a_stated_zone_is_the_local_clock(folder: Folder) -> None:
    scenario = load(folder(rows("1", "2"), BERLIN))
    assert scenario.series.index[0].isoformat() == "2025-01-01T01:00:00+01:00"
    assert scenario.notes == ()


def test_mixed_offsets_over_both_clock_changes(folder: Folder) -> None:
    """Proves that offsets are obeyed: as naive local times 02:00 would stand twice and 03:00 follow 01:00."""
    spring = "2025-03-30 01:00+01:00,1\n2025-03-30 03:00+02:00,2\n"
    scenario = load(folder("time,load_mw\n" + spring, BERLIN))
    assert scenario.step_h == 1.0
    assert [stamp.hour for stamp in scenario.series.index] == [1, 3]
    autumn = "2025-10-26 02:00+02:00,1\n2025-10-26 02:00+01:00,2\n2025-10-26 03:00+01:00,3\n"
    scenario = load(folder("time,load_mw\n" + autumn, BERLIN))
    assert [stamp.hour for stamp in scenario.series.index] == [2, 2, 3]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (rows("1", "abc"), f"series.csv row 3, column load_mw: found 'abc' at 2025-01-01 01:00+00:00; {NUMBER}"),
        (rows("1", '"1,5"'), f"series.csv row 3, column load_mw: found '1,5' at 2025-01-01 01:00+00:00; {NUMBER}"),
        (rows("True", "False"), f"series.csv row 2, column load_mw: found True at 2025-01-01 00:00+00:00, and 1 more row; {NUMBER}"),
        (rows("1", "", "2", "NaN"), f"series.csv row 3, column load_mw: is empty (NaN) at 2025-01-01 01:00+00:00, and 1 more row; {EMPTY}"),
        (rows("1", "inf"), "series.csv row 3, column load_mw: found inf at 2025-01-01 01:00+00:00; give a finite number"),
        (rows("1", "-0.5", header="time,solar_mw"), "series.csv row 3, column solar_mw: found -0.5 at 2025-01-01 01:00+00:00; give at least 0 MW"),
        (rows("1", "-0.5", header="time,solar_dc_mw"), "series.csv row 3, column solar_dc_mw: found -0.5 at 2025-01-01 01:00+00:00; give at least 0 MW"),
        (rows("1", "1.1", header="time,regulation_signal"), "series.csv row 3, column regulation_signal: found 1.1 at 2025-01-01 01:00+00:00; give at most 1"),
        (rows("1", "-2", header="time,regulation_signal"), "series.csv row 3, column regulation_signal: found -2 at 2025-01-01 01:00+00:00; give at least -1"),
        (rows("1", "2", header="time,load_mv"), "series.csv column load_mv: unknown column 'load_mv'; did you mean 'load_mw'?"),
        (rows("1,2", "3,4", header="time,load_mw,load_mw"), "series.csv column load_mw: stands more than once; keep one of them"),
        (rows("1,2", "3,4", header="time,price_per_mwh,export_price_per_mwh"), "series.csv: price_per_mwh stands beside export_price_per_mwh; give either price_per_mwh, or import_price_per_mwh and export_price_per_mwh"),
        ("Time,load_mw\n1,2\n", "series.csv: has no column 'time'; name the column of step starts 'time'"),
        ("time;load_mw\n1;2\n", "series.csv: columns are separated by semicolons; use commas, and points in decimals"),
        (rows("1", "2,3"), "series.csv: cannot be read: Expected 2 fields in line 3, saw 3; give a CSV file in UTF-8 with commas, or a Parquet file"),
        (rows("1,4", "2"), "series.csv: cannot be read: rows have more cells than the header; give a CSV file in UTF-8 with commas, or a Parquet file"),
        ("", "series.csv: has no rows; give at least one step"),
        ("time,load_mw\n", "series.csv: has no rows; give at least one step"),
        (rows("1"), "series.csv: has one step, which does not say how long it is; state series.step_min"),
        ("time,load_mw\n2025-01-01 00:00,1\n2025-01-01 01:00,1\n", "series.csv row 2, column time: found '2025-01-01 00:00' without a time zone, and 1 more row; write the offset, \"2025-03-30 01:00+01:00\", or localise: frame.tz_localize(\"Europe/Berlin\")"),
        ("time,load_mw\n2025-01-01 00:00+01:00,1\n2025-01-01 01:00+01:00,1\n", "series.csv: has times with offsets, which do not say in which time zone the days begin; state site.time_zone, e.g. \"Europe/Berlin\""),
        ("time,load_mw\n01.01.2025 00:00,1\n2025-01-01 01:00Z,1\n", "series.csv row 2, column time: found '01.01.2025 00:00', no time; write times as in \"2025-03-30 01:00+01:00\""),
        ("time,load_mw\n2025-02-30 00:00Z,1\n2025-01-01 01:00Z,1\n", "series.csv row 2, column time: found '2025-02-30 00:00Z', no time; write times as in \"2025-03-30 01:00+01:00\""),
        ("time,load_mw\n2025-01-01 00:00Z,1\n2201-01-01 01:00Z,1\n", "series.csv row 3, column time: found '2201-01-01 01:00Z', a year far off; give times from 1900 to 2200"),
        ("time,load_mw\n2025-01-01 00:00Z,1\n,1\n", "series.csv row 3, column time: time is empty; give every row its time"),
        ("time,load_mw\n2025-01-01 01:00Z,1\n2025-01-01 00:00Z,1\n", "series.csv row 3: 2025-01-01 00:00+00:00 comes after 2025-01-01 01:00+00:00; sort the rows by time"),
        ("time,load_mw\n2025-01-01 00:00Z,1\n2025-01-01 01:00Z,1\n2025-01-01 01:00Z,1\n", "series.csv row 4: 2025-01-01 01:00+00:00 stands already in row 3; keep one row for each step"),
        ("time,load_mw\n2025-01-01 00:00Z,1\n2025-01-01 00:15Z,1\n2025-01-01 00:30Z,1\n2025-01-01 00:50Z,1\n", "series.csv row 5: 2025-01-01 00:50+00:00 is 20 min after 2025-01-01 00:30+00:00, other steps are 15 min; give equal steps in UTC"),
        ("time,load_mw\n2025-01-01 00:00Z,1\n2025-01-01 01:00Z,1\n2025-01-01 04:00Z,1\n", "series.csv row 4: 2 steps of 60 min missing between 2025-01-01 01:00+00:00 and 2025-01-01 04:00+00:00; add the rows, or state series.fill for load_mw"),
        ("time,load_mw\n2025-01-01 00:00Z,1\n2025-01-01 00:07Z,1\n", "series.csv: steps are 7 min; give steps that divide an hour, or of 1 to 24 whole hours"),
        ("time,load_mw\n2025-01-01 00:00Z,1\n2025-01-03 00:00Z,1\n", "series.csv: steps are 2880 min; give steps that divide an hour, or of 1 to 24 whole hours"),
    ],
    ids=lambda value: value[-50:],
)  # fmt: skip
def test_wrong_files(csv_problems: Problems, text: str, sentence: str) -> None:
    assert csv_problems(text)[0] == sentence


def test_a_file_that_is_no_text(csv_problems: Problems) -> None:
    found = csv_problems(b"time,load_mw\n\xff\xfe,1\n")
    assert found[0].startswith("series.csv: cannot be read: 'utf-8' codec can't decode byte 0xff in position 13")


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (
            "../other.csv",
            "series.file: file '../other.csv' leaves the scenario folder; put the file into the folder",
        ),
        (
            "/etc/hostname",
            "series.file: file '/etc/hostname' leaves the scenario folder; put the file into the folder",
        ),
        ("serie.csv", "series.file: there is no file 'serie.csv'; did you mean 'series.csv'?"),
        (
            "series.xlsx",
            "series.file: file 'series.xlsx' is neither .csv nor .parquet; give a .csv or .parquet file",
        ),
    ],
)
def test_wrong_paths(csv_problems: Problems, file: str, sentence: str) -> None:
    assert csv_problems(rows("1", "2"), f'[series]\nfile = "{file}"\n') == [sentence]


def test_a_link_out_of_the_folder_is_refused(folder: Folder, problems: Problems, tmp_path_factory: Any) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.csv"
    outside.write_text(rows("1", "2"))
    place = folder(None)
    (place / "series.csv").symlink_to(outside)
    assert problems(load, place)[0].startswith("series.file: file 'series.csv' leaves the scenario folder")


def test_a_missing_file_names_the_folder(folder: Folder, problems: Problems) -> None:
    place = folder(None)
    assert problems(load, place) == [f"series.file: there is no file 'series.csv'; put it into {place}"]


def test_blank_lines_at_the_end_are_nothing_but_in_between_are_rows(folder: Folder, csv_problems: Problems) -> None:
    assert len(load(folder(rows("1", "2") + "\n\n")).series) == 2
    found = csv_problems("time,load_mw\n2025-01-01 00:00Z,1\n\n2025-01-01 01:00Z,x\n")
    assert found[0].startswith("series.csv row 3, column time: time is empty")
    assert found[1].startswith("series.csv row 4, column load_mw: found 'x'")


def test_byte_order_mark_and_spaces_in_the_header(folder: Folder) -> None:
    scenario = load(folder(b"\xef\xbb\xbf" + rows("1", "2", header="time, load_mw").encode()))
    assert list(scenario.series) == ["load_mw"]


def test_many_problems_of_a_series_come_at_once(csv_problems: Problems) -> None:
    text = (
        "time,load_mw,solar,price_per_mwh,import_price_per_mwh\n"
        "2025-01-01 01:00+01:00,abc,1,1,1\n"
        "2025-01-01 00:00+01:00,,1,inf,1\n"
        "2025-01-01 02:00+01:00,-1,1,1,1\n"
        "2025-01-01 02:00+01:00,1,1,1,1\n"
        "2025-01-01 05:00+01:00,1,1,1,1\n"
    )
    toml = '[series]\nfill = {solar_mw = "zero"}\nresample = {load_mv = "mean", load_mw = "avg"}\n'
    expected = [
        "series.resample.load_mv: unknown column 'load_mv'",
        "series.resample.load_mw: found 'avg'; one of 'hold', 'mean', 'sum'",
        "series.csv column solar: unknown column 'solar'",
        "series.csv: has times with offsets",
        "series.csv row 2, column load_mw: found 'abc'",
        "series.csv row 3, column price_per_mwh: found inf",
        "series.csv row 3, column load_mw: is empty (NaN)",
        "series.csv: price_per_mwh stands beside import_price_per_mwh",
        "series.fill.solar_mw: series.csv has no such column",
        "series.csv row 3: 2024-12-31 23:00+00:00 comes after 2025-01-01 00:00+00:00",
        "series.csv row 5: 2025-01-01 01:00+00:00 stands already in row 4",
        "series.csv row 6: 2 steps of 60 min missing",
    ]
    found = csv_problems(text, toml)
    assert len(found) == len(expected)
    for sentence, start in zip(found, expected, strict=True):
        assert sentence.startswith(start)


@pytest.mark.parametrize(
    ("values", "row", "shown"),
    [
        ([1, "2", 3], 2, "'2'"),
        ([1, True, 3], 2, "True"),
        ([True, True, True], 1, "True"),
        (["1", "2", "3"], 1, "'1'"),
        ([1 + 1j, 2, 3], 1, "(1+1j)"),
        ([dt.date(2025, 1, 1)] * 3, 1, "datetime.date(2025, 1, 1)"),
    ],
)
def test_what_is_no_number_in_a_frame(
    hours: Frames, problems: Problems, values: list[Any], row: int, shown: str
) -> None:
    frame = hours(3).assign(load_mw=pd.Series(values).to_numpy())
    assert problems(build, frame)[0].startswith(f"series row {row}, column load_mw: found {shown} at 2025-01-01")


@pytest.mark.parametrize("kind", ["int64", "float32", "Int64", "Float64", "object", "float64[pyarrow]"])
def test_every_kind_of_number(hours: Frames, kind: str) -> None:
    series = build(hours(3).astype(kind)).series
    assert series["load_mw"].tolist() == [0.0, 1.0, 2.0]
    assert series.dtypes.tolist() == [np.float64]


def test_decimals_and_missing_values(hours: Frames, problems: Problems) -> None:
    frame = hours(3)
    assert build(frame.assign(load_mw=[Decimal(1), Decimal("2.5"), Decimal(3)])).series["load_mw"].sum() == 6.5
    for nothing in (None, pd.NA, np.nan):
        with_hole = frame.assign(load_mw=pd.Series([1, nothing, 3], dtype=object).to_numpy())
        assert problems(build, with_hole)[0].startswith(
            "series row 2, column load_mw: is empty (NaN) at 2025-01-01 01:00"
        )


def test_time_of_a_frame(hours: Frames, problems: Problems) -> None:
    frame = hours(3)
    column = frame.reset_index(names="time")
    text = column.assign(time=[stamp.isoformat() for stamp in column["time"]])
    assert build(column) == build(frame) == build(text, site={"time_zone": "Europe/Berlin"})
    named = frame.rename_axis(index="time")
    named.index = pd.Index([stamp.isoformat() for stamp in named.index], name="time")
    assert build(named, site={"time_zone": "Europe/Berlin"}) == build(frame)
    assert problems(build, frame.reset_index(drop=True)) == [
        "series: has no column 'time'; name the column of step starts 'time', or give a tz-aware index"
    ]
    assert problems(build, frame.tz_localize(None))[0].startswith(
        "series row 1, column time: found '2025-01-01 00:00:00' without a time zone, and 2 more rows; write the offset"
    )
    fixed = frame.tz_convert(dt.timezone(dt.timedelta(hours=1)))
    assert problems(build, fixed)[0].startswith("series: has times with offsets, which do not say")
    assert build(fixed, site={"time_zone": "Europe/Berlin"}) == build(frame)


def test_a_named_zone_stays_unless_the_site_states_another(hours: Frames) -> None:
    frame = hours(3)
    assert build(frame).time_zone == "Europe/Berlin"
    moved = build(frame, site={"time_zone": "America/New_York"})
    assert moved.series.index[0].isoformat() == "2024-12-31T18:00:00-05:00"
    assert build(frame.tz_convert("UTC")).time_zone == "UTC"


@pytest.mark.parametrize(
    ("series", "sentence"),
    [
        (None, "series: found NoneType; give a pandas DataFrame with a tz-aware index"),
        ([1, 2], "series: found list; give a pandas DataFrame with a tz-aware index"),
        (pd.DataFrame(), "series: has no rows; give at least one step"),
    ],
)
def test_what_is_no_series(problems: Problems, series: object, sentence: str) -> None:
    assert problems(build, series) == [sentence]


def test_parquet_keeps_its_zone(folder: Folder, hours: Frames, problems: Problems) -> None:
    frame = hours(30, start="2025-03-30").rename_axis(index="time")
    place = folder(None)
    frame.to_parquet(place / "series.parquet")
    assert load(place) == build(frame)
    frame.reset_index().to_parquet(place / "series.parquet", index=False)
    assert load(place) == build(frame)
    frame.assign(solar_mw=-1.0).to_parquet(place / "series.parquet")
    assert problems(load, place)[0] == (
        "series.parquet row 1, column solar_mw: found -1.0 at 2025-03-30 00:00+01:00, and 29 more rows; give at least 0 MW"
    )
    (place / "series.parquet").write_bytes(b"no parquet")
    assert problems(load, place)[0].startswith("series.parquet: cannot be read: ")


@pytest.mark.parametrize(
    ("freq", "step_h"), [("h", 1.0), ("30min", 0.5), ("15min", 0.25), ("5min", 1 / 12), ("2s", 1 / 1800)]
)
def test_steps(hours: Frames, freq: str, step_h: float) -> None:
    assert build(hours(50, freq)).step_h == step_h


@pytest.mark.parametrize(("year", "steps"), [(2024, 105_408), (2025, 105_120)])
def test_a_year_of_five_minutes(year: int, steps: int) -> None:
    index = pd.date_range(f"{year}-01-01", f"{year + 1}-01-01", freq="5min", tz="Europe/Berlin", inclusive="left")
    scenario = build(pd.DataFrame({"load_mw": 1.0}, index=index))
    assert len(scenario.series) == steps


def test_two_years_across_a_leap_day(hours: Frames) -> None:
    scenario = build(hours(8784 + 8760, start="2024-01-01"))
    assert scenario.series.index[-1].isoformat() == "2025-12-31T23:00:00+01:00"


def test_columns_stand_in_one_order(hours: Frames) -> None:
    frame = hours(3).assign(solar_mw=1.0, price_per_mwh=-5.0)
    assert list(build(frame).series) == ["solar_mw", "load_mw", "price_per_mwh"]
    assert build(frame) == build(frame[["price_per_mwh", "load_mw", "solar_mw"]])


def test_a_series_of_time_alone_is_a_horizon(hours: Frames, problems: Problems) -> None:
    frame = hours(4)[[]]
    assert build(frame).series.shape == (4, 0)
    assert problems(build, frame.drop(frame.index[2])) == [
        "series row 3: 1 step of 60 min missing between 2025-01-01 01:00+01:00 and 2025-01-01 03:00+01:00; add the rows"
    ]
