"""Who computes the rows of a study: any executor, with the tasks of dead workers given out again."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from bess_opt.common.errors import BessOptError, ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.wording import error_said
from bess_opt.dispatch.batch.rows import Action, Made, failed, made_of
from bess_opt.inputs.scenario import Scenario

FOREIGN_IN_FLIGHT = 256
# Dask says with this error of its own that a task took several workers with it.
KILLED = "KilledWorker"
T = TypeVar("T")
AGAIN = "call study again with the same out, which keeps the rows that are there"


class TaskLostError(Exception):
    """A scenario that its executor gave back undone; stands as a row, is never raised."""


class WorkerDiedError(Exception):
    """A scenario whose worker died each time it was tried; stands as a row, is never raised."""


@dataclass(frozen=True)
class Job:
    """One scenario to compute: its place in the table, and the key under which its row is kept."""

    place: int
    key: str
    name: str
    digest: str
    scenario: Scenario


class Here(Executor):
    """This process, one task after the other."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run at once."""
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def end_with_parent() -> None:
    """Let this worker end when the process that started it is gone, killed or not: nobody else would end it."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="end_with_parent", daemon=True).start()


@dataclass
class Workers:
    """An executor, how much is handed to it at a time, and how a new one is made if it breaks."""

    executor: Executor
    in_flight: int
    renewed: Callable[[], Executor] | None

    @classmethod
    def of(cls, executor: Executor | None, workers: int | None, in_flight: int | None) -> Workers:
        """The user's executor, this process for one worker, or a pool of processes of our own."""
        for name, value in (("workers", workers), ("in_flight", in_flight)):
            if value is not None and value < 1:
                raise ScenarioError([Finding("wrong_value", name, f"found {value}", "give 1 or more")])
        if executor is not None and workers is not None:
            found = f"found {workers} beside an executor, which has its own"
            raise ScenarioError([Finding("contradiction", "workers", found, "leave one of the two out")])
        if executor is not None:
            return cls(executor, in_flight or FOREIGN_IN_FLIGHT, None)
        if workers == 1:
            return cls(Here(), 1, Here)
        count = workers or os.cpu_count() or 1

        def pool() -> Executor:
            try:
                return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=end_with_parent)
            except OSError as error:  # their locks are files: no room, or too many of them
                raise _not_started(error) from None

        return cls(pool(), in_flight or 2 * count, pool)

    def renew(self) -> None:
        """A new pool in place of a broken one. BessOptError for an executor that is not ours."""
        if self.renewed is None:
            raise BessOptError("executor: a worker died and broke it; give a new one, rows so far are kept in out")
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self.renewed()

    def check(self) -> None:
        """A pool of ours can start workers at all; else BessOptError before a scenario is blamed for it."""
        try:
            if self.renewed is not None:
                self.executor.submit(os.getpid).result()
        except OSError as error:
            raise _not_started(error) from None
        except BrokenExecutor:
            raise BessOptError(
                "workers: they die at the start; a script needs its calls under if __name__ == '__main__': "
                "(each worker imports it), or stay in this process with workers=1"
            ) from None

    def leave(self) -> None:
        """Close what is ours."""
        if self.renewed is not None:
            self.executor.shutdown(wait=True, cancel_futures=True)


def _not_started(error: OSError) -> BessOptError:
    why = error.strerror if error.errno else "no room for their locks"
    return BessOptError(f"workers: they cannot be started: {why}; make room, or stay in this process with workers=1")


def made_by(
    workers: Workers, jobs: Iterator[Job], action: Action, retries: int
) -> Generator[tuple[Job, Made], None, None]:
    """Every job with its row, as they finish."""
    try:
        yield from _Round(workers, jobs, action, retries).run()
    finally:
        workers.leave()


class _Round:
    """The state of handing out jobs.

    A broken pool fails all that was in it, guilty or not, and Dask fails what died beside the guilty one: these
    suspects are tried again one at a time, so that only a job that takes its worker along on its own is blamed.
    """

    def __init__(self, workers: Workers, jobs: Iterator[Job], action: Action, retries: int) -> None:
        self.workers, self.jobs, self.action, self.retries = workers, jobs, action, retries
        self.out: dict[Future[Made], Job] = {}
        self.suspects: deque[Job] = deque()
        self.refused: list[tuple[Job, Made]] = []
        self.deaths: dict[int, int] = {}
        self.tried_alone: Job | None = None
        self.started = False

    def run(self) -> Iterator[tuple[Job, Made]]:
        while self._fill():
            yield from self.refused
            self.refused.clear()
            if not self.out:
                continue
            alone = len(self.out) == 1
            done, _ = wait(self.out, return_when=FIRST_COMPLETED)
            broken = False
            for future in done:
                job = self.out.pop(future)
                error = future.exception() if not future.cancelled() else CancelledError()
                if error is None:
                    yield job, future.result()
                elif isinstance(error, BrokenExecutor):
                    broken = True
                    yield from self._died(job, error, blame=alone)
                elif type(error).__name__ == KILLED:
                    yield from self._died(job, error, blame=job is self.tried_alone)
                else:
                    yield job, failed(job.digest, _told(error))
            if broken:
                yield from self._clear()

    def _fill(self) -> bool:
        """Hand out what there is room for; False when nothing is left to wait for."""
        if self.suspects:
            if not self.out:
                self.tried_alone = self.suspects.popleft()
                self._submit(self.tried_alone)
            return True
        while len(self.out) < self.workers.in_flight:
            job = next(self.jobs, None)
            if job is None:
                break
            if not self.started:
                self.workers.check()
                self.started = True
            self._submit(job)
            if self.suspects or len(self.refused) >= self.workers.in_flight:
                break
        return bool(self.out or self.suspects or self.refused)

    def _submit(self, job: Job) -> None:
        try:
            self.out[self.workers.executor.submit(made_of, self.action, job.digest, job.scenario)] = job
        except BrokenExecutor:
            self.suspects.append(job)
            if not self.out:
                self.workers.renew()
        except Exception as error:  # whatever an executor of the user's says when it takes no more
            self.refused.append((job, failed(job.digest, _lost(error))))

    def _clear(self) -> Iterator[tuple[Job, Made]]:
        """All that was in a broken pool, then a new pool."""
        wait(self.out)
        for future, job in self.out.items():
            error = future.exception()
            if error is None:
                yield job, future.result()
            else:
                self.suspects.append(job)
        self.out.clear()
        self.workers.renew()

    def _died(self, job: Job, error: BaseException, blame: bool) -> Iterator[tuple[Job, Made]]:
        self.deaths[job.place] = self.deaths.get(job.place, 0) + blame
        if self.deaths[job.place] <= self.retries:
            self.suspects.append(job)
            return
        times = self.deaths[job.place]
        found = f"its worker died {times} times: {error}"
        yield job, failed(job.digest, WorkerDiedError(found))


def _told(error: BaseException) -> Exception:
    """What came from an executor as something that a row can tell: one without words was not the action's own."""
    if isinstance(error, CancelledError) or not str(error).strip():
        return _lost(error)
    return error if isinstance(error, Exception) else WorkerDiedError(f"{type(error).__name__}: {error}")


def _lost(error: BaseException) -> TaskLostError:
    said = f"the executor, its scheduler or a worker gave it back undone ({error_said(error)})"
    return TaskLostError(f"{said}; {AGAIN}")
