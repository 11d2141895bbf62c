"""Plans with calls of market products against a program written from the meaning of the keys alone."""

from __future__ import annotations

import pandas as pd
import pytest
from support.peers.called_plan import require_every_call_stands
from support.peers.product_program import ProductCase, most_money
from support.peers.product_sites import random_called_case

import bess_opt as bo

SEEDS = (0, 1, 3, 7, 9, 233)  # 233: calls that turn a battery on a DC bus round
FURTHER = range(20, 60)


def scenario_of(case: ProductCase) -> bo.Scenario:
    site = case.site
    return bo.Scenario(
        battery=site.batteries,
        series=site.series,
        site=site.site,
        connection=site.clauses,
        tariff=site.tariff or None,
        finance=site.finance or None,
        product=case.products,
        strategy="arbitrage",
        solver={"rel_gap": 1e-9},
    )


def hold_against(seed: int) -> None:
    case = random_called_case(seed)
    expected = most_money(case)
    if expected is None:
        with pytest.raises(bo.InfeasibleError):
            bo.optimize(scenario_of(case))
        return
    plan = bo.optimize(scenario_of(case))
    assert plan.report is not None
    assert plan.report.objective == pytest.approx(expected, rel=1e-6, abs=1e-6)
    m = plan.metrics
    assert m.net_revenue - m.wear_cost + m.stored_value == pytest.approx(expected, rel=1e-5, abs=1e-5)
    require_every_call_stands(case, plan.whole_schedule)
    again = bo.replay(plan)
    pd.testing.assert_frame_equal(
        again.whole_schedule.drop(columns="limited_by"), plan.whole_schedule.drop(columns="limited_by"), atol=1e-5
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_most_money_is_that_of_the_independent_program(seed: int) -> None:
    hold_against(seed)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", FURTHER)
def test_the_most_money_of_further_sites(seed: int) -> None:
    hold_against(seed)


def operated(seed: int, **windows: float) -> None:
    """Windows that know what comes: bids are those that the market takes, and each promised call stands."""
    case = random_called_case(seed)
    scenario = scenario_of(case).replace(solver={"rel_gap": 1e-6})
    try:
        made = bo.control(scenario, forecast="perfect", **windows)
    except bo.InfeasibleError:
        return
    require_every_call_stands(case, made.whole_schedule)
    for product in made.scenario.products:
        bids = made.schedule[f"{product.name}_mw"].round(6)
        assert all(product.is_bid(float(bid)) for bid in bids.unique()), product.name


@pytest.mark.parametrize("seed", [13, 16, 21])
def test_windows_keep_every_promise(seed: int) -> None:
    operated(seed, horizon_h=6.0, every_h=1.0)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", FURTHER)
def test_windows_keep_every_promise_of_further_sites(seed: int) -> None:
    operated(seed, horizon_h=6.0, every_h=1.0)
    operated(seed, horizon_h=12.0, every_h=3.0)
