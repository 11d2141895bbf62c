"""Masks and groups over the local clock, on the days on which it jumps."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from bess_opt.common.clock import (
    day_number,
    is_zone,
    parse_clock,
    period_number,
    step_hours,
    window_mask,
    zone_name,
)

SPRING, AUTUMN = "2025-03-30", "2025-10-26"


def day(start: str, freq: str = "h", days: int = 1, zone: str = "Europe/Berlin") -> pd.DatetimeIndex:
    first = pd.Timestamp(start, tz=zone)
    return pd.date_range(first, first + pd.DateOffset(days=days), freq=freq, inclusive="left")


@pytest.mark.parametrize(("freq", "step_h"), [("h", 1.0), ("30min", 0.5), ("15min", 0.25), ("5min", 1 / 12)])
@pytest.mark.parametrize("start", ["2025-01-01", SPRING, AUTUMN, "2024-02-29"])
def test_step_is_measured_in_utc(freq: str, step_h: float, start: str) -> None:
    assert step_hours(day(start, freq)) == step_h


def test_step_of_one_stamp_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two"):
        step_hours(day("2025-01-01")[:1])


@pytest.mark.parametrize(("text", "minutes"), [("00:00", 0), ("07:05", 425), ("23:59", 1439), ("24:00", 1440)])
def test_clock_times(text: str, minutes: int) -> None:
    assert parse_clock(text) == minutes


@pytest.mark.parametrize(
    "text", ["7:05", "24:01", "12:60", "12", "12:00:00", "", " 12:00", "ab:cd", "-1:00", 12, None]
)
def test_other_texts_are_no_clock_times(text: str) -> None:
    with pytest.raises(ValueError, match='is not a clock time; write "HH:MM"'):
        parse_clock(text)


def test_window_is_half_open_and_wraps() -> None:
    index = day("2025-01-01", "30min")
    assert list(np.flatnonzero(window_mask(index, "06:00", "07:00"))) == [12, 13]
    wrapped = window_mask(index, "22:00", "06:00")
    assert list(index[wrapped].hour.unique()) == [0, 1, 2, 3, 4, 5, 22, 23]
    assert (wrapped ^ window_mask(index, "06:00", "22:00")).all()
    assert list(np.flatnonzero(window_mask(index, "23:30", "24:00"))) == [47]
    assert window_mask(index, "00:00", "24:00").all()


def test_window_counts_the_step_by_its_start() -> None:
    """An hourly step that starts at 17:30 lies outside a window from 18:00."""
    index = day("2025-01-01 00:30")
    assert list(index[window_mask(index, "18:00", "20:00")].strftime("%H:%M")) == ["18:30", "19:30"]


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [("08:00", "08:00", "is empty"), ("24:00", "06:00", "cannot start"), ("8", "9", "not a clock time")],
)
def test_wrong_windows(start: str, end: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        window_mask(day("2025-01-01"), start, end)


@pytest.mark.parametrize(("start", "steps", "night"), [(SPRING, 23, 2), (AUTUMN, 25, 4), ("2025-06-01", 24, 3)])
def test_a_changed_day_has_23_or_25_hours(start: str, steps: int, night: int) -> None:
    """The hour from 02:00 is missing in spring and there twice in autumn, in the window as on the clock."""
    index = day(start)
    assert len(index) == steps
    assert window_mask(index, "00:00", "03:00").sum() == night
    assert (day_number(index) == 0).all()


def test_unknown_words_are_refused() -> None:
    index = day("2025-01-01")
    with pytest.raises(ValueError, match="period is 'week'"):
        period_number(index, "week")  # type: ignore[arg-type]


def test_days_are_local_not_utc() -> None:
    index = day("2025-06-01", days=3)
    assert np.bincount(day_number(index)).tolist() == [24, 24, 24]
    assert np.bincount(day_number(index.tz_convert("UTC"))).tolist() == [2, 24, 24, 22]


def test_days_of_a_leap_year_and_over_the_clock_changes() -> None:
    index = day("2024-01-01", days=366)
    assert len(index) == 8784
    numbers = day_number(index)
    assert numbers[-1] == 365
    counts = np.bincount(numbers)
    assert sorted(set(counts.tolist())) == [23, 24, 25]
    assert (np.diff(numbers) >= 0).all()


@pytest.mark.parametrize(
    ("period", "labels"),
    [
        ("day", ["2024-12-31", "2025-01-01"]),
        ("month", ["2024-12", "2025-01"]),
        ("year", ["2024", "2025"]),
        ("horizon", ["horizon"]),
    ],
)
def test_periods_and_their_labels(period: str, labels: list[str]) -> None:
    numbers, names = period_number(day("2024-12-31", days=2), period)  # type: ignore[arg-type]
    assert names == labels
    assert numbers.tolist() == ([0] * 24 + [1] * 24 if len(labels) == 2 else [0] * 48)


def test_no_steps_have_no_periods() -> None:
    empty = day("2025-01-01")[:0]
    assert period_number(empty, "horizon")[1] == []
    assert day_number(empty).tolist() == []


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        (ZoneInfo("Europe/Berlin"), "Europe/Berlin"),
        (ZoneInfo("Etc/GMT+8"), "Etc/GMT+8"),
        (dt.UTC, "UTC"),
        (dt.timezone(dt.timedelta(0)), "UTC"),
        (dt.timezone(dt.timedelta(hours=1)), None),
        (None, None),
    ],
)
def test_zone_names(zone: dt.tzinfo | None, name: str | None) -> None:
    assert zone_name(zone) == name


@pytest.mark.parametrize(
    ("name", "known"), [("Europe/Berlin", True), ("Europe", False), ("", False), ("../x", False)]
)
def test_known_zones(name: str, known: bool) -> None:
    assert is_zone(name) is known
