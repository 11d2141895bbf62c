"""What several batteries are worth over a life that their own wear shortens, and what no plan can be worth.

The value is cash times a sum over the batteries, each falling with its own wear. Both are bounded by concave
functions, cash by lines and each part by its hull; of concave A, B >= 0 the product is A·B <= (t·A + B/t)²/4 for
every t > 0, with equality at the best t. Each t is a linear program, whose multipliers state the bound exactly.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from scipy.optimize import linprog

from bess_opt.common.arrays import Array
from bess_opt.investment.lifetime.worn_life import LifeValue

MOST_BOXES = 100  # of wear, that are looked at for one bound
MOST_TURNS = 40  # of t, for one box
SAME = 1e-10  # of a value

Line = tuple[float, tuple[float, ...]]  # (most, prices): cash <= most + Σ prices · wear


@dataclass(frozen=True)
class Limit:
    """A bound of the value, the wear where it stands, and the prices at which a plan tells most about it."""

    value: float
    wear: tuple[float, ...]
    prices: tuple[float, ...]


@dataclass(frozen=True)
class _Bound:
    """A bound of cash times capacity in a box of wear: where it is reached, and the prices of wear there."""

    value: float
    wear: Array
    prices: tuple[float, ...]


@dataclass(frozen=True)
class SiteLife:
    """Value over life of a horizon's cash and each battery's wear; `shares` are those of nameplate.

    What the site earns beyond its own money goes with the capacity of all nameplate. `most_wear` is what no plan
    wears more than, of each battery.
    """

    lives: tuple[LifeValue, ...]
    shares: tuple[float, ...]
    most_wear: tuple[float, ...]

    @property
    def _fixed(self) -> float:
        life = self.lives[0]
        return life.base + life.site * float(life.worth.sum())

    def part(self, battery: int, wear: float) -> float:
        """What a unit of a horizon's cash is worth over life by the capacity of one battery."""
        life = self.lives[battery]
        return self.shares[battery] * float(life.worth @ life.capacity(wear))

    def of(self, cash: float, wear: Sequence[float]) -> float:
        """The value."""
        parts = sum(self.part(number, own) for number, own in enumerate(wear))
        return self._fixed + (cash - self.lives[0].site) * parts

    def scale(self, cash: float) -> float:
        """What the batteries earn over their life while nothing fades: what gaps are shares of."""
        return self.lives[0].scale(cash)

    def highest(self, lines: Sequence[Line], enough: float) -> Limit:
        """The most value of any wear, where cash is under every line, as near as boxes of wear show it.

        It is not made nearer below `enough`.
        """
        order = count()
        whole = (np.zeros(len(self.lives)), np.array(self.most_wear))
        heap = [self._entry(lines, whole, next(order))]
        for _ in range(MOST_BOXES):
            bound, box = heap[0][2], heap[0][3]
            cut = None if self._fixed + bound.value <= enough else self._cut(box, bound)
            if cut is None:
                break
            heapq.heappop(heap)
            number, at = cut
            for side in (0, 1):
                ends = box[0].copy(), box[1].copy()
                ends[1 - side][number] = at
                heapq.heappush(heap, self._entry(lines, ends, next(order)))
        found = heap[0][2]
        return Limit(self._fixed + found.value, tuple(found.wear.tolist()), found.prices)

    def _entry(self, lines: Sequence[Line], box: tuple[Array, Array], order: int) -> tuple[float, int, _Bound, Any]:
        bound = self._bound(lines, box)
        return -bound.value, order, bound, box

    def _hull(self, battery: int, low: float, high: float) -> Array:
        """Corners (wear, part) of the least concave function above a battery's part between two wears."""
        inner = [wear for wear in self.lives[battery].corners if low < wear < high]
        points: list[tuple[float, float]] = []
        for wear in sorted({low, high, *inner}):
            value = self.part(battery, wear)
            while len(points) > 1 and _below(points[-2], points[-1], (wear, value)):
                points.pop()
            points.append((wear, value))
        return np.array(points)

    def _cut(self, box: tuple[Array, Array], bound: _Bound) -> tuple[int, float] | None:
        """(battery, wear) where the hull is farthest above what it stands for; None where it is not above."""
        gaps = []
        for number, wear in enumerate(bound.wear.tolist()):
            hull = self._hull(number, float(box[0][number]), float(box[1][number]))
            gaps.append(float(np.interp(wear, hull[:, 0], hull[:, 1])) - self.part(number, wear))
        number = int(np.argmax(gaps))
        return (number, float(bound.wear[number])) if gaps[number] > SAME * self.part(number, 0.0) else None

    def _bound(self, lines: Sequence[Line], box: tuple[Array, Array]) -> _Bound:
        """The bound of a box: t is moved until both terms are alike, or no t between two is lower."""
        hulls = [self._hull(number, *ends) for number, ends in enumerate(zip(*box, strict=True))]
        program = _Program(lines, self.lives[0].site, hulls)
        if program.most_cash <= 0.0:
            return _Bound(0.0, box[0], tuple(0.0 for _ in hulls))
        t = np.sqrt(program.most_part / program.most_cash) if program.most_part > 0.0 else 1.0
        low: _Turn | None = None
        high: _Turn | None = None
        best: tuple[_Turn, tuple[float, ...]] | None = None
        for _ in range(MOST_TURNS):
            turn = program.at(float(t))
            best = (turn, turn.prices) if best is None or turn.bound < best[0].bound else best
            if abs(turn.slope) <= SAME * turn.bound:
                low = high = turn
                break
            low, high = (turn, high) if turn.slope < 0.0 else (low, turn)
            last, t = t, _next(turn, low, high)
            if abs(t - last) <= SAME * t:
                break
        if best is None:
            raise ArithmeticError("no bound of a box of wear was looked at")
        return _Bound(best[0].bound ** 2 / 4.0, _between(low, high, float(t)), best[1])


