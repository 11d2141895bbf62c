"""Ranges in which some sizes meet no limits, and strategies whose rows know the size: both with a bound."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

T = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0}
LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
FINANCE = {"capital_per_mw": 100.0, "capital_per_mwh": 50.0, "present_value_factor": 1.0, "horizons_per_year": 1.0}


def day(**columns: object) -> pd.DataFrame:
    at = pd.date_range("2025-06-02", periods=24, freq="h", tz="UTC", name="time")
    return pd.DataFrame(columns, index=at)


def needy(**battery: object) -> bo.Scenario:
    """A load of 3 MW from 18 to 20 h behind 2 MW: 1 MW and 2 MWh are needed, at 150 + any price nothing else pays."""
    load = np.where((np.arange(24) >= 18) & (np.arange(24) < 20), 3.0, 1.0)
    stated = {"power_mw": 1.0, "duration_h": 2.0, "technology": T, "converters": LOSSLESS, "soc_start": 0.0} | battery
    return bo.Scenario(
        battery=stated, site={"import_limit_mw": 2.0}, series=day(price_per_mwh=10.0, load_mw=load),
        strategy="arbitrage", finance=FINANCE,
    )  # fmt: skip


def codes(found: bo.Sizing) -> list[str]:
    return [finding.code for finding in found.findings]


def test_the_least_size_that_meets_the_limits_is_proven() -> None:
    """100 for the MW, 50 for each MWh: 1 MW and 2 MWh, and 200 of capital on top of the bill."""
    found = bo.size(needy(), (0.1, 3.0), (0.5, 6.0))
    assert "no_bound" not in codes(found)
    assert (found.power_mw, found.energy_mwh) == pytest.approx((1.0, 2.0), rel=1e-5)
    assert found.value == pytest.approx(-280.0 - 200.0, rel=1e-5)
    assert found.bound == pytest.approx(-480.0, rel=1e-6)
    assert found.without is None
    missing = found.table[found.table["value"].isna()]
    assert len(missing)  # sizes without a plan stand in the table too


@pytest.mark.parametrize(
    ("steps", "size"),
    [
        ({"power_step_mw": 0.4, "energy_step_mwh": 0.7}, (1.2, 2.1)),
        ({"module": (0.3, 0.5)}, (1.2, 2.0)),
        ({"energy_step_mwh": 0.6}, (1.0, 2.4)),
    ],
)
def test_the_least_step_that_meets_the_limits(steps: dict[str, object], size: tuple[float, float]) -> None:
    found = bo.size(needy(), (0.1, 3.0), (0.5, 6.0), **steps)
    assert "no_bound" not in codes(found)
    assert (found.power_mw, found.energy_mwh) == pytest.approx(size, rel=1e-5)
    assert found.value == pytest.approx(-280.0 - 100.0 * size[0] - 50.0 * size[1], rel=1e-5)
    assert found.gap == pytest.approx(0.0, abs=1e-3)


def test_no_size_is_large_enough() -> None:
    with pytest.raises(bo.InfeasibleError, match=r"no size of the range has a plan: site\.import_limit_mw"):
        bo.size(needy(), (0.1, 0.9), (0.5, 6.0))


def test_a_window_that_only_large_sizes_can_keep() -> None:
    """1.5 MWh must be in store at 12 h: limits of one column that cross rule sizes out, as rows do."""
    kept = needy().series.assign(energy_min_mwh=np.where(np.arange(24) == 11, 3.5, 0.0))
    found = bo.size(needy().replace(series=kept), (0.1, 3.0), (0.5, 6.0))
    assert "no_bound" not in codes(found)
    assert (found.power_mw, found.energy_mwh) == pytest.approx((1.0, 3.5), rel=1e-5)


@pytest.mark.parametrize("headroom_h", [0.25, 1.0])
def test_regulation_is_proven(headroom_h: float) -> None:
    """Pay of 20 a MW and hour both ways; the bound holds over a grid of sizes, on both sides of the C-rate's kink."""
    pay = {"regulation_up_price_per_mw": 20.0, "regulation_down_price_per_mw": 20.0}
    wave = 50.0 + 30.0 * np.sin(np.arange(24) / 4.0)
    scenario = bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0, "technology": T | {"c_rate_max": 0.5, "eta_discharge": 0.9}},
        series=day(price_per_mwh=wave, **pay),
        strategy={"name": "frequency_regulation", "headroom_h": headroom_h, "activation_up": 0.1},
        finance=FINANCE | {"capital_per_mw": 300.0, "capital_per_mwh": 90.0},
    )
    found = bo.size(scenario, (0.5, 3.0), (0.5, 4.0))
    assert "no_bound" not in codes(found)
    assert found.bound is not None
    assert found.gap is not None
    assert found.gap <= 1e-2
    for power in (0.5, 1.75, 3.0):
        for hours in (0.5, 2.0, 3.0):
            plan = bo.optimize(scenario.replace(battery={"power_mw": power, "duration_h": hours}))
            value = plan.metrics.net_revenue - 300.0 * power - 90.0 * power * hours
            assert value <= found.bound + 1e-6 * abs(found.bound)
            assert value <= found.value + max(found.gap, 1e-3) * (found.value + 300.0 * power + 90.0 * power * hours)


def test_a_return_below_minus_one_half_is_told_apart() -> None:
    """1,000 paid, 50 a year for two years: −0.749…, and the bound says so to the tolerance."""
    finance = {"capital_per_mw": 1000.0, "lifetime_years": 2, "discount_rate": 0.05, "horizons_per_year": 1.0}
    prices = np.where(np.arange(24) == 20, 50.0, 0.0)
    battery = {"power_mw": 1.0, "duration_h": 1.0, "technology": T, "converters": LOSSLESS, "soc_start": 0.0}
    scenario = bo.Scenario(
        battery=battery,
        series=day(price_per_mwh=prices),
        strategy="arbitrage",
        finance=finance | {"fade_per_year": 0.0},
    )
    found = bo.size(scenario, (0.5, 2.0), 1.0, objective="irr")
    share = 50.0 / 1000.0
    root = (share + np.sqrt(share**2 + 4.0 * share)) / 2.0  # 1 = x/q + x/q²
    assert found.value == pytest.approx(root - 1.0, abs=1e-6)
    assert found.bound == pytest.approx(root - 1.0, abs=1e-3)


def test_a_return_above_a_thousand_percent_is_told_apart() -> None:
    finance = {"capital_per_mw": 1.0, "lifetime_years": 2, "discount_rate": 0.05, "horizons_per_year": 1.0}
    prices = np.where(np.arange(24) == 20, 50.0, 0.0)
    battery = {"power_mw": 1.0, "duration_h": 1.0, "technology": T, "converters": LOSSLESS, "soc_start": 0.0}
    scenario = bo.Scenario(
        battery=battery,
        series=day(price_per_mwh=prices),
        strategy="arbitrage",
        finance=finance | {"fade_per_year": 0.0},
    )
    found = bo.size(scenario, (0.5, 2.0), 1.0, objective="irr")
    assert found.value == pytest.approx((50.0 + np.sqrt(2500.0 + 200.0)) / 2.0 - 1.0, rel=1e-6)
    assert found.bound == pytest.approx(found.value, abs=1e-3)
