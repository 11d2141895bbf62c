"""The dispatch program of a site as a function of the sizes of several batteries.

The prices of a solved choice limit the revenue of every other one. What a battery's size moves is its own limits, so
that this limit is a sum with a part for each battery, each the lowest of a few planes in its (MW, MWh). Every choice
that is solved is looked at whether the limits do add up so.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.joint.sites import Sizes, sized
from bess_opt.investment.sizing.faces import AS_ONE, ROUNDING, SIDES, Face, Faces, NotConcaveError
from bess_opt.investment.sizing.planes import Plane
from bess_opt.investment.sizing.warm_program import Short, WarmProgram, duals_of
from bess_opt.solver.change import Change
from bess_opt.solver.one_way import ONE_WAY_ROUNDING
from bess_opt.solver.program import Program
from bess_opt.solver.solution import InfeasibleProgramError

KEPT_COLUMNS = 100_000  # of the programs of single choices that are kept
HELD_STEPS = 200_000  # steps of all programs that are kept between two questions
Read = tuple[tuple[tuple[float, float], ...], ...]  # per battery the sizes at which its faces were read

Both = tuple[int, int, float]  # columns of two flows of one converter, the lesser of them in MW
Parts = tuple[tuple[Plane, ...], ...]  # per battery planes in its own (MW, MWh)


@dataclass(frozen=True)
class Limit:
    """A limit of a choice's revenue: R <= at + Σ over batteries of the lowest of its planes."""

    at: float
    parts: Parts

    def of(self, sizes: Sizes) -> float:
        """The limit at a choice."""
        return self.at + sum(
            min(plane.at(*size) for plane in planes) for planes, size in zip(self.parts, sizes, strict=True)
        )


@dataclass(frozen=True)
class Question:
    """One choice of sizes in one year: `scenario` of that year, `key` its digest, and the base that all start from.

    `basis` is that of the base's optimum, None to solve the base first. `read` are the faces known by now. The flows
    of the columns `closed` are held at zero.
    """

    scenario: Scenario
    key: str
    names: tuple[str, ...]
    first: Sizes
    cash: bool
    tight: bool
    basis: bytes | None
    sizes: Sizes
    read: Read
    closed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Answer:
    """`cut` and `revenue` of a choice with a plan; else `short`, which is above nought where no plan can be.

    `why`: the argument does not hold at all. `read` are the faces known now, `basis` where others start. `both` are
    two flows of one converter that the plan lets run at once, and the lesser of them in MW; None where it has none.
    """

    revenue: float
    cut: Limit | None
    short: Limit | None
    why: str
    read: Read
    basis: bytes
    calls: int
    seconds: float
    both: Both | None = None


def answer(question: Question) -> Answer:
    """Solve a choice; what a worker runs. The same to the last bit whatever was asked before."""
    try:
        program = _taken(question)
        calls, seconds = program.calls, program.seconds
        found = program.asked(question.sizes, question.read, question.closed)
    except NotConcaveError as error:
        return Answer(np.nan, None, None, str(error), question.read, b"", 0, 0.0)
    revenue, cut, short, both = found
    if question.basis is None:
        calls, seconds = 0, 0.0
    made = Answer(
        revenue, cut, short, "", program.read_at, program.stored, program.calls - calls, program.seconds - seconds,
        both,
    )  # fmt: skip
    _give_back(question, program)
    return made


