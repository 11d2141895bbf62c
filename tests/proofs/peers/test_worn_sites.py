"""Modelled wear of a plan is what rainflow counting of its stored energy costs, falling ranges whole."""

from __future__ import annotations

import numpy as np
import pytest
import rainflow
from support.peers.plant_program import SiteCase, Table
from support.peers.sites import random_worn_case

import bess_opt as bo

QUICK, ALL = (0, 2, 4, 5, 6, 7, 8, 9, 10, 11), range(300)


def rainflow_cost(energy_mwh: list[float], wear: Table, nameplate: float) -> float:
    """Money of every falling range of a path; energy at the start rises from empty and so stands cheapest first."""
    edges, prices = np.array([0.0, *wear["depth"]]), np.array(wear["cost_per_mwh"])
    path = [0.0, *(np.array(energy_mwh) / nameplate)]
    money = 0.0
    for depth, _, count, first, last in rainflow.extract_cycles(path):
        if count == 1.0 or path[first] > path[last]:
            money += float((prices * np.clip(depth - edges[:-1], 0, np.diff(edges))).sum()) * nameplate
    return money


def wear_of(case: SiteCase, plan: bo.Dispatch) -> float:
    money = 0.0
    for battery in case.batteries:
        unit = plan.units[battery["name"]] if "name" in battery else plan.schedule
        nameplate, tech = battery["power_mw"] * battery["duration_h"], battery["technology"]
        start = battery.get("soc_start", (tech["soc_min"] + tech["soc_max"]) / 2) * nameplate
        if "wear" in battery:
            money += rainflow_cost([start, *unit["energy_mwh"]], battery["wear"], nameplate)
        else:
            money += battery.get("wear_cost_per_mwh", 0.0) * float(unit["discharge_mw"].sum()) * case.step_h
    return money


def check(seed: int) -> None:
    case = random_worn_case(seed)
    for battery in case.batteries:
        battery.pop("self_discharge_per_h", None)  # moves energy on its own
    tables = {"connection": case.clauses, "finance": case.finance}
    scenario = bo.Scenario(
        battery=case.batteries if len(case.batteries) > 1 else case.batteries[0],
        series=case.series,
        site=case.site,
        tariff=case.tariff,
        strategy="arbitrage",
        **{name: table for name, table in tables.items() if table},
    )
    try:
        plan = bo.optimize(scenario)
    except bo.InfeasibleError:
        pytest.skip("nothing is feasible")
    assert plan.metrics.wear_cost == pytest.approx(wear_of(case, plan), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", QUICK)
def test_wear_is_rainflow(seed: int) -> None:
    check(seed)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", ALL)
def test_every_wear_is_rainflow(seed: int) -> None:
    check(seed)
