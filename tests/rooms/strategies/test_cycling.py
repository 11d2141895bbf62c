"""Cycling: a stated number of full cycles per local day, at least cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import IDEAL, Case, case, random_case
from support.twins import both, check_idle, check_replay, compared

import bess_opt as bo
from bess_opt.plant.audit import audit
from bess_opt.plant.from_scenario import plant_of
from bess_opt.strategies.shared.discovery import get

HALF = IDEAL | {"eta_charge": 0.5}


def cycling(options: dict[str, Any] | None = None, **more: Any) -> Case:
    """A day at 30 per MWh with a 1 MW, 2 MWh battery that loses half of what is charged; empty at both ends."""
    basis = {"strategy": {"name": "cycling"} | (options or {}), "price_per_mwh": [30.0] * 24}
    battery = {"technology": HALF, "soc_end": 0.0} | more.pop("battery", {})
    return case(**(basis | more), battery=battery)


def cycles(dispatch: bo.Dispatch) -> list[float]:
    """Full equivalent cycles of each local day."""
    plant = plant_of(dispatch.scenario)
    out = np.bincount(plant.day, dispatch.schedule["discharge_mw"]) * plant.step_h / plant.storage.eta_discharge
    return (out / plant.storage.energy_mwh).tolist()


@pytest.mark.parametrize(("number", "expected"), [(1.0, 60.0), (2.0, 120.0), (0.5, 30.0)])
def test_a_cycle_costs_its_losses(number: float, expected: float) -> None:
    """2 MWh out, 4 MWh in, at 30: 60 per cycle for both twins. Not doing them would cost a million each."""
    for twin in both(cycling({"cycles_per_day": number})):
        assert twin.metrics.score == pytest.approx(expected)
        assert cycles(twin) == pytest.approx([number])
        assert (twin.metrics.score_unit, twin.metrics.score_sense) == ("currency", "min")
        assert twin.figures["stated_cycles"] == pytest.approx(number)
        assert twin.figures["missing_cycles"] == pytest.approx(0.0, abs=1e-9)


def test_the_optimum_picks_the_hours() -> None:
    """Lossless, 10 before noon and 50 after: the cycle earns 80. The rule begins at once and earns nothing."""
    of = cycling(battery={"technology": IDEAL}, price_per_mwh=[10.0] * 12 + [50.0] * 12)
    rule, best = both(of)
    assert best.metrics.score == pytest.approx(-80.0)
    assert rule.metrics.score == pytest.approx(0.0, abs=1e-9)


def test_more_cycles_than_stated_are_not_done_though_they_pay() -> None:
    """Every second hour is 100 dearer; one cycle is stated, one is done: 200, not 1,200."""
    of = cycling({"cycles_per_day": 1.0}, battery={"technology": IDEAL}, price_per_mwh=[0.0, 100.0] * 12)
    rule, best = both(of)
    assert cycles(best) == pytest.approx([1.0])
    assert best.metrics.score == pytest.approx(-200.0)
    assert cycles(rule) == pytest.approx([1.0])


@pytest.mark.parametrize(("price", "expected", "done"), [(61.0, 60.0, 1.0), (50.0, 50.0, 0.0), (0.0, 0.0, 0.0)])
def test_a_shortfall_has_its_price(price: float, expected: float, done: float) -> None:
    """A cycle costs 60: at 61 it is done, at 50 missing one is cheaper. The rule does it anyway."""
    rule, best = both(cycling({"shortfall_price_per_cycle": price}))
    assert best.metrics.score == pytest.approx(expected, abs=1e-9)
    assert cycles(best) == pytest.approx([done], abs=1e-9)
    assert rule.metrics.score == pytest.approx(60.0)


def test_what_the_warranty_forbids_is_missing() -> None:
    """Half a cycle is allowed, one is stated: half a cycle is done and half of it paid for, by both twins."""
    for twin in both(cycling({"shortfall_price_per_cycle": 1000.0}, battery={"max_cycles_per_day": 0.5})):
        assert twin.metrics.score == pytest.approx(30.0 + 500.0)
        assert twin.figures["missing_cycles"] == pytest.approx(0.5)


def test_without_prices_wear_and_shortfall_are_the_cost() -> None:
    of = cycling(battery={"wear_cost_per_mwh": 7.0}, load_mw=[0.0] * 24, price_per_mwh=None)
    of = of.but(series=of.series[["load_mw"]])
    for twin in both(of):
        assert twin.metrics.score == pytest.approx(14.0)


# ------------------------------------------------------------------------------------------------------- clock


def test_a_day_cut_by_the_horizon_counts_by_its_hours() -> None:
    """From 12:00 on day 1 to 06:00 on day 3: half a cycle, one, a quarter; counted whole it would be three."""
    of = cycling(price_per_mwh=[30.0] * 42, start="2025-06-02 12:00")
    for twin in both(of):
        assert cycles(twin) == pytest.approx([0.5, 1.0, 0.25])
        assert twin.metrics.score == pytest.approx(1.75 * 60.0)


@pytest.mark.parametrize(("day", "hours"), [("2025-03-30", 23), ("2025-10-26", 25)])
def test_a_day_of_daylight_saving_is_a_whole_day(day: str, hours: int) -> None:
    """23 or 25 hours in Berlin: one cycle, not 23/24 of it."""
    for twin in both(cycling(price_per_mwh=[30.0] * hours, start=f"{day} 00:00", zone="Europe/Berlin")):
        assert cycles(twin) == pytest.approx([1.0])


@pytest.mark.parametrize("step_min", [60, 15, 5])
@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
def test_same_cost_at_every_step_length(topology: str, step_min: int) -> None:
    """A day at 30 costs 60 in steps of any length and over any lossless converter (rule 3)."""
    site = {"dc_share": 0.5} if topology == "hybrid" else {}
    prices = [30.0] * (24 * 60 // step_min)
    rule, best = both(cycling(price_per_mwh=prices, step_min=step_min, battery={"topology": topology}, site=site))
    assert best.metrics.score == pytest.approx(60.0)
    assert rule.metrics.score == pytest.approx(60.0)
    check_replay(best)


# -------------------------------------------------------------------------------------------------------- rule


def test_the_rule_swings_between_its_levels() -> None:
    """Full power down to 0.25 and up to 0.75 of 2 MWh, until 1.5 cycles are done; then it rests, and on the
    last day it does not charge what may no longer leave.
    """
    of = cycling(
        {"soc_low": 0.25, "soc_high": 0.75, "cycles_per_day": 1.5},
        battery={"technology": IDEAL, "soc_start": 0.75, "soc_end": "free"},
    )
    rule = bo.simulate(of.scenario())
    assert rule.schedule["energy_mwh"].tolist() == pytest.approx([0.5, 1.5, 0.5, 1.5] + [0.5] * 20)
    assert cycles(rule) == pytest.approx([1.5])


def test_the_rule_turns_without_a_pause() -> None:
    """A battery of 0.5 MW empties 2 MWh in four steps and is at full power the other way in the fifth."""
    starts_full = {"technology": IDEAL, "power_mw": 0.5, "duration_h": 4.0, "soc_start": 1.0, "soc_end": "free"}
    plan = bo.simulate(cycling({"cycles_per_day": 2.0}, battery=starts_full).scenario())
    assert plan.schedule["battery_mw"].tolist()[:12] == [0.5] * 4 + [-0.5] * 4 + [0.5] * 4


def test_the_rule_stops_at_the_number_every_day() -> None:
    """Three days with a number that no full swing divides: exactly that number each day."""
    of = cycling({"cycles_per_day": 1.3}, price_per_mwh=[30.0] * 72, battery={"soc_end": "free"})
    assert cycles(bo.simulate(of.scenario())) == pytest.approx([1.3] * 3)


def test_the_rule_meets_the_end() -> None:
    """Half full at both ends: it charges in the last hours although its day's number is reached."""
    of = cycling(price_per_mwh=[30.0] * 48, battery={"soc_start": 0.5, "soc_end": "equal"})
    rule = bo.simulate(of.scenario())
    assert rule.metrics.end_shortfall_mwh == pytest.approx(0.0, abs=1e-9)
    assert cycles(rule) == pytest.approx([1.0, 1.0])


