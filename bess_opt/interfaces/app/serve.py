"""The interactive page of a scenario, served to this machine only."""

from __future__ import annotations

import html
import importlib.resources
import logging
import socket
import threading
import webbrowser
from typing import TYPE_CHECKING, Any

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.inputs.scenario import Scenario

if TYPE_CHECKING:
    from dash import Dash

    from bess_opt.interfaces.app.work import Desk

ADDRESS = "127.0.0.1"
NAMES = (ADDRESS, "localhost")  # under which a browser may ask


def page_app(scenario: Scenario) -> tuple[Dash, Desk]:
    """The page as a Dash application, whose Flask server is `.server`, and the desk that does its work.

    Close the desk when the page is left. ScenarioError without the extra `app`.
    """
    dash = _dash()
    from bess_opt.interfaces.app.calls import connect
    from bess_opt.interfaces.app.page import layout
    from bess_opt.interfaces.app.work import Desk

    desk = Desk(scenario)
    title = html.escape(f"{scenario.name}: battery storage")  # Dash puts it into the page as it is
    app = dash.Dash("bess_opt.interfaces.app.serve", title=title, update_title=None, assets_folder="")
    app.index_string = importlib.resources.files("bess_opt.interfaces.app").joinpath("app.html").read_text("utf-8")
    app.layout = layout(scenario)
    app.server.before_request(_refuse_strangers)
    connect(app, desk, scenario)
    return app, desk


def serve(scenario: Scenario, port: int, *, browser: bool = True) -> None:
    """Serve the page on 127.0.0.1 until interrupted; `browser` opens it there.

    ScenarioError without the extra `app`, and for a port that is taken.
    """
    _check_port(port)
    app, desk = page_app(scenario)
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
        desk.close()


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
    """Another site must not reach the page under a name of its own that leads to this machine."""
    from flask import request

    return None if request.host.rsplit(":", 1)[0] in NAMES else ("this page is for this machine only", 403)
