"""Why a site of several batteries has no plan, where nothing that is stated can be eased."""

from __future__ import annotations

import pandas as pd
import pytest

import bess_opt as bo


def test_an_end_that_no_limit_keeps_from_being_reached() -> None:
    """North must go down to 3.726 MWh and end at its 5 MWh: only its own end says so, and no limit is there to ease."""
    at = pd.date_range("2024-02-28 10:00", periods=2, freq="30min", tz="UTC")
    series = pd.DataFrame({"north.energy_max_mwh": [4.832, 3.726], "price_per_mwh": 50.0}, index=at)
    batteries = [
        {"name": "north", "power_mw": 1.63, "duration_h": 3.3, "soc_start": 0.9},
        {"name": "west", "power_mw": 0.3, "duration_h": 3.8},
    ]
    with pytest.raises(bo.InfeasibleError, match=r"battery\.north\.soc_end: asks for SOC 0\.9 or more at the end"):
        bo.optimize(bo.Scenario(battery=batteries, series=series, strategy="arbitrage"))
