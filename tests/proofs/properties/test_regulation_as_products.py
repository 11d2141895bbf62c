"""Frequency regulation written as market products comes to the same figures as the strategy of that name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import IDEAL

import bess_opt as bo
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.ledger import ledger_of

LOSSY = IDEAL | {"eta_charge": 0.9, "eta_discharge": 0.85, "soc_min": 0.1, "soc_max": 0.95}
STEPS = 12
SETTLEMENT = "regulation_pjm/pjm_reg_hourly_jan2017_prices_mileage_credit.csv"


def series_of(seed: int, signal: bool) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.date_range("2025-06-01 22:00", periods=STEPS, freq="h", tz="Europe/Berlin", name="time")
    columns = {
        "price_per_mwh": np.round(rng.normal(40, 40, STEPS), 2),
        "up": np.round(rng.uniform(0, 20, STEPS), 2),
        "down": np.round(rng.uniform(0, 20, STEPS), 2),
        "load_mw": np.round(rng.uniform(0, 1, STEPS), 3),
    }
    if signal:
        columns["signal"] = np.round(rng.uniform(-1, 1, STEPS), 3)
    return pd.DataFrame(columns, index=index)


def both(seed: int, options: dict[str, Any], site: dict[str, Any] | None = None, signal: bool = False) -> Any:
    """The plan of the strategy, and that of the same regulation as products beside energy."""
    battery = {
        "power_mw": 1.0,
        "duration_h": 1.5,
        "technology": LOSSY,
        "soc_start": 0.5,
        "wear_cost_per_mwh": 1.0,
        "converters": {"ac_to_dc": 0.98, "dc_to_ac": 0.98, "dc_to_dc": 1.0},
    }
    series = series_of(seed, signal)
    energy = series[["price_per_mwh", "load_mw"]]
    names = {
        "up": "regulation_up_price_per_mw",
        "down": "regulation_down_price_per_mw",
        "signal": "regulation_signal",
    }
    stated = {"name": "frequency_regulation", **options}
    common: dict[str, Any] = {"battery": battery, "site": site, "solver": {"rel_gap": 1e-10}}
    strategy = bo.optimize(bo.Scenario(series=series.rename(columns=names), strategy=stated, **common))
    called = {way: float(options.get(f"activation_{way}", 0.1)) for way in ("up", "down")}
    shares: dict[str, Any] = dict(called)
    if signal:
        shares = {"up": series["signal"].clip(lower=0.0), "down": (-series["signal"]).clip(lower=0.0)}
    keys = ("headroom_h", "block_h", "performance_score", "mileage_ratio")
    row = {key: options[key] for key in keys if key in options}
    if "max_capacity_mw" in options:
        row["max_mw"] = options["max_capacity_mw"]
    pay = options.get("performance_price_per_mw", 0.0)
    if options.get("symmetric"):
        rows = [{"name": "reg", "performance_price_per_mw": pay, **row}]
        own = {
            "reg_price_per_mw": series["up"] + series["down"],
            "reg_activation_up": shares["up"],
            "reg_activation_down": shares["down"],
        }
    else:
        rows = [
            {"name": f"reg_{w}", "direction": w, "performance_price_per_mw": pay / 2, **row} for w in ("up", "down")
        ]
        own = {f"reg_{way}_price_per_mw": series[way] for way in ("up", "down")}
        own |= {f"reg_{way}_activation": shares[way] for way in ("up", "down")}
    products = bo.optimize(bo.Scenario(series=energy.assign(**own), strategy="arbitrage", product=rows, **common))
    return strategy, products


@pytest.mark.parametrize(
    ("options", "site", "signal"),
    [
        ({}, None, False),
        ({"symmetric": True, "block_h": 4.0, "headroom_h": 0.5}, None, False),
        ({"activation_up": 0.3, "activation_down": 0.2, "max_capacity_mw": 0.6}, {"export_limit_mw": 0.7}, False),
        ({"performance_score": 0.9, "mileage_ratio": 2.0, "performance_price_per_mw": 3.0}, None, True),
        ({"headroom_h": 1.0}, {"grid_charging": False, "battery_export": False}, False),
        ({"symmetric": True}, {"import_limit_mw": 1.2}, True),
    ],
)
def test_the_same_regulation_comes_to_the_same_money(
    options: dict[str, Any], site: dict[str, Any] | None, signal: bool
) -> None:
    for seed in (1, 2):
        strategy, products = both(seed, options, site, signal)
        assert products.metrics.net_revenue == pytest.approx(strategy.metrics.net_revenue, rel=1e-9, abs=1e-7)
        assert products.metrics.product_revenue == pytest.approx(strategy.metrics.regulation_revenue, abs=1e-5)
        assert products.metrics.wear_cost == pytest.approx(strategy.metrics.wear_cost, abs=1e-5)
        held = strategy.schedule["regulation_up_mw"] + strategy.schedule["regulation_down_mw"]
        names = ["reg_mw"] if "reg_mw" in products.schedule else ["reg_up_mw", "reg_down_mw"]
        total = products.schedule[names].sum(axis=1) * (2.0 if names == ["reg_mw"] else 1.0)
        assert total.to_numpy() == pytest.approx(held.to_numpy(), abs=1e-5)


RESERVE = [{"name": "fcr", "block_h": 4.0, "headroom_h": 0.5, "bid_mw": 0.1}]


def beside_reserve(strategy: bool, *, activation: float = 0.1, rows: Any = RESERVE) -> bo.Scenario:
    """Regulation and a reserve: regulation as the strategy, or as two more products."""
    series = series_of(3, signal=False)
    ways = {way: series[way] for way in ("up", "down")}
    common = series[["price_per_mwh", "load_mw"]].assign(
        fcr_price_per_mw=[40.0] * 8 + [2.0] * 4, fcr_activation_up=0.2, fcr_activation_down=0.1
    )
    battery = {"power_mw": 1.0, "duration_h": 1.5, "technology": LOSSY, "soc_start": 0.5}
    given: dict[str, Any] = {"battery": battery, "solver": {"rel_gap": 1e-10}}
    if strategy:
        prices = {f"regulation_{way}_price_per_mw": price for way, price in ways.items()}
        stated = {"name": "frequency_regulation", "activation_up": activation, "headroom_h": 0.5}
        return bo.Scenario(series=common.assign(**prices), strategy=stated, product=rows, **given)
    own = {f"reg_{way}_price_per_mw": price for way, price in ways.items()}
    own |= {f"reg_{way}_activation": activation if way == "up" else 0.1 for way in ways}
    more = [{"name": f"reg_{way}", "direction": way, "headroom_h": 0.5} for way in ways]
    return bo.Scenario(series=common.assign(**own), strategy="arbitrage", product=[*rows, *more], **given)


def test_a_reserve_beside_regulation_is_one_product_more() -> None:
    """Head-room for all calls at once; the strategy's pay is a line of its own, and its calls can be delivered too."""
    strategy, products = (bo.optimize(beside_reserve(stated)) for stated in (True, False))
    assert strategy.metrics.net_revenue == pytest.approx(products.metrics.net_revenue, rel=1e-9)
    both = strategy.metrics.regulation_revenue, strategy.metrics.product_revenue
    assert min(both) > 1.0
    assert sum(both) == pytest.approx(products.metrics.product_revenue, rel=1e-6)
    margins = strategy.delivery[["margin_mw", "margin_mwh"]]
    assert set(margins.index.get_level_values(0)) == {"fcr", "regulation_up", "regulation_down", "all"}
    assert (margins.to_numpy() > -1e-9).all()
    assert margins.loc["all"].min().min() == pytest.approx(0.0, abs=1e-9)


