"""Many sizes by an engine beside HiGHS: exact values without a plan for each, and planes for the proof of a size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isfinite
from os import cpu_count
from time import perf_counter
from typing import Any, Literal

from bess_opt.common.errors import ScenarioError
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.faces import AS_ONE
from bess_opt.investment.sizing.planes import Plane, SolvedSize
from bess_opt.investment.sizing.region import SMALLEST, Region
from bess_opt.investment.sizing.sized_program import SUMMED, SizedProgram, resized
from bess_opt.models.assemble import model_of
from bess_opt.models.ledger import cash_terms, same_terms
from bess_opt.models.one_way import Pair, pairs_of
from bess_opt.plant.from_scenario import plant_of, with_size_of
from bess_opt.solver.engines import EngineRefusedError, Objectives, ReadModel, RelaxedOptimum, engines_at_hand
from bess_opt.strategies.shared.activation import prepare

Size = tuple[float, float]  # MW, MWh
Ends = tuple[float, float]  # least, most
# How sizes are solved: by the recursion without the one-way rule, by HiGHS without or with the cuts of that rule.
Way = Literal["recursion", "plain", "tight"]

READ = 3  # sizes on a line that are read in any case: both ends and one between
MARGIN = 1e-2  # of a size: how far around a range its limits are known, for the slopes at its edges
LONGER = 0.45  # share of the durations at which the longer part begins: the middle of a range lies well inside it
NARROW = 1.0001  # durations of a patch around a size that none leads to
LINEAR = 1e-12  # of a limit, or of a size: as near as that it lies on the line


class SizedModels:
    """The model of any size of a scenario, as an engine reads it: what does not depend on the size is made once."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario, self._plant = scenario, plant_of(scenario)
        (self._engine, *_) = engines_at_hand(scenario.solver)

    def of_cash_alone(self, power_mw: float, energy_mwh: float) -> ReadModel | None:
        """The model of a size; None where its first objective is not the cash of the ledger and nothing else."""
        m, objectives, pairs = self._parts(power_mw, energy_mwh)
        ledger = cash_terms(m)
        if not ledger:
            return None
        found = self._engine.read(m, objectives, pairs)
        if same_terms(objectives[0], ledger):
            return found
        alone = found.shares_worth(self._engine.read(m, [ledger, *objectives[1:]], pairs))
        return found if alone else None

    def at(self, power_mw: float, energy_mwh: float) -> ReadModel:
        """The model of a size. Raises `EngineRefusedError` where it does not fit."""
        return self._engine.read(*self._parts(power_mw, energy_mwh))

    def _parts(self, power_mw: float, energy_mwh: float) -> tuple[Any, Objectives, Sequence[Pair]]:
        """(model, objectives, pairs of flows that exclude each other) of a size."""
        sized = resized(self._scenario, power_mw, energy_mwh)
        plant, active = prepare(sized, with_size_of(self._plant, sized))
        m, objectives = model_of(plant, active)
        return m, objectives, pairs_of(plant)


@dataclass(frozen=True)
class _Patch:
    """Durations between which all limits change in proportion, at all powers of a range; read at the four corners.

    Beyond these durations the same changes lead on: each limit is the least, or the largest, of several that are
    linear in the size, so that a limit is nowhere wider than where they lead.
    """

    power: tuple[float, float]
    hours: tuple[float, float]
    models: tuple[tuple[ReadModel, ReadModel], tuple[ReadModel, ReadModel]]  # a row per power, by duration

    def at(self, power_mw: float, energy_mwh: float) -> ReadModel:
        """The model to which the corners lead at a size."""
        (p0, p1), (h0, h1) = self.power, self.hours
        along = (energy_mwh / power_mw - h0) / (h1 - h0)
        least, most = (_between(shorter, longer, along) for shorter, longer in self.models)
        return _between(least, most, (power_mw - p0) / (p1 - p0))

    def holds(self, power_mw: float, energy_mwh: float) -> bool:
        """Whether a size lies between the corners."""
        (p0, p1), (h0, h1), hours = self.power, self.hours, energy_mwh / power_mw
        return p0 <= power_mw <= p1 and h0 * (1.0 - LINEAR) <= hours <= h1 * (1.0 + LINEAR)

    def plane(self, optimum: RelaxedOptimum) -> Plane:
        """What the prices of a solved size allow any size, as the limits change in this patch."""
        (low, long), (small, large) = [[optimum.most(model) for model in edge] for edge in self.models]
        (p0, p1), (h0, h1) = self.power, self.hours
        per_mwh = (large - small) / (p1 * (h1 - h0))
        per_mw = (small - low) / (p1 - p0) - h0 * per_mwh
        sizes = ((low, p0, h0), (long, p0, h1), (small, p1, h0), (large, p1, h1))
        return Plane(max(most - (per_mw + per_mwh * h) * p for most, p, h in sizes), per_mw, per_mwh)


