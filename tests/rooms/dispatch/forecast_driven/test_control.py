"""Operating on forecasts, by hand: what is not seen, what is wrong, and what passes from window to window."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import IDEAL, Case, case, frame

import bess_opt as bo
from bess_opt.dispatch.forecast_driven.orders import Orders, carry_out
from bess_opt.dispatch.forecast_driven.plant_state import PlantState
from bess_opt.dispatch.forecast_driven.timetable import timetable_of
from bess_opt.plant.from_scenario import plant_of

SPIKE = [20.0, 20.0, 20.0, 20.0, 200.0, 20.0]
HALF = IDEAL | {"eta_charge": 0.5}


def told(of: Case, name: str, values: list[float]) -> pd.Series:
    return pd.Series(values, index=of.series.index, name=name)


def powers(plan: bo.Dispatch) -> list[float]:
    return (plan.schedule["battery_mw"].round(9) + 0.0).tolist()


def test_a_spike_that_is_not_seen_earns_nothing() -> None:
    """An empty battery that believes the present price to last buys nothing, and has nothing to sell at 200."""
    of = case(price_per_mwh=SPIKE).scenario()
    blind = bo.control(of, "observed", horizon_h=6, terminal="free")
    assert blind.metrics.score == 0.0
    assert bo.control(of, "perfect", horizon_h=6).metrics.score == pytest.approx(180.0)  # 1 MWh from 20 to 200
    assert blind.twin == "control"


def test_a_short_window_sees_the_spike_when_it_comes_near() -> None:
    """With two hours ahead the spike of 04:00 is seen at 03:00: in time for its 1 MW."""
    plan = bo.control(case(price_per_mwh=SPIKE).scenario(), "perfect", horizon_h=2, terminal="free")
    assert powers(plan)[3:] == [-1.0, 1.0, 0.0]
    assert plan.metrics.score == pytest.approx(180.0)


def test_a_wrong_forecast_costs_what_was_bought_for_it() -> None:
    """Told of 200 at 05:00 the battery buys 1 MWh at 20; 05:00 brings 20, and half of it comes back: −10."""
    of = case(price_per_mwh=[20.0] * 6, battery={"technology": HALF})
    plan = bo.control(of.scenario(), told(of, "price_per_mwh", [20.0] * 5 + [200.0]), horizon_h=6, terminal="free")
    assert plan.metrics.charged_mwh == pytest.approx(2.0)  # 1 MW for an hour in two of the hours before
    assert plan.metrics.score == pytest.approx(-40.0 + 20.0)
    assert bo.control(of.scenario(), "perfect", horizon_h=6, terminal="free").metrics.score == 0.0


def test_an_unseen_present_is_decided_on_the_forecast() -> None:
    """The spike of now is not seen now: the battery waits for the one it was told of."""
    of = case(price_per_mwh=[200.0, 20.0, 20.0], battery={"soc_start": 0.5})
    prices = told(of, "price_per_mwh", [20.0, 20.0, 50.0])
    unseen = bo.Forecast("given", values=prices, current="forecast")
    assert powers(bo.control(of.scenario(), unseen, horizon_h=3, terminal="free")) == [0.0, 0.0, 1.0]
    assert powers(bo.control(of.scenario(), prices, horizon_h=3, terminal="free"))[0] == 1.0


def test_peaks_already_billed_are_free() -> None:
    """An unforeseen 2 MW are billed; afterwards 2 MW cost nothing more, and shaving them would waste half.

    Forgotten, the next 2 MW would be worth buying 1 MWh for at 10.
    """
    of = case(
        price_per_mwh=[10.0] * 8,
        load_mw=[0.5, 0.5, 2.0, 0.5, 0.5, 0.5, 2.0, 0.5],
        strategy="peak_shaving",
        battery={"technology": HALF},
        tariff={"demand": [{"price_per_mw_month": 90_000.0, "period": "horizon"}]},
    )
    blind = bo.control(
        of.scenario(), {"load_mw": "observed", "price_per_mwh": "perfect"}, horizon_h=4, terminal="free"
    )
    assert blind.metrics.peak_import_mw == pytest.approx(2.0)
    assert blind.metrics.charged_mwh == 0.0
    knowing = told(of, "load_mw", [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 2.0, 0.5])
    after = bo.control(of.scenario(), {"load_mw": knowing, "*": "perfect"}, horizon_h=5, terminal="free")
    assert after.schedule["charge_mw"].iloc[3:].sum() == pytest.approx(0.0, abs=1e-9)
    best = bo.control(of.scenario(), "perfect", horizon_h=8, terminal="free")
    assert best.metrics.peak_import_mw < 1.5


def test_an_interval_begun_keeps_what_was_taken() -> None:
    """Half an hour of 0.5 MW leaves its second half 1.5 MW under a mean of 1 MW: no more is billed."""
    of = case(
        price_per_mwh=[10.0] * 4,
        load_mw=[1.0, 1.0, 0.5, 1.5],
        step_min=30,
        strategy="peak_shaving",
        battery={"soc_start": 1.0},
        tariff={"demand": [{"price_per_mw_month": 1000.0, "interval_min": 60, "period": "horizon"}]},
    ).but(battery={"technology": IDEAL, "soc_start": 0.0})
    plan = bo.control(of.scenario(), "perfect", horizon_h=1, every_h=0.5, terminal="free")
    best = bo.optimize(of.scenario())
    assert plan.metrics.demand_charges <= best.metrics.demand_charges + 1e-6


def test_cycles_of_the_day_are_remembered() -> None:
    """Half a cycle a day, 1 MWh, and two spikes in one: it is used up at the first, known so at the second.

    Were it forgotten, the step simulator would cut the order of the second spike, and say so.
    """
    day = [10.0] * 6 + [100.0] + [10.0] * 9 + [100.0] + [10.0] * 7
    of = case(price_per_mwh=day * 2, battery={"max_cycles_per_day": 0.5})
    plan = bo.control(of.scenario(), "perfect", horizon_h=4, terminal="free")
    leaving = plan.schedule["discharge_mw"].groupby(plan.schedule.index.day).sum()  # type: ignore[attr-defined]
    assert leaving.tolist() == pytest.approx([1.0, 1.0])
    assert plan.figures["deviation_mwh"] == pytest.approx(0.0, abs=1e-9)


def test_the_last_grid_power_is_remembered() -> None:
    """A ramp limit of 0.25 MW an hour: each window knows where the grid stood before it, so no ramp is broken.

    PV falls by 1 MW in an hour; the half-full battery bridges it in steps of 0.25 MW.
    """
    of = case(
        solar_mw=[1.0] * 3 + [0.0] * 5,
        strategy={"name": "solar_smoothing", "ramp_limit_per_min": 0.25 / 60.0, "export_before_mw": 1.0},
        battery={"soc_start": 0.9},
        site={"solar_capacity_mw": 1.0},
    )
    plan = bo.control(of.scenario(), "perfect", horizon_h=8, terminal="free")
    assert plan.metrics.max_ramp_mw_per_h <= 0.25 + 1e-6
    assert plan.figures["ramp_violations"] == 0.0


def test_a_delivery_begun_holds_its_level() -> None:
    """Firm delivery with windows shorter than the delivery: 2 MWh over four hours are 0.5 MW each, not 1, 1, 0, 0."""
    of = case(
        solar_mw=[0.0] * 12,
        load_mw=[0.0] * 12,
        strategy={"name": "firm_delivery", "window": ["04:00", "08:00"]},
        battery={"soc_start": 1.0},
        site={"grid_charging": False},
    )
    plan = bo.control(of.scenario(), "perfect", horizon_h=4, terminal="free")
    assert plan.metrics.score == pytest.approx(0.5)


def test_a_level_already_missed_is_held_no_higher() -> None:
    """A load nobody foresaw takes the first hour's MWh, and the delivery is 0 MW firm; no later hour mends that.

    So the MWh that is left waits for 08:00, where it pays 100. Forgotten, it would be spread over the window; and
    were the load of 04:00 known before, through a bound or otherwise, less would be kept for the delivery.
    """
    of = case(
        price_per_mwh=[10.0] * 8 + [100.0] + [10.0] * 3,
        load_mw=[0.0] * 4 + [1.0] + [0.0] * 7,
        strategy={"name": "firm_delivery", "window": ["04:00", "08:00"]},
        battery={"soc_start": 1.0},
        site={"grid_charging": False},
    )
    plan = bo.control(
        of.scenario(), {"load_mw": told(of, "load_mw", [0.0] * 12), "*": "perfect"}, horizon_h=9, terminal="free"
    )
    assert powers(plan)[4:9] == pytest.approx([1.0, 0.0, 0.0, 0.0, 1.0])


def test_a_level_below_what_was_believed_possible_is_history() -> None:
    """An empty battery lets 1 MW of load through where 0.2 were believed the most: what happened counts."""
    of = case(
        load_mw=[0.2] * 4 + [1.0] + [0.2] * 7,
        price_per_mwh=[10.0] * 12,
        strategy={"name": "firm_delivery", "window": ["04:00", "08:00"]},
        site={"grid_charging": False},
    )
    plan = bo.control(of.scenario(), {"load_mw": told(of, "load_mw", [0.2] * 12), "*": "perfect"}, horizon_h=6)
    assert plan.metrics.score == pytest.approx(-1.0)
    assert not [f for f in plan.findings if f.code == "window_infeasible"]


def test_orders_stop_at_the_cycles_of_the_day() -> None:
    """3 MWh are ordered over midnight where each day has 1 MWh left: the rest is cut, and midnight renews it."""
    of = case(
        price_per_mwh=[10.0] * 6, start="2025-06-02 21:00", battery={"max_cycles_per_day": 0.5, "soc_start": 1.0}
    )
    plant = plant_of(of.scenario())
    orders = Orders([plant], np.zeros(6, dtype=int), 0)
    orders.battery_mw[:] = 0.75
    spent = np.array([[0.75, 0.0, 0.0, 0.0, 0.0, 0.0]])
    done = carry_out(plant, orders, 1, 6, PlantState((2.0,), ((),)), (np.zeros((1, 6)), spent))
    assert done.battery.discharge_mw == pytest.approx([0.25, 0.0, 0.75, 0.25, 0.0])
    assert done.limited_by.tolist() == ["cycles", "cycles", "", "cycles", "cycles"]


@pytest.mark.parametrize("start", ["2025-03-28 15:00", "2025-10-24 15:00"])
def test_gates_close_by_the_clock(start: str) -> None:
    """Begun after the gate of its day, the start decides for the next day too; then each day at 12:00 for the next."""
    index = frame(start=start, zone="Europe/Berlin", price_per_mwh=[1.0] * 96).index
    table = timetable_of(pd.DatetimeIndex(index), 1.0, 24.0, 1.0, "day_ahead", 12.0)
    assert [f"{index[t]:%d %H}" for t in table.issued[1:]] == [
        f"{index[0] + pd.DateOffset(days=d):%d} 12" for d in range(1, table.decisions)
    ]
    assert [f"{index[t]:%d %H}" for t in table.first[1:]] == [
        f"{index[0] + pd.DateOffset(days=d):%d} 00" for d in range(2, table.decisions + 1)
    ]
    assert table.decisions == 4
    assert table.ages().start == -1


def test_the_end_is_kept_in_every_window_that_reaches_it() -> None:
    """`soc_end` binds although the last price is the best."""
    of = case(price_per_mwh=[20.0] * 5 + [90.0], battery={"soc_start": 0.5, "soc_end": "at_least_start"})
    plan = bo.control(of.scenario(), "perfect", horizon_h=2, terminal="free")
    assert plan.schedule["soc"].iloc[-1] == pytest.approx(0.5)
    assert plan.metrics.end_shortfall_mwh == pytest.approx(0.0, abs=1e-9)


def test_an_end_that_cannot_be_foreseen_is_a_figure() -> None:
    """Without grid charging and without the sun that was promised, the end is missed, as a rule may miss it."""
    of = case(
        price_per_mwh=[90.0] + [20.0] * 5,
        solar_mw=[0.0] * 6,
        battery={"soc_start": 0.5, "soc_end": "at_least_start"},
        site={"grid_charging": False},
    )
    of = of.but(series=of.series.assign(solar_mw=[0.0] * 5 + [0.1]))
    sun = told(of, "solar_mw", [0.0] * 5 + [1.0])
    plan = bo.control(of.scenario(), {"solar_mw": sun, "*": "perfect"}, horizon_h=6, terminal="free")
    assert plan.metrics.end_shortfall_mwh == pytest.approx(0.9)


@pytest.mark.parametrize(("terminal", "left"), [("free", 0.0), ("cyclic", 1.0)])
def test_what_is_left_at_the_end_of_a_window(terminal: Any, left: float) -> None:
    """Two cheap days of which each window sees four hours: worth nothing, all is sold at once; held, it is kept.

    At the end of the horizon, where it is free, all has been sold in both cases.
    """
    of = case(price_per_mwh=[20.0] * 46 + [90.0] * 2, battery={"soc_start": 0.5})
    plan = bo.control(of.scenario(), "perfect", horizon_h=4, terminal=terminal)
    assert plan.schedule["energy_mwh"].iloc[30] == pytest.approx(left)
    assert plan.schedule["energy_mwh"].iloc[-1] == pytest.approx(0.0, abs=1e-9)


def test_worth_at_the_end_is_learnt_from_the_day_before() -> None:
    """Cheap at 02:00, dear at 18:00, and windows of six hours: no window sees both.

    The worth of a MWh at 17:00 is known after a day, that at 12:00 after two, and so on back to the night; from
    then on each day is one cycle from 10 to 90. Worth nothing at the end, what was bought at night is sold at 50,
    and another cycle, with its wear of 15 a MWh, serves the evening.
    """
    day = [40.0] * 2 + [10.0] * 2 + [50.0] * 2 + [40.0] * 12 + [90.0] * 2 + [40.0] * 4
    of = case(price_per_mwh=day * 8, battery={"wear_cost_per_mwh": 15.0})
    learnt, never = (bo.control(of.scenario(), "perfect", horizon_h=6, terminal=t) for t in ("value", "free"))
    late = [plan.schedule["discharge_mw"].iloc[-48:-24].sum() for plan in (learnt, never)]
    assert late == pytest.approx([2.0, 4.0])
    assert learnt.schedule["revenue"].iloc[-48:-24].sum() == pytest.approx(160.0)


def test_negative_prices_do_not_run_it_in_and_out_at_once() -> None:
    """A lossy battery that is paid for import would charge and discharge at once; each step carried out is one way."""
    lossy = IDEAL | {"eta_charge": 0.8, "eta_discharge": 0.8}
    of = case(
        price_per_mwh=[-50.0, -40.0, -60.0, -50.0, 30.0, -20.0] * 4,
        battery={"technology": lossy, "soc_start": 0.5},
        site={"import_limit_mw": 2.0, "export_limit_mw": 2.0},
    )
    plan = bo.control(of.scenario(), "perfect", horizon_h=6)
    both = np.minimum(plan.schedule["charge_mw"], plan.schedule["discharge_mw"])
    assert both.max() == 0.0
    assert plan.figures["deviation_mwh"] == pytest.approx(0.0, abs=1e-6)
    assert plan.metrics.score <= bo.optimize(of.scenario()).metrics.score + 1e-6


def test_a_day_ahead_schedule_is_followed_whatever_comes() -> None:
    """Fixed at noon for tomorrow 18:00, on a forecast; tomorrow's spike is at 20:00, and the schedule stays.

    As it goes along, the battery sells at 20:00 what it bought at 10.
    """
    first = [10.0] * 24
    of = case(price_per_mwh=first + [10.0] * 20 + [100.0] + [10.0] * 3, battery={"duration_h": 1.0})
    tomorrow = told(of, "price_per_mwh", first + [10.0] * 18 + [100.0, 60.0, 60.0] + [10.0] * 3)
    fixed = bo.control(of.scenario(), tomorrow, commitment="day_ahead", terminal="free", horizon_h=24)
    assert powers(fixed)[24 + 18] == 1.0
    assert fixed.metrics.score == pytest.approx(0.0, abs=1e-9)  # bought at 10, sold at what 18:00 really pays
    free = bo.control(of.scenario(), tomorrow, terminal="free", horizon_h=24)
    assert free.metrics.score == pytest.approx(90.0)
    assert fixed.figures["decisions"] == 2.0


def test_a_committed_schedule_gives_way_to_physics() -> None:
    """Two hours of 1 MW of PV were ordered into the battery; 0.25 MW come: that is all it takes and gives."""
    sun = [0.0] * 30 + [1.0] * 4 + [0.0] * 14
    of = case(
        price_per_mwh=[10.0] * 40 + [90.0] * 8,
        solar_mw=[0.0] * 30 + [0.25] * 4 + [0.0] * 14,
        site={"grid_charging": False},
    )
    given = {"solar_mw": told(of, "solar_mw", sun), "*": "perfect"}
    plan = bo.control(of.scenario(), given, commitment="day_ahead", horizon_h=24, terminal="free")
    assert plan.metrics.discharged_mwh == pytest.approx(0.5)
    assert plan.figures["deviation_mwh"] == pytest.approx(3.0)


def test_curtailment_is_held_at_the_power_that_was_planned() -> None:
    """Paid to take energy, PV is switched off; sun beyond the forecast stays off too."""
    of = case(price_per_mwh=[-30.0] * 3, solar_mw=[2.0] * 3, battery={"soc_start": 1.0, "soc_end": 1.0})
    half = bo.Forecast("given", values=told(of, "solar_mw", [1.0] * 3), current="forecast")
    plan = bo.control(of.scenario(), {"solar_mw": half, "*": "perfect"}, horizon_h=3)
    assert plan.schedule["curtailed_mw"].tolist() == pytest.approx([2.0] * 3)


def test_load_beyond_the_forecast_is_shed_as_physics_says() -> None:
    """Load that the connection cannot carry is shed where that has a price, though no plan foresaw it."""
    of = case(
        price_per_mwh=[10.0] * 3,
        load_mw=[0.5, 2.0, 0.5],
        site={"import_limit_mw": 1.0, "unserved_price_per_mwh": 1000.0},
    )
    plan = bo.control(
        of.scenario(), {"load_mw": bo.Forecast("observed", current="forecast"), "*": "perfect"}, horizon_h=3
    )
    assert plan.schedule["unserved_mw"].tolist() == pytest.approx([0.0, 1.0, 0.0])


def test_quarter_hours_decided_by_the_hour() -> None:
    """Three of four quarters are carried out on a forecast; with a perfect one this loses nothing."""
    rng = np.random.default_rng(5)
    of = case(price_per_mwh=rng.uniform(0.0, 90.0, 96), step_min=15, battery={"max_cycles_per_day": 1.0})
    plan = bo.control(of.scenario(), "perfect", horizon_h=24, every_h=1)
    assert plan.figures["decisions"] == 24.0
    assert plan.metrics.score == pytest.approx(bo.optimize(of.scenario()).metrics.score, rel=1e-6)


@pytest.mark.parametrize(("start", "hours"), [("2025-03-29", 71), ("2025-10-25", 73)])
@pytest.mark.parametrize("commitment", ["dispatch", "day_ahead"])
def test_clock_changes(start: str, hours: int, commitment: Any) -> None:
    """Three days with a change of clock: a decision a step or a day, one cycle on each local day, audited."""
    rng = np.random.default_rng(2)
    of = case(
        price_per_mwh=rng.uniform(10.0, 90.0, hours),
        start=start,
        zone="Europe/Berlin",
        battery={"max_cycles_per_day": 1.0},
    )
    plan = bo.control(of.scenario(), "published", commitment=commitment, horizon_h=30)
    assert plan.figures["decisions"] == (hours if commitment == "dispatch" else 3.0)
    cycles = plan.schedule["discharge_mw"].groupby(plan.schedule.index.day).sum() / 2.0  # type: ignore[attr-defined]
    assert cycles.max() <= 1.0 + 1e-9
    assert plan.figures["deviation_mwh"] == pytest.approx(0.0, abs=1e-6)


def test_a_window_without_a_plan_leaves_the_last_one_in_force() -> None:
    """Told of a load that nothing can serve, the plan made before goes on, and a finding says since when."""
    of = case(price_per_mwh=[10.0, 10.0, 50.0, 50.0], load_mw=[0.5] * 4, site={"import_limit_mw": 2.0})
    t = of.series.index
    calm, storm = ([(t[0], stamp, 0.5) for stamp in t], [(t[1], stamp, 9.0) for stamp in t[2:]])
    rows = pd.DataFrame([*calm, *storm], columns=["issued", "time", "load"]).set_index(["issued", "time"])["load"]
    plan = bo.control(of.scenario(), {"load_mw": rows, "*": "perfect"}, horizon_h=4, terminal="free")
    (note,) = (f for f in plan.findings if f.code == "window_infeasible")
    assert note.found.startswith("2 of 4 windows had no plan as believed, the first at 2025-06-02 01:00")
    assert plan.metrics.score == pytest.approx(bo.optimize(of.scenario()).metrics.score)


def test_no_plan_at_the_start_is_infeasible() -> None:
    of = case(price_per_mwh=[10.0] * 4, load_mw=[0.5] * 4, site={"import_limit_mw": 2.0})
    storm = {"load_mw": told(of, "load_mw", [0.5, 9.0, 9.0, 9.0]), "*": "perfect"}
    with pytest.raises(
        bo.InfeasibleError, match="no plan meets all limits from 2025-06-02 00:00 to 2025-06-02 02:00"
    ):
        bo.control(of.scenario(), storm, horizon_h=3)


def test_limits_out_of_reach_are_told_before_any_plan() -> None:
    of = case(price_per_mwh=[10.0] * 2, battery={"soc_end": 1.0}, site={"import_limit_mw": 0.1})
    with pytest.raises(bo.InfeasibleError, match="asks for SOC 1 or more at the end"):
        bo.control(of.scenario(), "perfect", horizon_h=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"terminal": "valued"}, "terminal: found 'valued'; did you mean 'value'"),
        ({"commitment": "dayahead"}, "commitment: found 'dayahead'; did you mean 'day_ahead'"),
        ({"horizon_h": 0.4}, "horizon_h: found 0.4; give a whole number of steps of 1 h"),
        ({"horizon_h": 1e300}, r"horizon_h: found 1e\+300; give a whole number of steps of 1 h, at most 1e\+06 h"),
        ({"horizon_h": math.nan}, "horizon_h: found nan; give a whole number of steps of 1 h"),
        ({"every_h": 1.5}, "every_h: found 1.5; give a whole number of steps of 1 h"),
        (
            {"horizon_h": 2, "every_h": 3},
            "every_h: found 3, more than horizon_h = 2; decide at least once per window",
        ),
        ({"gate_hour": 25}, "gate_hour: found 25; give a local hour from 0 to 24"),
        ({"commitment": "day_ahead", "horizon_h": 12}, "horizon_h: found 12; a day ahead needs 24 h or more"),
    ],
)
def test_wrong_options_say_what_would_be_right(options: dict[str, Any], message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        bo.control(case(price_per_mwh=SPIKE).scenario(), "perfect", **options)


def test_choices_over_the_whole_horizon_have_no_window() -> None:
    """Days that may be spared are chosen within a month; one window over the horizon can, shorter ones cannot."""
    of = case(
        solar_mw=[0.0, 1.0] * 48,
        strategy={"name": "firm_delivery", "window": ["18:00", "20:00"], "period": "month", "share_of_days": 0.5},
    )
    with pytest.raises(bo.StrategyError, match=r"makes yes-or-no choices over the whole horizon .spared."):
        bo.control(of.scenario(), "perfect")
    whole = bo.control(of.scenario(), "perfect", horizon_h=96, every_h=96)
    assert whole.metrics.score == pytest.approx(bo.optimize(of.scenario()).metrics.score)


@pytest.mark.parametrize(
    ("tariff", "message"),
    [
        ({"energy": [{"tiers": [[3, 60.0], [float("inf"), 20.0]]}]}, r"tariff.energy.tiers: whether energy reaches"),
        (
            {"demand": [{"tiers": [[0.5, 90.0], [float("inf"), 20.0]]}]},
            r"tariff.demand.tiers: whether a peak reaches",
        ),
        ({"credit_months": 2}, r"tariff.credit_months: whether a month's bill is below zero is one choice"),
    ],
)
def test_choices_of_a_tariff_have_no_window(tariff: dict[str, Any], message: str) -> None:
    """Planned at once over the whole horizon they are fine; rising tiers and least bills have a window."""
    of = case(load_mw=[1.0] * 24, price_per_mwh=[10.0, 50.0] * 12, tariff={"export": "none"} | tariff)
    with pytest.raises(bo.StrategyError, match=message):
        bo.control(of.scenario(), "perfect", horizon_h=6)
    whole = bo.control(of.scenario(), "perfect", horizon_h=24, every_h=24)
    assert whole.metrics.net_revenue == pytest.approx(bo.optimize(of.scenario()).metrics.net_revenue, rel=1e-6)


def test_a_signal_must_be_seen_by_who_is_called() -> None:
    """What is called in a step decides what flows in it: unseen signals are refused, expected ones are fine."""
    of = case(
        price_per_mwh=[10.0, 50.0] * 6,
        regulation_up_price_per_mw=[9.0] * 12,
        regulation_down_price_per_mw=[9.0] * 12,
        regulation_signal=[0.5, -0.5] * 6,
        strategy="frequency_regulation",
        battery={"soc_start": 0.5},
    )
    with pytest.raises(
        bo.StrategyError, match=r"forecast.regulation_signal: found 'observed', but the steps carried out"
    ):
        bo.control(of.scenario(), "observed", horizon_h=6, every_h=2)
    plan = bo.control(of.scenario(), "observed", horizon_h=6)
    assert plan.metrics.regulation_revenue > 0.0
    expected = replace(of, series=of.series.drop(columns="regulation_signal"))
    assert bo.control(expected.scenario(), "observed", horizon_h=6, every_h=2).metrics.regulation_revenue > 0.0


def test_a_model_that_changes_its_structure_is_refused() -> None:
    """Calls in a direction of which a forecast knows nothing are states that it has not: windows cannot follow."""
    of = case(
        price_per_mwh=[10.0, 50.0] * 6,
        regulation_up_price_per_mw=[9.0] * 12,
        regulation_down_price_per_mw=[9.0] * 12,
        regulation_signal=[0.5, -0.5] * 6,
        strategy="frequency_regulation",
        battery={"soc_start": 0.5},
    )
    quiet = {"regulation_signal": told(of, "regulation_signal", [0.0] * 12), "*": "perfect"}
    with pytest.raises(bo.StrategyError, match="its model changes its structure with the forecast"):
        bo.control(of.scenario(), quiet, horizon_h=6)


def test_saved_twice_is_the_same(tmp_path: Path) -> None:
    """Same input, same bytes; and read back equal."""
    of = case(price_per_mwh=np.random.default_rng(1).uniform(-20.0, 90.0, 60)).scenario()
    noisy = bo.Forecast("noisy", relative_error=0.3, seed=4)
    for name in ("one", "two"):
        bo.control(of, noisy, horizon_h=12).save(tmp_path / name)
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file())
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)
    assert bo.load_dispatch(tmp_path / "one").twin == "control"
    assert len(files) > 4


def test_prices_by_frame_index_are_local() -> None:
    """A forecast in another zone is of the same instants."""
    series = frame(zone="Europe/Berlin", price_per_mwh=SPIKE)
    of = Case(case(price_per_mwh=SPIKE).battery, series, {"time_zone": "Europe/Berlin"})
    utc = series["price_per_mwh"].tz_convert("UTC")
    assert bo.control(of.scenario(), utc, horizon_h=6).metrics.score == pytest.approx(180.0)
