"""Tariffs of URDB stated by hand, row for row as a user reads the sheet: the same bill as the file that is read.

The files are REopt.jl's test tariffs (NREL, Apache-2.0).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

INF = float("inf")
WINTER, SUMMER = [1, 2, 3, 4, 11, 12], [5, 6, 7, 8, 9, 10]
JUNE, REST = [6, 7, 8, 9], [1, 2, 3, 4, 5, 10, 11, 12]
SCE: dict[str, Any] = {
    "fixed_per_month": 259.2,
    "energy": [
        {"price_per_mwh": 93.68, "months": REST, "days": "weekday", "hours": [8, 21]},
        {"price_per_mwh": 71.2, "months": REST, "days": "weekday", "hours": [21, 8]},
        {"price_per_mwh": 71.2, "months": REST, "days": "weekend"},
        {"price_per_mwh": 135.5, "months": JUNE, "days": "weekday", "hours": [12, 18]},
        {"price_per_mwh": 88.88, "months": JUNE, "days": "weekday", "hours": [[8, 12], [18, 23]]},
        {"price_per_mwh": 66.0, "months": JUNE, "days": "weekday", "hours": [23, 8]},
        {"price_per_mwh": 66.0, "months": JUNE, "days": "weekend"},
    ],
    "demand": [
        {"price_per_mw_month": 13_200.0},
        {"price_per_mw_month": 5_300.0, "months": JUNE, "days": "weekday", "hours": [[8, 12], [18, 23]]},
        {"price_per_mw_month": 18_110.0, "months": JUNE, "days": "weekday", "hours": [12, 18]},
    ],
}
BY_HAND: dict[str, dict[str, Any]] = {
    "urdb_sce_tou_gs2": SCE,
    "urdb_entergy_windows_incentives": SCE,
    "urdb_sell_rates": {
        "fixed_per_month": 435.0,
        "energy": [
            {"price_per_mwh": 83.64, "days": "weekend"},
            {"price_per_mwh": 83.64, "days": "weekday", "hours": [21, 10]},
            {"price_per_mwh": 105.18, "months": REST, "days": "weekday", "hours": [10, 13]},
            {"price_per_mwh": 102.44, "months": REST, "days": "weekday", "hours": [13, 18]},
            {"price_per_mwh": 106.58, "months": REST, "days": "weekday", "hours": [18, 21]},
            {"price_per_mwh": 301.34, "months": JUNE, "days": "weekday", "hours": [10, 13]},
            {"price_per_mwh": 114.67, "months": JUNE, "days": "weekday", "hours": [13, 18]},
            {"price_per_mwh": 109.51, "months": JUNE, "days": "weekday", "hours": [18, 21]},
            {"price_per_mwh": 58.19, "direction": "export", "days": "weekend"},
            {"price_per_mwh": 58.19, "direction": "export", "days": "weekday", "hours": [21, 10]},
            {"price_per_mwh": 109.6, "direction": "export", "days": "weekday", "hours": [10, 21]},
        ],
        "demand": [
            {"price_per_mw_month": 106.0},
            {"price_per_mw_month": 474.63, "months": [6, 7, 8]},
            {"price_per_mw_month": 392.3, "months": [1, 2, 3, 4, 5, 9, 10, 11, 12]},
        ],
    },
    "urdb_tiers_energy_and_demand": {
        "energy": [{"tiers": [[74.4, 100.0], [INF, 50.0]]}],
        "demand": [{"tiers": [[0.1, 10_000.0], [INF, 5_000.0]]}],
    },
    "urdb_tiers_tou_demand": {
        "energy": [{"tiers": [[40.0, 100.0], [INF, 120.0]]}],
        "demand": [{"tiers": [[0.05, 0.0], [INF, 12_000.0]]}],
    },
    "urdb_flat_demand_by_month": {
        "fixed_per_month": 24.878 * 365.25 / 12,
        "energy": [
            {"price_per_mwh": 360.0, "days": "weekday", "hours": [7, 20]},
            {"price_per_mwh": 280.0, "days": "weekday", "hours": [20, 7]},
            {"price_per_mwh": 280.0, "days": "weekend"},
        ],
        "demand": [
            {"price_per_mw_month": 18_050.0},
            {"price_per_mw_month": 10_000.0, "days": "weekday", "hours": [14, 20]},
        ],
    },
    "urdb_multi_tier": {
        "fixed_per_month": 3.298 * 365.25 / 12,
        "energy": [
            {"tiers": [[20.0, 78.891], [INF, 60.0]], "months": SUMMER},
            {"price_per_mwh": 61.731, "months": WINTER},
        ],
        "demand": [
            {"tiers": [[0.1, 24_368.0], [INF, 17_031.0]], "months": list(range(2, 13))},
            {"tiers": [[0.1, 24_368.0], [INF, 17_031.0]], "months": [1], "days": "weekend"},
        ],
    },
}


def stored(name: str) -> Path:
    path = Path(os.environ.get("BESS_OPT_DATA", "")).joinpath("..", "inputs", name)
    if "BESS_OPT_DATA" not in os.environ or not path.is_file():
        pytest.skip("BESS_OPT_DATA does not point to the real data")
    return path


def year_under(tariff: Any) -> bo.Bill:
    index = pd.date_range("2025-01-01", "2026-01-01", freq="h", tz="America/Denver", inclusive="left")
    load = np.random.default_rng(5).uniform(0.02, 0.35, len(index)).round(4)
    solar = np.random.default_rng(6).uniform(0.0, 0.3, len(index)).round(4)
    series = pd.DataFrame({"load_mw": load, "solar_mw": solar}, index=index)
    site = {"time_zone": "America/Denver"}
    return bo.bill(bo.Scenario(battery={"power_mw": 0.1, "duration_h": 2}, series=series, site=site, tariff=tariff))


@pytest.mark.real_data
@pytest.mark.parametrize("name", BY_HAND)
def test_a_tariff_stated_by_hand_is_the_one_that_is_read(name: str) -> None:
    """Month by month: tiers of energy and demand, windows, flat demand, charges by the day as a twelfth of 365.25 days."""
    read = year_under(bo.read_tariff(stored(f"{name}.json"))).by_month
    sells = any("direction" in row for row in BY_HAND[name]["energy"])
    stated = year_under(({} if sells else {"export": "none"}) | BY_HAND[name]).by_month
    assert stated.to_numpy() == pytest.approx(read.to_numpy(), rel=1e-9)


def test_what_a_reader_refuses_can_be_stated_by_hand() -> None:
    """Fuel adjustments by month, daily peaks at 0.5 per kW and day, a coincident hour at 9, a ratchet, a least bill.

    June at a flat 0.2 MW and 0.4 at 16:00 on the 10th: 144.2 MWh, of which 21 days of 6 hours at 0.152 and the rest
    at 0.092 per kWh; 0.4 MW at 30 days of 0.5 per kW; 0.4 MW at the stamp; 50 a month.
    """
    months = {month: 2.0 if month <= 6 else 3.0 for month in range(1, 13)}
    energy: list[dict[str, Any]] = []
    for month, fuel in months.items():
        energy += [
            {"price_per_mwh": 150.0 + fuel, "months": [month], "days": "weekday", "hours": [12, 18]},
            {"price_per_mwh": 90.0 + fuel, "months": [month], "days": "weekday", "hours": [18, 12]},
            {"price_per_mwh": 90.0 + fuel, "months": [month], "days": "weekend"},
        ]
    tariff = {
        "export": "none",
        "fixed_per_month": 50.0,
        "minimum_per_month": 100.0,
        "energy": energy,
        "demand": [
            {"price_per_mw_month": 500.0 * 30, "months": [4, 6, 9, 11]},
            {"price_per_mw_month": 9_000.0, "coincident": ["2025-06-10T16:00-06:00"]},
        ],
    }
    index = pd.date_range("2025-06-01", "2025-07-01", freq="h", tz="America/Denver", inclusive="left")
    series = pd.DataFrame({"load_mw": 0.2}, index=index)
    series.loc["2025-06-10 16:00", "load_mw"] = 0.4
    site = {"time_zone": "America/Denver"}
    made = bo.bill(bo.Scenario(battery={"power_mw": 0.1, "duration_h": 2}, series=series, site=site, tariff=tariff))
    peak = 21 * 6 * 0.2 + 0.2
    assert made.total == pytest.approx(peak * 152.0 + (144.2 - peak) * 92.0 + 0.4 * 15_000.0 + 0.4 * 9_000.0 + 50.0)
