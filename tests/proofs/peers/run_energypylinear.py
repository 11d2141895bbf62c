"""Runs in the interpreter of an environment with energy-py-linear: a case as JSON on stdin, its plan on stdout."""

from __future__ import annotations

import json
import sys

import energypylinear as epl


def main() -> None:
    """Optimise one battery for price and write import and export of each interval, MWh."""
    case = json.load(sys.stdin)
    battery = epl.Battery(**case["battery"])
    simulation = battery.optimize(verbose=5, optimizer_config={"relative_tolerance": 0.0, "verbose": False})
    results = simulation.results
    flows = {name: results[f"site-{name}_power_mwh"].tolist() for name in ("import", "export")}
    sys.stdout.write("\n" + json.dumps(flows) + "\n")


if __name__ == "__main__":
    main()
