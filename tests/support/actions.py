"""What workers of the study tests do; in a module of its own, so that they can import it by name."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import bess_opt as bo


def net_revenue(scenario: bo.Scenario) -> dict[str, Any]:
    """One figure of the optimum."""
    return {"net_revenue": bo.optimize(scenario).metrics.net_revenue, "rank": 3, "good": True, "note": None}


def die_once(scenario: bo.Scenario) -> dict[str, Any]:
    """Takes its worker with it at the first try; the scenario's name is a file that remembers."""
    mark = Path(scenario.name)
    if mark.suffix == ".once" and not mark.exists():
        mark.touch()
        os._exit(9)
    return net_revenue(scenario)


def die_always(scenario: bo.Scenario) -> dict[str, Any]:
    """A scenario named "poison" never comes back."""
    if scenario.name == "poison":
        os._exit(9)
    return net_revenue(scenario)


def sleep_long(scenario: bo.Scenario) -> dict[str, Any]:
    """Leaves its process number in the folder that is the scenario's name, and is never done."""
    (Path(scenario.name).parent / f"{os.getpid()}.worker").touch()
    time.sleep(60.0)
    return {}
