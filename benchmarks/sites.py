"""Sites with several batteries, caps, bans, ramps, clauses and outages: a year of quarter-hours each, and raw HiGHS.

    python benchmarks/sites.py [--days N] [--clock cpu] [WORK ...]

The floor is a plain HiGHS on the scenario's own linear program without the one-way rule, in the same run. For
`bo.connection` it is one plan of the same scenario, for `bo.resilience` a minute, for a sizing over twenty years
(hours of a solar plant, in seconds of the processor) that over one of them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from engine import raw_program
from measure import CLOCKS
from workloads import first_steps, shipped

import bess_opt as bo
from bess_opt.inputs.scenario import Scenario

CELLS = {"soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
PLAIN = {
    "topology": "parallel_ac",
    "converters": {"ac_to_dc": 1.0, "dc_to_ac": 1.0},
    "soc_start": 0.0,
    "soc_end": "free",
}
LIMITS = {"import_limit_mw": 1.2, "export_limit_mw": 1.2}
NOON = {"name": "noon", "import_mw": 0.0, "months": [4, 5, 6, 7, 8, 9], "hours": [10, 16]}
BAN = {"name": "surplus", "export_mw": 0.0, "when": {"series": "price_per_mwh", "below": 0.0}}
RAMP = {"name": "ramp", "ramp_mw_per_min": 0.03}
SIX = [
    NOON,
    BAN,
    {"name": "evening", "import_mw": 0.3, "hours": [17, 20], "days": "weekday"},
    {"name": "night", "export_mw": 0.6, "hours": [0, 5]},
    {"name": "winter", "import_mw": 0.5, "from": "11-01", "to": "02-28"},
    {"name": "priced", "export_mw": 0.8, "overrun_price_per_mwh": 30.0, "hours": [11, 14]},
]


def battery(name: str, power_mw: float, energy_mwh: float, eta: float) -> dict[str, Any]:
    """A battery that is empty at first, with `eta` each way."""
    cells = CELLS | {"eta_charge": eta, "eta_discharge": eta}
    return PLAIN | {"name": name, "power_mw": power_mw, "duration_h": energy_mwh / power_mw, "technology": cells}


NORTH, SOUTH = battery("north", 1.0, 1.0, 0.97), battery("south", 0.5, 2.0, 0.93)
ALONE = battery("alone", 1.0, 2.0, 0.95)


def scenario(batteries: list[dict[str, Any]], days: int, clauses: list[dict[str, Any]], **more: Any) -> Scenario:
    """The batteries on the quarter-hours of the shipped year, with prices below zero."""
    given = first_steps(shipped("arbitrage_15min"), 96 * days)
    series = given.series.assign(**more.pop("columns", {}))
    made: Scenario = bo.Scenario(
        battery=batteries, series=series, site=LIMITS | more, connection=clauses, strategy="arbitrage"
    )
    return made


def seconds(work: Callable[[], Any], clock: str) -> tuple[float, Any]:
    """(seconds, answer) of one run by one of `CLOCKS`."""
    began = CLOCKS[clock]()
    answer = work()
    return CLOCKS[clock]() - began, answer


def price_years(days: int, number: int = 20) -> str:
    """The sizing over so many drawn years beside that over the year they are drawn from."""
    given = first_steps(shipped("solar_merchant"), 24 * days).replace(finance={"horizons_per_year": 365 / days})
    years = bo.monte_carlo(given, number, seed=1)
    taken = []
    for more in ({}, {"price_years": years}):
        began = time.process_time()
        best = bo.size(given, (1, 20), (1, 8), **more)
        taken.append(time.process_time() - began)
    one, all_of_them = taken
    said = f"ratio {all_of_them / one:.1f} of at most 25, gap {best.gap:.1e}, {best.calls} solves"
    return f"price-years: {all_of_them:.1f} s, one year {one:.1f} s, {said}"


def plans(days: int) -> dict[str, tuple[Scenario, float]]:
    """Scenarios that are planned once, with the most allowed over raw HiGHS."""
    return {
        "two-batteries": (scenario([NORTH, SOUTH], days, []), 2.0),
        "caps-and-bans": (scenario([ALONE], days, [NOON, BAN]), 0.5),
        "ramp": (scenario([ALONE], days, [RAMP]), 2.0),
    }


def main() -> None:
    """Print a line for each work: ours, the floor, the ratio, the most allowed."""
    asked = argparse.ArgumentParser(description="Time sites of several batteries and clauses.")
    asked.add_argument("--days", type=int, default=365)
    asked.add_argument("--clock", choices=list(CLOCKS), default="wall", help="cpu where others use the machine too")
    asked.add_argument("work", nargs="*")
    chosen = asked.parse_args()
    clock = chosen.clock
    for name, (given, most) in plans(chosen.days).items():
        if chosen.work and name not in chosen.work:
            continue
        ours, plan = seconds(partial(bo.optimize, given), clock)
        raw, _ = seconds(partial(raw_program, given), clock)
        said = f"{plan.report.engine}, gap {plan.report.gap:.1e}"
        print(
            f"{name}: {ours:.2f} s, raw {raw:.2f} s, ratio {ours / raw:.2f} of at most {most:g}, {said}", flush=True
        )
    if not chosen.work or "connection" in chosen.work:
        given = scenario([ALONE], chosen.days, SIX)
        one, _ = seconds(lambda: bo.optimize(given), clock)
        all_of_them, _ = seconds(lambda: bo.connection(given), clock)
        print(f"connection: {all_of_them:.2f} s, one plan {one:.2f} s, ratio {all_of_them / one:.2f} of at most 8")
    if not chosen.work or "resilience" in chosen.work:
        given = scenario([ALONE], chosen.days, [], columns={"load_mw": 0.3})
        took, _ = seconds(lambda: bo.resilience(given), clock)
        print(f"resilience: {took:.2f} s of at most 60")
    if not chosen.work or "price-years" in chosen.work:
        print(price_years(chosen.days), flush=True)


if __name__ == "__main__":
    main()
