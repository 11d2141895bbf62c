"""Windows planned by value functions: the decisions of the linear program, without one, several at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import IDEAL, Case, case, random_case

import bess_opt as bo
from bess_opt.dispatch.forecast_driven import operation, rolling
from bess_opt.dispatch.forecast_driven.stepwise import Stepwise
from bess_opt.solver.highs import Solver
from bess_opt.solver.value_function import windows
from bess_opt.solver.value_function.recursion import RecursionFailedError
from bess_opt.solver.value_function.windows import Windows

UNSEEN = bo.Forecast("noisy", relative_error=0.1, seed=4, current="forecast")
GROWING = bo.Forecast("noisy", relative_error=0.05, error_at_h=4.0, seed=4)


def without_ties(seed: int) -> Case:
    """A random site of any topology, its prices positive and no two alike: one optimum."""
    of = random_case(seed, steps=72, plain=True)
    rng = np.random.default_rng(seed)
    series = of.series.drop(columns=[name for name in of.series.columns if "price" in name])
    series["price_per_mwh"] = rng.uniform(20.0, 120.0, len(series))
    battery = of.battery | {"soc_end": "free", "max_cycles_per_day": None}
    return Case(battery, series, of.site | {"unserved_price_per_mwh": 1000.0}, "arbitrage")


@pytest.mark.parametrize("seed", range(18))
def test_decisions_are_those_of_the_linear_program(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same power in every step, whatever is known and whatever energy at a window's end is worth.

    Where several worths of stored energy are right, the linear program is given the one that was taken here.
    """
    scenario = without_ties(seed).scenario()
    forecast = ("perfect", UNSEEN, GROWING)[seed % 3]
    terminal: Any = ("free", "cyclic", "value")[seed // 3 % 3]
    step_h = scenario.step_h
    asked: dict[str, Any] = {"horizon_h": 12 * step_h, "every_h": (1 + seed % 2) * step_h, "terminal": terminal}
    worth: dict[int, float] = {}
    plan = Windows.plan

    def noting(self: Windows, first: int, last: int, *given: Any, **named: Any) -> Any:
        worth[last] = named["worth"]
        return plan(self, first, last, *given, **named)

    monkeypatch.setattr(Windows, "plan", noting)
    ours = bo.control(scenario, forecast, **asked)
    monkeypatch.setattr(rolling.Rolling, "_worth_at", lambda _self, _worth, instant: worth[instant])
    theirs = bo.control(scenario.replace(solver={"engine": "highs"}), forecast, **asked)
    apart = np.abs(ours.schedule["battery_mw"] - theirs.schedule["battery_mw"])
    assert apart.max() < 1e-5 * scenario.battery.power_mw
    assert ours.metrics.net_revenue == pytest.approx(theirs.metrics.net_revenue, rel=1e-7, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_steps_that_are_kept_from_window_to_window_change_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every column of the schedule is the same where each window works out its single steps anew."""
    scenario = without_ties(seed).scenario()
    asked: dict[str, Any] = {"horizon_h": 12 * scenario.step_h, "every_h": (1 + seed % 3) * scenario.step_h}
    forecast = ("perfect", UNSEEN)[seed % 2]
    kept = bo.control(scenario, forecast, **asked).schedule
    monkeypatch.setattr(windows, "MOST_KNOWN", 0)
    assert bo.control(scenario, forecast, **asked).schedule.equals(kept)


def test_no_solver_is_asked_where_value_functions_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any call to HiGHS raises; a cap on the cycles of a day asks for it, by name if it is not allowed."""

    def asked(*_given: Any, **_named: Any) -> None:
        raise RuntimeError("HiGHS was asked")

    monkeypatch.setattr(Solver, "__init__", asked)
    of = case(price_per_mwh=[20.0, 50.0, -5.0, 80.0] * 12, solar_mw=[0.0, 0.5, 2.0, 0.0] * 12)
    for forecast in ("perfect", "persistence"):
        assert bo.control(of.scenario(), forecast, horizon_h=12).figures["decisions"] == 48.0
    capped = of.but(battery={"max_cycles_per_day": 1.0}).scenario()
    with pytest.raises(RuntimeError, match="HiGHS was asked"):
        bo.control(capped, "perfect", horizon_h=12)
    with pytest.raises(bo.ScenarioError, match="cycles_per_day: is not one row for each step"):
        bo.control(capped.replace(solver={"engine": "value_function"}), "perfect", horizon_h=12)


def surprised(steps: int = 60) -> bo.Scenario:
    """Load that nobody foresees holds the battery back by the import limit, so that energy comes out otherwise."""
    rng = np.random.default_rng(5)
    of = case(
        price_per_mwh=rng.uniform(0.0, 100.0, steps),
        load_mw=rng.choice([0.2, 1.7], steps),
        battery={"technology": IDEAL | {"eta_charge": 0.9}, "soc_end": "free"},
        site={"import_limit_mw": 2.0, "unserved_price_per_mwh": 500.0},
    )
    return of.scenario()


@pytest.mark.parametrize("terminal", ["value", "free", "cyclic"])
def test_several_decisions_at_a_time_are_the_same_as_one_by_one(
    terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the energy comes out otherwise than planned, what was decided from there on is decided again."""
    again: list[int] = []
    forget = operation.Orders.forget
    monkeypatch.setattr(operation.Orders, "forget", lambda self, first: (again.append(first), forget(self, first))[1])
    forecast = {"load_mw": bo.Forecast("persistence", current="forecast"), "*": "perfect"}
    several = bo.control(surprised(), forecast, horizon_h=8, terminal=terminal)
    assert len(again) > 3
    monkeypatch.setattr(operation.Run, "_several_at_a_time", lambda self, _planner: self._one_at_a_time())
    single = bo.control(surprised(), forecast, horizon_h=8, terminal=terminal)
    numbers = several.schedule.select_dtypes("number")
    assert np.abs(numbers.to_numpy() - single.schedule[numbers.columns].to_numpy()).max() < 1e-9
    assert several.figures["deviation_mwh"] == pytest.approx(single.figures["deviation_mwh"])


def test_a_window_without_a_plan_leaves_the_one_before_in_force() -> None:
    """Believed load beyond the import limit for an hour: that decision has no plan, the order before stands."""
    load = [0.5] * 6 + [2.5] + [0.5] * 5
    of = case(
        price_per_mwh=[20.0, 60.0] * 6, load_mw=[0.5] * 12, site={"import_limit_mw": 2.0}, battery={"soc_start": 0.5}
    )
    told = bo.Forecast("given", values=of.series["load_mw"].set_axis(of.series.index) * 0 + load, current="forecast")
    asked: dict[str, Any] = {"horizon_h": 3, "terminal": "free"}
    plans = [
        bo.control(of.but().scenario().replace(solver={"engine": engine}), {"load_mw": told, "*": "perfect"}, **asked)
        for engine in ("auto", "highs")
    ]
    noted = [[f.found for f in plan.findings if f.code == "window_infeasible"] for plan in plans]
    assert noted[0] == noted[1]
    assert plans[0].schedule["battery_mw"].tolist() == pytest.approx(plans[1].schedule["battery_mw"].tolist())


def test_equal_prices_fall_early_exactly() -> None:
    """Of hours with equal prices the first is taken, in windows of two equal days as well."""
    day = [30.0, 10.0, 10.0, 30.0, 80.0, 80.0, 30.0, 10.0] * 3
    of = case(price_per_mwh=day * 3, battery={"power_mw": 1.0, "duration_h": 1.0})
    plan = bo.control(of.scenario(), "perfect", horizon_h=48, terminal="free")
    first = plan.schedule["battery_mw"].to_numpy()[:8]
    assert first.tolist() == pytest.approx([0.0, -1.0, 0.0, 0.0, 1.0, 0.0, 0.0, -1.0])


def test_what_does_not_fit_on_the_way_is_given_to_the_linear_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure that shows only while planning starts the operation anew, with another planner."""
    solved: list[int] = []
    plan = rolling.Rolling.plan
    monkeypatch.setattr(rolling.Rolling, "plan", lambda self, window: (solved.append(1), plan(self, window))[1])

    def fails(_self: Any, _window: Any) -> None:
        raise RecursionFailedError(2, 3)

    monkeypatch.setattr(Stepwise, "plan", fails)
    scenario = case(price_per_mwh=[20.0, 50.0] * 6).scenario()
    assert bo.control(scenario, "perfect", horizon_h=4, terminal="free").metrics.score > 0.0
    assert len(solved) == 12
    with pytest.raises(bo.ScenarioError, match="what the cells can gain in a step is not one range"):
        bo.control(scenario.replace(solver={"engine": "value_function"}), "perfect", horizon_h=4)
