"""Rows for local days: each day of the horizon has its own, the last one too if it has but one step."""

from __future__ import annotations

from models import physical, tiny

from bess_opt.models.expand import expand


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
