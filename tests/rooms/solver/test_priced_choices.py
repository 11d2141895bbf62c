"""Bids with least sizes, steps and groups beside calls that run one way: both searched at once, by prices of plans."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.whole_program import whole

import bess_opt as bo
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import Exact
from bess_opt.solver.program import Program
from bess_opt.solver.search import price_rounds, priced_choices, tiled_rounds
from bess_opt.solver.search.tiled_rounds import TiledRounds
from bess_opt.solver.search.whole_numbers import WholeNumbers
from bess_opt.solver.solution import LimitReachedError

BIDS: list[dict[str, Any]] = [
    {"min_bid_mw": 1.0},
    {"min_bid_mw": 3.0},
    {"step_mw": 1.0},
    {"step_mw": 0.5, "min_bid_mw": 2.0},
    {"min_bid_mw": 2.0, "exclusive_group": "one"},
    {"step_mw": 2.5, "exclusive_group": "one"},
]


def site(days: int, seed: int, bids: dict[str, Any], **solver: Any) -> bo.Scenario:
    """A battery whose losses are large, so that what a call takes into the cells matters, and three products."""
    draws, hours = np.random.default_rng(seed), 24 * days
    index = pd.date_range("2025-03-01", periods=hours, freq="h", tz="UTC")
    series = pd.DataFrame({"price_per_mwh": 50.0 + 50.0 * np.sin(np.arange(hours) / 24.0 * 4.0 * np.pi)}, index)
    series["price_per_mwh"] += draws.normal(0.0, 20.0, hours)
    products = [
        {"name": "a", "headroom_h": 0.25, "block_h": 4.0, **bids},
        {"name": "b", "direction": "up", "headroom_h": 1.0, "block_h": 4.0, **bids},
        {"name": "c", "direction": "down", "headroom_h": 1.0, "block_h": 4.0, **bids},
    ]
    for product in products:
        series[f"{product['name']}_price_per_mw"] = np.repeat(draws.gamma(2.0, 4.0, hours // 4), 4)
    technology = {"eta_charge": 0.9, "eta_discharge": 0.85, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0}
    battery = {"power_mw": 10.0, "duration_h": 2.0, "technology": technology}
    return bo.Scenario(battery=battery, series=series, product=products, strategy="arbitrage", solver=solver)


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[TiledRounds]:
    """The rounds of each search, ended; few choices are many, and tiles are short."""
    ended, run = list[TiledRounds](), TiledRounds.run

    def noted(self: TiledRounds) -> None:
        try:
            run(self)
        finally:
            ended.append(self)

    monkeypatch.setattr(TiledRounds, "run", noted)
    monkeypatch.setattr(priced_choices, "FEW_CHOICES", 0)
    monkeypatch.setattr(tiled_rounds, "TILE", 8)
    return ended


@pytest.mark.parametrize("bids", BIDS, ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_plan_and_bound_meet_at_the_optimum(seed: int, bids: dict[str, Any], rounds: list[TiledRounds]) -> None:
    of = site(1, seed, bids)
    plan, exact = bo.optimize(of), whole(of)
    assert plan.report is not None
    assert plan.report.objective == pytest.approx(exact, rel=1e-6)
    assert plan.report.bound >= exact * (1.0 - 1e-7)
    assert plan.report.gap <= 1e-6
    assert -rounds[0].bound >= exact * (1.0 - 1e-7)
    assert rounds[0].best is not None
    assert -rounds[0].best.solution.objective <= exact * (1.0 + 1e-7)
    assert rounds[0].closes  # no other search is asked
    assert plan.report.certificate is not None
    assert plan.report.certificate.gap < 1e-6
    for name in "abc":
        held = plan.schedule[f"{name}_mw"].to_numpy()
        least = bids.get("min_bid_mw", 0.0)
        assert ((held < 1e-6) | (held > least - 1e-6)).all()


def test_the_same_plan_comes_out_again(rounds: list[TiledRounds]) -> None:
    of = site(2, 7, {"min_bid_mw": 2.0})
    first, second = bo.optimize(of), bo.optimize(of)
    pd.testing.assert_frame_equal(first.schedule, second.schedule, check_exact=True)
    assert first.report is not None
    assert second.report is not None
    assert first.report.bound == second.report.bound
    assert len(rounds) == 2


def test_segments_are_joined_where_their_prices_say_too_little(rounds: list[TiledRounds]) -> None:
    bo.optimize(site(2, 0, {"min_bid_mw": 1.0}))
    tiles = rounds[0]._segments
    assert tiles[0].first == 0
    assert tiles[-1].last == 48
    assert all(one.last == two.first for one, two in pairwise(tiles))
    assert len({one.last - one.first for one in tiles}) > 1


def test_rounds_that_come_no_closer_leave_the_rest_to_a_search_of_the_whole(
    rounds: list[TiledRounds], monkeypatch: pytest.MonkeyPatch
) -> None:
    of = site(1, 3, {"step_mw": 1.0})
    monkeypatch.setattr(tiled_rounds, "CLOSED", 1e-9)  # whatever a round closes is too little
    monkeypatch.setattr(tiled_rounds, "STALLED", 1)
    report = bo.optimize(of).report
    assert report is not None
    assert report.objective == pytest.approx(whole(of), rel=1e-6)
    assert report.gap <= 1e-6
    assert not rounds[0].closes
    monkeypatch.setattr(tiled_rounds, "STALLED", 1_000)
    bo.optimize(of)
    assert rounds[1].closes


@pytest.mark.parametrize("after", [5, 12])
def test_out_of_time_the_best_plan_stands_with_its_gap(
    after: int, rounds: list[TiledRounds], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time ends within the rounds, by the number of programs that have asked for what is left of it."""
    asked, left = list[int](), priced_choices.PricedChoices._left_s

    def ended(self: priced_choices.PricedChoices) -> float | None:
        asked.append(1)
        if self.deadline is not None and len(asked) > after:
            raise LimitReachedError
        return left(self)

    monkeypatch.setattr(priced_choices.PricedChoices, "_left_s", ended)
    of = site(2, 1, {"min_bid_mw": 2.0}, time_limit_s=60.0)
    report, exact = bo.optimize(of).report, whole(of)
    assert report is not None
    assert rounds
    assert report.status == "time_limit"
    assert report.objective <= exact * (1.0 + 1e-7)
    assert report.bound >= exact * (1.0 - 1e-7)
    assert 0.0 < report.gap < 0.1


