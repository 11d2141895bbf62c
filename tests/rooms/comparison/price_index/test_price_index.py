"""Yardsticks of a price series, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.plots import figure_png


def prices(days: int = 1, start: str = "2025-06-02", step: str = "h", zone: str = "Europe/Berlin") -> pd.Series:
    """50 all day but 10 and 20 at 3 and 4 o'clock, 100 and 80 at 18 and 19."""
    first = pd.Timestamp(start, tz=zone)
    stamps = pd.date_range(first, first + pd.DateOffset(days=days), freq=step, inclusive="left")
    values = pd.Series(stamps.hour).map({3: 10.0, 4: 20.0, 18: 100.0, 19: 80.0}).fillna(50.0)
    return pd.Series(values.to_numpy(), index=stamps, name="price_per_mwh")


def value(found: bo.PriceIndex, yardstick: str, hours: int, cycles: int | None = None) -> float:
    rows = found.table[(found.table["yardstick"] == yardstick) & (found.table["hours"] == hours)]
    rows = rows if cycles is None else rows[rows["cycles_per_day"] == cycles]
    assert len(rows) == 1
    return float(rows["per_mw_year"].iloc[0])


@pytest.mark.parametrize("step", ["h", "15min"])
def test_lossless_by_hand(step: str) -> None:
    """Dearest less cheapest hours: 90, 180 - 30, 280 - 130 a day; steps of a quarter of an hour change nothing."""
    found = bo.index(prices(step=step), round_trip_efficiency=1.0)
    assert found.daily.iloc[0].tolist() == pytest.approx([90.0, 75.0, 37.5])
    assert [value(found, "top_bottom", hours) for hours in (1, 2, 4)] == pytest.approx(
        [365 * 90, 365 * 150, 365 * 150]
    )
    assert value(found, "day_ahead", 1, 1) == pytest.approx(365 * 90)
    assert value(found, "day_ahead", 2, 1) == pytest.approx(365 * 150)
    assert value(found, "perfect_sight", 2, 1) == pytest.approx(365 * 150)
    assert value(found, "rule", 2, 1) == pytest.approx(365 * 150)


def test_losses_and_a_nameplate_by_hand() -> None:
    """1 MWh in the cells takes 1 MWh at 10 and 1/9 MWh at 20, and gives 0.9 MWh at 100."""
    found = bo.index(prices(), round_trip_efficiency=0.81)
    assert value(found, "day_ahead", 1, 1) == pytest.approx(365 * (90.0 - 10.0 - 20.0 / 9.0))


def test_a_second_cycle_is_worth_its_own_spread() -> None:
    """Two dips and two peaks a day: 90 with one cycle, 90 + 60 with two."""
    series = prices()
    series.iloc[[8, 9]] = [90.0, 30.0]  # sell at 8, buy again at 9
    found = bo.index(series, round_trip_efficiency=1.0)
    assert value(found, "day_ahead", 1, 1) == pytest.approx(365 * 90)
    assert value(found, "day_ahead", 1, 2) == pytest.approx(365 * (80 + 70))


def test_energy_kept_over_midnight_counts_for_perfect_sight_alone() -> None:
    series = prices(days=2)
    series.iloc[:] = [50.0] * 23 + [0.0] + [100.0] + [50.0] * 23
    found = bo.index(series, round_trip_efficiency=1.0)
    assert value(found, "day_ahead", 1, 1) == pytest.approx(0.0)  # bought on one day, sold on the next
    assert value(found, "perfect_sight", 1, 1) == pytest.approx(365 * 100 / 2)


def test_a_day_of_23_hours_is_a_whole_day_and_part_days_are_said() -> None:
    found = bo.index(prices(start="2025-03-30"), round_trip_efficiency=1.0)
    assert not len(found.notes)
    assert value(found, "top_bottom", 1) == pytest.approx(90 * 8760 / 23)
    cut = bo.index(prices(days=3)[5:-3].to_frame(), round_trip_efficiency=1.0)
    assert len(cut.daily) == 1
    assert "40 h outside whole local days" in cut.notes.warnings[0].found


def test_no_yardstick_beats_perfect_sight_and_each_has_its_source() -> None:
    rng = np.random.default_rng(7)
    series = prices(days=5)
    found = bo.index(series + rng.normal(0.0, 40.0, len(series)), round_trip_efficiency=0.85)
    for hours in (1, 2, 4):
        for cycles in (1, 2):
            best = value(found, "perfect_sight", hours, cycles)
            assert value(found, "day_ahead", hours, cycles) <= best + 1e-6
            assert value(found, "rule", hours, cycles) <= best + 1e-6
    assert found.table[["definition", "source"]].map(bool).all(axis=None)
    assert (found.table["cycles"].dropna() <= found.table["cycles_per_day"].dropna() + 1e-9).all()


def test_table_and_picture_are_the_same_each_time() -> None:
    found = bo.index(prices(days=2), currency="GBP")
    assert "GBP per MW and year" in found._repr_html_()
    assert figure_png(found.plot()) == figure_png(found.plot())
    assert figure_png(found.plot(theme="dark")) != figure_png(found.plot())


@pytest.mark.parametrize(
    ("bad", "arguments", "words"),
    [
        (prices()[:20], {}, "no whole local day"),
        (prices(step="2h"), {}, "whole number make an hour"),
        (prices().rename("x").to_frame(), {}, "has the columns x"),
        (prices().where(lambda values: values != 10.0), {}, "price_per_mwh"),
        ([1.0, 2.0], {}, "give a series"),
        (prices(), {"round_trip_efficiency": 1.2}, "give a number > 0 and <= 1"),
        (prices(), {"time_zone": "Berlin"}, "time_zone"),
    ],
)
def test_what_is_no_such_series_is_refused(bad: object, arguments: dict[str, object], words: str) -> None:
    with pytest.raises(bo.ScenarioError, match=words):
        bo.index(bad, **arguments)  # type: ignore[arg-type]
