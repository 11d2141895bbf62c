"""Rows for local days: each day of the horizon has its own, the last one too if it has but one step."""

from __future__ import annotations

import numpy as np
from support.models import physical, plant_of_case, tiny, wanted

from bess_opt.models.cycles import cycles_done
from bess_opt.solver.expand import expand


def test_a_day_of_one_step_is_limited_too() -> None:
    """23:00 and 00:00 are two days, a row each."""
    of = tiny(steps=2, battery={"max_cycles_per_day": 1.5})
    m = physical(of.but(series=of.series.shift(23, freq="h")))
    program = expand(m)
    block = program.constraints["cycles_per_day"]
    rows = range(block.slice.start, block.slice.stop)
    names = [program.column_name(int(program.column[program.start[row]])) for row in rows]
    assert names == [("discharge_mw", 0), ("discharge_mw", 1)]
    assert [int(program.start[row + 1] - program.start[row]) for row in rows] == [1, 1]


def test_only_the_last_step_of_a_day_has_what_it_misses() -> None:
    """23:00 ends a day, 01:00 the horizon; a day of an hour asks for its share. Nothing else may be missing."""
    of = tiny(steps=3, strategy={"name": "cycling", "cycles_per_day": 1.5})
    m, _ = wanted(of.but(series=of.series.shift(23, freq="h")))
    assert m.missing_cycles.upper_values.tolist() == [1.5 / 24.0, 0.0, 2.0 * 1.5 / 24.0]
    assert hasattr(m, "charge_room"), "the cheapest cycle of a plain model runs in and out at once"


def test_cycles_are_counted_at_the_cells() -> None:
    """1 MWh and 3 MWh at the port on two days are 2 and 6 MWh out of the cells: 0.5 and 1.5 times 4 MWh."""
    of = tiny(steps=3)
    plant = plant_of_case(of.but(series=of.series.shift(23, freq="h")))
    assert plant.storage.eta_discharge == 0.5
    assert cycles_done(np.array([1.0, 2.0, 1.0]), plant.storage, plant).tolist() == [0.5, 1.5]
