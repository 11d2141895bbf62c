"""What is measured, what is billed, and at which price: demand rows by hand, without and with the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.plant.billing import Billing, billing

HOURLY_RATE = 730.5  # a price per MW-month of this, over a horizon, is one per MW and hour of the horizon


def bill_of(row: dict[str, Any], index: pd.DatetimeIndex) -> Billing:
    """Billing of one demand row over hourly or finer steps."""
    made = billing(bo.Tariff(demand=[row]), index, (index[1] - index[0]) / pd.Timedelta(hours=1))
    assert made is not None
    return made


def hours(start: str, end: str, zone: str = "UTC", freq: str = "h") -> pd.DatetimeIndex:
    return pd.date_range(start, end, freq=freq, tz=zone, inclusive="left")


def with_peaks(index: pd.DatetimeIndex, peaks: dict[str, float]) -> np.ndarray:
    """One MW all the time, and the peaks at their stamps."""
    load = pd.Series(1.0, index=index)
    for stamp, peak in peaks.items():
        load.loc[stamp] = peak
    return load.to_numpy()


# ------------------------------------------------------------------------------------------------ what is billed


def test_the_minimum_is_billed_where_the_peak_is_lower() -> None:
    """Peaks 1 and 5 MW, minimum 3: billed 3 and 5. Without the minimum January would be billed 1."""
    index = hours("2025-01-01", "2025-03-01")
    made = bill_of({"price_per_mw_month": 10.0, "minimum_mw": 3.0}, index)
    load = with_peaks(index, {"2025-02-10 12:00": 5.0})
    assert made.billed_mw(load).tolist() == [3.0, 5.0]
    assert made.charge(load) == pytest.approx(80.0)


def test_the_incurred_peak_holds_in_the_first_period_only() -> None:
    index = hours("2025-01-01", "2025-03-01")
    made = bill_of({"price_per_mw_month": 10.0, "incurred_mw": 4.0, "minimum_mw": 2.0}, index)
    assert made.billed_mw(with_peaks(index, {})).tolist() == [4.0, 2.0]


def test_a_ratchet_bills_the_incurred_peak_in_later_months_too() -> None:
    """Half of the 8 MW that January has already seen is 4 in February. Measured peaks alone would give 1."""
    index = hours("2025-01-15", "2025-04-01")
    ratchet = {"share": 0.5, "months": 1}
    made = bill_of({"price_per_mw_month": 10.0, "incurred_mw": 8.0, "ratchet": ratchet}, index)
    assert made.billed_mw(with_peaks(index, {})).tolist() == [8.0, 4.0, 1.0]


@pytest.mark.parametrize(
    ("months", "billed"),
    [(1, [4.0, 1.0, 1.0]), (2, [6.0, 4.0, 1.0]), (3, [10.0, 6.0, 4.0]), (11, [10.0, 10.0, 10.0])],
)
def test_a_ratchet_looks_back_before_the_horizon(months: int, billed: list[float]) -> None:
    """History of October, November, December: 20, 12, 8 MW, half of it billed for as many months as stated.

    Read the other way round (latest first), January with one month would be billed 10.
    """
    index = hours("2025-01-01", "2025-04-01")
    ratchet = {"share": 0.5, "months": months, "history_mw": [20.0, 12.0, 8.0]}
    made = bill_of({"price_per_mw_month": 10.0, "ratchet": ratchet}, index)
    assert made.billed_mw(with_peaks(index, {})).tolist() == billed


def test_a_ratchet_looks_back_within_the_horizon() -> None:
    """January's 10 MW: 6 in February and March at 60 % over two months, no more in April."""
    index = hours("2025-01-01", "2025-05-01")
    made = bill_of({"price_per_mw_month": 10.0, "ratchet": {"share": 0.6, "months": 2}}, index)
    assert made.billed_mw(with_peaks(index, {"2025-01-20 10:00": 10.0})).tolist() == [10.0, 6.0, 6.0, 1.0]


# --------------------------------------------------------------------------------------------- what is measured


