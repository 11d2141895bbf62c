"""Columns of a long text table, read from the file one at a time when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

BLOCK = 4_000_000  # bytes that are parsed at once
_HEAD_ROWS = 5_000
_REPEATED = 0.05  # below this share of different cells a column is kept as words and their places
Odd = Callable[[pacsv.InvalidRow], str]


def _pass_over(_row: pacsv.InvalidRow) -> str:
    return "skip"


@dataclass(frozen=True)
class Source:
    """Where the rows of a table stand: a file in UTF-8, the byte of the first row, and how cells are parted."""

    path: Path
    offset: int
    separator: str
    width: int

    def batches(
        self, columns: Sequence[int], odd: Odd | None = None, progress: Callable[[float], None] | None = None
    ) -> Iterator[list[pa.Array]]:
        """Trimmed cells of some columns, block by block; rows of another width go to `odd`, or are passed over."""
        names = [f"c{i}" for i in range(self.width)]
        size = max(self.path.stat().st_size, 1)
        with self.path.open("rb") as stream:
            stream.seek(self.offset)
            reader = pacsv.open_csv(
                stream,
                read_options=pacsv.ReadOptions(column_names=names, block_size=BLOCK),
                parse_options=pacsv.ParseOptions(delimiter=self.separator, invalid_row_handler=odd or _pass_over),
                convert_options=pacsv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=False,
                    include_columns=[names[i] for i in columns],
                ),
            )
            for batch in reader:
                if progress is not None:
                    progress(min(stream.tell() / size, 1.0))
                yield [pc.utf8_trim_whitespace(column) for column in batch.columns]


@dataclass(frozen=True)
class StreamedColumns(Sequence[pa.Array]):
    """The columns of a table whose rows stay in their file; `kept` are the rows that belong to the table.

    `head` holds the first rows of every column. A column that was read is remembered.
    """

    source: Source
    kept: npt.NDArray[np.bool_]
    head: tuple[pa.Array, ...]
    extra: tuple[pa.Array, ...] = ()
    read: dict[int, pa.Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.head) + len(self.extra)

    @overload
    def __getitem__(self, index: int) -> pa.Array: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[pa.Array]: ...

    def __getitem__(self, index: int | slice) -> pa.Array | Sequence[pa.Array]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = index + len(self) if index < 0 else index
        if at >= len(self.head):
            return self.extra[at - len(self.head)]
        if at not in self.read:
            self.read[at] = self._loaded(at)
        found = self.read[at]
        return pc.cast(found, pa.string()) if pa.types.is_dictionary(found.type) else found

    def _loaded(self, index: int) -> pa.Array:
        parts: list[pa.Array] = []
        row = 0
        for (cells,) in self.source.batches([index]):
            parts.append(cells.filter(pa.array(self.kept[row : row + len(cells)])))
            row += len(cells)
        first = parts[0] if parts else pa.array([], pa.string())
        if len(first) and len(first.unique()) < _REPEATED * len(first):
            coded = pa.chunked_array([part.dictionary_encode() for part in parts])
            return coded.unify_dictionaries().combine_chunks()
        return pa.concat_arrays(parts) if parts else first

    def first(self, index: int) -> str | None:
        """The first filled cell of a column if it is among the first rows of the file."""
        if index >= len(self.head):
            return None
        filled = self.head[index].filter(pc.not_equal(self.head[index], ""))
        return str(filled[0].as_py()) if len(filled) else None

    def where(self, mask: npt.NDArray[np.bool_]) -> StreamedColumns:
        """The columns with only these of their rows."""
        kept = self.kept.copy()
        kept[np.flatnonzero(kept)[~mask]] = False
        chosen = pa.array(mask)
        head = tuple(c.filter(pa.array(mask[: len(c)])) for c in self.head)
        read = {index: column.filter(chosen) for index, column in self.read.items()}
        extra = tuple(column.filter(chosen) for column in self.extra)
        return StreamedColumns(self.source, kept, head, extra, read)

    def without_last(self) -> StreamedColumns:
        """The columns save the last one of the file."""
        return StreamedColumns(self.source, self.kept, self.head[:-1], self.extra)

    def more(self, cells: Any) -> StreamedColumns:
        """The columns with one more, which is not in the file."""
        return StreamedColumns(self.source, self.kept, self.head, (*self.extra, cells), self.read)


def stream(source: Source, odd: Odd, progress: Callable[[float], None] | None) -> StreamedColumns:
    """All columns of a file, only the first rows in memory; rows without any filled cell are left out."""
    kept: list[npt.NDArray[np.bool_]] = []
    head: tuple[pa.Array, ...] = ()
    for cells in source.batches(range(source.width), odd, progress):
        filled: npt.NDArray[np.bool_] = np.zeros(len(cells[0]), dtype=bool)
        for column in cells:
            filled |= pc.not_equal(column, "").to_numpy(zero_copy_only=False)
            if filled.all():
                break
        if not head:
            head = tuple(column.filter(pa.array(filled)).slice(0, _HEAD_ROWS) for column in cells)
        kept.append(filled)
    return StreamedColumns(source, np.concatenate(kept) if kept else np.zeros(0, dtype=bool), head)
