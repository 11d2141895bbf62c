"""What is measured, what is billed, and at which price: demand rows by hand, without and with the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.plant.billing import billing_of
from bess_opt.plant.billing.demand import Demand

HOURLY_RATE = 730.5  # a price per MW-month of this, over a horizon, is one per MW and hour of the horizon


def bill_of(row: dict[str, Any], index: pd.DatetimeIndex) -> Demand:
    """Peaks and charges of one demand row over hourly or finer steps."""
    return billing_of(bo.Tariff(demand=[row]), {}, index, (index[1] - index[0]) / pd.Timedelta(hours=1)).demand


def charge(made: Demand, load: np.ndarray) -> float:
    return float(made.amounts(load)[0].sum())


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
    assert charge(made, load) == pytest.approx(80.0)


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


def test_each_coincident_time_bills_its_own_import() -> None:
    """Import 9 MW at noon, 3 and 4 MW at the stated times: 10·3 + 10·4, each whole. The own maximum would be 90."""
    index = hours("2025-07-01", "2025-07-20", "Europe/Berlin")
    stamps = ["2025-07-15T17:00+02:00", "2025-07-16T17:00+02:00"]
    made = bill_of({"price_per_mw_month": 10.0, "coincident": stamps}, index)
    load = with_peaks(index, {"2025-07-15 12:00": 9.0, "2025-07-15 17:00": 3.0, "2025-07-16 17:00": 4.0})
    assert made.billed_mw(load).tolist() == [3.0, 4.0]
    assert charge(made, load) == pytest.approx(70.0)


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
    assert bill_of(row, index).intervals.first.tolist() == [3]


def test_a_coincident_time_outside_the_horizon_is_not_billed_and_a_finding_says_so() -> None:
    stamps = ["2024-07-15T17:00+02:00", "2025-06-02T01:00Z"]
    of = case(
        load_mw=[1.0, 2.0, 3.0],
        price_per_mwh=50.0,
        strategy="peak_shaving",
        tariff={"demand": [{"price_per_mw_month": 9.0, "coincident": stamps}]},
    )
    idle = bo.simulate(of.scenario(), rule=lambda _state: 0.0)
    assert idle.metrics.demand_charges == pytest.approx(18.0)
    warning = next(f for f in idle.findings.warnings if f.code == "coincident_outside")
    assert warning.found == "1 of 2 times lie outside the horizon: 2024-07-15T17:00:00+02:00"


@pytest.mark.parametrize(("day", "measured"), [("2025-03-30", 5), ("2025-03-31", 6), ("2025-10-26", 7)])
def test_a_window_has_the_hours_that_the_clock_has(day: str, measured: int) -> None:
    """From 0 to 6 o'clock there are 5, 6 or 7 hours. A window in UTC would have six each time."""
    start = pd.Timestamp(day)
    index = hours(day, str(start + pd.Timedelta(days=1)), "Europe/Berlin")
    assert len(bill_of({"price_per_mw_month": 1.0, "hours": [0, 6]}, index).intervals.first) == measured


# ------------------------------------------------------------------------------------------------------ the price


def test_a_part_of_a_month_is_billed_whole_or_by_its_hours() -> None:
    """Ten days of June and all of July: 10·2 + 10·3 whole, 10·2·10/30 + 10·3 by hours."""
    index = hours("2025-06-21", "2025-08-01")
    load = with_peaks(index, {"2025-06-25 08:00": 2.0, "2025-07-25 08:00": 3.0})
    assert charge(bill_of({"price_per_mw_month": 10.0}, index), load) == pytest.approx(50.0)
    shared = bill_of({"price_per_mw_month": 10.0, "part_months": "share"}, index)
    assert charge(shared, load) == pytest.approx(20.0 / 3.0 + 30.0)


def test_a_listed_month_is_billed_where_none_of_its_steps_lies_in_the_window() -> None:
    """Three hours of a Sunday, a row for weekdays: the minimum of 2 MW is billed all the same."""
    index = hours("2025-06-01 09:00", "2025-06-01 12:00")
    made = bill_of({"price_per_mw_month": 10.0, "days": "weekday", "minimum_mw": 2.0}, index)
    assert charge(made, np.ones(3)) == pytest.approx(20.0)


@pytest.mark.parametrize(("year", "zone"), [(2024, "UTC"), (2025, "Europe/Berlin")])
def test_a_year_bills_twelve_months_whatever_its_length(year: int, zone: str) -> None:
    """10,000 per MW-month of 1 MW: 120,000, in leap years and over clock changes. Hours over 730.5 would not be."""
    index = hours(f"{year}-01-01", f"{year + 1}-01-01", zone)
    made = bill_of({"price_per_mw_month": 10_000.0, "period": "year"}, index)
    assert charge(made, np.ones(len(index))) == 120_000.0
    week = hours(f"{year}-12-29", f"{year + 1}-01-05", zone)
    assert charge(bill_of({"price_per_mw_month": 10_000.0, "period": "year"}, week), np.ones(len(week))) == 240_000.0