def test_coincident_times_are_measured_instead_of_the_peak() -> None:
    """Import 9 MW at noon, 3 and 4 MW at the stated times: billed 4. The own maximum would be 9."""
    index = hours("2025-07-01", "2025-08-01", "Europe/Berlin")
    stamps = ["2025-07-15T17:00+02:00", "2025-07-16T17:00+02:00"]
    made = bill_of({"price_per_mw_month": 10.0, "coincident": stamps}, index)
    load = with_peaks(index, {"2025-07-15 12:00": 9.0, "2025-07-15 17:00": 3.0, "2025-07-16 17:00": 4.0})
    assert made.billed_mw(load).tolist() == [4.0]
    assert len(made.first) == 2


def test_a_coincident_time_counts_with_its_whole_billing_interval() -> None:
    """17:20 lies in the hour from 17:00: the mean of 0, 8, 0, 0 MW is 2. The quarter alone would be 8."""
    index = hours("2025-07-15", "2025-07-16", "Europe/Berlin", "15min")
    row = {"price_per_mw_month": 10.0, "interval_min": 60.0, "coincident": ["2025-07-15T17:20+02:00"]}
    load = np.zeros(len(index))
    load[17 * 4 + 1] = 8.0
    assert bill_of(row, index).billed_mw(load).tolist() == [2.0]


def test_the_offset_of_a_coincident_time_tells_the_hours_of_a_clock_change_apart() -> None:
    """02:30 comes twice on 26 October in Berlin; at +01:00 it is the second, which begins at step 3."""
    index = hours("2025-10-26", "2025-10-27", "Europe/Berlin")
    row = {"price_per_mw_month": 10.0, "coincident": ["2025-10-26T02:30+01:00"]}
    assert bill_of(row, index).first.tolist() == [3]


def test_no_coincident_time_in_the_horizon_is_a_warning_and_bills_the_minimum() -> None:
    of = case(
        load_mw=[1.0, 2.0, 3.0],
        price_per_mwh=50.0,
        strategy="peak_shaving",
        tariff={
            "demand": [
                {
                    "price_per_mw_month": HOURLY_RATE,
                    "period": "horizon",
                    "minimum_mw": 1.5,
                    "coincident": ["2024-07-15T17:00+02:00"],
                }
            ]
        },
    )
    plan = of.optimize()
    assert plan.metrics.demand_charges == pytest.approx(4.5)
    assert [f.code for f in plan.findings.warnings] == ["coincident_outside"]


@pytest.mark.parametrize(("day", "measured"), [("2025-03-30", 5), ("2025-03-31", 6), ("2025-10-26", 7)])
def test_a_window_has_the_hours_that_the_clock_has(day: str, measured: int) -> None:
    """From 0 to 6 o'clock there are 5, 6 or 7 hours. A window in UTC would have six each time."""
    start = pd.Timestamp(day)
    index = hours(day, str(start + pd.Timedelta(days=1)), "Europe/Berlin")
    assert len(bill_of({"price_per_mw_month": 1.0, "hours": [0, 6]}, index).first) == measured


# ------------------------------------------------------------------------------------------------------ the price


def test_a_part_of_a_month_is_billed_pro_rata() -> None:
    """Ten days of June and all of July: 10 · 2 · 10/30 + 10 · 3. Whole months would be 50."""
    index = hours("2025-06-21", "2025-08-01")
    made = bill_of({"price_per_mw_month": 10.0}, index)
    load = with_peaks(index, {"2025-06-25 08:00": 2.0, "2025-07-25 08:00": 3.0})
    assert made.charge(load) == pytest.approx(20.0 / 3.0 + 30.0)


def test_months_with_a_clock_change_are_whole_months() -> None:
    """March 2025 in Berlin has 743 hours and is billed once, not 743/744 times."""
    index = hours("2025-03-01", "2025-04-01", "Europe/Berlin")
    assert len(index) == 743
    assert bill_of({"price_per_mw_month": 10.0}, index).price_per_mw.tolist() == [10.0]


# ------------------------------------------------------------------------------------------------ in the model


