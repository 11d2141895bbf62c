"""Guards of sizing, control and studies that ordinary use does not meet, each with its message."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import BrokenExecutor, Executor, Future
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.common.progress import UNTOLD
from bess_opt.dispatch.batch.workers import Here, Workers
from bess_opt.dispatch.forecast_driven.numbers_by_age import numbers_by_age
from bess_opt.investment.lifetime.cash_flow import Weights
from bess_opt.investment.sizing import region as sizing_region
from bess_opt.investment.sizing.faces import NotConcaveError
from bess_opt.investment.sizing.objectives import goal_of
from bess_opt.investment.sizing.planes import Plane, Planes, SolvedSize, require_within
from bess_opt.investment.sizing.proof import _Search
from bess_opt.investment.sizing.region import Region, region_of
from bess_opt.investment.sizing.sized_program import SizedProgram

MERCHANT = case(price_per_mwh=[10.0, 60.0, 20.0, 90.0] * 6, battery={"soc_end": "equal"})
WEIGHTS = Weights(1.0, 0.0, 0.0, 0.0, 1.0)
PLANE = Plane(7.0, 1.0, 1.0)  # 10 at 1 MW and 2 MWh, one more for each more of both


def sizes(**steps: Any) -> Region:
    nothing = dict.fromkeys(("power_step_mw", "energy_step_mwh", "module", "budget", "energy_min_mwh"))
    return region_of((0.5, 2.0), (1.0, 4.0), None, **(nothing | steps))


def search() -> _Search:
    scenario = MERCHANT.scenario()
    return _Search(scenario, sizes(), goal_of(scenario, "score", "optimal"), 1e-3, UNTOLD)


def test_beliefs_of_no_age() -> None:
    with pytest.raises(ValueError, match=r"^at least one age is needed$"):
        numbers_by_age([])


@pytest.mark.parametrize("wanted", [math.nan, math.inf, -math.inf, "a", None, {}])
def test_a_rule_that_returns_no_number(wanted: Any) -> None:
    """The message names the step and what would be right."""
    message = rf"rule: at 2025-06-02 00:00 it returned {wanted}; return a finite battery power in MW, \+ discharges"
    with pytest.raises(bo.StrategyError, match=message):
        bo.simulate(MERCHANT.scenario(), rule=lambda state: wanted)


def test_a_bound_that_the_solver_does_not_find(monkeypatch: pytest.MonkeyPatch) -> None:
    planes = Planes(sizes())
    planes.add([PLANE])
    answer = SimpleNamespace(x=None, status=4, message="numbers too large")
    monkeypatch.setattr("bess_opt.investment.sizing.planes.linprog", lambda *args, **kwargs: answer)
    with pytest.raises(bo.SolveError, match=r"^the bound over the sizes could not be found: numbers too large$"):
        planes.best(WEIGHTS, stepped=False)


def test_steps_on_which_no_size_lies() -> None:
    """A step of 7 MWh in a range that ends at 6: what `region` refuses is refused below it too."""
    planes = Planes(dataclasses.replace(sizes(), power_mw=(1.0, 1.5), energy_step_mwh=7.0))
    planes.add([PLANE])
    with pytest.raises(bo.SolveError, match=r"^no size lies on the steps$"):
        planes.best(WEIGHTS, stepped=True)


def test_a_strategy_that_chooses_has_no_proof() -> None:
    """Whole numbers of a strategy's own make the value no concave function of the size."""
    strategy = {"name": "firm_delivery", "window": ["18:00", "20:00"], "share_of_days": 0.5, "period": "month"}
    scenario = case(solar_mw=[1.0] * 48, battery={"soc_end": "equal"}, strategy=strategy).scenario()
    with pytest.raises(NotConcaveError, match=r"^the strategy makes yes-or-no choices$"):
        SizedProgram(scenario, 1.0, 2.0, cash=False)


def test_a_coefficient_that_depends_on_the_size() -> None:
    """A matrix that changes from size to size is seen, not solved as if it did not."""
    program = SizedProgram(MERCHANT.scenario(), 1.0, 2.0)
    program._base = dataclasses.replace(program._base, value=2.0 * program._base.value)
    with pytest.raises(NotConcaveError, match=r"^a coefficient of the program depends on the size$"):
        program.solved(1.5, 3.0)


def test_a_search_that_has_solved_nothing() -> None:
    with pytest.raises(NotConcaveError, match=r"^no size was solved$"):
        search().plan_best()


