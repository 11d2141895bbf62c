"""Long work of the interactive page: a desk for each page that is open, and what its jobs are."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Literal

from bess_opt.common.errors import BessOptError
from bess_opt.common.progress import Progress, Told
from bess_opt.common.progress_bar import told_line
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.interfaces.app.controls import Controls, changed, error_lines
from bess_opt.interfaces.app.sizes import ShownSizing, found_size
from bess_opt.interfaces.app.workers import DeskWorkers, News
from bess_opt.plots.shared.style import ThemeName

KEPT = 6  # jobs of a page whose answers are remembered
MOST_PAGES = 64
Kind = Literal["plans", "report", "size"]
Boxes = tuple[tuple[str, str], ...]
ENDING = "ending with the best so far; cancel again to leave it"
_PAGE = re.compile(r"[0-9a-f]{32}")
STAGES = {"plans": 2, "report": 1, "size": 1}
TELL_S = 0.2  # between two words on how far a job is


@dataclass(frozen=True)
class Task:
    """`plans`: both twins; `report`: the page about them; `size`: the best size for what its boxes say.

    `scenario` is what it is about, None for that of the server; `edition` tells those of a page apart.
    """

    kind: Kind
    controls: Controls
    boxes: Boxes = ()
    theme: ThemeName = "light"
    edition: int = 0
    scenario: Scenario | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Job:
    """A task and how far it is.

    `plans`, `bills` (header and rows), `report` and `sizing` are the answer, `errors` say why there is none.
    """

    task: Task
    state: Literal["running", "done", "failed", "cancelled"] = "running"
    stage: str = "waiting for its turn"
    step: int = 0
    share: float = 0.0  # of the step
    ending: bool = False
    began: float = field(default_factory=time.monotonic)
    plans: Mapping[str, Dispatch] = field(default_factory=dict)
    bills: Mapping[str, tuple[list[str], list[list[str]]]] = field(default_factory=dict)
    report: str = ""
    sizing: ShownSizing | None = None
    errors: tuple[str, ...] = ()


class Desk:
    """The jobs of one open page: a new one takes the place of what runs for the same page, and of nothing else.

    Without `workers` the desk has one worker of its own, which ends with it.
    """

    def __init__(self, scenario: Scenario, workers: DeskWorkers | None = None) -> None:
        self.workers = workers or DeskWorkers(scenario, serve_tasks, 1)
        self.scenario, self.edition = scenario, 0
        self._own = workers is None
        self._lock = threading.Lock()
        self._jobs: dict[int, Job] = {}
        self._last = 0

    def take(self, scenario: Scenario) -> int:
        """From now on the page is about `scenario`; the number of this edition."""
        with self._lock:
            self._stop()
            self.scenario, self.edition = scenario, self.edition + 1
            return self.edition

    def task(self, kind: Kind, controls: Controls, boxes: Boxes = (), theme: ThemeName = "light") -> Task:
        """A task about the page's scenario."""
        return Task(kind, controls, boxes, theme, self.edition, self.scenario if self.edition else None)

    def start(self, task: Task) -> int:
        """The number of a new job; it is done already if its answer is known, and goes on if it is at work."""
        with self._lock:
            last = self._jobs.get(self._last)
            if last is not None and last.state == "running" and last.task == task:
                return self._last
            self._stop()
            known = next((job for job in self._jobs.values() if job.task == task and job.state == "done"), None)
            self._last += 1
            number = self._last
            self._jobs[number] = known or Job(task)
            for old in list(self._jobs)[:-KEPT]:
                del self._jobs[old]
            if known is None:
                self.workers.submit((id(self), number), task, partial(self._hear, number))
            return number

    def job(self, number: int) -> Job | None:
        """How far a job is; None if it is forgotten."""
        with self._lock:
            return self._jobs.get(number)

    def cancel(self, number: int) -> None:
        """Stop a job that is running; a search for a size ends with the best so far, the second time at once."""
        with self._lock:
            job = self._jobs.get(number)
            if job is None or job.state != "running":
                return
            if job.task.kind == "size" and not job.ending and self.workers.ask_to_end((id(self), number)):
                self._jobs[number] = replace(job, ending=True, stage=ENDING)
                return
            self._stop()

    def close(self) -> None:
        """Stop everything."""
        with self._lock:
            self._stop()
        if self._own:
            self.workers.close()

    def _stop(self) -> None:
        for number, job in self._jobs.items():
            if job.state == "running":
                self._jobs[number] = replace(job, state="cancelled")
                self.workers.withdraw((id(self), number))

    def _hear(self, number: int, news: News) -> None:
        """Enter what a worker reports."""
        with self._lock:
            job = self._jobs.get(number)
            if job is not None and job.state == "running":
                heard = {key: told for key, told in news.items() if not (job.ending and key == "stage")}
                self._jobs[number] = replace(job, **heard)


