"""Rules under caps and wear: a month's cycles last to its end, and a cycle is as deep as its spread pays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import Case, case

import bess_opt as bo
from bess_opt.plant.from_scenario import plant_of
from bess_opt.strategies.arbitrage import Ladder

DAYS = 40


def wavy(days: int = DAYS, **battery: Any) -> Case:
    """The same two dear hours each day, 1 MW and 2 MWh without losses."""
    day = np.full(24, 40.0)
    day[[3, 4]], day[[18, 19]] = (10.0, 20.0), (100.0, 80.0)
    return case(price_per_mwh=np.tile(day, days), battery=battery, start="2025-01-01 00:00")


def by_day(plan: bo.Dispatch) -> pd.Series:
    return plan.schedule["discharge_mw"].groupby(plan.schedule.index.date).sum()


def test_a_months_cap_lasts_to_its_end() -> None:
    """15.5 cycles in January are half a cycle a day; without a budget they would be gone by the middle."""
    plan = bo.simulate(wavy(max_cycles={"count": 15.5, "per": "month"}).scenario())
    moved = by_day(plan)
    assert moved.iloc[:31].sum() == pytest.approx(31.0)
    assert moved.iloc[:31].min() > 0.9
    assert moved.iloc[31:].tolist() == pytest.approx([2.0] * 9)  # a cut February has its full count


def test_what_a_day_leaves_later_days_have() -> None:
    of = wavy(4, max_cycles={"count": 2.0, "per": "horizon"})
    flat = of.series.copy()
    flat.iloc[:48] = 40.0
    plan = bo.simulate(of.but(series=flat).scenario())
    assert by_day(plan).tolist() == pytest.approx([0.0, 0.0, 2.0, 2.0])


@pytest.mark.parametrize("counts", ["charged", "discharged"])
@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc"])
def test_no_cap_is_ever_broken_and_all_of_it_is_used(counts: str, topology: str) -> None:
    lossy = {"ac_to_dc": 0.95, "dc_to_ac": 0.95, "dc_to_dc": 0.98}
    cap = {"count": 6.0, "per": "month", "counts": counts, "used": 1.0}
    plan = bo.simulate(wavy(31, max_cycles=cap, topology=topology, converters=lossy).scenario())
    used = bo.used(plan, until=plan.schedule.index[-1])["battery"]["max_cycles"][0]["used"]
    assert 5.5 < used <= 6.0 + 1e-9


def test_the_rule_charges_as_deep_as_the_spread_pays() -> None:
    """The second hour's spread of 60 is under what the deeper half wears: the rule moves one hour a day."""
    deep = {"depth": [0.5, 1.0], "cost_per_mwh": [5.0, 70.0]}
    assert by_day(bo.simulate(wavy(5, wear=deep).scenario())).tolist() == pytest.approx([1.0] * 5)
    cheap = {"depth": [0.5, 1.0], "cost_per_mwh": [5.0, 50.0]}
    assert by_day(bo.simulate(wavy(5, wear=cheap).scenario())).tolist() == pytest.approx([2.0] * 5)
    dear = {"depth": [0.5, 1.0], "cost_per_mwh": [95.0, 99.0]}
    assert by_day(bo.simulate(wavy(5, wear=dear).scenario())).sum() == 0.0


def test_several_batteries_keep_a_budget_each() -> None:
    base = wavy(31)
    batteries = [
        base.battery | {"name": "north", "max_cycles": {"count": 10.0, "per": "month"}},
        base.battery | {"name": "south"},
    ]
    plan = bo.simulate(bo.Scenario(battery=batteries, series=base.series, strategy="arbitrage"))
    north = plan.units["north"]["discharge_mw"]
    assert north.sum() == pytest.approx(20.0, abs=1.0)
    assert north.groupby(north.index.date).sum().iloc[-5:].min() > 0.0


def test_a_stack_keeps_the_budget_too() -> None:
    of = wavy(31, max_cycles={"count": 10.0, "per": "month"})
    of = of.but(series=of.series.assign(load_mw=0.5), strategy=[{"name": "arbitrage"}, {"name": "self_consumption"}])
    plan = bo.simulate(of.scenario())
    assert by_day(plan).sum() <= 20.0 + 1e-9
    assert by_day(plan).iloc[-3:].min() > 0.3


def test_without_a_budget_the_thresholds_of_all_days_are_those_of_each() -> None:
    """Days with spreads of every size, of which the first pay for no cycle."""
    day = np.array([40.0] * 12 + [41.0] * 12)
    prices = np.concatenate([40.0 + spread * (day - 40.0) + np.arange(24) / 50.0 for spread in range(0, 60, 5)])
    plant = plant_of(
        case(price_per_mwh=prices, battery={"wear_cost_per_mwh": 20.0}, start="2025-01-01 00:00").scenario()
    )
    ladder = Ladder.of(plant)
    each = [ladder.thresholds(day) for day in range(12)]
    assert list(zip(*(price.tolist() for price in ladder.of_days()), strict=True)) == each
    assert len({bool(np.isfinite(buying)) for buying, _ in each}) == 2
