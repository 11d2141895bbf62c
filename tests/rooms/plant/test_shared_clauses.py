"""Rules of several batteries under priced caps and ramps: two halves of a battery do what the whole one does."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.random_clauses import random_case

import bess_opt as bo

FLOWS = ["battery_mw", "grid_mw", "curtailed_mw", "unserved_mw", "energy_mwh"]


def outcome(scenario: bo.Scenario, powers: np.ndarray) -> tuple[pd.DataFrame | None, str]:
    """What a rule of these powers comes to: its schedule, or the time at which nothing helps."""
    try:
        made = bo.simulate(scenario, rule=lambda state: float(powers[state.step]))
    except bo.InfeasibleError as error:
        return None, str(error)
    return made.schedule[FLOWS], f"{made.metrics.overrun_charges:.6f}"


@pytest.mark.parametrize("seed", range(30))
def test_two_halves_do_what_the_whole_does(seed: int) -> None:
    case, clauses = random_case(seed)
    whole: dict[str, Any] = dict(case.battery)
    half = whole | {"power_mw": whole["power_mw"] / 2}
    powers = np.random.default_rng(seed).normal(0.0, whole["power_mw"], len(case.series))
    given = dataclasses.replace(case, connection=clauses).scenario()
    one, said = outcome(given, powers)
    halves = [half | {"name": "a"}, half | {"name": "b"}]
    two, also = outcome(given.replace(battery=halves), powers)
    assert (one is None) == (two is None)
    if one is None or two is None:
        assert said.splitlines()[0][:60] == also.splitlines()[0][:60]
        return
    pd.testing.assert_frame_equal(one, two, atol=1e-7, rtol=1e-7)
    assert said == also


def test_a_priced_cap_is_kept_by_the_one_that_has_room() -> None:
    """Solar of 2 MW under a priced cap of 0.5: both batteries take what they can before the cap is overrun."""
    index = pd.date_range("2025-06-02", periods=2, freq="1h", tz="UTC")
    cells = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
    battery = {"technology": cells, "soc_start": 0.0, "soc_end": "free", "converters": {"ac_to_dc": 1.0}}
    full = {"name": "north", "power_mw": 1.0, "duration_h": 0.2} | battery
    roomy = {"name": "south", "power_mw": 0.5, "duration_h": 4.0} | battery
    scenario = bo.Scenario(
        battery=[full, roomy],
        series=pd.DataFrame({"price_per_mwh": [50.0, 50.0], "solar_mw": [2.0, 0.0]}, index=index),
        site={"curtailment": False},
        connection=[{"name": "cap", "export_mw": 0.5, "overrun_price_per_mwh": 10.0}],
        strategy="arbitrage",
    )
    made = bo.simulate(scenario, rule=lambda _state: 0.0)
    assert [unit["charge_mw"].iloc[0] for unit in made.units.values()] == pytest.approx([0.2, 0.5])
    assert made.metrics.overrun_charges == pytest.approx((2.0 - 0.7 - 0.5) * 10.0)
    assert made.schedule["limited_by"].iloc[0] == "export limit"


def test_a_ramp_holds_the_sum() -> None:
    """0.5 MW an hour from 0, asked for 1 MW of discharge of two half-full batteries: 0.5 then 1."""
    index = pd.date_range("2025-06-02", periods=2, freq="1h", tz="UTC")
    battery = {"power_mw": 0.5, "duration_h": 8.0}
    scenario = bo.Scenario(
        battery=[{"name": "north"} | battery, {"name": "south"} | battery],
        series=pd.DataFrame({"price_per_mwh": [50.0, 50.0]}, index=index),
        connection=[{"name": "ramp", "ramp_mw_per_min": 0.5 / 60, "before_mw": 0.0}],
        strategy="arbitrage",
    )
    made = bo.simulate(scenario, rule=lambda _state: 1.0)
    assert made.schedule["grid_mw"].tolist() == pytest.approx([0.5, 1.0])
    assert made.schedule["limited_by"].tolist() == ["ramp limit", ""]
    each = bo.simulate(scenario, rule=lambda _state: {"south": 1.0})
    assert each.schedule["grid_mw"].tolist() == pytest.approx([0.5, 0.5])
