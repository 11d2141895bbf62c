"""Every wrong input ends with its exit code and a sentence that names the place and the remedy."""

from __future__ import annotations

import dataclasses
import errno
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.command_line import Ended, change

import bess_opt as bo
from bess_opt.interfaces.cli import output
from bess_opt.interfaces.cli.progress import Stages
from bess_opt.solver.solution import LimitReachedError

Run = Callable[..., Ended]
ROW = "2025-06-02T05:00+02:00"
MIXED = "2025-06-02T05:30+02:00"


def toml(old: str, new: str) -> Callable[[Path], None]:
    return lambda folder: change(folder / "scenario.toml", old, new)


def csv(old: str, new: str) -> Callable[[Path], None]:
    return lambda folder: change(folder / "series.csv", old, new)


def row(folder: Path) -> str:
    return next(line for line in (folder / "series.csv").read_text().splitlines() if line.startswith(ROW))


def without_row(folder: Path) -> None:
    change(folder / "series.csv", row(folder) + "\n", "")


def twice(folder: Path) -> None:
    change(folder / "series.csv", row(folder), row(folder) + "\n" + row(folder))


def empty_cell(folder: Path) -> None:
    change(folder / "series.csv", row(folder), f"{ROW},,{row(folder).split(',')[2]}")


def negative(folder: Path) -> None:
    change(folder / "series.csv", row(folder), f"{ROW},-0.5,{row(folder).split(',')[2]}")


def no_series(folder: Path) -> None:
    (folder / "series.csv").unlink()


CELLS = "{eta_charge = 1.2, eta_discharge = 0.9, soc_min = 0.1, soc_max = 0.9, c_rate_max = 1.0}"
WRONG: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "missing file": (no_series, "series.file: there is no file 'series.csv'", "put it into"),
    "wrong column": (
        csv("time,solar_mw,price_per_mwh", "time,solar_mv,price_per_mwh"),
        "series.csv column solar_mv: unknown column 'solar_mv'",
        "did you mean 'solar_mw'?",
    ),
    "unknown key": (
        toml("power_mw = 2.0 ", "pover_mw = 2.0"),
        "battery.pover_mw: unknown key 'pover_mw'",
        "did you mean 'power_mw'?",
    ),
    "unknown table": (
        toml("[battery]", "[batery]"),
        "batery: unknown table 'batery'",
        "did you mean 'battery'?",
    ),
    "empty cell": (empty_cell, "series.csv row 7, column solar_mw", "series.fill"),
    "gap": (
        without_row,
        "1 step of 60 min missing between 2025-06-02 04:00+02:00 and 2025-06-02 06:00",
        "add the row",
    ),
    "duplicate": (twice, "series.csv row 8: 2025-06-02 05:00+02:00 stands already in row 7", "keep one row"),
    "naive time": (csv(ROW, ROW[:16]), "found '2025-06-02T05:00' without a time zone", "write the offset"),
    "mixed steps": (
        csv(ROW, MIXED),
        "2025-06-02 05:30+02:00 is 90 min after 2025-06-02 04:00+02:00",
        "equal steps",
    ),
    "negative power": (negative, "series.csv row 7, column solar_mw", "0"),
    "start beyond full": (
        toml("soc_start = 0.5 ", "soc_start = 1.2"),
        "battery.soc_start: found 1.2",
        "give",
    ),
    "efficiency": (
        toml('technology = "modern_lfp"', f"technology = {CELLS}"),
        "battery.technology.eta_charge: found 1.2",
        "give a number > 0 and <= 1",
    ),
    "unknown strategy": (
        toml('name = "arbitrage"', 'name = "arbitrag"'),
        "strategy.name: unknown strategy 'arbitrag'",
        "did you mean 'arbitrage'?",
    ),
    "misspelt option": (
        toml('name = "arbitrage"', 'name = "time_shift"\nwindov = ["18:00", "22:00"]'),
        "strategy.windov: unknown key 'windov'",
        "did you mean 'window'?",
    ),
    "TOML syntax": (
        toml("duration_h = 4.0", "duration_h = = 4.0"),
        "scenario.toml line 6: cannot be read",
        "mend the TOML",
    ),
}


