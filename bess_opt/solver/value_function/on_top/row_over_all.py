"""One limit on the flows of the whole horizon (cycles of a year, a warranty) beside the recursion, by its price.

With a price on what the row counts the recursion keeps no row: L(price) = most of (money − price · used) + price ·
limit bounds every plan. L is convex and piecewise linear; each plan is a line of it, and the lines of a plan that
uses too much and of one that uses too little cross at the next price to try. At the lowest point two plans are best
at the same price, one on either side of the limit. Between two instants at which both hold the same energy either
may be followed, and where energies between theirs are as good, a mixture: so the limit is met to the last bit. What
comes out is believed only if its money is the bound.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.value_function.modes import Modes
from bess_opt.solver.value_function.prices import dearest, earned_by
from bess_opt.solver.value_function.recursion import STOPPED, Recursion, RecursionFailedError, Schedule
from bess_opt.solver.value_function.step_program import LEVELS, HorizonRow, NotStepwiseError, StepProgram

ON_THE_LINE = 1e-12  # of the money: a price at which no plan is better than the two lines has been found
EXACT = 1e-9  # of the turnover, and of the limit: how close the plan must come to bound and limit
PRICES = 100  # tried at most; some fifteen do
MIXTURES = 12  # tried at most


def plan_under_row(
    program: StepProgram, row: HorizonRow, ways: Modes, seconds: float | None
) -> tuple[Schedule, float]:
    """(the best plan of `program` that keeps `row`, the price of the row).

    Raises `NotStepwiseError` where no price closes the gap, and `RecursionFailedError`.
    """
    search = _Search(program, row, ways, seconds)
    free = search.line(0.0)
    if free.used <= row.most * (1.0 + EXACT):
        schedule = search.recursion(0.0).schedule()
        if row.used(schedule.flow) <= row.most * (1.0 + EXACT):
            return schedule, 0.0
    more, less, price, bound = search.lowest(free)
    last = search.recursion(price)
    for energy in search.mixtures(more, less):
        schedule = last.along(energy)
        money, turnover = earned_by(program, schedule.flow, schedule.energy)
        kept = row.used(schedule.flow) <= row.most + EXACT * max(abs(row.most), abs(more.used))
        if kept and bound - money <= EXACT * max(turnover, abs(bound)):
            return replace(schedule, value=np.array([bound, *schedule.value[1:]])), price
    raise NotStepwiseError(
        [f"{row.name}: is one row for all steps, and no price on it leads to a plan that meets it"]
    )


@dataclass(frozen=True)
class _Line:
    """The plan that is best at `price`: its money beside that price, and what it uses of the row."""

    price: float
    money: float
    used: float

    def at(self, price: float, limit: float) -> float:
        """What this plan brings at another price of the row."""
        return self.money - price * (self.used - limit)


class _Search:
    """Plans of one program at prices of its row."""

    def __init__(self, program: StepProgram, row: HorizonRow, ways: Modes, seconds: float | None) -> None:
        if program.levels >= LEVELS:
            raise NotStepwiseError([f"{row.name}: is one row for all steps, beside two objectives"])
        self.program, self.row, self._ways = program, row, ways
        self._until = None if seconds is None else time.perf_counter() + seconds
        self._measured = replace(
            program,
            cost=[*program.cost, row.weight],
            energy_worth=[*program.energy_worth, np.zeros(1)],
            offset=[*program.offset, 0.0],
            measures=1,
        )

    def recursion(self, price: float, *, measured: bool = False) -> Recursion:
        """The recursion in which the row costs `price`."""
        program = self._measured if measured else self.program
        cost = [self.row.priced(program.cost[0], price), *program.cost[1:]]
        return Recursion(replace(program, cost=cost), self._ways)

    def line(self, price: float) -> _Line:
        """The best plan at `price`, by its value alone."""
        left = None if self._until is None else self._until - time.perf_counter()
        if left is not None and left <= 0.0:
            raise RecursionFailedError(STOPPED, 0)
        asked = self.recursion(price, measured=True)
        with asked.within(left):
            value = asked.start().value
        used = float(value[-1])
        return _Line(price, float(value[0]) + price * used, used)

    def lowest(self, free: _Line) -> tuple[_Line, _Line, float, float]:
        """(a plan that uses too much, one that does not, the price at which both are best, the bound there)."""
        limit, weights = self.row.most, [w[w != 0.0] for w in self.row.weight]
        least = min(float(np.abs(w).min()) for w in weights if len(w))
        more, less = free, self.line(4.0 * dearest(self.program) / least)
        if less.used > limit:
            raise NotStepwiseError(
                [f"{self.row.name}: is one row for all steps that no price alone makes plans keep"]
            )
        for _ in range(PRICES):
            price = (more.money - less.money) / (more.used - less.used)
            found, line = self.line(price), more.at(price, limit)
            if found.at(price, limit) - line <= ON_THE_LINE * max(abs(line), abs(more.money)):
                return more, less, price, max(line, found.at(price, limit))
            if found.used > limit:
                more = found
            else:
                less = found
        raise NotStepwiseError([f"{self.row.name}: is one row for all steps, and its price was not found"])

    def mixtures(self, more: _Line, less: _Line) -> Iterator[Array]:
        """Energies of plans that use just the limit: one piece is a mixture, all others of one of the plans."""
        much, little = (self._plan(line.price) for line in (more, less))
        size = float(np.ptp(self.program.most)) or float(self.program.most.max(initial=1.0))
        met = np.flatnonzero(np.abs(much.energy - little.energy) <= EXACT * size)
        ends = np.unique(np.append(met, self.program.steps))
        extra = np.add.reduceat(self.row.used_by_step(much.flow) - self.row.used_by_step(little.flow), ends[:-1])
        room = self.row.most - self.row.used(little.flow)
        for mixed in np.flatnonzero(extra > 0.0)[:MIXTURES].tolist():
            taken = _fitting(np.delete(extra, mixed), room)
            share = min((room - float(np.delete(extra, mixed)[taken].sum())) / float(extra[mixed]), 1.0)
            shares = np.insert(taken.astype(float), mixed, share)
            of_instant = np.append(np.repeat(shares, np.diff(ends)), shares[-1])
            of_instant[met] = np.round(of_instant[met])
            yield of_instant * much.energy + (1.0 - of_instant) * little.energy

    def _plan(self, price: float) -> Schedule:
        recursion, program = self.recursion(price), self.program
        return recursion.schedule_of(0, program.steps, float(program.least[0]), recursion.end(), priced=False)


def _fitting(extra: Array, room: float) -> Array:
    """Which pieces find room, the earliest first."""
    taken = np.zeros(len(extra), dtype=bool)
    for piece, more in enumerate(extra.tolist()):
        if more <= room:
            taken[piece] = True
            room -= more
    return taken
