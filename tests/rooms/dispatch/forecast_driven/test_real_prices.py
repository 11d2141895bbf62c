"""Real day-ahead prices with the forecasts that were published for them, and the shipped scenarios."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from support.places import ROOT

import bess_opt as bo

SCENARIOS = ROOT / "scenarios"
FILE = Path("day_ahead_forecasts") / "DE_real_and_forecasts.csv"


@pytest.fixture(scope="module")
def german() -> pd.DataFrame:
    """Prices of 2016 and 2017 and two forecasts; clock changes are smoothed away in the source, so UTC+1."""
    path = Path(os.environ.get("BESS_OPT_DATA", "")) / FILE
    if "BESS_OPT_DATA" not in os.environ or not path.is_file():
        pytest.skip("BESS_OPT_DATA does not lead to the German day-ahead prices and their forecasts")
    table = pd.read_csv(path, index_col="time", parse_dates=True)
    return table.set_axis(pd.DatetimeIndex(table.index).tz_localize("Etc/GMT-1"))


def merchant(table: pd.DataFrame) -> bo.Scenario:
    """A battery of 1 MW and 2 MWh that trades the day-ahead market."""
    return bo.Scenario(
        battery=bo.Battery(
            power_mw=1.0, duration_h=2.0, soc_start=0.5, soc_end="at_least_start", wear_cost_per_mwh=2.0
        ),
        site=bo.Site(time_zone="Etc/GMT-1"),
        series=table[["Real price"]].rename(columns={"Real price": "price_per_mwh"}),
        strategy="arbitrage",
    )


def worth(plan: bo.Dispatch) -> float:
    return sum(plan.ledger.values())


@pytest.mark.real_data
def test_published_forecasts_earn_between_persistence_and_foresight(german: pd.DataFrame) -> None:
    """Schedules fixed at noon for the next day on what was really forecast, a quarter of 2016, settled at real prices.

    The two published forecasts earn more than yesterday's prices do, and no forecast more than the optimum.
    """
    table = german.loc["2016-04-01":"2016-06-30"]  # type: ignore[misc]
    scenario = merchant(table)
    best = worth(bo.optimize(scenario))
    earned = {
        name: worth(bo.control(scenario, known, commitment="day_ahead", horizon_h=48)) / best
        for name, known in {
            "perfect": "perfect",
            "LEAR": table["LEAR Ensemble"],
            "DNN": table["DNN Ensemble"],
            "yesterday": "persistence",
        }.items()
    }
    assert 0.99 < earned["perfect"] <= 1.0 + 1e-9
    assert earned["yesterday"] < min(earned["LEAR"], earned["DNN"])
    assert max(earned["LEAR"], earned["DNN"]) < earned["perfect"]
    assert earned["LEAR"] > 0.8


@pytest.mark.real_data
def test_prices_known_from_noon_on_are_nearly_foresight(german: pd.DataFrame) -> None:
    """Trading as it goes with day-ahead prices as they are published loses less than two in a hundred."""
    scenario = merchant(german.loc["2016-04-01":"2016-04-30"])  # type: ignore[misc]
    share = worth(bo.control(scenario, "published")) / worth(bo.optimize(scenario))
    assert 0.98 < share <= 1.0 + 1e-9


@pytest.mark.parametrize(
    ("name", "first", "last", "gap"),
    [
        ("solar_merchant", "2025-06-01", "2025-06-14", 1e-3),
        ("solar_evening", "2025-04-01", "2025-04-10", 1e-3),
        ("arbitrage_15min", "2025-03-28", "2025-04-01", 1e-3),
    ],
)
def test_perfect_windows_of_two_days_are_nearly_the_optimum(name: str, first: str, last: str, gap: float) -> None:
    """What two days ahead do not show is worth less than one in a thousand on the shipped scenarios."""
    whole = bo.load(SCENARIOS / name)
    scenario = whole.replace(series=whole.series.loc[first:last])  # type: ignore[misc]
    best, driven = bo.optimize(scenario).metrics.score, bo.control(scenario, "perfect").metrics.score
    assert best * (1.0 - gap) <= driven <= best * (1.0 + 1e-9) + 1e-9
