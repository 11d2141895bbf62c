"""Caps on cycles: whole periods, used so far, windows of hours; alike for optimum, rule and operation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import Case, case

import bess_opt as bo
from bess_opt.inputs.cycle_limits import CycleLimit
from bess_opt.plant.warranty.cycle_caps import CycleCap, cycle_caps_of

SWINGS = [0.0, 100.0] * 12


def swinging(max_cycles: Any, *, prices: list[float] = SWINGS, **more: Any) -> Case:
    """1 MW, 1 MWh that would swing fully every second hour."""
    battery = {"power_mw": 1.0, "duration_h": 1.0, "soc_start": 0.0, "soc_end": "free", "max_cycles": max_cycles}
    return case(price_per_mwh=prices, battery=battery | dict(more.pop("battery", {})), **more)


def cycles(plan: bo.Dispatch, rows: slice = slice(None)) -> float:
    return float(plan.schedule["discharge_mw"].iloc[rows].sum())


@pytest.mark.parametrize(("used", "left"), [(0.0, 3.0), (1.25, 1.75), (3.0, 0.0), (9.0, 0.0)])
def test_a_day_has_what_is_not_used(used: float, left: float) -> None:
    plan = swinging({"count": 3, "per": "day", "used": used}).optimize()
    assert cycles(plan) == pytest.approx(left)


def test_a_cut_day_has_its_full_count_and_only_the_first_is_used() -> None:
    made = swinging({"count": 2.0, "per": "day", "used": 1.5}, start="2025-06-02 18:00")
    plan = made.optimize()
    assert cycles(plan, slice(0, 6)) == pytest.approx(0.5)
    assert cycles(plan, slice(6, None)) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("cap", "begin", "parts"),
    [
        ({"per": "month"}, "2025-01-31 12:00", (12, 2.0)),
        ({"per": "year"}, "2024-12-31 12:00", (12, 2.0)),
        ({"per": "year", "begins": "07-01"}, "2025-06-30 12:00", (12, 2.0)),
        ({"per": "year", "begins": "07-01"}, "2024-12-31 12:00", (24, 2.0)),
        ({"per": "horizon"}, "2025-06-30 12:00", (24, 2.0)),
    ],
)
def test_periods_are_local(cap: dict[str, Any], begin: str, parts: tuple[int, float]) -> None:
    plan = swinging({"count": 2.0} | cap, start=begin, zone="Europe/Berlin").optimize()
    split, most = parts
    assert cycles(plan, slice(0, split)) == pytest.approx(most)
    assert cycles(plan, slice(split, None)) == pytest.approx(2.0 if split < 24 else 0.0)


def test_no_window_of_the_hours_has_more() -> None:
    plan = swinging({"count": 1.5, "hours": 6.9, "used": 0.5}).optimize()
    left = plan.schedule["discharge_mw"].to_numpy()
    assert max(left[i : i + 6].sum() for i in range(19)) <= 1.5 + 1e-9
    assert left[:5].sum() <= 1.0 + 1e-9
    assert left.sum() == pytest.approx(6.0, abs=0.51)


def test_what_enters_counts_where_that_is_stated() -> None:
    lossy = {"eta_charge": 0.8, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0}
    made = swinging(
        {"count": 1.2, "per": "day", "counts": "charged"}, battery={"technology": lossy, "soc_start": 1.0}
    )
    plan = made.optimize()
    assert 0.8 * plan.schedule["charge_mw"].sum() == pytest.approx(1.2)
    assert cycles(plan) == pytest.approx(2.2)


@pytest.mark.parametrize("cap", [{"per": "day"}, {"hours": 24.0}])
def test_what_leaves_the_cells_counts_and_not_what_arrives(cap: dict[str, Any]) -> None:
    """Of two cycles of 1 MWh half is lost on the way out."""
    lossy = {"eta_charge": 1.0, "eta_discharge": 0.5, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0}
    assert cycles(swinging({"count": 2.0} | cap, battery={"technology": lossy}).optimize()) == pytest.approx(1.0)


def test_all_caps_of_a_list_hold() -> None:
    plan = swinging([{"count": 5, "per": "horizon"}, {"count": 1, "hours": 12}], battery={"max_cycles_per_day": 2.5})
    assert cycles(plan.optimize()) == pytest.approx(2.0, abs=0.51)
    assert cycles(plan.optimize()) <= 2.5 + 1e-9


@pytest.mark.parametrize(
    "cap",
    [{"per": "day", "used": 0.3}, {"hours": 5}, {"per": "horizon", "counts": "charged"}, {"hours": 3, "used": 1}],
)
def test_a_rule_and_operation_keep_it(cap: dict[str, Any]) -> None:
    """The audit looks; the rule says what stopped it."""
    made = swinging({"count": 1.3} | cap).scenario()
    rule = bo.simulate(made, rule=lambda state: 1.0 if state.step % 2 else -1.0)
    assert "cycles" in set(rule.schedule["limited_by"])
    bo.control(made, "perfect", horizon_h=6, every_h=2)


@pytest.mark.parametrize("every", [1, 2, 5])
def test_plans_made_by_hand_carry_what_is_used(every: int) -> None:
    """Re-planned every few hours the day keeps its count; the plans' used is that of the hours carried out."""
    whole = swinging({"count": 2.5, "per": "day"}, start="2025-06-02 15:00", zone="Europe/Berlin").scenario()
    rest, done = whole, []
    while len(rest.series) > every + 1:
        plan = bo.optimize(rest)
        done.append(plan.schedule.iloc[:every])
        until = rest.series.index[every]
        tables = bo.used(plan, until)
        tables["battery"]["soc_start"] = min(max(float(plan.schedule["soc"].iloc[every - 1]), 0.0), 1.0)
        rest = rest.replace(**tables, series=rest.series.iloc[every:])
    carried = pd.concat(done)["discharge_mw"]
    by_day = carried.groupby(pd.DatetimeIndex(carried.index).date).sum()
    assert (by_day <= 2.5 + 1e-6).all()
    assert by_day.iloc[0] == pytest.approx(2.5)


