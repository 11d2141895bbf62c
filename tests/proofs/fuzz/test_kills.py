"""Commands that are stopped, killed, or find the disk full at any moment leave the old result or the new one, whole.

Each is a process of its own with what it starts. Half of the moments are drawn over the whole run, half just after
the command has begun to write.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from support.ended_commands import COMMANDS, STUDY, Site, leftovers, new, study

from bess_opt.interfaces.cli.new_scenario import new_scenario

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
MARK = "BESS_OPT_TEST_RUN"  # environment variable that names a run and all processes that it starts
LONGEST_S, GONE_S = 240.0, 20.0
MEANS = ("TERM", "KILL", "full disk")


def started(words: list[str], mark: str, largest: int | None = None) -> subprocess.Popen[bytes]:
    """The command in a session of its own; no file that it writes may be longer than `largest` bytes."""

    def bounded() -> None:
        import resource

        if largest is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    return subprocess.Popen(
        words, env=os.environ | {MARK: mark, "PYTHONDONTWRITEBYTECODE": "1"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=bounded,
    )  # fmt: skip


def alive(mark: str) -> list[int]:
    """Processes of a run, by the environment that each has from the one that started it."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (place / "environ").read_bytes():
                found.append(int(place.name))
        except OSError:
            continue
    return found


def wait_for(moment: Callable[[], bool], process: subprocess.Popen[bytes], most_s: float) -> None:
    end = time.monotonic() + most_s
    while process.poll() is None and not moment() and time.monotonic() < end:
        time.sleep(0.002)


def whole_or_nothing(seed: int, folder: Path) -> None:
    """One command ended before its time: what it leaves, and that it succeeds when it is run again."""
    rng = random.Random(seed)
    command, result = COMMANDS[seed % len(COMMANDS)]
    means = rng.choice(MEANS)
    site = Site(new_scenario(folder / "site"), folder / "study.py", folder / "out" / "result")
    site.script.write_text(STUDY)
    site.out.parent.mkdir()
    told, mark = (seed, command.__name__, means), uuid.uuid4().hex
    had = command is not new and rng.random() < 0.6
    began = time.monotonic()
    if had:
        assert subprocess.run(command(site, "1.5"), capture_output=True, check=False).returncode == 0, told
    lasts_s = time.monotonic() - began if had else 3.0
    before = result(site.out) if had else None
    process = started(
        command(site, "2.5"), mark, rng.choice([0, 10, 2_000, 30_000]) if means == "full disk" else None
    )
    try:
        if means == "full disk":
            process.wait(LONGEST_S)
        else:
            writes = rng.random() < 0.5
            wait_for(
                lambda: writes and bool(leftovers(folder)), process, LONGEST_S if writes else lasts_s * rng.random()
            )
            time.sleep(rng.uniform(0.0, 0.05))
            process.send_signal(signal.SIGTERM if means == "TERM" else signal.SIGKILL)
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert process.wait(LONGEST_S) is not None
        end = time.monotonic() + GONE_S
        while alive(mark) and time.monotonic() < end:
            time.sleep(0.05)
        assert alive(mark) == [], told
    finally:
        for number in alive(mark):
            os.kill(number, signal.SIGKILL)
        process.communicate()  # closes the pipe
    if "Traceback" in said:  # a script of a user's own ends with our error, which names place and remedy
        assert command is study, (*told, said)
        last = said.strip().splitlines()[-1]  # without room for its lock a package of others cannot be imported
        assert "bess_opt.common.errors." in last or (means == "full disk" and last.startswith("OSError")), (
            *told,
            said,
        )
    assert site.out.exists() or not had, told
    if site.out.exists():
        assert result(site.out) in {before, "2.5", "rows", "168"}, told
    assert means == "KILL" or leftovers(folder) == [], told
    if command is new and site.out.exists():
        return  # a scenario that is there is not written over
    again = subprocess.run(command(site, "2.5"), capture_output=True, text=True, check=False)
    assert again.returncode == 0, (*told, again.stderr)
    assert result(site.out) in {"2.5", "rows", "168"}, told
    assert leftovers(folder) == [], told


@pytest.mark.parametrize("seed", [104])  # a new scenario: the others take seconds
def test_a_command_that_is_ended_leaves_the_old_or_the_new(seed: int, tmp_path: Path) -> None:
    whole_or_nothing(seed, tmp_path)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", range(50))
def test_fifty_commands_that_are_ended(seed: int, tmp_path: Path) -> None:
    whole_or_nothing(seed, tmp_path)
    shutil.rmtree(tmp_path, ignore_errors=True)
