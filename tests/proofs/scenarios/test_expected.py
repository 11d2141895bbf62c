"""Every scenario folder is a test: it loads, its plan has the expected figures, passes its audit and replays.

`expected.toml` holds `[series]` counts, `[metrics]` with `value` and a tolerance `rel` or `abs`, and `[report]`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import pytest
from support.places import ROOT

import bess_opt as bo
from bess_opt.plant.audit import audit
from bess_opt.plant.from_scenario import plant_of

FOLDERS = sorted(path.parent for path in (ROOT / "scenarios").glob("*/scenario.toml"))


@cache
def planned(folder: Path) -> bo.Dispatch:
    return bo.optimize(bo.load(folder))


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_folder_is_complete(folder: Path) -> None:
    for name in ("scenario.toml", "README.md", "expected.toml"):
        assert (folder / name).is_file(), f"{folder.name} has no {name}"


def test_figures_are_as_expected(folder: Path) -> None:
    expected = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))
    plan = planned(folder)
    assert len(plan.schedule) == expected["series"]["steps"]
    if "negative_price_steps" in expected["series"]:
        negative = int((plan.schedule["export_price_per_mwh"] < 0).sum())
        assert negative == expected["series"]["negative_price_steps"]
    figures = plan.metrics.to_dict()
    assert {"net_revenue", "score", "equivalent_full_cycles"} <= expected["metrics"].keys()
    for name, row in expected["metrics"].items():
        tolerance = {key: row[key] for key in ("rel", "abs") if key in row}
        assert figures[name] == pytest.approx(row["value"], **tolerance), name


def test_plan_is_proven_audited_and_replayed(folder: Path) -> None:
    plan = planned(folder)
    assert plan.report is not None
    assert plan.report.status == "optimal"
    assert 0.0 <= plan.report.gap <= plan.scenario.solver.rel_gap
    assert audit(plan.whole_schedule, plant_of(plan.scenario)) == ()
    again = bo.replay(plan)
    numbers = plan.schedule.select_dtypes("number")
    difference = (numbers - again.schedule[numbers.columns]).abs().to_numpy()
    assert difference.max() < 1e-6
    assert again.metrics.score == pytest.approx(plan.metrics.score, rel=1e-9, abs=1e-6)


def test_energy_closes_over_the_horizon(folder: Path) -> None:
    m = planned(folder).metrics
    given = m.solar_mwh + m.import_mwh + m.unserved_mwh
    taken = m.load_mwh + m.export_mwh + m.curtailed_mwh + m.losses_mwh + m.stored_change_mwh + m.drawn_mwh
    assert given == pytest.approx(taken, abs=1e-6)
    assert m.balance_residual_mwh == pytest.approx(0.0, abs=1e-6)