def test_used_is_that_of_the_period_of_the_next_step() -> None:
    caps = [{"count": 4, "per": "day", "used": 1}, {"count": 50, "per": "month", "used": 7}, {"count": 2, "hours": 4}]
    plan = swinging(caps, prices=[0.0, 100.0] * 3, start="2025-06-02 18:00").optimize()
    left = plan.schedule["discharge_mw"].to_numpy()
    day, month, hours = (cap["used"] for cap in bo.used(plan)["battery"]["max_cycles"])
    assert day == 0.0  # the next step begins a new day
    assert month == pytest.approx(7 + left.sum())
    assert hours == pytest.approx(left[3:].sum())
    early = bo.used(plan, plan.schedule.index[2])["battery"]["max_cycles"]
    assert early[0]["used"] == pytest.approx(1 + left[:2].sum())
    with pytest.raises(bo.ScenarioError, match="give the start of a step"):
        bo.used(plan, "2025-06-02 18:30")


def test_used_takes_over_the_daily_key_and_is_empty_without_caps() -> None:
    plan = swinging(None, battery={"max_cycles_per_day": 3.0}).optimize()
    tables = bo.used(plan, plan.schedule.index[4])
    assert tables["battery"]["max_cycles_per_day"] is None
    assert tables["battery"]["max_cycles"] == [
        {
            "count": 3.0,
            "per": "day",
            "used": pytest.approx(plan.schedule["discharge_mw"].iloc[:4].sum()),
            "counts": "discharged",
        }
    ]
    assert bo.used(swinging(None).optimize()) == {}


@pytest.mark.parametrize(
    ("cap", "where", "words"),
    [
        ({"count": 1}, "battery.max_cycles.per", "give exactly one of per and hours"),
        ({"count": 1, "per": "day", "hours": 3}, "battery.max_cycles.per", "give exactly one of per and hours"),
        ({"count": 1, "per": "day", "begins": "07-01"}, "battery.max_cycles.begins", "a date begins a year"),
        (
            {"count": 1, "per": "year", "begins": "02-30"},
            "battery.max_cycles.begins",
            'give a date of the year "MM-DD"',
        ),
        ({"count": 1, "hours": 0.5}, "battery.max_cycles.hours", "give at least a step, 1 h"),
        ([{"count": 1, "per": "week"}], "battery.max_cycles[0].per", "'day'"),
    ],
)
def test_a_wrong_cap_is_refused(cap: Any, where: str, words: str) -> None:
    with pytest.raises(bo.ScenarioError) as caught:
        swinging(cap).scenario()
    assert any(problem.where == where and words in problem.expected for problem in caught.value.problems)


def test_a_load_that_breaks_a_cap_is_infeasible_with_the_period_named() -> None:
    made = swinging(
        {"count": 0.5, "per": "month"}, prices=[10.0] * 4, load_mw=[0.0, 2.0, 2.0, 0.0],
        battery={"duration_h": 2.0, "soc_start": 1.0, "soc_end": "free"}, site={"import_limit_mw": 1.0},
    )  # fmt: skip
    with pytest.raises(bo.InfeasibleError) as caught:
        made.optimize()
    assert "0.5 cycles in a month from 2025-06-02" in str(caught.value)
    (mended,) = (r for r in caught.value.relaxations if r.where == "battery.max_cycles.count")
    assert mended.value == pytest.approx(1.0, rel=1e-3)
    with pytest.raises(bo.InfeasibleError, match=r"battery\.max_cycles: from 2025-06-02 00:00"):
        bo.simulate(made.scenario(), rule=lambda state: 0.0)


