"""Values of many sizes by value functions: exact in the one-way rule, each at the price of one recursion backward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from os import cpu_count

from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.sized_program import resized
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.from_scenario import plant_of, with_size_of
from bess_opt.solver.value_function.modes import modes_of
from bess_opt.solver.value_function.recursion import Recursion, RecursionFailedError, compiled_part
from bess_opt.solver.value_function.step_program import NotStepwiseError, StepProgram, read
from bess_opt.strategies.shared.activation import activate


class SizedSteps:
    """The step program of any size of a scenario: what does not depend on the size is read once."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario, self._plant = scenario, plant_of(scenario)

    def at(self, power_mw: float, energy_mwh: float) -> StepProgram:
        """Both objectives and ties of a size. Raises `NotStepwiseError` where it has no step program."""
        sized = resized(self._scenario, power_mw, energy_mwh)
        stated_plant = with_size_of(self._plant, sized)
        active = activate(sized, stated_plant)
        plant = active.restrict(stated_plant)
        m, objectives = model_of(plant, active)
        return read(m, objectives, pairs_of(plant))


def fits(scenario: Scenario, power_mw: float, energy_mwh: float) -> bool:
    """Whether value functions can say what a size of `scenario` is worth, and may."""
    if scenario.solver.engine == "highs" or compiled_part() is None:
        return False
    try:
        value_of(SizedSteps(scenario).at(power_mw, energy_mwh))
    except (NotStepwiseError, RecursionFailedError):
        return False
    return True


def value_of(program: StepProgram) -> float:
    """The most that a size earns in the first objective; NaN where it has no plan.

    Raises `NotStepwiseError`, `RecursionFailedError` where value functions do not fit.
    """
    first = replace(program, cost=program.cost[:1], energy_worth=program.energy_worth[:1], offset=program.offset[:1])
    try:
        return float(Recursion(first, modes_of(first)).start().value[0]) + program.offset[0]
    except RecursionFailedError as error:
        if error.no_plan:
            return math.nan
        raise


def values_of(scenario: Scenario, sizes: Sequence[tuple[float, float]], *, threads: int | None = None) -> list[float]:
    """The most that each size earns in the first objective; NaN where it has no plan. Raises as `value_of`.

    While one size's numbers are made, others are gone through: the recursion lets go of the interpreter.
    """
    steps = SizedSteps(scenario)
    if threads == 1:
        return [value_of(steps.at(*size)) for size in sizes]
    with ThreadPoolExecutor(threads or cpu_count() or 1) as pool:
        asked = [pool.submit(value_of, steps.at(*size)) for size in sizes]
        return [one.result() for one in asked]


def row_values(scenario: Scenario, row: Sequence[tuple[float, float]]) -> list[float]:
    """`values_of` in one thread: what a worker runs."""
    return values_of(scenario, row, threads=1)
