"""Several batteries that follow a request: shared by room, or one for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

CELLS = {"eta_charge": 0.95, "eta_discharge": 0.95, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
NORTH = {"name": "north", "power_mw": 1.0, "duration_h": 1.0, "technology": CELLS}
SOUTH = {"name": "south", "power_mw": 0.5, "duration_h": 4.0, "technology": CELLS}


def test_a_request_is_shared_by_room() -> None:
    """0.9 MW of 1 and 0.5 MW of room are 0.6 and 0.3; what the empty one cannot give the other does."""
    made = bo.track([NORTH, SOUTH], [0.9, 0.9], step_h=0.25)
    assert [unit.delivered_mw[0] for unit in made.units.values()] == pytest.approx([0.6, 0.3])
    assert made.table["delivered_mw"].tolist()[0] == pytest.approx(0.9)
    assert made.table["soc"].iloc[-1] == pytest.approx(made.table["energy_mwh"].iloc[-1] / 3.0)
    empty = bo.track([NORTH, SOUTH], [0.4], step_h=0.25, soc_start={"north": 0.0, "south": 0.5})
    assert [unit.delivered_mw[0] for unit in empty.units.values()] == pytest.approx([0.0, 0.4])


def test_what_none_can_give_stays_unserved() -> None:
    made = bo.track([NORTH, SOUTH], [3.0], step_h=0.1)
    assert made.table["delivered_mw"].iloc[0] == pytest.approx(1.5)
    assert made.table["unserved_mw"].iloc[0] == pytest.approx(1.5)
    assert made.table["requested_mw"].iloc[0] == pytest.approx(3.0)
    assert [unit.limited_by[0] for unit in made.units.values()] == ["power", "power"]


@pytest.mark.parametrize("seed", range(5))
def test_a_request_for_each_is_the_track_of_each(seed: int) -> None:
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(draw.normal(0.0, 1.0, (40, 2)), columns=["south", "north"])
    made = bo.track([NORTH, SOUTH], frame, step_h=0.25)
    for battery in (NORTH, SOUTH):
        alone = bo.track(battery, frame[battery["name"]], step_h=0.25)
        pd.testing.assert_frame_equal(made.units[battery["name"]].table, alone.table)


def test_two_halves_follow_as_the_whole_does() -> None:
    requests = np.random.default_rng(3).normal(0.0, 1.2, 60).tolist()
    half = NORTH | {"power_mw": 0.5}
    made = bo.track([half | {"name": "a"}, half | {"name": "b"}], requests, step_h=0.25).table
    whole = bo.track(NORTH, requests, step_h=0.25).table
    columns = ["requested_mw", "delivered_mw", "unserved_mw", "loss_mw", "energy_mwh", "soc"]
    pd.testing.assert_frame_equal(made[columns], whole[columns], check_exact=False, atol=1e-9)


@pytest.mark.parametrize(
    ("batteries", "requests", "start", "said"),
    [
        ([NORTH, SOUTH], {"north": [1.0], "west": [1.0]}, 0.5, "requests_mw.west: no battery has this name"),
        ([NORTH, SOUTH], {"north": [1.0]}, 0.5, "requests_mw.south: is missing; give one for each battery"),
        ([NORTH, SOUTH], {"north": [1.0], "south": [1.0, 2.0]}, 0.5, "have different numbers of steps"),
        ([NORTH, SOUTH], [1.0], {"north": 0.5}, "soc_start.south: is missing"),
        ([NORTH, SOUTH], [1.0], 1.5, "soc_start.north: found 1.5"),
        ([NORTH, NORTH], [1.0], 0.5, "stands twice"),
        ([NORTH, SOUTH], [float("nan")], 0.5, r"requests_mw\[0\]"),
    ],
)
def test_what_is_refused(batteries: list[dict[str, Any]], requests: Any, start: Any, said: str) -> None:
    with pytest.raises(bo.ScenarioError, match=said):
        bo.track(batteries, requests, step_h=0.25, soc_start=start)
