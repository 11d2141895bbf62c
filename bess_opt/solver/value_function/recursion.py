"""The door to the compiled recursion: a step program and its modes go in, values and schedules come out."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.engines import EngineRefusedError
from bess_opt.solver.value_function.modes import Modes
from bess_opt.solver.value_function.sources import checksum
from bess_opt.solver.value_function.step_program import LEVELS, StepProgram

CHUNK = 65_536  # steps whose value functions are kept at once: a longer horizon is gone through twice
SAME = 1e-12  # of the largest slope or of the battery: less is rounding
# The tie-break weighs "earliest" 1e-5 of throughput and less: its slopes are told apart ten times finer.
SAME_TIE = 1e-13
SLACK = 1e-9  # of the battery: a limit missed by less is not missed
FAILED = {
    1: "no plan keeps the limits of every step",
    2: "what the cells can gain in a step is not one range",
    3: "what a step earns jumps with what the cells gain",
    4: "a flow without a limit would earn without end",
    5: "a value function has too many pieces",
    6: "there is not enough memory",
    7: "the time limit ended the recursion",
}
NO_PLAN, TOO_MANY, NO_MEMORY, STOPPED = 1, 5, 6, 7
# Breakpoints that a value function may have: at first, which is quick to set up, and where these do not do.
ROOM, MOST_ROOM = 4_096, 65_536
NOT_BUILT = "the compiled part of the value functions was not built with this installation"

_Integer, _Number, _Place = ctypes.c_int64, ctypes.c_double, ctypes.c_void_p


class _Series(ctypes.Structure):
    _fields_ = [("at", _Place), ("stride", _Integer)]


class _Problem(ctypes.Structure):
    _fields_ = [
        *((name, _Integer) for name in ("steps", "levels", "rows", "columns", "energy_row")),
        *((name, _Integer) for name in ("most_bases", "most_modes", "room")),
        *((name, _Number) for name in ("kept", "width", "slack")),
        ("slope_zero", _Number * LEVELS),
        ("value_zero", _Number * LEVELS),
        *((name, _Place) for name in ("kind", "first_mode", "free_mode", "first_basis", "first_ray")),
        *((name, _Place) for name in ("open", "basic", "loose")),
        *((name, _Place) for name in ("inverse", "tableau", "ray", "ray_column")),
        *((name, _Place) for name in ("cost", "lower", "upper", "right")),
        ("least", _Series),
        ("most", _Series),
        ("energy_worth", _Series * LEVELS),
        ("stop", _Place),
        ("known", _Place),
    ]


class RecursionFailedError(EngineRefusedError):
    """The recursion could not go on; `rows` say why.

    `no_plan`: no schedule exists. `out_of_time`: the caller's limit was reached. Else HiGHS must be asked.
    """

    def __init__(self, status: int, step: int) -> None:
        super().__init__(status, step)
        self.no_plan, self.out_of_time = status == NO_PLAN, status == STOPPED
        self.rows = (f"step {step}: {FAILED[status]}",)

    def __str__(self) -> str:
        return self.rows[0]


@dataclass(frozen=True)
class Curve:
    """A value function at an instant: `slope` (a row per piece, a column per level) between `energy` and the next.

    `value` is that at energy[0], of every level.
    """

    energy: Array
    slope: Array
    value: Array

    def levels_at(self, energy: float) -> Array:
        """Value of every level at `energy`, which lies in the curve's range but for rounding."""
        width = np.diff(np.clip(self.energy, None, max(energy, self.energy[0])))
        value: Array = self.value + width @ self.slope
        return value

    def at(self, energy: Array | float) -> Array:
        """Value of the first level at `energy`, -inf outside."""
        heights = self.value[0] + np.concatenate([[0.0], np.cumsum(self.slope[:, 0] * np.diff(self.energy))])
        values: Array = np.interp(energy, self.energy, heights, left=-np.inf, right=-np.inf)
        return values


