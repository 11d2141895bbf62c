"""`bess-opt resilience`: how long the site lasts without the grid from every start, saved and shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from bess_opt.interfaces.cli import answers, tables
from bess_opt.interfaces.cli import output as show
from bess_opt.interfaces.cli.options import (
    AsJson,
    Assignments,
    ComparisonOut,
    ScenarioPath,
    Theme,
    ThemeChoice,
    number_option,
)

if TYPE_CHECKING:
    from bess_opt.common.progress import Told
    from bess_opt.comparison.resilience.resilience import Resilience
    from bess_opt.inputs.scenario import Scenario


def resilience_command(
    scenario: ScenarioPath,
    critical_share: Annotated[float, number_option(metavar="SHARE", help="Share of the load that is served.")] = 1.0,
    cover_h: Annotated[
        float | None,
        number_option(metavar="H", help="Hours that every start shall survive, and their cost."),
    ] = None,
    assignments: Assignments = None,
    out: ComparisonOut = None,
    as_json: AsJson = False,
    theme: ThemeChoice = Theme.light,
) -> None:
    """Show how long the site of SCENARIO lasts without the grid from every step on."""

    def work(read: Scenario, told: Told) -> Resilience:
        from bess_opt.comparison.resilience.resilience import resilience

        return resilience(read, critical_share, cover_h, progress=told)

    def files(found: Resilience) -> dict[str, bytes]:
        from bess_opt.plots import figure_png

        return {
            "resilience.json": answers.json_bytes({"format": "bess_opt resilience"} | resilience_json(found)),
            "starts.parquet": answers.parquet_bytes(found.table),
            "resilience.png": figure_png(found.plot(theme=theme.value)),
        }

    names = "resilience.json", "starts.parquet", "resilience.png"
    kind = answers.kind_of(names, "bess_opt resilience")
    found = answers.answer(Path(scenario), assignments, out, as_json, "taking the grid from", work, files, kind)
    show.say_findings(found.notes)
    if as_json:
        show.write_json(resilience_json(found))
        return
    from bess_opt.comparison.resilience.resilience import resilience_table

    header, rows = resilience_table(found)
    show.write_tables(tables.table(f"{found.scenario.name}: without the grid", header, rows))


def resilience_json(found: Resilience) -> dict[str, Any]:
    """The hours survived as one object: figures over all starts, and the curve."""
    return {
        "scenario": found.scenario.name,
        "currency": found.scenario.site.currency,
        "critical_share": found.critical_share,
        "cover_h": found.cover_h,
        "hours": found.summary,
        "holding_cost": found.holding_cost,
        "curve": [{"hours": float(hours), "share": float(share)} for hours, share in found.curve.items()],  # type: ignore[arg-type]
        "metrics": found.plan.metrics.to_dict(),
        "findings": [finding.to_dict() for finding in found.notes],
    }
