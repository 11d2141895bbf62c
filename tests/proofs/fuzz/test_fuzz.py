"""Broken scenario folders load or are refused with the place of the fault: no traceback, no hang, the right exit code."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import mutated_parquet
from support.mutated_folders import CHANGES, mutant
from typer.testing import CliRunner

import bess_opt as bo
import bess_opt.dispatch.batch.study
import bess_opt.dispatch.optimize
import bess_opt.investment.sizing.sensitivity
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
    monkeypatch.setattr("support.mutated_folders.CHANGES", (lambda _rng, _folder: None,))
    assert all(check(seed, tmp_path / "m") for seed in range(40))


def test_a_few_hundred_mutants(tmp_path: Path) -> None:
    sound = sum(check(seed, tmp_path / "m") for seed in FEW)
    assert 0.02 * len(FEW) < sum((sound,)) < 0.5 * len(FEW), "nearly all are refused, and some are harmless"
    assert len(CHANGES) > 10


@pytest.mark.second_tier
@pytest.mark.parametrize("block", range(5))
def test_five_thousand_mutants(block: int, tmp_path: Path) -> None:
    for seed in MANY[block::5]:
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


# ---- Parquet files


MOST_MB = 2_000


def check_parquet(seed: int, folder: Path) -> None:
    """Mutant `seed` loads, or is refused in few words, soon and without much memory."""
    mutated_parquet.mutant(seed, folder)
    with no_hang(seed):
        found = bo.validate(folder)
    assert sum(len(finding.sentence()) for finding in found.errors) < 3_000, seed
    if os.name == "posix":
        import resource

        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MOST_MB * 1_000, seed


def test_some_hundred_parquet_files(tmp_path: Path) -> None:
    for seed in range(200):
        check_parquet(seed, tmp_path / "m")


@pytest.mark.second_tier
def test_two_thousand_parquet_files(tmp_path: Path) -> None:
    for seed in range(200, 2_200):
        check_parquet(seed, tmp_path / "m")
        if seed % 10 == 0:
            ended = CliRunner().invoke(app, ["describe", str(tmp_path / "m")])
            assert ended.exit_code in (0, 1), (seed, ended.exception)


def test_the_command_line_takes_parquet_mutants(tmp_path: Path) -> None:
    for seed in range(40):
        folder = mutated_parquet.mutant(seed, tmp_path / "m")
        ended = CliRunner().invoke(app, ["describe", str(folder)])
        assert ended.exit_code in (0, 1), (seed, ended.exception)
        assert "Traceback" not in ended.stderr


def test_a_billion_rows_are_not_read(tmp_path: Path) -> None:
    """The footer says how many there are; a hundred million, here, of which the file holds one kilobyte each million."""
    same = pa.table({"time": pa.array(np.zeros(10_000_000, np.int64), pa.timestamp("ns", "UTC"))})
    (tmp_path / "scenario.toml").write_text(mutated_parquet.TOML)
    with pq.ParquetWriter(tmp_path / "series.parquet", same.schema, compression="zstd") as writer:
        for _ in range(10):
            writer.write_table(same)
    began = time.monotonic()
    with pytest.raises(
        bo.ScenarioError, match=r"series\.parquet: has 100,000,000 rows; give at most 4,000,000: a part"
    ):
        bo.load(tmp_path)
    assert time.monotonic() - began < HANG_S


def test_the_index_of_pandas_is_the_time_whatever_its_name(tmp_path: Path) -> None:
    """As `to_parquet` leaves it: named, unnamed or a column; other notes of pandas change nothing."""
    (tmp_path / "scenario.toml").write_text(mutated_parquet.TOML)
    sound = mutated_parquet.sound()
    for frame in (sound, sound.rename_axis(None), sound.rename_axis("stamp"), sound.reset_index(), sound[::-1][::-1]):
        frame.to_parquet(tmp_path / "series.parquet")
        series = bo.load(tmp_path).series
        assert (series["price_per_mwh"].to_numpy() == sound["price_per_mwh"].to_numpy()).all()
        assert (series.index == sound.index).all()
        assert str(series.index.tz) == "Europe/Berlin"


# ---- files without an end, or far too long


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX systems")
@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("name", ["scenario.toml", "series.csv"])
def test_neither_a_pipe_nor_a_device_is_read(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / "scenario.toml").write_text(mutated_parquet.TOML)
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name) if kind == "pipe" else (tmp_path / name).symlink_to("/dev/zero")
    with no_hang(0), pytest.raises(bo.ScenarioError, match=r"no regular file|leaves the scenario folder"):
        bo.load(tmp_path)


def test_a_turned_table_is_told_in_a_line(tmp_path: Path) -> None:
    """A year of quarter-hours as columns; a year of unknown keys; a file that is no scenario at all."""
    (tmp_path / "scenario.toml").write_text(mutated_parquet.TOML)
    stamps = ",".join(f"2025-01-01T{number}" for number in range(35_040))
    (tmp_path / "series.csv").write_text(f"time,{stamps}\nprice_per_mwh{',5' * 35_040}\n")
    with no_hang(0), pytest.raises(bo.ScenarioError) as caught:
        bo.load(tmp_path)
    expected = "give a column for each quantity and a row for each step"
    assert str(caught.value) == f"series.csv: has 35,041 columns; {expected}"
    (tmp_path / "series.csv").write_text("time," + ",".join(f"c{n}" for n in range(50)) + "\n2025-01-01" + ",5" * 50)
    with pytest.raises(bo.ScenarioError) as caught:
        bo.load(tmp_path)
    assert "unknown column 'c2', and 47 more like it" in str(caught.value)
    assert "c3" not in str(caught.value)
    for keys in ("", "[battery]\n"):
        (tmp_path / "scenario.toml").write_text(keys + "".join(f"key{n} = {n}\n" for n in range(35_040)))
        with no_hang(0), pytest.raises(bo.ScenarioError, match="more problems; mend those above first") as caught:
            bo.load(tmp_path)
        assert len(str(caught.value)) < 10_000
    (tmp_path / "scenario.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(bo.ScenarioError, match="cannot be opened: is longer than 1,000,000 bytes"):
        bo.load(tmp_path)


@pytest.mark.parametrize("cell", [10**400, -(10**400), "9" * 400])
def test_a_number_of_four_hundred_digits(tmp_path: Path, cell: object) -> None:
    """In a frame, in a file, in a table and as an option of a strategy."""
    frame = mutated_parquet.sound().astype(object)
    frame.iloc[5, 0] = cell
    with pytest.raises(bo.ScenarioError, match=r"row 6, column price_per_mwh: found .* at 2025-06-02 05:00"):
        bo.Scenario(battery={"power_mw": 1.0, "duration_h": 1.0}, series=frame)
    (tmp_path / "scenario.toml").write_text(mutated_parquet.TOML.replace("2.0", str(cell)))
    with pytest.raises(bo.ScenarioError, match=r"battery.power_mw: found .*; give a number"):
        bo.load(tmp_path)
    (tmp_path / "scenario.toml").write_text(mutated_parquet.TOML.replace("2.0", "9" * 9000))
    with pytest.raises(bo.ScenarioError, match=r"Exceeds the limit .* write numbers of a usual length"):
        bo.load(tmp_path)


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
    "a null in a path": (toml('"series.csv"', '"series.csv\\u0000"'), r"series.file: found 'series.csv\x00'"),
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
    monkeypatch.setattr("support.mutated_folders.CHANGES", (lambda _rng, _folder: None,))
    folder = mutant(0, tmp_path / "m")
    spoil, message = FAULTS[name]
    spoil(folder)
    with pytest.raises(bo.ScenarioError) as caught:
        bo.load(folder)
    assert message in str(caught.value)


def test_a_cell_beyond_sense_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.mutated_folders.CHANGES", (lambda _rng, _folder: None,))
    file = mutant(0, tmp_path / "m") / "series.csv"
    file.write_text(file.read_text("utf-8").replace("T05:00:00+02:00,50.0", "T05:00:00+02:00,1e300", 1), "utf-8")
    message = (
        r"series\.csv row 7, column price_per_mwh: found 1e\+300 at 2025-06-02 05:00\+02:00; give a number of at most"
    )
    with pytest.raises(bo.ScenarioError, match=message):
        bo.load(tmp_path / "m")


@pytest.mark.parametrize("old", ['"series.csv"', '"Europe/Berlin"', '"EUR"\n'])
def test_a_long_value_is_not_told_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str) -> None:
    """A name of a file, a zone and a calendar of holidays, each of 5,000 letters."""
    monkeypatch.setattr("support.mutated_folders.CHANGES", (lambda _rng, _folder: None,))
    file = mutant(0, tmp_path / "m") / "scenario.toml"
    text = file.read_text("utf-8")
    long = '"x' + "y" * 5_000 + '"'
    file.write_text(text.replace(old, f'"EUR"\nholidays = {long}\n' if "EUR" in old else long), "utf-8")
    with no_hang(0), pytest.raises(bo.ScenarioError) as caught:
        bo.load(tmp_path / "m")
    assert len(str(caught.value)) < 1_500


@pytest.mark.parametrize(
    "ask",
    [
        lambda site, long: bo.control(site, terminal=long),
        lambda site, long: bo.control(site, every_h=long),
        lambda site, long: bo.control(site, {long: bo.Forecast("persistence")}),
        lambda site, long: bo.study({"a": site}, action=long),
        lambda site, long: bo.size(site, power_mw=(1.0, 2.0), duration_h=2.0, objective=long),
        lambda site, long: bo.size(site, power_mw=long, duration_h=2.0),
        lambda site, long: bo.sensitivity(site, 1.0, 2.0, {long: [0.1]}),
    ],
)
def test_a_long_argument_is_not_told_whole(ask: Callable[[bo.Scenario, str], object]) -> None:
    """A word of 5,000 letters where a verb expects another one."""
    series = pd.DataFrame(
        {"price_per_mwh": [0.0, 50.0]}, index=pd.date_range("2025-06-01", periods=2, freq="h", tz="UTC")
    )
    site = bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0}, site={}, series=series, strategy="arbitrage",
        finance={"capital_per_mw": 1.0, "capital_per_mwh": 1.0, "discount_rate": 0.05, "lifetime_years": 10,
                 "horizons_per_year": 4380},
    )  # fmt: skip
    with no_hang(0), pytest.raises(bo.ScenarioError) as caught:
        ask(site, "x" + "y" * 5_000)
    assert "'xyyy" in str(caught.value)
    assert len(str(caught.value)) < 1_500
