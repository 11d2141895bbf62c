"""The search for an exact plan by segments against one program with a binary for every step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.whole_program import whole

import bess_opt as bo
from bess_opt.models.assemble import model_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.expand import expand
from bess_opt.solver.search import one_way_search, segments
from bess_opt.solver.search.segments import Segment, merged_segments
from bess_opt.strategies.shared.activation import activate

DAYS = 5
SEEDS = range(8)


def scenario(seed: int, level: float = -20.0, **more: Any) -> bo.Scenario:
    """Days of two-hour steps that pay for taking energy: wasting it is worth money, cycles are counted."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2025-05-01", periods=12 * DAYS, freq="2h", tz="UTC")
    price = rng.normal(level, 8.0, len(index)).round(1)
    series = pd.DataFrame({"price_per_mwh": price}, index=index)
    battery = {
        "power_mw": 1.0,
        "duration_h": 3.0,
        "max_cycles_per_day": float(rng.choice([2.5, 3.5])),
        "soc_end": "free",
    }
    of: bo.Scenario = bo.Scenario(battery=battery, series=series, strategy=more.pop("strategy", "arbitrage"), **more)
    return of


@pytest.mark.parametrize("seed", SEEDS)
def test_segments_of_days_find_the_optimum(seed: int) -> None:
    """Cycles per day tie segments to whole days, which touch each other at midnight."""
    of = scenario(seed)
    plan = bo.optimize(of)
    assert plan.report is not None
    assert plan.report.objective == pytest.approx(whole(of), rel=1e-6, abs=1e-4)


def capped(seed: int) -> bo.Scenario:
    """Twelve days with two half days of negative prices far apart, wear by depth or none, a cap on all cycles."""
    rng = np.random.default_rng(seed)
    price = np.round(50.0 + 30.0 * np.sin(np.arange(144) * np.pi / 6.0) + rng.normal(0.0, 8.0, 144), 1)
    price[[*range(20, 26), *range(110, 116)]] -= rng.choice([90.0, 130.0, 200.0])
    battery: dict[str, Any] = {
        "power_mw": 1.0,
        "duration_h": 3.0,
        "max_cycles": {"count": float(rng.choice([6, 8, 10, 12, 14])), "per": "horizon"},
        "soc_start": 0.5,
    }
    if rng.random() < 0.6:
        battery["wear"] = {"depth": [0.3, 0.6, 1.0], "cost_per_mwh": [2.0, 5.0, 9.0]}
    index = pd.date_range("2025-05-01", periods=144, freq="2h", tz="UTC")
    series = pd.DataFrame({"price_per_mwh": price}, index=index)
    return bo.Scenario(battery=battery, series=series, strategy="arbitrage", solver={"engine": "highs"})


