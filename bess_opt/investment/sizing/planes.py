"""What is known of a concave value from its slopes, as an upper bound over all sizes.

Every solved size gives planes that the revenue stays below everywhere: one where the program changes smoothly with
the size, one for each side where it does not. The lowest of the planes, less what a size costs, bounds the value of
every size; where that bound is highest is the next size to solve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog

from bess_opt.common.arrays import Array
from bess_opt.common.errors import AuditError, SolveError
from bess_opt.investment.lifetime.cash_flow import Weights
from bess_opt.investment.sizing.region import SLACK, HalfPlane, Region

SAME = 1e-12  # of a plane's numbers: planes as near as that are one
EMPTY = 2  # scipy's number for a program without a solution
MOST_ENTRIES = 4_000_000  # numbers held at once while stepped lines are gone through


@dataclass(frozen=True)
class Plane:
    """A limit of the horizon's revenue at every size: R(P, E) <= at_origin + per_mw·P + per_mwh·E."""

    at_origin: float
    per_mw: float
    per_mwh: float

    def at(self, power_mw: float, energy_mwh: float) -> float:
        """The limit at a size."""
        return self.at_origin + self.per_mw * power_mw + self.per_mwh * energy_mwh


@dataclass(frozen=True)
class SolvedSize:
    """A size whose program was solved: its revenue over the horizon, and the planes above all other sizes.

    `others` are further planes of sizes solved before: along a way in which limits change that was not known then.
    """

    power_mw: float
    energy_mwh: float
    revenue: float
    planes: tuple[Plane, ...]
    others: tuple[Plane, ...] = ()


@dataclass(frozen=True)
class Best:
    """The size at which the bound is highest, and the bound there."""

    power_mw: float
    energy_mwh: float
    bound: float


class EmptyRangeError(SolveError):
    """No size of the range can have a plan; the caller says why."""


