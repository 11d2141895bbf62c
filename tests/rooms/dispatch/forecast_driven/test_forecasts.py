"""What is known when: each mode by hand, across clock changes, and every refusal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import frame

import bess_opt as bo
from bess_opt.dispatch.forecast_driven.forecasts import Forecasts, Knowledge

SPRING, AUTUMN = "2025-03-29 00:00", "2025-10-25 00:00"  # the day before each clock change in Berlin


def numbered(
    steps: int, *, start: str = "2025-06-02 00:00", zone: str = "Europe/Berlin", step_min: int = 60
) -> pd.DataFrame:
    """Prices that are their own step number, so that a belief says which step it was taken from."""
    return frame(start=start, zone=zone, step_min=step_min, price_per_mwh=np.arange(float(steps)))


def believed(series: pd.DataFrame, forecast: Forecasts, issued: int, step_h: float = 1.0) -> np.ndarray:
    """The prices as believed when step `issued` begins; earlier steps as they were."""
    issues = np.minimum(issued, np.arange(len(series)))
    return Knowledge(series, forecast, step_h).believed(issues)["price_per_mwh"].to_numpy()


def clock_of(series: pd.DataFrame, step: int) -> str:
    return f"{series.index[step]:%d %H:%M}"


def test_perfect_and_observed() -> None:
    """Everything, or the present step for ever; unseen, the step before it."""
    series = numbered(6)
    assert believed(series, "perfect", 2).tolist() == [0, 1, 2, 3, 4, 5]
    assert believed(series, "observed", 2).tolist() == [0, 1, 2, 2, 2, 2]
    unseen = bo.Forecast("observed", current="forecast")
    assert believed(series, unseen, 2)[2:].tolist() == [1, 1, 1, 1]
    assert believed(series, unseen, 0).tolist() == [0] * 6  # the first value stands for the one before it


def test_persistence_goes_back_as_many_lags_as_it_takes() -> None:
    """From step 30: steps up to 30 are known, 31 to 54 are those of a day before, 55 those of two days before."""
    series = numbered(72)
    known = believed(series, "persistence", 30)
    assert known[31] == 7
    assert known[54] == 30
    assert known[55] == 7  # 55 − 24 = 31 is not known yet
    assert believed(series, bo.Forecast("persistence", lag_h=48.0), 60)[61:72].tolist() == list(range(13, 24))
    assert believed(series, "persistence", 3)[4:8].tolist() == [3] * 4  # no yesterday: the last one known


def test_a_week_before() -> None:
    series = numbered(24 * 9)
    known = believed(series, bo.Forecast("persistence", lag_h=168.0), 24 * 7)
    assert known[24 * 8] == 24


@pytest.mark.parametrize("start", [SPRING, AUTUMN])
def test_yesterday_is_meant_by_the_clock(start: str) -> None:
    """After a clock change 08:00 is believed to be as 08:00 the day before, 23 or 25 hours ago."""
    series = numbered(72, start=start)
    stamps = series.index
    change, after = 24, int(stamps.get_indexer([stamps[0].normalize() + pd.DateOffset(days=1, hours=8)])[0])
    source = int(believed(series, "persistence", change - 1)[after])
    assert clock_of(series, source).endswith("08:00")
    assert after - source == (23 if start == SPRING else 25)


def test_published_at_its_hour() -> None:
    """Before 13:00 only today is known, and tomorrow 18:00 is believed as today's; from 13:00 on it is known."""
    series = numbered(72)
    assert believed(series, "published", 12)[23] == 23
    assert believed(series, "published", 12)[42] == 18
    assert believed(series, "published", 13)[47] == 47
    assert believed(series, "published", 13)[48] == 24
    assert believed(series, bo.Forecast("published", at_hour=12.0), 12)[42] == 42


@pytest.mark.parametrize(("start", "hours"), [(SPRING, 23), (AUTUMN, 25)])
def test_published_across_a_clock_change(start: str, hours: int) -> None:
    """At 13:00 the whole next day is known, of 23 or 25 hours, and not an hour more; at 12:00 on that day also none."""
    series = numbered(96, start=start)
    known = believed(series, "published", 13)
    assert known[: 24 + hours].tolist() == list(range(24 + hours))
    assert known[24 + hours] != 24 + hours
    noon = 24 + hours - 12
    assert clock_of(series, noon).endswith("12:00")
    assert believed(series, "published", noon)[24 + hours] != 24 + hours
    assert believed(series, "published", noon + 1)[24 + hours] == 24 + hours


def test_quarter_hours_are_published_like_hours() -> None:
    series = numbered(3 * 96, step_min=15)
    assert believed(series, "published", 51, 0.25)[96] == 0  # 12:45
    assert believed(series, "published", 52, 0.25)[96] == 96  # 13:00


def test_beyond_what_is_published_stands_what_is_given() -> None:
    series = numbered(72)
    given = pd.Series(-1.0, index=series.index)
    known = believed(series, bo.Forecast("published", values=given), 13)
    assert known[47] == 47
    assert known[48] == -1


def test_noise_has_a_seed_and_grows_with_the_lead() -> None:
    """The same seed gives the same noise; with `error_at_h` it is as large as stated at that lead, half at a quarter."""
    series = numbered(2000) * 0.0 + 100.0
    noisy = bo.Forecast("noisy", relative_error=0.1, seed=7)
    first = believed(series, noisy, 0)
    assert first[0] == 100.0  # seen
    assert np.array_equal(first, believed(series, noisy, 0))
    assert not np.array_equal(first, believed(series, bo.Forecast("noisy", relative_error=0.1, seed=8), 0))
    assert np.std(first[1:]) == pytest.approx(10.0, rel=0.1)
    grown = believed(series, bo.Forecast("noisy", relative_error=0.1, seed=7, error_at_h=4.0), 0)
    assert grown[4] - 100.0 == pytest.approx(first[4] - 100.0)
    assert grown[1] - 100.0 == pytest.approx((first[1] - 100.0) / 2.0)
    absolute = believed(series * 0.0, bo.Forecast("noisy", absolute_error=3.0), 0)
    assert np.std(absolute[1:]) == pytest.approx(3.0, rel=0.1)


