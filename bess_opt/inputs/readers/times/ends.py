"""Whether a stamp names the start or the end of its step: stated, in the column's name, or shown by the rows."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from bess_opt.common.wording import minutes
from bess_opt.inputs.readers.arguments import StampKind, Stated
from bess_opt.inputs.readers.problems import question
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.times.words import DAY_NS, Nanoseconds

_END_NAMES = r"^end[ _]?time\b|\(he\)|ending|\bend\b|_end\b|interval_?end|^he$|hour ?end|\bbis\b|^to\b|\bende\b"
_START_NAMES = r"begin|start|\(hb\)|\bvon\b|\bab\b|^from\b|valid_from"


def says_end(name: str) -> bool:
    """Whether a column's name says that its times are ends of steps."""
    return bool(re.search(_END_NAMES, name, re.IGNORECASE))


def says_start(name: str) -> bool:
    """Whether a column's name says that its times are starts of steps."""
    return bool(re.search(_START_NAMES, name, re.IGNORECASE))


def choose_end(
    wall: Nanoseconds, step: int, name: str, late: bool, where: str, stated: Stated, log: Log, known: StampKind | None
) -> StampKind:
    """Which end of its step a stamp names; `late` says that the hour 24 occurs, which is no start.

    Without a word of the caller, the kind of file or the column's name, stamps that begin a day are starts, and
    stamps from one step after midnight to a midnight are ends. ScenarioError where neither shows.
    """
    given = stated.take("stamps")
    if given is not None:
        if given == "start" and late:
            readings = [('stamps="end"', "times from 00:00 on")]
            raise question("stamps_unclear", where, 'found "24:00", which no step starts at', readings)
        log.decide("stamps name", f"the {given} of their step", "stated")
        return "end" if given == "end" else "start"
    if known is not None:
        log.decide("stamps name", f"the {known} of their step", "kind")
        return known
    times = np.sort(wall)
    first, last = int(times[0]), int(times[-1])
    from_midnight = first % DAY_NS == 0 and len(times) > 1
    to_midnight = last % DAY_NS == 0 or late
    whole_starts = from_midnight and (last + step) % DAY_NS == 0
    if late:
        said = 'the hour "24:00" is in the file, which only ends a step: times are ends'
        log.decide("stamps name", "the end of their step", "file", said, where=where)
        return "end"
    if says_end(name):
        if whole_starts:
            span = f"runs from {_said(first)} to {_said(last)}"
            raise _unclear(where, f"is named hour-ending, but {span}", wall, step)
        log.decide("stamps name", "the end of their step", "file", f"{name!r} says that times are ends", where=where)
        return "end"
    if says_start(name):
        log.decide("stamps name", "the start of their step", "file")
        return "start"
    if first % DAY_NS == step % DAY_NS and to_midnight and not from_midnight:
        said = f"times run from {minutes(step)} after midnight to midnight, as ends of steps do"
        log.decide(
            "stamps name", "the end of their step", "choice", said, where=where, expected='else stamps="start"'
        )
        return "end"
    if first % DAY_NS == 0 and (last % DAY_NS != 0 or len(times) == 1):
        log.decide("stamps name", "the start of their step", "choice", "read as starts", where=where)
        return "start"
    span = f"run from {_said(first)} to {_said(last)}, and nothing says which end of a step they name"
    raise _unclear(where, span, wall, step)


def _unclear(where: str, found: str, wall: Nanoseconds, step: int) -> Exception:
    first = int(wall.min())
    readings = [
        ('stamps="start"', f"a first step from {_said(first)}"),
        ('stamps="end"', f"a first step from {_said(first - step)}"),
    ]
    return question("stamps_unclear", where, found, readings)


def _said(wall: int) -> str:
    return f"{pd.Timestamp(wall):%Y-%m-%d %H:%M}"
