"""The highest value that the cuts of all years still allow, over every choice of sizes: a small linear program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from bess_opt.common.arrays import Array
from bess_opt.common.errors import SolveError
from bess_opt.investment.joint.program import Limit
from bess_opt.investment.joint.region import JointRegion, totals
from bess_opt.investment.joint.sites import Sizes
from bess_opt.investment.lifetime.cash_flow import Weights
from bess_opt.investment.sizing.objectives import PLAIN
from bess_opt.investment.sizing.planes import EmptyRangeError, Plane
from bess_opt.investment.sizing.region import Region

EMPTY = 2  # scipy's number for a program without a solution
TIGHT = 1e-10  # the least tolerance that the solver takes: a looser one leaves the bound too low by as much
NOTHING = 1e-7  # of a range: less is no battery but what a tolerance leaves


@dataclass(frozen=True)
class Highest:
    """Where the limit of the value is highest, and the limit there."""

    sizes: Sizes
    bound: float


class JointPlanes:
    """Cuts of each of several years over a region; the value is that of the mean revenue, priced by `Weights`."""

    def __init__(self, region: JointRegion, years: int) -> None:
        self.region = region
        self.cuts: list[list[Limit]] = [[] for _ in range(years)]
        self.short: list[Limit] = []

    def copy(self) -> JointPlanes:
        """The same limits, to which others may be added."""
        other = JointPlanes(self.region, len(self.cuts))
        other.cuts, other.short = [list(cuts) for cuts in self.cuts], list(self.short)
        return other

    def revenue_at(self, sizes: Sizes) -> float:
        """The limit of the mean revenue of a choice."""
        return float(np.mean([min(cut.of(sizes) for cut in cuts) for cuts in self.cuts]))

    def bound_at(self, weights: Weights, sizes: Sizes) -> float:
        """The limit of the value of a choice."""
        return weights.npv(self.revenue_at(sizes), *totals(sizes))

    def highest(self, weights: Weights) -> Highest:
        """The choice with the highest limit. EmptyRangeError where none is left."""
        most, values = _Master(self, weights).solved()
        sizes = self._tidy(values)
        return Highest(sizes, max(self.bound_at(weights, sizes), most))

    def highest_with(self, weights: Weights, place: int, power_mw: float) -> float:
        """The highest limit of all choices with this power of one battery. EmptyRangeError where none is left."""
        return _Master(self, weights).with_power(place, power_mw).solved()[0]

    def inside(self) -> Sizes:
        """A choice well inside of what is not ruled out, where no cut is known. EmptyRangeError where none is."""
        _, values = _Master(self, PLAIN).solved()
        return self._tidy(values)

    def _tidy(self, values: Array) -> Sizes:
        """Sizes without what the solver's tolerance leaves, on their steps and within their ranges."""
        found = []
        for part, (power, energy) in zip(self.region.parts, values.tolist(), strict=True):
            if part.holds_nothing and power <= NOTHING * part.power_mw[1]:
                found.append((0.0, 0.0))
                continue
            power = min(max(power, part.power_mw[0]), part.power_mw[1])
            energy = min(max(energy, part.duration_h[0] * power), part.duration_h[1] * power)
            if part.module is not None:
                blocks = round(power / part.module[0])
                power, energy = blocks * part.module[0], blocks * part.module[1]
            if part.power_step_mw is not None:
                power = round(power / part.power_step_mw) * part.power_step_mw
            if part.energy_step_mwh is not None:
                energy = round(energy / part.energy_step_mwh) * part.energy_step_mwh
            found.append((round(power, 12), round(energy, 12)) if part.stepped else (power, energy))
        return tuple(found)


@dataclass
class _Rows:
    """Rows of the small program: Σ coefficient · column between `low` and `high`."""

    entries: list[dict[int, float]] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def add(self, entries: dict[int, float], low: float, high: float) -> None:
        """One row more."""
        self.entries.append(entries)
        self.low.append(low)
        self.high.append(high)


