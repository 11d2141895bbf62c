"""What a report of a year costs beside the plans that it shows: seconds, and times `optimize` + `simulate`.

`python benchmarks/report.py [SCENARIO]`; by default the year of `scenarios/solar_merchant`. With a sizing nothing is
solved, so its time is that of the pictures. A ratio above 3 ends with exit code 1.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import bess_opt as bo

ROOT = Path(__file__).resolve().parents[1]
MOST = 3.0
T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` gives, and the seconds that it took."""
    began = time.perf_counter()
    made = work()
    return made, time.perf_counter() - began


def main(folder: str) -> int:
    """Measure and say."""
    scenario = bo.load(folder)
    bo.report(scenario.replace(series=scenario.series.iloc[:48], finance=None))  # what is loaded once for all
    _, optimum = timed(lambda: bo.optimize(scenario))
    _, rule = timed(lambda: bo.simulate(scenario))
    _, driven = timed(lambda: bo.control(scenario, horizon_h=48.0, every_h=24.0)) if scenario.finance else (None, 0.0)
    _, page = timed(lambda: bo.report(scenario))
    ratio = (page - driven) / (optimum + rule)
    print(f"{scenario.name}, {len(scenario.series):,} steps")
    print(f"optimize {optimum:.2f} s, simulate {rule:.2f} s, on forecasts {driven:.2f} s, report {page:.2f} s")
    print(f"report less the run on forecasts: {ratio:.2f} times optimize + simulate (at most {MOST:g})")
    return 0 if ratio <= MOST else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "scenarios" / "solar_merchant")))
