"""The value functions as an engine: what others ask of this folder."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.models.one_way import Pair
from bess_opt.solver.engines import Engine, Objectives, ReadModel
from bess_opt.solver.value_function.modes import Modes, modes_of
from bess_opt.solver.value_function.plan import ValueFunctionPlan, has_plan, solve_by_value_functions
from bess_opt.solver.value_function.prices import Prices
from bess_opt.solver.value_function.recursion import NOT_BUILT, Curve, Recursion, RecursionFailedError, compiled_part
from bess_opt.solver.value_function.step_program import LEVELS, NotStepwiseError, StepProgram, read
from bess_opt.solver.value_function.values import ValueFunctions
from bess_opt.solver.value_function.windows import Windows, aged

FEW_STEPS = 96  # with peaks on top: up to here HiGHS plans in less than half of the time (from some 500 on in more)


@dataclass(frozen=True)
class ByPrice:
    """A step program whose costs of the first level are `base` + `slope` · price, column by column.

    The last level of `program` counts flows: what is counted of the tie-break's plan comes with its value.
    """

    program: StepProgram
    modes: Modes
    base: list[Array]
    slope: list[Array]

    def answer(self, price: Array) -> tuple[float, float]:
        """See `engines.ValueByPrice`."""
        cost = [b + s * price if s.any() else b for b, s in zip(self.base, self.slope, strict=True)]
        priced = replace(self.program, cost=[cost, *self.program.cost[1:]])
        value = Recursion(priced, self.modes).start().value
        return float(value[0]) + self.program.offset[0], float(value[-1])


@dataclass(frozen=True)
class RelaxedByPrices:
    """See `engines.RelaxedOptimum`."""

    value: float
    prices: Prices

    def most(self, other: ReadModel) -> float:
        """See `engines.RelaxedOptimum`."""
        return self.prices.bound(other.program) if isinstance(other, ReadStepProgram) else math.inf


@dataclass(frozen=True)
class ReadStepProgram:
    """A model as a step program."""

    program: StepProgram

    def value(self) -> float:
        """See `engines.ReadModel`."""
        first = self._first_level()
        try:
            return float(Recursion(first, modes_of(first)).start().value[0]) + first.offset[0]
        except RecursionFailedError as error:
            if error.no_plan:
                return math.nan
            raise

    def relaxed(self) -> RelaxedByPrices:
        """See `engines.ReadModel`."""
        functions = ValueFunctions.of_program(self._first_level(), one_way=False)
        own, recursion = functions.program, functions.recursion
        found = recursion.schedule_of(0, own.steps, float(own.least[0]), recursion.end(), flows=False)
        return RelaxedByPrices(float(found.value[0]) + own.offset[0], functions.prices(found))

    def _first_level(self) -> StepProgram:
        own = self.program
        return replace(own, cost=own.cost[:1], energy_worth=own.energy_worth[:1], offset=own.offset[:1])

    def worth_between(self, first: int, last: int) -> list[Curve]:
        """See `engines.ReadModel`."""
        return Recursion(self.program, modes_of(self.program)).curves_between(first, last)

    def by_price(self, unit: ReadModel, counted: Mapping[str, float]) -> ByPrice | None:
        """See `engines.ReadModel`."""
        free = self.program
        if not isinstance(unit, ReadStepProgram) or free.levels >= LEVELS or not _alike(free, unit.program):
            return None
        counts = [np.array([counted.get(name, 0.0)]) for name in free.columns]
        program = replace(
            free,
            cost=[*free.cost, counts],
            energy_worth=[*free.energy_worth, np.zeros(1)],
            offset=[*free.offset, 0.0],
            measures=1,
        )
        slope = [after - before for after, before in zip(unit.program.cost[0], free.cost[0], strict=True)]
        return ByPrice(program, modes_of(program), free.cost[0], slope)

    def between(self, other: ReadModel, share: float) -> ReadStepProgram | None:
        """See `engines.ReadModel`."""
        own = self.program
        if not isinstance(other, ReadStepProgram) or not _same_shape(own, other.program):
            return None
        sides = zip(_numbers(own), _numbers(other.program), strict=True)
        mixed = iter([_mixed(one, far, share) for one, far in sides])
        return ReadStepProgram(
            replace(
                own,
                right=[next(mixed) for _ in own.right],
                lower=[next(mixed) for _ in own.lower],
                upper=[next(mixed) for _ in own.upper],
                cost=[[next(mixed) for _ in level] for level in own.cost],
                energy_worth=[next(mixed) for _ in own.energy_worth],
                offset=next(mixed).tolist(),
                least=next(mixed),
                most=next(mixed),
            )
        )

    def shares_worth(self, other: ReadModel) -> bool:
        """See `engines.ReadModel`."""
        if not isinstance(other, ReadStepProgram) or not _same_shape(self.program, other.program):
            return False
        sides = ([*p.cost[0], p.energy_worth[0]] for p in (self.program, other.program))
        return all(np.array_equal(one, far) for one, far in zip(*sides, strict=True))

    def equals(self, other: ReadModel, within: float) -> bool:
        """See `engines.ReadModel`."""
        if not isinstance(other, ReadStepProgram) or not _same_shape(self.program, other.program):
            return False
        pairs = zip(_numbers(self.program), _numbers(other.program), strict=True)
        return all(np.array_equal(a, b) or np.allclose(a, b, rtol=within, atol=0.0) for a, b in pairs)


class ValueFunctionEngine:
    """See `engines.Engine`."""

    title = "value functions"

    @property
    def not_built(self) -> str:
        """See `engines.Engine`."""
        return "" if compiled_part() is not None else NOT_BUILT

    def optimum(
        self, model: Any, objectives: Objectives, pairs: Sequence[Pair], *, time_limit_s: float | None, insisted: bool
    ) -> ValueFunctionPlan:
        """See `engines.Engine`."""
        beside_from = 0 if insisted else FEW_STEPS + 1
        return solve_by_value_functions(model, objectives, pairs, time_limit_s=time_limit_s, beside_from=beside_from)

    def has_plan(self, model: Any, pairs: Sequence[Pair]) -> bool | None:
        """See `engines.Engine`."""
        return has_plan(model, pairs)

    def read(self, model: Any, objectives: Objectives, pairs: Sequence[Pair]) -> ReadStepProgram:
        """See `engines.Engine`."""
        if self.not_built:
            raise NotStepwiseError([self.not_built])
        return ReadStepProgram(read(model, objectives, pairs))

    def windows(self, models: Iterable[ReadModel]) -> Windows:
        """See `engines.Engine`."""
        return Windows(aged(model.program for model in models if isinstance(model, ReadStepProgram)))


def _alike(one: StepProgram, other: StepProgram) -> bool:
    """Whether two programs differ in the costs of the first level alone."""
    if not _same_shape(one, other) or one.offset != other.offset:
        return False
    arrays = ((p.least, p.most, *p.right, *p.lower, *p.upper, *p.energy_worth, *p.cost[1]) for p in (one, other))
    return all(np.array_equal(before, after) for before, after in zip(*arrays, strict=True))


def _same_shape(one: StepProgram, other: StepProgram) -> bool:
    """Whether two programs differ in limits and costs alone."""
    same = one.columns == other.columns and one.rows == other.rows and one.levels == other.levels
    same = same and one.kept == other.kept and one.pairs == other.pairs and one.steps == other.steps
    same = same and one.over_all is other.over_all and one.beside is other.beside
    return same and np.array_equal(one.matrix, other.matrix)


def _numbers(program: StepProgram) -> list[Array]:
    """All limits and costs of a program."""
    costs = [column for level in program.cost for column in level]
    sides = [*program.right, *program.lower, *program.upper, *costs, *program.energy_worth]
    return [*sides, np.array(program.offset), program.least, program.most]


def _mixed(one: Array, far: Array, share: float) -> Array:
    """`share` of the way from `one` to `far`; what is the same in both, infinite or not, stays as it is."""
    if one is far or np.array_equal(one, far):
        return one
    with np.errstate(invalid="ignore"):
        way: Array = one + share * (far - one)
    return np.where(one == far, one, way)


ENGINE: Engine = ValueFunctionEngine()
