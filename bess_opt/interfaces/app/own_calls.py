"""What the interactive page does when its scenario is edited, when files are brought, and when it is taken away."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, no_update

from bess_opt.common.errors import BessOptError
from bess_opt.interfaces.app.controls import controls_of, error_lines
from bess_opt.interfaces.app.own_scenario import Taken, brought, edited, files_of, packed, tables_text
from bess_opt.interfaces.app.page import control_column, heading, sentences
from bess_opt.interfaces.app.work import Desk, Desks


def connect_own(app: Dash, desks: Desks) -> None:
    """Tie the editor and the files of a page to its desk."""

    def take(
        _use: int, contents: list[str] | None, _again: int, names: list[str] | None, text: str, stated: str, page: str
    ) -> tuple[Any, ...]:
        desk = desks.of(page)
        try:
            if ctx.triggered_id in ("files", "again"):
                if not contents:
                    return (
                        *(no_update,) * 5,
                        *sentences(["no file has been brought yet"], wrong=True),
                        *(no_update,) * 2,
                    )
                taken = brought(desk.scenario, files_of(contents, names or []), stated or "")
            else:
                taken = edited(desk.scenario, text or "")
        except BessOptError as error:
            return *(no_update,) * 5, *sentences(error_lines(error), wrong=True), *(no_update,) * 2
        return *_shown(desk, taken), [], None

    def send(_: int, page: str) -> Any:
        scenario = desks.of(page).scenario
        return dcc.send_bytes(packed(scenario), f"{scenario.name}.zip")

    app.callback(
        Output("heading", "children"), Output("aside", "children"), Output("tables", "value"),
        Output("edition", "data"), Output("asked", "data", allow_duplicate=True), Output("own-said", "children"),
        Output("own-said", "className"),
        Output("sizing", "children", allow_duplicate=True), Output("size-ticket", "data", allow_duplicate=True),
        Input("use", "n_clicks"), Input("files", "contents"), Input("again", "n_clicks"), State("files", "filename"),
        State("tables", "value"),
        State("stated", "value"), State("page", "data"), prevent_initial_call=True,
    )(take)  # fmt: skip
    app.callback(
        Output("scenario-file", "data"), Input("scenario-zip", "n_clicks"), State("page", "data"),
        prevent_initial_call=True,
    )(send)  # fmt: skip


def _shown(desk: Desk, taken: Taken) -> tuple[Any, ...]:
    """The page about a scenario that has just been taken."""
    edition, scenario = desk.take(taken.scenario), taken.scenario
    notes = taken.notes or ("taken over",)
    return (
        heading(scenario), control_column(scenario), tables_text(scenario), edition,
        controls_of(scenario).strategy, *sentences(notes, wrong=False),
    )  # fmt: skip
