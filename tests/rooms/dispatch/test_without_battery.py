"""No battery means none: load beyond the connection goes unserved at its price, or the time is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import Case, case

import bess_opt as bo
from bess_opt.dispatch.without_battery import dispatch_without_battery
from bess_opt.plant.flows import schedule_of
from bess_opt.plant.stepper import rest, run_rule
from bess_opt.plant.without_battery import site_without_battery

LOAD = [0.5, 0.5, 2.0, 0.5]


def behind_a_limit(**more: object) -> Case:
    site = {"import_limit_mw": 1.0, "unserved_price_per_mwh": 1e4} | dict(more.pop("site", {}))  # type: ignore[call-overload]
    battery = {"power_mw": 1.0, "duration_h": 2.0, "soc_start": 0.5} | dict(more.pop("battery", {}))  # type: ignore[call-overload]
    return case(
        price_per_mwh=[50.0] * 4, load_mw=LOAD, site=site, battery=battery, strategy="self_consumption", **more
    )


def test_the_rung_none_sheds_what_the_connection_lacks() -> None:
    compared = bo.compare(behind_a_limit(battery={"soc_start": 1.0}).scenario())
    none = compared.plans["self_consumption", "none"]
    assert none.schedule["unserved_mw"].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert none.metrics.discharged_mwh == none.metrics.charged_mwh == 0.0
    assert compared.plans["self_consumption", "rule"].schedule["unserved_mw"].sum() == 0.0


def test_neither_its_own_load_nor_leak_nor_reserve_is_left() -> None:
    battery = {"auxiliary_mw": 0.1, "self_discharge_per_h": 0.05, "soc_start": 0.5}
    made = behind_a_limit(battery=battery, energy_min_mwh=[0.0, 0.0, 1.5, 0.0]).scenario()
    schedule = dispatch_without_battery(made).schedule
    assert schedule["load_mw"].tolist() == LOAD
    assert schedule["energy_mwh"].tolist() == [1.0] * 4
    assert schedule["loss_mw"].abs().max() == 0.0


@pytest.mark.parametrize("kind", ["parallel_ac", "series_dc", "ramp"])
def test_all_steps_at_once_are_the_steps_one_by_one(kind: str) -> None:
    topology = "parallel_ac" if kind == "ramp" else kind
    site = {"export_limit_mw": 1.5} | ({} if topology == "parallel_ac" else {"inverter_mw": 3.0})
    made = behind_a_limit(battery={"topology": topology}, site=site, solar_mw=[0.0, 0.1, 0.5, 2.5]).scenario()
    if kind == "ramp":
        made = made.replace(connection=[{"name": "slow", "ramp_mw_per_min": 0.02}])
    plant = site_without_battery(made)
    one_by_one = schedule_of(plant, run_rule(plant, lambda _state: 0.0))
    pd.testing.assert_frame_equal(schedule_of(plant, rest(plant)), one_by_one, check_exact=True)
    assert one_by_one["curtailed_mw"].max() > 0.0
    assert one_by_one["unserved_mw"].max() > 0.0


def test_a_rule_of_0_is_no_battery() -> None:
    """Also where the connection would make an idle battery work: there nothing is left, and the time is named."""
    free = behind_a_limit(battery={"soc_start": 1.0}, site={"unserved_price_per_mwh": None})
    assert bo.simulate(free.scenario(), rule=lambda _state: 0.0).metrics.discharged_mwh == pytest.approx(1.0)
    with pytest.raises(bo.InfeasibleError, match=r"site.import_limit_mw: at .* the site takes 2 MW"):
        bo.simulate(free.scenario(), rule=0)
    none = bo.simulate(behind_a_limit(battery={"auxiliary_mw": 0.1}).scenario(), rule=0)
    assert none.metrics == dispatch_without_battery(behind_a_limit(battery={"auxiliary_mw": 0.1}).scenario()).metrics


@pytest.mark.parametrize("rule", [1.0, False, "arbitrage"])
def test_what_cannot_be_asked_is_no_rule(rule: Any) -> None:
    with pytest.raises(bo.StrategyError, match=r"rule: is .*; give a function of the state that returns MW, or 0"):
        bo.simulate(behind_a_limit().scenario(), rule=rule)


def test_it_can_be_saved_and_read(tmp_path: object) -> None:
    none = dispatch_without_battery(behind_a_limit(battery={"auxiliary_mw": 0.1}).scenario())
    again = bo.load_dispatch(none.save(tmp_path / "none"))  # type: ignore[operator]
    assert again.metrics == none.metrics


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
def test_solar_is_curtailed_for_limits_not_for_prices(topology: str) -> None:
    made = case(
        price_per_mwh=[-20.0, 30.0, 30.0],
        solar_mw=[1.0, 3.0, 0.5],
        battery={"topology": topology},
        site={"export_limit_mw": 2.0} | ({"dc_share": 0.5} if topology == "hybrid" else {}),
    )
    none = dispatch_without_battery(made.scenario())
    assert none.schedule["export_mw"].to_numpy() == pytest.approx([1.0, 2.0, 0.5])
    assert none.metrics.energy_revenue == pytest.approx(-20.0 + 60.0 + 15.0)


def test_a_site_that_needs_one_says_when() -> None:
    made = case(price_per_mwh=[50.0] * 4, load_mw=LOAD, site={"import_limit_mw": 1.0}, battery={"soc_start": 0.5})
    with pytest.raises(bo.InfeasibleError, match="at 2025-06-02 02:00 the site takes 2 MW, the limit is 1 MW"):
        dispatch_without_battery(made.scenario())


def test_the_import_limit_changes_no_power_of_a_rule_where_load_may_go_unserved() -> None:
    scenario = behind_a_limit(battery={"auxiliary_mw": 0.25}).scenario()
    idle = bo.simulate(scenario, rule=lambda state: 0.0).schedule
    assert idle["battery_mw"].abs().max() == 0.0
    assert idle["unserved_mw"].tolist() == pytest.approx([0.0, 0.0, 1.25, 0.0])
    charging = bo.simulate(scenario, rule=lambda state: -0.6).schedule
    assert charging["battery_mw"].tolist()[0] == -0.6
    assert charging["unserved_mw"].tolist()[0] == pytest.approx(0.35)  # 0.75 + 0.6 MW behind 1 MW
    hungry = bo.simulate(scenario, rule=lambda state: -1.0).schedule
    assert hungry["unserved_mw"].tolist()[0] == pytest.approx(0.5)  # its own load is never shed
    assert hungry["battery_mw"].tolist()[0] == pytest.approx(-0.75)
    assert hungry["limited_by"].iloc[0] == "import limit"


def test_without_a_price_the_battery_serves_what_the_connection_lacks() -> None:
    made = case(price_per_mwh=[50.0] * 4, load_mw=LOAD, site={"import_limit_mw": 1.0}, battery={"soc_start": 1.0})
    idle = bo.simulate(made.scenario(), rule=lambda state: 0.0).schedule
    assert idle["battery_mw"].tolist() == pytest.approx([0.0, 0.0, 1.0, 0.0])


def test_the_battery_s_own_load_is_never_shed() -> None:
    """Cheap to shed, dear to import: the optimum sheds the load, never the auxiliary load."""
    made = case(
        import_price_per_mwh=[500.0] * 3,
        export_price_per_mwh=[0.0] * 3,
        load_mw=[1.0] * 3,
        battery={"auxiliary_mw": 0.2, "soc_end": "free"},
        site={"unserved_price_per_mwh": 5.0},
        strategy="self_consumption",
    )
    plan = bo.optimize(made.scenario())
    assert np.max(plan.schedule["unserved_mw"]) == pytest.approx(1.0)
    assert np.min(plan.schedule["import_mw"] + plan.schedule["discharge_mw"]) == pytest.approx(0.2)
