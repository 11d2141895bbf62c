"""A limit on how fast the grid power moves, with what is beyond it measured.

And what a hard one says of each way of a converter, in cuts that hold for every plan that runs one way. Of a pair of
flows the ramps bound the change of first − second from step to step: near a step in which one of the two flows the
other is short of its most. The cuts say so with the binaries of the pair, so that the linear relaxation knows it too.
Each is written once, for one flow and one direction of time; the `MIRRORS` are both flows and both directions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.core as pyo

from bess_opt.common.arrays import Array
from bess_opt.models.assets import add_own
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Constant, Rule
from bess_opt.models.meaning import Meaning
from bess_opt.models.units import MW

if TYPE_CHECKING:
    from bess_opt.models.one_way import Pair

METER = "import_mw"  # first flow of the pair that a ramp bounds itself
RAMP, CUT = Meaning(kind="gauge", flow="grid_mw"), Meaning(kind="cut")


@dataclass(frozen=True)
class RampLimit:
    """Grid power may differ by at most `limit_mw` from each of the `window` steps before it.

    Before the horizon it stood at `before_mw` (+ exports).
    """

    limit_mw: float
    window: int
    before_mw: float

    def excess_mw(self, grid_mw: Array) -> Array:
        """How far each step is beyond the limit, up or down, whichever is more; 0 within it."""
        known = np.concatenate([np.full(self.window, self.before_mw), grid_mw])
        past = np.lib.stride_tricks.sliding_window_view(known, self.window)[:-1]
        beyond = np.maximum(grid_mw - past.min(axis=1), past.max(axis=1) - grid_mw) - self.limit_mw
        excess: Array = np.maximum(beyond, 0.0)
        return excess


def add_ramp(m: Any, ramp: RampLimit, steps: int) -> None:
    """Add `ramp_excess_mw` per step and the pairs of steps that it covers."""
    lags = np.arange(1, min(ramp.window, steps - 1) + 1)
    m.ramp_later = np.concatenate([np.arange(lag, steps) for lag in lags])
    m.ramp_earlier = np.concatenate([np.arange(steps - lag) for lag in lags])
    m.ramp_limit_mw = Constant(ramp.limit_mw, MW)
    m.grid_before_mw = Constant(ramp.before_mw, MW)
    m.ramp_excess_mw = ArrayVar(m.steps, units=MW, doc="change of grid power beyond the limit", meaning=RAMP)
    m.ramp_pairs = pyo.RangeSet(0, len(m.ramp_later) - 1)
    m.ramp_up = ArrayConstraint(m.ramp_pairs, rule=ramp_up, meaning=RAMP)
    m.ramp_down = ArrayConstraint(m.ramp_pairs, rule=ramp_down, meaning=RAMP)
    m.ramp_first_steps = pyo.RangeSet(0, min(ramp.window, steps) - 1)
    m.first_ramp_up = ArrayConstraint(m.ramp_first_steps, rule=first_ramp_up, meaning=RAMP)
    m.first_ramp_down = ArrayConstraint(m.ramp_first_steps, rule=first_ramp_down, meaning=RAMP)


def ramp_up(m: Any, i: Any) -> Any:
    """grid[later] − grid[earlier] <= limit + excess[later], for each pair i of steps within a window."""
    later = m.ramp_later[i]
    return _grid(m, later) - _grid(m, m.ramp_earlier[i]) <= m.ramp_limit_mw + m.ramp_excess_mw[later]


def ramp_down(m: Any, i: Any) -> Any:
    """grid[earlier] − grid[later] <= limit + excess[later], for each pair i of steps within a window."""
    later = m.ramp_later[i]
    return _grid(m, m.ramp_earlier[i]) - _grid(m, later) <= m.ramp_limit_mw + m.ramp_excess_mw[later]


def first_ramp_up(m: Any, t: Any) -> Any:
    """grid[t] − before <= limit + excess[t], while the window reaches back to before the horizon."""
    return _grid(m, t) - m.grid_before_mw <= m.ramp_limit_mw + m.ramp_excess_mw[t]


def first_ramp_down(m: Any, t: Any) -> Any:
    """before − grid[t] <= limit + excess[t], while the window reaches back to before the horizon."""
    return m.grid_before_mw - _grid(m, t) <= m.ramp_limit_mw + m.ramp_excess_mw[t]


def _grid(m: Any, t: Any) -> Any:
    return m.export_mw[t] - m.import_mw[t]


@dataclass(frozen=True)
class Mirror:
    """One flow of a pair in one direction of time.

    `of_first`: the flow is the pair's first. `forward`: the step before leads to the one that a cut is about, else
    the step after does.
    """

    of_first: bool
    forward: bool

    @property
    def name(self) -> str:
        """Part of the names of its rows."""
        return f"{'first' if self.of_first else 'second'}_{'rises' if self.forward else 'falls'}"

    @property
    def by_rise(self) -> bool:
        """Whether a rise of first − second bounds it, not a fall."""
        return self.of_first == self.forward


MIRRORS = tuple(Mirror(of_first, forward) for of_first in (True, False) for forward in (True, False))


@dataclass(frozen=True)
class Seen:
    """A pair's columns in the model `m` as a mirror sees them, and the numbers of its rows."""

    m: Any
    pair: Pair
    mirror: Mirror

    def freed(self, near: Any, far: Any) -> Any:
        """By how much more the flow may be at `near` than at `far` because of PV used there, or load not served."""
        if self.pair.first == METER:
            return 0.0
        t = near if self.mirror.of_first else far
        return self.m.free_solar_mw[t] - self.m.curtailed_ac_mw[t] + self.m.unserved_mw[t]

    def one(self, t: Any) -> Any:
        """The flow in step t."""
        return getattr(self.m, self.pair.first if self.mirror.of_first else self.pair.second)[t]

    def other(self, t: Any) -> Any:
        """The flow that excludes it."""
        return getattr(self.m, self.pair.second if self.mirror.of_first else self.pair.first)[t]

    def may(self, t: Any) -> Any:
        """1 where the flow may be more than zero."""
        binary = getattr(self.m, self.pair.binary)[t]
        return binary if self.mirror.of_first else 1 - binary

    def given(self, name: str) -> Any:
        """A number per row, MW."""
        return getattr(self.m, number_name(self.pair, self.mirror, name))