class Desks:
    """The desk of each open page, by the page's own name; those that were not asked for longest are given up."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._workers = DeskWorkers(scenario, serve_tasks)
        self._lock = threading.Lock()
        self._desks: OrderedDict[str, Desk] = OrderedDict()

    def of(self, page: object) -> Desk:
        """The desk of a page. ValueError for what is no name that `new_page` gives."""
        if not isinstance(page, str) or not _PAGE.fullmatch(page):
            raise ValueError("no page of this server")
        with self._lock:
            desk = self._desks.setdefault(page, Desk(self._scenario, self._workers))
            self._desks.move_to_end(page)
            given_up = [self._desks.popitem(last=False)[1] for _ in range(len(self._desks) - MOST_PAGES)]
        for old in given_up:
            old.close()
        return desk

    def close(self) -> None:
        """Stop everything."""
        self._workers.close()


def new_page() -> str:
    """A name for a page that is being opened."""
    return uuid.uuid4().hex


def serve_tasks(pipe: Connection, scenario: Scenario) -> None:
    """The worker: a task in, news out."""
    while True:
        try:
            number, task = pipe.recv()
        except EOFError:
            return
        if task is None:  # asked to end what is over
            continue
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

    asked = changed(task.scenario or scenario, task.controls)
    steps = f"{len(asked.series):,} steps"
    if task.kind == "report":
        pipe.send((number, {"stage": f"comparing and drawing {steps}"}))
        return {"report": report(asked, progress=_teller(pipe, number))}
    if task.kind == "size":
        pipe.send((number, {"stage": f"looking for the best size over {steps}"}))
        return {"sizing": found_size(asked, dict(task.boxes), task.theme, _teller(pipe, number))}
    pipe.send((number, {"stage": f"optimizing {steps}"}))
    plans = {"optimal": optimize(asked)}
    pipe.send((number, {"stage": f"running the rule through {steps}", "step": 1}))
    try:
        plans["rule"] = simulate(asked)
    except BessOptError as error:  # the optimum stands without it
        return {"plans": plans, "bills": _bills(plans), "errors": ("the rule has no plan:", *error_lines(error))}
    return {"plans": plans, "bills": _bills(plans)}


def _teller(pipe: Connection, number: int) -> Told:
    """Passes on how far a job is, a few times a second, and ends it when the pipe asks for that."""
    last = 0.0

    def tell(event: Progress) -> None:
        nonlocal last
        if pipe.poll() and pipe.recv() == (number, None):
            raise StopIteration
        now = time.monotonic()
        if now - last < TELL_S and event.share < 1.0:
            return
        last = now
        left = "" if event.left_s is None else f"{event.left_s:.0f} s left"
        stage = ", ".join(part for part in (event.doing, told_line(event), left) if part)
        pipe.send((number, {"stage": stage, "share": event.share}))

    return tell


def _bills(plans: Mapping[str, Dispatch]) -> dict[str, tuple[list[str], list[list[str]]]]:
    """The bill of each plan, where the site has a tariff."""
    from bess_opt.dispatch.bill import bill_rows

    return {twin: bill_rows(plan.bill) for twin, plan in plans.items() if plan.scenario.tariff is not None}
