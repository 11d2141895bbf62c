"""Who is blamed when a pool breaks, with executors that break on purpose and in a stated order."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path
from typing import Any

import pytest
from support.cases import case
from support.places import ROOT

import bess_opt as bo
from bess_opt.dispatch.batch.rows import Action
from bess_opt.dispatch.batch.workers import Crew, Here, Job, made_by


class Breaking(Executor):
    """Its first task breaks it at once; those beside it hear of it a moment later, later ones are refused."""

    def __init__(self, takes: int) -> None:
        self.takes, self.taken = takes, 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if fn is os.getpid:
            return Here().submit(fn)
        if self.taken == self.takes:
            raise BrokenExecutor("gone")
        future: Future[Any] = Future()
        self.taken += 1
        if self.taken == self.takes:
            future.set_exception(BrokenExecutor("gone"))
        else:
            threading.Timer(0.1, lambda: future.set_exception(BrokenExecutor("gone"))).start()
        return future


def jobs(count: int) -> list[Job]:
    scenario = case(price_per_mwh=[10.0, 50.0]).scenario()
    return [Job(place, str(place), str(place), "", scenario) for place in range(count)]


ACTION = Action("test", lambda scenario: {"x": 1})


@pytest.mark.parametrize(("takes", "retries"), [(1, 1), (2, 0), (3, 0)])
def test_all_that_was_in_a_broken_pool_comes_back(takes: int, retries: int) -> None:
    """Broken at once, in waiting, or refused: each of four jobs has its row from the next pool, once.

    In company nobody is blamed, so that no retry is needed; a pool that takes one job only leaves it alone.
    """
    crew = Crew(Breaking(takes), 4, Here)
    made = list(made_by(crew, iter(jobs(4)), ACTION, retries))
    assert sorted(job.place for job, _ in made) == [0, 1, 2, 3]
    assert all(row.row["error"] == "" for _, row in made)


def test_only_a_job_that_breaks_a_pool_alone_is_blamed() -> None:
    """Alone in each of three pools: its first try and two more; then the next pool serves the second job."""
    pools = [Breaking(1), Breaking(1)]
    crew = Crew(Breaking(1), 1, lambda: pools.pop() if pools else Here())
    made = {job.place: row for job, row in made_by(crew, iter(jobs(2)), ACTION, retries=2)}
    assert made[0].row["error"] == "its worker died 3 times: gone"
    assert not made[0].final
    assert made[1].row["x"] == 1


def test_a_pool_that_is_not_ours_cannot_be_renewed() -> None:
    """Its breaking is the user's matter."""
    with pytest.raises(bo.BessOptError, match="executor: a worker died and broke it"):
        list(made_by(Crew(Breaking(2), 4, None), iter(jobs(4)), ACTION, retries=2))


def test_a_script_without_its_guard_is_told(tmp_path: Path) -> None:
    """Each spawned worker imports the script, which starts workers: no scenario is blamed for that."""
    script = tmp_path / "script.py"
    script.write_text("import bess_opt as bo\nbo.study('scenarios', workers=2)\n")
    folder = ROOT
    done = subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "workers: they die at the start; a script needs its calls under if __name__ ==" in done.stderr
