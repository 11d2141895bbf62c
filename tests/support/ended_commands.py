"""Commands that write, run as processes of their own, and what each leaves: for tests that end them before their time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import bess_opt as bo
from bess_opt.common.atomic_files import TEMPORARY

STUDY = """
import sys
import bess_opt as bo
if __name__ == "__main__":
    site = bo.load(sys.argv[1])
    many = {str(n): site.replace(battery={"power_mw": float(sys.argv[3]) + n / 10}) for n in range(4)}
    bo.study(many, out=sys.argv[2], workers=2)
"""


@dataclass(frozen=True)
class Site:
    """Where a command reads and writes."""

    folder: Path
    script: Path
    out: Path

    def words(self, *words: object) -> list[str]:
        """A command line of ours."""
        return [sys.executable, "-m", "bess_opt", *map(str, words)]


def optimize(site: Site, power: str) -> list[str]:
    return site.words("optimize", site.folder, "--out", site.out, "--set", f"battery.power_mw={power}")


def size(site: Site, power: str) -> list[str]:
    return site.words("size", site.folder, "--out", site.out, "--power", power, "--duration", "2:3")


def study(site: Site, power: str) -> list[str]:
    return [sys.executable, str(site.script), str(site.folder), str(site.out), power]


def report(site: Site, power: str) -> list[str]:
    return site.words("report", site.folder, "--out", site.out, "--set", f"battery.power_mw={power}")


def new(site: Site, _: str) -> list[str]:
    return site.words("new", site.out)


def of_optimize(out: Path) -> str:
    return str(bo.load_dispatch(out).scenario.battery.power_mw)


def of_size(out: Path) -> str:
    pd.read_parquet(out / "table.parquet")
    found = json.loads((out / "sizing.json").read_text())
    return str(found["power_mw"])


def of_study(out: Path) -> str:
    """Rows stand for themselves: every one that is there is whole."""
    for file in out.rglob("*.parquet"):
        if TEMPORARY.fullmatch(file.name) is None:
            pd.read_parquet(file)
    return "rows"


def of_report(out: Path) -> str:
    text = out.read_text("utf-8")
    assert text.rstrip().endswith("</html>")
    return next(power for power in ("1.5", "2.5") if f"{power} MW" in text)


def of_new(out: Path) -> str:
    return str(len(bo.load(out).series))


Command = Callable[[Site, str], list[str]]
COMMANDS: tuple[tuple[Command, Callable[[Path], str]], ...] = (
    (optimize, of_optimize), (size, of_size), (study, of_study), (report, of_report), (new, of_new),
)  # fmt: skip


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob(".*") if TEMPORARY.fullmatch(path.name))
