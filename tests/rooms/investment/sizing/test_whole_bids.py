"""Sizes for a market that takes whole bids: the value is of whole bids, the bound holds, and the search ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.sites import at_size, npv

import bess_opt as bo
from bess_opt.investment.sizing import grid
from bess_opt.investment.sizing.exact import plans as exact_plans
from bess_opt.solver.solution import LimitReachedError

LOSSLESS = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
ONE = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
BATTERY = {"power_mw": 1.0, "duration_h": 2.0, "technology": LOSSLESS, "converters": ONE, "soc_end": "equal"}
YEAR = {"lifetime_years": 1, "discount_rate": 0.0, "horizons_per_year": 1.0, "first_payment_year": 0}
UP = {"name": "up", "direction": "up", "block_h": 4.0, "headroom_h": 0.25, "step_mw": 1.0, "min_bid_mw": 1.0}
FCR = {"name": "fcr", "block_h": 4.0, "headroom_h": 0.25, "step_mw": 1.0, "share_of_power": 0.8}
RANGES: dict[str, Any] = {"power_mw": (0.6, 2.7), "duration_h": 2.0}


def flat(**changes: Any) -> bo.Scenario:
    """Eight hours of one energy price; a MW upward earns 80 in them and costs 30, whatever the duration."""
    index = pd.date_range("2025-03-01", periods=8, freq="h", tz="UTC", name="time")
    series = pd.DataFrame({"price_per_mwh": 50.0, "up_price_per_mw": 10.0}, index=index)
    finance = YEAR | {"capital_per_mw": 30.0, "capital_per_mwh": 0.0}
    given = {"battery": BATTERY, "series": series, "product": [UP], "strategy": "arbitrage", "finance": finance}
    given["site"] = {"grid_charging": False}  # so that no charging base point adds to a bid
    return bo.Scenario(**(given | changes))


def uneven(*products: dict[str, Any], seed: int = 1) -> bo.Scenario:
    """A day of prices that change from hour to hour, losses as they come, and costs of power and energy."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2025-03-01", periods=24, freq="h", tz="UTC", name="time")
    blocks = np.repeat(rng.uniform(4.0, 14.0, (6, 2)), 4, axis=0)
    series = pd.DataFrame(
        {"price_per_mwh": 60.0 + 40.0 * rng.standard_normal(24), "up_price_per_mw": blocks[:, 0]}, index=index
    )
    series["fcr_price_per_mw"] = blocks[:, 1]
    finance = YEAR | {"capital_per_mw": 90.0, "capital_per_mwh": 30.0}
    battery = {"power_mw": 2.0, "duration_h": 2.0, "soc_end": "equal"}
    return bo.Scenario(battery=battery, series=series, product=list(products), strategy="arbitrage", finance=finance)


def codes(best: bo.Sizing) -> list[str]:
    return [finding.code for finding in best.findings]


def test_the_size_is_the_one_that_two_whole_bids_just_fit() -> None:
    """2.7 MW could sell 2.7 MW in a market of any bid: 50 a MW, 135. Whole bids are 2 at most: 2 MW, worth 100."""
    best = bo.size(flat(), **RANGES)
    assert (best.power_mw, best.energy_mwh) == (2.0, 4.0)
    assert best.value == pytest.approx(100.0)
    assert best.bound == pytest.approx(135.0)
    assert best.plan.schedule["up_mw"].tolist() == pytest.approx([2.0] * 8)
    assert best.marginal_value is None, "at 3 MW a whole further bid fits, and no slope says so"
    (found,) = (finding for finding in best.findings if finding.code == "gap_open")
    assert found.expected == "the bound lets any bid be made, and exact plans make those that the market takes"


@pytest.mark.parametrize(
    ("steps", "bound"),
    [({"power_step_mw": 0.5, "energy_step_mwh": 1.0}, 100.0), ({"module": (0.25, 0.5)}, 100.0)],
    ids=["steps", "blocks"],
)
def test_on_steps_the_best_is_proven(steps: dict[str, Any], bound: float) -> None:
    """All sizes on the steps are planned, or bounded by planes that lie lower: 2 MW is the best of them for sure."""
    best = bo.size(flat(), **RANGES, **steps)
    assert (best.power_mw, best.energy_mwh) == (2.0, 4.0)
    assert best.value == pytest.approx(100.0)
    assert best.bound == pytest.approx(bound, rel=1e-3)
    assert best.bound_continuous == pytest.approx(135.0)
    assert "gap_open" not in codes(best)


@pytest.mark.parametrize(
    "products",
    [
        (UP, FCR),
        (UP | {"exclusive_group": "one"}, FCR | {"exclusive_group": "one"}),
        ({"name": "up", "direction": "up", "headroom_h": 1.0, "min_bid_mw": 1.5},),
    ],
    ids=["whole MW", "one of a group", "a least bid"],
)
def test_no_exact_plan_of_a_grid_is_above_the_bound_nor_far_above_the_value(
    products: tuple[dict[str, Any], ...],
) -> None:
    """Each size planned by itself, its value worked out by hand."""
    scenario = uneven(*products)
    best = bo.size(scenario, (0.5, 4.0), (1.0, 4.0))
    values = [
        npv(bo.optimize(at_size(scenario, p, p * h))) for p in np.linspace(0.5, 4.0, 8) for h in (1.0, 2.0, 4.0)
    ]
    assert best.bound is not None
    assert max(values) <= best.bound + 1e-6
    assert best.value == pytest.approx(npv(bo.optimize(at_size(scenario, best.power_mw, best.energy_mwh))), abs=0.2)
    assert best.value >= max(values) - 0.2
    assert (best.table["exact"].astype(bool)).sum() <= 20