@dataclass(frozen=True)
class Schedule:
    """The recursion's plan: `energy` of each instant, `flow` (a row per column), `mode` and prices of each step.

    `value` is that of every level; `price` the worth of stored energy at each step's end, `row` (a row per row of the
    step) the prices of the rows, both in the first level. `pieces` is the most that a value function had;
    `humps` whether one was not concave.
    """

    value: Array
    energy: Array
    flow: Array
    mode: Array
    price: Array
    row: Array
    pieces: int
    humps: bool


@lru_cache(maxsize=1)
def compiled_part() -> Any:
    """The compiled part, or None where it was not built."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_passes{suffix}")
        if path.exists():
            found = ctypes.CDLL(str(path))
            if checksum(Path(__file__).parent) not in (getattr(found, "vf_sources", int)(), None):
                continue  # built from other sources: an old build left in place
            found.vf_backward.restype = _Place
            found.vf_backward.argtypes = [_Place, _Integer, _Integer, _Integer, _Place, _Place, _Place, _Integer]
            found.vf_free.argtypes = [_Place]
            found.vf_result.argtypes = [_Place, _Place, _Place]
            found.vf_curve.restype, found.vf_curve.argtypes = _Integer, [_Place, _Integer, _Place, _Place]
            found.vf_known.restype, found.vf_known.argtypes = _Place, [_Place, _Integer]
            found.vf_forget.argtypes = [_Place]
            found.vf_humps.restype, found.vf_humps.argtypes = _Integer, [_Place]
            for forward in (found.vf_forward, found.vf_along):
                forward.restype = _Integer
                forward.argtypes = [_Place, _Place, _Integer, _Integer, *[_Place] * 5, _Number, _Place]
            return found
    return None


class Recursion:
    """A step program laid out for the compiled part; `value` and `schedule` may be asked any number of times."""

    def __init__(self, program: StepProgram, modes: Modes) -> None:
        self.program, self.modes = program, modes
        self._library = compiled_part()
        if self._library is None:
            raise EngineRefusedError.because(NOT_BUILT)
        self._kept_alive: list[Any] = []
        self.width, self.slope_zero, self.value_zero = tolerances_of(program)
        p = _Problem()
        p.steps, p.levels, p.rows = program.steps, program.levels, len(program.rows)
        p.columns, p.energy_row = len(program.columns), program.energy_row
        p.most_bases, p.most_modes, p.room = modes.most_bases, modes.most_modes, ROOM
        self._stop = np.zeros(1, dtype=np.int64)
        p.stop = self._stop.ctypes.data
        p.kept, p.width, p.slack = program.kept, self.width, SLACK / SAME * self.width
        p.slope_zero[:], p.value_zero[:] = self.slope_zero, self.value_zero
        for name in ("kind", "first_mode", "free_mode", "first_basis", "first_ray", "open", "basic", "loose"):
            setattr(p, name, self._hold(np.ascontiguousarray(getattr(modes, name), dtype=np.int64)))
        for name in ("inverse", "tableau", "ray", "ray_column"):
            setattr(p, name, self._hold(np.ascontiguousarray(getattr(modes, name), dtype=float)))
        p.cost = self._all([column for level in program.cost for column in level])
        p.lower, p.upper, p.right = self._all(program.lower), self._all(program.upper), self._all(program.right)
        p.least, p.most = self._series(program.least), self._series(program.most)
        for level, worth in enumerate(program.energy_worth):
            p.energy_worth[level] = self._series(worth)
        self._problem = p

    def _hold(self, values: Array) -> int:
        self._kept_alive.append(values)
        return int(values.ctypes.data)

    def _series(self, values: Array) -> _Series:
        return _Series(self._hold(np.ascontiguousarray(values, dtype=float)), int(len(values) > 1))

    def _all(self, columns: Sequence[Array]) -> Any:
        array = (_Series * max(len(columns), 1))(*(self._series(values) for values in columns))
        self._kept_alive.append(array)
        return ctypes.cast(array, _Place)

    def end(self, instant: int | None = None) -> Curve:
        """What energy is worth by itself at an instant, that of the end of the horizon by default."""
        program, at = self.program, self.program.steps if instant is None else instant
        least, most = float(program.least[at]), float(program.most[at])
        slope = np.zeros((1, LEVELS))
        slope[0, : program.levels] = [worth[at if len(worth) > 1 else 0] for worth in program.energy_worth]
        return Curve(np.array([least, most]), slope, slope[0] * least)

    def start(self, after: Curve | None = None) -> Curve:
        """The value function at the start of the horizon; `after` is that of its end, if not the program's own."""
        return self._value_at(0, self.program.steps, after or self.end())

    def _value_at(self, first: int, last: int, after: Curve) -> Curve:
        memory = self._backward(first, last, after, keeping=False)
        try:
            return self._curve(memory, -1)
        finally:
            self._library.vf_free(memory)

    @contextmanager
    def within(self, seconds: float | None) -> Iterator[None]:
        """What is asked inside stops after so many seconds, with a `RecursionFailedError` that is `out_of_time`."""
        if seconds is None:
            yield
            return
        timer = Timer(max(seconds, 0.0), lambda: self._stop.fill(1))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            self._stop.fill(0)

    def schedule(self) -> Schedule:
        """The best plan from the energy held at the start. Raises `RecursionFailedError`."""
        return self.schedule_of(0, self.program.steps, float(self.program.least[0]), self.end())

    def along(self, energy: Array) -> Schedule:
        """The plan with these energies at all instants: the best flows of each step, with prices."""
        return self.schedule_of(0, self.program.steps, float(energy[0]), self.end(), held=energy)

    def schedule_of(
        self,
        begin: int,
        stop: int,
        energy_mwh: float,
        after: Curve,
        *,
        priced: bool = True,
        flows: bool = True,
        held: Array | None = None,
    ) -> Schedule:
        """The best plan of the steps `begin` to `stop` − 1 from `energy_mwh` on; `after` is the value at their end.

        With `held` energies only the flows are chosen; without `priced` the plan has no prices (NaN), without `flows`
        no flows, in half of the time. Arrays of the answer hold these steps alone. Raises `RecursionFailedError`.
        """
        steps, program = stop - begin, self.program
        firsts = list(range(begin, stop, CHUNK))
        curve, ends = after, {}
        for first in reversed(firsts):
            ends[first] = curve
            if first > begin:
                curve = self._value_at(first, min(first + CHUNK, stop), curve)
        energy, mode = np.empty(steps + 1), np.empty(steps, np.int64)
        flow = np.empty((len(program.columns) if flows else 0, steps))
        price, row = np.full(steps, np.nan), np.full((len(program.rows) if priced else 0, steps), np.nan)
        if held is not None:
            energy[:] = held
        forward = self._library.vf_forward if held is None else self._library.vf_along
        energy[0], where, value, pieces = energy_mwh, np.zeros(1, dtype=np.int64), np.zeros(LEVELS), 0
        humps = False
        for first in firsts:
            memory = self._backward(first, min(first + CHUNK, stop), ends[first], keeping=True)
            try:
                numbers = self._numbers(memory)
                pieces, humps = max(pieces, int(numbers[2])), humps or bool(self._library.vf_humps(memory))
                value = value if first > begin else self._curve(memory, -1).levels_at(energy_mwh)
                status = forward(
                    ctypes.byref(self._problem),
                    memory,
                    begin,
                    steps,
                    energy.ctypes.data,
                    flow.ctypes.data if flows else None,
                    mode.ctypes.data,
                    *(a.ctypes.data if priced else None for a in (price, row)),
                    price[first - begin - 1] if first > begin else np.nan,
                    where.ctypes.data,
                )
            finally:
                self._library.vf_free(memory)
            if status:
                raise RecursionFailedError(status, int(where[0]))
        return Schedule(value, energy, flow, mode, price, row, pieces, humps)

    def curves(self, instants: Array) -> list[Curve]:
        """The value functions at the end of some steps, given by number from 1 on; the horizon must be one chunk."""
        memory = self._backward(0, self.program.steps, self.end(), keeping=True)
        try:
            return [self._curve(memory, int(t) - 1) for t in instants]
        finally:
            self._library.vf_free(memory)

    def curves_between(self, first: int, last: int) -> list[Curve]:
        """The value functions at the end of the steps `first` to `last` − 1, of a horizon of any length."""
        after = self.end()
        for begin in range(self.program.steps - 1, last - 1, -CHUNK):
            stop = begin + 1
            after = self._value_at(max(last, stop - CHUNK), stop, after)
        memory = self._backward(first, last, after, keeping=True)
        try:
            return [self._curve(memory, step) for step in range(first, last)]
        finally:
            self._library.vf_free(memory)

    def _backward(self, first: int, last: int, end: Curve, *, keeping: bool) -> Any:
        shut = np.flatnonzero(self.program.least > self.program.most + SLACK / SAME * self.width)
        if len(shut):
            raise RecursionFailedError(NO_PLAN, max(int(shut[0]) - 1, 0))
        energy, slope = np.ascontiguousarray(end.energy), np.ascontiguousarray(end.slope)
        value = np.ascontiguousarray(end.value)
        for room in (ROOM, MOST_ROOM):
            problem = _Problem.from_buffer_copy(self._problem)
            problem.room = room
            memory = self._library.vf_backward(
                ctypes.byref(problem),
                first,
                last,
                len(slope),
                energy.ctypes.data,
                slope.ctypes.data,
                value.ctypes.data,
                int(keeping),
            )
            if not memory:
                raise RecursionFailedError(NO_MEMORY, last)
            numbers = self._numbers(memory)
            if not numbers[0]:
                return memory
            self._library.vf_free(memory)
            if numbers[0] != TOO_MANY:
                break
        raise RecursionFailedError(int(numbers[0]), int(numbers[1]))

    def _numbers(self, memory: Any) -> Array:
        """(status, step, most pieces, breakpoints in all, pieces of the first curve)."""
        numbers, value = np.zeros(5, dtype=np.int64), np.zeros(LEVELS)
        self._library.vf_result(memory, numbers.ctypes.data, value.ctypes.data)
        return numbers

    def _curve(self, memory: Any, step: int) -> Curve:
        numbers, value = np.zeros(5, dtype=np.int64), np.zeros(LEVELS)
        self._library.vf_result(memory, numbers.ctypes.data, value.ctypes.data)
        pieces = int(self._library.vf_curve(memory, step, None, None))
        energy, slope = np.empty(pieces + 1), np.empty((pieces, LEVELS))
        self._library.vf_curve(memory, step, energy.ctypes.data, slope.ctypes.data)
        return Curve(energy, slope, value if step < 0 else np.zeros(LEVELS))


def tolerances_of(program: StepProgram) -> tuple[float, Array, Array]:
    """(least width of an interval, and per level the slope and the value that count as zero)."""
    finite = program.most[np.isfinite(program.most)]
    size = max(float(finite.max(initial=0.0)), 1e-12)
    law = float(np.abs(program.matrix[program.energy_row]).max())
    slope_zero, value_zero = np.zeros(LEVELS), np.zeros(LEVELS)
    for level, (cost, worth) in enumerate(zip(program.cost, program.energy_worth, strict=True)):
        last = level >= program.levels - 1 - program.measures
        largest = max(float(np.abs(c).max()) for c in cost) / law + float(np.abs(worth).max())
        slope_zero[level] = (SAME_TIE if last else SAME) * largest
        value_zero[level] = 4.0 * slope_zero[level] * size
    return SAME * size, slope_zero, value_zero
