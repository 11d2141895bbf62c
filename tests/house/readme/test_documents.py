"""Everything that README and docs show is run: Python blocks in order, command lines through the real command."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.places import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the shipped scenarios beside it, as in a clone."""
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_python(text: str) -> dict[str, object]:
    names: dict[str, object] = {}
    for block in blocks(text, "python"):
        exec(compile(block, "document", "exec"), names)  # our own documents
    return names


def test_readme_python(workplace: Path) -> None:
    names = run_python(README)
    assert (workplace / "june.png").stat().st_size > 10_000
    assert (workplace / "results/base/metrics.json").is_file()
    assert names["plan"].report.gap <= 1e-6  # type: ignore[attr-defined]


NAMED = {
    "bess-opt optimize scenarios/solar_merchant": ("1,243,913",),
    "bess-opt size scenarios/solar_merchant --power 1:20 --duration 1:8": (
        "8.977 MW, 5.445 h", "11,388,280 USD", "8,930,198 USD", "11,388,466 USD",
    ),
}  # fmt: skip
LINES = [line.removeprefix(".venv/bin/") for block in blocks(README, "bash") for line in block.splitlines()]
COMMANDS = [line for line in LINES if line.startswith("bess-opt ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_command(workplace: Path, command: str) -> None:
    words = [sys.executable, "-m", "bess_opt", *shlex.split(command)[1:]]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    for printed in NAMED.get(command.split(" --out")[0], ()):
        assert re.search(rf" {re.escape(printed)}[ ,]", done.stdout), "the README names another figure"


def test_readme_names_what_its_commands_print() -> None:
    """Every figure that the README sets off as one stands under the command that is held to it above."""
    text = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    set_off = re.findall(r"`(\d[^`]*)`", text)
    assert sorted(set_off) == sorted(figure for figures in NAMED.values() for figure in figures)


def test_readme_main_command_is_the_shipped_scenario() -> None:
    main = README.split("<!-- main command -->")[1].split("```")[1]
    assert "bess-opt optimize scenarios/solar_merchant --out results/solar_merchant" in main


def test_readme_links_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), f"README.md links to {target}, which is not there"


@pytest.mark.real_data
def test_your_own_data() -> None:
    if "BESS_OPT_DATA" not in os.environ:
        pytest.skip("BESS_OPT_DATA does not point to the real data")
    names = run_python((ROOT / "docs" / "your_own_data.md").read_text(encoding="utf-8"))
    market, site = names["plan"], names["site_plan"]
    assert (market.schedule["import_price_per_mwh"] < 0).any()  # type: ignore[attr-defined]
    assert market.report.gap <= 1e-6  # type: ignore[attr-defined]
    assert abs(market.metrics.balance_residual_mwh) < 1e-6 * market.metrics.import_mwh  # type: ignore[attr-defined]
    assert abs(site.metrics.balance_residual_mwh) < 1e-6 * site.metrics.load_mwh  # type: ignore[attr-defined]
    assert site.metrics.peak_export_mw <= 3.0 + 1e-9  # type: ignore[attr-defined]
