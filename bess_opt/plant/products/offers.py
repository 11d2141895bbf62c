"""Market products in numbers: what each pays, when it may be held, and what a held MW asks of the batteries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.clock import Mask, Numbers, local_seconds
from bess_opt.inputs.products.market_product import WEEK_H, MarketProduct
from bess_opt.plant import money

Direction = Literal["up", "down"]
SIGN: dict[Direction, float] = {"up": 1.0, "down": -1.0}  # of the battery power that a call adds
COMPONENT = "product_"
_DAY_S, _MONDAY_S = 86_400, 4 * 86_400  # 1970-01-01 was a Thursday


@dataclass(frozen=True)
class Offer:
    """A market product that this plant may hold; arrays have one value per step.

    `price` is the pay per MW and hour, the accepted share in it. `block` numbers the blocks in which a bid is
    constant; `most_mw` is 0 in the blocks in which none may be held. `held_mw` is the bid of the first block that
    already stands, NaN where none does; `bid_mw` is what a rule holds. `called` is the share of each step's time in
    which the whole bid is called in a direction, the accepted share in it; `activation_price` what a MWh of it earns
    in either direction, None where it goes through the site's balance at energy prices. `line` is the line of the
    ledger that its pay enters; `alike` names the product whose bid it repeats in every step, each battery's part too.
    """

    name: str
    directions: tuple[Direction, ...]
    price: Array
    block: Numbers
    most_mw: Array
    headroom_h: float
    min_bid_mw: float = 0.0
    step_mw: float | None = None
    group: str | None = None
    held_mw: float = np.nan
    bid_mw: float = 0.0
    called: Mapping[Direction, Array] = field(default_factory=dict)
    activation_price: Array | None = None
    line: Literal["products", "regulation"] = "products"
    alike: str | None = None

    @property
    def called_directions(self) -> tuple[Direction, ...]:
        """The directions in which it is called at some step."""
        return tuple(direction for direction in self.directions if direction in self.called)

    @property
    def net_called(self) -> Array | float:
        """Mean MW that a MW of it gives to the AC bus by its calls in each step, below zero where it takes."""
        net: Array | float = sum((SIGN[direction] * share for direction, share in self.called.items()), 0.0)
        return net

    def activation_revenue(self, bid_mw: Array, step_h: float) -> Array:
        """Money of each step for energy that is called, at its own price; nothing where it has none."""
        if self.activation_price is None or not self.called:
            return np.zeros(len(self.price))
        share = sum(self.called.values())
        paid: Array = money.activation_revenue(bid_mw, share, self.activation_price, step_h)
        return paid

    def part(self, at: slice) -> Offer:
        """The product on the steps `at` alone."""
        return replace(
            self,
            price=self.price[at],
            block=self.block[at] - self.block[at][0],
            most_mw=self.most_mw[at],
            called={direction: share[at] for direction, share in self.called.items()},
            activation_price=None if self.activation_price is None else self.activation_price[at],
        )

    def believes_as(self, other: Offer) -> bool:
        """Whether prices and calls are those of `other`, the same product as it is believed at another time."""
        if self.called.keys() != other.called.keys():
            return False
        pairs = [(self.price, other.price), *((share, other.called[way]) for way, share in self.called.items())]
        if self.activation_price is not None and other.activation_price is not None:
            pairs.append((self.activation_price, other.activation_price))
        return all(np.array_equal(a, b) for a, b in pairs)

    @property
    def column(self) -> str:
        """Its column of a schedule: the capacity held."""
        return f"{self.name}_mw"

    @property
    def component(self) -> str:
        """What its parts of a model begin with, so that no name of a product is another part's."""
        return f"{COMPONENT}{self.name}"

    @property
    def inside_block(self) -> Numbers:
        """Steps in which the bid is that of the step before."""
        return np.flatnonzero(np.append(False, np.diff(self.block) == 0))

    @property
    def block_starts(self) -> Numbers:
        """The first step of each block."""
        return np.flatnonzero(np.append(True, np.diff(self.block) != 0))

    @property
    def chooses(self) -> bool:
        """Whether a bid is a choice between none and some, or of whole steps."""
        return self.step_mw is not None or self.min_bid_mw > 0.0 or self.group is not None

    @property
    def of_any_bid(self) -> Offer:
        """The product in a market that takes any bid, none of it a choice: what it earns there is never less."""
        return replace(self, min_bid_mw=0.0, step_mw=None, group=None)

    @property
    def on_or_off(self) -> bool:
        """Whether it has to be said that a block is held: whole steps alone say it, where one is a bid already."""
        steps_say_it = self.step_mw is not None and self.least_mw <= self.step_mw and self.group is None
        return self.chooses and not steps_say_it

    @property
    def least_mw(self) -> float:
        """The least bid that the market takes beside none: a whole number of steps."""
        if self.step_mw is None:
            return self.min_bid_mw
        return self.step_mw * max(1.0, float(np.ceil(self.min_bid_mw / self.step_mw - 1e-9)))


