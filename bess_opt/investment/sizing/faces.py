"""How the limits of a program change with the size of one battery: along one face, or on each side of a bend."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bess_opt.solver.change import Change
from bess_opt.solver.program import Program

NEAR = 1e-3  # of a size: so far from it are its neighbours, in whose limits the planes are read off
STEPS = (1e-2, 1e-4, 1e-5)  # of a size: differences that give a slope there, the first that does not bend
MULTIPLES = (1024.0, 32.0, 1.0)  # of a size: where the slopes of its limits are read
AS_ONE = 1e-6  # of a limit's change: slopes as near as that are one
ROUNDING = 1e-12  # of a limit
TURNS = 8  # directions in which neighbours are looked at where limits change over
SIDES = ("lower", "upper", "row_lower", "row_upper")
ANGLE = 0.3  # of the first direction: off the lines on which limits usually meet

Built = Callable[[float, float], Program]  # the program of a size, MW and MWh


class NotConcaveError(Exception):
    """Why the value is not known to be concave in the size; says so to people, never leaves sizing."""


class NoneFoundError(NotConcaveError):
    """Sizes of the range meet no limits, and none was found that does."""

    def __init__(self) -> None:
        super().__init__("some sizes of the range meet no limits, and none was found that does")


@dataclass(frozen=True)
class Face:
    """The program of a size, and how its limits change per MW and per MWh around it."""

    program: Program
    power_mw: float
    energy_mwh: float
    changes: tuple[Change, Change]

    def leads_to(self, program: Program, power_mw: float, energy_mwh: float, within: float = AS_ONE) -> bool:
        """Whether the limits change in this way all the way to the `program` of a size; `within` of the change."""
        return all(self._leads(name, program, power_mw, energy_mwh, within) for name in SIDES)

    def _leads(self, name: str, program: Program, power_mw: float, energy_mwh: float, within: float) -> bool:
        before, after = getattr(self.program, name), getattr(program, name)
        finite = np.isfinite(after)
        if not np.array_equal(finite, np.isfinite(before)):
            return False
        by_power, by_energy = (getattr(change, name)[finite] for change in self.changes)
        led = (power_mw - self.power_mw) * by_power + (energy_mwh - self.energy_mwh) * by_energy
        moved = after[finite] - before[finite]
        slack = within * np.abs(moved) + ROUNDING * np.abs(after[finite])
        return bool((np.abs(led - moved) <= slack).all())


class Faces:
    """The faces of a program's limits that are known so far; `built` makes the program of a size."""

    def __init__(self, built: Built) -> None:
        self._built = built
        self._known: list[Face] = []

    @property
    def read_at(self) -> tuple[tuple[float, float], ...]:
        """The sizes, MW and MWh, at which faces were read, in the order in which they are tried."""
        return tuple((face.power_mw, face.energy_mwh) for face in self._known)

    def read_since(self, number: int) -> list[Face]:
        """The faces that are known beyond the first so many."""
        return self._known[number:]

    def read(self, sizes: tuple[tuple[float, float], ...]) -> None:
        """Know the faces read at these sizes and no others, so that answers depend on nothing asked before."""
        if self.read_at != sizes:
            known = {(face.power_mw, face.energy_mwh): face for face in self._known}
            self._known = [known.get(size) or self._face(self._built(*size), *size) for size in sizes]

    def leading_to(self, program: Program, power_mw: float, energy_mwh: float) -> list[Face]:
        """The known faces that lead to a size; where none does the one read there, or where limits bend there all.

        A face whose limits are the least of several bounds those of every size, wherever it was read. Of a bend
        between a known face and one that is not, this tells the known one alone: the other comes with a size on it.
        """
        known = [face for face in self._known if face.leads_to(program, power_mw, energy_mwh)]
        if known:
            return known
        try:
            return [self._leading_to(program, power_mw, energy_mwh)]
        except NotConcaveError:
            return self.at(program, power_mw, energy_mwh)

    def at(self, program: Program, power_mw: float, energy_mwh: float) -> list[Face]:
        """How the limits change around a size: one way, or one for each side where they change over."""
        opposite = {turn: self._neighbour(power_mw, energy_mwh, turn) for turn in (0, TURNS // 2)}
        leading = next((f for f in self._known if f.leads_to(program, power_mw, energy_mwh)), None)
        if leading is None:
            first = self._leading_to(*opposite[0])
            leading = first if first.leads_to(program, power_mw, energy_mwh) else None
        if leading is not None and all(leading.leads_to(*side) for side in opposite.values()):
            return [leading]
        faces: list[Face] = []
        for turn in range(TURNS):
            side = opposite.get(turn) or self._neighbour(power_mw, energy_mwh, turn)
            if not any(face.leads_to(*side) for face in faces):
                faces.append(self._leading_to(*side))
        return faces

    def _leading_to(self, program: Program, power_mw: float, energy_mwh: float) -> Face:
        """The known face that leads to a size, or the one read there."""
        known = next((f for f in self._known if f.leads_to(program, power_mw, energy_mwh)), None)
        if known is None:
            known = self._face(program, power_mw, energy_mwh)
            self._known.append(known)
        return known

    def _neighbour(self, power_mw: float, energy_mwh: float, turn: int) -> tuple[Program, float, float]:
        """The program of a size close by in one of the directions, with that size."""
        angle = ANGLE + 2.0 * math.pi * turn / TURNS
        power, energy = power_mw * (1.0 + NEAR * math.cos(angle)), energy_mwh * (1.0 + NEAR * math.sin(angle))
        return self._built(power, energy), power, energy

    def _face(self, program: Program, power_mw: float, energy_mwh: float) -> Face:
        """How the limits change at a size: read at the largest multiple of it from which they change in one way.

        The difference of two large limits says little of a small size's share in them.
        """
        for times in MULTIPLES:
            power, energy = times * power_mw, times * energy_mwh
            far = self._read(program if times == 1.0 else self._built(power, energy), power, energy)
            if far is None:
                continue
            near = Face(program, power_mw, energy_mwh, far.changes)
            if times == 1.0 or near.leads_to(far.program, power, energy, AS_ONE / times):
                return near
        raise NotConcaveError("a limit of the program bends with the size")

    def _read(self, program: Program, power_mw: float, energy_mwh: float) -> Face | None:
        """How the limits change there, with a step after which they do so alike; None where they bend.

        A least of linear limits that is at a size inside a triangle what its corners say is so all over it.
        """
        for step in STEPS:
            more = step * power_mw, step * energy_mwh
            larger = self._built(power_mw + more[0], energy_mwh), self._built(power_mw, energy_mwh + more[1])
            changes = [Change.between(program, one).per(by) for one, by in zip(larger, more, strict=True)]
            face = Face(program, power_mw, energy_mwh, (changes[0], changes[1]))
            inside = power_mw + more[0] / 3.0, energy_mwh + more[1] / 3.0
            if face.leads_to(self._built(*inside), *inside):
                return face
        return None
