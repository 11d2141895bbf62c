"""Several batteries at one connection against arrays written from the meaning of the keys alone."""

from __future__ import annotations

import pytest
from support.several_batteries import Site, most_money, random_site

import bess_opt as bo


def scenario_of(given: Site) -> bo.Scenario:
    """The package's scenario."""
    finance = {"variable_om_per_mwh": given.om} if given.om else None
    batteries = given.batteries if len(given.batteries) > 1 else given.batteries[0]
    return bo.Scenario(
        battery=batteries, site=given.site, series=given.series, strategy="arbitrage", finance=finance,
        solver={"rel_gap": 1e-9}, outage=given.outage_tables(),
    )  # fmt: skip


def agree(seed: int) -> None:
    """The same money, or both say that nothing meets all limits, with a reason; and the plan can be carried out."""
    given = random_site(seed)
    best = most_money(given)
    scenario = scenario_of(given)
    if best is None:
        with pytest.raises(bo.InfeasibleError) as refused:
            bo.optimize(scenario)
        assert refused.value.reasons
        return
    plan = bo.optimize(scenario)
    assert plan.report is not None
    assert plan.report.objective == pytest.approx(best, rel=1e-6, abs=1e-6)
    assert plan.report.bound >= best - 1e-6 * max(1.0, abs(best))
    again = bo.replay(plan)
    numbers = plan.schedule.select_dtypes("number")
    assert (again.schedule[numbers.columns] - numbers).abs().max().max() < 1e-6


@pytest.mark.parametrize("seed", range(30))
def test_the_plan_earns_what_the_independent_program_does(seed: int) -> None:
    """One to three batteries of all topologies, limits over time, prices and loads below zero, wear, caps, outages and ends."""
    agree(seed)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", range(30, 200))
def test_more_plans_earn_what_the_independent_program_does(seed: int) -> None:
    """The same over many more sites."""
    agree(seed)
