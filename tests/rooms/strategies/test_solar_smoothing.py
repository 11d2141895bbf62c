"""Solar smoothing: ramps by hand, the two ways to keep the limit, and what is scored against what is audited."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import Case, case
from support.places import ROOT

import bess_opt as bo
from bess_opt.models.ramp import RampLimit
from bess_opt.plant.from_scenario import plant_of
from bess_opt.strategies.shared.discovery import get

MERCHANT = ROOT / "scenarios" / "solar_merchant"
TOPOLOGIES = ("parallel_ac", "series_dc", "hybrid")


def smooth(solar: list[float], *, site: dict[str, Any] | None = None, step_min: int = 60, **options: Any) -> Case:
    """PV of 4 MW capacity that may move by 2 MW from step to step, with 1 MW and 2 MWh without losses."""
    limit = {"ramp_limit_per_min": 2.0 / (4.0 * step_min)}
    strategy = {"name": "solar_smoothing"} | limit | options
    return case(solar_mw=solar, site={"solar_capacity_mw": 4.0} | (site or {}), strategy=strategy, step_min=step_min)


# -------------------------------------------------------------------------------------------------- by hand


def test_excess_is_measured_against_every_step_of_the_window() -> None:
    """Limit 1 over two steps, 0 before: 0, 1, 2, 0.5 is 1 over at 2 (from 0) and 0.5 over at 0.5 (from 2).

    Against the step before alone there would be 0.5 at the end only.
    """
    ramp = RampLimit(limit_mw=1.0, window=2, before_mw=0.0)
    assert ramp.excess_mw(np.array([0.0, 1.0, 2.0, 0.5])).tolist() == [0.0, 0.0, 1.0, 0.5]
    assert RampLimit(1.0, 1, 0.0).excess_mw(np.array([0.0, 1.0, 2.0, 0.5])).tolist() == [0.0, 0.0, 0.0, 0.5]


def test_the_first_step_counts_from_what_was_before() -> None:
    """3 MW from 0 is one over; from 2.5 it is none; from 6 it is one over downward."""
    for before, excess in ((0.0, 1.0), (2.5, 0.0), (6.0, 1.0)):
        assert RampLimit(2.0, 1, before).excess_mw(np.array([3.0])).tolist() == [excess]


def test_stored_energy_carries_a_fall() -> None:
    """2, 4, 0, 0 with 2 MW an hour: 1 MWh kept back makes 2, 3, 1, 0. Without a battery 2 MW would be over."""
    plan = smooth([2.0, 4.0, 0.0, 0.0]).optimize()
    assert plan.metrics.score == pytest.approx(0.0, abs=1e-9)
    assert plan.figures["ramp_violations"] == 0.0
    idle = bo.simulate(plan.scenario, rule=lambda _state: 0.0)
    assert idle.metrics.score == pytest.approx(2.0 * 1000.0)
    assert idle.figures == {"ramp_violations": 0.25, "energy_to_grid": 1.0, "beyond_limit_mwh": pytest.approx(2.0)}


@pytest.mark.parametrize(("penalty", "score", "curtailed"), [(1000.0, 50.0, 1.0), (10.0, 10.0, 0.0)])
def test_what_the_battery_cannot_carry_is_curtailed_or_paid(penalty: float, score: float, curtailed: float) -> None:
    """With half the power 1 MW of the fall is left: curtail 1 MWh ahead of it (50), or break the limit (penalty)."""
    of = smooth([2.0, 4.0, 0.0, 0.0], violation_price_per_mwh=penalty)
    plan = of.but(battery={"power_mw": 0.5, "duration_h": 4.0}).optimize()
    assert plan.metrics.score == pytest.approx(score)
    assert plan.metrics.curtailed_mwh == pytest.approx(curtailed, abs=1e-9)
    assert -plan.report.objective == pytest.approx(score)


def test_curtailment_alone_keeps_the_limit() -> None:
    """A battery of next to nothing: 0, 3, 0 becomes 0, 2, 0; the 1 MWh is worth 70 here. Violations: 2 · 1000."""
    of = smooth([0.0, 3.0, 0.0], curtailment_value_per_mwh=70.0)
    plan = of.but(battery={"power_mw": 1e-3, "duration_h": 1e-1}).optimize()
    assert plan.metrics.score == pytest.approx(70.0, rel=1e-3)
    forbidden = of.but(battery={"power_mw": 1e-3, "duration_h": 1e-1}, site={"curtailment": False}).optimize()
    assert forbidden.metrics.score == pytest.approx(2000.0, rel=1e-3)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_curtailment_has_its_price_on_either_bus(topology: str) -> None:
    """0, 3, 0 becomes 0, 2, 0 on either side of a lossless inverter: 1 MWh at 70, in the objective and the score."""
    of = smooth(
        [0.0, 3.0, 0.0], curtailment_value_per_mwh=70.0, site={"dc_share": 0.5 if topology == "hybrid" else None}
    )
    plan = of.but(battery={"power_mw": 1e-3, "duration_h": 1e-1, "topology": topology}).optimize()
    assert plan.metrics.score == pytest.approx(70.0, rel=1e-3)
    assert -plan.report.objective == pytest.approx(plan.metrics.score)


def test_a_rise_counts_like_a_fall() -> None:
    """0, 3, 3 rises by 3, one over, where nothing may be curtailed; a full battery gives first and takes then."""
    of = smooth([0.0, 3.0, 3.0], site={"curtailment": False})
    idle = bo.simulate(of.scenario(), rule=lambda _state: 0.0)
    assert idle.metrics.score == pytest.approx(1000.0)
    plan = of.but(battery={"soc_start": 1.0, "soc_end": 1.0}).optimize()
    assert plan.metrics.score == pytest.approx(0.0, abs=1e-6)


def test_a_step_of_minutes_is_scored_by_its_hours() -> None:
    """The same fall of 2 over for a quarter of an hour is 0.5 MWh: 500 instead of 2,000."""
    of = smooth([2.0, 4.0, 0.0, 0.0], step_min=15, site={"curtailment": False})
    idle = bo.simulate(of.scenario(), rule=lambda _state: 0.0)
    assert idle.metrics.score == pytest.approx(500.0)


def test_a_window_allows_its_minutes() -> None:
    """1/60 of 4 MW per minute over 30 minutes of 15-minute steps: 2 MW, whether in one step or in two."""
    of = smooth(
        [2.0, 4.0, 4.0, 1.5], step_min=15, ramp_limit_per_min=1 / 60, ramp_window_min=30.0, export_before_mw=1.0
    )
    idle = bo.simulate(of.scenario(), rule=lambda _state: 0.0)
    assert idle.figures["beyond_limit_mwh"] == pytest.approx(
        (1.0 + 0.5) * 0.25
    )  # 4 from 1, two steps before; 1.5 from 4
    assert idle.figures["ramp_violations"] == 0.5


def test_the_capacity_defaults_to_the_highest_power_and_is_noted() -> None:
    of = smooth([2.0, 3.0, 0.0])
    of = of.but(site={"solar_capacity_mw": None})
    plan = of.optimize()
    noted = [f.sentence() for f in plan.findings.warnings if f.code == "capacity_assumed"]
    assert noted == [
        "site.solar_capacity_mw: is missing; 3 MW, the highest solar power of the series, stands for it; "
        "state the capacity, for the limit would change with the series"
    ]
    assert [f.code for f in bo.validate(of.scenario()).warnings] == ["capacity_assumed"]
    idle = bo.simulate(of.scenario(), rule=lambda _state: 0.0)
    assert idle.figures["beyond_limit_mwh"] == pytest.approx(0.5 + 1.5)  # limit 1.5: 2 from 0, 0 from 3


# ------------------------------------------------------------------------------------------------- the rule


def test_the_rule_moves_into_the_band_and_no_further() -> None:
    """From 0 to 3 it takes the one beyond 2, inside the band gives it back, and in the fall gives all it can."""
    rule = bo.simulate(
        smooth([3.0, 3.0, 0.0, 0.0], site={"curtailment": False}).but(battery={"soc_start": 0.5}).scenario()
    )
    assert rule.schedule["battery_mw"].tolist() == pytest.approx([-1.0, 1.0, 1.0, 0.0])
    assert rule.schedule["grid_mw"].tolist() == pytest.approx([2.0, 4.0, 1.0, 0.0])


def test_the_rule_brings_its_charge_back_to_the_middle() -> None:
    """Steady sun within the limit, 0.1 MWh in a battery of 2: after hours it holds 1 MWh, charged from PV."""
    of = smooth([2.0] * 48, export_before_mw=2.0).but(battery={"soc_start": 0.05})
    rule = bo.simulate(of.scenario())
    assert rule.schedule["energy_mwh"].iloc[1] == pytest.approx(1.0)
    assert rule.metrics.score == 0.0
    full = bo.simulate(of.but(battery={"soc_start": 0.95}).scenario())
    assert full.schedule["energy_mwh"].iloc[1] == pytest.approx(1.0)


def test_the_rule_does_not_recentre_from_the_grid() -> None:
    rule = bo.simulate(smooth([0.0] * 30 + [1.0] * 30).but(battery={"soc_start": 0.05}).scenario())
    assert rule.metrics.import_mwh == 0.0
    assert rule.schedule["energy_mwh"].iloc[29] == pytest.approx(0.1)


# -------------------------------------------------------------------------------------------- score and audit


@pytest.mark.parametrize(("window", "before"), [(1, 0.0), (1, -0.7), (3, 0.0), (3, 3.9)])
def test_score_audit_and_objective_agree(window: int, before: float) -> None:
    """Random sun without curtailment: the model's violations, the score's and a reading by hand are one number.

    The limit is 1.5 MW whatever the window: over three steps more of it is broken than over one.
    """
    solar = np.random.default_rng(3).uniform(0.0, 4.0, 24).round(2).tolist()
    options = {"ramp_window_min": 15.0 * window, "ramp_limit_per_min": 1.5 / (4.0 * 15.0 * window)}
    of = smooth(solar, step_min=15, site={"curtailment": False}, export_before_mw=before, **options)
    plan = of.but(battery={"power_mw": 0.3, "soc_start": 0.5}).optimize()
    grid = [before] * window + plan.schedule["grid_mw"].tolist()
    by_hand = sum(
        max(0.0, *(abs(grid[t] - grid[t - lag]) - 1.5 for lag in range(1, window + 1)))
        for t in range(window, len(grid))
    )
    assert plan.metrics.score == pytest.approx(1000.0 * 0.25 * by_hand, abs=1e-6)
    assert -plan.report.objective == pytest.approx(plan.metrics.score, abs=1e-6)
    assert plan.figures["beyond_limit_mwh"] == pytest.approx(0.25 * by_hand, abs=1e-9)


def test_the_audit_sees_a_score_that_overlooks_a_ramp(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit reads the option itself: a score that counts no ramp at all does not pass."""
    of = smooth([2.0, 4.0, 0.0, 0.0])
    with monkeypatch.context() as blind:
        blind.setattr(RampLimit, "excess_mw", lambda _self, grid_mw: np.zeros(len(grid_mw)))
        with pytest.raises(bo.AuditError, match="solar_smoothing scores every ramp beyond the limit: off by 2 MW"):
            bo.simulate(of.scenario(), rule=lambda _state: 0.0)


