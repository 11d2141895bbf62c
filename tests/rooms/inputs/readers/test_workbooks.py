"""Workbooks and parquet as people save them: several sheets, merged headers, dates as numbers, times as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bess_opt as bo

openpyxl = pytest.importorskip("openpyxl")
CLOCK = "Europe/Berlin"
INDEX = pd.date_range("2024-10-26", "2024-10-29", freq="15min", tz=CLOCK, inclusive="left")
WALL = INDEX.tz_localize(None)
VALUES = [n + 0.25 for n in range(len(INDEX))]


def book(file: Path, **sheets: list[list[Any]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if rows[0][:1] == ["Lastgang"]:
            sheet.merge_cells("B3:C3")
    made.save(file)
    return file


def is_right(read: pd.DataFrame) -> bool:
    values = [value / 1000 for value in VALUES]
    return list(read.index) == list(INDEX) and read["load_mw"].tolist() == pytest.approx(values)


def rows(form: str) -> list[list[Any]]:
    """Rows of a sheet, whose times are cells of one form."""
    if form == "dates":
        return [["Zeit", "Last (kW)"], *([t.to_pydatetime(), v] for t, v in zip(WALL, VALUES, strict=True))]
    if form == "numbers":
        days = [(t - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1) for t in WALL]
        return [["Zeit", "Last (kW)"], *([d, v] for d, v in zip(days, VALUES, strict=True))]
    if form == "text":
        texts = [f"{v:.2f}".replace(".", ",") for v in VALUES]
        return [["Zeit", "Last (kW)"], *([f"{t:%d.%m.%Y %H:%M}", v] for t, v in zip(WALL, texts, strict=True))]
    if form == "date and time":
        parts = [(t.normalize().to_pydatetime(), t.time()) for t in WALL]
        return [["Datum", "Uhrzeit", "Last (kW)"], *([d, c, v] for (d, c), v in zip(parts, VALUES, strict=True))]
    head = [["Lastgang"], [], ["Zeit", "Last", None], [None, "kWh", "kW"]]
    return [*head, *([t.to_pydatetime(), v / 4, v] for t, v in zip(WALL, VALUES, strict=True)), ["Summe", 1, 2]]


@pytest.mark.parametrize("form", ["dates", "numbers", "text", "date and time"])
def test_times_of_each_form(tmp_path: Path, form: str) -> None:
    assert is_right(bo.read_load(book(tmp_path / "a.xlsx", Daten=rows(form)), clock=CLOCK))


def test_a_merged_header_stands_over_its_columns(tmp_path: Path) -> None:
    """ "Last" over kWh and kW; a title above, a sum below."""
    file = book(tmp_path / "a.xlsx", Daten=rows("merged"))
    with pytest.raises(bo.ScenarioError, match=r"2 columns that may be meant; state column: Last \(1\), Last \(2\)"):
        bo.read_load(file, clock=CLOCK)
    for column in ("Last (1)", "Last (2)"):
        assert is_right(bo.read_load(file, clock=CLOCK, column=column))


def test_one_of_several_sheets_is_named(tmp_path: Path) -> None:
    other = [["a", "b"], ["c", "d"], ["e", "f"]]
    file = book(tmp_path / "a.xlsx", Info=other, Daten=rows("dates"), Leer=[[]])
    with pytest.raises(bo.ScenarioError, match=r"has 2 sheets with rows: Info, Daten; state place, one of these"):
        bo.read_load(file, clock=CLOCK)
    assert is_right(bo.read_load(file, clock=CLOCK, place="Daten"))
    with pytest.raises(bo.ScenarioError, match="has no sheet with rows"):
        bo.read_load(book(tmp_path / "b.xlsx", Leer=[[]]), clock=CLOCK)


def test_parquet_with_and_without_a_zone(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    frame = pd.DataFrame({"load_kw": VALUES}, index=INDEX.rename("time"))
    frame.to_parquet(file)
    assert is_right(bo.read_load(file))
    frame.set_axis(WALL.rename("time")).astype("float32").to_parquet(file)
    assert is_right(bo.read_load(file, clock=CLOCK))
    frame.tz_convert("UTC").reset_index().to_parquet(file)
    assert is_right(bo.read_load(file, clock=CLOCK))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_text_of_each_encoding(tmp_path: Path, encoding: str) -> None:
    cells = [f"{t:%d.%m.%Y %H:%M};{v:.2f};Ü".replace(".25;", ",25;") for t, v in zip(WALL, VALUES, strict=True)]
    file = tmp_path / "a.csv"
    file.write_bytes("\n".join(["Zeit;Last (kW);Gebühr", *cells, ""]).encode(encoding))
    assert is_right(bo.read_load(file, clock=CLOCK))


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("Year,Month,Day,Hour,load (kW)", "{t.year},{t.month},{t.day},{t.hour},{v}"),
        ("date,time,load (kW)", "{t:%Y%m%d},{t:%H%M},{v}"),
        ("Datum;von;bis;Last in kW", "{t:%d.%m.%Y};{t:%H:%M};{e:%H:%M};{v}"),
        ("Ab-Datum;Ab-Zeit;Bis-Datum;Bis-Zeit;Last kW", "{t:%d.%m.%Y};{t:%H:%M};{e:%d.%m.%Y};{e:%H:%M};{v}"),
        ("Zeit;Last kW", "{t:%d.%m.%Y %H:%M};{c}"),
        ("time,load_kw", "{t:%Y%m%d%H%M},{v}"),
        ("Zeit (UTC+1);Last (kW)", "{w:%d.%m.%Y %H:%M};{c}"),
    ],
)
def test_plain_tables_of_many_layouts(tmp_path: Path, head: str, row: str) -> None:
    index = pd.date_range("2024-10-26", "2024-10-29", freq="h", tz=CLOCK, inclusive="left")
    cells = [
        row.format(t=t, e=t + pd.Timedelta(hours=1), w=t.tz_convert("Etc/GMT-1"), v=n + 0.5, c=f"{n},5")
        for n, t in enumerate(index)
    ]
    file = tmp_path / "a.csv"
    file.write_text("\n".join([head, *cells]) + "\n", encoding="utf-8")
    stated = {"stamps": "start"} if "UTC+1" in head else {"clock": CLOCK}
    read = bo.read_load(file, **stated)
    assert list(read.index) == list(index)
    assert read["load_mw"].tolist() == pytest.approx([(n + 0.5) / 1000 for n in range(len(index))])
