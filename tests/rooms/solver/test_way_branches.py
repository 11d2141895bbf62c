"""Branches on single steps, and what ramps mean for each way, against one program with a binary for every step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.models import ramp
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import Pair, pairs_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import one_way_program
from bess_opt.solver.program import Program
from bess_opt.solver.search import way_branches
from bess_opt.solver.search.segments import Cutter, Segment
from bess_opt.solver.search.way_branches import WayBranches, Ways
from bess_opt.solver.solution import InfeasibleProgramError
from bess_opt.strategies.shared.activation import activate

SEEDS = range(8)
STEPS = 14
OPTIONS = SolverOptions(rel_gap=1e-9)


def scenario(seed: int) -> bo.Scenario:
    """Hours that pay for wasting energy, under a ramp; with PV, load that may be shed, or an outage where drawn."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2025-05-01", periods=STEPS, freq="h", tz="UTC")
    series = pd.DataFrame({"price_per_mwh": rng.normal(-15.0, 20.0, STEPS).round(1)}, index=index)
    site: dict[str, Any] = {"export_limit_mw": 3.0, "import_limit_mw": 3.0}
    if rng.random() < 0.5:
        series["load_mw"] = rng.uniform(-0.2, 0.8, STEPS).round(2)
        site["unserved_price_per_mwh"] = 40.0
    if rng.random() < 0.5:
        series["solar_mw"] = rng.uniform(0.0, 0.6, STEPS).round(2)
        site["curtailment"] = bool(rng.random() < 0.5)
    ramp = {"name": "ramp", "ramp_mw_per_min": float(rng.uniform(0.005, 0.02)), "hours": [[0, 10], [12, 24]]}
    outage = [{"start": "2025-05-01T03:00+00:00", "hours": 2.0, "critical_share": 0.5}] if rng.random() < 0.4 else []
    battery = {"power_mw": 1.0, "charge_power_mw": float(rng.uniform(0.6, 1.2)), "duration_h": 2.0, "soc_end": "free"}
    made: bo.Scenario = bo.Scenario(
        battery=battery, series=series, site=site, connection=[ramp], outage=outage, strategy="arbitrage"
    )
    return made


def whole(seed: int) -> tuple[Program, tuple[Pair, ...], float]:
    """The one program with all binaries, its pairs, and the plant's size."""
    return whole_of(scenario(seed))


def whole_of(given: bo.Scenario) -> tuple[Program, tuple[Pair, ...], float]:
    plant = plant_of(given)
    m, _objectives = model_of(plant, activate(given, plant))
    return one_way_program(m, plant, expand(m), pairs_of(plant)), pairs_of(plant), plant.scale_mw


def without_cuts(
    seed: int, monkeypatch: pytest.MonkeyPatch, left_out: tuple[str, ...] = ("RAMP_CUTS", "LONGER_RAMP_CUTS")
) -> Program:
    """The same without what ramps mean for each way, or without some of it."""
    with monkeypatch.context() as patched:
        for cuts in left_out:
            patched.setattr(ramp, cuts, {})
        return whole(seed)[0]


def ways_of(full: Program, pairs: tuple[Pair, ...]) -> Ways:
    def columns(names: list[str]) -> np.ndarray:
        return np.concatenate([np.arange(full.columns)[full.variables[name].slice] for name in names])

    return Ways(*(columns([getattr(pair, kind) for pair in pairs]) for kind in ("first", "second", "binary")))


def branches(full: Program, pairs: tuple[Pair, ...], scale_mw: float) -> WayBranches:
    return WayBranches(full, ways_of(full, pairs), OPTIONS, scale_mw, lambda: None)


