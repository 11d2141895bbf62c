"""Calls of market products that go both ways in few steps: the relaxation mended is a plan, whenever time ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.solver.search import one_way_search

PRODUCTS: list[dict[str, Any]] = [
    {"name": "a", "headroom_h": 0.25, "block_h": 4.0},
    {"name": "b", "direction": "up", "headroom_h": 1.0, "block_h": 4.0},
    {"name": "c", "direction": "down", "headroom_h": 1.0, "block_h": 4.0},
]


def site(hours: int, seed: int, **solver: Any) -> bo.Scenario:
    """A battery that sells energy and three products, its head-room downward short where it begins to discharge."""
    draws = np.random.default_rng(seed)
    index = pd.date_range("2025-03-01", periods=hours, freq="h", tz="UTC")
    series = pd.DataFrame({"price_per_mwh": 60.0 + 40.0 * np.sin(np.arange(hours) / 24.0 * 4.0 * np.pi)}, index)
    series["price_per_mwh"] += draws.normal(0.0, 12.0, hours)
    for product in PRODUCTS:
        series[f"{product['name']}_price_per_mw"] = np.repeat(draws.gamma(2.0, 4.0, hours // 4), 4)
    battery = {"power_mw": 10.0, "duration_h": 2.0}
    return bo.Scenario(battery=battery, series=series, product=PRODUCTS, strategy="arbitrage", solver=solver)


def test_the_time_limit_is_one_for_the_whole_and_leaves_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time ends as the search begins: the relaxation mended is a plan, and its distance from the bound is told."""

    def ended(self: one_way_search.OneWaySearch) -> None:
        if self.deadline is not None:
            raise one_way_search.LimitReachedError

    monkeypatch.setattr(one_way_search.OneWaySearch, "_left_s", ended)
    limited, best = bo.optimize(site(12, 4, time_limit_s=60.0)), bo.optimize(site(12, 4))
    assert limited.report is not None
    assert best.report is not None
    assert limited.report.status == "time_limit"
    assert 0.0 <= limited.report.gap < 0.02
    assert limited.report.objective <= best.report.objective + 1e-6 <= limited.report.bound + 2e-6
