"""The dispatch of several batteries that lasts longest without the grid, and what proves that none lasts longer.

Which battery gives first matters where their hours, losses and limits differ. A linear program asks for the greatest
share of one step that can be served after all steps from a start on were. Its prices of energy hold for every later
start that fails in the same step too, so that some starts need no program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.comparison.resilience.island import Island, Unit
from bess_opt.comparison.resilience.stretches import Parts, Rows, Stretch
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.solver.highs import Solver
from bess_opt.solver.program import Program
from bess_opt.solver.solution import InfeasibleProgramError, Solution

ROUNDING = 1e-7  # of a share of a step: the solver's own tolerance
EXACT = SolverOptions(rel_gap=0.0)
STEPS = 400  # of one program: with more the simplex method takes longer than for several programs


@dataclass(frozen=True)
class Proof:
    """A bound on the share of a step that later starts reach: `constant` + `worth` of the energies, from `first` on.

    `least` are the energies that the bound supposes at least.
    """

    first: int
    constant: Array
    worth: Array
    least: Array

    def share_at_most(self, start: int, energy: Array) -> float:
        """The bound for a start with `energy` in each battery; inf where it says nothing."""
        k = start - self.first
        if k < 0 or (energy < self.least[k]).any():
            return np.inf
        return float(self.constant[k] + self.worth[k] @ energy)


@dataclass(frozen=True)
class Found:
    """The greatest share of the last step, the energies at its end in MWh where it is whole, and the proof."""

    share: float
    energy: Array
    proof: Proof


class Longest:
    """Programs of one island, as many stretches in each as are quickly solved together."""

    def __init__(self, island: Island, units: Sequence[Unit]) -> None:
        self._rows = Rows(island, units)

    def served(self, stretches: Sequence[Stretch]) -> list[Found | None]:
        """The greatest share of each last step after all before were served whole; None where they are not."""
        return [found for some in _in_groups(stretches) for found in self._served(some)]

    def _served(self, stretches: Sequence[Stretch]) -> list[Found | None]:
        parts = self._rows.beside(stretches)
        parts.program.cost[parts.shares] = -1.0
        solved = _solved(parts.program)
        x = None if solved is None else self._above(parts, solved.x)
        if solved is None or x is None:
            return [None] if len(stretches) == 1 else self._one_by_one(stretches)
        proofs = self._proofs(parts, np.maximum(-solved.row_dual, 0.0))
        share = x[parts.shares].copy()
        if (share >= 1.0 - ROUNDING).any():
            x = self._fullest(parts, share, x)
        n, scale = self._rows.count, self._rows.scale
        ends = parts.flows(x)[parts.ends, 2 * n : 3 * n] * scale
        return [Found(float(own), end, proof) for own, end, proof in zip(share, ends, proofs, strict=True)]

    def _one_by_one(self, stretches: Sequence[Stretch]) -> list[Found | None]:
        return [self._served([one])[0] for one in stretches]

    def levels_needed(self, stretches: Sequence[Stretch], shares: Array, rates_mwh: Array) -> Array:
        """The least level of each stretch from which all steps before and a share of its last one are served.

        At a level each battery holds so many times its rate of `rates_mwh` (a row per stretch) above its floor, or
        the energy of the stretch where that is less; inf where that is not enough.
        """
        levels, done = np.zeros(len(stretches)), 0
        for some in _in_groups(stretches):
            own = slice(done, done + len(some))
            levels[own] = self._levels(some, shares[own], rates_mwh[own])
            done += len(some)
        return levels

    def _levels(self, stretches: Sequence[Stretch], shares: Array, rates_mwh: Array) -> Array:
        parts = self._rows.beside(stretches, rates_mwh)
        program = parts.program
        program.lower[parts.shares] = program.upper[parts.shares] = shares
        program.cost[parts.levels] = 1.0
        solved = _solved(program)
        x = None if solved is None else self._above(parts, solved.x)
        if x is not None:
            levels: Array = np.maximum(x[parts.levels], 0.0)
            return levels
        if len(stretches) == 1:
            return np.full(1, np.inf)
        return np.array([self._levels([one], shares[[k]], rates_mwh[[k]])[0] for k, one in enumerate(stretches)])

    def _above(self, parts: Parts, x: Array) -> Array | None:
        """`x`, or the best dispatch in which no battery gives below its floor, where only self-discharge takes it."""
        n, program, flows = self._rows.count, parts.program, parts.flows(x)
        free = parts.flows(program.upper > program.lower)[:, 3 * n : 4 * n]
        below = flows[:, 2 * n : 3 * n] < self._rows.floor - 1e-9
        broken = free & below & (flows[:, n : 2 * n] > 1e-9)
        if not broken.any():
            return x
        if len(parts.stretches) > 1:
            return None
        parts.flows(program.integer)[:, 3 * n : 4 * n] = free
        found = _solved(program)
        return None if found is None else found.x

    def _fullest(self, parts: Parts, share: Array, x: Array) -> Array:
        """Of the dispatches that serve the shares of `x` the one with the most energy at the end of whole steps."""
        n, program = self._rows.count, parts.program
        program.cost[:], whole = 0.0, share >= 1.0 - ROUNDING
        program.lower[parts.shares] = np.where(whole, share - ROUNDING, 0.0)
        parts.flows(program.cost)[parts.ends[whole], 2 * n : 3 * n] = -1.0
        found = _solved(program)
        best = None if found is None else self._above(parts, found.x)
        return x if best is None else best

    def _proofs(self, parts: Parts, price: Array) -> list[Proof]:
        """The bounds that the `price` of each row gives later starts, whatever the solver's tolerance."""
        rows, program, m = self._rows, parts.program, len(parts.least)
        reduced = -program.priced(price)
        reduced[parts.shares] += 1.0
        upper = np.where(np.isfinite(program.upper), program.upper, 0.0)
        best = np.maximum(reduced * program.lower, reduced * upper)
        height = rows.own.shape[0]
        law = price[: m * height].reshape(m, height)[:, : rows.count]
        booked = (price[: m * height] * program.row_upper[: m * height]).reshape(m, height)
        steps = booked.sum(axis=1) + parts.flows(best).sum(axis=1)
        found = []
        for k, one in enumerate(parts.stretches):
            own = slice(int(parts.begins[k]), int(parts.ends[k]) + 1)
            constant = steps[own][::-1].cumsum()[::-1] + best[parts.shares.start + k]
            before = np.minimum(one.energy, rows.floor * rows.scale)[None]
            least = np.concatenate([before, parts.least[own][:-1] * rows.scale]) * (1.0 - 1e-12)
            found.append(Proof(one.first, constant, law[own] * rows.kept / rows.scale, least))
        return found


def _in_groups(stretches: Sequence[Stretch]) -> Iterator[Sequence[Stretch]]:
    """The stretches in order, so many together as have not too many steps."""
    some: list[Stretch] = []
    for one in stretches:
        if some and sum(other.steps for other in some) + one.steps > STEPS:
            yield some
            some = []
        some.append(one)
    if some:
        yield some


def _solved(program: Program) -> Solution | None:
    """The optimum, or None where nothing keeps all rows."""
    try:
        return Solver(program, EXACT).solve()
    except InfeasibleProgramError:
        return None
