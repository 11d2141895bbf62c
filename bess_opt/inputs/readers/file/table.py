"""A foreign file as text cells under a header, before anybody knows what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bess_opt.inputs.readers.file.streamed import StreamedColumns

Mask = npt.NDArray[np.bool_]
Text: TypeAlias = pa.Array


@dataclass(frozen=True)
class Table:
    """Text cells of a file: `columns[i]` holds those under `names[i]`, `units[i]` a second header line or "".

    `rows` are the numbers a person gives the rows; `preamble` are the lines before the header, `surplus` names in
    the header that have no cells; `zones` name the time zones of columns that carry one (parquet).
    """

    source: str
    names: tuple[str, ...]
    columns: tuple[Text, ...] | StreamedColumns
    units: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    separator: str = ""
    preamble: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    zones: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        source: str,
        columns: Mapping[str, Sequence[str] | Text],
        *,
        units: dict[str, str] | None = None,
        first_row: int = 1,
        preamble: Sequence[str] = (),
        rows: npt.NDArray[np.int64] | None = None,
    ) -> Table:
        """A table of cells made by a reader of documents."""
        arrays = tuple(
            cells if isinstance(cells, pa.Array) else pa.array(cells, pa.string()) for cells in columns.values()
        )
        count = len(arrays[0]) if arrays else 0
        numbers = rows if rows is not None else np.arange(first_row, first_row + count)
        given = units or {}
        return cls(
            source,
            tuple(columns),
            arrays,
            tuple(given.get(name, "") for name in columns),
            numbers,
            preamble=tuple(preamble),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def has(self, *names: str) -> bool:
        """Whether all of these columns are there."""
        return all(name in self.names for name in names)

    def cells(self, name: str) -> Text:
        """The cells of the column `name`, without blanks around them; a missing one is ""."""
        return self.columns[self.names.index(name)]

    def first(self, name: str) -> str:
        """The first cell of a column that is not empty; "" if there is none."""
        if isinstance(self.columns, StreamedColumns):
            early = self.columns.first(self.names.index(name))
            if early is not None:
                return early
        cells = self.cells(name)
        filled = cells.filter(pc.not_equal(cells, ""))
        return str(filled[0].as_py()) if len(filled) else ""

    def uniques(self, name: str) -> list[str]:
        """The different cells of a column, in the order in which they come."""
        return [str(cell) for cell in pc.unique(self.cells(name)).to_pylist()]

    def unit(self, name: str) -> str:
        """What the second header line says of a column."""
        return self.units[self.names.index(name)]

    def row(self, position: int) -> str:
        """Where a row stands, e.g. "prices.csv row 17"."""
        return f"{self.source} row {self.rows[position]}"

    def where(self, mask: Mask) -> Table:
        """The table with only these rows."""
        if mask.all():
            return self
        if isinstance(self.columns, StreamedColumns):
            return replace(self, columns=self.columns.where(mask), rows=self.rows[mask])
        chosen = pa.array(mask)
        return replace(self, columns=tuple(column.filter(chosen) for column in self.columns), rows=self.rows[mask])

    def equal(self, name: str, wanted: str) -> Mask:
        """The rows whose cell in `name` is `wanted`."""
        return np.asarray(pc.equal(self.cells(name), wanted).to_numpy(zero_copy_only=False), dtype=bool)

    def among(self, name: str, wanted: Sequence[str]) -> Mask:
        """The rows whose cell in `name` is one of `wanted`."""
        there = pc.is_in(self.cells(name), pa.array(list(wanted), pa.string()))
        return np.asarray(there.to_numpy(zero_copy_only=False), dtype=bool)

    def with_column(self, name: str, cells: Text) -> Table:
        """The table with one more column."""
        more = self.columns.more(cells) if isinstance(self.columns, StreamedColumns) else (*self.columns, cells)
        return replace(self, names=(*self.names, name), columns=more, units=(*self.units, ""))


def split_once(cells: Text, mark: str) -> tuple[Text, Text]:
    """What stands before and after `mark`, which every cell holds."""
    parts = pc.split_pattern(cells, mark, max_splits=1)
    flat = parts.flatten()
    positions = np.arange(0, len(flat), 2)
    return flat.take(pa.array(positions)), flat.take(pa.array(positions + 1))
