"""Cells added during the life: money by year by hand, and the best years and MWh against enumeration."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
from support.cases import case

import bess_opt as bo


def plan_of(seed: int, **finance: Any) -> bo.Dispatch:
    rng = np.random.default_rng(seed)
    stated = {
        "capital_per_mwh": float(rng.uniform(20_000.0, 120_000.0)),
        "augmentation_price_change_per_year": float(rng.uniform(-0.1, 0.02)),
        "discount_rate": float(rng.uniform(0.0, 0.1)),
        "escalation_rate": float(rng.uniform(-0.02, 0.03)),
        "fade_per_year": float(rng.uniform(0.0, 0.15)),
        "tax_rate": float(rng.choice([0.0, 0.25])),
        "lifetime_years": 6,
        "horizons_per_year": 365.0,
    }
    columns = {"price_per_mwh": rng.uniform(10.0, 160.0, 24)}
    if seed % 2:
        columns["load_mw"] = rng.uniform(0.0, 1.0, 24)
    of = case(battery={"soc_start": 0.5, "soc_end": "equal"}, **columns)
    return of.but(finance=stated | finance).optimize()


def worth(plan: bo.Dispatch, added: list[list[float]]) -> float:
    stated = plan.scenario.replace(finance={"augmentation": added})
    return bo.financials(dataclasses.replace(plan, scenario=stated)).npv


def test_money_of_stated_cells_by_hand() -> None:
    """Flat fade of 10 %, 2 MWh more after year 2: paid then at the changed price, new in year 3, own fade after."""
    plan = plan_of(
        0, capital_per_mwh=100_000.0, augmentation_price_change_per_year=-0.05, fade_per_year=0.1, tax_rate=0.0,
        escalation_rate=0.0, augmentation=[[2, 2.0]], lifetime_years=4,
    )  # fmt: skip
    energy = plan.scenario.battery.energy_mwh
    power = plan.scenario.battery.power_mw
    larger = bo.optimize(plan.scenario.replace(battery={"duration_h": (energy + 2.0) / power}))
    old, more = plan.metrics.net_revenue, larger.metrics.net_revenue - plan.metrics.net_revenue
    assert more > 0.0
    table = bo.financials(plan).cash_flow
    assert table is not None
    assert table["augmentation"].to_list() == pytest.approx([0.0, 0.0, -2.0 * 100_000.0 * 0.95**2, 0.0, 0.0])
    by_year = [365.0 * old * 0.9**y + (365.0 * more * 0.9 ** (y - 2) if y >= 2 else 0.0) for y in range(4)]
    assert table["revenue"].to_list() == pytest.approx([0.0, *by_year])
    kept = table[["capital", "revenue", "fixed_om", "replacement", "augmentation", "tax"]].sum(axis=1)
    assert table["net"].to_list() == pytest.approx(kept.to_list())


@pytest.mark.parametrize("seed", range(1))
def test_no_plan_of_years_and_mwh_is_better(seed: int) -> None:
    plan = plan_of(seed, augmentation="search")
    found = bo.financials(plan)
    assert found.npv == pytest.approx(worth(plan, [list(cells) for cells in found.added]), rel=1e-9)
    unit = plan.scenario.battery.energy_mwh / 2.0
    best = worth(plan, [])
    for (early, late), (some, rest) in itertools.product(
        itertools.combinations(range(1, 6), 2), itertools.product((0.0, unit, 2.0 * unit), repeat=2)
    ):
        added = [[year, energy] for year, energy in ((early, some), (late, rest)) if energy]
        best = max(best, worth(plan, added))
    assert found.npv >= best - (found.npv_bound - found.npv) - 1e-6
    assert found.npv_bound >= best - 1e-6
    assert found.npv_bound - found.npv <= 0.02 * max(abs(found.npv), 1.0)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", range(1, 50))
def test_no_plan_of_years_and_mwh_is_better_on_many(seed: int) -> None:
    test_no_plan_of_years_and_mwh_is_better(seed)


def test_cells_that_pay_are_added_and_dear_ones_are_not() -> None:
    cheap = bo.financials(plan_of(1, augmentation="search", capital_per_mwh=2_000.0))
    assert cheap.added
    assert cheap.npv > bo.financials(plan_of(1, capital_per_mwh=2_000.0)).npv
    dear = bo.financials(plan_of(1, augmentation="search", capital_per_mwh=1e9))
    assert dear.added == ()
    assert dear.npv_bound == pytest.approx(dear.npv)


def test_where_nothing_is_proven_there_is_no_bound() -> None:
    plan = plan_of(1, augmentation="search")
    lower = plan.scenario.series.assign(price_per_mwh=plan.scenario.series["price_per_mwh"] - 60.0)
    assert np.isnan(bo.financials(bo.optimize(plan.scenario.replace(series=lower))).npv_bound)


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ({"augmentation": [[0, 1.0]]}, r"finance\.augmentation: found the years \[0"),
        ({"augmentation": [[2, 1.0], [2, 1.0]]}, r"found the years \[2"),
        ({"augmentation": [[2, -1.0]]}, r"found \[-1"),
        ({"augmentation": [[9, 1.0]]}, "after the lifetime of 6 years"),
        ({"augmentation": "soon"}, r"finance\.augmentation"),
    ],
)
def test_senseless_augmentation_is_refused(stated: dict[str, Any], found: str) -> None:
    with pytest.raises(bo.ScenarioError, match=found):
        bo.Finance(lifetime_years=6, discount_rate=0.05, **stated)
    with pytest.raises(bo.ScenarioError, match="present_value_factor"):
        bo.Finance(present_value_factor=8.0, augmentation=[[1, 1.0]])
