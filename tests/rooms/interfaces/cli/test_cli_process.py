"""The command as a process of its own: light to start, quiet in pipes, quick to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.places import ROOT

HEAVY = ("pandas", "numpy", "matplotlib", "pyomo", "highspy", "pvlib")
LOADED = f"import sys; found = [m for m in {HEAVY!r} if m in sys.modules]; print(found, file=sys.stderr)"
STUCK = """\
import time
from pathlib import Path
from bess_opt.strategies.arbitrage import STRATEGY as GOOD
import dataclasses

def build(m, plant, options):
    Path({marker!r}).touch()
    time.sleep(600)

STRATEGY = dataclasses.replace(GOOD, name="stuck", build=build, old_names=())
"""
# A process started in the background may have been told to ignore the signal.
LISTENING = """\
import signal
from bess_opt.interfaces.cli.main import main

signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""

# Says which files of the result are there when its second part is about to be written, and waits.
SLOW_TO_SAVE = (
    """\
import time
from pathlib import Path
from bess_opt.dispatch import saving as files

def wait(path, data):
    Path({marker!r}).write_text("\\n".join(sorted(p.name for p in path.parent.glob("schedule.parquet"))))
    time.sleep(600)

files._write_json = wait
"""
    + LISTENING
)


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


def cli(*arguments: str | Path, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bess_opt", *map(str, arguments)]
    return subprocess.run(command, text=True, check=False, stderr=subprocess.PIPE, **more)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "code",
    [
        "import bess_opt",
        "import bess_opt.interfaces.cli.main",
        "import bess_opt.interfaces.cli.main\ntry: bess_opt.interfaces.cli.main.app(['--help'])\nexcept SystemExit: pass",
        "import bess_opt.interfaces.cli.main\ntry: bess_opt.interfaces.cli.main.app(['optimize', '--help'])\nexcept SystemExit: pass",
        "import bess_opt.interfaces.cli.main\ntry: bess_opt.interfaces.cli.main.app(['--version'])\nexcept SystemExit: pass",
    ],
)
def test_starting_loads_nothing_heavy(code: str) -> None:
    done = python(f"{code}\n{LOADED}")
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_a_plan_loads_neither_a_unit_manager_nor_statistics(folder: Path) -> None:
    """Both come with Pyomo, take longer to load than a short plan to solve, and no plan needs them."""
    code = "import bess_opt as bo, sys; bo.optimize(bo.load(sys.argv[1])); print([m for m in ('pint', 'scipy.stats') if m in sys.modules])"
    done = python(code, str(folder))
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_python_m_is_the_same_command(folder: Path) -> None:
    done = cli("validate", folder, stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("week: valid")


def test_wrong_input_shows_no_traceback(tmp_path: Path) -> None:
    done = cli("optimize", tmp_path / "nope", stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_is_no_error() -> None:
    """As in `bess-opt list | head`: the pipe's other end is closed before a byte is written."""
    reading, writing = os.pipe()
    os.close(reading)
    done = cli("list", stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_stdout_is_told() -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = cli("list", stdout=full)
    assert (done.returncode, done.stderr) == (
        1,
        "error: stdout: cannot be written: No space left on device\n",
    )


def test_a_terminal_without_unicode_gets_a_table(folder: Path) -> None:
    done = cli("validate", folder, stdout=subprocess.PIPE, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "| errors          |     0 |" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    "earlier",
    [
        pytest.param(False, id="a new folder", marks=pytest.mark.second_tier),
        pytest.param(True, id="an earlier result"),
    ],
)
def test_ctrl_c_while_a_year_is_saved_leaves_no_half_of_it(folder: Path, tmp_path: Path, earlier: bool) -> None:
    """Struck between two files: what is there is nothing, or the earlier result as it was."""
    site, out = ROOT / "scenarios" / "solar_merchant", tmp_path / "result"
    if earlier:
        assert cli("optimize", folder, "--out", out).returncode == 0
    before = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    marker = tmp_path / "saving"
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_TO_SAVE.format(marker=str(marker)), "optimize", str(site), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not marker.exists() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert marker.read_text().splitlines() == ["schedule.parquet"]
    assert (process.returncode, stdout) == (130, "")
    assert stderr.splitlines()[-1] == "interrupted"
    assert "Traceback" not in stderr
    assert {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"saving", "week"} | ({"result"} if earlier else set())


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_stops_a_solve_at_once_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    """The work sits in another thread, so the signal is heard while that thread does not answer."""
    marker, out = tmp_path / "begun", tmp_path / "result"
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "stuck.py").write_text(STUCK.format(marker=str(marker)))
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            LISTENING,
            "optimize",
            str(folder),
            "--set",
            "strategy=stuck",
            "--out",
            str(out),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"BESS_OPT_STRATEGIES": str(tmp_path / "plugins")},
    )
    try:
        while not marker.exists() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, stdout, stderr) == (130, "", "interrupted\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["begun", "plugins", "week"]
