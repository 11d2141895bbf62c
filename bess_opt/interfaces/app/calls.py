"""What the interactive page does when a control moves, when work goes on, and when a file is asked for."""

from __future__ import annotations

import io
import json
import time
from typing import Any

from dash import ALL, Dash, Input, Output, State, dcc, no_update

from bess_opt.dispatch.result import Dispatch
from bess_opt.dispatch.saving import schedule_csv
from bess_opt.inputs.scenario import Scenario
from bess_opt.interfaces.app.chart import chart
from bess_opt.interfaces.app.controls import Controls, caption, cards, product_rows, size_of
from bess_opt.interfaces.app.options import boxes, touched
from bess_opt.interfaces.app.own_calls import connect_own
from bess_opt.interfaces.app.page import (
    bill_table,
    card_boxes,
    error_box,
    option_boxes,
    option_id,
    products_table,
    size_id,
    sizing_box,
)
from bess_opt.interfaces.app.sizes import size_boxes_of
from bess_opt.interfaces.app.work import STAGES, Desks, Job
from bess_opt.plots.shared.style import ThemeName

Ticket = list[Any] | None  # number of a job, and the inputs that it was asked for
SIZES = ("power", "duration")
CONTROLS = ("technology", "topology", *SIZES)
SCHEME = "() => matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'"
FORGOTTEN = "the answer is forgotten; move a control to ask again"
NOW = "(...parts) => JSON.stringify(parts)"  # all inputs as one text, at once
QUIET_MS = 400
# The inputs are asked for once nothing has moved for a moment.
ASK = f"""(now) => {{
  window.bessOptNow = now;
  return new Promise(answer => setTimeout(
    () => answer(window.bessOptNow === now ? now : dash_clientside.no_update), {QUIET_MS}));
}}"""
FRESH = "(now, shown) => shown && now !== shown ? 'old' : ''"
HUSH = "(now, ticket) => ticket && now === ticket[1] ? '' : 'hushed'"
# The box rules; the slider stands at its end where the box says more.
FOLLOW_SIZE = """(slider, box, least, most) => {
  const moved = dash_clientside.callback_context.triggered.map(one => one.prop_id);
  if (moved.some(name => name.includes('-slider.')))
    return [dash_clientside.no_update, String(Number(slider.toPrecision(12)))];
  const number = Number(box);
  return box === '' || !isFinite(number) ? [dash_clientside.no_update, dash_clientside.no_update]
    : [Math.min(Math.max(number, least), most), dash_clientside.no_update];
}"""


def connect(app: Dash, desks: Desks) -> None:
    """Tie the pages to their desks."""
    _tie_options(app, desks)
    _tie_inputs(app)
    _tie_work(app, desks)
    _tie_figures(app, desks)
    _tie_sizing(app, desks)
    _tie_downloads(app, desks)
    connect_own(app, desks)


def _tie_options(app: Dash, desks: Desks) -> None:
    def offer(strategy: str, page: str) -> tuple[Any, ...]:
        return option_boxes(desks.of(page).scenario, strategy), strategy

    app.callback(
        Output("options", "children"), Output("asked", "data"), Input("strategy", "value"), State("page", "data"),
        prevent_initial_call=True,
    )(offer)  # fmt: skip


def _tie_inputs(app: Dash) -> None:
    """In the browser alone: what the inputs are now, whether the figures are of them, when to ask."""
    for name in SIZES:
        slider, box = f"{name}-slider", name
        app.clientside_callback(
            FOLLOW_SIZE,
            Output(slider, "value"),
            Output(box, "value"),
            Input(slider, "value"),
            Input(box, "value"),
            State(slider, "min"),
            State(slider, "max"),
            prevent_initial_call=True,
        )
    every = option_id(ALL, ALL, ALL)
    values = [Input(name, "value") for name in CONTROLS]
    app.clientside_callback(
        NOW,
        Output("now", "data"),
        *values,
        Input("asked", "data"),
        Input(every, "value"),
        Input("edition", "data"),
        State(every, "id"),
    )
    app.clientside_callback(ASK, Output("ask", "data"), Input("now", "data"))
    app.clientside_callback(FRESH, Output("figures", "className"), Input("now", "data"), Input("shown", "data"))
    app.clientside_callback(HUSH, Output("stage", "className"), Input("now", "data"), Input("ticket", "data"))
    app.clientside_callback(SCHEME, Output("scheme", "data"), Input("chart", "id"))


