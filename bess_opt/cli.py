"""The command line `bess-opt`. Everything slow is imported inside the command that needs it."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bess_opt import cli_output as show
from bess_opt import cli_tables as tables
from bess_opt.cli_options import AsJson, Assignments, Out, ScenarioPath, Theme, ThemeChoice, Week

if TYPE_CHECKING:
    from bess_opt.cli_overrides import Override
    from bess_opt.dispatch import Dispatch
    from bess_opt.errors import BessOptError
    from bess_opt.findings import Findings
    from bess_opt.scenario import Scenario

EXIT_CODES = (
    "Exit codes: 0 fine (warnings included), 1 bad input, 2 usage, 3 infeasible, 4 time limit reached "
    "without a plan, 130 interrupted."
)
app = typer.Typer(
    help="Plan and size battery energy storage: exact dispatch, audited and explained.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        show.write(f"bess-opt {version('bess-opt')}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Options before the command; `version` has left by its callback."""


@app.command()
def optimize(
    scenario: ScenarioPath,
    assignments: Assignments = None,
    out: Out = None,
    as_json: AsJson = False,
    week: Week = None,
    theme: ThemeChoice = Theme.light,
) -> None:
    """Find the optimal dispatch of SCENARIO under its strategy."""

    def work(read: Scenario) -> Dispatch:
        from bess_opt.optimize import optimize as solve

        return solve(read)

    _run("optimizing", work, scenario, assignments, out, as_json, week, theme)


@app.command()
def simulate(
    scenario: ScenarioPath,
    assignments: Assignments = None,
    out: Out = None,
    as_json: AsJson = False,
    week: Week = None,
    theme: ThemeChoice = Theme.light,
) -> None:
    """Run SCENARIO step by step under the rule of its strategy."""

    def work(read: Scenario) -> Dispatch:
        from bess_opt.simulate import simulate as step

        return step(read)

    _run("simulating", work, scenario, assignments, out, as_json, week, theme)


