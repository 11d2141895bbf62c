"""Threads and processes side by side write the bytes that one alone writes; cells of a CSV are no formulas."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.dispatch.saving import harmless

TEN = 10


def scenario(number: int) -> bo.Scenario:
    """Different plants, some of which need the one-way search."""
    hours = np.arange(72)
    price = 40.0 + 60.0 * np.cos(hours / 24.0 * 2.0 * np.pi + number) - 5.0 * number
    solar = np.clip(3.0 * np.sin((hours % 24 - 6.0) / 12.0 * np.pi), 0.0, None)
    battery = {"power_mw": 1.0 + 0.1 * number, "technology": "modern_lfp", "soc_start": 0.5, "soc_end": "equal"}
    of = case(price_per_mwh=price, solar_mw=solar, battery=battery, site={"export_limit_mw": 2.0})
    return of.scenario(name=f"plant {number}")


def saved(number: int, folder: str) -> dict[str, bytes]:
    """Every file of a plan's folder."""
    root = bo.optimize(scenario(number)).save(Path(folder) / str(number))
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    folder = tmp_path_factory.mktemp("alone")
    return [saved(number, str(folder)) for number in range(TEN)]


def test_ten_threads(alone: list[dict[str, bytes]], tmp_path: Path) -> None:
    with ThreadPoolExecutor(TEN) as pool:
        assert list(pool.map(saved, range(TEN), [str(tmp_path)] * TEN)) == alone


@pytest.mark.slow
def test_several_processes(alone: list[dict[str, bytes]], tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(saved, range(TEN), [str(tmp_path)] * TEN)) == alone


def refuse(_number: int) -> None:
    bo.optimize(case(price_per_mwh=[1.0, 1.0], load_mw=3.0, site={"import_limit_mw": 1.0}).scenario())


def test_an_error_comes_whole_out_of_another_process() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        error = pool.submit(refuse, 0).exception()
    assert isinstance(error, bo.InfeasibleError)
    assert error.relaxations[0].where == "site.import_limit_mw"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_like_a_formula_is_quoted(text: str) -> None:
    assert harmless(text) == "'" + text


def test_a_saved_schedule_has_no_formula(tmp_path: Path) -> None:
    """Also where a text of a schedule, here put in by hand, begins like one."""
    made = bo.simulate(case(price_per_mwh=[1.0, 2.0]).scenario(), rule=lambda _state: 5.0)
    made.schedule.loc[made.schedule.index[0], "limited_by"] = "=HYPERLINK(1)"
    made.save(tmp_path / "out")
    cells = pd.read_csv(tmp_path / "out" / "schedule.csv")["limited_by"]
    assert cells[0] == "'=HYPERLINK(1)"
    assert cells[1] == "energy"