@dataclass(frozen=True)
class _Turn:
    """The linear program at a t: its bound of t·A + B/t, the slope t·A − B/t of that in ln t, and where it lies."""

    bound: float
    slope: float
    cash: float
    part: float
    wear: Array
    prices: tuple[float, ...]


class _Program:
    """max t·A + B/t with A (cash beyond the site's own) under the lines and B the sum of parts under their hulls."""

    def __init__(self, lines: Sequence[Line], site: float, hulls: Sequence[Array]) -> None:
        self.count = len(hulls)
        self.low = np.array([hull[0, 0] for hull in hulls])
        self.span = np.array([max(hull[-1, 0] - hull[0, 0], 1e-300) for hull in hulls])
        self.most = np.array([most for most, _ in lines]) - site
        self.price = np.array([prices for _, prices in lines])
        self.most_cash = float((self.most + self.price @ (self.low + self.span)).min())
        self.most_part = float(sum(hull[:, 1].max() for hull in hulls))
        pieces = [_pieces(hull) for hull in hulls]
        self.owner = np.concatenate([np.full(len(own), number) for number, own in enumerate(pieces)]).astype(int)
        self.level, self.fall = np.concatenate(pieces).T

    def at(self, t: float) -> _Turn:
        """The program at t, in units in which cash, parts and the spans of wear are 1."""
        lines, rows, n = len(self.most), len(self.level), self.count
        matrix = np.zeros((lines + rows, 1 + 2 * n))
        unit, whole = max(self.most_cash, 1e-300), max(self.most_part, 1e-300)
        matrix[:lines, 0] = 1.0
        matrix[:lines, 1 : 1 + n] = -self.price * self.span / unit
        matrix[lines + np.arange(rows), 1 + n + self.owner] = 1.0
        matrix[lines + np.arange(rows), 1 + self.owner] = self.fall * self.span[self.owner] / whole
        least = self.level - self.fall * self.low[self.owner]
        side = np.concatenate([(self.most + self.price @ self.low) / unit, least / whole])
        weight = np.concatenate([[-t * unit], np.zeros(n), np.full(n, -whole / t)])
        limits = [(0.0, None), *[(0.0, 1.0)] * n, *[(None, None)] * n]
        found = linprog(weight / (t * unit), A_ub=matrix, b_ub=side, bounds=limits, method="highs")
        if not found.success:  # any multipliers give a bound
            return self._turn(t, np.ones(lines), np.ones(rows), self.low)
        dual, wear = np.maximum(-found.ineqlin.marginals, 0.0), np.asarray(found.x, dtype=float)[1 : 1 + n]
        return self._turn(t, dual[:lines], dual[lines:], self.low + self.span * np.clip(wear, 0.0, 1.0))

    def _turn(self, t: float, of_lines: Array, of_parts: Array, wear: Array) -> _Turn:
        """Multipliers made to fit exactly, so that their bound holds whatever the solver's tolerance left open."""
        of_lines = t * of_lines / of_lines.sum()
        sums = np.bincount(self.owner, of_parts, minlength=self.count)
        of_parts = of_parts / (t * sums[self.owner])
        falls = np.bincount(self.owner, of_parts * self.fall, minlength=self.count)
        slope = of_lines @ self.price - falls
        reached = np.where(slope > 0.0, self.low + self.span, self.low)
        bound = float(of_lines @ self.most + of_parts @ self.level + slope @ reached)
        cash = float((self.most + self.price @ wear).min())
        each = self.level - self.fall * wear[self.owner]
        part = float(sum(each[self.owner == number].min() for number in range(self.count)))
        return _Turn(bound, t * cash - part / t, cash, part, wear, tuple((falls / t).tolist()))


def _pieces(hull: Array) -> Array:
    """(level, fall) of each straight piece of a hull: part <= level − fall · wear."""
    if len(hull) == 1:
        return np.array([[hull[0, 1], 0.0]])
    fall = np.maximum(-np.diff(hull[:, 1]) / np.diff(hull[:, 0]), 0.0)
    return np.column_stack([hull[:-1, 1] + fall * hull[:-1, 0], fall])


def _below(left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]) -> bool:
    """Whether the middle point is on or below the line through the others."""
    return (middle[1] - left[1]) * (right[0] - left[0]) <= (right[1] - left[1]) * (middle[0] - left[0])


def _next(turn: _Turn, low: _Turn | None, high: _Turn | None) -> float:
    """The t to look at: where both sides that are known are worth the same, else where a turn's terms are alike."""
    if low is not None and high is not None and high.cash > low.cash and low.part > high.part:
        return float(np.sqrt((low.part - high.part) / (high.cash - low.cash)))
    return float(np.sqrt(max(turn.part, 1e-300) / max(turn.cash, 1e-300)))


def _between(low: _Turn | None, high: _Turn | None, t: float) -> Array:
    """The wear at which both terms are alike at t, between two turns."""
    if low is None or high is None:
        return next(turn.wear for turn in (low, high) if turn is not None)
    below, above = (t * turn.cash - turn.part / t for turn in (low, high))
    share = float(np.clip(-below / (above - below), 0.0, 1.0)) if above > below else 0.0
    mixed: Array = (1.0 - share) * low.wear + share * high.wear
    return mixed
