"""Figures of two batteries at one connection, on German intraday prices of 2021, worked out by a program of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
LIMITS = {"import_limit_mw": 1.2, "export_limit_mw": 1.2}
FILE = Path("prices_de_id1") / "electricity_prices_germany_2021.csv"


def battery(name: str, power_mw: float, energy_mwh: float, eta: float) -> dict[str, Any]:
    """A battery that is empty at first, with `eta` each way and converters without loss."""
    cells = {"eta_charge": eta, "eta_discharge": eta, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
    own = {"name": name, "power_mw": power_mw, "duration_h": energy_mwh / power_mw, "technology": cells}
    return own | {"converters": LOSSLESS, "topology": "parallel_ac", "soc_start": 0.0, "soc_end": "free"}


NORTH, SOUTH = battery("north", 1.0, 1.0, 0.97), battery("south", 0.5, 2.0, 0.93)


def quarter_hours() -> pd.DataFrame:
    """The ID1 prices of the year."""
    data = os.environ.get("BESS_OPT_DATA")
    if data is None:
        pytest.skip("BESS_OPT_DATA names no folder with the price files")
    prices = bo.read_prices(Path(data) / FILE, column="ID1").iloc[:, :1]
    return prices.set_axis(["price_per_mwh"], axis=1)


def hours(decimals: int | None = None) -> pd.DataFrame:
    """Hourly means; with `decimals` rounded, as numpy does it, and negative ones set to 0."""
    quarters = quarter_hours()
    means = quarters["price_per_mwh"].to_numpy().reshape(-1, 4).mean(axis=1)
    shown = means if decimals is None else np.maximum(np.round(means, decimals), 0.0)
    return pd.DataFrame({"price_per_mwh": shown}, index=quarters.index[::4])


def money(series: pd.DataFrame, *batteries: dict[str, Any]) -> float:
    """What the batteries earn together at 1.2 MW either way."""
    scenario = bo.Scenario(
        battery=list(batteries), site=LIMITS, series=series, strategy="arbitrage", solver={"rel_gap": 1e-10}
    )
    return bo.optimize(scenario).metrics.net_revenue


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("batteries", "right"),
    [
        pytest.param([NORTH], 55_717.33446, id="north alone"),
        pytest.param([SOUTH], 52_442.34503, id="south alone"),
        pytest.param([NORTH, SOUTH], 102_405.64251076987, id="both", marks=pytest.mark.second_tier),
    ],
)
def test_hours_without_negative_prices(batteries: list[dict[str, Any]], right: float) -> None:
    rounding = 1e-9 if len(batteries) == 2 else 1e-10 + 5e-6 / right
    assert money(hours(decimals=2), *batteries) == pytest.approx(right, rel=rounding)


@pytest.mark.real_data
@pytest.mark.second_tier
def test_hours_with_negative_prices() -> None:
    assert money(hours(), NORTH, SOUTH) == pytest.approx(106_229.786754, rel=1e-9)


@pytest.mark.real_data
@pytest.mark.second_tier
def test_quarter_hours() -> None:
    assert money(quarter_hours(), NORTH, SOUTH) == pytest.approx(166_197.401498, rel=1e-9)


@pytest.mark.real_data
@pytest.mark.second_tier
def test_one_way_in_every_step() -> None:
    """No battery, nor the site, goes in and out at once in a step of the year with its negative prices."""
    scenario = bo.Scenario(battery=[NORTH, SOUTH], site=LIMITS, series=quarter_hours(), strategy="arbitrage")
    plan = bo.optimize(scenario)
    for schedule, ways in [(plan.schedule, ("import_mw", "export_mw"))] + [
        (unit, ("charge_mw", "discharge_mw")) for unit in plan.units.values()
    ]:
        assert np.minimum(schedule[ways[0]], schedule[ways[1]]).max() <= 1e-9
