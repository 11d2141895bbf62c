"""The cuts of the one-way rule by hand: numbers of each row, and where they must not be added."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.models import REGULATION, plant_of_case, regulation, tiny, wanted

from bess_opt.models.assemble import physical_model_of
from bess_opt.models.one_way import add_one_way_cuts, add_room_cuts
from bess_opt.plant.plant import Plant
from bess_opt.solver.expand import expand

ROOM = ("charge_room", "discharge_room")


def cut(plant: Plant) -> Any:
    m = physical_model_of(plant)
    add_one_way_cuts(m, plant)
    return m


def row(m: Any, name: str, step: int) -> tuple[dict[tuple[str, int], float], float, float]:
    """(entries, lower, upper) of one row."""
    program = expand(m)
    place = program.constraints[name].first + step
    span = slice(program.start[place], program.start[place + 1])
    names = [program.column_name(int(column)) for column in program.column[span]]
    entries = dict(zip(names, program.value[span].tolist(), strict=True))
    return entries, float(program.row_lower[place]), float(program.row_upper[place])


@pytest.mark.parametrize(("into", "out"), [(0.75, 0.5), (0.5, 0.75)])
def test_charge_and_discharge_share_the_larger_power(into: float, out: float) -> None:
    """One of the two is nought, so their sum is at most 0.75 MW, whichever may be that large."""
    m = cut(plant_of_case(tiny()).with_storage(charge_max_mw=into, discharge_max_mw=out))
    for step in (0, 1):
        found = row(m, "one_way_power", step)
        assert found == ({("charge_mw", step): 1.0, ("discharge_mw", step): 1.0}, -np.inf, 0.75)
    assert all(hasattr(m, name) for name in ROOM)


def test_room_is_what_the_window_of_each_step_leaves() -> None:
    """Half of the energy stays in a step. Above: the next ceiling or half of the last one, whichever is higher;
    below: the next floor or half of the last one, whichever is lower.
    """
    plant = plant_of_case(tiny(steps=3)).with_storage(
        retention=0.5,
        ceiling_mwh=np.array([6.0, 2.0, 0.5, 4.0]),
        floor_mwh=np.array([2.0, 1.0, 0.4, 0.6]),
        start_mwh=3.0,
        end_min_mwh=0.0,
        end_max_mwh=np.inf,
    )
    m = cut(plant)
    assert m.room_ceiling_mwh.values_array[1:].tolist() == [1.0, 4.0]
    assert m.room_floor_mwh.values_array[1:].tolist() == [0.4, 0.2]


def test_cuts_are_added_once() -> None:
    """A strategy may have done so before."""
    plant = plant_of_case(tiny())
    m = cut(plant)
    before = m.charge_room
    add_room_cuts(m, plant)
    assert m.charge_room is before


def test_no_room_is_cut_off_where_regulation_is_held() -> None:
    """Mean charge and discharge of a step are then both positive."""
    m, _ = wanted(regulation("parallel_ac", REGULATION["block"]), one_way=True)
    assert not any(hasattr(m, name) for name in ROOM)
