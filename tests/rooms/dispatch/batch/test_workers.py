"""Who is blamed when a pool breaks, with executors that break on purpose and in a stated order."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.cases import case
from support.places import ROOT

import bess_opt as bo
from bess_opt.dispatch.batch.rows import Action
from bess_opt.dispatch.batch.workers import Here, Job, Workers, made_by


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
    workers = Workers(Breaking(takes), 4, Here)
    made = list(made_by(workers, iter(jobs(4)), ACTION, retries))
    assert sorted(job.place for job, _ in made) == [0, 1, 2, 3]
    assert all(row.row["error"] == "" for _, row in made)


def test_only_a_job_that_breaks_a_pool_alone_is_blamed() -> None:
    """Alone in each of three pools: its first try and two more; then the next pool serves the second job."""
    pools = [Breaking(1), Breaking(1)]
    workers = Workers(Breaking(1), 1, lambda: pools.pop() if pools else Here())
    made = {job.place: row for job, row in made_by(workers, iter(jobs(2)), ACTION, retries=2)}
    assert made[0].row["error"] == "its worker died 3 times: gone"
    assert not made[0].final
    assert made[1].row["x"] == 1


# Dask's error for a task that it gave up, told from others by its name.
GivenUpError = type("KilledWorker", (Exception,), {})


class Company(Executor):
    """Like a cluster: while a job named "poison" is at work with others, all of them are given up, one after another."""

    def __init__(self) -> None:
        self.waiting: list[Future[Any]] = []
        self.tried = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        poison = args[2].name == "poison"
        self.tried += poison
        if poison or self.tried == 0:
            self.waiting.append(future)
            if poison:
                error = GivenUpError("4 workers died")
                for late, given_up in enumerate([future, *self.waiting[:-1]]):
                    threading.Timer(0.1 + 0.2 * late, given_up.set_exception, [error]).start()
                self.waiting.clear()
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_who_was_given_up_beside_the_guilty_one_is_tried_alone() -> None:
    """Two jobs died with the third, one heard of it last: both have their rows, and the third is blamed once."""
    asked = jobs(4)
    asked[2] = replace(asked[2], scenario=asked[2].scenario.replace(name="poison"))
    company = Company()
    rows = {job.place: row.row for job, row in made_by(Workers(company, 4, None), iter(asked), ACTION, retries=0)}
    assert [rows[place]["error"] for place in (0, 1, 3)] == ["", "", ""]
    assert rows[2]["error"] == "its worker died 1 times: 4 workers died"
    assert company.tried == 2


def test_a_pool_that_is_not_ours_cannot_be_renewed() -> None:
    """Its breaking is the user's matter."""
    with pytest.raises(bo.BessOptError, match="executor: a worker died and broke it"):
        list(made_by(Workers(Breaking(2), 4, None), iter(jobs(4)), ACTION, retries=2))


@pytest.mark.slow
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


class Closing(Executor):
    """Does `takes` tasks, gives back as many undone, without a word, and then takes no more: a scheduler that ended."""

    def __init__(self, takes: int) -> None:
        self.takes, self.taken = takes, 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.taken += 1
        if self.taken <= self.takes:
            return Here().submit(fn, *args, **kwargs)
        if self.taken > 2 * self.takes:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[Any] = Future()
        if self.taken % 2:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_exception(Exception())
        return future


def test_a_lost_scheduler_fails_its_rows_with_a_sentence(tmp_path: Path) -> None:
    """Of twenty scenarios three are done; each other row says what happened, and all are computed the next time."""
    asked = {str(number): case(price_per_mwh=[10.0, 20.0 + number]).scenario() for number in range(20)}
    first = bo.study(asked, executor=Closing(3), in_flight=2, out=tmp_path / "o")
    assert list(first["error_kind"][:3]) == ["", "", ""]
    assert set(first["error_kind"][3:]) == {"TaskLostError"}
    assert all("gave it back undone (" in error and "call study again" in error for error in first["error"][3:])
    assert "after shutdown" in first["error"].iloc[-1]
    second = bo.study(asked, workers=1, out=tmp_path / "o")
    assert (second["error"] == "").all()
    assert second["net_revenue"].iloc[0] == first["net_revenue"].iloc[0]


def test_an_error_without_words_has_a_name() -> None:
    def silent(_scenario: bo.Scenario) -> dict[str, Any]:
        raise ZeroDivisionError

    table = bo.study([case(price_per_mwh=[10.0, 20.0]).scenario()], action=silent, workers=1)
    assert table["error"].iloc[0] == "ZeroDivisionError, without a word"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")
@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, marks=pytest.mark.second_tier), signal.SIGKILL], ids=["TERM", "KILL"]
)
def test_workers_end_with_their_parent(tmp_path: Path, number: signal.Signals) -> None:
    """Two workers at work, asleep for a minute: seconds after the parent is gone they are gone too."""
    script = tmp_path / "run.py"
    script.write_text(f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
import bess_opt as bo
from support.actions import sleep_long
from support.cases import case
if __name__ == "__main__":
    made = case(price_per_mwh=[10.0, 20.0]).scenario(name={str(tmp_path / "x")!r})
    bo.study([made] * 4, action=sleep_long, workers=2)
""")
    parent = subprocess.Popen([sys.executable, str(script)])
    end = time.monotonic() + 60.0
    while len(workers := list(tmp_path.glob("*.worker"))) < 2:
        assert parent.poll() is None, "the study ended by itself"
        assert time.monotonic() < end, "the workers did not begin"
        time.sleep(0.05)
    parent.send_signal(number)
    parent.wait()
    living = {int(file.stem) for file in workers}
    end = time.monotonic() + 15.0
    while living and time.monotonic() < end:
        living = {pid for pid in living if _lives(pid)}
        time.sleep(0.05)
    assert not living


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX systems")
def test_no_room_for_the_locks_of_workers_is_told() -> None:
    code = f"""
import resource, signal, sys
sys.path.insert(0, {str(ROOT / "tests")!r})
import bess_opt as bo
from support.cases import case
scenario = case(price_per_mwh=[10.0, 20.0]).scenario()
bo.study([scenario], workers=1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
if __name__ == "__main__":
    try:
        bo.study([scenario, scenario], workers=2)
    except bo.BessOptError as error:
        print(error)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    why = "(no room for their locks|File too large)"  # as the system has it
    said = f"workers: they cannot be started: {why}; make room, or stay in this process with workers=1\n"
    assert re.fullmatch(said, ended.stdout)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX systems")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """The kernel refuses to write a row: an error of ours, and no half of a file."""
    code = f"""
import resource, signal, sys
sys.path.insert(0, {str(ROOT / "tests")!r})
import bess_opt as bo
from support.cases import case
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    bo.study([case(price_per_mwh=[10.0, 20.0]).scenario()], workers=1, out={str(tmp_path / "o")!r})
except bo.ScenarioError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot be written: " in ended.stdout
    assert "give" in ended.stdout or "name a folder" in ended.stdout
    assert [file.name for file in (tmp_path / "o").rglob("*")] == ["parts"]
