"""The audit sees a change in any column of a site with two batteries, clauses of its connection, an outage and a bill."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.plant.audit import audit
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant

ROWS = (0, 5, 12, 23)  # night, outage, clause, end
NOON = 12


def planned(outlier: str = "") -> tuple[pd.DataFrame, Plant]:
    """The optimum of the site, at need with a cell of 1e7 MW at noon in a column."""
    index = pd.date_range("2025-03-30", periods=24, freq="h", tz="Europe/Berlin")
    hour = np.arange(24)
    series = pd.DataFrame(
        {
            "solar_mw": 3.0 * np.maximum(0.0, np.sin((hour - 6) / 3.9)),
            "load_mw": 1.0 + 0.5 * np.cos(hour / 3.0),
            "price_per_mwh": 60.0 + 40.0 * np.sin(hour / 3.7),
        },
        index=index,
    )
    if outlier:
        series.loc[index[NOON], outlier] = 1e7
    site = bo.Scenario(
        battery=[
            {"name": "north", "power_mw": 1.0, "duration_h": 3.0, "soc_start": 0.6},
            {"name": "south", "power_mw": 0.5, "duration_h": 2.0, "soc_start": 0.6},
        ],
        site={"export_limit_mw": 2.5, "import_limit_mw": 4.0, "unserved_price_per_mwh": 5000.0},
        tariff={"demand": [{"price_per_mw_month": 900.0}], "fixed_per_month": 10.0},
        connection=[
            {"name": "noon", "hours": [10, 16], "export_mw": 0.5, "overrun_price_per_mwh": 80.0},
            {"name": "evening", "hours": [17, 20], "import_mw": 1.0},
        ],
        outage=[{"start": index[5].isoformat(), "hours": 2.0, "critical_share": 0.5}],
        series=series,
        strategy="arbitrage",
    )
    plan = bo.optimize(site)
    return plan.whole_schedule, plant_of(plan.scenario)


@pytest.fixture(scope="module")
def sound() -> tuple[pd.DataFrame, Plant]:
    return planned()


def test_a_change_in_any_column_of_the_site_or_a_battery_is_noticed(sound: tuple[pd.DataFrame, Plant]) -> None:
    """A hundredth of a MW less, or 1 MW more, in one step: 280 schedules, and the sound one passes."""
    schedule, plant = sound
    assert audit(schedule, plant) == ()
    columns = [name for name in schedule if name != "limited_by"]
    assert {"north.charge_mw", "south.energy_mwh", "shed_mw"} <= set(columns)
    for name in columns:
        for row in ROWS:
            for by in (-0.01, 1.0):
                altered = schedule.copy()
                altered.iloc[row, altered.columns.get_loc(name)] += by
                assert audit(altered, plant), (name, row, by)


@pytest.mark.parametrize("outlier", ["solar_mw", "load_mw"])
def test_one_cell_does_not_blind_the_audit_of_several(outlier: str) -> None:
    """Beside 1e7 MW at noon a hundredth of a battery is still seen in every column of the other steps."""
    schedule, plant = planned(outlier)
    assert audit(schedule, plant) == ()
    for name in (name for name in schedule if name != "limited_by"):
        altered = schedule.copy()
        altered.iloc[5, altered.columns.get_loc(name)] += 0.01
        assert audit(altered, plant), name