def test_a_rate_of_return_is_of_whole_bids_too() -> None:
    """Twenty years of 80 a MW for 30: at 2.4 MW two bids alone are made, 2 MW earn the same for less."""
    finance = YEAR | {"capital_per_mw": 500.0, "capital_per_mwh": 0.0, "capital_fixed": 100.0, "lifetime_years": 20}
    best = bo.size(flat(finance=finance), (0.6, 2.4), 2.0, objective="irr")
    assert best.power_mw == 2.0
    assert best.bound is not None
    assert best.value < best.bound


def test_a_score_is_of_whole_bids_too() -> None:
    best = bo.size(flat(), **RANGES, objective="score", power_step_mw=0.1, energy_step_mwh=0.2)
    assert best.value == pytest.approx(160.0)
    assert best.bound == pytest.approx(160.0, rel=1e-3)


def test_the_time_limit_is_that_of_all_plans_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first plan stands, with the bound that holds without it, and the finding says what ended the search."""
    made = exact_plans.planned
    asked: list[float | None] = []

    def late(scenario: bo.Scenario, twin: Any) -> Any:
        asked.append(scenario.solver.time_limit_s)
        if len(asked) > 1:
            raise LimitReachedError("the time limit ended the search for bids before any plan")
        return made(scenario, twin)

    monkeypatch.setattr(exact_plans, "planned", late)
    best = bo.size(flat(solver={"time_limit_s": 60.0}), **RANGES)
    assert best.power_mw == pytest.approx(2.7)
    assert best.bound == pytest.approx(135.0)
    assert best.value == pytest.approx(160.0 - 2.7 * 30.0)
    assert codes(best)[0] == "time_limit"
    assert "after 1 exact plan" in next(iter(best.findings)).found
    assert asked[0] is not None
    assert asked[1] is not None
    assert asked[1] < asked[0] <= 60.0


def test_out_of_time_before_any_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no best size so far, and no size is called infeasible."""

    def late(_scenario: bo.Scenario, _twin: Any) -> Any:
        raise LimitReachedError("the time limit ended the search for bids before any plan")

    monkeypatch.setattr(exact_plans, "planned", late)
    monkeypatch.setattr(grid, "planned", late)
    for battery in (BATTERY, BATTERY | {"wear_cost_per_mwh": 1.0}):  # with a bound, and on a grid
        with pytest.raises(LimitReachedError, match="before any plan"):
            bo.size(flat(battery=battery, solver={"time_limit_s": 60.0}), **RANGES)


def test_ended_from_outside_it_gives_the_best_so_far() -> None:
    def end(told: Any) -> None:
        if told.best is not None:
            raise StopIteration

    best = bo.size(flat(), **RANGES, progress=end)
    assert "cancelled" in codes(best)
    assert best.bound == pytest.approx(135.0)
    assert best.value <= 100.0 + 1e-6


def test_a_map_of_sizes_shows_what_any_bid_would_earn() -> None:
    """Not exact, as each row says: the map is that of the bound."""
    table = bo.size(flat(), **RANGES).surface(3, 1)
    assert not table["exact"].any()
    assert table["value"].tolist() == pytest.approx([30.0, 82.5, 135.0])


def test_several_batteries_are_bounded_by_a_market_of_any_bid_too() -> None:
    """Together 2.7 MW at most: two whole bids, and what the open gap is due to is said."""
    two = [BATTERY | {"name": "north"}, BATTERY | {"name": "south"}]
    best = bo.size(flat(battery=two), {"north": (0.6, 1.7), "south": 1.0}, 2.0)
    assert best.bound == pytest.approx(135.0)
    assert 160.0 - 2.7 * 30.0 <= best.value <= 100.0
    assert (
        "relaxes the one-way rule and whole bids" in next(f for f in best.findings if f.code == "gap_open").expected
    )


def test_a_grid_shares_the_time_limit_among_its_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wear is no cash, so that nothing bounds the value; each of seven sizes, and the best once more, has its part."""
    made, asked = grid.planned, list[tuple[float | None, float]]()

    def noted(scenario: bo.Scenario, twin: Any) -> Any:
        asked.append((scenario.solver.time_limit_s, scenario.solver.rel_gap))
        return made(scenario, twin)

    monkeypatch.setattr(grid, "planned", noted)
    stated = flat(battery=BATTERY | {"wear_cost_per_mwh": 1.0}, solver={"time_limit_s": 60.0})
    best = bo.size(stated, **RANGES, tolerance=1e-3)
    assert codes(best)[0] == "no_bound"
    assert asked == [(60.0 / 8, pytest.approx(1e-4))] * 8
    assert best.plan.scenario.solver == best.scenario.solver == stated.solver
    assert best.power_mw == pytest.approx(2.0)
