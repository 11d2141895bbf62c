"""Local months and years that a horizon touches, counted through the years, and how much of each it holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array, Integers


@dataclass(frozen=True)
class Months:
    """The local months of a horizon in order. `number` is year·12 + month − 1; `of_step` the place of each step's."""

    of_step: Integers
    number: Integers
    share: Array  # hours of the horizon in the month / hours of the month

    @property
    def labels(self) -> list[str]:
        """Each as "2025-03"."""
        return [month_label(int(number)) for number in self.number]

    @property
    def month(self) -> Integers:
        """1 to 12 each."""
        return self.number % 12 + 1

    @property
    def year(self) -> Integers:
        """Calendar year of each."""
        return self.number // 12

    @property
    def years(self) -> list[int]:
        """Calendar years touched."""
        return sorted({int(year) for year in self.year})

    def last_of(self, year: int) -> int:
        """Place of the last month touched in a year."""
        return int(np.flatnonzero(self.year == year)[-1])


def month_label(number: int) -> str:
    """A month number as "2025-03"."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def months_of(index: pd.DatetimeIndex, step_h: float) -> Months:
    """The local months that the steps of `index` touch."""
    number = index.tz_localize(None).to_numpy().astype("datetime64[M]").astype(np.int64) + 1970 * 12
    touched, of_step = np.unique(number, return_inverse=True)
    held = np.bincount(of_step) * step_h
    share = np.minimum(held / np.asarray(_hours(tuple(touched.tolist()), index.tz)), 1.0)
    return Months(of_step.astype(np.int64), touched, np.where(share > 1.0 - 1e-12, 1.0, share))


@lru_cache(maxsize=256)
def _hours(number: tuple[int, ...], zone: tzinfo | None) -> tuple[float, ...]:
    """Length of each month on the clock of `zone`. Kept, for many plans are made of the same months."""
    first = np.asarray(number)
    edges = _starts(np.concatenate([first, first + 1]))
    edges = edges.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    seconds = (edges[len(first) :] - edges[: len(first)]).total_seconds()
    return tuple(float(second) / 3600.0 for second in seconds)


def _starts(number: Integers) -> pd.DatetimeIndex:
    """Local midnight with which each month begins, without a zone."""
    return pd.DatetimeIndex((number - 1970 * 12).astype("datetime64[M]").astype("datetime64[s]"))
