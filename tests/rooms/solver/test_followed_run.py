"""A run of HiGHS that is followed: told of while it works, ended on a word, and the same as without."""

from __future__ import annotations

import time

import numpy as np
import pytest

from bess_opt.common.progress import Progress, Stretch
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.solver import followed_run
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program


def knapsacks(seed: int, columns: int = 60, rows: int = 40) -> Program:
    """Yes-or-no choices under many limits: minutes of branching, a first plan at once."""
    draws = np.random.default_rng(seed)
    return Program(
        cost=-draws.integers(10, 99, columns).astype(float),
        offset=0.0,
        lower=np.zeros(columns),
        upper=np.ones(columns),
        row_lower=np.full(rows, -np.inf),
        row_upper=draws.integers(300, 900, rows).astype(float),
        start=np.arange(0, columns * rows + 1, columns),
        column=np.tile(np.arange(columns), rows),
        value=draws.integers(5, 60, columns * rows).astype(float),
        integer=np.ones(columns, dtype=bool),
    )


def test_a_long_search_tells_plan_and_bound_and_ends_with_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed_run, "EVERY_S", 0.02)
    events: list[Progress] = []

    def follow(event: Progress) -> None:
        events.append(event)
        if event.best is not None and len(events) > 5:
            raise StopIteration

    solver = Solver(knapsacks(0), SolverOptions())
    told = Stretch(follow)
    solver.follow(told, money=True)
    found = solver.solve()
    assert found.limited
    assert told.cancelled
    assert events[-1].best <= -found.objective <= -found.bound <= events[-1].bound + 1e-6
    assert len([event for event in events if event.best is not None]) >= 1
    assert -found.objective < -found.bound


def test_what_who_follows_raises_is_raised_once_the_run_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed_run, "EVERY_S", 0.02)

    def breaks(event: Progress) -> None:
        raise ZeroDivisionError(event.doing)

    solver = Solver(knapsacks(1), SolverOptions())
    solver.follow(Stretch(breaks))
    began = time.process_time()
    with pytest.raises(ZeroDivisionError):
        solver.solve()
    assert time.process_time() - began < 20.0


def test_followed_to_the_end_it_is_the_same_plan() -> None:
    program = knapsacks(2, columns=14, rows=6)
    alone, followed = Solver(program), Solver(program)
    followed.follow(Stretch(lambda _: None), money=True)
    one, other = alone.solve(), followed.solve()
    assert (one.objective, one.bound) == (other.objective, other.bound)
    assert np.array_equal(one.x, other.x)
