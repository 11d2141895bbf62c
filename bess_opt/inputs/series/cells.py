"""The cells of a series: numbers, and what is none.

Each kind of problem in a column is one finding: the first row it stands in, and how many more there are.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Floats
from bess_opt.common.clock import Mask
from bess_opt.common.columns import SERIES
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import LARGEST
from bess_opt.common.wording import more, show
from bess_opt.inputs.series.raw import RawSeries
from bess_opt.inputs.series.time_axis import TimeAxis


def read_numbers(raw: RawSeries, axis: TimeAxis | None) -> tuple[pd.DataFrame, list[Finding]]:
    """The cells as float64, NaN where empty; text, infinities and numbers out of range as findings."""
    problems: list[Finding] = []
    numbers: dict[str, Floats] = {}
    plain = [name for name in SERIES if name in raw.values.columns]
    for name in [*plain, *sorted(str(name) for name in raw.values.columns if name not in plain and name in SERIES)]:
        numbers[name], text = _to_float(raw.values[name], raw.is_text)
        words = ("not_a_number", "found {}", "give a number, with a point for decimals")
        problems += cell_problem(raw, axis, name, text, words)
        problems += _check_range(raw, axis, name, numbers[name])
    return pd.DataFrame(numbers, index=range(len(raw.values))), problems


def _check_range(raw: RawSeries, axis: TimeAxis | None, name: str, value: Floats) -> list[Finding]:
    column = SERIES[name]
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum
    unit = "" if column.unit == "1" else f" {column.unit}"
    infinite, absurd = np.isinf(value), np.abs(value) > LARGEST
    kinds = [
        (infinite, "infinite", "give a finite number"),
        (~infinite & absurd, "out_of_range", f"give a number of at most {LARGEST:g}"),
        (~absurd & (value < low), "out_of_range", f"give at least {low:g}{unit}"),
        (~absurd & (value > high), "out_of_range", f"give at most {high:g}{unit}"),
    ]
    return [
        finding
        for wrong, code, expected in kinds
        for finding in cell_problem(raw, axis, name, wrong, (code, "found {}", expected))
    ]


def check_prices(raw: RawSeries) -> list[Finding]:
    """One price for both directions, or one for each, not both ways at once."""
    split = [name for name in ("import_price_per_mwh", "export_price_per_mwh") if name in raw.values]
    if "price_per_mwh" not in raw.values or not split:
        return []
    found = f"price_per_mwh stands beside {' and '.join(split)}"
    expected = "give either price_per_mwh, or import_price_per_mwh and export_price_per_mwh"
    return [Finding("contradiction", raw.source, found, expected)]


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


def _to_float(cells: pd.Series, is_text: bool) -> tuple[Floats, Mask]:
    """Cells as floats, and which of them are no numbers; a text is a number only in a file of text."""
    empty = cells.isna().to_numpy(dtype=bool)
    kind = pd.api.types.infer_dtype(cells, skipna=True)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal", "empty"):
        return _floats(cells), np.zeros(len(cells), dtype=bool)
    if is_text and kind != "boolean":
        parsed = _floats(pd.to_numeric(cells.astype("string"), errors="coerce"))
        return parsed, np.isnan(parsed) & ~empty
    right = np.array([isinstance(cell, Real) and not isinstance(cell, bool | np.bool_) for cell in cells])
    return np.array([_float(cell) for cell in cells.where(right)], dtype=np.float64), ~right & ~empty


def _floats(cells: pd.Series) -> Floats:
    """Cells as floats; a whole number too large for one is infinite, which is refused later."""
    try:
        return np.asarray(cells.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan))
    except OverflowError:
        return np.asarray([_float(cell) for cell in cells], dtype=np.float64)


def _float(cell: Any) -> float:
    if pd.isna(cell):
        return math.nan
    try:
        return float(cell)
    except OverflowError:
        return math.inf if cell > 0 else -math.inf
