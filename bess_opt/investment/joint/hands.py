"""Who solves the years of a sizing: threads of this process, processes of ours, or any executor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from bess_opt.common.errors import BessOptError
from bess_opt.common.wording import error_said
from bess_opt.dispatch.batch.workers import Workers

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")


class Hands:
    """What carries out tasks side by side; the answers come in the order of the tasks, whoever gave them."""

    def __init__(self, executor: Executor, whose: str) -> None:
        self._executor, self._whose = executor, whose

    def all(self, work: Callable[[TaskT], ResultT], tasks: Sequence[TaskT]) -> list[ResultT]:
        """`work` of every task. Raises what the work raises; BessOptError for a task that comes back undone."""
        try:
            futures = [self._executor.submit(work, task) for task in tasks]
        except BessOptError:
            raise
        except Exception as error:  # whatever an executor of the user's says when it takes no more
            raise self._lost(error) from None
        return [self._result(future) for future in futures]

    def _result(self, future: Future[ResultT]) -> ResultT:
        try:
            return future.result()
        except BessOptError:
            raise
        except Exception as error:
            raise self._lost(error) from error

    def _lost(self, error: Exception) -> BessOptError:
        said = error_said(error)
        if isinstance(error, BrokenExecutor):
            return BessOptError(f"{self._whose}: a worker died and broke it ({said}); give a new one, or workers=1")
        return BessOptError(f"{self._whose}: it gave a year of the sizing back undone ({said})")


@contextmanager
def hands(executor: Executor | None, workers: int | None, tasks: int) -> Iterator[Hands]:
    """The user's executor, `workers` processes, or by default a thread for each core: solvers let go of Python."""
    if executor is None and workers is None:
        with ThreadPoolExecutor(max(1, min(tasks, os.cpu_count() or 1))) as threads:
            yield Hands(threads, "sizing")
        return
    pool = Workers.of(executor, workers, None)
    try:
        pool.check()
        yield Hands(pool.executor, "executor" if executor is not None else "workers")
    finally:
        pool.leave()
