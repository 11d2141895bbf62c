"""The compiled part's sources, and the number by which a library built from others is told apart.

Read by setup.py too: nothing but the standard library is imported here.
"""

from pathlib import Path
from zlib import crc32

LIBRARIES, HEADERS = ("curve", "gain", "backward", "forward"), ("recursion", "worth")


def checksum(folder: Path) -> int | None:
    """Of the sources in `folder`, whatever their line ends; None where they are not kept beside the library."""
    files = [folder / f"{name}.c" for name in LIBRARIES] + [folder / f"{name}.h" for name in HEADERS]
    if not all(file.exists() for file in files):
        return None
    return crc32("".join(file.read_text(encoding="utf-8") for file in files).encode()) & 0x7FFFFFFF
