"""Each argument of a reader decides what it says, or is an error; a question names it, with the values under each."""

from __future__ import annotations

import inspect
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

import bess_opt as bo
from bess_opt.inputs.readers.arguments import MEANINGS

VERBS = {"price": bo.read_prices, "load": bo.read_load, "solar": bo.read_solar}
BARE = "time,load (kW)\n2025-07-01 00:00,1\n2025-07-01 01:00,2\n"
# name of the argument: verb, text, what else is stated, the two values, first stamp in UTC and first value under each.
DECIDES: dict[str, tuple[str, str, dict[str, Any], dict[Any, tuple[str, float]]]] = {
    "clock": (
        "load", BARE, {},
        {"Europe/Berlin": ("2025-06-30 22:00", 0.001), "Etc/GMT+8": ("2025-07-01 08:00", 0.001)},
    ),
    "stamps": (
        "load", "time,load (kW)\n2025-07-01 01:00,1\n2025-07-01 02:00,2\n", {"clock": "UTC"},
        {"start": ("2025-07-01 01:00", 0.001), "end": ("2025-07-01 00:00", 0.001)},
    ),
    "day_first": (
        "load", "start,load (kW)\n03/04/2025 00:00,1\n03/04/2025 01:00,2\n", {"clock": "UTC"},
        {True: ("2025-04-03 00:00", 0.001), False: ("2025-03-04 00:00", 0.001)},
    ),
    "decimal": (
        "load", "start;load (kW)\n2025-07-01 00:00;1.123\n2025-07-01 01:00;2.456\n", {"clock": "UTC"},
        {".": ("2025-07-01 00:00", 0.001123), ",": ("2025-07-01 00:00", 1.123)},
    ),
    "time_column": (
        "load", "read at,made at,load (kW)\n2025-07-01 00:00,2025-07-02 00:00,1\n2025-07-01 01:00,2025-07-02 01:00,2\n",
        {"clock": "UTC"}, {"read at": ("2025-07-01 00:00", 0.001), "made at": ("2025-07-02 00:00", 0.001)},
    ),
    "period_column": (
        "load", "date,hour,hour ending,load (kW)\n" + "".join(f"2025-07-01,{h},{h + 1},{h + 1}\n" for h in range(24)),
        {"clock": "UTC"}, {"hour": ("2025-07-01 00:00", 0.001), "hour ending": ("2025-07-01 00:00", 0.001)},
    ),
    "column": (
        "load", "start,load a (kW),load b (kW)\n2025-07-01 00:00,1,10\n2025-07-01 01:00,2,20\n", {"clock": "UTC"},
        {"load a": ("2025-07-01 00:00", 0.001), "b (kW)": ("2025-07-01 00:00", 0.01)},
    ),
    "place": (
        "load", "start,node,load (kW)\n2025-07-01 00:00,A,1\n2025-07-01 00:00,B,10\n2025-07-01 01:00,A,2\n"
        "2025-07-01 01:00,B,20\n", {"clock": "UTC"}, {"A": ("2025-07-01 00:00", 0.001), "B": ("2025-07-01 00:00", 0.01)},
    ),
    "unit": (
        "load", "start,load\n2025-07-01 00:00,1\n2025-07-01 00:30,2\n", {"clock": "UTC"},
        {"kW": ("2025-07-01 00:00", 0.001), "kWh": ("2025-07-01 00:00", 0.002), "MW": ("2025-07-01 00:00", 1.0)},
    ),
    "year": (
        "load", "load (kW)\n" + "1\n" * 8760, {"clock": "UTC"},
        {2025: ("2025-01-01 00:00", 0.001), 2026: ("2026-01-01 00:00", 0.001)},
    ),
    "missing": (
        "load", "start,load (kW)\n2025-07-01 00:00,1\n2025-07-01 01:00,-999\n", {"clock": "UTC"},
        {-999.0: ("2025-07-01 00:00", 0.001)},
    ),
    "step_min": (
        "load", "entity_id,state,last_changed\na,1,2025-07-01T00:00:00Z\na,3,2025-07-01T00:15:00Z\na,5,2025-07-01T01:00:00Z\n",
        {"unit": "kW"}, {15: ("2025-07-01 00:00", 0.001), 60: ("2025-07-01 00:00", 0.0025)},
    ),
    "capacity_mw": (
        "solar", "start,pv (kW/kWp)\n2025-07-01 00:00,0.5\n2025-07-01 01:00,1\n", {"clock": "UTC"},
        {1.0: ("2025-07-01 00:00", 0.5), 4.0: ("2025-07-01 00:00", 2.0)},
    ),
    "time_zone": (
        "load", BARE, {"clock": "UTC"},
        {"Europe/Berlin": ("2025-07-01 00:00", 0.001), "Asia/Tokyo": ("2025-07-01 00:00", 0.001)},
    ),
}  # fmt: skip


