"""Bills of a year of quarter-hours: tiers, three demand rows and a ratchet; peaks of different days."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from engine import raw_program
from measure import paired
from workloads import first_steps

import bess_opt as bo
from bess_opt.inputs.scenario import Scenario

YEAR = 35_040
ROWS = [
    {"price_per_mw_month": 6_000.0, "interval_min": 15},
    {"price_per_mw_month": 9_000.0, "months": [6, 7, 8, 9], "days": "weekday", "hours": [12, 18], "interval_min": 30},
    {"price_per_mw_month": 2_500.0, "interval_min": 15, "ratchet": {"share": 0.8, "months": 11}},
]
TIERS = {
    "energy": [
        {"tiers": [[700.0, 95.0], [float("inf"), 120.0]], "hours": [[0, 8], [20, 24]]},
        {"tiers": [[600.0, 160.0], [float("inf"), 210.0]], "hours": [8, 20]},
    ],
    "export": 20.0,
    "demand": ROWS,
}
PEAKS = {
    "energy": [
        {"price_per_mwh": 95.0, "hours": [[0, 8], [20, 24]]},
        {"price_per_mwh": 160.0, "hours": [8, 20]},
    ],
    "export": 20.0,
    "demand": [{"price_per_mw_month": 10_000.0, "interval_min": 15, "peaks": {"n": 3, "distinct": "day"}}],
}


def site(tariff: dict[str, Any], steps: int | None = None) -> Scenario:
    """An office with solar and a battery for a year of quarter-hours, drawn with a fixed seed."""
    rng, at = np.random.default_rng(11), pd.date_range("2025-01-01", periods=YEAR, freq="15min", tz="Europe/Berlin")
    hour, day = np.arange(YEAR) % 96 / 4.0, np.arange(YEAR) // 96
    busy = np.where(day % 7 < 5, 1.0, 0.45) * rng.uniform(0.85, 1.15, 365)[day]
    load = 1.0 + busy * np.exp(-(((hour - 13.5) / 4.0) ** 2)) * 2.2 + rng.uniform(0.0, 0.35, YEAR)
    sun = np.clip(np.sin((hour - 6.0) * np.pi / 12.0), 0.0, None) * (0.6 + 0.4 * np.sin((day - 80) / 365 * 2 * np.pi))
    solar = 1.2 * sun * rng.uniform(0.3, 1.0, 365)[day]
    series = pd.DataFrame({"load_mw": load.round(4), "solar_mw": solar.round(4)}, index=at)
    scenario: Scenario = bo.Scenario(
        battery=bo.Battery(power_mw=1.0, duration_h=2.0),
        site=bo.Site(time_zone="Europe/Berlin"),
        series=series,
        tariff=tariff,
        strategy="arbitrage",
        name="a year of bills",
    )
    return scenario if steps is None else first_steps(scenario, steps)


GOALS: tuple[tuple[str, dict[str, Any], str, float], ...] = (
    ("two energy tiers, three demand rows, a ratchet", TIERS, "ratio", 3.0),
    ("three peaks of different days", PEAKS, "seconds", 60.0),
)


def time_tariffs(repeat: int, clock: str, steps: int | None, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """A row of each goal: our time, raw HiGHS on the same program, the gap that is left and the most allowed."""
    rows = []
    for name, tariff, unit, most in GOALS:
        progress(name)
        scenario = site(tariff, steps)
        times = paired(
            {"ours": lambda s=scenario: bo.optimize(s), "highs": lambda s=scenario: raw_program(s)}, repeat, clock
        )
        plan = times.answers["ours"]
        rows.append(
            {
                "work": name,
                "seconds": times.median("ours"),
                "highs_seconds": times.median("highs"),
                "ratio": times.ratio("ours", "highs"),
                "unit": unit,
                "at_most": most,
                "objective": plan.report.objective,
                "bound": plan.report.bound,
                "gap": plan.report.gap,
                "engine": plan.report.engine,
            }
        )
    return rows
