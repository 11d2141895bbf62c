"""Empty cells and missing rows of a series: refused, or filled as the user stated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bess_opt.common.findings import Finding
from bess_opt.common.wording import counted, moment
from bess_opt.inputs.series.cells import cell_problem
from bess_opt.inputs.series.raw import RawSeries
from bess_opt.inputs.series.time_axis import TimeAxis, grid

FillMethod = Literal["previous", "next", "zero", "linear"]
_SOURCE = {
    "previous": "the previous value",
    "next": "the next value",
    "zero": "zero",
    "linear": "a straight line between neighbours",
}


def check_empty(
    raw: RawSeries, axis: TimeAxis | None, names: list[str], methods: Mapping[str, FillMethod]
) -> list[Finding]:
    """Empty cells of columns without a method, or at an end where their method finds nothing to take."""
    problems = []
    for name in names:
        empty = raw.values[name].isna().to_numpy(dtype=bool)
        method = methods.get(name)
        expected = f'give a number, or state series.fill = {{{name} = "previous"}}'
        if method is not None:
            before = np.maximum.accumulate(~empty) | (method in ("next", "zero"))
            after = np.maximum.accumulate(~empty[::-1])[::-1] | (method in ("previous", "zero"))
            empty = empty & ~(before & after)
            expected = f'fill "{method}" has no value to take here; give a number'
        problems += cell_problem(raw, axis, name, empty, ("empty_cell", "is empty (NaN)", expected))
    return problems


def fill(
    raw: RawSeries,
    axis: TimeAxis,
    numbers: pd.DataFrame,
    step_ns: int,
    methods: Mapping[str, FillMethod],
) -> tuple[pd.DataFrame, list[Finding]]:
    """A checked, sorted series on its full grid without empty cells; a note per filled column and on rows."""
    stamps = axis.index.asi8
    full = grid(stamps[0], stamps[-1] + step_ns, step_ns, axis.zone)
    notes = []
    frame = numbers.set_axis(axis.index, axis=0).reindex(full)
    if len(full) > len(numbers):
        inserted = full.difference(axis.index)
        notes.append(_note(raw.source, f"{counted(len(inserted), 'missing row')} inserted", inserted))
    for name in frame.columns:
        empty = frame[name].isna()
        if empty.any():
            method = methods[name]
            frame[name] = _filled(frame[name].to_numpy(dtype=np.float64), method)
            text = f"{counted(int(empty.sum()), 'empty cell')} filled with {_SOURCE[method]}"
            notes.append(_note(f"{raw.source} column {name}", text, full[empty]))
    return frame, notes


def _filled(values: npt.NDArray[np.float64], method: FillMethod) -> npt.NDArray[np.float64]:
    cells = pd.Series(values)
    match method:
        case "previous":
            cells = cells.ffill()
        case "next":
            cells = cells.bfill()
        case "zero":
            cells = cells.fillna(0.0)
        case "linear":
            cells = cells.interpolate("linear", limit_area="inside")
    return np.asarray(cells, dtype=np.float64)


def _note(where: str, text: str, index: pd.DatetimeIndex) -> Finding:
    times = ", ".join(moment(stamp) for stamp in index[:5]) + (", ..." if len(index) > 5 else "")
    return Finding("filled", where, f"{text}: {times}", "stated in series.fill", "warning")
