"""Whether 03/04/2025 is the third of April or the fourth of March: stated, shown by the rows, or asked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.problems import problem, question
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.times.words import Nanoseconds, Words

_ARGUMENT = {"day first": "day_first=True", "month first": "day_first=False"}


def choose_order(words: Words, where: str, stated: Stated, log: Log, known: str | None = None) -> str:
    """The order in which dates are read; `known` is what this kind of file always writes.

    Without either, the order that makes even steps counts. ScenarioError where both do, or neither fits.
    """
    orders = list(words.days)
    two = any(order in _ARGUMENT for order in orders)
    if two and stated.has("day_first"):
        wanted = "day first" if stated.take("day_first") else "month first"
        if wanted not in orders:
            found = f"no date can be read with the {wanted}: the dates are written with the {orders[0]}"
            raise problem("unreadable_time", where, found, f"state {_ARGUMENT.get(orders[0], 'no day_first')}")
        log.decide("order of dates", wanted, "stated")
        return wanted
    if known is not None and known in orders:
        if len(orders) > 1:
            log.decide("order of dates", known, "kind")
        return known
    if len(orders) == 1:
        log.decide("order of dates", orders[0], "file")
        return orders[0]
    uneven = [_uneven(words.wall(order)) for order in orders]
    if uneven.count(min(uneven)) > 1:
        first = words.texts[0].as_py()
        readings = [
            (_ARGUMENT.get(order, "dates as 2025-03-30"), f"{pd.Timestamp(int(words.wall(order)[0])):%d %B %Y}")
            for order in orders
        ]
        raise question("ambiguous_date", where, f"found {first!r}, which may be day/month or month/day", readings)
    order = orders[int(np.argmin(uneven))]
    log.decide(
        "order of dates", order, "file", f"dates are read with the {order}, which makes even steps", where=where
    )
    return order


def _uneven(wall: Nanoseconds) -> int:
    """How many steps of the stamps differ from the most frequent one; equal neighbours do not count."""
    gaps = np.abs(np.diff(wall))
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return 0
    _, counts = np.unique(gaps, return_counts=True)
    return int(len(gaps) - counts.max())
