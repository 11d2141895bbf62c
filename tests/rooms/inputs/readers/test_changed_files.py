"""Files that were changed on their way are right, or refused with a place: never other numbers without a word."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.written_kinds import Written, every_file

import bess_opt as bo

VERBS = {"price": bo.read_prices, "load": bo.read_load, "solar": bo.read_solar}
Change = Callable[[str, random.Random], str | bytes]
TABLES = [written for _, written in every_file() if not written.file.endswith((".json", ".xml"))]
CLOCKS = (
    ("Europe/Berlin", "2025-03-30"), ("Europe/Berlin", "2025-10-26"), ("America/New_York", "2025-11-02"),
    ("America/Santiago", "2025-09-07"), ("Australia/Lord_Howe", "2025-04-06"),
)  # fmt: skip


def plain(zone: str, day: str, minutes: int, ends: bool) -> Written:
    """A plain table whose name of the times says nothing, over three days of a clock change."""
    begin = pd.Timestamp(day) - pd.Timedelta(days=1)
    last = (begin + pd.Timedelta(days=3)).tz_localize(zone)
    index = pd.date_range(begin.tz_localize(zone), last, freq=f"{minutes}min", inclusive="left")
    values = np.round(1.25 + 0.5 * np.arange(len(index)), 2)
    stamps = index + pd.Timedelta(minutes=minutes) if ends else index
    rows = [f"{s:%Y-%m-%d %H:%M},{v},{7 * v}" for s, v in zip(stamps, values, strict=True)]
    text = "\n".join(["time,load (MW),other", *rows]) + "\n"
    return Written("plain", "plain.csv", text, "load", index, values, {"clock": zone})


def mark_of(text: str) -> str:
    """The separator."""
    return max(";\t,", key=lambda mark: min(line.count(mark) for line in text.splitlines()[-4:-1]))


def lines_of(text: str) -> tuple[list[str], int]:
    """Lines, and the number of the first row below the last line that has letters in several cells."""
    lines = text.splitlines()
    heads = [i for i, line in enumerate(lines[:12]) if re.search(r"[A-Za-z]{3}.*[,;\t].*[A-Za-z]{3}.*[,;\t]?", line)]
    dated = next((i for i, line in enumerate(lines) if re.search(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*\d", line)), 1)
    return lines, max(dated, 1) if heads else 1


def dropped_row(text: str, by: random.Random) -> str:
    lines, first = lines_of(text)
    del lines[by.randrange(first, len(lines))]
    return "\n".join(lines) + "\n"


def dropped_rows(text: str, by: random.Random) -> str:
    lines, first = lines_of(text)
    at = by.randrange(first, len(lines))
    del lines[at : at + by.randrange(2, 6)]
    return "\n".join(lines) + "\n"


def doubled_row(text: str, by: random.Random) -> str:
    lines, first = lines_of(text)
    at = by.randrange(first, len(lines))
    lines.insert(by.randrange(first, len(lines)), lines[at])
    return "\n".join(lines) + "\n"


def dropped_cell(text: str, by: random.Random) -> str:
    lines, first = lines_of(text)
    row = by.randrange(first, len(lines))
    lines[row] = re.sub(rf"{mark_of(text)}[^{mark_of(text)}]*", "", lines[row], count=1)
    return "\n".join(lines) + "\n"


def other_separator(text: str, by: random.Random) -> str:
    mark = mark_of(text)
    return text.replace(mark, by.choice([m for m in ",;\t|" if m != mark]))


def other_decimals(text: str, by: random.Random) -> str:
    return re.sub(r"(?<=\d)\.(?=\d)", ",", text) if by.random() < 0.5 else re.sub(r"(?<=\d),(?=\d)", ".", text)


def other_encoding(text: str, by: random.Random) -> bytes:
    return text.encode(by.choice(["utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"]), errors="replace")


def columns_turned(text: str, by: random.Random) -> str:
    mark = mark_of(text)
    return "\n".join(mark.join(reversed(line.split(mark))) for line in text.splitlines()) + "\n"


def columns_swapped(text: str, by: random.Random) -> str:
    """Two columns change places, with their names."""
    mark = mark_of(text)
    rows = [line.split(mark) for line in text.splitlines()]
    width = len(rows[-2])
    a, b = by.randrange(width), by.randrange(width)
    for row in rows:
        if len(row) == width:
            row[a], row[b] = row[b], row[a]
    return "\n".join(mark.join(row) for row in rows) + "\n"


def newest_first(text: str, by: random.Random) -> str:
    lines, first = lines_of(text)
    return "\n".join([*lines[:first], *reversed(lines[first:])]) + "\n"


def shuffled(text: str, by: random.Random) -> str:
    lines, first = lines_of(text)
    rows = lines[first:]
    by.shuffle(rows)
    return "\n".join([*lines[:first], *rows]) + "\n"


def flag_lost(text: str, by: random.Random) -> str:
    return re.sub(
        r"(,DSTFlag|,Y$|,N$|X(?=\")| DST|,Repeated Hour Flag| \(CES?T\)|(?<=;)CES?T|\"E[SD]T\")",
        "",
        text,
        flags=re.MULTILINE,
    )


def offsets_lost(text: str, by: random.Random) -> str:
    return re.sub(r"(?<=\d{2}:\d{2})(:\d{2})?(Z|[+-]\d{2}:\d{2})", r"\1", text)


def cut_short(text: str, by: random.Random) -> str:
    return text[: by.randrange(len(text) // 2, len(text))]


def other_line_ends(text: str, by: random.Random) -> bytes:
    return text.replace("\n", by.choice(["\r\n", "\r", "\n\n"])).encode()


def quoted(text: str, by: random.Random) -> str:
    mark = mark_of(text)
    lines, first = lines_of(text)
    rows = [mark.join(cell if '"' in cell else f'"{cell}"' for cell in line.split(mark)) for line in lines[first:]]
    return "\n".join([*lines[:first], *rows]) + "\n"


def trailing_marks(text: str, by: random.Random) -> str:
    return "\n".join(line + mark_of(text) * by.choice([1]) for line in text.splitlines()) + "\n"


def blanks(text: str, by: random.Random) -> str:
    mark = mark_of(text)
    return text.replace(mark, f" {mark} ") if '"' not in text else text


def one_stamp_shifted(text: str, by: random.Random) -> str:
    """The minutes of one row's times are others."""
    lines, first = lines_of(text)
    row = by.randrange(first, len(lines))
    lines[row] = re.sub(r"(\d{1,2}):(\d{2})", lambda found: f"{found[1]}:{(int(found[2]) + 7) % 60:02d}", lines[row])
    return "\n".join(lines) + "\n"