def test_the_number_counts_before_the_end() -> None:
    """Full, and to be empty at the end with half a cycle a day: what may not leave stays and is said."""
    of = cycling({"cycles_per_day": 0.5}, battery={"soc_start": 1.0, "soc_end": 0.0})
    rule = bo.simulate(of.scenario())
    assert cycles(rule) == pytest.approx([0.5])
    assert rule.metrics.end_shortfall_mwh == pytest.approx(1.0)


# ---------------------------------------------------------------------------------------------- over all cases


@pytest.mark.parametrize("number", [0.4, pytest.param(1.5, marks=pytest.mark.slow)])
def test_the_rule_is_never_better(number: float) -> None:
    """Random cases over topologies, permissions and step lengths. No value of stored energy, which would enter
    the rule's score alone, and no import limit that forces the battery to run when its day's number is reached.
    """
    seen = 0
    for seed in range(9):
        of = random_case(seed).but(strategy={"name": "cycling", "cycles_per_day": number})
        of = of.but(battery={"soc_end": "free"}, site={"import_limit_mw": None})
        found = compared(of)
        if found is not None:
            seen += 1
            check_replay(found[1])
            check_idle(of)
    assert seen > 3


# ----------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cycles_per_day": 0.0}, r"strategy\.cycles_per_day: found 0\.0; give a number > 0 1/day"),
        (
            {"shortfall_price_per_cycle": -1.0},
            r"strategy\.shortfall_price_per_cycle: found -1\.0; give a number >= 0",
        ),
        ({"soc_low": 0.6, "soc_high": 0.5}, r"soc_low: 0\.6 is not below soc_high = 0\.5; give a lower one"),
        ({"soc_low": 0.05}, r"strategy\.soc_low: found 0\.05; give a number in the SOC window, 0\.1 to 0\.95"),
        ({"soc_high": 0.99}, r"strategy\.soc_high: found 0\.99; give a number in the SOC window, 0\.1 to 0\.95"),
        ({"soc_high": 0.1}, r"strategy\.soc_low: 0\.1 is not below the upper level 0\.1"),
        ({"cycles": 1.0}, r"unknown key 'cycles'; did you mean 'cycles_per_day'\?"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    of = cycling(options, battery={"technology": "modern_lfp", "soc_start": 0.5, "soc_end": "free"})
    for verb in (bo.optimize, bo.simulate):
        with pytest.raises(bo.StrategyError, match=message):
            verb(of.scenario())


def test_the_audit_counts_the_cycles() -> None:
    """A schedule with 0.1 MWh more out of 2 MWh is named."""
    plan = cycling().optimize()
    options = get("cycling").options()
    plant = plant_of(plan.scenario)
    assert get("cycling").checks(plan.schedule, plant, options) == []
    plan.schedule.loc[plan.schedule.index[0], "discharge_mw"] += 0.1
    (found,) = get("cycling").checks(plan.schedule, plant, options)
    assert found.law == "cycling stops at the stated number"
    assert found.excess == pytest.approx(0.05)
    assert audit(cycling().optimize().schedule, plant) == ()


def test_old_name_leads_here() -> None:
    with pytest.raises(bo.StrategyError, match="it is now called 'cycling'"):
        cycling().but(strategy="cycling_demo").optimize()