def test_the_incurred_peak_of_a_year_is_that_of_the_first_year() -> None:
    index = hours("2024-12-30", "2025-01-03")
    made = bill_of({"price_per_mw_month": 1.0, "period": "year", "incurred_mw": 5.0}, index)
    assert made.billed_mw(np.ones(len(index))).tolist() == [5.0, 1.0]


# ------------------------------------------------------------------------------------------------ clock changes


def at(index: pd.DatetimeIndex, stamp: str, mw: float, offset: str = "") -> np.ndarray:
    """Nothing but one step."""
    load = np.zeros(len(index))
    load[
        index.get_loc(
            pd.Timestamp(stamp + offset, tz=index.tz)
            if not offset
            else pd.Timestamp(stamp + offset).tz_convert(index.tz)
        )
    ] = mw
    return load


def test_two_hours_in_berlin_begin_anew_at_a_clock_change() -> None:
    """Spring: 00:00 and 01:00 make one interval, 03:00 one of its own. Merged across the change, 10 would be 3.33."""
    index = hours("2025-03-30", "2025-03-31", "Europe/Berlin")
    made = bill_of({"price_per_mw_month": 1.0, "interval_min": 120.0}, index)
    assert made.billed_mw(at(index, "2025-03-30 01:00", 10.0)).tolist() == [5.0]
    assert made.billed_mw(at(index, "2025-03-30 03:00", 10.0)).tolist() == [10.0]
    assert made.intervals.length.tolist() == [2, 1] + [2] * 10


def test_the_repeated_hour_in_berlin_has_an_interval_of_its_own() -> None:
    """Autumn, two hours: the first 02:00 stands alone, the second goes with 03:00."""
    index = hours("2025-10-26", "2025-10-27", "Europe/Berlin")
    made = bill_of({"price_per_mw_month": 1.0, "interval_min": 120.0}, index)
    assert made.billed_mw(at(index, "2025-10-26 02:00", 10.0, "+02:00")).tolist() == [10.0]
    assert made.billed_mw(at(index, "2025-10-26 02:00", 10.0, "+01:00")).tolist() == [5.0]


@pytest.mark.parametrize("start", ["2025-04-05", "2025-10-04"])
def test_an_hour_on_lord_howe_is_one_hour_beside_its_half_hour_change(start: str) -> None:
    """Hourly steps, billed by the step: each is measured alone. Merged, 10 MW would be billed as 5."""
    index = hours(start, str((pd.Timestamp(start) + pd.Timedelta(days=3)).date()), "Australia/Lord_Howe")
    for row in ({}, {"interval_min": 60.0}):
        made = bill_of({"price_per_mw_month": 1.0} | row, index)
        assert (made.intervals.length == 1).all()
        assert len(made.intervals.first) == len(index)


@pytest.mark.parametrize("zone", ["America/Santiago", "Australia/Lord_Howe", "Europe/Berlin"])
@pytest.mark.parametrize("minutes", [120.0, 180.0])
def test_intervals_never_stretch_over_a_clock_change(zone: str, minutes: float) -> None:
    index = hours("2025-01-01", "2026-01-01", zone, "30min")
    intervals = bill_of({"price_per_mw_month": 1.0, "interval_min": minutes}, index).intervals
    offset = index.tz_localize(None) - index.tz_convert("UTC").tz_localize(None)
    last = intervals.first + intervals.length - 1
    assert (offset[intervals.first] == offset[last]).all()
    assert int(intervals.length.sum()) == len(index)
    begins = index[intervals.first].hour * 60 + index[intervals.first].minute
    whole = intervals.length == minutes / 30
    assert (begins[whole] % minutes == 0).all()


# ------------------------------------------------------------------------------------------- several peaks, tiers


def test_the_mean_of_the_highest_peaks_of_different_days() -> None:
    """Daily peaks 9 (twice on a day), 6, 3, the rest 1: the mean of three is 6; of intervals it would be 8."""
    index = hours("2025-06-01", "2025-07-01")
    load = with_peaks(
        index, {"2025-06-03 10:00": 9.0, "2025-06-03 11:00": 9.0, "2025-06-07 10:00": 6.0, "2025-06-09 8:00": 3.0}
    )
    row = {"price_per_mw_month": 10.0, "peaks": {"n": 3, "distinct": "day"}}
    assert bill_of(row, index).billed_mw(load).tolist() == pytest.approx([6.0])
    assert bill_of(row | {"peaks": {"n": 3}}, index).billed_mw(load).tolist() == pytest.approx([8.0])


