"""The cells of a series: numbers, and what is none.

Each kind of problem in a column is one finding: the first row it stands in, and how many more there are.
"""

from __future__ import annotations

from numbers import Real

import numpy as np
import numpy.typing as npt
import pandas as pd

from bess_opt.clock import Mask
from bess_opt.columns import SERIES
from bess_opt.findings import Finding
from bess_opt.series_files import RawSeries
from bess_opt.series_time import TimeAxis, more
from bess_opt.tables import show


def read_numbers(raw: RawSeries, axis: TimeAxis | None) -> tuple[pd.DataFrame, list[Finding]]:
    """The cells as float64, NaN where empty; text, infinities and numbers out of range as findings."""
    problems: list[Finding] = []
    numbers: dict[str, npt.NDArray[np.float64]] = {}
    for name in (name for name in SERIES if name in raw.values.columns):
        cells = raw.values[name]
        numbers[name], text = _to_float(cells, raw.is_text)
        low, high = SERIES[name].minimum, SERIES[name].maximum
        value = numbers[name]
        kinds = [
            ("not_a_number", text, "give a number with a decimal point"),
            ("infinite", np.isinf(value), "give a finite number"),
            (
                "out_of_range",
                np.isfinite(value) & (value < (-np.inf if low is None else low)),
                f"give at least {low}",
            ),
            (
                "out_of_range",
                np.isfinite(value) & (value > (np.inf if high is None else high)),
                f"give at most {high}",
            ),
        ]
        for code, wrong, expected in kinds:
            problems += cell_problem(raw, axis, name, wrong, (code, "found {}", expected))
    return pd.DataFrame(numbers, index=range(len(raw.values))), problems


def cell_problem(
    raw: RawSeries, axis: TimeAxis | None, name: str, wrong: Mask, words: tuple[str, str, str]
) -> list[Finding]:
    """One finding (code, found, expected) for all cells of a column that are wrong in the same way."""
    if not wrong.any():
        return []
    code, found, expected = words
    row = int(np.argmax(wrong))
    cell = raw.values[name].iloc[row]
    text = found.format(show(cell.item() if isinstance(cell, np.generic) else cell))
    when = f" at {axis.at(row)}" if axis else ""
    where = f"{raw.row(row)}, column {name}"
    return [Finding(code, where, text + when + more(int(wrong.sum())), expected)]


def _to_float(cells: pd.Series, is_text: bool) -> tuple[npt.NDArray[np.float64], Mask]:
    """Cells as floats, and which of them are no numbers; a text is a number only in a file of text."""
    empty = cells.isna().to_numpy(dtype=bool)
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
        if pd.api.types.is_complex_dtype(cells.dtype):
            return np.full(len(cells), np.nan), ~empty
        return cells.to_numpy(dtype=np.float64, na_value=np.nan), np.zeros(len(cells), dtype=bool)
    if is_text and not pd.api.types.is_bool_dtype(cells.dtype):
        values = pd.to_numeric(cells.astype("string"), errors="coerce").to_numpy(
            dtype=np.float64, na_value=np.nan
        )
        return values, np.isnan(values) & ~empty
    if cells.dtype != object:
        return np.full(len(cells), np.nan), ~empty
    right = np.array([isinstance(cell, Real) and not isinstance(cell, bool | np.bool_) for cell in cells])
    return cells.where(right & ~empty).to_numpy(dtype=np.float64), ~right & ~empty
