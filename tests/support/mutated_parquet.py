"""Parquet files that are not what they say, many and always the same: a seed names one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

TOML = """\
[battery]
power_mw = 2.0
duration_h = 4.0

[strategy]
name = "arbitrage"
"""
ODD: tuple[Any, ...] = (
    None, 5, -1, 1e400, "x", "", "time", "datetimetz", "categorical", "object", "float64", "range", [], {}, [None], [5],
    [["a"]], ["time"], ["nope"], ["time", "price_per_mwh"], [{"kind": "range", "start": 0, "stop": 10**12, "step": 1}],
    [{"kind": "range", "name": None, "start": 0, "stop": 48, "step": 0}], {"timezone": "Mars/Olympus"}, {"timezone": 5},
    {"timezone": "Europe/Berlin"}, True, "\u202e", "\x00",
)  # fmt: skip
ZONES = (
    "Mars/Olympus",
    "+25:99",
    "-00:00",
    "../UTC",
    "/etc/passwd",
    "UTC",
    "Europe/Berlin",
    "+14:00",
    "\x1b[31m",
    "z" * 300,
)
UNITS = ("s", "ms", "us", "ns")
STAMPS = (0, 1, -1, 2**31, 2**62, -(2**62), 2**63 - 49, -(2**63) + 1, 10**12, 10**15)
KINDS = (
    pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.decimal128(38, 10), pa.decimal256(76, 0), pa.bool_(), pa.null(),
    pa.string(), pa.large_string(), pa.binary(), pa.date32(), pa.date64(), pa.time64("ns"), pa.duration("s"),
    pa.list_(pa.int64()), pa.struct([("a", pa.int64())]), pa.map_(pa.string(), pa.int64()),
    pa.dictionary(pa.int32(), pa.string()),
)  # fmt: skip
Change = Callable[[random.Random, Path, pa.Table], None]


def sound() -> pd.DataFrame:
    index = pd.date_range("2025-06-02", periods=48, freq="h", tz="Europe/Berlin", name="time")
    hour = np.arange(48)
    return pd.DataFrame(
        {"price_per_mwh": 50.0 + hour % 24, "load_mw": 1.0 + hour % 5, "solar_mw": hour % 7 / 2.0}, index
    )


def mutant(seed: int, folder: Path) -> Path:
    """The folder of mutant `seed`, its file written fresh."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenario.toml").write_text(TOML)
    file = folder / "series.parquet"
    rng.choice(CHANGES)(rng, file, pa.Table.from_pandas(sound()))
    return folder


# ---- what may be done to a file


def other_note(rng: random.Random, file: Path, table: pa.Table) -> None:
    """What pandas notes about its frame is something else, or nothing."""
    note = json.loads(table.schema.metadata[b"pandas"])
    kind = rng.randrange(4)
    if kind == 0:
        whole = rng.choice((b"", b"{", b"[]", b"null", b"5", b"\xff\xfe", b"[" * 5000, b'{"index_columns": NaN}'))
        pq.write_table(table.replace_schema_metadata({b"pandas": whole}), file)
        return
    if kind == 1:
        note[rng.choice([*note, "other"])] = rng.choice(ODD)
    elif kind == 2:
        column = rng.choice(note["columns"])
        column[rng.choice([*column, "other"])] = rng.choice(ODD)
    else:
        del note[rng.choice(list(note))]
    pq.write_table(table.replace_schema_metadata({b"pandas": json.dumps(note).encode()}), file)


def other_times(rng: random.Random, file: Path, table: pa.Table) -> None:
    """Times in another zone, unit or era."""
    unit, zone = rng.choice(UNITS), rng.choice((*ZONES, None))
    stamps = (rng.choice(STAMPS) + np.arange(48) * rng.choice((0, 1, 3600))).astype(np.int64)
    times = pa.array(stamps, pa.timestamp(unit, zone) if zone is not None else pa.timestamp(unit))
    columns = {"time": times} | {name: table[name] for name in ("price_per_mwh", "load_mw")}
    try:
        pq.write_table(pa.table(columns), file)
    except pa.ArrowException:  # seconds so far off have no place in a file
        pq.write_table(pa.table(columns | {"time": pa.array(stamps)}), file)


