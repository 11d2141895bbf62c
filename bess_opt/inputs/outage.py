"""Outages: hours in which the grid is away, and how much of the load must be served then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field

from bess_opt.common.clock import HOUR_NS
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Table, quantity, reject
from bess_opt.common.wording import show

LONGEST_H = 1e5  # of an outage: eleven years, beyond which a number is no duration


def _with_offset(value: object) -> str:
    """A time with its offset as ISO text."""
    try:
        time = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        time = None
    if not isinstance(time, dt.datetime) or time.tzinfo is None or not 1678 <= time.year <= 2261:
        expected = 'give a time with its offset from UTC: "2025-07-01T18:00+02:00"'
        reject([Finding("wrong_value", "", f"found {show(value)}", expected)])
    return time.isoformat()


class Outage(Table):
    """The grid is away from `start` for `hours`: import and export are 0, and the critical load is served first."""

    where: ClassVar[str] = "outage"

    start: Annotated[
        str,
        BeforeValidator(_with_offset),
        Field(description='a time with its offset from UTC, "2025-07-01T18:00+02:00": the grid is away from then on'),
    ]
    hours: Annotated[Number, quantity("elapsed hours until the grid is back", "h", gt=0, le=LONGEST_H)]
    critical_share: Annotated[
        Number,
        quantity("share of the load that must be served; the rest may go unserved free of charge", "1", ge=0, le=1),
    ] = 1.0

    @property
    def first_ns(self) -> int:
        """Its start in UTC, nanoseconds."""
        return int(pd.Timestamp(self.start).as_unit("ns").value)

    @property
    def last_ns(self) -> int:
        """The instant at which the grid is back, UTC, nanoseconds."""
        return self.first_ns + round(self.hours * HOUR_NS)


def outage_findings(outages: Sequence[Outage], index: pd.DatetimeIndex, step_h: float) -> list[Finding]:
    """Problems between outages, and between them and the steps: edges inside a step, none within the horizon."""
    if not outages or not len(index):
        return []
    begin, step = int(index[0].as_unit("ns").value), round(step_h * HOUR_NS)
    end = begin + step * len(index)
    problems: list[Finding] = []
    for n, outage in enumerate(outages):
        where = f"outage[{n}]"
        if outage.last_ns <= begin or outage.first_ns >= end:
            found = f"the outage from {_text(outage.first_ns, index)} to {_text(outage.last_ns, index)} is outside"
            horizon = f"the horizon runs from {_text(begin, index)} to {_text(end, index)}"
            expected = f"{horizon}; give one within, or leave it out"
            problems.append(Finding("outage_outside", where, found, expected))
            continue
        for key, edge in (("start", outage.first_ns), ("hours", outage.last_ns)):
            nearest = begin + round((edge - begin) / step) * step
            if key == "hours" and nearest <= outage.first_ns:
                nearest = outage.first_ns + step
            if abs(edge - nearest) > step * 1e-6:
                found = f"the outage {'begins' if key == 'start' else 'ends'} at {_text(edge, index)}, inside a step"
                expected = f"the nearest edge of a step is {_text(nearest, index)}"
                problems.append(Finding("edge_inside_step", f"{where}.{key}", found, expected))
    return problems or _overlaps(outages, index)


def _overlaps(outages: Sequence[Outage], index: pd.DatetimeIndex) -> list[Finding]:
    order = sorted(range(len(outages)), key=lambda n: outages[n].first_ns)
    problems = []
    for one, other in pairwise(order):
        if outages[other].first_ns < outages[one].last_ns:
            found = f"begins at {_text(outages[other].first_ns, index)}, before outage[{one}] ends"
            expected = f"begin at {_text(outages[one].last_ns, index)} or later, or state one outage"
            problems.append(Finding("outages_overlap", f"outage[{other}].start", found, expected))
    return problems


def outage_notes(outages: Sequence[Outage], index: pd.DatetimeIndex, step_h: float) -> list[Finding]:
    """Outages that the horizon cuts."""
    begin = int(index[0].as_unit("ns").value)
    end, notes = begin + round(step_h * HOUR_NS) * len(index), []
    for n, outage in enumerate(outages):
        inside = (min(outage.last_ns, end) - max(outage.first_ns, begin)) / HOUR_NS
        if outage.hours - inside > step_h * 1e-6:
            found = f"{inside:g} of its {outage.hours:g} hours lie within the horizon"
            notes.append(Finding("outage_cut", f"outage[{n}]", found, "the rest is left out", "warning"))
    return notes


def steps_away(outages: Sequence[Outage], index: pd.DatetimeIndex, step_h: float) -> np.ndarray:
    """For each step the number of the outage that holds it, -1 for none."""
    number = np.full(len(index), -1)
    middle = index.as_unit("ns").asi8 + round(step_h * HOUR_NS) // 2
    for n, outage in enumerate(outages):
        number[(middle > outage.first_ns) & (middle < outage.last_ns)] = n
    return number


def _text(instant_ns: int, index: pd.DatetimeIndex) -> str:
    stamp = pd.Timestamp(instant_ns, tz="UTC").tz_convert(index.tz)
    return stamp.isoformat(timespec="minutes" if instant_ns % (60 * 10**9) == 0 else "auto")
