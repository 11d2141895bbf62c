"""The cuts of the one-way rule by hand: numbers of each row, and where they must not be added."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.models import REGULATION, plant_of_case, regulation, restricted, tiny, wanted

from bess_opt.models.assemble import physical_model_of
from bess_opt.models.one_way import add_one_way_cuts, add_room_cuts, put_in_proportion
from bess_opt.plant.plant import Plant, Ratings
from bess_opt.solver.expand import expand

ROOM = ("charge_room", "discharge_room")


REGULATED = regulation("parallel_ac", REGULATION["block"])
RATINGS = Ratings(charge_mw=0.5, discharge_mw=1.0, cells_mw=0.8, eta_in=0.96, eta_out=0.5)


def cut(plant: Plant) -> Any:
    m = physical_model_of(plant)
    add_one_way_cuts(m, plant, [RATINGS])
    return m


def row(m: Any, name: str, step: int) -> tuple[dict[tuple[str, int], float], float, float]:
    """(entries, lower, upper) of one row."""
    program = expand(m)
    place = program.constraints[name].first + step
    span = slice(program.start[place], program.start[place + 1])
    names = [program.column_name(int(column)) for column in program.column[span]]
    entries = dict(zip(names, program.value[span].tolist(), strict=True))
    return entries, float(program.row_lower[place]), float(program.row_upper[place])


def test_charge_and_discharge_share_both_ratings() -> None:
    """One of the two is nought: 1 MW out or 0.5 MW in at the port, 0.8 MW either way at the cells."""
    m = cut(plant_of_case(tiny()))
    for step in (0, 1):
        port = row(m, "charging_shared_port", step)
        assert port == ({("charge_mw", step): 2.0, ("discharge_mw", step): 1.0}, -np.inf, 1.0)
        cells = row(m, "charging_shared_cells", step)
        assert cells == ({("charge_mw", step): 0.96, ("discharge_mw", step): 2.0}, -np.inf, 0.8)
    assert all(hasattr(m, name) for name in ROOM)


def test_what_is_given_has_a_use() -> None:
    """No converter gives and takes at once: d <= load − unserved + export; behind an inverter what it gives."""
    m = cut(plant_of_case(tiny()))
    load = float(plant_of_case(tiny()).load_mw[1])
    entries, lower, upper = row(m, "discharge_is_used", 1)
    assert entries == {("discharge_mw", 1): 1.0, ("unserved_mw", 1): 1.0, ("export_mw", 1): -1.0}
    assert (lower, upper) == (-np.inf, load)
    dc = plant_of_case(tiny("series_dc"))
    m = cut(dc)
    entries, _, _ = row(m, "inverter_stores", 0)
    assert entries == {("inverter_in_mw", 0): dc.bus.eta_in if dc.bus else 1.0, ("charge_mw", 0): -1.0}
    entries, _, _ = row(m, "inverter_gives", 0)
    assert entries[("discharge_mw", 0)] == 1.0
    assert entries[("inverter_out_mw", 0)] == pytest.approx(-1.0 / (dc.bus.eta_out if dc.bus else 1.0), rel=1e-15)


def test_calls_of_both_ways_in_a_step_are_not_cut_off() -> None:
    """With regulation mean charge and discharge of a step are both positive, and neither has another use."""
    m, _ = wanted(REGULATED)
    add_one_way_cuts(m, restricted(REGULATED), [RATINGS])
    assert hasattr(m, "charging_shared_port")
    assert not hasattr(m, "discharge_is_used")


def test_states_share_ratings_in_proportion_to_the_size() -> None:
    """What divides by the lower limit gives way to a row for each limit: its coefficients know no size."""
    m, _ = wanted(REGULATED)
    put_in_proportion(m, restricted(REGULATED), [RATINGS])
    up = "activated_up_regulation_up"
    assert not any(hasattr(m, f"{state}_shared_power") for state in ("base", up, "activated_down_regulation_down"))
    found = row(m, f"{up}_charging_shared_port", 0)
    assert found == ({(f"{up}_charge_mw", 0): 2.0, (f"{up}_discharge_mw", 0): 1.0}, -np.inf, 1.0)


def test_room_is_what_the_window_of_each_step_leaves() -> None:
    """Half of the energy stays in a step. Above: the next ceiling or the last one, whichever is higher; below: half
    of the next floor or the last one, whichever is lower. So both bend with the size one way only.
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
    assert m.room_ceiling_mwh.values_array[1:].tolist() == [2.0, 4.0]
    assert m.room_floor_mwh.values_array[1:].tolist() == [0.2, 0.2]


def test_cuts_are_added_once() -> None:
    """A strategy may have done so before."""
    plant = plant_of_case(tiny())
    m = cut(plant)
    before = m.charge_room
    add_room_cuts(m, plant)
    assert m.charge_room is before


def test_no_room_is_cut_off_where_regulation_is_held() -> None:
    """Mean charge and discharge of a step are then both positive."""
    m, _ = wanted(REGULATED, one_way=True)
    assert not any(hasattr(m, name) for name in ROOM)
