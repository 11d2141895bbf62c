"""Many price years on one scenario: each as if it had been optimised alone, and bad prices named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.cases import case

import bess_opt as bo

LOSSY = {"eta_charge": 0.9, "eta_discharge": 0.95, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 2.0}
SCENARIO = case(price_per_mwh=[0.0] * 48, solar_mw=0.3, battery={"technology": LOSSY, "soc_start": 0.5}).scenario()


def years(count: int = 5) -> pd.DataFrame:
    prices = np.random.default_rng(2).normal(20.0, 40.0, (48, count)).round(2)
    return pd.DataFrame(prices, index=SCENARIO.series.index, columns=[f"y{i}" for i in range(count)])


@pytest.mark.parametrize("strategy", ["arbitrage", "time_shift", {"name": "export_cap", "cap_mw": 0.2}, "cycling"])
def test_each_year_is_as_if_alone(strategy: object) -> None:
    """Strategies of one objective and of two, and one that HiGHS solves; time_shift's first objective holds prices."""
    scenario = SCENARIO.replace(strategy=strategy)
    many = bo.optimize_many(scenario, years(3), schedules=True)
    for name, price in years(3).items():
        alone = bo.optimize(scenario.replace(series=scenario.series.assign(price_per_mwh=price)))
        row = many.table.loc[str(name)]
        assert row["value"] == pytest.approx(alone.metrics.net_revenue, rel=1e-12, abs=1e-12)
        assert row["cycles"] == pytest.approx(alone.metrics.equivalent_full_cycles, rel=1e-12)
        pd.testing.assert_frame_equal(many.schedules[str(name)], alone.schedule)


def test_schedules_are_kept_on_request_only() -> None:
    many = bo.optimize_many(SCENARIO, years(2))
    assert many.schedules == {}
    assert list(many.table.index) == ["y0", "y1"]
    assert list(many.table.columns) == ["value", "cycles", "gap", "engine"]


@pytest.mark.parametrize(
    ("prices", "where", "found"),
    [
        (years().iloc[1:], "prices", "47 rows, not those of the scenario's series"),
        (years().assign(y3=np.nan), "prices.y3", "found nan at 2025-06-02 00:00:00+00:00"),
        (years().iloc[:, :0], "prices", "no column"),
        (years().set_axis(["a"] * 5, axis=1), "prices", "a column stands twice"),
    ],
)
def test_bad_prices_are_named(prices: pd.DataFrame, where: str, found: str) -> None:
    with pytest.raises(bo.ScenarioError) as raised:
        bo.optimize_many(SCENARIO, prices)
    (problem,) = raised.value.problems
    assert (problem.where, problem.found) == (where, found)


def test_a_scenario_without_that_price_is_refused() -> None:
    series = SCENARIO.series.rename(columns={"price_per_mwh": "import_price_per_mwh"})
    scenario = SCENARIO.replace(series=series.assign(export_price_per_mwh=1.0))
    with pytest.raises(bo.ScenarioError, match=r"series: has no column price_per_mwh"):
        bo.optimize_many(scenario, years())
