"""Billing intervals: which steps are measured together, on the local clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array, Integers
from bess_opt.common.clock import local_seconds
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.inputs.tariff import DemandRate

DAY_S = 86_400


@dataclass(frozen=True)
class Intervals:
    """Runs of steps `first` to `first + length − 1`; the horizon may cut the first and the last."""

    first: Integers
    length: Integers

    def where(self, mask: Array) -> Intervals:
        """Those of which the first step lies in `mask`."""
        inside = mask[self.first]
        return Intervals(self.first[inside], self.length[inside])

    def means(self, values: Array) -> Array:
        """Mean of each interval."""
        if not len(self.first):
            return np.zeros(0)
        sums = np.array(np.add.reduceat(np.append(values, 0.0), np.ravel([self.first, self.first + self.length], "F")))
        found: Array = sums[::2] / self.length
        return found


def intervals_of(rate: DemandRate, where: str, index: pd.DatetimeIndex, step_h: float) -> Intervals:
    """The intervals of a row: from multiples of `interval_min` of the local clock, anew at each change of it.

    ScenarioError where an interval is no whole number of steps or does not divide a day.
    """
    step_s = round(step_h * 3600)
    interval_s = step_s if rate.interval_min is None else round(rate.interval_min * 60)
    problems = interval_findings(rate, where, step_s, interval_s)
    if problems:
        raise ScenarioError(problems)
    local = local_seconds(index)
    offset = local - np.asarray(index.tz_convert("UTC").as_unit("s").asi8)
    # A step longer than a day has intervals of its own; shorter ones share those of the local clock.
    begins = (np.diff(local // interval_s, prepend=-1) != 0) | (np.diff(offset, prepend=offset[:1]) != 0)
    begins[:1] = True
    first = np.flatnonzero(begins)
    return Intervals(first, np.diff(np.append(first, len(index))))


def interval_findings(rate: DemandRate, where: str, step_s: int, interval_s: int) -> list[Finding]:
    """What is wrong with a row's interval, and with edges of its windows that are not edges of intervals."""
    found = f"found {interval_s / 60:g} min"
    place = f"{where}.interval_min"
    if interval_s % step_s:
        remedy = "give a multiple of the step, or resample the series"
        text = f"{found}, which is not a whole number of {step_s / 60:g} min steps"
        return [Finding("billing_interval", place, text, remedy)]
    if rate.interval_min is not None and DAY_S % interval_s:
        return [Finding("billing_interval", place, f"{found}, which does not divide a day", "give 15, 30, 60 ...")]
    when, problems = rate.when, []
    for first, last in () if when.all_day or rate.interval_min is None else when.windows:
        if any(round(minute * 60) % interval_s for minute in (first, last)):
            text = f"an edge of {first / 60:g} to {last / 60:g} h lies inside an interval of {interval_s / 60:g} min"
            problems.append(Finding("billing_interval", f"{where}.hours", text, "give edges at which intervals begin"))
    return problems
