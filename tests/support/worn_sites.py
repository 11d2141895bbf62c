"""Random sites whose batteries wear by depth of cycle, and rainflow counting of a path written for tests alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import rainflow

from bess_opt import Dispatch
from support.cases import TOPOLOGIES, Case, case


def random_wear(rng: np.random.Generator, most: int = 16) -> dict[str, list[float]]:
    """One to `most` segments at random depths; now and then the cheapest is free, or two cost the same."""
    count = int(rng.integers(1, most + 1))
    depth = np.sort(rng.uniform(0.02, 0.98, count))
    price = np.sort(rng.uniform(0.0, 45.0, count))
    depth[-1] = 1.0
    if rng.random() < 0.3:
        price[0] = 0.0
    if count > 2 and rng.random() < 0.2:
        price[1] = price[0]
    return {"depth": depth.tolist(), "cost_per_mwh": price.tolist()}


def worn_case(seed: int, *, steps: int = 48, **battery: Any) -> Case:
    """A battery with wear by depth beside PV and load, prices of both signs; equal seeds give equal cases."""
    rng = np.random.default_rng(seed)
    topology, step_min = TOPOLOGIES[seed % 3], int(rng.choice([15, 60]))
    low = float(rng.choice([0.0, 0.05, 0.2]))
    high = float(rng.choice([1.0, 0.9]))
    technology = {
        "eta_charge": float(rng.uniform(0.85, 1.0)),
        "eta_discharge": float(rng.uniform(0.85, 1.0)),
        "soc_min": low,
        "soc_max": high,
        "c_rate_max": 2.0,
    }
    shape = np.sin(np.arange(steps) * 2.0 * np.pi * step_min / 60.0 / 24.0 + rng.uniform(0.0, 6.0))
    columns = {"price_per_mwh": rng.normal(35.0, 35.0, steps) + 60.0 * shape}
    if rng.random() < 0.6:
        columns["solar_mw"] = np.maximum(-shape, 0.0) * rng.uniform(0.5, 4.0)
        columns["load_mw"] = rng.uniform(0.0, 2.0, steps)
    site: dict[str, Any] = {"dc_share": 0.5} if topology == "hybrid" else {}
    if rng.random() < 0.3:
        site["export_limit_mw"] = float(rng.uniform(0.5, 2.0))
    own = {
        "power_mw": float(rng.uniform(0.3, 2.0)),
        "duration_h": float(rng.uniform(0.7, 5.0)),
        "topology": topology,
        "technology": technology,
        "converters": {"ac_to_dc": 0.97, "dc_to_ac": 0.97, "dc_to_dc": 0.99},
        "soc_start": float(rng.uniform(low, high)),
        "soc_end": str(rng.choice(["free", "at_least_start", "equal"])),
        "wear": random_wear(rng),
    }
    return case(battery=own | battery, site=site, step_min=step_min, zone="Europe/Berlin", **columns)


def counted_wear(plan: Dispatch) -> float:
    """Rainflow cost of the plan's stored energy: each falling range whole at the price of its depth."""
    battery = plan.scenario.battery
    assert battery.wear is not None
    energy = battery.energy_mwh
    path = np.append(battery.soc_start_resolved, plan.schedule["energy_mwh"].to_numpy() / energy)
    total = 0.0
    for depth, _mean, count, first, last in rainflow.extract_cycles(path.tolist()):
        if count == 1.0 or path[last] < path[first]:
            edges = np.clip(np.array([0.0, *battery.wear.depth]), 0.0, depth)
            total += float(np.diff(edges) @ np.array(battery.wear.cost_per_mwh)) * energy
    return total
