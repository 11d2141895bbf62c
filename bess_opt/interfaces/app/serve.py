"""The interactive page of a scenario, served to this machine only."""

from __future__ import annotations

import html
import importlib.resources
import logging
import socket
import threading
import webbrowser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.inputs.scenario import Scenario

if TYPE_CHECKING:
    from dash import Dash

    from bess_opt.interfaces.app.work import Desks

ADDRESS = "127.0.0.1"
NAMES = (ADDRESS, "localhost")  # under which a browser may ask
LARGEST_REQUEST = 64_000_000  # bytes; files of a user's own, a third larger on their way
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def page_app(scenario: Scenario) -> tuple[Dash, Desks]:
    """The page as a Dash application, whose Flask server is `.server`, and the desks of those who open it.

    Close the desks when the page is left. ScenarioError without the extra `app`.
    """
    dash = _dash()
    from bess_opt.interfaces.app.calls import connect
    from bess_opt.interfaces.app.page import layout
    from bess_opt.interfaces.app.work import Desks, new_page

    desks = Desks(scenario)
    title = html.escape(f"{scenario.name}: battery storage")  # Dash puts it into the page as it is
    app = dash.Dash("bess_opt.interfaces.app.serve", title=title, update_title=None, assets_folder="")
    app.index_string = importlib.resources.files("bess_opt.interfaces.app").joinpath("app.html").read_text("utf-8")
    app.layout = lambda: layout(scenario, new_page())
    app.server.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.server.before_request(_refuse_strangers)
    app.server.after_request(_keep_to_itself)
    app.server.register_error_handler(Exception, _refuse_nonsense)
    connect(app, desks)
    return app, desks


def serve(scenario: Scenario, port: int, *, browser: bool = True) -> None:
    """Serve the page on 127.0.0.1 until interrupted; `browser` opens it there.

    ScenarioError without the extra `app`, and for a port that is taken.
    """
    _check_port(port)
    app, desks = page_app(scenario)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    if browser:
        opening = threading.Timer(1.0, webbrowser.open, [address(port)])
        opening.daemon = True
        opening.start()
    from werkzeug.serving import make_server

    server = make_server(ADDRESS, port, app.server, threaded=True)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        desks.close()


def address(port: int) -> str:
    """Where the page is."""
    return f"http://{ADDRESS}:{port}/"


def _dash() -> Any:
    """The package that draws the page; it is an extra."""
    try:
        import dash
    except ImportError:
        remedy = 'install it: pip install "bess-opt[app]"'
        found = "the package dash is not installed"
        raise ScenarioError([Finding("missing_package", "app", found, remedy)]) from None
    return dash


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            found = f"{port} cannot be used: {error.strerror or error}"
            raise ScenarioError([Finding("wrong_value", "port", found, "give another with --port")]) from None


def _refuse_strangers() -> tuple[str, int] | None:
    """Another site must not reach the page: neither by a name of its own that leads here nor from its own pages."""
    from flask import request

    origin = request.headers.get("Origin")
    named = request.host.rsplit(":", 1)[0] in NAMES
    foreign = origin is not None and urlsplit(origin).netloc != request.host
    if named and not foreign and request.headers.get("Sec-Fetch-Site") not in ("cross-site", "same-site"):
        return None
    return "this page is for this machine only", 403


def _keep_to_itself(response: Any) -> Any:
    """The browser is told to load nothing from elsewhere, to send nothing there, and to frame the page nowhere."""
    response.headers.update(HEADERS)
    return response


def _refuse_nonsense(error: Exception) -> tuple[str, int]:
    """What the page never asks ends in a sentence, for it and in the log, without a traceback."""
    from werkzeug.exceptions import HTTPException

    if isinstance(error, HTTPException):
        return error.name, error.code or 400
    logging.getLogger(__name__).warning("a request was refused: %s: %.200s", type(error).__name__, error)
    return "this is no request that the page makes", 400
