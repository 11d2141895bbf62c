"""The words of `bess-opt new`; what it does is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bess_opt.interfaces.cli import output as show
from bess_opt.interfaces.cli.options import AsJson

_KIND = "solar, merchant, behind_the_meter, ev_depot or home."


def new_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", readable=False, help="A new or empty folder.")],
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help=_KIND)] = "solar",
    as_json: AsJson = False,
) -> None:
    """Write a first scenario, commented and ready to plan and to size, to FOLDER."""
    with show.faults(as_json):
        from bess_opt.interfaces.cli.new_scenario import new_scenario

        written = new_scenario(folder, kind)
    if as_json:
        show.write_json({"folder": str(written), "files": sorted(path.name for path in written.iterdir())})
        return
    show.write(f"{written}: scenario.toml, series.csv, README.md\nnext: bess-opt optimize {written}\n")
