"""The scenarios that are timed, and what is asked of each."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

import bess_opt as bo
from bess_opt.inputs.scenario import Scenario

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
DATA = "BESS_OPT_DATA"
GERMAN_PRICES = Path("prices_de_id1") / "electricity_prices_germany_2021.csv"
SITE_PRICES = Path("prices_5min_2019") / "000-004-timeseries_5min_negprices.csv"
SITE_SOLAR = Path("pv_5min") / "pv_5min_matrix_288x365.csv"
SEED = 2025
TEN_YEARS = "ten_years_5min"
LOSSY = {"eta_charge": 0.95, "eta_discharge": 0.95, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0}


@dataclass(frozen=True)
class Case:
    """A scenario to time. `goals`: most that our time may be, as a multiple of the floor of that name."""

    name: str
    what: str
    scenario: Callable[[], Scenario]
    goals: Mapping[str, float] = field(default_factory=dict)
    floors: tuple[str, ...] | None = None  # those that do not take minutes at this size; None: all

    def short(self, steps: int) -> Case:
        """The first `steps` steps only, without goals."""
        return Case(self.name, self.what, lambda: first_steps(self.scenario(), steps), {}, self.floors)


def first_steps(scenario: Scenario, steps: int) -> Scenario:
    """`scenario` cut to its first `steps` steps."""
    return scenario.replace(series=scenario.series.iloc[:steps])


def available() -> dict[str, Case]:
    """All cases that can run here, by name; real prices only where BESS_OPT_DATA points to them."""
    cases = [
        Case("small", "solar_merchant, first 48 hours", partial(_small, 48)),
        Case(
            "solar_merchant",
            "solar and battery, a year of hours",
            partial(shipped, "solar_merchant"),
            {"arrays": 1.3, "pyomo_plain": 0.5, "pyomo_members": 0.5, "cvxpy": 1.0},
        ),
        Case(
            "solar_5min",
            "solar and battery, a year of five minutes",
            five_minutes,
            {"arrays": 0.5},
            floors=("arrays",),
        ),
        Case(
            "arbitrage_15min",
            "battery alone, a year of quarter-hours, daily cycle limit",
            partial(shipped, "arbitrage_15min"),
        ),
    ]
    file = german_file()
    if file is not None:
        what = "battery alone, German quarter-hourly prices of 2021"
        cases.append(Case("german_id1_2021", what, partial(_german, file), {"arrays": 3.5}))
    return {case.name: case for case in cases}


def german_file() -> Path | None:
    """The file of German prices, None where BESS_OPT_DATA does not lead to it."""
    folder = os.environ.get(DATA)
    file = Path(folder) / GERMAN_PRICES if folder else None
    return file if file is not None and file.is_file() else None


def growing(steps: int) -> Scenario:
    """`solar_merchant` repeated up to `steps` hours; a seeded noise on its prices keeps years apart."""
    base = shipped("solar_merchant")
    series = base.series
    repeated = np.resize(np.arange(len(series)), steps)
    index = pd.date_range(series.index[0], periods=steps, freq="h", name=series.index.name)
    frame = series.iloc[repeated].set_axis(index)
    noise = np.random.default_rng(SEED).normal(0.0, 2.0, steps)
    frame["price_per_mwh"] = (frame["price_per_mwh"] + noise).round(2)
    return base.replace(series=frame)


@cache
def five_minutes() -> Scenario:
    """`solar_merchant` at five-minute steps: its solar in between, its hourly price with seeded noise."""
    base = shipped("solar_merchant")
    hours = base.series
    index = pd.date_range(hours.index[0], periods=12 * len(hours), freq="5min", name=hours.index.name)
    frame = hours.reindex(index, method="ffill")
    frame["solar_mw"] = hours["solar_mw"].reindex(index).interpolate().round(4)
    frame["price_per_mwh"] += np.random.default_rng(SEED).normal(0.0, 4.0, len(index)).round(2)
    return base.replace(series=frame)


def ten_years(share: float) -> Scenario:
    """A battery alone on five-minute prices of ten years, or of a share of them, drawn around a day's shape."""
    steps = round(share * 1_051_200)
    rng, at = np.random.default_rng(4), pd.date_range("2015-01-01", periods=steps, freq="5min", tz="UTC")
    price = 40.0 + 30.0 * np.sin(np.arange(steps) * 2.0 * np.pi / 288.0) + rng.normal(0.0, 20.0, steps)
    battery = {"power_mw": 1.0, "duration_h": 2.0, "technology": LOSSY}
    series = pd.DataFrame({"price_per_mwh": price.round(2)}, index=at)
    scenario: Scenario = bo.Scenario(battery=battery, series=series, strategy="arbitrage")
    return scenario


def real_site() -> Scenario | None:
    """A site's own load and market price of 2019 with another roof's solar, every five minutes; None without data."""
    folder = os.environ.get(DATA)
    if folder is None or not (Path(folder) / SITE_PRICES).is_file():
        return None
    table = pd.read_csv(Path(folder) / SITE_PRICES)
    solar = pd.read_csv(Path(folder) / SITE_SOLAR, header=None).to_numpy(dtype=float)
    sun = np.clip(np.nan_to_num(solar.T.ravel()), 0.0, None)
    price = table.iloc[:, 1].to_numpy()
    series = pd.DataFrame(
        {
            "import_price_per_mwh": price + 20.0,
            "export_price_per_mwh": price - 2.0,
            "load_mw": table.iloc[:, 2].to_numpy() / 1000.0,
            "solar_mw": 0.4 * sun / sun.max(),
        },
        index=pd.date_range("2019-01-01", periods=len(table), freq="5min", tz="Etc/GMT+8"),
    )
    return bo.Scenario(
        battery=bo.Battery(power_mw=0.25, duration_h=4.0),
        site=bo.Site(time_zone="Etc/GMT+8"),
        series=series,
        strategy="arbitrage",
        name="real_site_5min",
    )


@cache
def shipped(name: str) -> Scenario:
    """A scenario of this project."""
    return bo.load(SCENARIOS / name)


def _small(steps: int) -> Scenario:
    return first_steps(shipped("solar_merchant"), steps)


@cache
def _german(file: Path) -> Scenario:
    table = pd.read_csv(file)
    column = next(name for name in table.columns if name.endswith("ID1-Price"))
    index = pd.DatetimeIndex(pd.to_datetime(table["Date"], format="%d/%m/%Y %H:%M")).tz_localize("Etc/GMT-1")
    series = pd.DataFrame({"price_per_mwh": table[column].to_numpy()}, index=index)
    return bo.Scenario(
        battery=bo.Battery(power_mw=10.0, duration_h=2.0),
        site=bo.Site(time_zone="Etc/GMT-1", currency="EUR"),
        series=series,
        strategy="arbitrage",
        name="german_id1_2021",
    )
