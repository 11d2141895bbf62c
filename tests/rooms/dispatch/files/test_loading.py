"""A saved plan that was changed is refused with the file, the place and what was found there."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bess_opt as bo
from bess_opt.common.columns import SCHEDULE
from bess_opt.dispatch.saving import seal

Spoil = Callable[[Path], None]


def scenario(topology: str) -> bo.Scenario:
    index = pd.date_range("2025-03-30", periods=48, freq="h", tz="Europe/Berlin")
    hour = np.arange(48)
    series = pd.DataFrame(
        {
            "solar_mw": 3.0 * np.maximum(0.0, np.sin((hour - 6) / 3.9)),
            "load_mw": 1.0 + 0.5 * np.cos(hour / 3.0),
            "price_per_mwh": 60.0 + 40.0 * np.sin(hour / 3.7),
        },
        index=index,
    )
    return bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 3.0, "topology": topology, "wear_cost_per_mwh": 2.0},
        site={"export_limit_mw": 1.5, "inverter_mw": 3.0, "dc_share": 0.5},
        tariff={"demand": [{"price_per_mw_month": 900.0}]},
        series=series,
        strategy="arbitrage",
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each topology's optimum, and one for a rule."""
    folder = tmp_path_factory.mktemp("saved")
    made = {kind: bo.optimize(scenario(kind)) for kind in ("parallel_ac", "series_dc", "hybrid")}
    made["rule"] = bo.simulate(scenario("parallel_ac"))
    return {kind: plan.save(folder / kind) for kind, plan in made.items()}


def frame(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    file = folder / "schedule.parquet"
    change(pd.read_parquet(file)).to_parquet(file)


def table(folder: Path, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content, indent=2))


def cell(column: str, value: Any, row: int = 20) -> Spoil:
    """A cell of the schedule is `value` more, or another text."""

    def change(schedule: pd.DataFrame) -> pd.DataFrame:
        changed = schedule.copy()
        place = row, changed.columns.get_loc(column)
        changed.iloc[place] = value if isinstance(value, str) else changed.iloc[place] + value
        return changed

    return lambda folder: frame(folder, change)


def entry(name: str, *path: str, value: Any) -> Spoil:
    """A value of a JSON file is another one; a number is multiplied, and 1 more."""

    def change(content: dict[str, Any]) -> None:
        place = content
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value(place[path[-1]]) if callable(value) else value

    return lambda folder: table(folder, name, change)


def more(value: Any) -> Any:
    return value * 10.0 + 1.0 if isinstance(value, int | float) else 0.5


METRICS = (
    "net_revenue", "energy_revenue", "demand_charges", "score", "wear_cost", "charged_mwh", "discharged_mwh", "soc_min",
    "round_trip_efficiency", "equivalent_full_cycles", "peak_import_mw", "balance_residual_mwh", "end_shortfall_mwh",
)  # fmt: skip
ALTERED: dict[str, tuple[Spoil, str]] = {
    **{f"{name} + 1": (cell(name, 1.0), "schedule.parquet") for name in SCHEDULE if name != "limited_by"},
    **{f"{name} NaN": (cell(name, math.nan), "schedule.parquet") for name in ("charge_mw", "soc", "revenue")},
    "limited_by <b>": (cell("limited_by", "<b>"), "schedule.parquet"),
    **{name: (entry("metrics.json", name, value=more), f"metrics.json: {name} is") for name in METRICS},
    "score_unit": (entry("metrics.json", "score_unit", value="<b>"), "metrics.json: score_unit is '<b>'"),
    "score NaN": (entry("metrics.json", "score", value=math.nan), "metrics.json: score is None"),
    "energy": (entry("report.json", "ledger", "energy", value=more), "report.json: ledger.energy is"),
    "a ledger line more": (entry("report.json", "ledger", "profit", value=5.0), "report.json: ledger.profit is no"),
    "digest": (entry("report.json", "scenario", "digest", value="0"), "scenario: differs from the scenario"),
    "name": (entry("report.json", "scenario", "name", value="<b>"), "report.json: does not say what was written"),
    "a row less": (lambda f: frame(f, lambda s: s.iloc[:-1]), "schedule.parquet: has 47 rows, and the scenario 48"),
    "rows doubled": (lambda f: frame(f, lambda s: pd.concat([s, s])), "schedule.parquet: has 96 rows"),
    "rows turned": (lambda f: frame(f, lambda s: s.iloc[::-1]), "rows are at the times of their steps"),
    "an hour late": (lambda f: frame(f, lambda s: s.shift(freq="h")), "rows are at the times of their steps"),
    "no time": (lambda f: frame(f, lambda s: s.reset_index(drop=True)), "rows are at the times of their steps"),
    "a column less": (lambda f: frame(f, lambda s: s.drop(columns="soc")), "column soc is missing"),
    "a column more": (lambda f: frame(f, lambda s: s.assign(x=1.0)), "column x is none of a schedule's"),
    "the CSV": (lambda f: (f / "schedule.csv").write_text("time\n"), "schedule.csv: does not hold what was written"),
    "the page": (lambda f: (f / "reconciliation.md").write_text("all is well"), "reconciliation.md: does not hold"),
    "a byte of the end": (lambda f: (f / "metrics.json").write_bytes((f / "metrics.json").read_bytes() + b" "), "metrics.json: does not hold what"),
}  # fmt: skip
PROOF: dict[str, tuple[Spoil, str]] = {
    "gap -1": (entry("report.json", "gap", value=-1.0), "report.json: gap is -1.0: a plan is never better"),
    "gap 0.5": (entry("report.json", "gap", value=0.5), "report.json: gap is 0.5, and bound and objective are 0.0"),
    "bound below": (entry("report.json", "bound", value=lambda v: v - 9.0), "a plan is never better than its bound"),
    "bound far": (entry("report.json", "bound", value=lambda v: v + 9.0), "report.json: gap is 0.0, and bound and"),
    "objective": (entry("report.json", "objective", value="<b>"), "report.json: objective is '<b>'"),
    "status": (entry("report.json", "status", value="<b>"), "report.json: status is '<b>'"),
    "no status": (entry("report.json", "status", value=None), "report.json: status is None for a plan 'optimal'"),
    "primal": (entry("report.json", "certificate", "primal", value=more), "report.json: certificate.primal is"),
    "solver": (entry("report.json", "solver", value="<b>"), "report.json: does not say what was written"),
    "twin": (entry("report.json", "twin", value="<b>"), "report.json: twin is '<b>'"),
    "findings": (entry("report.json", "findings", value={}), "report.json: findings is no list"),
    "limited": (cell("limited_by", "energy"), "limited_by names a limit in an optimal plan"),
    "values": (lambda f: (f / "stored_energy_value.parquet").unlink(), "stored_energy_value.parquet: is missing"),
    "no seal": (lambda f: table(f, "report.json", lambda r: r.pop("seal")), "report.json: does not say what was"),
    "no hashes": (lambda f: table(f, "report.json", lambda r: r.pop("files")), "report.json: does not say what was"),
}  # fmt: skip
CASES = [(kind, *spoil) for kind in ("parallel_ac", "series_dc", "hybrid", "rule") for spoil in ALTERED.values()]
CASES += [(kind, *spoil) for kind in ("parallel_ac", "hybrid") for spoil in PROOF.values()]


