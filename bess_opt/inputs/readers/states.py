"""Values that hold until the next change, or meter readings that rise, as means over equal steps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Floats
from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.times.words import Nanoseconds
from bess_opt.inputs.readers.units import factor_of


def means_of_states(
    source: str, starts: Nanoseconds, values: Floats, unit: str, stated: Stated, log: Log
) -> tuple[Nanoseconds, Floats, str]:
    """(starts, values, unit) of whole equal steps from states at irregular times.

    A power holds until the next state; its mean over a step counts. An energy is a meter reading: what it rises by
    over a step is that step's energy. A step in which the state is unknown for a while is NaN. ScenarioError without
    `step_min`, for a reading that falls, and for a span shorter than a step.
    """
    step_min = stated.take("step_min")
    if step_min is None:
        found = "lists changes of a state at irregular times"
        raise problem("missing_step", source, found, "state step_min, the step to make of them, e.g. step_min=15")
    step = int(float(step_min) * 60_000_000_000)
    if step <= 0 or 86_400_000_000_000 % step:
        raise problem("odd_step", "step_min", f"found {step_min:g}", "give minutes that divide a day")
    first, last = -(-int(starts[0]) // step) * step, int(starts[-1]) // step * step
    if last <= first:
        expected = "give a longer file, or a shorter step_min"
        raise problem("odd_step", source, f"holds no whole step of {step_min:g} min", expected)
    edges = np.arange(first, last + 1, step, dtype=np.int64)
    kind = (factor_of(unit) or ("power", 1.0))[0]
    made = _rises(source, starts, values, edges) if kind == "energy" else _means(starts, values, edges)
    what = "meter readings: what they rise by" if kind == "energy" else "states that hold until the next: their mean"
    log.decide("irregular times", f"steps of {step_min:g} min", "stated", f"rows are {what} over each step counts")
    return edges[:-1], made, unit


def _means(starts: Nanoseconds, values: Floats, edges: Nanoseconds) -> Floats:
    seconds = np.diff(starts).astype(np.float64) / 1e9
    known = ~np.isnan(values[:-1])
    held = np.concatenate([[0.0], np.cumsum(np.where(known, values[:-1], 0.0) * seconds)])
    span = np.concatenate([[0.0], np.cumsum(known * seconds)])
    times, at = (starts - starts[0]) / 1e9, (edges - starts[0]) / 1e9
    length = np.diff(at)
    covered = np.diff(np.interp(at, times, span))
    whole = covered >= length * (1 - 1e-9)
    mean: Floats = np.where(whole, np.diff(np.interp(at, times, held)) / length, np.nan)
    return mean


def _rises(source: str, starts: Nanoseconds, values: Floats, edges: Nanoseconds) -> Floats:
    there = ~np.isnan(values)
    times, totals = starts[there], values[there]
    falls = np.diff(totals) < 0
    if falls.any():
        row = int(np.argmax(falls))
        stamp = pd.Timestamp(int(times[row + 1]), tz="UTC")
        found = f"the meter reading falls from {totals[row]:g} to {totals[row + 1]:g} at {stamp:%Y-%m-%d %H:%M} UTC"
        raise problem("falling_meter", source, found, "cut the file where the meter was reset")
    rises: Floats = np.diff(np.interp((edges - starts[0]) / 1e9, (times - starts[0]) / 1e9, totals))
    return rises
