"""A dispatch program whose sizes change: built once, solved again for every size from the same basis.

The scenario's own code makes the numbers of each size; what differs from the base goes into the same solver
object, and every size starts from the base's basis, so that its answer does not depend on what was solved
before. Matrix and costs stay as they are and only bounds and sides move with the size.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

import numpy as np

from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.faces import SIDES, NotConcaveError
from bess_opt.models.assemble import model_of
from bess_opt.models.ledger import Objective, cash_terms, same_terms, shadow_lines
from bess_opt.models.one_way import add_one_way_cuts, pairs_of, put_in_proportion
from bess_opt.plant.from_scenario import plant_of, ratings_of
from bess_opt.plant.plant import Plant
from bess_opt.solver.change import Change, Duals
from bess_opt.solver.expand import expand, term_costs
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program
from bess_opt.solver.solution import InfeasibleProgramError, Solution, basis_at
from bess_opt.solver.warm_start import start_near_optimum
from bess_opt.strategies.shared.activation import prepare

SizeT = TypeVar("SizeT")
LimitsT = TypeVar("LimitsT", bound=Program | Change)
Short = Callable[[Program | Change], float]  # by how much limits contradict each other; linear in them


def needs_one_way_cuts(scenario: Scenario) -> bool:
    """Whether a relaxed plan may waste energy by running in and out at once, so that the one-way cuts pay."""
    plant = plant_of(scenario)
    return bool((plant.import_price < 0.0).any() or (plant.export_price < 0.0).any())


class WarmProgram(Generic[SizeT]):
    """The program of a scenario at any size that `scenario_at` makes one of."""

    def __init__(
        self,
        scenario_at: Callable[[SizeT], Scenario],
        first: SizeT,
        *,
        cash: bool = True,
        tight: bool = False,
        basis: bytes | None = None,
        plant_at: Callable[[Scenario], Plant] = plant_of,
    ) -> None:
        """Build and solve at a first size. NotConcaveError where the proof does not hold; `cash`: it is about money.

        `tight` adds the one-way cuts: a bound closer to exact plans, at the price of a larger program. With the
        `basis` that another program of the same scenario and first size has `stored`, nothing is solved here.
        `plant_at` makes the plant of a size's scenario.
        A first size that meets no limits leaves `stored` empty; the next that does takes its place.
        Raises what `optimize` raises.
        """
        self._scenario_at, self._plant_at, self.tight = scenario_at, plant_at, tight
        m, objectives, plant = self._model_at(first)
        self._base = self._expanded(m)
        if self._base.integer.any():
            raise NotConcaveError("the strategy makes yes-or-no choices")
        if cash:
            _require_cash(m, objectives[0], self._base)
        self._scale_mw, self._pairs = plant.scale_mw, pairs_of(plant)
        self._solver = Solver(self._base, scenario_at(first).solver, scale_mw=plant.scale_mw)
        self.calls, self.cold_s, self.seconds = 0, 0.0, 0.0
        self._first: tuple[SizeT, Solution] | None = None
        self.stored, self._basis = b"", None  # the basis of the first size, which every other size starts from
        if basis:
            self._start_from(basis)
            return
        with contextlib.suppress(InfeasibleProgramError):
            self._first = first, self._solve_cold()

    def _solve_cold(self) -> Solution:
        """Solve what the solver holds from nothing; its basis is every other size's start."""
        began = time.perf_counter()
        self.calls += 1
        try:
            start_near_optimum(self._solver, self._scale_mw)
            first = self._solver.solve()
        finally:
            self.cold_s += time.perf_counter() - began
        self.seconds += self.cold_s
        self._start_from(np.concatenate(self._solver.statuses(first.x)).astype(np.int8).tobytes())
        return first

    def _start_from(self, basis: bytes) -> None:
        self.stored = basis
        self._basis = basis_at(*np.split(np.frombuffer(basis, dtype=np.int8), [self._base.columns]))
        self._solver.expect_few_steps()

    def _model_at(self, size: SizeT) -> tuple[Any, Sequence[Objective], Plant]:
        """(model, objectives, plant) of a size."""
        scenario = self._scenario_at(size)
        plant, active = prepare(scenario, self._plant_at(scenario))
        plant = replace(plant, offers=tuple(offer.of_any_bid for offer in plant.offers))
        m, objectives = model_of(plant, active)
        ratings = [ratings_of(battery) for battery in scenario.batteries]
        put_in_proportion(m, plant, ratings)
        if self.tight:
            add_one_way_cuts(m, plant, ratings)
        return m, objectives, plant

    def _built(self, size: SizeT) -> Program:
        """The program of a size."""
        return self._expanded(self._model_at(size)[0])

    def _expanded(self, m: Any) -> Program:
        """The program of a model."""
        return expand(m)

    def _solution(self, size: SizeT, closed: Sequence[int] = ()) -> tuple[Program, Solution]:
        """The program of a size and its solution, the columns `closed` being held at zero in it."""
        if self._first is not None and self._first[0] == size and not closed:
            return self._base, self._first[1]
        program = self._take_over(size, closed)
        self._solver.forget()
        if self._basis is None:
            return program, self._solve_cold()
        self._solver.set_basis(self._basis)
        self.calls += 1
        solution = self._solver.solve()
        self.seconds += solution.seconds
        return program, solution

    def _take_over(self, size: SizeT, closed: Sequence[int] = ()) -> Program:
        """The program of a size, its bounds and sides now the solver's; the columns `closed` are zero there."""
        program = self._built(size)
        base = self._base
        same = program.value.shape == base.value.shape and np.array_equal(program.value, base.value)
        if not (same and np.array_equal(program.cost, base.cost) and program.rows == base.rows):
            raise NotConcaveError("a coefficient of the program depends on the size")
        self._solver.set_changed(held_at_zero(program, closed))
        return program

    def _short_of(self, program: Program, closed: Sequence[int] = ()) -> Short:
        """By how much the limits of a program without a plan, the one last solved, fall short; linear in them.

        NotConcaveError where there is no proof (Farkas) of it.
        """
        crossing = _crossing(held_at_zero(program, closed))
        if crossing is not None:
            return lambda limits: crossing(held_at_zero(limits, closed))
        proof = self._solver.conflict()
        if proof is None:
            raise NotConcaveError("some sizes of the range meet no limits, and the solver does not say why")
        return lambda limits: proof.short(*(getattr(held_at_zero(limits, closed), name) for name in SIDES))


