"""The words of `bess-opt import`; what it does is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bess_opt.interfaces.cli.command import FLAG
from bess_opt.interfaces.cli.options import AsJson

_FILES = "Files, or QUANTITY=FILE with price, load, solar or capacity, or an earlier import's series.reading.toml."
_STATE = "What a file does not say, as clock=Europe/Berlin, or for one quantity as load.stamps=end."


def import_command(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help=_FILES)],
    into: Annotated[Path, typer.Option("--into", metavar="FOLDER", help="A new or empty folder for the scenario.")],
    state: Annotated[list[str] | None, typer.Option("--state", metavar="NAME=VALUE", help=_STATE)] = None,
    plot: Annotated[bool, typer.Option("--plot", metavar=FLAG, help="Draw what came in as series.png.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read FILES as people have them and write a scenario FOLDER; what is unclear is asked."""
    from bess_opt.interfaces.cli.import_files import import_into

    import_into(files, into, state or [], plot, as_json)
