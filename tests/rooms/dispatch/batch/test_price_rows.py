"""Price rows valued without a plan say what audited plans say; where the price stands in more than money, plans are made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.dispatch.batch import optimize_many as many
from bess_opt.dispatch.batch.price_rows import PriceRows
from bess_opt.solver.value_function.recursion import compiled_part

LOSSY = {"eta_charge": 0.95, "eta_discharge": 0.9, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 2.0}
STEPS = 72

pytestmark = pytest.mark.skipif(compiled_part() is None, reason="the compiled part was not built")


def rows_of(scenario: bo.Scenario, count: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = scenario.series.index
    return pd.DataFrame({f"y{i}": rng.normal(20.0, 40.0, len(index)).round(2) for i in range(count)}, index=index)


def scenario_of(strategy: Any = "arbitrage", site: dict[str, Any] | None = None, **battery: Any) -> bo.Scenario:
    solar = np.maximum(np.sin(np.arange(STEPS) * np.pi / 12.0), 0.0)
    columns = {"price_per_mwh": np.full(STEPS, 30.0), "solar_mw": solar, "load_mw": np.full(STEPS, 0.4)}
    power = {"technology": LOSSY, "soc_start": 0.5, "soc_end": "at_least_start"} | battery
    return case(**columns, battery=power, site=site, strategy=strategy).scenario()


@pytest.mark.parametrize(
    "scenario",
    [
        scenario_of(),
        scenario_of(wear_cost_per_mwh=7.0),
        scenario_of(site={"export_limit_mw": 0.5, "curtailment": True}),
        scenario_of(topology="series_dc", site={"inverter_mw": 1.0}),
        scenario_of(self_discharge_per_h=0.01, soc_end="equal"),
    ],
)
def test_values_alone_are_those_of_audited_plans(scenario: bo.Scenario) -> None:
    prices = rows_of(scenario, 6, 1)
    assert PriceRows.of(scenario, many.PRICE) is not None
    alone, planned = bo.optimize_many(scenario, prices), bo.optimize_many(scenario, prices, schedules=True)
    assert alone.table["value"].to_numpy() == pytest.approx(planned.table["value"].to_numpy(), abs=1e-9)
    assert alone.table["cycles"].to_numpy() == pytest.approx(planned.table["cycles"].to_numpy(), abs=1e-9)
    assert (alone.table["gap"] == 0.0).all()
    assert not alone.schedules


@pytest.mark.parametrize(
    "scenario",
    [
        scenario_of(soc_end={"value_per_mwh": 20.0}),
        scenario_of(max_cycles_per_day=1.0),
        scenario_of().replace(tariff={"demand": [{"price_per_mw_month": 5_000.0}]}),
        scenario_of().replace(solver={"engine": "highs"}),
        scenario_of("self_consumption"),
    ],
)
def test_everything_else_is_planned(scenario: bo.Scenario) -> None:
    prices = rows_of(scenario, 3, 2)
    assert PriceRows.of(scenario, many.PRICE) is None or scenario.strategies[0].name == "self_consumption"
    found = bo.optimize_many(scenario, prices).table
    for year in prices:
        own = bo.optimize(scenario.replace(series=scenario.series.assign(price_per_mwh=prices[year])))
        assert found.loc[year, "value"] == pytest.approx(own.metrics.net_revenue, rel=1e-9)
        assert found.loc[year, "cycles"] == pytest.approx(own.metrics.equivalent_full_cycles, abs=1e-9)


def test_a_pass_that_disagrees_with_a_plan_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plans of the first and the last year are made in any case; a pass that says otherwise gives way to plans."""
    scenario = scenario_of()
    prices = rows_of(scenario, 4, 3)
    right = bo.optimize_many(scenario, prices, schedules=True).table
    monkeypatch.setattr(PriceRows, "answer", lambda _self, _price: (1e3, 1.0))
    pd.testing.assert_frame_equal(bo.optimize_many(scenario, prices).table, right)
