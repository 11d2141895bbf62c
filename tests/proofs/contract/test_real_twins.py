"""Twins on real data: the optimum is no worse than the rule, both close their books, and the gap's split sums up."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from test_twins import allowance, better_by, ending_at

import bess_opt as bo

pytestmark = pytest.mark.real_data
CELLS = {"eta_charge": 0.95, "eta_discharge": 0.95, "soc_min": 0.05, "soc_max": 0.95, "c_rate_max": 1.0}


def data(*parts: str) -> Path:
    file = Path(os.environ.get("BESS_OPT_DATA", "")).joinpath(*parts)
    if "BESS_OPT_DATA" not in os.environ or not file.exists():
        pytest.skip(f"BESS_OPT_DATA does not lead to {'/'.join(parts)}")
    return file


def german_quarters() -> bo.Scenario:
    """April to June 2021, quarter-hours, many of them below zero."""
    table = pd.read_csv(data("prices_de_id1", "electricity_prices_germany_2021.csv"))
    column = next(name for name in table.columns if name.endswith("ID1-Price"))
    index = pd.DatetimeIndex(pd.to_datetime(table["Date"], format="%d/%m/%Y %H:%M")).tz_localize("Etc/GMT-1")
    series = pd.DataFrame({"price_per_mwh": table[column].to_numpy()}, index=index).loc["2021-04":"2021-06"]
    return bo.Scenario(
        battery=bo.Battery(power_mw=10.0, duration_h=2.0, technology=CELLS, wear_cost_per_mwh=3.0),
        site={"time_zone": "Etc/GMT-1"},
        series=series,
        strategy="arbitrage",
    )


def five_minute_sun(strategy: dict[str, object]) -> bo.Scenario:
    """Two June weeks of a 5-minute plant."""
    table = pd.read_csv(data("pv_5min", "pv_5min_matrix_288x365.csv"), header=None).to_numpy(dtype=float)
    index = pd.date_range("2016-01-01", periods=288 * 365, freq="5min", tz="Etc/GMT+7")
    power = pd.Series(table[:288, :365].T.ravel(), index=index).clip(lower=0.0).fillna(0.0)
    week = power.loc["2016-06-01":"2016-06-03"] / power.max() * 10.0
    return bo.Scenario(
        battery=bo.Battery(power_mw=3.0, duration_h=1.0, technology=CELLS),
        site={"time_zone": "Etc/GMT+7", "solar_capacity_mw": 10.0, "export_limit_mw": 8.0},
        series=pd.DataFrame({"solar_mw": week, "price_per_mwh": 40.0}),
        strategy=strategy,
    )


CASES = {
    "arbitrage, German intraday": german_quarters,
    "export_cap, 5-minute sun": lambda: five_minute_sun({"name": "export_cap", "cap_mw": 6.0}),
    "time_shift, 5-minute sun": lambda: five_minute_sun({"name": "time_shift", "window": ["18:00", "22:00"]}),
}


@pytest.mark.parametrize("name", CASES)
def test_twins_on_real_data(name: str) -> None:
    scenario = CASES[name]()
    rule = bo.simulate(scenario)
    best = bo.optimize(ending_at(scenario, rule.schedule["soc"].iloc[-1]))
    assert better_by(best, rule) >= -allowance(best)
    for dispatch in (best, rule):
        assert dispatch.metrics.balance_residual_mwh == pytest.approx(0.0, abs=1e-6)
    compared = bo.compare(scenario)
    gap = next(iter(compared.gaps.values()))
    assert gap.table.to_numpy().sum() == pytest.approx(gap.objective, rel=1e-6, abs=1e-6)
    assert gap.objective >= -1e-6 * abs(best.metrics.score) - 1e-9
