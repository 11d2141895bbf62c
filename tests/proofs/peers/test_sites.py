"""The most money of random sites equals that of a program written from the meaning of the keys alone.

Money is net revenue less wear plus stored value. Where that program has no plan, the package has none either and says
why.
"""

from __future__ import annotations

from typing import Any

import pytest
from support.peers.billed_sites import random_billed_site
from support.peers.dispatch import best_money
from support.peers.plant_program import SiteCase
from support.peers.sites import random_outside_case, random_site_case, random_worn_case

import bess_opt as bo

# 303 and 375, and 96 outside, take minutes in one of both programs.
QUICK_SITES, ALL_SITES = range(60), (*range(303), *range(304, 375), *range(376, 600))
QUICK_WORN, ALL_WORN = range(30), range(500)
QUICK_BILLED, ALL_BILLED = range(12), range(200)
QUICK_OUTSIDE, ALL_OUTSIDE = (0, *range(2, 8)), (*range(96), *range(97, 200))


def scenario_of(case: SiteCase) -> bo.Scenario:
    tables: dict[str, Any] = {"connection": case.clauses, "finance": case.finance, "outage": case.outages}
    return bo.Scenario(
        battery=case.batteries if len(case.batteries) > 1 else case.batteries[0],
        series=case.series,
        site=case.site,
        tariff=case.tariff,
        strategy="arbitrage",
        **{name: table for name, table in tables.items() if table},
    )


def check(case: SiteCase) -> None:
    wanted = best_money(case)
    if wanted is None:
        with pytest.raises(bo.InfeasibleError) as refused:
            bo.optimize(scenario_of(case))
        assert refused.value.reasons
        return
    plan = bo.optimize(scenario_of(case))
    metrics = plan.metrics
    money = metrics.net_revenue - metrics.wear_cost + metrics.stored_value
    assert money == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    assert plan.report.objective == pytest.approx(money, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", QUICK_SITES)
def test_site(seed: int) -> None:
    check(random_site_case(seed))


@pytest.mark.parametrize("seed", QUICK_WORN)
def test_caps_and_wear(seed: int) -> None:
    check(random_worn_case(seed))


@pytest.mark.parametrize("seed", QUICK_BILLED)
def test_site_with_a_tariff(seed: int) -> None:
    check(random_billed_site(seed))


@pytest.mark.parametrize("seed", QUICK_OUTSIDE)
def test_start_outside_the_window(seed: int) -> None:
    check(random_outside_case(seed))


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", ALL_SITES)
def test_every_site(seed: int) -> None:
    check(random_site_case(seed))


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", ALL_WORN)
def test_every_caps_and_wear(seed: int) -> None:
    check(random_worn_case(seed))


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", ALL_BILLED)
def test_every_site_with_a_tariff(seed: int) -> None:
    check(random_billed_site(seed))


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", ALL_OUTSIDE)
def test_every_start_outside_the_window(seed: int) -> None:
    check(random_outside_case(seed))
