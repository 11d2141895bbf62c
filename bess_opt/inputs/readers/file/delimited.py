"""Tables in text files of any separator: lines before the header, the header, a row of units, rows, a footer."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from bess_opt.inputs.readers.file.opened import Opened
from bess_opt.inputs.readers.file.streamed import Source, StreamedColumns, stream
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.file.whole import Streamed
from bess_opt.inputs.readers.problems import listed, problem
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.units import factor_of, unit_in

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MOST_COLUMNS = 3_000
_SAMPLE = 400
_NUMBER = re.compile(r"[-+−]?[\d.,'  ]*\d[.,]?(?:[eE][-+]?\d+)?\s*[%€$£]?|[-+]?inf", re.IGNORECASE)
_TIME = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?!\d)|\d{1,2}:\d{2}\b|\d{8}[T: ]?\d{0,4}|[A-Za-z]{3,9}\.? \d{1,2}, \d{4}\b|"
    r"\d{1,2}[- .]{1,2}[A-Za-z]{3,9}[- ]\d{2,4}\b"
)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?!\d)|\d{8}|[A-Za-z]{3,9}\.? \d{1,2}, \d{4}\b")
_SUMS = ("summe", "sum", "total", "totals", "gesamt", "mittelwert", "average", "mean", "maximum", "minimum")


@dataclass(frozen=True)
class Shape:
    """Where in the lines what stands: separator, line of the header (-1 for none), of units, of the first row."""

    separator: str
    header: int
    units: int
    first: int
    width: int


def read_delimited(opened: Opened, log: Log) -> Table:
    """The table in a text file. ScenarioError if it holds none, or rows are not alike."""
    data = _without_outer_quotes(opened, log)
    lines = _head_lines(data)
    shape = _shape_of(opened.source, lines)
    header, units, surplus = _names(opened.source, lines, shape)
    columns: tuple[pa.Array, ...] | StreamedColumns
    if opened.rest is None or data is not opened.data:
        columns, rows, footer = _rows_of(opened.source, data, shape)
    else:
        columns, rows, footer = _streamed_rows(opened.source, opened.rest, data, shape, log)
        data = opened.rest.tail(1)
    log.decide("separator", SEPARATORS[shape.separator], "file")
    if not data.endswith(b"\n") and opened.form == "text":
        said = "the last line has no line end"
        log.decide("end of the file", "no line end", "choice", said, expected="see that the last row is whole")
    if shape.header > 0:
        log.decide("lines before the header", shape.header, "file")
    if shape.header < 0:
        log.decide("header", "none: columns are numbered", "choice")
    if footer:
        log.decide("lines after the rows", footer, "file", f"{footer} lines after the rows are left out")
    written = len(_cells(lines[shape.header], shape.separator)) if shape.header >= 0 else shape.width
    if written < shape.width and pc.any(pc.not_equal(columns[-1], "")).as_py():
        found = f"has {shape.width} cells under {written} columns"
        expected = "give every row one cell per column"
        raise problem("unreadable_file", f"{opened.source} row {shape.first + 1}", found, expected)
    preamble = [line for line in lines[: max(shape.header, 0)] if line.strip()]
    table = Table(opened.source, header, columns, units, rows, shape.separator, tuple(preamble), surplus)
    return _without_empty_tail(table)


def _without_outer_quotes(opened: Opened, log: Log) -> bytes:
    """The text; where every line stands in quotes once more, without these."""
    first = opened.head.partition("\n")[0].rstrip("\r")
    if not (len(first) > 2 and first[0] == first[-1] == '"' and '""' in first[1:-1]):
        return opened.data
    cells = next(csv.reader([first]))
    if len(cells) != 1 or not any(mark in cells[0] for mark in SEPARATORS):
        return opened.data
    log.decide("quotes", "every line once more", "file", "every line stands in quotes once more, which are taken off")
    inner = [next(csv.reader([line]), [""])[0] for line in opened.text().splitlines()]
    return "\n".join(inner).encode("utf-8")


def _head_lines(data: bytes) -> list[str]:
    """The first lines, which show how the file is laid out."""
    head = data[:1_000_000]
    lines = head.decode("utf-8", errors="ignore").splitlines()
    if len(head) < len(data) and len(lines) > 1:
        lines = lines[:-1]
    return lines[:_SAMPLE]


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])


def _shape_of(source: str, lines: Sequence[str]) -> Shape:
    """The separator under which the most lines are alike, and where header and rows begin."""
    filled = [line for line in lines if line.strip()]
    if len(filled) < 2:
        raise problem("empty_series", source, "holds no table", "give a file with a header and rows")
    separator, width = _separator_of(filled)
    if width > MOST_COLUMNS:
        found = f"holds {width:,} columns"
        raise problem("too_many_columns", source, found, "give one row for each step, not one column")
    rows = [_cells(line, separator) for line in lines]
    first = next(
        (
            i
            for i, row in enumerate(rows)
            if len(row) == width and _holds_data(row) and all(len(r) == width or not any(r) for r in rows[i : i + 3])
        ),
        None,
    )
    if first is None:
        raise problem("empty_series", source, "holds no table", "give a file with a header and rows")
    if first + 1 < len(rows) and _heads(rows[first], rows[first + 1]):
        first += 1
    above = [i for i in range(first) if any(cell.strip() for cell in rows[i])]
    header, units = (above[-1] if above else -1), -1
    if len(above) > 1 and _is_units(rows[above[-1]]) and _filled(rows[above[-2]]) >= _filled(rows[above[-1]]):
        header, units = above[-2], above[-1]
    return Shape(separator, header, units, first, width)


def _separator_of(filled: Sequence[str]) -> tuple[str, int]:
    """The separator under which the most lines are alike, the lines above them too, and how many cells they have.

    Decimal commas part the rows of a file with semicolons as well, but not its header.
    """
    best: tuple[float, int, int, str] | None = None
    tail = filled[len(filled) // 3 :]
    for separator in SEPARATORS:
        widths = Counter(len(_cells(line, separator)) for line in tail)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        alike = sum(len(_cells(line, separator)) == width for line in filled)
        found = (count / len(tail), alike, width, separator)
        if width > 1 and (best is None or found[:3] > best[:3]):
            best = found
    return (",", 1) if best is None else (best[3], best[2])


def _heads(row: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a row that looks like data, as 1, 2, ... 24 do, is the header of one with a date in its place."""
    dated = [i for i, cell in enumerate(below) if _DATE.match(cell.strip())]
    if not dated or len(row) != len(below) or any(_DATE.match(cell.strip()) for cell in row):
        return False
    names = [row[i].strip() for i in dated]
    return all(not _NUMBER.fullmatch(name) and not _TIME.match(name) for name in names)


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _holds_data(row: Sequence[str]) -> bool:
    """Whether a row has a time or, if it has several cells, mostly numbers: a header has neither."""
    filled = [cell.strip() for cell in row if cell.strip()]
    if not filled:
        return False
    numbers = sum(bool(_NUMBER.fullmatch(cell)) for cell in filled)
    times = sum(bool(_TIME.match(cell)) for cell in filled)
    return (times > 0 and (numbers + times) * 3 >= len(filled)) or numbers * 2 > len(filled) or numbers + times >= 3