def test_a_forecast_stays_within_what_a_series_can_be() -> None:
    """Sun is never negative, however wrong the forecast."""
    series = frame(price_per_mwh=[1.0] * 200, solar_mw=[0.1] * 200)
    known = Knowledge(series, bo.Forecast("noisy", absolute_error=5.0), 1.0).believed(np.zeros(200, dtype=int))
    assert known["solar_mw"].min() == 0.0
    assert known["price_per_mwh"].min() < 0.0


def test_vintages_count_from_their_issue() -> None:
    """At step 1 the vintage of step 0 counts, at step 2 the one issued then; what it has not, the older one says."""
    series = numbered(5)
    t = series.index
    rows = [(t[0], t[k], 10.0 + k) for k in range(1, 5)] + [(t[2], t[3], 23.0)]
    vintages = pd.Series({(issued, time): value for issued, time, value in rows})
    vintages.index = pd.MultiIndex.from_tuples(vintages.index, names=["issued", "time"])
    assert believed(series, vintages, 1).tolist() == [0, 1, 12, 13, 14]
    assert believed(series, vintages, 2).tolist() == [0, 1, 2, 23, 14]
    late = vintages[vintages.index.get_level_values(0) == t[2]]
    assert believed(series, late, 1).tolist() == [0, 1, 1, 1, 1]  # nothing issued yet: persistence


def test_a_reserve_is_no_forecast() -> None:
    series = numbered(4).assign(energy_min_mwh=[0.0, 0.0, 1.0, 1.0])
    known = Knowledge(series, "observed", 1.0).believed(np.zeros(4, dtype=int))
    assert known["energy_min_mwh"].tolist() == [0.0, 0.0, 1.0, 1.0]


def test_a_mapping_names_every_series_or_the_others() -> None:
    series = numbered(4).assign(load_mw=1.0)
    mixed = Knowledge(series, {"price_per_mwh": "perfect", "*": "observed"}, 1.0)
    assert (mixed.mode("price_per_mwh"), mixed.mode("load_mw")) == ("perfect", "observed")
    table = Knowledge(series, pd.DataFrame({"price_per_mwh": -1.0, "load_mw": 2.0}, index=series.index), 1.0)
    assert table.believed(np.zeros(4, dtype=int)).iloc[1].tolist() == [-1.0, 2.0]


REFUSED: list[tuple[Any, str]] = [
    ("publishd", "forecast.mode: found 'publishd'; did you mean 'published'"),
    ({"price_per_mwh": "perfect"}, "forecast.load_mw: is missing; say what is known of it"),
    ({"prise_per_mwh": "perfect", "*": "perfect"}, "unknown series 'prise_per_mwh'; did you mean 'price_per_mwh'"),
    (7, "forecast: found 7; give a mode, a Forecast, or a mapping"),
    (pd.Series([1.0]), "forecast: found one Series for several; give"),
]  # fmt: skip


@pytest.mark.parametrize(("forecast", "message"), REFUSED)
def test_wrong_forecasts_say_what_would_be_right(forecast: Any, message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        Knowledge(numbered(4).assign(load_mw=1.0), forecast, 1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"current": "unseen"}, "forecast.current: found 'unseen'; did you mean 'seen'"),
        ({"at_hour": 25.0}, "forecast.at_hour: found 25.0; give a local hour from 0 to 24"),
        ({"lag_h": 0.0}, "forecast.lag_h: found 0.0; give hours above 0"),
        ({"relative_error": -0.1}, "forecast.relative_error: found -0.1; give a fraction of 0 or more"),
        ({"absolute_error": float("nan")}, "forecast.absolute_error: found nan; give a number of 0 or more"),
        ({"error_at_h": 0.0}, "forecast.error_at_h: found 0.0; give hours above 0"),
        ({"seed": 1.5}, "forecast.seed: found 1.5; give a whole number of 0 or more"),
        ({"mode": "given"}, 'forecast.values: is missing; mode "given" needs a Series'),
        ({"mode": "observed", "values": pd.Series([1.0])}, "forecast.values: stand beside mode 'observed'; use mode"),
    ],
)
def test_wrong_options_say_what_would_be_right(options: dict[str, Any], message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        bo.Forecast(**options)


def _levels(series: pd.Series) -> pd.Series:
    three = pd.MultiIndex.from_arrays([series.index, series.index, series.index])
    return series.set_axis(three)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.iloc[:-1], "have no value at 2025-06-02 03:00:00.02:00; give one for each step"),
        (
            lambda s: s.set_axis(s.index.tz_localize(None)),
            "have an index whose time is no tz-aware time; localize it",
        ),
        (lambda s: s.where(s != 2.0), "have no number at 2025-06-02 02:00:00.02:00; give a finite number"),
        (lambda s: pd.concat([s, s.iloc[:1]]), "have 2025-06-02 00:00:00.02:00 twice; give each step once per issue"),
        (_levels, "have 3 index levels; give .issued, time., or time alone"),
    ],
)
def test_wrong_values_say_what_would_be_right(change: Any, message: str) -> None:
    series = numbered(4)
    with pytest.raises(bo.ScenarioError, match=f"forecast.price_per_mwh.values: {message}"):
        Knowledge(series, change(series["price_per_mwh"]), 1.0)