def number_name(pair: Pair, mirror: Mirror, name: str) -> str:
    """The name that a number of a mirror's rows has in the model."""
    return f"{pair.binary}_{mirror.name}_{name}_mw"


def add_ramp_cuts(m: Any, pair: Pair, limits: Mapping[str, Array], changes: tuple[Array, Array]) -> None:
    """Add all cuts of `pair`, whose flows reach at most `limits`, MW.

    `changes` are the most that first − second may rise, and fall, into each step with a ramp.
    """
    if not hasattr(m, "twice_ramped_step"):
        m.twice_ramped_step = m.ramped_step[:-1][np.diff(m.ramped_step) == 1]
        m.twice_ramped_steps = pyo.RangeSet(0, len(m.twice_ramped_step) - 1)
    for mirror in MIRRORS:
        flows = limits[pair.first], limits[pair.second]
        one, other = flows if mirror.of_first else flows[::-1]
        toward, away = changes if mirror.by_rise else changes[::-1]
        numbers, more = _numbers(m, mirror, other, toward), _more_numbers(m, mirror, one, other, toward, away)
        for steps, values in ((m.ramped_steps, numbers), (m.twice_ramped_steps, more)):
            for name, value in values.items():
                doc = f"of what a ramp says of {pair.first if mirror.of_first else pair.second}"
                setattr(m, number_name(pair, mirror, name), ArrayParam(steps, value, units=MW, doc=doc))
        for rules, steps in ((RAMP_CUTS, m.ramped_steps), (LONGER_RAMP_CUTS, m.twice_ramped_steps)):
            for name, rule in rules.items():
                if rule is across and not mirror.forward:
                    continue  # the same as of the other flow, forward
                cut = ArrayConstraint(steps, rule=rule(pair, mirror), meaning=CUT)
                add_own(m, pair.prefix, f"{pair.binary}_{mirror.name}_{name}", cut)


