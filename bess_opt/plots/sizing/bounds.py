"""What each size can be worth at most, from the planes of the search: a map that costs no solve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bess_opt.plots.shared.time_axes import Floats
from bess_opt.plots.sizing.marks import FINE

if TYPE_CHECKING:
    from bess_opt.investment.sizing.planes import Planes
    from bess_opt.investment.sizing.result import Sizing

RATES = 81  # rates of return between which the limit of a size is read off
LOWEST_RATE = -0.5
ROUNDING = 1e-9  # share of a limit by which a size on it is outside of nothing


def bound_table(sizing: Sizing, planes: Planes) -> pd.DataFrame:
    """power_mw, duration_h and the proven limit of the value over an even grid; NaN where a size meets no limits."""
    (p0, p1), (h0, h1) = sizing.region.power_mw, sizing.region.duration_h
    power, duration = np.meshgrid(
        np.linspace(p0, p1, FINE if p1 > p0 else 1), np.linspace(h0, h1, FINE if h1 > h0 else 1)
    )
    energy = power * duration
    goal = sizing.goal
    if goal.kind.rate:
        bound = _rates(sizing, planes, power, energy)
    else:
        bound = goal.sign * planes.bound_at(goal.priced, power, energy)
    for half in planes.region.planned:
        scale = ROUNDING * max(abs(half.most), 1.0)
        bound = np.where(half.per_mw * power + half.per_mwh * energy <= half.most + scale, bound, np.nan)
    columns = {"power_mw": power, "duration_h": duration, "value": bound}
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()})


def _rates(sizing: Sizing, planes: Planes, power: Floats, energy: Floats) -> Floats:
    """The highest rate at which the present value of a size can be nought: it falls with the rate."""
    top = max(sizing.bound or 0.0, sizing.value if np.isfinite(sizing.value) else 0.0)
    rates = np.linspace(LOWEST_RATE, top + 0.01, RATES)
    worth = np.array([planes.bound_at(sizing.goal.weights_at(float(rate)), power, energy) for rate in rates])
    last = (worth > 0.0).sum(axis=0)  # how many rates, from the lowest on, it passes
    after = np.clip(last, 1, RATES - 1)
    above, below = (np.take_along_axis(worth, place[None], axis=0)[0] for place in (after - 1, after))
    step = np.where(above > below, above / np.where(above > below, above - below, 1.0), 0.0)
    found = rates[after - 1] + np.clip(step, 0.0, 1.0) * (rates[after] - rates[after - 1])
    return np.where(last > 0, found, np.nan)
