"""`bess-opt ... --json 2>/dev/null | python -m json.tool` for every command there is: one answer, and nothing beside it."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest
from support.command_line import Ended

from bess_opt.interfaces.cli.main import app

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
CLAUSE = """
[[connection]]
name = "noon"
hours = [10, 16]
export_mw = 1.0
"""
METER = "time,load_kw\n" + "".join(f"2025-03-{day:02d} {hour:02d}:00,100\n" for day in (3, 4) for hour in range(24))

Words = Callable[[Path, Path], list[str | Path]]
CALLS: dict[str, Words] = {  # name of a command: what follows it, for a scenario folder and a folder to write to
    "bill": lambda week, _: [week],
    "compare": lambda week, _: [week],
    "connection": lambda week, _: [week],
    "control": lambda week, _: [week, "--every-h", "24", "--horizon-h", "24"],
    "describe": lambda week, _: [week],
    "import": lambda week, to: [week.parent / "meter.csv", "--into", to / "site", "--state", "clock=Europe/Berlin"],
    "list": lambda *_: [],
    "new": lambda _, to: [to / "first"],
    "optimize": lambda week, to: [week, "--out", to / "plan"],
    "resilience": lambda week, _: [week, "--set", "battery.auxiliary_mw=0.1"],
    "report": lambda week, to: [week, "--out", to / "page.html"],
    "schema": lambda *_: [],
    "simulate": lambda week, _: [week],
    "size": lambda week, _: [week, "--power", "1:2", "--duration", "2"],
    "validate": lambda week, _: [week],
    "verify": lambda week, _: ["--data", week],
}
SERVES = "app"
QUICK = ("optimize", "schema", "validate")  # the others are as slow to start


def commands() -> list[str]:
    """Every command of the application by the name that a user types, those of groups with the group's name first."""
    assert not app.registered_groups, "say here how the commands of a group are named"
    told = [info.name or getattr(info.callback, "__name__", "") for info in app.registered_commands]
    return sorted(name.replace("_", "-") for name in told)


@pytest.fixture
def week(folder: Path) -> Path:
    with (folder / "scenario.toml").open("a") as file:
        file.write(CLAUSE)
    (folder.parent / "meter.csv").write_text(METER)
    return folder


def pipe(words: list[str | Path]) -> str:
    """What a user's shell is given."""
    ours = shlex.join([sys.executable, "-m", "bess_opt", *map(str, words), "--json"])
    return f"set -o pipefail; {ours} 2>/dev/null | {shlex.quote(sys.executable)} -m json.tool"


def test_no_command_is_left_out() -> None:
    assert commands() == sorted([*CALLS, SERVES])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in CALLS]
)
def test_a_command_answers_in_json_and_nothing_else(name: str, week: Path, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    words = [name, *CALLS[name](week, tmp_path / "to")]
    done = subprocess.run(["bash", "-c", pipe(words)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert isinstance(json.loads(done.stdout), dict)


@pytest.mark.parametrize("name", sorted(name for name in CALLS if name not in ("list", "new", "schema", "verify")))
def test_a_refusal_is_json_too(name: str, tmp_path: Path, run: Callable[..., Ended]) -> None:
    (tmp_path / "to").mkdir()
    nowhere = tmp_path / "no" / "scenario"
    done = run(name, *CALLS[name](nowhere, tmp_path / "to"), "--json")
    assert done.code == 1
    assert done.json["error"]["problems"]


@pytest.mark.slow
def test_the_page_says_in_json_where_it_is(week: Path) -> None:
    """Before it begins to serve, so that a pipe knows; what is told to stop leaves nothing half."""
    pytest.importorskip("dash", reason="the extra app is not installed")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    ours = [sys.executable, "-m", "bess_opt", SERVES, str(week), "--port", str(port), "--no-browser", "--json"]
    with subprocess.Popen(ours, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            said = json.loads("".join(iter(server.stdout.readline, "}\n")) + "}")
            assert said == {"scenario": "week", "address": f"http://127.0.0.1:{port}/"}
            assert _answers(said["address"], time.monotonic() + 60.0)
        finally:
            server.terminate()
        assert server.stdout.read() == ""


def _answers(address: str, end: float) -> bool:
    while time.monotonic() < end:
        try:
            with urlopen(address, timeout=5) as page:
                return bool(page.status == 200)
        except OSError:
            time.sleep(0.2)
    return False
