"""A study on a real Dask cluster, one of whose workers is killed in the middle: nothing is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from support import actions
from support.cases import random_case

import bess_opt as bo

distributed = pytest.importorskip("distributed", reason="needs the extra dask")
pytestmark = pytest.mark.cluster
SCENARIOS = 40


def kill_in_the_middle(pid: int, parts: Path, killed: list[int]) -> None:
    """End worker `pid` once a few rows are kept, while many are still to come."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        done = len(list(parts.glob("[!.]*.parquet"))) if parts.is_dir() else 0
        if done >= 3:
            os.kill(pid, signal.SIGKILL)
            killed.append(done)
            return
        time.sleep(0.005)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[distributed.Client]:
    """Two workers of one thread each, in processes of their own."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", local_directory=tmp_path
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_a_killed_worker_loses_nothing(client: distributed.Client, tmp_path: Path) -> None:
    """One worker dies after the first rows. Every row is there, and each is the serial one to the last bit."""
    asked = {str(seed): random_case(seed, plain=True).scenario() for seed in range(SCENARIOS)}
    killed: list[int] = []
    victim = sorted(client.run(os.getpid).values())[0]
    killer = threading.Thread(target=kill_in_the_middle, args=(victim, tmp_path / "out" / "parts", killed))
    killer.start()
    table = bo.study(asked, executor=client.get_executor(), out=tmp_path / "out")
    killer.join()
    assert len(killed) == 1
    assert killed[0] < SCENARIOS
    assert (table["error"] == "").all()
    pd.testing.assert_frame_equal(table, bo.study(asked, workers=1), check_exact=True)


def test_a_scenario_that_kills_every_worker_is_a_row(client: distributed.Client) -> None:
    """Dask gives it up after four workers; the study says so in its row and goes on."""
    asked = {str(seed): random_case(seed, plain=True).scenario() for seed in range(4)}
    asked["2"] = asked["2"].replace(name="poison")
    table = bo.study(asked, action=actions.die_always, executor=client.get_executor(), retries=0)
    assert table["error_kind"].to_list() == ["", "", "WorkerDiedError", ""]
    assert "its worker died 1 times" in table.loc["2", "error"]
