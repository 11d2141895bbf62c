"""A scenario's model solved by value functions: its schedule, the proof of it, and the same as a linear program's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib import metadata
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array, dot, weighed
from bess_opt.models.one_way import Pair
from bess_opt.solver.certificate import LinearCertificate
from bess_opt.solver.engines import EngineFaultError
from bess_opt.solver.expand import expand
from bess_opt.solver.one_way import Exact
from bess_opt.solver.program import Program
from bess_opt.solver.solution import LimitReachedError, Solution
from bess_opt.solver.value_function.in_order import plan_in_order, with_ties_broken
from bess_opt.solver.value_function.modes import Modes, modes_of
from bess_opt.solver.value_function.on_top.peaks import plan_under_peaks
from bess_opt.solver.value_function.on_top.priced import OnTop, RowPrice
from bess_opt.solver.value_function.on_top.row_over_all import plan_under_row
from bess_opt.solver.value_function.prices import earned_by
from bess_opt.solver.value_function.recursion import (
    NOT_BUILT,
    Recursion,
    RecursionFailedError,
    Schedule,
    compiled_part,
    tolerances_of,
)
from bess_opt.solver.value_function.step_program import ENERGY, LEVELS, NotStepwiseError, Objective, StepProgram, read

KEPT = 1e-7  # of the largest flow: a schedule beyond its limits by more is none
PROVEN = 1e-9  # of the turnover: how close the schedule's own money must come to the value of the recursion

OUT_OF_TIME = "the time limit ended the solve before any plan was found; raise solver.time_limit_s"


class NotProvenError(EngineFaultError):
    """The schedule does not earn what the recursion promises."""


def solve_by_value_functions(
    model: Any,
    objectives: Sequence[Objective],
    pairs: Sequence[Pair],
    *,
    time_limit_s: float | None = None,
    beside_from: int = 0,
) -> ValueFunctionPlan:
    """The exact optimum of `model` with `pairs` of flows that exclude each other.

    Variables of no step (peaks) are taken from `beside_from` steps on.
    Raises `NotStepwiseError` with the rows that do not fit, `RecursionFailedError` (its `no_plan` says that the
    scenario has no schedule), `NotProvenError`, `LimitReachedError` where the time does not do.
    """
    began = time.perf_counter()
    if compiled_part() is None:
        raise NotStepwiseError([NOT_BUILT])
    program = read(model, objectives, pairs, rows_over_all=1, beside_from=beside_from)
    left = None if time_limit_s is None else time_limit_s - (time.perf_counter() - began)
    try:
        schedule, ways, on_top = _solved(program, left)
    except RecursionFailedError as error:
        if error.out_of_time:
            raise LimitReachedError(OUT_OF_TIME) from None
        raise
    plan = ValueFunctionPlan(model, program, ways, schedule, time.perf_counter() - began, on_top)
    if program.beside is not None and not (plan.closes and plan.earns_its_value):
        names = ", ".join(program.beside.variables)
        raise NotStepwiseError([f"{names}: belong to no step, and the best plan one way at a time misses its bound"])
    plan.require_proof()
    return plan if plan.closes else plan.with_prices_of_its_modes()


def _solved(program: StepProgram, seconds: float | None) -> tuple[Schedule, Modes, OnTop | None]:
    """(the best plan, the modes that it is of, what stands on top of the steps)."""
    if program.beside is not None:
        if program.over_all is not None:
            row = program.over_all.name
            raise NotStepwiseError([f"{row}: is one row for all steps, beside variables of no step"])
        schedule, peaks, ways = plan_under_peaks(program, program.beside, seconds)
        return schedule, ways, peaks
    ways = modes_of(program)
    if program.over_all is not None:
        schedule, price = plan_under_row(program, program.over_all, ways, seconds)
        return schedule, ways, RowPrice(program.over_all, price)
    began, recursion = time.perf_counter(), Recursion(program, ways)
    with recursion.within(seconds):
        schedule = recursion.schedule()
    if schedule.humps:
        left = None if seconds is None else seconds - (time.perf_counter() - began)
        if program.levels >= LEVELS:
            schedule = plan_in_order(program, ways, float(schedule.value[0]), left)
        else:
            schedule = with_ties_broken(program, ways, schedule, left)
    return schedule, ways, None


def has_plan(model: Any, pairs: Sequence[Pair]) -> bool | None:
    """Whether any schedule of `model` keeps all limits and closes one flow of each pair; None if it does not fit."""
    if compiled_part() is None:
        return None
    try:
        program = read(model, [model.objective_terms], pairs)
        Recursion(program, modes_of(program)).start()
    except NotStepwiseError:
        return None
    except RecursionFailedError as error:
        return False if error.no_plan else None
    return True


@dataclass(frozen=True)
class ValueFunctionPlan:
    """The optimum found by value functions.

    `on_top` is what stands beside the steps, with its prices, if there is anything. `flow` is what a plan needs;
    `program` and `found` say the same as HiGHS would, for explanations, and are made when they are first asked for.
    """

    model: Any
    step_program: StepProgram
    modes: Modes
    schedule: Schedule
    seconds: float
    on_top: OnTop | None = None

    @property
    def engine(self) -> str:
        """Who solved, as `solver.engine` names it."""
        return "value_function"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why another engine had to be asked: none was."""
        return ()

    @property
    def solver(self) -> str:
        """Name and version of what solved."""
        return _version()

    @property
    def limited(self) -> bool:
        """Whether a limit of time ended the search."""
        return False

    @property
    def segments(self) -> int:
        """Parts of the horizon solved with binaries."""
        return 0

    @property
    def rows(self) -> int:
        """Rows of the linear program that says the same."""
        return len(self.step_program.rows) * self.step_program.steps + (self.on_top.rows if self.on_top else 0)

    @property
    def columns(self) -> int:
        """Columns of the linear program that says the same."""
        own = (len(self.step_program.variables) + 1) * self.step_program.steps + 1
        return own + (self.on_top.columns if self.on_top else 0)

    @cached_property
    def objective(self) -> float:
        """What the schedule brings in the first objective, maximised."""
        return self._money[0]

    @property
    def bound(self) -> float:
        """What no schedule can exceed: the value of the recursion, equal to `objective` by `require_proof`."""
        return self.objective

    @property
    def gap(self) -> float:
        """Distance from the bound: none."""
        return 0.0

    @cached_property
    def _money(self) -> tuple[float, float]:
        """(value of the schedule in the first objective, turnover)."""
        program, schedule = self.step_program, self.schedule
        earned, turnover = earned_by(program, schedule.flow, schedule.energy)
        beside, moved = self.on_top.money if self.on_top else (0.0, 0.0)
        return program.offset[0] + beside + earned, abs(program.offset[0]) + moved + turnover

    def require_proof(self) -> None:
        """Raise `NotProvenError` unless the schedule's own flows bring what the recursion bounds."""
        if not self.earns_its_value:
            promised, earned = float(self.schedule.value[0]) + self.step_program.offset[0], self._money[0]
            raise NotProvenError(f"the schedule brings {earned:.12g} where its value function says {promised:.12g}")
        largest = max((float(np.abs(flow).max(initial=0.0)) for flow in self.schedule.flow), default=0.0)
        if not self.certificate().primal_violation <= KEPT * max(1.0, largest):
            raise NotProvenError(f"the schedule leaves its limits by {self.certificate().primal_violation:.3g}")

    @property
    def earns_its_value(self) -> bool:
        """Whether the schedule's own money is the value that bounds every plan."""
        promised = float(self.schedule.value[0]) + self.step_program.offset[0]
        earned, turnover = self._money
        return abs(promised - earned) <= self.rounding(max(turnover, abs(promised)))

    def rounding(self, money: float) -> float:
        """How far two sums of `money` may lie apart; where next to none turns over, what the recursion calls none."""
        _, _, zero = tolerances_of(self.step_program)
        return max(PROVEN * money, self.step_program.steps * float(zero[0]))

    @property
    def closes(self) -> bool:
        """Whether the prices prove the plan among those of its modes."""
        proof = self.certificate()
        return abs(proof.dual - proof.primal) <= self.rounding(max(proof.turnover, abs(proof.primal)))

    def with_prices_of_its_modes(self) -> ValueFunctionPlan:
        """The same plan with prices from a recursion in which every step keeps its mode.

        Where the plan passes through a valley between two humps the slopes there belong to other modes.
        """
        own, held = self.step_program, self.modes.held(self.schedule.mode)
        if self.on_top is not None:
            own = replace(own, cost=[self.on_top.priced(own.cost[0]), *own.cost[1:]])
        try:
            found = Recursion(own, held).along(self.schedule.energy)
        except RecursionFailedError:
            return self  # the value is the proof; its prices stay loose
        return replace(self, schedule=replace(self.schedule, price=found.price, row=found.row))

    def flow(self, name: str) -> Array | None:
        """A variable's values, rounding beyond its bounds taken off; None if the model has no such variable."""
        program = self.step_program
        if name == ENERGY:
            return clipped(self.schedule.energy, program.least, program.most)
        if name not in program.columns:
            return None if self.on_top is None else self.on_top.flow(name)
        j = program.columns.index(name)
        return clipped(self.schedule.flow[j], program.lower[j], program.upper[j])

    @property
    def dearest(self) -> float:
        """Largest cost of a unit of any variable in the first objective, without its sign."""
        program = self.step_program
        worths = [program.energy_worth[0], *program.cost[0]]
        return max(float(np.abs(worth).max(initial=0.0)) for worth in worths)

    @property
    def stored_energy_value(self) -> Array:
        """Worth of one MWh more in the cells at the end of each step, in the first objective."""
        return self.schedule.price

    def certificate(self) -> LinearCertificate:
        """Primal and dual value from the schedule and the row prices, with each step's mode held."""
        return self._certificate

    @cached_property
    def _certificate(self) -> LinearCertificate:
        program, schedule = self.step_program, self.schedule
        primal, turnover = self._money
        dual, violated, loose = program.offset[0], 0.0, 0.0
        for i, right in enumerate(program.right):
            dual += float((schedule.row[i] * right).sum())
            change = schedule.energy[1:] - program.kept * schedule.energy[:-1] if i == program.energy_row else 0.0
            violated = max(violated, float(np.abs(weighed(program.matrix[i], schedule.flow) - right - change).max()))
        costs = program.cost[0]
        if self.on_top is not None:
            costs = self.on_top.priced(costs)
            beside, loose = self.on_top.dual()
            dual += beside
            violated = max(violated, self.on_top.violated(schedule.flow))
        closed = self.modes.open[schedule.mode] == 0
        for j, (lower, upper) in enumerate(zip(program.lower, program.upper, strict=True)):
            reduced = costs[j] - weighed(program.matrix[:, j], schedule.row)
            most = np.where(closed[:, j], np.minimum(upper, 0.0), upper)
            dual, loose = _press(reduced, np.broadcast_to(lower, len(most)), most, dual, loose)
            out = np.maximum(lower - schedule.flow[j], schedule.flow[j] - most)
            violated = max(violated, float(out.max()))
        price = np.concatenate([[0.0], schedule.price])
        reduced = program.energy_worth[0] - price + program.kept * np.append(schedule.price, 0.0)
        dual, loose = _press(reduced, program.least, program.most, dual, loose)
        return LinearCertificate(primal, dual, turnover, max(violated, 0.0), loose)

    @cached_property
    def program(self) -> Program:
        """The model as the linear program that HiGHS would be given."""
        return expand(self.model)

    @cached_property
    def found(self) -> Exact:
        """The plan as values and prices of `program`."""
        program, own, schedule = self.program, self.step_program, self.schedule
        x, row = np.zeros(program.columns), np.zeros(program.rows)
        x[program.variables[ENERGY].slice] = schedule.energy
        for j, name in enumerate(own.variables):
            x[program.variables[name].slice] = schedule.flow[j]
        for i, name in enumerate(own.rows):
            # The energy law stands with the flows on the right in a step program, on the left in a linear one.
            row[program.constraints[name].slice] = schedule.price if i == own.energy_row else schedule.row[i]
        if self.on_top is not None:
            self.on_top.place(program, x, row)
        closed = [
            program.variables[own.columns[j]].first + np.flatnonzero(self.modes.open[schedule.mode, j] == 0)
            for j in sorted({j for pair in own.pairs for j in pair})
        ]
        solution = Solution(
            x=x,
            objective=-self.objective,
            bound=-self.objective,
            column_dual=program.cost + program.priced(row),
            row_dual=-row,
            seconds=self.seconds,
            iterations=0,
        )
        return Exact(x, solution, -self.bound, 0, limited=False, closed=np.concatenate(closed))


@lru_cache(maxsize=1)
def _version() -> str:
    return f"value functions of bess-opt {metadata.version('bess-opt')}"


def clipped(values: Array, lower: Array, upper: Array) -> Array:
    """`values` inside their bounds."""
    inside: Array = np.clip(values, lower, upper)
    return inside


def _press(price: Array, lower: Array, upper: Array, dual: float, loose: float) -> tuple[float, float]:
    """`dual` with the bounds that `price` presses on, and the largest price yet on a bound that is not there."""
    side = np.where(price > 0.0, upper, lower)
    there = np.isfinite(side)
    if there.all():
        return dual + dot(price, side), loose
    return dual + dot(price[there], side[there]), max(loose, float(np.abs(price[~there]).max()))
