"""From a raw series to a clean one: equal steps, sorted, complete, finite, in the site's own zone (rules 2, 4).

Nothing is mended on its own. Filling and resampling are the user's stated choice, and each is a note.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BeforeValidator, Field

from bess_opt.clock import HOUR_NS
from bess_opt.columns import SERIES
from bess_opt.errors import ScenarioError, nearest
from bess_opt.findings import Finding
from bess_opt.series_cells import cell_problem, read_numbers
from bess_opt.series_files import RawSeries
from bess_opt.series_steps import ResampleMethod, check_resample, resample
from bess_opt.series_time import (
    TimeAxis,
    check_gaps,
    check_order,
    check_step,
    find_step,
    minutes,
    moment,
    read_time,
)
from bess_opt.tables import Number, Table, Text, quantity, reject

FillMethod = Literal["previous", "next", "zero", "linear"]


def _known_columns(value: object) -> object:
    """Method tables name columns we know, whatever the file holds."""
    unknown = [str(name) for name in value if name not in SERIES] if isinstance(value, dict) else []
    if unknown:
        reject(
            Finding("unknown_column", name, f"unknown column {name!r}", nearest(name, SERIES))
            for name in unknown
        )
    return value


class SeriesOptions(Table):
    """Where the series stands and what may be done to it."""

    where: ClassVar[str] = "series"

    file: Annotated[
        Text | None,
        Field(
            description="file in the scenario folder; default: series.csv, else series.parquet", min_length=1
        ),
    ] = None
    step_min: Annotated[
        Number | None,
        quantity("step of the scenario: asserted, or reached by resample", "min", gt=0, le=1440),
    ] = None
    resample: Annotated[
        dict[str, ResampleMethod],
        BeforeValidator(_known_columns),
        Field(
            description='method per column where the file\'s step is not step_min: "mean" or "sum" (of energies) '
            'to longer steps, "hold" to repeat a value in shorter ones'
        ),
    ] = {}  # noqa: RUF012 - pydantic copies defaults
    fill: Annotated[
        dict[str, FillMethod],
        BeforeValidator(_known_columns),
        Field(description='method per column for empty cells: "previous", "next", "zero" or "linear"'),
    ] = {}  # noqa: RUF012

    @property
    def step_ns(self) -> int | None:
        """`step_min` in nanoseconds, to the millisecond."""
        return None if self.step_min is None else round(self.step_min * 60_000) * 1_000_000


@dataclass(frozen=True)
class CleanSeries:
    """A checked series. `frame`: float64, columns of `columns.SERIES` in its order, index "time" in `time_zone`."""

    frame: pd.DataFrame
    step_h: float
    time_zone: str
    notes: tuple[Finding, ...] = ()

    def in_zone(self, zone: str) -> CleanSeries:
        """The same instants on another local clock."""
        frame = lock(self.frame.tz_convert(zone))
        notes = tuple(note for note in self.notes if note.code != "defaulted")
        return dataclasses.replace(self, frame=frame, time_zone=zone, notes=notes)


def lock(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame over arrays that cannot be written to."""
    values = np.ascontiguousarray(frame.to_numpy(dtype=np.float64).T, dtype=np.float64).copy()
    values.flags.writeable = False
    return pd.DataFrame(values.T, index=frame.index, columns=frame.columns, copy=False)


def clean(raw: RawSeries, options: SeriesOptions, time_zone: str | None) -> CleanSeries:
    """Check everything, then fill and resample as stated. ScenarioError with every problem at once.

    `time_zone` is the stated zone of the site; None takes the series' own.
    """
    axis, problems = read_time(raw, time_zone)
    problems = [*raw.problems, *problems]
    numbers, wrong = read_numbers(raw, axis)
    problems += wrong + _absent(raw, options) + _two_prices(raw) + _unfilled(raw, axis, numbers, options)
    step_ns = options.step_ns
    if axis is not None:
        step_ns, wrong = _checked_step(raw, axis, options)
        problems += wrong
    if problems or axis is None or step_ns is None:
        raise ScenarioError(problems)
    frame, notes = _filled(raw, axis, numbers, step_ns, options)
    if options.step_ns is not None and abs(options.step_ns - step_ns) > 1_000_000:
        frame, resampled = resample(raw, frame, step_ns, options.step_ns, options.resample)
        notes, step_ns = notes + resampled, options.step_ns
    frame.index.name = "time"
    return CleanSeries(lock(frame), step_ns / HOUR_NS, axis.zone, tuple(_zone_note(raw, axis) + notes))


def _zone_note(raw: RawSeries, axis: TimeAxis) -> list[Finding]:
    if not axis.defaulted:
        return []
    found, expected = "time zone is UTC, as in the file", "state site.time_zone if days begin elsewhere"
    return [Finding("defaulted", raw.source, found, expected, "warning")]


