"""From the step of a file to the step of a scenario: longer by mean or sum, shorter by holding a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bess_opt.columns import SERIES
from bess_opt.errors import ScenarioError
from bess_opt.findings import Finding
from bess_opt.series_files import RawSeries
from bess_opt.series_time import TimeAxis, check_step, minutes, moment

ResampleMethod = Literal["mean", "sum", "hold"]
_DAY_NS = 86_400_000_000_000
_MS = 1_000_000


def check_resample(
    raw: RawSeries, axis: TimeAxis, step_ns: int, goal_ns: int, methods: Mapping[str, ResampleMethod | None]
) -> list[Finding]:
    """What stands in the way of `goal_ns` steps; `methods` holds every column of the series."""
    if abs(goal_ns - step_ns) <= _MS:
        return []
    if goal_ns % step_ns and step_ns % goal_ns:
        found = f"found {minutes(goal_ns)}, but {raw.source} has steps of {minutes(step_ns)}"
        expected = "give a whole multiple or a whole part of that step"
        return [Finding("odd_step", "series.step_min", found, expected)]
    longer = goal_ns > step_ns
    problems = check_step(raw, goal_ns) + _check_methods(raw, step_ns, goal_ns, methods)
    return problems + (_check_blocks(raw, axis, step_ns, goal_ns) if longer else [])


def _check_methods(
    raw: RawSeries, step_ns: int, goal_ns: int, methods: Mapping[str, ResampleMethod | None]
) -> list[Finding]:
    """Every column has a method, and one that keeps its meaning."""
    lacking = [name for name, method in methods.items() if method is None]
    problems = []
    if lacking:
        found = f"{raw.source} has steps of {minutes(step_ns)}, step_min is {minutes(goal_ns)}"
        choice = '"mean", "sum" or "hold"' if goal_ns > step_ns else '"hold"'
        expected = f"state how to resample {', '.join(lacking)}: {choice}"
        problems.append(Finding("step_differs", "series.resample", found, expected))
    for name, method in methods.items():
        where = f"series.resample.{name}"
        if goal_ns < step_ns and method in ("mean", "sum"):
            found = f"{method!r} cannot make shorter steps of {minutes(step_ns)}"
            problems.append(Finding("wrong_method", where, found, 'state "hold", which repeats the value'))
        elif method == "sum" and SERIES[name].unit != "MWh":
            found = f"'sum' would change the meaning of a column in {SERIES[name].unit}"
            problems.append(Finding("wrong_method", where, found, 'state "mean"; "sum" is for energies'))
    return problems


def _check_blocks(raw: RawSeries, axis: TimeAxis, step_ns: int, goal_ns: int) -> list[Finding]:
    """Every block is complete and begins on the local clock."""
    ratio = goal_ns // step_ns
    starts = axis.index[::ratio]
    past = starts.tz_localize(None).asi8 % _DAY_NS % goal_ns
    expected = f"give whole blocks of {ratio} rows that begin on the local clock"
    problems = []
    if past.any():
        row = int(np.argmax(past != 0)) * ratio
        found = f"a block of {minutes(goal_ns)} begins at {axis.at(row)}, off the local clock"
        problems.append(Finding("incomplete_block", raw.row(row), found, expected))
    spare = int((axis.index.asi8[-1] - axis.index.asi8[0]) // step_ns + 1) % ratio
    if spare:
        found = f"the last block of {minutes(goal_ns)} has {spare} of {ratio} steps"
        problems.append(Finding("incomplete_block", raw.row(len(axis.index) - 1), found, expected))
    return problems


def resample(
    raw: RawSeries, frame: pd.DataFrame, step_ns: int, goal_ns: int, methods: Mapping[str, ResampleMethod]
) -> tuple[pd.DataFrame, list[Finding]]:
    """A complete, checked frame in steps of `goal_ns`, and a note per column.

    ScenarioError if "hold" meets a block whose values differ.
    """
    stamps = frame.index.as_unit("ns").asi8
    if goal_ns < step_ns:
        ratio = step_ns // goal_ns
        stamps = np.arange(stamps[0], stamps[-1] + step_ns, goal_ns)
        columns = {name: np.repeat(frame[name].to_numpy(), ratio) for name in frame}
    else:
        ratio = goal_ns // step_ns
        stamps = stamps[::ratio]
        columns = {name: _blocks(raw, frame[name], ratio, methods[str(name)]) for name in frame}
    index = pd.DatetimeIndex(stamps, tz="UTC").as_unit("ns").tz_convert(frame.index.tz)
    change = f"steps of {minutes(step_ns)} made {minutes(goal_ns)}"
    notes = [
        Finding(
            "resampled", f"{raw.source} column {n}", f"{change} by {methods[str(n)]!r}", _STATED, "warning"
        )
        for n in frame
    ]
    return pd.DataFrame(columns, index=index, columns=frame.columns), notes


_STATED = "stated in series.resample"


def _blocks(raw: RawSeries, column: pd.Series, ratio: int, method: ResampleMethod) -> npt.NDArray[np.float64]:
    """Blocks of `ratio` values as one value each; "hold" wants them equal."""
    block = column.to_numpy(dtype=np.float64).reshape(-1, ratio)
    if method == "mean":
        return np.asarray(block.mean(axis=1))
    if method == "sum":
        return np.asarray(block.sum(axis=1))
    unequal = (block != block[:, :1]).any(axis=1)
    if unequal.any():
        first = moment(column.index[int(np.argmax(unequal)) * ratio])
        found = f"values differ within the block at {first}, so none of them can be held"
        where = f"{raw.source}, column {column.name}"
        raise ScenarioError([Finding("wrong_method", where, found, 'state "mean" in series.resample')])
    return block[:, 0].copy()
