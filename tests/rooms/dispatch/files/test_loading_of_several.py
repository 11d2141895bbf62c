"""A saved plan of two batteries, clauses, an outage or a product, and a bill by the month, is refused once changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

STEPS = 24
ROW = 15  # in the afternoon, where a clause holds and a product is sold
SOME = 9  # of the altered plans in the ordinary suite: every so many


def site(kind: str) -> bo.Scenario:
    index = pd.date_range("2025-03-30", periods=STEPS, freq="h", tz="Europe/Berlin")
    hour = np.arange(STEPS)
    series = pd.DataFrame(
        {
            "solar_mw": 3.0 * np.maximum(0.0, np.sin((hour - 6) / 3.9)),
            "load_mw": 1.0 + 0.5 * np.cos(hour / 3.0),
        },
        index=index,
    )
    tables: dict[str, Any] = {"outage": [{"start": index[5].isoformat(), "hours": 2.0, "critical_share": 0.5}]}
    if kind == "product":
        series["fcr_price_per_mw"] = 8.0
        tables = {"product": [{"name": "fcr", "block_h": 4.0}]}
    return bo.Scenario(
        battery=[
            {"name": "north", "power_mw": 1.0, "duration_h": 3.0, "soc_start": 0.6, "wear_cost_per_mwh": 2.0},
            {"name": "south", "power_mw": 0.5, "duration_h": 2.0, "soc_start": 0.6},
        ],
        site={"export_limit_mw": 2.5, "import_limit_mw": 4.0, "unserved_price_per_mwh": 5000.0},
        tariff={
            "export": 20.0,
            "energy": [
                {"tiers": [[3.0, 60.0], [float("inf"), 90.0]], "hours": [0, 12]},
                {"price_per_mwh": 140.0, "hours": [12, 24]},
            ],
            "demand": [{"price_per_mw_month": 900.0}],
            "fixed_per_month": 10.0,
            "minimum_per_month": 50.0,
        },
        connection=[
            {"name": "noon", "hours": [10, 16], "export_mw": 0.2, "overrun_price_per_mwh": 5.0},
            {"name": "evening", "hours": [17, 20], "import_mw": 1.0},
        ],
        series=series,
        strategy="arbitrage",
        **tables,
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of both plans: the one with an outage as it was written before there were seals."""
    folder = tmp_path_factory.mktemp("saved")
    plans = {kind: bo.optimize(site(kind)) for kind in ("product", "outage")}
    assert (plans["product"].schedule["fcr_mw"] > 0.0).any()
    assert (plans["outage"].schedule["shed_mw"] > 0.0).any()
    made = {kind: plan.save(folder / kind) for kind, plan in plans.items()}
    file = made["outage"] / "report.json"
    report = {key: value for key, value in json.loads(file.read_text()).items() if key not in ("files", "seal")}
    file.write_text(json.dumps(report | {"format": "bess_opt dispatch 1"}))
    return made


def altered(folder: Path) -> Iterator[tuple[str, bytes, str]]:
    """(file, other content, what the refusal must name): a cell, a figure or a line of money each."""
    for name in ("schedule.parquet", "units.parquet"):
        frame = pd.read_parquet(folder / name)
        for column in frame:
            if frame[column].dtype != float:
                continue
            other = frame.copy()
            other.iloc[ROW, other.columns.get_loc(column)] += 1.0
            yield name, other.to_parquet(), "schedule.parquet" if name == "schedule.parquet" else "parquet"
        yield name, frame.iloc[:-1].to_parquet(), name
        yield name, frame.drop(columns=frame.columns[2]).to_parquet(), name
    for file, path in (("metrics.json", ()), ("report.json", ("ledger",)), ("report.json", ("figures",))):
        whole = json.loads((folder / file).read_text())
        inner: dict[str, Any] = whole
        for key in path:
            inner = inner[key]
        for key, value in inner.items():
            if not isinstance(value, int | float):
                continue
            was, inner[key] = value, value * 10.0 + 1.0
            yield file, json.dumps(whole, indent=2).encode(), f"{file}: {'.'.join([*path, key])}"
            inner[key] = was


def refused(folder: Path, file: str, content: bytes, named: str) -> None:
    before = (folder / file).read_bytes()
    (folder / file).write_bytes(content)
    try:
        with pytest.raises(bo.ScenarioError) as caught:
            bo.load_dispatch(folder)
        assert named in str(caught.value), (named, str(caught.value))
    finally:
        (folder / file).write_bytes(before)


@pytest.mark.slow
def test_some_altered_plans_of_several_batteries_are_refused(saved: dict[str, Path]) -> None:
    for folder in saved.values():
        assert len(bo.load_dispatch(folder).units) == 2
        for file, content, named in list(altered(folder))[::SOME]:
            refused(folder, file, content, named)


@pytest.mark.second_tier
def test_every_altered_plan_of_several_batteries_is_refused(saved: dict[str, Path]) -> None:
    changes = [(folder, *change) for folder in saved.values() for change in altered(folder)]
    assert len(changes) >= 150
    for folder, file, content, named in changes:
        refused(folder, file, content, named)
