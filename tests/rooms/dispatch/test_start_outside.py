"""A start outside the window: brought back by paid power as fast as power and site allow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

CELLS = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.2, "soc_max": 0.8, "c_rate_max": 10.0}
BATTERY = {
    "power_mw": 1.0, "duration_h": 10.0, "technology": CELLS, "soc_end": "free", "auxiliary_mw": 0.0,
    "converters": {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0},
}  # fmt: skip
PRICES = [90.0, 10.0, 50.0, 50.0]


def scenario(start: float, prices: list[float] = PRICES, **more: Any) -> bo.Scenario:
    """A battery of 1 MW and 10 MWh without losses, whose window is 2 to 8 MWh, in hours."""
    index = pd.date_range("2025-06-02", periods=len(prices), freq="1h", tz="UTC")
    battery = BATTERY | {"soc_start": start} | more.pop("battery", {})
    series = pd.DataFrame({"price_per_mwh": prices} | more.pop("columns", {}), index=index)
    return bo.Scenario(battery=battery, series=series, strategy="arbitrage", **more)


@pytest.mark.parametrize("engine", ["highs", "value_function"])
def test_it_charges_at_once_though_the_hour_is_dear(engine: str) -> None:
    """From 0.5 MWh to 2: 1 MW at 90 and 0.5 at 10, then 0.5 more at 10 to sell at 50."""
    plan = bo.optimize(scenario(0.05, solver={"engine": engine}))
    assert plan.schedule["energy_mwh"].tolist()[:2] == pytest.approx([1.5, 2.5], abs=1e-5)
    assert plan.metrics.net_revenue == pytest.approx(-90.0 - 10.0 + 25.0, abs=1e-3)
    (told,) = [finding for finding in plan.findings if finding.code == "start_outside_window"]
    assert told.where == "battery.soc_start"
    assert "in the step of 2025-06-02 01:00" in told.expected


def test_it_discharges_at_once_though_the_hour_is_cheap() -> None:
    """From 9.5 MWh to 8 at 1 MW, of which the site takes 0.75."""
    plan = bo.optimize(scenario(0.95, [-20.0, -20.0, 50.0, 50.0], site={"export_limit_mw": 0.75}))
    assert plan.schedule["energy_mwh"].tolist()[:2] == pytest.approx([8.75, 8.0], abs=1e-5)


def test_rules_and_plans_on_forecasts_go_back_as_fast() -> None:
    given = scenario(0.05)
    idle = bo.simulate(given, rule=lambda _state: 0.0)
    assert idle.schedule["energy_mwh"].tolist() == pytest.approx([1.5, 2.0, 2.0, 2.0], abs=1e-5)
    assert idle.schedule["limited_by"].iloc[0] == "energy"
    believed = bo.control(given, "persistence")
    assert believed.schedule["energy_mwh"].iloc[:2].tolist() == pytest.approx([1.5, 2.0], abs=1e-5)


def test_speed_overruns_no_priced_clause_and_sheds_no_load() -> None:
    """0.5 MW of priced cap beside 0.2 MW of load leave 0.3 MW, though overrunning and shedding cost next to nothing."""
    cap = [{"name": "cap", "import_mw": 0.5, "overrun_price_per_mwh": 0.01}]
    site = {"unserved_price_per_mwh": 0.01}
    plan = bo.optimize(scenario(0.1, [-5.0] * 4, columns={"load_mw": 0.2}, connection=cap, site=site))
    assert plan.schedule["energy_mwh"].iloc[0] >= 1.3 - 1e-5
    priced = bo.optimize(scenario(0.1, [50.0, 10.0, 10.0, 10.0], columns={"load_mw": 0.2}, connection=cap, site=site))
    assert priced.schedule["energy_mwh"].iloc[0] == pytest.approx(1.3, abs=1e-5)


def test_an_edge_out_of_reach_means_the_nearest_within_reach() -> None:
    """Four hours of 0.25 MW from 0.5 MWh come to 1.5: that is what at_least_start and equal ask for; a number is not met."""
    site = {"import_limit_mw": 0.25}
    for end in ("at_least_start", "equal"):
        plan = bo.optimize(scenario(0.05, battery={"soc_end": end}, site=site))
        assert plan.schedule["energy_mwh"].iloc[-1] == pytest.approx(1.5, abs=1e-5)
        (told,) = [finding for finding in plan.findings if finding.code == "start_outside_window"]
        assert "the nearest within reach by the end is 0.15, for 0.2" in told.expected
    with pytest.raises(bo.InfeasibleError, match="soc_end"):
        bo.optimize(scenario(0.05, battery={"soc_end": 0.3}, site=site))


def test_of_several_the_sum_then_the_first() -> None:
    """0.5 MW for two that both need it go to the first in the file, and none is taken from the other at a loss."""
    index = pd.date_range("2025-06-02", periods=4, freq="1h", tz="UTC")
    own = BATTERY | {"soc_start": 0.1, "technology": CELLS | {"eta_discharge": 0.9}}
    batteries = [own | {"name": name} for name in ("north", "south")]
    plan = bo.optimize(
        bo.Scenario(
            battery=batteries, site={"import_limit_mw": 0.5}, strategy="arbitrage",
            series=pd.DataFrame({"price_per_mwh": [90.0, 10.0, 50.0, 50.0]}, index=index),
        )
    )  # fmt: skip
    assert plan.units["north"]["energy_mwh"].tolist()[:2] == pytest.approx([1.5, 2.0], abs=1e-4)
    assert plan.units["south"]["energy_mwh"].tolist()[1:] == pytest.approx([1.0, 1.5, 2.0], abs=1e-4)
    assert {f.where for f in plan.findings if f.code == "start_outside_window"} == {
        "battery.north.soc_start", "battery.south.soc_start",
    }  # fmt: skip


def test_it_is_saved_loaded_replayed_and_explained(tmp_path: Path) -> None:
    plan = bo.optimize(scenario(0.05))
    assert bo.replay(plan).metrics.net_revenue == pytest.approx(plan.metrics.net_revenue, abs=1e-4)
    plan.save(tmp_path / "plan")
    assert bo.load_dispatch(tmp_path / "plan").metrics == plan.metrics
    assert len(plan.explain()) == 4
    assert np.isfinite(bo.compare(plan.scenario).table["net_revenue"]).all()


def test_a_size_starts_inside() -> None:
    given = scenario(0.05, battery={"soc_end": "equal"})
    with pytest.raises(bo.ScenarioError, match="outside the technology's window"):
        bo.size(given, power_mw=(0.5, 1.0), duration_h=(2.0, 4.0), objective="net_revenue", budget=1.0)
