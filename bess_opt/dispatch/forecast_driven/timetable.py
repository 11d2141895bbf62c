"""When decisions are made, for which steps, and on what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bess_opt.common import clock
from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.wording import show

LONGEST_H = 1e6  # of a window: far beyond any series
Commitment = Literal["dispatch", "day_ahead"]


@dataclass(frozen=True)
class Timetable:
    """Decision d is made when step `issued[d]` begins, for the steps `first[d]` to `first[d + 1]` − 1.

    Its window ends before step `last[d]`. `carried_by[t]` is the decision that step t follows.
    """

    issued: Array
    first: Array
    last: Array
    carried_by: Array

    @property
    def decisions(self) -> int:
        """Number of decisions."""
        return len(self.issued)

    def until(self, decision: int) -> int:
        """First step that `decision` does not decide."""
        return int(self.first[decision + 1]) if decision + 1 < self.decisions else len(self.carried_by)

    def next_issue(self, decision: int) -> int:
        """Step at which the next decision is made; the end of the horizon after the last."""
        return int(self.issued[decision + 1]) if decision + 1 < self.decisions else len(self.carried_by)

    def ages(self) -> range:
        """Ages of forecasts that occur: decisions between a forecast's issue and the one that carries it out."""
        youngest = int((self.carried_by[self.issued] - np.arange(self.decisions)).min())
        oldest = int((self.carried_by[self.last - 1] - np.arange(self.decisions)).max())
        return range(youngest, oldest + 1)

    def issue_of(self, age: int) -> Array:
        """For each step, the step at whose start its forecast of `age` was issued; never after the step itself."""
        decision = np.clip(self.carried_by - age, 0, self.decisions - 1)
        issue: Array = np.minimum(self.issued[decision], np.arange(len(self.carried_by)))
        return issue


def timetable_of(
    index: pd.DatetimeIndex, step_h: float, horizon_h: float, every_h: float, commitment: Commitment, gate_hour: float
) -> Timetable:
    """The decisions over `index`. Raises `ScenarioError` for lengths that fit no steps or no day."""
    problems = [
        *_steps("horizon_h", horizon_h, step_h),
        *_steps("every_h", every_h, step_h),
        *_hour("gate_hour", gate_hour),
    ]
    if not problems and every_h > horizon_h:
        found = f"found {every_h:g}, more than horizon_h = {horizon_h:g}"
        problems.append(Finding("wrong_value", "every_h", found, "decide at least once per window"))
    if not problems and commitment == "day_ahead" and horizon_h < 24.0:
        problems.append(Finding("wrong_value", "horizon_h", f"found {horizon_h:g}", "a day ahead needs 24 h or more"))
    if problems:
        raise ScenarioError(problems)
    ahead = round(horizon_h / step_h)
    if commitment == "dispatch":
        first = np.arange(0, len(index), round(every_h / step_h))
        return _timetable(first, first, ahead, len(index))
    return _timetable(*_gates(index, gate_hour), ahead, len(index))


def _gates(index: pd.DatetimeIndex, gate_hour: float) -> tuple[Array, Array]:
    """(issue, first step) of the start and of each local day whose gate closes within the horizon.

    The start decides for the rest of its day, and for the next one too where that day's gate has closed.
    """
    day, hour = clock.day_number(index), (index.hour + index.minute / 60.0 + index.second / 3600.0).to_numpy()
    begins = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
    issued, first = [0], [0]
    for begin, following in zip(begins[:-1].tolist(), begins[1:].tolist(), strict=True):
        closed = np.flatnonzero(hour[begin:following] >= gate_hour)
        gate = begin + int(closed[0]) if len(closed) else following
        if gate > 0:
            issued.append(gate)
            first.append(following)
    return np.array(issued), np.array(first)


def _timetable(issued: Array, first: Array, ahead: int, steps: int) -> Timetable:
    until = np.append(first[1:], steps)
    last = np.minimum(np.maximum(first + ahead, until), steps)
    return Timetable(issued, first, last, np.searchsorted(first, np.arange(steps), side="right") - 1)


def _steps(name: str, hours: float, step_h: float) -> list[Finding]:
    good = isinstance(hours, int | float) and not isinstance(hours, bool) and hours <= LONGEST_H
    if good and hours >= step_h - 1e-9 and abs(hours / step_h - round(hours / step_h)) < 1e-6:
        return []
    expected = f"give a whole number of steps of {step_h:g} h, at most {LONGEST_H:g} h"
    return [Finding("wrong_value", name, f"found {show(hours)}", expected)]


def _hour(name: str, hour: float) -> list[Finding]:
    good = isinstance(hour, int | float) and not isinstance(hour, bool)
    if good and 0.0 <= hour <= 24.0:
        return []
    return [Finding("wrong_value", name, f"found {show(hour)}", "give a local hour from 0 to 24")]
