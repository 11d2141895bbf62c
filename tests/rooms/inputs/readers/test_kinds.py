"""Every kind of file recognises itself, and is right on a file with the quirks of the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.file_kinds import SAMPLES, Sample
from support.more_file_kinds import MORE

import bess_opt as bo
from bess_opt.inputs.readers.layout import known_kinds
from bess_opt.inputs.series.imported import ImportedSeries

VERBS = {"price": bo.read_prices, "load": bo.read_load, "solar": bo.read_solar}
ALL = {**SAMPLES, **MORE}
ELSEWHERE = {"PVGIS JSON"}  # with the tests of solar weather


def read(folder: Path, sample: Sample) -> ImportedSeries:
    file = folder / sample.name
    file.write_bytes(sample.data)
    return VERBS[sample.verb](file, **sample.stated)


@pytest.mark.parametrize("name", ALL)
def test_a_kind_recognises_itself_and_is_read_right(tmp_path: Path, name: str) -> None:
    sample = ALL[name]
    found = read(tmp_path, sample)
    assert found.reading.kind == sample.kind
    assert found.index[0] == pd.Timestamp(sample.first)
    assert sample.steps in (None, len(found))
    assert np.allclose(found.iloc[: len(sample.values), 0], sample.values, rtol=1e-9, equal_nan=True)
    gaps = np.diff(found.index.as_unit("ns").asi8)
    assert len(set(gaps)) == 1, "steps are equal in UTC"


def test_every_kind_has_a_sample() -> None:
    assert {kind.name for kind in known_kinds()} | {"plain table"} == {s.kind for s in ALL.values()} | ELSEWHERE


@pytest.mark.parametrize("verb", [bo.read_prices, bo.read_load])
@pytest.mark.parametrize(
    "text",
    [
        "Delivery Date,Hour Ending,REGDN,REGUP,RRS\n01/01/2025,01:00,1,2,3\n",
        "interval_start_utc,interval_end_utc,reg_up,reg_down\n2025-01-01 00:00,2025-01-01 01:00,1,2\n",
        "datetime_beginning_utc,datetime_beginning_ept,mcp\n1/1/2025 5:00:00 AM,1/1/2025 12:00:00 AM,4\n",
    ],
)
def test_prices_for_capacity_are_neither_prices_of_energy_nor_load(tmp_path: Path, text: str, verb: object) -> None:
    file = tmp_path / "as.csv"
    file.write_text(text)
    with pytest.raises(bo.ScenarioError, match="holds prices for capacity"):
        verb(file)  # type: ignore[operator]


def test_a_column_of_capacity_prices_is_refused_even_where_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "site.csv"
    file.write_text(
        "start,DA Price ($/kWh),Reg Up Price ($/kW)\n2025-01-01 00:00,0.03,0.005\n2025-01-01 01:00,0.03,0.005\n"
    )
    with pytest.raises(bo.ScenarioError, match=r"Reg Up Price \(\$/kW\): is a price for capacity, no energy price"):
        bo.read_prices(file, column="Reg Up", unit="USD/kWh", clock="UTC")


HOURS_OF_A_DAY = range(24)
RESERVES = {
    "tender": "DATE_FROM;DATE_TO;TYPE_OF_RESERVES;PRODUCTNAME;TOTAL_DEMAND_[MW];SETTLEMENTCAPACITY_PRICE_[EUR/MW]\n"
    + "".join(f"01.01.2025;01.01.2025;FCR;NEGPOS_{h:02d}_{h + 4:02d};570;{h + 10},5\n" for h in range(0, 24, 4)),
    "bids": "Datum;Produkt;Leistungspreis [(EUR/MW)/h];Menge [MW]\n01.01.2025;NEG_00_04;5,10;100\n01.01.2025;NEG_04_08;6,1;9\n",
    "reserves": '"Time Stamp","Time Zone","Name","PTID","10 Min Spinning Reserve ($/MWHr)"\n'
    + "".join(f'"01/01/2025 {h:02d}:00","EST","WEST",1,{h}.5\n' for h in HOURS_OF_A_DAY),
    "fcas": "REGIONID,SETTLEMENTDATE,RAISE6SECRRP,LOWERREGRRP\n"
    + "".join(f"NSW1,2025/01/01 00:{m:02d}:00,{m}.5,1\n" for m in (5, 10, 15)),
    "long": "interval_start_utc,interval_end_utc,as_type,region,price\n"
    + "".join(f"2025-01-01 0{h}:00,2025-01-01 0{h + 1}:00,RU,A,{h}.5\n" for h in range(4)),
    "texas": "DeliveryDate,HourEnding,AncillaryType,MCPC,DSTFlag\n01/01/2025,01:00,REGUP,1.5,N\n",
    "regulation": '"C","x"\n"C","y"\n"H","Date","Hour Ending","Regulation Capacity Clearing Price"\n"H","","","$/MWh"\n'
    + "".join(f'"D","01/01/2025","0{h + 1}","{h}.5"\n' for h in range(4)),
    "products": "Day Ahead Market ExPost ASM MCPs\n01/01/2025\n\nZone,MCP Type,"
    + ",".join(f"HE {h + 1}" for h in HOURS_OF_A_DAY)
    + "\nZone 1,GENREGMCP,"
    + ",".join(f"{h}.5" for h in HOURS_OF_A_DAY)
    + "\n",
    "services": "EFA Date,EFA,Service,Clearing Price,Volume\n2025-01-01,1,DCH,4.5,300\n2025-01-01,2,DCH,5.5,300\n",
}


@pytest.mark.parametrize("verb", [bo.read_prices, bo.read_load])
@pytest.mark.parametrize("name", RESERVES)
def test_files_on_reserves_are_named_as_such(tmp_path: Path, name: str, verb: object) -> None:
    file = tmp_path / f"{name}.csv"
    file.write_text(RESERVES[name])
    with pytest.raises(
        bo.ScenarioError, match=r"capacity.*, no (energy price|load); give a file with the (energy|load)"
    ):
        verb(file)  # type: ignore[operator]


@pytest.mark.parametrize(
    "column", ["fcr_price_per_mw", "aFRR capacity price (EUR/MW/h)", "price (EUR/MW)", "Reg Dn [$/MW]"]
)
def test_a_price_per_power_is_no_price_of_energy(tmp_path: Path, column: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"start,{column}\n2025-01-01 00:00,1\n2025-01-01 01:00,2\n")
    with pytest.raises(bo.ScenarioError, match="is a price for capacity, no energy price"):
        bo.read_prices(file, column=column, unit="EUR/MWh", clock="UTC")


def test_energy_prices_beside_those_for_capacity_are_read(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("start,price (EUR/MWh),fcr (EUR/MW)\n2025-01-01 00:00,1,7\n2025-01-01 01:00,2,8\n")
    assert bo.read_prices(file, clock="UTC")["price_per_mwh"].tolist() == [1, 2]