def test_with_fewer_days_than_peaks_the_mean_is_of_those_present() -> None:
    index = hours("2025-06-28", "2025-06-30")
    row = {"price_per_mw_month": 10.0, "peaks": {"n": 5, "distinct": "day"}}
    load = with_peaks(index, {"2025-06-28 10:00": 4.0})
    assert bill_of(row, index).billed_mw(load).tolist() == pytest.approx([2.5])
    assert bill_of(row | {"incurred_mw": [7.0, 4.0]}, index).billed_mw(load).tolist() == pytest.approx([4.0])


def test_marginal_tiers_and_contracted_power() -> None:
    """3 MW: 0.5 at 8 and 2.5 at 12 make 34; contracted 1 MW at 10 and 2 MW above it at 25 make 10 + 50."""
    index = hours("2025-06-01", "2025-07-01")
    load = with_peaks(index, {"2025-06-03 10:00": 3.0})
    tiers = bill_of({"tiers": [[0.5, 8.0], [float("inf"), 12.0]]}, index)
    assert charge(tiers, load) == pytest.approx(34.0)
    held = {"price_per_mw_month": 10.0, "contracted_mw": 1.0, "overrun_price_per_mw_month": 25.0}
    demand, overrun = (float(part.sum()) for part in bill_of(held, index).amounts(load))
    assert (demand, overrun) == pytest.approx((10.0, 50.0))


def test_rolling_twelve_months_bill_the_highest_of_a_year() -> None:
    """History of twelve months, the oldest (20) eleven before December's 8: it counts in no month of 2025."""
    index = hours("2025-01-01", "2025-04-01")
    history = [20.0, 0.0, 7.0, *[1.0] * 8, 8.0]
    made = bill_of({"price_per_mw_month": 1.0, "period": "rolling_12", "history_mw": history}, index)
    load = with_peaks(index, {"2025-02-10 12:00": 9.0})
    assert made.billed_mw(load).tolist() == [8.0, 9.0, 9.0]
    early = bill_of({"price_per_mw_month": 1.0, "period": "rolling_12", "history_mw": history[1:]}, index)
    assert early.billed_mw(load).tolist() == [8.0, 9.0, 9.0]
    nine = bill_of({"price_per_mw_month": 1.0, "period": "rolling_12", "history_mw": [20.0, *[0.0] * 10]}, index)
    assert nine.billed_mw(load).tolist() == [20.0, 9.0, 9.0]


def test_a_ratchet_of_named_months_counts_those_alone() -> None:
    """Only February's peak counts: March is billed half of its 8, not of January's 20."""
    index = hours("2025-01-01", "2025-04-01")
    load = with_peaks(index, {"2025-01-10 12:00": 20.0, "2025-02-10 12:00": 8.0})
    made = bill_of({"price_per_mw_month": 1.0, "ratchet": {"share": 0.5, "named_months": [2]}}, index)
    assert made.billed_mw(load).tolist() == [20.0, 8.0, 4.0]


# ------------------------------------------------------------------------------------------------ over a life


def over_a_year(row: dict[str, Any], index: pd.DatetimeIndex, load: np.ndarray) -> float:
    """What a year pays where the horizon repeats to fill it."""
    step_h = (index[1] - index[0]) / pd.Timedelta(hours=1)
    per_year = 8766.0 / (len(index) * step_h)
    made = billing_of(bo.Tariff(demand=[row]), {}, index, step_h).over_life(per_year)
    return per_year * made.amounts(load, 0.0 * load)["demand"]


@pytest.mark.parametrize(
    ("row", "paid"),
    [
        ({}, 12.0 * 30.0),  # one month of twelve touched, billed whole
        ({"part_months": "share"}, 12.0 * 30.0),
        ({"months": [6, 7, 8]}, 3.0 * 30.0),
        ({"period": "year"}, 12.0 * 30.0),
        ({"period": "horizon"}, 12.0 * 30.0),
        ({"coincident": ["2025-06-03T10:00Z"]}, 30.0),
        ({"contracted_mw": 2.0, "overrun_price_per_mw_month": 0.0}, 12.0 * 20.0),
    ],
    ids=lambda part: str(part)[:40],
)
def test_a_week_scaled_to_a_year_pays_twelve_months(row: dict[str, Any], paid: float) -> None:
    """A week in June with a peak of 3 MW at 10: never 52 times a month's charge."""
    index = hours("2025-06-02", "2025-06-09")
    load = with_peaks(index, {"2025-06-03 10:00": 3.0})
    assert over_a_year({"price_per_mw_month": 10.0} | row, index, load) == pytest.approx(paid, rel=1e-12)