def block_numbers(index: pd.DatetimeIndex, block_h: float | None, step_h: float) -> Numbers:
    """The number of the block of each step, from 0, on the clock of `index`.

    A block begins at local midnight and at each multiple of `block_h` on the clock; 168 hours are weeks from Monday.
    A clock that is set back begins one anew only where the running block has just reached its end.
    """
    steps = np.arange(len(index), dtype=np.int64)
    if block_h is None:
        return steps
    local = local_seconds(index)
    if block_h == WEEK_H:
        key = (local - _MONDAY_S) // (7 * _DAY_S)
        return np.append(0, np.cumsum(np.diff(key) != 0)).astype(np.int64)
    length = round(block_h * 3600)
    key = (local // _DAY_S) * (_DAY_S // length + 1) + (local % _DAY_S) // length
    changes = np.diff(key) != 0
    set_back = np.diff(local) < round(step_h * 3600) - 1
    ended = (local[:-1] + round(step_h * 3600)) % length == 0
    # Within the repeated hour the clock may fall back into a block that still runs.
    new = np.where(set_back, ended, changes)
    return np.append(0, np.cumsum(new)).astype(np.int64)


def offers_of(
    products: Sequence[MarketProduct],
    series: pd.DataFrame,
    step_h: float,
    holidays: Sequence[str],
    away: Mask | None,
    rated_mw: Mapping[str, float],
    turned_mw: float,
) -> tuple[Offer, ...]:
    """The products of a scenario as numbers; `rated_mw` is the batteries' power in each direction of a product.

    A downward call from full discharge to full charge takes `turned_mw` from the AC bus.
    """
    return tuple(_offer(product, series, step_h, holidays, away, rated_mw, turned_mw) for product in products)


def _offer(
    product: MarketProduct,
    series: pd.DataFrame,
    step_h: float,
    holidays: Sequence[str],
    away: Mask | None,
    rated_mw: Mapping[str, float],
    turned_mw: float,
) -> Offer:
    index = pd.DatetimeIndex(series.index)
    local = index if product.time_zone is None else index.tz_convert(product.time_zone)
    block = block_numbers(local, product.block_h, step_h)
    free = product.calendar.mask(local, holidays)
    if away is not None:
        free = free & ~away
    most = turned_mw if product.direction == "down" else rated_mw["up"] + rated_mw["down"]
    if product.max_mw is not None:
        most = min(most, product.max_mw)
    if product.share_of_power is not None:
        most = min(most, product.share_of_power * rated_mw[product.direction])
    return Offer(
        name=product.name,
        directions=product.directions,
        price=product.acceptance_share
        * money.pjm_credit(
            1.0,
            product.performance_score,
            series[f"{product.name}_price_per_mw"].to_numpy(dtype=float),
            product.mileage_ratio,
            product.performance_price_per_mw,
        ),
        block=block,
        most_mw=outside_blocks_of(block, ~free, most),
        headroom_h=product.headroom_h,
        min_bid_mw=product.min_bid_mw or 0.0,
        step_mw=product.step_mw,
        group=product.exclusive_group,
        held_mw=np.nan if product.held_mw is None else product.held_mw,
        bid_mw=product.bid_mw or 0.0,
        called=_called(product, series),
        activation_price=_column(series, f"{product.name}_activation_price_per_mwh"),
    )


def outside_blocks_of(block: Numbers, closed: Mask, most_mw: Array | float) -> Array:
    """The most capacity of each step, none in a block that has a `closed` step."""
    most: Array = np.where(np.isin(block, np.unique(block[closed])), 0.0, most_mw)
    return most


def _called(product: MarketProduct, series: pd.DataFrame) -> dict[Direction, Array]:
    """Share of each step in which the bid is called, by direction; a direction that is never called is left out."""
    one = _column(series, f"{product.name}_activation")
    found: dict[Direction, Array] = {}
    for direction in product.directions:
        own = _column(series, f"{product.name}_activation_{direction}")
        if own is None and one is not None:
            sign = SIGN[direction] if product.direction == "symmetric" else 1.0
            own = np.maximum(sign * one, 0.0)
        if own is not None and own.any():
            found[direction] = product.acceptance_share * own
    return {direction: share for direction, share in found.items() if share.any()}


def _column(series: pd.DataFrame, name: str) -> Array | None:
    return series[name].to_numpy(dtype=float) if name in series else None


def of_direction(offers: Sequence[Offer], direction: Direction) -> list[Offer]:
    """The products that are called in a direction."""
    return [offer for offer in offers if direction in offer.directions]


def call_levels(offers: Sequence[Offer], direction: Direction) -> list[tuple[float, tuple[Offer, ...]]]:
    """(hours, products called for these hours) one after another, when all of a direction are called at once.

    A product with a longer head-room runs on where the shorter ones have ended.
    """
    called = of_direction(offers, direction)
    ends = sorted({offer.headroom_h for offer in called} - {0.0})
    return [
        (end - begin, tuple(offer for offer in called if offer.headroom_h >= end))
        for begin, end in pairwise([0.0, *ends])
    ]


def is_own_call(offers: Sequence[Offer], direction: Direction) -> bool:
    """Whether a call of all `offers` in a direction is one product's own call, which a model has a state for."""
    return len(offers) == 1 and direction in offers[0].called


def level_names(prefix: str, offers: Sequence[Offer], direction: Direction) -> list[str]:
    """What a battery's powers are called in a model in each part of a call of all products of a direction.

    A part in which one product alone runs is that product's own call, where its calls have a state.
    """
    return [
        state_name(prefix, running[0], direction)
        if is_own_call(running, direction)
        else f"{prefix}called_{direction}_{number}"
        for number, (_, running) in enumerate(call_levels(offers, direction))
    ]


def called_down(prefix: str, offers: Sequence[Offer]) -> list[str]:
    """What the powers of a battery are called in a model when products call it down together, for each such part."""
    states = called_states(prefix, offers)
    return [name for name in level_names(prefix, offers, "down") if name not in states]


def called_states(prefix: str, offers: Sequence[Offer]) -> list[str]:
    """What a battery's powers are called in a model at its base point and in each call; none where none is called."""
    states = [state_name(prefix, offer, way) for offer in offers for way in offer.called_directions]
    return [f"{prefix}base", *states] if states else []


def state_name(prefix: str, offer: Offer, direction: Direction) -> str:
    """What a battery's powers are called in a model while a product calls it."""
    return f"{prefix}activated_{direction}_{offer.name}"


def settled_limits(offers: Sequence[Offer], import_mw: Array, export_mw: Array) -> dict[str, Array]:
    """Most import and export that energy prices see: the meter's, and calls that have a price of their own."""
    bought, sold = import_mw, export_mw
    for offer in offers:
        if offer.activation_price is not None:
            bought = bought + offer.called.get("up", 0.0) * offer.most_mw
            sold = sold + offer.called.get("down", 0.0) * offer.most_mw
    return {"settled_import_mw": bought, "settled_export_mw": sold}
