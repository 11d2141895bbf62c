"""What an amount costs whose price changes at thresholds: one price, and a bend at each threshold."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bess_opt.common.arrays import Array


@dataclass(frozen=True)
class Curve:
    """price·x + Σ change·max(x − at, 0): marginal prices by amount. `at` rises; a change above 0 makes it dearer."""

    price: float
    at: tuple[float, ...] = ()
    change: tuple[float, ...] = ()

    def cost(self, amount: Any) -> Any:
        """Cost of an amount, or of an array of them."""
        total = self.price * amount
        for at, change in zip(self.at, self.change, strict=True):
            total = total + change * np.maximum(amount - at, 0.0)
        return total

    def marginal(self, amount: Array) -> Array:
        """Price of the last unit of each amount: on a threshold that of the tier that ends there."""
        prices = self.price + np.cumsum([0.0, *self.change])
        found: Array = prices[np.searchsorted(np.array(self.at), amount, side="left")]
        return found

    def within(self, least: float, most: float) -> Curve:
        """The same cost, but for a constant, for amounts between `least` and `most`: bends out of reach are gone.

        Where `least` lies above a threshold, the price there is the base price.
        """
        passed = sum(change for at, change in zip(self.at, self.change, strict=True) if at <= least)
        kept = [(at, change) for at, change in zip(self.at, self.change, strict=True) if least < at < most and change]
        return Curve(self.price + passed, tuple(at for at, _ in kept), tuple(change for _, change in kept))

    def scaled(self, factor: float) -> Curve:
        """The curve of `factor` times this cost."""
        return Curve(factor * self.price, self.at, tuple(factor * change for change in self.change))


def curve_of(tiers: Sequence[tuple[float, float]]) -> Curve:
    """The curve of marginal tiers (up to, price) over amounts from 0 up; the last has no end."""
    tops, prices = [top for top, _ in tiers], [price for _, price in tiers]
    change = tuple(high - low for low, high in itertools.pairwise(prices))
    return Curve(prices[0], tuple(tops[:-1]), change)


def netted(tiers: Sequence[tuple[float, float]], surplus_price: float) -> Curve:
    """Cost of a net import whose surplus, below 0, is paid `surplus_price`."""
    bought = curve_of(tiers)
    return Curve(surplus_price, (0.0, *bought.at), (bought.price - surplus_price, *bought.change))
