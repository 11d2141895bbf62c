"""How far a long run is: what a `progress=` callable is told, and how the run is ended by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bess_opt.common.errors import CancelledError


class Progress(NamedTuple):
    """What a `progress=` callable is told, time and again, from the thread that works.

    `share` is done of the whole run, 0 to 1; it never falls, and is 1 at the end. `best` is the value of the best
    found so far and `bound` what nothing can pass, both in the unit of what is looked for; None where there is none,
    or none yet. `left_s` are the seconds left at the pace so far; None before there is one. `doing` says in words
    what is being done.

    A callable that raises StopIteration ends the run, without loss: `size` returns the best size so far with what is
    proven of it, `optimize` the best plan so far, `study` the rows that are done; what has no result, or none yet,
    raises `CancelledError`.
    """

    share: float
    best: float | None = None
    bound: float | None = None
    left_s: float | None = None
    doing: str = ""


Told = Callable[[Progress], object]


class _Run:
    """What the stretches of one run have in common."""

    def __init__(self, told: Told | None) -> None:
        self.told, self.lock, self.began = told, threading.Lock(), time.monotonic()
        self.last, self.cancelled = Progress(0.0), False


class Stretch:
    """A part of a long run that tells how far it is; the run itself is the stretch from 0 to 1."""

    def __init__(
        self, told: Told | None = None, first: float = 0.0, last: float = 1.0, run: _Run | None = None
    ) -> None:
        self._run, self._first, self._last = run or _Run(told), first, last

    def part(self, first: float, last: float) -> Stretch:
        """The stretch of this one from share `first` to share `last`."""
        width = self._last - self._first
        return Stretch(None, self._first + first * width, self._first + last * width, self._run)

    def tell(self, share: float, doing: str = "", *, best: float | None = None, bound: float | None = None) -> None:
        """Say that `share` of this stretch is done; what is left out stays as it was said last."""
        run = self._run
        if run.told is None:
            return
        with run.lock:
            whole = self._first + min(max(share, 0.0), 1.0) * (self._last - self._first)
            whole = max(whole, run.last.share)
            passed = time.monotonic() - run.began
            run.last = Progress(
                share=whole,
                best=run.last.best if best is None else best,
                bound=run.last.bound if bound is None else bound,
                left_s=passed * (1.0 - whole) / whole if whole > 0.0 else None,
                doing=doing or run.last.doing,
            )
            try:
                run.told(run.last)
            except StopIteration:
                run.cancelled = True

    def halves(self) -> Iterator[Stretch]:
        """Parts for rounds of which nobody knows how many follow: each is half of what is left."""
        first = 0.0
        while True:
            last = (1.0 + first) / 2.0
            yield self.part(first, last)
            first = last

    @property
    def is_followed(self) -> bool:
        """Whether anybody is told."""
        return self._run.told is not None

    @property
    def cancelled(self) -> bool:
        """Whether who is told has asked for the end."""
        return self._run.cancelled

    def go_on(self) -> None:
        """CancelledError if who is told has asked for the end: for runs that have no result in parts."""
        if self._run.cancelled:
            raise CancelledError("cancelled before there was a result")

    def step(self, share: float, doing: str = "") -> None:
        """`tell`, then `go_on`."""
        self.tell(share, doing)
        self.go_on()


UNTOLD = Stretch()  # of a run that nobody follows
ShowProgress = (
    bool | Told | Stretch | None
)  # whom to tell, or whether to draw a bar; None draws it on a terminal alone
