"""From a raw series to a clean one: equal steps, sorted, complete, finite, on the site's clock (rules 2, 4).

Nothing is mended on its own. Filling and resampling are the user's stated choice, and each is a note.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar, cast

import numpy as np
import pandas as pd
from pydantic import AfterValidator, Field

from bess_opt.common.clock import HOUR_NS
from bess_opt.common.columns import SERIES
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Number, Table, Text, quantity, reject
from bess_opt.common.names import nearest
from bess_opt.common.wording import show
from bess_opt.inputs.series.cells import check_prices, read_numbers
from bess_opt.inputs.series.fill import FillMethod, check_empty, fill
from bess_opt.inputs.series.raw import RawSeries
from bess_opt.inputs.series.resampling import ResampleMethod, check_resample, differs, resample
from bess_opt.inputs.series.time_axis import TimeAxis, check_gaps, check_order, check_step, find_step, read_time


def _known_column(name: str) -> str:
    """A method is for a column we know, whatever the file holds."""
    if name not in SERIES:
        reject([Finding("unknown_column", "", f"unknown column {show(name)}", nearest(name, SERIES))])
    return name


_Column = Annotated[Text, AfterValidator(_known_column)]


class SeriesOptions(Table):
    """Where the series stands and what may be done to it."""

    where: ClassVar[str] = "series"

    file: Annotated[
        Text | None,
        Field(
            description="name of a file in the scenario folder; default: series.csv, else series.parquet",
            min_length=1,
        ),
    ] = None
    step_min: Annotated[
        Number | None,
        quantity("step of the scenario: asserted, or reached by resample", "min", ge=0.001, le=1440),
    ] = None
    resample: Annotated[
        dict[_Column, ResampleMethod],
        Field(
            description="method per column where the file's step is not step_min: "
            '"mean" (powers, prices) or "sum" (energies) to longer steps, "hold" to repeat in shorter ones'
        ),
    ] = Field(default_factory=dict)
    fill: Annotated[
        dict[_Column, FillMethod],
        Field(description='method per column for empty cells: "previous", "next", "zero" or "linear"'),
    ] = Field(default_factory=dict)

    @property
    def step_ns(self) -> int | None:
        """`step_min` in nanoseconds, to the millisecond."""
        return None if self.step_min is None else round(self.step_min * 60_000) * 1_000_000


@dataclass(frozen=True)
class CleanSeries:
    """A checked series: float64, columns in the order of `columns.SERIES`, index "time" in `time_zone`."""

    frame: pd.DataFrame
    step_h: float
    time_zone: str
    notes: tuple[Finding, ...] = ()

    @property
    def index(self) -> pd.DatetimeIndex:
        """Starts of the steps on the local clock."""
        return cast("pd.DatetimeIndex", self.frame.index)

    def in_zone(self, zone: str) -> CleanSeries:
        """The same instants on another local clock."""
        frame = lock(self.frame.tz_convert(zone))
        notes = tuple(note for note in self.notes if note.code != "defaulted")
        return dataclasses.replace(self, frame=frame, time_zone=zone, notes=notes)


@dataclass(frozen=True)
class Examined:
    """What the checks found: every problem, and the parts that could be read in spite of it."""

    axis: TimeAxis | None
    numbers: pd.DataFrame
    step_ns: int | None
    problems: tuple[Finding, ...]


def lock(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame over an array that cannot be written to, each column in one piece."""
    values = np.array(frame.to_numpy(dtype=np.float64).T, order="C", copy=True)
    values.flags.writeable = False
    return pd.DataFrame(values.T, index=frame.index, columns=frame.columns, copy=False)


def examine(raw: RawSeries, options: SeriesOptions, time_zone: str | None) -> Examined:
    """All checks of a series. `time_zone` is the site's stated zone; None takes the series' own."""
    axis, wrong_time = read_time(raw, time_zone)
    numbers, wrong_cells = read_numbers(raw, axis)
    names = [str(name) for name in numbers.columns]
    problems = [
        *raw.problems,
        *wrong_time,
        *wrong_cells,
        *check_empty(raw, axis, names, options.fill),
        *check_prices(raw),
        *_absent(raw, names, options),
    ]
    step_ns = None
    if axis is not None:
        step_ns, wrong = _check_steps(raw, axis, names, options)
        problems += wrong
    return Examined(axis, numbers, step_ns, tuple(problems))


def clean(raw: RawSeries, options: SeriesOptions, examined: Examined) -> CleanSeries:
    """The examined series, filled and resampled as stated. ScenarioError with every problem at once."""
    axis, step_ns = examined.axis, examined.step_ns
    if examined.problems or axis is None or step_ns is None:
        raise ScenarioError(examined.problems)
    frame, notes = fill(raw, axis, examined.numbers, step_ns, options.fill)
    goal_ns = options.step_ns
    if goal_ns is not None and differs(goal_ns, step_ns):
        frame, resampled = resample(raw, frame, (step_ns, goal_ns), options.resample)
        notes, step_ns = notes + resampled, goal_ns
    frame.index.name = "time"
    notes = [*raw.notes, *_zone_note(raw, axis), *notes]
    return CleanSeries(lock(frame), step_ns / HOUR_NS, axis.zone, tuple(notes))


def _zone_note(raw: RawSeries, axis: TimeAxis) -> list[Finding]:
    if not axis.defaulted:
        return []
    found, expected = "time zone is UTC, as in the file", "state site.time_zone if days begin elsewhere"
    return [Finding("defaulted", raw.source, found, expected, "warning")]


def _check_steps(
    raw: RawSeries, axis: TimeAxis, names: list[str], options: SeriesOptions
) -> tuple[int | None, list[Finding]]:
    """Step of the file [ns], and all that is wrong with order, gaps and step."""
    goal_ns = options.step_ns
    step_ns = find_step(axis) or goal_ns
    if step_ns is None:
        found, expected = "has one step, which does not say how long it is", "state series.step_min"
        return None, [Finding("unknown_step", raw.source, found, expected), *check_order(raw, axis, HOUR_NS)]
    problems = [
        *check_order(raw, axis, step_ns),
        *check_gaps(raw, axis, step_ns, names, list(options.fill)),
        *check_step(raw.source, step_ns),
    ]
    if goal_ns is not None and not problems:
        methods = {name: options.resample.get(name) for name in names}
        problems += check_resample(raw, axis, (step_ns, goal_ns), methods)
    return step_ns, problems


def _absent(raw: RawSeries, names: list[str], options: SeriesOptions) -> list[Finding]:
    """Methods for columns that the series does not have."""
    stated: dict[str, list[str]] = {"resample": list(options.resample), "fill": list(options.fill)}
    return [
        Finding("absent_column", f"series.{key}.{name}", f"{raw.source} has no such column", nearest(name, names))
        for key, columns in stated.items()
        for name in columns
        if name not in names
    ]
