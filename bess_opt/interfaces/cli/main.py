"""The command line `bess-opt`. Everything slow is imported inside the command that needs it."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bess_opt.interfaces.cli import answers
from bess_opt.interfaces.cli import output as show
from bess_opt.interfaces.cli.command import FLAG, Command, Group
from bess_opt.interfaces.cli.connection_command import connection_command
from bess_opt.interfaces.cli.import_command import import_command
from bess_opt.interfaces.cli.look_commands import bill, describe, list_choices, schema, verify
from bess_opt.interfaces.cli.new_command import new_command
from bess_opt.interfaces.cli.options import (
    AsJson,
    Assignments,
    Browser,
    Budget,
    Commitment,
    CommitmentChoice,
    ComparisonOut,
    Duration,
    EnergyMin,
    EnergyStep,
    Every,
    ForecastChoice,
    GateHour,
    Horizon,
    Module,
    Objective,
    Out,
    Port,
    Power,
    PowerStep,
    PriceYears,
    ScenarioPath,
    SizingOut,
    Strategies,
    Terminal,
    TerminalChoice,
    Theme,
    ThemeChoice,
    Tolerance,
    TwinChoice,
    Week,
    stated_forecast,
)
from bess_opt.interfaces.cli.progress import stages
from bess_opt.interfaces.cli.resilience_command import resilience_command
from bess_opt.interfaces.cli.run import check_ahead, loaded, parsed, run, verdict
from bess_opt.interfaces.cli.streams import UnwritableError, give_up, own_stdout

if TYPE_CHECKING:
    from bess_opt.common.progress import Told
    from bess_opt.comparison.compare import Comparison
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
    cls=Group,
)
command = partial(app.command, cls=Command)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        show.write(f"bess-opt {version('bess-opt')}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", metavar=FLAG, callback=_version, is_eager=True, help="Show the version and leave."),
    ] = False,
) -> None:
    """Options before the command; `version` has left by its callback."""


@command()
def optimize(
    scenario: ScenarioPath,
    assignments: Assignments = None,
    out: Out = None,
    as_json: AsJson = False,
    week: Week = None,
    theme: ThemeChoice = Theme.light,
) -> None:
    """Find the optimal dispatch of SCENARIO under its strategy."""

    def work(read: Scenario, told: Told) -> Dispatch:
        from bess_opt.dispatch.optimize import optimize as solve

        return solve(read, progress=told)

    run("optimizing", work, scenario, assignments, out, as_json, week, theme, ends_early=True)


@command()
def simulate(
    scenario: ScenarioPath,
    assignments: Assignments = None,
    out: Out = None,
    as_json: AsJson = False,
    week: Week = None,
    theme: ThemeChoice = Theme.light,
) -> None:
    """Run SCENARIO step by step under the rule of its strategy."""

    def work(read: Scenario, _: Told) -> Dispatch:
        from bess_opt.dispatch.simulate import simulate as step

        return step(read)

    run("simulating", work, scenario, assignments, out, as_json, week, theme)


@command()
def control(
    scenario: ScenarioPath,
    forecast: ForecastChoice = None,
    horizon_h: Horizon = 48.0,
    every_h: Every = 1.0,
    terminal: Terminal = TerminalChoice.value,
    commitment: Commitment = CommitmentChoice.dispatch,
    gate_hour: GateHour = 12.0,
    assignments: Assignments = None,
    out: Out = None,
    as_json: AsJson = False,
    week: Week = None,
    theme: ThemeChoice = Theme.light,
) -> None:
    """Operate SCENARIO on forecasts: plan ahead, carry out, look again."""

    def work(read: Scenario, told: Told) -> Dispatch:
        from bess_opt.dispatch.forecast_driven.control import control as operate

        return operate(
            read,
            stated_forecast(forecast),
            horizon_h=horizon_h,
            every_h=every_h,
            terminal=terminal.value,
            commitment=commitment.value,
            gate_hour=gate_hour,
            progress=told,
        )

    run("operating", work, scenario, assignments, out, as_json, week, theme)


@command()
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
    price_years: PriceYears = None,
    assignments: Assignments = None,
    out: SizingOut = None,
    as_json: AsJson = False,
    theme: ThemeChoice = Theme.light,
) -> None:
    """Find the best power and duration of SCENARIO's batteries, and prove it where that is possible."""
    wanted = answers.Wanted(
        power_mw=answers.ranges(power, "--power"),
        duration_h=answers.ranges(duration, "--duration"),
        objective=objective,
        twin=twin,
        power_step_mw=power_step,
        energy_step_mwh=energy_step,
        module=answers.numbers(module, "--module", ",") if module is not None else None,
        budget=budget,
        energy_min_mwh=energy_min,
        tolerance=tolerance,
        price_years=price_years or [],
    )
    answers.run_size(scenario, assignments, wanted, out, as_json, theme)


