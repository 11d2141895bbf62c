"""Self-consumption: what a kilowatt-hour kept on the site is worth, by hand and for both twins."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import Case, case
from support.places import ROOT

import bess_opt as bo

MERCHANT = ROOT / "scenarios" / "solar_merchant"
TOPOLOGIES = ("parallel_ac", "series_dc", "hybrid")


def home(*, options: dict[str, Any] | None = None, **more: Any) -> Case:
    """1 MW and 2 MWh without losses, empty and free at the end; PV 3, 3, 0, 0, load 1; buy at 300, sell at 80."""
    columns = {
        "solar_mw": [3.0, 3.0, 0.0, 0.0],
        "load_mw": 1.0,
        "import_price_per_mwh": 300.0,
        "export_price_per_mwh": 80.0,
    }
    return case(strategy={"name": "self_consumption"} | (options or {}), **(columns | more))


def both(of: Case) -> tuple[bo.Dispatch, bo.Dispatch]:
    return of.optimize(), bo.simulate(of.scenario())


# -------------------------------------------------------------------------------------------------- by hand


def test_stored_surplus_saves_import() -> None:
    """Surplus 2 and 2 MWh, deficit 1 and 1: 2 MWh kept, 2 sold at 80: a bill of −160. Idle: 600 − 320 = 280."""
    for dispatch in both(home()):
        assert dispatch.metrics.score == pytest.approx(-160.0)
        assert dispatch.metrics.net_revenue == pytest.approx(160.0)
        assert dispatch.metrics.import_mwh == pytest.approx(0.0, abs=1e-9)
        assert dispatch.metrics.score_sense == "min"


def test_the_rule_brings_the_exchange_to_zero() -> None:
    """Surplus 0.5, deficit 0.25, within what the battery can do: nothing flows to or from the grid."""
    rule = bo.simulate(home(solar_mw=[1.5, 0.75], load_mw=1.0).scenario())
    assert rule.schedule["battery_mw"].tolist() == pytest.approx([-0.5, 0.25])
    assert rule.schedule["grid_mw"].tolist() == pytest.approx([0.0, 0.0])


def test_the_rule_covers_a_deficit_at_any_price_and_the_optimum_waits() -> None:
    """1 MWh in store, import at 100, then 300: the rule gives it at once (bill 300), the optimum later (100)."""
    prices = {"import_price_per_mwh": [100.0, 300.0], "export_price_per_mwh": 80.0}
    of = home(solar_mw=[0.0, 0.0], **prices).but(battery={"soc_start": 0.5})
    plan, rule = both(of.but(strategy={"name": "self_consumption", "grid_charging": False}))
    assert rule.schedule["discharge_mw"].tolist() == pytest.approx([1.0, 0.0])
    assert plan.schedule["discharge_mw"].tolist() == pytest.approx([0.0, 1.0])
    assert (rule.metrics.score, plan.metrics.score) == (pytest.approx(300.0), pytest.approx(100.0))


def test_grid_charging_may_be_forbidden() -> None:
    """Import at 100, then 300 and half a MWh short: charging it before saves 0.5 · 200; forbidden, nothing."""
    prices = {"import_price_per_mwh": [100.0, 300.0], "export_price_per_mwh": 80.0}
    of = home(solar_mw=[0.0, 0.5], **prices)
    allowed, forbidden = (
        of.optimize(),
        of.but(strategy={"name": "self_consumption", "grid_charging": False}).optimize(),
    )
    assert forbidden.metrics.score - allowed.metrics.score == pytest.approx(100.0)
    assert forbidden.metrics.charged_mwh == pytest.approx(0.0, abs=1e-9)


def test_the_option_adds_to_what_the_site_forbids() -> None:
    """`grid_charging = true` does not lift the site's own ban."""
    of = home(solar_mw=[0.0, 0.5], import_price_per_mwh=[100.0, 300.0]).but(site={"grid_charging": False})
    assert of.optimize().metrics.charged_mwh == pytest.approx(0.0, abs=1e-9)


def test_the_bill_holds_demand_charges_too() -> None:
    """100 per MW over the horizon: load 1, 3 and no sun, 1 MWh in store and 1 MW of power: 2 MW left at 100."""
    row = {"price_per_mw_month": 100.0 * 730.5 / 2.0, "period": "horizon"}
    of = home(solar_mw=0.0, load_mw=[1.0, 3.0], tariff={"demand": [row]}).but(battery={"soc_start": 0.5})
    plan = of.optimize()
    assert plan.metrics.score == pytest.approx(3.0 * 300.0 + 200.0)


def test_losses_between_pv_and_load_can_make_storing_pointless() -> None:
    """Export 290, import 300, half lost: the optimum sells, the rule stores. A bill without losses would tie."""
    half = {"eta_charge": 0.5, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0}
    plan, rule = both(home(export_price_per_mwh=290.0).but(battery={"technology": half}))
    assert plan.metrics.charged_mwh == pytest.approx(0.0, abs=1e-9)
    assert rule.metrics.charged_mwh == pytest.approx(2.0)
    assert plan.metrics.score < rule.metrics.score


