"""The command line `bess-opt`. Everything slow is imported inside the command that needs it."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bess_opt.interfaces.cli import answers, tables
from bess_opt.interfaces.cli import output as show
from bess_opt.interfaces.cli.options import (
    AsJson,
    Assignments,
    Budget,
    CommitmentChoice,
    ComparisonOut,
    Duration,
    EnergyMin,
    EnergyStep,
    ForecastChoice,
    Module,
    Objective,
    Out,
    Power,
    PowerStep,
    ScenarioPath,
    SizingOut,
    Strategies,
    TerminalChoice,
    Theme,
    ThemeChoice,
    Tolerance,
    TwinChoice,
    Week,
    stated_forecast,
)
from bess_opt.interfaces.cli.run import check_ahead, loaded, parsed, run, verdict

if TYPE_CHECKING:
    from bess_opt.dispatch.result import Dispatch
    from bess_opt.inputs.scenario import Scenario

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
        from bess_opt.dispatch.optimize import optimize as solve

        return solve(read)

    run("optimizing", work, scenario, assignments, out, as_json, week, theme)


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
        from bess_opt.dispatch.simulate import simulate as step

        return step(read)

    run("simulating", work, scenario, assignments, out, as_json, week, theme)


@app.command()
def control(
    scenario: ScenarioPath,
    forecast: ForecastChoice = None,
    horizon_h: Annotated[float, typer.Option(help="Hours that each plan looks ahead.")] = 48.0,
    every_h: Annotated[float, typer.Option(help="Hours between decisions.")] = 1.0,
    terminal: Annotated[
        TerminalChoice, typer.Option(help="Worth of what is in store at the end of a plan.")
    ] = TerminalChoice.value,
    commitment: Annotated[
        CommitmentChoice, typer.Option(help="Decide as it goes, or fix each day's schedule the day before.")
    ] = CommitmentChoice.dispatch,
    gate_hour: Annotated[float, typer.Option(help="Local hour at which the next day's schedule is fixed.")] = 12.0,
    assignments: Assignments = None,
    out: Out = None,
    as_json: AsJson = False,
    week: Week = None,
    theme: ThemeChoice = Theme.light,
) -> None:
    """Operate SCENARIO on forecasts: plan ahead, carry out, look again."""

    def work(read: Scenario) -> Dispatch:
        from bess_opt.dispatch.forecast_driven.control import control as operate

        return operate(
            read,
            stated_forecast(forecast),
            horizon_h=horizon_h,
            every_h=every_h,
            terminal=terminal.value,
            commitment=commitment.value,
            gate_hour=gate_hour,
        )

    run("operating", work, scenario, assignments, out, as_json, week, theme)


@app.command()
def size(
    scenario: ScenarioPath,
    power: Power,
    duration: Duration,
    objective: Objective = "npv",
    twin: TwinChoice = "optimal",
    power_step: PowerStep = None,
    energy_step: EnergyStep = None,
    module: Module = None,
    budget: Budget = None,
    energy_min: EnergyMin = None,
    tolerance: Tolerance = 1e-3,
    assignments: Assignments = None,
    out: SizingOut = None,
    as_json: AsJson = False,
    theme: ThemeChoice = Theme.light,
) -> None:
    """Find the best power and duration of SCENARIO's battery, and prove it where that is possible."""
    wanted = answers.Wanted(
        power_mw=answers.numbers(power, "--power", ":"),
        duration_h=answers.numbers(duration, "--duration", ":"),
        objective=objective,
        twin=twin,
        power_step_mw=power_step,
        energy_step_mwh=energy_step,
        module=answers.numbers(module, "--module", ",") if module is not None else None,
        budget=budget,
        energy_min_mwh=energy_min,
        tolerance=tolerance,
    )
    answers.run_size(scenario, assignments, wanted, out, as_json, theme)


@app.command()
def compare(
    scenario: ScenarioPath,
    strategies: Strategies = None,
    assignments: Assignments = None,
    out: ComparisonOut = None,
    as_json: AsJson = False,
    theme: ThemeChoice = Theme.light,
) -> None:
    """Show SCENARIO without a plan, under its rule and at best, side by side."""
    names = None if strategies is None else [name.strip() for name in strategies.split(",")]
    answers.run_compare(scenario, assignments, names, out, as_json, theme)