def _is_units(row: Sequence[str]) -> bool:
    """A second header line of units: some cells are units, none is a number."""
    filled = [cell.strip() for cell in row if cell.strip()]
    return (
        any(unit_in(cell) or factor_of(cell) for cell in filled)
        and not any(_NUMBER.fullmatch(cell) for cell in filled)
        and all(len(cell) < 60 for cell in filled)
        and _mostly_units(filled)
    )


def _mostly_units(cells: Sequence[str]) -> bool:
    """Units alone ("EUR/MWh") or words with one in brackets, but no names that happen to hold one."""
    return all(
        factor_of(cell) is not None or re.fullmatch(r"[\w ]*[\[(].*[\])]|[A-Za-z/\-]{0,12}", cell) is not None
        for cell in cells
    )


def _names(
    source: str, lines: Sequence[str], shape: Shape
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names of the columns, units of a second header line, and names that have no cells."""
    if shape.header < 0:
        return tuple(f"column {i + 1}" for i in range(shape.width)), ("",) * shape.width, ()
    names = _whole_names(lines, shape)
    names[0] = names[0].lstrip("#").strip() if names else ""
    while len(names) > shape.width and not names[-1]:
        names.pop()
    surplus = names[shape.width :]
    if len(names) == shape.width - 1:
        names.append("")
    if len(names) < shape.width:
        where = f"{source} row {shape.first + 1}"
        found = f"has {shape.width} cells under {len(names)} columns"
        raise problem("unreadable_file", where, found, "give every row one cell per column")
    names = names[: shape.width]
    twice = Counter(names)
    seen: Counter[str] = Counter()
    for i, name in enumerate(names):
        if name and twice[name] > 1:
            seen[name] += 1
            names[i] = f"{name} ({seen[name]})"
    unnamed = 0
    for i, name in enumerate(names):
        if not name and (i > 0 or names.count("") > 1):
            unnamed += 1
            names[i] = f"column {i + 1}"
    written = [""] * shape.width
    if shape.units >= 0:
        row = [cell.strip() for cell in _cells(lines[shape.units], shape.separator)]
        written = (row + [""] * shape.width)[: shape.width]
    return tuple(names), tuple(written), tuple(surplus)


def _whole_names(lines: Sequence[str], shape: Shape) -> list[str]:
    """The names in the header; those of merged cells, which stand over several columns, over each of them."""
    names = [cell.strip() for cell in _cells(lines[shape.header], shape.separator)]
    if shape.units >= 0:
        units = [cell.strip() for cell in _cells(lines[shape.units], shape.separator)]
        if len(units) == len(names):
            spread = _spread(names)
            return [
                whole if unit and not name else name for name, whole, unit in zip(names, spread, units, strict=True)
            ]
        return names
    above = [cell.strip() for cell in _cells(lines[shape.header - 1], shape.separator)] if shape.header > 0 else []
    filled = [name for name in names if name]
    partial = len(above) == len(names) == shape.width and _filled(above) > 1
    if not partial or any(_NUMBER.fullmatch(cell) for cell in above):
        return names
    if len(set(filled)) < len(filled) or any(a and not name for a, name in zip(above, names, strict=True)):
        return [f"{a} {name}".strip() for a, name in zip(_spread(above), names, strict=True)]
    return names


def _spread(cells: Sequence[str]) -> list[str]:
    """Each empty cell with the text of the one to its left."""
    whole: list[str] = []
    for cell in cells:
        whole.append(cell if cell or not whole else whole[-1])
    return whole


def _rows_of(source: str, data: bytes, shape: Shape) -> tuple[tuple[pa.Array, ...], np.ndarray, int]:
    """The cells below the header, trimmed, the numbers of their rows, and how many lines of a footer follow."""
    names = [f"c{i}" for i in range(shape.width)]
    start = _offset_of_line(data, shape.first)
    odd: list[tuple[int, int, str]] = []

    def remember(row: pacsv.InvalidRow) -> str:
        odd.append((-1 if row.number is None else row.number, row.actual_columns, row.text))
        return "skip"

    try:
        table = pacsv.read_csv(
            pa.BufferReader(pa.py_buffer(data).slice(start)),
            read_options=pacsv.ReadOptions(column_names=names, use_threads=True),
            parse_options=pacsv.ParseOptions(delimiter=shape.separator, invalid_row_handler=remember),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise problem("unreadable_file", source, f"cannot be read: {error}", "give a table of rows alike") from None
    columns = tuple(pc.utf8_trim_whitespace(_whole(column)) for column in table.columns)
    rows = np.arange(shape.first + 1, shape.first + 1 + len(columns[0]))
    footer = _footer(source, odd, data, shape, lambda text: _line_of(data, text)) if odd else 0
    if len(rows) > 1 and str(columns[0][-1].as_py()).rstrip(":").lower() in _SUMS:
        columns, rows, footer = tuple(column[:-1] for column in columns), rows[:-1], footer + 1
    blank = _blank_rows(columns)
    if blank.any():
        kept = pa.array(~blank)
        columns, rows = tuple(column.filter(kept) for column in columns), rows[~blank]
    if not len(rows):
        raise problem("empty_series", source, "holds no rows", "give a file with a header and rows")
    return columns, rows, footer


def _streamed_rows(
    source: str, text: Streamed, head: bytes, shape: Shape, log: Log
) -> tuple[StreamedColumns, np.ndarray, int]:
    """As `_rows_of`, of a long text whose rows stay in their file."""
    odd: list[tuple[int, int, str]] = []

    def remember(row: pacsv.InvalidRow) -> str:
        odd.append((-1, row.actual_columns, row.text))
        return "skip"

    place = Source(text.path, text.skip + _offset_of_line(head, shape.first), shape.separator, shape.width)
    try:
        columns = stream(place, remember, log.progress)
    except pa.ArrowInvalid as error:
        raise problem("unreadable_file", source, f"cannot be read: {error}", "give a table of rows alike") from None
    if not columns.kept.any():
        raise problem("empty_series", source, "holds no rows", "give a file with a header and rows")
    footer = _footer(source, odd, text.tail(20_000), shape, text.line_of) if odd else 0
    return columns, np.flatnonzero(columns.kept) + shape.first + 1, footer


def _whole(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _blank_rows(columns: Sequence[pa.Array]) -> np.ndarray:
    blank: np.ndarray | None = None
    for column in columns:
        here = pc.equal(column, "").to_numpy(zero_copy_only=False)
        blank = here if blank is None else blank & here
        if not blank.any():
            break
    return np.asarray(blank, dtype=bool)


def _offset_of_line(data: bytes, line: int) -> int:
    """Where in the bytes a line begins."""
    at = 0
    for _ in range(line):
        ends = [end for end in (data.find(b"\n", at), data.find(b"\r", at)) if end >= 0]
        if not ends:
            return len(data)
        at = min(ends)
        at += 2 if data[at : at + 2] == b"\r\n" else 1
    return at


def _line_of(data: bytes, text: str) -> int:
    """The number of the line that is `text`; 0 where it stands in none."""
    at = data.find(text.encode("utf-8"))
    return data.count(b"\n", 0, at) + 1 if at >= 0 else 0


def _footer(
    source: str, odd: Sequence[tuple[int, int, str]], data: bytes, shape: Shape, line_of: Callable[[str], int]
) -> int:
    """How many odd lines stand below the last row as a footer. ScenarioError for one between the rows.

    `data` ends as the file does; `line_of` finds the number of a line in the whole file.
    """
    tail = [line for line in data[-20_000:].decode("utf-8", errors="ignore").splitlines() if line.strip()]
    last = len(tail)
    while last and len(_cells(tail[last - 1], shape.separator)) != shape.width:
        last -= 1
    footer = tail[last:]
    cells = [[cell for cell in _cells(line, shape.separator) if cell.strip()] for line in footer]
    worded = all(len(row) <= 2 and not (row and _TIME.match(row[0].strip())) for row in cells)
    if len(footer) == len(odd) and worded:
        return len(footer)
    text, width = odd[0][2], odd[0][1]
    row = line_of(text.strip()) if text.strip() else 0
    where = f"{source} row {row}" if row else source
    found = f"has {width} cells under {shape.width} columns"
    if len(odd) > 1:
        found += f", and {len(odd) - 1} more rows are not alike"
    raise problem("unreadable_file", where, found, "give every row one cell per column")


def _without_empty_tail(table: Table) -> Table:
    """The table without a last column that has neither name nor cells, which separators at line ends make."""
    last = table.names[-1]
    if len(table.names) > 1 and re.fullmatch(r"column \d+|", last) and not table.first(last):
        columns = table.columns
        fewer = columns.without_last() if isinstance(columns, StreamedColumns) else columns[:-1]
        return replace(table, names=table.names[:-1], columns=fewer, units=table.units[:-1])
    return table


def text_rows(opened: Opened, separator: str) -> list[list[str]]:
    """All lines of a text file as cells, for kinds whose lines are not alike."""
    return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(opened.text()), delimiter=separator)]


def columns_found(table: Table) -> str:
    """The columns of a table in words."""
    return f"has the columns {listed(table.names)}"
