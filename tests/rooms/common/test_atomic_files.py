"""What is written stands whole or not at all, whoever fails, stops or kills the writer, and nothing stays beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import bess_opt as bo
from bess_opt.common import atomic_files
from bess_opt.common.atomic_files import clear_leftovers, new_file
from bess_opt.common.atomic_folders import Kind, check_target, new_folder

KIND = Kind(frozenset({"mark", "a", "b"}), "mark", "ours")
WRITER = """
import sys, time
from pathlib import Path
from bess_opt.common.atomic_files import new_file
from bess_opt.common.atomic_folders import Kind, new_folder
KIND = Kind(frozenset({"mark", "a", "b"}), "mark", "ours")
with new_folder(sys.argv[1], KIND) if sys.argv[2] == "folder" else new_file(Path(sys.argv[1])) as parts:
    if sys.argv[2] == "folder":
        (parts / "mark").write_text("ours")
        (parts / "a").write_text("half")
    else:
        parts.write_text("half")
    print("writing", flush=True)
    time.sleep(30)
"""
LOST = """
import signal, sys
from pathlib import Path
from bess_opt.common.atomic_files import new_file

class Finalized:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

with new_file(Path(sys.argv[1])) as parts:
    parts.write_text("whole")
    finalized = Finalized()
    del finalized  # the interpreter drops what a finalizer raises, and prints it
"""
posix = pytest.mark.skipif(os.name != "posix", reason="signals and locks of POSIX systems")


def write(folder: Path, text: str) -> None:
    with new_folder(folder, KIND) as parts:
        (parts / "mark").write_text("ours")
        (parts / "a").write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=[True, False], ids=["exchange", "one after the other"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without a system that lets two folders change places."""
    if not request.param:
        monkeypatch.setattr(atomic_files, "_exchange", lambda *_: False)


@pytest.mark.usefixtures("either_way")
def test_the_new_one_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    for text in ("one", "two"):
        write(tmp_path / "r", text)
        assert (tmp_path / "r" / "a").read_text() == text
        assert names(tmp_path) == ["r"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("old")

    def fail() -> None:
        with new_file(file) as parts:
            parts.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (file.read_text(), names(tmp_path)) == ("old", ["page.html"])
    with new_file(file) as parts:
        parts.write_text("new")
        assert file.read_text() == "old"
    assert (file.read_text(), names(tmp_path)) == ("new", ["page.html"])


@posix
@pytest.mark.parametrize("kind", ["folder", "file"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["TERM", "KILL"])
def test_a_writer_that_is_stopped_or_killed(tmp_path: Path, number: signal.Signals, kind: str) -> None:
    """Told to stop it takes its half away, killed it cannot: then the next writer does."""
    target = tmp_path / "r"
    if kind == "folder":
        write(target, "old")
    else:
        target.write_text("old")
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(target), kind], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    writer.send_signal(number)
    assert writer.wait() == -number, "the signal ends the process as it would without us"
    writer.stdout.close()
    old = (target / "a" if kind == "folder" else target).read_text()
    assert old == "old"
    assert len(names(tmp_path)) == (1 if number == signal.SIGTERM else 2)
    clear_leftovers(tmp_path, "r")
    assert names(tmp_path) == ["r"]


@posix
def test_a_stop_that_is_lost_on_its_way_ends_the_writer_quietly(tmp_path: Path) -> None:
    """The file stands whole, the process ends by the signal, and no traceback tells of our own exception."""
    target = tmp_path / "r"
    ended = subprocess.run([sys.executable, "-c", LOST, str(target)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (-signal.SIGTERM, "")
    assert target.read_text() == "whole"
    assert names(tmp_path) == ["r"]


@posix
def test_only_what_is_abandoned_is_cleared(tmp_path: Path) -> None:
    """A writer at work keeps its folder; names that only look alike stay; what was set aside comes back."""
    (tmp_path / ".other.0123abcd.new").mkdir()
    (tmp_path / ".r.0123abcd.new.txt").touch()
    (tmp_path / ".r.0123abcd.old").mkdir()
    (tmp_path / ".r.0123abcd.old" / "mark").write_text("ours")
    with new_folder(tmp_path / "r", KIND) as parts:
        assert names(tmp_path / "r") == ["mark"]
        clear_leftovers(tmp_path)
        assert parts.is_dir()
        assert not (tmp_path / ".other.0123abcd.new").exists()
        (parts / "mark").write_text("ours")
    assert names(tmp_path) == [".r.0123abcd.new.txt", "r"]


@pytest.mark.usefixtures("either_way")
def test_five_writers_to_one_place(tmp_path: Path) -> None:
    """All of them end well, one of them stands there whole, and nothing beside it; a sixth reads meanwhile."""
    failures: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            for _ in range(12):
                work()
        except BaseException as error:
            failures.append(error)

    write(tmp_path / "r", "0")
    jobs = [lambda number=number: write(tmp_path / "r", str(number) * 1000) for number in range(5)]
    threads = [
        threading.Thread(target=run, args=(job,)) for job in (*jobs, lambda: check_target(tmp_path / "r", KIND))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert names(tmp_path) == ["r"]
    assert names(tmp_path / "r") == ["a", "mark"]
    assert len(set((tmp_path / "r" / "a").read_text())) == 1


def test_a_place_taken_meanwhile_is_left_alone(tmp_path: Path) -> None:
    def come_late() -> None:
        with new_folder(tmp_path / "r") as parts:
            (parts / "a").touch()
            (tmp_path / "r").mkdir()
            (tmp_path / "r" / "mine.txt").touch()

    with pytest.raises(bo.ScenarioError, match=r"holds other files \(mine.txt\)"):
        come_late()
    assert names(tmp_path / "r") == ["mine.txt"]
    assert names(tmp_path) == ["r"]


@posix
def test_a_full_disk(tmp_path: Path) -> None:
    """The kernel refuses to write more than 2,000 bytes: an error of ours, the old result, nothing beside it."""
    write(tmp_path / "r", "old")
    (tmp_path / "page.html").write_text('<meta name="generator" content="bess-opt report">')
    code = f"""
import resource, signal
import bess_opt as bo
from bess_opt.common.atomic_folders import Kind, new_folder
from bess_opt.interfaces.report.report import save_report
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
kind = Kind(frozenset({{"mark", "a"}}), "mark", "ours")
try:
    with new_folder({str(tmp_path / "r")!r}, kind) as parts:
        (parts / "mark").write_text("ours")
        (parts / "a").write_text("x" * 9000)
except bo.ScenarioError as error:
    print(error)
try:
    save_report("x" * 9000, {str(tmp_path / "page.html")!r})
except bo.ScenarioError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.count("cannot be written: File too large; name a folder where you may write") == 2
    assert (tmp_path / "r" / "a").read_text() == "old"
    assert (tmp_path / "page.html").stat().st_size < 100
    assert names(tmp_path) == ["page.html", "r"]


def test_a_lock_that_somebody_keeps_is_not_waited_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script may lock the folder for itself while it calls us."""
    monkeypatch.setattr(atomic_files, "LOCK_S", 0.1)
    with atomic_files.alone_in(tmp_path):
        began = time.monotonic()
        write(tmp_path / "r", "one")
        assert time.monotonic() - began < 3.0
    assert names(tmp_path) == ["r"]
