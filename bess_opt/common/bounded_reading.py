"""Small files of a user, read whole: regular ones only, and no further than such a file can sensibly be long."""

from __future__ import annotations

import errno
import stat
from pathlib import Path


def read_bounded(file: Path, most: int) -> bytes:
    """The bytes of `file`. OSError if it is longer than `most` bytes, or a pipe, a device or a folder.

    A pipe would keep its reader waiting, and a device may have no end.
    """
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError(errno.EINVAL, "is a folder" if file.is_dir() else "is no regular file")
    with file.open("rb") as opened:
        content = opened.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"is longer than {most:,} bytes")
    return content
