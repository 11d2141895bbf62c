"""HiGHS beside other users of it in one process: made without a word on stdout, run on threads of its own.

HiGHS keeps one pool of threads for each thread of the operating system that calls it, made at the first run there. A
run that states another number of threads is refused ("Not Set"), whoever made the pool.
"""

from __future__ import annotations

import threading
from typing import Any

import highspy

from bess_opt.common.streams import silenced_stdout

_making = threading.Lock()
_greetings: list[int] = []  # bytes that the first and the second object of the process printed when they were made


def new_highs() -> Any:
    """A HiGHS object. Version 1.16 prints when the first of a process is made, before any option can forbid it."""
    with _making:
        if len(_greetings) > 1 and _greetings[-1] == 0:
            return highspy.Highs()
        with silenced_stdout() as printed:
            made = highspy.Highs()
        _greetings.extend(printed)
        return made


def run_highs(highs: Any) -> None:
    """Run on a pool that is made for this run and gone after it: none that others left, none left to others.

    Another library's solve in this thread then makes its pool anew, with the number of threads that it states. Must
    not be called from inside a callback of a running HiGHS of the same thread.
    """
    highspy.Highs.resetGlobalScheduler(True)
    try:
        highs.run()
    finally:
        highspy.Highs.resetGlobalScheduler(True)
