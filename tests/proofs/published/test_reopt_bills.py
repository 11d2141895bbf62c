"""Bills that the tests of REopt.jl publish (NREL/REopt.jl, test/runtests.jl, "Rate Structures"; Apache-2.0)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

ALWAYS = {
    f"{what}{kind}schedule": [[0] * 24] * 12 for what in ("energy", "demand") for kind in ("weekday", "weekend")
}


def year(load_kw: np.ndarray | float) -> pd.DataFrame:
    at = pd.date_range("2022-01-01", periods=8760, freq="h", tz="UTC", name="time")
    return pd.DataFrame({"load_mw": np.broadcast_to(np.asarray(load_kw) / 1000.0, 8760)}, index=at)


def paid(tariff: Any, load_kw: np.ndarray | float, line: str) -> float:
    battery = {"power_mw": 0.1, "duration_h": 1}
    table = bo.bill(bo.Scenario(battery=battery, series=year(load_kw), tariff=tariff)).table
    return float(table.loc[table["line"].str.contains(line, regex=False), "money"].sum())


def imported(tmp_path: Path, **keys: Any) -> Any:
    file = tmp_path / "rate.json"
    file.write_text(json.dumps({"energyratestructure": [[{"rate": 0.0}]]} | ALWAYS | keys))
    return bo.read_tariff(file, export="none")


def test_tiers_of_demand(tmp_path: Path) -> None:
    """ "Tiered TOU Demand": 12 · (50 kW · 0 + (peak − 50 kW) · 12 $) at a flat 1,000,000 kWh."""
    peak = 1e6 / 8760
    tariff = imported(tmp_path, demandratestructure=[[{"rate": 0, "max": 50.0}, {"rate": 12.0}]])
    assert paid(tariff, peak, "tariff.demand") == pytest.approx(12 * (50 * 0 + (peak - 50) * 12), rel=1e-12)


@pytest.mark.real_data
def test_tiers_of_demand_from_the_file_itself() -> None:
    file = Path(os.environ.get("BESS_OPT_DATA", "")).parent / "inputs" / "urdb_tiers_tou_demand.json"
    if "BESS_OPT_DATA" not in os.environ or not file.is_file():
        pytest.skip("BESS_OPT_DATA does not point to the real data")
    peak = 1e6 / 8760
    assert paid(bo.read_tariff(file), peak, "tariff.demand") == pytest.approx(12 * (peak - 50) * 12, rel=1e-12)


def test_look_back_of_a_rate_of_urdb(tmp_path: Path) -> None:
    """Case 1: 100 kW once in January at 10.5 $, 35 % of it in five more cold months and six warm ones at 11.5 $."""
    tariff = imported(
        tmp_path,
        flatdemandstructure=[[{"rate": 10.5}], [{"rate": 11.5}]],
        flatdemandmonths=[0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0],
        lookbackpercent=0.35,
        lookbackrange=11,
    )
    load = np.ones(8760)
    load[7] = 100.0
    published = 100 * (10.5 + 0.35 * 10.5 * 5 + 0.35 * 11.5 * 6)
    assert paid(tariff, load, "tariff.demand") == pytest.approx(published, rel=1e-12)


RATES = [10, 10, 20, 50, 20, 10, 20, 20, 20, 20, 20, 5]
PEAKS = [200, 100, 100, 400, 100, 500, 100, 100, 100, 100, 100, 300]  # of each month, kW


@pytest.mark.parametrize(
    ("ratchet", "billed"),
    [
        ({"named_months": [1, 4, 12]}, [300, 300, 300, 400, 300, 500, 300, 300, 300, 300, 300, 300]),
        ({"months": 6}, [225, 225, 225, 400, 300, 500, 375, 375, 375, 375, 375, 375]),
    ],
)
def test_look_back_of_custom_rates(ratchet: dict[str, Any], billed: list[int]) -> None:
    """Cases 2 and 3: 75 % of named months, or of six months before; the year before had the same peaks."""
    load = np.full(8760, 100.0)
    load[[21, 2402, 4087, 8332]] = [200.0, 400.0, 500.0, 300.0]
    rows = [
        {
            "price_per_mw_month": 1000.0 * price,
            "months": [month],
            "ratchet": {"share": 0.75} | ratchet,
            "history_mw": [kw / 1000.0 for kw in PEAKS],
        }
        for month, price in enumerate(RATES, start=1)
    ]
    published = sum(kw * price for kw, price in zip(billed, RATES, strict=True))
    assert paid({"demand": rows}, load, "tariff.demand") == pytest.approx(published, rel=1e-12)


def test_blended_tariff() -> None:
    """10,000 kWh at 0.1 $ are 1,000.00, and 10 $ per kW and month 136.99."""
    tariff = {"export": "none", "energy": [{"price_per_mwh": 100.0}], "demand": [{"price_per_mw_month": 10_000.0}]}
    assert round(paid(tariff, 10_000 / 8760, "tariff.energy"), 2) == 1000.00
    assert round(paid(tariff, 10_000 / 8760, "tariff.demand"), 2) == 136.99
