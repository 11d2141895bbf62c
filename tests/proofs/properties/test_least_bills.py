"""The optimum under random tariffs equals that of a mixed-integer program which shares no code with the package."""

from __future__ import annotations

import pytest
from support.independent_tariffs import LeastBill
from support.random_tariffs import OFF, random_billed

import bess_opt as bo

pytestmark = pytest.mark.slow

TECHNOLOGY = {"eta_charge": 0.95, "eta_discharge": 0.9, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0}
BATTERY = {
    "power_mw": 1.0,
    "duration_h": 2.0,
    "technology": TECHNOLOGY,
    "converters": {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0},
    "soc_start": 0.5,
}


def hold(seed: int) -> None:
    """Optimum to 1e-6 of the bill's size; the bill of the model is that of the metrics and of the table to 1e-9."""
    of = random_billed(seed, days=seed % 3 + 2, step_min=60)
    series = of.series.assign(load_mw=of.import_mw, solar_mw=of.export_mw)
    plan = bo.optimize(
        bo.Scenario(
            battery=BATTERY,
            series=series,
            site={"holidays": list(OFF)},
            tariff=of.tariff,
            strategy="self_consumption",
            solver={"rel_gap": 0.0},
        )
    )
    size = plan.bill.table["money"].abs().sum() + 1.0
    assert plan.bill.total == pytest.approx(-plan.metrics.net_revenue, abs=1e-9 * size), seed
    assert plan.report.objective == pytest.approx(plan.metrics.net_revenue, abs=1e-9 * size), seed
    least = LeastBill(of.tariff, series, BATTERY, set(OFF)).total
    assert plan.bill.total == pytest.approx(least, abs=1e-6 * size), seed


SLOW = (0, 7, 20)  # seconds of branching for the second opinion


@pytest.mark.parametrize("seed", [seed for seed in range(33) if seed not in SLOW])
def test_random_tariffs(seed: int) -> None:
    hold(seed)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", SLOW)
def test_random_tariffs_that_take_long(seed: int) -> None:
    hold(seed)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", range(33, 203))
def test_two_hundred_random_tariffs(seed: int) -> None:
    hold(seed)
