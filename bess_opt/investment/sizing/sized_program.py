"""The dispatch program as a function of power and energy: built once, solved again for every size.

The scenario's own code makes the numbers of each size; what differs from the base goes into the same solver
object, and every size starts from the base's basis, so that its answer does not depend on what was solved
before. Matrix and costs stay as they are and only bounds and sides move with the size. Then the prices (duals) of a
solved size limit the revenue of every other: R(size) <= Σ prices · limits(size). Each limit is the least of several
that are in proportion to the size (rated power, C-rate, inverter), so that this is the lowest of several planes near
the solved size, and each of them stays above it everywhere.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.planes import Plane, SolvedSize
from bess_opt.investment.sizing.region import HalfPlane
from bess_opt.models.assemble import model_of
from bess_opt.models.ledger import cash_terms, shadow_lines
from bess_opt.models.one_way import add_one_way_cuts, put_in_proportion
from bess_opt.plant.from_scenario import plant_of, ratings_of
from bess_opt.plant.plant import Plant
from bess_opt.solver.change import Change, Duals
from bess_opt.solver.expand import expand, term_costs
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program
from bess_opt.solver.solution import InfeasibleProgramError, Solution, basis_at
from bess_opt.solver.warm_start import start_near_optimum
from bess_opt.strategies.shared.activation import prepare
from bess_opt.strategies.shared.stack import ActiveStrategy

NEAR = 1e-3  # of a size: so far from it are its neighbours, in whose limits the planes are read off
STEP = 1e-4  # of a size: the difference that gives a slope there
AS_ONE = 1e-6  # of a limit's change: slopes as near as that are one
ROUNDING = 1e-12  # of a limit
SUMMED = 1e-10  # of the largest revenue: what sums over all limits leave of rounding
TURNS = 8  # directions in which neighbours are looked at where limits change over
MOST_HALVINGS = 2
SIDES = ("lower", "upper", "row_lower", "row_upper")
ANGLE = 0.3  # of the first direction: off the lines on which limits usually meet


class NotConcaveError(Exception):
    """Why the value is not known to be concave in the size; says so to people, never leaves sizing."""


def resized(scenario: Scenario, power_mw: float, energy_mwh: float) -> Scenario:
    """`scenario` with another battery size; a charge power of its own keeps its share of the rated power."""
    battery = scenario.battery
    stated = battery.charge_power_mw
    size = {"power_mw": power_mw, "duration_h": energy_mwh / power_mw}
    if stated is not None:
        size["charge_power_mw"] = stated * power_mw / battery.power_mw
    return scenario.replace(battery=size)


def needs_one_way_cuts(scenario: Scenario) -> bool:
    """Whether a relaxed plan may waste energy by running in and out at once, so that the one-way cuts pay."""
    plant = plant_of(scenario)
    return bool((plant.import_price < 0.0).any() or (plant.export_price < 0.0).any())


Short = Callable[[Program | Change], float]  # by how much limits contradict each other; linear in them


class NoPlanError(Exception):
    """A size meets no limits; `ruled_out` are half-planes that hold every size which does. Never leaves sizing."""

    def __init__(self, ruled_out: Sequence[HalfPlane]) -> None:
        super().__init__("a size meets no limits")
        self.ruled_out = tuple(ruled_out)


class SizedProgram:
    """Revenue of a horizon, or the strategy's objective, at any size."""

    def __init__(
        self,
        scenario: Scenario,
        power_mw: float,
        energy_mwh: float,
        *,
        cash: bool = True,
        tight: bool = False,
        basis: bytes | None = None,
    ) -> None:
        """Build and solve at a first size. NotConcaveError where the proof does not hold; `cash`: it is about money.

        `tight` adds the one-way cuts: a bound closer to exact plans, at the price of a larger program. With the
        `basis` that another program of the same scenario and first size has `stored`, nothing is solved here.
        A first size that meets no limits leaves `stored` empty; the next that does takes its place.
        Raises what `optimize` raises.
        """
        self._scenario, self.tight = scenario, tight
        self._base, plant, active = self._built(power_mw, energy_mwh)
        if self._base.integer.any():
            raise NotConcaveError("the strategy makes yes-or-no choices")
        if cash:
            self._require_cash(plant, active, self._base)
        self._scale_mw = plant.scale_mw
        self._solver = Solver(self._base, scenario.solver, scale_mw=plant.scale_mw)
        self.calls, self.cold_s, self.seconds = 0, 0.0, 0.0
        self._first: tuple[float, float, Solution] | None = None
        self.stored, self._basis = b"", None  # the basis of the first size, which every other size starts from
        self._faces: list[_Face] = []
        self._solved_sizes: list[tuple[Program, Duals, SolvedSize]] = []
        if basis:
            self._start_from(basis)
            return
        with contextlib.suppress(InfeasibleProgramError):
            self._first = power_mw, energy_mwh, self._solve_cold()

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

    def solved(self, power_mw: float, energy_mwh: float) -> SolvedSize:
        """Revenue of a size and its planes. NotConcaveError as at the start; `NoPlanError` with what rules it out."""
        try:
            program, solution = self._solution(power_mw, energy_mwh)
        except InfeasibleProgramError:
            raise NoPlanError(self._ruled_out(power_mw, energy_mwh)) from None
        duals = Duals(solution.x, -solution.row_dual, -solution.column_dual, np.zeros(program.columns, dtype=bool))
        found = [
            _plane(-solution.objective, program, duals, face)
            for face in self._faces_at(program, power_mw, energy_mwh)
        ]
        size = SolvedSize(power_mw, energy_mwh, -solution.objective, tuple(found))
        self._check(program, size)
        self._solved_sizes.append((program, duals, size))
        return size

    def _ruled_out(self, power_mw: float, energy_mwh: float) -> list[HalfPlane]:
        """Half-planes that hold every size with a plan and not the one just found to have none.

        The solver's proof (Farkas) says by how much the limits fall short, which is convex in the size: a size at
        which a plane below it is above nought has no plan either. NotConcaveError where there is no such proof.
        """
        program, _, _ = self._built(power_mw, energy_mwh)
        short = _crossing(program) or self._farkas()
        found = []
        for face in self._faces_at(program, power_mw, energy_mwh):
            there = short(face.program)
            per_mw, per_mwh = (short(change) for change in face.changes)
            most = per_mw * face.power_mw + per_mwh * face.energy_mwh - there
            if per_mw * power_mw + per_mwh * energy_mwh > most:
                found.append(HalfPlane(per_mw, per_mwh, most))
        if not found:
            raise NotConcaveError("some sizes of the range meet no limits, by less than rounding")
        return found

    def _farkas(self) -> Short:
        proof = self._solver.conflict()
        if proof is None:
            raise NotConcaveError("some sizes of the range meet no limits, and the solver does not say why")
        return lambda limits: proof.short(*(getattr(limits, name) for name in SIDES))

    def _check(self, program: Program, size: SolvedSize) -> None:
        """Whether what earlier sizes' prices say of this one lies below their planes, as it must.

        NotConcaveError where it does not: then some limit of the program is not the least of proportional ones.
        """
        largest = max((abs(known.revenue) for _, _, known in self._solved_sizes), default=0.0)
        for earlier, duals, known in self._solved_sizes:
            most = known.revenue + Change.between(earlier, program).worth(duals)
            slack = AS_ONE * abs(most - known.revenue) + SUMMED * max(abs(most), largest)
            if any(plane.at(size.power_mw, size.energy_mwh) < most - slack for plane in known.planes):
                raise NotConcaveError("a limit of the program is not concave in the size")

    def _faces_at(self, program: Program, power_mw: float, energy_mwh: float) -> list[_Face]:
        """How the limits change with the size around a size: one way, or one for each side where they change over."""
        leading = next((f for f in self._faces if f.leads_to(program, power_mw, energy_mwh)), None)
        if leading is not None:
            sides = [self._neighbour(power_mw, energy_mwh, turn) for turn in (0, TURNS // 2)]
            if all(leading.leads_to(*side) for side in sides):
                return [leading]
        faces: list[_Face] = []
        for turn in range(TURNS):
            side = self._neighbour(power_mw, energy_mwh, turn)
            if any(face.leads_to(*side) for face in faces):
                continue
            known = next((f for f in self._faces if f.leads_to(*side)), None)
            if known is None:
                known = self._face(*side)
                self._faces.append(known)
            faces.append(known)
        return faces

    def _neighbour(self, power_mw: float, energy_mwh: float, turn: int) -> tuple[Program, float, float]:
        """The program of a size close by in one of the directions, with that size."""
        angle = ANGLE + 2.0 * math.pi * turn / TURNS
        power, energy = power_mw * (1.0 + NEAR * math.cos(angle)), energy_mwh * (1.0 + NEAR * math.sin(angle))
        return self._built(power, energy)[0], power, energy

    def _face(self, program: Program, power_mw: float, energy_mwh: float) -> _Face:
        """How the limits change at a size, with a step that changes them alike on both sides of it."""
        step = STEP
        for _ in range(MOST_HALVINGS):
            changes = []
            for power, energy in ((step * power_mw, 0.0), (0.0, step * energy_mwh)):
                smaller, _, _ = self._built(power_mw - power, energy_mwh - energy)
                larger, _, _ = self._built(power_mw + power, energy_mwh + energy)
                changes.append(Change.between(smaller, larger).per(2.0 * (power + energy)))
            face = _Face(program, power_mw, energy_mwh, (changes[0], changes[1]))
            if face.leads_to(larger, power_mw, energy_mwh + step * energy_mwh) and face.leads_to(
                self._built(power_mw * (1.0 + step), energy_mwh)[0], power_mw * (1.0 + step), energy_mwh
            ):
                return face
            step /= 10.0
        raise NotConcaveError("a limit of the program bends with the size")

    def revenue(self, power_mw: float, energy_mwh: float) -> float:
        """Value at a size, without slopes; NaN where it meets no limits."""
        return self.row([(power_mw, energy_mwh)])[0]

    def row(self, sizes: Sequence[tuple[float, float]]) -> list[float]:
        """Values of neighbouring sizes, without slopes; NaN where a size meets no limits.

        The middle one starts from the stored basis, the others from their neighbour: quicker than `cut`, and the
        same to the last bit whatever was solved before.
        """
        values = [math.nan] * len(sizes)
        middle = len(sizes) // 2
        values[middle] = self._value(*sizes[middle], self._basis)
        begin = self._solver.basis()
        for places in (range(middle + 1, len(sizes)), range(middle - 1, -1, -1)):
            start = begin
            for place in places:
                values[place] = self._value(*sizes[place], start)
                start = None
        return values

    def _value(self, power_mw: float, energy_mwh: float, basis: Any) -> float:
        """Value of a size, solved from `basis`, or from where the solver stands."""
        self._take_over(power_mw, energy_mwh)
        if basis is not None:
            self._solver.forget()
            self._solver.set_basis(basis)
        elif self._basis is None:
            self._solver.forget()
        self.calls += 1
        try:
            return -self._solver.solve_value()
        except InfeasibleProgramError:
            return math.nan

    def _built(self, power_mw: float, energy_mwh: float) -> tuple[Program, Plant, ActiveStrategy]:
        scenario = resized(self._scenario, power_mw, energy_mwh)
        plant, active = prepare(scenario)
        m, _objectives = model_of(plant, active)
        ratings = ratings_of(scenario.battery)
        put_in_proportion(m, ratings)
        if self.tight:
            add_one_way_cuts(m, plant, ratings)
        return expand(m), plant, active

    def _require_cash(self, plant: Plant, active: ActiveStrategy, base: Program) -> None:
        """The objective is the cash of the ledger and nothing else."""
        m, objectives = model_of(plant, active)
        ledger = cash_terms(m)
        cash = term_costs(m, ledger, base) if ledger else np.zeros(base.columns)
        if not np.array_equal(term_costs(m, objectives[0], base), cash):
            other = shadow_lines(m)
            why = (
                f"dispatch also minds {', '.join(other)}, which is no cash" if other else "dispatch is not after cash"
            )
            raise NotConcaveError(why)

    def _solution(self, power_mw: float, energy_mwh: float) -> tuple[Program, Solution]:
        if self._first is not None and self._first[:2] == (power_mw, energy_mwh):
            return self._base, self._first[2]
        program = self._take_over(power_mw, energy_mwh)
        self._solver.forget()
        if self._basis is None:
            return program, self._solve_cold()
        self._solver.set_basis(self._basis)
        self.calls += 1
        solution = self._solver.solve()
        self.seconds += solution.seconds
        return program, solution

    def _take_over(self, power_mw: float, energy_mwh: float) -> Program:
        """The program of a size, its bounds and sides now the solver's."""
        program, _, _ = self._built(power_mw, energy_mwh)
        base = self._base
        same = program.value.shape == base.value.shape and np.array_equal(program.value, base.value)
        if not (same and np.array_equal(program.cost, base.cost) and program.rows == base.rows):
            raise NotConcaveError("a coefficient of the program depends on the size")
        self._solver.set_changed(program)
        return program


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


@dataclass(frozen=True)
class _Face:
    """The program of a size, and how its limits change per MW and per MWh around it."""

    program: Program
    power_mw: float
    energy_mwh: float
    changes: tuple[Change, Change]

    def leads_to(self, program: Program, power_mw: float, energy_mwh: float) -> bool:
        """Whether the limits change in this way all the way to the `program` of a size."""
        return all(self._leads(name, program, power_mw, energy_mwh) for name in SIDES)

    def _leads(self, name: str, program: Program, power_mw: float, energy_mwh: float) -> bool:
        before, after = getattr(self.program, name), getattr(program, name)
        finite = np.isfinite(after)
        if not np.array_equal(finite, np.isfinite(before)):
            return False
        by_power, by_energy = (getattr(change, name)[finite] for change in self.changes)
        led = (power_mw - self.power_mw) * by_power + (energy_mwh - self.energy_mwh) * by_energy
        moved = after[finite] - before[finite]
        slack = AS_ONE * np.abs(moved) + ROUNDING * np.abs(after[finite])
        return bool((np.abs(led - moved) <= slack).all())


def _plane(revenue: float, program: Program, duals: Duals, face: _Face) -> Plane:
    """The plane that the prices of a solved program make of the limits of a face."""
    there = revenue + Change.between(program, face.program).worth(duals)
    per_mw, per_mwh = (change.worth(duals) for change in face.changes)
    return Plane(there - per_mw * face.power_mw - per_mwh * face.energy_mwh, per_mw, per_mwh)
