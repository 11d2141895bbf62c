"""Billing intervals: which steps are measured together, on the local clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array, Integers
from bess_opt.common.clock import local_seconds
from bess_opt.common.errors import ScenarioError
from bess_opt.inputs.tariff import DemandRate
from bess_opt.inputs.tariff_checks import interval_findings


@dataclass(frozen=True)
class Intervals:
    """Runs of steps `first` to `first + length − 1`; the horizon may cut the first and the last."""

    first: Integers
    length: Integers

    def where(self, mask: Array) -> Intervals:
        """Those of which the first step lies in `mask`."""
        return self.at(mask[self.first])

    def at(self, which: Array) -> Intervals:
        """Those that a mask over the intervals names."""
        return Intervals(self.first[which], self.length[which])

    def means(self, values: Array) -> Array:
        """Mean of each interval."""
        if not len(self.first):
            return np.zeros(0)
        sums = np.array(
            np.add.reduceat(np.append(values, 0.0), np.ravel([self.first, self.first + self.length], "F"))
        )
        found: Array = sums[::2] / self.length
        return found


def intervals_of(rate: DemandRate, where: str, index: pd.DatetimeIndex, step_h: float) -> Intervals:
    """The intervals of a row: from multiples of `interval_min` of the local clock, anew at each change of it.

    ScenarioError where an interval is no whole number of steps or does not divide a day.
    """
    step_s = round(step_h * 3600)
    interval_s = step_s if rate.interval_min is None else round(rate.interval_min * 60)
    problems = interval_findings(rate, where, step_s)
    if problems:
        raise ScenarioError(problems)
    local = local_seconds(index)
    offset = local - np.asarray(index.tz_convert("UTC").as_unit("s").asi8)
    # A step longer than a day has intervals of its own; shorter ones share those of the local clock.
    begins = (np.diff(local // interval_s, prepend=-1) != 0) | (np.diff(offset, prepend=offset[:1]) != 0)
    begins[:1] = True
    first = np.flatnonzero(begins)
    return Intervals(first, np.diff(np.append(first, len(index))))
