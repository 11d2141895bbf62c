"""Arguments and options that commands of `bess-opt` share."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bess_opt.interfaces.cli.command import FLAG, a_number, a_port, a_word, words_of

number_option = partial(typer.Option, parser=a_number)


class Theme(StrEnum):
    """Colours of a picture."""

    light = "light"
    dark = "dark"


class TerminalChoice(StrEnum):
    """What energy in store at a window's end is worth."""

    value = "value"
    free = "free"
    cyclic = "cyclic"


class CommitmentChoice(StrEnum):
    """Whether schedules are fixed a day ahead."""

    dispatch = "dispatch"
    day_ahead = "day_ahead"


Terminal = Annotated[
    TerminalChoice,
    typer.Option(
        parser=a_word(TerminalChoice),
        metavar=words_of(TerminalChoice),
        help="Worth of what is in store at the end of a plan.",
    ),
]
Commitment = Annotated[
    CommitmentChoice,
    typer.Option(
        parser=a_word(CommitmentChoice),
        metavar=words_of(CommitmentChoice),
        help="Decide as it goes, or fix each day's schedule the day before.",
    ),
]
Horizon = Annotated[float, number_option(metavar="H", help="Hours that each plan looks ahead.")]
Every = Annotated[float, number_option(metavar="H", help="Hours between decisions.")]
GateHour = Annotated[float, number_option(metavar="H", help="Local hour at which the next day's schedule is fixed.")]
Port = Annotated[int, typer.Option(parser=a_port, metavar="PORT", help="Port on 127.0.0.1.")]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", metavar=FLAG, help="Open the page in a browser.")]
AlwaysJson = Annotated[bool, typer.Option("--json", metavar=FLAG, help="As always: the schema is JSON.")]
ForecastChoice = Annotated[
    list[str] | None,
    typer.Option(
        "--forecast",
        metavar="[SERIES=]MODE",
        help="What is known: perfect, observed, published or persistence (default), for all series or, as "
        "SERIES=MODE, for one. May be repeated.",
    ),
]
ScenarioPath = Annotated[
    Path,
    typer.Argument(metavar="SCENARIO", readable=False, help="Folder with scenario.toml, or a .toml file."),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a value of scenario.toml, e.g. battery.power_mw=3 or strategy=arbitrage. The value is "
        "TOML, else plain text; none removes the key. May be repeated.",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", metavar=FLAG, help="One JSON object on stdout in place of the table.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        readable=False,
        help="Save schedule, metrics, picture and scenario to this folder.",
    ),
]
Week = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="First day of the week in the picture; default: the busiest week."),
]
BY_NAME = "of several batteries NAME=LEAST:MOST,NAME=..."
Power = Annotated[str, typer.Option(metavar="MW", help=f"Power at the port: LEAST:MOST, or one number; {BY_NAME}.")]
Duration = Annotated[
    str, typer.Option(metavar="H", help=f"Energy over power: LEAST:MOST hours, or one number; {BY_NAME}.")
]
PriceYears = Annotated[
    list[Path] | None,
    typer.Option(
        "--price-year",
        metavar="SCENARIO",
        help="A year whose mean with the others counts; the scenario with another series. Repeat it for each.",
    ),
]
Objective = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="npv, irr, lcos, net_revenue, score; energy_efficiency and curtailment need a budget or a least size.",
    ),
]
TwinChoice = Annotated[str, typer.Option("--twin", metavar="TWIN", help="optimal, or rule.")]
PowerStep = Annotated[float | None, number_option(metavar="MW", help="Powers in whole steps of this.")]
EnergyStep = Annotated[float | None, number_option(metavar="MWH", help="Energies in whole steps of this.")]
Module = Annotated[str | None, typer.Option(metavar="MW,MWH", help="Whole blocks of this power and energy.")]
Budget = Annotated[float | None, number_option(metavar="MONEY", help="Most capital.")]
EnergyMin = Annotated[float | None, number_option(metavar="MWH", help="Least energy.")]
Tolerance = Annotated[float, number_option(metavar="SHARE", help="Gap to the bound at which the proof may end.")]
SizingOut = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", readable=False, help="Save figures, sizes tried and map to this folder."),
]
Strategies = Annotated[
    str | None, typer.Option(metavar="A,B", help="Strategies to compare; default: that of the scenario.")
]
ComparisonOut = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", readable=False, help="Save tables and picture to this folder."),
]
ThemeChoice = Annotated[
    Theme, typer.Option(parser=a_word(Theme), metavar=words_of(Theme), help="Colours of the picture.")
]


def stated_forecast(texts: list[str] | None) -> str | dict[str, str]:
    """The forecast that `--forecast` asks for; one without a series stands for all others."""
    if not texts:
        return "persistence"
    if len(texts) == 1 and "=" not in texts[0]:
        return texts[0]
    split = [text.rpartition("=") for text in texts]
    return {name or "*": mode for name, _, mode in split}
