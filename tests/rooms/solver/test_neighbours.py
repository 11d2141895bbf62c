"""HiGHS of this package and of others in one process: neither fails nor changes the other, and ours says nothing."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highspy
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.solver import highs_process

THREADS = (None, 1, 2, 3)  # None: the library's own choice, as PyPSA, linopy and cvxpy leave it


def scenario_of() -> bo.Scenario:
    """A day of two cycles."""
    time = pd.date_range("2025-01-01", periods=24, freq="h", tz="UTC")
    series = pd.DataFrame({"price_per_mwh": [10.0, 40.0, 20.0, 90.0] * 6}, index=time)
    return bo.Scenario(
        battery=bo.Battery(power_mw=1.0, duration_h=2.0),
        series=series,
        strategy="arbitrage",
        solver={"engine": "highs"},
    )


def neighbour(threads: int | None) -> tuple[Any, Callable[[], str]]:
    """A program of somebody else's, and how it ends when it is run (again)."""
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    if threads is not None:
        highs.setOptionValue("threads", threads)
    columns = [highs.addVariable(lb=0.0, ub=10.0) for _ in range(4)]
    highs.addConstr(sum(columns) >= 3.0)
    highs.setObjective(sum(columns))

    def run() -> str:
        highs.run()
        return str(highs.modelStatusToString(highs.getModelStatus()))

    return highs, run


def in_a_thread(work: Callable[[], None]) -> None:
    """HiGHS keeps its threads per thread of the system: a new one has none yet, whatever ran in the others."""
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


@pytest.mark.parametrize(("before", "ours", "after"), [*itertools.product(THREADS, (1, 2), THREADS)])
def test_ours_between_two_of_others(before: int | None, ours: int, after: int | None) -> None:
    """Each has its own number of threads; the first is run again at the end, as a model that is kept would be."""
    expected = bo.optimize(scenario_of()).metrics

    def work() -> None:
        _, first = neighbour(before)
        assert first() == "Optimal"
        plan = bo.optimize(scenario_of().replace(solver={"threads": ours}))
        assert plan.metrics == expected
        _, second = neighbour(after)
        assert second() == "Optimal"
        assert bo.optimize(scenario_of()).metrics == expected

    in_a_thread(work)


@pytest.mark.parametrize("threads", THREADS)
def test_a_model_of_others_is_run_again_after_ours(threads: int | None) -> None:
    def work() -> None:
        _, run = neighbour(threads)
        ends = [run()]
        bo.optimize(scenario_of())
        ends.append(run())
        assert ends == ["Optimal", "Optimal"]

    in_a_thread(work)


def test_side_by_side_with_others_in_their_own_threads() -> None:
    """Others solve with all their numbers of threads while ours does, again and again."""
    expected = bo.optimize(scenario_of()).metrics
    ends: set[str] = set()
    stop = threading.Event()

    def solve(threads: int | None) -> None:
        while not stop.is_set():
            ends.add(neighbour(threads)[1]())

    others = [threading.Thread(target=solve, args=(threads,)) for threads in THREADS]
    for other in others:
        other.start()
    try:
        found = [bo.optimize(scenario_of()).metrics for _ in range(5)]
    finally:
        stop.set()
        for other in others:
            other.join()
    assert found == [expected] * 5
    assert ends == {"Optimal"}


def test_nothing_stands_on_stdout_in_a_new_process() -> None:
    """Also where the first object of the process is made, of which HiGHS 1.16 tells the world."""
    code = """\
import pandas as pd, bess_opt as bo
time = pd.date_range("2025-01-01", periods=4, freq="h", tz="UTC")
series = pd.DataFrame({"price_per_mwh": [1.0, 9.0, 2.0, 8.0]}, index=time)
bo.optimize(bo.Scenario(battery=bo.Battery(power_mw=1.0, duration_h=1.0), series=series, strategy="arbitrage", solver={"engine": "highs"}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("always", [True, False], ids=["each time", "once"])
def test_a_version_that_greets_is_not_heard(
    always: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever it writes, by way of the file descriptor; what others write before and after stays."""
    made = []
    genuine = highspy.Highs

    class Greeting(genuine):  # type: ignore[valid-type, misc]
        def __init__(self) -> None:
            if always or not made:
                os.write(1, b"a new greeting\n")
            made.append(self)
            super().__init__()

    monkeypatch.setattr(highspy, "Highs", Greeting)
    monkeypatch.setattr(highs_process, "_greetings", [])
    os.write(1, b"before\n")
    for _ in range(4):
        highs_process.new_highs()
    os.write(1, b"after\n")
    assert len(made) == 4
    assert capfd.readouterr() == ("before\nafter\n", "")


def test_there_is_one_place_that_makes_and_runs_highs() -> None:
    """A second place would bring both faults back unseen."""
    for path in Path(bo.__file__).parent.rglob("*.py"):
        text = path.read_text("utf-8")
        if path.name != "highs_process.py":
            assert not re.search(r"highspy\.Highs\b", text), path
            assert "highs.run(" not in text, path
