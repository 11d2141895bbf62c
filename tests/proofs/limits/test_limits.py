"""Time limits, interruption and odd magnitudes end in a plan with its proven gap, or in an error that says so."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.cases import IDEAL, Case, case, random_case

import bess_opt as bo
from bess_opt.interfaces.cli.new_scenario import new_scenario
from bess_opt.solver.highs import Solver
from bess_opt.solver.search.one_way_search import Answer, OneWaySearch
from bess_opt.solver.search.segments import Segment
from bess_opt.solver.solution import LimitReachedError

LOSSY = {"eta_charge": 0.9, "eta_discharge": 0.95, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 10.0}
DAY = [10.0, 20.0, 5.0, 80.0, 90.0, 30.0]
NOT_ONE_WAY = {"battery": {"technology": LOSSY, "duration_h": 0.25, "soc_start": 0.5}}
NEGATIVE = case(
    price_per_mwh=[-50.0, -60.0, -40.0, 20.0, -70.0, 5.0],
    battery={"technology": LOSSY, "soc_start": 0.5},
)


def out_of_time(*_: object) -> float:
    raise LimitReachedError("out of time")


def by_highs(of: Case) -> bo.Dispatch:
    """The plan of HiGHS, which alone searches and may run out of time."""
    return bo.optimize(of.scenario().replace(solver={"engine": "highs"}))


# ---- time limits


def test_a_search_out_of_time_gives_its_best_plan_with_the_proven_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative prices make the relaxation waste energy; without time for the exact search each step keeps its way."""
    exact = by_highs(NEGATIVE)
    monkeypatch.setattr(OneWaySearch, "_left_s", out_of_time)
    plan = by_highs(NEGATIVE)
    assert plan.report.status == "time_limit"
    assert plan.report.gap > 0.0
    assert plan.report.objective <= exact.report.objective + 1e-9 <= plan.report.bound + 2e-9


@pytest.mark.slow
def test_out_of_time_the_windows_own_plans_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full cycles at flat prices, days as windows: their first plans are far better than each step's way on balance."""
    prices = np.random.default_rng(3).normal(40.0, 2.0, 72).round(2)
    cycling = {"name": "cycling", "cycles_per_day": 7.0, "shortfall_price_per_cycle": 10_000.0}
    of = case(price_per_mwh=prices, battery={"technology": LOSSY, "soc_start": 0.5}, strategy=cycling)
    found, solve_segment, solved = {}, OneWaySearch._solve_segment, list[Segment]()
    for windows in (0, 3):
        solved.clear()

        def counted(self: OneWaySearch, segment: Segment, allowance: float) -> Answer:
            answer = solve_segment(self, segment, allowance)
            solved.append(segment)
            return answer

        def time_left(_search: OneWaySearch, windows: int = windows) -> float:
            return out_of_time() if len(solved) >= windows else 60.0

        monkeypatch.setattr(OneWaySearch, "_solve_segment", counted)
        monkeypatch.setattr(OneWaySearch, "_left_s", time_left)
        found[windows] = of.optimize().report
    assert found[0].status == found[3].status == "time_limit"
    assert found[3].objective > found[0].objective + 1_000.0
    assert found[3].bound <= found[0].bound + 1e-9
    assert found[3].objective <= found[3].bound


def test_what_the_reach_of_the_battery_proves_needs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that wastes power in a converter is no way out, and no search is begun for one."""
    monkeypatch.setattr(OneWaySearch, "_left_s", out_of_time)
    of = case(
        price_per_mwh=[1.0] * 4,
        solar_mw=[0.6] * 4,
        site={"export_limit_mw": 0.5, "curtailment": False},
        **NOT_ONE_WAY,
    )
    with pytest.raises(bo.InfeasibleError, match=r"site\.export_limit_mw: at 2025-06-02 02:00"):
        by_highs(of)


def test_out_of_time_is_not_called_infeasible(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick guess at a plan may have none; where no other proof is at hand, that proves nothing."""
    monkeypatch.setattr(OneWaySearch, "_left_s", out_of_time)
    monkeypatch.setattr("bess_opt.dispatch.optimum.solve_scenario.infeasible.unreachable", lambda _numbers: [])
    of = case(
        price_per_mwh=[1.0] * 4,
        solar_mw=[0.6] * 4,
        site={"export_limit_mw": 0.5, "curtailment": False},
        **NOT_ONE_WAY,
    )
    with pytest.raises(LimitReachedError, match=r"in which each converter runs one way; raise solver\.time_limit_s"):
        by_highs(of)


def test_an_optimum_without_time_for_ties_is_still_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Solver, "prefer", out_of_time)
    plan = by_highs(case(price_per_mwh=DAY))
    assert (plan.report.status, plan.report.gap) == ("time_limit", 0.0)
    assert plan.metrics.net_revenue == pytest.approx(155.0)


# ---- interruption

