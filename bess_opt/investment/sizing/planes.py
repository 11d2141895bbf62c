"""The proof: what is known of a concave value from its slopes, as an upper bound over all sizes.

Every solved size gives a plane that the yearly revenue stays below everywhere. The lowest of the planes, less
what a size costs, bounds the value of every size; where that bound is highest is the next size to solve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from bess_opt.common.arrays import Array
from bess_opt.common.errors import SolveError
from bess_opt.investment.lifetime.cash_flow import Weights
from bess_opt.investment.sizing.region import SLACK, Region


@dataclass(frozen=True)
class Cut:
    """Revenue of a solved size, and its slopes: R(P, E) <= revenue + per_mw·(P − power) + per_mwh·(E − energy)."""

    power_mw: float
    energy_mwh: float
    revenue: float  # of the horizon
    per_mw: float
    per_mwh: float

    @property
    def at_origin(self) -> float:
        """Revenue that the plane gives to no battery."""
        return self.revenue - self.per_mw * self.power_mw - self.per_mwh * self.energy_mwh


@dataclass(frozen=True)
class Best:
    """The size at which the bound is highest, and the bound there."""

    power_mw: float
    energy_mwh: float
    bound: float


class Cuts:
    """Planes over a region, priced by `Weights`: value = revenue·R − per_mw·P − per_mwh·E − fixed."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.all: list[Cut] = []

    def planes(self, weights: Weights) -> Array:
        """Each cut as (value at no size, per MW, per MWh), costs taken off."""
        rows = [
            (
                weights.revenue * cut.at_origin - weights.fixed,
                weights.revenue * cut.per_mw - weights.per_mw,
                weights.revenue * cut.per_mwh - weights.per_mwh,
            )
            for cut in self.all
        ]
        return np.array(rows)

    def bound_at(self, weights: Weights, power_mw: Array, energy_mwh: Array) -> Array:
        """Upper bound of the value at sizes; arrays of one shape."""
        planes = self.planes(weights)
        at = planes[:, 0] + np.multiply.outer(power_mw, planes[:, 1]) + np.multiply.outer(energy_mwh, planes[:, 2])
        bound: Array = at.min(axis=-1)
        return bound

    def best(self, weights: Weights, *, stepped: bool) -> Best:
        """Where the bound is highest, over all sizes or (`stepped`) over those on the steps."""
        if stepped and self.region.stepped:
            return self._best_on_steps(weights)
        return self._best(weights)

    def _best(self, weights: Weights) -> Best:
        planes, (a, b) = self.planes(weights), self.region.halfplanes()
        size, money = self.region.corners().max(axis=0), max(float(np.abs(planes).max()), 1.0)
        rows = np.vstack(
            [
                np.column_stack([-planes[:, 1:] * size / money, np.ones(len(planes))]),
                np.column_stack([a * size, np.zeros(len(b))]),
            ]
        )
        sides = np.concatenate([planes[:, 0] / money, b])
        found = linprog([0.0, 0.0, -1.0], A_ub=rows, b_ub=sides, bounds=[(0, None), (0, None), (None, None)])
        if found.x is None:
            raise SolveError(f"the bound over the sizes could not be found: {found.message}")
        power, energy = (found.x[:2] * size).tolist()
        return Best(power, energy, float(self.bound_at(weights, np.array(power), np.array(energy))))

    def _best_on_steps(self, weights: Weights) -> Best:
        """The same on steps, exactly: every stepped line of the range, and on it every corner of the bound."""
        across = self.region.power_step_mw is None and self.region.module is None  # energy is stepped, power is not
        lines = self.region.energies() if across else self.region.powers()
        planes = self.planes(weights)
        if across:
            planes = planes[:, [0, 2, 1]]
        best: Best | None = None
        for start in range(0, len(lines), 4096):
            part = np.array(lines[start : start + 4096])
            at, along, value = self._along(part, planes, across)
            if not np.isfinite(value).any():
                continue
            i = int(np.argmax(value))
            if best is None or value[i] > best.bound:
                sizes = (along[i], at[i]) if across else (at[i], along[i])
                best = Best(round(float(sizes[0]), 12), round(float(sizes[1]), 12), float(value[i]))
        if best is None:
            raise SolveError("no size lies on the steps")
        return best

    def _along(self, lines: Array, planes: Array, across: bool) -> tuple[Array, Array, Array]:
        """Of each line: (its coordinate, the best coordinate along it, the bound there; -inf where it is empty)."""
        region = self.region
        low, high = region.spans(lines, across=across)
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
            first, last = np.ceil(low / step - SLACK) * step, np.floor(high / step + SLACK) * step
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
