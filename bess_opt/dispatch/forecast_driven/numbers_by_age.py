"""The numbers of a horizon's program as they are believed at each decision.

A program per age: how many decisions ago the forecast of a step was issued, counted back from the decision that
carries the step out. All ages share one structure; only what differs between them is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import StrategyError
from bess_opt.plant.products.offers import COMPONENT
from bess_opt.solver.program import Program

OF_TARIFF = {  # choices of the model: the key that asks for them, and what is chosen
    "counted_over_mwh_passed": ("tariff.energy.tiers", "whether energy reaches a tier at a better price"),
    "demand_over_mw_passed": ("tariff.demand.tiers", "whether a peak reaches a cheaper tier"),
    "month_is_credit": ("tariff.credit_months", "whether a month's bill is below zero"),
}


@dataclass(frozen=True)
class Aged:
    """One number per column, row or entry, and those that differ between ages in a table by age."""

    base: Array
    varying: Array  # place in the table, -1 where all ages agree
    table: Array

    def at(self, places: Array, age: Array) -> Array:
        """The numbers at `places`, each of its age."""
        numbers: Array = self.base[places]
        if not self.table.size:
            return numbers
        slot = self.varying[places]
        varies = slot >= 0
        if varies.any():
            numbers[varies] = self.table[age[varies], slot[varies]]
        return numbers

    def loosened(self, places: Array, loosest: np.ufunc) -> Aged:
        """The same, but at `places` the loosest number of all ages for every age."""
        slots = self.varying[places]
        slots = slots[slots >= 0]
        table = self.table.copy()
        table[:, slots] = loosest.reduce(table[:, slots], axis=0)
        return Aged(self.base, self.varying, table)


@dataclass(frozen=True)
class NumbersByAge:
    """A program of one structure whose numbers depend on the age of the forecast."""

    program: Program
    costs: tuple[Aged, ...]  # one per objective, the tie-break last
    lower: Aged
    upper: Aged
    row_lower: Aged
    row_upper: Aged
    value: Aged

    @property
    def changing(self) -> bool:
        """Whether any number depends on the age."""
        kinds = (*self.costs, self.lower, self.upper, self.row_lower, self.row_upper, self.value)
        return any(aged.table.size for aged in kinds)


def numbers_by_age(made: Iterable[tuple[Program, list[Array]]]) -> NumbersByAge:
    """Programs with the costs of all their objectives, youngest age first, as one.

    Raises `StrategyError` if they differ in structure, or choose over the whole horizon.
    """
    first: Program | None = None
    bases: list[Array] = []
    changes: list[list[tuple[Array, Array]]] = []
    for program, costs in made:
        numbers = [*costs, program.lower, program.upper, program.row_lower, program.row_upper, program.value]
        if first is None:
            _refuse_choices(program)
            first, bases = program, numbers
        if not first.same_structure(program):
            raise StrategyError(
                "strategy.name: its model changes its structure with the forecast, which a window cannot follow; "
                "use a perfect forecast of solar power and load, or another topology"
            )
        differing = (np.flatnonzero(new != old) for new, old in zip(numbers, bases, strict=True))
        changes.append([(at, new[at]) for at, new in zip(differing, numbers, strict=True)])
    if first is None:
        raise ValueError("at least one age is needed")
    tables = [_aged(base, [change[kind] for change in changes]) for kind, base in enumerate(bases)]
    return NumbersByAge(first, tuple(tables[:-5]), *tables[-5:])


def _aged(base: Array, changes: list[tuple[Array, Array]]) -> Aged:
    differing = np.unique(np.concatenate([at for at, _ in changes]))
    varying = np.full(len(base), -1)
    varying[differing] = np.arange(len(differing))
    table = np.tile(base[differing], (len(changes), 1))
    for row, (at, values) in zip(table, changes, strict=True):
        row[varying[at]] = values
    return Aged(base, varying, table)


def _refuse_choices(program: Program) -> None:
    """Raise `StrategyError` for choices over the horizon; those of a product's bids are each of one block."""
    names = (name for name, block in program.variables.items() if program.integer[block.slice].any())
    for name in names:
        if name.startswith(COMPONENT):
            continue
        if name in OF_TARIFF:
            where, what = OF_TARIFF[name]
            raise StrategyError(
                f"{where}: {what} is one choice over the whole period, made from all its steps, which a window "
                "cannot carry; plan the whole horizon at once (horizon_h), or use optimize or a rule"
            )
        raise StrategyError(
            f"strategy.name: it makes yes-or-no choices over the whole horizon ({name}), which a window cannot "
            "carry; state options without them, or use optimize"
        )