@pytest.mark.parametrize("name", list(WRONG))
@pytest.mark.parametrize("command", ["optimize", "simulate", "validate"])
def test_wrong_input_is_named_with_its_remedy(run: Run, folder: Path, name: str, command: str) -> None:
    spoil, found, remedy = WRONG[name]
    spoil(folder)
    ended = run(command, folder)
    assert ended.code == 1
    assert found in ended.err
    assert remedy in ended.err
    assert "Traceback" not in ended.err
    assert all(line.startswith("error: ") for line in ended.err.splitlines())
    assert not ended.out or command == "validate"


@pytest.mark.parametrize("name", list(WRONG))
def test_wrong_input_is_a_finding(folder: Path, name: str) -> None:
    spoil, found, remedy = WRONG[name]
    spoil(folder)
    errors = bo.validate(folder).errors
    assert any(found in error.sentence() and remedy in error.sentence() for error in errors)


@pytest.mark.parametrize("command", ["optimize", "validate", "describe"])
def test_missing_folder(run: Run, tmp_path: Path, command: str) -> None:
    ended = run(command, tmp_path / "nope")
    assert ended.code == 1
    assert f"error: {tmp_path / 'nope'}: cannot be opened: No such file or directory; give a folder" in ended.err


def test_every_problem_has_its_line(run: Run, folder: Path) -> None:
    toml("power_mw = 2.0 ", "power_mw = -2.0")(folder)
    toml("currency = ", "curency = ")(folder)
    negative(folder)
    lines = run("optimize", folder).err.splitlines()
    assert len(lines) == 3
    assert {line.split(": ")[1] for line in lines} == {
        "battery.power_mw",
        "site.curency",
        "series.csv row 7, column solar_mw",
    }


def test_errors_come_as_json_too(run: Run, folder: Path) -> None:
    ended = run("optimize", folder, "--json", "--set", "battery.pover_mw=3")
    assert ended.code == 1
    assert ended.err == "error: battery.pover_mw: unknown key 'pover_mw'; did you mean 'power_mw'?\n"
    assert ended.json == {
        "error": {
            "kind": "ScenarioError",
            "problems": [
                {
                    "code": "unknown_key",
                    "where": "battery.pover_mw",
                    "found": "unknown key 'pover_mw'",
                    "expected": "did you mean 'power_mw'?",
                    "severity": "error",
                }
            ],
        }
    }


def test_a_strategy_error_as_json_has_its_parts(run: Run, folder: Path) -> None:
    ended = run("optimize", folder, "--json", "--set", "strategy=arbitrag")
    assert ended.code == 1
    assert ended.json["error"]["kind"] == "StrategyError"
    (problem,) = ended.json["error"]["problems"]
    assert (problem["code"], problem["where"]) == ("strategy", "strategy.name")
    assert (problem["found"], problem["expected"]) == (
        "unknown strategy 'arbitrag'",
        "did you mean 'arbitrage'?",
    )


def test_validate_as_json_holds_findings_and_error(run: Run, folder: Path) -> None:
    ended = run("validate", folder, "--json", "--set", "battery.power_mw=-1")
    assert ended.code == 1
    assert ended.json["valid"] is False
    assert ended.json["findings"] == ended.json["error"]["problems"]
    assert ended.json["error"]["kind"] == "ScenarioError"


# ---- infeasible, limits, interruption


def out_of_reach(folder: Path) -> list[str]:
    return ["--set", "battery.duration_h=400.0", "--set", "battery.soc_end=0.95"]


def load_beyond_import(folder: Path) -> list[str]:
    lines = (folder / "series.csv").read_text().splitlines()
    text = [lines[0] + ",load_mw", *(line + ",9.5" for line in lines[1:])]
    (folder / "series.csv").write_text("\n".join(text) + "\n")
    return []


