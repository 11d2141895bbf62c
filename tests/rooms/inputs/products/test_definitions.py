"""Definitions of market products as data: shipped ones with source and date, versions, and a user's own file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.inputs.products import definition
from bess_opt.inputs.products.catalogue import KEYS

OWN = """
market = "Nowhere"
currency = "EUR"

[[slow]]
meaning = "a slow reserve"
in_force = 2024-01-01
source = "own contract"
direction = "up"
headroom_h = 3.0

[[slow]]
meaning = "a slow reserve"
in_force = 2025-06-01
expires = 2025-12-31
source = "own contract, second version"
direction = "up"
headroom_h = 2.0
"""


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="Europe/Berlin")


def test_every_shipped_definition_is_dated_and_sourced() -> None:
    table = bo.products()
    assert table.index.is_unique
    markets = {name.partition(".")[0] for name in table.index}
    assert markets == {"caiso", "de", "ercot", "gb", "nem", "nordic", "pjm"}
    for column in ("meaning", "market", "source", "simplified"):
        assert table[column].str.len().gt(0).all(), column
    assert table["direction"].isin(["symmetric", "up", "down"]).all()
    assert table["headroom_h"].gt(0).all()
    assert all(isinstance(value, date) for column in ("in_force", "expires") for value in table[column])
    assert table["currency"].str.fullmatch("[A-Z]{3}").all()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("de.fcr", {"direction": "symmetric", "block_h": 4.0, "headroom_h": 0.25, "min_bid_mw": 1.0}),
        ("gb.dr_low", {"direction": "up", "block_h": 4.0, "headroom_h": 1.0}),
        ("nordic.fcr_d_down", {"direction": "down", "block_h": 1.0}),
        ("ercot.ecrs", {"direction": "up", "headroom_h": 1.0, "time_zone": "America/Chicago"}),
    ],
)
def test_a_definition_in_force(name: str, wanted: dict[str, object]) -> None:
    keys, notes = definition(name, at("2026-02-01"))
    assert wanted.items() <= keys.items()
    assert set(keys) <= set(KEYS)
    assert not notes


def test_blocks_of_great_britain_begin_at_eleven_in_the_evening() -> None:
    keys, _ = definition("gb.dc_low", at("2025-06-01"))
    for day in ("2025-01-10", "2025-07-10"):
        midnight = pd.Timestamp(day, tz=keys["time_zone"])
        assert midnight.tz_convert("Europe/London").hour == 23


def test_the_version_of_the_first_step_holds_and_a_change_is_said() -> None:
    keys, notes = definition("ercot.ecrs", at("2025-06-01"), until=at("2025-12-31"))
    assert keys["headroom_h"] == 2.0
    assert [note.code for note in notes] == ["product_changes"]
    assert "2025-12-05" in notes[0].found
    assert not definition("ercot.ecrs", at("2025-06-01"), until=at("2025-07-01"))[1]
    assert bo.products(at="2025-06-01").loc["ercot.ecrs", "headroom_h"] == 2.0
    assert bo.products().loc["ercot.ecrs", "earlier"] == "2023-06-10"


def test_a_definition_past_its_expiry_warns_with_its_source() -> None:
    _, notes = definition("pjm.reg_d", at("2026-01-01"))
    assert [note.code for note in notes] == ["product_expired"]
    assert notes[0].severity == "warning"
    assert "2025-09-30" in notes[0].found
    assert "Manual 11" in notes[0].expected


@pytest.mark.parametrize(
    ("name", "day", "words"),
    [("de.fc", "2025-01-01", "did you mean 'de.fcr'"), ("de.fcr", "2019-01-01", "2020-07-01")],
)
def test_an_unknown_name_and_a_time_before_the_first_version_are_refused(name: str, day: str, words: str) -> None:
    with pytest.raises(bo.ScenarioError, match=words) as refused:
        definition(name, at(day))
    assert refused.value.problems[0].code == "unknown_product"


def test_a_users_own_file_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    monkeypatch.setenv("BESS_OPT_PRODUCTS", str(tmp_path))
    assert bo.products().loc["own.slow", "headroom_h"] == 2.0
    assert definition("own.slow", at("2024-05-01"))[0] == {"direction": "up", "headroom_h": 3.0}
    assert "de.fcr" in bo.products().index
    (tmp_path / "de.toml").write_text(OWN.replace("slow", "fcr"))
    assert definition("de.fcr", at("2026-01-01"))[0]["headroom_h"] == 2.0
    assert "de.afrr_up" in bo.products().index


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ("headroom_h = 2.0", "headrom_h = 2.0", "did you mean 'headroom_h'"),
        ("in_force = 2025-06-01", 'in_force = "June"', "give a date"),
        ('source = "own contract"\n', "", "give source"),
        ("[[slow]]", "[[slow", "give a TOML file"),
        ('market = "Nowhere"', 'slower = 3\nmarket = "Nowhere"', r"give a table \[\[own.slower\]\]"),
    ],
)
def test_a_file_that_is_no_such_list_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, was: str, becomes: str, words: str
) -> None:
    assert was in OWN
    (tmp_path / "own.toml").write_text(OWN.replace(was, becomes))
    monkeypatch.setenv("BESS_OPT_PRODUCTS", str(tmp_path))
    with pytest.raises(bo.ScenarioError, match=words) as refused:
        bo.products()
    assert all(finding.where.startswith("own.toml") for finding in refused.value.problems)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESS_OPT_PRODUCTS", str(tmp_path / "away"))
    with pytest.raises(bo.ScenarioError, match=r"BESS_OPT_PRODUCTS: .* is no folder; name folders that hold"):
        bo.products()


def test_a_wrong_key_of_a_definition_is_told_at_its_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scenario states nothing wrong: the file does."""
    assert 'direction = "up"' in OWN
    (tmp_path / "own.toml").write_text(OWN.replace('direction = "up"', 'direction = "upp"'))
    monkeypatch.setenv("BESS_OPT_PRODUCTS", str(tmp_path))
    hours = pd.date_range("2025-06-03", periods=4, freq="h", tz="Europe/Berlin", name="time")
    series = pd.DataFrame({"price_per_mwh": 50.0, "cranes_price_per_mw": 9.0}, index=hours)
    place = r"product\[0\].use: own.slow states direction: found 'upp'; did you mean 'up'"
    with pytest.raises(bo.ScenarioError, match=place):
        bo.Scenario(battery={}, series=series, product=[{"name": "cranes", "use": "own.slow"}])
    with pytest.raises(bo.ScenarioError, match=r"product\[0\].headroom_h: found -1"):
        bo.Scenario(battery={}, series=series, product=[{"name": "cranes", "headroom_h": -1.0}])


def test_a_product_is_added_by_a_data_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario names it, has its keys, puts its own over them, and is told where its rules change."""
    (tmp_path / "own.toml").write_text(OWN)
    monkeypatch.setenv("BESS_OPT_PRODUCTS", str(tmp_path))
    hours = pd.date_range("2025-05-31", periods=48, freq="h", tz="Europe/Berlin", name="time")
    series = pd.DataFrame({"price_per_mwh": 50.0, "cranes_price_per_mw": 9.0}, index=hours)

    def scenario(frame: pd.DataFrame, **own: float) -> bo.Scenario:
        product = {"name": "cranes", "use": "own.slow", **own}
        battery = {"power_mw": 1.0, "duration_h": 4.0}
        return bo.Scenario(battery=battery, series=frame, product=[product], strategy="arbitrage")

    (product,) = scenario(series).products
    assert (product.direction, product.headroom_h, product.min_bid_mw) == ("up", 3.0, None)
    assert scenario(series, headroom_h=1.0).products[0].headroom_h == 1.0
    assert "product_changes" in {note.code for note in scenario(series).notes}
    assert "product_changes" not in {note.code for note in scenario(series[:24]).notes}
    (later,) = scenario(series[24:]).products
    assert later.headroom_h == 2.0
