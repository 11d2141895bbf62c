"""Forecasts that the user gives: one value per target time, or vintages, each with the time of its issue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding


@dataclass(frozen=True)
class Vintages:
    """Given values by step and rank of issue; `keys` = step · (ranks + 1) + rank, ascending."""

    keys: Array
    values: Array
    ranks: int
    rank_at: Array  # rank of the latest issue at the start of each step; -1 before the first

    def at(self, issued: Array) -> Array:
        """For each step its latest value issued at or before the start of step `issued`; NaN where none is."""
        step = np.arange(len(issued)) * (self.ranks + 1)
        found = np.searchsorted(self.keys, step + self.rank_at[issued], side="right") - 1
        here = (found >= 0) & (self.keys[np.maximum(found, 0)] >= step)
        return np.where(here, self.values[np.maximum(found, 0)], np.nan)


def vintages_of(values: pd.Series, index: pd.DatetimeIndex, where: str, *, whole: bool) -> Vintages:
    """`values` by target time, or by (issued, time), brought to the steps of `index`; other times are left out.

    `whole`: values without issues must have every step. Raises `ScenarioError`.
    """
    issued = None
    times = values.index
    if isinstance(times, pd.MultiIndex):
        if times.nlevels != 2:
            raise _refused(where, f"have {times.nlevels} index levels", "give (issued, time), or time alone")
        issued = _stamps(times.get_level_values(0), where, "issued")
        times = times.get_level_values(1)
    step = index.get_indexer(_stamps(times, where, "time").tz_convert(index.tz))
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    inside = step >= 0
    if not np.isfinite(numbers[inside]).all():
        worst = int(np.flatnonzero(inside & ~np.isfinite(numbers))[0])
        raise _refused(where, f"have no number at {index[step[worst]]}", "give a finite number, or leave the row out")
    if issued is None:
        if whole and len(np.unique(step[inside])) < len(index):
            first = int(np.setdiff1d(np.arange(len(index)), step[inside])[0])
            raise _refused(where, f"have no value at {index[first]}", "give one for each step of the horizon")
        rank, ranks = np.zeros(len(step), dtype=np.int64), 1
        rank_at = np.zeros(len(index), dtype=np.int64)
    else:
        stamps, rank = np.unique(issued.as_unit("ns").asi8, return_inverse=True)
        ranks = len(stamps)
        rank_at = np.searchsorted(stamps, index.as_unit("ns").asi8, side="right") - 1
    keys = step[inside] * (ranks + 1) + rank[inside]
    order = np.argsort(keys, kind="stable")
    if len(keys) and (np.diff(keys[order]) == 0).any():
        twice = int(order[int(np.flatnonzero(np.diff(keys[order]) == 0)[0])])
        raise _refused(where, f"have {index[step[inside][twice]]} twice", "give each step once per issue")
    return Vintages(keys[order], numbers[inside][order], ranks, rank_at)


def _stamps(stamps: pd.Index, where: str, level: str) -> pd.DatetimeIndex:
    if not isinstance(stamps, pd.DatetimeIndex) or stamps.tz is None:
        raise _refused(where, f"have an index whose {level} is no tz-aware time", "localize it, as the series' own")
    return stamps


def _refused(where: str, found: str, expected: str) -> ScenarioError:
    return ScenarioError([Finding("wrong_forecast", where, found, expected)])