def _checked_step(raw: RawSeries, axis: TimeAxis, options: SeriesOptions) -> tuple[int | None, list[Finding]]:
    """Step of the file [ns] and all that is wrong with order, gaps and step."""
    step_ns = find_step(axis)
    if step_ns is None:
        twice = check_order(raw, axis, 1)
        if twice or options.step_ns is not None:
            return options.step_ns, twice or check_step(raw, options.step_ns or 1)
        found, expected = "has one row, which does not say how long it is", "state series.step_min"
        return None, [Finding("unknown_step", raw.source, found, expected)]
    problems = check_order(raw, axis, step_ns)
    lacking = [str(name) for name in raw.values.columns if name not in options.fill]
    problems += check_gaps(raw, axis, step_ns, lacking or ([] if len(raw.values.columns) else ["no column"]))
    problems += check_step(raw, step_ns)
    if options.step_ns is not None and not problems:
        columns = [str(name) for name in raw.values.columns]
        problems += check_resample(
            raw, axis, step_ns, options.step_ns, {c: options.resample.get(c) for c in columns}
        )
    return step_ns, problems


def _absent(raw: RawSeries, options: SeriesOptions) -> list[Finding]:
    """Methods for columns that the series does not have."""
    columns = [str(name) for name in raw.values.columns]
    return [
        Finding(
            "absent_column",
            f"series.{key}.{name}",
            f"{raw.source} has no column {name!r}",
            nearest(name, columns),
        )
        for key, methods in (("resample", options.resample), ("fill", options.fill))
        for name in methods
        if name not in columns
    ]


def _two_prices(raw: RawSeries) -> list[Finding]:
    split = [name for name in ("import_price_per_mwh", "export_price_per_mwh") if name in raw.values]
    if "price_per_mwh" not in raw.values or not split:
        return []
    found = f"price_per_mwh stands beside {' and '.join(split)}"
    expected = "give either price_per_mwh, or import_price_per_mwh and export_price_per_mwh"
    return [Finding("contradiction", raw.source, found, expected)]


def _unfilled(
    raw: RawSeries, axis: TimeAxis | None, numbers: pd.DataFrame, options: SeriesOptions
) -> list[Finding]:
    """Empty cells of columns without a method, or at an end from which their method has nothing to take."""
    problems = []
    for name in numbers.columns:
        empty = raw.values[name].isna().to_numpy(dtype=bool)
        method = options.fill.get(name)
        expected = f'give a number, or state series.fill = {{{name} = "previous"}}'
        if method is not None:
            forward = np.maximum.accumulate(~empty) | (method in ("next", "zero"))
            backward = np.maximum.accumulate(~empty[::-1])[::-1] | (method in ("previous", "zero"))
            empty = empty & ~(forward & backward)
            expected = f'fill "{method}" has no value to take here; give a number'
        problems += cell_problem(raw, axis, name, empty, ("empty_cell", "is empty (NaN)", expected))
    return problems


def _filled(
    raw: RawSeries, axis: TimeAxis, numbers: pd.DataFrame, step_ns: int, options: SeriesOptions
) -> tuple[pd.DataFrame, list[Finding]]:
    """The series on its full grid, empty cells filled as stated, one note per column and one for rows."""
    first, last = axis.index.asi8[[0, -1]]
    grid = pd.DatetimeIndex(np.arange(first, last + 1, step_ns), tz="UTC").as_unit("ns").tz_convert(axis.zone)
    frame = numbers.set_axis(axis.index, axis=0)
    notes = []
    if len(grid) > len(frame):
        inserted = grid.difference(axis.index)
        notes.append(_fill_note(raw.source, f"{len(inserted)} missing rows inserted", inserted))
        frame = frame.reindex(grid)
    for name, method in options.fill.items():
        empty = frame[name].isna()
        if empty.any():
            frame[name] = _fill(frame[name].to_numpy(), method)
            text = f"{int(empty.sum())} empty cells filled with {_FILLED[method]}"
            notes.append(_fill_note(f"{raw.source} column {name}", text, frame.index[empty]))
    return frame, notes


_FILLED = {
    "previous": "the previous value",
    "next": "the next value",
    "zero": "zero",
    "linear": "a straight line between neighbours",
}


def _fill_note(where: str, text: str, index: pd.Index) -> Finding:
    times = ", ".join(moment(stamp) for stamp in index[:5]) + (", ..." if len(index) > 5 else "")
    return Finding("filled", where, f"{text}: {times}", "stated in series.fill", "warning")


def _fill(values: npt.NDArray[np.float64], method: FillMethod) -> npt.NDArray[np.float64]:
    filled = pd.Series(values)
    match method:
        case "previous":
            filled = filled.ffill()
        case "next":
            filled = filled.bfill()
        case "zero":
            filled = filled.fillna(0.0)
        case "linear":
            filled = filled.interpolate("linear", limit_area="inside")
    return filled.to_numpy(dtype=np.float64)


__all__ = ["CleanSeries", "SeriesOptions", "clean", "lock", "minutes"]
