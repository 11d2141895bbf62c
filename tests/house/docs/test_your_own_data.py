"""The page on users' own data: its commands run on files of our own making, its table of kinds is the package's."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from support.places import ROOT

from bess_opt.inputs.readers.layout import known_kinds
from bess_opt.interfaces.cli.main import app

PAGE = ROOT / "docs" / "your_own_data.md"


def test_its_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hours = pd.date_range("2025-10-26", periods=25, freq="h", tz="Europe/Berlin")
    rows = [f"{h:%d.%m.%Y %H:%M};{h + pd.Timedelta(hours=1):%d.%m.%Y %H:%M};{50 + n},25" for n, h in enumerate(hours)]
    head = "Datum von;Datum bis;Deutschland/Luxemburg [€/MWh] Originalauflösungen"
    (tmp_path / "prices.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8-sig")
    halves = pd.date_range("2025-10-26", periods=50, freq="30min", tz="Europe/Berlin")
    lines = [f"{h:%Y-%m-%d %H:%M},{100 + n}" for n, h in enumerate(halves)]
    (tmp_path / "meter.csv").write_text("\n".join(["time,load_kw", *lines]) + "\n")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^bess-opt .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        with pytest.raises(SystemExit) as ended:
            app(shlex.split(command)[1:], prog_name="bess-opt")
        assert not ended.value.code, command
    assert (tmp_path / "site" / "series.csv").read_bytes() == (tmp_path / "again" / "series.csv").read_bytes()


def test_its_table_holds_every_kind() -> None:
    rows = re.findall(r"^\| ([^|]+) \| `.*` \| [^|]+ \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows, key=str.lower) == sorted((kind.name for kind in known_kinds()), key=str.lower)