@pytest.mark.parametrize("seed", SEEDS)
def test_flows_whose_limits_stand_in_rows_alone_are_branched_too(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way_branches, "MOST_NODES", 10_000)
    full, pairs, scale_mw = whole(seed)
    ways, upper = ways_of(full, pairs), full.upper.copy()
    upper[ways.first] = upper[ways.second] = np.inf
    unlimited = replace(full, upper=upper)
    found = branches(unlimited, pairs, scale_mw).run(0.0)
    assert found is not None
    exact = Solver(unlimited, OPTIONS, scale_mw=scale_mw).solve()
    assert found.objective == pytest.approx(exact.objective, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("seed", SEEDS)
def test_branches_and_ramp_cuts_change_no_optimum(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way_branches, "MOST_NODES", 10_000)
    full, pairs, scale_mw = whole(seed)
    exact = Solver(without_cuts(seed, monkeypatch), OPTIONS, scale_mw=scale_mw).solve().objective
    cut = Solver(full, OPTIONS, scale_mw=scale_mw).solve().objective
    found = branches(full, pairs, scale_mw).run(1e-7)
    assert cut == pytest.approx(exact, rel=1e-7, abs=1e-6)
    assert found is not None
    assert found.objective == pytest.approx(exact, rel=1e-7, abs=1e-6)
    assert found.bound <= found.objective
    assert full.holds(found.x, 1e-6)
    report = bo.optimize(scenario(seed)).report
    assert report is not None
    assert report.objective == pytest.approx(-exact, rel=1e-6, abs=1e-4)


def relaxed(program: Program) -> float:
    """The least cost where each way is a share."""
    return Solver(replace(program, integer=np.zeros_like(program.integer))).solve().objective


def test_ramps_say_more_of_each_way_than_the_program_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the test above proves nothing about the cuts."""

    cut = [relaxed(whole(seed)[0]) for seed in SEEDS]
    for left_out in ("RAMP_CUTS", "LONGER_RAMP_CUTS"):
        loose = [relaxed(without_cuts(seed, monkeypatch, (left_out,))) for seed in SEEDS]
        closer = np.array(cut) - loose
        assert closer.min() >= -1e-6
        assert sum(closer > 0.1) >= 4, left_out


def test_ramps_say_no_less_beside_pv_that_is_curtailed() -> None:
    """Where every price is below zero no plan uses PV: the relaxation then is worth what it is without."""
    prices = np.random.default_rng(0).uniform(-60.0, -5.0, STEPS).round(1)
    index = pd.date_range("2025-05-01", periods=STEPS, freq="h", tz="UTC")
    values = []
    for solar in (0.0, 0.8):
        made = bo.Scenario(
            battery={"power_mw": 1.0, "duration_h": 2.0, "soc_end": "free"},
            series=pd.DataFrame({"price_per_mwh": prices, "solar_mw": solar}, index=index),
            site={"export_limit_mw": 3.0, "import_limit_mw": 3.0, "curtailment": True},
            connection=[{"name": "ramp", "ramp_mw_per_min": 0.0075}],
            strategy="arbitrage",
        )
        values.append(relaxed(whole_of(made)[0]))
    assert values[1] == pytest.approx(values[0], rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_every_plan_that_runs_one_way_keeps_the_ramp_cuts(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Best plans for drawn prices of every flow, found without the cuts: corners of all that may be planned."""
    full, bare = whole(seed)[0], without_cuts(seed, monkeypatch)
    rng = np.random.default_rng(seed)
    for _ in range(2):
        cost = np.zeros(full.columns)
        for name in ("charge_mw", "discharge_mw", "import_mw", "export_mw"):
            cost[full.variables[name].slice] = rng.normal(0.0, 1.0, STEPS)
        assert full.holds(Solver(replace(bare, cost=cost), OPTIONS).solve().x, 1e-6)


def test_a_plan_stands_in_each_segment_held_to_its_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known beyond a segment's ends are flows, not ways: cuts that cross an end are no rows of it."""
    for seed in range(3):
        full, _pairs, scale_mw = whole(seed)
        bare = without_cuts(seed, monkeypatch)
        x = Solver(bare, OPTIONS, scale_mw=scale_mw).solve().x
        flows = x[: min(full.variables[name].first for name in ("charging", "importing"))]
        for first in range(2, STEPS - 4):
            small = Cutter(full, STEPS).cut(Segment(first, first + 3), flows, np.zeros(full.rows))
            assert small.held.holds(x[small.origin], 1e-6), (seed, first)


def test_a_plan_to_begin_with_stays_where_none_is_better() -> None:
    full, pairs, scale_mw = whole(0)
    best = branches(full, pairs, scale_mw).run(0.0)
    assert best is not None
    again = branches(full, pairs, scale_mw).run(1e-6, best.x)
    assert again is not None
    assert again.x is best.x
    assert best.objective - 1e-6 <= again.bound <= best.objective


def test_what_takes_too_many_branches_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way_branches, "MOST_NODES", 2)
    full, pairs, scale_mw = whole(0)
    assert branches(full, pairs, scale_mw).run(0.0) is None
    monkeypatch.undo()
    exact = bo.optimize(scenario(0)).report
    monkeypatch.setattr(way_branches, "MOST_NODES", 2)
    hard, prepared = list[bool](), Solver.expect_little

    def told(solver: Solver, **words: bool) -> None:
        hard.append(words.get("hard", False))
        prepared(solver, **words)

    monkeypatch.setattr(Solver, "expect_little", told)
    report = bo.optimize(scenario(0)).report
    assert any(hard)  # who is asked then may cut in its tree
    assert report is not None
    assert exact is not None
    assert report.objective == pytest.approx(exact.objective, rel=1e-6, abs=1e-4)


def test_no_plan_is_said() -> None:
    full, pairs, scale_mw = whole(0)
    full.lower[full.variables["import_mw"].first] = full.lower[full.variables["export_mw"].first] = 0.5
    with pytest.raises(InfeasibleProgramError, match="no schedule meets all limits"):
        branches(full, pairs, scale_mw).run(0.0)


@pytest.mark.parametrize("nodes", [1, 3, 9])
def test_after_so_many_branches_the_plan_so_far_stands_with_what_is_proven(nodes: int) -> None:
    full, pairs, scale_mw = whole(0)
    exact = Solver(full, OPTIONS, scale_mw=scale_mw).solve()
    dear = replace(full, cost=np.zeros_like(full.cost))
    begin = Solver(dear, OPTIONS, scale_mw=scale_mw).solve().x
    found = branches(full, pairs, scale_mw).run(0.0, begin, nodes)
    assert found is not None
    assert found.limited
    assert found.bound <= exact.objective + 1e-6 <= found.objective + 2e-6
    assert full.holds(found.x, 1e-6)