class JointProgram(WarmProgram[Sizes]):
    """Revenue of a horizon, or the strategy's objective, at any sizes of the batteries `names`."""

    def __init__(
        self,
        scenario: Scenario,
        names: tuple[str, ...],
        first: Sizes,
        *,
        cash: bool = True,
        tight: bool = False,
        basis: bytes | None = None,
    ) -> None:
        """Build and solve a first choice; arguments and errors as `WarmProgram`."""
        self._first_sizes = first
        self._kept: OrderedDict[Sizes, Program] = OrderedDict()
        self._faces = [Faces(self._alone(place)) for place in range(len(names))]
        super().__init__(
            lambda sizes: sized(scenario, dict(zip(names, sizes, strict=True))),
            first,
            cash=cash,
            tight=tight,
            basis=basis,
        )
        self._kept[first] = self._base

    def _built(self, size: Sizes) -> Program:
        """The program of a choice; those asked for last are kept, as branches ask for the same choices."""
        made = self._kept.pop(size, None) or super()._built(size)
        self._kept[size] = made
        while len(self._kept) > 1 and len(self._kept) * made.columns > KEPT_COLUMNS:
            self._kept.popitem(last=False)
        return made

    def _alone(self, place: int) -> Callable[[float, float], Program]:
        """What builds the program with one battery at a size and the others at the first choice."""

        def built(power_mw: float, energy_mwh: float) -> Program:
            sizes = list(self._first_sizes)
            sizes[place] = power_mw, energy_mwh
            return self._built(tuple(sizes))

        return built

    @property
    def read_at(self) -> Read:
        """Per battery the sizes at which its faces were read."""
        return tuple(faces.read_at for faces in self._faces)

    def asked(
        self, sizes: Sizes, read: Read, closed: tuple[int, ...]
    ) -> tuple[float, Limit | None, Limit | None, Both | None]:
        """(revenue, its cut, None, the flows that run at once), or (NaN, None, what rules the choice out, None)."""
        for faces, known in zip(self._faces, read, strict=True):
            faces.read(known)
        try:
            program, solution = self._solution(sizes, closed)
        except InfeasibleProgramError:
            return np.nan, None, self._short_at(sizes, closed), None
        duals, revenue = duals_of(program, solution, closed), -solution.objective

        def worth(change: Change) -> float:
            return change.worth(duals)

        return revenue, Limit(revenue, self._parts(program, sizes, worth)), None, self._both(program, solution.x)

    def _both(self, program: Program, x: Array) -> Both | None:
        """The two flows of one converter of which the lesser is the largest; None where each runs one way."""
        found: Both | None = None
        most = ONE_WAY_ROUNDING * self._scale_mw
        for pair in self._pairs:
            first, second = program.variables[pair.first].slice, program.variables[pair.second].slice
            lesser = np.minimum(x[first], x[second])
            step = int(lesser.argmax())
            if lesser[step] > most:
                most = float(lesser[step])
                found = first.start + step, second.start + step, most
        return found

    def _parts(self, program: Program, sizes: Sizes, worth: Callable[[Change], float]) -> Parts:
        """Per battery the planes of what its size changes, counted from the choice that `program` is of."""
        alone = [self._alone(place)(*size) for place, size in enumerate(sizes)]
        self._require_apart(program, alone)
        return tuple(
            tuple(_plane(own, face, worth) for face in faces.at(own, *size))
            for faces, own, size in zip(self._faces, alone, sizes, strict=True)
        )

    def _require_apart(self, program: Program, alone: list[Program]) -> None:
        """What several sizes change together is the sum of what each changes alone. NotConcaveError where not."""
        for name in SIDES:
            there, base = getattr(program, name), getattr(self._base, name)
            apart = [getattr(own, name) for own in alone]
            finite = np.isfinite(there) & np.isfinite(base)
            for own in apart:
                if not np.array_equal(np.isfinite(own), np.isfinite(base)):
                    raise NotConcaveError("a limit of the program comes and goes with the size")
            moved = sum((own[finite] - base[finite] for own in apart), start=np.zeros(int(finite.sum())))
            slack = AS_ONE * np.abs(moved) + ROUNDING * (np.abs(there[finite]) + np.abs(base[finite]))
            if (np.abs(there[finite] - base[finite] - moved) > slack).any():
                raise NotConcaveError("a limit of the program depends on the sizes of two batteries together")

    def _short_at(self, sizes: Sizes, closed: tuple[int, ...]) -> Limit:
        """By how much limits fall short, from below: of every battery one plane under what its size changes."""
        program = self._built(sizes)
        short: Short = self._short_of(program, closed)
        parts = self._parts(program, sizes, short)
        return Limit(short(program), tuple(planes[:1] for planes in parts))


def _plane(own: Program, face: Face, worth: Callable[[Change], float]) -> Plane:
    """The plane of a face, counted from the size that `own` is of."""
    there = worth(Change.between(own, face.program))
    per_mw, per_mwh = (worth(change) for change in face.changes)
    return Plane(there - per_mw * face.power_mw - per_mwh * face.energy_mwh, per_mw, per_mwh)


_held: OrderedDict[tuple[object, ...], tuple[JointProgram, int]] = OrderedDict()
_lock = threading.Lock()


def _name(question: Question) -> tuple[object, ...]:
    return question.key, question.names, question.first, question.cash, question.tight


def _taken(question: Question) -> JointProgram:
    """The program of a question: one that is held, which nobody else then has, or a new one."""
    with _lock:
        held = _held.pop(_name(question), None)
    if held is not None and question.basis in (None, held[0].stored):
        return held[0]
    return JointProgram(
        question.scenario, question.names, question.first, cash=question.cash, tight=question.tight,
        basis=question.basis,
    )  # fmt: skip


def _give_back(question: Question, program: JointProgram) -> None:
    with _lock:
        _held[_name(question)] = program, len(question.scenario.series)
        while len(_held) > 1 and sum(steps for _, steps in _held.values()) > HELD_STEPS:
            _held.popitem(last=False)


def let_go(keys: set[str]) -> None:
    """Forget the programs of scenarios with these digests."""
    with _lock:
        for name in [name for name in _held if name[0] in keys]:
            del _held[name]
