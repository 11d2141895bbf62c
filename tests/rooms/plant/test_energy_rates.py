"""Exactly one energy row applies to each step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.inputs.tariff import Tariff
from bess_opt.plant.billing import billing_of


def energy_price(tariff: Tariff, index: pd.DatetimeIndex) -> np.ndarray:
    """Import price of each step."""
    return billing_of(tariff, {}, index, 1.0).energy.import_price


WEEK = pd.date_range("2025-06-02", periods=7 * 24, freq="h", tz="Europe/Berlin")


def test_price_of_a_time_of_use_tariff() -> None:
    """Proves that day, hour and wrap select the row: 5 weekdays of 6 h at 262.4, the rest at 100."""
    tariff = Tariff(
        energy=[
            {"price_per_mwh": 262.4, "days": "weekday", "hours": [12, 18]},
            {"price_per_mwh": 100, "days": "weekday", "hours": [18, 12]},
            {"price_per_mwh": 100, "days": "weekend"},
        ]
    )
    price = energy_price(tariff, WEEK)
    assert (price == 262.4).sum() == 5 * 6
    assert (price == 100).sum() == 7 * 24 - 30
    assert price[11:13].tolist() == [100, 262.4]


def test_no_rows_state_no_price() -> None:
    assert np.isnan(energy_price(Tariff(), WEEK)).all()


def test_holes_and_overlaps_are_both_named() -> None:
    rows = [{"price_per_mwh": 1, "hours": [0, 13]}, {"price_per_mwh": 2, "hours": [12, 22]}]
    with pytest.raises(bo.ScenarioError) as raised:
        energy_price(Tariff(energy=rows), WEEK)
    assert [p.sentence() for p in raised.value.problems] == [
        "tariff.energy: no row applies to 14 of 168 steps, first at 2025-06-02 22:00+02:00; add a row that covers it",
        "tariff.energy: several rows apply to 7 of 168 steps, first at 2025-06-02 12:00+02:00; "
        "make the rows exclude each other",
    ]


@pytest.mark.parametrize(("start", "hours"), [("2025-03-30", 23), ("2025-10-26", 25)])
def test_a_changed_day_is_priced_by_its_clock(start: str, hours: int) -> None:
    """The doubled hour from 02:00 costs the night price twice, the skipped one not at all."""
    index = pd.date_range(start, periods=hours, freq="h", tz="Europe/Berlin")
    tariff = Tariff(energy=[{"price_per_mwh": 1, "hours": [0, 3]}, {"price_per_mwh": 9, "hours": [3, 24]}])
    assert (energy_price(tariff, index) == 1).sum() == hours - 21
