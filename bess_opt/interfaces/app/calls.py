"""What the interactive page does when a control moves, when work goes on, and when a file is asked for."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from typing import Any

from dash import ALL, Dash, Input, Output, State, dcc, no_update

from bess_opt.dispatch.result import Dispatch
from bess_opt.dispatch.saving import schedule_csv
from bess_opt.inputs.scenario import Scenario
from bess_opt.interfaces.app.chart import chart
from bess_opt.interfaces.app.controls import Controls, cards
from bess_opt.interfaces.app.options import boxes, touched
from bess_opt.interfaces.app.page import card_boxes, error_box, option_boxes, option_id
from bess_opt.interfaces.app.work import STAGES, Desk, Job, Task
from bess_opt.plots.style import ThemeName

CONTROLS = ("technology", "topology", "power", "duration")
SCHEME = "() => matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'"
FORGOTTEN = "the answer is forgotten; move a control to ask again"


def connect(app: Dash, desk: Desk, scenario: Scenario) -> None:
    """Tie the page about `scenario` to the desk."""
    _tie_options(app, scenario)
    _tie_work(app, desk, scenario)
    _tie_downloads(app, desk, scenario.name)


def _tie_options(app: Dash, scenario: Scenario) -> None:
    def offer(strategy: str) -> tuple[Any, ...]:
        return option_boxes(scenario, strategy), strategy

    app.callback(
        Output("options", "children"), Output("asked", "data"), Input("strategy", "value"), prevent_initial_call=True
    )(offer)


def _controls(scenario: Scenario, values: Sequence[Any]) -> Controls:
    """What the page asks for; boxes of a strategy that is no longer picked count for nothing."""
    technology, topology, power, duration, strategy, texts, places = values
    written = [
        (place["entry"], place["key"], text or "")
        for place, text in zip(places, texts, strict=True)
        if place["strategy"] == strategy
    ]
    return Controls(technology, topology, power, duration, strategy, touched(boxes(scenario, strategy), written))


def _tie_work(app: Dash, desk: Desk, scenario: Scenario) -> None:
    def begin(*values: Any) -> int:
        return desk.start(Task("plans", _controls(scenario, values)))

    def begin_report(_: int, *values: Any) -> int:
        return desk.start(Task("report", _controls(scenario, values)))

    def follow(_: int, ticket: int | None, report: int | None, over: str) -> tuple[Any, ...]:
        numbers = [number for number in (report, ticket) if number is not None]
        jobs = [job for job in map(desk.job, numbers) if job is not None]
        running = next((job for job in jobs if job.state == "running"), None)
        if running is not None:
            value = f"{(running.step + 0.5) / STAGES[running.task.kind]:.2f}"
            text = f"{running.stage}, {time.monotonic() - running.began:.0f} s"
            return text, value, "status", "busy", True, no_update, False
        if not numbers:  # the page has just come
            return "starting", "0", "status", "busy", True, no_update, False
        latest = desk.job(max(numbers))
        mark = f"{max(numbers)} {said(latest)}"
        return said(latest), "1", "status idle", "", False, no_update if mark == over else mark, True

    def show(_: str, twin: str, scheme: ThemeName, ticket: int | None, report: int | None) -> tuple[Any, ...]:
        job = None if ticket is None else desk.job(ticket)
        if job is None or job.state == "running":
            return (no_update,) * 5
        other = desk.job(report) if report is not None and report > (ticket or 0) else None
        lines = [*job.errors, *(other.errors if other is not None else ())]
        if job.state != "done":
            return *error_box(lines), [], no_update, "hidden"
        plan = chosen(job, twin)
        if plan is None:
            return *error_box(lines), [], no_update, "hidden"
        return *error_box(lines), card_boxes(cards(plan, job.plans["optimal"])), chart(plan, scheme), "panel"

    def cancel(_: int, ticket: int | None, report: int | None) -> None:
        for number in (ticket, report):
            if number is not None:
                desk.cancel(number)

    every = option_id(ALL, ALL, ALL)
    app.clientside_callback(SCHEME, Output("scheme", "data"), Input("chart", "id"))
    values = [*(Input(name, "value") for name in CONTROLS), Input("asked", "data"), Input(every, "value")]
    stated = [State(part.component_id, part.component_property) for part in values]
    tickets = [State("ticket", "data"), State("report-ticket", "data")]
    places = State(every, "id")
    app.callback(Output("ticket", "data"), *values, places)(begin)
    app.callback(
        Output("report-ticket", "data"), Input("report", "n_clicks"), *stated, places, prevent_initial_call=True
    )(begin_report)
    app.callback(
        Output("stage", "children"), Output("progress", "value"), Output("status", "className"),
        Output("results", "className"), Output("report", "disabled"), Output("over", "data"),
        Output("tick", "disabled"),
        Input("tick", "n_intervals"), Input("ticket", "data"), Input("report-ticket", "data"), State("over", "data"),
    )(follow)  # fmt: skip
    app.callback(
        Output("errors", "children"), Output("errors", "className"), Output("cards", "children"),
        Output("chart", "figure"), Output("picture", "className"),
        Input("over", "data"), Input("twin", "value"), Input("scheme", "data"), *tickets,
    )(show)  # fmt: skip
    app.callback(Input("cancel", "n_clicks"), *tickets, prevent_initial_call=True)(cancel)


def said(job: Job | None) -> str:
    """A word on a job that is over."""
    if job is None:
        return FORGOTTEN
    words = {"done": "ready", "failed": "no plan", "cancelled": "cancelled; move a control to ask again"}
    return words[job.state]


def chosen(job: Job, twin: str) -> Dispatch | None:
    """The plan that the switch asks for; the rule may have none."""
    return job.plans.get(twin)


def _tie_downloads(app: Dash, desk: Desk, name: str) -> None:
    def plan_of(ticket: int | None, twin: str) -> Dispatch | None:
        job = None if ticket is None else desk.job(ticket)
        return None if job is None else chosen(job, twin)

    def send_csv(_: int, ticket: int | None, twin: str) -> Any:
        plan = plan_of(ticket, twin)
        if plan is None:
            return no_update
        return dcc.send_bytes(schedule_csv(plan.schedule), f"{name}_{twin}.csv")

    def send_parquet(_: int, ticket: int | None, twin: str) -> Any:
        plan = plan_of(ticket, twin)
        if plan is None:
            return no_update
        buffer = io.BytesIO()
        plan.schedule.to_parquet(buffer)
        return dcc.send_bytes(buffer.getvalue(), f"{name}_{twin}.parquet")

    def send_report(_: str, ticket: int | None, sent: dict[str, Any] | None) -> Any:
        job = None if ticket is None else desk.job(ticket)
        if job is None or job.state != "done":
            return no_update
        content = {"content": job.report, "filename": f"{name}_report.html", "ticket": ticket}
        return no_update if sent is not None and sent.get("ticket") == ticket else content

    file, asked = (
        Output("schedule-file", "data", allow_duplicate=True),
        [State("ticket", "data"), State("twin", "value")],
    )
    app.callback(file, Input("csv", "n_clicks"), *asked, prevent_initial_call=True)(send_csv)
    app.callback(file, Input("parquet", "n_clicks"), *asked, prevent_initial_call=True)(send_parquet)
    app.callback(
        Output("report-file", "data"), Input("over", "data"), State("report-ticket", "data"),
        State("report-file", "data"), prevent_initial_call=True,
    )(send_report)  # fmt: skip
