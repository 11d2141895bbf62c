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
from bess_opt.interfaces.app.serve import LARGEST_REQUEST, address, page_app, serve

SCENARIO = ROOT / "scenarios" / "solar_evening"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def client() -> Iterator[Any]:
    pytest.importorskip("dash")
    app, desks = page_app(small(name="<b>small</b>"))
    yield app.server.test_client()
    desks.close()


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


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_another_site_s_page_gets_nothing(client: Any, headers: dict[str, str]) -> None:
    """A page elsewhere, or of another server of this machine, can neither read nor start work."""
    own = {"Host": "localhost:8050"}
    for method, path in (("get", "/"), ("get", "/_dash-layout"), ("post", "/_dash-update-component")):
        assert getattr(client, method)(path, headers=own | headers).status_code == 403
    assert client.get("/", headers=own | {"Origin": "http://localhost:8050"}).status_code == 200


def test_the_page_is_framed_nowhere_and_asks_nobody_else(client: Any) -> None:
    headers = client.get("/").headers
    assert headers["X-Frame-Options"] == "DENY"
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "form-action 'self'"):
        assert part in policy


def test_a_large_request_is_refused(client: Any) -> None:
    answer = client.post(
        "/_dash-update-component", data=b"x" * (LARGEST_REQUEST + 1), content_type="application/json"
    )
    assert answer.status_code == 413


ASK = {"output": "ticket.data", "outputs": {"id": "ticket", "property": "data"}, "changedPropIds": ["ask.data"]}


@pytest.mark.parametrize(
    "asked",
    [
        b"",
        b"[1]",
        b"{",
        b'{"output": "nothing.there", "outputs": {}, "inputs": []}',
        ASK | {"inputs": [{"id": "ask", "property": "data", "value": "{"}], "state": []},
        ASK
        | {
            "inputs": [{"id": "ask", "property": "data", "value": "[1, 2]"}],
            "state": [{"id": "page", "property": "data", "value": "0" * 32}],
        },
        ASK
        | {
            "inputs": [{"id": "ask", "property": "data", "value": "[1, 2]"}],
            "state": [{"id": "page", "property": "data", "value": "../../etc"}],
        },
    ],
)
def test_a_hostile_request_is_a_sentence(client: Any, asked: Any, caplog: pytest.LogCaptureFixture) -> None:
    more = {"data": asked, "content_type": "application/json"} if isinstance(asked, bytes) else {"json": asked}
    answer = client.post("/_dash-update-component", **more)
    assert 400 <= answer.status_code < 500
    assert "Traceback" not in answer.get_data(as_text=True) + caplog.text


def test_each_page_has_a_name_of_its_own(client: Any) -> None:
    def name() -> str:
        return str(client.get("/_dash-layout").get_json()["props"]["children"][0]["props"]["data"])

    assert name() != name()


def test_the_chart_offers_no_upload(client: Any) -> None:
    """plotly's own button would send the chart to its makers."""
    text = client.get("/_dash-layout").get_data(as_text=True)
    assert '"showSendToCloud":false' in text.replace(" ", "")
    assert '"plotlyServerURL":""' in text.replace(" ", "")


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
        running.send_signal(signal.SIGINT)
        try:
            _, said = running.communicate(timeout=20)
        except subprocess.TimeoutExpired:  # the interpreter drops an interrupt that falls into a finalizer
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=40)
    finally:
        running.kill()  # whatever failed above, no server is left behind
        running.wait()
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
