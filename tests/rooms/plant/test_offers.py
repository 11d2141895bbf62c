"""Market products as numbers: blocks on the clock, bids that a market takes, and what is left when they are called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.dispatch.optimum.bring_back import prepare
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.products.delivery import delivery_of, margins_of, product_checks, room_when_called
from bess_opt.plant.products.offers import Offer, block_numbers, settled_limits

IDEAL = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 10.0}
LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
BATTERY = {
    "power_mw": 1.0,
    "duration_h": 2.0,
    "technology": IDEAL,
    "converters": LOSSLESS,
    "soc_start": 0.5,
    "soc_end": "equal",
}


def offer(**changes: Any) -> Offer:
    """A product held upward in two steps."""
    nothing, some = np.zeros(2), np.full(2, 2.0)
    made = Offer(name="fcr", directions=("up",), price=nothing, block=np.zeros(2, int), most_mw=some, headroom_h=0.5)
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("begin", "hours", "block_h", "lengths"),
    [
        ("2025-03-01 12:00", 96, 168.0, [36, 60]),  # from Saturday: a week begins on Monday at midnight
        ("2025-03-09 23:00", 2, 168.0, [1, 1]),
        ("2025-03-03 06:00", 60, 24.0, [18, 24, 18]),
        ("2025-03-03 06:00", 36, 12.0, [6, 12, 12, 6]),
        ("2025-03-03 22:00", 8, 4.0, [2, 4, 2]),
    ],
)
def test_blocks_begin_on_the_clock(begin: str, hours: int, block_h: float, lengths: list[int]) -> None:
    index = pd.date_range(begin, periods=hours, freq="h", tz="Europe/Berlin")
    assert np.bincount(block_numbers(index, block_h, 1.0)).tolist() == lengths


@pytest.mark.parametrize(
    ("least", "step", "bid"), [(0.6, 0.25, 0.75), (0.5, 0.25, 0.5), (0.1, 0.5, 0.5), (0.7, None, 0.7)]
)
def test_the_least_bid_is_a_whole_number_of_steps(least: float, step: float | None, bid: float) -> None:
    assert offer(min_bid_mw=least, step_mw=step).least_mw == pytest.approx(bid)


def test_calls_with_a_price_of_their_own_are_not_settled_at_energy_prices() -> None:
    """2 MW called up for half of the time let 1 MW more be bought beside it, called down a quarter 0.5 MW be sold."""
    both = {"up": np.full(2, 0.5), "down": np.full(2, 0.25)}
    limits = np.full(2, 3.0), np.full(2, 4.0)
    priced = settled_limits([offer(called=both, activation_price=np.ones(2))], *limits)
    assert priced["settled_import_mw"].tolist() == [4.0, 4.0]
    assert priced["settled_export_mw"].tolist() == [4.5, 4.5]
    assert settled_limits([offer(called=both)], *limits)["settled_import_mw"].tolist() == [3.0, 3.0]


def held(battery: Any = BATTERY, site: Any = None, **columns: Any) -> bo.Dispatch:
    """Three hours at one price in which 0.4 MW are held either way, each for half an hour."""
    index = pd.date_range("2025-03-01", periods=3, freq="h", tz="UTC")
    series = pd.DataFrame({"price_per_mwh": 0.0, "fcr_price_per_mw": 10.0} | columns, index=index)
    product = [{"name": "fcr", "block_h": 1.0, "headroom_h": 0.5, "max_mw": 0.4}]
    return bo.optimize(bo.Scenario(battery=battery, site=site, series=series, product=product, strategy="arbitrage"))


def test_the_room_between_calls_is_that_of_all_batteries() -> None:
    """0.4 MW for half an hour are 0.2 MWh above the floors and below the ceilings of both together."""
    pair = [BATTERY | {"name": "north"}, BATTERY | {"name": "south", "duration_h": 4.0}]
    plan = held(pair)
    room = room_when_called(plan.whole_schedule, plant_of(plan.scenario))
    assert room["energy"].tolist() == pytest.approx(plan.whole_schedule["energy_mwh"].tolist())
    assert room["least"].tolist() == pytest.approx([0.1 * 6.0 + 0.2] * 3)
    assert room["most"].tolist() == pytest.approx([0.9 * 6.0 - 0.2] * 3)


@pytest.mark.parametrize(
    ("site", "columns", "direction", "left"),
    [
        ({"battery_export": False}, {"solar_mw": 1.0, "load_mw": 0.75}, "up", 0.35),  # of PV, 0.25 flow already
        ({"grid_charging": False}, {"solar_mw": 0.6, "load_mw": 0.7}, "down", 0.2),  # of the load that PV serves
        ({"import_limit_mw": 1.2}, {"load_mw": 0.7}, "down", 0.1),
        ({"export_limit_mw": 0.6}, {"load_mw": -0.1}, "up", 0.1),
    ],
)
def test_what_the_site_leaves_of_a_call(
    site: dict[str, Any], columns: dict[str, float], direction: Any, left: float
) -> None:
    """The battery rests and 0.4 MW are called: what is left to the limit that binds first."""
    plan = held(BATTERY | {"power_mw": 5.0, "duration_h": 1.0}, site, **columns)
    plant, schedule = plant_of(plan.scenario), plan.whole_schedule.copy()
    assert schedule["battery_mw"].abs().max() < 1e-9
    assert margins_of(schedule, plant, plant.offers, direction).power_mw.min() == pytest.approx(left)
    assert delivery_of(schedule, plant).loc[("fcr", direction), "margin_mw"] == pytest.approx(left)


@pytest.mark.parametrize(("direction", "left"), [("up", 0.3), ("down", 0.9)])
def test_what_the_shared_inverter_leaves_of_a_call(direction: Any, left: float) -> None:
    """0.3 MW of PV go through 1 MW: 0.4 MW more leave 0.3, 0.4 MW the other way 0.9."""
    behind = BATTERY | {"power_mw": 5.0, "duration_h": 1.0, "topology": "series_dc"}
    plan = held(behind, {"inverter_mw": 1.0}, solar_mw=0.3)
    plant = plant_of(plan.scenario)
    assert margins_of(plan.whole_schedule, plant, plant.offers, direction).power_mw.tolist() == pytest.approx(
        [left] * 3
    )


def laws_broken(schedule: pd.DataFrame, scenario: bo.Scenario) -> list[str]:
    return [violation.law for violation in product_checks(schedule, prepare(scenario).plant)]


@pytest.mark.parametrize("change", [0.1, -0.1])
def test_batteries_hold_together_what_is_held(change: float) -> None:
    plan = held([BATTERY | {"name": "north"}, BATTERY | {"name": "south"}])
    schedule = plan.whole_schedule.copy()
    assert laws_broken(schedule, plan.scenario) == []
    schedule["north.fcr_mw"] += change
    assert "fcr_mw is the batteries' sum" in laws_broken(schedule, plan.scenario)


def test_no_battery_holds_less_than_nothing() -> None:
    plan = held([BATTERY | {"name": "north"}, BATTERY | {"name": "south"}])
    schedule = plan.whole_schedule.copy()
    schedule["north.fcr_mw"], schedule["south.fcr_mw"] = -0.1, schedule["fcr_mw"] + 0.1
    assert "parts of fcr" in laws_broken(schedule, plan.scenario)


@pytest.mark.parametrize("change", [0.1, -0.1])
def test_symmetric_regulation_is_as_much_up_as_down(change: float) -> None:
    index = pd.date_range("2025-03-01", periods=3, freq="h", tz="UTC")
    prices = {f"regulation_{way}_price_per_mw": 10.0 for way in ("up", "down")}
    series = pd.DataFrame({"price_per_mwh": 0.0} | prices, index=index)
    strategy = {"name": "frequency_regulation", "symmetric": True, "max_capacity_mw": 0.5}
    plan = bo.optimize(bo.Scenario(battery=BATTERY, series=series, strategy=strategy))
    schedule = plan.whole_schedule.copy()
    assert laws_broken(schedule, plan.scenario) == []
    schedule["regulation_down_mw"] += change
    assert "capacity of regulation_down as that of regulation_up" in laws_broken(schedule, plan.scenario)
