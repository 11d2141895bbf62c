"""Charge and discharge of one step of an island, worked by hand: a battery on each bus and one inverter."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.comparison.resilience.island import (
    Island,
    Unit,
    _charged,
    _discharged,
    _lasting,
    _share_of,
    island_of,
    step,
)
from bess_opt.plant.from_scenario import plant_of

AT = np.zeros(1, dtype=np.int64)
UNITS: Any = [SimpleNamespace(on_dc_bus=False), SimpleNamespace(on_dc_bus=True)]
ONE = np.ones(1)
STILL = Island(
    plant=SimpleNamespace(),  # type: ignore[arg-type]
    load_mw=0.0 * ONE,
    lacks_mw=0.0 * ONE,
    forced_mw=0.0 * ONE,
    spare_ac_mw=0.0 * ONE,
    spare_dc_mw=0.0 * ONE,
    gives_mw=2.0 * ONE,
    takes_mw=2.0 * ONE,
    eta_out=0.8,
    eta_in=0.5,
)


@pytest.mark.parametrize(
    ("there", "ac", "dc"),
    [
        ({"spare_ac_mw": 0.5}, 0.5, 0.0),
        ({"spare_ac_mw": 1.6}, 1.0, 0.3),  # 0.6 through the inverter, of which half arrives
        ({"spare_ac_mw": 9.0}, 1.0, 1.0),  # the inverter takes no more than 2
        ({"spare_dc_mw": 1.4}, 0.0, 1.4),
        ({"spare_dc_mw": 2.5}, 0.4, 2.0),  # 0.5 through the inverter, of which 0.8 arrive
        ({"spare_ac_mw": 1.6, "spare_dc_mw": 1.9}, 1.0, 2.0),  # of 0.6 the DC bus has room for 0.1
        ({"forced_mw": 1.6, "spare_dc_mw": 3.0}, 1.0, 2.0),  # what must be taken comes before PV
    ],
)
def test_what_is_spare_charges_both_buses(there: dict[str, float], ac: float, dc: float) -> None:
    island = replace(STILL, **{name: value * ONE for name, value in there.items()})
    takes, room = np.array([[1.0], [2.0]]), np.array([[9.0], [9.0]])
    charge, most = _charged(island, UNITS, takes, room, AT)
    assert charge[:, 0] == pytest.approx([ac, dc])
    assert most == pytest.approx([1.0 + 2.0])


def test_a_battery_behind_the_inverter_gives_no_more_than_it_carries() -> None:
    island = replace(STILL, lacks_mw=1.5 * ONE, gives_mw=0.4 * ONE)
    units: Any = [
        SimpleNamespace(on_dc_bus=dc, rate_mwh=lambda _at: 1.0 * ONE, out=1.0, into=1.0) for dc in (False, True)
    ]
    gives, room = np.array([[2.0], [2.0]]), np.array([[9.0], [9.0]])
    discharge, most = _discharged(island, units, gives, room, AT)
    assert discharge[:, 0] == pytest.approx([1.1, 0.4])
    assert most == pytest.approx([2.4])


def test_a_step_lasts_until_those_left_are_too_weak() -> None:
    """1 and 2 MW against 3: the first is empty after half of the step, and the second alone is too weak."""
    stored, rated = np.array([[0.5], [3.0]]), np.array([[1.0], [2.0]])
    assert _share_of(stored, rated, 2.5 * ONE) == pytest.approx([1.0])
    assert _share_of(stored, rated, 3.0 * ONE) == pytest.approx([0.5])
    assert _share_of(stored[::-1], rated[::-1], 3.0 * ONE) == pytest.approx([0.5])


@pytest.mark.parametrize("size", [0.1, 1.0])
def test_who_is_empty_first_is_a_matter_of_time_not_of_energy(size: float) -> None:
    """1 MWh at 4 MW ends before 0.5 MWh at 0.5 MW: 4.2 MW last until 1 MWh and half of the time make 4.2 of it."""
    stored, rated = size * np.array([[1.0], [0.5]]), size * np.array([[4.0], [0.5]])
    assert _share_of(stored, rated, size * 4.2 * ONE) == pytest.approx([1.0 / (4.2 - 0.5)])


def test_what_the_inverter_does_not_carry_lasts_as_long_as_the_ac_bus_has_it() -> None:
    """9 MWh behind an inverter of 0.5 MW leave 0.5 MW of 1 MW to 0.25 MWh on the AC bus: half of the step."""
    island = replace(STILL, lacks_mw=1.0 * ONE, gives_mw=0.5 * ONE)
    stored, rated = np.array([[0.25], [9.0]]), np.array([[1.0], [2.0]])
    assert _lasting(island, UNITS, stored, rated, AT) == pytest.approx([0.5])


def units_of(*on_dc: bool, into: float = 1.0) -> Any:
    """Batteries on these buses, each emptied in an hour by a MW."""
    return [SimpleNamespace(on_dc_bus=dc, rate_mwh=lambda _at: 1.0 * ONE, out=1.0, into=into) for dc in on_dc]


@pytest.mark.parametrize("bus", ["ac", "dc"])
def test_the_emptier_of_two_is_charged_first(bus: str) -> None:
    """0.2 and 0.5 MWh, of 1 MW half arrives: both then hold 0.6 MWh."""
    island = replace(STILL, **{f"spare_{bus}_mw": 1.0 * ONE})
    takes, room = np.array([[2.0], [2.0]]), np.array([[0.2], [0.5]])
    charge, _ = _charged(island, units_of(bus == "dc", bus == "dc", into=0.5), takes, room, AT)
    assert charge[:, 0] == pytest.approx([0.8, 0.2])


def test_what_the_inverter_leaves_is_levelled_on_each_bus() -> None:
    """1 MW of four: those behind an inverter of 0.3 MW end at 0.5 MWh each, those on the AC bus at 0.4."""
    island = replace(STILL, lacks_mw=1.0 * ONE, gives_mw=0.3 * ONE)
    gives, room = np.ones((4, 1)), np.array([[0.9], [0.6], [0.8], [0.5]])
    discharge, _ = _discharged(island, units_of(False, False, True, True), gives, room, AT)
    assert discharge[:, 0] == pytest.approx([0.5, 0.2, 0.3, 0.0])


def test_a_little_is_given_by_the_fullest_alone() -> None:
    island = replace(STILL, lacks_mw=0.1 * ONE)
    discharge, _ = _discharged(island, units_of(False, False), np.ones((2, 1)), np.array([[0.9], [0.6]]), AT)
    assert discharge[:, 0] == pytest.approx([0.1, 0.0])


def test_pv_of_both_buses_serves_the_load_and_the_rest_is_over() -> None:
    """0.6 MW on the AC bus, 0.5 of the DC bus' 2 MW through an inverter of 0.8: of a load of 1 MW nothing is left.

    The inverter gives the 0.4 MW that the AC bus lacks, 0.5 MW on its other side, and may give 0.1 MW more.
    """
    converters = {"ac_to_dc": 0.5, "dc_to_ac": 0.8, "dc_to_dc": 1.0}
    battery = {"power_mw": 1.0, "duration_h": 2.0, "topology": "hybrid", "converters": converters}
    index = pd.date_range("2025-07-01", periods=2, freq="h", tz="UTC")
    solar = 0.6 + 2.0 * 0.8
    series = pd.DataFrame({"price_per_mwh": 30.0, "load_mw": [1.0, -0.3], "solar_mw": solar}, index)
    site = {"dc_share": 1.6 / solar, "inverter_mw": 0.5}
    scenario = bo.Scenario(battery=battery, site=site, series=series, strategy="arbitrage")
    found = island_of(plant_of(scenario), 1.0)
    assert found.lacks_mw == pytest.approx([0.0, 0.0])
    assert found.spare_ac_mw == pytest.approx([0.0, 0.6])
    assert found.spare_dc_mw == pytest.approx([1.5, 2.0])
    assert found.gives_mw == pytest.approx([0.1, 0.5])
    assert found.forced_mw == pytest.approx([0.0, 0.3])
    assert (found.eta_out, found.eta_in) == (0.8, 0.5)


def test_a_power_is_met_to_a_billionth_of_the_plants() -> None:
    assert replace(STILL, plant=SimpleNamespace(scale_mw=1000.0)).tolerance_mw == pytest.approx(1e-6)  # type: ignore[arg-type]


IDEAL = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}


@pytest.mark.parametrize(
    ("load", "energy", "after", "share"),
    [
        (1.0, 2.0, 1.0, 1.0),  # all of its power, and not a MW more
        (1.01, 2.0, 1.0, 0.0),
        (1.0, 0.25, 0.0, 0.25),
        (-1.0, 0.5, 1.5, 1.0),  # all that it takes of what must be taken
        (-1.01, 0.5, 1.5, 0.0),
        (-0.5, 1.5, 2.0, 1.0),  # until it is full
        (-0.5, 1.6, 2.0, 0.0),
    ],
)
def test_a_step_of_one_battery(load: float, energy: float, after: float, share: float) -> None:
    """1 MW and 2 MWh without losses against a load, or generation that has to be taken, of an hour."""
    battery = {"power_mw": 1.0, "duration_h": 2.0, "technology": IDEAL, "converters": LOSSLESS}
    index = pd.date_range("2025-07-01", periods=2, freq="h", tz="UTC")
    series = pd.DataFrame({"price_per_mwh": 30.0, "load_mw": load}, index)
    plant = plant_of(bo.Scenario(battery=battery, series=series, strategy="arbitrage"))
    island = island_of(plant, 1.0)
    left, served = step(island, [Unit(plant.storage, island)], np.array([[energy]]), AT)
    assert left[0] == pytest.approx([after])
    assert served == pytest.approx([share])


def stored_after(batteries: Any, energies: list[float], minutes: int = 60, **columns: Any) -> tuple[Any, float]:
    """(energies after the first step, share of it that is served) of batteries on the AC bus."""
    index = pd.date_range("2025-07-01", periods=2, freq=f"{minutes}min", tz="UTC")
    series = pd.DataFrame({"price_per_mwh": 30.0, "load_mw": 0.0} | columns, index)
    plant = plant_of(bo.Scenario(battery=batteries, series=series, strategy="arbitrage"))
    island = island_of(plant, 1.0)
    units = [Unit(battery, island) for battery in plant.batteries]
    left, served = step(island, units, np.array(energies)[:, None], AT)
    return left[:, 0], float(served[0])


ONE_MW = {"power_mw": 1.0, "duration_h": 2.0, "technology": IDEAL, "converters": LOSSLESS, "soc_start": 0.5}


@pytest.mark.parametrize(("energy", "after", "share"), [(1.0, 0.8, 1.0), (0.2, 0.0, 1.0), (0.1, -0.1, 0.0)])
def test_what_is_drawn_must_be_there(energy: float, after: float, share: float) -> None:
    """0.4 MW for half an hour are 0.2 MWh: with less the step is not served."""
    left, served = stored_after(ONE_MW, [energy], 30, drawn_mw=0.4)
    assert (left[0], served) == (pytest.approx(after, abs=1e-12), share)


def test_nobody_misses_what_self_discharge_takes_below_the_window() -> None:
    """0.5 MWh at a floor of 0.5 MWh lose a tenth, and nothing was asked of them."""
    cells = IDEAL | {"soc_min": 0.25}
    left, served = stored_after(ONE_MW | {"technology": cells, "self_discharge_per_h": 0.1}, [0.5])
    assert (left[0], served) == (pytest.approx(0.45), 1.0)


def test_a_battery_is_full_to_a_billionth_of_its_energy() -> None:
    """Of 1,000 MWh half a watt-hour is missing: no PV that comes after finds room for it."""
    left, _ = stored_after(ONE_MW | {"duration_h": 1000.0}, [1000.0 - 5e-7])
    assert left[0] == 1000.0


def test_two_batteries_are_brought_to_equal_hours() -> None:
    """0.4 MW with 0.4 MWh above its floor beside 0.2 MW with 0.3 MWh; 0.2 MW are asked for.

    After it both last 5/6 of an hour at full power.
    """
    cells = IDEAL | {"soc_min": 0.1}
    north = ONE_MW | {"name": "north", "power_mw": 0.4, "duration_h": 7.5, "technology": cells}  # a floor of 0.3 MWh
    south = ONE_MW | {"name": "south", "power_mw": 0.2}
    left, served = stored_after([north, south], [0.7, 0.3], load_mw=0.2)
    assert left == pytest.approx([0.3 + 0.4 * 5 / 6, 0.2 * 5 / 6])
    assert served == 1.0
