"""Text cells as numbers: which mark is the decimal one, which groups thousands, and what means a missing value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bess_opt.common.arrays import Floats
from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Mask, Table
from bess_opt.inputs.readers.problems import problem, question
from bess_opt.inputs.readers.reading import Log

MISSING = (
    "", "-", "--", "n/e", "n/a", "na", "nan", "null", "none", "#n/a", "n.v.", "k.a.", "unknown", "unavailable",
    "<na>", "nat", "missing",
)  # fmt: skip
_BLANKS = "['\u2019 \u00a0\u202f\u2009]"
_SIGN = r"^[-+]?"


@dataclass(frozen=True)
class Marks:
    """The decimal mark of a file, and the other one, which groups thousands."""

    decimal: str

    @property
    def thousands(self) -> str:
        """The mark that groups thousands if any does."""
        return "," if self.decimal == "." else "."


def numbers(table: Table, name: str, stated: Stated, log: Log, known: str | None = None) -> Floats:
    """A column as numbers, NaN where a cell is empty or says so.

    `known` is the decimal mark that this kind of file always has. ScenarioError for any other text, and where
    "1.123" may be one and a bit or more than a thousand.
    """
    raw = table.cells(name)
    missing = pc.is_in(pc.utf8_lower(raw), pa.array(MISSING))
    sentinel = stated.take("missing")
    cells = pc.if_else(missing, pa.scalar(None, pa.string()), raw)
    marks = _marks(table, name, cells, stated, log, known)
    plain = cells if marks.decimal == "." and not _holds(cells, ",") else _plain(cells, marks)
    try:
        values = pc.cast(plain, pa.float64())
    except pa.ArrowInvalid:
        plain = _plain(_bare(cells), marks)
        wrong = _flags(pc.invert(pc.match_substring_regex(plain, r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$")))
        if wrong.any():
            raise _no_number(table, name, raw, wrong, marks) from None
        values = pc.cast(plain, pa.float64())
    found = np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    infinite = np.isinf(found)
    if infinite.any():
        raise _no_number(table, name, raw, infinite, marks)
    if sentinel is not None:
        found = _without_sentinel(table, name, found, float(sentinel), log)
    words = sorted({str(word) for word in pc.unique(raw.filter(missing)).to_pylist()} - {""})
    if words:
        log.decide("missing marks", ", ".join(words), "file")
    return found


def _holds(cells: pa.Array, mark: str) -> bool:
    return bool(pc.any(pc.match_substring(cells, mark)).as_py())


def _flags(values: pa.Array) -> Mask:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), dtype=bool)


def _plain(cells: pa.Array, marks: Marks) -> pa.Array:
    """Cells with a decimal point and no marks for thousands; a cell whose groups are odd stays as it is."""
    other = "\\" + marks.thousands
    point = "\\" + marks.decimal
    grouped = _SIGN + rf"\d{{1,3}}({other}\d{{3}})+({point}\d*)?$"
    fits = pc.match_substring_regex(cells, grouped)
    plain = pc.if_else(fits, pc.replace_substring(cells, marks.thousands, ""), cells)
    if marks.decimal == ",":
        odd = pc.and_(pc.match_substring(cells, "."), pc.invert(fits))
        # A point that groups no thousands beside a decimal comma is no number; the comma keeps it from being one.
        plain = pc.if_else(odd, pc.binary_join_element_wise(plain, pa.scalar("?"), ""), plain)
        plain = pc.replace_substring(plain, ",", ".")
    return plain


def _bare(cells: pa.Array) -> pa.Array:
    """Cells without currency signs, typographic minus, blanks between thousands, brackets for negative numbers."""
    text = pc.replace_substring(cells, "\u2212", "-")
    text = pc.replace_substring_regex(text, r"^([-+]?)\s*[$€£]\s*|\s*[$€£]$", r"\1")
    text = pc.replace_substring_regex(text, r"^\((.*)\)$", r"-\1")
    grouped = pc.match_substring_regex(text, rf"{_SIGN}\d{{1,3}}({_BLANKS}\d{{3}})+([.,]\d*)?$")
    return pc.if_else(grouped, pc.replace_substring_regex(text, _BLANKS, ""), text)


def _marks(table: Table, name: str, cells: pa.Array, stated: Stated, log: Log, known: str | None) -> Marks:
    given = None
    if stated.has("decimal") and (_holds(cells, ".") or _holds(cells, ",")):
        given = stated.take("decimal")
    if given is not None:
        log.decide("decimal mark", given, "stated")
        return Marks(given)
    if known is not None:
        log.decide("decimal mark", known, "kind")
        return Marks(known)
    if table.separator in ("", ",") and not _holds(cells, ","):
        return Marks(".")
    if not _holds(cells, ",") and not _holds(cells, "."):
        return Marks(".")
    proofs = _proofs(_bare(cells))
    if len(proofs) > 1:
        found = "has decimal points in some cells and decimal commas in others"
        raise problem("mixed_decimals", f"{table.source} column {name}", found, "write all numbers alike")
    if proofs:
        mark = proofs.pop()
        log.decide("decimal mark", mark, "file")
        return Marks(mark)
    if not _holds(cells, ",") and table.separator == ",":
        return Marks(".")
    others = _proofs_elsewhere(table, name)
    if len(others) == 1:
        mark = others.pop()
        said = f"{mark!r} is the decimal mark, as in other columns of the file"
        log.decide("decimal mark", mark, "choice", said, where=f"column {name}", warns=True)
        return Marks(mark)
    raise _which_mark(table, name, cells)


def _proofs(cells: pa.Array) -> set[str]:
    """The marks that must be decimal ones, by at least one cell: "12,5", "0.125", "1.234,5", "1,234,567"."""
    proofs = set()
    for mark, other in ((".", ","), (",", ".")):
        m, o = "\\" + mark, "\\" + other
        patterns = (
            rf"{_SIGN}\d*{m}(\d{{0,2}}|\d{{4,}})([eE][-+]?\d+)?$",  # 12,5
            rf"{_SIGN}(0\d*|\d{{4,}}){m}\d{{3}}$",  # 0,125 and 1234,125
            rf"{_SIGN}\d{{1,3}}({o}\d{{3}})+{m}\d+$",  # 1.234,5
            rf"{_SIGN}\d{{1,3}}({o}\d{{3}}){{2,}}$",  # 1.234.567
        )
        if any(pc.any(pc.match_substring_regex(cells, pattern)).as_py() for pattern in patterns):
            proofs.add(mark)
    return proofs


def _proofs_elsewhere(table: Table, name: str) -> set[str]:
    proofs: set[str] = set()
    for other in table.names:
        if other == name:
            continue
        cells = _bare(table.cells(other))
        numeric = pc.match_substring_regex(cells, r"^[-+]?[\d.,]*\d[.,]?$")
        dated = pc.match_substring_regex(cells, r"^\d{1,2}\.\d{1,2}\.(\d{2}|\d{4})$")
        if not pc.all(pc.or_(numeric, pc.equal(cells, ""))).as_py() or pc.any(dated).as_py():
            continue
        proofs |= _proofs(cells.filter(numeric))
    return proofs


def _which_mark(table: Table, name: str, cells: pa.Array) -> Exception:
    marked = cells.filter(pc.match_substring_regex(cells, r"[.,]"))
    text = str(marked[0].as_py())
    mark = "." if "." in text else ","
    other = "," if mark == "." else "."
    thousands = text.replace(mark, "")
    return question(
        "ambiguous_decimal",
        f"{table.source} column {name}",
        f"found {text!r}, where {mark!r} may be the decimal mark or group thousands",
        [(f'decimal="{mark}"', text.replace(mark, ".")), (f'decimal="{other}"', thousands)],
    )


def _no_number(table: Table, name: str, raw: pa.Array, wrong: Mask, marks: Marks) -> Exception:
    row = int(np.argmax(wrong))
    where = f"{table.row(row)}, column {name}"
    word = "point" if marks.decimal == "." else "comma"
    return problem("not_a_number", where, f"found {raw[row].as_py()!r}", f"write a number with a decimal {word}")


def _without_sentinel(table: Table, name: str, values: Floats, sentinel: float, log: Log) -> Floats:
    there = values == sentinel
    if not there.any():
        where = f"{table.source} column {name}"
        raise problem("unused_argument", "missing", f"{sentinel:g} stands nowhere in {where}", "leave it out")
    said = f"{int(there.sum()):,} cells of {sentinel:g} are missing values"
    log.decide("missing value", f"{sentinel:g}", "stated", said, where=f"column {name}", warns=True)
    return np.where(there, np.nan, values)
