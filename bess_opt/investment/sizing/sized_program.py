"""The dispatch program of one battery as a function of its power and energy.

The prices (duals) of a solved size limit the revenue of every other: R(size) <= Σ prices · limits(size). Each limit
is the least of several that are in proportion to the size (rated power, C-rate, inverter), so that this is the lowest
of several planes near the solved size, and each of them stays above it everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from bess_opt.common.arrays import Array
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.faces import AS_ONE, Face, Faces, NotConcaveError
from bess_opt.investment.sizing.planes import Plane, SolvedSize
from bess_opt.investment.sizing.region import HalfPlane
from bess_opt.investment.sizing.warm_program import WarmProgram, duals_of
from bess_opt.plant.from_scenario import plant_of, with_size_of
from bess_opt.solver.change import Change, Duals
from bess_opt.solver.program import Program
from bess_opt.solver.solution import InfeasibleProgramError

SUMMED = 1e-10  # of the largest revenue: what sums over all limits leave of rounding

Size = tuple[float, float]  # MW, MWh


def resized(scenario: Scenario, power_mw: float, energy_mwh: float) -> Scenario:
    """`scenario` with another battery size; a charge power of its own keeps its share of the rated power."""
    battery = scenario.battery
    stated = battery.charge_power_mw
    size = {"power_mw": power_mw, "duration_h": energy_mwh / power_mw}
    if stated is not None:
        size["charge_power_mw"] = stated * power_mw / battery.power_mw
    return scenario.replace(battery=size)


class NoPlanError(Exception):
    """A size meets no limits; `ruled_out` are half-planes that hold every size which does. Never leaves sizing."""

    def __init__(self, ruled_out: Sequence[HalfPlane]) -> None:
        super().__init__("a size meets no limits")
        self.ruled_out = tuple(ruled_out)


@dataclass
class _Known:
    """A solved size: its program and prices, and the planes that these made so far."""

    program: Program
    duals: Duals
    power_mw: float
    energy_mwh: float
    revenue: float
    planes: list[Plane] = field(default_factory=list)

    def plane_along(self, face: Face) -> Plane:
        """The plane that the prices make of the limits of a face."""
        there = self.revenue + Change.between(self.program, face.program).worth(self.duals)
        per_mw, per_mwh = (change.worth(self.duals) for change in face.changes)
        return Plane(there - per_mw * face.power_mw - per_mwh * face.energy_mwh, per_mw, per_mwh)


class SizedProgram(WarmProgram[Size]):
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
        held: Mapping[str, Array] | None = None,
    ) -> None:
        """Build and solve at a first size; arguments and errors as `WarmProgram`.

        `held` are bids, by the name of their flow, that every size holds as they are.
        """
        self._held = held or {}
        self._faces = Faces(lambda power, energy: self._built((power, energy)))
        self._known: list[_Known] = []
        plant_at = (
            plant_of if scenario.product else partial(with_size_of, plant_of(scenario))
        )  # offers follow the size
        super().__init__(
            lambda size: resized(scenario, *size),
            (power_mw, energy_mwh),
            cash=cash,
            tight=tight,
            basis=basis,
            plant_at=plant_at,
        )

    def _expanded(self, m: Any) -> Program:
        program = super()._expanded(m)
        lower, upper = program.lower.copy(), program.upper.copy()
        for name, bids in self._held.items():
            lower[program.variables[name].slice] = upper[program.variables[name].slice] = bids
        return replace(program, lower=lower, upper=upper) if self._held else program

    def solved(self, power_mw: float, energy_mwh: float) -> SolvedSize:
        """Revenue of a size and its planes. NotConcaveError as at the start; `NoPlanError` with what rules it out."""
        try:
            program, solution = self._solution((power_mw, energy_mwh))
        except InfeasibleProgramError:
            raise NoPlanError(self._ruled_out(power_mw, energy_mwh)) from None
        before, revenue = len(self._faces.read_at), -solution.objective
        known = _Known(program, duals_of(program, solution), power_mw, energy_mwh, revenue)
        faces = self._faces.leading_to(program, power_mw, energy_mwh)
        known.planes += [known.plane_along(face) for face in faces]
        size = SolvedSize(power_mw, energy_mwh, revenue, tuple(known.planes), self._others(before))
        self._check(program, size)
        self._known.append(known)
        return size

    def _others(self, before: int) -> tuple[Plane, ...]:
        """Planes of known sizes along the faces read since there were `before`: of bends at these sizes."""
        found = []
        for face in self._faces.read_since(before):
            for known in self._known:
                if face.leads_to(known.program, known.power_mw, known.energy_mwh):
                    found.append(known.plane_along(face))
                    known.planes.append(found[-1])
        return tuple(found)

    def _ruled_out(self, power_mw: float, energy_mwh: float) -> list[HalfPlane]:
        """Half-planes that hold every size with a plan and not the one just found to have none.

        The solver's proof (Farkas) says by how much the limits fall short, which is convex in the size: a size at
        which a plane below it is above nought has no plan either. NotConcaveError where there is no such proof.
        """
        program = self._built((power_mw, energy_mwh))
        short = self._short_of(program)
        found = []
        for face in self._faces.at(program, power_mw, energy_mwh):
            there = short(face.program)
            per_mw, per_mwh = (short(change) for change in face.changes)
            most = per_mw * face.power_mw + per_mwh * face.energy_mwh - there
            if per_mw * power_mw + per_mwh * energy_mwh > most:
                found.append(HalfPlane(per_mw, per_mwh, most))
        if not found:
            raise NotConcaveError("some sizes of the range meet no limits, by less than rounding")
        return found

    def _check(self, program: Program, size: SolvedSize) -> None:
        """Whether what earlier sizes' prices say of this one lies below their planes, as it must.

        NotConcaveError where it does not: then some limit of the program is not the least of proportional ones.
        """
        largest = max((abs(known.revenue) for known in self._known), default=0.0)
        for known in self._known:
            most = known.revenue + Change.between(known.program, program).worth(known.duals)
            slack = AS_ONE * abs(most - known.revenue) + SUMMED * max(abs(most), largest)
            if any(plane.at(size.power_mw, size.energy_mwh) < most - slack for plane in known.planes):
                raise NotConcaveError("a limit of the program is not concave in the size")

    def revenue(self, power_mw: float, energy_mwh: float) -> float:
        """Value at a size, without slopes; NaN where it meets no limits."""
        return self.row([(power_mw, energy_mwh)])[0]

    def row(self, sizes: Sequence[Size]) -> list[float]:
        """Values of neighbouring sizes, without slopes; NaN where a size meets no limits.

        The middle one starts from the stored basis, the others from their neighbour: quicker than `cut`, and the
        same to the last bit whatever was solved before.
        """
        values = [math.nan] * len(sizes)
        middle = len(sizes) // 2
        values[middle] = self._value(sizes[middle], self._basis)
        begin = self._solver.basis()
        for places in (range(middle + 1, len(sizes)), range(middle - 1, -1, -1)):
            start = begin
            for place in places:
                values[place] = self._value(sizes[place], start)
                start = None
        return values

    def _value(self, size: Size, basis: Any) -> float:
        """Value of a size, solved from `basis`, or from where the solver stands."""
        self._take_over(size)
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
