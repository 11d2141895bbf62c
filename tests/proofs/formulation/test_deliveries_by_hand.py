"""Rows of a firm block by hand, and which delivery a step after midnight belongs to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.cases import case
from support.models import FIRM, firm, plant_of_case

from bess_opt.models.assemble import physical_model_of
from bess_opt.models.firm import add_block, add_whole_block, deliveries, delivery_bounds
from bess_opt.solver.expand import expand


@pytest.mark.parametrize(("end", "later"), [("00:00", []), ("00:01", [2]), ("01:00", [2])])
def test_a_delivery_that_ends_at_midnight_is_its_own_days(end: str, later: list[int]) -> None:
    """22:00 to midnight on 31 May is May's; what follows midnight belongs to the evening before."""
    index = pd.date_range("2025-05-31 22:00", periods=3, freq="h", tz="UTC")
    found = deliveries(index, "22:00", end, "month", 1.0)
    assert found.inside.tolist() == [0, 1, *later]
    assert found.of_step[found.inside].tolist() == [0, 0, *[0 for _ in later]]
    assert found.period.tolist() == [0]
    whole = deliveries(pd.date_range("2025-05-31 00:00", periods=48, freq="h", tz="UTC"), "22:00", end, "month", 1.0)
    assert whole.period.tolist()[-2:] == [whole.period.max() - 1, whole.period.max()]


def test_a_whole_block_leaves_nothing_missing_inside_and_outside() -> None:
    """missing <= 0 in the window; outside of it there is nothing that could be missing."""
    plant = plant_of_case(firm("parallel_ac", FIRM["block"]))
    m = physical_model_of(plant)
    first = deliveries(plant.index[:1], "00:00", "24:00", "day", 1.0)
    given = replace(first, of_step=np.where(np.arange(plant.steps) == 0, 0, -1))
    add_block(m, given, 0.5)
    add_whole_block(m)
    assert m.missing_mw.upper_values.tolist() == [np.inf, *[0.0] * (plant.steps - 1)]
    program = expand(m)
    rows = program.constraints["whole_block"].slice
    assert (rows.stop - rows.start, program.row_upper[rows].tolist()) == (1, [0.0])


def test_a_delivery_can_draw_from_the_highest_ceiling_to_the_lowest_floor() -> None:
    """4 MWh at one instant, 0.5 at another: 3.5 MWh in two hours. A reserve or a ceiling elsewhere takes nothing."""
    plant = plant_of_case(case(price_per_mwh=[0.0, 0.0])).with_storage(
        discharge_max_mw=3.0, ceiling_mwh=np.array([2.0, 4.0, 3.0]), floor_mwh=np.array([1.0, 0.5, 0.75])
    )
    _, most = delivery_bounds(deliveries(plant.index, "00:00", "02:00", "day", 1.0), plant)
    assert most.tolist() == [1.75]
