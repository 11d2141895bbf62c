"""Market products on forecasts: bids from window to window, blocks under way kept, calls that must be seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

STEPS = 16
ROWS = [
    {"name": "fcr", "block_h": 4.0, "headroom_h": 0.5},
    {"name": "afrr", "direction": "up", "block_h": 4.0, "headroom_h": 1.0},
]


def sold(rows: Any = ROWS, **columns: Any) -> bo.Scenario:
    rng = np.random.default_rng(0)
    index = pd.date_range("2025-03-01", periods=STEPS, freq="h", tz="Europe/Berlin", name="time")
    prices = {
        "price_per_mwh": np.round(rng.normal(50, 30, STEPS), 2),
        "fcr_price_per_mw": np.round(rng.uniform(2, 20, STEPS), 2),
        "afrr_price_per_mw": np.round(rng.uniform(2, 20, STEPS), 2),
    }
    battery = {"power_mw": 1.0, "duration_h": 2.0, "technology": "modern_lfp", "soc_start": 0.5}
    series = pd.DataFrame(prices | columns, index=index)
    return bo.Scenario(battery=battery, series=series, product=rows, strategy="arbitrage")


def test_windows_over_all_that_comes_earn_what_the_optimum_earns() -> None:
    scenario = sold()
    best = bo.optimize(scenario).metrics
    made = bo.control(scenario, forecast="perfect", horizon_h=48, every_h=12)
    assert made.metrics.net_revenue == pytest.approx(best.net_revenue)
    assert made.metrics.product_revenue == pytest.approx(best.product_revenue)


def test_a_block_under_way_keeps_its_bid_whatever_is_believed_later() -> None:
    """Short windows on a naive forecast: bids are constant within blocks and every promise is kept."""
    forecast = {"price_per_mwh": "persistence", "*": "perfect"}
    made = bo.control(sold(), forecast=forecast, horizon_h=6, every_h=1)
    for name in ("fcr_mw", "afrr_mw"):
        blocks = made.schedule[name].to_numpy().reshape(-1, 4)
        assert blocks == pytest.approx(np.repeat(blocks[:, :1], 4, axis=1), abs=1e-7)
    assert made.metrics.product_revenue > 0.0
    assert made.delivery[["margin_mw", "margin_mwh"]].min().min() > -1e-6


def test_calls_are_carried_out_as_planned() -> None:
    calls = {
        "afrr_activation": np.tile([0.3, 0.0, 0.1, 0.2], STEPS // 4),
        "afrr_activation_price_per_mwh": 90.0,
    }
    made = bo.control(sold(**calls), forecast="perfect", horizon_h=8, every_h=1)
    assert made.products.loc["afrr", "activation_revenue"] > 0.0
    assert made.figures["deviation_mwh"] == pytest.approx(0.0, abs=1e-9)


def test_calls_that_are_not_seen_are_refused() -> None:
    with pytest.raises(bo.StrategyError, match="afrr_activation"):
        bo.control(sold(afrr_activation=0.1), forecast={"afrr_activation": "persistence", "*": "perfect"}, every_h=4)


CHOSEN = [
    {"name": "fcr", "block_h": 4.0, "headroom_h": 0.5, "min_bid_mw": 0.3, "step_mw": 0.1, "exclusive_group": "one"},
    {"name": "afrr", "direction": "up", "block_h": 2.0, "headroom_h": 1.0, "step_mw": 0.25, "exclusive_group": "one"},
]


@pytest.mark.parametrize(("horizon_h", "every_h"), [(8, 1), (8, 4), (48, 6)])
def test_bids_are_those_that_the_market_takes(horizon_h: float, every_h: float) -> None:
    """Least bids, whole steps and one of a group, chosen for each block that begins in the steps carried out."""
    forecast = {"price_per_mwh": "persistence", "*": "perfect"}
    made = bo.control(sold(CHOSEN), forecast=forecast, horizon_h=horizon_h, every_h=every_h)
    fcr, afrr = made.schedule["fcr_mw"], made.schedule["afrr_mw"]
    assert fcr.max() > 0.0
    assert afrr.max() > 0.0
    assert not ((fcr > 1e-9) & (afrr > 1e-9)).any()
    assert (fcr[fcr > 1e-9] >= 0.3 - 1e-9).all()
    assert ((fcr / 0.1).round() * 0.1).to_numpy() == pytest.approx(fcr.to_numpy(), abs=1e-7)
    assert ((afrr / 0.25).round() * 0.25).to_numpy() == pytest.approx(afrr.to_numpy(), abs=1e-7)
    assert made.metrics.net_revenue <= bo.optimize(sold(CHOSEN)).metrics.net_revenue + 1e-6


def test_a_window_over_all_that_comes_chooses_as_the_optimum() -> None:
    """With every block in the steps carried out the window makes the choices of the optimum."""
    made = bo.control(sold(CHOSEN), forecast="perfect", horizon_h=48, every_h=15)
    best = bo.optimize(sold(CHOSEN))
    assert made.metrics.net_revenue == pytest.approx(best.metrics.net_revenue, rel=1e-6)


def test_a_block_in_which_nothing_may_be_held_is_passed() -> None:
    """A product of a group that is open at some hours alone: what has happened in its closed blocks says nothing."""
    rows = [CHOSEN[0] | {"hours": [4, 12]}, CHOSEN[1]]
    made = bo.control(sold(rows), forecast="perfect", horizon_h=8, every_h=1)
    assert made.schedule["fcr_mw"].iloc[12:].max() == pytest.approx(0.0, abs=1e-9)
    assert made.schedule["afrr_mw"].iloc[12:].max() > 0.0


def test_a_ramp_is_that_of_the_base_point_from_window_to_window() -> None:
    """A bid called for a share of a step moves the meter, not what the ramp of the next window is counted from."""
    share = np.tile([0.5, 0.0], STEPS // 2)
    scenario = sold(afrr_activation=share, afrr_activation_price_per_mwh=90.0)
    scenario = scenario.replace(connection=[{"name": "slow", "ramp_mw_per_min": 0.01}])
    made = bo.control(scenario, forecast="perfect", horizon_h=8, every_h=1)
    called = (made.schedule["afrr_mw"] * share).to_numpy()
    assert called.max() > 0.1
    assert np.abs(np.diff(made.schedule["grid_mw"].to_numpy() - called)).max() <= 0.6 + 1e-6
    assert made.figures["deviation_mwh"] == pytest.approx(0.0, abs=1e-7)


def test_what_stands_is_taken_up_by_the_next_scenario() -> None:
    """Two steps into a block of four hours: its bid stands, and the ramp begins at the base point."""
    share = np.full(STEPS, 0.25)
    scenario = sold(afrr_activation=share).replace(connection=[{"name": "slow", "ramp_mw_per_min": 0.01}])
    plan = bo.optimize(scenario)
    used = bo.used(plan, until=plan.schedule.index[6])
    row = plan.schedule.iloc[5]
    assert [table["held_mw"] for table in used["product"]] == pytest.approx([row["fcr_mw"], row["afrr_mw"]], abs=1e-8)
    assert used["connection"][0]["before_mw"] == pytest.approx(row["grid_mw"] - 0.25 * row["afrr_mw"])
    rest = scenario.replace(series=scenario.series.iloc[6:], battery={"soc_start": row["soc"]}, **used)
    taken_up = bo.optimize(rest)
    assert taken_up.schedule["afrr_mw"].iloc[:2].to_numpy() == pytest.approx([row["afrr_mw"]] * 2, abs=1e-7)
    assert all("held_mw" not in table for table in bo.used(plan, until=plan.schedule.index[8])["product"])
