"""The files of real markets and sites as they are, with the figures that their source notes state."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

import bess_opt as bo

pytestmark = pytest.mark.real_data


def file(*parts: str) -> Path:
    path = Path(os.environ.get("BESS_OPT_DATA", "")).joinpath(*parts)
    if "BESS_OPT_DATA" not in os.environ or not path.is_file():
        pytest.skip("BESS_OPT_DATA does not point to the real data")
    return path


def test_german_quarter_hours_on_the_fixed_clock() -> None:
    """UTC+1 all year: 35,040 quarter hours, of which the local day of the clock change has 92."""
    raw = file("prices_de_id1", "electricity_prices_germany_2021.csv")
    with pytest.raises(bo.ScenarioError, match=r"6 columns that may be meant; state column: Intraday Auction"):
        bo.read_prices(raw)
    read = bo.read_prices(raw, column="ID1")
    assert len(read) == 35_040
    assert len(read.loc["2021-03-28"]) == 92
    assert len(read.loc["2021-10-31"]) == 100
    assert (read["price_per_mwh"] < 0).any()


def test_site_of_dervet() -> None:
    raw = file("dervet_site", "hourly_timeseries_ref_wholesale_es.csv")
    price = bo.read_prices(raw, clock="Etc/GMT+8")["price_per_mwh"]
    assert (price.max(), price.idxmax().month, len(price)) == (pytest.approx(753.67, abs=0.01), 9, 8760)
    load = bo.read_load(raw, clock="Etc/GMT+8", column="Site Load")["load_mw"]
    assert (load.min(), load.max()) == (pytest.approx(2.8, abs=0.05), pytest.approx(10.3, abs=0.05))
    noon = bo.read_solar(raw, clock="Etc/GMT+8", capacity_mw=1.0)["solar_mw"]
    july = noon[noon.index.month == 7]
    centroid = (july * july.index.hour).sum() / july.sum()
    assert centroid == pytest.approx(11.8, abs=0.15)


def test_five_minutes_whose_header_is_wrong_twice() -> None:
    """Named hour-ending and $/kWh, but starts and $/MWh: both are refused until stated."""
    raw = file("prices_5min_2019", "000-004-timeseries_5min_negprices.csv")
    with pytest.raises(bo.ScenarioError, match=r"is named hour-ending, but runs from 2019-01-01 00:00"):
        bo.read_prices(raw, clock="Etc/GMT+8")
    with pytest.raises(bo.ScenarioError, match=r"is no price, if the unit is \$/kWh as the file says"):
        bo.read_prices(raw, clock="Etc/GMT+8", stamps="start")
    price = bo.read_prices(raw, clock="Etc/GMT+8", stamps="start", unit="USD/MWh")["price_per_mwh"]
    assert (len(price), int((price < 0).sum())) == (105_120, 2_375)


def test_tariffs_of_two_structures() -> None:
    read = bo.read_tariff(file("load_15min_tariff", "scenario_without_series.json"), export="none")
    prices = {row.price_per_mwh for row in read.energy}
    assert (len(prices), min(prices), max(prices)) == (7, 83.64, 301.34)
    load = bo.read_load(
        file("load_15min_tariff", "load_pv_15min.csv"), column="load_kw", year=2022, clock="Etc/GMT+6"
    )
    assert load["load_mw"].max() == pytest.approx(0.3237, abs=1e-4)
    scenario = bo.Scenario(
        battery={"power_mw": 0.1, "duration_h": 2}, series=load, tariff=read, strategy="peak_shaving"
    )
    assert not bo.validate(scenario).errors
    for name in ("sce_tou-8_2020.csv", "sdge_al_tou_2020.csv"):
        tariff = bo.read_tariff(file("tariffs", name))
        assert not bo.validate(scenario.replace(tariff=tariff)).errors


def test_day_ahead_prices_without_a_unit() -> None:
    raw = file("day_ahead_forecasts", "DE_real_and_forecasts.csv")
    with pytest.raises(bo.ScenarioError, match=r"2016-03-27 02:00 does not exist on the clock of Europe/Berlin"):
        bo.read_prices(raw, column="Real", unit="EUR/MWh", clock="Europe/Berlin")
    assert len(bo.read_prices(raw, column="Real", unit="EUR/MWh", clock="Etc/GMT-1")) == 17_472


def stored(name: str) -> Path:
    """A file of the folder `inputs` beside the data."""
    return file("..", "inputs", name)


@pytest.mark.parametrize(
    ("name", "energy", "demand"),
    [
        ("urdb_entergy_windows_incentives", 7, 3),
        ("urdb_flat_demand_by_month", 3, 13),
        ("urdb_multi_tier", 2, 2),
        ("urdb_sce_tou_gs2", 7, 3),
        ("urdb_sell_rates", 16, 3),
        ("urdb_tiers_energy_and_demand", 1, 1),
        ("urdb_tiers_tou_demand", 1, 1),
    ],
)
def test_tariffs_of_urdb_are_read_whole(name: str, energy: int, demand: int) -> None:
    read = bo.read_tariff(stored(f"{name}.json"))
    index = pd.date_range("2025-01-01", "2026-01-01", freq="h", tz="UTC", inclusive="left")
    scenario = bo.Scenario(
        battery={"power_mw": 0.1, "duration_h": 2},
        series=pd.DataFrame({"load_mw": 0.2}, index=index),
        tariff=read,
        strategy="peak_shaving",
    )
    assert not bo.validate(scenario).errors
    assert (len(read.energy), len(read.demand)) == (energy, demand)
    assert bo.bill(scenario).total > 0.0


def test_daily_peaks_and_coincident_hours_of_urdb(tmp_path: Path) -> None:
    """What has no row is named; without it 0.5 per kW and day is 15,500 per MW in a month of 31 days."""
    raw = stored("layout_urdb_daily_coincident.json")
    with pytest.raises(bo.ScenarioError) as refused:
        bo.read_tariff(raw)
    names = [problem.where.split()[-1] for problem in refused.value.problems]
    assert names == ["coincidentratestructure", "lookbackPercent"]
    kept = {key: value for key, value in json.loads(raw.read_text()).items() if key not in names}
    (tmp_path / "rate.json").write_text(json.dumps(kept))
    read = bo.read_tariff(tmp_path / "rate.json")
    assert {row.price_per_mw_month for row in read.demand} == {15_500.0, 15_000.0, 14_000.0}
    assert {row.price_per_mwh for row in read.energy} == {92.0, 93.0, 152.0, 153.0}
    assert (read.fixed_per_month, read.minimum_per_month) == (50.0, 100.0)
