"""The bill of EPRI's DER-VET validation case: a year of site load under its tariff, with the published battery."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.comparison.published.cases import PRESENT_VALUE, dervet_site


def folder() -> Path:
    path = Path(os.environ.get("BESS_OPT_DATA", "")) / "dervet_site"
    if "BESS_OPT_DATA" not in os.environ or not path.is_dir():
        pytest.skip("BESS_OPT_DATA does not lead to the site of DER-VET")
    return path


def site(power_kw: float, energy_kwh: float) -> bo.Scenario:
    return dervet_site(folder().parent, power_kw, energy_kwh)


@pytest.mark.real_data
def test_energy_bill_and_demand_charges() -> None:
    """1,993 kW and 11,958 kWh: 55,745,904.163 and 9,522,419.643 over the present-value factor 14.454….

    The stamps are the ends of their hours, on the standard clock: with daylight saving the bill is 0.56 % off.
    """
    assert pytest.approx(14.454006150790656, rel=1e-14) == PRESENT_VALUE
    figures = bo.optimize(site(1993.0, 11_958.0)).metrics
    assert -figures.energy_revenue * PRESENT_VALUE == pytest.approx(55_745_904.163, abs=5e-4)
    assert figures.demand_charges * PRESENT_VALUE == pytest.approx(9_522_419.643, abs=5e-4)


@pytest.mark.real_data
def test_the_bill_without_a_battery_is_a_sum_of_its_rows() -> None:
    """The same load and tariff read a second time with plain pandas, month by month and row by row."""
    scenario = site(1993.0, 11_958.0)
    idle = bo.simulate(scenario, rule=lambda _state: 0.0).metrics
    load = scenario.series["load_mw"]
    stamps = pd.DatetimeIndex(load.index)
    rows = pd.read_csv(folder() / "tariff.csv")
    energy, ending = 0.0, stamps.hour + 1
    for _, row in rows[rows["Charge"] == "Energy"].iterrows():
        kind = (stamps.day_of_week < 5) == (row["Weekday?"] == 1)
        month = (stamps.month >= row["Start Month"]) & (stamps.month <= row["End Month"])
        hour = (ending >= row["Start Time"]) & (ending <= row["End Time"])
        energy += row["Value"] * 1000.0 * float(load[kind & month & hour].sum())
    assert -idle.energy_revenue == pytest.approx(energy, rel=1e-12)
    assert idle.demand_charges == pytest.approx(7016.0 * float(load.groupby(stamps.month).max().sum()), rel=1e-12)
