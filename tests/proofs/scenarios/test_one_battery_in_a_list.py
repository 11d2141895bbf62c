"""Every scenario of the repository with its battery in a list of one: the same files, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

import bess_opt as bo

ROOT = Path(__file__).resolve().parents[3] / "scenarios"
WEEK = 7 * 24
NAMES = sorted(folder.parent.name for folder in ROOT.glob("*/scenario.toml"))


def saved(scenario: bo.Scenario, folder: Path) -> dict[str, bytes]:
    """The files of its optimum and of its rule."""
    for verb in (bo.optimize, bo.simulate):
        verb(scenario).save(folder / verb.__name__)
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def alone_and_listed(name: str, folder: Path) -> tuple[bo.Scenario, bo.Scenario] | None:
    """A week of the scenario as it stands, and from a file in which [battery] is [[battery]]."""
    text = (ROOT / name / "scenario.toml").read_text(encoding="utf-8")
    if "[[battery]]" in text:
        return None
    for kind, toml in (("alone", text), ("listed", text.replace("[battery]", "[[battery]]"))):
        (folder / kind).mkdir(parents=True)
        (folder / kind / "scenario.toml").write_text(toml, encoding="utf-8")
        rows = (ROOT / name / "series.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / kind / "series.csv").write_text("".join(rows[: 1 + WEEK]), encoding="utf-8")
    alone, listed = (bo.load(folder / kind).replace(name=name) for kind in ("alone", "listed"))
    return alone, listed


@pytest.mark.parametrize("name", NAMES)
def test_same_files(name: str, tmp_path: Path) -> None:
    pair = alone_and_listed(name, tmp_path / "in")
    if pair is None:
        pytest.skip("has several batteries")
    alone, listed = (saved(one, tmp_path / str(number)) for number, one in enumerate(pair))
    assert len(alone) > 8
    assert alone == listed
