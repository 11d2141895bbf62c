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


def test_bids_that_are_choices_are_refused_in_windows() -> None:
    rows = [ROWS[0] | {"min_bid_mw": 0.5}, ROWS[1]]
    with pytest.raises(bo.StrategyError, match="min_bid_mw"):
        bo.control(sold(rows), forecast="perfect", horizon_h=8, every_h=4)
