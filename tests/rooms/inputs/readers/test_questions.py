"""What fits two readings is asked with the first values under each; the remedy, followed, gives the right values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bess_opt as bo


def write(folder: Path, text: str) -> Path:
    file = folder / "own.csv"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "message", "remedy", "first"),
    [
        ("start;load (kW)\n2025-01-01 00:00;1.123\n2025-01-01 01:00;2.456\n", 'decimal="." for 1.123; or decimal="," for 1123', {"decimal": ","}, 1.123),
        ("start;load (kW)\n2025-01-01 00:00;1.123\n2025-01-01 01:00;2.456\n", "may be the decimal mark or group", {"decimal": "."}, 0.001123),
        ("start,load (kW)\n03/04/2025 00:00,1\n03/04/2025 01:00,2\n", "day_first=True for 03 April 2025", {"day_first": False}, 0.001),
        ("time,load (kW)\n2025-01-01 01:00,1\n2025-01-01 02:00,2\n", 'stamps="end" for a first step from 2025-01-01 00:00', {"stamps": "end"}, 0.001),
    ],
)  # fmt: skip
def test_asked_and_answered(tmp_path: Path, text: str, message: str, remedy: dict[str, Any], first: float) -> None:
    file = write(tmp_path, text)
    with pytest.raises(bo.ScenarioError) as asked:
        bo.read_load(file, clock="UTC")
    assert message in str(asked.value)
    assert bo.read_load(file, clock="UTC", **remedy)["load_mw"].iloc[0] == pytest.approx(first)


@pytest.mark.parametrize(
    "idle",
    [
        {"place": "A"},
        {"day_first": True},
        {"decimal": ","},
        {"year": 2025},
        {"step_min": 15},
        {"time_column": "start"},
    ],
)
def test_an_argument_that_changes_nothing_is_an_error(tmp_path: Path, idle: dict[str, Any]) -> None:
    file = write(tmp_path, "time,load_mw\n2025-01-01 00:00,1\n2025-01-01 01:00,2\n")
    with pytest.raises(bo.ScenarioError, match=f"{next(iter(idle))}: found .* changes nothing in own.csv"):
        bo.read_load(file, clock="UTC", **idle)


def test_what_inverters_draw_at_night_is_no_negative_sun(tmp_path: Path) -> None:
    """-0.0007 MW beside 5 MW becomes 0 with a note, and the scenario takes it; a sentinel is refused by name."""
    file = write(tmp_path, "start,pv (MW)\n2025-06-01 00:00,-0.0007\n2025-06-01 01:00,0\n2025-06-01 02:00,5\n")
    read = bo.read_solar(file, clock="UTC")
    assert read["solar_mw"].tolist() == [0.0, 0.0, 5.0]
    assert "-0.0007 MW at least, are set to 0" in read.notes.warnings[0].found
    assert len(bo.Scenario(battery={"power_mw": 1, "duration_h": 1}, series=read, strategy={"name": "time_shift", "window": ["18:00", "22:00"]}).series) == 3  # fmt: skip
    wrong = write(tmp_path, "start,pv (kW)\n2025-06-01 00:00,-1000000\n2025-06-01 01:00,0\n2025-06-01 02:00,5\n")
    with pytest.raises(bo.ScenarioError, match=r"solar power is -1000 MW at 2025-06-01 00:00 UTC.*; state missing="):
        bo.read_solar(wrong, clock="UTC")
    assert bo.read_solar(wrong, clock="UTC", missing=-1_000_000)["solar_mw"].isna().tolist() == [True, False, False]


def test_ends_on_the_short_day_are_taken_back_in_utc(tmp_path: Path) -> None:
    """The step from 01:45 ends at 03:00 on the day on which the clock goes forward; no 02:45 comes to be."""
    starts = pd.date_range("2025-03-30", "2025-03-31", freq="15min", tz="Europe/Berlin", inclusive="left")
    ends = starts + pd.Timedelta(minutes=15)
    text = "time,load_mw\n" + "".join(f"{end:%Y-%m-%d %H:%M},{n}\n" for n, end in enumerate(ends))
    read = bo.read_load(write(tmp_path, text), stamps="end", clock="Europe/Berlin")
    assert list(read.index) == list(starts)


def test_the_reading_is_plain_data_and_a_table(tmp_path: Path) -> None:
    read = bo.read_load(
        write(tmp_path, "start,load_mw\n2025-01-01 00:00,1\n2025-01-01 01:00,2\n"), clock="Europe/Berlin"
    )
    assert read.attrs["reading"]["arguments"] == {"clock": "Europe/Berlin"}
    assert "clock" in str(read.reading)
    assert "stated by the caller" in str(read.reading)
    assert type(read.reading).from_dict(read.attrs["reading"]) == read.reading