def a_text_in_a_cell(text: str, by: random.Random) -> str:
    lines, first = lines_of(text)
    row = by.randrange(first, len(lines))
    cells = lines[row].split(mark_of(text))
    cells[-1 if by.random() < 0.5 else by.randrange(len(cells))] = by.choice(
        ["?", "n/e", "-", "1e", "1.2.3", "#REF!"]
    )
    lines[row] = mark_of(text).join(cells)
    return "\n".join(lines) + "\n"


def shifted(text: str, by: random.Random) -> str:
    """Each stamp of a plain table a step later, as if it named the end."""
    lines = text.splitlines()
    stamps = [pd.Timestamp(line.partition(",")[0]) for line in lines[1:]]
    step = stamps[1] - stamps[0]
    rows = [f"{s + step:%Y-%m-%d %H:%M},{line.partition(',')[2]}" for s, line in zip(stamps, lines[1:], strict=True)]
    return "\n".join([lines[0], *rows]) + "\n"


CHANGES: list[Change] = [
    dropped_row, dropped_rows, doubled_row, dropped_cell, other_separator, other_decimals, other_encoding, columns_turned,
    columns_swapped, newest_first, shuffled, flag_lost, offsets_lost, cut_short, other_line_ends, quoted, trailing_marks,
    blanks, one_stamp_shifted, a_text_in_a_cell,
]  # fmt: skip


def check(folder: Path, seed: int) -> str:
    """One changed file; what is read of it must be in the truth. How it ended: "read" or "refused"."""
    by = random.Random(seed)
    if by.random() < 0.3:
        zone, day = by.choice(CLOCKS)
        written, changes = plain(zone, day, by.choice([15, 30, 60]), by.random() < 0.5), [*CHANGES, shifted]
    else:
        written, changes = by.choice(TABLES), CHANGES
    if written.name.startswith(("nem12", "omie")):
        # Their lines belong to the line above them, their cells have no names: in another order they say other things.
        changes = [
            change for change in changes if change not in (columns_swapped, shuffled, newest_first, columns_turned)
        ]
    change = by.choice(changes)
    made = change(written.text, by)
    (folder / written.file).write_bytes(made if isinstance(made, bytes) else made.encode())
    try:
        series = VERBS[written.verb](folder / written.file, **written.stated)
    except bo.ScenarioError as error:
        return "refused" if all(problem.where and problem.expected for problem in error.problems) else "no place"
    if change is cut_short and any("no line end" in note.found for note in series.notes):
        series = series.iloc[:-1]  # the last row is said to be doubtful
    values = series.iloc[:, 0].to_numpy()
    truth = pd.Series(written.values, index=written.index.tz_convert("UTC"))
    right = truth.reindex(series.index.tz_convert("UTC")).to_numpy()
    there = ~np.isnan(values)
    assert np.allclose(values[there], right[there], rtol=1e-9), (seed, change.__name__, written.name)
    return "read"


@pytest.mark.parametrize("part", range(10))
def test_a_changed_file_is_right_or_refused(tmp_path: Path, part: int) -> None:
    ends = [check(tmp_path, seed) for seed in range(part * 12, part * 12 + 12)]
    assert "read" in ends
    assert "no place" not in ends


@pytest.mark.second_tier
def test_a_thousand_changed_files_are_right_or_refused(tmp_path: Path) -> None:
    ends = [check(tmp_path, seed) for seed in range(1_000, 2_000)]
    assert ends.count("read") > 300
    assert ends.count("refused") > 100
    assert "no place" not in ends