def test_where_the_rounded_plan_does_not_go_together_the_search_by_segments_is_asked(
    rounds: list[TiledRounds], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TiledRounds, "run", lambda _self: None)
    of = site(1, 0, {"min_bid_mw": 2.0})
    report = bo.optimize(of).report
    assert report is not None
    assert report.objective == pytest.approx(whole(of), rel=1e-6)
    assert not rounds


@pytest.mark.parametrize(("days", "seed", "step"), [(1, 7, 0.5), (2, 8, 4.0)])
def test_bids_that_only_both_ways_at_once_can_stand_are_rounded_again_with_the_ways_held(
    days: int, seed: int, step: float, rounds: list[TiledRounds], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first plan alone, against the best one; rounding that knows of no ways finds none."""
    found, mended = list[bool](), priced_choices.PricedChoices.mended

    def noted(self: priced_choices.PricedChoices, *told: Any, **ways: Any) -> Exact | None:
        plan = mended(self, *told, **ways)
        found.append(plan is not None)
        return plan

    monkeypatch.setattr(priced_choices.PricedChoices, "mended", noted)
    monkeypatch.setattr(price_rounds, "ROUNDS", 0)
    of = site(days, seed, {"step_mw": step}, rel_gap=1e-3)
    best = bo.optimize(of).report
    assert best is not None
    assert found == [False, True, True]
    first = rounds[0].best
    assert first is not None
    assert 0.9 * best.objective <= -first.solution.objective <= best.bound * (1.0 + 1e-9)
    held = first.x[rounds[0]._plans.choices]
    np.testing.assert_allclose(held, np.round(held), atol=1e-9)


def test_a_column_is_whole_where_its_rows_let_it_be() -> None:
    """bid <= 20·on, bid >= 2·on, bid = 0.5·n: of bids of 0, 1, 2 and 5."""
    for bid, on, steps in ((0.0, (0.0, False), 0.0), (1.0, (0.0, True), 2.0), (2.0, (1.0, False), 4.0)):
        program = Program(
            cost=np.zeros(3),
            offset=0.0,
            lower=np.zeros(3),
            upper=np.array([20.0, 1.0, 40.0]),
            row_lower=np.array([-np.inf, 0.0, 0.0]),
            row_upper=np.array([0.0, np.inf, 0.0]),
            start=np.array([0, 2, 4, 6], dtype=np.int32),
            column=np.array([0, 1, 0, 1, 0, 2], dtype=np.int32),
            value=np.array([1.0, -20.0, 1.0, -2.0, 1.0, -0.5]),
            integer=np.array([False, True, True]),
        )
        below, part = WholeNumbers(program, np.array([1, 2])).nearest(np.array([bid, bid / 20.0, bid / 0.5]))
        assert (below[0], part[0] > 0.0) == on
        assert below[1] == steps
        assert part[1] == 0.0
    assert Solver(program).solve().objective == 0.0
