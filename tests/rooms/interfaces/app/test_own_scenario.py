"""Own tables and files on the page: what is understood, what is refused, and what the desk then plans."""

from __future__ import annotations

import base64
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.app_sites import small
from support.places import ROOT

import bess_opt as bo
from bess_opt.interfaces.app import work
from bess_opt.interfaces.app.controls import caption, changed, controls_of
from bess_opt.interfaces.app.own_scenario import brought, edited, files_of, packed, tables_text
from bess_opt.interfaces.app.work import ENDING, Desk, Task

TWO = ROOT / "scenarios" / "two_batteries_one_connection"
PRICES = "Datum von;Datum bis;Deutschland/Luxemburg [€/MWh] Originalauflösungen\n"


def smard(hours: int = 48) -> bytes:
    """Prices of some hours as SMARD writes them."""
    rows = [
        f"{1 + hour // 24:02d}.07.2024 {hour % 24:02d}:00;{1 + (hour + 1) // 24:02d}.07.2024 {(hour + 1) % 24:02d}:00;"
        f"{40 + hour % 24},50\n"
        for hour in range(hours)
    ]
    return (PRICES + "".join(rows)).encode()


@pytest.mark.parametrize("name", sorted(file.parent.name for file in (ROOT / "scenarios").glob("*/scenario.toml")))
def test_the_text_of_a_scenario_is_that_scenario(name: str) -> None:
    scenario = bo.load(ROOT / "scenarios" / name)
    assert edited(scenario, tables_text(scenario)).scenario == scenario


def test_one_more_product_is_one_heading_more() -> None:
    """Written as people write it: what is put below the text, or beneath a heading, is read as it would be there."""
    scenario = bo.load(ROOT / "scenarios" / "energy_and_reserve")
    text = tables_text(scenario)
    assert text.count("[[product]]\n") == 2
    more = text + '\n[[product]]\nname = "mfrr"\n'
    with pytest.raises(bo.ScenarioError, match=r"product\[2\].name: the series has no column mfrr_price_per_mw; add"):
        edited(scenario, more)
    shipped = edited(scenario, text.replace('name = "fcr"\n', 'name = "fcr"\nuse = "de.fcr"\n')).scenario
    assert [product.use for product in shipped.product] == ["de.fcr", None]


def test_rows_of_a_tariff_stand_under_headings_too() -> None:
    text = tables_text(bo.load(ROOT / "scenarios" / "office_with_tariff"))
    assert "[[tariff.energy]]\n" in text
    assert "[[tariff.demand]]\n" in text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("power_mw = 1.0", "powr_mw = 1.0", "unknown key 'powr_mw'; did you mean 'power_mw'?"),
        ("[site]", "[site", "cannot be read"),
        ("[battery]", "[batery]", "battery: is missing; write a table [battery]"),
        ("power_mw = 1.0", "power_mw = -1.0", "battery.power_mw"),
    ],
)
def test_what_is_wrong_in_the_tables_is_said(old: str, new: str, said: str) -> None:
    text = tables_text(small())
    assert old in text
    wrong = text.replace(old, new) if old != "[battery]" else text.replace("[battery", "[batery")
    with pytest.raises(bo.ScenarioError) as error:
        edited(small(), wrong)
    assert said in str(error.value)


def test_a_price_file_takes_the_place_of_the_series() -> None:
    """Other steps than before: solar power that the file does not hold is gone, and a horizon counts anew."""
    finance = {
        "capital_per_mw": 1e5, "capital_per_mwh": 1e5, "lifetime_years": 10, "discount_rate": 0.05,
        "horizons_per_year": 26.0,
    }  # fmt: skip
    taken = brought(small(finance=finance), {"smard.csv": smard()}, "")
    assert list(taken.scenario.series.columns) == ["price_per_mwh"]
    assert len(taken.scenario.series) == 48
    assert taken.scenario.series["price_per_mwh"].iloc[25] == 41.5
    assert taken.scenario.finance is not None
    assert taken.scenario.finance.horizons_per_year == pytest.approx(8760.0 / 48.0)
    assert "read as price: SMARD" in taken.notes
    assert "no longer there, as the new files do not hold it: solar_mw" in taken.notes


