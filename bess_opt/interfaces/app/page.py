"""What stands on the interactive page: controls, cards, chart; and what fills them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from bess_opt.inputs.scenario import Scenario
from bess_opt.interfaces.app.chart import HEIGHT_PX
from bess_opt.interfaces.app.controls import Card, Scale, choices, controls_of, scales
from bess_opt.interfaces.app.options import LEFT_OUT, Box, boxes, entries_of
from bess_opt.interfaces.app.own_scenario import tables_text
from bess_opt.interfaces.app.sizes import ShownSizing, size_boxes

TWINS = {"optimal": "optimum", "rule": "rule"}
PAID = 4  # column of a bill's rows that holds the money


def _stores(page: str, strategy: Any) -> list[Any]:
    """What the page remembers: its name, what was asked and what is shown."""
    values = {"page": page, "asked": strategy, "over": "", "scheme": "light", "edition": 0}
    names = (
        "page",
        "edition",
        "now",
        "ask",
        "shown",
        "ticket",
        "asked",
        "report-ticket",
        "size-ticket",
        "over",
        "scheme",
    )
    return [dcc.Store(id=name, data=values.get(name)) for name in names]


def layout(scenario: Scenario, page: str) -> Any:
    """The page of a scenario, before anything is computed; `page` is its own name."""
    return html.Div(
        [
            *_stores(page, controls_of(scenario).strategy),
            dcc.Interval(id="tick", interval=400),
            dcc.Download(id="schedule-file"),
            dcc.Download(id="report-file"),
            dcc.Download(id="scenario-file"),
            html.Header(heading(scenario), id="heading"),
            _own(scenario),
            html.Aside(control_column(scenario), id="aside", className="panel"),
            html.Main(
                [
                    html.Div(
                        [
                            html.Span("starting", id="stage", role="status"),
                            html.Progress(id="progress", max="1", value="0"),
                            html.Button("Cancel", id="cancel", className="plain"),
                        ],
                        id="status",
                        className="status",
                    ),
                    html.Div(id="errors", role="alert", className="hidden"),
                    html.Div(
                        html.Div(
                            [
                                html.P(id="caption", className="caption"),
                                html.Div(id="cards", className="cards"),
                                html.Div(
                                    dcc.Graph(
                                        id="chart",
                                        config={
                                            "displaylogo": False,
                                            "responsive": True,
                                            "showSendToCloud": False,
                                            "plotlyServerURL": "",  # nothing leaves this machine
                                        },
                                        style={"height": f"{HEIGHT_PX}px"},
                                    ),
                                    id="picture",
                                    className="hidden",
                                ),
                                html.Div(id="bill"),
                            ],
                            id="figures",
                        ),
                        id="results",
                    ),
                    html.Div(id="sizing"),
                ]
            ),
        ],
        className="page",
    )


def heading(scenario: Scenario) -> list[Any]:
    """The scenario's name and what its series are."""
    index = scenario.series.index
    span = f"{len(index):,} steps of {scenario.step_h * 60:g} min from {index[0]:%Y-%m-%d}, {scenario.time_zone}"
    return [html.H1(scenario.name), html.P(span)]


def _own(scenario: Scenario) -> Any:
    """The editor of the scenario's tables, and the place for files."""
    names = "Batteries, site, strategies, tariff, connection clauses, products, outages and money, as scenario.toml"
    files = dcc.Upload(html.Button("Bring files", id="bring", className="plain"), id="files", multiple=True)
    told = (
        "Files of prices, load or solar power as they come take the place of the series; with a scenario.toml among "
        "them, the whole scenario does. Nothing leaves this machine."
    )
    stated = dcc.Input(
        id="stated", type="text", className="box", placeholder="clock=Europe/Berlin; unit=ct/kWh", value=""
    )
    again = html.Button("Read the files again", id="again", className="plain")
    text = dcc.Textarea(id="tables", value=tables_text(scenario), className="box tables", spellCheck=False)
    buttons = [
        html.Button("Use these tables", id="use", className="plain"),
        html.Button("Take it away, zip", id="scenario-zip", className="plain"),
    ]
    return html.Details(
        [
            html.Summary("The scenario: your own files and tables"),
            html.Div([files, html.P(told, className="note")], className="bring"),
            html.Label([html.Span("What no file says", className="name"), stated]),
            html.Div(again, className="buttons"),
            html.Label([html.Span(names, className="name"), text]),
            html.Div(buttons, className="buttons"),
            html.Div(id="own-said", role="status", className="hidden"),
        ],
        id="own",
        className="panel own",
    )


def sentences(lines: Sequence[str], *, wrong: bool) -> tuple[list[Any], str]:
    """What is said below the editor, and the class of its box."""
    return [html.P(line) for line in lines], "errors" if wrong else "said"


def control_column(scenario: Scenario) -> list[Any]:
    """What moves the figures. Several batteries are edited in the tables, so their sliders are not shown."""
    now, offered, ends = controls_of(scenario), choices(scenario), scales(scenario)
    one = len(scenario.batteries) == 1
    own = html.P(
        f"{len(scenario.batteries)} batteries: sizes and kinds stand in the tables of the scenario.", className="note"
    )
    return [
        *([] if one else [own]),
        html.Div(
            [
                _slider("power", "Power [MW]", ends["power"], now.power_mw),
                _slider("duration", "Duration [h]", ends["duration"], now.duration_h),
            ],
            className="" if one else "hidden",
        ),
        _picker("strategy", "Strategy", offered["strategy"], now.strategy),
        html.Div(option_boxes(scenario, now.strategy), id="options", className="options"),
        html.Div(
            [
                _picker("technology", "Technology", offered["technology"], now.technology),
                _picker("topology", "Topology", offered["topology"], now.topology),
            ],
            className="" if one else "hidden",
        ),
        html.Div(
            [
                html.Label("Show the plan of the", htmlFor="twin"),
                dcc.RadioItems(TWINS, "optimal", id="twin", inline=True, className="switch"),
            ],
            className="control",
        ),
        html.Div(
            [
                html.Button("Schedule, CSV", id="csv", className="plain"),
                html.Button("Schedule, Parquet", id="parquet", className="plain"),
                html.Button("Report, HTML", id="report", className="plain"),
            ],
            className="buttons",
        ),
        _size_search(scenario, one),
    ]


