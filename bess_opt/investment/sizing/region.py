"""Which sizes may be bought: ranges of power and duration, steps, blocks and a budget, in (MW, MWh)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.wording import show
from bess_opt.inputs.finance import Finance

Range = float | Sequence[float]

SLACK = 1e-9  # of a size: a bound missed by less is rounding
MOST_SIZES = 200_000  # stepped powers (or energies) that are gone through one by one
MOST = {"power_mw": 1e9, "duration_h": 1e6}  # of one battery: beyond, no plan is made
SMALLEST = 1e-4  # of the largest power or duration: the smallest battery of a range that begins at 0
GRID = 7  # powers and durations of a grid where no steps are stated


@dataclass(frozen=True)
class HalfPlane:
    """The sizes with per_mw·P + per_mwh·E <= most."""

    per_mw: float
    per_mwh: float
    most: float


@dataclass(frozen=True)
class Region:
    """The sizes (P, E) with `low <= A·(P, E) <= high` row by row, on steps where these are stated.

    `power_mw` and `duration_h` are (least, most); a least of 0 is no battery. `module` is (MW, MWh) of a
    block: only whole numbers of blocks. `budget` is the most capital, `capital` = (per MW, per MWh, fixed).
    `energy_min_mwh` is a least size. `planned` are half-planes that hold every size with a plan, as far as is known.
    """

    power_mw: tuple[float, float]
    duration_h: tuple[float, float]
    power_step_mw: float | None = None
    energy_step_mwh: float | None = None
    module: tuple[float, float] | None = None
    budget: float | None = None
    capital: tuple[float, float, float] = (0.0, 0.0, 0.0)
    energy_min_mwh: float = 0.0
    planned: tuple[HalfPlane, ...] = ()

    @property
    def stepped(self) -> bool:
        """Whether not every size of the range can be bought."""
        return self.module is not None or self.power_step_mw is not None or self.energy_step_mwh is not None

    @property
    def holds_nothing(self) -> bool:
        """Whether no battery at all is one of the sizes: a range begins at 0."""
        return self.energy_min_mwh <= 0.0 and (self.power_mw[0] <= 0.0 or self.duration_h[0] <= 0.0)

    def battery(self, power_mw: float, energy_mwh: float) -> tuple[float, float]:
        """The nearest size that is a battery: a range that begins at 0 has its smallest one a little above.

        Where both are 0, at the middle of the durations.
        """
        shortest = max(self.duration_h[0], SMALLEST * self.duration_h[1])
        power = max(power_mw, self.power_mw[0], SMALLEST * self.power_mw[1])
        if energy_mwh <= 0.0 and power_mw <= 0.0:
            return power, power * (shortest + self.duration_h[1]) / 2.0
        if power == power_mw and energy_mwh >= shortest * power:
            return power_mw, energy_mwh
        ratio = energy_mwh / power_mw if power_mw > 0.0 else self.duration_h[1]
        return power, power * min(max(ratio, shortest), self.duration_h[1])

    def halfplanes(self) -> tuple[Array, Array]:
        """(A, b) with A·(P, E) <= b, the steps left out."""
        (p0, p1), (h0, h1) = self.power_mw, self.duration_h
        rows = [(-1.0, 0.0, -p0), (1.0, 0.0, p1), (h0, -1.0, 0.0), (-h1, 1.0, 0.0), (0.0, -1.0, -self.energy_min_mwh)]
        if self.budget is not None:
            rows.append((self.capital[0], self.capital[1], self.budget - self.capital[2]))
        rows += [_even(half, p1, h1 * p1) for half in self.planned]
        table = np.array(rows)
        return table[:, :2], table[:, 2]

    def contains(self, power_mw: float, energy_mwh: float) -> bool:
        """Whether a size is within the ranges and the budget; steps are not looked at."""
        a, b = self.halfplanes()
        size = np.array([power_mw, energy_mwh])
        return bool((a @ size <= b + SLACK * (np.abs(a) @ np.abs(size) + np.abs(b))).all())

    def corners(self) -> Array:
        """The corners of the range in the plane of MW and MWh, counter-clockwise; empty if nothing is allowed."""
        a, b = self.halfplanes()
        found = []
        for i in range(len(b)):
            for j in range(i):
                pair = a[[i, j]]
                if abs(np.linalg.det(pair)) > 1e-12:
                    point = np.linalg.solve(pair, b[[i, j]])
                    if self.contains(*point):
                        found.append(point)
        if not found:
            return np.zeros((0, 2))
        points = np.unique(np.round(np.array(found), 12), axis=0)
        around = points - points.mean(axis=0)
        return points[np.argsort(np.arctan2(around[:, 1], around[:, 0]), kind="stable")]

    def middle(self) -> tuple[float, float]:
        """A size in the middle of the range, on its steps."""
        p, e = self.corners().mean(axis=0)
        return self.battery(*self.nearest(float(p), float(e)))

    def largest(self) -> tuple[float, float]:
        """The size of most power, and of most energy at it, on its steps."""
        p, e = max(self.corners().tolist())
        return self.battery(*self.nearest(p, e))

    def nearest(self, power_mw: float, energy_mwh: float) -> tuple[float, float]:
        """The allowed size nearest to (P, E), relative to the size of the range."""
        if not self.stepped:
            return power_mw, energy_mwh
        most_power, most_energy = np.maximum(self.corners().max(axis=0), 1e-12)

        def distance(one: tuple[float, float]) -> float:
            return float(abs(one[0] - power_mw) / most_power + abs(one[1] - energy_mwh) / most_energy)

        return min(self._around(power_mw, energy_mwh), key=distance)

    def _around(self, power_mw: float, energy_mwh: float) -> list[tuple[float, float]]:
        """Allowed sizes with a power near `power_mw`."""
        for powers in (self._near_powers(power_mw), self.powers()):
            found = [(p, e) for p in powers for e in self.energies_near(p, energy_mwh)]
            if found:
                return found
        raise ScenarioError([_nothing_fits()])

    def _near_powers(self, power_mw: float) -> list[float]:
        step = self.module[0] if self.module else self.power_step_mw
        if step is None:
            return [power_mw]
        number = math.floor(power_mw / step)
        return [round(step * n, 12) for n in range(number - 1, number + 3)]

    def powers(self) -> list[float]:
        """Stepped powers in the range, or a few where power has no steps."""
        (low, high), step = self.power_mw, self.module[0] if self.module else self.power_step_mw
        if step is None:
            return [float(p) for p in spaced(low, high)]
        first, last = math.ceil(low / step - SLACK), math.floor(high / step + SLACK)
        if last - first >= MOST_SIZES:
            found = f"{last - first + 1:,} powers lie in the range"
            raise ScenarioError([_problem("power_step_mw", found, f"give a step with at most {MOST_SIZES:,}")])
        return [round(step * n, 12) for n in range(max(first, 1), last + 1)]

    def energies(self) -> list[float]:
        """Stepped energies in the range."""
        step, corners = self.energy_step_mwh or 1.0, self.corners()
        first, last = math.ceil(corners[:, 1].min() / step - SLACK), math.floor(corners[:, 1].max() / step + SLACK)
        if last - first >= MOST_SIZES:
            found = f"{last - first + 1:,} energies lie in the range"
            raise ScenarioError([_problem("energy_step_mwh", found, f"give a step with at most {MOST_SIZES:,}")])
        return [round(step * n, 12) for n in range(max(first, 1), last + 1)]

    def spans(self, lines: Array, *, across: bool = False) -> tuple[Array, Array]:
        """(least, most) energy at each power of `lines`; `across`: power at each energy. Least > most: none."""
        a, b = self.halfplanes()
        fixed, free = (1, 0) if across else (0, 1)
        low, high = np.zeros(len(lines)), np.full(len(lines), np.inf)
        for row, limit in zip(a, b, strict=True):
            used = row[fixed] * lines
            left = limit - used
            if row[free] > 0.0:
                high = np.minimum(high, left / row[free])
            elif row[free] < 0.0:
                low = np.maximum(low, left / row[free])
            else:
                high = np.where(left < -SLACK * (abs(limit) + np.abs(used)), -np.inf, high)
        touching = (low > high) & (low <= high + SLACK * np.abs(low))
        return np.where(touching, high, low), high

    def span(self, power_mw: float) -> tuple[float, float]:
        """(least, most) energy at a power; least above most if there is none."""
        low, high = self.spans(np.array([power_mw]))
        return float(low[0]), float(high[0])

    def energies_near(self, power_mw: float, energy_mwh: float) -> list[float]:
        """Allowed energies at a power, next below and above `energy_mwh`."""
        low, high = self.span(power_mw)
        if low > high:
            return []
        if self.module:
            energy = round(self.module[1] * round(power_mw / self.module[0]), 12)
            return [energy] if low * (1 - SLACK) <= energy <= high * (1 + SLACK) else []
        wanted = min(max(energy_mwh, low), high)
        if self.energy_step_mwh is None:
            return [wanted]
        step = self.energy_step_mwh
        first, last = max(math.ceil(low / step - SLACK), 1), math.floor(high / step + SLACK)
        below = math.floor(wanted / step + SLACK)
        inside = sorted({min(max(n, first), last) for n in (below, below + 1)}) if first <= last else []
        return [round(step * n, 12) for n in inside if n > 0]

    def grid(self) -> list[tuple[float, float]]:
        """Sizes to try one by one: all steps, or an even grid of powers and durations."""
        sizes: list[tuple[float, float]] = []
        h0, h1 = self.duration_h
        for power in self.powers():
            low, high = self.span(power)
            if low > high:
                continue
            if self.module:
                sizes += [(power, e) for e in self.energies_near(power, 0.0)]
            elif self.energy_step_mwh is not None:
                step = self.energy_step_mwh
                first, last = math.ceil(low / step - SLACK), math.floor(high / step + SLACK)
                sizes += [(power, round(step * n, 12)) for n in range(max(first, 1), last + 1)]
            else:
                durations = spaced(h0, h1)
                sizes += sorted({(power, float(min(max(power * h, low), high))) for h in durations})
            if len(sizes) > MOST_SIZES:
                found = f"more than {MOST_SIZES:,} sizes lie on these steps"
                raise ScenarioError([_problem("energy_step_mwh", found, "give larger steps or narrower ranges")])
        return sizes


def _even(half: HalfPlane, power_mw: float, energy_mwh: float) -> tuple[float, float, float]:
    """The half-plane divided by its largest part at a size: about 1 there, as the other rows are about a size."""
    size = max(abs(half.per_mw) * power_mw, abs(half.per_mwh) * energy_mwh, abs(half.most))
    return half.per_mw / size, half.per_mwh / size, half.most / size


def spaced(low: float, high: float) -> Array:
    """Numbers over a range for a grid, 0 left out."""
    if high <= low:
        return np.array([low])
    return np.linspace(low, high, GRID) if low > 0.0 else np.linspace(low, high, GRID + 1)[1:]


def region_of(
    power_mw: Range,
    duration_h: Range,
    finance: Finance | None,
    *,
    power_step_mw: float | None,
    energy_step_mwh: float | None,
    module: Sequence[float] | None,
    budget: float | None,
    energy_min_mwh: float | None,
) -> Region:
    """The region of checked inputs. ScenarioError with every problem of ranges, steps, blocks and budget."""
    problems: list[Finding] = []
    power, duration = _range("power_mw", power_mw, problems), _range("duration_h", duration_h, problems)
    stated = {"power_step_mw": power_step_mw, "energy_step_mwh": energy_step_mwh}
    for name, value in (stated | {"energy_min_mwh": energy_min_mwh, "budget": budget}).items():
        if value is not None and not (_is_number(value) and 0.0 < value < math.inf):
            problems.append(_problem(name, f"found {show(value)}", "give a number above 0, or leave it out"))
    block = None
    if module is not None:
        parts = list(module) if isinstance(module, list | tuple | np.ndarray) else []
        if len(parts) != 2 or not all(_is_number(x) and 0.0 < x < math.inf for x in parts):
            problems.append(_problem("module", f"found {show(module)}", "give (MW, MWh) of one block, both above 0"))
        else:
            block = float(parts[0]), float(parts[1])
        if power_step_mw is not None or energy_step_mwh is not None:
            problems.append(_problem("module", "is given beside steps", "a block is a step of both; leave one out"))
    capital = (finance.capital_per_mw, finance.capital_per_mwh, finance.capital_fixed) if finance else (0.0, 0.0, 0.0)
    if budget is not None and not any(capital):
        expected = "give [finance] with capital_per_mw and capital_per_mwh"
        problems.append(_problem("budget", "is given, but no capital cost is stated", expected))
    if problems:
        raise ScenarioError(problems)
    power, duration = _ended(power, duration, budget, capital)
    found = Region(power, duration, power_step_mw, energy_step_mwh, block, budget, capital, energy_min_mwh or 0.0)
    if not len(found.corners()):
        raise ScenarioError([_nothing_fits()])
    found.middle()
    return found


def _ended(
    power: tuple[float, float],
    duration: tuple[float, float],
    budget: float | None,
    capital: tuple[float, float, float],
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ranges whose open upper ends the budget closes. ScenarioError where it does not."""
    if math.isfinite(power[1] + duration[1]):
        return power, duration
    if budget is None or min(capital[:2]) <= 0.0:
        expected = "give upper ends, or a budget with capital_per_mw and capital_per_mwh"
        raise ScenarioError([_problem("power_mw", "the range of sizes has no end", expected)])
    left = max(budget - capital[2], 0.0)
    most = min(power[1], max(left / capital[0], power[0]))
    longest = duration[1]
    if not math.isfinite(longest):
        if power[0] <= 0.0:
            expected = "give an upper end: the smaller the power, the longer a budget lasts"
            raise ScenarioError([_problem("duration_h", "has no end, and power_mw begins at 0", expected)])
        longest = max(left / capital[1] / power[0], duration[0])
    return (power[0], most), (duration[0], longest)


