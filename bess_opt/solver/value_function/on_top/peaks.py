"""Ceilings over many steps' flows (demand peaks) beside the recursion: bounds by cuts, one for each stretch of time.

With the ceilings given, the recursion solves the rest: what lies above a ceiling is allowed at a price beyond what
any ceiling could cost to raise, so that every choice has a plan. The row prices of that plan bound what each stretch
of time (a month) can bring, over its start energy, its end energy and its ceilings: a cut. The best choice under all
cuts so far is a small linear program, whose value bounds every plan. It is tried next, until bound and plan meet. The
cuts are those of the linear relaxation, since only these hold for other ceilings too; at the end the plan is made one
way, in rule 11's order, and believed only if its money is the bound.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse import block_array, csr_array

from bess_opt.common.arrays import Array, Integers, weighed
from bess_opt.solver.value_function.modes import Modes, modes_of
from bess_opt.solver.value_function.on_top.beside import Beside
from bess_opt.solver.value_function.on_top.ceiling_choice import Choice, SmallProgram, StretchPlanes
from bess_opt.solver.value_function.on_top.priced import PeakPrices
from bess_opt.solver.value_function.recursion import STOPPED, Recursion, RecursionFailedError, Schedule
from bess_opt.solver.value_function.step_program import LEVELS, NotStepwiseError, StepProgram

MET = 1e-10  # of the money: bound and plan have met
TRIES = 80  # choices of ceilings; some twenty do for a year of months
MOST = 60  # ceilings: where every day or step has its own, the cuts take longer than a linear program
BEYOND = 2.0  # times what all ceilings could cost together: the price of what lies above one
UNDER = 1e-9  # of the largest flow: what lies above a ceiling is rounding
FIRST = 0.6  # of the peaks that nobody minds: where the search begins; it goes lower where that pays
NOTHING = 0.05  # of the same: lower than this it begins at none


def plan_under_peaks(
    program: StepProgram, beside: Beside, seconds: float | None
) -> tuple[Schedule, PeakPrices, Modes]:
    """(the best plan of `program` under its ceilings, what these are and their prices, the modes of the plan).

    Raises `NotStepwiseError` where bound and plan do not meet, and `RecursionFailedError`.
    """
    names = ", ".join(beside.variables)
    if program.levels >= LEVELS:
        raise NotStepwiseError([f"{names}: belong to no step, and two objectives count one after the other"])
    if np.any(program.lower[beside.column]):
        raise NotStepwiseError([f"{names}: are ceilings over a flow that must run"])
    many = len(np.unique(beside.tied[1]))
    if many > MOST:
        raise NotStepwiseError([f"{names}: are {many} ceilings over the flows of many steps; at most {MOST}"])
    search = _Search(program, beside, seconds)
    return search.plan(search.lowest())


class _Search:
    """Choices of the ceilings of one program, and the cuts that their plans give."""

    def __init__(self, program: StepProgram, beside: Beside, seconds: float | None) -> None:
        self.program, self.beside = program, beside
        self._until = None if seconds is None else time.perf_counter() + seconds
        self._step, self._of = beside.tied
        self._first, self._stretch_of = _stretches(program.steps, self._step, self._of, len(beside.cost))
        self._penalty = _penalty(beside, program.steps)
        first_level = replace(
            program, cost=program.cost[:1], energy_worth=program.energy_worth[:1], offset=program.offset[:1]
        )
        self._relaxed = self._split(first_level)
        ways = modes_of(self._relaxed, one_way=False)
        self._ways = replace(ways, free_mode=np.full_like(ways.free_mode, -1))  # the one mode closes nothing
        free, money = self._free()
        self._free_peak = beside.reached(free)
        self.small = SmallProgram(program, beside, self._first, self._stretch_of, money)

    def _split(self, program: StepProgram) -> StepProgram:
        """`program` with a column for what lies above the ceilings."""
        j = self.beside.column
        cost = [[*level, level[j] - self._penalty if k == 0 else level[j]] for k, level in enumerate(program.cost)]
        new = len(program.columns)
        pairs = [(new if a == j else a, new if b == j else b) for a, b in program.pairs if j in (a, b)]
        above = np.where(self._penalty > 0.0, program.upper[j], 0.0)
        return replace(
            program,
            columns=[*program.columns, f"{program.columns[j]} above"],
            matrix=np.hstack([program.matrix, program.matrix[:, [j]]]),
            cost=cost,
            lower=[*program.lower, np.zeros(1)],
            upper=[*program.upper, above],
            pairs=[*program.pairs, *pairs],
            beside=None,
        )

    def _under(self, split: StepProgram, height: Array) -> StepProgram:
        """A split program whose ceilings stand at `height` in each step."""
        j = self.beside.column
        upper = list(split.upper)
        most = np.broadcast_to(upper[j], split.steps)
        above = np.where(np.isfinite(height), np.maximum(most - np.minimum(height, 1e300), 0.0), 0.0)
        upper[j], upper[-1] = np.minimum(most, height), above
        return replace(split, upper=upper)

    def _left(self) -> float | None:
        left = None if self._until is None else self._until - time.perf_counter()
        if left is not None and left <= 0.0:
            raise RecursionFailedError(STOPPED, 0)
        return left

    def _free(self) -> tuple[Array, float]:
        """(the flow under the ceilings where they cost nothing, the money of that plan and of its ceilings)."""
        under = self._under(self._relaxed, np.full(self.program.steps, np.inf))
        recursion = Recursion(under, self._ways)
        with recursion.within(self._left()):
            begin = float(self.program.least[0])
            schedule = recursion.schedule_of(0, self.program.steps, begin, recursion.end(), priced=False)
        flow = schedule.flow[self.beside.column]
        peaks = float(np.abs(self.beside.cost).sum()) * float(flow.max())
        return flow, abs(float(schedule.value[0])) + peaks

    def try_out(self, x: Array) -> float:
        """What the plan under the ceilings of `x` brings, but for their cost; its prices become a cut."""
        height, which = self.beside.least_over(x)
        under = self._under(self._relaxed, height)
        recursion = Recursion(under, self._ways)
        with recursion.within(self._left()):
            begin = float(self.program.least[0])
            schedule = recursion.schedule_of(0, self.program.steps, begin, recursion.end(), flows=False)
        self.small.add(self._cut(under, schedule, x, which))
        return float(schedule.value[0])

    def _cut(self, under: StepProgram, schedule: Schedule, x: Array, which: Integers) -> StretchPlanes:
        """What the prices of the plan under the ceilings `x` say; `which` of the ceilings counts in each step."""
        row, price, j, parts = schedule.row, schedule.price, self.beside.column, len(self._first)
        earned, gain = np.zeros(under.steps), np.zeros(under.steps)
        for right, y in zip(under.right, row, strict=True):
            earned += y * right
        for k, (lower, upper) in enumerate(zip(under.lower, under.upper, strict=True)):
            reduced = under.cost[0][k] - weighed(under.matrix[:, k], row)
            earned += _pressed(reduced, lower, upper)
            gain = reduced if k == j else gain
        of_energy = under.energy_worth[0] - np.append(0.0, price) + under.kept * np.append(price, 0.0)
        held = _pressed(of_energy, under.least, under.most)
        held[self._first] = held[-1] = 0.0  # these instants stand in the small program
        most = np.broadcast_to(self._relaxed.upper[j], under.steps)
        binding = np.flatnonzero(which >= 0)
        binding = binding[x[self._of[which[binding]]] < most[binding]]
        tied, peak = np.zeros(len(self._step)), np.zeros(len(x))
        tied[which[binding]] = np.clip(gain[binding], 0.0, self._penalty[binding])
        np.add.at(peak, self._of, tied)
        taken = np.where(peak > 0.0, peak * np.where(np.isfinite(x), x, 0.0), 0.0)
        ceilings = np.bincount(self._stretch_of[taken != 0.0], taken[taken != 0.0], parts)
        constant = np.add.reduceat(earned + held[:-1], self._first) - ceilings
        last = np.append(self._first[1:], under.steps) - 1
        return StretchPlanes(constant, under.kept * price[self._first], price[last], peak, row, price, tied)

    def lowest(self) -> Choice:
        """The choice at which bound and plan meet, weighing the cuts of `small`.

        It begins near the peaks that the battery would leave if they cost nothing: far below all is penalty.
        """
        beside, least, best, reached = self.beside, FIRST * self._free_peak, None, -np.inf
        self.try_out(np.full(len(beside.cost), np.inf))
        for _ in range(TRIES):
            choice = self.small.best(least)
            held = (least > 0.0) & (choice.x <= least * (1.0 + 1e-9))
            value = self.try_out(choice.x) + float(beside.cost @ choice.x)
            if value > reached:
                best, reached = choice.x, value
            if choice.bound - reached <= MET * max(abs(reached), abs(choice.bound)):
                if best is not None and not held.any():
                    return replace(choice, x=best)
                least[held] = 0.0
            least[held] *= 0.5
            least[least < NOTHING * self._free_peak] = 0.0
        raise NotStepwiseError([f"{', '.join(beside.variables)}: belong to no step, and no choice met its bound"])

    def plan(self, choice: Choice) -> tuple[Schedule, PeakPrices, Modes]:
        """The plan of rule 11 under the ceilings of the best choice, the prices that prove it, and its modes."""
        beside, j = self.beside, self.beside.column
        height, _ = beside.least_over(self.small.highest(choice.x))
        under = self._under(self._split(self.program), height)
        ways = modes_of(under)
        recursion = Recursion(under, ways)
        with recursion.within(self._left()):
            schedule = recursion.schedule()
        above, largest = float(schedule.flow[-1].max()), float(np.abs(schedule.flow).max())
        if above > UNDER * largest:
            names = ", ".join(beside.variables)
            raise NotStepwiseError([f"{names}: belong to no step, and {above:.3g} MW lie above the best choice"])
        flow = schedule.flow[:-1].copy()
        flow[j] += schedule.flow[-1]
        price, row, tied = self._prices(choice.weight)
        on_top = PeakPrices(beside, self.small.cheapest(beside.reached(flow[j])), choice.row, tied)
        value = np.array([choice.bound, *schedule.value[1:]])
        return replace(schedule, value=value, flow=flow, price=price, row=row), on_top, ways

    def _prices(self, weight: Array) -> tuple[Array, Array, Array]:
        """(prices of stored energy, of the steps' rows, of the ceilings): those of the cuts, weighed by stretch."""
        length, cut = np.diff(np.append(self._first, self.program.steps)), self.small.cuts[0]
        price, row, tied = np.zeros_like(cut.price), np.zeros_like(cut.row), np.zeros_like(cut.tied)
        weight = weight / weight.sum(axis=0)
        for cut, of_stretch in zip(self.small.cuts, weight, strict=False):
            if of_stretch.any():
                share = np.repeat(of_stretch, length)
                price += share * cut.price
                row += share * cut.row
                tied += share[self._step] * cut.tied
        return price, row, tied


def _stretches(steps: int, step: Integers, of: Integers, variables: int) -> tuple[Integers, Integers]:
    """(first step of each stretch, the stretch of each variable): each ceiling lies within one stretch."""
    first, last = np.full(variables, steps), np.full(variables, -1)
    np.minimum.at(first, of, step)
    np.maximum.at(last, of, step)
    used = np.flatnonzero(last >= 0)
    begins, reach = [0], -1
    for j in used[np.argsort(first[used], kind="stable")].tolist():
        if first[j] > reach and first[j] > 0:
            begins.append(int(first[j]))
        reach = max(reach, int(last[j]))
    begin = np.unique(begins)
    return begin, np.searchsorted(begin, first, side="right") - 1


def _penalty(beside: Beside, steps: int) -> Array:
    """Per step what a MW above its ceilings costs: more than to raise these; 0 where there is none."""
    from scipy.sparse.csgraph import (
        connected_components,
    )  # loads half of scipy, which plans without peaks do not need

    held: Any = beside.matrix
    links: Any = block_array([[None, held], [held.T, None]]) if held.shape[0] else csr_array((len(beside.cost),) * 2)
    _, label = connected_components(links, directed=False)
    label = label[held.shape[0] :]
    largest = max(1.0, float(np.abs(held.data).max(initial=0.0)))
    price = BEYOND * largest * np.bincount(label, np.abs(beside.cost))
    step, of = beside.tied
    pairs = np.unique(np.column_stack([step, label[of]]), axis=0)
    penalty = np.zeros(steps)
    np.add.at(penalty, pairs[:, 0], price[pairs[:, 1]])
    return penalty


def _pressed(price: Array, lower: Array, upper: Array) -> Array:
    """Each price times the limit that it presses on; rounding presses on none that is not there."""
    side = np.where(price > 0.0, upper, lower)
    pressed: Array = np.where(np.isfinite(side), price * np.where(np.isfinite(side), side, 0.0), 0.0)
    return pressed
