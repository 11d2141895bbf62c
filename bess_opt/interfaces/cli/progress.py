"""The line on stderr that says what a long command is doing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stages() -> Iterator[Callable[[str], None]]:
    """A function that shows what is being done: a spinner on stderr, and nothing if that is no terminal."""
    from rich.console import Console

    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with Console(stderr=True, markup=False, emoji=False, highlight=False).status("starting") as status:
        yield status.update
