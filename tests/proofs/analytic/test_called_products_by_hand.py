"""Calls of market products by hand: what they move, what they earn, and what is refused of them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.plant import audit
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.products.activation import port_factor
from bess_opt.plant.products.delivery import product_checks

LOSSLESS = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
LOSSY = LOSSLESS | {"eta_charge": 0.8, "eta_discharge": 0.5}
IDEAL = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
BATTERY: dict[str, Any] = {
    "power_mw": 1.0,
    "duration_h": 2.0,
    "technology": LOSSLESS,
    "converters": IDEAL,
    "soc_start": 0.5,
    "soc_end": "free",
}
NO_TRADE = {"import_price_per_mwh": 500.0, "export_price_per_mwh": -500.0}
HELD = {"name": "fcr", "headroom_h": 0.0, "held_mw": 0.5, "block_h": 2.0}


def called(
    product: Any = HELD, battery: Any = BATTERY, site: Any = None, tariff: Any = None, **columns: Any
) -> bo.Dispatch:
    index = pd.date_range("2025-03-01", periods=2, freq="h", tz="UTC", name="time")
    prices = {} if "import_price_per_mwh" in columns else {"price_per_mwh": 0.0}
    series = pd.DataFrame(prices | {"fcr_price_per_mw": 10.0} | columns, index=index)
    rows = [product] if isinstance(product, dict) else product
    made = bo.Scenario(battery=battery, series=series, product=rows, site=site, tariff=tariff, strategy="arbitrage")
    return bo.optimize(made)


def test_a_call_goes_through_the_balance_at_energy_prices() -> None:
    """Half a MW called up for half an hour and down for a quarter: energy sold at 40, taken at 40, no more trade."""
    plan = called(HELD | {"direction": "up"}, fcr_activation=[0.5, 0.0], price_per_mwh=[40.0, 40.0])
    assert plan.metrics.product_revenue == pytest.approx(2 * 0.5 * 10.0)
    assert plan.metrics.energy_revenue == pytest.approx(40.0)  # 1 MWh in store is sold either way
    assert plan.products.loc["fcr", "activated_mwh"] == pytest.approx(0.25)
    row = plan.schedule.iloc[0]
    assert row["battery_mw"] == pytest.approx(row["base_mw"] + 0.25)


@pytest.mark.parametrize(("share", "energy"), [(0.4, -0.2), (-0.4, 0.2)])
def test_a_price_of_its_own_is_received_in_either_direction(share: float, energy: float) -> None:
    """0.5 MW × 0.4 h × 100 received, and energy prices see the base point alone: a dear price forbids all trade."""
    plan = called(fcr_activation=[share, 0.0], fcr_activation_price_per_mwh=100.0, **NO_TRADE)
    assert plan.products.loc["fcr", "activation_revenue"] == pytest.approx(0.2 * 100.0)
    assert plan.metrics.product_revenue == pytest.approx(10.0 + 20.0)
    assert plan.metrics.energy_revenue == pytest.approx(0.0, abs=1e-9)
    assert plan.schedule["energy_mwh"].tolist() == pytest.approx([1.0 + energy] * 2)
    assert plan.schedule["grid_mw"].tolist() == pytest.approx([-energy, 0.0])


def test_each_call_is_converted_at_the_base_point() -> None:
    """Charging at 0.25 MW, called up by 0.5 MW for half the time: charge 0.125, discharge 0.125, cells by both."""
    battery = BATTERY | {"technology": LOSSY, "soc_end": {"at_most": 0.5}}
    plan = called(HELD | {"direction": "up"}, battery, fcr_activation=[0.5, 0.0], price_per_mwh=[-100.0, 0.0])
    for _, row in plan.schedule.iterrows():
        assert row["charge_mw"] >= 0.0
    first = plan.schedule.iloc[0]
    base, up = first["base_mw"], first["base_mw"] + 0.5
    assert first["charge_mw"] == pytest.approx(0.5 * max(-base, 0.0) + 0.5 * max(-up, 0.0))
    assert first["discharge_mw"] == pytest.approx(0.5 * max(base, 0.0) + 0.5 * max(up, 0.0))
    change = 0.8 * first["charge_mw"] - first["discharge_mw"] / 0.5
    assert first["energy_mwh"] == pytest.approx(1.0 + change)


def test_a_call_passes_the_inverter_only_to_a_battery_behind_it() -> None:
    """1 MW at the AC bus is 1 MW at the port of a battery on it, and more behind an inverter of 0.8 each way."""
    index = pd.date_range("2025-03-01", periods=2, freq="h", tz="UTC", name="time")
    series = pd.DataFrame({"price_per_mwh": 0.0, "solar_dc_mw": 0.0, "fcr_price_per_mw": 10.0}, index=index)
    converters = {"ac_to_dc": 0.8, "dc_to_ac": 0.8, "dc_to_dc": 1.0}
    north = BATTERY | {"name": "north"}
    south = BATTERY | {"name": "south", "topology": "series_dc", "converters": converters}
    site = {"inverter_mw": 2.0}
    scenario = bo.Scenario(battery=[north, south], series=series, product=[HELD], site=site, strategy="arbitrage")
    plant = plant_of(scenario)
    assert {b.name: port_factor(plant, b, "up") for b in plant.batteries} == pytest.approx(
        {"north": 1, "south": 1.25}
    )
    assert {b.name: port_factor(plant, b, "down") for b in plant.batteries} == pytest.approx(
        {"north": 1, "south": 0.8}
    )


def test_calls_count_in_peaks_and_limits_hold_at_the_base_point() -> None:
    """1 MW held leaves the base point at rest: called down for half an hour it is a billed mean of 0.5 MW.

    The whole bid keeps the import limit with the base point.
    """
    tariff = {"demand": [{"price_per_mw_month": 100.0}]}
    columns = {"fcr_activation": [-0.5, 0.0], "fcr_activation_price_per_mwh": 0.0}
    plan = called(HELD | {"held_mw": 1.0}, tariff=tariff, **columns)
    assert plan.metrics.demand_charges == pytest.approx(50.0)
    tight = called({"name": "fcr", "headroom_h": 0.0}, site={"import_limit_mw": 0.3}, fcr_activation=[-0.5, 0.0])
    assert (tight.schedule["fcr_mw"] - tight.schedule["base_mw"]).max() <= 0.3 + 1e-9


def test_the_accepted_share_counts_in_pay_and_calls_and_not_in_head_room() -> None:
    plan = called(
        HELD | {"acceptance_share": 0.5, "headroom_h": 2.0},
        battery=BATTERY | {"soc_end": {"at_least": 0.0}},
        fcr_activation=[0.4, 0.0],
        fcr_activation_price_per_mwh=100.0,
    )
    assert plan.metrics.product_revenue == pytest.approx(0.5 * (10.0 + 20.0))
    assert plan.products.loc["fcr", "activated_mwh"] == pytest.approx(0.1)


def test_on_a_dc_bus_a_call_moves_the_port_by_more() -> None:
    """Half a MW at the AC bus is 0.5/0.8 MW at the port upward and 0.5·0.9 MW downward, each on its own."""
    converters = {"ac_to_dc": 0.9, "dc_to_ac": 0.8, "dc_to_dc": 1.0}
    battery = BATTERY | {"topology": "series_dc", "converters": converters}
    columns = {"fcr_activation_up": [0.5, 0.0], "fcr_activation_down": [0.25, 0.0], "solar_mw": 0.0}
    plan = called(battery=battery, fcr_activation_price_per_mwh=1.0, **columns, **NO_TRADE)
    first = plan.schedule.iloc[0]
    assert first["base_mw"] == pytest.approx(0.0, abs=1e-9)
    assert first["discharge_mw"] == pytest.approx(0.5 * 0.5 / 0.8)
    assert first["charge_mw"] == pytest.approx(0.25 * 0.5 * 0.9)
    assert first["grid_mw"] == pytest.approx(0.5 * 0.5 - 0.25 * 0.5)
    again = bo.replay(plan).schedule
    pd.testing.assert_frame_equal(again, plan.schedule, atol=1e-9)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"fcr_activation": 1.5}, "fcr_activation"),
        ({"fcr_activation": 0.6, "gas_activation": 0.6, "gas_price_per_mw": 1.0}, "at most 1 together"),
        ({"fcr_activation": [0.1, float("nan")]}, "fcr_activation"),
    ],
)
def test_shares_that_no_step_holds_are_refused(columns: dict[str, Any], told: str) -> None:
    rows = [{"name": "fcr"}, *([{"name": "gas"}] if "gas_activation" in columns else [])]
    with pytest.raises(bo.ScenarioError, match=told):
        called(rows, **columns)


@pytest.mark.parametrize(
    ("column", "change", "law"),
    [
        ("base_mw", 0.1, "mean over the calls"),
        ("fcr_mw", 0.1, "mean over the calls"),
        ("charge_mw", 0.1, "mean over the calls"),
        ("revenue", 1.0, "revenue is flows times prices"),
    ],
)
def test_the_audit_holds_a_schedule_to_its_calls(column: str, change: float, law: str) -> None:
    plan = called(fcr_activation=[0.4, -0.2], fcr_activation_price_per_mwh=50.0)
    plant, schedule = plant_of(plan.scenario), plan.whole_schedule.copy()
    assert audit.audit(schedule, plant, [product_checks]) == ()
    schedule[column] += change
    laws = " ".join(violation.law for violation in audit.audit(schedule, plant, [product_checks]))
    assert law in laws


def test_delivery_says_what_other_calls_would_do() -> None:
    """0.5 MW for two hours in one block, 1 MWh in store of 2, called up for half of the first hour.

    The promised call of half an hour leaves 0.5 MWh after 0.25 MWh were given. A call of the whole block takes 1 MWh,
    one without the expected call leaves 0.75, and a whole call in the block alone leaves 0.75 too.
    """
    row = HELD | {"direction": "up", "headroom_h": 0.5}
    plan = called(row, fcr_activation=[0.5, 0.0], fcr_activation_price_per_mwh=1.0, **NO_TRADE)
    line = plan.delivery.loc[("fcr", "up")]
    assert plan.schedule["energy_mwh"].tolist() == pytest.approx([0.75, 0.75])
    assert line["margin_mwh"] == pytest.approx(0.5)
    assert line["longer_call_mwh"] == pytest.approx(0.0)
    assert line["quiet_market_mwh"] == pytest.approx(0.75)
    assert line["every_block_mwh"] == pytest.approx(0.75)
    assert line["longer_call_mwh_at"] == plan.schedule.index[0]


def test_a_plan_that_counts_on_calls_falls_short_in_a_quiet_market() -> None:
    """Full but for 0.25 MWh: a call up for an hour makes room for another product's call down, which a quiet one lacks."""
    rows = [HELD | {"direction": "up"}, {"name": "low", "direction": "down", "headroom_h": 1.0, "hours": [1, 2]}]
    columns = {"fcr_activation": [1.0, 0.0], "fcr_activation_price_per_mwh": 1.0, "low_price_per_mw": 5.0}
    plan = called(rows, BATTERY | {"soc_start": 1.0}, **columns, **NO_TRADE)
    assert plan.schedule["low_mw"].tolist() == pytest.approx([0.0, 0.5])
    line = plan.delivery.loc[("low", "down")]
    assert (line["margin_mwh"], line["quiet_market_mwh"]) == (pytest.approx(0.0), pytest.approx(-0.5))


