"""What passes from window to window: of several batteries each one's own, and the grid power that ramps refer to.

With a perfect forecast, windows to the end of the horizon and nothing else known, what is decided every two hours is the
optimum again, in its value: whatever was carried wrongly (energy, caps used, segments of wear, peaks, the last grid
power, an outage begun) would cost money or leave a window without a plan.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

NORTH = {"name": "north", "power_mw": 1.0, "duration_h": 1.0, "technology": "premium"}
SOUTH = {"name": "south", "power_mw": 0.5, "duration_h": 4.0, "soc_end": "equal"}
CLAUSES: list[dict[str, Any]] = [
    {"name": "noon", "export_mw": 0.2, "hours": [10, 16]},
    {"name": "ramp", "ramp_mw_per_min": 0.008, "hours": [8, 20], "before_mw": -0.3},
    {"name": "soft", "import_mw": 1.2, "overrun_price_per_mwh": 50.0},
]
OWN: dict[str, dict[str, Any]] = {
    "plain": {},
    "caps": {"north": {"max_cycles": [{"count": 0.8, "per": "day"}, {"count": 0.5, "hours": 8.0}]}},
    "wear": {
        "south": {"wear": {"depth": [0.3, 1.0], "cost_per_mwh": [3.0, 15.0]}},
        "north": {"max_cycles_per_day": 1},
    },
    "dc bus": {name: {"topology": "series_dc"} for name in ("north", "south")},
}


def site(**more: Any) -> bo.Scenario:
    """A day and a half with PV and load; prices of either sign."""
    rng, hours = np.random.default_rng(2), np.arange(36)
    columns = {
        "price_per_mwh": 35.0 + 40.0 * np.sin(2.0 * np.pi * (hours - 9) / 12.0) + rng.normal(0.0, 12.0, 36),
        "load_mw": 1.0 + 0.4 * np.sin(2.0 * np.pi * (hours - 12) / 24.0) + rng.uniform(0.0, 0.3, 36),
        "solar_mw": np.maximum(1.5 * np.sin(2.0 * np.pi * (hours % 24 - 6) / 24.0), 0.0),
        "south.discharge_limit_mw": np.where(hours % 24 < 6, 0.2, 1.0),
        "north.drawn_mw": np.where(hours == 30, 0.1, 0.0),
    }
    index = pd.date_range("2025-03-01 04:00", periods=36, freq="1h", tz="Europe/Berlin")
    return bo.Scenario(
        battery=[NORTH, SOUTH],
        site={"import_limit_mw": 3.0, "export_limit_mw": 1.2, "unserved_price_per_mwh": 3000.0},
        series=pd.DataFrame(columns, index=index).round(3),
        strategy="arbitrage",
    ).replace(**more)


def again_and_again(scenario: bo.Scenario, **more: Any) -> bo.Dispatch:
    """Operated on the truth, every two hours anew to the end of the horizon."""
    given = {"horizon_h": 36.0, "every_h": 2.0, "terminal": "free"} | more
    return bo.control(scenario, "perfect", **given)


def money(plan: bo.Dispatch) -> float:
    """What the optimum maximises; energy left over has no price here."""
    return plan.metrics.net_revenue - plan.metrics.wear_cost


@pytest.mark.parametrize(("own", "count"), [(own, 2) for own in OWN] + [("wear", 1)])
def test_decided_step_by_step_it_is_the_optimum(own: str, count: int) -> None:
    scenario = site(
        battery=OWN[own],
        connection=CLAUSES,
        outage=[{"start": "2025-03-02T08:00+01:00", "hours": 3.0, "critical_share": 0.4}],
        tariff={"demand": [{"price_per_mw_month": 2000.0}]},
    )
    if count == 1:
        series = scenario.series.rename(columns={"south.discharge_limit_mw": "discharge_limit_mw"})
        alone = {key: value for key, value in scenario.batteries[1].to_plain().items() if key != "name"}
        scenario = scenario.replace(battery=[alone], series=series.drop(columns="north.drawn_mw"))
    best, again = bo.optimize(scenario), again_and_again(scenario)
    assert money(again) == pytest.approx(money(best), rel=1e-6)
    assert again.figures["deviation_mwh"] < 1e-6
    assert not [note for note in again.findings if note.code == "window_infeasible"]


def test_one_window_is_the_plan_itself() -> None:
    """A single decision for all steps gives the optimum's schedule, each battery's columns too."""
    best, once = bo.optimize(site()), again_and_again(site(), every_h=36.0)
    for name, unit in best.units.items():
        assert np.abs(unit.to_numpy() - once.units[name].to_numpy()).max() < 1e-9


def test_stored_energy_has_a_worth_of_its_own_in_each_battery() -> None:
    """Short windows that end open lose little: each battery's energy is worth what it was a day before."""
    best = bo.optimize(site())
    valued, free = (again_and_again(site(), horizon_h=4.0, terminal=word) for word in ("value", "free"))
    assert money(best) - money(valued) < 0.5 * (money(best) - money(free))


