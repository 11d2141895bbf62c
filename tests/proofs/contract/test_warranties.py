"""Caps on cycles and wear by depth through every verb: each runs, keeps the caps and charges the same wear."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.plant.warranty.depth_wear import depth_wear_of, rainflow_cost

WEAR = {"depth": [0.3, 1.0], "cost_per_mwh": [4.0, 18.0]}
CAPS: dict[str, Any] = {
    "day": {"count": 0.8, "per": "day"},
    "month": {"count": 1.2, "per": "month", "used": 0.2},
    "charged": {"count": 1.0, "per": "horizon", "counts": "charged"},
    "hours": {"count": 0.6, "hours": 12.0},
}


FINANCE = {"capital_per_mwh": 20_000.0, "discount_rate": 0.05, "lifetime_years": 10, "horizons_per_year": 182.5}
CLAUSES = [{"name": "noon", "export_mw": 0.2, "hours": [10, 14]}]
TARIFF = {
    "energy": [{"price_per_mwh": 30.0}],
    "demand": [{"price_per_mw_month": 500.0, "interval_min": 60.0}],
}
BESIDE: dict[str, Any] = {"alone": {}, "clauses": {"connection": CLAUSES}, "bill": {"tariff": TARIFF}}
SLOW = pytest.mark.second_tier


def site(cap: str, **more: Any) -> bo.Scenario:
    """Two days around the end of a month: PV, load, prices, a cap on cycles and wear by depth."""
    rng = np.random.default_rng(5)
    hours = np.arange(48)
    columns = {
        "price_per_mwh": 50.0 + 40.0 * np.sin(hours / 24.0 * 2.0 * np.pi) + rng.normal(0.0, 10.0, 48),
        "solar_mw": np.maximum(np.sin((hours % 24 - 6.0) / 12.0 * np.pi), 0.0) * 1.5,
        "load_mw": rng.uniform(0.2, 1.0, 48),
    }
    own = {"power_mw": 1.0, "duration_h": 2.0, "soc_start": 0.5, "soc_end": "equal"}
    battery = own | {"wear": WEAR, "max_cycles": CAPS[cap]}
    return case(battery=battery, start="2025-01-31 00:00", zone="Europe/Berlin", **columns).scenario(**more)


def keeps(plan: bo.Dispatch) -> None:
    """The audit has held the caps; what is left to see is that the wear is that of the plan's own path."""
    charged = bo.replay(plan).metrics.wear_cost
    assert plan.metrics.wear_cost == pytest.approx(charged, abs=1e-6)


@pytest.mark.parametrize("cap", CAPS)
def test_every_twin(cap: str) -> None:
    scenario = site(cap)
    best, rule = bo.optimize(scenario), bo.simulate(scenario)
    driven = bo.control(scenario, "persistence", horizon_h=24.0, every_h=12.0)
    for plan in (best, rule, driven):
        keeps(plan)
    assert all(row.claimed and abs(row.difference) < 1e-8 for row in best.report.certificate.wear)
    table = bo.compare(scenario).table.loc["arbitrage"]
    assert table.loc["optimal", "score"] == pytest.approx(best.metrics.score, abs=1e-6)


@pytest.mark.parametrize("cap", ["month", "hours"])
def test_clauses_of_a_connection(cap: str) -> None:
    scenario = site(cap).replace(connection=CLAUSES)
    keeps(bo.optimize(scenario))
    found = bo.connection(scenario).table
    assert (found["value_lost"].dropna() >= -1e-6).all()


@pytest.mark.parametrize("cap", ["day", "charged"])
def test_a_bill(cap: str) -> None:
    plan = bo.optimize(site(cap).replace(tariff=TARIFF))
    keeps(plan)
    assert plan.bill.total == pytest.approx(-plan.metrics.net_revenue, abs=1e-6)


def two(cap: str) -> bo.Scenario:
    """The site with two such batteries."""
    scenario = site(cap)
    own = scenario.battery.to_plain()
    return scenario.replace(battery=[own | {"name": "north"}, own | {"name": "south", "duration_h": 1.0}])