def test_figures_survive_saving(tmp_path: Path) -> None:
    plan = smooth([2.0, 4.0, 0.0, 0.0]).optimize()
    assert dict(bo.load_dispatch(plan.save(tmp_path / "plan")).figures) == dict(plan.figures)


# ------------------------------------------------------------------------------------------------ both twins


@cache
def cloudy(topology: str, step_min: int, hours: int) -> bo.Scenario:
    """Hours of the shipped site with clouds: each step's PV power cut by a seeded random share."""
    base = bo.load(MERCHANT)
    hourly = base.series.loc["2025-06-03 06:00":].iloc[:hours]
    repeat = 60 // step_min
    index = pd.date_range(hourly.index[0], periods=len(hourly) * repeat, freq=f"{step_min}min")
    series = pd.DataFrame(np.repeat(hourly.to_numpy(), repeat, axis=0), index=index, columns=hourly.columns)
    clouds = np.random.default_rng(11).choice([1.0, 0.7, 0.3], len(series), p=[0.7, 0.2, 0.1])
    series[["solar_mw", "solar_dc_mw"]] *= clouds[:, None]
    return base.replace(
        series=series,
        strategy={"name": "solar_smoothing", "ramp_limit_per_min": 0.1 / step_min},
        battery={"topology": topology, "power_mw": 2.0, "duration_h": 1.0, "wear_cost_per_mwh": 0.0},
        site={"dc_share": 0.5 if topology == "hybrid" else None},
    )


