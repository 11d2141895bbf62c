"""Bills and optimal plans under random tariffs equal those of a model written from the meaning of the keys alone."""

from __future__ import annotations

import numpy as np
import pytest
from support.peers.bill import Totals, bill
from support.peers.dispatch import best_money, meter_of
from support.peers.plant_program import SiteCase
from support.peers.tariffs import Case, random_case

import bess_opt as bo

QUICK_BILLS, ALL_BILLS = range(24), range(400)
QUICK_PLANS, ALL_PLANS = (4, 7, 9, 11, 12, 16, 18, 20), range(240)


def scenario_of(case: Case, battery: dict[str, object]) -> bo.Scenario:
    site = {"holidays": case.holidays} if case.holidays else {}
    return bo.Scenario(battery=battery, series=case.series, site=site, tariff=case.tariff, strategy="arbitrage")


def site_case(case: Case, battery: dict[str, object]) -> SiteCase:
    return SiteCase(series=case.series, batteries=[battery], tariff=case.tariff, holidays=case.dates)


def random_battery(seed: int) -> dict[str, object]:
    rng = np.random.default_rng(seed + 10**6)
    return {
        "power_mw": round(float(rng.uniform(0.3, 2)), 2),
        "duration_h": float(rng.integers(1, 5)),
        "technology": {
            "eta_charge": 0.95,
            "eta_discharge": 0.93,
            "soc_min": 0.05,
            "soc_max": 0.95,
            "c_rate_max": 2.0,
        },
        "converters": {"ac_to_dc": 0.98, "dc_to_ac": 0.97, "dc_to_dc": 1.0},
        "soc_end": str(rng.choice(["free", "equal", "at_least_start"])),
    }


def check_bill(seed: int) -> None:
    case = random_case(seed)
    battery = random_battery(seed)
    found = bo.bill(scenario_of(case, battery))
    solar = case.series["solar_mw"].to_numpy() if "solar_mw" in case.series else 0.0
    net = case.series["load_mw"].to_numpy() - solar
    wanted = bill(meter_of(site_case(case, battery), np.maximum(net, 0.0), np.maximum(-net, 0.0)), case.tariff)
    assert found.total == pytest.approx(wanted.bill, rel=1e-9, abs=1e-9)


def check_lines(plan: bo.Dispatch, wanted: Totals) -> None:
    """The bill of the model, of the metrics and of the table are one, to 1e-9 of it."""
    metrics, near = plan.metrics, {"rel": 0.0, "abs": 1e-9 * max(1.0, abs(wanted.bill))}
    assert plan.bill.total == pytest.approx(wanted.bill, **near)
    assert metrics.net_revenue == pytest.approx(-wanted.bill, **near)
    assert plan.report.objective == pytest.approx(-wanted.bill, **near)
    lines = ("energy_revenue", "demand_charges", "overrun_charges", "fixed_charges", "minimum_charges", "credits")
    amounts = (-wanted.energy, wanted.demand, wanted.overrun, wanted.fixed, wanted.minimum, wanted.credits)
    for line, amount in zip(lines, amounts, strict=True):
        assert getattr(metrics, line) == pytest.approx(amount, **near), line


def check_plan(seed: int) -> None:
    case = random_case(seed, steps=48)
    battery = random_battery(seed)
    plan = bo.optimize(scenario_of(case, battery))
    site = site_case(case, battery)
    import_mw, export_mw = (plan.schedule[name].to_numpy() for name in ("import_mw", "export_mw"))
    wanted = bill(meter_of(site, import_mw, export_mw), case.tariff)
    check_lines(plan, wanted)
    scale = max(1.0, abs(wanted.bill))
    assert plan.metrics.net_revenue == pytest.approx(best_money(site), rel=0.0, abs=1e-6 * scale)


@pytest.mark.parametrize("seed", QUICK_BILLS)
def test_bill(seed: int) -> None:
    check_bill(seed)


@pytest.mark.parametrize("seed", QUICK_PLANS)
def test_optimal_plan(seed: int) -> None:
    check_plan(seed)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", ALL_BILLS)
def test_every_bill(seed: int) -> None:
    check_bill(seed)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", ALL_PLANS)
def test_every_optimal_plan(seed: int) -> None:
    check_plan(seed)
