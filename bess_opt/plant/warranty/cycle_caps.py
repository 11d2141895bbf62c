"""Caps on cycles in numbers: how much energy may leave the cells, or enter them, over runs of steps.

A cap is stated in full equivalent cycles, a nameplate of energy each. A calendar cap has one run of steps per local
period, a cap within so many hours one for every stretch of that length. Model, step simulator, audit and rolling
plans read the same runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bess_opt.common import clock
from bess_opt.common.arrays import Array
from bess_opt.inputs.cycle_limits import CycleLimit

WHOLE = 1e-9  # hours that miss a whole number of steps by less than this share of one hold that number
WITHIN_HOURS = "cycles_within_hours"


@dataclass(frozen=True)
class CycleCap:
    """Most energy that may leave the cells (enter them, if `charged`) over runs of steps, in stored MWh.

    Run k is the steps `first[k]` to `last[k]` − 1 and allows `most_mwh[k]`. Runs stand in order of time; those of a
    cap within so many hours overlap, and none that begins later ends earlier or allows less of what is left.
    `name` tells the caps of a battery apart, `where` is the key path at which it is stated, `count` the stated
    cycles and `period` their period in words. `width` are the steps of a window of a cap within hours.
    """

    name: str
    where: str
    count: float
    period: str
    charged: bool
    first: Array
    last: Array
    most_mwh: Array
    width: int | None = None

    @property
    def daily(self) -> bool:
        """Whether it counts per local day."""
        return self.period == "day"

    @property
    def windows(self) -> Array:
        """Numbers of the runs that are whole windows of a cap within hours; one for each step that begins one."""
        whole: Array = np.flatnonzero(self.last - self.first == self.width) if self.width else np.zeros(0, np.int64)
        return whole

    def mean_mw(self, step_h: float) -> float:
        """Power through the cells that uses up no run before its end; a day may have 25 hours, the horizon cut it."""
        hours = np.maximum((self.last - self.first) * step_h, 25.0 if self.daily else 0.0)
        return float((self.most_mwh / hours).min(initial=np.inf))

    def counted(self, into: Array, out: Array) -> Array:
        """What counts of the energy that goes `into` and `out` of the cells."""
        return into if self.charged else out

    def excess_mwh(self, counted_mwh: Array) -> Array:
        """Per run, by how much the counted energy of its steps is above what it allows."""
        done = _running_sum(counted_mwh)
        excess: Array = done[self.last] - done[self.first] - self.most_mwh
        return excess

    def part(self, first: int, last: int, counted_mwh: Array) -> CycleCap:
        """The cap on the steps `first` to `last` − 1 as a horizon of its own; `counted_mwh` are those before."""
        done = _running_sum(counted_mwh[:first])
        runs = np.flatnonzero((self.first < last) & (self.last > first))
        before = done[first] - done[np.minimum(self.first[runs], first)]
        begin, end = np.maximum(self.first[runs], first) - first, np.minimum(self.last[runs], last) - first
        return replace(self, first=begin, last=end, most_mwh=np.maximum(self.most_mwh[runs] - before, 0.0))

    def tightened(self, most_mwh: Array) -> CycleCap:
        """The same runs with no more than `most_mwh` each."""
        return replace(self, most_mwh=np.minimum(self.most_mwh, most_mwh))


class Allowance:
    """What a cap leaves while the steps go by; each step is asked for and then booked, in order."""

    def __init__(self, cap: CycleCap, steps: int) -> None:
        self._most = cap.most_mwh.tolist()
        # Of the runs that hold a step the earliest has counted most, so it alone binds.
        run = np.searchsorted(cap.last, np.arange(steps), side="right")
        begins = np.append(cap.first, steps)[run]
        self._run, self._since = run.tolist(), np.where(begins <= np.arange(steps), begins, -1).tolist()
        self._done = [0.0]

    def left_mwh(self, t: int) -> float:
        """Stored MWh that step `t` may still move; infinite in a step of no run."""
        since, done = self._since[t], self._done
        if since < 0:
            return np.inf
        left: float = self._most[self._run[t]] - (done[t] - done[since])
        return left if left > 0.0 else 0.0

    def book(self, counted_mwh: float) -> None:
        """Enter what the step asked for last has moved."""
        self._done.append(self._done[-1] + counted_mwh)


def cycle_caps_of(
    limits: Sequence[tuple[str, CycleLimit]],
    index: pd.DatetimeIndex,
    step_h: float,
    energy_mwh: float,
    drawn_mw: Array | float = 0.0,
) -> tuple[CycleCap, ...]:
    """The caps of a battery of nameplate `energy_mwh` over the steps of `index`; `limits` by their key paths.

    What is drawn from the cells (`drawn_mw`, one number or one per step) leaves them like any discharge, and is known
    beforehand: a cap on energy that leaves allows so much less, below zero where that alone breaks it.
    """
    drawn = _running_sum(np.broadcast_to(drawn_mw, len(index)) * step_h)
    caps: list[CycleCap] = []
    for where, limit in limits:
        kind = WITHIN_HOURS if limit.per is None else f"cycles_per_{limit.per}"
        same = sum(cap.name.startswith(kind) for cap in caps)
        first, last = runs_of(limit, index, step_h)
        most = np.full(len(first), limit.count * energy_mwh)
        width = None if limit.per is not None else steps_within(limit, step_h)
        if width is None or last[0] - first[0] < width:
            most[0] = max(limit.count - limit.used, 0.0) * energy_mwh
        name, charged = f"{kind}_{same + 1}" if same else kind, limit.counts == "charged"
        if not charged:
            most = most - (drawn[last] - drawn[first])
        caps.append(CycleCap(name, where, limit.count, limit.period, charged, first, last, most, width))
    return tuple(caps)


def runs_of(limit: CycleLimit, index: pd.DatetimeIndex, step_h: float) -> tuple[Array, Array]:
    """(first step, step after the last) of each run of steps over which `limit` counts.

    Within hours the first run is what a stretch that begins before the horizon holds of it, if that is anything.
    """
    steps = len(index)
    if limit.per is None:
        width = steps_within(limit, step_h)
        whole = np.arange(max(steps - width + 1, 0))
        opening = min(width - 1, steps)
        first = np.concatenate([np.zeros(min(opening, 1), dtype=np.int64), whole])
        return first, np.concatenate([np.full(min(opening, 1), opening), whole + width])
    edges = np.flatnonzero(np.diff(period_of(limit, index))) + 1
    return np.concatenate([[0], edges]), np.concatenate([edges, [steps]])


def steps_within(limit: CycleLimit, step_h: float) -> int:
    """Whole steps that fit into the hours of a limit within hours."""
    return int(np.floor((limit.hours or 0.0) / step_h + WHOLE))


def period_of(limit: CycleLimit, index: pd.DatetimeIndex) -> Array:
    """A number per step that is the same for all steps of one period of a calendar limit."""
    if limit.per == "horizon" or limit.per is None:
        return np.zeros(len(index), dtype=np.int64)
    if limit.per == "year" and limit.begins is not None:
        month, day = (int(part) for part in limit.begins.split("-"))
        before = 100 * index.month.to_numpy() + index.day.to_numpy() < 100 * month + day
        years: Array = index.year.to_numpy() - before
        return years
    return clock.period_number(index, limit.per)[0]


def _running_sum(values: Array) -> Array:
    return np.concatenate([[0.0], np.cumsum(values)])
