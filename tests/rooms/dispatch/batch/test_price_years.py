"""Monte Carlo price years: what is kept, what moves, and that draws repeat."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.cases import case

import bess_opt as bo


def whole_weeks(weeks: int = 8, **more: list[float]) -> bo.Scenario:
    """Each hour's price tells its day and hour: 100 · day + hour."""
    hours = np.arange(24 * 7 * weeks)
    return case(price_per_mwh=list(100.0 * (hours // 24) + hours % 24), solar_mw=list(hours * 1.0), **more).scenario()


def test_season_weekday_and_hour_are_kept() -> None:
    """Every value comes from the same hour and weekday, at most two weeks away; blocks of three days stay whole."""
    scenario = whole_weeks()
    drawn = bo.monte_carlo(scenario, 3, seed=1, block_days=3, season_weeks=2)[1].series["price_per_mwh"].to_numpy()
    hours = np.arange(len(drawn))
    assert (drawn % 100 == hours % 24).all()
    shift = (drawn // 100 - hours // 24).reshape(-1, 24)
    assert (shift == shift[:, :1]).all()
    days = shift[:, 0]
    assert (days % 7 == 0).all()
    around = (days + 28) % 56 - 28
    assert np.abs(around).max() == 14
    assert all(len(set(around[start : start + 3])) == 1 for start in range(0, 54, 3))
    assert len(set(around)) == 5


def test_draws_repeat_and_do_not_depend_on_how_many() -> None:
    """Same seed, same bytes; number 2 of 3 is number 2 of 100; other numbers and seeds differ."""
    scenario = whole_weeks()
    few, many = bo.monte_carlo(scenario, 3, seed=5), bo.monte_carlo(scenario, 100, seed=5)
    assert len(many) == 100
    assert few[2] == many[2]
    assert few[0] != few[1]
    assert few[2] != bo.monte_carlo(scenario, 3, seed=6)[2]
    assert many[-1] == many[99]
    assert [made.name for made in few[:2]] == ["scenario, draw 0000", "scenario, draw 0001"]
    assert len({made.digest() for made in few}) == 3


def test_only_prices_move_unless_more_are_named() -> None:
    """Solar stays by default; named, it takes the same days as the price."""
    scenario = whole_weeks()
    alone = bo.monte_carlo(scenario, 1, seed=1)[0].series
    assert alone["solar_mw"].equals(scenario.series["solar_mw"])
    both = bo.monte_carlo(scenario, 1, seed=1, columns=["price_per_mwh", "solar_mw"])[0].series
    assert (both["solar_mw"] // 24 == both["price_per_mwh"] // 100).all()
    assert both["price_per_mwh"].equals(alone["price_per_mwh"])


def test_clock_changes_are_read_by_the_clock() -> None:
    """A year in Berlin that does not begin at midnight: every draw is complete, and a price tells its own hour.

    The hour that October repeats has 99 at its second time: the first counts, so 99 is never drawn.
    """
    index = pd.date_range("2025-01-01 05:00", periods=8760, freq="h", tz="Europe/Berlin")
    prices = index.hour.to_numpy(dtype=float)
    given = prices.copy()
    given[np.flatnonzero(index == pd.Timestamp("2025-10-26 02:00+01:00"))] = 99.0
    series = pd.DataFrame({"price_per_mwh": given}, index=index)
    scenario = bo.Scenario(battery={"power_mw": 1.0, "duration_h": 2.0}, series=series, strategy="arbitrage")
    drawn = bo.monte_carlo(scenario, 1, seed=3)[0].series["price_per_mwh"].to_numpy()
    assert 99.0 in given
    assert 99.0 not in drawn
    off = np.flatnonzero(drawn != prices)
    assert set(index.hour[off]) <= {2}  # the skipped hour has no price of its own: the one before stands for it
    assert len(off) <= 2


def test_a_study_of_price_years() -> None:
    """They go into a study as they are."""
    table = bo.study(bo.monte_carlo(whole_weeks(2), 3, seed=1, season_weeks=1), workers=1)
    assert list(table.index) == [f"scenario, draw {number:04d}" for number in range(3)]
    assert (table["error"] == "").all()


def test_what_is_wrong_is_said() -> None:
    """All at once."""
    with pytest.raises(bo.ScenarioError, match="did you mean 'price_per_mwh'") as error:
        bo.monte_carlo(whole_weeks(1), 0, -1, block_days=0, season_weeks=0, columns=["price"])
    assert [problem.where for problem in error.value.problems] == [
        "columns",
        "n",
        "block_days",
        "season_weeks",
        "seed",
        "series",
    ]
    plain = case(solar_mw=[1.0] * 24 * 14, strategy="export_cap", site={"export_limit_mw": 1.0}).scenario()
    with pytest.raises(bo.ScenarioError, match="columns: the series hold no prices; name columns to draw"):
        bo.monte_carlo(plain, 1, seed=0)
    odd = case(price_per_mwh=[1.0] * 24 * 20, step_min=300).scenario()
    with pytest.raises(bo.ScenarioError, match="give steps of which a whole number makes a day"):
        bo.monte_carlo(odd, 1, seed=0)


def test_short_horizons_do_not_repeat_a_draw() -> None:
    """Two blocks of a week, each from either week: four draws, all of them different, and a fifth is refused."""
    scenario = whole_weeks(2)
    drawn = {tuple(one.series["price_per_mwh"]) for one in bo.monte_carlo(scenario, 4, seed=3)}
    assert len(drawn) == 4
    message = r"n: found 5, but 14 days in blocks of 7 make only 4 different draws; ask for fewer, give shorter"
    with pytest.raises(bo.ScenarioError, match=message):
        bo.monte_carlo(scenario, 5, seed=3)
    assert (
        len({tuple(one.series["price_per_mwh"]) for one in bo.monte_carlo(scenario, 30, seed=3, block_days=2)}) == 30
    )
