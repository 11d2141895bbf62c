"""Random sites with one to three clauses of a connection, as plain data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from support.cases import LOSSLESS, Case

HOLIDAYS = ["2025-03-31", "2025-07-04", "2025-12-31"]
BEGINS = ["2025-03-29", "2025-10-25", "2025-07-04", "2025-12-31", "2024-02-28", "2025-03-08"]


def random_case(seed: int) -> tuple[Case, list[dict[str, Any]]]:
    """A site of 8 to 40 steps around clock changes, holidays and New Year, and its clauses."""
    draw = np.random.default_rng(seed)
    zone = str(draw.choice(["Europe/Berlin", "America/New_York", "UTC"]))
    steps, minutes = int(draw.integers(8, 40)), int(draw.choice([15, 30, 60]))
    begin = pd.Timestamp(str(draw.choice(BEGINS)), tz=zone) + pd.Timedelta(hours=int(draw.integers(0, 30)))
    index = pd.date_range(begin, periods=steps, freq=f"{minutes}min")
    tied = draw.choice([-10.0, 0.0, 20.0], steps)
    series = pd.DataFrame({"price_per_mwh": draw.normal(30, 50, steps).round(1)}, index=index)
    if draw.random() < 0.4:
        series["price_per_mwh"] = tied
    if draw.random() < 0.6:
        series["solar_mw"] = np.maximum(draw.normal(1, 1.5, steps), 0).round(2)
    if draw.random() < 0.5:
        series["load_mw"] = draw.uniform(0, 2, steps).round(2)
    cells = {"eta_charge": float(draw.choice([0.9, 0.95, 1.0])), "eta_discharge": 0.95}
    battery = {
        "power_mw": float(draw.choice([0.5, 1, 2])),
        "duration_h": float(draw.choice([1, 2, 4])),
        "technology": cells | {"soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0},
        "topology": str(draw.choice(["parallel_ac", "series_dc"])),
        "converters": LOSSLESS if draw.random() < 0.4 else {"ac_to_dc": 0.95, "dc_to_ac": 0.96, "dc_to_dc": 0.98},
        "soc_start": float(draw.choice([0.0, 0.5])),
        "soc_end": "at_least_start",
    }
    site: dict[str, Any] = {"holidays": HOLIDAYS}
    for key, chance, values in (
        ("export_limit_mw", 0.4, [0.5, 2.0, 3.0]),
        ("import_limit_mw", 0.3, [1.0, 2.0, 3.0]),
        ("curtailment", 0.3, [False]),
        ("unserved_price_per_mwh", 0.4, [500.0]),
    ):
        if draw.random() < chance:
            site[key] = draw.choice(np.array(values)).item()
    return Case(battery=battery, series=series, site=site), [
        _clause(draw, k) for k in range(int(draw.integers(1, 4)))
    ]


def _clause(draw: np.random.Generator, number: int) -> dict[str, Any]:
    clause: dict[str, Any] = {"name": f"clause {number}"}
    if draw.random() < 0.3:
        clause["ramp_mw_per_min"] = float(draw.choice([0.01, 0.02, 0.05]))
        if draw.random() < 0.5:
            clause["before_mw"] = float(draw.choice([0.0, 0.5, -0.5]))
    else:
        if draw.random() < 0.6:
            clause["export_mw"] = float(draw.choice([0.0, 0.3, 1.0]))
        if draw.random() < 0.5 or "export_mw" not in clause:
            clause["import_mw"] = float(draw.choice([0.0, 0.4, 1.0]))
        if draw.random() < 0.5:
            clause["overrun_price_per_mwh"] = float(draw.choice([0.0, 5.0, 50.0]))
    if draw.random() < 0.5:
        windows = [[[6, 9], [12, 16]], [8, 18], [22, 6], [0, 12], [10, 15]]
        clause["hours"] = windows[int(draw.integers(len(windows)))]
    if draw.random() < 0.3:
        days = [["weekday", "saturday"], ["holiday"], ["sunday", "holiday"], "weekday", "weekend"]
        clause["days"] = days[int(draw.integers(len(days)))]
    if draw.random() < 0.2:
        clause["months"] = [3, 7, 12]
    elif draw.random() < 0.2:
        dates = [("12-31", "03-29"), ("03-30", "07-04")][int(draw.integers(2))]
        clause["from"], clause["to"] = dates
    if draw.random() < 0.3:
        clause["when"] = {"series": "price_per_mwh"} | ({"below": 10.0} if draw.random() < 0.5 else {"above": 0.0})
    return clause
