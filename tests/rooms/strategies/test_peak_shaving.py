"""Peak shaving: bills that can be worked out by hand, and what the rule may know."""

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


def per_mw(length_h: float, price: float = 100.0, **row: Any) -> dict[str, Any]:
    """A demand row that costs `price` per MW of the peak of a horizon of so many hours."""
    return {"price_per_mw_month": price * 730.5 / length_h, "period": "horizon"} | row


def shaving(row: dict[str, Any] | None, *, options: dict[str, Any] | None = None, **more: Any) -> Case:
    """A battery of 1 MW and 2 MWh without losses, empty at the start and free at the end, at 50 per MWh."""
    columns = {"load_mw": [2.0, 2.0, 6.0, 2.0], "price_per_mwh": 50.0} | more
    tariff = None if row is None else {"demand": [row]}
    return case(strategy={"name": "peak_shaving"} | (options or {}), tariff=tariff, **columns)


# -------------------------------------------------------------------------------------------------- by hand


def test_the_peak_falls_by_what_the_battery_can_give() -> None:
    """Load 2, 2, 6, 2: 1 MW less at the peak, 12 MWh at 50 and 5 MW at 100: 1,100. Without shaving 1,200."""
    plan = shaving(per_mw(4)).optimize()
    assert plan.metrics.peak_import_mw == pytest.approx(5.0)
    assert plan.metrics.score == pytest.approx(1100.0)
    assert plan.metrics.score_sense == "min"


def test_energy_limits_what_a_long_peak_can_lose() -> None:
    """Load 1, 4, 4, 4, 4 and 2 MWh, filled at the start within 1 MW: 0.25 MW an hour each. Power alone: 1 MW."""
    of = shaving(per_mw(5), load_mw=[1.0, 4.0, 4.0, 4.0, 4.0])
    assert of.optimize().metrics.peak_import_mw == pytest.approx(3.75)


def test_shaving_stops_where_it_costs_more_than_it_saves() -> None:
    """Power costs 1 per MW, energy lost in the cells more: the battery rests. The peak first would bring 5 MW."""
    lossy = {"eta_charge": 0.5, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0}
    of = shaving(per_mw(4, price=1.0)).but(battery={"technology": lossy})
    assert of.optimize().metrics.charged_mwh == pytest.approx(0.0, abs=1e-9)


def test_a_peak_already_incurred_is_not_shaved() -> None:
    """5.6 MW are billed anyway: the battery lowers 6 to 5.6 and no further, for each MWh wears."""
    of = shaving(per_mw(4, incurred_mw=5.6)).but(battery={"wear_cost_per_mwh": 1.0})
    plan = of.optimize()
    assert plan.metrics.peak_import_mw == pytest.approx(5.6)
    assert plan.metrics.demand_charges == pytest.approx(560.0)


def test_the_mean_of_the_billing_interval_counts() -> None:
    """Quarters of 0, 4, 0, 0 MW are an hour of 1 MW: nothing to shave. By quarters the plan would move energy."""
    of = shaving(per_mw(2, interval_min=60.0), load_mw=[0.0, 4.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0], step_min=15)
    plan = of.optimize()
    assert plan.metrics.demand_charges == pytest.approx(100.0)
    assert plan.metrics.discharged_mwh == pytest.approx(0.0, abs=1e-9)


def test_only_the_window_is_shaved() -> None:
    """The row counts from 2 to 3 o'clock, load 3 there, 6 before: 2 MW at 100. All day would be billed 5."""
    of = shaving(per_mw(4, hours=[2, 3]), load_mw=[6.0, 2.0, 3.0, 2.0])
    plan = of.optimize()
    assert plan.metrics.demand_charges == pytest.approx(200.0)


def test_without_a_demand_row_it_says_so() -> None:
    plan = shaving(None).optimize()
    assert [f.code for f in plan.findings.warnings] == ["no_demand_charge"]
    assert plan.metrics.demand_charges == 0.0


# ------------------------------------------------------------------------------------------------- the rule


def test_the_rule_holds_its_target_and_recharges_under_it() -> None:
    """Target 5: full after two hours at 3 MW, 5 MW at the peak, then charging again. Idle, the peak is 6."""
    rule = bo.simulate(shaving(per_mw(4), options={"target_mw": 5.0}).scenario())
    assert rule.schedule["import_mw"].tolist() == pytest.approx([3.0, 3.0, 5.0, 3.0])
    assert rule.metrics.demand_charges == pytest.approx(500.0)