def same_end(scenario: bo.Scenario, rule: bo.Dispatch) -> bo.Dispatch:
    """The optimum that leaves as much energy as the rule did."""
    window = scenario.battery.tech
    soc = float(np.clip(rule.schedule["soc"].iloc[-1], window.soc_min, window.soc_max))
    return bo.optimize(scenario.replace(battery={"soc_end": soc}))


@pytest.mark.parametrize(("step_min", "hours"), [(60, 24), (15, 6), (5, 6)])
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_optimum_rule_and_nothing_stand_in_this_order(topology: str, step_min: int, hours: int) -> None:
    scenario = cloudy(topology, step_min, hours)
    rule, idle = bo.simulate(scenario), bo.simulate(scenario, rule=lambda _state: 0.0)
    best = same_end(scenario, rule)
    assert best.metrics.score <= rule.metrics.score + 1e-6 * max(abs(rule.metrics.score), 1.0)
    assert rule.metrics.score < idle.metrics.score
    assert rule.figures["ramp_violations"] <= idle.figures["ramp_violations"]
    again = bo.replay(best)
    assert again.metrics.score == pytest.approx(best.metrics.score, rel=1e-6, abs=1e-6)
    assert again.figures["energy_to_grid"] == pytest.approx(best.figures["energy_to_grid"])


