"""Kinds of lines together, each bill by hand: cut months, clock changes, years, tiers, netting, several peaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

INF = float("inf")
BATTERY = {"power_mw": 1.0, "duration_h": 2.0}


def billed(
    tariff: dict[str, Any],
    start: str,
    hours: int,
    *,
    zone: str = "Europe/Berlin",
    **columns: dict[str, float] | float,
) -> float:
    """The bill of hourly flows: 1 MW of load, or the values of a column at local times."""
    index = pd.date_range(pd.Timestamp(start, tz=zone), periods=hours, freq="h")
    series = pd.DataFrame({"load_mw": 1.0}, index=index)
    for name, values in columns.items():
        if isinstance(values, dict):
            for time, value in values.items():
                series.loc[pd.Timestamp(time) if "+" in time else pd.Timestamp(time, tz=zone), name] = value
        else:
            series[name] = values
    series = series.fillna(0.0)
    made = bo.bill(bo.Scenario(battery=BATTERY, series=series, site={"time_zone": zone}, tariff=tariff))
    return made.total


def demand(**row: Any) -> dict[str, Any]:
    prices = {} if "tiers" in row else {"price_per_mw_month": 10_000.0}
    return {"demand": [prices | row]}


def test_a_stated_export_price_never_takes_tiers_or_windows() -> None:
    """24 h: 23 MWh through tiers at 100 to 10 MWh, then 180; 4 MWh out at the series' 30, at noon alone."""
    tariff = {"energy": [{"tiers": [[10.0, 100.0], [INF, 180.0]]}]}
    paid = billed(tariff, "2025-06-02", 24, solar_mw={"2025-06-02 12:00": 5.0}, export_price_per_mwh=30.0)
    assert paid == pytest.approx(10 * 100.0 + 13 * 180.0 - 4 * 30.0)


def test_an_import_series_and_a_number_for_export_beside_tiers() -> None:
    """The series adds to each tier; export gets 80 and neither."""
    tariff = {"energy": [{"tiers": [[10.0, 100.0], [INF, 180.0]]}], "export": 80.0}
    paid = billed(tariff, "2025-06-02", 24, solar_mw={"2025-06-02 12:00": 5.0}, import_price_per_mwh=5.0)
    assert paid == pytest.approx(10 * 100.0 + 13 * 180.0 + 23 * 5.0 - 4 * 80.0)


@pytest.mark.parametrize(
    ("row", "paid"),
    [
        ({"incurred_mw": 2.0}, 20_000.0 + 10_000.0),
        ({"incurred_mw": 2.0, "part_months": "share"}, 20_000.0 * 24 / 744 + 10_000.0 * 24 / 672),
        ({"incurred_mw": 2.0, "ratchet": {"share": 0.75}}, 20_000.0 + 15_000.0),
        ({"incurred_mw": 2.0, "period": "rolling_12"}, 20_000.0 + 20_000.0),
        ({"incurred_mw": [4.0, 2.0], "peaks": {"n": 3, "distinct": "day"}}, (7.0 / 3 + 1.0) * 10_000.0),
        ({"incurred_mw": 2.0, "contracted_mw": 1.5, "overrun_price_per_mw_month": 30_000.0},
         2 * 15_000.0 + 0.5 * 30_000.0),
        ({"incurred_mw": 2.0, "tiers": [[1.0, 8_000.0], [INF, 12_000.0]]}, 20_000.0 + 8_000.0),
        ({"incurred_mw": 2.0, "period": "year"}, 12 * 20_000.0),
        ({"incurred_mw": 2.0, "period": "horizon"}, 48 / 730.5 * 20_000.0),
        ({"incurred_mw": 2.0, "minimum_mw": 1.5, "part_months": "share"},
         20_000.0 * 24 / 744 + 15_000.0 * 24 / 672),
    ],
)  # fmt: skip
def test_a_peak_so_far_in_two_cut_months(row: dict[str, Any], paid: float) -> None:
    """The last day of January and the first of February at 1 MW: what stands before is January's alone."""
    assert billed(demand(**row), "2025-01-31", 48) == pytest.approx(paid)


