"""Worker processes that all open pages share: as many as the machine has processors, each job on one, in turn.

HiGHS does not look up while it solves, so a thread could not be cancelled; a process can.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from bess_opt.inputs.scenario import Scenario

DIED = "the work ended without an answer; too little memory?"
ENDED_S = 10.0  # a killed process is gone long before
News = Mapping[str, Any]
Hear = Callable[[News], None]
Serve = Callable[[Connection, Scenario], None]


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    key: Hashable = None
    hear: Hear | None = None


class DeskWorkers:
    """Workers about one scenario. A job has a key; what comes of it is heard by the function given with it.

    `serve` is what a worker runs: it receives (key, task) from its pipe and sends (key, news); news with "state" is
    the last of its job. (key, None) asks it to end that job with what it has.
    """

    def __init__(self, scenario: Scenario, serve: Serve, size: int | None = None) -> None:
        self._scenario, self._serve = scenario, serve
        self._size = size or os.cpu_count() or 1
        self._lock = threading.Lock()
        self._workers: list[_Worker] = []
        self._waiting: dict[Hashable, tuple[Any, Hear]] = {}

    def submit(self, key: Hashable, task: Any, hear: Hear) -> None:
        """Do a task as soon as a worker is free."""
        with self._lock:
            self._waiting[key] = (task, hear)
            self._assign()

    def withdraw(self, key: Hashable) -> None:
        """Let go of a job: it waits no longer, or the worker that is at it ends; nothing more is heard of it."""
        with self._lock:
            self._waiting.pop(key, None)
            for worker in [one for one in self._workers if one.key == key]:
                self._end(worker)
            self._assign()

    def ask_to_end(self, key: Hashable) -> bool:
        """Ask the worker that is at a job to end it with what it has: it is sent (key, None). False if none is."""
        with self._lock:
            worker = next((one for one in self._workers if one.key == key and one.hear is not None), None)
            if worker is None:
                return False
            with suppress(OSError):  # it has just died: the listener says so
                worker.pipe.send((key, None))
            return True

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            self._waiting.clear()
            for worker in list(self._workers):
                self._end(worker)

    def processes(self) -> list[BaseProcess]:
        """The workers that live."""
        with self._lock:
            return [worker.process for worker in self._workers]

    def _assign(self) -> None:
        """Give what waits to idle workers, and to new ones up to the size; the lock is held."""
        while self._waiting:
            worker = next((one for one in self._workers if one.hear is None), None)
            if worker is None and len(self._workers) >= self._size:
                return
            worker = worker or self._hire()
            key = next(iter(self._waiting))
            task, hear = self._waiting.pop(key)
            worker.key, worker.hear = key, hear
            with suppress(OSError):  # it has just died: the listener says so
                worker.pipe.send((key, task))

    def _hire(self) -> _Worker:
        context = get_context("spawn")
        pipe, other = context.Pipe()
        process = context.Process(target=run_worker, args=(self._serve, other, self._scenario), daemon=True)
        process.start()
        other.close()
        worker = _Worker(process, pipe)
        self._workers.append(worker)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        return worker

    def _end(self, worker: _Worker) -> None:
        """Kill a worker and wait until it is gone: a process that nobody waits for stays in the system's table."""
        self._workers.remove(worker)
        worker.hear = None
        worker.process.kill()
        worker.process.join(ENDED_S)

    def _listen(self, worker: _Worker) -> None:
        """Pass on what the worker says until it ends."""
        while True:
            try:
                key, news = worker.pipe.recv()
            except (EOFError, OSError):
                break
            with self._lock:
                hear = worker.hear if worker.key == key else None
                if hear is not None and "state" in news:
                    worker.key = worker.hear = None
                    self._assign()
            if hear is not None:
                hear(news)
        worker.pipe.close()
        with self._lock:
            hear = worker.hear
            if worker in self._workers:
                self._end(worker)
                self._assign()
        if hear is not None:
            hear({"state": "failed", "errors": (DIED,)})


def run_worker(serve: Serve, pipe: Connection, scenario: Scenario) -> None:
    """A worker's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    serve(pipe, scenario)