class Planes:
    """Planes over a region, priced by `Weights`: value = revenue·R − per_mw·P − per_mwh·E − fixed."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.all: list[Plane] = []
        self._found: dict[tuple[Weights, bool], Best] = {}  # with the planes and the region there are

    def rule_out(self, halves: Sequence[HalfPlane]) -> None:
        """Leave out of the region what lies outside of `halves`."""
        self.region = replace(self.region, planned=(*self.region.planned, *halves))
        self._found.clear()

    def add(self, planes: Sequence[Plane]) -> None:
        """Take over planes that are not known yet."""
        for plane in planes:
            new = np.array([plane.at_origin, plane.per_mw, plane.per_mwh])
            known = (np.array([one.at_origin, one.per_mw, one.per_mwh]) for one in self.all)
            if not any((np.abs(new - old) <= SAME * np.abs(old)).all() for old in known):
                self.all.append(plane)
                self._found.clear()

    def priced(self, weights: Weights) -> Array:
        """Each plane as (value at no size, per MW, per MWh), costs taken off."""
        rows = [
            (
                weights.revenue * plane.at_origin - weights.fixed,
                weights.revenue * plane.per_mw - weights.per_mw,
                weights.revenue * plane.per_mwh - weights.per_mwh,
            )
            for plane in self.all
        ]
        return np.array(rows)

    def bound_at(self, weights: Weights, power_mw: Array, energy_mwh: Array) -> Array:
        """Upper bound of the value at sizes; arrays of one shape."""
        planes = self.priced(weights)
        at = planes[:, 0] + np.multiply.outer(power_mw, planes[:, 1]) + np.multiply.outer(energy_mwh, planes[:, 2])
        bound: Array = at.min(axis=-1)
        return bound

    def slopes_at(self, weights: Weights, power_mw: float, energy_mwh: float, within: float) -> tuple[float, float]:
        """(per MW, per MWh) that a little more adds at most, costs taken off: of the planes that touch there.

        `within` is how far above the lowest a plane still touches.
        """
        planes = self.priced(weights)
        at = planes[:, 0] + planes[:, 1] * power_mw + planes[:, 2] * energy_mwh
        touching = planes[at <= at.min() + within]
        return float(touching[:, 1].min()), float(touching[:, 2].min())

    def best(self, weights: Weights, *, stepped: bool) -> Best:
        """Where the bound is highest, over all sizes or (`stepped`) over those on the steps."""
        asked = weights, stepped and self.region.stepped
        if asked not in self._found:
            self._found[asked] = self._best_on_steps(weights) if asked[1] else self._best(weights)
        return self._found[asked]

    def _best(self, weights: Weights) -> Best:
        planes, (a, b) = self.priced(weights), self.region.halfplanes()
        size = np.maximum(self.region.corners().max(axis=0), 1e-12)
        low = planes[:, 0].min()  # of a site with a large bill, the battery's part is what is left of the difference
        money = max(float(np.abs(planes[:, 1:] * size).max()), float(np.ptp(planes[:, 0])), 1e-9)
        rows = np.vstack(
            [
                np.column_stack([-planes[:, 1:] * size / money, np.ones(len(planes))]),
                np.column_stack([a * size, np.zeros(len(b))]),
            ]
        )
        sides = np.concatenate([(planes[:, 0] - low) / money, b])
        found = linprog([0.0, 0.0, -1.0], A_ub=rows, b_ub=sides, bounds=[(0, None), (0, None), (None, None)])
        if found.status == EMPTY:
            raise EmptyRangeError("no size of the range has a plan")
        if found.x is None:
            raise SolveError(f"the bound over the sizes could not be found: {found.message}")
        power, energy = (found.x[:2] * size).tolist()
        # What linprog's tolerance leaves open belongs to the bound: it must hold at every size.
        top = max(float(self.bound_at(weights, np.array(power), np.array(energy))), low + money * float(found.x[2]))
        return Best(power, energy, top)

    def _best_on_steps(self, weights: Weights) -> Best:
        """The same on steps, exactly: every stepped line of the range, and on it every corner of the bound.

        Of sizes at which the bound is equally high the one with the least of what is stepped.
        """
        across = self.region.power_step_mw is None and self.region.module is None  # energy is stepped, power is not
        lines = self.region.energies() if across else self.region.powers()
        if not len(lines):
            raise EmptyRangeError("no size lies on the steps")
        planes = self.priced(weights)
        if across:
            planes = planes[:, [0, 2, 1]]
        at_once = max(MOST_ENTRIES // len(planes) ** 3, 1)
        alike = SAME * float(np.abs(planes[:, 0]).max())
        order, limit = self._by_promise(np.array(lines), planes, across, alike)
        found, highest = list[tuple[Array, Array, Array]](), -math.inf
        for start in range(0, len(order), at_once):
            if limit[start] <= highest + alike:
                highest = max(highest, float(limit[start:].max()))
                break
            found.append(self._along(order[start : start + at_once], planes, across))
            highest = max(highest, float(found[-1][2].max()))
        if highest == -math.inf:
            raise EmptyRangeError("no size lies on the steps")
        at, along, value = (np.concatenate(part) for part in zip(*found, strict=True))
        highs = np.flatnonzero(value >= highest - alike)
        i = highs[np.argmin(at[highs])]
        sizes = (along[i], at[i]) if across else (at[i], along[i])
        return Best(round(float(sizes[0]), 12), round(float(sizes[1]), 12), highest)

    def _by_promise(self, lines: Array, planes: Array, across: bool, alike: float) -> tuple[Array, Array]:
        """Lines and what the bound reaches on them at most, the most promising first; `alike` ones in their order."""
        low, high = self.region.spans(lines, across=across)
        high = np.where(np.isfinite(high), high, low)
        ends = np.maximum(np.multiply.outer(low, planes[:, 2]), np.multiply.outer(high, planes[:, 2]))
        most = (planes[:, 0] + np.multiply.outer(lines, planes[:, 1]) + ends).min(axis=1)
        behind = most.max() - most
        order = np.argsort(np.where(behind <= alike, 0.0, behind), kind="stable")
        return lines[order], most[order]

    def _along(self, lines: Array, planes: Array, across: bool) -> tuple[Array, Array, Array]:
        """Of each line: (its coordinate, the best coordinate along it, the bound there; -inf where it is empty)."""
        region = self.region
        low, high = region.spans(lines, across=across)
        high = np.where(np.isfinite(high), high, low - 1.0)  # a line outside of the range
        slopes = planes[:, 2]
        i, j = np.triu_indices(len(planes), 1)
        crossing = slopes[i] != slopes[j]
        i, j = i[crossing], j[crossing]
        height = planes[:, 0] + np.multiply.outer(lines, planes[:, 1])
        corners = (height[:, j] - height[:, i]) / (slopes[i] - slopes[j])
        points = np.clip(np.column_stack([low, high, corners]), low[:, None], high[:, None])
        step = None if across else region.energy_step_mwh
        if region.module is not None:
            points = (lines / region.module[0] * region.module[1])[:, None]
        elif step is not None:
            first, last = np.maximum(np.ceil(low / step - SLACK), 1.0) * step, np.floor(high / step + SLACK) * step
            below = np.floor(points / step + SLACK) * step
            points = np.column_stack([below, below + step])
            points = np.clip(points, first[:, None], last[:, None])
            low, high = first, last
        value = (height[:, None, :] + points[:, :, None] * slopes).min(axis=2)
        tolerance = SLACK * np.maximum(np.abs(high), 1.0)
        outside = (points < (low - tolerance)[:, None]) | (points > (high + tolerance)[:, None])
        outside |= (low > high + tolerance)[:, None]
        value = np.where(outside, -math.inf, value)
        best = np.argmax(value, axis=1)
        rows = np.arange(len(lines))
        return lines, points[rows, best], value[rows, best]


def require_within(
    bound: float, value: float, sign: float, rounding: float, power_mw: float, energy_mwh: float
) -> None:
    """AuditError where a size is worth more than what was proven to be the most."""
    if sign * (value - bound) > rounding:
        raise AuditError(
            f"the proof of the sizing contradicts itself: {power_mw:.6g} MW, {energy_mwh:.6g} MWh is worth "
            f"{value:.9g}, beyond the bound {bound:.9g}"
        )
