"""A small plant for the page."""

from __future__ import annotations

import numpy as np
import pandas as pd

import bess_opt as bo


def small(**more: object) -> bo.Scenario:
    """Two weeks of hours with sun and a price that swings; no negative price."""
    time = pd.date_range("2025-06-02", periods=336, freq="h", tz="Europe/Berlin")
    hour = np.arange(336)
    price = 50.0 + 30.0 * np.cos(2 * np.pi * (hour - 19) / 12) + 5.0 * np.sin(hour)
    solar = np.maximum(5.0 * np.sin((hour % 24 - 6) / 12 * np.pi), 0.0)
    parts = {
        "battery": {"power_mw": 1.0, "duration_h": 2.0},
        "site": {"currency": "EUR", "export_limit_mw": 3.0, "time_zone": "Europe/Berlin"},
        "series": pd.DataFrame({"price_per_mwh": price, "solar_mw": solar}, index=time),
        "strategy": "arbitrage",
        "name": "small",
    }
    return bo.Scenario(**(parts | more))  # type: ignore[arg-type]