def test_days_of_a_clock_change_have_no_ramp_of_their_own() -> None:
    """A steady power over the night of 30 March in Berlin: steps are equal in UTC, so nothing is over the limit."""
    of = smooth([2.0] * 23, export_before_mw=2.0)
    series = of.series.set_axis(pd.date_range("2025-03-30", periods=23, freq="h", tz="Europe/Berlin"))
    of = of.but(series=series, site={"time_zone": "Europe/Berlin"})
    for dispatch in (of.optimize(), bo.simulate(of.scenario())):
        assert dispatch.metrics.score == pytest.approx(0.0, abs=1e-9)


def test_the_rule_does_not_see_the_future() -> None:
    scenario = cloudy("parallel_ac", 15, 48)
    other = scenario.series.copy()
    other.iloc[30:, :2] *= 0.3
    seen, changed = bo.simulate(scenario), bo.simulate(scenario.replace(series=other))
    assert seen.schedule["battery_mw"].iloc[:30].tolist() == changed.schedule["battery_mw"].iloc[:30].tolist()
    assert seen.schedule["battery_mw"].iloc[30:].tolist() != changed.schedule["battery_mw"].iloc[30:].tolist()


def test_among_plans_without_violation_the_one_of_most_energy() -> None:
    """2 MW all along and 1 MWh in store: it is given to the grid too. Least throughput alone would keep it."""
    of = smooth([2.0, 2.0, 2.0, 2.0], export_before_mw=2.0).but(battery={"soc_start": 0.5})
    assert of.optimize().figures["energy_to_grid"] == pytest.approx(1.0 + 1.0 / 8.0)