def test_a_value_beyond_its_bound_is_an_error() -> None:
    """A proof that contradicts itself is never shown, whichever size does it."""
    require_within(10.0, 10.0, 1.0, 1e-6, 1.0, 2.0)
    with pytest.raises(bo.AuditError, match=r"1 MW, 2 MWh is worth 11, beyond the bound 10$"):
        require_within(10.0, 11.0, 1.0, 1e-6, 1.0, 2.0)
    with pytest.raises(bo.AuditError, match="the proof of the sizing contradicts itself"):
        require_within(10.0, 9.0, -1.0, 1e-6, 1.0, 2.0)


def test_a_limit_that_is_not_concave_in_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A battery whose power doubles beyond 2 MW: what was learnt at 1 MW does not bound it, and is not used."""
    made = SizedProgram._built

    def bent(self: SizedProgram, size: tuple[float, float]) -> Any:
        program = made(self, size)
        if size[0] > 2.0:
            block = program.variables["discharge_mw"].slice
            program.upper[block] *= 2.0
        return program

    monkeypatch.setattr(SizedProgram, "_built", bent)
    program = SizedProgram(MERCHANT.scenario(), 1.0, 20.0)
    program.solved(1.0, 20.0)
    with pytest.raises(NotConcaveError, match=r"^a limit of the program is not concave in the size$"):
        program.solved(3.0, 20.0)


def test_a_limit_that_bends_with_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Power with the square of the size: no step is so small that it changes alike on both sides."""
    made = SizedProgram._built

    def curved(self: SizedProgram, size: tuple[float, float]) -> Any:
        program = made(self, size)
        program.upper[program.variables["discharge_mw"].slice] = size[0] ** 2
        return program

    monkeypatch.setattr(SizedProgram, "_built", curved)
    with pytest.raises(NotConcaveError, match=r"^a limit of the program bends with the size$"):
        SizedProgram(MERCHANT.scenario(), 1.0, 20.0).solved(1.0, 20.0)


def test_a_score_that_is_not_what_was_maximised(monkeypatch: pytest.MonkeyPatch) -> None:
    """An objective of 1 more than the score: the planes are not those of the score."""
    looked = search()
    looked._best = SolvedSize(1.0, 2.0, 10.0, (PLANE,))
    looked._solved = [looked._best]
    plan = MERCHANT.optimize()
    assert plan.report is not None
    other = dataclasses.replace(plan, report=dataclasses.replace(plan.report, objective=plan.report.objective + 1.0))
    monkeypatch.setattr("bess_opt.investment.sizing.exact.plans.planned", lambda scenario, twin: other)
    with pytest.raises(NotConcaveError, match=r"^the strategy's score is not all that its dispatch maximises$"):
        looked.plan_best()


def test_more_steps_than_can_be_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Energies one by one, and powers times energies in a grid: both say what to change."""
    monkeypatch.setattr(sizing_region, "MOST_SIZES", 50)
    with pytest.raises(
        bo.ScenarioError, match=r"energy_step_mwh: \d+ energies lie in the range; give a step with at most 50"
    ):
        sizes(energy_step_mwh=0.01).energies()
    message = "energy_step_mwh: more than 50 sizes lie on these steps; give larger steps or narrower ranges"
    with pytest.raises(bo.ScenarioError, match=message):
        sizes(power_step_mw=0.1, energy_step_mwh=0.1).grid()


class Dead(Executor):
    """Its workers die at the start."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(BrokenExecutor("gone"))
        return future


def test_workers_that_die_at_the_start() -> None:
    """A pool of ours that cannot start is the script's fault, not a scenario's; another's is not looked at."""
    message = r"workers: they die at the start; a script needs its calls under if __name__ == '__main__': .*workers=1"
    with pytest.raises(bo.BessOptError, match=message):
        Workers(Dead(), 1, Here).check()
    Workers(Dead(), 1, None).check()


def test_a_line_of_several_sizes_is_bounded_by_its_planes() -> None:
    """The planes of the guards above are real ones: value 10 at (1, 2), one more per MW and MWh."""
    planes = Planes(sizes())
    planes.add([PLANE])
    assert planes.bound_at(WEIGHTS, np.array(1.0), np.array(2.0)) == pytest.approx(10.0)
    best = planes.best(WEIGHTS, stepped=False)
    assert (best.power_mw, best.energy_mwh, best.bound) == pytest.approx((2.0, 8.0, 17.0))
