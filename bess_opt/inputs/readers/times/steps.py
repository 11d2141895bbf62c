"""Lengths of steps, and rows of different lengths as equal ones."""

from __future__ import annotations

import numpy as np

from bess_opt.common.arrays import Floats
from bess_opt.inputs.readers.times.words import Nanoseconds

HOUR_NS = 3_600_000_000_000


def step_of(stamps: Nanoseconds) -> int:
    """The most frequent distance of neighbouring different stamps [ns]; an hour for a single one."""
    gaps = np.diff(stamps)
    if not (gaps > 0).all():
        gaps = np.diff(np.sort(stamps))
        gaps = gaps[gaps > 0]
    if not len(gaps):
        return HOUR_NS
    if (gaps == gaps[0]).mean() > 0.5:
        return int(gaps[0])
    lengths, counts = np.unique(gaps, return_counts=True)
    return int(lengths[np.argmax(counts)])


def lengths_of(starts: Nanoseconds, written: Nanoseconds | None, step: int) -> Nanoseconds:
    """Length of each row's step [ns], for rows in the order of time.

    `written` is the distance of its two clock times. Where the clock changes it says too much or nothing; there the
    next start or the usual length does.
    """
    if written is None:
        return np.full(len(starts), step, dtype=np.int64)
    positive = written[written > 0]
    lengths, counts = np.unique(positive, return_counts=True)
    usual = int(lengths[np.argmax(counts)]) if len(lengths) else step
    gap = np.append(np.diff(starts), written[-1] if written[-1] > 0 else usual)
    possible = (written > 0) & ((written <= gap) | (gap <= 0))
    plausible = possible & ((written == usual) | (gap != usual) | (written == gap))
    instead = np.where(gap > 0, np.minimum(gap, usual), usual)
    return np.asarray(np.where(plausible, written, instead), dtype=np.int64)


def evened(starts: Nanoseconds, values: Floats, lengths: Nanoseconds) -> tuple[Nanoseconds, Floats, int]:
    """Longer steps as several of the shortest; how many were longer (0: nothing changed)."""
    shortest = int(lengths.min())
    times = lengths // shortest
    if (times == 1).all() or (lengths % shortest).any():
        return starts, values, 0
    first = np.repeat(np.cumsum(times) - times, times)
    offset = (np.arange(int(times.sum())) - first) * shortest
    return np.repeat(starts, times) + offset, np.repeat(values, times), int((times > 1).sum())
