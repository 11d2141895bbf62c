"""The report shows the bill by month and line where there is a tariff."""

from __future__ import annotations

import pandas as pd

import bess_opt as bo
from bess_opt.interfaces.report.report import report


def site(tariff: dict[str, object] | None) -> bo.Scenario:
    index = pd.date_range("2025-01-01", periods=48, freq="h", tz="UTC", name="time")
    load = [1.0] * 30 + [3.0] + [1.0] * 17
    prices = {"load_mw": load} | ({"price_per_mwh": [20.0, 60.0] * 24} if tariff is None else {})
    return bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0},
        series=pd.DataFrame(prices, index=index),
        tariff=tariff,
        strategy="self_consumption",
    )


def test_lines_peaks_and_the_sum() -> None:
    """48 MWh and 2 more at 100 and a peak of 3 MW at 1,000 without a battery: 5,000 + 3,000."""
    row = {"price_per_mw_month": 1000.0}
    scenario = site({"export": "none", "energy": [{"price_per_mwh": 100.0}], "demand": [row]})
    page = report(scenario)
    assert "<h2>The bill</h2>" in page
    assert "tariff.demand[0] 2025-01" in page
    assert "without battery" in page
    for amount in ("5,000.00", "3,000.00", "8,000.00", f"{bo.optimize(scenario).bill.total:,.2f}"):
        assert f"<td>{amount}</td>" in page
    assert "the peaks that it pays for" in page


def test_none_without_a_tariff() -> None:
    assert "<h2>The bill</h2>" not in report(site(None))
