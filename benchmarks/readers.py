"""Reading a year of five-minute prices, beside pandas reading the same file with its times.

    python benchmarks/readers.py

Prints the best of five of each and their ratio, which must stay below 1.3; and the memory that a long file takes.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import bess_opt as bo


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of five runs."""
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def written(folder: Path, years: int) -> Path:
    """Years of five-minute prices in New York's clock, with offsets."""
    index = pd.date_range("2020-01-01", periods=years * 105_120, freq="5min", tz="America/New_York")
    prices = np.round(30 + 20 * np.sin(np.arange(len(index)) / 46.0), 5)
    file = folder / f"{years}.csv"
    pd.DataFrame({"price (USD/MWh)": prices}, index=index.rename("start")).to_csv(file)
    return file


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        year = written(Path(folder), 1)
        bo.read_prices(year, clock="America/New_York")
        ours = best(lambda: bo.read_prices(year, clock="America/New_York"))
        theirs = best(lambda: pd.read_csv(year, parse_dates=[0], index_col=0))
        print(f"a year of five minutes: {ours:.3f} s, pandas {theirs:.3f} s, ratio {ours / theirs:.2f}")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        long = written(Path(folder), 24)
        begin = time.perf_counter()
        bo.read_prices(long, clock="America/New_York")
        seconds = time.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        size = long.stat().st_size / 1e6
        print(f"{size:.0f} MB: {seconds:.1f} s, {after / 1e3:.0f} MB at most, {before / 1e3:.0f} MB before")


if __name__ == "__main__":
    main()
