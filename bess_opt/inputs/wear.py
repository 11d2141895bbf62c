"""Wear by depth of cycle as a user states it: what a MWh costs that leaves the cells at each depth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from numbers import Real
from typing import Annotated, ClassVar, Self, TypeGuard

import numpy as np
from pydantic import Field, PrivateAttr, model_validator

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding, Findings
from bess_opt.common.input_table import Number, Table, quantity, reject
from bess_opt.common.wording import show

MOST_SEGMENTS = 100


class Wear(Table):
    """Marginal cost of a fall of the state of charge by its depth: segments of stored energy, cheapest first.

    A fall of depth d costs what its energy costs in the segments from 0 to d. Every falling range counts whole,
    rising ones do not count.
    """

    where: ClassVar[str] = "wear"

    depth: Annotated[
        tuple[Number, ...],
        Field(description="depths at which the segments end, shares of nameplate, rising from above 0 to 1"),
    ]
    cost_per_mwh: Annotated[
        tuple[Annotated[Number, quantity("price of each segment", "currency/MWh", ge=0)], ...],
        Field(
            description="money per MWh that leaves the cells in each segment, 0 or more and never falling; "
            "a shadow price"
        ),
    ]

    @model_validator(mode="after")
    def _segments_fit(self) -> Self:
        depth, price = self.depth, self.cost_per_mwh
        if not depth or len(depth) != len(price) or len(depth) > MOST_SEGMENTS:
            found = f"found {len(depth)} depths and {len(price)} prices"
            expected = f"give 1 to {MOST_SEGMENTS} depths and a price for each"
            reject([Finding("wrong_value", "depth", found, expected)])
        if depth[0] <= 0.0 or depth[-1] != 1.0 or any(b <= a for a, b in pairwise(depth)):
            expected = "give depths that rise from above 0 to 1, such as [0.2, 0.6, 1.0]"
            reject([Finding("wrong_value", "depth", f"found {show(list(depth))}", expected)])
        falls = next((j for j in range(1, len(price)) if price[j] < price[j - 1]), None)
        if falls is not None:
            found = f"falls from {price[falls - 1]:.12g} to {price[falls]:.12g} at depth {depth[falls - 1]:.12g}"
            expected = (
                "give prices that never fall: were a deep cycle cheaper per MWh than a shallow one, the cheapest "
                "plan would not be that of any order of cycles (bo.wear_from_cycle_life makes rising ones of a table)"
            )
            reject([Finding("falling_wear", "cost_per_mwh", found, expected)])
        return self

    def __eq__(self, other: object) -> bool:
        """The same segments, whatever they were made from."""
        return isinstance(other, Wear) and (self.depth, self.cost_per_mwh) == (other.depth, other.cost_per_mwh)

    def __hash__(self) -> int:
        return hash((self.depth, self.cost_per_mwh))


class CycleLifeWear(Wear):
    """Wear made of a cycle-life table; `findings` say what was changed to make its prices rise."""

    _findings: tuple[Finding, ...] = PrivateAttr(default=())

    @property
    def findings(self) -> Findings:
        """Why depths of the table are no segments' ends, if any are not."""
        return Findings(self._findings)


def wear_from_cycle_life(depths: Sequence[float], cycles: Sequence[float], capital_per_mwh: float) -> CycleLifeWear:
    """A cycle-life table as segments of wear: `bo.Battery(..., wear=bo.wear_from_cycle_life(...))`.

    `depths` rise from above 0 to 1, `cycles` are full cycles of each depth to the end of life, `capital_per_mwh` is
    what new cells cost per MWh of nameplate. A cycle of depth d then costs capital / N(d), all of it on the fall,
    exactly at each depth of the table. Where a price would fall with depth, the lower convex hull of 1/N takes the
    table's place: exact at the hull's depths, below the table between them; `.findings` says so. ScenarioError for a
    table that is none.
    """
    depth, life, capital = _numbers(depths), _numbers(cycles), _number(capital_per_mwh)
    problems = []
    rising = all(b > a for a, b in pairwise(depth))
    if not depth or depth[0] <= 0.0 or depth[-1] != 1.0 or not rising:
        expected = "give depths that rise from above 0 to 1, the full depth"
        problems.append(Finding("wrong_value", "depths", f"found {_shown(depths)}", expected))
    if len(life) != max(len(depth), 1) or not all(0.0 < n < math.inf for n in life):
        expected = "give a number of cycles above 0 for each depth"
        problems.append(Finding("wrong_value", "cycles", f"found {_shown(cycles)}", expected))
    if not 0.0 <= capital < math.inf:
        expected = "give what new cells cost per MWh, 0 or more"
        problems.append(Finding("wrong_value", "capital_per_mwh", f"found {show(capital_per_mwh)}", expected))
    if problems:
        raise ScenarioError(problems)
    points = [(0.0, 0.0), *((d, 1.0 / n) for d, n in zip(depth, life, strict=True))]
    hull = _lower_hull(points)
    prices = [capital * (b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(hull)]
    prices = np.maximum.accumulate(prices).tolist()  # the hull's slopes rise but for rounding
    made = CycleLifeWear(depth=[d for d, _ in hull[1:]], cost_per_mwh=prices)
    kept = {d for d, _ in hull}
    left = [d for d in depth if d not in kept]
    if left:
        above = ", ".join(f"{d:.12g}" for d in left)
        found = f"prices would fall with depth: {above} lie above the lower convex hull"
        expected = "a cycle of these depths counts as less than the table says; all others are exact"
        made._findings = (Finding("wear_hull", "wear.depth", found, expected, "warning"),)
    return made


def _numbers(stated: object) -> list[float]:
    """The numbers of a list, tuple, array or column, NaN for what is none; nothing where it is no list at all."""
    return [_number(value) for value in stated] if _is_list(stated) else []


def _is_list(stated: object) -> TypeGuard[Iterable[object]]:
    return isinstance(stated, Iterable) and not isinstance(stated, str | bytes | Mapping)


def _number(stated: object) -> float:
    """The number stated, NaN where it is none."""
    return float(stated) if isinstance(stated, Real) and not isinstance(stated, bool) else math.nan


def _shown(stated: object) -> str:
    """A list as it was stated, numbers and words alike."""
    return show(list(stated)) if _is_list(stated) else show(stated)


def _lower_hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points on the lower convex hull; those on a straight line between others stay."""
    hull: list[tuple[float, float]] = []
    for x, y in points:
        while len(hull) > 1:
            (x0, y0), (x1, y1) = hull[-2:]
            if (y1 - y0) * (x - x0) <= (y - y0) * (x1 - x0) * (1.0 + 1e-12):
                break
            hull.pop()
        hull.append((x, y))
    return hull
