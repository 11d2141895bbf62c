"""A number that misses a window by rounding is on its edge; one that misses it by more is refused."""

from __future__ import annotations

import pytest
from support.cases import case

import bess_opt as bo

CELLS = {"eta_charge": 0.95, "eta_discharge": 0.95, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 2.0}


@pytest.mark.parametrize("by", [1e-13, -1e-13, 9e-10])
@pytest.mark.parametrize("edge", [0.1, 0.9])
@pytest.mark.parametrize("key", ["soc_start", "soc_end"])
def test_rounding_is_on_the_edge(by: float, edge: float, key: str) -> None:
    made = case(price_per_mwh=[10.0, 50.0, 20.0], battery={"technology": CELLS, "soc_start": 0.5, key: edge + by})
    plan = made.optimize()
    assert plan.schedule["soc"].between(0.1, 0.9).all()
    bo.simulate(made.scenario())


@pytest.mark.parametrize("soc", [0.9 + 2e-9, 0.1 - 1e-6])
def test_more_than_rounding_is_told_with_the_digits_that_show_it(soc: float) -> None:
    given = case(price_per_mwh=[10.0, 50.0], battery={"technology": CELLS, "soc_start": soc}).scenario()
    (found,) = [one for one in bo.validate(given) if one.code == "start_outside_window"]
    assert f"{soc:.12g} lies outside" in found.found


def test_a_tracked_battery_and_a_reserve_read_alike() -> None:
    battery = {"power_mw": 1.0, "duration_h": 1.0, "technology": CELLS}
    assert bo.track(battery, [1.0], 0.25, soc_start=0.9 + 5e-10).soc[0] == 0.9
    case(
        price_per_mwh=[10.0, 50.0], energy_min_mwh=[0.0, 0.9 + 5e-10], battery=battery | {"soc_start": 0.5}
    ).optimize()


def test_a_reserve_says_when_it_holds() -> None:
    made = case(
        price_per_mwh=[10.0] * 4, energy_min_mwh=[0.0, 0.0, 0.4, 0.0], start="2025-06-02 04:00",
        battery={"power_mw": 1.0, "duration_h": 1.0, "soc_start": 0.0},
    )  # fmt: skip
    (found,) = (f for f in bo.validate(made.scenario()) if f.code == "reserve_at_end_of_step")
    assert "the row 2025-06-02 06:00 asks for 0.4 MWh at 07:00" in found.found
    assert made.optimize().schedule["energy_mwh"].iloc[2] >= 0.4
