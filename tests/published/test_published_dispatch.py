"""Schedules whose value other people published, reproduced through the public interface."""

from __future__ import annotations

from math import sqrt

import pandas as pd
import pytest

import bess_opt as bo

NO_LOSS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}


def hourly(prices: list[float]) -> pd.DataFrame:
    """A series of hourly prices."""
    index = pd.date_range("2025-01-01", periods=len(prices), freq="h", tz="UTC")
    return pd.DataFrame({"price_per_mwh": prices}, index=index, dtype=float)


def energy_py_linear(prices: list[float]) -> bo.Dispatch:
    """2 MW, 4 MWh, 0.90 on the charging side, start and end empty."""
    cells = {"eta_charge": 0.9, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0}
    battery = bo.Battery(
        power_mw=2.0, duration_h=2.0, technology=cells, converters=NO_LOSS, soc_start=0.0, soc_end=0.0
    )
    return bo.optimize(
        bo.Scenario(battery=battery, site={"time_zone": "UTC"}, series=hourly(prices), strategy="arbitrage")
    )


def test_energy_py_linear_profit() -> None:
    """energy-py-linear, documentation of the battery asset: eight hourly prices, profit 1,037.7778.

    Without the loss it would be 1,100.
    """
    plan = energy_py_linear([100.0, 50.0, 200.0, -100.0, 0.0, 200.0, 100.0, -100.0])
    assert plan.metrics.net_revenue == pytest.approx(1037.7778, abs=5e-5)
    assert plan.metrics.net_revenue == pytest.approx(9340.0 / 9.0, rel=1e-9)


def test_energy_py_linear_net_import() -> None:
    """energy-py-linear, documentation of the battery asset: five hourly prices, net import per interval.

    4 MWh are sold, 2·2·0.9 MWh come from the hours at −50, the rest from the first: (4 − 3.6)/0.9 = 0.444444.
    Without the loss the first hour would import nothing.
    """
    plan = energy_py_linear([10.0, -50.0, 200.0, -50.0, 200.0])
    expected = [0.444444, 2.0, -2.0, 2.0, -2.0]
    assert (-plan.schedule["grid_mw"]).tolist() == pytest.approx(expected, abs=1e-6)
    assert (plan.schedule["import_mw"] - plan.schedule["export_mw"]).tolist() == pytest.approx(expected, abs=1e-6)


def test_hopp_blocks() -> None:
    """HOPP (NREL), battery dispatch at block prices: 3·160·(100·√0.88 − 30/√0.88) = 29,677.54.

    50 MW, 200 MWh, SOC 10 to 90 %, start and end at 10 %, round trip 0.88 split evenly, prices 30 and 100
    in blocks of 8 h over 48 h: three cycles of 160 MWh at the cells. A window of 0 to 100 % would give
    37,096.93.
    """
    cells = {"round_trip_efficiency": 0.88, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 1.0}
    battery = bo.Battery(
        power_mw=50.0, duration_h=4.0, technology=cells, converters=NO_LOSS, soc_start=0.1, soc_end=0.1
    )
    prices = ([30.0] * 8 + [100.0] * 8) * 3
    plan = bo.optimize(
        bo.Scenario(battery=battery, site={"time_zone": "UTC"}, series=hourly(prices), strategy="arbitrage")
    )
    expected = 3 * 160 * (100 * sqrt(0.88) - 30 / sqrt(0.88))
    assert expected == pytest.approx(29_677.54, abs=0.005)
    assert plan.metrics.net_revenue == pytest.approx(expected, rel=1e-9)
    assert plan.metrics.equivalent_full_cycles == pytest.approx(3 * 160 / 200)
