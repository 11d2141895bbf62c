"""Caps on cycles and wear by depth of cycle of one battery, as rows of a program."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from support.peers.program import Linear, Program, total

Table = dict[str, Any]


def period_keys(index: pd.DatetimeIndex, cap: Table) -> np.ndarray:
    """A number per local period of a cap."""
    if cap["per"] == "horizon":
        return np.zeros(len(index), dtype=int)
    if cap["per"] == "day":
        return np.asarray(index.year * 10000 + index.month * 100 + index.day)
    if cap["per"] == "month":
        return np.asarray(index.year * 12 + index.month)
    month, day = (int(part) for part in cap.get("begins", "01-01").split("-"))
    before = (index.month * 100 + index.day) < month * 100 + day
    return np.asarray(index.year) - np.asarray(before, dtype=int)


def add_caps(
    program: Program,
    index: pd.DatetimeIndex,
    h: float,
    caps: list[Table],
    nameplate: float,
    into: list[Linear],
    out: list[Linear],
) -> None:
    """`into` and `out` are the stored energy that enters and leaves the cells in each step [MWh]."""
    for cap in caps:
        moved = into if cap.get("counts", "discharged") == "charged" else out
        used = float(cap.get("used", 0.0))
        if "hours" in cap:
            count = math.floor(cap["hours"] / h + 1e-9)
            for first in range(len(moved)):
                program.keep(total(moved[first : first + count]), high=cap["count"] * nameplate)
            if count > 1:
                program.keep(total(moved[: count - 1]), high=max(cap["count"] - used, 0.0) * nameplate)
            continue
        keys = period_keys(index, cap)
        for key in np.unique(keys):
            left = max(cap["count"] - (used if key == keys[0] else 0.0), 0.0)
            program.keep(total([moved[t] for t in np.flatnonzero(keys == key)]), high=left * nameplate)


def add_wear(
    program: Program,
    wear: Table,
    nameplate: float,
    start: float,
    keep: float,
    into: list[Linear],
    out: list[Linear],
    drawn_mwh: np.ndarray,
) -> Linear:
    """Money of wear: energy stands in segments, what leaves one costs its price.

    What is drawn leaves without price; that it comes from the dearest segments is what the optimum wants anyway.
    """
    edges = np.array([0.0, *wear["depth"]]) * nameplate
    sizes = np.diff(edges)
    stand = [
        Linear(constant=float(min(max(start - low, 0.0), size))) for low, size in zip(edges, sizes, strict=False)
    ]
    costs = []
    for t, (entering, leaving) in enumerate(zip(into, out, strict=True)):
        fills = program.variables(np.full(len(sizes), math.inf))
        takes = program.variables(np.full(len(sizes), math.inf))
        draws = program.variables(np.full(len(sizes), float(drawn_mwh[t])))
        program.keep(total(fills) - entering, 0.0, 0.0)
        program.keep(total(takes) - leaving, 0.0, 0.0)
        program.keep(total(draws), float(drawn_mwh[t]), float(drawn_mwh[t]))
        now = program.variables(sizes)
        for j in range(len(sizes)):
            program.keep(now[j] - stand[j] * keep - fills[j] + takes[j] + draws[j], 0.0, 0.0)
            costs.append(takes[j] * wear["cost_per_mwh"][j])
        stand = now
    return total(costs)