# ---------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"ramp_window_min": 30.0},
            "strategy.ramp_window_min: found 30, but steps are 60 min, longer than the ramp window; "
            "give a whole number of steps, or a series with shorter steps",
        ),
        (
            {"ramp_window_min": 90.0},
            "strategy.ramp_window_min: found 90, but steps are 60 min, no whole part of it; "
            "give a whole number of steps, or a series with shorter steps",
        ),
        (
            {"ramp_limit_per_min": 0.0},
            "strategy.ramp_limit_per_min: found 0.0; give a number > 0 1/min "
            "(most change of grid power, share of the solar capacity per minute)",
        ),
        (
            {"violation_price_per_mwh": 0.0},
            "strategy.violation_price_per_mwh: found 0.0; give a number > 0 currency/MWh "
            "(penalty on power beyond the limit, times its hours)",
        ),
        (
            {"curtailment_value_per_mwh": -1.0},
            "strategy.curtailment_value_per_mwh: found -1.0; give a number >= 0 currency/MWh "
            "(worth of PV energy thrown away)",
        ),
        (
            {"ramp_limit": 0.1},
            "strategy.ramp_limit: unknown key 'ramp_limit'; did you mean 'ramp_limit_per_min'?",
        ),
    ],
)
def test_a_wrong_option_is_refused_by_both_twins_and_by_validate(options: dict[str, Any], sentence: str) -> None:
    scenario = smooth([1.0, 2.0]).but(strategy={"name": "solar_smoothing"} | options).scenario()
    for verb in (bo.optimize, bo.simulate):
        with pytest.raises(bo.StrategyError) as raised:
            verb(scenario)
        assert str(raised.value) == sentence
    assert len(bo.validate(scenario).errors) == 1


def test_the_old_name_leads_to_the_new_one() -> None:
    with pytest.raises(bo.StrategyError, match="unknown strategy 'ramp_limit'; it is now called 'solar_smoothing'"):
        get("ramp_limit")


# -------------------------------------------------------------------------------------------------- real data


@pytest.mark.real_data
def test_measured_five_minute_power() -> None:
    """Three days of a measured plant (`pv_5min`), 1 % per minute: idle breaks the limit often, the rule seldom.

    With 30 % of the capacity for an hour the optimum breaks it nowhere and loses next to nothing.
    """
    file = Path(os.environ.get("BESS_OPT_DATA", "")) / "pv_5min" / "pv_5min_matrix_288x365.csv"
    if "BESS_OPT_DATA" not in os.environ or not file.is_file():
        pytest.skip("BESS_OPT_DATA does not lead to the measured PV power")
    matrix = np.loadtxt(file, delimiter=",", usecols=range(100, 103))
    power = np.nan_to_num(matrix).clip(0.0).T.reshape(-1) * (10.0 / 262.8)
    index = pd.date_range("2025-04-11", periods=len(power), freq="5min", tz="UTC")
    scenario = bo.Scenario(
        battery={"power_mw": 3.0, "duration_h": 1.0},
        site={"solar_capacity_mw": 10.0},
        series=pd.DataFrame({"solar_mw": power}, index=index),
        strategy={"name": "solar_smoothing", "ramp_limit_per_min": 0.01},
    )
    idle, rule, plan = bo.simulate(scenario, rule=lambda _state: 0.0), bo.simulate(scenario), bo.optimize(scenario)
    assert idle.figures["ramp_violations"] > 0.04
    assert rule.figures["ramp_violations"] < 0.005
    assert plan.metrics.score == pytest.approx(0.0, abs=1e-6)
    assert plan.figures["energy_to_grid"] > 0.99
    assert plan.metrics.score <= rule.metrics.score < 0.05 * idle.metrics.score
    assert plant_of(scenario).step_h == pytest.approx(1.0 / 12.0)
