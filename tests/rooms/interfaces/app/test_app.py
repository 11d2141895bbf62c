"""The page's door: only this machine, only with the extra, and no traceback for what a user does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from support.app_sites import small
from support.places import ROOT

import bess_opt as bo
from bess_opt.interfaces.app.serve import address, page_app, serve

SCENARIO = ROOT / "scenarios" / "solar_evening"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def client() -> Iterator[Any]:
    pytest.importorskip("dash")
    app, desk = page_app(small(name="<b>small</b>"))
    yield app.server.test_client()
    desk.close()


def test_without_the_extra_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dash", None)
    with pytest.raises(bo.ScenarioError, match=r'dash is not installed; install it: pip install "bess-opt\[app\]"'):
        page_app(small())


def test_without_the_extra_the_command_ends_with_one() -> None:
    """One line on stderr, exit code 1, no traceback; nothing is opened."""
    code = "import sys; sys.modules['dash'] = None; from bess_opt.interfaces.cli.main import main; main()"
    words = [sys.executable, "-c", code, "app", str(SCENARIO), "--no-browser", "--port", str(free_port())]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    assert 'pip install "bess-opt[app]"' in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_package_does_not_need_it() -> None:
    """Neither the package nor the command line imports Dash before the page is asked for."""
    code = "import bess_opt.interfaces.cli.main, bess_opt.interfaces.app.serve, sys; sys.exit('dash' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_a_taken_port_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(bo.ScenarioError, match=f"port: {port} cannot be used: .*; give another with --port"):
            serve(small(), port, browser=False)


def test_only_this_machine_is_answered(client: Any) -> None:
    """A name that someone else points at 127.0.0.1 gets nothing, page and data alike."""
    assert client.get("/", headers={"Host": "127.0.0.1:8050"}).status_code == 200
    assert client.get("/", headers={"Host": "localhost:8050"}).status_code == 200
    for path in ("/", "/_dash-layout", "/_dash-dependencies"):
        assert client.get(path, headers={"Host": "evil.example:8050"}).status_code == 403


def test_nothing_comes_from_elsewhere(client: Any) -> None:
    """Every script is the server's own, and a name with a tag in it is text."""
    html = client.get("/").get_data(as_text=True)
    assert 'src="http' not in html
    assert 'href="http' not in html
    assert "<b>small" not in html


def test_the_command_serves_until_interrupted() -> None:
    """The page is there, and Ctrl-C, the only way to end it, is no fault: exit code 0 and no traceback."""
    pytest.importorskip("dash")
    port = free_port()
    words = [sys.executable, "-m", "bess_opt", "app", str(SCENARIO), "--no-browser", "--port", str(port)]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    try:
        assert "bess_opt" in wait_for(address(port))
    finally:
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert address(port) in said
    assert "Traceback" not in said
    assert running.returncode == 0


def wait_for(place: str) -> str:
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        try:
            with urllib.request.urlopen(place, timeout=5) as answer:
                return "bess_opt " + str(answer.read().decode())
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("the page did not come")