def other_kind(rng: random.Random, file: Path, table: pa.Table) -> None:
    """A column of another kind, empty or not."""
    name = rng.choice(("time", "price_per_mwh", "load_mw", "more"))
    kind = rng.choice(KINDS)
    columns = {key: table[key] for key in table.column_names}
    columns[name] = pa.nulls(48, kind)
    if pa.types.is_string(kind) and rng.random() < 0.7:
        columns[name] = pa.array([rng.choice(("1", "x", "\x1b[2J", "9" * 400, "", "2025-06-02T00:00+02:00"))] * 48)
    pq.write_table(pa.table(columns), file)


def other_cells(rng: random.Random, file: Path, table: pa.Table) -> None:
    """Cells that are no usual numbers."""
    values = np.arange(48.0)
    for _ in range(rng.choice((1, 3, 48))):
        values[rng.randrange(48)] = rng.choice((np.nan, np.inf, -np.inf, 1e308, -1e-320, 1e12, 1e13, -5.0))
    name = rng.choice(("price_per_mwh", "load_mw", "solar_mw"))
    pq.write_table(table.set_column(table.column_names.index(name), name, pa.array(values)), file)


def other_columns(rng: random.Random, file: Path, table: pa.Table) -> None:
    """Columns that stand twice, are called otherwise, or are far too many."""
    kind = rng.randrange(4)
    names = list(table.column_names)
    if kind == 0:
        table = pa.table([*table.columns, table.columns[0]], names=[*names, names[0]])
    elif kind == 1:
        names[rng.randrange(len(names))] = rng.choice(
            ("", "😀", "a.b", "time", "\x00", "x" * 5000, "regulation_signal")
        )
        table = pa.table(table.columns, names=names)
    elif kind == 2:
        table = pa.table([*table.columns, *[pa.array(range(48))] * 500], names=[*names, *map(str, range(500))])
    else:
        table = table.select([name for name in names if rng.random() < 0.5])
    pq.write_table(table, file)


def other_rows(rng: random.Random, file: Path, table: pa.Table) -> None:
    """No rows, rows twice, turned round, or more than there is room for in as many groups."""
    kind = rng.randrange(4)
    if kind == 0:
        pq.write_table(table.slice(0, rng.randrange(3)), file)
    elif kind == 1:
        pq.write_table(pa.concat_tables([table, table]), file, row_group_size=rng.choice((1, 7, 96)))
    elif kind == 2:
        pq.write_table(table.take(pa.array(np.arange(48)[::-1])), file)
    else:
        same = pa.table({"time": pa.array(np.zeros(3_000_000, np.int64), pa.timestamp("ns", "UTC"))})
        with pq.ParquetWriter(file, same.schema, compression="zstd") as writer:
            writer.write_table(same)
            writer.write_table(same)


def other_bytes(rng: random.Random, file: Path, table: pa.Table) -> None:
    """Bytes are others, gone, doubled, or there are too few."""
    pq.write_table(table, file)
    content = bytearray(file.read_bytes())
    for _ in range(rng.choice((1, 3, 50))):
        place = rng.randrange(len(content) - 1)
        if rng.random() < 0.6:
            content[place] = rng.randrange(256)
        elif rng.random() < 0.5:
            del content[place : place + rng.choice((1, 10))]
        else:
            content[place:place] = bytes(rng.randrange(256) for _ in range(4))
    file.write_bytes(bytes(content[: len(content) if rng.random() < 0.9 else rng.randrange(len(content))]))


CHANGES: tuple[Change, ...] = (
    other_note, other_note, other_note, other_times, other_times, other_kind, other_kind, other_cells, other_columns,
    other_rows, other_bytes, other_bytes, other_bytes, other_bytes,
)  # fmt: skip
