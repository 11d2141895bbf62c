"""Value and cycles of many price rows by one pass backward each, where nothing but the money depends on the price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.inputs.scenario import Scenario
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant
from bess_opt.solver.value_function.modes import Modes, modes_of
from bess_opt.solver.value_function.recursion import Recursion, RecursionFailedError, compiled_part
from bess_opt.solver.value_function.step_program import LEVELS, NotStepwiseError, StepProgram, read
from bess_opt.strategies.shared.activation import activate

SAME = 1e-9  # of the value, or of the cycles: how close to the audited plan the pass alone must come


@dataclass(frozen=True)
class PriceRows:
    """The step program of a scenario whose costs are `base` + `slope` · price, column by column.

    The last level of `program` counts cycles: the equivalent full cycles of the plan of rule 11 come with its value,
    without a plan. Wear is part of what a plan maximises and no cash; it is added again, per cycle.
    """

    program: StepProgram
    modes: Modes
    base: list[Array]
    slope: list[Array]
    wear_per_cycle: float

    @classmethod
    def of(cls, scenario: Scenario, column: str) -> PriceRows | None:
        """None where the price stands in more than money, or the plan needs more than value functions."""
        if scenario.solver.engine == "highs" or compiled_part() is None:
            return None
        if scenario.tariff is not None or column in _texts(scenario.to_tables()):
            return None
        try:
            free, plant = _program(scenario, column, 0.0)
            unit, _ = _program(scenario, column, 1.0)
        except NotStepwiseError:
            return None
        if free.levels >= LEVELS or not _alike(free, unit) or plant.storage.end_value_per_mwh:
            return None
        cell_mwh = plant.step_h / (plant.storage.eta_discharge * plant.storage.energy_mwh)
        counts = [np.array([cell_mwh if name == "discharge_mw" else 0.0]) for name in free.columns]
        program = replace(
            free,
            cost=[*free.cost, counts],
            energy_worth=[*free.energy_worth, np.zeros(1)],
            offset=[*free.offset, 0.0],
            measures=1,
        )
        slope = [after - before for after, before in zip(unit.cost[0], free.cost[0], strict=True)]
        storage = plant.storage
        wear = storage.wear_cost_per_mwh * storage.eta_discharge * storage.energy_mwh
        if storage.wear is not None:  # of one price at every depth, else the step program would not be read
            wear += float(storage.wear.price_per_mwh[0]) * storage.energy_mwh
        return cls(program, modes_of(program), free.cost[0], slope, wear)

    def answer(self, price: Array) -> tuple[float, float]:
        """(net revenue, equivalent full cycles) of the best plan. Raises `RecursionFailedError`."""
        cost = [b + s * price if s.any() else b for b, s in zip(self.base, self.slope, strict=True)]
        priced = replace(self.program, cost=[cost, *self.program.cost[1:]])
        value = Recursion(priced, self.modes).start().value
        cycles = float(value[-1])
        return float(value[0]) + self.program.offset[0] + self.wear_per_cycle * cycles, cycles

    def agrees(self, price: Array, value: float, cycles: float) -> bool:
        """Whether a plan that was made and audited says the same."""
        try:
            own_value, own_cycles = self.answer(price)
        except RecursionFailedError:
            return False
        turnover = float(np.abs(price).mean()) * max(cycles, 1.0)
        close = abs(own_value - value) <= SAME * max(abs(value), turnover)
        return close and abs(own_cycles - cycles) <= SAME * max(cycles, 1.0)


def _program(scenario: Scenario, column: str, price: float) -> tuple[StepProgram, Plant]:
    """The step program under one price for all steps, and the plant."""
    stated_plant = plant_of(scenario, scenario.series.assign(**{column: price}))
    active = activate(scenario, stated_plant)
    plant = active.restrict(stated_plant)
    model, objectives = model_of(plant, active)
    return read(model, objectives, pairs_of(plant)), plant


def _alike(one: StepProgram, other: StepProgram) -> bool:
    """Whether two programs differ in the costs of the first level alone."""
    same = one.columns == other.columns and one.rows == other.rows and one.levels == other.levels
    same = same and one.kept == other.kept and one.pairs == other.pairs and one.offset == other.offset
    if not same:
        return False
    arrays = (
        (p.matrix, p.least, p.most, *p.right, *p.lower, *p.upper, *p.energy_worth, *p.cost[1]) for p in (one, other)
    )
    return all(np.array_equal(before, after) for before, after in zip(*arrays, strict=True))


def _texts(value: object) -> Iterator[str]:
    """Every text that a scenario states: a condition names its series so."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