class _Master:
    """The small program of one set of weights.

    Columns: MW and MWh of every battery as shares of the largest, what each year brings, the lowest of the planes
    of a battery where a cut has several, and whole numbers of steps. Where a year has no cut yet, the first of them
    is how far inside of what is not ruled out a choice is, and nothing else counts.
    """

    def __init__(self, planes: JointPlanes, weights: Weights) -> None:
        self._planes, self._weights = planes, weights
        parts, self._years = planes.region.parts, len(planes.cuts)
        self._size = np.array([_largest(part) for part in parts])
        self._columns = 2 * len(parts) + self._years
        self._whole: list[int] = []
        self._rows = _Rows()
        self._known = all(planes.cuts)
        self._low = [min((cut.at for cut in cuts), default=0.0) for cuts in planes.cuts]
        self._share = weights.revenue / self._years
        self._money = self._scale()

    def with_power(self, place: int, power_mw: float) -> _Master:
        """The program in which a battery has this power."""
        share = power_mw / self._size[place, 0]
        self._rows.add({2 * place: 1.0}, share, share)
        return self

    def _scale(self) -> float:
        """What an amount of money is a share of: the largest that a size or another cut moves."""
        sizes = [(float(p), float(e)) for p, e in self._size]
        most = 1e-9
        for cuts, low in zip(self._planes.cuts, self._low, strict=True):
            for cut in cuts:
                moved = [
                    abs(plane.per_mw * p) + abs(plane.per_mwh * e)
                    for own, (p, e) in zip(cut.parts, sizes, strict=True)
                    for plane in own
                ]
                most = max(most, abs(self._share) * max(cut.at - low, *moved))
        cost = self._weights.per_mw * self._size[:, 0].sum() + self._weights.per_mwh * self._size[:, 1].sum()
        return max(most, float(abs(cost)))

    def _column(self) -> int:
        self._columns += 1
        return self._columns - 1

    def _plane(self, battery: int, plane: Plane, share: float) -> dict[int, float]:
        """Coefficients of a plane, `share` of it."""
        power, energy = self._size[battery]
        return {2 * battery: share * plane.per_mw * power, 2 * battery + 1: share * plane.per_mwh * energy}

    def solved(self) -> tuple[float, Array]:
        """(the highest limit, a row of MW and MWh per battery)."""
        for year, cuts in enumerate(self._planes.cuts if self._known else []):
            for cut in cuts:
                self._add_cut(year, cut)
        for cut in self._planes.short:
            self._add_short(cut)
        self._add_ranges()
        batteries, count = len(self._size), self._columns
        objective = np.zeros(count)
        objective[: 2 * batteries : 2] = self._weights.per_mw * self._size[:, 0] / self._money
        objective[1 : 2 * batteries : 2] = self._weights.per_mwh * self._size[:, 1] / self._money
        objective[2 * batteries : 2 * batteries + self._years] = -1.0
        lower, upper = np.full(count, -np.inf), np.full(count, np.inf)
        if not self._known:
            objective[:] = 0.0
            objective[2 * batteries] = -1.0
            lower[2 * batteries], upper[2 * batteries] = 0.0, 1.0
        lower[: 2 * batteries] = 0.0
        whole = np.zeros(count, dtype=np.int64)
        whole[self._whole] = 1.0
        lower[self._whole] = 0.0
        rows = self._rows
        at = np.repeat(np.arange(len(rows.entries)), [len(row) for row in rows.entries])
        columns = [column for row in rows.entries for column in row]
        values = [value for row in rows.entries for value in row.values()]
        matrix = csr_array((values, (at, columns)), shape=(len(rows.entries), count))
        found = self._solve(objective, whole, Bounds(lower, upper), matrix)
        if found.status == EMPTY:
            raise EmptyRangeError("no choice of sizes has a plan")
        if found.x is None:
            raise SolveError(f"the bound over the sizes could not be found: {found.message}")
        dual = found.mip_dual_bound if self._whole else found.fun
        low = self._share * sum(self._low) - self._weights.fixed
        return low - self._money * float(dual), found.x[: 2 * batteries].reshape(batteries, 2) * self._size

    def _solve(self, objective: Array, whole: Array, bounds: Bounds, matrix: csr_array) -> Any:
        """The solved program; without whole numbers to a tighter tolerance than `milp` takes."""
        low, high = np.array(self._rows.low), np.array(self._rows.high)
        if self._whole:
            rows = LinearConstraint(matrix, low, high)
            return milp(objective, integrality=whole, bounds=bounds, constraints=rows, options={"mip_rel_gap": 0.0})
        above, below, dense = np.isfinite(high), np.isfinite(low), matrix.toarray()
        return linprog(
            objective,
            A_ub=np.vstack([dense[above], -dense[below]]),
            b_ub=np.append(high[above], -low[below]),
            bounds=list(zip(bounds.lb, bounds.ub, strict=True)),
            options={"primal_feasibility_tolerance": TIGHT, "dual_feasibility_tolerance": TIGHT},
        )

    def _add_cut(self, year: int, cut: Limit) -> None:
        """θ <= at + Σ planes, θ the year's share of the value above the lowest cut, as a share of the money."""
        unit = self._share / self._money
        row = {2 * len(self._size) + year: 1.0}
        most = unit * (cut.at - self._low[year])
        for battery, planes in enumerate(cut.parts):
            if len(planes) == 1:
                row |= self._plane(battery, planes[0], -unit)
                most += unit * planes[0].at_origin
                continue
            least = self._column()
            row[least] = -1.0
            for plane in planes:
                self._rows.add({least: 1.0} | self._plane(battery, plane, -unit), -np.inf, unit * plane.at_origin)
        self._rows.add(row, -np.inf, most)

    def _add_short(self, cut: Limit) -> None:
        """What rules choices out: at + Σ planes <= 0."""
        row, most = dict[int, float](), -cut.at
        for battery, (plane,) in enumerate(cut.parts):
            row |= self._plane(battery, plane, 1.0)
            most -= plane.at_origin
        scale = max(*(abs(value) for value in row.values()), abs(most))
        row = {column: value / scale for column, value in row.items()}
        if not self._known:
            row[2 * len(self._size)] = 1.0
        self._rows.add(row, -np.inf, most / scale)

    def _add_ranges(self) -> None:
        region = self._planes.region
        for battery, part in enumerate(region.parts):
            power, energy = 2 * battery, 2 * battery + 1
            most_power, most_energy = self._size[battery]
            (p0, p1), (h0, h1) = part.power_mw, part.duration_h
            self._rows.add({power: most_power}, p0, p1)
            ratio = most_power / most_energy
            self._rows.add({energy: 1.0, power: -h0 * ratio}, 0.0, np.inf)
            self._rows.add({energy: 1.0, power: -h1 * ratio}, -np.inf, 0.0)
            steps = part.module or (part.power_step_mw, part.energy_step_mwh)
            number = self._step({power: most_power}, steps[0], None)
            self._step({energy: most_energy}, steps[1], number if part.module else None)
        per_mw, per_mwh, fixed = region.capital
        if region.budget is not None:
            left = region.budget - fixed
            unit = max(abs(left), 1e-9)
            self._rows.add(self._sum(per_mw / unit, per_mwh / unit), -np.inf, left / unit)
        if region.energy_min_mwh > 0.0:
            self._rows.add(self._sum(0.0, 1.0 / region.energy_min_mwh), 1.0, np.inf)

    def _step(self, row: dict[int, float], step: float | None, number: int | None) -> int | None:
        """Hold a size to whole steps: those counted by the column `number`, or by one of its own."""
        if step is None:
            return None
        if number is None:
            number = self._column()
            self._whole.append(number)
        self._rows.add({column: value / step for column, value in row.items()} | {number: -1.0}, 0.0, 0.0)
        return number

    def _sum(self, per_mw: float, per_mwh: float) -> dict[int, float]:
        row: dict[int, float] = {}
        for battery, (power, energy) in enumerate(self._size.tolist()):
            row |= {2 * battery: per_mw * power, 2 * battery + 1: per_mwh * energy}
        return row


def _largest(part: Region) -> tuple[float, float]:
    """Largest MW and MWh of a battery's range."""
    most = part.power_mw[1]
    return most, most * part.duration_h[1]
