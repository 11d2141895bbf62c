"""`bess-opt size` and `bess-opt compare`: answers made of many dispatches, saved and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from bess_opt.interfaces.cli import output as show
from bess_opt.interfaces.cli import tables
from bess_opt.interfaces.cli.options import Theme
from bess_opt.interfaces.cli.progress import stages
from bess_opt.interfaces.cli.run import loaded, parsed

if TYPE_CHECKING:
    from bess_opt.common.atomic_folders import Kind
    from bess_opt.common.progress import Told
    from bess_opt.common.wording import Row
    from bess_opt.comparison.compare import Comparison
    from bess_opt.inputs.scenario import Scenario
    from bess_opt.investment.joint.result import JointSizing
    from bess_opt.investment.sizing.result import Sizing

T = TypeVar("T")
NO_CENTS = 10_000.0  # money of a table from which its cents say nothing, and a terminal has no room for them


@dataclass(frozen=True)
class Wanted:
    """The arguments of `bess_opt.size` as they stand on the command line."""

    power_mw: list[float] | dict[str, list[float]]
    duration_h: list[float] | dict[str, list[float]]
    objective: str
    twin: str
    power_step_mw: float | None
    energy_step_mwh: float | None
    module: list[float] | None
    budget: float | None
    energy_min_mwh: float | None
    tolerance: float
    price_years: list[Path]


def numbers(text: str, option: str, between: str) -> list[float]:
    """Numbers of an option; a usage error if it holds something else."""
    try:
        return [float(part) for part in text.split(between)]
    except ValueError:
        example = "1:10 or 4" if between == ":" else "2.5,5"
        raise typer.BadParameter(f"{text!r} is not of the form {example}", param_hint=option) from None


def ranges(text: str, option: str) -> list[float] | dict[str, list[float]]:
    """A range LEAST:MOST, or one for each battery as NAME=LEAST:MOST, with commas between."""
    if "=" not in text:
        return numbers(text, option, ":")
    found: dict[str, list[float]] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or not name.strip() or name.strip() in found:
            hint = f"{text!r} is not of the form north=0:5,south=0:2"
            raise typer.BadParameter(hint, param_hint=option)
        found[name.strip()] = numbers(value, option, ":")
    return found


def run_size(
    path: Path, assignments: list[str] | None, wanted: Wanted, out: Path | None, as_json: bool, theme: Theme
) -> None:
    """Size a scenario, save and show what was found."""

    def work(read: Scenario, told: Told) -> Sizing | JointSizing:
        from bess_opt.investment.sizing.size import size

        arguments: dict[str, Any] = {key: value for key, value in vars(wanted).items() if key != "price_years"}
        overrides = parsed(assignments)
        years = [loaded(year, overrides) for year in wanted.price_years]
        found: Sizing | JointSizing = size(read, **arguments, price_years=years or None, progress=told)
        return found

    def files(found: Sizing | JointSizing) -> dict[str, bytes]:
        from bess_opt.investment.joint.result import JointSizing

        written = {"sizing.json": json_bytes({"format": "bess_opt sizing"} | sizing_json(found))}
        written["table.parquet"] = parquet_bytes(found.table)
        if isinstance(found, JointSizing):
            written |= {
                "years.parquet": parquet_bytes(found.years),
                "profile.parquet": parquet_bytes(found.profile()),
            }
        from bess_opt.plots import figure_png

        picture = "sizes.png" if isinstance(found, JointSizing) else "surface.png"
        return written | {picture: figure_png(found.plot(theme=theme.value))}

    names = "sizing.json", "table.parquet", "surface.png", "sizes.png", "years.parquet", "profile.parquet"
    kind = kind_of(names, "bess_opt sizing")
    found = answer(path, assignments, out, as_json, "sizing", work, files, kind, ends_early=True)
    show.say_findings(found.findings)
    if as_json:
        show.write_json(sizing_json(found))
    else:
        title = f"{found.scenario.name}: size for {found.objective}"
        show.write_tables(tables.table(title, ("figure", "value"), _sizing_rows(found)))


def _sizing_rows(found: Sizing | JointSizing) -> list[Row]:
    """The figures of a sizing for people."""
    from bess_opt.investment.joint.result import JointSizing, joint_rows
    from bess_opt.investment.sizing.key_figures import sizing_rows

    return joint_rows(found) if isinstance(found, JointSizing) else sizing_rows(found)


def run_compare(
    work: Callable[[Scenario, Told], Comparison], path: Path, assignments: list[str] | None, out: Path | None,
    as_json: bool, theme: Theme,
) -> None:  # fmt: skip
    """Save and show the ladder that `work` makes of a scenario."""

    def files(found: Comparison) -> dict[str, bytes]:
        from bess_opt.plots import figure_png

        written = {name: parquet_bytes(getattr(found, name)) for name in ("table", "lines", "removed")}
        content = {"format": "bess_opt comparison"} | comparison_json(found)
        return {
            "comparison.json": json_bytes(content),
            **{f"{name}.parquet": table for name, table in written.items()},
            "ladder.png": figure_png(found.plot(theme=theme.value)),
        }

    names = "comparison.json", "table.parquet", "lines.parquet", "removed.parquet", "ladder.png"
    kind = kind_of(names, "bess_opt comparison")
    found = answer(path, assignments, out, as_json, "comparing", work, files, kind)
    show.say_findings(found.notes)
    if as_json:
        show.write_json(comparison_json(found))
    else:
        show.write_tables(comparison_table(found), *money_tables(found))


def answer(
    path: Path,
    assignments: list[str] | None,
    out: Path | None,
    as_json: bool,
    doing: str,
    work: Callable[[Scenario, Told], T],
    files: Callable[[T], Mapping[str, bytes]],
    kind: Callable[[], Kind],
    ends_early: bool = False,
) -> T:
    """Read a scenario, `work` on it and save the `files` of what comes of it, all or none.

    `work` tells how far it is. Where it `ends_early`, Ctrl-C asks it for what it has found so far.
    """
    overrides = parsed(assignments)
    with show.faults(as_json), stages() as stage:
        stage("reading the scenario")
        read = loaded(path, overrides)
        if out is not None:
            from bess_opt.common.atomic_folders import check_target

            check_target(out, kind())
        stage(f"{doing} {len(read.series):,} steps")
        found = show.in_background(lambda: work(read, stage.told), stage.end if ends_early else None)
        if out is not None:
            from bess_opt.common.atomic_folders import new_folder

            stage("drawing and saving")
            made = show.in_background(lambda: files(found))
            with new_folder(out, kind()) as parts:
                for name, content in made.items():
                    (parts / name).write_bytes(content)
    if out is not None:
        show.say(f"saved: {out}")
    return found


def kind_of(names: tuple[str, ...], mark: str) -> Callable[[], Kind]:
    """The folder that holds these files, the first of which says `mark`."""

    def made() -> Kind:
        from bess_opt.common.atomic_folders import Kind

        return Kind(files=frozenset(names), mark=names[0], text=f'"format": "{mark}"')

    return made


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """An object as the bytes of a JSON file."""
    import json

    from bess_opt.dispatch.saving import plain

    return (json.dumps(plain(content), indent=2, allow_nan=False) + "\n").encode()


def parquet_bytes(table: Any) -> bytes:
    """A DataFrame as the bytes of a Parquet file."""
    import io

    buffer = io.BytesIO()
    table.to_parquet(buffer)
    return buffer.getvalue()


# ---- what is shown


def sizing_json(found: Sizing | JointSizing) -> dict[str, Any]:
    """A sizing as one object; "metrics" are those of the best size's plan. No times: same input, same bytes."""
    from bess_opt.investment.joint.result import JointSizing

    same = "objective", "power_mw", "duration_h", "energy_mwh", "value", "bound", "gap", "without", "build", "costs"
    own: tuple[str, ...] = ("twin", "bound_continuous", "operated", "marginal_value")
    years = {}
    if isinstance(found, JointSizing):
        own = ("p10", "p50", "p90")
        years = {"years": found.years.reset_index().to_dict("records")}
    return {
        "scenario": found.scenario.name,
        "strategy": " + ".join(entry.name for entry in found.scenario.strategies),
        **{name: getattr(found, name) for name in (*same, *own, "assumptions", "calls")},
        **years,
        "metrics": found.plan.metrics.to_dict(),
        **tables.sold_json(found.plan),
        "findings": [finding.to_dict() for finding in found.findings],
        "table": found.table.to_dict("records"),
    }


def comparison_json(found: Comparison) -> dict[str, Any]:
    """A comparison as one object; "metrics" by strategy and rung."""
    metrics: dict[str, dict[str, Any]] = {}
    for (strategy, rung), plan in found.plans.items():
        metrics.setdefault(strategy, {})[rung] = plan.metrics.to_dict()
    return {
        "scenario": found.scenario.name,
        "metrics": metrics,
        **{name: getattr(found, name).reset_index().to_dict("records") for name in ("table", "lines", "removed")},
        "findings": [finding.to_dict() for finding in found.notes],
    }


def comparison_table(found: Comparison) -> Any:
    """The rungs of every strategy, one below the other."""
    rows = []
    for row in found.table.reset_index().to_dict("records"):
        share = row["captured"]
        rows.append(
            (
                str(row["strategy"]),
                str(row["rung"]),
                tables.number(float(row["score"])),
                str(row["score_unit"]).replace(tables.MONEY, found.scenario.site.currency),
                "–" if share != share else f"{100 * share:.1f} %",
                tables.number(float(row["net_revenue"]), money=True),
                tables.number(float(row["equivalent_full_cycles"])),
            )
        )
    heads = ("strategy", "rung", "score", "unit", "captured", f"net revenue {found.scenario.site.currency}", "cycles")
    return tables.table(f"{found.scenario.name}: from nothing to the optimum", heads, rows)


def money_tables(found: Comparison) -> Iterator[Any]:
    """Of each strategy the lines of its money, market products apart, for every rung."""
    from bess_opt.comparison.stack_attribution import TOTAL, VALUE
    from bess_opt.plant.ledger import label_of

    title, currency = f"{found.scenario.name}: where the money comes from", found.scenario.site.currency
    strategies: Iterable[Any] = found.lines.index.get_level_values("strategy") if len(found.lines) else ()
    for strategy in dict.fromkeys(map(str, strategies)):
        own = found.lines.loc[strategy]
        kept = [name for name in own.columns if own[name].notna().any()]
        names = ["sum" if line == TOTAL else label_of(str(line)) for line in own.index]
        cents = bool((own[kept].abs().max() < NO_CENTS).all())
        amounts = [[tables.number(float(value), money=cents) for value in row] for row in own[kept].to_numpy()]
        heads = ["worth of the battery" if name == VALUE else str(name) for name in kept]
        rows = [(name, *row) for name, row in zip(names, amounts, strict=True)]
        yield tables.table(f"{title}, {strategy}", (f"line {currency}", *heads), rows)