@command()
def compare(
    scenario: ScenarioPath,
    strategies: Strategies = None,
    forecast: ForecastChoice = None,
    horizon_h: Horizon = 48.0,
    every_h: Every = 1.0,
    assignments: Assignments = None,
    out: ComparisonOut = None,
    as_json: AsJson = False,
    theme: ThemeChoice = Theme.light,
) -> None:
    """Show SCENARIO without a plan, under its rule, on forecasts if one is stated, and at best, side by side."""
    names = None if strategies is None else [name.strip() for name in strategies.split(",")]

    def work(read: Scenario, told: Told) -> Comparison:
        from bess_opt.comparison.compare import compare as compared

        known = stated_forecast(forecast) if forecast else None
        return compared(read, names, forecast=known, horizon_h=horizon_h, every_h=every_h, progress=told)

    answers.run_compare(work, scenario, assignments, out, as_json, theme)


@command()
def validate(scenario: ScenarioPath, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Check SCENARIO and list every problem; solves nothing."""
    overrides = parsed(assignments)
    with show.faults(as_json), stages() as stage:
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


command()(describe)
command()(bill)
command(name="list")(list_choices)


command(name="connection")(connection_command)
command(name="resilience")(resilience_command)
command(name="new")(new_command)
command(name="import")(import_command)


@command()
def report(
    scenario: ScenarioPath,
    out: Annotated[Path, typer.Option(metavar="FILE", readable=False, help="The HTML file to write.")],
    forecast: ForecastChoice = None,
    assignments: Assignments = None,
    week: Week = None,
    as_json: AsJson = False,
) -> None:
    """Compare nothing, rule, operation on forecasts and optimum of SCENARIO: one HTML page, to read or print."""
    overrides = parsed(assignments)
    with show.faults(as_json), stages() as stage:
        stage("reading the scenario")
        from bess_opt.interfaces.report.report import check_file, save_report
        from bess_opt.interfaces.report.report import report as make

        read = loaded(scenario, overrides)
        check_ahead(read, None, week, Theme.light)
        check_file(out)
        stage(f"optimizing and simulating {len(read.series):,} steps")
        known = stated_forecast(forecast) if forecast else None
        page = show.in_background(lambda: make(read, week=week, forecast=known, progress=stage.told))
        save_report(page, out)
    show.say_findings(read.notes)
    if as_json:
        show.write_json({"scenario": read.name, "file": str(out)})
    else:
        show.write(f"{out}\n")


@command(name="app")
def open_page(
    scenario: ScenarioPath,
    assignments: Assignments = None,
    port: Port = 8050,
    browser: Browser = True,
    as_json: AsJson = False,
) -> None:
    """Open an interactive page about SCENARIO, for this machine only; needs the extra `app`. Ctrl-C ends it."""
    overrides = parsed(assignments)
    with show.faults(as_json):
        from bess_opt.interfaces.app.serve import address, serve

        read = loaded(scenario, overrides)
        show.say_findings(read.notes)
        show.say(f"{read.name} at {address(port)}; Ctrl-C ends it")
        if as_json:
            show.write_json({"scenario": read.name, "address": address(port)})
        serve(read, port, browser=browser)


command()(verify)
command()(schema)


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    own_stdout()
    try:
        app(prog_name="bess-opt")
    except UnwritableError as error:  # help or version; a command says so itself
        give_up(sys.stdout)
        show.say_unwritable(error)
        sys.exit(show.BAD_INPUT)
    except SystemExit as ended:
        if ended.code == show.INTERRUPTED:
            sys.stderr.flush()
            os._exit(show.INTERRUPTED)  # the solver's thread does not hear of it
        raise
    sys.exit(0)
