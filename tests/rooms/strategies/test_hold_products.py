"""Rules that hold market products: bids where they fit, calls followed and recentred, every promise kept."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from support.peers.product_sites import random_called_case, with_bids, with_regulation

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


REGULATION: dict[str, Any] = {"regulation_up_price_per_mw": 5.0, "regulation_down_price_per_mw": 5.0}


def beside(product: Any = FCR, rule: Any = None, battery: Any = BATTERY, **options: Any) -> Dispatch:
    """Eight hours of one energy price with regulation sold as the strategy sells it, in blocks of four hours."""
    index = pd.date_range("2025-03-01", periods=8, freq="h", tz="UTC", name="time")
    prices = {"price_per_mwh": 50.0, "fcr_price_per_mw": 10.0}
    series = pd.DataFrame(prices | REGULATION, index=index)
    strategy = {"name": "frequency_regulation", "activation_up": 0.0, "activation_down": 0.0, "headroom_h": 0.5}
    strategy |= {"block_h": 4.0} | options
    rows = [product] if isinstance(product, dict) else product
    return bo.simulate(bo.Scenario(battery=battery, series=series, product=rows, strategy=strategy), rule=rule)


def test_regulation_is_what_bids_leave() -> None:
    """1 MW at rest: 0.5 MW is bid, and of the 1 MW that regulation would hold alone the other half is left."""
    made = beside()
    assert made.schedule["fcr_mw"].tolist() == [0.5] * 8
    assert made.schedule["regulation_up_mw"].tolist() == pytest.approx([0.5] * 8)
    assert made.schedule["regulation_down_mw"].tolist() == pytest.approx([0.5] * 8)
    assert made.metrics.product_revenue == pytest.approx(8 * 0.5 * 10.0)
    assert made.metrics.regulation_revenue == pytest.approx(8 * 0.5 * (5.0 + 5.0))
    assert made.delivery.loc["all", "margin_mw"].min() == pytest.approx(0.0, abs=1e-9)


def test_where_no_bid_is_held_regulation_is_as_it_is_alone() -> None:
    """A bid that fits not at all changes nothing; one of the second block leaves the first as it was."""
    alone = beside({"name": "fcr", "block_h": 4.0}).schedule
    assert alone["regulation_up_mw"].tolist() == pytest.approx([1.0] * 8)
    too_large = beside(FCR | {"bid_mw": 1.5}).schedule
    pd.testing.assert_frame_equal(too_large, alone)
    later = beside(FCR | {"hours": [4, 8]}).schedule
    assert later["fcr_mw"].tolist() == [0.0] * 4 + [0.5] * 4
    assert later["regulation_up_mw"].tolist() == pytest.approx([1.0] * 4 + [0.5] * 4)


def test_a_block_of_regulation_that_runs_stands_before_a_bid() -> None:
    """Regulation of all eight hours takes the whole power before the bid of the second block can."""
    made = beside(FCR | {"hours": [4, 8]}, block_h=8.0).schedule
    assert made["regulation_up_mw"].tolist() == pytest.approx([1.0] * 8)
    assert made["fcr_mw"].max() == 0.0


def test_a_rule_of_the_users_own_beside_regulation_holds_bids_alone() -> None:
    made = beside(rule=idle).schedule
    assert made["fcr_mw"].tolist() == [0.5] * 8
    assert made["regulation_up_mw"].max() == 0.0


def test_two_batteries_share_both() -> None:
    """1.5 MW together hold 0.6 MW of the product and 0.9 MW of regulation, each its part by power."""
    batteries = [BATTERY | {"name": "north"}, BATTERY | {"name": "south", "power_mw": 0.5, "duration_h": 4.0}]
    made = beside(FCR | {"bid_mw": 0.6}, battery=batteries).whole_schedule
    parts = ["north.fcr_mw", "south.fcr_mw", "north.regulation_up_mw", "south.regulation_up_mw"]
    assert made[parts].iloc[0].tolist() == pytest.approx([0.4, 0.2, 0.6, 0.3])


@pytest.mark.parametrize("seed", [0, 3, 4, 8, 11, 670])
def test_random_sites_keep_what_both_promise(seed: int) -> None:
    """Called bids beside called regulation: every promise holds at both ends, and a replay comes to the same."""
    case = with_bids(random_called_case(seed), seed)
    site, (series, strategy) = case.site, with_regulation(case, seed)
    made = bo.simulate(
        bo.Scenario(
            battery=site.batteries, series=series, site=site.site, connection=site.clauses, finance=site.finance or None,
            product=case.products, strategy=strategy,
        )
    )  # fmt: skip
    assert (made.delivery[["margin_mw", "margin_mwh"]].dropna().to_numpy() > -1e-6).all()
    again = bo.replay(made).metrics
    assert again.net_revenue == pytest.approx(made.metrics.net_revenue, abs=1e-6)


def test_a_rule_that_has_charged_can_discharge_again() -> None:
    """A call that stops discharge leaves 1/0.8 MWh in the cells for each, one that charges brings 0.8: of 2 MWh of
    cells 0.25/0.8 stay free, and not 0.25 · 0.8, or no base point above nought would be left. From there 0.5 MW go out.
    """
    lossy = BATTERY | {"technology": LOSSLESS | {"eta_charge": 0.8, "eta_discharge": 0.8}}
    made = ruled(battery=lossy, rule=lambda state: -1.0 if state.step < 4 else 0.5).schedule
    assert made["energy_mwh"].iloc[3] == pytest.approx(2.0 - 0.5 * 0.5 / 0.8)
    assert made["battery_mw"].iloc[4] == pytest.approx(0.5)


def test_what_limits_keep_from_a_rule_is_not_brought_back_as_if_calls_had_moved_it() -> None:
    """Half of the 1 MW that is asked for is held: the energy rises by 0.5 MWh, and stays when nothing is asked for."""
    made = ruled(rule=lambda state: -1.0 if state.step == 0 else 0.0).schedule
    assert made["energy_mwh"].tolist() == pytest.approx([1.5] * 8)
