"""What every pair of twins promises, over strategies, topologies and step lengths.

A new strategy is held to this without a line here; `STATED` only gives options to those that need some.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.places import ROOT

import bess_opt as bo
from bess_opt.plant.audit import audit
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant
from bess_opt.strategies.shared.activation import activate
from bess_opt.strategies.shared.discovery import discover

SCENARIO = ROOT / "scenarios" / "solar_merchant"
STATED: dict[str, dict[str, Any]] = {
    "cycling": {"cycles_per_day": 0.5},  # cycles that do not pay take the exact search long
    "export_cap": {"cap_mw": 5.0},
    "firm_delivery": {"window": ["18:00", "21:00"], "block_mw": 2.0},
    "solar_smoothing": {"ramp_limit_per_min": 0.004, "ramp_window_min": 60},
    "time_shift": {"window": ["18:00", "22:00"]},
}
SOLVED_TO = {"frequency_regulation": {"rel_gap": 1e-5}}  # three states of a battery are three yes-or-no choices
GROWS_WORSE = {"cycling"}  # a larger battery must move more energy for the same number of cycles
# Yes-or-no choices grow with the steps: where a strategy makes wasting energy pay, fewer hours say the same.
HARD = {"cycling", "frequency_regulation"}
HOURS = {False: {60: 48, 15: 24, 5: 12}, True: {60: 24, 15: 6, 5: 2}}
NAMES = sorted(discover())
TOPOLOGIES = ("parallel_ac", "series_dc", "hybrid")
STEPS_MIN = (60, 15, 5)


@cache
def case(name: str, topology: str, step_min: int) -> bo.Scenario:
    """A June day or two of the shipped site with a load and a tariff, at a step length."""
    base = bo.load(SCENARIO)
    hourly = base.series.loc["2025-06-03":].iloc[: HOURS[name in HARD][step_min]]
    hour = hourly.index.hour.to_numpy()
    hourly = hourly.assign(load_mw=1.0 + 0.8 * np.sin((hour - 12) / 24 * 2 * np.pi) ** 2)
    repeat = 60 // step_min
    hourly = hourly.assign(
        regulation_up_price_per_mw=12.0 + 8.0 * np.cos(hour / 24 * 2 * np.pi), regulation_down_price_per_mw=7.0
    )
    index = pd.date_range(hourly.index[0], periods=len(hourly) * repeat, freq=f"{step_min}min")
    series = pd.DataFrame(np.repeat(hourly.to_numpy(), repeat, axis=0), index=index, columns=hourly.columns)
    return base.replace(
        series=series,
        strategy={"name": name} | STATED.get(name, {}),
        battery={"topology": topology, "wear_cost_per_mwh": 0.0},
        site={"dc_share": 0.5 if topology == "hybrid" else None, "import_limit_mw": 6.0, "inverter_mw": 8.0},
        tariff={"demand": [{"price_per_mw_month": 9000.0, "part_months": "share", "interval_min": 60.0}]},
        solver=SOLVED_TO.get(name, {}),
    )


@cache
def optimum(scenario: bo.Scenario) -> bo.Dispatch:
    return bo.optimize(scenario)


@cache
def ruled(scenario: bo.Scenario) -> bo.Dispatch:
    return bo.simulate(scenario)


def better_by(best: bo.Dispatch, other: bo.Dispatch) -> float:
    """How much better `best` scores than `other`, in the score's own sense."""
    sign = 1.0 if best.metrics.score_sense == "max" else -1.0
    return sign * (best.metrics.score - other.metrics.score)


def allowance(plan: bo.Dispatch) -> float:
    assert plan.report is not None
    return 1e-6 * max(1.0, abs(plan.metrics.score), abs(plan.report.objective))


def ending_at(scenario: bo.Scenario, soc: float) -> bo.Scenario:
    window = scenario.battery.tech
    return scenario.replace(battery={"soc_end": float(np.clip(soc, window.soc_min, window.soc_max))})


