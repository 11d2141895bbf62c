"""Schedules whose value other people published, reproduced through the public interface."""

from __future__ import annotations

from math import sqrt

import pytest

import bess_opt as bo
from bess_opt.comparison.published.cases import energy_py_linear_site, hopp_site


def test_energy_py_linear_profit() -> None:
    """energy-py-linear, documentation of the battery asset: eight hourly prices, profit 1,037.7778.

    Without the loss it would be 1,100.
    """
    plan = bo.optimize(energy_py_linear_site([100.0, 50.0, 200.0, -100.0, 0.0, 200.0, 100.0, -100.0]))
    assert plan.metrics.net_revenue == pytest.approx(1037.7778, abs=5e-5)
    assert plan.metrics.net_revenue == pytest.approx(9340.0 / 9.0, rel=1e-9)


def test_energy_py_linear_net_import() -> None:
    """energy-py-linear, documentation of the battery asset: five hourly prices, net import per interval.

    4 MWh are sold, 2·2·0.9 MWh come from the hours at −50, the rest from the first: (4 − 3.6)/0.9 = 0.444444.
    Without the loss the first hour would import nothing.
    """
    plan = bo.optimize(energy_py_linear_site([10.0, -50.0, 200.0, -50.0, 200.0]))
    expected = [0.444444, 2.0, -2.0, 2.0, -2.0]
    assert (-plan.schedule["grid_mw"]).tolist() == pytest.approx(expected, abs=1e-6)
    assert (plan.schedule["import_mw"] - plan.schedule["export_mw"]).tolist() == pytest.approx(expected, abs=1e-6)


def test_hopp_blocks() -> None:
    """HOPP (NREL), battery dispatch at block prices: 3·160·(100·√0.88 − 30/√0.88) = 29,677.54.

    50 MW, 200 MWh, SOC 10 to 90 %, start and end at 10 %, round trip 0.88 split evenly, prices 30 and 100
    in blocks of 8 h over 48 h: three cycles of 160 MWh at the cells. A window of 0 to 100 % would give
    37,096.93.
    """
    prices = ([30.0] * 8 + [100.0] * 8) * 3
    plan = bo.optimize(hopp_site(prices))
    expected = 3 * 160 * (100 * sqrt(0.88) - 30 / sqrt(0.88))
    assert expected == pytest.approx(29_677.54, abs=0.005)
    assert plan.metrics.net_revenue == pytest.approx(expected, rel=1e-9)
    assert plan.metrics.equivalent_full_cycles == pytest.approx(3 * 160 / 200)
