"""Values of many sizes by an engine beside HiGHS: exact in the one-way rule, without a plan for each."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.sized_program import resized
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.from_scenario import plant_of, with_size_of
from bess_opt.solver.engines import EngineRefusedError, ReadModel, engines_at_hand
from bess_opt.strategies.shared.activation import prepare


class SizedModels:
    """The model of any size of a scenario, as an engine reads it: what does not depend on the size is made once."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario, self._plant = scenario, plant_of(scenario)
        (self._engine, *_) = engines_at_hand(scenario.solver)

    def at(self, power_mw: float, energy_mwh: float) -> ReadModel:
        """The model of a size. Raises `EngineRefusedError` where it does not fit."""
        sized = resized(self._scenario, power_mw, energy_mwh)
        plant, active = prepare(sized, with_size_of(self._plant, sized))
        m, objectives = model_of(plant, active)
        return self._engine.read(m, objectives, pairs_of(plant))


def fits(scenario: Scenario, power_mw: float, energy_mwh: float) -> bool:
    """Whether an engine can say what a size of `scenario` is worth, and may."""
    if not engines_at_hand(scenario.solver):
        return False
    try:
        SizedModels(scenario).at(power_mw, energy_mwh).value()
    except EngineRefusedError:
        return False
    return True


def values_of(scenario: Scenario, sizes: Sequence[tuple[float, float]], *, threads: int | None = None) -> list[float]:
    """The most that each size earns in the first objective; NaN where it has no plan. Raises `EngineRefusedError`.

    While one size's numbers are made, others are gone through: the recursion lets go of the interpreter.
    """
    models = SizedModels(scenario)
    if threads == 1:
        return [models.at(*size).value() for size in sizes]
    with ThreadPoolExecutor(threads or cpu_count() or 1) as pool:
        asked = [pool.submit(models.at(*size).value) for size in sizes]
        return [one.result() for one in asked]


def row_values(scenario: Scenario, row: Sequence[tuple[float, float]]) -> list[float]:
    """`values_of` in one thread: what a worker runs."""
    return values_of(scenario, row, threads=1)