@pytest.mark.parametrize("cap", CAPS)
def test_several_batteries(cap: str) -> None:
    """Each battery has its own caps, wear and row of the identity, in the optimum, by the rule and on forecasts."""
    scenario = two(cap)
    plan = bo.optimize(scenario)
    assert [row.battery for row in plan.report.certificate.wear] == ["north", "south"]
    assert all(row.claimed and abs(row.difference) < 1e-8 for row in plan.report.certificate.wear)
    for one in (plan, bo.simulate(scenario), bo.control(scenario, "persistence", horizon_h=24.0, every_h=12.0)):
        keeps(one)
        assert one.metrics.wear_cost == pytest.approx(sum(by_hand(scenario, one)), abs=1e-6)
    table = bo.compare(scenario).table.loc["arbitrage"]
    assert table.loc["optimal", "score"] == pytest.approx(plan.metrics.score, abs=1e-6)


def by_hand(scenario: bo.Scenario, plan: bo.Dispatch) -> list[float]:
    """Each battery's wear by rainflow counting of its own path."""
    return [
        rainflow_cost(
            depth_wear_of(own.wear.depth, own.wear.cost_per_mwh, own.energy_mwh, 0.5 * own.energy_mwh),
            np.append(0.5 * own.energy_mwh, plan.units[own.name]["energy_mwh"].to_numpy()),
        )
        for own in scenario.batteries
    ]


@pytest.mark.parametrize("cap", ["month", "hours"])
def test_several_batteries_under_clauses_and_bills(cap: str) -> None:
    scenario = two(cap).replace(connection=CLAUSES, tariff=TARIFF)
    plan = bo.optimize(scenario)
    keeps(plan)
    assert plan.bill.total == pytest.approx(-plan.metrics.net_revenue, abs=1e-6)
    assert (bo.connection(scenario).table["value_lost"].dropna() >= -1e-6).all()
    handed = bo.used(plan)["battery"]
    assert all({"max_cycles", "wear_stand"} <= handed[name].keys() for name in ("north", "south"))


def test_several_batteries_over_life() -> None:
    scenario = two("day").replace(finance=FINANCE)
    worth = bo.financials(bo.optimize(scenario), bo.simulate(scenario, rule=lambda _state: 0.0)).npv
    dearer = scenario.replace(battery={"north": {"max_cycles": [{"count": 0.1, "per": "day"}]}})
    capped = bo.optimize(dearer)
    keeps(capped)
    assert bo.financials(capped, bo.simulate(dearer, rule=lambda _state: 0.0)).npv < worth


@pytest.mark.parametrize("cap", ["month", *(pytest.param(cap, marks=SLOW) for cap in CAPS if cap != "month")])
@pytest.mark.parametrize("beside", ["alone", *(pytest.param(one, marks=SLOW) for one in BESIDE if one != "alone")])
def test_a_size(cap: str, beside: str) -> None:
    scenario = site(cap).replace(finance=FINANCE, **BESIDE[beside])
    found = bo.size(scenario, power_mw=(0.5, 1.0), duration_h=(1.0, 2.0))
    assert found.plan.scenario.battery.wear is not None
    keeps(found.plan)
    smaller = scenario.replace(battery={"power_mw": 0.5, "duration_h": 1.0})
    assert found.value >= worth_of(smaller) - 1e-6


@pytest.mark.parametrize("cap", ["day", *(pytest.param(cap, marks=SLOW) for cap in CAPS if cap != "day")])
@pytest.mark.parametrize("beside", ["alone", *(pytest.param(one, marks=SLOW) for one in BESIDE if one != "alone")])
def test_sizes_of_several(cap: str, beside: str) -> None:
    """Sizes looked for together: each battery's own caps and wear at the size found, and no corner is worth more."""
    scenario = two(cap).replace(finance=FINANCE, **BESIDE[beside])
    power_mw, duration_h = {"north": (0.5, 1.0), "south": (1.0, 1.0)}, {"north": (2.0, 2.0), "south": (1.0, 1.0)}
    found = bo.size(scenario, power_mw=power_mw, duration_h=duration_h)
    assert [row.battery for row in found.plan.report.certificate.wear] == ["north", "south"]
    keeps(found.plan)
    assert found.plan.metrics.wear_cost == pytest.approx(sum(by_hand(found.plan.scenario, found.plan)), abs=1e-6)
    smaller = scenario.replace(battery={"north": {"power_mw": 0.5}})
    assert found.value >= worth_of(smaller) - 1e-6


def worth_of(scenario: bo.Scenario) -> float:
    """NPV of the whole site under its best plan, as sizing counts it: the technology states no life, so none fades."""
    return bo.financials(bo.optimize(scenario)).npv