@pytest.mark.parametrize(
    "row",
    [
        {"minimum_mw": 2.5},
        {"ratchet": {"share": 0.9, "months": 3, "history_mw": [3.0, 2.5]}},
        {"coincident": ["2025-06-30T22:30+00:00", "2025-07-01T01:00+00:00"]},
        {"interval_min": 120.0, "incurred_mw": 2.0},
        {"hours": [22, 2], "period": "year"},
    ],
    ids=lambda row: next(iter(row)),
)
def test_the_model_bills_what_the_metrics_bill(row: dict[str, Any]) -> None:
    """The objective of a plan is its net revenue, to the cent: the model's billed peaks are those of the schedule."""
    of = case(
        load_mw=[1.0, 4.0, 2.0, 3.0, 1.0, 5.0],
        price_per_mwh=[50.0, 90.0, 40.0, 60.0, 30.0, 80.0],
        start="2025-06-30 20:00",
        strategy="peak_shaving",
        tariff={"demand": [{"price_per_mw_month": 9000.0} | row]},
    )
    plan = of.optimize()
    assert plan.report is not None
    assert plan.report.objective == pytest.approx(plan.metrics.net_revenue, rel=1e-9)
    assert plan.ledger["demand"] < 0.0
    idle = bo.simulate(of.scenario(), rule=lambda _state: 0.0)
    assert plan.metrics.score <= idle.metrics.score + 1e-9


def test_only_the_coincident_hour_is_shaved() -> None:
    """Load 3, 1, 2 MW; the second hour counts: the battery gives its 1 MWh there and nothing else pays.

    Shaved where the load is highest, the bill of demand would be 100 instead of 0.
    """
    of = case(
        battery={"power_mw": 1.0, "duration_h": 1.0, "soc_start": 1.0, "soc_end": 0.0},
        load_mw=[3.0, 1.0, 2.0],
        price_per_mwh=10.0,
        strategy="peak_shaving",
        tariff={
            "demand": [
                {
                    "price_per_mw_month": 100.0 * HOURLY_RATE / 3.0,
                    "period": "horizon",
                    "coincident": ["2025-06-02T01:00Z"],
                }
            ]
        },
    )
    plan = of.optimize()
    assert plan.schedule["battery_mw"].tolist() == pytest.approx([0.0, 1.0, 0.0])
    assert plan.metrics.demand_charges == pytest.approx(0.0, abs=1e-9)


# ------------------------------------------------------------------------------------------------ as an input

NOT_STAMPS = 'give a list of times with their offset from UTC: ["2025-07-15T17:00+02:00"]'


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"minimum_mw": -1.0}, "minimum_mw: found -1.0; give a number >= 0 MW (billed at least in each period)"),
        (
            {"coincident": ["2025-07-15T17:00"]},
            f"coincident: found ['2025-07-15T17:00']; {NOT_STAMPS}",
        ),
        ({"coincident": "soon"}, f"coincident: found 'soon'; {NOT_STAMPS}"),
        ({"coincident": []}, f"coincident: found []; {NOT_STAMPS}"),
        (
            {"coincident": ["2025-07-15T17:00Z"], "hours": [16, 21]},
            "coincident: names the times that are measured, but days or hours do so too; leave days and hours out",
        ),
        (
            {"ratchet": {"share": 0.5, "months": 2, "history_mw": [-1.0]}},
            "ratchet.history_mw[0]: found -1.0; give a list of numbers >= 0: peaks of the months before the "
            "horizon, latest last [MW]",
        ),
    ],
)
def test_a_wrong_row_is_refused_with_its_remedy(row: dict[str, Any], sentence: str) -> None:
    with pytest.raises(bo.ScenarioError) as raised:
        bo.Tariff(demand=[{"price_per_mw_month": 1.0} | row])
    assert [p.sentence() for p in raised.value.problems] == [f"tariff.demand[0].{sentence}"]


def test_rows_survive_their_plain_form() -> None:
    """A time may be text or a TOML date-time; both are kept with their offset."""
    stamps = ["2025-07-15T17:00+02:00", pd.Timestamp("2025-07-16T17:00Z").to_pydatetime()]
    ratchet = {"share": 0.5, "months": 2, "history_mw": [3.0]}
    row = {"price_per_mw_month": 1.0, "coincident": stamps, "ratchet": ratchet, "minimum_mw": 2.0}
    tariff = bo.Tariff(demand=[row])
    assert tariff.demand[0].coincident == ("2025-07-15T17:00:00+02:00", "2025-07-16T17:00:00+00:00")
    assert bo.Tariff(**tariff.to_plain()) == tariff
