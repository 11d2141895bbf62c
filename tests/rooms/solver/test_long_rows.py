"""The start of a long program beside rows that are longer than its windows."""

from __future__ import annotations

import numpy as np
import pytest
from support.cases import case

from bess_opt.models.assemble import physical_model_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.expand import expand
from bess_opt.solver.search.segments import Cutter


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
