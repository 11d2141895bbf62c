"""What a report of a year costs beside the plans that it shows: seconds of work, and times `optimize` + `simulate`.

`python benchmarks/report.py [--repeat N] [--clock wall] [SCENARIO ...]`; by default the years of `scenarios/` with
steps of an hour, medians of five runs in turns. With a sizing nothing is solved, so its time is that of the pictures.
A ratio above 3 ends with exit code 1.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import paired

import bess_opt as bo

YEARS = Path(__file__).resolve().parents[1] / "scenarios"
NAMES = ("solar_merchant", "flexible_connection", "office_with_tariff", "warranty_year")
MOST = 3.0


def measured(folder: str, repeat: int, clock: str) -> float:
    """Say what the report of a scenario costs; its ratio."""
    scenario = bo.load(folder)
    bo.report(scenario.replace(series=scenario.series.iloc[:48], finance=None))  # what is loaded once for all
    asked: dict[str, Callable[[], Any]] = {
        "optimize": lambda: bo.optimize(scenario),
        "simulate": lambda: bo.simulate(scenario),
        "report": lambda: bo.report(scenario),
    }
    if scenario.finance:
        asked["on forecasts"] = lambda: bo.control(scenario, horizon_h=48.0, every_h=24.0)
    times = paired(asked, repeat, clock)
    runs = [dict(zip(times.seconds, run, strict=True)) for run in zip(*times.seconds.values(), strict=True)]
    ratios = [(run["report"] - run.get("on forecasts", 0.0)) / (run["optimize"] + run["simulate"]) for run in runs]
    ratio = statistics.median(ratios)
    print(f"{scenario.name}, {len(scenario.series):,} steps")
    print(", ".join(f"{name} {times.median(name):.2f} s" for name in asked))
    print(f"report less the run on forecasts: {ratio:.2f} times optimize + simulate (at most {MOST:g})")
    return ratio


def main() -> int:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=[str(YEARS / name) for name in NAMES])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--clock", choices=("cpu", "wall"), default="cpu")
    asked = parser.parse_args()
    ratios = [measured(folder, asked.repeat, asked.clock) for folder in asked.scenarios]
    return 0 if max(ratios) <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
