"""A saved dispatch read back, and believed only as far as its own files bear it out.

The schedule must have the scenario's steps and pass the audit again; metrics, ledger and figures must follow from it;
bound and gap must agree with each other; and no file may have other bytes than were written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bess_opt.common.atomic_folders import problem
from bess_opt.common.bounded_reading import read_bounded
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding, Findings
from bess_opt.dispatch.optimum.bring_back import prepare
from bess_opt.dispatch.result import OF_CONTROL, Dispatch, SolveReport, Twin, law_of
from bess_opt.dispatch.saving import (
    FORMAT,
    METRICS_FILE,
    REPORT_FILE,
    SCENARIO_FOLDER,
    SCHEDULE_FILE,
    SOLVE,
    UNITS_FILE,
    VALUE_FILE,
    file_hash,
    plain,
    seal,
)
from bess_opt.inputs.scenario import Scenario, load
from bess_opt.plant.audit import audit
from bess_opt.plant.ledger import ledger_of
from bess_opt.plant.metrics import Metrics, metrics_of
from bess_opt.plant.products.delivery import product_checks
from bess_opt.solver.certificate import LinearCertificate

UNSEALED = "bess_opt dispatch 1"
MOST_BYTES = 50_000_000  # of a JSON file; findings and figures of a plan take some kilobytes
SEALED = (SCHEDULE_FILE, UNITS_FILE, VALUE_FILE, METRICS_FILE)
ROUNDING = 1e-9  # of a figure that is computed again, on another machine perhaps
_GIVE_OURS = "give a folder written by Dispatch.save"
_ODD = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, pa.ArrowException)


def load_dispatch(folder: str | Path) -> Dispatch:
    """The dispatch that `save` wrote to `folder`; its report has no durations.

    ScenarioError, with the file, the place in it and what was found, if the folder is not complete, not ours, or was
    changed since: a schedule of other columns or times or that fails the audit, metrics that do not follow from it,
    another scenario, a bound that contradicts its gap, or other bytes in any file.
    """
    folder = Path(folder)
    report = _read_json(folder, REPORT_FILE)
    if report.get("format") not in (FORMAT, UNSEALED):
        found = f"{REPORT_FILE} is not of the format {FORMAT!r}"
        raise problem("no_result", folder, found, _GIVE_OURS)
    scenario = load(folder / SCENARIO_FOLDER)
    try:
        if scenario.digest() != report["scenario"]["digest"]:
            raise _changed(folder, SCENARIO_FOLDER, "differs from the scenario that was solved")
        made = _read(folder, report, scenario.replace(name=report["scenario"]["name"]))
        wrong = next(_contradictions(made, report), None)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        found = f"was written by another version of bess_opt, or changed ({type(error).__name__}: {error})"
        raise problem("no_result", folder, found, f"solve {folder / SCENARIO_FOLDER} again") from None
    wrong = wrong or next(_broken_seals(folder, report), None)
    if wrong is not None:
        raise _changed(folder, *wrong)
    return made


def _read(folder: Path, report: Mapping[str, Any], scenario: Scenario) -> Dispatch:
    """The dispatch as its files say it."""
    steps = len(scenario.series)
    value = _read_frame(folder, VALUE_FILE, steps) if (folder / VALUE_FILE).exists() else None
    several = len(scenario.batteries) > 1
    return Dispatch(
        scenario=scenario,
        twin=report["twin"],
        schedule=_read_frame(folder, SCHEDULE_FILE, steps),
        metrics=Metrics(**_read_json(folder, METRICS_FILE)),
        findings=Findings(Finding(**finding) for finding in report["findings"]),
        report=_read_report(report),
        ledger=report["ledger"],
        figures=report.get("figures", {}),
        stored_energy_value=value if value is None or several else value.iloc[:, 0],
        of_batteries=_read_frame(folder, UNITS_FILE, steps) if several else None,
    )


# ---- what must agree


def _contradictions(made: Dispatch, report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(file, what is wrong in it) for all that the dispatch itself disproves, worst first."""
    if made.twin not in get_args(Twin):
        yield REPORT_FILE, f"twin is {made.twin!r}"
        return
    plant, active = prepare(made.scenario)
    schedule = made.whole_schedule
    named = () if made.of_batteries is None else [f"column {one.name}." for one in made.scenario.batteries]
    for violation in audit(schedule, law_of(made.twin, plant), [active.checks, product_checks]):
        yield UNITS_FILE if violation.law.startswith(tuple(named)) else SCHEDULE_FILE, violation.sentence()
    booked = ledger_of(schedule, plant)
    again = metrics_of(schedule, plant, active.score(schedule, plant), booked)
    lines = booked | active.penalties(schedule, plant)
    figures = active.figures(schedule, plant)
    yield from _differences(METRICS_FILE, made.metrics.to_dict(), again.to_dict())
    yield from _differences(REPORT_FILE, made.ledger, lines, "ledger.")
    made_by = OF_CONTROL if made.twin == "control" else ()
    yield from _differences(REPORT_FILE, _without(made.figures, made_by), _without(figures, made_by), "figures.")
    for name in made_by:
        told = made.figures.get(name)
        if not isinstance(told, float | int) or isinstance(told, bool) or not 0.0 <= told < math.inf:
            yield REPORT_FILE, f"figures.{name} is {told!r}"
    yield from _unproven(made)
    if made.twin == "optimal" and (made.schedule["limited_by"] != "").any():
        yield SCHEDULE_FILE, "limited_by names a limit in an optimal plan"
    value = made.stored_energy_value
    if value is not None and not (value.index.equals(plant.index) and np.isfinite(value.to_numpy()).all()):
        yield VALUE_FILE, "has other times than the schedule, or values that are no plant"
    if not isinstance(report["findings"], list):
        yield REPORT_FILE, "findings is no list"