def test_the_bill_sees_what_energy_prices_see() -> None:
    """Called down for half an hour at a price of its own: 0.5 MWh at the meter, none of it billed as energy."""
    tariff = {"energy": [{"price_per_mwh": 200.0}]}
    columns = {"fcr_activation": [-0.5, 0.0], "fcr_activation_price_per_mwh": 30.0, "import_price_per_mwh": 0.0}
    plan = called(HELD | {"held_mw": 1.0}, tariff=tariff, **columns, export_price_per_mwh=-500.0)
    assert plan.metrics.import_mwh == pytest.approx(0.5)
    assert plan.metrics.energy_revenue == pytest.approx(0.0, abs=1e-9)
    assert plan.bill.total == pytest.approx(0.0, abs=1e-9)
    assert plan.ledger["products"] == pytest.approx(20.0 + 15.0)


@pytest.mark.parametrize(("direction", "power", "charge"), [("down", 1.0, 0.1), ("up", 0.1, 1.0)])
def test_a_call_turns_a_battery_on_a_dc_bus_round(direction: str, power: float, charge: float) -> None:
    """From all of one way to all of the other: 1.1 MW are held, though one way alone is a tenth of a MW."""
    battery = BATTERY | {
        "topology": "series_dc",
        "power_mw": power,
        "charge_power_mw": charge,
        "duration_h": 2 / power,
    }
    product = {"name": "fcr", "direction": direction, "headroom_h": 0.0}
    columns = {"fcr_activation": [0.5, 0.0], "fcr_activation_price_per_mwh": 100.0, "solar_mw": 0.0}
    plan = called(product, battery, **columns)
    assert plan.schedule["fcr_mw"].iloc[0] == pytest.approx(1.1)


@pytest.mark.parametrize("prices", [(0.0, 0.0), (0.0, 1.0)], ids=["one price", "export pays more"])
def test_a_call_imports_what_the_inverter_loses_twice(prices: tuple[float, float]) -> None:
    """Behind 0.8 each way 1 MW discharged is 0.8 MW at the grid; 1.1 MW at the port are a bid of 1.375 MW.

    Called all the time it imports 0.575 MW, more than the 0.125 MW of a battery that only charges.
    """
    converters = {"ac_to_dc": 0.8, "dc_to_ac": 0.8, "dc_to_dc": 1.0}
    battery = BATTERY | {"topology": "series_dc", "charge_power_mw": 0.1, "converters": converters}
    product = {"name": "fcr", "direction": "down", "headroom_h": 0.0}
    columns = {"fcr_activation": [1.0, 1.0], "fcr_activation_price_per_mwh": 100.0, "solar_mw": 0.0}
    bought, sold = prices
    plan = called(product, battery, **columns, import_price_per_mwh=bought, export_price_per_mwh=sold)
    assert plan.schedule["fcr_mw"].tolist() == pytest.approx([1.375, 1.375])
    assert plan.schedule["import_mw"].tolist() == pytest.approx([0.575, 0.575])
