"""Windows of one horizon by value functions: planned from any state, on numbers that depend on their age.

All ages of a forecast share one step program in structure. What differs between them is kept in tables by age, and
written into the program's own series for the steps of a window before it is planned.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.value_function.modes import Modes, modes_of
from bess_opt.solver.value_function.recursion import NO_MEMORY, NO_PLAN, Recursion, RecursionFailedError
from bess_opt.solver.value_function.step_program import LEVELS, NotStepwiseError, StepProgram

MOST_KNOWN = 1_024  # steps of a window whose single steps are kept: of longer ones few share a step


@dataclass(frozen=True)
class AgedProgram:
    """The step program of the youngest age, and what older ages believe otherwise.

    `tables` holds, by place in `numbers_of`, a row per age and a column per step; `kinds` is the kind of each step by
    age, for the kinds of `modes`.
    """

    program: StepProgram
    modes: Modes
    tables: dict[int, Array]
    kinds: Array


def aged(programs: Iterable[StepProgram]) -> AgedProgram:
    """Programs of one horizon, youngest age first, as one; ages that believe the same may share theirs.

    Raises `NotStepwiseError` where they differ in more than numbers per step, or as `modes_of`.
    """
    base: StepProgram | None = None
    last: StepProgram | None = None
    changed: list[dict[int, Array]] = []
    codes: list[Array] = []
    for program in programs:
        if base is None:
            base, own = program, numbers_of(program)
        if program is last:
            changed.append(changed[-1])
            codes.append(codes[-1])
            continue
        _require_alike(base, program)
        changed.append(
            {k: b for k, (a, b) in enumerate(zip(own, numbers_of(program), strict=True)) if not _same(a, b)}
        )
        codes.append(_code(program))
        last = program
    if base is None:
        raise ValueError("at least one age is needed")
    tables = {
        k: np.array([np.broadcast_to(change.get(k, own[k]), base.steps) for change in changed])
        for k in sorted({k for change in changed for k in change})
    }
    if not tables:
        codes = codes[:1]
    found, kinds = np.unique(np.array(codes), return_inverse=True)
    return AgedProgram(base, modes_of(_one_of_each(base, found)), tables, kinds.reshape(len(codes), base.steps))


def numbers_of(program: StepProgram) -> list[Array]:
    """Everything in a program that may differ from age to age, in one order."""
    return [*program.right, *program.lower, *program.upper, *(cost for level in program.cost for cost in level)]


def _with_numbers(program: StepProgram, numbers: list[Array]) -> StepProgram:
    rows, columns = len(program.rows), len(program.columns)
    cut = np.cumsum([rows, columns, columns, *[columns] * program.levels]).tolist()
    right, lower, upper, *cost = (numbers[a:b] for a, b in zip([0, *cut], cut, strict=False))
    return replace(program, right=right, lower=lower, upper=upper, cost=cost)


def _require_alike(one: StepProgram, other: StepProgram) -> None:
    same = one.columns == other.columns and one.rows == other.rows and np.array_equal(one.matrix, other.matrix)
    same = same and one.kept == other.kept and one.levels == other.levels and one.pairs == other.pairs
    windows = ((one.least, other.least), (one.most, other.most))
    worths = zip(one.energy_worth, other.energy_worth, strict=False)
    if not same or not all(np.array_equal(a, b) for a, b in (*windows, *worths)):
        raise NotStepwiseError(["forecast: what is believed changes more than the numbers of single steps"])


def _same(one: Array, other: Array) -> bool:
    return one is other or np.array_equal(one, other)


def _code(program: StepProgram) -> Array:
    """Which columns each step holds at zero, as bits."""
    code = np.zeros(program.steps, dtype=np.int64)
    for j, (lower, upper) in enumerate(zip(program.lower, program.upper, strict=True)):
        code |= ((lower == 0.0) & (upper == 0.0)).astype(np.int64) << j
    return code


def _one_of_each(program: StepProgram, codes: Array) -> StepProgram:
    """A program of as many steps as there are codes, of which each holds the columns of its code at zero."""
    held = [(codes >> j & 1).astype(float) for j in range(len(program.columns))]
    return replace(
        program,
        steps=len(codes),
        lower=[np.zeros(len(codes)) for _ in held],
        upper=[1.0 - column for column in held],
    )


@dataclass(frozen=True)
class Part:
    """A window's plan: `energy` of its instants, `flow` by column and `price` of stored energy at each step's end."""

    energy: Array
    flow: Array
    price: Array


class Windows(Recursion):
    """Plans of windows of `aged_program`'s horizon; each call overwrites what the one before gave."""

    def __init__(self, aged_program: AgedProgram) -> None:
        program, self._tables = aged_program.program, aged_program.tables
        numbers = numbers_of(program)
        for k, table in self._tables.items():
            numbers[k] = np.full(program.steps, np.abs(table).max())  # tolerances are those of the largest
        kind = np.array(aged_program.kinds[0], dtype=np.int64)
        rows, columns, steps = len(program.rows), len(program.columns), program.steps
        bounds = np.array([np.broadcast_to(values, steps) for values in numbers[rows : rows + 2 * columns]])
        numbers[rows : rows + 2 * columns] = list(bounds)  # rows of one array: all are changed and read at once
        self.lower, self.upper = bounds[:columns], bounds[columns:]
        super().__init__(_with_numbers(program, numbers), replace(aged_program.modes, kind=kind))
        self._buffers = {k: numbers[k] for k in self._tables}
        for k, table in self._tables.items():
            self._buffers[k][:] = table[0]
        self._kind, self._kinds = kind, aged_program.kinds
        self._energy, self._flow, self._price = np.empty(steps + 1), np.empty((columns, steps)), np.empty(steps)
        self._mode, self._row = np.empty(steps, dtype=np.int64), np.empty((rows, steps))
        made = (self._energy, self._flow, self._mode, self._price, self._row)
        self._made = [a.ctypes.data for a in made]
        self._ends, self._slope, self._value = np.zeros(2), np.zeros((1, LEVELS)), np.zeros(LEVELS)
        self._end_at = [a.ctypes.data for a in (self._ends, self._slope, self._value)]
        self._status, self._where = np.zeros(5, dtype=np.int64), np.zeros(1, dtype=np.int64)
        self._status_at, self._result_at, self._where_at = (
            a.ctypes.data for a in (self._status, self._value, self._where)
        )
        self._at, self._slots = ctypes.byref(self._problem), 0
        self._forget: Callable[[], object] | None = None
        self._least, self._most = _at_instants(program.least, steps), _at_instants(program.most, steps)
        worths = [_at_instants(own, steps) for own in program.energy_worth]
        self._worths = worths + [[0.0] * (steps + 1)] * (LEVELS - len(worths))

    @property
    def columns(self) -> list[str]:
        """Names of the rows of `Part.flow`."""
        return self.program.columns

    @property
    def steps(self) -> int:
        """Steps of the horizon."""
        return self.program.steps

    @property
    def changing(self) -> bool:
        """Whether any number depends on the age."""
        return bool(self._tables)

    def plan(
        self, first: int, last: int, energy_mwh: float, *, age: Array | None, least_mwh: float, worth: float
    ) -> Part:
        """The best plan of steps `first` to `last` − 1 from `energy_mwh`, the tie-break's among equals.

        `age` is that of each of these steps, None if all believe the same; at the end at least `least_mwh` stay in
        store, and each MWh is worth `worth` beside what the program says. Raises `RecursionFailedError`.
        """
        if age is not None and self._tables:
            steps = np.arange(first, last)
            for k, table in self._tables.items():
                self._buffers[k][first:last] = table[age, steps]
            self._kind[first:last] = self._kinds[age, steps]
        low, high = max(self._least[last], least_mwh), self._most[last]
        if low > high + self._problem.slack:
            raise RecursionFailedError(NO_PLAN, last - 1)
        low = min(low, high)
        slope = [own[last] for own in self._worths]
        slope[0] += worth
        self._ends[:] = low, high
        self._slope[0] = slope
        self._value[:] = [own * low for own in slope]
        self._energy[first] = energy_mwh
        if self._slots < last - first <= MOST_KNOWN and not self._tables:
            self._know(last - first)
        self._solve(first, last)
        return Part(self._energy[first : last + 1], self._flow[:, first:last], self._price[first:last])

    def _know(self, steps: int) -> None:
        """From now on keep what was found out about as many single steps, for the windows that share them."""
        if self._forget is not None:
            self._forget()
        self._problem.known = known = self._library.vf_known(self._at, steps)
        if not known:
            raise RecursionFailedError(NO_MEMORY, 0)
        self._slots, self._forget = steps, weakref.finalize(self, self._library.vf_forget, known)

    def _solve(self, first: int, last: int) -> None:
        library = self._library
        memory = library.vf_backward(self._at, first, last, 1, *self._end_at, 1)
        if not memory:
            raise RecursionFailedError(NO_MEMORY, last)
        try:
            library.vf_result(memory, self._status_at, self._result_at)
            if self._status[0]:
                raise RecursionFailedError(int(self._status[0]), int(self._status[1]))
            status = library.vf_forward(self._at, memory, 0, self.program.steps, *self._made, np.nan, self._where_at)
        finally:
            library.vf_free(memory)
        if status:
            raise RecursionFailedError(int(status), int(self._where[0]))


def _at_instants(values: Array, steps: int) -> list[float]:
    """A series of instants, which may be one for all."""
    found: list[float] = np.broadcast_to(values, steps + 1).tolist()
    return found
