"""Properties of clean series that hold for any numbers, zone, step and start."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from bess_opt.common.calendar import When
from bess_opt.common.clock import day_number, window_mask
from bess_opt.inputs.scenario import Scenario, load

SIZE = {"power_mw": 2, "duration_h": 4}
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
STEPS = st.sampled_from(["5min", "15min", "30min", "1h", "2h"])
# around clock changes, a leap day and a turn of the year
STARTS = st.sampled_from(["2024-02-28", "2025-03-29", "2025-10-25", "2025-12-31", "2025-04-05"])
# Rounded: a number a hundred million times the usual one of its column is refused, rightly.
POWER = st.floats(0, 1e6, allow_nan=False).map(lambda mw: round(mw, 1))
PRICE = st.floats(-1e4, 1e4, allow_nan=False).map(lambda price: round(price, 2))


@st.composite
def frames(draw: st.DrawFn, steps: st.SearchStrategy[str] = STEPS) -> pd.DataFrame:
    count = draw(st.integers(2, 60))
    start = pd.Timestamp(draw(STARTS), tz="UTC")
    index = pd.date_range(start, periods=count, freq=draw(steps)).tz_convert(draw(ZONES))
    load_mw = draw(st.lists(POWER, min_size=count, max_size=count))
    price = draw(st.lists(PRICE, min_size=count, max_size=count))
    return pd.DataFrame({"load_mw": load_mw, "price_per_mwh": price}, index=index)


@given(frames())
@settings(deadline=None, max_examples=60)
def test_a_clean_series_is_what_was_given(frame: pd.DataFrame) -> None:
    scenario = Scenario(battery=SIZE, series=frame)
    assert scenario.series.index.equals(frame.index)
    assert (scenario.series.to_numpy() == frame.to_numpy()).all()
    assert scenario.notes == ()


@given(frames(), st.booleans())
@settings(deadline=None, max_examples=40)
def test_written_and_read_again_to_the_last_bit(frame: pd.DataFrame, parquet: bool) -> None:
    scenario = Scenario(battery=SIZE, series=frame, strategy={"name": "x", "level": 0.1 + 0.2})
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "scenario.toml").write_text(tomli_w.dumps(scenario.to_tables()))
        if parquet:
            scenario.series.to_parquet(folder / "series.parquet")
        else:
            scenario.series.to_csv(folder / "series.csv")
        again = load(folder)
    assert again == scenario
    assert (again.series.to_numpy() == scenario.series.to_numpy()).all()


@given(frames(st.sampled_from(["5min", "15min", "30min"])))
@settings(deadline=None, max_examples=40)
def test_shorter_and_longer_again_is_the_same(frame: pd.DataFrame) -> None:
    """Holding a value in fifths keeps its energy; the mean of the fifths is the value again."""
    first = Scenario(battery=SIZE, series=frame)
    hold = {"step_min": first.step_h * 60 / 5, "resample": dict.fromkeys(frame, "hold")}
    fine = first.replace(series=frame, series_options=hold)
    assert len(fine.series) == 5 * len(frame)
    assert np.isclose(fine.series["load_mw"].sum() * fine.step_h, frame["load_mw"].sum() * first.step_h)
    mean = {"step_min": first.step_h * 60, "resample": dict.fromkeys(frame, "mean")}
    again = first.replace(series=fine.series, series_options=mean)
    assert again.series.index.equals(frame.index)
    assert np.allclose(again.series, frame, rtol=1e-12, atol=1e-300)


@given(frames(), st.integers(0, 23), st.integers(0, 23))
@settings(deadline=None, max_examples=60)
def test_a_window_and_its_complement_share_out_the_day(frame: pd.DataFrame, a: int, b: int) -> None:
    index = pd.DatetimeIndex(frame.index)
    if a == b:
        b = (a + 1) % 24
    one = window_mask(index, f"{a:02d}:00", f"{b:02d}:00")
    other = window_mask(index, f"{b:02d}:00", f"{a:02d}:00")
    assert (one ^ other).all()
    assert (one == When(windows=((a * 60.0, b * 60.0),)).mask(index)).all()
    inside = [(a <= t.hour < b) if a < b else (t.hour >= a or t.hour < b) for t in index]
    assert one.tolist() == inside
    assert day_number(index).tolist() == [(t.date() - index[0].date()).days for t in index]
