"""Values of many sizes by an engine beside HiGHS: exact in the one-way rule, without a plan for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.sized_program import resized
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.from_scenario import plant_of, with_size_of
from bess_opt.solver.engines import EngineRefusedError, ReadModel, engines_at_hand
from bess_opt.strategies.shared.activation import prepare

Size = tuple[float, float]  # MW, MWh

READ = 3  # sizes on a line that are read in any case: both ends and one between
LINEAR = 1e-12  # of a limit, or of a size: as near as that it lies on the line


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


def values_of(scenario: Scenario, sizes: Sequence[Size], *, threads: int | None = None) -> list[float]:
    """The most that each size earns in the first objective; NaN where it has no plan. Raises `EngineRefusedError`.

    While one size's numbers are made, others are gone through: the recursion lets go of the interpreter.
    """
    models = _models_of(SizedModels(scenario), sizes)
    if threads == 1:
        return [model.value() for model in models]
    with ThreadPoolExecutor(threads or cpu_count() or 1) as pool:
        asked = [pool.submit(model.value) for model in models]
        return [one.result() for one in asked]


def _models_of(models: SizedModels, sizes: Sequence[Size]) -> Iterator[ReadModel]:
    """The model of each size.

    Sizes on a line: each limit is the least, or the largest, of several that are linear in the size. Such a limit
    that lies on the straight line between its ends in one place between them does so everywhere; then what lies
    between is not read again.
    """
    first, middle, last = sizes[0], sizes[len(sizes) // 2], sizes[-1]
    if len(sizes) <= READ or not all(_on_line(first, last, size) for size in sizes):
        yield from (models.at(*size) for size in sizes)
        return
    near, far, inside = (models.at(*size) for size in (first, last, middle))
    led = near.between(far, _share(first, last, middle))
    straight = led is not None and inside.equals(led, LINEAR)
    for size in sizes:
        between = near.between(far, _share(first, last, size)) if straight else None
        yield models.at(*size) if between is None else between


def _share(first: Size, last: Size, size: Size) -> float:
    """How far of the way from the first to the last size, by power."""
    return (size[0] - first[0]) / (last[0] - first[0])


def _on_line(first: Size, last: Size, size: Size) -> bool:
    """Whether a size lies on the line between two that differ in power."""
    if first[0] == last[0]:
        return False
    energy = first[1] + _share(first, last, size) * (last[1] - first[1])
    return abs(size[1] - energy) <= LINEAR * size[1]


def row_values(scenario: Scenario, row: Sequence[Size]) -> list[float]:
    """`values_of` in one thread: what a worker runs."""
    return values_of(scenario, row, threads=1)
