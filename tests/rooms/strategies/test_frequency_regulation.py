"""Regulation: capacity, head-room, activation with its sign, blocks, site limits, and the signal's replay."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import IDEAL, Case, case
from support.places import ROOT

import bess_opt as bo
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.products.delivery import product_checks
from bess_opt.strategies.frequency_regulation import replay_signal
from bess_opt.strategies.shared.activation import activate

SCENARIO = ROOT / "scenarios" / "solar_merchant"
SIGNAL = "regulation_pjm/pjm_reg_signal_2s_2017_08_01_02_16h_24h.csv"
LOSSY = IDEAL | {"eta_charge": 0.8, "eta_discharge": 0.8}


def small(steps: int = 3, *, up: Any = 10.0, down: Any = 10.0, price: Any = 0.0, **options: Any) -> Case:
    """A lossless 1 MW, 2 MWh battery, half full, free at the end, that is never called unless said so."""
    battery = {k: options.pop(k) for k in ("technology", "soc_start", "max_cycles_per_day") if k in options}
    own = {k: options.pop(k) for k in ("site", "zone", "start", "step_min", "regulation_signal") if k in options}
    strategy = {"name": "frequency_regulation", "activation_up": 0.0, "activation_down": 0.0} | options
    columns = {"regulation_up_price_per_mw": up, "regulation_down_price_per_mw": down}
    return case(
        battery={"soc_start": 0.5} | battery,
        strategy=strategy,
        price_per_mwh=np.broadcast_to(np.asarray(price, dtype=float), steps),
        **columns,
        **own,
    )


def held(dispatch: bo.Dispatch) -> tuple[list[float], list[float]]:
    up, down = dispatch.schedule["regulation_up_mw"], dispatch.schedule["regulation_down_mw"]
    return up.round(9).tolist(), down.round(9).tolist()


class TestCapacity:
    def test_a_call_may_cross_zero(self) -> None:
        """At b = 0 a MW up and a MW down: 20 an hour. Without crossing it would be nothing."""
        plan = small(symmetric=True).optimize()
        assert held(plan) == ([1.0] * 3, [1.0] * 3)
        assert plan.metrics.regulation_revenue == pytest.approx(60.0)
        assert plan.metrics.net_revenue == plan.metrics.score == pytest.approx(60.0)
        assert plan.ledger["regulation"] == pytest.approx(60.0)

    def test_charging_makes_room_for_two_up(self) -> None:
        """Up only, from b = −1: first charge less, then discharge: 2 MW in the first hour."""
        plan = small(2, down=0.0, soc_start=0.25, headroom_h=0.125).optimize()
        assert held(plan)[0][0] == pytest.approx(2.0)

    def test_headroom_limits_both_directions(self) -> None:
        """1 MWh down to the floor, two hours: 0.5 MW."""
        assert held(small(symmetric=True, headroom_h=2.0).optimize())[0] == pytest.approx([0.5] * 3)

    def test_headroom_holds_at_both_ends_of_a_step(self) -> None:
        """0.5 MWh at the start allow 0.5 MW, though the step ends with 1.5 MWh; then 1.5 MW."""
        plan = small(2, down=0.0, soc_start=0.25, headroom_h=1.0).optimize()
        assert held(plan)[0] == pytest.approx([0.5, 1.5])

    def test_headroom_counts_the_efficiency(self) -> None:
        """Charging forbidden, 1 MWh in the cells, an hour: 1 · 0.8 MW, not 1."""
        site = {"grid_charging": False}
        plan = small(2, down=0.0, headroom_h=1.0, technology=LOSSY, site=site).optimize()
        assert held(plan)[0] == pytest.approx([0.8, 0.8])

    def test_most_capacity(self) -> None:
        plan = small(max_capacity_mw=0.3).optimize()
        assert held(plan) == ([0.3] * 3, [0.3] * 3)

    def test_pay_follows_score_and_mileage(self) -> None:
        """0.5 · (10 + 3 · 8/2) + 0.5 · (10 + 3 · 8/2) = 22 for a symmetric MW and hour: the performance once."""
        options = {"performance_score": 0.5, "mileage_ratio": 3.0, "performance_price_per_mw": 8.0}
        assert small(1 + 1, symmetric=True, **options).optimize().metrics.score == pytest.approx(2 * 22.0)


class TestActivation:
    def test_called_up_takes_energy_and_sells_it(self) -> None:
        """A quarter of 1 MW up leaves 1 − 0.25/0.8 MWh and earns 0.25 · 4; the wrong sign would store energy."""
        plan = small(
            2, down=0.0, price=4.0, activation_up=0.25, technology=LOSSY, site={"grid_charging": False}
        ).optimize()
        assert held(plan)[0] == pytest.approx([1.0, 1.0])
        assert plan.schedule["energy_mwh"].tolist() == pytest.approx([0.6875 + 2 / 2 - 1.0, 0.375])
        assert plan.schedule["discharge_mw"].tolist() == pytest.approx([0.25, 0.25])
        assert plan.metrics.energy_revenue == pytest.approx(2 * 0.25 * 4.0)

    def test_called_down_stores_energy(self) -> None:
        """A quarter of 1 MW down adds 0.25 · 0.8 MWh."""
        plan = small(
            2, up=0.0, price=4.0, activation_down=0.25, technology=LOSSY, site={"battery_export": False}
        ).optimize()
        assert held(plan)[1] == pytest.approx([1.0, 1.0])
        assert plan.schedule["energy_mwh"].tolist() == pytest.approx([1.2, 1.4])
        assert plan.metrics.energy_revenue == pytest.approx(-2 * 0.25 * 4.0)

    def test_both_directions_lose_energy_within_a_step(self) -> None:
        """Idle base, a quarter each way: −0.25/0.8 + 0.25·0.8 MWh. The net power 0 alone would lose nothing."""
        called = {"activation_up": 0.25, "activation_down": 0.25}
        idle = small(2, symmetric=True, technology=LOSSY, price=1.0, **called).optimize()
        flows = idle.schedule[["charge_mw", "discharge_mw"]].iloc[0]
        assert flows.tolist() == pytest.approx([0.25, 0.25])
        assert idle.schedule["energy_mwh"].iloc[0] == pytest.approx(1.0 - 0.3125 + 0.2)

    def test_activated_energy_is_worn_and_billed(self) -> None:
        """0.25 MW called down on an idle battery: the peak is 0.25 MW, billed for two of June's 720 hours."""
        base = small(2, up=0.0, activation_down=0.25, site={"battery_export": False})
        plan = base.but(tariff={"demand": [{"price_per_mw_month": 8.0, "part_months": "share"}]}).optimize()
        assert plan.metrics.demand_charges == pytest.approx(0.25 * 8.0 * 2 / 720)


