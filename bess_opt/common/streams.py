"""The process's own output, below Python: what a library in C writes goes by file descriptor, not by `sys.stdout`."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

STDOUT = 1
_turned = threading.RLock()


def flush_all() -> None:
    """Write out what Python and the C library still hold back for any stream."""
    for stream in (sys.stdout, sys.__stdout__):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or none at all
            stream.flush()  # type: ignore[union-attr]
    with contextlib.suppress(OSError, AttributeError, TypeError):  # Windows has no handle to all of the process
        ctypes.CDLL(None).fflush(None)


@contextlib.contextmanager
def silenced_stdout() -> Iterator[list[int]]:
    """Nothing that is written to descriptor 1 meanwhile, by whatever language, arrives anywhere.

    The list that it gives holds, afterwards, how many bytes that were. It holds for the whole process, so it is meant
    for moments. A process whose stdout is closed is left as it is.
    """
    with _turned:
        swallowed: list[int] = []
        try:
            kept = os.dup(STDOUT)
        except OSError:
            yield swallowed
            return
        flush_all()
        with tempfile.TemporaryFile() as sink:
            try:
                os.dup2(sink.fileno(), STDOUT)
                yield swallowed
            finally:
                flush_all()
                swallowed.append(os.fstat(STDOUT).st_size)
                os.dup2(kept, STDOUT)
                os.close(kept)
