"""Market products by hand: what a MW held asks of the battery and the site, and what it earns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.plant import audit
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.products.delivery import product_checks
from bess_opt.plant.products.offers import block_numbers

LOSSLESS = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
BATTERY = {
    "power_mw": 1.0,
    "duration_h": 2.0,
    "technology": LOSSLESS,
    "converters": {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0},
    "soc_start": 0.5,
    "soc_end": "equal",
}


def scenario_of(
    product: Any, hours: int = 4, battery: Any = None, site: Any = None, strategy: Any = "arbitrage", **columns: Any
) -> bo.Scenario:
    index = pd.date_range("2025-03-01", periods=hours, freq="h", tz="UTC", name="time")
    series = pd.DataFrame({"price_per_mwh": 50.0, "fcr_price_per_mw": 10.0} | columns, index=index)
    rows = [product] if isinstance(product, dict) else product
    return bo.Scenario(battery=battery or BATTERY, series=series, product=rows, site=site, strategy=strategy)


FCR = {"name": "fcr", "block_h": 4.0, "headroom_h": 0.5}


def test_one_mw_for_four_hours_earns_forty() -> None:
    """1 MW, 2 MWh at half can be called half an hour either way at any time: 1 MW × 4 h × 10."""
    plan = bo.optimize(scenario_of(FCR))
    assert plan.metrics.net_revenue == pytest.approx(40.0, abs=1e-9)
    assert plan.ledger["products"] == plan.metrics.product_revenue == pytest.approx(40.0, abs=1e-9)
    assert plan.schedule["fcr_mw"].tolist() == pytest.approx([1.0] * 4)
    assert plan.products.loc["fcr"].tolist() == pytest.approx([40.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    margins = plan.delivery.loc[("fcr", "up")]
    assert (margins["margin_mw"], margins["margin_mwh"]) == (pytest.approx(0.0), pytest.approx(0.5))


@pytest.mark.parametrize(
    ("row", "held"),
    [
        ({"headroom_h": 2.0}, 0.5),  # 1 MWh either way for two hours
        ({"max_mw": 0.3}, 0.3),
        ({"share_of_power": 0.8}, 0.8),
        ({"step_mw": 0.3}, 0.9),
        ({"min_bid_mw": 0.7, "headroom_h": 2.0}, 0.0),
        ({"acceptance_share": 0.5}, 1.0),
        ({"hours": [0, 3]}, 0.0),  # the block of four hours is not free as a whole
        ({"direction": "up"}, 1.0),
    ],
)
def test_what_a_key_leaves_to_be_held(row: dict[str, Any], held: float) -> None:
    """Each key alone, with an energy price of 0 so that nothing else pays."""
    plan = bo.optimize(scenario_of(FCR | row, price_per_mwh=0.0))
    assert plan.schedule["fcr_mw"].tolist() == pytest.approx([held] * 4, abs=1e-7)
    assert plan.metrics.product_revenue == pytest.approx(40.0 * held * row.get("acceptance_share", 1.0), abs=1e-6)


def test_a_share_of_power_counts_each_battery_s_lower_rating() -> None:
    """3 MW out and 1 MW in beside 1 MW out and 3 MW in: 2 MW are rated both ways, though 4 MW could be moved."""
    rated = ({"power_mw": 3.0, "charge_power_mw": 1.0}, {"power_mw": 1.0, "charge_power_mw": 3.0})
    more = {"duration_h": 40.0, "soc_end": "free"}
    two = [BATTERY | own | more | {"name": name} for own, name in zip(rated, ("a", "b"), strict=True)]
    plan = bo.optimize(scenario_of(FCR | {"share_of_power": 1.0}, battery=two, price_per_mwh=0.0))
    assert plan.schedule["fcr_mw"].tolist() == pytest.approx([2.0] * 4)
    free = bo.optimize(scenario_of(FCR, battery=two, price_per_mwh=0.0))
    assert free.schedule["fcr_mw"].tolist() == pytest.approx([4.0] * 4)


def test_calls_of_all_products_of_a_direction_are_served_at_once() -> None:
    """1 MWh above the floor: half an hour of one and an hour of the other, Σ H·MW <= 1 and Σ MW <= 1."""
    rows = [FCR | {"direction": "up"}, {"name": "slow", "direction": "up", "headroom_h": 2.0, "block_h": 4.0}]
    plan = bo.optimize(scenario_of(rows, price_per_mwh=0.0, slow_price_per_mw=30.0))
    # 0.5·f + 2·s <= 1 and f + s <= 1: f = 2/3, s = 1/3 pays 10·2/3 + 30/3.
    assert plan.schedule["fcr_mw"].tolist() == pytest.approx([2 / 3] * 4)
    assert plan.metrics.product_revenue == pytest.approx(4 * (20 / 3 + 10))


def test_an_exclusive_group_holds_one_product() -> None:
    """Each alone would have room beside the other; the dearer one is held."""
    rows = [FCR | {"max_mw": 0.4, "exclusive_group": "g"}]
    rows += [{"name": "slow", "direction": "up", "max_mw": 0.4, "exclusive_group": "g"}]
    plan = bo.optimize(scenario_of(rows, price_per_mwh=0.0, slow_price_per_mw=[11.0, 11.0, 11.0, 9.0]))
    assert plan.metrics.product_revenue == pytest.approx(0.4 * 42.0)
    assert plan.schedule["fcr_mw"].max() == pytest.approx(0.0, abs=1e-9)


def test_the_grid_limits_bids_with_the_call() -> None:
    """A base point that charges may be called up by as much beyond the export limit."""
    plan = bo.optimize(scenario_of(FCR, site={"export_limit_mw": 0.25, "import_limit_mw": 3.0}, price_per_mwh=0.0))
    assert plan.schedule["fcr_mw"].max() <= 0.25 + 1e-9
    assert plan.metrics.product_revenue == pytest.approx(10.0)


def test_two_batteries_serve_one_product() -> None:
    """Each has the head-room of its part: 1 MW and 0.5 MW."""
    batteries = [BATTERY | {"name": "north"}, BATTERY | {"name": "south", "power_mw": 0.5}]
    plan = bo.optimize(scenario_of(FCR, battery=batteries, price_per_mwh=0.0))
    assert plan.schedule["fcr_mw"].tolist() == pytest.approx([1.5] * 4)
    parts = plan.whole_schedule[["north.fcr_mw", "south.fcr_mw"]].to_numpy()
    assert parts == pytest.approx(np.tile([1.0, 0.5], (4, 1)))


def test_a_bid_that_stands_is_kept() -> None:
    """The block under way has its bid, whatever energy pays."""
    row = {"name": "fcr", "block_h": 2.0, "headroom_h": 0.5, "held_mw": 0.5}
    plan = bo.optimize(scenario_of(row, fcr_price_per_mw=-10.0))
    assert plan.schedule["fcr_mw"].tolist() == pytest.approx([0.5, 0.5, 0.0, 0.0], abs=1e-9)


def test_an_outage_empties_its_block() -> None:
    """No bid is held in a block that an outage touches."""
    scenario = scenario_of({"name": "fcr", "block_h": 2.0}, price_per_mwh=0.0)
    plan = bo.optimize(scenario.replace(outage=[{"start": "2025-03-01T01:00+00:00", "hours": 1.0}]))
    assert plan.schedule["fcr_mw"].tolist() == pytest.approx([0.0, 0.0, 1.0, 1.0], abs=1e-9)


@pytest.mark.parametrize("change", ["held_too_much", "not_constant", "no_step"])
def test_the_audit_refuses_what_cannot_be_delivered_or_bid(change: str) -> None:
    """The schedule is looked at without the model."""
    plan = bo.optimize(scenario_of(FCR | {"step_mw": 0.25}, price_per_mwh=0.0))
    plant, schedule = plant_of(plan.scenario), plan.schedule.copy()
    assert product_checks(schedule, plant) == []
    bid = {"held_too_much": 1.25, "not_constant": [1.0, 1.0, 0.75, 0.75], "no_step": 0.9}[change]
    schedule["fcr_mw"] = bid
    laws = " ".join(violation.law for violation in product_checks(schedule, plant))
    expected = {"held_too_much": "power of fcr called up", "not_constant": "constant", "no_step": "whole steps"}
    assert expected[change] in laws


def test_a_plan_with_products_is_saved_and_read_back_equal(tmp_path: Path) -> None:
    """Its columns are the schedule's own, and a changed bid is found."""
    plan = bo.optimize(scenario_of(FCR))
    plan.save(tmp_path / "plan")
    again = bo.load_dispatch(tmp_path / "plan")
    pd.testing.assert_frame_equal(again.schedule, plan.schedule, check_freq=False)
    assert again.products.equals(plan.products)
    less = plan.schedule.drop(columns="fcr_mw")
    assert "fcr_mw" in audit.audit(less, plant_of(plan.scenario))[0].law


