"""Plans with market products against a program written from the meaning of the keys alone, and against their own calls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.peers.called_plan import require_every_call_stands
from support.peers.product_program import ProductCase, most_money
from support.peers.product_sites import random_product_case

import bess_opt as bo
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.products.delivery import product_checks

SEEDS = (0, 1, 2, 5, 9, 177)  # 177: a full battery that promises power alone
FURTHER = range(10, 60)


def capacity_alone(seed: int) -> ProductCase:
    """A random case whose products are held and never called."""
    case = random_product_case(seed)
    called = [name for name in case.site.series if "_activation" in name]
    return ProductCase(replace(case.site, series=case.site.series.drop(columns=called)), case.products)


def hold_against(seed: int) -> None:
    case = capacity_alone(seed)
    site = case.site
    scenario = bo.Scenario(
        battery=site.batteries,
        series=site.series,
        site=site.site,
        connection=site.clauses,
        finance=site.finance or None,
        product=case.products,
        strategy="arbitrage",
        solver={"rel_gap": 1e-9},
    )
    expected = most_money(case)
    if expected is None:
        with pytest.raises(bo.InfeasibleError):
            bo.optimize(scenario)
        return
    plan = bo.optimize(scenario)
    assert plan.report is not None
    assert plan.report.objective == pytest.approx(expected, rel=1e-6, abs=1e-6)
    margins = plan.delivery[["margin_mw", "margin_mwh"]].dropna().to_numpy()
    assert (margins > -1e-5).all()
    assert bo.replay(plan).metrics.product_revenue == pytest.approx(plan.metrics.product_revenue)
    require_every_call_stands(case, plan.whole_schedule)
    more_than_fits_fails(plan)


def more_than_fits_fails(plan: bo.Dispatch) -> None:
    """A MW more than planned fails the audit where a call's limit binds."""
    plant, schedule = plant_of(plan.scenario), plan.whole_schedule.copy()
    hours = {offer.name: offer.headroom_h for offer in plant.offers}
    for (name, direction), row in plan.delivery[["margin_mw", "margin_mwh"]].iterrows():  # type: ignore[misc]
        binding = row["margin_mw"] if hours.get(name) == 0.0 else row.min()  # no energy is promised for no time
        if name == "all" or not binding < 1e-9:
            continue
        bold = schedule.copy()
        own = [column for column in bold if column.rpartition(".")[2] == f"{name}_mw"]
        bold[own] += 1.0
        laws = [violation.law for violation in product_checks(bold, plant)]
        assert any(f"{name}" in law and f"called {direction}" in law for law in laws)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_most_money_is_that_of_the_independent_program(seed: int) -> None:
    hold_against(seed)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", FURTHER)
def test_the_most_money_of_further_sites(seed: int) -> None:
    hold_against(seed)


def test_cases_hold_products() -> None:
    """The random cases have what is compared: several products, blocks, least bids and steps."""
    rows = [row for seed in (*SEEDS, *FURTHER) for row in capacity_alone(seed).products]
    for key in ("block_h", "min_bid_mw", "step_mw", "exclusive_group", "max_mw", "share_of_power"):
        assert sum(key in row for row in rows) > 5
    assert np.unique([row.get("direction", "symmetric") for row in rows]).tolist() == ["down", "symmetric", "up"]
