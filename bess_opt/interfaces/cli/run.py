"""What commands of `bess-opt` do with a scenario: read it, run a verb on it, save and show the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bess_opt.interfaces.cli import output as show
from bess_opt.interfaces.cli import tables
from bess_opt.interfaces.cli.options import Theme
from bess_opt.interfaces.cli.progress import stages

if TYPE_CHECKING:
    from bess_opt.common.errors import BessOptError
    from bess_opt.common.findings import Findings
    from bess_opt.common.progress import Told
    from bess_opt.dispatch.result import Dispatch
    from bess_opt.inputs.scenario import Scenario
    from bess_opt.interfaces.cli.overrides import Override


def run(
    doing: str,
    work: Callable[[Scenario, Told], Dispatch],
    scenario: Path,
    assignments: list[str] | None,
    out: Path | None,
    as_json: bool,
    week: str | None,
    theme: Theme,
    *,
    ends_early: bool = False,
) -> None:
    """Read a scenario, `work` on it, save and show the dispatch that comes of it.

    Where `work` `ends_early`, Ctrl-C asks it for the plan so far once it has told a bound.
    """
    overrides = parsed(assignments)
    with show.faults(as_json), stages() as stage:
        stage("reading the scenario")
        read = loaded(scenario, overrides)
        check_ahead(read, out, week, theme)
        stage(f"{doing} {len(read.series):,} steps")
        plan = show.in_background(lambda: work(read, stage.told), stage.end if ends_early else None, stage.has_bound)
        if out is not None:
            stage("drawing and saving")
            _save(plan, out, week, theme)
    _finish(plan, as_json, out)


def parsed(assignments: list[str] | None) -> list[Override]:
    """What `--set` asks for; a usage error if it is not KEY=VALUE."""
    if not assignments:
        return []
    from bess_opt.interfaces.cli.overrides import parse

    try:
        return [parse(text) for text in assignments]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--set") from None


def loaded(path: Path, overrides: list[Override]) -> Scenario:
    """The scenario with what `--set` changes."""
    from bess_opt.interfaces.cli.overrides import load_with

    return load_with(path, overrides)


def check_ahead(scenario: Scenario, out: Path | None, week: str | None, theme: Theme) -> None:
    """What would fail after the solve fails before it."""
    import pandas as pd

    from bess_opt.common.atomic_folders import check_target
    from bess_opt.common.errors import ScenarioError
    from bess_opt.dispatch.result import drawing_problems
    from bess_opt.dispatch.saving import RESULT

    wrong = drawing_problems(pd.DatetimeIndex(scenario.series.index), week, theme.value)
    if wrong:
        raise ScenarioError(wrong)
    if out is not None:
        check_target(out, RESULT)


def _save(plan: Dispatch, out: Path, week: str | None, theme: Theme) -> None:
    from bess_opt.dispatch.saving import PICTURE_FILE, save_dispatch
    from bess_opt.plots import figure_png

    save_dispatch(plan, out, {PICTURE_FILE: figure_png(plan.plot(week, theme=theme.value))})


def _finish(plan: Dispatch, as_json: bool, out: Path | None) -> None:
    """Findings to stderr, the result to stdout."""
    show.say_findings(plan.findings)
    report = plan.report
    if report is not None and report.status not in ("optimal", "cancelled"):
        gap = (
            "the plan is the best there is"
            if report.gap <= 0.0
            else f"the plan is within {report.gap:.2g} of the proven bound"
        )
        show.say(f"warning: solver.time_limit_s: the limit was reached; {gap}")
    if out is not None:
        show.say(f"saved: {out}")
    if as_json:
        show.write_json(tables.dispatch_json(plan))
    else:
        show.write_tables(tables.dispatch_table(plan))


def verdict(path: Path, found: Findings, as_json: bool, kind: type[BessOptError] | None) -> None:
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