def test_the_target_rises_when_it_is_broken() -> None:
    """Target 1 holds in the first hour, not in the second: then 2 MW are paid for and the third has room.

    A target that stays at 1 would leave no room there, at a load of 1, and the battery empty to the end.
    """
    of = shaving(per_mw(4), options={"target_mw": 1.0}, load_mw=[2.0, 2.0, 1.0, 2.0])
    rule = bo.simulate(of.but(battery={"soc_start": 0.5}).scenario())
    assert rule.schedule["import_mw"].tolist() == pytest.approx([1.0, 2.0, 2.0, 2.0])
    assert rule.schedule["energy_mwh"].tolist() == pytest.approx([0.0, 0.0, 1.0, 1.0])


def test_the_rule_counts_what_its_billing_interval_has_used() -> None:
    """Target 1 over an hour, load 4, 1, 1, 1 MW in its quarters: the mean of the four imports is held.

    Battery at full power leaves 3 MW in the first quarter, and 1 MW over the other three: a third each. A rule
    that looks at quarters alone would import 3, 1, 1, 1 and be billed for 1.5.
    """
    of = shaving(per_mw(1, interval_min=60.0), options={"target_mw": 1.0}, load_mw=[4.0, 1.0, 1.0, 1.0], step_min=15)
    rule = bo.simulate(of.but(battery={"soc_start": 1.0}).scenario())
    assert rule.schedule["import_mw"].tolist() == pytest.approx([3.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0])
    assert rule.metrics.demand_charges == pytest.approx(100.0)


def test_the_rule_recharges_when_the_price_is_low() -> None:
    """Prices 90, 90, 20, 90: charged in the third hour only. At any price it would charge in the first."""
    of = shaving(per_mw(4), options={"target_mw": 6.0}, price_per_mwh=[90.0, 90.0, 20.0, 90.0], load_mw=[2.0] * 4)
    rule = bo.simulate(of.scenario())
    assert rule.schedule["charge_mw"].tolist() == pytest.approx([0.0, 0.0, 1.0, 0.0])


def test_the_rule_guesses_its_target_from_the_days_before() -> None:
    """A first day with one peak of 6 MW teaches 5 (power limit); the second day's peak of 5.5 is held at 5.

    On the first day the mean so far is all that is known, and the full battery gives its 1 MW as well.
    """
    day = [2.0] * 12 + [6.0] + [2.0] * 11
    row = {"price_per_mw_month": 1000.0, "hours": [0, 24]}
    of = shaving(row, load_mw=day + [min(x, 5.5) for x in day], start="2025-06-30 00:00")
    rule = bo.simulate(of.but(battery={"soc_start": 1.0, "soc_end": "at_least_start"}).scenario())
    july = rule.schedule.loc["2025-07-01":]
    assert july["import_mw"].max() == pytest.approx(5.0)
    assert july["discharge_mw"].to_numpy().nonzero()[0].tolist() == [12]


def test_windows_have_targets_of_their_own() -> None:
    """Noon at 6 MW is outside the row's window from 18 to 20: the rule keeps its energy for 4 MW at 18."""
    day = [2.0] * 12 + [6.0] + [2.0] * 5 + [4.0, 2.0] + [2.0] * 4
    of = shaving({"price_per_mw_month": 1000.0, "hours": [18, 20]}, load_mw=day * 2, options={"target_mw": 3.0})
    rule = bo.simulate(of.but(battery={"soc_start": 1.0}).scenario())
    assert rule.schedule["discharge_mw"].to_numpy().nonzero()[0].tolist() == [18, 42]


def test_a_guess_counts_the_window_alone() -> None:
    """Noon at 6 MW is outside the window from 18 to 20, where 4 MW stand: the second day is held at 3.

    A guess over the whole day would be 5, and the evening would stay at 4.
    """
    day = [2.0] * 12 + [6.0] + [2.0] * 5 + [4.0, 2.0] + [2.0] * 4
    of = shaving({"price_per_mw_month": 1000.0, "hours": [18, 20]}, load_mw=day * 2, start="2025-06-30 00:00")
    rule = bo.simulate(of.but(battery={"soc_start": 1.0}).scenario())
    assert rule.schedule.loc["2025-07-01 18:00":"2025-07-01 19:00", "import_mw"].max() == pytest.approx(3.0)


# ------------------------------------------------------------------------------------------------ both twins