def _range(name: str, value: Range, problems: list[Finding]) -> tuple[float, float]:
    """(least, most) of a number or a pair."""
    parts: list[Any] = [value] if _is_number(value) else []
    if isinstance(value, list | tuple | np.ndarray):
        parts = list(value)
    if not 1 <= len(parts) <= 2 or not all(_is_number(x) for x in parts):
        problems.append(_problem(name, f"found {show(value)}", "give a number, or a pair (least, most)"))
        return 1.0, 1.0
    low, high = float(parts[0]), float(parts[-1])
    if not (low >= 0.0 and high >= low and high > 0.0):
        problems.append(
            _problem(name, f"found {show(value)}", "give (least, most) with 0 <= least <= most, most above 0")
        )
        return 1.0, 1.0
    most = MOST[name]
    if math.isfinite(high) and high > most:
        problems.append(_problem(name, f"found {show(value)}", f"give sizes of at most {most:g}, or no upper end"))
        return 1.0, 1.0
    return low, high


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return number and not math.isnan(value)


def _problem(where: str, found: str, expected: str) -> Finding:
    return Finding("wrong_range", where, found, expected)


def _nothing_fits() -> Finding:
    expected = "widen the ranges, lower the steps or the least energy, or raise the budget"
    return Finding("no_size", "power_mw", "no size lies within ranges, steps, least energy and budget", expected)
