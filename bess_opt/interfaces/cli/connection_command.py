"""`bess-opt connection`: what each clause of a connection agreement costs, saved and shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bess_opt.interfaces.cli import answers, tables
from bess_opt.interfaces.cli import output as show
from bess_opt.interfaces.cli.options import AsJson, Assignments, ComparisonOut, ScenarioPath, Theme, ThemeChoice

if TYPE_CHECKING:
    from bess_opt.common.progress import Told
    from bess_opt.comparison.connection import ConnectionCost
    from bess_opt.inputs.scenario import Scenario


def connection_command(
    scenario: ScenarioPath,
    assignments: Assignments = None,
    out: ComparisonOut = None,
    as_json: AsJson = False,
    theme: ThemeChoice = Theme.light,
) -> None:
    """Show what each clause of SCENARIO's connection costs, alone and together."""

    def work(read: Scenario, told: Told) -> ConnectionCost:
        from bess_opt.comparison.connection import connection

        return connection(read, progress=told)

    def files(found: ConnectionCost) -> dict[str, bytes]:
        from bess_opt.plots import figure_png

        return {
            "connection.json": answers.json_bytes({"format": "bess_opt connection"} | connection_json(found)),
            "prices.parquet": answers.parquet_bytes(found.prices),
            "connection.png": figure_png(found.plot(theme=theme.value)),
        }

    names = "connection.json", "prices.parquet", "connection.png"
    kind = answers.kind_of(names, "bess_opt connection")
    found = answers.answer(Path(scenario), assignments, out, as_json, "pricing the clauses of", work, files, kind)
    show.say_findings(found.notes)
    if as_json:
        show.write_json(connection_json(found))
        return
    from bess_opt.comparison.connection import connection_table

    header, rows = connection_table(found)
    show.write_tables(tables.table(f"{found.scenario.name}: what its connection costs", header, rows))


def connection_json(found: ConnectionCost) -> dict[str, Any]:
    """The clauses as one object: a row each, and the mean price of the hours in which it binds."""
    return {
        "scenario": found.scenario.name,
        "currency": found.scenario.site.currency,
        "clauses": found.table.reset_index().to_dict("records"),
        "metrics": {name: plan.metrics.to_dict() for name, plan in found.plans.items()},
        "findings": [finding.to_dict() for finding in found.notes],
    }