@pytest.mark.slow
def test_every_altered_plan_is_refused_with_its_place(saved: dict[str, Path], tmp_path: Path) -> None:
    """A hundred and more: none loads, and each error names the file and what is wrong in it."""
    assert len(CASES) > 100
    for number, (kind, spoil, place) in enumerate(CASES):
        folder = shutil.copytree(saved[kind], tmp_path / str(number))
        spoil(folder)
        with pytest.raises(bo.ScenarioError) as caught:
            bo.load_dispatch(folder)
        assert place in str(caught.value), (kind, number)
        assert str(folder) in str(caught.value)
        shutil.rmtree(folder)


def test_an_untouched_plan_loads(saved: dict[str, Path]) -> None:
    for folder in saved.values():
        assert len(bo.load_dispatch(folder).schedule) == 48


def test_a_cell_of_the_schedule_is_named_with_time_and_value(saved: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(saved["parallel_ac"], tmp_path / "r")
    cell("charge_mw", 1.0)(folder)
    with pytest.raises(bo.ScenarioError, match=r"off by 1 MW at 2025-03-30T21:00:00\+02:00 \(1 steps\)"):
        bo.load_dispatch(folder)


def test_a_plan_of_before_there_were_hashes_is_checked_by_its_content(saved: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(saved["series_dc"], tmp_path / "r")

    def before(report: dict[str, Any]) -> None:
        report["format"] = "bess_opt dispatch 1"
        del report["files"], report["seal"]

    table(folder, "report.json", before)
    assert bo.load_dispatch(folder).report.status == "optimal"
    entry("metrics.json", "net_revenue", value=more)(folder)
    with pytest.raises(bo.ScenarioError, match=r"metrics.json: net_revenue is .*, and the schedule gives"):
        bo.load_dispatch(folder)


def test_a_seal_is_of_the_content_not_of_its_layout() -> None:
    one = {"a": 1.5, "b": {"c": None, "d": [1, 2]}}
    assert seal(one) == seal({"seal": "x", "b": {"d": [1, 2], "c": None}, "a": 1.5})
    assert seal(one) != seal(one | {"a": 1.6})


def test_a_huge_file_is_not_read(saved: dict[str, Path], tmp_path: Path) -> None:
    """The footer says how many rows there are: a hundred million equal ones are some kilobytes."""
    folder = shutil.copytree(saved["rule"], tmp_path / "r")
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_000_000, np.int8)), pa.array([1.0]))
    with pq.ParquetWriter(folder / "schedule.parquet", pa.schema([("soc", column.type)])) as writer:
        for _ in range(20):
            writer.write_table(pa.table({"soc": column}))
    with pytest.raises(bo.ScenarioError, match=r"schedule.parquet: has 20,000,000 rows, and the scenario 48 steps"):
        bo.load_dispatch(folder)
