"""Clock times that stand beside instants in UTC: they are not read, but they must say the same."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.times.words import Nanoseconds, Words, read_words

_QUARTER_NS, _HOUR_NS = 900_000_000_000, 3_600_000_000_000


def on_the_clock(utc: Nanoseconds, zone: str) -> Nanoseconds:
    """What the clock of `zone` shows at instants in UTC [ns]."""
    index = pd.DatetimeIndex(utc.astype("datetime64[ns]")).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return np.array(index.as_unit("ns").asi8, dtype=np.int64)


def check_local(table: Table, name: str, utc: Nanoseconds, zone: str | None) -> None:
    """ScenarioError where the column `name` contradicts the instants beside it, as swapped headers make it.

    With a `zone` it must be that clock; else no more than a clock with its summer time may lie between the two.
    """
    try:
        words = read_words("", table.cells(name))
    except ScenarioError:
        return  # no times, so nothing that could contradict
    apart = [words.wall(order) - utc for order in words.days]
    if any(_agrees(words, gap, utc, zone) for gap in apart):
        return
    expected = 0 if zone is None else on_the_clock(utc, zone) - utc
    row = int(np.argmax(apart[0] != expected))
    stamp = f"{pd.Timestamp(int(utc[row])):%Y-%m-%d %H:%M} UTC"
    clock = "" if zone is None else f", which is not the clock of {zone}"
    found = f"column {name} shows {words.texts[row].as_py()!r} beside {stamp}{clock}"
    advice = "see whether the headers of the two are swapped, or state the clock that this column follows"
    raise problem("clock_contradicted", table.row(row), found, advice)


def _agrees(words: Words, gap: Nanoseconds, utc: Nanoseconds, zone: str | None) -> bool:
    if words.offsets is not None:
        return bool((gap == (words.offsets * 1e9).astype(np.int64)).all())
    if zone is not None:
        return bool((gap == on_the_clock(utc, zone) - utc).all())
    apart = np.unique(gap)
    within = (apart >= -12 * _HOUR_NS).all() and (apart <= 14 * _HOUR_NS).all()
    return bool(within and (apart % _QUARTER_NS == 0).all() and apart[-1] - apart[0] <= _HOUR_NS)