def test_every_argument_is_here_and_in_every_verb() -> None:
    assert set(DECIDES) == set(MEANINGS)
    for quantity, verb in VERBS.items():
        names = set(inspect.signature(verb).parameters) - {"file"}
        assert names == set(MEANINGS) - (set() if quantity == "solar" else {"capacity_mw"})


@pytest.mark.parametrize("name", DECIDES)
def test_it_decides(tmp_path: Path, name: str) -> None:
    verb, text, more, readings = DECIDES[name]
    file = tmp_path / "a.csv"
    file.write_text(text)
    if name not in ("missing", "time_zone"):
        with pytest.raises(bo.ScenarioError, match=name):  # without it the file is refused, and it is named
            VERBS[verb](file, **more)
    for value, (first, amount) in readings.items():
        read = VERBS[verb](file, **more, **{name: value})
        assert f"{read.index[0].tz_convert('UTC'):%Y-%m-%d %H:%M}" == first
        assert read.iloc[0, 0] == pytest.approx(amount)
        assert read.reading.arguments[name] == value
        if name == "time_zone":
            assert str(read.index.tz) == value


@pytest.mark.parametrize("name", sorted(set(DECIDES) - {"clock", "time_zone", "column", "unit", "stamps"}))
def test_where_it_changes_nothing_it_is_an_error(tmp_path: Path, name: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text("time,price_per_mwh,load_mw,solar_mw\n2025-07-01T00:00Z,1,1,1\n2025-07-01T01:00Z,2,2,2\n")
    value = next(iter(DECIDES[name][3]))
    with pytest.raises(bo.ScenarioError, match=rf"{name}:? .*(changes nothing in a\.csv|stands nowhere in a\.csv)"):
        VERBS[DECIDES[name][0]](file, **{name: value})


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"stamps": "middle"}, "stamps: found 'middle'; give 'start' or 'end'"),
        ({"decimal": ";"}, "decimal: found ';'; give '.' or ','"),
        ({"day_first": "yes"}, "day_first: found 'yes'; give True for day/month"),
        ({"clock": "Berlin"}, "clock: found 'Berlin'; give an IANA name"),
        ({"time_zone": "CEST+1"}, r"time_zone: found 'CEST\+1'; give an IANA name"),
        ({"column": "price"}, "column: 'price' is no column of a.csv; give one of time, load"),
        ({"time_column": "at"}, "time_column: 'at' is no column of a.csv"),
        ({"unit": "horses"}, "unit: column 'load .kW.' is in 'horses'; GW, MW, kW, W, or MWh"),
        ({"clock": "UTC", "place": "A"}, "place: found 'A', which changes nothing in a.csv"),
    ],
)
def test_a_wrong_word_says_which_are_right(tmp_path: Path, stated: dict[str, Any], message: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(BARE)
    with pytest.raises(bo.ScenarioError, match=message):
        bo.read_load(file, **stated)


def test_the_clock_of_stamps_that_have_offsets_shows_the_result(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("start,load (kW)\n2025-07-01T00:00+02:00,1\n2025-07-01T01:00+02:00,2\n")
    with pytest.raises(bo.ScenarioError, match="has offsets, which name no zone; state clock"):
        bo.read_load(file)
    assert str(bo.read_load(file, clock="Europe/Paris").index.tz) == "Europe/Paris"


def test_the_sheet_and_the_packed_file_are_places(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("2024/load.csv", BARE.replace("2025", "2024"))
        archive.writestr("2025/load.csv", BARE)
    file = tmp_path / "both.zip"
    file.write_bytes(packed.getvalue())
    with pytest.raises(bo.ScenarioError, match=r"holds 2 files: 2024/load\.csv, 2025/load\.csv; state place, one of"):
        bo.read_load(file, clock="UTC")
    read = bo.read_load(file, clock="UTC", place="2025")
    assert (read.index[0].year, read.reading.arguments["place"]) == (2025, "2025")


def test_an_energy_unit_is_no_currency(tmp_path: Path) -> None:
    """kWh and MWh have three letters too; a meter's file states no money."""
    file = tmp_path / "load.csv"
    file.write_text("time,load\n2025-04-03T00:00+02:00,1.5\n2025-04-03T00:15+02:00,1.25\n2025-04-03T00:30+02:00,1\n")
    for unit in ("kWh", "MWh"):
        frame = bo.read_load(file, unit=unit, clock="Europe/Berlin")
        assert "currency" not in str(frame.attrs["reading"])
