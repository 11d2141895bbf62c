"""Bids of many blocks found segment by segment: the same optimum as of the whole program, with a proof."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.dispatch.optimum import solve_scenario
from bess_opt.dispatch.optimum.bring_back import prepare
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.models.assemble import model_of
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program
from bess_opt.solver.search import choice_search
from bess_opt.solver.search.choice_search import ChoiceSearch, places_with_choices
from bess_opt.solver.search.rounding import rounded
from bess_opt.solver.solution import LimitReachedError


def scenario_of(days: int, seed: int = 4, solver: Any = None, battery: Any = None, **keys: Any) -> bo.Scenario:
    """`days` of hours in Berlin over a change of the clock, with three products in blocks of four hours."""
    index = pd.date_range("2025-03-29", periods=24 * days - 1, freq="h", tz="Europe/Berlin", name="time")
    draws, hour, block = np.random.default_rng(seed), index.hour.to_numpy(), np.arange(len(index)) // 4
    prices = {
        f"{name}_price_per_mw": draws.gamma(2.0, scale, block.max() + 1)[block] for name, scale in SCALES.items()
    }
    energy = 70.0 + 35.0 * np.sin((hour - 8) / 24 * 4 * np.pi) + draws.normal(0.0, 12.0, len(index))
    products = [
        {"name": name, "direction": way, "block_h": 4.0, "headroom_h": hours, "min_bid_mw": 2.0} | keys
        for name, way, hours in (("a", "symmetric", 0.25), ("b", "up", 1.0), ("c", "down", 1.0))
    ]
    return bo.Scenario(
        battery={"power_mw": 10.0, "duration_h": 2.0} | (battery or {}),
        series=pd.DataFrame({"price_per_mwh": energy} | prices, index=index),
        product=products,
        strategy="arbitrage",
        solver=solver,
    )


@pytest.fixture(autouse=True)
def _short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two days are enough to be cut."""
    monkeypatch.setattr(choice_search, "FEW_CHOICES", 20)
    monkeypatch.setattr(choice_search, "FIRST_CHOICES", 9)


SCALES = {"a": 4.5, "b": 3.5, "c": 3.0}


def search_of(scenario: bo.Scenario) -> tuple[ChoiceSearch, Program]:
    plant, active = prepare(scenario)
    program = expand(model_of(plant, active)[0])
    return ChoiceSearch(program, plant.steps, scenario.solver, plant.scale_mw), program


@pytest.mark.parametrize("battery", [{}, pytest.param({"max_cycles_per_day": 1.0}, marks=pytest.mark.second_tier)])
def test_segments_find_the_optimum_of_the_whole(battery: Any) -> None:
    """Objective and bound both agree with the one mixed-integer program over both days."""
    scenario = scenario_of(2, battery=battery)
    search, program = search_of(scenario)
    assert search.separates
    found = search.run()
    whole = Solver(program, SolverOptions(rel_gap=1e-7), scale_mw=10.0).solve()
    size = abs(whole.objective)
    assert found.objective == pytest.approx(whole.objective, rel=2e-6)
    assert found.bound <= whole.objective + 1e-6 * size
    assert found.objective - found.bound <= 2e-6 * size
    assert not found.limited
    assert set(np.round(found.x[program.integer], 9)) <= {0.0, 1.0}


