"""Long files stay on disk while they are read: the same values, in bounded memory, and never beyond what is said."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.file_kinds import SAMPLES
from support.more_file_kinds import MORE

import bess_opt as bo
from bess_opt.common.errors import ScenarioError
from bess_opt.inputs.readers import pipeline
from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file import opened, streamed, whole
from bess_opt.inputs.readers.pipeline import read_file

VERBS = {"price": bo.read_prices, "load": bo.read_load, "solar": bo.read_solar}
ALL = {**SAMPLES, **MORE}
TABLES = [name for name, sample in ALL.items() if sample.name.endswith((".csv", ".txt", ".1", ".zip", ".gz"))]


@pytest.fixture
def everything_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "LONG", 0)
    monkeypatch.setattr(streamed, "BLOCK", 700)


@pytest.mark.parametrize("name", TABLES)
def test_a_long_file_is_read_as_a_short_one(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = ALL[name]
    file = tmp_path / sample.name
    file.write_bytes(sample.data)
    short = VERBS[sample.verb](file, **sample.stated)
    monkeypatch.setattr(opened, "LONG", 0)
    monkeypatch.setattr(streamed, "BLOCK", 700)
    long = VERBS[sample.verb](file, **sample.stated)
    pd.testing.assert_frame_equal(pd.DataFrame(long), pd.DataFrame(short), check_freq=False)
    assert [d.value for d in long.reading.decisions] == [d.value for d in short.reading.decisions]


@pytest.mark.usefixtures("everything_is_long")
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
def test_of_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = "Zeit;Last (kW);Gebühr;\n" + "".join(f"2025-01-01 {h:02d}:00;{h},5;ä;\n;;;\n" for h in range(24))
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    file = tmp_path / "a.csv"
    file.write_bytes(mark + text.encode(encoding))
    read = bo.read_load(file, clock="Europe/Berlin")
    assert read["load_mw"].tolist() == pytest.approx([(h + 0.5) / 1000 for h in range(24)])


@pytest.mark.usefixtures("everything_is_long")
def test_packed_and_with_progress(tmp_path: Path) -> None:
    text = "start,load_kw\n" + "".join(f"2025-01-{d:02d} {h:02d}:00,{h}\n" for d in range(1, 32) for h in range(24))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.csv", text)
        archive.writestr("two.csv", text.replace(",5\n", ",500\n"))
    told: list[float] = []
    read = read_file(tmp_path / "a.csv.gz", Stated("load", {"clock": "UTC"}), told.append)
    assert len(read) == 744
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 5
    with pytest.raises(
        bo.ScenarioError, match=r"a\.zip: holds 2 files: one\.csv, two\.csv; state place, one of these"
    ):
        bo.read_load(tmp_path / "a.zip", clock="UTC")
    assert bo.read_load(tmp_path / "a.zip", clock="UTC", place="two")["load_mw"].iloc[5] == 0.5


@pytest.mark.usefixtures("everything_is_long")
def test_faults_in_long_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"2025-01-{d:02d} {h:02d}:00,{h}" for d in range(1, 32) for h in range(24)]
    file = tmp_path / "a.csv"
    file.write_text("\n".join(["start,load_kw", *lines[:400], "2025-01-17 17:00,1,2,3", *lines[401:]]) + "\n")
    with pytest.raises(
        bo.ScenarioError, match=r"a\.csv row 402: has 4 cells under 2 columns; give every row one cell"
    ):
        bo.read_load(file, clock="UTC")
    file.write_text("\n".join(["start,load_kw", *lines]) + "\n")
    monkeypatch.setattr(pipeline, "MOST_ROWS", 700)
    with pytest.raises(bo.ScenarioError, match=r"holds 744 rows, more than the 700 that are read"):
        bo.read_load(file, clock="UTC")
    monkeypatch.setattr(opened, "MOST_BYTES", 5_000)
    with pytest.raises(bo.ScenarioError, match=r"a\.csv: holds 0 MB, more than the 0 MB that are read; cut it"):
        bo.read_load(file, clock="UTC")
    monkeypatch.setattr(opened, "MOST_BYTES", 10**9)
    monkeypatch.setattr(whole, "MOST_BYTES", 5_000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(file.read_bytes()))
    with pytest.raises(bo.ScenarioError, match=r"a\.csv\.gz: holds .* more than"):
        bo.read_load(tmp_path / "a.csv.gz", clock="UTC")


@pytest.mark.usefixtures("everything_is_long")
def test_a_long_document_is_refused_where_it_would_have_to_be_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "MOST_WHOLE", 50)
    file = tmp_path / "a.json"
    file.write_bytes(SAMPLES["elprisetjustnu"].data)
    with pytest.raises(
        ScenarioError, match=r"a\.json: holds 0 MB, more than the 0 MB that are read; cut it into years"
    ):
        bo.read_prices(file)


@pytest.mark.second_tier
def test_a_hundred_megabytes_take_less_than_a_gigabyte(tmp_path: Path) -> None:
    import subprocess
    import sys

    file = tmp_path / "long.csv"
    index = pd.date_range("2000-01-01", periods=2_860_000, freq="5min", tz="UTC")
    prices = np.round(30 + 20 * np.sin(np.arange(len(index)) / 46), 5)
    pd.DataFrame({"price (USD/MWh)": prices}, index=index.rename("start")).to_csv(file)
    assert file.stat().st_size > 99e6
    code = (
        "import sys, resource, bess_opt as bo\n"
        "print(len(bo.read_prices(sys.argv[1])), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    steps, kilobytes = (int(word) for word in ended.stdout.split())
    assert steps == len(index)
    assert kilobytes < 1_000_000
