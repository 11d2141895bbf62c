"""A limit on how fast the grid power moves, with what is beyond it measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.core as pyo

from bess_opt.common.arrays import Array
from bess_opt.models.components import ArrayConstraint, ArrayVar, Constant
from bess_opt.models.meaning import Meaning
from bess_opt.models.units import MW

RAMP = Meaning(kind="gauge", flow="grid_mw")


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
