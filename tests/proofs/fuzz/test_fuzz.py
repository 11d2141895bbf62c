"""Broken scenario folders load or are refused with the place of the fault: no traceback, no hang, the right exit code."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.mutated_folders import CHANGES, mutant
from typer.testing import CliRunner

import bess_opt as bo
import bess_opt.dispatch.optimize
from bess_opt.interfaces.cli.main import app

HANG_S = 5.0  # of work on one mutant; importing the package is none of it
FEW, MANY = range(300), range(300, 5_300)


@contextmanager
def no_hang(seed: int) -> Iterator[None]:
    """The block ends within `HANG_S`, or the test fails with the mutant's seed."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"mutant {seed} takes more than {HANG_S} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def check(seed: int, folder: Path) -> bool:
    """Whether mutant `seed` loads; it is an error of ours if it neither loads nor says what is wrong and where."""
    mutant(seed, folder)
    with no_hang(seed):
        found = bo.validate(folder)
        loads = _loads(folder)
    for finding in found.errors:
        assert finding.where, (seed, finding)
        assert finding.found, (seed, finding)
        assert len(finding.sentence()) < 2_000, (seed, finding.code)
    assert loads or found.errors, seed
    return not found.errors


def _loads(folder: Path) -> bool:
    try:
        bo.load(folder)
    except bo.ScenarioError:
        return False
    return True


def test_the_sound_folder_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a change every base folder is valid, so that what is refused is refused for its change."""
    monkeypatch.setattr("mutants.CHANGES", (lambda _rng, _folder: None,))
    assert all(check(seed, tmp_path / "m") for seed in range(40))


def test_a_few_hundred_mutants(tmp_path: Path) -> None:
    sound = sum(check(seed, tmp_path / "m") for seed in FEW)
    assert 0.02 * len(FEW) < sum((sound,)) < 0.5 * len(FEW), "nearly all are refused, and some are harmless"
    assert len(CHANGES) > 10


@pytest.mark.second_tier
def test_five_thousand_mutants(tmp_path: Path) -> None:
    for seed in MANY:
        check(seed, tmp_path / "m")


def test_the_command_line_ends_with_the_right_code(tmp_path: Path) -> None:
    """0 if valid, 3 if no schedule can exist, 1 if wrong, and the reasons on stderr; 2 is never due to a file."""
    for seed in range(60):
        folder = mutant(seed, tmp_path / "m")
        found = bo.validate(folder)
        with no_hang(seed):
            ended = CliRunner().invoke(app, ["validate", str(folder)])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), seed
        codes = {finding.code for finding in found.errors}
        impossible = {"end_out_of_reach", "reserve_out_of_reach", "load_beyond_supply", "solar_beyond_sinks"}
        assert ended.exit_code == (0 if not codes else 3 if codes & impossible else 1), (seed, ended.stderr)
        assert "Traceback" not in ended.stderr
        assert all(f"error: {finding.where}" in ended.stderr for finding in found.errors), seed


def test_mutants_that_load_run_or_say_why_not(tmp_path: Path) -> None:
    """The rule twin of every valid mutant: a result, or an error of ours that is no failed audit."""
    for seed in range(120):
        folder = mutant(seed, tmp_path / "m")
        if bo.validate(folder).errors:
            continue
        began = time.monotonic()
        ended = CliRunner().invoke(app, ["simulate", str(folder), "--json"])
        assert ended.exit_code in (0, 3), (seed, ended.stderr)
        assert time.monotonic() - began < 4.0 * HANG_S


# ---- single faults that were found, by name

Spoil = Callable[[Path], None]


def toml(old: str, new: str) -> Spoil:
    def spoil(folder: Path) -> None:
        file = folder / "scenario.toml"
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")

    return spoil


def loop(folder: Path) -> None:
    (folder / "series.csv").unlink()
    (folder / "series.csv").symlink_to("series.csv")


def outside(folder: Path) -> None:
    (folder.parent / "secret.csv").write_text("time,price_per_mwh\n")
    (folder / "series.csv").unlink()
    (folder / "series.csv").symlink_to(folder.parent / "secret.csv")


FAULTS: dict[str, tuple[Spoil, str]] = {
    "lists thousands deep": (toml("power_mw = 2.0", "power_mw = " + "[" * 3000 + "]" * 3000), "more than 16 deep"),
    "tables hundreds deep": (toml("power_mw = 2.0", "power_mw = " + "{a=" * 300 + "1" + "}" * 300), "more than 16 deep"),
    "tables twenty deep": (toml("power_mw = 2.0", "power_mw = " + "{a=" * 20 + "1" + "}" * 20), "more than 16 deep"),
    "a link to itself": (loop, "series.file: file 'series.csv' cannot be opened: "),
    "a link out of the folder": (outside, "leaves the scenario folder"),
    "a path out of the folder": (toml('"series.csv"', '"../secret.csv"'), "leaves the scenario folder"),
    "an absolute path": (toml('"series.csv"', '"/etc/passwd"'), "leaves the scenario folder"),
    "a null in a path": (toml('"series.csv"', '"series.csv\\u0000"'), "series.file: file "),
    "a name too long": (toml('"series.csv"', f'"{"n" * 300}.csv"'), "series.file: file 'nnn"),
    "a step of no length": (toml("step_min = 60", "step_min = 1e-308"), "series.step_min: found 1e-308"),
    "a billing interval beyond the calendar": (
        toml("interval_min = 60", "interval_min = 1e308"), "tariff.demand[0].interval_min: found 1e+308",
    ),
    "a price beyond sense": (
        toml("price_per_mw_month = 5000.0", "price_per_mw_month = 1e300"),
        "tariff.demand[0].price_per_mw_month: found 1e+300; give a number of at most 1e+12",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("mutants.CHANGES", (lambda _rng, _folder: None,))
    folder = mutant(0, tmp_path / "m")
    spoil, message = FAULTS[name]
    spoil(folder)
    with pytest.raises(bo.ScenarioError) as caught:
        bo.load(folder)
    assert message in str(caught.value)


def test_a_cell_beyond_sense_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mutants.CHANGES", (lambda _rng, _folder: None,))
    file = mutant(0, tmp_path / "m") / "series.csv"
    file.write_text(file.read_text("utf-8").replace("T05:00:00+02:00,50.0", "T05:00:00+02:00,1e300", 1), "utf-8")
    message = (
        r"series\.csv row 7, column price_per_mwh: found 1e\+300 at 2025-06-02 05:00\+02:00; give a number of at most"
    )
    with pytest.raises(bo.ScenarioError, match=message):
        bo.load(tmp_path / "m")