class TestSite:
    def test_export_limit_holds_when_called(self) -> None:
        """No charging, 0.4 MW of export: 0.4 MW up."""
        plan = small(2, down=0.0, site={"export_limit_mw": 0.4, "grid_charging": False}).optimize()
        assert held(plan)[0] == pytest.approx([0.4, 0.4])

    def test_import_limit_holds_when_called(self) -> None:
        plan = small(2, up=0.0, site={"import_limit_mw": 0.3, "battery_export": False}).optimize()
        assert held(plan)[1] == pytest.approx([0.3, 0.3])

    def test_inverter_rating_holds_when_called(self) -> None:
        """A shared inverter of 0.6 MW: 0.6 MW each way, though the battery has 1 MW."""
        base = small(2, symmetric=True, site={"inverter_mw": 0.6}).but(battery={"topology": "series_dc"})
        assert held(base.optimize())[0] == pytest.approx([0.6, 0.6])


class TestBlocks:
    def test_capacity_is_constant_within_blocks_of_the_clock(self) -> None:
        """The night the clocks go forward: 23 hours, the first block of four has three."""
        prices = np.random.default_rng(3).uniform(0.0, 20.0, 23)
        base = small(
            23, up=prices, price=30.0 + prices[::-1], block_h=4.0, technology=LOSSY, activation_up=0.1,
            activation_down=0.1, zone="Europe/Berlin", start="2025-03-30 00:00",
        )  # fmt: skip
        for dispatch in (base.optimize(), bo.simulate(base.scenario())):
            for column in ("regulation_up_mw", "regulation_down_mw"):
                of_block = dispatch.schedule[column].groupby(dispatch.schedule.index.hour // 4)
                assert of_block.size().tolist() == [3, 4, 4, 4, 4, 4]
                assert (of_block.max() - of_block.min()).max() < 1e-9

    @pytest.mark.parametrize("block_h", [5.0, 1.5])
    def test_blocks_that_fit_no_day_or_step_are_refused(self, block_h: float) -> None:
        with pytest.raises(
            bo.StrategyError, match="give a whole number of steps of which a whole number makes a day"
        ):
            small(block_h=block_h).optimize()


class TestOneWay:
    def test_the_audit_sees_a_base_point_that_runs_in_and_out_at_once(self) -> None:
        """Half a MW in and out beside the expected calls passes every balance but breaks the one-way rule."""
        plan = small(2, symmetric=True, activation_up=0.1, activation_down=0.1).optimize()
        scenario = plan.scenario
        active = activate(scenario, plant_of(scenario))
        plant = active.restrict(plant_of(scenario))
        assert product_checks(plan.schedule, plant) == []
        both = plan.schedule.assign(charge_mw=plan.schedule["charge_mw"] + 0.5)
        both["discharge_mw"] += 0.5
        assert [v.law for v in product_checks(both, plant)] == ["charge and discharge are the mean over the calls"]

    def test_wasting_energy_is_not_sold(self) -> None:
        """At −50 per MWh a full battery would like to run in and out at once; every state runs one way only."""
        base = small(
            4, price=-50.0, soc_start=1.0, technology=LOSSY, activation_up=0.1, activation_down=0.1,
            symmetric=True,
        )  # fmt: skip
        plan = base.optimize()
        assert plan.report is not None
        assert plan.report.gap <= 1e-6


class TestRule:
    @pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
    @pytest.mark.parametrize("options", [{}, {"block_h": 4.0, "symmetric": True}, {"headroom_h": 1.0}])
    def test_it_obeys_the_same_laws_and_earns_less(self, topology: str, options: dict[str, Any]) -> None:
        scenario = shipped(topology, options)
        rule = bo.simulate(scenario)
        if topology == "parallel_ac" or "block_h" not in options:  # PV can fill a shared inverter in any block
            assert rule.figures["held_up_mw"] > 0.0
        end = float(rule.schedule["soc"].iloc[-1])
        best = bo.optimize(scenario.replace(battery={"soc_end": end}))
        assert best.metrics.score >= rule.metrics.score * (1 - 1e-6)

    def test_under_a_signal(self) -> None:
        """Both twins are settled on the signal that came; the rule, which did not know it, delivers all of it."""
        signal = np.random.default_rng(1).uniform(-1.0, 1.0, 48)
        base = small(48, price=20.0, technology=LOSSY, regulation_signal=signal)
        rule = bo.simulate(base.scenario())
        assert rule.figures["delivered_share"] == pytest.approx(1.0)
        end = float(rule.schedule["soc"].iloc[-1])
        best = base.but(battery={"soc_end": end}).optimize()
        assert best.metrics.score >= rule.metrics.score
        assert best.figures["delivered_share"] <= 1.0

    def test_it_keeps_the_warranty(self) -> None:
        rule = bo.simulate(small(48, max_cycles_per_day=0.5, activation_up=0.2, activation_down=0.2).scenario())
        assert rule.metrics.cycles_per_day <= 0.5 + 1e-9
        assert rule.figures["held_up_mw"] > 0.0

    def test_it_meets_the_end(self) -> None:
        rule = bo.simulate(shipped("parallel_ac", {}))
        assert rule.metrics.end_shortfall_mwh < 0.01


class TestReplay:
    def test_a_constant_call_empties_the_room(self) -> None:
        """1 MW down for two hours, room for one: half is delivered, whatever the signal's step."""
        plan = small(2, symmetric=True).optimize()
        for step_min in (15, 60):
            index = pd.date_range(plan.schedule.index[0], periods=120 // step_min, freq=f"{step_min}min")
            found = replay_signal(plan, pd.Series(-1.0, index=index))
            assert found.delivered_share == pytest.approx(0.5)
            assert (found.called_mwh, found.missed_mwh) == pytest.approx((2.0, 1.0))
            assert found.schedule["energy_mwh"].iloc[-1] == pytest.approx(2.0)

    def test_wrong_signals_are_refused(self) -> None:
        plan = small(2, symmetric=True).optimize()
        index = pd.DatetimeIndex(plan.schedule.index)
        wrong = {
            "has no tz-aware time stamps": pd.Series([0.0, 1.0]),
            "has values that are no share": pd.Series([0.0, 1.5], index=index),
            "runs from": pd.Series([0.0, 1.0], index=index + pd.Timedelta(hours=1)),
        }
        for sentence, signal in wrong.items():
            with pytest.raises(bo.ScenarioError, match=sentence):
                replay_signal(plan, signal)
        with pytest.raises(bo.StrategyError, match="only a plan of 'frequency_regulation' holds regulation"):
            replay_signal(small(2).but(strategy="arbitrage").optimize(), pd.Series([0.0, 1.0], index=index))

    @pytest.mark.real_data
    @pytest.mark.parametrize("day", ["8/1/2017", "8/2/2017"])
    def test_eight_hours_of_pjm(self, day: str) -> None:
        """A 2 s signal that asks to charge most of the time: a plan made for calls that cancel misses much of it."""
        path = Path(os.environ.get("BESS_OPT_DATA", "")) / SIGNAL
        if "BESS_OPT_DATA" not in os.environ or not path.is_file():
            pytest.skip("BESS_OPT_DATA does not lead to the regulation signal")
        start = pd.Timestamp(day, tz="America/New_York") + pd.Timedelta(hours=16)
        values = pd.read_csv(path, index_col=0)[day].to_numpy()[:-1]
        signal = pd.Series(values, index=pd.date_range(start, periods=len(values), freq="2s"))
        shares = {}
        for name, called in (
            ("neutral", (0.1, 0.1)),
            ("as it was", (values.clip(0).mean(), -values.clip(max=0).mean())),
        ):
            plan = small(
                8, price=30.0, symmetric=True, technology=LOSSY, activation_up=float(called[0]),
                activation_down=float(called[1]), zone="America/New_York", start=str(start.tz_localize(None)),
            ).optimize()  # fmt: skip
            shares[name] = replay_signal(plan, signal).delivered_share
        assert 0.0 < shares["neutral"] < shares["as it was"] <= 1.0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"activation_up": 0.7, "activation_down": 0.6},
            "activation_up: found 0.7, with activation_down 0.6; give at most 1 together",
        ),
        ({"activation_up": 1.2}, r"strategy.activation_up: found 1.2; give a number >= 0 and <= 1"),
        ({"headroom_h": -1.0}, r"strategy.headroom_h: found -1.0; give a number >= 0 and <= 8784 h"),
        ({"block_h": 0.0}, r"strategy.block_h: found 0.0; give a number > 0 and <= 24 h"),
        ({"simetric": True}, "unknown key 'simetric'; did you mean 'symmetric'"),
    ],
)  # fmt: skip
def test_wrong_options_are_named(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(bo.StrategyError, match=sentence):
        small(**options).optimize()


def test_both_price_columns_are_needed() -> None:
    base = small()
    for column in ("regulation_up_price_per_mw", "regulation_down_price_per_mw"):
        with pytest.raises(bo.StrategyError, match="needs regulation"):
            base.but(series=base.series.drop(columns=column)).optimize()


def shipped(topology: str, options: dict[str, Any]) -> bo.Scenario:
    """Three days of the shipped site with regulation prices."""
    base = bo.load(SCENARIO)
    days = base.series.loc["2025-06-03":].iloc[:72]
    hour = days.index.hour.to_numpy()
    series = days.assign(
        regulation_up_price_per_mw=12.0 + 8.0 * np.cos(hour / 24 * 2 * np.pi), regulation_down_price_per_mw=7.0
    )
    return base.replace(
        series=series,
        strategy={"name": "frequency_regulation"} | options,
        battery={"topology": topology},
        site={"dc_share": 0.5 if topology == "hybrid" else None, "inverter_mw": 8.0}
        | ({"export_limit_mw": None} if "block_h" in options else {}),
        solver={"rel_gap": 1e-4},
    )


@pytest.mark.parametrize("headroom_h", [0.25, 1.0, 2.0])
@pytest.mark.parametrize("block_h", [None, 4.0])
@pytest.mark.parametrize("soc_start", [0.15, 0.5, 0.8, 0.95])
def test_a_call_downward_from_a_discharging_base_point_has_room(
    headroom_h: float, block_h: float | None, soc_start: float
) -> None:
    """Stopped discharge leaves 1/η per MWh in the cells, more than charging brings; the audit holds the rule to it."""
    options = {"name": "frequency_regulation", "headroom_h": headroom_h} | ({"block_h": block_h} if block_h else {})
    made = case(
        price_per_mwh=[50.0] * 48, regulation_up_price_per_mw=[10.0] * 48, regulation_down_price_per_mw=[10.0] * 48,
        battery={"power_mw": 2.0, "duration_h": 2.0, "technology": "standard" if soc_start in (0.5, 0.8) else "modern_lfp",
                 "soc_start": soc_start},
        strategy=options,
    )  # fmt: skip
    rule = bo.simulate(made.scenario())
    assert rule.metrics.regulation_revenue > 0.0


@pytest.mark.parametrize("block_h", [None, 4.0])
@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
@pytest.mark.parametrize("caps", [{"export_mw": 1.0}, {"import_mw": 0.3}, {"export_mw": 1.5, "import_mw": 0.5}])
def test_the_rule_holds_what_a_priced_cap_of_a_clause_leaves(
    topology: str, caps: dict[str, float], block_h: float | None
) -> None:
    """The step simulator keeps such a cap where it can: capacity held beyond it would move the base point.

    PV that gives way to a cap on export leaves the battery more than a tenth of what it holds without one.
    """
    options = {} if block_h is None else {"block_h": block_h}
    site = shipped(topology, options)
    full = site.replace(series=site.series.iloc[36:], battery={"soc_start": 0.9})  # at noon, and so inclined to give
    clause = {"name": "soft", "overrun_price_per_mwh": 15.0} | caps
    bo.simulate(full.replace(connection=[clause]))
    scenario = site.replace(connection=[clause])
    held, free = (
        bo.simulate(made).schedule["regulation_up_mw"].sum() for made in (scenario, scenario.replace(connection=[]))
    )
    assert held <= free
    assert held > 0.1 * free or "import_mw" in caps or free == 0.0


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
def test_solar_thrown_away_for_a_priced_cap_serves_no_call(topology: str) -> None:
    """At noon 1 MW goes out under the priced cap; a call downward may draw the half MW that the other one leaves."""
    clauses = [{"name": "soft", "export_mw": 1.0, "overrun_price_per_mwh": 15.0}, {"name": "hard", "import_mw": 0.5}]
    made = shipped(topology, {}).replace(connection=clauses, site={"unserved_price_per_mwh": 3000.0})
    rule = bo.simulate(made)
    curtailed = rule.schedule["curtailed_mw"] > 0.5
    assert 0.0 < rule.schedule["regulation_down_mw"][curtailed].max() <= 1.5
