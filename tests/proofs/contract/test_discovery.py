"""A further strategy is one file and nothing else: in a folder, or in another package through an entry point."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.common.errors import StrategyError
from bess_opt.strategies.shared.discovery import FOLDERS, GROUP, discover, get

FILE = '''
"""Sells nothing, buys little: least import."""

from bess_opt.strategies.shared.contract import NoOptions, Strategy, no_checks


def least_import(m, t):
    return -m.step_h * m.import_mw[t]


def build(m, plant, options):
    return [[(1.0, least_import, m.steps)]]


def rule(plant, options):
    return lambda state: min(state.discharge_room_mw, state.load_mw)


def score(schedule, plant, options):
    return float(schedule["import_mw"].sum()) * plant.step_h


STRATEGY = Strategy(
    name="least_import",
    summary="as little from the grid as possible",
    options=NoOptions,
    needs=("load",),
    score_unit="MWh",
    score_sense="min",
    build=build,
    rule=rule,
    score=score,
    checks=no_checks,
)
'''


def scenario() -> bo.Scenario:
    index = pd.date_range("2025-06-02", periods=4, freq="h", tz="UTC")
    series = pd.DataFrame({"load_mw": 1.0}, index=index)
    battery = {"power_mw": 1.0, "duration_h": 2.0, "soc_start": 0.95, "soc_end": "free"}
    return bo.Scenario(battery=battery, series=series, strategy="least_import")


def check_both_twins() -> None:
    """1.7 MWh in the cells give 1.7 · √0.93 · 0.96 MWh to 4 MWh of load, under either twin."""
    given = 2.0 * 0.85 * 0.93**0.5 * 0.96
    assert bo.optimize(scenario()).metrics.score == pytest.approx(4.0 - given)
    assert bo.simulate(scenario()).metrics.score == pytest.approx(4.0 - given)
    assert "least_import" in bo.strategies().index


def test_a_file_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "least_import.py").write_text(FILE, encoding="utf-8")
    monkeypatch.setenv(FOLDERS, str(tmp_path))
    check_both_twins()


def test_an_entry_point_of_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other_package.py").write_text(FILE, encoding="utf-8")
    info = tmp_path / "other_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-package\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nleast_import = other_package:STRATEGY\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        check_both_twins()
    finally:
        sys.modules.pop("other_package", None)


def test_a_file_without_a_strategy_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.py").write_text("", encoding="utf-8")
    monkeypatch.setenv(FOLDERS, str(tmp_path))
    with pytest.raises(StrategyError, match=r"empty\.py: holds no STRATEGY; end the file with STRATEGY = Strategy"):
        discover()


def test_two_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "again.py").write_text(FILE.replace('"least_import"', '"arbitrage"'), encoding="utf-8")
    monkeypatch.setenv(FOLDERS, str(tmp_path))
    with pytest.raises(StrategyError, match="two strategies are named 'arbitrage'; rename one of them"):
        discover()


def test_an_unknown_name_gets_the_nearest_and_an_old_one_its_new() -> None:
    with pytest.raises(StrategyError, match=r"unknown strategy 'arbitrag'; did you mean 'arbitrage'\?"):
        get("arbitrag")
    with pytest.raises(StrategyError, match="unknown strategy 'night_shift'; it is now called 'time_shift'"):
        get("night_shift")
