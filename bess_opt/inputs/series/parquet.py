"""A Parquet file as columns: its footer is read first, so that nobody waits for what no plan can use.

Only columns that a series can have are read, each on its own, and of what pandas has noted in the file about itself
only the name of the index is used: the note may be wrong, the columns are what they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bess_opt.common.clock import is_zone
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.wording import show

MOST_ROWS = 4_000_000  # seven years of minutes
MOST_BYTES = 1_000_000_000  # of a column, unpacked
LONGEST_TEXT = 200  # characters of a cell: a time or a number has fewer
TIME = "time"
FOREIGN = (
    OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError, NotImplementedError, pa.ArrowException,
)  # fmt: skip
_OFFSET = re.compile(r"[+-](?:[01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True)
class Columns:
    """Names of all columns as they stand, and the `known` ones read; the index of pandas is called "time"."""

    names: list[str]
    known: pd.DataFrame


def read_parquet(path: Path, source: str, wanted: Container[str]) -> Columns:
    """The columns of a file named in `wanted`, and its times. ScenarioError if it is too long or unreadable."""
    with _foreign(source):
        file = pq.ParquetFile(path)
        footer, schema = file.metadata, file.schema_arrow
        rows, names = footer.num_rows, list(schema.names)
    if rows > MOST_ROWS:
        raise ScenarioError([too_long(source, rows)])
    index = _index_of(schema)
    _check_footer(footer, source, {TIME, index, *(name for name in names if name in wanted)})
    own = [name for name in names if name != index or name == TIME]
    columns = {name: _column(path, schema, name, source) for name in own if name in wanted or name == TIME}
    if TIME not in columns and index and pa.types.is_timestamp(schema.field(index).type):
        columns[TIME] = _column(path, schema, index, source)
        own.insert(0, TIME)
    return Columns(own, pd.DataFrame(columns, index=range(rows)))


def too_long(source: str, rows: int) -> Finding:
    """The finding for a file with more rows than a series can have."""
    expected = f"give at most {MOST_ROWS:,}: a part of the time, or longer steps"
    return Finding("too_long", source, f"has {rows:,} rows", expected)


def _index_of(schema: pa.Schema) -> str:
    """The column that pandas kept its index in, as far as its note can be believed; "" if there is none."""
    try:
        columns = json.loads((schema.metadata or {})[b"pandas"])["index_columns"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return ""
    told = columns[0] if isinstance(columns, list) and len(columns) == 1 else None
    return told if isinstance(told, str) and schema.names.count(told) == 1 else ""


def _check_footer(footer: Any, source: str, wanted: set[str]) -> None:
    """That the footer agrees with itself, and that no column unpacks to more than there is room for."""
    with _foreign(source):
        groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
        leaves = [place for place in range(footer.num_columns) if footer.schema.column(place).path in wanted]
        counts = {(group.num_rows, group.column(place).num_values) for group in groups for place in leaves}
        sizes = [sum(group.column(place).total_uncompressed_size for group in groups) for place in leaves]
        sound = sum(group.num_rows for group in groups) == footer.num_rows and all(a == b for a, b in counts)
    if not sound or max(sizes, default=0) > MOST_BYTES:
        found = "is damaged: its columns are not as long as its footer says" if not sound else "unpacks to too much"
        raise ScenarioError([_unreadable(source, found)])


def _column(path: Path, schema: pa.Schema, name: str, source: str) -> pd.Series:
    """One column as pandas holds it: numbers, texts or times. ScenarioError for anything else."""
    where = f"{source} column {name}"
    kind = schema.field(schema.names.index(name)).type
    if not _can_be_read(kind):
        expected = "give numbers" if name != TIME else "give times with a time zone"
        raise ScenarioError([Finding("wrong_column_kind", where, f"holds {show(str(kind))}", expected)])
    zone = kind.tz if pa.types.is_timestamp(kind) else None
    if zone and not (is_zone(zone) or _OFFSET.fullmatch(zone)):
        found, expected = f"unknown time zone {show(zone)}", 'give an IANA name such as "Europe/Berlin"'
        raise ScenarioError([Finding("unknown_zone", where, found, expected)])
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    with _foreign(source):
        # Texts come as a list of different ones: a file of some kilobytes can hold gigabytes of the same text.
        file = pq.ParquetFile(path, read_dictionary=[name] if text else [])
        column = file.read(columns=[name], use_threads=False).column(0).combine_chunks()
        if pa.types.is_dictionary(column.type):
            longest = pc.max(pc.binary_length(column.dictionary.cast(pa.large_binary()))).as_py() or 0
            if longest > LONGEST_TEXT:
                raise ScenarioError([_unreadable(where, f"holds a text of {longest:,} bytes")])
            column = column.dictionary_decode()
        read: pd.Series = column.to_pandas()
        return read


def _can_be_read(kind: pa.DataType) -> bool:
    """Whether a column holds single numbers, texts or times, and nothing inside each other."""
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(
        fits(value)
        for fits in (
            pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null,
            pa.types.is_string, pa.types.is_large_string, pa.types.is_timestamp, pa.types.is_date,
        )
    )  # fmt: skip


def _unreadable(where: str, reason: str) -> Finding:
    return Finding("unreadable_file", where, f"cannot be read: {reason}", "give a Parquet file as pandas writes it")


@contextmanager
def _foreign(source: str) -> Iterator[None]:
    """What a reader of foreign files complains of, as an error of ours."""
    try:
        yield
    except ScenarioError:
        raise
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        OverflowError,
        MemoryError,
        NotImplementedError,
        pa.ArrowException,
    ) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ScenarioError([_unreadable(source, reason[:200])]) from None