def test_months_touched_share_out_a_year() -> None:
    """Two months touched, 4 and 2 MW: 12/2·(4 + 2)·10 a year."""
    index = hours("2025-05-30", "2025-06-03")
    load = with_peaks(index, {"2025-05-31 10:00": 4.0, "2025-06-01 10:00": 2.0})
    assert over_a_year({"price_per_mw_month": 10.0}, index, load) == pytest.approx(360.0)


# ------------------------------------------------------------------------------------------------ in the model


@pytest.mark.parametrize(
    "row",
    [
        {"minimum_mw": 2.5},
        {"ratchet": {"share": 0.9, "months": 3, "history_mw": [3.0, 2.5]}},
        {"coincident": ["2025-06-30T22:30+00:00", "2025-07-01T01:00+00:00"]},
        {"interval_min": 120.0, "incurred_mw": 2.0},
        {"hours": [22, 2], "period": "year"},
        {"peaks": {"n": 2, "distinct": "day"}, "incurred_mw": [1.5]},
        {"peaks": {"n": 2}, "ratchet": {"share": 1.0}},
        {"period": "rolling_12", "history_mw": [3.5, 0.0]},
        {"contracted_mw": 2.0, "overrun_price_per_mw_month": 20_000.0},
        {"price_per_mw_month": None, "tiers": [[2.0, 0.0], [3.0, 9000.0], [float("inf"), 12000.0]]},
        {"price_per_mw_month": None, "tiers": [[1.0, 9000.0], [2.5, 2000.0], [float("inf"), 6000.0]]},
        {"part_months": "share", "minimum_mw": 1.0},
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
                    "price_per_mw_month": 100.0,
                    "coincident": ["2025-06-02T01:00Z"],
                }
            ]
        },
    )
    plan = of.optimize()
    assert plan.schedule["battery_mw"].tolist() == pytest.approx([0.0, 1.0, 0.0])
    assert plan.metrics.demand_charges == pytest.approx(0.0, abs=1e-9)


# ------------------------------------------------------------------------------------------------ as an input

NOT_TIERS = "give a list of [up to, price], thresholds above 0 and strictly rising, the last inf"
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
            {"coincident": ["2025-07-15T17:00Z"], "hours": [16, 21], "incurred_mw": 1.0},
            "coincident: stands beside hours, incurred_mw, but the times alone say what is measured and billed; leave "
            "them out; a coincident row takes a price or tiers, interval_min and times",
        ),
        (
            {"ratchet": {"share": 0.5}, "period": "year"},
            'ratchet: stands beside period = "year"; it needs period = "month"',
        ),
        ({"tiers": [[1.0, 5.0]]}, "tiers: found [[1.0, 5.0]]; " + NOT_TIERS),
        ({"tiers": [[2.0, 5.0], [1.0, 6.0]]}, "tiers: found [[2.0, 5.0], [1.0, 6.0]]; " + NOT_TIERS),
        (
            {"tiers": [[float("inf"), 5.0]]},
            "price_per_mw_month: stands beside tiers; give a number or tiers, not both",
        ),
        ({"contracted_mw": 1.0}, "overrun_price_per_mw_month: is missing beside contracted_mw; give both"),
        (
            {"contracted_mw": 1.0, "overrun_price_per_mw_month": 1.0, "ratchet": {"share": 0.5}},
            "contracted_mw: stands beside ratchet; state them in rows of their own",
        ),
        ({"history_mw": [1.0]}, 'history_mw: has no effect in this row; it needs a ratchet or period = "rolling_12"'),
        (
            {"history_mw": [1.0], "ratchet": {"share": 0.5, "history_mw": [1.0]}},
            "history_mw: is stated in the row and in its ratchet; give it once",
        ),
        ({"incurred_mw": [1.0]}, "incurred_mw: is a list, but without peaks there is one peak; give one number"),
        (
            {"ratchet": {"share": 0.5, "months": 2, "history_mw": [-1.0]}},
            "ratchet.history_mw[0]: found -1.0; give a list of numbers >= 0: peaks of months before the horizon, "
            "latest last [MW]",
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
    rows = [
        {"price_per_mw_month": 1.0, "coincident": stamps},
        {
            "tiers": [[1.0, 2.0], [float("inf"), 3.0]],
            "ratchet": ratchet,
            "minimum_mw": 2.0,
            "from": "11-01",
            "to": "03-31",
        },
        {"price_per_mw_month": 1.0, "peaks": {"n": 2}, "incurred_mw": [1.0, 2.0], "hours": [[0, "06:30"], [22, 24]]},
    ]
    tariff = bo.Tariff(demand=rows)
    assert tariff.demand[0].coincident == ("2025-07-15T17:00:00+02:00", "2025-07-16T17:00:00+00:00")
    assert bo.Tariff(**tariff.to_plain()) == tariff
