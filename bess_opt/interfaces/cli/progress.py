"""The line on stderr that says what a long command is doing, and how far it is."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bess_opt.common.progress import Progress
from bess_opt.common.progress_bar import BarLine, terminal_bar


class Stages:
    """What a command is doing: called with words, and `told` how far a long verb is.

    Ctrl-C asks for the end of a verb that gives what it has found so far: `end` is set, and the verb hears of it when
    it next tells something.
    """

    def __init__(self, line: BarLine | None = None) -> None:
        self._line, self.end, self._bound = line, threading.Event(), False

    def __call__(self, doing: str) -> None:
        """Say what is being done, of which no share is known."""
        if self._line is not None:
            self._line.say(doing)

    def told(self, event: Progress) -> None:
        """Show an event; StopIteration once the end was asked for."""
        if self.end.is_set():
            raise StopIteration
        self._bound = self._bound or event.bound is not None
        if self._line is not None:
            self._line(event)

    def has_bound(self) -> bool:
        """Whether the verb has told a bound: from then on it mostly has a plan to end with."""
        return self._bound


@contextmanager
def stages() -> Iterator[Stages]:
    """A bar on stderr with what is being done, share, best, bound and time left; nothing if that is no terminal."""
    if not sys.stderr.isatty():
        yield Stages()
        return
    with terminal_bar() as bar:
        yield Stages(BarLine(bar, "starting"))
