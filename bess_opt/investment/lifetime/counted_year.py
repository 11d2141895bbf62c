"""A horizon's charges as a year counts them: a month's charge twelve times, not once per horizon."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.cash_flow import year_weight
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.ledger import ledger_of
from bess_opt.plant.metrics import metrics_of
from bess_opt.strategies.shared.activation import prepare

SAME = 1e-12  # of a count: nearer to one is one


def counted_scenario(scenario: Scenario) -> Scenario:
    """`scenario` with charges such that its horizon's money times the horizons of a year is a year's.

    A row's month charges count (its listed months) / (months billed, or the sum of their shares), charges of a year
    and of coincident times once per year touched, fixed charges twelve months; energy and charges of the horizon as
    they are. The scenario itself comes back where that changes nothing. ScenarioError for a least bill or credits
    beside months that the horizon holds in part.
    """
    tariff, billing = scenario.tariff, plant_of(scenario).billing
    if (
        tariff is None
        or billing is None
        or not (tariff.demand or tariff.fixed_per_month or billing.account.minds_sums)
    ):
        return scenario
    counted = billing.over_life(year_weight(scenario))
    if billing.account.minds_sums and (not billing.whole_months or abs(counted.account.counts - 1.0) > SAME):
        key = "minimum_per_month" if tariff.minimum_per_month is not None else "credit_months"
        found = "depends on whole months, and the horizon does not stand for a year of them"
        expected = "give a horizon of whole months with finance.horizons_per_year to match, or leave it out"
        raise ScenarioError([Finding("months_in_part", f"tariff.{key}", found, expected)])
    counts = {charge.row: charge.counts for charge in counted.demand.charges}
    if all(abs(count - 1.0) <= SAME for count in (*counts.values(), counted.account.counts)):
        return scenario
    rows = [_scaled(row.to_plain(), counts.get(number, 1.0)) for number, row in enumerate(tariff.demand)]
    fixed = tariff.fixed_per_month * counted.account.counts
    return scenario.replace(tariff=tariff.to_plain() | {"demand": rows, "fixed_per_month": fixed})


def _scaled(row: dict[str, Any], count: float) -> dict[str, Any]:
    """A demand row whose prices are `count` times as high."""
    for key in ("price_per_mw_month", "overrun_price_per_mw_month"):
        if key in row:
            row[key] = count * row[key]
    if "tiers" in row:
        row["tiers"] = [[top, count * price] for top, price in row["tiers"]]
    return row


def counted_plan(plan: Dispatch) -> Dispatch:
    """`plan` with its money as a year counts it: the same schedule under `counted_scenario`."""
    counted = counted_scenario(plan.scenario)
    if counted is plan.scenario:
        return plan
    plant, wanted = prepare(counted)
    schedule = plan.whole_schedule
    booked = ledger_of(schedule, plant)
    figures = metrics_of(schedule, plant, wanted.score(schedule, plant), booked)
    lines = booked | wanted.penalties(schedule, plant)
    return replace(plan, scenario=counted, metrics=figures, ledger=lines)
