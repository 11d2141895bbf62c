"""What value functions must hold, each as a multiple of raw arrays in HiGHS measured in the same run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from floors import FLOORS
from measure import paired
from workloads import first_steps, five_minutes, german_file, shipped

import bess_opt as bo
from bess_opt.inputs.scenario import Scenario

PURE = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
LOSSY = {"eta_charge": 0.95, "eta_discharge": 0.95, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0}
YEARS = 100  # price years timed; the table shows them as a thousand


@dataclass(frozen=True)
class Goal:
    """A piece of work, the floor that it is held against, and the most that it may cost beside it."""

    name: str
    most: float
    work: Callable[[], Any]
    floor: Callable[[], Any]
    times: float = 1.0


def goals(quick_steps: int | None) -> list[Goal]:
    """The work that can be done here; with `quick_steps` on so many steps."""

    def cut(scenario: Scenario) -> Scenario:
        return scenario if quick_steps is None else first_steps(scenario, quick_steps)

    merchant, five = cut(shipped("solar_merchant")), cut(five_minutes())
    arrays = FLOORS["arrays"]
    years = _years(merchant)
    found = [
        Goal("year of hours, whole optimize", 0.25, lambda: bo.optimize(merchant), lambda: arrays(merchant)),
        Goal("105,120 steps, whole optimize", 0.1, lambda: bo.optimize(five), lambda: arrays(five)),
        Goal(
            "1,000 price years",
            30.0,
            lambda: bo.optimize_many(merchant, years),
            lambda: arrays(merchant),
            1_000.0 / YEARS,
        ),
        Goal(
            "a re-plan every hour over 48",
            4.0,
            lambda: bo.control(merchant, "perfect", terminal="value"),
            lambda: arrays(merchant),
        ),
    ]
    file = german_file()
    if file is not None:
        german = cut(_german(file))
        found.insert(1, Goal("German ID1 2021, one way", 0.2, lambda: bo.optimize(german), lambda: arrays(german)))
    return found


def time_goal(goal: Goal, repeat: int, clock: str) -> dict[str, Any]:
    """One row of the table."""
    times = paired({"engine": goal.work, "arrays": goal.floor}, repeat, clock)
    return {
        "work": goal.name,
        "seconds": goal.times * times.median("engine"),
        "arrays_seconds": times.median("arrays"),
        "ratio": goal.times * times.ratio("engine", "arrays"),
        "at_most": goal.most,
    }


def _years(scenario: Scenario) -> pd.DataFrame:
    """The scenario's prices with their days in other orders."""
    price, rng = scenario.series["price_per_mwh"].to_numpy(), np.random.default_rng(1)
    day = round(24.0 / scenario.step_h)
    whole = len(price) // day * day
    columns = {
        f"year {i}": np.append(rng.permutation(price[:whole].reshape(-1, day)).ravel(), price[whole:])
        for i in range(YEARS)
    }
    return pd.DataFrame(columns, index=scenario.series.index)


def _german(file: Any) -> Scenario:
    prices = bo.read_prices(file, column="ID1")
    battery = {"power_mw": 1.0, "duration_h": 2.0, "soc_start": 0.0, "soc_end": "free"}
    battery |= {"technology": LOSSY, "converters": PURE}
    series = prices.iloc[:, :1].set_axis(["price_per_mwh"], axis=1)
    scenario: Scenario = bo.Scenario(battery=battery, series=series, strategy="arbitrage")
    return scenario
