"""Every strategy and verb with several batteries: two halves are the whole, and each verb keeps what it promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.strategies.shared.discovery import discover

STATED: dict[str, dict[str, Any]] = {
    "cycling": {"cycles_per_day": 0.5},
    "export_cap": {"cap_mw": 0.6},
    "firm_delivery": {"window": ["18:00", "21:00"], "block_mw": 0.5},
    "solar_smoothing": {"ramp_limit_per_min": 0.004, "ramp_window_min": 60},
    "time_shift": {"window": ["18:00", "22:00"]},
}
NAMES = sorted(discover())
WHOLE = {"power_mw": 1.0, "duration_h": 2.0, "technology": "premium", "soc_end": "at_least_start"}


def series() -> pd.DataFrame:
    """A day and a half with PV, load and prices."""
    rng, hours = np.random.default_rng(6), np.arange(36)
    columns = {
        "price_per_mwh": 60.0 + 40.0 * np.sin(2.0 * np.pi * (hours - 9) / 12.0) + rng.normal(0.0, 6.0, 36),
        "load_mw": 0.8 + 0.3 * np.sin(2.0 * np.pi * (hours - 12) / 24.0) + rng.uniform(0.0, 0.2, 36),
        "solar_mw": np.maximum(1.5 * np.sin(2.0 * np.pi * (hours % 24 - 6) / 24.0), 0.0),
        "regulation_up_price_per_mw": 8.0 + 4.0 * np.cos(2.0 * np.pi * hours / 24.0),
        "regulation_down_price_per_mw": 5.0 - 3.0 * np.cos(2.0 * np.pi * hours / 24.0),
    }
    return pd.DataFrame(columns, pd.date_range("2025-03-01", periods=36, freq="1h", tz="UTC")).round(3)


def site(name: str, *, halves: bool, topology: str = "parallel_ac") -> bo.Scenario:
    """One battery, or two of half its size."""
    whole: dict[str, Any] = WHOLE | {"topology": topology}
    half = whole | {"power_mw": 0.5}
    return bo.Scenario(
        battery=[half | {"name": "north"}, half | {"name": "south"}] if halves else [whole],
        site={"inverter_mw": 2.0, "import_limit_mw": 3.0, "dc_share": 0.5 if topology == "hybrid" else None},
        series=series(),
        strategy={"name": name} | STATED.get(name, {}),
        tariff={"demand": [{"price_per_mw_month": 500.0, "part_months": "share"}]},
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_optimum_of_two_halves_is_that_of_the_whole(name: str) -> None:
    """Same score, by plans that the audit has seen and the step simulator can carry out."""
    whole, halves = (bo.optimize(site(name, halves=several)) for several in (False, True))
    assert halves.metrics.score == pytest.approx(whole.metrics.score, rel=1e-6, abs=1e-6)
    again = bo.replay(halves)
    assert again.metrics.score == pytest.approx(halves.metrics.score, rel=1e-5, abs=1e-5)
    for name_of, unit in halves.units.items():
        assert np.abs(unit["battery_mw"] - again.units[name_of]["battery_mw"]).max() < 1e-6


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc"])
@pytest.mark.parametrize("name", NAMES)
def test_the_rule_sees_two_halves_as_the_whole(name: str, topology: str) -> None:
    """Powers are shared by room, which for halves is half each. `cycling` turns round where a level is just reached."""
    whole, halves = (bo.simulate(site(name, halves=several, topology=topology)) for several in (False, True))
    if name != "cycling":
        assert np.abs(halves.schedule["battery_mw"] - whole.schedule["battery_mw"]).max() < 1e-9
    north, south = halves.units.values()
    assert np.abs(north["battery_mw"] - south["battery_mw"]).max() < 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_operated_on_forecasts(name: str) -> None:
    """With one window over all it is the optimum; on a forecast it is audited like any other plan."""
    scenario = site(name, halves=True)
    best, once = bo.optimize(scenario), bo.control(scenario, "perfect", horizon_h=36.0, every_h=36.0)
    assert once.metrics.score == pytest.approx(best.metrics.score, rel=1e-6, abs=1e-6)
    assert bo.control(scenario, "persistence", horizon_h=12.0, every_h=6.0).twin == "control"
