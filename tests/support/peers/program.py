"""A small mixed-integer program as arrays, solved by scipy."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array


@dataclass
class Linear:
    """A sum of variables times numbers, and a number."""

    terms: list[tuple[int, float]] = field(default_factory=list)
    constant: float = 0.0

    def __add__(self, other: Linear | float) -> Linear:
        if isinstance(other, Linear):
            return Linear(self.terms + other.terms, self.constant + other.constant)
        return Linear(list(self.terms), self.constant + float(other))

    def __mul__(self, factor: float) -> Linear:
        return Linear([(at, value * factor) for at, value in self.terms], self.constant * factor)

    def __sub__(self, other: Linear | float) -> Linear:
        return self + (other * -1.0)

    def value(self, x: np.ndarray) -> float:
        return self.constant + sum(value * x[at] for at, value in self.terms)


def total(parts: list[Linear]) -> Linear:
    terms = [term for part in parts for term in part.terms]
    return Linear(terms, sum(part.constant for part in parts))


class Program:
    """Variables, rows and an objective that is made largest."""

    def __init__(self) -> None:
        self.low: list[float] = []
        self.high: list[float] = []
        self.whole: list[int] = []
        self.rows: list[tuple[Linear, float, float]] = []
        self.objective = Linear()
        self.x = np.zeros(0)

    def variable(self, low: float = 0.0, high: float = math.inf, whole: bool = False) -> Linear:
        self.low.append(low)
        self.high.append(high)
        self.whole.append(int(whole))
        return Linear([(len(self.low) - 1, 1.0)])

    def variables(self, highs: np.ndarray, low: float = 0.0) -> list[Linear]:
        return [self.variable(low, float(high)) for high in highs]

    def keep(self, sum_: Linear, low: float = -math.inf, high: float = math.inf) -> None:
        """low <= sum <= high."""
        self.rows.append((sum_, low - sum_.constant, high - sum_.constant))

    def bounds(self, sum_: Linear) -> tuple[float, float]:
        low = high = sum_.constant
        for at, value in sum_.terms:
            ends = sorted([value * self.low[at], value * self.high[at]])
            low, high = low + ends[0], high + ends[1]
        return low, high

    def not_both(self, one: Linear, other: Linear) -> None:
        """At most one of two sums above 0."""
        on = self.variable(0, 1, whole=True)
        self.keep(one - on * max(self.bounds(one)[1], 0.0), high=0.0)
        self.keep(other + on * max(self.bounds(other)[1], 0.0), high=max(self.bounds(other)[1], 0.0))

    def at_least(self, *parts: Linear | float) -> Linear:
        """A variable no less than any part: the greatest of them where the program makes it small."""
        numbers = [part for part in parts if not isinstance(part, Linear)]
        found = self.variable(max(numbers, default=-math.inf))
        for part in parts:
            if isinstance(part, Linear):
                self.keep(found - part, low=0.0)
        return found

    def piecewise(self, quantity: Linear, pieces: list[tuple[float, float]]) -> Linear:
        """Cost of a quantity, `pieces` being (up to, price) in rising order, whole line covered, 0 at quantity 0.

        Where a later piece is cheaper, binaries fill them in order.
        """
        low, high = self.bounds(quantity)
        low, high = min(low, 0.0) - 1.0, max(high, 0.0) + 1.0
        parts, start = [], low
        for top, price in pieces:
            end = min(top, high)
            if end > start:
                parts.append((start, end, price))
                start = end
        fills = [self.variable(0.0, end - begin) for begin, end, _ in parts]
        self.keep(total(fills) - quantity, low=-low, high=-low)
        prices = [price for _, _, price in parts]
        if any(b < a for a, b in pairwise(prices)):
            for at in range(len(fills) - 1):
                on = self.variable(0, 1, whole=True)
                self.keep(fills[at] - on * (parts[at][1] - parts[at][0]), low=0.0)
                self.keep(fills[at + 1] - on * (parts[at + 1][1] - parts[at + 1][0]), high=0.0)
        cost = total([fill * price for fill, price in zip(fills, prices, strict=True)])
        at_zero = sum(price * (min(max(0.0, begin), end) - begin) for begin, end, price in parts)
        return cost - at_zero

    def solve(self, seconds: float = 120.0) -> float | None:
        """The largest objective, None where nothing is feasible; RuntimeError where it is not known."""
        at, of, values = [], [], []
        for number, (sum_, _, _) in enumerate(self.rows):
            for index, value in sum_.terms:
                at.append(number)
                of.append(index)
                values.append(value)
        matrix = coo_array((values, (at, of)), shape=(len(self.rows), len(self.low))).tocsr()
        cost = np.zeros(len(self.low))
        for index, value in self.objective.terms:
            cost[index] -= value
        found = milp(
            cost,
            integrality=np.array(self.whole),
            bounds=Bounds(np.array(self.low), np.array(self.high)),
            constraints=LinearConstraint(matrix, [row[1] for row in self.rows], [row[2] for row in self.rows]),
            options={"mip_rel_gap": 1e-9, "time_limit": seconds},
        )
        if found.status == 2:
            return None
        if found.status != 0:
            raise RuntimeError(found.message)
        self.x = found.x
        return float(self.objective.constant - found.fun)
