"""Long files as UTF-8 text on disk that can be read in blocks: unpacked and recoded where they are not."""

from __future__ import annotations

import codecs
import gzip
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.reading import Log

BLOCK = 8_000_000
MOST_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Streamed:
    """A text in UTF-8 in a file, and what must live as long as it is read (a temporary file goes with it)."""

    path: Path
    size: int
    holds: Any = None
    skip: int = 0

    def head(self, size: int) -> bytes:
        """The first bytes of the text, up to a line end."""
        with self.path.open("rb") as stream:
            stream.seek(self.skip)
            data = stream.read(size)
        return data[: data.rfind(b"\n") + 1] or data

    def tail(self, size: int) -> bytes:
        """The last bytes of the text."""
        with self.path.open("rb") as stream:
            stream.seek(max(self.size - size, 0))
            return stream.read()

    def line_of(self, text: str) -> int:
        """The number of the line that is `text`; 0 where it stands in none."""
        wanted = text.encode("utf-8")
        with self.path.open("rb") as stream:
            return next((number for number, line in enumerate(stream, start=1) if wanted in line), 0)


def too_large(source: str, size: int, most: int) -> Exception:
    """The error for what holds more bytes than are read."""
    found = f"holds {size / 1e6:,.0f} MB, more than the {most / 1e6:,.0f} MB that are read"
    return problem("too_large", source, found, "cut it into years, or keep only the columns that are needed")


def unpacked(source: str, packed: IO[bytes]) -> Streamed:
    """What stands packed in a gz or zip as a temporary file. ScenarioError beyond `MOST_BYTES`."""
    held = tempfile.NamedTemporaryFile(prefix="bess_opt_")  # noqa: SIM115 - it lives as long as it is read
    size = 0
    while block := packed.read(BLOCK):
        size += len(block)
        if size > MOST_BYTES:
            raise too_large(source, size, MOST_BYTES)
        held.write(block)
    held.flush()
    return Streamed(Path(held.name), size, held)


def gunzipped(path: Path) -> Streamed:
    """What a gz holds."""
    with gzip.open(path) as packed:
        return unpacked(path.name, packed)  # type: ignore[arg-type]


def unzipped(path: Path, entry: zipfile.ZipInfo) -> Streamed:
    """One file of a zip."""
    with zipfile.ZipFile(path) as archive, archive.open(entry) as packed:
        return unpacked(path.name, packed)


def in_utf8(source: str, text: Streamed, log: Log) -> Streamed:
    """The text in UTF-8: as it stands if it is, else recoded into a temporary file."""
    with text.path.open("rb") as stream:
        first = stream.read(4)
    if first.startswith(codecs.BOM_UTF8):
        log.decide("encoding", "UTF-8 with a byte order mark", "file")
        return Streamed(text.path, text.size, text.holds, 3)
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if first.startswith(mark):
            log.decide("encoding", f"{name.upper()} with a byte order mark", "file")
            return _recoded(source, text, name, 2)
    if _decodes(text):
        log.decide("encoding", "UTF-8", "file")
        return text
    log.decide("encoding", "Windows-1252", "choice", "is no UTF-8 and is read as Windows-1252")
    return _recoded(source, text, "cp1252", 0)


def _decodes(text: Streamed) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with text.path.open("rb") as stream:
            while block := stream.read(BLOCK):
                decoder.decode(block)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _recoded(source: str, text: Streamed, encoding: str, skip: int) -> Streamed:
    held = tempfile.NamedTemporaryFile(prefix="bess_opt_")  # noqa: SIM115 - it lives as long as it is read
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with text.path.open("rb") as stream:
            stream.seek(skip)
            while block := stream.read(BLOCK):
                held.write(decoder.decode(block).encode("utf-8"))
        held.write(decoder.decode(b"", True).encode("utf-8"))
    except UnicodeDecodeError as error:
        found = f"is {encoding.upper()}, but a byte near {error.start:,} of a block is not"
        raise problem("unreadable_file", source, found, "save it as UTF-8") from None
    held.flush()
    return Streamed(Path(held.name), held.tell(), held)