def _numbers(m: Any, mirror: Mirror, other: Array, toward: Array) -> dict[str, Array]:
    """Per step with a ramp: the most change, and what is left of the other flow's most beyond it."""
    most = toward[m.ramped_step]
    far = m.ramped_step - 1 if mirror.forward else m.ramped_step
    return {"change": most, "other_left": np.maximum(other[far] - most, 0.0)}


def _more_numbers(m: Any, mirror: Mirror, one: Array, other: Array, toward: Array, away: Array) -> dict[str, Array]:
    """Per step between two ramps: the most change over both, what it leaves of each flow, and of a peak."""
    t = m.twice_ramped_step
    most = toward[t] + toward[t + 1]
    near, far = (t + 1, t - 1) if mirror.forward else (t - 1, t + 1)
    up, down = (toward[t], away[t + 1]) if mirror.forward else (toward[t + 1], away[t])
    return {
        "two_changes": most,
        "one_left_of_two": np.maximum(one[near] - most, 0.0),
        "other_left_of_two": np.maximum(other[far] - most, 0.0),
        "peak": np.maximum(np.maximum(up, down), 0.0),
    }


def from_net(pair: Pair, mirror: Mirror) -> Rule:
    """The rule that a flow, where it may flow, is no further than a ramp from what both are beside it."""

    def rule(m: Any, i: Any) -> Any:
        """one[near] <= one[far] − other[far] + ramp + (other's most − ramp)₊·(1 − may[near]), of each step i."""
        seen, t = Seen(m, pair, mirror), m.ramped_step[i]
        near, far = (t, t - 1) if mirror.forward else (t - 1, t)
        rest = seen.given("other_left")[i] * (1 - seen.may(near))
        beside = seen.one(far) - seen.other(far) + seen.freed(near, far)
        return seen.one(near) <= beside + seen.given("change")[i] + rest

    return rule


def from_own(pair: Pair, mirror: Mirror) -> Rule:
    """The rule that a flow is more than beside it only where it may flow."""

    def rule(m: Any, i: Any) -> Any:
        """one[near] <= one[far] + ramp·may[near], of each step i."""
        seen, t = Seen(m, pair, mirror), m.ramped_step[i]
        near, far = (t, t - 1) if mirror.forward else (t - 1, t)
        return seen.one(near) <= seen.one(far) + seen.given("change")[i] * seen.may(near) + seen.freed(near, far)

    return rule


def peak(pair: Pair, mirror: Mirror) -> Rule:
    """The rule that a rise of a flow beside one of the other is no more than the larger of both ramps."""

    def rule(m: Any, i: Any) -> Any:
        """one[mid] − one[far] + other[near] − other[mid] <= larger ramp: one of both flows is zero at mid."""
        seen, mid = Seen(m, pair, mirror), m.twice_ramped_step[i]
        near, far = (mid + 1, mid - 1) if mirror.forward else (mid - 1, mid + 1)
        rise, freed = seen.one(mid) - seen.one(far), seen.freed(mid, far)
        if not mirror.of_first:
            freed = freed + seen.freed(mid, near)
        return rise + seen.other(near) - seen.other(mid) <= seen.given("peak")[i] + freed

    return rule


def across(pair: Pair, mirror: Mirror) -> Rule:
    """The rule that a flow and the other one two steps off are together no more than two ramps."""

    def rule(m: Any, i: Any) -> Any:
        """one[near] + other[far] <= both ramps + what they leave of other·(1 − may[near]) and of one·may[far]."""
        seen, mid = Seen(m, pair, mirror), m.twice_ramped_step[i]
        near, far = (mid + 1, mid - 1) if mirror.forward else (mid - 1, mid + 1)
        rest = seen.given("other_left_of_two")[i] * (1 - seen.may(near))
        rest += seen.given("one_left_of_two")[i] * seen.may(far)
        return seen.one(near) + seen.other(far) <= seen.given("two_changes")[i] + rest + seen.freed(near, far)

    return rule


RAMP_CUTS = {"from_net": from_net, "from_own": from_own}
LONGER_RAMP_CUTS = {"peak": peak, "across": across}
