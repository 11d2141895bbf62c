"""Times in pairs, and peak memory in a process of its own."""

from __future__ import annotations

import gc
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEMORY = Path(__file__).with_name("memory.py")


@dataclass(frozen=True)
class Times:
    """Seconds per run of each contender, run by run, and each one's last answer."""

    seconds: dict[str, list[float]]
    answers: dict[str, Any]

    def median(self, name: str) -> float:
        """Median seconds of a contender."""
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, floor: str) -> float:
        """Median over the runs of `name` as a multiple of `floor`: what slows a whole run cancels out."""
        pairs = zip(self.seconds[name], self.seconds[floor], strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)


def _cpu() -> float:
    """Seconds of work of this process and of those that it started and waited for."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


CLOCKS = {"wall": time.perf_counter, "cpu": _cpu}


def paired(contenders: Mapping[str, Callable[[], Any]], repeat: int, clock: str = "wall") -> Times:
    """Run all contenders `repeat` times, one after the other, every second run in reversed order.

    `clock` "cpu" counts this process's work only: for a machine that others use too.
    """
    now = CLOCKS[clock]
    times = Times({name: [] for name in contenders}, {})
    for run in range(repeat):
        order = list(contenders) if run % 2 == 0 else list(reversed(contenders))
        for name in order:
            gc.collect()
            began = now()
            times.answers[name] = contenders[name]()
            times.seconds[name].append(now() - began)
    return times


def peak_memory(case: str, steps: int | None) -> dict[str, float]:
    """Memory of one optimisation of `case`, MiB, measured in a fresh process by `memory.py`."""
    command = [sys.executable, str(MEMORY), case, *([] if steps is None else [str(steps)])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{case}: {done.stderr.strip().splitlines()[-1:]}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured
