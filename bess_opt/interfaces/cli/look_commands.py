"""Commands that show what is there and plan nothing: describe, bill, list, verify, schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bess_opt.interfaces.cli import output as show
from bess_opt.interfaces.cli import tables
from bess_opt.interfaces.cli.options import AlwaysJson, AsJson, Assignments, ScenarioPath
from bess_opt.interfaces.cli.progress import stages
from bess_opt.interfaces.cli.run import loaded, parsed


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


def bill(scenario: ScenarioPath, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """The bill of SCENARIO's site without its battery, by month and line."""
    overrides = parsed(assignments)
    with show.faults(as_json), stages() as stage:
        stage("billing")
        from bess_opt.common.findings import Findings
        from bess_opt.dispatch.bill import bill as bill_without

        read = loaded(scenario, overrides)
        made = bill_without(read)
    show.say_findings(Findings([*read.notes, *made.findings]))
    if as_json:
        lines = made.table.astype(object).where(made.table.notna(), None).to_dict("records")
        show.write_json({"scenario": read.name, "currency": made.currency, "total": made.total, "lines": lines})
        return
    show.write_tables(tables.bill_table(made))


def list_choices(as_json: AsJson = False) -> None:
    """What there is to choose from: technologies, topologies, strategies with their options, market products."""
    with show.faults(as_json):
        from bess_opt.inputs.products.catalogue import products
        from bess_opt.inputs.technologies import technologies, topologies
        from bess_opt.strategies.shared.catalogue import strategies

        made = {"technologies": technologies(), "topologies": topologies(), "strategies": strategies()}
        choices = {title: tables.records(frame) for title, frame in made.items()}
        dates = ["in_force", "expires"]
        known = products()
        choices["products"] = tables.records(known.assign(**{name: known[name].astype(str) for name in dates}))
    if as_json:
        show.write_json(choices)
        return
    show.write_tables(
        tables.across("technologies", "figure", choices["technologies"]),
        tables.across("topologies", "figure", choices["topologies"]),
        tables.strategies_table(choices["strategies"]),
        tables.products_table(choices["products"]),
    )


def verify(
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="Folder of the large cases; default: BESS_OPT_DATA."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute published numbers again and show ours beside them; exit code 1 if one differs or fails."""
    with show.faults(as_json), stages() as stage:
        from bess_opt.comparison.published.verify import DIFFERS, FAILED
        from bess_opt.comparison.published.verify import verify as compute

        table = compute(data, progress=stage.told)
    if as_json:
        show.write_json({"figures": table.to_dict("records")})
    else:
        show.write_tables(tables.verify_table(table))
    noted = table.loc[table["note"] != "", ["verdict", "case", "note"]].drop_duplicates()
    for words in noted.to_numpy():
        show.say(": ".join(words))
    if table["verdict"].isin([DIFFERS, FAILED]).any():
        raise typer.Exit(show.BAD_INPUT)


def schema(as_json: AlwaysJson = True) -> None:
    """JSON schema of scenario.toml, for editors and other tools."""
    del as_json  # it is never anything else
    from bess_opt.inputs.scenario import json_schema

    show.write(json.dumps(json_schema(), indent=2) + "\n")
