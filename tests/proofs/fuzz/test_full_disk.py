"""Commands that write to a disk that is really full say so, and leave the earlier result whole.

The disk is one in memory, of which a file takes all but a few bytes; only a superuser may mount it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ended_commands import COMMANDS, STUDY, Command, Site, leftovers, new, optimize

from bess_opt.interfaces.cli.new_scenario import new_scenario

DISK = "20m"
LEFT = {
    "optimize": 8_192,
    "size": 4_096,
    "study": 0,
    "report": 40_960,
    "new": 0,
}  # bytes that the command still finds
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts a disk in memory")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)], check=False)
    if mounted.returncode != 0:
        pytest.skip("a disk in memory cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path, left: int) -> None:
    """A file takes all of the disk but `left` bytes."""
    with (disk / "ballast").open("wb", buffering=0) as file:
        room = os.statvfs(disk)
        file.write(bytes(max(room.f_bavail * room.f_frsize - left, 0)))


@pytest.mark.parametrize(
    ("command", "had"),
    [
        (new, False),
        pytest.param(optimize, True, marks=pytest.mark.second_tier),
        *(pytest.param(command, command is not new, marks=pytest.mark.second_tier) for command, _ in COMMANDS[1:4]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_full_disk_is_told_and_costs_no_earlier_result(
    disk: Path, tmp_path: Path, command: Command, had: bool
) -> None:
    result = dict(COMMANDS)[command]
    site = Site(new_scenario(tmp_path / "site"), tmp_path / "study.py", disk / "result")
    site.script.write_text(STUDY)
    if had:
        subprocess.run(command(site, "1.5"), capture_output=True, check=True)
    before = result(site.out) if had else None
    fill(disk, LEFT[command.__name__])
    ended = subprocess.run(command(site, "2.5"), capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr or "bess_opt.common.errors." in ended.stderr.strip().splitlines()[-1]
    assert leftovers(disk) == []
    assert site.out.exists() == had
    if had:
        assert result(site.out) == before
    (disk / "ballast").unlink()
    subprocess.run(command(site, "2.5"), capture_output=True, check=True)
    assert result(site.out) in {"2.5", "rows", "168"}
    shutil.rmtree(site.folder)
