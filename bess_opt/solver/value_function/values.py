"""Many questions to one scenario's model: values, prices and bounds, plans from any state, at a recursion's price."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.models.one_way import Pair
from bess_opt.solver.value_function.modes import Modes, modes_of
from bess_opt.solver.value_function.prices import Prices
from bess_opt.solver.value_function.recursion import NOT_BUILT, Curve, Recursion, Schedule, compiled_part
from bess_opt.solver.value_function.step_program import NotStepwiseError, Objective, StepProgram, read

Costs = Sequence[Array]


@dataclass(frozen=True)
class ValueFunctions:
    """A model laid out for the recursion; ask it as often as you like.

    Money is in units of the first objective, maximised, with what the objective has without any flow. `program` may
    be read; with `changeable` its arrays have a value for every step and may be written to between two questions.
    """

    program: StepProgram
    modes: Modes
    recursion: Recursion

    @classmethod
    def of(
        cls,
        model: Any,
        objectives: Sequence[Objective],
        pairs: Sequence[Pair],
        *,
        one_way: bool = True,
        changeable: bool = False,
    ) -> ValueFunctions:
        """The value functions of `model`; with `one_way` false those of its linear relaxation.

        Raises `NotStepwiseError` with the rows that do not fit, or where the compiled part is missing.
        """
        return cls.of_program(read(model, objectives, pairs), one_way=one_way, changeable=changeable)

    @classmethod
    def of_program(cls, program: StepProgram, *, one_way: bool = True, changeable: bool = False) -> ValueFunctions:
        """The same of a step program that was read before."""
        if compiled_part() is None:
            raise NotStepwiseError([NOT_BUILT])
        if changeable:
            program = _written_out(program)
        ways = modes_of(program, one_way=one_way, bounds_may_change=changeable)
        return cls(program, ways, Recursion(program, ways))

    def value(self) -> float:
        """The most that any plan brings. Raises `RecursionFailedError`; its `no_plan` says that there is none."""
        return float(self.recursion.start().value[0]) + self.program.offset[0]

    def value_from(self, energy_mwh: Array | Sequence[float]) -> Array:
        """The most that any plan brings from each of these energies at the start instead; -inf where none exists.

        All limits else are those of the model, the end condition included.
        """
        asked = np.asarray(energy_mwh, dtype=float)
        least, most = self.program.least.copy(), self.program.most.copy()
        least[0], most[0] = asked.min(), asked.max()
        wide = replace(self.program, least=least, most=most)
        curve = Recursion(wide, self.modes).start()
        return curve.at(asked) + self.program.offset[0]

    def values(self, costs: Iterable[Costs]) -> Array:
        """The value under each of many first objectives, on all processors.

        Each is a cost per column of `program` and step (one value, or one per step), as `objective_costs` gives.
        """

        def value(cost: Costs) -> float:
            priced = replace(self.program, cost=[list(cost)], energy_worth=self.program.energy_worth[:1])
            return float(Recursion(priced, self.modes).start().value[0]) + self.program.offset[0]

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            return np.array(list(pool.map(value, costs)))

    def schedule(self) -> Schedule:
        """The best plan, with its prices. Raises `RecursionFailedError`."""
        return self.recursion.schedule()

    def prices(self, schedule: Schedule | None = None) -> Prices:
        """The prices of the best plan (or of `schedule`): what one more of everything is worth."""
        own, recursion = self.program, self.recursion
        if schedule is None:
            start = float(own.least[0])
            schedule = recursion.schedule_of(0, own.steps, start, recursion.end(), flows=False)
        return Prices(schedule.row, schedule.price)

    def value_at(self, instants: Sequence[int]) -> list[Curve]:
        """V(t, e): what the steps from each of these instants (0 to steps) on bring, over the energy in store.

        Only differences of a curve's values have a meaning: each is counted from its own least energy.
        """
        return self.recursion.curves(np.asarray(instants))

    def replan(
        self, first: int, last: int, energy_mwh: float, end: Curve | None = None, *, priced: bool = False
    ) -> Schedule:
        """The best plan of the steps `first` to `last` − 1 alone, from `energy_mwh` at the instant `first`.

        `end` is what energy at the instant `last` is worth, over the energies allowed there; by default all of the
        model's window, worth nothing (at the end of the horizon: the model's own). Arrays of the answer hold those
        steps alone, prices only if `priced`. Raises `RecursionFailedError`.
        """
        after = self.end(last) if end is None else end
        return self.recursion.schedule_of(first, last, energy_mwh, after, priced=priced)

    def end(self, instant: int, worth_per_mwh: float = 0.0) -> Curve:
        """Energy inside the model's window of `instant`, worth so much each MWh beside what the model itself says."""
        curve = self.recursion.end(instant)
        slope = curve.slope.copy()
        slope[0, 0] += worth_per_mwh
        return Curve(curve.energy, slope, slope[0] * curve.energy[0])


def _written_out(program: StepProgram) -> StepProgram:
    """`program` with a value of its own for every step, so that any of them may be changed."""

    def out(values: Array) -> Array:
        return np.array(np.broadcast_to(values, program.steps), dtype=float)

    return replace(
        program,
        right=[out(v) for v in program.right],
        lower=[out(v) for v in program.lower],
        upper=[out(v) for v in program.upper],
        cost=[[out(v) for v in level] for level in program.cost],
        least=program.least.copy(),
        most=program.most.copy(),
    )