def held_at_zero(limits: LimitsT, closed: Sequence[int]) -> LimitsT:
    """`limits` in which the flows of the columns `closed` are zero whatever the size."""
    if not closed:
        return limits
    upper = limits.upper.copy()
    upper[list(closed)] = 0.0
    return replace(limits, upper=upper)


def duals_of(program: Program, solution: Solution, closed: Sequence[int] = ()) -> Duals:
    """The prices of a solved program, of what is maximised; the columns `closed` were held at zero."""
    held = np.zeros(program.columns, dtype=bool)
    held[list(closed)] = True
    return Duals(solution.x, -solution.row_dual, -solution.column_dual, held)


def _require_cash(m: Any, objective: Objective, base: Program) -> None:
    """The objective is the cash of the ledger and nothing else."""
    ledger = cash_terms(m)
    if same_terms(objective, ledger):
        return
    cash = term_costs(m, ledger, base) if ledger else np.zeros(base.columns)
    if not np.array_equal(term_costs(m, objective, base), cash):
        other = shadow_lines(m)
        why = f"dispatch also minds {', '.join(other)}, which is no cash" if other else "dispatch is not after cash"
        raise NotConcaveError(why)


def _crossing(program: Program) -> Short | None:
    """By how much a lower limit lies above its upper one, for the pair that crosses most; None where none does."""
    for lower, upper in ((SIDES[0], SIDES[1]), (SIDES[2], SIDES[3])):
        over = getattr(program, lower) - getattr(program, upper)
        if len(over) and over.max() > 0.0:
            place = int(over.argmax())

            def short(limits: Program | Change, low: str = lower, high: str = upper, at: int = place) -> float:
                return float(getattr(limits, low)[at] - getattr(limits, high)[at])

            return short
    return None
