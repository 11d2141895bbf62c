"""Real data in normal use give no warning that is wrong, and the shipped scenarios none at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.places import ROOT

import bess_opt as bo

SHIPPED = sorted(path.parent for path in (ROOT / "scenarios").glob("*/scenario.toml"))
BATTERY = {"power_mw": 2.0, "duration_h": 4.0}


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_shipped_scenarios_have_no_warning(folder: Path) -> None:
    found = bo.validate(folder)
    assert not found.errors
    assert not found.warnings


def data(name: str) -> Path:
    path = Path(os.environ.get("BESS_OPT_DATA", "")) / name
    if "BESS_OPT_DATA" not in os.environ or not path.exists():
        pytest.skip(f"BESS_OPT_DATA does not lead to {name}")
    return path


def hourly(start: str, zone: str, step_min: int = 60, **columns: Any) -> pd.DataFrame:
    steps = len(next(iter(columns.values())))
    index = pd.date_range(start, periods=steps, freq=f"{step_min}min", tz=zone)
    return pd.DataFrame({name: np.asarray(column, dtype=float) for name, column in columns.items()}, index=index)


def german_intraday() -> bo.Scenario:
    table = pd.read_csv(data("prices_de_id1/electricity_prices_germany_2021.csv"))
    price = table["Intraday Auction 15 minute call"]
    site = {"time_zone": "Europe/Berlin"}
    frame = hourly("2021-01-01", "Etc/GMT-1", 15, price_per_mwh=price)
    return bo.Scenario(battery=BATTERY, site=site, series=frame, strategy="arbitrage")


def five_minute_prices() -> bo.Scenario:
    table = pd.read_csv(data("prices_5min_2019/000-004-timeseries_5min_negprices.csv"))
    columns = {"price_per_mwh": table.iloc[:, 1], "load_mw": table["Site Load (kW)"] / 1000.0}
    frame = hourly("2019-01-01", "Etc/GMT+8", 5, **columns)
    site = {"currency": "USD"}
    return bo.Scenario(battery={"power_mw": 0.1, "duration_h": 2.0}, site=site, series=frame, strategy="arbitrage")


def day_ahead(name: str, start: str, zone: str, currency: str) -> bo.Scenario:
    table = pd.read_csv(data(f"day_ahead_forecasts/{name}"))
    frame = hourly(start, zone, price_per_mwh=table["Real price"])
    return bo.Scenario(battery=BATTERY, site={"currency": currency}, series=frame, strategy="arbitrage")


def dervet_site() -> bo.Scenario:
    table = pd.read_csv(data("dervet_site/hourly_timeseries_ref_wholesale_es.csv"))
    frame = hourly(
        "2017-01-01", "Etc/GMT+8",
        load_mw=table["Site Load (kW)"] / 1000.0,
        solar_mw=table["PV Gen (kW/rated kW)"] * 3.0,
        price_per_mwh=table["DA Price ($/kWh)"] * 1000.0,
    )  # fmt: skip
    site = {"currency": "USD", "solar_capacity_mw": 3.0}
    finance = {"capital_per_mw": 800e3, "capital_per_mwh": 250e3, "fixed_om_per_mw_year": 10e3}
    return bo.Scenario(battery=BATTERY, site=site, series=frame, strategy="arbitrage", finance=finance)


def california() -> bo.Scenario:
    rows: dict[str, list[dict[str, Any]]] = {"energy": [], "demand": []}
    for _, row in pd.read_csv(data("dervet_site/tariff.csv")).iterrows():
        kind = str(row["Charge"]).lower()
        price = "price_per_mwh" if kind == "energy" else "price_per_mw_month"
        months = list(range(int(row["Start Month"]), int(row["End Month"]) + 1))
        days = {0: "weekend", 1: "weekday", 2: "all"}[int(row["Weekday?"])]
        hours = [int(row["Start Time"]) - 1, int(row["End Time"])]
        rows[kind].append({price: row["Value"] * 1000.0, "months": months, "days": days, "hours": hours})
    table = pd.read_csv(data("dervet_site/hourly_timeseries_ref_wholesale_es.csv"))
    frame = hourly("2017-01-01", "Etc/GMT+8", load_mw=table["Site Load (kW)"] / 1000.0)
    return bo.Scenario(battery=BATTERY, site={"currency": "USD"}, series=frame, strategy="peak_shaving", tariff=rows)


def commercial_load() -> bo.Scenario:
    table = pd.read_csv(data("load_15min_tariff/load_pv_15min.csv"))
    solar = table["pv_production_factor"] * 0.178
    frame = hourly("2017-01-01", "Etc/GMT+6", 15, load_mw=table["load_kw"] / 1000.0, solar_mw=solar)
    tariff = {"energy": [{"price_per_mwh": 150.0}], "demand": [{"price_per_mw_month": 12_000.0}], "export": 40.0}
    battery = {"power_mw": 0.1, "duration_h": 2.0}
    site = {"currency": "USD", "solar_capacity_mw": 0.178}
    return bo.Scenario(battery=battery, site=site, series=frame, strategy="self_consumption", tariff=tariff)


def measured_solar() -> bo.Scenario:
    matrix = pd.read_csv(data("pv_5min/pv_5min_matrix_288x365.csv"), header=None).to_numpy()
    frame = hourly("2017-01-01", "Etc/GMT+8", 5, solar_mw=np.clip(matrix.T.ravel(), 0.0, None) / 1000.0)
    site = {"solar_capacity_mw": 0.3}
    battery = {"power_mw": 0.1, "duration_h": 2.0}
    return bo.Scenario(battery=battery, site=site, series=frame, strategy="solar_smoothing")


REAL: dict[str, Callable[[], bo.Scenario]] = {
    "German intraday prices of 2021": german_intraday,
    "five-minute prices of 2019": five_minute_prices,
    "German day-ahead prices": lambda: day_ahead("DE_real_and_forecasts.csv", "2016-01-04", "Europe/Berlin", "EUR"),
    "PJM's day-ahead prices": lambda: day_ahead("PJM_real_and_forecasts.csv", "2016-12-27", "America/New_York", "USD"),
    "the site of DER-VET": dervet_site,
    "its tariff": california,
    "a commercial load with PV": commercial_load,
    "measured PV power": measured_solar,
}  # fmt: skip


@pytest.mark.real_data
@pytest.mark.parametrize("name", REAL)
def test_real_data_have_no_warning(name: str) -> None:
    found = bo.validate(REAL[name]())
    assert [finding.sentence() for finding in (*found.errors, *found.warnings)] == []