# ------------------------------------------------------------------------------------------------ both twins


@cache
def village(topology: str, step_min: int, first: str = "2025-06-03", days: int = 3) -> bo.Scenario:
    """Some days of the shipped site as a village: a load with an evening peak, export at a third of the price."""
    base = bo.load(MERCHANT)
    hourly = base.series.loc[first:].iloc[: 24 * days]
    hour = hourly.index.hour.to_numpy()
    price = hourly["price_per_mwh"].clip(lower=5.0) + 100.0
    hourly = pd.DataFrame(
        {
            "solar_mw": hourly["solar_mw"],
            "load_mw": 2.0 + 2.5 * np.isin(hour, [7, 18, 19, 20, 21]),
            "import_price_per_mwh": price,
            "export_price_per_mwh": price / 3.0,
        }
    )
    repeat = 60 // step_min
    index = pd.date_range(hourly.index[0], periods=len(hourly) * repeat, freq=f"{step_min}min")
    return base.replace(
        series=pd.DataFrame(np.repeat(hourly.to_numpy(), repeat, axis=0), index=index, columns=hourly.columns),
        strategy="self_consumption",
        battery={"topology": topology, "wear_cost_per_mwh": 0.0},
        site={"inverter_mw": 8.0, "dc_share": 0.5 if topology == "hybrid" else None, "import_limit_mw": None},
    )


def same_end(scenario: bo.Scenario, rule: bo.Dispatch) -> bo.Dispatch:
    """The optimum that leaves as much energy as the rule did."""
    window = scenario.battery.tech
    soc = float(np.clip(rule.schedule["soc"].iloc[-1], window.soc_min, window.soc_max))
    return bo.optimize(scenario.replace(battery={"soc_end": soc}))


@pytest.mark.parametrize(("step_min", "days"), [(60, 5), (15, 2), (5, 1)])
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_optimum_rule_and_nothing_stand_in_this_order(topology: str, step_min: int, days: int) -> None:
    """The rule meets `soc_end` and beats an idle battery; the optimum with the same end is no worse than the rule."""
    scenario = village(topology, step_min, days=days)
    rule, idle = bo.simulate(scenario), bo.simulate(scenario, rule=lambda _state: 0.0)
    best = same_end(scenario, rule)
    assert best.metrics.score <= rule.metrics.score + 1e-6 * abs(rule.metrics.score)
    assert rule.metrics.score < idle.metrics.score
    assert rule.metrics.end_shortfall_mwh == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_neither_twin_charges_from_the_grid_where_forbidden(topology: str) -> None:
    scenario = village(topology, 60).replace(strategy={"name": "self_consumption", "grid_charging": False})
    for dispatch in (bo.optimize(scenario), bo.simulate(scenario)):
        bought = dispatch.schedule["import_mw"] - dispatch.schedule["load_mw"]
        assert bought.max() <= 1e-6


@pytest.mark.parametrize("first", ["2025-03-08", "2025-11-01"])
def test_days_of_a_clock_change(first: str) -> None:
    scenario = village("parallel_ac", 60, first)
    plan, rule = bo.optimize(scenario), bo.simulate(scenario)
    assert same_end(scenario, rule).metrics.score <= rule.metrics.score + 1e-6 * abs(rule.metrics.score)
    assert bo.replay(plan).metrics.score == pytest.approx(plan.metrics.score, rel=1e-9)


def test_the_rule_does_not_see_the_future() -> None:
    """Another sun and load from the third day on changes nothing before it."""
    scenario = village("parallel_ac", 60, days=5)
    other = scenario.series.copy()
    other.iloc[48:] = other.iloc[48:].to_numpy() * [0.2, 1.5, 1.0, 1.0]
    seen, changed = bo.simulate(scenario), bo.simulate(scenario.replace(series=other))
    assert seen.schedule["battery_mw"].iloc[:48].tolist() == changed.schedule["battery_mw"].iloc[:48].tolist()
    assert seen.schedule["battery_mw"].iloc[48:].tolist() != changed.schedule["battery_mw"].iloc[48:].tolist()


# ---------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"grid_charging": 1}, r"strategy\.grid_charging: found 1; give true or false: may the grid charge"),
        ({"grid_charge": False}, r"strategy\.grid_charge: unknown key 'grid_charge'; did you mean 'grid_charging'"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(bo.StrategyError, match=sentence):
        home(options=options).optimize()


@pytest.mark.parametrize("missing", ["load_mw", "import_price_per_mwh"])
def test_load_and_prices_are_needed(missing: str) -> None:
    of = home()
    columns = [missing] if missing == "load_mw" else ["import_price_per_mwh", "export_price_per_mwh"]
    with pytest.raises(bo.StrategyError, match="'self_consumption' needs"):
        of.but(series=of.series.drop(columns=columns)).optimize()