@pytest.mark.parametrize(("seed", "rounds", "longest"), [(1, 1, 3), (11, 2, 6), (13, 4, 144)])
def test_a_cap_on_the_whole_horizon_is_priced_in_its_segments(
    seed: int, rounds: int, longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prices brought up to date prove most plans; where they do not (the last), segments grow as far as it takes.

    Whatever the prices, what they bound is no better than the optimum.
    """
    of, lengths, bounds = capped(seed), list[int](), list[float]()
    search = one_way_search.OneWaySearch
    solve_segment, bound_at = search._solve_segment, search._bound_at

    def noted(self: Any, segment: Segment, allowance: float) -> Any:
        lengths.append(segment.last - segment.first)
        return solve_segment(self, segment, allowance)

    def bounded(self: Any, *asked: Any) -> Any:
        found = bound_at(self, *asked)
        bounds.append(-found[0])
        return found

    monkeypatch.setattr(segments, "WIDEST", 24)
    monkeypatch.setattr(search, "_solve_segment", noted)
    monkeypatch.setattr(search, "_bound_at", bounded)
    report = bo.optimize(of).report
    exact = whole(of)
    assert report is not None
    assert report.objective == pytest.approx(exact, rel=1e-6)
    assert report.gap <= 1e-6
    assert (len(bounds), max(lengths)) == (rounds, longest)
    assert min(bounds) >= exact * (1.0 - 1e-6)


@pytest.mark.parametrize("strategy", ["arbitrage", "cycling"])
@pytest.mark.parametrize("seed", SEEDS)
def test_bound_and_plan_of_the_first_segments_hold_the_optimum_between_them(seed: int, strategy: str) -> None:
    """With half of the objective allowed as a gap no segment grows: what is claimed must be true all the same."""
    stated: Any = (
        {"name": "cycling", "cycles_per_day": 2.2, "shortfall_price_per_cycle": 400.0}
        if strategy == "cycling"
        else strategy
    )
    of = scenario(seed, 40.0 if strategy == "cycling" else -20.0, strategy=stated)
    exact = whole(of)
    report = bo.optimize(of.replace(solver={"rel_gap": 0.5})).report
    assert report is not None
    slack = 1e-6 * max(1.0, abs(exact))
    assert report.objective - slack <= exact <= report.bound + slack


def test_some_of_these_segments_touch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the tests above prove nothing about an instant that two segments share."""
    joined = []

    def noted(*given: Any) -> list[Segment]:
        found = merged_segments(*given)
        joined.extend(segment.joined for segment in found)
        return found

    monkeypatch.setattr(one_way_search, "merged_segments", noted)
    for seed in SEEDS:
        bo.optimize(scenario(seed, solver={"rel_gap": 0.5}))
    assert sum(joined) >= 3


def test_segments_that_touch_are_one_where_more_than_energy_crosses() -> None:
    parts = [Segment(0, 24), Segment(24, 48), Segment(40, 60), Segment(72, 96)]
    separable = np.ones(97, dtype=bool)
    assert merged_segments(parts, separable) == [Segment(0, 24), Segment(24, 60, joined=True), Segment(72, 96)]
    separable[24] = False
    assert merged_segments(parts, separable) == [Segment(0, 60), Segment(72, 96)]


def test_an_instant_is_separable_only_between_rows_over_time() -> None:
    """Days of warranty cycles: midnights, of which a ramp limit over them leaves none."""
    of = scenario(1)
    for strategy, there in (("arbitrage", True), ({"name": "solar_smoothing", "ramp_limit_per_min": 0.01}, False)):
        series = of.series.assign(solar_mw=1.0)
        own = of.replace(strategy=strategy, series=series)
        plant = plant_of(own)
        active = activate(own, plant)
        plant = active.restrict(plant)
        cutter = segments.Cutter(expand(model_of(plant, active)[0]), plant.steps)
        ends = cutter.ends_allowed(np.arange(plant.steps + 1))
        midnights = [i for i in ends.tolist() if 0 < i < plant.steps]
        assert bool(cutter.separable(ends)[midnights].any()) is there


def test_the_energy_of_a_shared_instant_is_priced_once() -> None:
    """Whatever the multipliers, what one segment pays for it the other one gets: else the bound would count it twice."""
    of = scenario(2)
    plant = plant_of(of)
    active = activate(of, plant)
    plant = active.restrict(plant)
    program = expand(model_of(plant, active)[0])
    cutter = segments.Cutter(program, plant.steps)
    dual = np.random.default_rng(0).normal(0.0, 10.0, program.rows)
    shared = program.variables["energy_mwh"].first + 12

    def price(segment: Segment) -> float:
        programs = cutter.cut(segment, np.zeros(program.columns), dual)
        return float(programs.priced.cost[np.searchsorted(programs.origin, shared)])

    assert price(Segment(0, 12)) == pytest.approx(-price(Segment(12, 24, joined=True)), rel=1e-12)
    assert abs(price(Segment(0, 12)) + price(Segment(12, 24))) > 1.0
