"""Long work of the interactive page: one other process, which can be told to stop at once.

HiGHS does not look up while it solves, so a thread could not be cancelled; a process can.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from bess_opt.common.errors import BessOptError
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.interfaces.app.controls import Controls, changed, error_lines

KEPT = 12  # jobs whose answers are remembered
STAGES = {"plans": 2, "report": 1}


@dataclass(frozen=True)
class Task:
    """`plans`: both twins; `report`: the page about them."""

    kind: Literal["plans", "report"]
    controls: Controls


@dataclass(frozen=True)
class Job:
    """A task and how far it is. `plans` and `report` are the answer, `errors` say why there is none."""

    task: Task
    state: Literal["running", "done", "failed", "cancelled"] = "running"
    stage: str = "starting"
    step: int = 0
    began: float = field(default_factory=time.monotonic)
    plans: Mapping[str, Dispatch] = field(default_factory=dict)
    report: str = ""
    errors: tuple[str, ...] = ()


class Desk:
    """Takes tasks about one scenario, one at a time: a new one takes the place of what is running."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._lock = threading.Lock()
        self._jobs: dict[int, Job] = {}
        self._last = 0
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def start(self, task: Task) -> int:
        """The number of a new job; it is done already if its answer is known, and goes on if it is at work."""
        with self._lock:
            last = self._jobs.get(self._last)
            if last is not None and last.state == "running" and last.task == task:
                return self._last
            self._stop("cancelled", ())
            known = next((job for job in self._jobs.values() if job.task == task and job.state == "done"), None)
            self._last += 1
            self._jobs[self._last] = known or Job(task)
            for old in list(self._jobs)[:-KEPT]:
                del self._jobs[old]
            if known is None:
                self._connection().send((self._last, task))
            return self._last

    def job(self, number: int) -> Job | None:
        """How far a job is; None if it is forgotten."""
        with self._lock:
            return self._jobs.get(number)

    def cancel(self, number: int) -> None:
        """Stop a job that is running."""
        with self._lock:
            job = self._jobs.get(number)
            if job is not None and job.state == "running":
                self._stop("cancelled", ())

    def close(self) -> None:
        """Stop everything."""
        with self._lock:
            self._stop("cancelled", ())
            self._end()

    def _connection(self) -> Connection:
        """The worker's end, which is started where there is none."""
        if self._pipe is None:
            context = get_context("spawn")
            self._pipe, other = context.Pipe()
            self._process = context.Process(target=_serve, args=(other, self._scenario), daemon=True)
            self._process.start()
            other.close()
            threading.Thread(target=self._listen, args=(self._pipe,), daemon=True).start()
        return self._pipe

    def _stop(self, state: Literal["failed", "cancelled"], errors: tuple[str, ...]) -> None:
        """End the running job and, with it, the worker."""
        running = [number for number, job in self._jobs.items() if job.state == "running"]
        for number in running:
            self._jobs[number] = replace(self._jobs[number], state=state, errors=errors)
        if running:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
        self._process = self._pipe = None

    def _listen(self, pipe: Connection) -> None:
        """Enter what the worker reports until it ends."""
        while True:
            try:
                number, news = pipe.recv()
            except (EOFError, OSError):
                break
            with self._lock:
                if self._pipe is pipe and number in self._jobs:
                    self._jobs[number] = replace(self._jobs[number], **news)
        pipe.close()
        with self._lock:
            if self._pipe is pipe:
                self._stop("failed", ("the work ended without an answer; too little memory?",))
                self._end()


def _serve(pipe: Connection, scenario: Scenario) -> None:
    """The worker: a task in, news out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    while True:
        try:
            number, task = pipe.recv()
        except EOFError:
            return
        try:
            answer = _answer(pipe, number, task, scenario)
            pipe.send((number, answer | {"state": "done"}))
        except BessOptError as error:
            pipe.send((number, {"state": "failed", "errors": tuple(error_lines(error))}))
        except Exception as error:  # a bug of ours is said, and the page lives on
            said = f"an error of bess-opt itself: {type(error).__name__}: {error}"
            pipe.send((number, {"state": "failed", "errors": (said,)}))


def _answer(pipe: Connection, number: int, task: Task, scenario: Scenario) -> dict[str, Any]:
    from bess_opt.dispatch.optimize import optimize
    from bess_opt.dispatch.simulate import simulate
    from bess_opt.interfaces.report.report import report

    asked = changed(scenario, task.controls)
    steps = f"{len(asked.series):,} steps"
    if task.kind == "report":
        pipe.send((number, {"stage": f"comparing and drawing {steps}"}))
        return {"report": report(asked)}
    pipe.send((number, {"stage": f"optimizing {steps}"}))
    plans = {"optimal": optimize(asked)}
    pipe.send((number, {"stage": f"running the rule through {steps}", "step": 1}))
    try:
        plans["rule"] = simulate(asked)
    except BessOptError as error:  # the optimum stands without it
        return {"plans": plans, "errors": ("the rule has no plan:", *error_lines(error))}
    return {"plans": plans}
