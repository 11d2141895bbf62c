"""Charges of a part of a year over a life: a month's charge twelve times a year, whatever the horizon is."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import bess_opt as bo

IDEAL = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 4.0}
LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
MONEY = {"lifetime_years": 1, "discount_rate": 0.0, "first_payment_year": 0, "fade_per_year": 0.0}


def week(**tariff: Any) -> bo.Scenario:
    """A flat 1 MW with 2 MW in one hour each day; a battery of 1 MW and 2 MWh levels it to 25/24 MW."""
    index = pd.date_range("2025-06-02", periods=168, freq="h", tz="UTC", name="time")
    load = pd.Series(1.0, index=index).where(index.hour != 12, 2.0)
    return bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0, "technology": IDEAL, "converters": LOSSLESS, "soc_end": "equal"},
        series=pd.DataFrame({"load_mw": load, "import_price_per_mwh": 0.0}),
        strategy="peak_shaving",
        tariff={"export": "none", "demand": [{"price_per_mw_month": 10_000.0}]} | tariff,
        finance=MONEY | {"capital_per_mw": 1.0, "horizons_per_year": 52.18},
    )


def test_a_week_is_worth_twelve_months_charges() -> None:
    """Peak from 2 to 25/24 MW at 10,000 per MW-month: 12·10,000·23/24 = 115,000 a year, whatever the week."""
    scenario = week()
    plan, idle = bo.optimize(scenario), bo.simulate(scenario, rule=lambda _state: 0.0)
    assert plan.metrics.demand_charges == pytest.approx(10_000.0 * 25 / 24)
    assert bo.financials(plan, idle).yearly_revenue == pytest.approx(115_000.0)


def test_sizing_weighs_the_months_in_dispatch_too() -> None:
    found = bo.size(week(), power_mw=1.0, duration_h=2.0)
    assert found.without is not None
    assert found.value - found.without == pytest.approx(115_000.0 - 1.0, rel=1e-6)


def test_a_fixed_charge_is_paid_twelve_times() -> None:
    scenario = week(fixed_per_month=100.0)
    idle = bo.simulate(scenario, rule=lambda _state: 0.0)
    assert -bo.financials(idle).yearly_revenue == pytest.approx(12 * (20_000.0 + 100.0))


def test_a_least_bill_needs_whole_months() -> None:
    with pytest.raises(bo.ScenarioError, match=r"tariff\.minimum_per_month: depends on whole months"):
        bo.size(week(minimum_per_month=50.0), power_mw=1.0, duration_h=2.0)
