"""A run of HiGHS that who follows it hears of, and ends."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from bess_opt.common.progress import Stretch
from bess_opt.solver.highs_process import run_highs

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY_S = 0.2  # how often who follows is told


def run_followed(highs: Any, told: Stretch, money: Callable[[float], float] | None) -> None:
    """Run `highs` in a thread beside, and tell and hear who follows from this one; on their word the run ends.

    `money` turns an objective of HiGHS into what is told; None where its plan and bound are not those of the whole.
    HiGHS calls into Python only to leave its two numbers and to see whether it shall end: what is told may raise, or
    solve something of its own, and must not do so inside HiGHS.
    """
    ending, outcome, latest = Event(), Future[None](), [math.inf, -math.inf]

    def look(event: Any) -> None:
        latest[:] = event.data_out.mip_primal_bound, event.data_out.mip_dual_bound
        if ending.is_set():
            event.interrupt()

    def run() -> None:
        try:
            run_highs(highs)
            outcome.set_result(None)
        except BaseException as error:
            outcome.set_exception(error)

    with _seen(highs, look):
        Thread(target=run, daemon=True).start()
        try:
            while not _done_within(outcome, EVERY_S):
                if not told.cancelled:
                    _tell(told, latest, money)
                if told.cancelled:
                    ending.set()
        finally:
            ending.set()
            outcome.exception()
    outcome.result()


@contextmanager
def _seen(highs: Any, look: Callable[[Any], None]) -> Iterator[None]:
    """`look` is called while HiGHS works, whichever of its methods does."""
    with ExitStack() as stack:
        for callback in (highs.cbSimplexInterrupt, highs.cbIpmInterrupt, highs.cbMipInterrupt):
            callback.subscribe(look)
            stack.callback(callback.unsubscribe, look)
        yield


def _done_within(outcome: Future[None], seconds: float) -> bool:
    try:
        outcome.exception(seconds)
    except TimeoutError:
        return False
    return True


def _tell(told: Stretch, latest: list[float], money: Callable[[float], float] | None) -> None:
    best, bound = (None if money is None or not math.isfinite(value) else money(value) for value in latest)
    told.tell(0.0, best=best, bound=bound)
