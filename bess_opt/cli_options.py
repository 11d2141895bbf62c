"""Arguments and options that commands of `bess-opt` share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Theme(StrEnum):
    """Colours of a picture."""

    light = "light"
    dark = "dark"


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
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout in place of the table.")]
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
ThemeChoice = Annotated[Theme, typer.Option(help="Colours of the picture.")]
