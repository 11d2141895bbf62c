"""When a row holds: months or dates, kinds of days, windows of hours, and edges that lie inside a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.common.calendar import When, step_for_edge
from bess_opt.inputs.calendar.holidays import holidays_in
from bess_opt.inputs.tariff import EnergyRate


def hours_of(start: str, days: int, zone: str = "Europe/Berlin", freq: str = "h") -> pd.DatetimeIndex:
    end = pd.Timestamp(start) + pd.Timedelta(days=days)
    return pd.date_range(start, end, freq=freq, tz=zone, inclusive="left")


def when(**keys: Any) -> When:
    return EnergyRate(price_per_mwh=1.0, **keys).calendar


def test_months_days_and_hours_hold_at_once() -> None:
    index = hours_of("2025-01-01", 365, freq="15min")
    mask = when(months=[6, 7], days="weekday", hours=[12, 18.5]).mask(index)
    expected = [t.month in (6, 7) and t.weekday() < 5 and (12, 0) <= (t.hour, t.minute) < (18, 30) for t in index]
    assert mask.tolist() == expected
    assert when(days="weekend").mask(index).tolist() == [t.weekday() >= 5 for t in index]


@pytest.mark.parametrize(
    ("hours", "found"),
    [
        ([22, 6], [0, 1, 2, 3, 4, 5, 22, 23]),
        ([22, 0], [22, 23]),
        (["06:00", "08:00"], [6, 7]),
        ([[0, 2], ["20:00", "24:00"]], [0, 1, 20, 21, 22, 23]),
        ([[22, 2], [2, 3]], [0, 1, 2, 22, 23]),
    ],
)
def test_windows(hours: Any, found: list[int]) -> None:
    index = hours_of("2025-01-01", 1)
    assert index[when(hours=hours).mask(index)].hour.tolist() == found


def test_a_window_over_midnight_belongs_to_each_day_on_its_own() -> None:
    """Saturday's window from 22 to 6: hours 0 to 6 and 22 to 24 of Saturday. As one night it would reach Sunday."""
    index = hours_of("2025-06-06", 3)  # from Friday on
    chosen = index[when(days=["saturday"], hours=[22, 6]).mask(index)]
    assert {t.day_of_week for t in chosen} == {5}
    assert chosen.hour.tolist() == [0, 1, 2, 3, 4, 5, 22, 23]


def test_a_list_of_days_takes_holidays_out_and_a_word_does_not() -> None:
    """Whit Monday, 9 June 2025: "weekday" as a word holds on it, in a list it does not; "holiday" alone does."""
    index, off = hours_of("2025-06-07", 4), ("2025-06-09",)
    monday = index.day == 9
    assert when(days="weekday").mask(index, off)[monday].all()
    assert not when(days=["weekday"]).mask(index, off)[monday].any()
    assert (when(days=["holiday"]).mask(index, off) == monday).all()
    every = sum(
        when(days=[kind]).mask(index, off).astype(int) for kind in ("weekday", "saturday", "sunday", "holiday")
    )
    assert (np.asarray(every) == 1).all()


@pytest.mark.parametrize(
    ("first", "last", "inside"),
    [
        ("11-01", "03-31", ["2024-11-01", "2024-12-31", "2025-01-01", "2025-03-31"]),
        ("02-29", "02-29", ["2024-02-29"]),
        ("02-28", "03-01", ["2024-02-28", "2024-02-29", "2024-03-01", "2025-02-28", "2025-03-01"]),
    ],
)
def test_dates_are_inclusive_and_run_over_new_year(first: str, last: str, inside: list[str]) -> None:
    index = hours_of("2024-01-01", 731, freq="D")
    mask = when(**{"from": first, "to": last}).mask(index)
    days = set(index[mask].strftime("%Y-%m-%d"))
    assert set(inside) <= days
    for date in (inside[0], inside[-1]):
        outside = pd.Timestamp(date) + pd.Timedelta(days=-1 if date == inside[0] else 1)
        assert outside.strftime("%Y-%m-%d") not in days


# ------------------------------------------------------------------------------------------------ edges


def test_an_edge_inside_every_step_needs_a_shorter_one() -> None:
    index = hours_of("2025-06-02", 2)
    assert step_for_edge(index, 1.0, 390.0) == 30.0
    assert step_for_edge(index, 1.0, 380.0) == 20.0
    assert step_for_edge(index, 1.0, 360.0) is None


def test_an_edge_that_a_clock_change_puts_on_a_step_is_fine() -> None:
    """Hourly steps on Lord Howe begin at the half hour in one season and at the hour in the other."""
    index = pd.date_range("2025-04-05", periods=48, freq="h", tz="Australia/Lord_Howe")
    assert step_for_edge(index, 1.0, 360.0) is None
    assert step_for_edge(index, 1.0, 390.0) is None
    assert step_for_edge(index[:20], 1.0, 390.0) == 30.0


def test_an_edge_outside_the_horizon_or_in_a_skipped_hour_is_fine() -> None:
    """02:30 does not exist on 30 March in Berlin, and six hours of a morning do not hold 18:30."""
    assert step_for_edge(hours_of("2025-03-30", 1), 1.0, 150.0) is None
    assert step_for_edge(hours_of("2025-03-31", 1), 1.0, 150.0) == 30.0
    assert step_for_edge(hours_of("2025-03-31", 1)[:6], 1.0, 18.5 * 60) is None


