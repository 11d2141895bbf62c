"""The floors state the same linear program as the package, and the benchmark runs. No test is timed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from engine import Goal, time_goal
from floors import FLOORS, numbers_of
from records import exponent, time_case
from rich.console import Console
from show import engine_table
from sizing import time_sizing
from support.places import ROOT
from workloads import available, first_steps, growing

import bess_opt as bo
from bess_opt.inputs.scenario import Scenario
from bess_opt.models.assemble import model_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.strategies.shared.activation import activate
from bess_opt.strategies.shared.discovery import discover

STEPS = 48
RUN = ROOT / "benchmarks" / "run.py"


def relaxed_optimum(scenario: Scenario) -> float:
    """What `bo.optimize` solves first: the program without the one-way rule."""
    plant = plant_of(scenario)
    m, _objectives = model_of(plant, activate(scenario, plant))
    return -Solver(expand(m), scenario.solver, scale_mw=plant.scale_mw).solve().objective


def slice_of(name: str) -> Scenario:
    return first_steps(available()[name].scenario(), STEPS)


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize("name", ["solar_merchant", "arbitrage_15min"])
def test_floor_is_the_relaxation(name: str, floor: str) -> None:
    scenario = slice_of(name)
    assert FLOORS[floor](scenario) == pytest.approx(relaxed_optimum(scenario), rel=1e-9)


@pytest.mark.parametrize("floor", FLOORS)
def test_floor_agrees_with_a_load_and_two_prices(floor: str) -> None:
    base = slice_of("solar_merchant")
    series = base.series.rename(columns={"price_per_mwh": "import_price_per_mwh"})
    series["export_price_per_mwh"] = 0.4 * series["import_price_per_mwh"]
    series["load_mw"] = 1.5
    scenario = base.replace(series=series)
    assert FLOORS[floor](scenario) == pytest.approx(relaxed_optimum(scenario), rel=1e-9)


@pytest.mark.parametrize("floor", FLOORS)
def test_exact_plan_is_never_above_a_floor(floor: str) -> None:
    """Prices far below zero: the relaxation wastes energy in losses, the exact plan may not."""
    base = slice_of("arbitrage_15min")
    series = base.series - 200.0
    scenario = base.replace(series=series, battery={"max_cycles_per_day": None})
    relaxed, plan = FLOORS[floor](scenario), bo.optimize(scenario)
    assert plan.report is not None
    assert plan.report.objective < relaxed - 1e-3 * abs(relaxed)


def test_floors_refuse_what_they_do_not_cover() -> None:
    scenario = slice_of("solar_merchant").replace(battery={"topology": "series_dc"})
    with pytest.raises(ValueError, match="AC-coupled"):
        numbers_of(scenario)


def test_growing_scenario_starts_as_a_year_and_does_not_repeat() -> None:
    prices = growing(2 * 8_760).series["price_per_mwh"].to_numpy()
    assert len(prices) == 2 * 8_760
    assert (prices[:8_760] != prices[8_760:]).mean() > 0.9


def test_case_row_agrees_and_has_every_ratio() -> None:
    row = time_case(available()["small"], repeat=2)
    assert row["agrees"]
    assert set(row["ratio"]) == set(FLOORS)
    assert all(len(runs) == 2 for runs in row["runs"].values())


@pytest.mark.real_data
def test_german_prices_are_a_year_of_quarter_hours() -> None:
    cases = available()
    if "german_id1_2021" not in cases:
        pytest.skip("BESS_OPT_DATA does not lead to the German prices")
    scenario = cases["german_id1_2021"].scenario()
    assert len(scenario.series) == 35_040
    assert scenario.step_h == 0.25


def test_the_exponent_is_the_slope_of_the_logarithms() -> None:
    """Three times the time for twice the steps, whatever short horizons took; unknown from one size."""
    rows = [
        {"steps": steps, "seconds": {"ours": seconds}} for steps, seconds in ((24, 9.0), (10_000, 1.0), (20_000, 3.0))
    ]
    assert exponent(rows, "ours") == pytest.approx(1.5849625)
    assert exponent(rows[:2], "ours") is None
    assert exponent(rows, "cvxpy") is None


@pytest.mark.slow
def test_a_floor_that_does_not_end_bounds_the_multiple() -> None:
    """Its time until then is the least that it takes, so the multiple is at most what the table shows."""
    scenario = growing(4 * 8_760)
    goal = Goal("a work", 1.0, lambda: 1.0, lambda: FLOORS["arrays"](scenario, 0.01))
    row = time_goal(goal, 1, "wall")
    assert not row["floor_ended"]
    assert row["ratio"] == pytest.approx(row["seconds"] / row["arrays_seconds"])
    done = time_goal(
        Goal("a work", 1.0, lambda: 1.0, lambda: FLOORS["arrays"](slice_of("solar_merchant"))), 1, "wall"
    )
    assert done["floor_ended"]
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(engine_table([row | {"memory_gib": 2.0, "memory_at_most_gib": 3.0}, done]))
    first, second = (line for line in console.export_text().splitlines() if "a work" in line)
    assert all(words in first for words in ("not ended after", "at most", "2.00, goal 3"))
    assert "at most" not in second


@pytest.mark.second_tier
def test_run_writes_results(tmp_path: Path) -> None:
    command = [sys.executable, str(RUN), "--quick", "--cases", "small", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "small" in done.stdout
    results = json.loads((tmp_path / "benchmarks.json").read_text())
    assert [row["case"] for row in results["cases"]] == ["small"]
    assert [row["steps"] for row in results["growth"]] == [24, 168]
    assert {row["strategy"] for row in results["strategies"]} == set(discover())
    assert all(row["steps"] == 168 and row["agrees"] for row in results["real_site"])
    memory = results["memory"][0]
    assert memory["peak"] >= memory["imports"] - 1.0  # MiB: the kernel counts pages in batches
    assert (tmp_path / "growth.png").stat().st_size > 1_000


def test_sizing_row_states_multiples_of_a_cold_solve() -> None:
    row = time_sizing(available()["solar_merchant"], 1, "wall", steps=72)
    assert row["candidates"] == pytest.approx(row["runs"]["surface"][0] / row["runs"]["cold"][0])
    assert row["calls"] >= 1
    assert row["proof"] > 0.0
    assert row["gap"] <= 1e-3


def test_a_tool_that_is_not_installed_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import run

    monkeypatch.setattr(run, "installed", dict)
    with pytest.raises(SystemExit) as ended:
        run.arguments(["--floors", "arrays", "cvxpy"])
    assert ended.value.code == 2
    assert "cvxpy not installed here; pip install -e '.[benchmarks,peers]'" in capsys.readouterr().err