INFEASIBLE: dict[str, tuple[Callable[[Path], list[str]], str, str]] = {
    "end": (out_of_reach, "battery.soc_end: asks for SOC 0.95", "at most 0.8888 can be reached within 168 h"),
    "load": (
        load_beyond_import,
        "site.import_limit_mw: from 2025-06-02 00:00",
        "exceeds import limit 2 + battery 2",
    ),
}


@pytest.mark.parametrize("name", list(INFEASIBLE))
@pytest.mark.parametrize("command", ["optimize", "validate"])
def test_infeasible_ends_with_three_and_reasons(run: Run, folder: Path, name: str, command: str) -> None:
    prepare, found, reason = INFEASIBLE[name]
    options = prepare(folder)
    ended = run(command, folder, "--json", *options)
    assert ended.code == 3
    assert found in ended.err
    assert reason in ended.err
    assert ended.json["error"]["kind"] == "InfeasibleError"
    assert reason in ended.json["error"]["problems"][0]["expected"]


def test_a_limit_without_a_plan_ends_with_four(run: Run, folder: Path) -> None:
    ended = run("optimize", folder, "--json", "--set", "solver.time_limit_s=1e-9")
    assert ended.code == 4
    assert ended.err == "error: " + ended.json["error"]["problems"][0]["found"] + "; raise solver.time_limit_s\n"
    assert ended.json["error"]["kind"] == LimitReachedError.__name__


