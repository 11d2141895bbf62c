"""Sizing on a real Dask cluster, one of whose workers is killed in the middle: the same answer to the last bit."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from support.sites import solar_plant

import bess_opt as bo

distributed = pytest.importorskip("distributed", reason="needs the extra dask")
pytestmark = pytest.mark.cluster


def test_a_killed_worker_changes_nothing(tmp_path: Path) -> None:
    """49 sizes planned in full by two workers; one is gone while they work."""
    scenario = solar_plant(strategy={"name": "time_shift", "window": ["18:00", "22:00"]})
    ranges = {"power_mw": (0.5, 4.0), "duration_h": (1.0, 6.0)}
    killed: list[int] = []

    def kill(pid: int, client: distributed.Client) -> None:
        deadline = time.monotonic() + 60.0
        while time.monotonic() < deadline and not any(client.processing().values()):
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", local_directory=tmp_path
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        victim = sorted(client.run(os.getpid).values())[0]
        killer = threading.Thread(target=kill, args=(victim, client))
        killer.start()
        best = bo.size(scenario, **ranges, executor=client.get_executor())
        killer.join()
    assert killed == [victim]
    serial = bo.size(scenario, **ranges, workers=1)
    pd.testing.assert_frame_equal(best.table, serial.table, check_exact=True)
    assert (best.power_mw, best.energy_mwh, best.value) == (serial.power_mw, serial.energy_mwh, serial.value)