@pytest.mark.parametrize("commitment", ["dispatch", "day_ahead"])
def test_wrong_forecasts_keep_clauses_and_outages(commitment: Any) -> None:
    """The plan is audited: caps, ramps into every step across decisions, an outage; orders of each battery stand."""
    outage = [{"start": "2025-03-02T08:00+01:00", "hours": 3.0, "critical_share": 0.4}]
    scenario = site(connection=[CLAUSES[0], CLAUSES[1] | {"ramp_mw_per_min": 0.03}], outage=outage)
    plan = bo.control(scenario, "persistence", horizon_h=24.0, commitment=commitment)
    change = np.abs(np.diff(plan.schedule["grid_mw"]))
    hour = plan.schedule.index.hour[1:]
    away = ((plan.schedule.index >= "2025-03-02 08:00+01:00") & (plan.schedule.index < "2025-03-02 11:00+01:00"))[1:]
    bound = (hour >= 8) & (hour < 20) & ~away & ~np.append(False, away[:-1])
    assert change[bound].max() <= 1.8 + 1e-9
    assert plan.figures["decisions"] > 1


def test_a_ramp_binds_across_decisions() -> None:
    """Each hour is decided alone and would jump by 1 MW: it may move by 0.3, from where it really stood.

    One hour at a time with nothing beyond it: 60 then 10 per MWh in turn, energy for all of it.
    """
    index = pd.date_range("2025-03-01", periods=6, freq="1h", tz="UTC")
    scenario = bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 10.0, "soc_start": 0.5, "soc_end": "free",
                 "technology": {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0},
                 "converters": {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}},
        series=pd.DataFrame({"price_per_mwh": [60.0, 50.0, -10.0, -10.0, 60.0, 60.0]}, index=index),
        connection=[{"name": "ramp", "ramp_mw_per_min": 0.005, "before_mw": 0.1}],
        strategy="arbitrage",
    )  # fmt: skip
    plan = bo.control(scenario, "perfect", horizon_h=1.0, every_h=1.0, terminal="free")
    assert plan.schedule["grid_mw"].to_numpy() == pytest.approx([0.4, 0.7, 0.4, 0.1, 0.4, 0.7])


def test_limits_of_each_battery_are_known() -> None:
    """A stated limit is no forecast, also with the name of its battery before it."""
    plan = bo.control(site(), "persistence", horizon_h=12.0, every_h=4.0)
    assert plan.units["south"]["discharge_mw"].to_numpy()[:2].max() <= 0.2 + 1e-9
    with pytest.raises(bo.ScenarioError, match=r"forecast\.north\.drawn_mw.*unknown series"):
        bo.control(site(), {"north.drawn_mw": "persistence", "*": "perfect"})


def test_compare_has_the_forecast_driven_rung() -> None:
    found = bo.compare(site(), forecast="persistence", every_h=6.0)
    assert found.forecast_values["arbitrage"] > 0.0
    driven = [plan for (_, _), plan in found.plans.items() if plan.twin == "control"]
    assert len(driven) == 2
    assert all(set(plan.units) == {"north", "south"} for plan in driven)


@pytest.mark.parametrize("count", [1, 2])
def test_a_start_above_the_window_is_brought_back_and_planned_on(count: int) -> None:
    """The first window asks what stored energy is worth in a time that repeats itself: not at the start outside."""
    full = site(battery={"south": {"soc_start": 1.0, "soc_end": "at_least_start"}, "north": {"soc_start": 0.0}})
    if count == 1:
        series = full.series.drop(columns=["north.drawn_mw", "south.discharge_limit_mw"])
        full = full.replace(battery=[full.batteries[1].to_plain()], series=series)
    plan = bo.control(full, "persistence", horizon_h=12.0, every_h=6.0)
    assert list(plan.units.values())[-1]["soc"].iloc[-1] >= 0.9 - 1e-6
    assert "start_outside_window" in {finding.code for finding in plan.findings}