def _controls(scenario: Scenario, asked: str) -> Controls:
    """What the page asks for; boxes of a strategy that is no longer picked count for nothing."""
    technology, topology, power, duration, strategy, texts, _, places = json.loads(asked)
    written = [
        (place["entry"], place["key"], text or "")
        for place, text in zip(places, texts, strict=True)
        if place["strategy"] == strategy
    ]
    options = touched(boxes(scenario, strategy), written)
    return Controls(technology, topology, size_of(power), size_of(duration), strategy, options)


def _tie_work(app: Dash, desks: Desks) -> None:
    def begin(asked: str | None, page: str) -> Any:
        if asked is None:
            return no_update
        desk = desks.of(page)
        controls = _controls(desk.scenario, asked)
        return [desk.start(desk.task("plans", controls)), asked]

    def begin_report(clicks: int | None, page: str, asked: str) -> Any:
        if not clicks:  # the button has just come, with another scenario
            return no_update
        desk = desks.of(page)
        return [desk.start(desk.task("report", _controls(desk.scenario, asked))), asked]

    def follow(_: int, ticket: Ticket, report: Ticket, size: Ticket, page: str, over: str) -> tuple[Any, ...]:
        numbers = [held[0] for held in (report, ticket, size) if held is not None]
        desk = desks.of(page)
        jobs = [job for job in map(desk.job, numbers) if job is not None]
        running = next((job for job in jobs if job.state == "running"), None)
        if running is not None:
            value = f"{(running.step + (running.share or 0.5)) / STAGES[running.task.kind]:.2f}"
            text = f"{running.stage}, {time.monotonic() - running.began:.0f} s"
            return text, value, "status", "busy", True, no_update, False
        if not numbers:  # the page has just come
            return "starting", "0", "status", "busy", True, no_update, False
        latest = desk.job(max(numbers))
        mark = f"{max(numbers)} {said(latest)}"
        return said(latest), "1", "status idle", "", False, no_update if mark == over else mark, True

    def cancel(_: int, page: str, *tickets: Ticket) -> None:
        for held in tickets:
            if held is not None:
                desks.of(page).cancel(held[0])

    page, ask = State("page", "data"), State("ask", "data")
    tickets = [State("ticket", "data"), State("report-ticket", "data"), State("size-ticket", "data")]
    app.callback(Output("ticket", "data"), Input("ask", "data"), page)(begin)
    app.callback(Output("report-ticket", "data"), Input("report", "n_clicks"), page, ask, prevent_initial_call=True)(
        begin_report
    )
    app.callback(
        Output("stage", "children"), Output("progress", "value"), Output("status", "className"),
        Output("results", "className"), Output("report", "disabled"), Output("over", "data"),
        Output("tick", "disabled"),
        Input("tick", "n_intervals"), Input("ticket", "data"), Input("report-ticket", "data"),
        Input("size-ticket", "data"), page,
        State("over", "data"),
    )(follow)  # fmt: skip
    app.callback(Input("cancel", "n_clicks"), page, *tickets, prevent_initial_call=True)(cancel)


def _tie_figures(app: Dash, desks: Desks) -> None:
    def show(_: str, twin: str, scheme: ThemeName, page: str, ticket: Ticket, report: Ticket) -> tuple[Any, ...]:
        """What was there stays where there is nothing new, under the inputs that it belongs to."""
        desk = desks.of(page)
        job = None if ticket is None else desk.job(ticket[0])
        if ticket is None or job is None or job.state == "running":
            return (no_update,) * 8
        other = desk.job(report[0]) if report is not None and report[0] > ticket[0] else None
        lines = [*job.errors, *(other.errors if other is not None else ())]
        if job.state != "done":
            return *error_box(lines), *(no_update,) * 6
        plan = chosen(job, twin)
        if plan is None:
            return *error_box(lines), [], no_update, "hidden", "", [], ticket[1]
        words = caption(plan, job.task.controls)
        shown = card_boxes(cards(plan, job.plans["optimal"]))
        bill = [*products_table(product_rows(plan)), *bill_table(job.bills.get(twin))]
        return *error_box(lines), shown, chart(plan, scheme), "panel", words, bill, ticket[1]

    app.callback(
        Output("errors", "children"), Output("errors", "className"), Output("cards", "children"),
        Output("chart", "figure"), Output("picture", "className"), Output("caption", "children"),
        Output("bill", "children"), Output("shown", "data"),
        Input("over", "data"), Input("twin", "value"), Input("scheme", "data"), State("page", "data"),
        State("ticket", "data"), State("report-ticket", "data"),
    )(show)  # fmt: skip


