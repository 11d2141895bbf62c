"""`bess-opt report` as a user types it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.places import ROOT

SCENARIO = ROOT / "scenarios" / "solar_evening"


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bess_opt", "report", *words], capture_output=True, text=True, check=False
    )


def test_a_page_is_written_and_named(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    done = command(str(SCENARIO), "--out", str(file), "--set", "battery.power_mw=1.5")
    assert (done.returncode, done.stdout) == (0, f"{file}\n"), done.stderr
    assert "1.5 MW" in file.read_text("utf-8")


@pytest.mark.slow
def test_what_stands_there_is_kept(tmp_path: Path) -> None:
    """Refused before anything is solved, without a traceback."""
    file = tmp_path / "mine.html"
    file.write_text("mine")
    done = command(str(SCENARIO), "--out", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert "is there already and is no report of ours" in done.stderr
    assert "Traceback" not in done.stderr
    assert command(str(SCENARIO)).returncode == 2
