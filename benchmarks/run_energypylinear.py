"""Runs in the interpreter of an environment with energy-py-linear: a battery on stdin, cash and seconds on stdout."""

from __future__ import annotations

import json
import sys
import time

import energypylinear as epl


def main() -> None:
    """Time one battery optimised for price."""
    words = json.load(sys.stdin)
    began = time.perf_counter()
    simulation = epl.Battery(**words).optimize(verbose=5, optimizer_config={"verbose": False})
    seconds = time.perf_counter() - began
    results = simulation.results
    cash = (
        results["site-export_power_mwh"] @ words["export_electricity_prices"]
        - results["site-import_power_mwh"] @ words["electricity_prices"]
    )
    sys.stdout.write("\n" + json.dumps({"cash": float(cash), "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
