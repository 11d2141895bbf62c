"""Reading a time series as it stands, from a file or a DataFrame, with row numbers a person can find."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bess_opt.common.columns import SERIES
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.names import nearest
from bess_opt.common.wording import show
from bess_opt.inputs.series.imported import ImportedSeries
from bess_opt.inputs.series.parquet import MOST_ROWS, TIME, read_parquet, too_long

MOST_FILE_BYTES = 300_000_000  # of a CSV file: MOST_ROWS rows of a time and a few numbers
MOST_COLUMNS = 200  # a file with more is turned: it has a column for each step
NAMED = 3  # wrong columns that are named; the rest is counted
# From pandas 3.1 on every number is read exactly; before, only on request, which is deprecated now.
_EXACT: dict[str, Any] = (
    {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}
)


@dataclass(frozen=True)
class RawSeries:
    """A series before its cells are checked: time, the columns we know, and what is wrong with the header.

    `first_row` is the number a person gives the first row of data; `is_text` says that numbers were written;
    `notes` is what an importer says it did.
    """

    source: str
    first_row: int
    time: pd.Series | pd.DatetimeIndex
    values: pd.DataFrame
    is_text: bool = False
    problems: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()

    def row(self, position: int) -> str:
        """Where a row stands, e.g. "series.csv row 17"."""
        return f"{self.source} row {self.first_row + position}"


def from_frame(frame: object, source: str = "series") -> RawSeries:
    """A DataFrame whose tz-aware index or column "time" holds the step starts; rows count from 1.

    ScenarioError if it is no DataFrame, is empty, or has no time or unknown columns.
    """
    if not isinstance(frame, pd.DataFrame):
        found, expected = f"found {type(frame).__name__}", "give a pandas DataFrame with a tz-aware index"
        raise ScenarioError([Finding("no_series", source, found, expected)])
    if not len(frame):
        raise ScenarioError([_empty(source)])
    if pd.api.types.is_datetime64_any_dtype(frame.index.dtype):
        return _indexed(frame, pd.DatetimeIndex(frame.index), source)
    if TIME in frame.index.names and frame.index.nlevels == 1:
        return _indexed(frame, frame.index.to_series().reset_index(drop=True), source)
    return _split(frame, source, 1, is_text=False)


def from_file(folder: Path, file: str | None) -> RawSeries:
    """The series file of a scenario folder; `file` None is series.csv, else series.parquet.

    ScenarioError if it leaves the folder, is missing, of another kind, empty or unreadable.
    """
    name = file or ("series.csv" if not _only_parquet(folder) else "series.parquet")
    path = folder / name
    try:
        problem = _file_problem(folder, path, name)
    except (OSError, RuntimeError, ValueError) as error:  # too long, a null in it, a link to itself
        found = f"file {show(name)} cannot be opened: {getattr(error, 'strerror', None) or 'no usable path'}"
        problem = Finding("unreadable_file", "series.file", found, "give the name of a file in the scenario folder")
    if problem:
        raise ScenarioError([problem])
    try:
        return _read_csv(path, name) if path.suffix.lower() == ".csv" else _read_parquet(path, name)
    except (OSError, ValueError, csv.Error) as error:
        first_line = str(error).strip().splitlines()[0].removeprefix("Error tokenizing data. C error: ")
        expected = "give a CSV file in UTF-8 with commas, or a Parquet file"
        raise ScenarioError([Finding("unreadable_file", name, f"cannot be read: {first_line}", expected)]) from None


def _only_parquet(folder: Path) -> bool:
    return (folder / "series.parquet").exists() and not (folder / "series.csv").exists()


def _file_problem(folder: Path, path: Path, name: str) -> Finding | None:
    if not path.resolve().is_relative_to(folder.resolve()):
        found, expected = f"file {name!r} leaves the scenario folder", "put the file into the folder"
        return Finding("outside_folder", "series.file", found, expected)
    if path.suffix.lower() not in (".csv", ".parquet"):
        found, expected = f"file {show(name)} is neither .csv nor .parquet", "give a .csv or .parquet file"
        return Finding("wrong_file_kind", "series.file", found, expected)
    if path.is_dir():
        return Finding("missing_file", "series.file", f"{name!r} is a folder", "give the name of a file")
    if path.exists() and not path.is_file():
        return Finding("missing_file", "series.file", f"{name!r} is no regular file", "give the name of a file")
    if not path.is_file():
        others = [p.name for p in folder.glob("*") if p.suffix.lower() in (".csv", ".parquet")]
        expected = nearest(name, others) if others else f"put it into {folder}"
        return Finding("missing_file", "series.file", f"there is no file {name!r}", expected)
    return None


def _empty(source: str) -> Finding:
    return Finding("empty_series", source, "has no rows", "give at least one step")


def _read_csv(path: Path, name: str) -> RawSeries:
    _check_length(path, name)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        header = [cell.strip() for cell in next(csv.reader(lines), [])]
    if not any(header):
        raise ScenarioError([_empty(name)])
    if len(header) > MOST_COLUMNS:
        found, expected = f"has {len(header):,} columns", "give a column for each quantity and a row for each step"
        raise ScenarioError([Finding("too_many_columns", name, found, expected)])
    if len(header) == 1 and ";" in header[0]:
        found, expected = "columns are separated by semicolons", "use commas, and points in decimals"
        raise ScenarioError([Finding("unreadable_file", name, found, expected)])
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            frame = pd.read_csv(
                path,
                encoding="utf-8-sig",
                header=0,
                names=range(len(header)),
                dtype={i: str for i, key in enumerate(header) if key == TIME},
                index_col=False,
                skip_blank_lines=False,
                **_EXACT,
                low_memory=False,
            )
        except pd.errors.ParserWarning:
            raise ValueError("rows have more cells than the header") from None
    frame.columns = pd.Index(header)
    last = frame.notna().any(axis=1).to_numpy().nonzero()[0]
    return _split(frame.iloc[: last[-1] + 1 if len(last) else 0], name, 2, is_text=True)


def _check_length(path: Path, name: str) -> None:
    """ScenarioError for a file that is longer than any series; its lines are counted before they are read."""
    size = path.stat().st_size
    if size > MOST_FILE_BYTES:
        found, expected = f"is longer than {MOST_FILE_BYTES:,} bytes", "give a part of the time, or longer steps"
        raise ScenarioError([Finding("too_long", name, found, expected)])
    if size > MOST_ROWS:
        with path.open("rb") as lines:
            rows = sum(block.count(b"\n") for block in iter(lambda: lines.read(1 << 20), b""))
        if rows > MOST_ROWS:
            raise ScenarioError([too_long(name, rows)])


def _read_parquet(path: Path, name: str) -> RawSeries:
    read = read_parquet(path, name, SERIES)
    problems = tuple(_column_problems(name, read.names))
    if TIME not in read.known:
        raise ScenarioError([_no_time(name, is_text=False), *problems])
    if not len(read.known):
        raise ScenarioError([_empty(name)])
    return RawSeries(name, 1, read.known[TIME], read.known.drop(columns=TIME), problems=problems)


def _no_time(source: str, *, is_text: bool) -> Finding:
    expected = f"name the column of step starts {TIME!r}" + ("" if is_text else ", or give a tz-aware index")
    return Finding("missing_column", source, f"has no column {TIME!r}", expected)


def _split(frame: pd.DataFrame, source: str, first_row: int, *, is_text: bool) -> RawSeries:
    """The column "time" apart from the others; ScenarioError if there is none or no row."""
    names = list(frame.columns)
    if TIME not in names:
        raise ScenarioError([_no_time(source, is_text=is_text), *_column_problems(source, names)])
    if not len(frame):
        raise ScenarioError([_empty(source)])
    others = frame.loc[:, [name != TIME for name in names]].reset_index(drop=True)
    time = frame.iloc[:, names.index(TIME)].reset_index(drop=True)
    problems = _column_problems(source, names)
    return RawSeries(source, first_row, time, _known(others), is_text, tuple(problems))


def _indexed(frame: pd.DataFrame, time: pd.Series | pd.DatetimeIndex, source: str) -> RawSeries:
    problems = _column_problems(source, list(frame.columns))
    notes = tuple(frame.notes) if isinstance(frame, ImportedSeries) else ()
    return RawSeries(source, 1, time, _known(frame.reset_index(drop=True)), problems=tuple(problems), notes=notes)


def _known(values: pd.DataFrame) -> pd.DataFrame:
    """The columns whose names we know, each once, so that the check can go on after a wrong name."""
    known = np.array([name in SERIES for name in values.columns], dtype=bool)
    return values.loc[:, known & ~values.columns.duplicated()]


def _column_problems(source: str, names: Sequence[object]) -> list[Finding]:
    """Columns that stand twice or that nobody knows: the first few of each kind, and how many more there are."""
    where, counts = f"{source} column", Counter(names)
    twice = [name for name, count in counts.items() if count > 1]
    unknown = [name for name in counts if name != TIME and name not in SERIES]
    problems = [
        Finding(
            "duplicate_column", f"{where} {name}", "stands more than once" + _rest(twice, name), "keep one of them"
        )
        for name in twice[:NAMED]
    ]
    for name in unknown[:NAMED]:
        more = _rest(unknown, name)
        if name == "":
            place = f"{where} {names.index(name) + 1}"
            problems.append(Finding("unknown_column", place, f"has no name{more}", "name it, or remove it"))
        else:
            found, known = f"unknown column {show(name)}{more}", nearest(str(name)[:100], SERIES)
            problems.append(Finding("unknown_column", f"{where} {str(name)[:100]}", found, known))
    return problems


def _rest(names: list[object], name: object) -> str:
    """Tail of the last finding that is named, for those that are not."""
    return f", and {len(names) - NAMED} more like it" if len(names) > NAMED and names.index(name) == NAMED - 1 else ""
