"""Peak memory of one plan in MiB, as JSON: `python benchmarks/memory.py CASE [STEPS]`."""

from __future__ import annotations

import json
import resource
import sys
from functools import partial
from pathlib import Path

from workloads import TEN_YEARS, Case, available, first_steps, ten_years

import bess_opt as bo

STATUS = Path("/proc/self/status")


def peak_mib() -> float:
    """Most resident memory of this process so far, MiB.

    Linux keeps it per program in VmHWM; ru_maxrss would start from that of the process that started it.
    """
    if STATUS.exists():
        lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
        return float(lines["VmHWM"].split()[0]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measure(case: Case) -> dict[str, float]:
    """Peak after imports and a first tiny plan, after loading, and after the plan itself."""
    bo.optimize(first_steps(available()["small"].scenario(), 24))
    imports = peak_mib()
    scenario = case.scenario()
    loaded = peak_mib()
    plan = bo.optimize(scenario)
    peak = peak_mib()
    return {
        "steps": len(plan.schedule),
        "imports": imports,
        "loaded": loaded,
        "peak": peak,
        "above_imports": peak - imports,
    }


def main(arguments: list[str]) -> None:
    """Measure the case that the command line names."""
    longest = Case(TEN_YEARS, "battery alone, ten years of five minutes", partial(ten_years, 1.0))
    case = {**available(), longest.name: longest}[arguments[0]]
    print(json.dumps(measure(case.short(int(arguments[1])) if len(arguments) > 1 else case)))


if __name__ == "__main__":
    main(sys.argv[1:])