def test_a_product_is_added_by_a_data_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of definitions, a row that uses it and a column of prices: nothing else knows the product."""
    text = (
        'market = "M"\ncurrency = "EUR"\n[swift]\nmeaning = "a reserve"\nin_force = 2020-01-01\nsource = "a page"\n'
    )
    (tmp_path / "mine.toml").write_text(
        text + 'direction = "up"\nblock_h = 4.0\nheadroom_h = 2.0\n', encoding="utf-8"
    )
    monkeypatch.setenv("BESS_OPT_PRODUCTS", str(tmp_path))
    plan = bo.optimize(
        scenario_of({"name": "swift", "use": "mine.swift"}, swift_price_per_mw=10.0, price_per_mwh=0.0)
    )
    assert plan.metrics.product_revenue == pytest.approx(20.0)
    assert bo.compare(plan.scenario).table.xs("optimal", level="rung")["net_revenue"].iloc[0] == pytest.approx(20.0)


def test_a_strategy_that_is_not_scored_in_money_is_refused() -> None:
    with pytest.raises(bo.StrategyError, match=r"'fcr' beside a strategy scored in .*; use one scored in money"):
        bo.optimize(scenario_of(FCR, strategy="export_cap", solar_mw=1.0))


@pytest.mark.parametrize(("price", "regulation", "reserve"), [(1.0, 0.0, 40.0), (6.0, 48.0, 0.0)])
def test_regulation_and_a_reserve_share_the_room(price: float, regulation: float, reserve: float) -> None:
    """1 MW is held of what pays more per MW and hour: of the reserve at 10, of regulation at 6 up and 6 down."""
    columns = {"regulation_up_price_per_mw": price, "regulation_down_price_per_mw": price}
    found = bo.optimize(scenario_of(FCR, strategy="frequency_regulation", **columns)).metrics
    assert found.net_revenue == pytest.approx(regulation + reserve)
    assert (found.regulation_revenue, found.product_revenue) == pytest.approx((regulation, reserve))


@pytest.mark.parametrize(
    ("day", "block_h", "lengths"),
    [
        ("2025-10-26", 4.0, [5, 4, 4, 4, 4, 4]),
        ("2025-03-30", 4.0, [3, 4, 4, 4, 4, 4]),
        ("2025-10-26", 1.0, [1] * 25),
        ("2025-10-26", 3.0, [3, 1, 3, 3, 3, 3, 3, 3, 3]),
        ("2025-10-26", 168.0, [25]),
    ],
)
def test_blocks_of_a_day_in_berlin(day: str, block_h: float, lengths: list[int]) -> None:
    """Blocks follow the local clock, on days of 23 and 25 hours too."""
    start = pd.Timestamp(day, tz="Europe/Berlin")
    hours = pd.date_range(start, start + pd.DateOffset(days=1), freq="h", inclusive="left")
    assert np.bincount(block_numbers(hours, block_h, 1.0)).tolist() == lengths


def test_a_product_that_is_called_and_not_held_leaves_the_rule_as_it_is() -> None:
    """Without a bid nothing is called: the rule's plan, and the site's without a battery, are those of no product."""
    called = scenario_of(FCR, fcr_price_per_mw=10.0, fcr_activation=[0.2, -0.1] * 2, price_per_mwh=[10.0, 60.0] * 2)
    bare = called.replace(product=[])
    for rule in (None, 0):
        with_it, without = (bo.simulate(one, rule=rule).metrics.net_revenue for one in (called, bare))
        assert with_it == pytest.approx(without, abs=1e-12)
