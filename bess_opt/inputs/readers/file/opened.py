"""A file's content, unpacked and as text, before anybody knows what it holds."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.whole import MOST_BYTES, Streamed, gunzipped, in_utf8, too_large, unzipped
from bess_opt.inputs.readers.problems import listed, problem
from bess_opt.inputs.readers.reading import Log

Form = Literal["text", "json", "xml", "workbook", "parquet"]
LONG = 48_000_000  # bytes from which the rows of a text table stay in their file
MOST_WHOLE = 150_000_000  # bytes of what is read at once, which takes some ten times this in memory
FORMS: dict[Form, str] = {
    "text": "text table",
    "json": "JSON",
    "xml": "XML",
    "workbook": "a workbook",
    "parquet": "parquet",
}
_GZIP = 3  # gz of tables hold at least so many times their size
_HEAD = 65_536
_WHOLE = "give a CSV, JSON, XML, xlsx or parquet file, or a gz or zip that holds one"


@dataclass(frozen=True)
class Opened:
    """What a file holds: `data` in UTF-8 (or as it is for workbooks and parquet), `head` its first text.

    Of a long text table `data` is only the first part, and `rest` the text in its file.
    """

    path: Path
    form: Form
    data: bytes
    head: str = ""
    rest: Streamed | None = None

    @property
    def source(self) -> str:
        """Name of the file."""
        return self.path.name

    def text(self) -> str:
        """The whole text."""
        if self.rest is None:
            return self.data.decode("utf-8")
        if self.rest.size > MOST_WHOLE:
            raise too_large(self.source, self.rest.size, MOST_WHOLE)
        return self.rest.path.read_bytes()[self.rest.skip :].replace(b"\r\n", b"\n").decode("utf-8")


def open_file(file: str | Path, stated: Stated, log: Log) -> Opened:
    """The content of a file, unpacked. ScenarioError if it is no regular file, too large, or not readable."""
    path = Path(file)
    long = _long(path, stated, log)
    if long is not None:
        return _opened_long(path, in_utf8(path.name, long, log), log)
    data = _unpacked(path, _bytes_of(path), stated, log)
    if data[:4] == b"PAR1":
        log.decide("form", "parquet", "file")
        return Opened(path, "parquet", data)
    if data[:2] == b"PK":
        log.decide("form", "xlsx workbook", "file")
        return Opened(path, "workbook", data)
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise problem("unreadable_file", path.name, "is an old Excel workbook (.xls)", "save it as .xlsx or CSV")
    text = _as_utf8(path.name, data, log)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    head = text[:_HEAD].decode("utf-8", errors="ignore")
    form = _form_of(head)
    log.decide("form", FORMS[form], "file")
    return Opened(path, form, text, head)


def _long(path: Path, stated: Stated, log: Log) -> Streamed | None:
    """The content of a long file on disk, unpacked; None for one that is read at once."""
    try:
        if not path.is_file():
            return None
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise too_large(path.name, size, MOST_BYTES)
        with path.open("rb") as stream:
            first = stream.read(4)
        if first[:2] == b"\x1f\x8b" and size * _GZIP > LONG:
            log.decide("packing", "gzip", "file")
            return gunzipped(path)
        if first[:2] == b"PK" and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                entries = _files_in(archive)
            if entries and max(entry.file_size for entry in entries) > LONG and not _is_workbook(entries):
                entry = entries[0] if len(entries) == 1 else _member(path.name, entries, stated)
                log.decide("packing", f"zip with {entry.filename}", "file")
                return unzipped(path, entry)
            return None
        return Streamed(path, size) if size > LONG and first not in (b"PAR1", b"PK\x03\x04") else None
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise problem("unreadable_file", str(path), f"cannot be read: {error}", _WHOLE) from None


def _files_in(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [entry for entry in archive.infolist() if not entry.is_dir() and "__MACOSX" not in entry.filename]


def _is_workbook(entries: Sequence[zipfile.ZipInfo]) -> bool:
    return any(entry.filename == "xl/workbook.xml" for entry in entries)


def _opened_long(path: Path, text: Streamed, log: Log) -> Opened:
    data = text.head(1_000_000)
    head = data[:_HEAD].decode("utf-8", errors="ignore")
    form = _form_of(head)
    log.decide("form", FORMS[form], "file")
    return Opened(path, form, data, head, text)


def _bytes_of(path: Path) -> bytes:
    try:
        if not path.exists():
            raise problem("unreadable_file", str(path), "cannot be read: No such file or directory", _WHOLE)
        if not path.is_file():
            raise problem("unreadable_file", str(path), "is no regular file", _WHOLE)
        _check_size(path.name, path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise problem("unreadable_file", str(path), f"cannot be read: {reason}", _WHOLE) from None


def _check_size(source: str, size: int) -> None:
    if size > MOST_WHOLE:
        raise too_large(source, size, MOST_WHOLE)


def _unpacked(path: Path, data: bytes, stated: Stated, log: Log, *, packed: bool = True) -> bytes:
    """What a gz or zip holds, if it is one (its name may say so: `packed`); a workbook stays as it is."""
    try:
        if data[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(data)) as stream:
                inside = stream.read(MOST_WHOLE + 1)
            _check_size(path.name, len(inside))
            log.decide("packing", "gzip", "file")
            return _unpacked(path, inside, stated, log, packed=False)
        if data[:2] != b"PK":
            if packed and path.suffix.lower() in (".zip", ".gz"):
                kind = "a zip file" if path.suffix.lower() == ".zip" else "gzipped"
                raise problem("unreadable_file", str(path), f"cannot be read: File is not {kind}", _WHOLE)
            return data
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = _files_in(archive)
            if _is_workbook(names):
                return data
            if len(names) != 1:
                names = [_member(path.name, names, stated)]
            _check_size(path.name, names[0].file_size)
            with archive.open(names[0]) as stream:
                inside = stream.read(MOST_WHOLE + 1)
            _check_size(path.name, len(inside))
            log.decide("packing", f"zip with {names[0].filename}", "file")
            return inside
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise problem("unreadable_file", str(path), f"cannot be read: {error}", _WHOLE) from None


def _member(source: str, entries: Sequence[zipfile.ZipInfo], stated: Stated) -> zipfile.ZipInfo:
    """The file of an archive that `place` names. ScenarioError lists them."""
    names = [entry.filename for entry in entries]
    chosen = stated.take_part(names)
    if chosen is None:
        found = f"holds {len(names)} files: {listed(names, 8) or 'none'}"
        raise problem("several_places", source, found, "state place, one of these")
    return next(entry for entry in entries if entry.filename == chosen)


def _as_utf8(source: str, data: bytes, log: Log) -> bytes:
    """The text in UTF-8 without a byte order mark, from UTF-8, UTF-16 or one of the old Latin encodings."""
    if data.startswith(codecs.BOM_UTF8):
        log.decide("encoding", "UTF-8 with a byte order mark", "file")
        return _checked_utf8(source, data[3:])
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            log.decide("encoding", f"{name.upper()} with a byte order mark", "file")
            return _recoded(source, data[2:], name)
    sample = data[:4000]
    if sample.count(0) > len(sample) // 4:
        # Text in UTF-16 has a zero in every second byte, in Latin scripts.
        name = "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
        log.decide("encoding", f"{name.upper()} without a mark", "choice", "is UTF-16 without a byte order mark")
        return _recoded(source, data, name)
    if b"\0" in sample:
        raise problem("unreadable_file", source, "is no text: it holds zero bytes", _WHOLE)
    try:
        codecs.utf_8_decode(data, "strict", True)
    except UnicodeDecodeError:
        try:
            text = data.decode("cp1252")
            name = "Windows-1252"
        except UnicodeDecodeError:
            text, name = data.decode("latin-1"), "Latin-1"
        log.decide("encoding", name, "choice", f"is no UTF-8 and is read as {name}")
        return text.encode("utf-8")
    log.decide("encoding", "UTF-8", "file")
    return data


def _checked_utf8(source: str, data: bytes) -> bytes:
    try:
        codecs.utf_8_decode(data, "strict", True)
    except UnicodeDecodeError as error:
        found = f"says that it is UTF-8, but byte {error.start:,} is not"
        raise problem("unreadable_file", source, found, "save it as UTF-8 again") from None
    return data


def _recoded(source: str, data: bytes, encoding: str) -> bytes:
    try:
        return data.decode(encoding).encode("utf-8")
    except UnicodeDecodeError as error:
        found = f"is {encoding.upper()}, but byte {error.start:,} is not"
        raise problem("unreadable_file", source, found, "save it as UTF-8") from None


def _form_of(head: str) -> Form:
    first = head.lstrip()[:1]
    # Exports that were cut or pasted may have other text before their first tag.
    if first == "<" or re.search(r"<\?xml|<feed\b[^>]*xmlns|<[A-Za-z_]+MarketDocument\b", head):
        return "xml"
    if first == "{" or (first == "[" and re.match(r"\[\s*[\[{\]\d\"]", head.lstrip())):
        return "json"
    return "text"