@pytest.mark.parametrize("year", [2024, 2025])
def test_a_year_is_twelve_months_beside_tiers_and_several_peaks(year: int) -> None:
    """Daily peaks 1, 1, ..., one of 3 and one of 2: the mean of the two highest, 2.5 MW through the tiers."""
    hours = 8784 if year == 2024 else 8760
    load = {f"{year}-02-03 12:00": 3.0, f"{year}-08-05 12:00": 2.0}
    rows = demand(period="year", peaks={"n": 2, "distinct": "day"}, tiers=[[2.0, 1_000.0], [INF, 4_000.0]])
    assert billed(rows, f"{year}-01-01", hours, load_mw=load) == pytest.approx(12 * (2_000.0 + 0.5 * 4_000.0))


def test_intervals_at_a_clock_change_beside_several_peaks_and_tiers() -> None:
    """Berlin, two hours, in spring: 10 MW at 01:00 are a mean of 5.5 with 1 at 00:00; at 03:00 they stand alone.

    The mean of the two highest is 7.75 MW.
    """
    rows = demand(interval_min=120, peaks={"n": 2}, tiers=[[5.0, 1_000.0], [INF, 2_000.0]])
    load = {"2025-03-30 01:00": 10.0, "2025-03-30 03:00": 10.0}
    assert billed(rows, "2025-03-30", 23, load_mw=load) == pytest.approx(5_000.0 + 2.75 * 2_000.0)


def test_the_repeated_hour_in_tiers_by_day_and_a_window() -> None:
    """25 hours: the window from 2 to 3 holds two of them; the day's tier ends at 24 MWh."""
    tariff = {
        "energy": [
            {"price_per_mwh": 500.0, "hours": [2, 3]},
            {"tiers": [[20.0, 100.0], [INF, 200.0]], "tier_period": "day", "hours": [[0, 2], [3, 24]]},
        ],
        "export": "none",
    }
    assert billed(tariff, "2025-10-26", 25) == pytest.approx(2 * 500.0 + 20 * 100.0 + 3 * 200.0)


def test_coincident_stamps_count_each_beside_a_ratchet_and_a_cut_month() -> None:
    """Three stamps, two in January: 3, 1 and 2 MW at 10,000, whole; the ratchet's row bills 3 and 2.25 besides."""
    stamps = ["2025-01-31T12:00+01:00", "2025-01-31T18:00+01:00", "2025-02-01T12:00+01:00"]
    rows = {
        "demand": [
            {"price_per_mw_month": 10_000.0, "coincident": stamps},
            {"price_per_mw_month": 1_000.0, "ratchet": {"share": 0.75}},
        ]
    }
    load = {"2025-01-31 12:00": 3.0, "2025-02-01 12:00": 2.0}
    assert billed(rows, "2025-01-31", 48, load_mw=load) == pytest.approx(60_000.0 + 3_000.0 + 2_250.0)


def test_netting_a_least_bill_and_demand_in_a_cut_month() -> None:
    """Two days of January: 47 MWh in, 4 out; 43 at 10, 1 MW at 100, fixed 20: 550, topped up to 600."""
    tariff = demand(price_per_mw_month=100.0) | {
        "energy": [{"price_per_mwh": 10.0}],
        "net_metering": "month",
        "export": "none",
        "fixed_per_month": 20.0,
        "minimum_per_month": 600.0,
    }
    assert billed(tariff, "2025-01-20", 48, solar_mw={"2025-01-20 12:00": 5.0}) == pytest.approx(600.0)
    free = {key: value for key, value in tariff.items() if key != "minimum_per_month"}
    assert billed(free, "2025-01-20", 48, solar_mw={"2025-01-20 12:00": 5.0}) == pytest.approx(430.0 + 100.0 + 20.0)


def test_the_bill_of_a_plan_is_what_its_model_maximised() -> None:
    """The bill of a plan is what its model maximised: cut months, several peaks so far, tiers and a battery at work."""
    index = pd.date_range("2025-01-31", periods=48, freq="h", tz="Europe/Berlin")
    load = 1.0 + 2.0 * (np.arange(48) % 24 == 12)
    row = {"price_per_mw_month": 10_000.0, "incurred_mw": [4.0, 2.0], "peaks": {"n": 3, "distinct": "day"}}
    tariff = {"demand": [row], "energy": [{"tiers": [[20.0, 100.0], [INF, 180.0]]}], "export": 10.0}
    plan = bo.optimize(
        bo.Scenario(
            battery=BATTERY,
            series=pd.DataFrame({"load_mw": load}, index=index),
            tariff=tariff,
            strategy="peak_shaving",
        )
    )
    assert plan.bill.total == pytest.approx(-plan.metrics.net_revenue, rel=1e-9)
    assert plan.report.objective == pytest.approx(plan.metrics.net_revenue, rel=1e-9)
