"""Wear by depth of cycle in numbers: segments of stored energy, each with a price on what leaves it.

Energy that enters the cells fills the cheapest segments that have room, energy that leaves is taken from the
cheapest that hold some. Because prices rise with depth no other order costs less, and on a path of charge and
discharge alone the cost is that of rainflow counting with every falling range counted whole. The model chooses the
order by itself; what a schedule costs is worked out here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import rainflow

from bess_opt.common.arrays import Array


@dataclass(frozen=True)
class DepthWear:
    """Segments of a battery's stored energy, from the cheapest to the dearest, in stored MWh.

    `price_per_mwh` is paid for what leaves each, `start_mwh` is what each holds at the start. `taken_up` says that a
    plan may be taken up from what the segments hold at any later instant.
    """

    width_mwh: Array
    price_per_mwh: Array
    start_mwh: Array
    taken_up: bool = False

    @property
    def one_price(self) -> bool:
        """Whether a MWh costs the same at every depth, so that segments need not be told apart."""
        return bool(np.ptp(self.price_per_mwh) == 0.0)

    @property
    def cheapest_first(self) -> bool:
        """Whether the energy at the start stands in the cheapest segments."""
        whole = float(self.start_mwh.sum())
        return bool(np.allclose(self.start_mwh, filled(self.width_mwh, whole), rtol=0.0, atol=1e-9 * self.energy_mwh))

    @cached_property
    def energy_mwh(self) -> float:
        """Energy of all segments: the nameplate."""
        return float(self.width_mwh.sum())

    def of_falls(self, falls_mwh: Array) -> Array:
        """Cost of falls of the stored energy, each from the cheapest segment on."""
        edges = np.concatenate([[0.0], np.cumsum(self.width_mwh)])
        paid = np.concatenate([[0.0], np.cumsum(self.width_mwh * self.price_per_mwh)])
        cost: Array = np.interp(falls_mwh, edges, paid)
        return cost


def depth_wear_of(
    depth: Sequence[float],
    price_per_mwh: Sequence[float],
    energy_mwh: float,
    start_mwh: float,
    stand_mwh: Sequence[float] | None = None,
) -> DepthWear:
    """The segments of a nameplate of `energy_mwh`, with `start_mwh` in the cheapest or `stand_mwh` in each."""
    width = np.diff(np.asarray([0.0, *depth])) * energy_mwh
    start = filled(width, start_mwh) if stand_mwh is None else np.asarray(stand_mwh, dtype=float)
    return DepthWear(width, np.asarray(price_per_mwh, dtype=float), start)


def filled(width_mwh: Array, energy_mwh: float) -> Array:
    """What each segment holds of `energy_mwh`, the first ones full."""
    below = np.concatenate([[0.0], np.cumsum(width_mwh)[:-1]])
    held: Array = np.clip(energy_mwh - below, 0.0, width_mwh)
    return held


@dataclass(frozen=True)
class Worn:
    """What a path through the segments costs per step, and what each segment holds after the last step."""

    cost: Array
    stand_mwh: Array


def worn(wear: DepthWear, retention: float, into_mwh: Array, out_mwh: Array, drawn_mwh: Array | float = 0.0) -> Worn:
    """The least wear of energy that goes `into_mwh` and `out_mwh` of the cells in each step.

    Self-discharge (`retention` is what it leaves of a step) takes its part of every segment, `drawn_mwh` is taken
    from the dearest that hold energy, both without price. What goes in and out within one step passes through the
    cheapest segment.
    """
    steps = len(out_mwh)
    into, out = np.asarray(into_mwh, dtype=float), np.asarray(out_mwh, dtype=float)
    drawn = np.broadcast_to(np.asarray(drawn_mwh, dtype=float), steps)
    if retention == 1.0 and not drawn.any():
        left, stand = _moved(wear, into, out)
        return Worn(left @ wear.price_per_mwh, stand)
    held, width, price = wear.start_mwh.tolist(), wear.width_mwh.tolist(), wear.price_per_mwh.tolist()
    through = np.minimum(into, out)
    cost = price[0] * through
    fills, takes = into - through, out - through
    moves = (fills > 0.0) | (takes > 0.0) | (drawn > 0.0) | (retention != 1.0)
    for t in np.flatnonzero(moves).tolist():
        if retention != 1.0:
            held = [retention * energy for energy in held]
        missing = _draw(held, drawn[t]) if drawn[t] > 0.0 else 0.0
        _fill(held, width, float(fills[t]))
        cost[t] += _take(held, price, float(takes[t]))
        if missing > 0.0:
            _draw(held, missing)  # what only the step's own charge can give
    return Worn(cost, np.array(held))


def leaving_by_segment(wear: DepthWear, into_mwh: Array, out_mwh: Array) -> Array:
    """What leaves each segment in each step, MWh, a row for each step; charge and discharge alone move energy."""
    return _moved(wear, into_mwh, out_mwh)[0]


def _moved(wear: DepthWear, into: Array, out: Array) -> tuple[Array, Array]:
    """(what leaves each segment in each step, what each holds after the last), MWh, by charge and discharge alone.

    The cheapest segments fill first and empty first: so many of them, taken together, follow each move as far as
    they have room or energy.
    """
    moves = into - out
    own = np.flatnonzero(moves)
    room = np.cumsum(wear.width_mwh)
    held = np.empty((len(own) + 1, len(room)))
    held[0] = np.cumsum(wear.start_mwh)
    for k, move in enumerate(moves[own].tolist()):
        after = held[k + 1]
        np.add(held[k], move, out=after)
        if move > 0.0:
            np.minimum(after, room, out=after)
        else:
            np.maximum(after, 0.0, out=after)
    fell = np.maximum(held[:-1] - held[1:], 0.0)
    left = np.zeros((len(moves), len(room)))
    left[own] = np.maximum(np.diff(fell, axis=1, prepend=0.0), 0.0)
    left[:, 0] += np.minimum(into, out)
    return left, np.maximum(np.diff(held[-1], prepend=0.0), 0.0)


def _draw(held: list[float], energy: float) -> float:
    """Take `energy` from the dearest that hold some; returns what none can give."""
    for j in range(len(held) - 1, -1, -1):
        if energy <= 0.0:
            break
        taken = min(energy, held[j])
        held[j] -= taken
        energy -= taken
    return energy


def _fill(held: list[float], width: list[float], energy: float) -> None:
    """Put `energy` into the cheapest that have room."""
    for j, most in enumerate(width):
        if energy <= 0.0:
            break
        put = min(energy, max(most - held[j], 0.0))
        held[j] += put
        energy -= put


def _take(held: list[float], price: list[float], energy: float) -> float:
    """Take `energy` from the cheapest that hold some; returns what it costs."""
    cost = 0.0
    for j, each in enumerate(price):
        if energy <= 0.0:
            break
        taken = min(energy, held[j])
        held[j] -= taken
        energy -= taken
        cost += each * taken
    return cost


def rainflow_cost(wear: DepthWear, energy_mwh: Array) -> float:
    """Cost of a path of stored energy by rainflow counting (ASTM E1049): each falling range whole, no rising one.

    A full cycle has one fall; of the half cycles those count that fall.
    """
    return float(wear.of_falls(falls_of(energy_mwh)).sum())


def counted_by_segment(wear: DepthWear, energy_mwh: Array) -> Array:
    """What the falls of a path take from each segment by rainflow counting, MWh."""
    edges = np.concatenate([[0.0], np.cumsum(wear.width_mwh)])
    within = np.clip(falls_of(energy_mwh)[:, None], edges[:-1], edges[1:]) - edges[:-1]
    total: Array = within.sum(axis=0)
    return total


def falls_of(energy_mwh: Array) -> Array:
    """The falling ranges of a path of stored energy by rainflow counting, MWh."""
    path = np.asarray(energy_mwh, dtype=float)
    falls = [
        depth for depth, _, count, first, last in counted_cycles(path) if count == 1.0 or path[last] < path[first]
    ]
    return np.array(falls, dtype=float)


def counted_cycles(path: Array) -> list[tuple[float, float, float, int, int]]:
    """(range, mean, count, first, last) of each cycle of a path by rainflow counting; count 0.5 is a half."""
    points = path.tolist()
    if len(points) == 2:  # the library sees no range in fewer than three points
        points.append(points[-1])
    return [cycle if cycle[4] < len(path) else (*cycle[:4], 1) for cycle in rainflow.extract_cycles(points)]


@dataclass(frozen=True)
class WearIdentity:
    """Wear of a battery's plan twice, in currency: by the model's segments, and by rainflow counting of its path.

    `reasons` say why the two are not claimed to agree; where there is none they do.
    """

    battery: str
    modelled: float
    rainflow: float
    reasons: tuple[str, ...] = ()

    @property
    def difference(self) -> float:
        """Modelled less counted."""
        return self.modelled - self.rainflow

    @property
    def claimed(self) -> bool:
        """Whether the two must agree."""
        return not self.reasons

    def to_dict(self) -> dict[str, Any]:
        """The row as plain data."""
        return asdict(self) | {"difference": self.difference, "claimed": self.claimed}
