"""A foreign file as text cells under a header, before anybody knows what they mean."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bess_opt.inputs.readers.problems import problem

Floats = npt.NDArray[np.float64]
EMPTY = frozenset({"", "-", "n/e", "n/a", "na", "nan", "null", "none"})
_UNIT_WORDS = ("(eur/mwh", "(mw)", "(gw)", "(kw)", "[eur/mwh", "[mw]", "[kw]")


@dataclass(frozen=True)
class Sheet:
    """Text cells of a file; `columns[i]` holds the cells under `header[i]`, `units[i]` a second header line.

    `first_row` is the number a person gives the first row of data.
    """

    path: Path
    header: tuple[str, ...]
    units: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    first_row: int = 2

    @property
    def source(self) -> str:
        """Name of the file."""
        return self.path.name

    def cells(self, name: str) -> tuple[str, ...]:
        """The cells of the column `name`."""
        return self.columns[self.header.index(name)]

    def kept(self, rows: Sequence[int]) -> Sheet:
        """The sheet with only the rows at these positions."""
        columns = tuple(tuple(column[i] for i in rows) for column in self.columns)
        return Sheet(self.path, self.header, self.units, columns, self.first_row)

    def numbers(self, name: str) -> Floats:
        """A column as numbers, NaN where a cell is empty or says so. ScenarioError for any other text."""
        texts = pd.Series(self.cells(name), dtype="str")
        nothing = texts.str.lower().isin(EMPTY).to_numpy()
        values = pd.to_numeric(texts.where(~nothing), errors="coerce").to_numpy(dtype=np.float64)
        wrong = ~np.isfinite(values) & ~nothing
        if wrong.any():
            row = int(np.argmax(wrong))
            where = f"{self.source} row {self.first_row + row}, column {name}"
            raise problem("not_a_number", where, f"found {texts[row]!r}", "write a number with a decimal point")
        return values


def read_sheet(file: str | Path) -> Sheet:
    """The cells of a CSV file, of the only CSV file in a zip, or of an energy-charts JSON answer.

    ScenarioError if there is no such file, or it holds no table.
    """
    path = Path(file)
    text = _text(path)
    if text.lstrip().startswith("{"):
        return _from_json(path, text)
    lines = [row for row in csv.reader(io.StringIO(text), delimiter=_separator(text)) if any(map(str.strip, row))]
    if lines and all(len(row) == 1 for row in lines) and '"' in lines[0][0]:
        lines = [next(csv.reader([row[0]])) for row in lines]  # every line in quotes once more
    if len(lines) < 2:
        raise problem("empty_series", path.name, "holds no table", "give a CSV file with a header and rows")
    width = len(lines[0])
    header, rows = tuple(cell.strip() for cell in lines[0]), lines[1:]
    second = [cell.strip().lower() for cell in rows[0]]
    units: tuple[str, ...] = ("",) * width
    first = 2
    if any(word in cell for cell in second for word in _UNIT_WORDS):
        units, rows, first = tuple(cell.strip() for cell in rows[0]), rows[1:], 3
    ragged = next((i for i, row in enumerate(rows) if len(row) != width), None)
    if ragged is not None:
        where = f"{path.name} row {first + ragged}"
        found = f"has {len(rows[ragged])} cells under {width} columns"
        raise problem("unreadable_file", where, found, "give every row one cell per column")
    columns = tuple(tuple(row[i].strip() for row in rows) for i in range(width))
    return Sheet(path, header, units, columns, first)


def _text(path: Path) -> str:
    try:
        if path.suffix.lower() != ".zip":
            return path.read_text(encoding="utf-8-sig")
        with zipfile.ZipFile(path) as archive:
            inside = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(inside) != 1:
                expected = "unpack it and give the one that is meant"
                raise problem("unreadable_file", path.name, f"holds {len(inside)} CSV files", expected)
            return archive.read(inside[0]).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or str(error)
        expected = "give a CSV or JSON file in UTF-8, or a zip with one CSV"
        raise problem("unreadable_file", str(path), f"cannot be read: {reason}", expected) from None


def _separator(text: str) -> str:
    head = text.partition("\n")[0]
    return ";" if head.count(";") > head.count(",") else ","


def _from_json(path: Path, text: str) -> Sheet:
    """The answer of the energy-charts API: unix seconds and one or more lists as long."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise problem("unreadable_file", path.name, f"cannot be read: {error}", "mend the JSON there") from None
    seconds = content.get("unix_seconds")
    lists = {
        key: value
        for key, value in content.items()
        if isinstance(value, list) and isinstance(seconds, list) and len(value) == len(seconds)
    }
    if not isinstance(seconds, list) or len(lists) < 2:
        found = f"is JSON with the keys {', '.join(content)}"
        raise problem("unknown_format", path.name, found, 'give an answer of energy-charts with "unix_seconds"')
    unit = str(content.get("unit", ""))
    texts = [tuple("" if cell is None else str(cell) for cell in cells) for cells in lists.values()]
    return Sheet(path, tuple(lists), tuple("" if key == "unix_seconds" else unit for key in lists), tuple(texts), 1)
