"""Value and cycles of many price rows without a plan for each, where nothing but the money depends on the price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.dispatch.optimum.bring_back import prepare
from bess_opt.inputs.scenario import Scenario
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant
from bess_opt.solver.engines import Engine, EngineRefusedError, ReadModel, ValueByPrice, engine, engines_asked

SAME = 1e-9  # of the value, or of the cycles: how close to the audited plan the pass alone must come


@dataclass(frozen=True)
class PriceRows:
    """The value of a scenario as a function of one column of prices, by the engine named `engine`.

    The equivalent full cycles of the tie-break's plan come with it, without a plan. Wear is part of what a plan
    maximises and no cash; it is added again, per cycle.
    """

    engine: str
    value: ValueByPrice
    wear_per_cycle: float

    @classmethod
    def of(cls, scenario: Scenario, column: str) -> PriceRows | None:
        """None where the price stands in more than money, or no engine fits."""
        if scenario.tariff is not None or column in _texts(scenario.to_tables()):
            return None
        for word in engines_asked(scenario.solver):
            try:
                free, plant = _read(engine(word), scenario, column, 0.0)
                unit, _ = _read(engine(word), scenario, column, 1.0)
            except EngineRefusedError:
                continue
            if plant.storage.end_value_per_mwh:
                continue
            cell_mwh = plant.step_h / (plant.storage.eta_discharge * plant.storage.energy_mwh)
            value = free.by_price(unit, {"discharge_mw": cell_mwh})
            if value is not None:
                storage = plant.storage
                wear = storage.wear_cost_per_mwh * storage.eta_discharge * storage.energy_mwh
                if storage.wear is not None:  # of one price at every depth, else no engine would read it
                    wear += float(storage.wear.price_per_mwh[0]) * storage.energy_mwh
                return cls(word, value, wear)
        return None

    def answer(self, price: Array) -> tuple[float, float]:
        """(net revenue, equivalent full cycles) of the best plan. Raises `EngineRefusedError`."""
        value, cycles = self.value.answer(price)
        return value + self.wear_per_cycle * cycles, cycles

    def agrees(self, price: Array, value: float, cycles: float) -> bool:
        """Whether a plan that was made and audited says the same."""
        try:
            own_value, own_cycles = self.answer(price)
        except EngineRefusedError:
            return False
        turnover = float(np.abs(price).mean()) * max(cycles, 1.0)
        close = abs(own_value - value) <= SAME * max(abs(value), turnover)
        return close and abs(own_cycles - cycles) <= SAME * max(cycles, 1.0)


def _read(asked: Engine, scenario: Scenario, column: str, price: float) -> tuple[ReadModel, Plant]:
    """The model under one price for all steps, and the plant."""
    plant, active = prepare(scenario, plant_of(scenario, scenario.series.assign(**{column: price})))
    model, objectives = model_of(plant, active)
    return asked.read(model, objectives, pairs_of(plant)), plant


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
