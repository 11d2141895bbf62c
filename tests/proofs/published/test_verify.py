"""`verify` computes what others published, says where it differs, and ends with 1 if anything does."""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
import os
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import bess_opt as bo
from bess_opt.comparison.published import cases as cases_module
from bess_opt.comparison.published.numbers import ASTM, DERVET, NUMBERS, PJM, SOURCES
from bess_opt.comparison.published.verify import COLUMNS
from bess_opt.interfaces.cli.main import app

ROW = {"rmccp": 10.0, "rmpcp": 4.0, "mileage_ratio": 1.5, "integrated_mw": 2.0}


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BESS_OPT_DATA", raising=False)


def wrong_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a cycle more than ASTM has."""
    wrong = [dataclasses.replace(n, value=n.value + 0.5) if n.case == ASTM else n for n in NUMBERS]
    monkeypatch.setattr(importlib.import_module("bess_opt.comparison.published.verify"), "NUMBERS", tuple(wrong))


def test_what_fits_inside_agrees_and_the_rest_is_left_out_visibly(no_data: None) -> None:
    """Every figure has a row and a source; without the folder the large cases say what to set."""
    table = bo.verify()
    assert tuple(table.columns) == COLUMNS
    assert len(table) == len(NUMBERS)
    inside = table[~table["case"].isin([DERVET, PJM])]
    assert set(inside["verdict"]) == {"agrees"}
    assert (inside["difference"].abs() <= inside["tolerance"]).all()
    outside = table[table["case"].isin([DERVET, PJM])]
    assert set(outside["verdict"]) == {"left out"}
    assert outside["ours"].isna().all()
    assert set(outside["note"]) == {
        "set BESS_OPT_DATA to a folder with dervet_site/hourly_timeseries_ref_wholesale_es.csv",
        "set BESS_OPT_DATA to a folder with regulation_pjm/pjm_reg_hourly_jan2017_prices_mileage_credit.csv",
    }
    assert set(table["source"]) == set(SOURCES.values())


def test_the_table_of_published_numbers_is_what_was_published() -> None:
    """The numbers a second time, so that none is bent to fit ours."""
    values = {(n.case, n.figure): n.value for n in NUMBERS}
    assert values["energy-py-linear battery", "profit of 8 hours"] == 1037.7778
    assert values["HOPP block prices", "revenue of 48 hours"] == pytest.approx(29_677.54, abs=5e-3)
    assert values["REopt demand ratchet", "demand charges of a year"] == pytest.approx(5302.5)
    assert values[DERVET, "total"] == 70_140_292.148
    assert (values[DERVET, "power"], values[DERVET, "energy"]) == (1993.0, 11_958.0)
    assert values[PJM, "credits of 743 hours"] == 1284.79276
    assert [n.value for n in NUMBERS if n.case == "SAM calendar ageing"] == [101.78, 101.69, 97.67]
    assert [n.value for n in NUMBERS if n.case == ASTM] == [0.5, 1.5, 0.5, 1.0, 0.5]


def test_files_are_read_from_the_folder_that_is_named(tmp_path: Path, no_data: None) -> None:
    """One hour of PJM's format: 2·(10 + 1.5·4) = 32, of which 20 and 12; it is not the month, so it differs."""
    file = tmp_path / cases_module.PJM_FILES[0]
    file.parent.mkdir()
    pd.DataFrame([ROW]).to_csv(file)
    assert list(cases_module.pjm_settlement(tmp_path).values()) == [32.0, 20.0, 12.0]
    told: list[bo.Progress] = []
    table = bo.verify(tmp_path, progress=told.append).set_index(["case", "figure"])
    assert told[-1].doing == PJM
    assert told[-1].share == 1.0
    assert table.loc[(PJM, "capability part"), ["ours", "verdict"]].to_list() == [20.0, "differs"]
    assert math.isnan(table.loc[(PJM, "credits of 743 hours"), "ours"])
    assert table.loc[(PJM, "credits of 743 hours"), "verdict"] == "differs"
    assert table.loc[(DERVET, "power"), "note"] == f"{tmp_path} has no {cases_module.DERVET_FILES[0]}"


def test_command_line(no_data: None) -> None:
    done = CliRunner().invoke(app, ["verify"])
    assert done.exit_code == 0
    assert "16 agrees, 10 left out" in done.stdout
    assert "left out: DER-VET sizing: set BESS_OPT_DATA" in done.stderr
    as_json = CliRunner().invoke(app, ["verify", "--json"])
    figures = json.loads(as_json.stdout)["figures"]
    assert figures[0]["case"] == "energy-py-linear battery"
    assert figures[-1]["ours"] is None


def test_exit_code_1_if_anything_differs(monkeypatch: pytest.MonkeyPatch, no_data: None) -> None:
    wrong_number(monkeypatch)
    done = CliRunner().invoke(app, ["verify"])
    assert done.exit_code == 1
    assert "5 differs" in done.stdout


def test_a_case_that_raises_is_a_row_and_exit_code_1(tmp_path: Path, no_data: None) -> None:
    """A file of PJM's without its columns: its figures have failed and say why, the other cases still stand."""
    file = tmp_path / cases_module.PJM_FILES[0]
    file.parent.mkdir()
    file.write_text("hour,price\n1,2\n")
    table = bo.verify(tmp_path)
    failed = table[table["verdict"] == "failed"]
    assert set(failed["case"]) == {PJM}
    assert set(failed["note"]) == {"KeyError: 'integrated_mw'"}
    assert failed["ours"].isna().all()
    assert (table["verdict"] == "agrees").sum() == 16
    done = CliRunner().invoke(app, ["verify", "--data", str(tmp_path)])
    assert done.exit_code == 1
    assert "3 failed" in done.stdout
    assert "failed: PJM regulation settlement: KeyError: 'integrated_mw'" in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.real_data
def test_pjm_agrees_from_its_file() -> None:
    """The settlement of the real month; DER-VET's size stands in its own test."""
    if not (Path(os.environ.get("BESS_OPT_DATA", "")) / cases_module.PJM_FILES[0]).is_file():
        pytest.skip("BESS_OPT_DATA does not lead to PJM's regulation settlement")
    ours = cases_module.pjm_settlement(Path(os.environ["BESS_OPT_DATA"]))
    for number in NUMBERS:
        if number.case == PJM:
            assert abs(ours[number.figure] - number.value) <= number.tolerance
