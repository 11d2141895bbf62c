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
