"""Rules that hold market products: bids where they fit, calls followed and recentred, every promise kept."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from support.peers.product_sites import random_called_case, with_bids

import bess_opt as bo
from bess_opt.dispatch.result import Dispatch

LOSSLESS = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
BATTERY: dict[str, Any] = {
    "power_mw": 1.0,
    "duration_h": 2.0,
    "technology": LOSSLESS,
    "converters": {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0},
    "soc_start": 0.5,
    "soc_end": "free",
}
FCR = {"name": "fcr", "block_h": 4.0, "headroom_h": 0.5, "bid_mw": 0.5}


def ruled(product: Any = FCR, battery: Any = BATTERY, rule: Any = None, site: Any = None, **columns: Any) -> Dispatch:
    index = pd.date_range("2025-03-01", periods=8, freq="h", tz="UTC", name="time")
    series = pd.DataFrame({"price_per_mwh": 50.0, "fcr_price_per_mw": 10.0} | columns, index=index)
    rows = [product] if isinstance(product, dict) else product
    made = bo.Scenario(battery=battery, series=series, product=rows, site=site, strategy="arbitrage")
    return bo.simulate(made, rule=rule)


def idle(_state: Any) -> float:
    return 0.0


def test_a_bid_is_held_in_every_block_in_which_it_fits() -> None:
    """0.5 MW for half an hour either way fits 1 MWh of 2; 0.5 MW for two hours fits too, 0.6 MW does not."""
    assert ruled(rule=idle).schedule["fcr_mw"].tolist() == [0.5] * 8
    assert ruled(FCR | {"headroom_h": 2.0}, rule=idle).schedule["fcr_mw"].tolist() == [0.5] * 8
    assert ruled(FCR | {"headroom_h": 2.0, "bid_mw": 0.6}, rule=idle).schedule["fcr_mw"].tolist() == [0.0] * 8
    assert ruled(FCR | {"hours": [4, 8]}, rule=idle).schedule["fcr_mw"].tolist() == [0.0] * 4 + [0.5] * 4
    assert ruled({"name": "fcr", "block_h": 4.0}, rule=idle).schedule["fcr_mw"].tolist() == [0.0] * 8


def test_a_rule_is_held_back_where_it_would_break_the_promise() -> None:
    """A rule that gives all it has keeps 0.25 MWh for half an hour of 0.5 MW, and 0.5 MW of its power."""
    made = ruled(rule=lambda _state: 1.0)
    assert made.schedule["battery_mw"].iloc[0] == pytest.approx(0.5)
    assert made.schedule["energy_mwh"].min() == pytest.approx(0.25)
    assert made.metrics.product_revenue == pytest.approx(8 * 0.5 * 10.0)


def test_calls_are_followed_and_brought_back() -> None:
    """Half an hour of 0.5 MW up takes 0.25 MWh; in the hours after it they come back."""
    called = [0.5, 0.0, 0.0, 0.0, -0.5, 0.0, 0.0, 0.0]
    made = ruled(rule=idle, fcr_activation=called, fcr_activation_price_per_mwh=80.0)
    energy = made.schedule["energy_mwh"].tolist()
    assert energy[0] == pytest.approx(0.75)
    assert energy[1:4] == pytest.approx([1.0] * 3)
    assert (energy[4], energy[5]) == (pytest.approx(1.25), pytest.approx(1.0))
    assert made.products.loc["fcr", "activation_revenue"] == pytest.approx(2 * 0.25 * 80.0)
    assert made.schedule["base_mw"].iloc[1] == pytest.approx(-0.25)


def test_a_bid_that_stands_is_held_whatever_the_rule() -> None:
    made = ruled({"name": "fcr", "block_h": 4.0, "headroom_h": 0.5, "held_mw": 0.5}, rule=idle)
    assert made.schedule["fcr_mw"].tolist() == [0.5] * 4 + [0.0] * 4


def test_of_a_group_the_first_is_held() -> None:
    rows = [FCR | {"exclusive_group": "g"}, {"name": "gas", "bid_mw": 0.2, "exclusive_group": "g"}]
    made = ruled(rows, rule=idle, gas_price_per_mw=1.0)
    assert made.schedule["gas_mw"].max() == 0.0


def test_two_batteries_share_a_bid_by_power() -> None:
    batteries = [BATTERY | {"name": "north"}, BATTERY | {"name": "south", "power_mw": 0.5, "duration_h": 4.0}]
    made = ruled(FCR | {"bid_mw": 0.6}, battery=batteries, rule=idle, fcr_activation=[0.5] + [0.0] * 7)
    parts = made.whole_schedule[["north.fcr_mw", "south.fcr_mw"]].iloc[0].tolist()
    assert parts == pytest.approx([0.4, 0.2])
    assert made.whole_schedule["north.energy_mwh"].iloc[0] == pytest.approx(1.0 - 0.2)


def test_a_bid_that_the_market_does_not_take_is_refused() -> None:
    with pytest.raises(bo.ScenarioError, match=r"bid_mw: found 0\.5 MW"):
        ruled(FCR | {"step_mw": 0.3})


@pytest.mark.parametrize("seed", [2, 5, 7, 9, 16, 18, 25, 26])
def test_random_sites_keep_every_promise(seed: int) -> None:
    """The audit holds each step's bids to power, energy and site at both ends; a replay comes to the same."""
    case = with_bids(random_called_case(seed), seed)
    site = case.site
    made = bo.simulate(
        bo.Scenario(
            battery=site.batteries,
            series=site.series,
            site=site.site,
            connection=site.clauses,
            product=case.products,
            strategy="arbitrage",
        )
    )
    margins = made.delivery[["margin_mw", "margin_mwh"]].dropna().to_numpy()
    assert (margins > -1e-6).all()
    again = bo.replay(made).metrics
    assert again.product_revenue == pytest.approx(made.metrics.product_revenue)
    assert again.net_revenue == pytest.approx(made.metrics.net_revenue, abs=1e-6)
