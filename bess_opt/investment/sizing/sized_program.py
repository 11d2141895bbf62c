"""The dispatch program as a function of power and energy: built once, solved again for every size.

The scenario's own code makes the numbers of each size; what differs from the base goes into the same solver
object, and every size starts from the base's basis, so that its answer does not depend on what was solved
before. Where the matrix and the costs stay as they are and only bounds and sides move, in proportion to the
size, the optimum is concave in (MW, MWh), and its duals give a plane above it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bess_opt.dispatch.optimum.marginals import Change, Duals
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.sizing.planes import Cut
from bess_opt.models.ledger import cash_terms, shadow_lines
from bess_opt.models.one_way import add_exclusive_cuts
from bess_opt.plant.plant import Plant, plant
from bess_opt.solver.expand import Program, expand, term_costs
from bess_opt.solver.highs import InfeasibleProgramError, Solution, Solver, basis_at
from bess_opt.solver.warm_start import start_near_optimum
from bess_opt.strategies.shared.binding import bind, model
from bess_opt.strategies.shared.stack import Bound

NUDGE = 1e-6  # of a size
SIDES = ("lower", "upper", "row_lower", "row_upper")
SAME = 1e-7  # of a bound: less is the rounding of a nudge


class NotConcaveError(Exception):
    """Why the value is not known to be concave in the size; says so to people, never leaves sizing."""


def resized(scenario: Scenario, power_mw: float, energy_mwh: float) -> Scenario:
    """`scenario` with another battery size."""
    return scenario.replace(battery={"power_mw": power_mw, "duration_h": energy_mwh / power_mw})


def burns(scenario: Scenario) -> bool:
    """Whether a relaxed plan may burn energy by running both ways: the cuts of rule 10 should stand at once."""
    numbers = plant(scenario)
    return bool((numbers.import_price < 0.0).any() or (numbers.export_price < 0.0).any())


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

        `tight` adds the cuts of rule 10: a bound closer to exact plans, at the price of a larger program. With the
        `basis` that another program of the same scenario and first size has `stored`, nothing is solved here.
        Raises what `optimize` raises; `InfeasibleProgramError` where that size meets no limits.
        """
        self._scenario, self.tight = scenario, tight
        self._base, numbers, bound = self._built(power_mw, energy_mwh)
        if self._base.integer.any():
            raise NotConcaveError("the strategy makes yes-or-no choices")
        if cash:
            self._require_cash(numbers, bound, self._base)
        self._solver = Solver(self._base, scenario.solver, scale_mw=numbers.scale_mw)
        self.calls, self.cold_s, self.seconds = 0, 0.0, 0.0
        self._first: tuple[float, float, Solution] | None = None
        if basis is None:
            began = time.perf_counter()
            start_near_optimum(self._solver, numbers.scale_mw)
            first = self._solver.solve()
            self.calls, self.cold_s = 1, time.perf_counter() - began
            self.seconds = self.cold_s
            self._first = power_mw, energy_mwh, first
            basis = np.concatenate(self._solver.statuses(first.x)).astype(np.int8).tobytes()
        self.stored = basis  # the basis of the first size, which every other size starts from
        self._basis = basis_at(*np.split(np.frombuffer(basis, dtype=np.int8), [self._base.columns]))
        self._solver.expect_few_steps()
        self._known: tuple[Program, tuple[float, float], tuple[Change, Change]] | None = None

    def cut(self, power_mw: float, energy_mwh: float) -> Cut:
        """Value and slopes at a size. NotConcaveError and `InfeasibleProgramError` as at the start."""
        program, solution = self._solved(power_mw, energy_mwh)
        duals = Duals(solution.x, -solution.row_dual, -solution.column_dual, np.zeros(program.columns, dtype=bool))
        per_mw, per_mwh = (change.worth(duals) for change in self._changes(program, power_mw, energy_mwh))
        return Cut(power_mw, energy_mwh, -solution.objective, per_mw, per_mwh)

    def _changes(self, program: Program, power_mw: float, energy_mwh: float) -> tuple[Change, Change]:
        """What one more MW and one more MWh change in the program.

        Those of the last size serve again if they lead from there to here: then nothing bends in between.
        """
        if self._known is not None:
            here, (power, energy), changes = self._known
            steps = power_mw - power, energy_mwh - energy
            if all(_leads(name, here, program, changes, steps) for name in SIDES):
                return changes
        made = []
        for power, energy in ((NUDGE * power_mw, 0.0), (0.0, NUDGE * energy_mwh)):
            larger, _, _ = self._built(power_mw + power, energy_mwh + energy)
            made.append(_per_unit(Change.between(program, larger), power + energy))
        self._known = program, (power_mw, energy_mwh), (made[0], made[1])
        return self._known[2]

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
        self.calls += 1
        try:
            return -self._solver.solve_value()
        except InfeasibleProgramError:
            return math.nan

    def _built(self, power_mw: float, energy_mwh: float) -> tuple[Program, Plant, Bound]:
        scenario = resized(self._scenario, power_mw, energy_mwh)
        stated = plant(scenario)
        bound = bind(scenario, stated)
        numbers = bound.restrict(stated)
        m, _objectives = model(numbers, bound)
        if self.tight:
            add_exclusive_cuts(m, numbers)
        return expand(m), numbers, bound

    def _require_cash(self, numbers: Plant, bound: Bound, base: Program) -> None:
        """The objective is the cash of the ledger and nothing else."""
        m, objectives = model(numbers, bound)
        ledger = cash_terms(m)
        cash = term_costs(m, ledger, base) if ledger else np.zeros(base.columns)
        if not np.array_equal(term_costs(m, objectives[0], base), cash):
            other = shadow_lines(m)
            why = (
                f"dispatch also minds {', '.join(other)}, which is no cash" if other else "dispatch is not after cash"
            )
            raise NotConcaveError(why)

    def _solved(self, power_mw: float, energy_mwh: float) -> tuple[Program, Solution]:
        if self._first is not None and self._first[:2] == (power_mw, energy_mwh):
            return self._base, self._first[2]
        program = self._take_over(power_mw, energy_mwh)
        self._solver.forget()
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


def _per_unit(change: Change, nudge: float) -> Change:
    """The change per MW or MWh."""
    return replace(
        change,
        lower=change.lower / nudge,
        upper=change.upper / nudge,
        row_lower=change.row_lower / nudge,
        row_upper=change.row_upper / nudge,
        cost=change.cost / nudge,
        offset=change.offset / nudge,
    )


def _leads(
    name: str, here: Program, there: Program, changes: tuple[Change, Change], steps: tuple[float, float]
) -> bool:
    """Whether the changes, step by step, turn the bounds `name` of one program into those of the other."""
    before, after = getattr(here, name), getattr(there, name)
    led = before + steps[0] * getattr(changes[0], name) + steps[1] * getattr(changes[1], name)
    finite = np.isfinite(after)
    return bool(
        np.array_equal(finite, np.isfinite(led)) and np.allclose(led[finite], after[finite], rtol=SAME, atol=SAME)
    )