@cache
def merchant(topology: str, step_min: int, first: str = "2025-06-03", days: int = 4) -> bo.Scenario:
    """Some days of the shipped site as a factory: a load with two shifts, two demand rows, prices plus a fee."""
    base = bo.load(MERCHANT)
    hourly = base.series.loc[first:].iloc[: 24 * days]
    work = np.isin(hourly.index.hour.to_numpy(), [7, 8, 9, 10, 13, 14, 15, 17, 18, 19])
    hourly = hourly[["solar_mw", "price_per_mwh"]].assign(load_mw=2.0 + 5.0 * work)
    hourly["solar_mw"] *= 0.3
    repeat = 60 // step_min
    index = pd.date_range(hourly.index[0], periods=len(hourly) * repeat, freq=f"{step_min}min")
    rows = [
        {"price_per_mw_month": 60_000.0, "interval_min": 60.0},
        {"price_per_mw_month": 30_000.0, "hours": [16, 21], "days": "weekday"},
    ]
    return base.replace(
        series=pd.DataFrame(np.repeat(hourly.to_numpy(), repeat, axis=0), index=index, columns=hourly.columns),
        strategy="peak_shaving",
        battery={"topology": topology, "wear_cost_per_mwh": 0.0},
        site={"import_limit_mw": None, "inverter_mw": 8.0, "dc_share": 0.5 if topology == "hybrid" else None},
        tariff={"demand": rows},
    )


def same_end(scenario: bo.Scenario, rule: bo.Dispatch) -> bo.Dispatch:
    """The optimum that leaves as much energy as the rule did."""
    window = scenario.battery.tech
    soc = float(np.clip(rule.schedule["soc"].iloc[-1], window.soc_min, window.soc_max))
    return bo.optimize(scenario.replace(battery={"soc_end": soc}))


@pytest.mark.parametrize("step_min", [60, 15, 5])
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_optimum_is_no_worse_than_the_rule_and_the_rule_than_nothing(topology: str, step_min: int) -> None:
    scenario = merchant(topology, step_min, days=4 if step_min == 60 else 2)
    rule, idle = bo.simulate(scenario), bo.simulate(scenario, rule=lambda _state: 0.0)
    best = same_end(scenario, rule)
    assert best.metrics.score <= rule.metrics.score + 1e-6 * abs(rule.metrics.score)
    assert rule.metrics.demand_charges < 0.9 * idle.metrics.demand_charges
    assert rule.metrics.end_shortfall_mwh == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("first", ["2025-03-08", "2025-11-01"])
def test_days_of_a_clock_change(first: str) -> None:
    """A day of 23 or 25 hours: windows by the clock, replay equal to the plan, nothing worse than idling."""
    scenario = merchant("parallel_ac", 60, first)
    plan, idle = bo.optimize(scenario), bo.simulate(scenario, rule=lambda _state: 0.0)
    assert plan.metrics.score <= idle.metrics.score
    assert bo.replay(plan).metrics.score == pytest.approx(plan.metrics.score, rel=1e-9)
    rule = bo.simulate(scenario)
    assert same_end(scenario, rule).metrics.score <= rule.metrics.score + 1e-6 * abs(rule.metrics.score)


def test_the_rule_does_not_see_the_future() -> None:
    """Another load, sun and price from the third day on changes nothing before it."""
    scenario = merchant("parallel_ac", 60)
    other = scenario.series.copy()
    other.iloc[48:] = other.iloc[48:].to_numpy() * [0.2, 3.0, 2.0]
    seen, changed = bo.simulate(scenario), bo.simulate(scenario.replace(series=other))
    assert seen.schedule["battery_mw"].iloc[:48].tolist() == changed.schedule["battery_mw"].iloc[:48].tolist()
    assert seen.schedule["battery_mw"].iloc[48:].tolist() != changed.schedule["battery_mw"].iloc[48:].tolist()


def test_a_ratchet_makes_a_peak_cost_more() -> None:
    """May has 6 MW for one hour, June needs 2; with a ratchet half of May's peak is June's bill: 3 MW, not 2.

    The plan shaves May although May itself is free: its price is in the months from June on.
    """
    row = {
        "price_per_mw_month": 1000.0 * 30.0,
        "months": [6],
        "part_months": "share",
        "ratchet": {"share": 0.5, "months": 3},
    }
    load = [2.0, 6.0, 2.0] + [2.0] * 24
    plan = shaving(row, load_mw=load, start="2025-05-31 21:00").optimize()
    assert plan.schedule["import_mw"].iloc[1] == pytest.approx(5.0)
    assert plan.metrics.demand_charges == pytest.approx(2500.0)


# ---------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"target_mw": -1.0}, r"strategy\.target_mw: found -1\.0; give a number >= 0 MW"),
        ({"target": 3.0}, r"strategy\.target: unknown key 'target'; did you mean 'target_mw'"),
        ({"target_mw": "low"}, r"strategy\.target_mw: found 'low'; give a number >= 0 MW"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(bo.StrategyError, match=sentence):
        shaving(per_mw(4), options=options).optimize()


@pytest.mark.parametrize("missing", ["load_mw", "price_per_mwh"])
def test_load_and_prices_are_needed(missing: str) -> None:
    of = shaving(per_mw(4))
    with pytest.raises(bo.StrategyError, match="'peak_shaving' needs"):
        of.but(series=of.series.drop(columns=missing)).optimize()