def _tie_sizing(app: Dash, desks: Desks) -> None:
    every = size_id(ALL)

    def begin(
        clicks: int | None,
        page: str,
        asked: str,
        values: list[str | None],
        places: list[dict[str, Any]],
        scheme: ThemeName,
    ) -> Any:
        if not clicks:
            return no_update
        desk = desks.of(page)
        task = desk.task("size", _controls(desk.scenario, asked), size_boxes_of(values, places), scheme)
        return [desk.start(task), asked]

    def show(_: str, page: str, ticket: Ticket) -> Any:
        job = None if ticket is None else desks.of(page).job(ticket[0])
        return no_update if job is None or job.state == "running" else sizing_box(job.sizing, job.errors, said(job))

    app.callback(
        Output("size-ticket", "data"), Input("find-size", "n_clicks"), State("page", "data"), State("ask", "data"),
        State(every, "value"), State(every, "id"), State("scheme", "data"), prevent_initial_call=True,
    )(begin)  # fmt: skip
    app.callback(
        Output("sizing", "children"), Input("over", "data"), State("page", "data"), State("size-ticket", "data"),
        prevent_initial_call=True,
    )(show)  # fmt: skip


def said(job: Job | None) -> str:
    """A word on a job that is over."""
    if job is None:
        return FORGOTTEN
    words = {"done": "ready", "failed": "no plan", "cancelled": "cancelled; move a control to ask again"}
    return words[job.state]


def chosen(job: Job, twin: str) -> Dispatch | None:
    """The plan that the switch asks for; the rule may have none."""
    return job.plans.get(twin)


def _tie_downloads(app: Dash, desks: Desks) -> None:
    def plan_of(page: str, ticket: Ticket, twin: str) -> Dispatch | None:
        job = None if ticket is None else desks.of(page).job(ticket[0])
        return None if job is None else chosen(job, twin)

    def send_csv(clicks: int | None, page: str, ticket: Ticket, twin: str) -> Any:
        plan = plan_of(page, ticket, twin)
        if plan is None or not clicks:
            return no_update
        return dcc.send_bytes(schedule_csv(plan.schedule), f"{plan.scenario.name}_{twin}.csv")

    def send_parquet(clicks: int | None, page: str, ticket: Ticket, twin: str) -> Any:
        plan = plan_of(page, ticket, twin)
        if plan is None or not clicks:
            return no_update
        buffer = io.BytesIO()
        plan.schedule.to_parquet(buffer)
        return dcc.send_bytes(buffer.getvalue(), f"{plan.scenario.name}_{twin}.parquet")

    def send_report(_: str, page: str, ticket: Ticket, sent: dict[str, Any] | None) -> Any:
        job = None if ticket is None else desks.of(page).job(ticket[0])
        if ticket is None or job is None or job.state != "done":
            return no_update
        content = {
            "content": job.report,
            "filename": f"{desks.of(page).scenario.name}_report.html",
            "ticket": ticket[0],
        }
        return no_update if sent is not None and sent.get("ticket") == ticket[0] else content

    page = State("page", "data")
    file = Output("schedule-file", "data", allow_duplicate=True)
    asked = [page, State("ticket", "data"), State("twin", "value")]
    app.callback(file, Input("csv", "n_clicks"), *asked, prevent_initial_call=True)(send_csv)
    app.callback(file, Input("parquet", "n_clicks"), *asked, prevent_initial_call=True)(send_parquet)
    app.callback(
        Output("report-file", "data"), Input("over", "data"), page, State("report-ticket", "data"),
        State("report-file", "data"), prevent_initial_call=True,
    )(send_report)  # fmt: skip