@app.command()
def validate(scenario: ScenarioPath, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Check SCENARIO and list every problem; solves nothing."""
    overrides = _parsed(assignments)
    with show.faults(as_json), show.stages() as stage:
        stage("checking")
        from bess_opt.errors import BessOptError
        from bess_opt.findings import Findings
        from bess_opt.validate import examine, problems_of

        try:
            found, kind = examine(_load(scenario, overrides))
        except BessOptError as error:
            found, kind = Findings(problems_of(error)), type(error)
    show.say_findings(found)
    _verdict(scenario, found, as_json, kind)
    if kind is not None:
        raise typer.Exit(show.exit_code(kind))


@app.command()
def describe(scenario: ScenarioPath, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Statistics of each series of SCENARIO, with units."""
    overrides = _parsed(assignments)
    with show.faults(as_json):
        from bess_opt.scenario import describe as statistics

        read = _load(scenario, overrides)
        columns = tables.records(statistics(read))
    show.say_findings(read.notes)
    if as_json:
        facts = {"steps": len(read.series), "step_h": read.step_h, "start": read.series.index[0]}
        show.write_json({"scenario": read.name, **facts, "time_zone": read.time_zone, "series": columns})
        return
    for column in columns.values():
        column["unit"] = column["unit"].replace(tables.MONEY, read.site.currency)
    begin = read.series.index[0].isoformat(sep=" ", timespec="minutes")
    span = f"{len(read.series):,} steps of {read.step_h * 60:g} min from {begin}, {read.time_zone}"
    show.write_tables(tables.across(f"{read.name}: {span}", "statistic", columns))


@app.command(name="list")
def list_choices(as_json: AsJson = False) -> None:
    """What there is to choose from: technologies, topologies, strategies with their options."""
    with show.faults(as_json):
        from bess_opt.battery import technologies, topologies
        from bess_opt.catalogue import strategies

        made = {"technologies": technologies(), "topologies": topologies(), "strategies": strategies()}
        choices = {title: tables.records(frame) for title, frame in made.items()}
    if as_json:
        show.write_json(choices)
        return
    show.write_tables(
        tables.across("technologies", "figure", choices["technologies"]),
        tables.across("topologies", "figure", choices["topologies"]),
        tables.strategies_table(choices["strategies"]),
    )


@app.command()
def new(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or empty folder.")]) -> None:
    """Write a first scenario, commented and ready to run, to FOLDER."""
    with show.faults(as_json=False):
        from bess_opt.scaffold import new_scenario

        written = new_scenario(folder)
    show.write(f"{written}: scenario.toml, series.csv, README.md\nnext: bess-opt optimize {written}\n")


@app.command()
def schema() -> None:
    """JSON schema of scenario.toml, for editors and other tools."""
    from bess_opt.scenario import json_schema

    show.write(json.dumps(json_schema(), indent=2) + "\n")


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app(prog_name="bess-opt")
    except SystemExit as ended:
        if ended.code == show.INTERRUPTED:
            sys.stderr.flush()
            os._exit(show.INTERRUPTED)  # the solver's thread does not hear of it
        raise
    sys.exit(0)


def _run(
    doing: str,
    work: Callable[[Scenario], Dispatch],
    scenario: Path,
    assignments: list[str] | None,
    out: Path | None,
    as_json: bool,
    week: str | None,
    theme: Theme,
) -> None:
    """Read a scenario, `work` on it, save and show the dispatch that comes of it."""
    overrides = _parsed(assignments)
    with show.faults(as_json), show.stages() as stage:
        stage("reading the scenario")
        read = _load(scenario, overrides)
        _check_ahead(read, out, week, theme)
        stage(f"{doing} {len(read.series):,} steps")
        plan = show.in_background(lambda: work(read))
        if out is not None:
            stage("drawing and saving")
            _save(plan, out, week, theme)
    _finish(plan, as_json, out)


def _parsed(assignments: list[str] | None) -> list[Override]:
    if not assignments:
        return []
    from bess_opt.cli_overrides import parse

    try:
        return [parse(text) for text in assignments]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--set") from None


def _load(path: Path, overrides: list[Override]) -> Scenario:
    from bess_opt.cli_overrides import load_with

    return load_with(path, overrides)


def _check_ahead(scenario: Scenario, out: Path | None, week: str | None, theme: Theme) -> None:
    """What would fail after the solve fails before it."""
    import pandas as pd

    from bess_opt.dispatch import drawing_problems
    from bess_opt.errors import ScenarioError
    from bess_opt.files import RESULT
    from bess_opt.folders import check_target

    wrong = drawing_problems(pd.DatetimeIndex(scenario.series.index), week, theme.value)
    if wrong:
        raise ScenarioError(wrong)
    if out is not None:
        check_target(out, RESULT)


def _save(plan: Dispatch, out: Path, week: str | None, theme: Theme) -> None:
    from bess_opt.files import PICTURE_FILE, save_dispatch
    from bess_opt.plots import figure_png

    save_dispatch(plan, out, {PICTURE_FILE: figure_png(plan.plot(week, theme=theme.value))})


def _finish(plan: Dispatch, as_json: bool, out: Path | None) -> None:
    """Findings to stderr, the result to stdout."""
    show.say_findings(plan.findings)
    report = plan.report
    if report is not None and report.status != "optimal":
        gap = f"the plan is within {report.gap:.2g} of the proven bound"
        show.say(f"warning: solver.time_limit_s: the limit was reached; {gap}")
    if out is not None:
        show.say(f"saved: {out}")
    if as_json:
        show.write_json(tables.dispatch_json(plan))
    else:
        show.write_tables(tables.dispatch_table(plan))


def _verdict(path: Path, found: Findings, as_json: bool, kind: type[BessOptError] | None) -> None:
    """What `validate` found, on stdout; `kind` is the error that a solve would end with."""
    name = (path.parent if path.is_file() else path).resolve().name
    if as_json:
        content = {"scenario": name, "valid": kind is None, "findings": [f.to_dict() for f in found]}
        if kind is not None:
            content["error"] = {"kind": kind.__name__, "problems": [f.to_dict() for f in found.errors]}
        show.write_json(content)
        return
    counts = [(word, str(len(getattr(found, word)))) for word in ("errors", "warnings", "recommendations")]
    verdict = "valid" if kind is None else "not valid"
    show.write_tables(tables.table(f"{name}: {verdict}", ("findings", "count"), counts))