def test_a_scenario_refuses_an_edge_inside_a_step() -> None:
    series = pd.DataFrame({"load_mw": 1.0}, index=hours_of("2025-06-02", 1))
    rows = [{"price_per_mwh": 1.0, "hours": [0, "06:30"]}, {"price_per_mwh": 2.0, "hours": ["06:30", 24]}]
    with pytest.raises(bo.ScenarioError) as raised:
        bo.Scenario(
            battery={"power_mw": 1, "duration_h": 2}, series=series, tariff={"energy": rows, "export": "none"}
        )
    assert [p.sentence() for p in raised.value.problems] == [
        f"tariff.energy[{row}].hours: the window {window} has an edge inside a step of 60 min; "
        "give a series with steps of 30 min, or move the edge"
        for row, window in enumerate(["00:00 to 06:30", "06:30 to 24:00"])
    ]


# ------------------------------------------------------------------------------------------------ wrong keys

HOURS = (
    'give [from, to] in local hours, numbers or "HH:MM", 0 <= from < 24, 0 <= to <= 24, not equal, or a list of such '
    "pairs that do not overlap; [0, 24] is all day, [22, 6] wraps over midnight"
)
WORDS = "'all', 'weekday', 'weekend', or a list of"
KINDS = "'weekday', 'saturday', 'sunday', 'holiday'"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"hours": [6, 6]}, f"hours: found [6, 6]; {HOURS}"),
        ({"hours": [[6, 9], [8, 10]]}, f"hours: found [[6, 9], [8, 10]]; {HOURS}"),
        ({"hours": [[22, 6], [5, 7]]}, f"hours: found [[22, 6], [5, 7]]; {HOURS}"),
        ({"hours": ["6:30", 9]}, f"hours: found ['6:30', 9]; {HOURS}"),
        ({"days": "sunday"}, f"days: found 'sunday'; did you mean 'sunday'? ({WORDS} {KINDS})"),
        ({"days": ["weekend"]}, f"days: found ['weekend']; give {WORDS} different {KINDS}"),
        ({"from": "11-01"}, 'to: is missing beside from; give a date of the year "MM-DD"'),
        ({"from": "02-30", "to": "03-01"}, 'from: found \'02-30\'; give a date of the year "MM-DD", such as "11-01"'),
        ({"from": "11-01", "to": "12-31", "months": [1]}, "months: stands beside from and to; give one of the two"),
    ],
)
def test_wrong_calendar_keys_are_refused_with_their_remedy(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(bo.ScenarioError) as raised:
        EnergyRate(price_per_mwh=1.0, **keys)
    assert [p.sentence() for p in raised.value.problems] == [f"tariff.energy.{sentence}"]


# -------------------------------------------------------------------------------------------------- holidays


def test_holidays_of_a_region_with_observed_days() -> None:
    assert "2025-06-19" in holidays_in("DE-BY", hours_of("2025-01-01", 365))  # Corpus Christi, not in all of Germany
    assert "2025-06-19" not in holidays_in("DE", hours_of("2025-01-01", 365))
    assert {"2027-07-04", "2027-07-05"} <= set(holidays_in("US", hours_of("2027-07-01", 31, "America/New_York")))
    assert holidays_in(("2025-06-09", "2031-01-01"), hours_of("2025-06-01", 30)) == ("2025-06-09",)


def office(**site: Any) -> bo.Scenario:
    series = pd.DataFrame({"load_mw": 1.0}, index=hours_of("2025-06-07", 4))
    rows = [
        {"price_per_mwh": 10.0, "days": ["holiday", "sunday"]},
        {"price_per_mwh": 100.0, "days": ["weekday", "saturday"]},
    ]
    battery = {"power_mw": 1, "duration_h": 2}
    return bo.Scenario(
        battery=battery, series=series, site=site, tariff={"energy": rows, "export": "none"}, strategy="arbitrage"
    )


def test_the_dates_stand_in_findings_and_in_the_saved_scenario() -> None:
    """Whit Monday costs 10; the saved scenario holds the date, so that a later package cannot change the bill."""
    scenario = office(holidays="DE")
    idle = bo.simulate(scenario, rule=lambda _state: 0.0)
    assert -idle.metrics.energy_revenue == pytest.approx(24.0 * (100 + 10 + 10 + 100))
    assert scenario.to_tables()["site"]["holidays"] == ["2025-06-09"]
    assert "2025-06-09" in next(f.found for f in idle.findings if f.code == "holidays")
    assert office(holidays=["2025-06-09"]) == scenario
    assert office(holidays=[]) != scenario


def test_a_holiday_without_holidays_is_refused() -> None:
    with pytest.raises(bo.ScenarioError) as raised:
        office()
    assert [p.sentence() for p in raised.value.problems] == [
        'tariff.energy[0].days: names "holiday", but none are stated; state site.holidays: a region such as "DE-BY", '
        "or a list of dates"
    ]


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("XX", "found 'XX', whose country is not known"),
        ("DE-XX", "found 'DE-XX', whose region is not known"),
        (["2025-13-01"], "found '2025-13-01'"),
        (7, "found 7"),
    ],
)
def test_unknown_holidays_are_refused(stated: Any, found: str) -> None:
    with pytest.raises(bo.ScenarioError) as raised:
        office(holidays=stated)
    assert raised.value.problems[0].where == "site.holidays"
    assert raised.value.problems[0].found == found
