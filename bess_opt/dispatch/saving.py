"""Dispatches as folders: written whole or not at all, and read back equal.

::

    schedule.parquet             every column as computed, with time zone
    schedule.csv                 the same for people: ISO local time with offset, 9 decimals
    units.parquet, units.csv     with several batteries: columns of each, "north.charge_mw"
    schedule.columns.json        unit and meaning of each column
    stored_energy_value.parquet  if the plan has one
    metrics.json                 the keys of `Metrics`
    report.json                  how it was found, ledger, findings, scenario digest, versions, hashes of the files
    reconciliation.md            energy, money and proof added up again, for people
    scenario/                    a scenario that loads equal to the one solved

The same dispatch written by the same versions gives the same bytes: no times of day, no durations.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import tomli_w

from bess_opt.common.atomic_folders import Kind, new_folder
from bess_opt.common.columns import SCHEDULE, UNIT_LOSS, held_column
from bess_opt.common.provenance import versions
from bess_opt.dispatch.reconciliation import reconcile

if TYPE_CHECKING:
    from bess_opt.dispatch.result import Dispatch
    from bess_opt.inputs.scenario import Scenario

FORMAT = "bess_opt dispatch 2"  # 1 had no hashes of its files
SCHEDULE_FILE, VALUE_FILE = "schedule.parquet", "stored_energy_value.parquet"
UNITS_FILE = "units.parquet"  # of several batteries
METRICS_FILE, REPORT_FILE, SCENARIO_FOLDER = "metrics.json", "report.json", "scenario"
BOOKS_FILE, PICTURE_FILE = "reconciliation.md", "dispatch.png"
RESULT = Kind(
    files=frozenset(
        {
            SCHEDULE_FILE,
            "schedule.csv",
            "schedule.columns.json",
            VALUE_FILE,
            UNITS_FILE,
            "units.csv",
            METRICS_FILE,
            REPORT_FILE,
            BOOKS_FILE,
            PICTURE_FILE,
            f"{SCENARIO_FOLDER}/scenario.toml",
            f"{SCENARIO_FOLDER}/series.parquet",
        }
    ),
    mark=REPORT_FILE,
    text='"format": "bess_opt dispatch ',
)
CSV_DECIMALS = 9
SOLVE = ("status", "objective", "bound", "gap", "solver", "rows", "columns", "windows")


def save_dispatch(dispatch: Dispatch, folder: str | Path, extras: Mapping[str, bytes] | None = None) -> Path:
    """Write `dispatch` to `folder` and return it; an earlier result there is replaced when all is written.

    `extras` are further files by name. ScenarioError, and nothing changed, if `folder` holds anything else or
    cannot be written.
    """
    with new_folder(folder, RESULT) as parts:
        _write_schedule(dispatch, parts)
        _write_json(parts / METRICS_FILE, dispatch.metrics.to_dict())
        (parts / BOOKS_FILE).write_bytes(reconcile(dispatch).to_markdown().encode())
        _write_scenario(dispatch.scenario, parts / SCENARIO_FOLDER)
        for name, content in (extras or {}).items():
            (parts / name).write_bytes(content)
        files = {file.name: file_hash(file) for file in sorted(parts.iterdir()) if file.is_file()}
        report = plain(_report(dispatch) | {"files": files})
        _write_json(parts / REPORT_FILE, report | {"seal": seal(report)})
    return Path(folder)


def file_hash(file: Path) -> str:
    """sha256 of a file's bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def seal(report: Mapping[str, Any]) -> str:
    """sha256 of what a report says, its own seal left out, however its file is laid out."""
    told = {key: value for key, value in report.items() if key != "seal"}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: no NaN or infinity (null), no negative zero, times as ISO text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value + 0.0 if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


# ---- writing


def _write_schedule(dispatch: Dispatch, parts: Path) -> None:
    schedule = dispatch.schedule
    schedule.to_parquet(parts / SCHEDULE_FILE)
    if dispatch.of_batteries is not None:
        dispatch.of_batteries.to_parquet(parts / UNITS_FILE)
        (parts / "units.csv").write_bytes(schedule_csv(dispatch.of_batteries))
    if dispatch.stored_energy_value is not None:
        pd.DataFrame(dispatch.stored_energy_value).to_parquet(parts / VALUE_FILE)
    (parts / "schedule.csv").write_bytes(schedule_csv(schedule))
    _write_json(parts / "schedule.columns.json", _column_notes(dispatch))


def schedule_csv(schedule: pd.DataFrame) -> bytes:
    """A schedule for people: ISO local time with offset, 9 decimals, no text that a spreadsheet would run."""
    rounded = schedule.round(CSV_DECIMALS)
    numbers = rounded.select_dtypes("number").columns
    rounded[numbers] += 0.0  # no negative zero
    rounded.index = pd.Index([stamp.isoformat() for stamp in schedule.index], name="time")
    for name in rounded.columns.difference(numbers):
        rounded[name] = rounded[name].map(harmless)
    return rounded.to_csv(lineterminator="\n").encode()


def _column_notes(dispatch: Dispatch) -> dict[str, dict[str, str]]:
    currency = dispatch.scenario.site.currency
    notes = {"time": {"unit": "", "meaning": f"start of the step, local time in {dispatch.scenario.time_zone}"}}
    for name in dispatch.whole_schedule.columns:
        battery, own = str(name).rpartition(".")[::2]
        column = UNIT_LOSS if battery and own == "loss_mw" else SCHEDULE.get(own) or held_column(own)
        notes[str(name)] = {"unit": column.unit.replace("currency", currency), "meaning": column.meaning}
    return notes


def _report(dispatch: Dispatch) -> dict[str, Any]:
    scenario, report = dispatch.scenario, dispatch.report
    proven = None if report is None else report.certificate
    return {
        "format": FORMAT,
        "twin": dispatch.twin,
        "scenario": {"name": scenario.name, "digest": scenario.digest()},
        **{name: getattr(report, name, None) for name in SOLVE},
        "engine": getattr(report, "engine", None),
        "engine_reasons": list(getattr(report, "engine_reasons", ())),
        "certificate": None if proven is None else asdict(proven),
        "ledger": dict(dispatch.ledger),
        "figures": dict(dispatch.figures),
        "findings": [finding.to_dict() for finding in dispatch.findings],
        "versions": versions(),
    }


def _write_scenario(scenario: Scenario, folder: Path) -> None:
    folder.mkdir()
    tables = scenario.to_tables()
    tables["site"] = {"time_zone": scenario.time_zone} | tables["site"]  # first, stated or not
    (folder / "scenario.toml").write_bytes(tomli_w.dumps(tables).encode())
    scenario.series.to_parquet(folder / "series.parquet")


def _write_json(file: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False)
    file.write_bytes(f"{text}\n".encode())


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that begins like it has an apostrophe before it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