SLOW_SAVE = """\
import signal, time
from collections.abc import Iterator
from pathlib import Path
import bess_opt.dispatch.saving as files
from bess_opt.interfaces.cli.main import main

def write(file, content):
    Path({marker!r}).touch()
    time.sleep(600)

files._write_json = write
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


@pytest.mark.slow
def test_ctrl_c_while_saving_leaves_the_earlier_result_whole(tmp_path: Path) -> None:
    """The second save stops in its middle: what stood there before is untouched, and nothing lies beside it."""
    folder, marker, out = new_scenario(tmp_path / "week"), tmp_path / "saving", tmp_path / "out" / "result"
    before = bo.optimize(bo.load(folder))
    before.save(out)
    arguments = [
        sys.executable,
        "-c",
        SLOW_SAVE.format(marker=str(marker)),
        "optimize",
        str(folder),
        "--out",
        str(out),
    ]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 120.0
        while not marker.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (130, "", "interrupted\n")
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["result"]
    pd.testing.assert_frame_equal(bo.load_dispatch(out).schedule, before.schedule)


# ---- magnitudes


@pytest.mark.parametrize("factor", [1e-9, 1e-3, 1e6, 1e9, 1e10])
def test_prices_of_any_size_give_the_same_schedule(factor: float) -> None:
    """155 = 80 + 90 − 10 − 5 at a factor of 1, worked by hand."""
    plan = case(price_per_mwh=[price * factor for price in DAY]).optimize()
    assert plan.metrics.net_revenue == pytest.approx(155.0 * factor, rel=1e-9)
    np.testing.assert_allclose(plan.schedule["battery_mw"], [-1.0, 0.0, -1.0, 1.0, 1.0, 0.0], atol=1e-6)


def test_one_huge_price_does_not_drown_the_others() -> None:
    plan = case(price_per_mwh=[*DAY[:-1], 1e9]).optimize()
    assert plan.metrics.net_revenue == pytest.approx(1e9 + 90.0 - 10.0 - 5.0, rel=1e-12, abs=1e-3)


@pytest.mark.parametrize("price", [0.0, 50.0])
def test_prices_all_equal_leave_the_battery_idle(price: float) -> None:
    plan = case(price_per_mwh=[price] * 6).optimize()
    assert plan.metrics.discharged_mwh == 0.0
    assert plan.metrics.round_trip_efficiency is None


def test_one_step() -> None:
    """An hour at 50: what is above the window's floor is sold, 1 MW at the port at most."""
    frame = pd.DataFrame({"price_per_mwh": [50.0]}, index=pd.date_range("2025-01-01", periods=1, freq="h", tz="UTC"))
    of = bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0, "technology": IDEAL, "soc_start": 0.75, "soc_end": "free"},
        series=frame, series_options={"step_min": 60}, strategy="arbitrage",
    )  # fmt: skip
    assert bo.optimize(of).metrics.net_revenue == pytest.approx(50.0)
    assert bo.simulate(of, rule=lambda _state: 1.0).metrics.net_revenue == pytest.approx(50.0)


def test_ten_megawatts_behind_a_kilowatt() -> None:
    """1 kW for an hour each: bought at 10, 20 and 5, sold at 80, 90 and 30."""
    site = {"import_limit_mw": 0.001, "export_limit_mw": 0.001}
    plan = case(price_per_mwh=DAY, battery={"power_mw": 10.0}, site=site).optimize()
    assert plan.metrics.net_revenue == pytest.approx(0.001 * (80.0 + 90.0 + 30.0 - 10.0 - 20.0 - 5.0), rel=1e-9)
    assert {finding.code for finding in plan.findings} >= {"power_above_export", "power_above_import"}


def scaled(of: Case, factor: float) -> Case:
    """The same plant, `factor` times as large, prices as they are."""
    site = {key: value * factor if key.endswith("_mw") else value for key, value in of.site.items()}
    battery = {key: value * factor if key.endswith("_mw") else value for key, value in of.battery.items()}
    sizes = [name for name in of.series if str(name).endswith(("_mw", "_mwh")) and "price" not in str(name)]
    series = of.series.assign(**{str(name): of.series[name] * factor for name in sizes})
    return Case(battery, series, site, of.strategy, of.finance, of.tariff)


@pytest.mark.parametrize("factor", [1e-4, 1e4])
@pytest.mark.parametrize("seed", range(12))
def test_a_home_and_a_gigawatt_plant_are_the_same_plan(seed: int, factor: float) -> None:
    """Random plants of some MW, as small as a home's kW and as large as many GW: same schedule and money, scaled."""
    of = random_case(seed, plain=True)
    plan, other = of.optimize(), scaled(of, factor).optimize()
    assert other.report.objective == pytest.approx(plan.report.objective * factor, rel=1e-7)
    sizes = [name for name in plan.schedule if str(name).endswith(("_mw", "_mwh")) and "price" not in str(name)]
    scale = plan.schedule[sizes].abs().to_numpy().max()
    difference = (other.schedule[sizes] / factor - plan.schedule[sizes]).abs().to_numpy().max()
    assert difference <= 1e-6 * scale
