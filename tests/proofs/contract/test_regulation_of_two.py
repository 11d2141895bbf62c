"""Regulation of two unlike batteries: each holds its part, parts add up, and the market products come to the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.strategies.frequency_regulation import replay_signal

STEPS = 6
NORTH = {"name": "north", "power_mw": 1.0, "duration_h": 1.5, "technology": "premium", "soc_start": 0.5}
SOUTH = {"name": "south", "power_mw": 0.5, "duration_h": 4.0, "technology": "standard", "soc_start": 0.4}
PLAIN: dict[str, Any] = {"activation_up": 0.2, "activation_down": 0.1}
BLOCKS: dict[str, Any] = {"symmetric": True, "block_h": 2.0, "headroom_h": 0.5, "max_capacity_mw": 0.9}
OPTIONS = [PLAIN, pytest.param(BLOCKS, marks=pytest.mark.second_tier)]


def site(options: dict[str, Any], topology: str, *, as_products: bool = False) -> bo.Scenario:
    rng = np.random.default_rng(3)
    index = pd.date_range("2025-06-01 22:00", periods=STEPS, freq="h", tz="Europe/Berlin", name="time")
    up, down = np.round(rng.uniform(4, 20, STEPS), 2), np.round(rng.uniform(4, 20, STEPS), 2)
    energy = {"price_per_mwh": np.round(rng.normal(40, 30, STEPS), 2), "load_mw": 0.4}
    common: dict[str, Any] = {
        "battery": [battery | {"topology": topology} for battery in (NORTH, SOUTH)],
        "site": {"export_limit_mw": 1.1, "inverter_mw": 1.3},
        "solver": {"rel_gap": 1e-9},
    }
    if not as_products:
        prices = {"regulation_up_price_per_mw": up, "regulation_down_price_per_mw": down}
        strategy = {"name": "frequency_regulation", **options}
        return bo.Scenario(series=pd.DataFrame(energy | prices, index), strategy=strategy, **common)
    row = {key: options[key] for key in ("block_h", "headroom_h") if key in options}
    row |= {"max_mw": options["max_capacity_mw"]} if "max_capacity_mw" in options else {}
    share = {way: options.get(f"activation_{way}", 0.1) for way in ("up", "down")}
    if options.get("symmetric"):
        own = {f"reg_activation_{way}": called for way, called in share.items()}
        columns, rows = {"reg_price_per_mw": up + down, **own}, [{"name": "reg", **row}]
    else:
        own = {f"{way}_activation": called for way, called in share.items()}
        columns = {"up_price_per_mw": up, "down_price_per_mw": down, **own}
        rows = [{"name": way, "direction": way, **row} for way in ("up", "down")]
    series = pd.DataFrame(energy | columns, index)
    return bo.Scenario(series=series, strategy="arbitrage", product=rows, **common)


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc"])
@pytest.mark.parametrize("options", OPTIONS)
def test_the_optimum_is_that_of_the_products(options: dict[str, Any], topology: str) -> None:
    strategy, products = (bo.optimize(site(options, topology, as_products=several)) for several in (False, True))
    assert strategy.metrics.net_revenue == pytest.approx(products.metrics.net_revenue, rel=1e-9)
    assert strategy.metrics.regulation_revenue == pytest.approx(products.metrics.product_revenue, rel=1e-6)
    assert strategy.metrics.product_revenue == products.metrics.regulation_revenue == 0.0
    assert (strategy.delivery[["margin_mw", "margin_mwh"]].to_numpy() > -1e-6).all()


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc"])
@pytest.mark.parametrize("options", OPTIONS)
def test_each_battery_holds_its_part_under_the_rule(options: dict[str, Any], topology: str) -> None:
    """By rated power, 2 to 1, where each can; what they hold can be called, and the replay comes to the same."""
    rule = bo.simulate(site(options, topology))
    table = rule.whole_schedule
    for name in ("regulation_up_mw", "regulation_down_mw"):
        parts = [table[f"{battery}.{name}"] for battery in ("north", "south")]
        assert (parts[0] + parts[1]).to_numpy() == pytest.approx(table[name].to_numpy(), abs=1e-12)
        assert min(float(part.max()) for part in parts) > 0.05
    assert (rule.delivery[["margin_mw", "margin_mwh"]].to_numpy() > -1e-6).all()
    assert bo.replay(rule).metrics.net_revenue == pytest.approx(rule.metrics.net_revenue, rel=1e-9)
    assert rule.metrics.score <= bo.optimize(site(options | {"symmetric": False}, topology)).metrics.score + 1e-6


def test_a_signal_is_run_through_both() -> None:
    """No call is the base point of each; a whole one of both ways asks for all that they hold."""
    plan = bo.simulate(site(PLAIN, "parallel_ac"))
    index = pd.DatetimeIndex(plan.schedule.index)
    still = replay_signal(plan, pd.Series(0.0, index=index))
    assert still.delivered_share is None
    assert still.schedule["requested_mw"].to_numpy() == pytest.approx(plan.schedule["base_mw"].to_numpy())
    once = replay_signal(plan, pd.Series(np.where(np.arange(STEPS) % 2, 1.0, -1.0), index=index))
    held = plan.schedule["regulation_up_mw"].sum()
    assert once.called_mwh == pytest.approx(held, rel=1e-9)
