"""Files that were changed on their way are right, or refused with a place: never other numbers without a word."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.file_kinds import SAMPLES

import bess_opt as bo

VERBS = {"price": bo.read_prices, "load": bo.read_load, "solar": bo.read_solar}
Change = Callable[[str, random.Random], str | bytes]


def plain(zone: str, day: str, minutes: int, ends: bool) -> tuple[str, pd.DataFrame]:
    """A plain table whose name of the times says nothing, over three days of a clock change."""
    begin = pd.Timestamp(day) - pd.Timedelta(days=1)
    index = pd.date_range(
        begin.tz_localize(zone),
        (begin + pd.Timedelta(days=3)).tz_localize(zone),
        freq=f"{minutes}min",
        inclusive="left",
    )
    values = [round(1.25 + 0.5 * n, 2) for n in range(len(index))]
    stamps = index + pd.Timedelta(minutes=minutes) if ends else index
    rows = [f"{s:%Y-%m-%d %H:%M},{v},{7 * v}" for s, v in zip(stamps, values, strict=True)]
    return "\n".join(["time,load (MW),other", *rows]) + "\n", pd.DataFrame(
        {"load_mw": values}, index=index.rename("time")
    )


def lines_of(text: str) -> tuple[list[str], int]:
    """Lines, and the number of the first row below the widest header."""
    lines = text.splitlines()
    return lines, next((i + 1 for i, line in enumerate(lines) if re.search(r"[A-Za-z].*[,;].*[A-Za-z]", line)), 1)


def dropped_row(text: str, by: random.Random) -> str:
    lines, first = lines_of(text)
    del lines[by.randrange(first, len(lines))]
    return "\n".join(lines) + "\n"


def dropped_cell(text: str, by: random.Random) -> str:
    lines, first = lines_of(text)
    row = by.randrange(first, len(lines))
    lines[row] = re.sub(r"[,;][^,;]*", "", lines[row], count=1)
    return "\n".join(lines) + "\n"


def other_separator(text: str, by: random.Random) -> str:
    mark = ";" if text.count(";") > text.count(",") else ","
    new = by.choice([m for m in ",;\t|" if m != mark])
    return text.replace(mark, new)


def other_decimals(text: str, by: random.Random) -> str:
    return re.sub(r"(?<=\d)\.(?=\d)", ",", text) if by.random() < 0.5 else re.sub(r"(?<=\d),(?=\d)", ".", text)


def other_encoding(text: str, by: random.Random) -> bytes:
    return text.encode(by.choice(["utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"]), errors="replace")


def columns_turned(text: str, by: random.Random) -> str:
    mark = ";" if text.count(";") > text.count(",") else ","
    return "\n".join(mark.join(reversed(line.split(mark))) for line in text.splitlines()) + "\n"


def newest_first(text: str, by: random.Random) -> str:
    lines, first = lines_of(text)
    return "\n".join([*lines[:first], *reversed(lines[first:])]) + "\n"


def flag_lost(text: str, by: random.Random) -> str:
    return re.sub(r"(,DSTFlag|,Y$|,N$|X(?=\"))", "", text, flags=re.MULTILINE)


def cut_short(text: str, by: random.Random) -> str:
    return text[: by.randrange(len(text) // 2, len(text))]


def other_line_ends(text: str, by: random.Random) -> bytes:
    return text.replace("\n", by.choice(["\r\n", "\r", "\n\n"])).encode()


def shifted(text: str, by: random.Random) -> str:
    """Each stamp of a plain table a step later, as if it named the end."""
    lines = text.splitlines()
    stamps = [pd.Timestamp(line.partition(",")[0]) for line in lines[1:]]
    step = stamps[1] - stamps[0]
    rows = [f"{s + step:%Y-%m-%d %H:%M},{line.partition(',')[2]}" for s, line in zip(stamps, lines[1:], strict=True)]
    return "\n".join([lines[0], *rows]) + "\n"


CHANGES: list[Change] = [
    dropped_row, dropped_cell, other_separator, other_decimals, other_encoding, columns_turned, newest_first, flag_lost,
    cut_short, other_line_ends,
]  # fmt: skip


def check(folder: Path, seed: int) -> None:
    """One changed file; what is read of it must be in the truth."""
    by = random.Random(seed)
    tables = [
        name
        for name, s in SAMPLES.items()
        if s.name.endswith((".csv", ".1", ".txt")) and s.kind != "Home Assistant history"
    ]
    if by.random() < 0.4:
        zone, day = by.choice(
            [
                ("Europe/Berlin", "2025-03-30"),
                ("Europe/Berlin", "2025-10-26"),
                ("America/New_York", "2025-11-02"),
                ("America/Santiago", "2025-09-07"),
            ]
        )
        text, truth = plain(zone, day, by.choice([15, 30, 60]), by.random() < 0.5)
        verb, stated, name = "load", {"clock": zone}, "plain.csv"
        change = by.choice([*CHANGES, shifted])
    else:
        sample = SAMPLES[by.choice(tables)]
        (folder / sample.name).write_bytes(sample.data)
        truth = pd.DataFrame(VERBS[sample.verb](folder / sample.name, **sample.stated))
        text = sample.data.decode("latin-1" if sample.name.startswith("INT") else "utf-8-sig")
        verb, stated, name = sample.verb, sample.stated, sample.name
        change = by.choice(CHANGES)
    made = change(text, by)
    (folder / name).write_bytes(made if isinstance(made, bytes) else made.encode())
    try:
        series = VERBS[verb](folder / name, **stated)
    except bo.ScenarioError as error:
        if all(problem.where and problem.expected for problem in error.problems):
            return
        raise
    if change is cut_short and any("no line end" in note.found for note in series.notes):
        series = series.iloc[:-1]  # the last row is said to be doubtful
    read = pd.DataFrame(series)
    column = read.columns[0]
    right = truth[column].tz_convert("UTC").reindex(read.index.tz_convert("UTC")).to_numpy()
    there = read[column].notna().to_numpy()
    assert np.allclose(read[column].to_numpy()[there], right[there], rtol=1e-9), (seed, change.__name__, name)


@pytest.mark.parametrize("part", range(10))
def test_a_changed_file_is_right_or_refused(tmp_path: Path, part: int) -> None:
    for seed in range(part * 12, part * 12 + 12):
        check(tmp_path, seed)


@pytest.mark.second_tier
def test_a_thousand_changed_files_are_right_or_refused(tmp_path: Path) -> None:
    for seed in range(1_000, 2_000):
        check(tmp_path, seed)