def _size_search(scenario: Scenario, shown: bool) -> Any:
    """The ranges and the money of the search for a size, and what begins it."""
    fields = [
        html.Div(
            html.Label(
                [
                    html.Span(box.label, className="name"),
                    dcc.Input(id=size_id(box.key), value=box.text, type="text", className="box", inputMode="decimal"),
                ]
            ),
            className="control",
        )
        for box in size_boxes(scenario)
    ]
    button = html.Button("Find the best size", id="find-size", className="plain")
    return html.Details(
        [html.Summary("Size the battery"), html.Div(fields, className="pairs"), button],
        className="sizes" if shown else "hidden",
    )


def size_id(key: Any) -> dict[str, Any]:
    """The page's name of a box of the search for a size."""
    return {"type": "size", "key": key}


def sizing_box(found: ShownSizing | None, errors: Sequence[str], said: str) -> list[Any]:
    """What came of a search for a size: key figures and map, or why there is none."""
    if found is None:
        words = [html.P(line) for line in errors] or [html.P(f"The search for a size was {said}.")]
        return [html.Section(words, className="panel errors", role="alert")]
    rows = [html.Tr([html.Th(key, scope="row"), html.Td(value)]) for key, value in found.rows]
    table = html.Div(html.Table(html.Tbody(rows)), className="scroll", tabIndex="0")
    picture = html.Div(html.Img(src=found.picture, alt=found.words), className="scroll", tabIndex="0")
    return [html.Section([html.H2(found.title, id="best-size"), table, picture], className="panel sizing")]


def option_boxes(scenario: Scenario, strategy: str) -> list[Any]:
    """A box per option of the strategy that the picker shows; in a stack, under the name of each."""
    shown = boxes(scenario, strategy)
    names = [entry.name for entry in entries_of(scenario, strategy)]
    parts: list[Any] = []
    for number, name in enumerate(names):
        own = [_option(box, strategy) for box in shown if box.entry == number]
        if own and len(names) > 1:
            parts.append(html.H2(name))
        parts += own
    return parts


def _option(box: Box, strategy: str) -> Any:
    place = option_id(strategy, box.entry, box.key)
    if box.kind == "choice":
        field: Any = dcc.RadioItems(dict(box.choices), box.text, id=place, inline=True, className="switch")
    else:
        numeric = {"inputMode": "decimal"} if box.kind == "number" else {}
        field = dcc.Input(id=place, value=box.text, type="text", placeholder=LEFT_OUT, className="box", **numeric)
    words = [html.Label([html.Span(box.label, className="name"), field]), html.P(box.note, className="note")]
    return html.Div(words, className="control")


def option_id(strategy: Any, entry: Any, key: Any) -> dict[str, Any]:
    """The page's name of an option's box."""
    return {"type": "option", "strategy": strategy, "entry": entry, "key": key}


def _picker(name: str, label: str, offered: dict[str, str], value: str) -> Any:
    picker = dcc.Dropdown(offered, value, id=name, clearable=False)
    return html.Div([html.Label(label, htmlFor=name), picker], className="control")


def _slider(name: str, label: str, scale: Scale, size: float | str) -> Any:
    """A box that takes any number, and a slider for the usual ones."""
    marks, value = {end: f"{end:.4g}" for end in (scale.least, scale.most)}, float(size or scale.least)
    box = dcc.Input(id=name, value=f"{value:.12g}", type="text", className="box", inputMode="decimal")
    slider = dcc.Slider(
        scale.least, scale.most, scale.step, value=value, id=f"{name}-slider", marks=marks, updatemode="mouseup",
        allow_direct_input=False,
    )  # fmt: skip
    return html.Div([html.Label(label, htmlFor=name), box, slider], className="control")


def card_boxes(cards: Sequence[Card]) -> list[Any]:
    """Cards as boxes; the name of each is its id."""
    return [
        html.Div(
            [
                html.H2(card.name),
                html.P(card.value, className="value", id=f"card-{card.name.replace(' ', '-')}"),
                html.P(card.note, className="note"),
            ],
            className="card",
        )
        for card in cards
    ]


def bill_table(bill: tuple[Sequence[str], Sequence[Sequence[str]]] | None) -> list[Any]:
    """A bill as a table that opens; nothing where the site has no tariff."""
    if bill is None:
        return []
    heads, rows = bill
    return [_opened(f"The bill: {rows[-1][PAID]} {heads[PAID]}", heads, rows)]


def products_table(sold: tuple[Sequence[str], Sequence[Sequence[str]]] | None) -> list[Any]:
    """What market products earn and what is left when they are called, as a table that opens; nothing without any."""
    return [] if sold is None else [_opened("The market products", *sold)]


def _opened(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    head = html.Thead(html.Tr([html.Th(word, scope="col") for word in heads]))
    body = html.Tbody([html.Tr([html.Td(word) for word in row]) for row in rows])
    table = html.Div(html.Table([head, body]), className="scroll", tabIndex="0")
    return html.Details([html.Summary(title), table], className="panel bill", open=True)


def error_box(lines: Sequence[str]) -> tuple[list[Any], str]:
    """Sentences as text, and the class of the box that holds them."""
    return [html.P(line) for line in lines], "errors" if lines else "hidden"