def test_a_stated_gap_ends_the_search_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first plan is within 2 % of the relaxation: no segment is solved; a millionth asks for segments."""
    rounds: list[int] = []
    bounded = ChoiceSearch._bounded

    def counted(self: ChoiceSearch, segments: Any, *rest: Any) -> Any:
        rounds.append(len(segments))
        return bounded(self, segments, *rest)

    monkeypatch.setattr(ChoiceSearch, "_bounded", counted)
    loose = bo.optimize(scenario_of(2, solver={"rel_gap": 0.02}))
    assert loose.report is not None
    assert loose.report.gap <= 0.02
    assert rounds == []
    assert loose.report.objective <= loose.report.bound
    exact = bo.optimize(scenario_of(2))
    assert rounds
    assert rounds[0] > 1
    assert exact.report is not None
    assert exact.report.gap <= 1e-6


@pytest.mark.second_tier
def test_bids_in_whole_steps_and_groups() -> None:
    """Steps of 5 MW, one product at a time: what is held is a bid, and the gap that was asked for is proven."""
    scenario = scenario_of(2, solver={"rel_gap": 3e-2}, step_mw=5.0, exclusive_group="one")
    plan = bo.optimize(scenario)
    held = plan.schedule[["a_mw", "b_mw", "c_mw"]].to_numpy()
    assert set(np.round(held, 6).ravel()) <= {0.0, 5.0, 10.0}
    assert held.any()
    assert ((held > 1e-6).sum(axis=1) <= 1).all()
    assert plan.report is not None
    assert plan.report.gap <= 3e-2


def test_few_choices_and_one_block_are_solved_whole() -> None:
    """A day has too few choices; a program whose blocks reach over all of it has no end inside."""
    assert not search_of(scenario_of(1))[0].separates
    weekly = scenario_of(2).replace(product=[{"name": name, "block_h": 168.0, "min_bid_mw": 2.0} for name in SCALES])
    assert not search_of(weekly)[0].separates


def test_places_of_choices_are_those_of_their_blocks() -> None:
    """An integer column stands where the first step of its block does."""
    _, program = search_of(scenario_of(2))
    place, block = places_with_choices(program), program.variables["product_a_on"]
    assert place[block.slice][5:8].tolist() == [41, 49, 55]  # the first block of the day of 23 hours has three
    assert (place[program.integer] >= 0).all()


def test_time_that_ends_leaves_the_plan_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of time in the segments: the rounded plan with the relaxation's bound; before any plan, an error."""
    search, _ = search_of(scenario_of(2))

    def ended(*_: object) -> float:
        raise LimitReachedError("over")

    monkeypatch.setattr(ChoiceSearch, "_bounded", ended)
    found = search.run()
    assert found.limited
    assert found.bound < found.objective < 0.0
    monkeypatch.setattr(ChoiceSearch, "_take", ended)
    with pytest.raises(LimitReachedError, match=r"before any plan; raise solver.time_limit_s"):
        search.run()


def test_choices_that_do_not_fit_together_leave_none_held() -> None:
    """Where choices contradict each other the next ones are taken."""
    search, program = search_of(scenario_of(2))
    state = choice_search._State(None, np.inf, -np.inf)
    search._take(state, np.full(program.columns, 5.0), program.lower)
    assert state.x is not None
    assert not state.x[program.integer].any()
    assert state.gap > 0.0


def in_small_steps() -> bo.Scenario:
    """23 hours, regulation up and down in steps of a hundredth of the power, least bids of a tenth."""
    index = pd.date_range("2025-01-01", periods=23, freq="h", tz="America/Los_Angeles", name="time")
    hour = np.arange(23)
    frame = pd.DataFrame({"price_per_mwh": 30.0 + 5.0 * (hour % 9)}, index=index)
    for name in ("up", "down"):
        frame[f"{name}_price_per_mw"] = 10.0 + hour % 7
    rows = [
        {"name": name, "direction": name, "block_h": 1.0, "headroom_h": 1.0, "min_bid_mw": 0.1, "step_mw": 0.01}
        for name in ("up", "down")
    ]
    return bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0},
        series=frame,
        product=rows,
        strategy="arbitrage",
        solver={"time_limit_s": 60.0},
    )


def test_rounding_costs_no_more_than_a_step_of_each_bid() -> None:
    """The first plan is a plan, and the relaxation earns more by less than a step's pay in every block."""
    scenario = in_small_steps()
    search, program = search_of(scenario)
    relaxed = search._linear(program)
    x = rounded(program, relaxed.x, search._linear)
    assert (x[program.integer] % 1.0 == 0.0).all()
    plan = search._linear(program.with_choices_held(x))
    prices = scenario.series[["up_price_per_mw", "down_price_per_mw"]].to_numpy()
    assert 0.0 < plan.objective - relaxed.objective <= 0.01 * prices.sum()


def test_rounding_makes_no_choice_whose_rows_do_not_hold() -> None:
    """Of products that exclude each other not all are held, and no bid is below its least."""
    search, program = search_of(scenario_of(1, exclusive_group="one"))
    x = rounded(program, search._linear(program).x, search._linear)
    held = search._linear(program.with_choices_held(x)).x
    assert set(x[program.integer]) <= {0.0, 1.0}
    assert program.holds(held, 1e-6)


def test_time_that_ends_before_the_ways_are_found_leaves_a_rounded_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every converter goes the way of its balance, bids are whole steps, and the plan says that time ended."""
    solve_linear, calls = solve_scenario._solve_linear, []

    def first_ended(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 1:
            raise LimitReachedError("over")
        return solve_linear(*given)

    monkeypatch.setattr(solve_scenario, "_solve_linear", first_ended)
    monkeypatch.setattr(ChoiceSearch, "_search", lambda *_: None)
    plan = bo.optimize(in_small_steps())
    assert plan.report is not None
    assert len(calls) == 2
    assert plan.report.status == "time_limit"
    assert 0.0 < plan.report.gap < 0.02
    steps = plan.schedule[["up_mw", "down_mw"]].to_numpy() / 0.01
    assert np.abs(steps - np.round(steps)).max() < 1e-6
    assert steps.max() > 70.0
