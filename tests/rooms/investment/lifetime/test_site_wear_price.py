"""A price of wear for each battery of a site: no grid of both finds more, and nothing beats the bound."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.investment.lifetime.site_wear_price import with_wear_prices
from bess_opt.investment.lifetime.worn_life import cells_of, life_values_of
from bess_opt.investment.lifetime.worn_site import SiteLife

BY_DEPTH = {"depth": [0.2, 0.5, 1.0], "cost_per_mwh": [10.0, 20.0, 45.0]}
REPLACED = {"replacement_years": [7], "replacement_per_mwh": 90_000.0, "tax_rate": 0.2}


def site(seed: int, *, days: int = 4, finance: dict[str, Any] | None = None, **south: Any) -> bo.Scenario:
    rng, hours = np.random.default_rng(seed), np.arange(24 * days)
    prices = 40.0 + 30.0 * np.sin(hours * 2.0 * np.pi / 24.0) + rng.normal(0.0, 20.0, len(hours))
    index = pd.date_range("2025-03-03", periods=len(hours), freq="h", tz="Europe/Berlin")
    alike = {"soc_start": 0.5, "soc_end": "equal"}
    batteries: list[dict[str, Any]] = [
        {"name": "north", "power_mw": 1.0, "duration_h": 1.0, "technology": "premium"} | alike,
        {"name": "south", "power_mw": 0.5, "duration_h": 4.0, "technology": "modern_lfp"} | alike | south,
    ]
    money = {
        "capital_per_mwh": 200_000.0,
        "discount_rate": 0.06,
        "lifetime_years": 15,
        "horizons_per_year": 365.0 / days,
    }
    return bo.Scenario(
        battery=batteries, series=pd.DataFrame({"price_per_mwh": prices}, index=index), strategy="arbitrage",
        site={"import_limit_mw": 1.2, "export_limit_mw": 1.2}, finance=money | (finance or {}),
    )  # fmt: skip


@pytest.mark.parametrize(("seed", "finance"), [pytest.param(1, {}, marks=pytest.mark.second_tier), (2, REPLACED)])
def test_no_grid_finds_more_and_nothing_beats_the_bound(seed: int, finance: dict[str, Any]) -> None:
    """The life is that of `bo.ageing`, so that its own financials judge a grid of both prices."""
    scenario = site(seed, finance=finance)
    found = bo.wear_price(scenario)

    def npv(plan: bo.Dispatch) -> float:
        return bo.financials(plan, ageing=bo.ageing(plan)).npv

    values = [
        npv(bo.optimize(scenario.replace(battery={"north": {"wear_cost_per_mwh": a}, "south": {"wear_cost_per_mwh": b}})))
        for a, b in product(np.linspace(0.0, 15.0, 4), repeat=2)
    ]  # fmt: skip
    assert max(values) <= found.value + 1e-6 * abs(found.value)
    assert values[0] < found.value <= found.bound <= found.value + 1e-3 * abs(found.value)
    assert found.value == pytest.approx(npv(found.plan), rel=1e-6)
    assert found.factor == {battery.name: battery.wear_cost_per_mwh for battery in found.scenario.batteries}
    assert found.table["value"].max() == found.value


def test_wear_by_depth_of_one_and_a_price_of_the_other() -> None:
    scenario = site(3, days=2, wear=BY_DEPTH)
    found = bo.wear_price(scenario)
    assert found.by_depth == {"north": False, "south": True}
    stated = found.scenario.batteries[1].wear
    assert stated is not None
    assert stated.cost_per_mwh == pytest.approx([found.factor["south"] * p for p in BY_DEPTH["cost_per_mwh"]])
    row = found.table[found.table["value"] == found.value].iloc[0]
    assert row["north.wear"] == pytest.approx(found.plan.units["north"]["discharge_mw"].sum())
    assert {"south.life_used_per_year", "net_revenue", "equivalent_full_cycles"} <= set(found.table)
    at_price = bo.optimize(with_wear_prices(scenario, [found.factor["north"], 2.0 * found.factor["south"]]))
    life = _life(scenario)
    wear = [lived.cells.wear_of(at_price) for lived in life.lives]
    assert life.of(at_price.metrics.net_revenue, wear) <= found.bound + 1e-9 * abs(found.bound)
    labels = {line.get_label() for axes in found.plot().axes for line in axes.get_lines()}
    assert {"prices tried together", "proven bound", "highest"} <= labels


def _life(scenario: bo.Scenario) -> SiteLife:
    cells = cells_of(scenario)
    lives = life_values_of(scenario, cells)
    most = tuple(own.most_wear(len(scenario.series)) for own in cells)
    return SiteLife(lives, (1.0 / 3.0, 2.0 / 3.0), most)


@pytest.mark.parametrize("seed", range(12))
def test_the_bound_is_that_of_a_fine_grid_of_wear(seed: int) -> None:
    """Below random lines, wear up to many lives: the bound is never passed, and boxes bring it close."""
    rng = np.random.default_rng(seed)
    life = _life(site(0))
    lines = [(float(rng.uniform(100.0, 400.0)), tuple(rng.uniform(0.0, 40.0, 2).tolist())) for _ in range(5)]
    lines.append((float(rng.uniform(400.0, 4000.0)), (0.0, 0.0)))
    limit = life.highest(lines, -np.inf)
    steps = [np.linspace(0.0, most, 161) for most in life.most_wear]
    parts = [np.array([life.part(number, wear) for wear in own]) for number, own in enumerate(steps)]
    north, south = np.meshgrid(*steps, indexing="ij")
    cash = np.min([most + a * north + b * south for most, (a, b) in lines], axis=0)
    values = life.of(0.0, (0.0, 0.0)) + cash * (parts[0][:, None] + parts[1][None, :])
    assert values.max() <= limit.value + 1e-9 * abs(limit.value)
    gain = limit.value - life.of(0.0, (0.0, 0.0))
    assert limit.value - values.max() <= 0.02 * gain


def test_batteries_without_a_cycle_life_are_named() -> None:
    cells = {"eta_charge": 0.9, "eta_discharge": 0.9, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0}
    with pytest.raises(bo.ScenarioError, match=r"battery.south.technology.cycle_life: is missing"):
        bo.wear_price(site(0, technology=cells))
    with pytest.raises(bo.ScenarioError, match=r'battery.south.soc_end: is "free", and the horizon repeats'):
        bo.wear_price(site(0, soc_end="free"))