@pytest.mark.parametrize("step_min", STEPS_MIN)
@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("name", NAMES)
class TestEveryPair:
    def test_optimum_is_no_worse_than_the_rule(self, name: str, topology: str, step_min: int) -> None:
        """Both measured alike, with the same energy left: else the rule would be charged for nothing."""
        scenario = case(name, topology, step_min)
        rule = ruled(scenario)
        best = optimum(ending_at(scenario, rule.schedule["soc"].iloc[-1]))
        assert better_by(best, rule) >= -allowance(best)

    def test_both_pass_the_audit_and_close_their_balance(self, name: str, topology: str, step_min: int) -> None:
        scenario = case(name, topology, step_min)
        for dispatch in (optimum(scenario), ruled(scenario)):
            m = dispatch.metrics
            assert m.balance_residual_mwh == pytest.approx(0.0, abs=1e-6)
            assert not dispatch.schedule.drop(columns="limited_by").isna().any().any()
        stated_plant = plant_of(scenario)
        assert audit(optimum(scenario).schedule, activate(scenario, stated_plant).restrict(stated_plant)) == ()

    def test_replay_equals_plan(self, name: str, topology: str, step_min: int) -> None:
        plan = optimum(case(name, topology, step_min))
        again = bo.replay(plan)
        numbers = plan.schedule.select_dtypes("number")
        assert np.abs(numbers.to_numpy() - again.schedule[numbers.columns].to_numpy()).max() < 1e-6
        assert again.metrics.score == pytest.approx(plan.metrics.score, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
class TestEveryOptimum:
    def test_no_worse_than_doing_nothing(self, name: str) -> None:
        scenario = case(name, "parallel_ac", 60)
        idle = bo.simulate(scenario, rule=lambda _state: 0.0)
        best = optimum(scenario)
        assert better_by(best, idle) >= -allowance(best)

    def test_larger_is_never_worse(self, name: str) -> None:
        if name in GROWS_WORSE:
            pytest.skip(f"{name} asks more of a larger battery")
        scenario = ending_at(case(name, "parallel_ac", 60), 0.5)
        small = optimum(scenario)
        for change in ({"power_mw": 5.0, "duration_h": 3.2}, {"duration_h": 5.0}):
            energy = (
                scenario.battery.energy_mwh / bo.Battery(**({"power_mw": 4.0, "duration_h": 4.0} | change)).energy_mwh
            )
            soc = {"soc_start": 0.5 * energy, "soc_end": 0.5 * energy}
            large = optimum(scenario.replace(battery=change | soc))
            assert better_by(large, small) >= -allowance(large)

    def test_the_same_hours_in_quarters_are_no_worse(self, name: str) -> None:
        """Sums have the step in them: four equal quarters hold the energy of their hour, and allow more."""
        if name in ("solar_smoothing",):
            pytest.skip("a ramp is a property of the step length")
        quarters = case(name, "parallel_ac", 15)
        hours = quarters.replace(series=quarters.series.resample("1h").mean())
        hourly, quarter = optimum(hours), optimum(quarters)
        assert better_by(quarter, hourly) >= -1e-5 * max(1.0, abs(hourly.metrics.score))
        assert quarter.metrics.solar_mwh == pytest.approx(hourly.metrics.solar_mwh)
        assert quarter.metrics.load_mwh == pytest.approx(hourly.metrics.load_mwh)

    def test_unknown_option_names_the_nearest(self, name: str) -> None:
        scenario = case(name, "parallel_ac", 60)
        options = STATED.get(name, {})
        with pytest.raises(bo.StrategyError, match="windw"):
            bo.optimize(scenario.replace(strategy={"name": name, **options, "windw": 1}))

    @pytest.mark.parametrize("technology", ["standard", "premium"])
    def test_balance_closes_for_every_technology(self, name: str, technology: str) -> None:
        """Other efficiencies, windows and C-rates: both twins pass their audit and close their books."""
        scenario = case(name, "parallel_ac", 60).replace(battery={"technology": technology, "soc_start": 0.5})
        for dispatch in (bo.optimize(scenario), bo.simulate(scenario)):
            assert dispatch.metrics.balance_residual_mwh == pytest.approx(0.0, abs=1e-6)
            assert audit(dispatch.schedule, held(scenario, dispatch)) == ()


def held(scenario: bo.Scenario, dispatch: bo.Dispatch) -> Plant:
    """The plant as the audit holds it: a rule need not meet the end condition."""
    stated_plant = plant_of(scenario)
    plant = activate(scenario, stated_plant).restrict(stated_plant)
    return plant if dispatch.twin == "optimal" else plant.with_storage(end_min_mwh=0.0, end_max_mwh=np.inf)