def test_windows_over_all_that_comes_hold_both() -> None:
    """The relaxed plan is not one way at negative prices: ways are then chosen for money, not for the ties."""
    made = bo.control(beside_reserve(True), forecast="perfect", horizon_h=48, every_h=11)
    assert made.metrics.net_revenue == pytest.approx(bo.optimize(beside_reserve(True)).metrics.net_revenue, rel=1e-6)


def test_a_bid_that_stands_is_held_beside_regulation_by_rule_and_optimum() -> None:
    rule = bo.simulate(beside_reserve(True))
    assert rule.metrics.regulation_revenue > 1.0
    assert rule.metrics.product_revenue == pytest.approx(0.1 * (8 * 40.0 + 4 * 2.0))
    standing = beside_reserve(True, rows=[RESERVE[0] | {"held_mw": 0.2}])
    assert bo.simulate(standing).schedule["fcr_mw"].iloc[0] == pytest.approx(0.2)
    assert bo.optimize(standing).schedule["fcr_mw"].iloc[0] == pytest.approx(0.2)


def test_calls_of_both_are_at_most_the_whole_step() -> None:
    place = r"calls take 1.1 of the step at 2025-06-01T22:00:00\+02:00; .*give at most 1 together"
    with pytest.raises(bo.StrategyError, match=place):
        bo.optimize(beside_reserve(True, activation=0.7))


@pytest.mark.real_data
def test_what_pjm_paid_in_a_month_is_the_ledger_of_a_product() -> None:
    """743 hours of January 2017, 1,284.79276 $: bids at the published MW, price with the hour's mileage ratio."""
    path = Path(os.environ.get("BESS_OPT_DATA", "")) / SETTLEMENT
    if "BESS_OPT_DATA" not in os.environ or not path.is_file():
        pytest.skip("BESS_OPT_DATA does not lead to PJM's regulation settlement")
    hours = pd.read_csv(path)
    index = pd.date_range("2017-01-01", periods=len(hours), freq="h", tz="America/New_York", name="time")
    price = (hours["rmccp"] + hours["mileage_ratio"] * hours["rmpcp"]).to_numpy()
    series = pd.DataFrame({"price_per_mwh": 0.0, "rega_price_per_mw": price}, index=index)
    most = float(hours["integrated_mw"].max())
    battery = {"power_mw": most, "duration_h": 1.0, "technology": IDEAL, "soc_start": 0.5}
    rows = [{"name": "rega", "max_mw": most}]
    plan = bo.optimize(bo.Scenario(battery=battery, series=series, product=rows, strategy="arbitrage"))
    schedule = plan.schedule.assign(rega_mw=hours["integrated_mw"].to_numpy())
    assert ledger_of(schedule, plant_of(plan.scenario))["products"] == pytest.approx(1284.79276, abs=5e-6)
