"""A load below zero is generation that cannot be curtailed: limits, permissions and rules, by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import bess_opt as bo

IDEAL = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
EMPTY = {"technology": IDEAL, "converters": LOSSLESS, "soc_start": 0.0, "soc_end": "free"}
BATTERY = {"power_mw": 1.0, "duration_h": 2.0} | EMPTY
TWO = [
    {"name": "a", "power_mw": 0.5, "duration_h": 2.0} | EMPTY,
    {"name": "b", "power_mw": 0.5, "duration_h": 2.0} | EMPTY,
]


def scenario(battery: Any = BATTERY, site: dict[str, Any] | None = None, **columns: Any) -> bo.Scenario:
    """Three hours with a price and a load."""
    series = {"price_per_mwh": [10.0, 20.0, 60.0], "load_mw": [-2.0, -2.0, 1.0]} | columns
    index = pd.date_range("2025-03-01", periods=3, freq="1h", tz="UTC")
    return bo.Scenario(battery=battery, site=site, series=pd.DataFrame(series, index), strategy="arbitrage")


@pytest.mark.parametrize("battery", [BATTERY, TWO], ids=["one", "two"])
def test_without_grid_charging_the_battery_takes_the_sites_own_generation(battery: Any) -> None:
    """1 MW of 2 MW goes into the battery in each hour, 1 MW is sold; at 60 the load and the rest of 1 MW are met."""
    plan = bo.optimize(scenario(battery, {"grid_charging": False}))
    assert plan.schedule["charge_mw"].tolist() == pytest.approx([1.0, 0.0, 0.0])
    assert plan.metrics.net_revenue == pytest.approx(10.0 + 40.0)
    numbers = plan.schedule.select_dtypes("number")
    assert (bo.replay(plan).schedule[numbers.columns] - numbers).abs().max().max() < 1e-9


@pytest.mark.parametrize("battery", [BATTERY, TWO], ids=["one", "two"])
def test_export_without_the_battery_is_pv_and_generation(battery: Any) -> None:
    """battery_export = false: 2 MW leave in the first hours, at 60 the battery serves the load alone."""
    plan = bo.optimize(scenario(battery, {"battery_export": False}, load_mw=[-2.0, -2.0, 0.4]))
    assert plan.schedule["export_mw"].tolist() == pytest.approx([1.6, 2.0, 0.0])
    assert plan.schedule["discharge_mw"].tolist() == pytest.approx([0.0, 0.0, 0.4])


@pytest.mark.parametrize("battery", [BATTERY, TWO], ids=["one", "two"])
def test_strict_export_is_what_generation_and_pv_have_over_nothing(battery: Any) -> None:
    """At −2 MW of load and 0.5 MW of PV 2.5 MW may leave; at a load of 1 MW with 0.5 MW of PV nothing may."""
    site = {"battery_export": "strict", "grid_charging": False}
    plan = bo.optimize(scenario(battery, site, solar_mw=[0.5, 0.5, 0.5]))
    assert plan.schedule["export_mw"].tolist() == pytest.approx([2.0, 2.5, 0.0])
    assert plan.schedule["discharge_mw"].iloc[2] == pytest.approx(0.5)


@pytest.mark.parametrize("battery", [BATTERY, TWO], ids=["one", "two"])
def test_a_rule_has_to_take_what_export_limit_and_curtailment_leave(battery: Any) -> None:
    """2 MW of generation and 1 MW of PV behind 1.5 MW: PV is curtailed whole, 0.5 MW go into the battery."""
    given = scenario(battery, {"export_limit_mw": 1.5}, solar_mw=1.0)
    rule = bo.simulate(given, rule=lambda _state: 0.0)
    assert rule.schedule["charge_mw"].tolist() == pytest.approx([0.5, 0.5, 0.0])
    assert rule.schedule["curtailed_mw"].tolist() == pytest.approx([1.0, 1.0, 0.0])
    assert rule.schedule["limited_by"].tolist() == ["export limit", "export limit", ""]


def test_generation_that_nothing_can_take_is_infeasible() -> None:
    """4 MW behind an export limit of 1 MW and a battery of 1 MW."""
    with pytest.raises(bo.InfeasibleError, match="export limit"):
        bo.optimize(scenario(site={"export_limit_mw": 1.0}, load_mw=[-4.0, 0.0, 0.0]))
    with pytest.raises(bo.InfeasibleError, match="the site gives"):
        bo.simulate(scenario(site={"export_limit_mw": 1.0}, load_mw=[-4.0, 0.0, 0.0]), rule=lambda _state: 0.0)


def test_export_above_import_prices_stays_bounded_by_what_the_site_has() -> None:
    """Export pays more than import costs: 2 MW of generation and 1 MW of the battery leave, nothing goes round."""
    given = scenario(load_mw=[-2.0, -2.0, -2.0]).replace(
        series=pd.DataFrame(
            {"import_price_per_mwh": 10.0, "export_price_per_mwh": [20.0, 20.0, 60.0], "load_mw": -2.0},
            pd.date_range("2025-03-01", periods=3, freq="1h", tz="UTC"),
        )
    )
    plan = bo.optimize(given)
    assert plan.schedule["export_mw"].max() == pytest.approx(3.0)
    assert plan.schedule[["import_mw", "export_mw"]].min(axis=1).max() == 0.0


@pytest.mark.parametrize(
    ("end", "last"), [({"at_least": 0.25}, 0.25), ({"at_most": 0.4}, 0.0), ({"at_least": 0.1, "at_most": 0.3}, 0.1)]
)
def test_an_end_between_bounds(end: dict[str, float], last: float) -> None:
    """Energy sells at 60 in the last hour, down to the least that may be left."""
    plan = bo.optimize(scenario(BATTERY | {"soc_end": end, "power_mw": 2.0, "duration_h": 1.0}, load_mw=0.0))
    assert plan.schedule["soc"].iloc[-1] == pytest.approx(last)
    full = scenario(BATTERY | {"soc_start": 1.0, "soc_end": {"at_most": 0.4}}, load_mw=0.0, price_per_mwh=-10.0)
    assert bo.optimize(full).schedule["soc"].iloc[-1] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("end", "where", "words"),
    [
        ({"at_least": 0.6, "at_most": 0.4}, "battery.soc_end.at_least", "no higher than at_most"),
        ({"at_least": 1.5}, "battery.soc_end.at_least", "<= 1"),
        ({"at_least": None}, "battery.soc_end.at_least", "at_most"),
        ({"at_lest": 0.5}, "battery.soc_end.at_lest", "value_per_mwh"),
    ],
)
def test_ends_that_are_refused(end: dict[str, Any], where: str, words: str) -> None:
    """Each with its place and what would be right."""
    with pytest.raises(bo.ScenarioError) as refused:
        scenario(BATTERY | {"soc_end": end})
    found = next(problem for problem in refused.value.problems if problem.where == where)
    assert words in found.expected


def test_an_end_outside_the_window_is_refused() -> None:
    """A window from 0.2 on and an end of at least 0.1."""
    cells = IDEAL | {"soc_min": 0.2}
    with pytest.raises(bo.ScenarioError, match=r"soc_end\.at_least"):
        scenario(BATTERY | {"technology": cells, "soc_start": 0.5, "soc_end": {"at_least": 0.1}})