def _without(figures: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name not in names}


def _differences(
    file: str, told: Mapping[str, Any], again: Mapping[str, Any], place: str = ""
) -> Iterator[tuple[str, str]]:
    """Figures that are not those which the schedule gives."""
    large = sum(abs(value) for value in again.values() if isinstance(value, float) and math.isfinite(value))
    for name in [*again, *(name for name in told if name not in again)]:
        if name not in told or name not in again:
            yield file, f"{place}{name} is {'missing' if name not in told else 'no figure of such a plan'}"
            continue
        one, other = plain(told[name]), plain(again[name])
        plant = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (one, other))
        same = one == other if not plant else abs(one - other) <= ROUNDING * abs(other) + 1e-12 * large
        if not same:
            yield file, f"{place}{name} is {one!r}, and the schedule gives {other!r}"


def _unproven(made: Dispatch) -> Iterator[tuple[str, str]]:
    """What is wrong with the proof of a plan, as far as its plant show it."""
    report = made.report
    if (report is None) != (made.twin != "optimal"):
        yield REPORT_FILE, f"status is {None if report is None else report.status!r} for a plan {made.twin!r}"
    if report is None:
        return
    if report.status not in ("optimal", "time_limit", "cancelled"):
        yield REPORT_FILE, f"status is {report.status!r}"
    for name in ("objective", "bound", "gap"):
        value = getattr(report, name)
        if not isinstance(value, int | float) or isinstance(value, bool) or math.isnan(value):
            yield REPORT_FILE, f"{name} is {value!r}"
            return
    distance = report.bound - report.objective
    size = max(abs(report.objective), 1e-12)
    if report.gap < 0.0 or distance < -ROUNDING * size:
        yield REPORT_FILE, f"gap is {report.gap!r}: a plan is never better than its bound"
    elif math.isfinite(distance) and abs(report.gap - distance / size) > ROUNDING * (1.0 + distance / size):
        yield REPORT_FILE, f"gap is {report.gap!r}, and bound and objective are {distance / size!r} apart"
    certificate = report.certificate
    if certificate is not None:
        fine = 1e-6 * max(certificate.turnover, abs(report.objective), 1e-6)
        if not abs(certificate.primal - report.objective) <= fine:
            yield REPORT_FILE, f"certificate.primal is {certificate.primal!r}, objective {report.objective!r}"


def _broken_seals(folder: Path, report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Files whose bytes are not those that were written."""
    if report["format"] == UNSEALED:
        return
    files = report.get("files")
    if report.get("seal") != seal(report) or not isinstance(files, dict):
        yield REPORT_FILE, "does not say what was written into it"
        return
    for name, written in files.items():
        file = folder / name
        if file.exists() and (not file.is_file() or file_hash(file) != written):
            yield name, "does not hold what was written into it"
        if not file.exists() and name in SEALED:
            yield name, "is missing"
    for name in SEALED:
        if (folder / name).exists() and name not in files:
            yield name, "was not written with the rest"


def _changed(folder: Path, file: str, found: str) -> ScenarioError:
    expected = f"the folder was changed, or written by another version: solve {folder / SCENARIO_FOLDER} again"
    return problem("result_changed", folder / file, found, expected)


# ---- the files


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    try:
        content = json.loads(read_bounded(folder / name, MOST_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(folder, name, error) from None
    if not isinstance(content, dict):
        raise problem("no_result", folder, f"{name} holds no table", _GIVE_OURS)
    return content


def _read_frame(folder: Path, name: str, steps: int) -> pd.DataFrame:
    """A table with a row for each step; the footer of the file is asked before it is read."""
    file = folder / name
    try:
        if not file.is_file():
            raise FileNotFoundError(2, "No such file or directory")
        rows = pq.read_metadata(file).num_rows
        if rows == steps:
            return pd.read_parquet(file)
    except _ODD as error:
        raise _unreadable(folder, name, error) from None
    raise _changed(folder, name, f"has {rows:,} rows, and the scenario {steps:,} steps")


def _read_report(stored: Mapping[str, Any]) -> SolveReport | None:
    """How the solver found it; a bound or gap that JSON could not hold was infinite."""
    if stored["status"] is None:
        return None
    endless = {name: math.inf for name in ("bound", "gap") if stored[name] is None}
    proven = None if stored["certificate"] is None else LinearCertificate.from_plain(stored["certificate"])
    return SolveReport(
        **{name: stored[name] for name in SOLVE} | endless,
        seconds={},
        certificate=proven,
        engine=stored.get("engine", "highs"),
        engine_reasons=tuple(stored.get("engine_reasons", ())),
    )


def _unreadable(folder: Path, name: str, error: BaseException) -> ScenarioError:
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    found = f"{name} cannot be read: {reason}"
    return problem("no_result", folder, found, _GIVE_OURS)
