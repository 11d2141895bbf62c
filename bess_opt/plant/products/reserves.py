"""The capacity that the strategy of frequency regulation sells: a product of each direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bess_opt.common.arrays import Array


@dataclass(frozen=True)
class Product:
    """Capacity of one direction that this plant may sell, and what a held MW asks of the battery.

    `price` in currency per MW and hour. `activation` is the share of the held capacity that is called on average over
    a step, `headroom_h` the hours for which a full call can be served; `block_starts` marks the steps at which the
    capacity may change.
    """

    direction: Literal["up", "down"]
    price: Array
    activation: Array
    headroom_h: float
    max_mw: float
    block_starts: Array


@dataclass(frozen=True)
class Reserves:
    """The products that this plant may sell, by name; `symmetric` ones are held alike up and down, as one product."""

    products: Mapping[str, Product]
    symmetric: bool = False

    @property
    def up(self) -> Product:
        """The one product that is called upward."""
        return self._only("up")

    @property
    def down(self) -> Product:
        """The one product that is called downward."""
        return self._only("down")

    def _only(self, direction: str) -> Product:
        (product,) = (one for one in self.products.values() if one.direction == direction)
        return product
