"""A long program with wear by depth is solved in parts: the same optimum as in one piece, whatever the scenario."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.models.assemble import model_of
from bess_opt.solver import worn_chain
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program
from bess_opt.solver.worn_chain import Asked, ChainedSolver, PartSolver
from bess_opt.strategies.shared.activation import prepare

STEPS = 240
_parts_of: dict[int, int] = {}


def _site(seed: int) -> bo.Scenario:
    rng = np.random.default_rng(seed)
    hour = np.arange(STEPS)
    price = 50.0 + 40.0 * np.sin(2.0 * np.pi * hour / 24.0 + rng.uniform(0.0, 6.0)) + rng.normal(0.0, 15.0, STEPS)
    price[rng.random(STEPS) < 0.05] = rng.choice([-40.0, -5.0, 0.0])
    columns = {"price_per_mwh": np.round(price, 1 if seed % 2 else 6)}
    if seed % 3 == 0:
        columns |= {"load_mw": rng.uniform(0.0, 0.6, STEPS), "solar_mw": np.maximum(0.0, np.sin(hour / 4.0))}
    segments = int(rng.integers(2, 9))
    depth = [*np.sort(rng.uniform(0.05, 0.95, segments - 1)).tolist(), 1.0]
    price_by_depth = np.cumsum(rng.uniform(0.0, 6.0, segments))
    price_by_depth[0] *= seed % 4 != 1  # free at first: negative prices would charge and discharge at once
    return bo.Scenario(
        battery={
            "power_mw": 1.0,
            "duration_h": float(rng.uniform(1.0, 4.0)),
            "soc_start": [0.0, 0.4][seed % 2],
            "soc_end": ["free", "at_least_start", "equal"][seed % 3],
            "technology": {
                "eta_charge": 0.95,
                "eta_discharge": 0.93,
                "soc_min": [0.0, 0.1][seed % 2],  # segments begin where the window does
                "soc_max": 1.0,
                "c_rate_max": 2.0,
            },
            "wear": {"depth": depth, "cost_per_mwh": price_by_depth.tolist()},
        },
        site={"import_limit_mw": 1.2, "export_limit_mw": 0.9},
        series=pd.DataFrame(columns, index=pd.date_range("2025-03-20", periods=STEPS, freq="1h", tz="Europe/Berlin")),
        strategy="arbitrage",
    )


@pytest.mark.parametrize("seed", range(12))
def test_parts_give_the_optimum_of_the_whole(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = _site(seed)
    whole = bo.optimize(scenario)
    monkeypatch.setattr(worn_chain, "SHORTEST", 100)
    monkeypatch.setattr(worn_chain, "PART_STEPS", 20)
    taken_whole, parts_solved = [], []
    joined = ChainedSolver._joined
    monkeypatch.setattr(
        ChainedSolver,
        "_joined",
        lambda self, *asked, **how: (parts_solved.append(len(self._parts)), joined(self, *asked, **how))[1],
    )
    monkeypatch.setattr(ChainedSolver, "_take_whole", lambda self: taken_whole.append(1))
    parts = bo.optimize(scenario)
    assert not taken_whole
    assert min(parts_solved) >= 1
    assert len(parts_solved) >= 2
    _parts_of[seed] = max(parts_solved)
    assert parts.report.objective == pytest.approx(whole.report.objective, rel=1e-9, abs=1e-9)
    assert parts.report.gap <= 1e-9
    assert parts.report.certificate.gap < 1e-9
    (row,) = parts.report.certificate.wear
    assert row.claimed
    assert abs(row.difference) < 1e-9 * max(1.0, row.modelled)
    flows = ["charge_mw", "discharge_mw"]
    assert np.minimum(parts.schedule["charge_mw"], parts.schedule["discharge_mw"]).max() < 1e-9
    pd.testing.assert_frame_equal(parts.schedule[flows], whole.schedule[flows], atol=1e-6)


def test_most_scenarios_were_cut() -> None:
    if len(_parts_of) == 12:
        assert sum(parts > 2 for parts in _parts_of.values()) >= 8, _parts_of


@pytest.mark.parametrize("cap", [{"count": 3.0, "per": "horizon"}, {"count": 0.8, "per": "day"}])
def test_caps_beside_wear(cap: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = _site(5).replace(battery={"max_cycles": cap})
    whole = bo.optimize(scenario)
    monkeypatch.setattr(worn_chain, "SHORTEST", 100)
    asked = []
    monkeypatch.setattr(ChainedSolver, "_begin", lambda self: asked.append(1))
    parts = bo.optimize(scenario)
    assert not asked  # what ties days or the year together leaves few ends
    assert parts.report.objective == pytest.approx(whole.report.objective, rel=1e-9)


def test_a_proof_that_does_not_close_is_left_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = _site(1)
    whole = bo.optimize(scenario)
    monkeypatch.setattr(worn_chain, "SHORTEST", 100)
    monkeypatch.setattr(worn_chain, "PROVEN", -1.0)
    loaded = []
    load = Solver._load
    monkeypatch.setattr(Solver, "_load", lambda self: (loaded.append(self.program.columns), load(self))[1])
    plan = bo.optimize(scenario)
    assert max(loaded) >= plan.report.columns
    assert plan.report.objective == pytest.approx(whole.report.objective, rel=1e-9)


def test_a_limit_that_nothing_meets_is_named_as_by_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = _site(3).replace(site={"import_limit_mw": 0.0})
    monkeypatch.setattr(worn_chain, "SHORTEST", 100)
    with pytest.raises(bo.InfeasibleError) as parts:
        bo.optimize(scenario)
    monkeypatch.setattr(worn_chain, "SHORTEST", 10_000)
    with pytest.raises(bo.InfeasibleError) as whole:
        bo.optimize(scenario)
    assert str(parts.value) == str(whole.value)


def test_a_solution_answers_for_other_numbers_only_where_it_is_their_optimum() -> None:
    """Costs and bounds drawn around those of the last solve: what is taken over costs what a fresh solve finds."""
    program, rng = _program(4), np.random.default_rng(4)
    solver = PartSolver(program)
    best = solver.solve()
    taken = 0
    for spread in np.repeat([0.0, 1e-4, 1e-2, 0.3], 5):
        cost = program.cost * (1.0 + spread * rng.uniform(-1.0, 1.0, program.columns))
        closed = rng.random(program.columns) < 0.3 * (spread > 0.0)
        lower, upper = np.where(closed, best.x, program.lower), np.where(closed, best.x, program.upper)
        asked = Asked(cost, (lower, upper, program.row_lower, program.row_upper))
        found = solver.settled(best, asked, 1.0)
        fresh = Solver(replace(program, cost=cost, offset=0.0, lower=lower, upper=upper)).solve()
        if found is None:
            assert fresh.objective < float(cost @ best.x) + 1e-6
            continue
        taken += 1
        assert found.objective == pytest.approx(fresh.objective, rel=1e-9)
        assert found.column_dual == pytest.approx(cost - program.priced(found.row_dual), abs=1e-9)
    assert 5 <= taken < 20
    tighter = program.upper.copy()
    used = int(np.argmax(best.x - program.lower))
    tighter[used] = (best.x[used] + program.lower[used]) / 2.0
    sides = (program.lower, tighter, program.row_lower, program.row_upper)
    assert solver.settled(best, Asked(program.cost, sides), 1.0) is None


def test_only_the_first_solve_of_a_part_perturbs_costs() -> None:
    solver = PartSolver(_program(0))
    solver.expect_few_steps()

    def perturbs() -> float:
        return float(solver._highs.getOptionValue("dual_simplex_cost_perturbation_multiplier")[1])

    assert perturbs() == 1.0
    solver.solve()
    assert perturbs() == 0.0


def _program(seed: int) -> Program:
    made = prepare(_site(seed))
    return expand(model_of(made.plant, made.strategy)[0])
