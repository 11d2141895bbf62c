"""What double precision cannot hold together is refused with cell and remedy; what it can, is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

HOUR = np.arange(48)
COLUMNS = {
    "price_per_mwh": 50.0 + 30.0 * np.sin(HOUR / 3.8),
    "solar_mw": 3.0 * np.maximum(0.0, np.sin((HOUR - 6) / 3.8)),
    "load_mw": np.ones(48),
    "regulation_up_price_per_mw": 5.0 * np.ones(48),
    "regulation_down_price_per_mw": 4.0 * np.ones(48),
}
CELLS = {"eta_charge": 0.95, "eta_discharge": 0.95, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0}
PEAK = {"price_per_mw_month": 9.0}


def scenario(cell: tuple[str, float] | None = None, step: str = "h", **tables: Any) -> bo.Scenario:
    """48 steps of everything, a cell of row 18 set to something else."""
    series = pd.DataFrame(COLUMNS, index=pd.date_range("2025-06-02", periods=48, freq=step, tz="UTC"))
    if cell is not None:
        series.loc[series.index[18], cell[0]] = cell[1]
    battery = {"power_mw": 2.0, "duration_h": 4.0} | tables.pop("battery", {})
    return bo.Scenario(battery=battery, series=series, **({"strategy": "arbitrage"} | tables))


def regulation(**options: float) -> dict[str, Any]:
    return {"name": "frequency_regulation", **options}


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (("solar_mw", 1e9), r"series.solar_mw at 2025-06-02 18:00\+00:00: found 1e\+09 .* beside a battery of 2 MW"),
        (("load_mw", 1e11), r"series.load_mw at .* more than 1e\+08 times that; mend the cell, which is in MW"),
        (("price_per_mwh", 1e12), r"series.price_per_mwh at 2025-06-02 18:00\+00:00: found 1e\+12 .* usual price of"),
        (("price_per_mwh", -1e12), r"series.price_per_mwh at 2025-06-02 18:00"),
        (("regulation_up_price_per_mw", 1e12), r"series.regulation_up_price_per_mw at 2025-06-02 18:00"),
    ],
)
def test_a_cell_too_far_from_the_rest_is_refused(cell: tuple[str, float], message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        scenario(cell)


@pytest.mark.parametrize(
    ("tables", "where"),
    [
        ({"site": {"import_limit_mw": 1e12}}, "site.import_limit_mw"),
        ({"site": {"unserved_price_per_mwh": 1e12}}, "site.unserved_price_per_mwh"),
        ({"battery": {"wear_cost_per_mwh": 1e12}}, "battery.wear_cost_per_mwh"),
        ({"battery": {"soc_end": {"value_per_mwh": -1e12}}}, "battery.soc_end.value_per_mwh"),
        ({"battery": {"power_mw": 1e-12}}, "battery.power_mw"),
        ({"battery": {"duration_h": 1e12}}, "battery.duration_h"),
        ({"battery": {"technology": CELLS | {"eta_discharge": 1e-300}}}, "battery.technology.eta_discharge"),
        ({"battery": {"technology": CELLS | {"c_rate_max": 1e-300}}}, "battery.technology.c_rate_max"),
        ({"tariff": {"demand": [{"price_per_mw_month": 1e12}]}}, r"tariff.demand\[0\].price_per_mw_month"),
        ({"tariff": {"demand": [{"price_per_mw_month": 9.0, "incurred_mw": 1e12}]}}, r"tariff.demand\[0\].incurred"),
        (
            {"tariff": {"demand": [PEAK | {"contracted_mw": 1.5, "overrun_price_per_mw_month": 1e12}]}},
            r"tariff.demand\[0\].overrun_price_per_mw_month",
        ),
        (
            {"tariff": {"export": 0.0, "energy": [{"tiers": [[5.0, 90.0], [np.inf, 1e12]]}]}},
            r"energy\[0\].tiers\[1\]\[1\]",
        ),
        (
            {"connection": [{"name": "noon", "export_mw": 0.5, "overrun_price_per_mwh": 1e12}]},
            r"connection\[0\].overrun",
        ),
        ({"connection": [{"name": "noon", "export_mw": 1e11}]}, r"connection\[0\].export_mw"),
        ({"battery": {"wear": {"depth": [0.3, 1.0], "cost_per_mwh": [1.0, 1e12]}}}, r"wear.cost_per_mwh\[1\]"),
        ({"finance": {"lifetime_years": 10**9}}, "finance.lifetime_years: found 1000000000; give .* <= 1000 year"),
        ({"step": "200ms"}, r"series: steps are 0.2 s; give steps of whole seconds"),
        ({"step": "2500ms"}, r"series: steps are 2.5 s; give steps of whole seconds"),
    ],
)
def test_a_key_too_far_from_the_rest_is_refused(tables: dict[str, Any], where: str) -> None:
    with pytest.raises(bo.ScenarioError, match=where):
        scenario(**tables)


@pytest.mark.parametrize(
    ("strategy", "where"),
    [
        (regulation(headroom_h=1e6), "strategy.headroom_h: found 1000000.0; give a number >= 0 and <= 8784 h"),
        (regulation(block_h=1e-300), "strategy.block_h: found 1e-300, with steps of 1 h"),
        (regulation(block_h=1e12), "strategy.block_h: found .* <= 24 h"),
        (regulation(mileage_ratio=1e12), "strategy.mileage_ratio"),
        (regulation(performance_price_per_mw=1e12), "strategy.performance_price_per_mw: found .* usual price"),
        ({"name": "export_cap", "cap_mw": 1e12}, "strategy.cap_mw: found .* battery of 2 MW"),
        ({"name": "peak_shaving", "target_mw": 1e12}, "strategy.target_mw"),
        ({"name": "firm_delivery", "window": ["18:00", "22:00"], "block_mw": 1e12}, "strategy.block_mw"),
    ],
)
def test_an_option_without_measure_is_refused(strategy: dict[str, Any], where: str) -> None:
    made = scenario(strategy=strategy)
    for verb in (bo.optimize, bo.simulate):
        with pytest.raises(bo.StrategyError, match=where):
            verb(made)


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
@pytest.mark.parametrize("size", [1e3, 1e6, 1e8])
def test_an_outlier_that_is_taken_changes_nothing_else(topology: str, size: float) -> None:
    """A cell of PV up to 1e8 MW beside 2 MW: whatever it is worth, the other steps earn as with 1,000 MW there."""

    def rest(cell: float) -> float:
        site = {"export_limit_mw": 3.0, "inverter_mw": 4.0, "dc_share": 0.5}
        plan = bo.optimize(scenario(("solar_mw", cell), battery={"topology": topology}, site=site))
        assert plan.report.certificate.primal_violation < 1e-6
        return float(plan.schedule["revenue"].drop(plan.schedule.index[18]).sum())

    assert rest(size) == pytest.approx(rest(100.0), rel=1e-9)


def test_a_limit_far_above_the_battery_is_as_none() -> None:
    """1e7 times the battery is still held together."""
    wide = {"import_limit_mw": 2e7, "export_limit_mw": 2e7}
    assert bo.optimize(scenario(site=wide)).metrics.score == pytest.approx(bo.optimize(scenario()).metrics.score)
