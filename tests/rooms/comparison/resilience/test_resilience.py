"""Hours survived without the grid, the reserve that a cover asks for and its cost, by hand and step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

IDEAL = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
BATTERY = {
    "power_mw": 1.0, "duration_h": 4.0, "technology": IDEAL, "converters": LOSSLESS, "soc_start": 0.5,
    "soc_end": "at_least_start",
}  # fmt: skip
FLAT = {"price_per_mwh": 30.0, "load_mw": 0.8}


def scenario(battery: Any = BATTERY, site: Any = None, hours: int = 8, **columns: Any) -> bo.Scenario:
    """Hours with a flat price, so that the battery rests, and a load of 0.8 MW."""
    index = pd.date_range("2025-07-01", periods=hours, freq="1h", tz="Europe/Berlin")
    return bo.Scenario(battery=battery, site=site, series=pd.DataFrame(FLAT | columns, index), strategy="arbitrage")


def test_fractions_of_a_step_count() -> None:
    """2 MWh at 0.8 MW last 2.5 hours; the last two starts outlast the horizon. At half the load 5 hours."""
    found = bo.resilience(scenario())
    assert found.table["hours_survived"].tolist() == pytest.approx([2.5] * 6 + [2.0, 1.0])
    assert found.table["to_the_end"].tolist() == [False] * 6 + [True] * 2
    assert found.curve.loc[[0.0, 1.0, 2.0]].tolist() == [1.0, 1.0, 1.0]
    assert bo.resilience(scenario(), critical_share=0.5).table["hours_survived"].max() == pytest.approx(5.0)
    assert bo.resilience(scenario(), 0.0).table["to_the_end"].all()


def test_pv_charges_and_power_may_be_too_low() -> None:
    """PV of 2.8 MW in hour 2 brings 1 MWh (its power) and serves the load; 1.2 MW of load in hour 5 is beyond 1 MW."""
    solar = [0.0, 0.0, 2.8, 0.0, 0.0, 0.0, 0.0, 0.0]
    load = [0.8, 0.8, 0.8, 0.8, 0.4, 1.2, 0.8, 0.8]
    found = bo.resilience(scenario(solar_mw=solar, load_mw=load, site=None))
    energy = found.table["energy_mwh"].iloc[0]
    assert energy == pytest.approx(2.0)
    # 2.0 − 0.8 − 0.8 = 0.4, + 1.0 = 1.4, − 0.8 = 0.6, − 0.4 = 0.2: five hours, then the power is too low.
    assert found.table["hours_survived"].iloc[0] == pytest.approx(5.0)


def test_auxiliary_load_and_window_and_losses() -> None:
    """Window from 0.1, half lost on the way out: (2 − 0.4)·0.5 = 0.8 MWh at 0.8 + 0.2 MW are 0.8 hours."""
    cells = IDEAL | {"soc_min": 0.1, "eta_discharge": 0.5}
    battery = BATTERY | {"technology": cells, "auxiliary_mw": 0.2, "duration_h": 4.0}
    assert bo.resilience(scenario(battery)).table["hours_survived"].iloc[0] == pytest.approx(0.8)


@pytest.mark.parametrize("topology", ["series_dc", "hybrid"])
def test_the_shared_inverter_limits_what_can_be_served(topology: str) -> None:
    """An inverter of 0.5 MW cannot carry 0.8 MW."""
    site = {"inverter_mw": 0.5, "dc_share": 1.0}
    given = scenario(BATTERY | {"topology": topology}, site, solar_mw=0.0)
    assert bo.resilience(given).table["hours_survived"].max() == 0.0
    assert bo.resilience(given, 0.5).table["hours_survived"].iloc[0] == pytest.approx(5.0)


def test_several_batteries_keep_their_power_together() -> None:
    """1 MWh and 3 MWh of 1 MW each: two hours at 0.5 MW from the larger, then 2 MW for 1 hour and a half of a step.

    After the two hours 1 and 2 are left; 2 MW for an hour leave 0 and 1, and then 1 MW alone is there.
    """
    two = [
        BATTERY | {"name": "a", "power_mw": 1.0, "duration_h": 1.0, "soc_start": 1.0},
        BATTERY | {"name": "b", "power_mw": 1.0, "duration_h": 3.0, "soc_start": 1.0},
    ]
    load = [0.5, 0.5, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    found = bo.resilience(scenario(two, load_mw=load))
    assert found.table["hours_survived"].iloc[0] == pytest.approx(4.0)


def test_a_part_of_a_step_ends_with_the_first_battery_whose_power_is_missed() -> None:
    """1 MWh and 0.25 MWh of 1 MW each give 2 MW for a quarter of an hour, 1.6 MW for 0.25/0.6 of one."""
    two = [
        BATTERY | {"name": "a", "power_mw": 1.0, "duration_h": 1.0, "soc_start": 1.0},
        BATTERY | {"name": "b", "power_mw": 1.0, "duration_h": 0.25, "soc_start": 1.0},
    ]
    found = bo.resilience(scenario(two, load_mw=2.0), cover_h=0.25)
    assert found.table["hours_survived"].tolist() == pytest.approx([0.25] * 8)
    assert found.table["needed_mwh"].tolist() == pytest.approx([0.5] * 8)
    assert found.table["covered"].all()
    assert bo.resilience(scenario(two, load_mw=2.0), cover_h=0.26).table["needed_mwh"].isna().all()
    assert bo.resilience(scenario(two, load_mw=1.6)).table["hours_survived"].max() == pytest.approx(0.25 / 0.6)


def test_a_cover_is_held_at_the_end_of_the_step_before_and_costs_money() -> None:
    """Prices swing, 2 hours of 0.8 MW are wanted: 1.6 MWh must be there, so that 2.4 MWh can be traded, not 4."""
    prices = [10.0, 10.0, 90.0, 90.0, 10.0, 10.0, 90.0, 90.0]
    given = scenario(BATTERY | {"soc_end": "free", "power_mw": 2.0, "duration_h": 2.0}, price_per_mwh=prices)
    free, covered = bo.resilience(given), bo.resilience(given, cover_h=2.0)
    assert free.table["hours_survived"].min() < 2.0
    assert covered.energy_min_mwh is not None
    assert covered.energy_min_mwh.tolist() == pytest.approx([1.6] * 6 + [0.8, 0.0])
    assert covered.table["needed_mwh"].tolist() == pytest.approx([1.6] * 7 + [0.8])
    assert covered.held is not None
    held = bo.resilience(covered.held.scenario, cover_h=2.0)
    assert held.table["covered"].all()
    assert covered.holding_cost == pytest.approx(
        free.plan.metrics.net_revenue - covered.held.metrics.net_revenue, abs=1e-6
    )
    assert covered.holding_cost > 50.0


def test_a_cover_beyond_a_full_battery_is_noted() -> None:
    """10 hours of 0.8 MW are 8 MWh; the battery holds 4."""
    found = bo.resilience(scenario(hours=12), cover_h=10.0)
    assert [note.code for note in found.notes][:2] == ["cover_out_of_reach", "start_uncovered"]
    assert found.table["needed_mwh"].isna().iloc[0]
    assert not found.table["covered"].iloc[0]


def survived(scenario_: bo.Scenario, start: int, energy: float, share: float) -> float:
    """One start followed step by step from the meaning alone, on an AC bus."""
    battery, series, h = scenario_.battery, scenario_.series, scenario_.step_h
    tech, (eta_in, eta_out) = battery.tech, (battery.converters.ac_to_dc, battery.converters.dc_to_ac)
    into, out = eta_in * tech.eta_charge, 1.0 / (eta_out * tech.eta_discharge)
    floor, ceiling = tech.soc_min * battery.energy_mwh, tech.soc_max * battery.energy_mwh
    hours = 0.0
    for t in range(start, len(series)):
        load = series["load_mw"].iloc[t]
        need = battery.auxiliary_mw + share * max(load, 0.0) - max(-load, 0.0) - series["solar_mw"].iloc[t]
        left = energy * (1.0 - battery.self_discharge_per_h) ** h
        if need > 0.0:
            if need > battery.power_mw + 1e-9:
                return hours
            able = max(left - floor, 0.0) / (out * h)
            if able < need - 1e-9:
                return hours + h * able / need
            energy = left - out * h * need
        else:
            forced = max(max(-load, 0.0) - battery.auxiliary_mw - share * max(load, 0.0), 0.0)
            room = min(battery.charge_power, max(ceiling - left, 0.0) / (into * h))
            if forced > room + 1e-9:
                return hours
            energy = left + into * h * min(-need, room)
        hours += h
    return hours


@pytest.mark.parametrize("seed", range(12))
def test_every_start_equals_one_followed_by_hand(seed: int) -> None:
    """Random sites with PV and loads of either sign in quarter hours and hours."""
    rng = np.random.default_rng(seed)
    steps, minutes = 40, int(rng.choice([15, 60]))
    index = pd.date_range("2025-03-29 12:00", periods=steps, freq=f"{minutes}min", tz="Europe/Berlin")
    series = pd.DataFrame(
        {
            "price_per_mwh": rng.normal(40.0, 40.0, steps),
            "load_mw": rng.uniform(-0.1, 1.1, steps) if seed % 3 else rng.uniform(0.0, 1.0, steps),
            "solar_mw": np.maximum(rng.uniform(-1.0, 2.0, steps), 0.0),
        },
        index,
    )
    battery = {
        "power_mw": 1.2, "duration_h": 2.5, "technology": "modern_lfp", "self_discharge_per_h": 0.001,
        "auxiliary_mw": 0.05 * (seed % 2),
    }  # fmt: skip
    given = bo.Scenario(battery=battery, series=series, strategy="arbitrage")
    share = float(rng.choice([0.3, 0.7, 1.0]))
    found = bo.resilience(given, critical_share=share, cover_h=3.0)
    energy = found.table["energy_mwh"].to_numpy()
    by_hand = [survived(given, t, float(energy[t]), share) for t in range(steps)]
    assert found.table["hours_survived"].to_numpy() == pytest.approx(np.array(by_hand), abs=1e-6)
    for t in range(steps):
        needed, wanted = found.table["needed_mwh"].iloc[t], min(3.0, (steps - t) * given.step_h)
        full = given.battery.tech.soc_max * given.battery.energy_mwh
        if np.isnan(needed):
            assert survived(given, t, full, share) < wanted - 1e-9
            continue
        assert survived(given, t, needed + 1e-7, share) >= wanted - 1e-6
        if needed > given.battery.tech.soc_min * given.battery.energy_mwh + 1e-6:
            assert survived(given, t, needed - 1e-3, share) < wanted


@pytest.mark.parametrize(
    ("arguments", "where"),
    [({"critical_share": 1.2}, "critical_share"), ({"critical_share": "all"}, "critical_share"),
     ({"cover_h": 0.0}, "cover_h"), ({"cover_h": 1e6}, "cover_h"), ({"cover_h": True}, "cover_h")],
)  # fmt: skip
def test_arguments_out_of_range(arguments: dict[str, Any], where: str) -> None:
    """Each is refused before anything is solved."""
    with pytest.raises(bo.ScenarioError) as refused:
        bo.resilience(scenario(), **arguments)
    assert refused.value.problems[0].where == where


def test_what_is_not_served() -> None:
    """A site without load."""
    with pytest.raises(bo.ScenarioError, match="no load"):
        bo.resilience(scenario(load_mw=0.0))


def test_the_picture_is_drawn_and_shown() -> None:
    """Two panels, and a table in notebooks."""
    found = bo.resilience(scenario(hours=48), cover_h=2.0)
    assert len(found.plot().axes) >= 2
    assert "hours that half of them reach" in found._repr_html_()