def test_a_scenario_comes_with_its_files_and_goes_as_a_zip(tmp_path: Path) -> None:
    files = {"scenario.toml": (TWO / "scenario.toml").read_bytes(), "series.csv": (TWO / "series.csv").read_bytes()}
    taken = brought(small(), files, "").scenario
    assert taken == bo.load(TWO)
    with zipfile.ZipFile(io.BytesIO(packed(taken))) as whole:
        whole.extractall(tmp_path)
    assert bo.load(tmp_path) == taken


@pytest.mark.parametrize(
    ("files", "stated", "said"),
    [
        ({"a.toml": b"", "b.toml": b""}, "", "are several: a.toml, b.toml; bring one scenario.toml at a time"),
        (
            {"scenario.toml": b'[battery]\npower_mw = 1.0\nduration_h = 1.0\n[series]\nfile = "gone.csv"\n'},
            "",
            "gone.csv",
        ),
        ({"p.csv": smard()}, "clok=UTC", "what no file says: found 'clok=UTC'; write NAME=VALUE, NAME one of clock"),
        ({"p.csv": smard()}, "year=soon", "year: found 'soon'; give a number"),
        ({"../../p.csv": b"no table"}, "", "p.csv"),
    ],
)
def test_files_that_cannot_be_understood_are_said(files: dict[str, bytes], stated: str, said: str) -> None:
    with pytest.raises(bo.ScenarioError) as error:
        brought(small(), files, stated)
    assert said in str(error.value)


def test_files_come_as_the_browser_sends_them() -> None:
    sent = "data:text/csv;base64," + base64.b64encode(b"a,b\n").decode()
    assert files_of([sent], ["x.csv"]) == {"x.csv": b"a,b\n"}
    with pytest.raises(bo.ScenarioError, match="cannot be decoded; bring the files again"):
        files_of(["data:text/csv;base64,%%"], ["x.csv"])


def test_several_batteries_are_planned_as_stated() -> None:
    """The sliders are one battery's; those of several stand in the tables, and the strategy still moves."""
    scenario = bo.load(TWO)
    controls = controls_of(scenario)
    assert changed(scenario, controls) == scenario
    assert changed(scenario, replace(controls, strategy="self_consumption")).strategies[0].name == "self_consumption"
    short = scenario.replace(series=scenario.series.iloc[:24])
    words = caption(bo.optimize(short), controls)
    assert words == "1 MW, 1 h + 0.5 MW, 4 h, arbitrage, premium + standard, parallel_ac: the optimum"


MONEY = {
    "capital_per_mw": 5e4, "capital_per_mwh": 6e4, "lifetime_years": 15, "discount_rate": 0.07,
    "horizons_per_year": 26.0,
}  # fmt: skip
BOXES = {"power_from": "0.1", "power_to": "4", "duration_from": "1", "duration_to": "6"}


class Ending:
    """The pipe of a worker at the other end of which somebody asks for the end once the search is told of."""

    def __init__(self, number: int) -> None:
        self.number, self.asked = number, False

    def send(self, said: tuple[int, dict[str, Any]]) -> None:
        self.asked = said[1]["stage"].startswith("looking for the best size")

    def poll(self) -> bool:
        return self.asked

    def recv(self) -> tuple[int, None]:
        return self.number, None


def test_a_search_that_is_asked_to_end_gives_its_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "TELL_S", 0.0)
    scenario = small(finance=MONEY)
    task = Task("size", controls_of(scenario), tuple((BOXES | {k: str(v) for k, v in MONEY.items()}).items()))
    pipe = Ending(7)
    found = work._answer(pipe, 7, task, scenario)["sizing"]  # type: ignore[arg-type]
    assert any("ended from outside; this is the best size so far" in value for _, value in found.rows)
    assert ("sizes solved", "1") in found.rows


def test_a_desk_tells_editions_apart_and_a_size_is_cancelled_in_two_steps() -> None:
    """A question about another scenario is another one; the first cancel asks, the second ends at once."""
    desk = Desk(small())
    try:
        controls = controls_of(small())
        before = desk.task("plans", controls)
        assert desk.take(small(finance=MONEY)) == 1
        assert desk.task("plans", controls) != before
        assert desk.task("plans", controls).scenario == small(finance=MONEY)
        number = desk.start(desk.task("size", controls, tuple(BOXES.items())))
        for state, stage in (("running", ENDING), ("cancelled", ENDING)):
            desk.cancel(number)
            job = desk.job(number)
            assert job is not None
            assert (job.state, job.stage) == (state, stage)
        assert desk.workers.processes() == []
    finally:
        desk.close()
