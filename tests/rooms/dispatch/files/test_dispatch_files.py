"""A saved dispatch comes back equal, in the same bytes every time, and never half or at another's expense."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.common import atomic_files
from bess_opt.common.atomic_folders import check_target, new_folder
from bess_opt.common.columns import SCHEDULE
from bess_opt.common.findings import Finding, Findings
from bess_opt.common.provenance import VERSIONED
from bess_opt.dispatch import saving as files

PARTS = [
    "metrics.json",
    "reconciliation.md",
    "report.json",
    "scenario/scenario.toml",
    "scenario/series.parquet",
    "schedule.columns.json",
    "schedule.csv",
    "schedule.parquet",
    "stored_energy_value.parquet",
]


def series(zone: str = "Europe/Berlin", start: str = "2025-03-29", hours: int = 72) -> pd.DataFrame:
    index = pd.date_range(start, periods=hours, freq="h", tz=zone)
    price = 60.0 + 40.0 * np.sin(np.arange(hours) / 3.7) / 3.0
    return pd.DataFrame(
        {"solar_mw": np.maximum(0.0, np.sin(np.arange(hours) / 3.9)), "price_per_mwh": price}, index=index
    )


def scenario(**changes: Any) -> bo.Scenario:
    tables: dict[str, Any] = {
        "battery": {"power_mw": 1.0, "duration_h": 3.0, "wear_cost_per_mwh": 2.0},
        "site": {"currency": "CHF", "export_limit_mw": 1.1},
        "series": series(),
        "strategy": "arbitrage",
        "name": "over the clock change",
    }
    return bo.Scenario(**(tables | changes))


@pytest.fixture(scope="module")
def plan() -> bo.Dispatch:
    return bo.optimize(scenario())


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def assert_equal(one: bo.Dispatch, other: bo.Dispatch) -> None:
    pd.testing.assert_frame_equal(one.schedule, other.schedule, check_exact=True, check_freq=False)
    assert str(one.schedule.index.dtype) == str(other.schedule.index.dtype)
    assert one.schedule.index.name == other.schedule.index.name
    assert one.metrics == other.metrics
    assert dict(one.ledger) == dict(other.ledger)
    assert dict(one.figures) == dict(other.figures)
    assert list(one.findings) == list(other.findings)
    assert one.twin == other.twin
    assert one.scenario == other.scenario
    assert one.scenario.name == other.scenario.name
    if one.report is None:
        assert other.report is None
    else:
        assert dataclasses.replace(one.report, seconds={}) == other.report
    if one.stored_energy_value is None:
        assert other.stored_energy_value is None
    else:
        pd.testing.assert_series_equal(
            one.stored_energy_value, other.stored_energy_value, check_exact=True, check_freq=False
        )


# ---- there and back


def test_a_plan_comes_back_equal(plan: bo.Dispatch, tmp_path: Path) -> None:
    folder = plan.save(tmp_path / "result")
    assert folder == tmp_path / "result"
    assert_equal(plan, bo.load_dispatch(folder))


@pytest.mark.parametrize("make", [bo.simulate, lambda s: bo.replay(bo.optimize(s))], ids=["rule", "replay"])
def test_every_twin_comes_back_equal(make: Callable[[bo.Scenario], bo.Dispatch], tmp_path: Path) -> None:
    made = make(scenario())
    assert_equal(made, bo.load_dispatch(made.save(str(tmp_path / "result"))))


@pytest.mark.parametrize(
    "changes",
    [
        {"series": series("UTC"), "strategy": {"name": "time_shift", "window": ["22:00", "06:00"]}},
        {"series": series("Australia/Lord_Howe", "2025-04-05")},
        {"series": series()[["solar_mw"]], "strategy": "time_shift"},
        {
            "battery": {
                "power_mw": 1.0,
                "duration_h": 0.5,
                "soc_end": {"value_per_mwh": 31.0},
                "technology": "standard",
            }
        },
        {"finance": {"variable_om_per_mwh": 1.5, "lifetime_years": 12}, "solver": {"seed": 3}},
        {"tariff": {"energy": [{"price_per_mwh": 10.0, "months": [3, 4]}], "export": "none"}},
    ],
    ids=["utc", "half-hour clock change", "no prices", "derated, priced end", "finance", "tariff"],
)
def test_every_kind_of_scenario_comes_back_equal(changes: dict[str, Any], tmp_path: Path) -> None:
    made = bo.optimize(scenario(**changes))
    assert_equal(made, bo.load_dispatch(made.save(tmp_path / "result")))


def test_the_copy_of_the_scenario_solves_to_the_same_plan(plan: bo.Dispatch, tmp_path: Path) -> None:
    again = bo.optimize(bo.load(plan.save(tmp_path / "result") / "scenario"))
    pd.testing.assert_frame_equal(again.schedule, plan.schedule, check_exact=True, check_freq=False)


def test_what_json_cannot_hold(plan: bo.Dispatch, tmp_path: Path) -> None:
    """A bound or gap without end and a figure without meaning are null in the files."""
    idle = bo.optimize(scenario(battery={"power_mw": 1.0, "duration_h": 3.0, "wear_cost_per_mwh": 1e5}))
    made = dataclasses.replace(
        idle, report=dataclasses.replace(idle.report, bound=math.inf, gap=math.inf, status="time_limit")
    )
    folder = made.save(tmp_path / "result")
    assert json.loads((folder / "report.json").read_text())["gap"] is None
    assert json.loads((folder / "metrics.json").read_text())["round_trip_efficiency"] is None
    assert_equal(made, bo.load_dispatch(folder))


def test_findings_and_figures_come_back(tmp_path: Path) -> None:
    findings = Findings([Finding("a", "b", "ü – ß", "d", "recommendation")])
    smooth = {"name": "solar_smoothing", "ramp_limit_per_min": 0.01}
    made = bo.optimize(scenario(strategy=smooth, site={"solar_capacity_mw": 1.0}))
    assert made.figures["beyond_limit_mwh"] >= 0.0
    made = dataclasses.replace(made, findings=findings)
    assert_equal(made, bo.load_dispatch(made.save(tmp_path / "result")))


# ---- what stands in the folder


def test_the_folder_holds_these_files_and_nothing_else(plan: bo.Dispatch, tmp_path: Path) -> None:
    assert sorted(contents(plan.save(tmp_path / "result"))) == PARTS
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
    rule = bo.simulate(plan.scenario).save(tmp_path / "rule")
    assert sorted(contents(rule)) == [name for name in PARTS if not name.startswith("stored")]


def test_the_csv_is_the_schedule_with_local_times(plan: bo.Dispatch, tmp_path: Path) -> None:
    folder = plan.save(tmp_path / "result")
    text = (folder / "schedule.csv").read_bytes()
    assert b"\r" not in text
    assert b"-0.0," not in text
    table = pd.read_csv(folder / "schedule.csv", keep_default_na=False)
    assert list(table.columns) == ["time", *SCHEDULE]
    assert list(table["time"]) == [stamp.isoformat() for stamp in plan.schedule.index]
    assert {stamp[-6:] for stamp in table["time"]} == {"+01:00", "+02:00"}
    for name in SCHEDULE:
        if name != "limited_by":
            np.testing.assert_allclose(table[name], plan.schedule[name], rtol=0, atol=0.6e-9)


def test_every_column_has_its_unit(plan: bo.Dispatch, tmp_path: Path) -> None:
    notes = json.loads((plan.save(tmp_path / "result") / "schedule.columns.json").read_text("utf-8"))
    assert list(notes) == ["time", *SCHEDULE]
    assert notes["energy_mwh"] == {"unit": "MWh", "meaning": "energy in the cells at the end of the step"}
    assert notes["import_price_per_mwh"]["unit"] == "CHF/MWh"
    assert notes["revenue"]["unit"] == "CHF"
    assert "Europe/Berlin" in notes["time"]["meaning"]


def test_parquet_is_readable_without_us(plan: bo.Dispatch, tmp_path: Path) -> None:
    frame = pd.read_parquet(plan.save(tmp_path / "result") / "schedule.parquet")
    pd.testing.assert_frame_equal(frame, plan.schedule, check_exact=True, check_freq=False)


def test_the_metrics_are_those_of_the_plan_in_their_order(plan: bo.Dispatch, tmp_path: Path) -> None:
    stored = json.loads((plan.save(tmp_path / "result") / "metrics.json").read_text())
    assert list(stored) == list(plan.metrics.to_dict())
    assert stored == plan.metrics.to_dict()


def test_the_report_says_how_and_with_what(plan: bo.Dispatch, tmp_path: Path) -> None:
    text = (plan.save(tmp_path / "result") / "report.json").read_text()
    report = json.loads(text)
    assert report["status"] == "optimal"
    assert report["objective"] == plan.report.objective
    assert report["scenario"] == {"name": "over the clock change", "digest": plan.scenario.digest()}
    assert report["ledger"] == plan.ledger
    assert set(report["versions"]) == {"python", *VERSIONED}
    assert "seconds" not in text


def test_same_input_same_bytes_in_any_process(plan: bo.Dispatch, tmp_path: Path) -> None:
    """Solved twice here and once in a process with other hash seed, time zone and language."""
    one = contents(plan.save(tmp_path / "one"))
    assert contents(bo.optimize(scenario()).save(tmp_path / "two")) == one
    code = f"import bess_opt as bo; bo.optimize(bo.load({str(tmp_path / 'one' / 'scenario')!r})" + (
        f".replace(name='over the clock change')).save({str(tmp_path / 'three')!r})"
    )
    other = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code], check=True, env=other)
    assert contents(tmp_path / "three") == one


# ---- whole or not at all


def test_a_result_is_replaced_whole(plan: bo.Dispatch, tmp_path: Path) -> None:
    files.save_dispatch(plan, tmp_path / "result", {"dispatch.png": b"picture"})
    rule = bo.simulate(plan.scenario)
    assert_equal(rule, bo.load_dispatch(rule.save(tmp_path / "result")))
    assert not (tmp_path / "result" / "stored_energy_value.parquet").exists()
    assert not (tmp_path / "result" / "dispatch.png").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ZeroDivisionError()])
def test_a_failure_leaves_the_old_result(
    plan: bo.Dispatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """The last part fails to be written: nothing new is left, and what was there is still there."""
    before = contents(plan.save(tmp_path / "result"))

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(files, "_write_scenario", fail)
    expected = bo.ScenarioError if isinstance(error, OSError) else type(error)
    for folder in ("result", "other"):
        with pytest.raises(expected) as caught:
            plan.save(tmp_path / folder)
        if isinstance(error, OSError):
            sentence = "cannot be written: No space left on device; name a folder where you may write"
            assert str(caught.value) == f"{tmp_path / folder}: {sentence}"
    assert contents(tmp_path / "result") == before
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_a_failed_swap_puts_the_old_result_back(
    plan: bo.Dispatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system cannot let two folders change places, one is set aside first."""
    before = contents(plan.save(tmp_path / "result"))
    monkeypatch.setattr(atomic_files, "_exchange", lambda *_: False)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.suffix == ".new":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(KeyboardInterrupt):
        plan.save(tmp_path / "result")
    assert contents(tmp_path / "result") == before
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_nothing_stands_at_the_target_before_all_is_written(
    plan: bo.Dispatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    write = files._write_scenario
    monkeypatch.setattr(
        files, "_write_scenario", lambda *parts: (seen.append((tmp_path / "result").exists()), write(*parts))
    )
    plan.save(tmp_path / "result")
    assert seen == [False]


@pytest.mark.parametrize(
    "name", ["notes.txt", "schedule.csv", "report.json", "scenario/scenario.toml", "sub/deep.txt"]
)
def test_files_of_others_are_never_deleted(plan: bo.Dispatch, tmp_path: Path, name: str) -> None:
    """Not even those that bear our names: only a report of ours makes a folder ours."""
    file = tmp_path / "mine" / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    with pytest.raises(bo.ScenarioError) as caught:
        plan.save(tmp_path / "mine")
    assert str(caught.value) == (
        f"{tmp_path / 'mine'}: holds other files ({name}), which are left alone; "
        "name a new folder, or one that holds a result only"
    )
    assert contents(tmp_path / "mine") == {name: b"mine"}


@pytest.mark.parametrize("name", ["notes.txt", "scenario/README.md"])
def test_a_file_put_into_a_result_protects_it(plan: bo.Dispatch, tmp_path: Path, name: str) -> None:
    folder = plan.save(tmp_path / "result")
    (folder / name).write_text("mine")
    before = contents(folder)
    with pytest.raises(bo.ScenarioError, match="holds other files"):
        plan.save(folder)
    assert contents(folder) == before


def test_a_file_and_a_place_below_a_file_are_refused(plan: bo.Dispatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(bo.ScenarioError, match="file: is a file; name a folder"):
        plan.save(tmp_path / "file")
    with pytest.raises(bo.ScenarioError, match="cannot be written: 'file' is a file"):
        plan.save(tmp_path / "file" / "below")


def test_the_folder_one_is_in_is_not_replaced(
    plan: bo.Dispatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = plan.save(tmp_path / "result")
    monkeypatch.chdir(folder / "scenario")
    for target in (".", ".."):
        with pytest.raises(bo.ScenarioError, match=r"is the folder you are in, or above it|holds other files"):
            plan.save(target)
    assert sorted(contents(folder)) == PARTS


def test_an_empty_folder_and_missing_parents_are_fine(plan: bo.Dispatch, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert_equal(plan, bo.load_dispatch(plan.save(tmp_path / "empty")))
    assert_equal(plan, bo.load_dispatch(plan.save(tmp_path / "a" / "b" / "c")))


def test_many_foreign_files_are_counted(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(bo.ScenarioError, match=r"holds other files \(0.txt, 1.txt, 2.txt and 2 more\)"):
        check_target(tmp_path)


def test_an_empty_folder_inside_counts_as_anothers(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with pytest.raises(bo.ScenarioError, match=r"holds other files \(kept\)"), new_folder(tmp_path):
        pytest.fail("the block must not run")


# ---- reading what is not ours, or no longer whole


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "report.json",
            None,
            "report.json cannot be read: No such file or directory; give a folder written by",
        ),
        ("report.json", "{", "report.json cannot be read: Expecting property name"),
        ("report.json", "[]", "report.json holds no table; give a folder written by Dispatch.save"),
        ("report.json", "{}", "report.json is not of the format 'bess_opt dispatch 2'"),
        ("metrics.json", None, "metrics.json cannot be read: No such file"),
        ("metrics.json", '{"old_key": 1}', "was written by another version of bess_opt"),
        ("schedule.parquet", None, "schedule.parquet cannot be read"),
        ("schedule.parquet", "no parquet", "schedule.parquet cannot be read"),
        ("scenario/scenario.toml", None, "cannot be opened"),
        ("scenario/series.parquet", None, "there is no file"),
    ],
)
def test_a_broken_result_is_told(
    plan: bo.Dispatch, tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    file = plan.save(tmp_path / "result") / name
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(bo.ScenarioError) as caught:
        bo.load_dispatch(tmp_path / "result")
    assert message in str(caught.value)


def test_a_report_that_lacks_a_key_is_told(plan: bo.Dispatch, tmp_path: Path) -> None:
    file = plan.save(tmp_path / "result") / "report.json"
    report = json.loads(file.read_text())
    del report["ledger"]
    file.write_text(json.dumps(report))
    with pytest.raises(
        bo.ScenarioError,
        match=r"written by another version of bess_opt, or changed \(KeyError: 'ledger'\); solve .* again",
    ):
        bo.load_dispatch(tmp_path / "result")


def test_a_scenario_changed_after_the_solve_is_refused(plan: bo.Dispatch, tmp_path: Path) -> None:
    file = plan.save(tmp_path / "result") / "scenario" / "scenario.toml"
    file.write_text(file.read_text().replace("power_mw = 1.0", "power_mw = 1.5"))
    with pytest.raises(bo.ScenarioError, match="scenario: differs from the scenario that was solved; the folder was"):
        bo.load_dispatch(tmp_path / "result")


# ---- pictures


def test_plot_draws_the_start_and_says_what_is_wrong(plan: bo.Dispatch) -> None:
    assert plan.plot("2025-03-30", theme="dark").axes
    with pytest.raises(
        bo.ScenarioError, match=r"week: 2026-01-01 is outside the horizon; give a date from 2025-03-29"
    ):
        plan.plot("2026-01-01")
    with pytest.raises(bo.ScenarioError) as caught:
        plan.plot("soon", theme="pink")
    assert [problem.where for problem in caught.value.problems] == ["theme", "week"]


def test_plot_passes_the_start_and_the_step(plan: bo.Dispatch, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr("bess_opt.plots.dispatch_figure", lambda schedule, **given: seen.update(given))
    plan.plot()
    assert (seen["soc_start"], seen["step_h"]) == (plan.scenario.battery.soc_start_resolved, 1.0)
