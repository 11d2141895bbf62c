"""Plans whose calls of market products go both ways in few steps: mended, and proven at their own prices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.whole_program import whole

import bess_opt as bo
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.plant import Plant
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import needs_both_ways, one_way_program
from bess_opt.solver.program import Program
from bess_opt.solver.search import price_rounds, segment_plans
from bess_opt.solver.search.one_way_search import OneWaySearch
from bess_opt.solver.search.price_rounds import PriceRounds, _laid_out
from bess_opt.solver.search.segment_plans import SegmentPlans
from bess_opt.solver.search.segments import Segment
from bess_opt.strategies.shared.activation import prepare

PRODUCTS: list[dict[str, Any]] = [
    {"name": "a", "headroom_h": 0.25, "block_h": 4.0},
    {"name": "b", "direction": "up", "headroom_h": 1.0, "block_h": 4.0},
    {"name": "c", "direction": "down", "headroom_h": 1.0, "block_h": 4.0},
]


def site(days: int, seed: int) -> bo.Scenario:
    """A battery whose losses are large, so that what a call takes into the cells matters, and three products."""
    draws, hours = np.random.default_rng(seed), 24 * days
    index = pd.date_range("2025-03-01", periods=hours, freq="h", tz="UTC")
    series = pd.DataFrame({"price_per_mwh": 60.0 + 40.0 * np.sin(np.arange(hours) / 24.0 * 4.0 * np.pi)}, index)
    series["price_per_mwh"] += draws.normal(0.0, 12.0, hours)
    for product in PRODUCTS:
        series[f"{product['name']}_price_per_mw"] = np.repeat(draws.gamma(2.0, 4.0, hours // 4), 4)
    battery = {"power_mw": 10.0, "duration_h": 2.0, "technology": {"eta_charge": 0.9, "eta_discharge": 0.85}}
    battery["technology"] |= {"soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0}  # type: ignore[operator]
    return bo.Scenario(battery=battery, series=series, product=PRODUCTS, strategy="arbitrage")


def parts_of(scenario: bo.Scenario) -> tuple[Plant, Program, Any]:
    """The scenario's plant, its linear program and the model."""
    made = prepare(scenario)
    m = model_of(made.plant, made.strategy)[0]
    return made.plant, expand(m), m


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[PriceRounds]:
    """The rounds of each search, ended."""
    ended, run = list[PriceRounds](), PriceRounds.run

    def noted(self: PriceRounds) -> None:
        run(self)
        ended.append(self)

    monkeypatch.setattr(PriceRounds, "run", noted)
    return ended


@pytest.mark.parametrize("seed", range(6))
def test_plan_and_bound_meet_at_the_optimum(seed: int, rounds: list[PriceRounds]) -> None:
    """Whatever the rounds leave open is closed by segments; what they bound is never below the optimum."""
    of = site(2, seed)
    report, exact = bo.optimize(of).report, whole(of)
    assert report is not None
    assert report.objective == pytest.approx(exact, rel=1e-6)
    assert report.bound >= exact * (1.0 - 1e-6)
    for one in rounds:
        assert -one.bound >= exact * (1.0 - 1e-6)
        assert one.best is not None
        assert -one.best.solution.objective <= exact * (1.0 + 1e-6)


def test_a_fortnight_needs_no_search_by_segments(monkeypatch: pytest.MonkeyPatch, rounds: list[PriceRounds]) -> None:
    """What a search by growing segments took most of its time for."""
    monkeypatch.delattr(OneWaySearch, "_by_segments")
    report = bo.optimize(site(14, 1)).report
    assert report is not None
    assert report.gap <= 1e-6
    assert rounds[0].closes
    assert report.windows == rounds[0].found.segments > 1  # type: ignore[union-attr]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_rounds_leave_open_segments_close(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_rounds, "ROUNDS", 1)
    monkeypatch.setattr(price_rounds, "AROUND", 2)
    of = site(2, seed)
    report = bo.optimize(of).report
    assert report is not None
    assert report.objective == pytest.approx(whole(of), rel=1e-6)
    assert report.gap <= 1e-6


def test_segments_of_any_length_are_given_branches_and_no_more(
    monkeypatch: pytest.MonkeyPatch, rounds: list[PriceRounds]
) -> None:
    """A segment that has grown long is not handed to a mixed-integer solver, which would have no end."""

    def asked(*_a: object, **_k: object) -> None:
        raise AssertionError

    monkeypatch.setattr(segment_plans, "MOST_CHOICES", 1)
    monkeypatch.setattr(segment_plans.Solver, "allow_gap", asked)
    report = bo.optimize(site(14, 1)).report
    assert report is not None
    assert report.gap <= 1e-6
    assert rounds[0].closes


def test_ways_count_by_the_energy_that_both_at_once_would_lose() -> None:
    """A call of a quarter of an hour loses a quarter of what an hour does; a connection loses none in the cells."""
    plant, program, m = parts_of(site(2, 0))
    pairs = pairs_of(plant)
    plans = SegmentPlans(Solver(program), one_way_program(m, plant, program, pairs), pairs, (), plant.scale_mw)
    weight = dict(zip((pair.binary for pair in pairs), plans._weights.tolist(), strict=True))
    assert weight == pytest.approx(
        {"charging": 1.0, "called_down_0_charging": 0.25, "called_down_1_charging": 0.75, "importing": 1.0}
    )


def test_ways_of_further_converters_in_the_model_are_no_choices_of_the_program() -> None:
    """A search that was given up leaves its binaries in the model."""
    plant, program, m = parts_of(site(2, 0))
    pairs = pairs_of(plant)
    one_way_program(m, plant, program, pairs)
    full = one_way_program(m, plant, program, pairs[:1])
    assert full.integer.sum() > plant.steps
    assert not len(SegmentPlans(Solver(program), full, pairs[:1], (), plant.scale_mw).choices)


def test_ties_are_broken_once_where_calls_need_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, prefer = list[int](), Solver.prefer

    def counted(self: Solver, *given: Any) -> Any:
        broken.append(1)
        return prefer(self, *given)

    monkeypatch.setattr(Solver, "prefer", counted)
    bo.optimize(site(4, 1))
    assert len(broken) == 1


def test_what_both_ways_have_in_common_is_needed_where_a_row_misses_it() -> None:
    plant, program, _ = parts_of(site(2, 0))
    called = tuple(pair for pair in pairs_of(plant) if pair.of_call)
    relaxed = Solver(program).solve().x
    assert needs_both_ways(program, relaxed, called, plant.scale_mw)
    assert not needs_both_ways(program, relaxed, (), plant.scale_mw)


def test_spans_that_overlap_become_one_segment_or_touch() -> None:
    spans = [(0, 8), (4, 12), (10, 30), (28, 29), (40, 48), (48, 50)]
    assert _laid_out(spans, 12) == [
        Segment(0, 12), Segment(12, 30, joined=True), Segment(40, 48), Segment(48, 50, joined=True)
    ]  # fmt: skip
    assert _laid_out(spans, 100) == [Segment(0, 30), Segment(40, 48), Segment(48, 50, joined=True)]