class RecursedPlanes:
    """Planes above the revenue of all sizes of a region, from the prices of the recursion without the one-way rule.

    Prices bound every size by weak duality, by a plane for each way in which the limits change over the region. A
    size between corners from which the limits change in one way is not read again.
    """

    def __init__(self, scenario: Scenario, sizes: Region, *, cash: bool) -> None:
        """Read the corners of the region. Raises `EngineRefusedError` where the model does not fit.

        `cash`: the value is about money, so the objective must be the ledger's cash.
        """
        began = perf_counter()
        if not engines_at_hand(scenario.solver) or scenario.product:
            raise EngineRefusedError.because("scenario: no engine beside HiGHS may answer")
        self._models, self._read = SizedModels(scenario), dict[Size, ReadModel]()
        self._power, hours, ends = _around(sizes)
        if cash:
            largest = self._power[1], self._power[1] * hours[1]
            model = self._models.of_cash_alone(*largest)
            if model is None:
                raise EngineRefusedError.because("objective: is not the ledger's cash alone")
            self._read[largest] = model
        self._patches = self._ways(hours, ends)
        self._asked: list[tuple[RelaxedOptimum, SolvedSize]] = []
        self.calls, self.cold_s = 0, perf_counter() - began

    def _ways(self, hours: Ends, ends: Ends) -> list[_Patch]:
        """All durations as one patch, or where limits bend between them the longer part and what lies at an end.

        `ends` are the durations of the range, around which lie `hours`: limits like to bend right there.
        """
        shortest, longest = hours
        whole = self._patch(shortest, longest)
        if whole is not None:
            return [whole]
        longer = self._patch(shortest + LONGER * (longest - shortest), longest) or self._patch(ends[1], longest)
        found = [patch for patch in (longer, self._patch(shortest, ends[0])) if patch is not None]
        if len(found) < 2:
            raise EngineRefusedError.because("limits: do not change in proportion to the size")
        return found

    def _patch(self, shortest: float, longest: float) -> _Patch | None:
        """The patch of these durations, None where a limit bends in it: then it does so at the size in its middle.

        A least of linear limits that is at a size inside what its values at the corners say is so all over.
        """
        first, last = [(self._at(p, p * shortest), self._at(p, p * longest)) for p in self._power]
        patch = _Patch(self._power, (shortest, longest), (first, last))
        power = sum(self._power) / 2.0
        size = power, power * (shortest + longest) / 2.0
        inside, led = self._at(*size), patch.at(*size)
        if not all(inside.shares_worth(other) for edge in patch.models for other in edge):
            raise EngineRefusedError.because("costs: depend on the size")
        return patch if inside.equals(led, LINEAR) else None

    def _at(self, power_mw: float, energy_mwh: float) -> ReadModel:
        """The model of a size, read once; `EngineRefusedError` also where a corner is no scenario."""
        size = power_mw, energy_mwh
        if size not in self._read:
            try:
                self._read[size] = self._models.at(*size)
            except ScenarioError as error:
                raise EngineRefusedError.because(f"sizes: {error}") from None
        return self._read[size]

    def solved(self, power_mw: float, energy_mwh: float) -> SolvedSize:
        """Revenue of a size and the planes of its prices. Raises `EngineRefusedError`, also where it has no plan."""
        self.calls += 1
        model = next((c.at(power_mw, energy_mwh) for c in self._patches if c.holds(power_mw, energy_mwh)), None)
        if model is None:
            model = self._models.at(power_mw, energy_mwh)
            self._look_around(model, power_mw, energy_mwh)
        optimum = model.relaxed()
        planes = tuple(patch.plane(optimum) for patch in self._patches)
        if not all(isfinite(plane.at_origin) for plane in planes):
            raise EngineRefusedError.because("prices: press on a limit that is not there")
        size = SolvedSize(power_mw, energy_mwh, optimum.value, planes)
        self._asked.append((optimum, size))
        self._check(model, size)
        return size

    def _look_around(self, model: ReadModel, power_mw: float, energy_mwh: float) -> None:
        """A patch of its own for a size to which no other leads; none where limits bend right there."""
        if any(model.equals(patch.at(power_mw, energy_mwh), LINEAR) for patch in self._patches):
            return
        hours = energy_mwh / power_mw
        patch = self._patch(hours / NARROW, hours * NARROW)
        if patch is not None:
            self._patches.append(patch)

    def _check(self, model: ReadModel, size: SolvedSize) -> None:
        """Whether what the prices of other sizes say of this one lies below their planes, as it must."""
        largest = max(abs(known.revenue) for _, known in self._asked)
        for optimum, known in self._asked:
            most = optimum.most(model)
            slack = AS_ONE * abs(most - known.revenue) + SUMMED * max(abs(most), largest)
            if any(plane.at(size.power_mw, size.energy_mwh) < most - slack for plane in known.planes):
                raise EngineRefusedError.because("limits: one is not the least of several linear ones")


def _between(one: ReadModel, other: ReadModel, share: float) -> ReadModel:
    """The model on the way from one to the other. `EngineRefusedError` where more than limits and costs differs."""
    found = one.between(other, share)
    if found is None:
        raise EngineRefusedError.because("rows: are not the same at all sizes")
    return found


def solver_of_sizes(
    way: Way, scenario: Scenario, sizes: Region, first: Size, *, cash: bool
) -> SizedProgram | RecursedPlanes:
    """What solves sizes of a region in this way, HiGHS from the `first` on. Raises what their classes raise."""
    if way == "recursion":
        return RecursedPlanes(scenario, sizes, cash=cash)
    return SizedProgram(scenario, *first, cash=cash, tight=way == "tight")


def _around(sizes: Region) -> tuple[Ends, Ends, Ends]:
    """(least, most) power and duration around all batteries of a region and their neighbours; its own durations."""
    (p0, p1), (h0, h1) = sizes.power_mw, sizes.duration_h
    power, ends = (max(p0, SMALLEST * p1), float(sizes.corners()[:, 0].max())), (max(h0, SMALLEST * h1), h1)
    return _wider(power), _wider(ends), ends


def _wider(ends: Ends) -> Ends:
    return (1.0 - MARGIN) * ends[0], (1.0 + MARGIN) * ends[1]


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