def test_a_plan_at_the_limit_is_shown_with_a_warning(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = bo.optimize(bo.load(folder))
    assert plan.report is not None
    limited = dataclasses.replace(plan, report=dataclasses.replace(plan.report, status="time_limit", gap=0.012))
    monkeypatch.setattr("bess_opt.interfaces.cli.output.in_background", lambda *_: limited)
    ended = run("optimize", folder, "--json")
    warning = "warning: solver.time_limit_s: the limit was reached; the plan is within 0.012 of the proven bound\n"
    assert (ended.code, ended.err) == (0, warning)
    assert (ended.json["status"], ended.json["gap"]) == ("time_limit", 0.012)


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(scenario: bo.Scenario) -> bo.Dispatch:
        raise error

    monkeypatch.setattr("bess_opt.interfaces.cli.output.in_background", lambda work, *_: fail(work))


def test_an_interrupt_asks_for_the_plan_so_far_once_there_is_a_bound(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before, it ends at once, as there is nothing to keep; the second one always does."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(output, "wait", interrupted)
    going_on, told = threading.Event(), Stages()
    with pytest.raises(KeyboardInterrupt):
        output.in_background(going_on.wait, told.end, told.has_bound)
    assert (told.end.is_set(), capsys.readouterr().err) == (False, "")
    told.told(bo.Progress(0.5, bound=7.0))
    with pytest.raises(KeyboardInterrupt):
        output.in_background(going_on.wait, told.end, told.has_bound)
    assert told.end.is_set()
    assert capsys.readouterr().err == "ending with what has been found; Ctrl-C again ends at once\n"
    with pytest.raises(StopIteration):
        told.told(bo.Progress(0.6))
    going_on.set()


def test_a_cancelled_optimize_says_so_once(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter((False, False, True))

    def ends(self: Stages, _: bo.Progress) -> None:
        if next(told, True):
            raise StopIteration

    monkeypatch.setattr(Stages, "told", ends)
    ended = run("optimize", folder, "--set", "solver.engine=highs")
    assert (ended.code, ended.err) == (130, "error: cancelled before there was a result\n")


def test_an_interrupt_ends_with_130(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    ended = run("optimize", folder)
    assert (ended.code, ended.out, ended.err) == (130, "", "interrupted\n")


def test_any_other_error_of_ours_ends_with_one(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, bo.AuditError("the ledger is open by 3 EUR"))
    ended = run("optimize", folder)
    assert (ended.code, ended.out, ended.err) == (1, "", "error: the ledger is open by 3 EUR\n")


@pytest.mark.parametrize("number", [0, errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_no_room_is_said_wherever_it_is_noticed(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    failing(monkeypatch, OSError(number, "no room"))
    ended = run("optimize", folder)
    assert (ended.code, ended.out) == (1, "")
    assert "error: the system has no room for a file; free space on the disk" in ended.err


def test_other_faults_of_the_system_are_not_hidden(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, OSError(errno.EBADF, "ours"))
    with pytest.raises(OSError, match="ours"):
        run("optimize", folder)


def test_a_bug_is_not_hidden(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError, match="ours"):
        run("optimize", folder)


# ---- warnings, usage, output


def test_a_derated_battery_is_a_warning_with_both_figures(run: Run, folder: Path) -> None:
    """1 C asked of cells that allow 0.5: the plan is made, and both figures are said."""
    options = ["--set", "battery.duration_h=1.0", "--set", "battery.technology=standard"]
    ended = run("optimize", folder, "--json", *options)
    assert ended.code == 0
    assert ended.err.startswith("warning: battery.power_mw: 2 MW over 1 h asks for a C-rate of 1 per h")
    assert "the technology allows 0.5 at the cells" in ended.err
    assert "charging is limited to 1.042 MW and discharging to 0.96 MW" in ended.err
    assert [finding["code"] for finding in ended.json["findings"]] == ["c_rate_limits_power"]
    assert run("validate", folder, *options).code == 0


def test_a_scenario_without_strategy_is_valid_with_a_warning(run: Run, folder: Path) -> None:
    assert run("validate", folder, "--set", "strategy=none").code == 0
    (finding,) = bo.validate(bo.load(folder).replace(strategy=None))
    assert (finding.code, finding.severity) == ("no_strategy", "warning")
    ended = run("optimize", folder, "--set", "strategy=none")
    assert ended.code == 1
    assert "error: strategy: none is stated" in ended.err


def test_a_week_off_the_horizon_is_known_before_the_solve(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, ZeroDivisionError("solved"))
    ended = run("optimize", folder, "--week", "2025-07-01")
    expected = "error: week: 2025-07-01 is outside the horizon; give a date from 2025-06-02 to 2025-06-08\n"
    assert (ended.code, ended.err) == (1, expected)
    assert "no date; write it like" in run("optimize", folder, "--week", "june").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["optimize"], "SCENARIO"),
        (["optimise", "x"], "optimise"),
        (["optimize", "x", "--set", "battery.power_mw"], "battery.power_mw"),
        (["optimize", "x", "--set", "=3"], "=3"),
        (["optimize", "x", "--set", "a..b=3"], "a..b=3"),
        (["optimize", "x", "--theme", "pink"], "pink"),
        (["optimize", "x", "--jsn"], "--jsn"),
    ],
)
def test_usage_ends_with_two(run: Run, arguments: list[str], message: str) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert "Traceback" not in ended.err


def foreign(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("mine")


def file(path: Path) -> None:
    path.write_text("mine")


@pytest.mark.parametrize(
    ("make", "out", "message"),
    [
        (foreign, "taken", "holds other files (thesis.txt), which are left alone"),
        (file, "taken", "is a file"),
        (file, "taken/below", "cannot be written: 'taken' is a file"),
    ],
)
def test_a_taken_target_is_known_before_the_solve(
    run: Run,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], None],
    out: str,
    message: str,
) -> None:
    failing(monkeypatch, ZeroDivisionError("solved"))
    make(tmp_path / "taken")
    ended = run("optimize", folder, "--out", tmp_path / out)
    assert (ended.code, ended.out) == (1, "")
    assert f"error: {tmp_path / out}: {message}" in ended.err
    kept = tmp_path / "taken" / "thesis.txt" if make is foreign else tmp_path / "taken"
    assert kept.read_text() == "mine"


def test_a_target_without_permission(run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bess_opt.common.atomic_folders.os.access", lambda *_: False)
    ended = run("optimize", folder, "--out", tmp_path / "result")
    assert ended.code == 1
    expected = f"cannot be written: no permission to write in {tmp_path}; name a folder where you may write"
    assert ended.err == f"error: {tmp_path / 'result'}: {expected}\n"


def test_json_has_no_nan(run: Run, folder: Path) -> None:
    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} in JSON")

    json.loads(run("describe", folder, "--json").out, parse_constant=refuse)
