"""What is proven of each battery's power by itself: the most that any choice with it can be worth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bess_opt.investment.joint.planes import JointPlanes
from bess_opt.investment.joint.region import JointRegion
from bess_opt.investment.lifetime.cash_flow import Weights
from bess_opt.investment.sizing.planes import EmptyRangeError

POINTS = 25  # powers of each battery at which its limit is read
MOST_STEPS = 60  # stepped powers that are all read


@dataclass(frozen=True)
class Limits:
    """The limits that a sizing ended with: `parts` = (names of the batteries bought, limits of their choices).

    `nothing` is the value of no battery, None where that is no choice; values are those that are maximised.
    """

    parts: tuple[tuple[tuple[str, ...], JointPlanes], ...]
    weights: Weights
    nothing: float | None

    def of(self, name: str, power_mw: float) -> float:
        """What no choice in which a battery has this power is worth more than; -inf where none has a plan."""
        known = [self._part(names, planes, name, power_mw) for names, planes in self.parts]
        if power_mw <= 0.0 and self.nothing is not None:
            known.append(self.nothing)
        return max(known, default=-math.inf)

    def _part(self, names: tuple[str, ...], planes: JointPlanes, name: str, power_mw: float) -> float:
        try:
            if name not in names:
                return planes.highest(self.weights).bound if power_mw <= 0.0 else -math.inf
            return planes.highest_with(self.weights, names.index(name), power_mw)
        except EmptyRangeError:
            return -math.inf


def profile_of(limits: Limits, region: JointRegion, sign: float) -> pd.DataFrame:
    """A row for each battery and power over its range: battery, power_mw, bound (NaN where no choice has a plan)."""
    rows = []
    for name, part in zip(region.names, region.parts, strict=True):
        low, high = part.power_mw
        powers = [float(one) for one in np.linspace(low, high, POINTS if high > low else 1)]
        if part.module is not None or part.power_step_mw is not None:
            stepped = ([0.0] if part.holds_nothing else []) + part.powers()
            powers = stepped[:: math.ceil(len(stepped) / MOST_STEPS)]
        for power in powers:
            bound = limits.of(name, power)
            rows.append((name, power, sign * bound if math.isfinite(bound) else math.nan))
    return pd.DataFrame(rows, columns=["battery", "power_mw", "bound"])