def test_a_cut_day_of_cycling_has_its_share() -> None:
    """Six of 24 hours ask for a quarter of the number, and the step simulator holds it."""
    strategy = [{"name": "cycling", "cycles_per_day": 1.0}, {"name": "arbitrage"}]
    battery = {"power_mw": 1.0, "duration_h": 1.0, "soc_start": 0.95, "soc_end": "free"}
    for hours in (5, 6, 12, 30):
        rule = bo.simulate(
            case(
                price_per_mwh=[10.0, 90.0] * (hours // 2) + [50.0] * (hours % 2), battery=battery, strategy=strategy
            ).scenario()
        )
        assert np.sum(rule.schedule["discharge_mw"]) <= hours / 24.0 + (0.0 if hours < 24 else 1e-9)


@pytest.mark.second_tier
@pytest.mark.parametrize(("count", "value"), [(100, 19274.977), (365, 35829.392)])
def test_a_year_of_german_quarter_hours_under_a_cap(count: int, value: float) -> None:
    """Intraday prices of 2021, negative ones among them; found by an engine of value functions with a multiplier."""
    if "BESS_OPT_DATA" not in os.environ:
        pytest.skip("BESS_OPT_DATA is not set")
    file = Path(os.environ["BESS_OPT_DATA"]) / "prices_de_id1" / "electricity_prices_germany_2021.csv"
    table = pd.read_csv(file)
    prices = table[next(name for name in table if "ID3" in name)].to_numpy()
    eta = 0.86**0.5
    cells = {"eta_charge": eta, "eta_discharge": eta, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 4.0}
    battery = {"power_mw": 0.5, "duration_h": 2.0, "technology": cells}
    cap = {"count": count, "per": "horizon", "counts": "charged"}
    plan = swinging(cap, prices=prices.tolist(), battery=battery, step_min=15, start="2021-01-01").optimize()
    assert plan.metrics.net_revenue == pytest.approx(value, abs=5e-4)
    assert plan.report.gap <= 1e-7


def test_what_is_drawn_counts_in_a_cap() -> None:
    """A day of one cycle of 2 MWh: 0.5 MW drawn for an hour leave 1.5 MWh to sell at 100, and `used` says one cycle."""
    at = pd.date_range("2025-06-02", periods=4, freq="h", tz="UTC")
    cells = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0}
    lossless = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
    battery = {
        "power_mw": 2.0, "duration_h": 1.0, "technology": cells, "converters": lossless, "soc_start": 1.0,
        "soc_end": "free", "max_cycles": [{"count": 1.0, "per": "day"}],
    }  # fmt: skip
    series = pd.DataFrame({"price_per_mwh": [0.0, 100.0, 0.0, 100.0], "drawn_mw": [0.5, 0.0, 0.0, 0.0]}, index=at)
    plan = bo.optimize(bo.Scenario(battery=battery, series=series, strategy="arbitrage"))
    assert plan.metrics.net_revenue == pytest.approx(150.0)
    assert bo.used(plan)["battery"]["max_cycles"][0]["used"] == pytest.approx(1.0)
    too_much = series.assign(drawn_mw=[2.0, 0.0, 0.5, 0.0])
    with pytest.raises(bo.InfeasibleError, match=r"max_cycles\[0\].*drawn from the cells.*on 2025-06-02"):
        bo.optimize(bo.Scenario(battery=battery, series=too_much, strategy="arbitrage"))
    with pytest.raises(bo.InfeasibleError, match=r"on 2025-06-02 drawn_mw takes 0\.25 cycles more from the cells"):
        bo.simulate(bo.Scenario(battery=battery, series=too_much, strategy="arbitrage"))


def _cap(steps: int, step_min: int = 60, begin: str = "2025-01-31", **limit: Any) -> CycleCap:
    """The cap of a battery of 2 MWh over so many steps."""
    index = pd.date_range(begin, periods=steps, freq=f"{step_min}min", tz="Europe/Berlin")
    (cap,) = cycle_caps_of([("battery.max_cycles", CycleLimit(**limit))], index, step_min / 60.0, 2.0)
    return cap


def test_windows_are_the_runs_of_full_width() -> None:
    within = _cap(5, count=1.0, hours=3.0)
    assert list(zip(within.first, within.last, strict=True)) == [(0, 2), (0, 3), (1, 4), (2, 5)]
    assert within.windows.tolist() == [1, 2, 3]
    assert _cap(5, count=1.0, per="day").windows.tolist() == []


def test_the_mean_power_uses_up_no_run_before_its_end() -> None:
    months = _cap(24, begin="2025-01-31 18:00", count=1.5, per="month")
    assert months.mean_mw(1.0) == pytest.approx(1.5 * 2.0 / 18.0)
    short = _cap(2, step_min=15, count=1.5, per="horizon")
    assert short.mean_mw(0.25) == pytest.approx(1.5 * 2.0 / 0.5)
    cut_day = _cap(6, count=1.5, per="day")
    assert cut_day.mean_mw(1.0) == pytest.approx(1.5 * 2.0 / 25.0)


@pytest.mark.parametrize(("moved", "left"), [(0.5, [2.0, 3.0]), (5.0, [0.0, 3.0])])
def test_a_part_of_a_cap_has_what_earlier_steps_left(moved: float, left: list[float]) -> None:
    cap = _cap(24, begin="2025-01-31 18:00", count=1.5, per="month")
    later = cap.part(2, 8, np.full(24, moved))
    assert list(zip(later.first, later.last, strict=True)) == [(0, 4), (4, 6)]
    assert later.most_mwh.tolist() == pytest.approx(left)
    assert cap.part(6, 24, np.full(24, moved)).most_mwh.tolist() == pytest.approx([3.0])
