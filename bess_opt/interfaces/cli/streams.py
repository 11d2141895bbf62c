"""Stdout belongs to the answer: what anything else prints, in Python or below it, goes to stderr."""

from __future__ import annotations

import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TextIO

STDIN, STDOUT, STDERR = 0, 1, 2
_answers: list[TextIO] = []  # the last one takes the answer of the command that is at work


class UnwritableError(OSError):
    """What belongs on stdout cannot be written there."""


class _Answer(io.TextIOWrapper):
    """Stdout as it was when the command line began."""

    def flush(self) -> None:
        """Write out what is held back; `UnwritableError` where that fails."""
        try:
            super().flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UnwritableError(error.errno, error.strerror) from error


def own_stdout() -> None:
    """From here on descriptor 1 leads to stderr, and `sys.stdout` alone to where it led before."""
    _open_all()
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    kept = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    sys.stdout = _Answer(io.BufferedWriter(io.FileIO(kept, "w")), encoding=encoding, errors="replace")
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="replace")


def _open_all() -> None:
    """Give a standard stream that the caller closed its number again, lest a file get it.

    To write to such a stdout fails, as it does where it is closed; what is said to such a stderr is lost.
    """
    for number in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if number == STDERR else os.O_RDONLY)
    if sys.stderr is None:
        sys.stderr = io.TextIOWrapper(io.FileIO(STDERR, "w", closefd=False), encoding="utf-8", errors="replace")


@contextmanager
def answer_apart() -> Iterator[None]:
    """While a command works, `print` goes to stderr, and only what is written to `answer_stream` to stdout."""
    _answers.append(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _answers.pop()


def answer_stream() -> TextIO:
    """Where the answer goes."""
    return _answers[-1] if _answers else sys.stdout


def give_up(stream: TextIO) -> None:
    """Let what a stream still holds back go nowhere, so that the end of the process does not fail on it."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def visible(text: str) -> str:
    """Text with its control characters written out: a name from a file must not command a terminal."""
    return "".join(
        repr(sign)[1:-1] if unicodedata.category(sign) in ("Cc", "Cf") and sign not in "\n\t" else sign
        for sign in text
    )