@app.command()
def validate(scenario: ScenarioPath, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Check SCENARIO and list every problem; solves nothing."""
    overrides = parsed(assignments)
    with show.faults(as_json), show.stages() as stage:
        stage("checking")
        from bess_opt.common.errors import BessOptError
        from bess_opt.common.findings import Findings
        from bess_opt.dispatch.checks.validate import examine, problems_of

        try:
            found, kind = examine(loaded(scenario, overrides))
        except BessOptError as error:
            found, kind = Findings(problems_of(error)), type(error)
    show.say_findings(found)
    verdict(scenario, found, as_json, kind)
    if kind is not None:
        raise typer.Exit(show.exit_code(kind))


@app.command()
def describe(scenario: ScenarioPath, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Statistics of each series of SCENARIO, with units."""
    overrides = parsed(assignments)
    with show.faults(as_json):
        from bess_opt.inputs.scenario import describe as statistics

        read = loaded(scenario, overrides)
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
        from bess_opt.inputs.battery import technologies, topologies
        from bess_opt.strategies.shared.catalogue import strategies

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
def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", readable=False, help="A new or empty folder.")],
) -> None:
    """Write a first scenario, commented and ready to run, to FOLDER."""
    with show.faults(as_json=False):
        from bess_opt.interfaces.cli.new_scenario import new_scenario

        written = new_scenario(folder)
    show.write(f"{written}: scenario.toml, series.csv, README.md\nnext: bess-opt optimize {written}\n")


@app.command()
def report(
    scenario: ScenarioPath,
    out: Annotated[Path, typer.Option(metavar="FILE", readable=False, help="The HTML file to write.")],
    assignments: Assignments = None,
    week: Week = None,
) -> None:
    """Compare nothing, rule and optimum of SCENARIO and write one HTML page about it, to read or print."""
    overrides = parsed(assignments)
    with show.faults(as_json=False), show.stages() as stage:
        stage("reading the scenario")
        from bess_opt.interfaces.report.report import check_file, save_report
        from bess_opt.interfaces.report.report import report as make

        read = loaded(scenario, overrides)
        check_ahead(read, None, week, Theme.light)
        check_file(out)
        stage(f"optimizing and simulating {len(read.series):,} steps")
        page = show.in_background(lambda: make(read, week=week))
        save_report(page, out)
    show.say_findings(read.notes)
    show.write(f"{out}\n")


@app.command(name="app")
def open_page(
    scenario: ScenarioPath,
    assignments: Assignments = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 8050,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
) -> None:
    """Open an interactive page about SCENARIO, for this machine only; needs the extra `app`. Ctrl-C ends it."""
    overrides = parsed(assignments)
    with show.faults(as_json=False):
        from bess_opt.interfaces.app.serve import address, serve

        read = loaded(scenario, overrides)
        show.say_findings(read.notes)
        show.say(f"{read.name} at {address(port)}; Ctrl-C ends it")
        serve(read, port, browser=browser)


@app.command()
def verify(
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="Folder of the large cases; default: BESS_OPT_DATA."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute published numbers again and show ours beside them; exit code 1 if one differs or fails."""
    with show.faults(as_json), show.stages() as stage:
        from bess_opt.comparison.published.verify import DIFFERS, FAILED
        from bess_opt.comparison.published.verify import verify as compute

        table = compute(data, progress=stage)
    if as_json:
        show.write_json({"figures": table.to_dict("records")})
    else:
        show.write_tables(tables.verify_table(table))
    noted = table.loc[table["note"] != "", ["verdict", "case", "note"]].drop_duplicates()
    for words in noted.to_numpy():
        show.say(": ".join(words))
    if table["verdict"].isin([DIFFERS, FAILED]).any():
        raise typer.Exit(show.BAD_INPUT)


@app.command()
def schema() -> None:
    """JSON schema of scenario.toml, for editors and other tools."""
    from bess_opt.inputs.scenario import json_schema

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
