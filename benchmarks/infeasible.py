"""How long an infeasible scenario takes to say why and what would mend it: random sites of up to 100 steps.

Two kinds are drawn in turn: one with a daily cap and one step of an hour, and one with caps of any kind, limits that
change from step to step, demand rows, reserves and load that may be shed. Seconds are those of the processor, which a
busy machine does not lengthen.

python benchmarks/infeasible.py [--cases 60] [--steps 100]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

import bess_opt as bo

GOAL_S = 5.0
STRATEGIES = ("arbitrage", "self_consumption", "peak_shaving")
CAPS: tuple[dict[str, object], ...] = (
    {"count": 0.6, "per": "day"}, {"count": 1.5, "per": "month", "used": 0.7}, {"count": 2.0, "per": "year"},
    {"count": 0.4, "hours": 12}, {"count": 1.0, "per": "horizon", "counts": "charged"},
)  # fmt: skip


def drawn(seed: int, steps: int) -> bo.Scenario:
    """A battery of 1 MW behind a connection that is often too small, with an end that is often out of reach."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2025-01-18 03:00", periods=steps, freq="h", tz="Europe/Berlin")
    topology = str(rng.choice(["parallel_ac", "series_dc"]))
    cells = {"eta_charge": 0.87, "eta_discharge": 0.88, "soc_min": 0.07, "soc_max": 0.96, "c_rate_max": 1.0}
    battery: dict[str, object] = {
        "power_mw": 1.0, "duration_h": 3.0, "topology": topology, "technology": cells,
        "soc_start": float(rng.uniform(0.1, 0.9)), "soc_end": float(rng.uniform(0.1, 0.9)),
    }  # fmt: skip
    site: dict[str, object] = {
        "import_limit_mw": float(rng.uniform(0.2, 1.0)), "export_limit_mw": float(rng.uniform(0.0, 1.0)),
        "battery_export": bool(rng.random() < 0.5), "curtailment": bool(rng.random() < 0.4),
        "grid_charging": bool(rng.random() < 0.7),
    }  # fmt: skip
    series = pd.DataFrame(
        {
            "price_per_mwh": rng.normal(30.0, 40.0, steps),
            "load_mw": rng.uniform(0.1, 1.0, steps),
            "solar_mw": np.maximum(rng.normal(0.2, 0.8, steps), 0.0),
        },
        index=index,
    )
    strategy = str(rng.choice(STRATEGIES))
    if seed % 2 == 0:
        return bo.Scenario(battery=battery | {"max_cycles_per_day": 0.8}, series=series, site=site, strategy=strategy)
    chosen = rng.choice(len(CAPS), size=2, replace=False)
    battery["max_cycles"] = [CAPS[int(one)] for one in chosen]
    for name, low, high in (
        ("import_limit_mw", 0.1, 1.2),
        ("charge_limit_mw", 0.0, 1.0),
        ("energy_min_mwh", 0.0, 1.5),
    ):
        if rng.random() < 0.5:
            series[name] = rng.uniform(low, high, steps)
    if "import_limit_mw" in series:
        del site["import_limit_mw"]
    if rng.random() < 0.3:
        site["unserved_price_per_mwh"] = 3000.0
    rows = [{"price_per_mw_month": 4000.0}]
    if rng.random() < 0.5:
        rows.append({"price_per_mw_month": 2000.0, "contracted_mw": 0.4, "overrun_price_per_mw_month": 9000.0})
    return bo.Scenario(battery=battery, series=series, site=site, strategy=strategy, tariff={"demand": rows})


def main() -> None:
    """Print the slowest of the infeasible cases, and their median."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    seconds: dict[int, float] = {}
    for seed in range(given.cases):
        scenario = drawn(seed, given.steps)
        started = time.process_time()
        try:
            bo.optimize(scenario.replace(solver={"time_limit_s": 10.0}))
        except bo.InfeasibleError:
            seconds[seed] = time.process_time() - started
        except bo.SolveError:
            continue
    slowest = max(seconds, key=seconds.__getitem__)
    median = float(np.median(list(seconds.values())))
    print(
        f"{len(seconds)} infeasible of {given.cases}: median {median:.2f} s, seed {slowest} {seconds[slowest]:.2f} s"
    )
    print(f"goal {GOAL_S:g} s: {'met' if seconds[slowest] <= GOAL_S else 'missed'}")


if __name__ == "__main__":
    main()
