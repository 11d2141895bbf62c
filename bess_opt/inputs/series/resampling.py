"""From the step of a file to the step of a scenario: longer by mean or sum, shorter by holding a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bess_opt.common.columns import SERIES
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.wording import minutes, moment
from bess_opt.inputs.series.raw import RawSeries
from bess_opt.inputs.series.time_axis import TimeAxis, check_step, grid

ResampleMethod = Literal["mean", "sum", "hold"]
Steps = tuple[int, int]
_DAY_NS = 86_400_000_000_000
_MS = 1_000_000


def differs(one_ns: int, other_ns: int) -> bool:
    """Whether two steps are not the same; `step_min` is exact to a millisecond only."""
    return abs(one_ns - other_ns) > _MS


def check_resample(
    raw: RawSeries, axis: TimeAxis, steps: Steps, methods: Mapping[str, ResampleMethod | None]
) -> list[Finding]:
    """What stands in the way from the file's to the stated step (`steps`, [ns]).

    `methods` holds every column of the series, None where none is stated.
    """
    step_ns, goal_ns = steps
    if not differs(step_ns, goal_ns):
        return []
    if goal_ns % step_ns and step_ns % goal_ns:
        found = f"found {goal_ns / 60e9:g}, but {raw.source} has steps of {minutes(step_ns)}"
        expected = "give a whole multiple or a whole part of that step"
        return [Finding("odd_step", "series.step_min", found, expected)]
    problems = check_step("series.step_min", goal_ns) + _check_methods(raw, steps, methods)
    return problems + (_check_blocks(raw, axis, steps) if goal_ns > step_ns else [])


def _check_methods(raw: RawSeries, steps: Steps, methods: Mapping[str, ResampleMethod | None]) -> list[Finding]:
    """Every column has a method, and one that keeps its meaning."""
    step_ns, goal_ns = steps
    lacking = [name for name, method in methods.items() if method is None]
    problems = []
    if lacking:
        found = f"steps are {minutes(step_ns)} in {raw.source}, but step_min is {minutes(goal_ns)}"
        choice = '"mean" or "sum"' if goal_ns > step_ns else '"hold"'
        expected = f"state series.resample for {', '.join(lacking)}: {choice}"
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


def _check_blocks(raw: RawSeries, axis: TimeAxis, steps: Steps) -> list[Finding]:
    """Every block is complete and begins on the local clock."""
    step_ns, goal_ns = steps
    stamps = axis.index.asi8
    starts = grid(stamps[0], stamps[-1] + 1, goal_ns, axis.zone)
    off = starts.tz_localize(None).asi8 % _DAY_NS % goal_ns != 0
    problems = []
    if off.any():
        row = int(np.searchsorted(stamps, starts.asi8[np.argmax(off)]))
        found = f"a block of {minutes(goal_ns)} begins at {axis.at(row)}, off the local clock"
        expected = "begin the series on a block; over a clock change blocks are at most 60 min"
        problems.append(Finding("incomplete_block", raw.row(row), found, expected))
    ratio = goal_ns // step_ns
    spare = ((stamps[-1] - stamps[0]) // step_ns + 1) % ratio
    if spare:
        found = f"the last block of {minutes(goal_ns)} has {spare} of {ratio} steps"
        expected = "end the series with a whole block"
        problems.append(Finding("incomplete_block", raw.row(len(stamps) - 1), found, expected))
    return problems


def resample(
    raw: RawSeries, frame: pd.DataFrame, steps: Steps, methods: Mapping[str, ResampleMethod]
) -> tuple[pd.DataFrame, list[Finding]]:
    """A complete, checked frame in the stated step, and a note per column.

    ScenarioError if "hold" meets a longer block whose values differ.
    """
    step_ns, goal_ns = steps
    old = pd.DatetimeIndex(frame.index)
    index = grid(old.asi8[0], old.asi8[-1] + step_ns, goal_ns, str(old.tz))
    values = {
        str(name): np.repeat(frame[name].to_numpy(), step_ns // goal_ns)
        if goal_ns < step_ns
        else _blocks(raw, frame[name], goal_ns // step_ns, methods[str(name)])
        for name in frame.columns
    }
    change = f"steps of {minutes(step_ns)} made {minutes(goal_ns)}"
    notes = [
        Finding("resampled", f"{raw.source} column {name}", f"{change} by {methods[name]!r}", _STATED, "warning")
        for name in values
    ]
    return pd.DataFrame(values, index=index, columns=frame.columns), notes


_STATED = "stated in series.resample"


def _blocks(raw: RawSeries, column: pd.Series, ratio: int, method: ResampleMethod) -> npt.NDArray[np.float64]:
    """Blocks of `ratio` values as one value each; "hold" wants them equal, as in a coarse series repeated."""
    block = column.to_numpy(dtype=np.float64).reshape(-1, ratio)
    if method != "hold":
        return np.asarray(block.mean(axis=1) if method == "mean" else block.sum(axis=1))
    unequal = (block != block[:, :1]).any(axis=1)
    if unequal.any():
        first = moment(pd.DatetimeIndex(column.index)[int(np.argmax(unequal)) * ratio])
        found = f"values differ within the block at {first}, so none of them can be held"
        where = f"series.resample.{column.name}"
        raise ScenarioError([Finding("wrong_method", where, f"{raw.source}: {found}", 'state "mean"')])
    return block[:, 0].copy()
