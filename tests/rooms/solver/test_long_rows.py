"""The start of a long program beside rows that are longer than its windows."""

from __future__ import annotations

import numpy as np
import pytest
from support.cases import case

from bess_opt.models.assemble import physical_model_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.expand import expand
from bess_opt.solver.search.segments import Cutter, Segment


def cutter(cap: dict[str, object]) -> Cutter:
    made = case(price_per_mwh=np.arange(96.0).tolist(), battery={"max_cycles": {"count": 1.0} | cap})
    m = physical_model_of(plant_of(made.scenario()))
    m.objective_terms = []
    return Cutter(expand(m), 96)


@pytest.mark.parametrize(("per", "blocked"), [("day", True), ("month", False), ("horizon", False)])
def test_only_rows_no_longer_than_a_window_keep_it_from_ending(per: str, blocked: bool) -> None:
    assert bool(cutter({"per": per}).crossed_by_short(24)[12]) is blocked
    assert not cutter({"per": per}).crossed_by_short(24)[24]


@pytest.mark.parametrize(("per", "all_of_it"), [("day", False), ("horizon", True), ("month", True)])
def test_a_row_of_the_whole_horizon_is_seen(per: str, all_of_it: bool) -> None:
    assert cutter({"per": per}).spans_all() is all_of_it


def test_what_was_used_before_a_segment_is_taken_off_the_rows_that_slide_into_it() -> None:
    """Any 4 hours may hold one cycle; of a segment from instant 10, three windows begin before it.

    Steps 7 to 9 have used 0.3, 0.2 and 0.1: what is left of the one that begins at 7 is 1 − 0.6, and so on.
    """
    of = cutter({"hours": 4.0})
    discharge = of.full.variables["discharge_mw"].first
    x = np.full(of.full.columns, np.nan)
    x[discharge + 7 : discharge + 10] = [0.3, 0.2, 0.1]
    segment = Segment(10, 20)
    _, columns, _ = of.slice(segment)
    rows, left = of.begun_before(segment, columns, x)
    whole = of.full.row_upper[rows]
    per_mw = [float(row[1][0]) for row in left]
    used = [(limit - row[3]) / each for limit, row, each in zip(whole, left, per_mw, strict=True)]
    assert used == pytest.approx([0.6, 0.3, 0.1])
    assert [(columns[row[0]] - discharge).tolist() for row in left] == [[10], [10, 11], [10, 11, 12]]
    x[discharge + 7] = np.nan
    assert of.begun_before(segment, columns, x)[0].tolist() == rows[1:].tolist()
