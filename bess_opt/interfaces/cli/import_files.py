"""`bess-opt import`: files as they come become a scenario folder, with how they were read written beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w
import typer

from bess_opt.common.atomic_folders import new_folder
from bess_opt.inputs.readers.arguments import MEANINGS, read_argument
from bess_opt.inputs.readers.bring import QUANTITIES, READING, Brought, Wanted, bring, from_reading, joined, zone_of
from bess_opt.inputs.readers.layout import known_kinds
from bess_opt.inputs.readers.problems import problem
from bess_opt.interfaces.cli import output as show
from bess_opt.interfaces.cli.progress import stages

PICTURE = "series.png"
_MANY = 50_000  # rows from which parquet is far smaller and faster than CSV
_YEARS = (8760.0, 8784.0)

SCENARIO = """\
# Made of imported files; README.md names them. The battery{tariff_note} is an example: put yours in its place.
# `bess-opt schema` prints every key with its unit.

[battery]
power_mw = 1.0
duration_h = 2.0

[site]
time_zone = "{zone}"
currency = "{currency}"

[series]
file = "{series}"
# fill = {{ {column} = "previous" }} # how missing values are filled; without it they are an error

[strategy]
name = {strategy}

[finance]                          # an example: put your own costs in its place
capital_per_mw = 200000.0
capital_per_mwh = 150000.0
lifetime_years = 15
discount_rate = 0.07
{horizons}"""
_LIMIT = """
[solver]
time_limit_s = 60.0                # bids in small steps: the plan says how far from the best it may be
"""
_TARIFF = """
[tariff]                           # an example: put your own in its place
export = "none"

[[tariff.energy]]
price_per_mwh = 150.0

[[tariff.demand]]
price_per_mw_month = 10000.0
"""


def import_into(files: Sequence[str], into: Path, state: Sequence[str], plot: bool, as_json: bool) -> None:
    """Read files, write the scenario, and show how each was understood."""
    with show.faults(as_json), stages() as stage:
        shared, own = _stated(state)
        _refuse_idle(files, own)
        wanted = [w for text in files for w in _wanted(text, own)]
        stage(f"reading {len(wanted)} files")
        brought = bring(wanted, shared, lambda name, share: stage(f"reading {name}: {share:.0%}"))
        frame, said = joined(brought, shared.get("time_zone"))
        stage("writing the scenario")
        written = write_scenario(into, brought, frame, plot)
    for line in said:
        show.say(f"note: {line}")
    for one in brought:
        show.say_findings(one.series.notes.warnings)
    if as_json:
        readings = [one.series.attrs["reading"] for one in brought]
        show.write_json({"folder": str(into), "files": written, "readings": readings})
        return
    for one in brought:
        show.write(f"{one.series.reading}\n\n")
    show.write(f"{into}: {', '.join(written)}\nnext: bess-opt validate {into}\n")


def _stated(assignments: Sequence[str]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Arguments for every file, and those of one quantity."""
    shared: dict[str, Any] = {}
    own: dict[str, dict[str, Any]] = {}
    for text in assignments:
        key, mark, value = text.partition("=")
        quantity, dot, name = key.rpartition(".")
        if not mark or name not in MEANINGS or (dot and quantity not in QUANTITIES):
            expected = f"NAME=VALUE, NAME one of {', '.join(MEANINGS)}, or {QUANTITIES[0]}.NAME=VALUE"
            raise typer.BadParameter(f"found {text!r}; give {expected}", param_hint="--state")
        target = own.setdefault(quantity, {}) if dot else shared
        target[name] = read_argument(name, value)
    return shared, own


def _wanted(text: str, own: dict[str, dict[str, Any]]) -> list[Wanted]:
    quantity, mark, name = text.partition("=")
    if mark and quantity in QUANTITIES:
        return [Wanted(Path(name), quantity, own.get(quantity, {}))]
    path = Path(text)
    if path.name == READING:
        return from_reading(path)
    return [Wanted(path, None, {})]


def _refuse_idle(files: Sequence[str], own: dict[str, dict[str, Any]]) -> None:
    """ScenarioError for what is stated of a quantity that no QUANTITY=FILE names."""
    named = {text.partition("=")[0] for text in files if "=" in text}
    for quantity in sorted(set(own) - named):
        found = f"is stated, but no file is given as {quantity}=FILE"
        expected = f"write {quantity}=FILE for the file that it is about"
        raise problem("unused_argument", f"{quantity}.{min(own[quantity])}", found, expected)


def write_scenario(into: Path, brought: Sequence[Brought], frame: pd.DataFrame, plot: bool) -> list[str]:
    """Write series, scenario, record of the reading and README to a new folder; their names."""
    series = "series.parquet" if len(frame) > _MANY else "series.csv"
    with new_folder(into) as parts:
        if series.endswith("parquet"):
            frame.to_parquet(parts / series)
        else:
            stamps = [stamp.isoformat(timespec="minutes") for stamp in frame.index]
            frame.set_axis(pd.Index(stamps, name="time")).to_csv(parts / series, lineterminator="\n")
        _write(parts / "scenario.toml", _scenario(brought, frame, series))
        _write(parts / READING, tomli_w.dumps(_record(into, brought)))
        _write(parts / "README.md", _readme(into, brought, frame, series))
        if plot:
            from bess_opt.plots.imported import imported_png

            (parts / PICTURE).write_bytes(imported_png(frame, _currency(brought)))
        return sorted(path.name for path in parts.iterdir())


def _scenario(brought: Sequence[Brought], frame: pd.DataFrame, series: str) -> str:
    have = {b.quantity for b in brought} - {"capacity"}
    if not have:
        expected = "give the energy price of the same hours too, as price=FILE"
        raise problem("missing_column", "files", "hold prices for capacity alone", expected)
    if "price" in have:
        strategy = '"arbitrage"'
    elif "load" in have:
        strategy = '"peak_shaving"'
    else:
        strategy = '"time_shift"\nwindow = ["18:00", "22:00"]          # local hours of the highest worth'
    text = SCENARIO.format(
        zone=zone_of(frame),
        currency=_currency(brought),
        series=series,
        column=frame.columns[0],
        strategy=strategy,
        horizons=_horizons(frame),
        tariff_note="" if have != {"load"} and have != {"load", "solar"} else " and the tariff",
    )
    text += _TARIFF if "load" in have and "price" not in have else ""
    capacity = [b for b in brought if b.quantity == "capacity"]
    text += _LIMIT if any(use is not None for b in capacity for use in b.products.values()) else ""
    return text + "".join(_products(b) for b in capacity)


def _products(brought: Brought) -> str:
    """A table for each product; one that no shipped definition is for waits as a comment for its terms."""
    tables = []
    for name, use in brought.products.items():
        if use is not None:
            tables.append(f'\n[[product]]\nname = "{name}"\nuse = "{use}"\n')
            continue
        head = f"\n# {name}_price_per_mw is of a product that has no shipped definition: state its terms\n"
        tables.append(f'{head}# [[product]]\n# name = "{name}"\n# direction = "up"\n# headroom_h = 1.0\n')
    return "".join(tables)


def _horizons(frame: pd.DataFrame) -> str:
    """The line that says how many such series make a year; nothing for a whole year."""
    stamps = pd.DatetimeIndex(frame.index)
    hours = ((stamps[-1] - stamps[0]) / (len(stamps) - 1) * len(stamps)).total_seconds() / 3600.0
    if hours in _YEARS:
        return ""
    return f"horizons_per_year = {8760.0 / hours:.6f}     # the {hours:g} h of the series stand for a whole year\n"


def _currency(brought: Sequence[Brought]) -> str:
    known = [str(b.series.reading.figures["currency"]) for b in brought if "currency" in b.series.reading.figures]
    if len(set(known)) > 1:
        expected = "give files in one currency"
        raise problem("mixed_currencies", "files", f"have prices in {' and '.join(sorted(set(known)))}", expected)
    return known[0] if known else "EUR"


def _record(into: Path, brought: Sequence[Brought]) -> dict[str, Any]:
    """What an import can be made from again."""
    entries = []
    for b in brought:
        reading = b.series.attrs["reading"]
        path = Path(os.path.relpath(b.wanted.path.resolve(), into.resolve())).as_posix()
        head = {"path": path, "quantity": b.quantity, "sha256": b.digest, "kind": reading["kind"]}
        rest = {key: reading[key] for key in ("arguments", "figures")}
        entries.append(head | rest | {"decision": reading["decisions"]})
    return {"file": entries}


def _readme(into: Path, brought: Sequence[Brought], frame: pd.DataFrame, series: str) -> str:
    sources = {kind.name: kind.source for kind in known_kinds()}
    rows = [
        f"| `{b.wanted.path.name}` | {b.quantity} | {kind} | {sources.get(kind, '')} |"
        for b in brought
        for kind in [b.series.reading.kind]
    ]
    lines = [
        f"# {into.resolve().name}",
        "",
        "**Question.** Write here what this scenario shall answer.",
        "",
        f"`{series}`: {len(frame):,} steps from {frame.index[0]} on the clock of {zone_of(frame)}.",
        f"How each file was understood stands in `{READING}`, which `bess-opt import` takes as its input again.",
        "",
        "| file | holds | read as | format |",
        "|---|---|---|---|",
        *rows,
        "",
        "Say here where the files come from and under which licence.",
    ]
    return "\n".join(lines) + "\n"


def _write(file: Path, text: str) -> None:
    file.write_bytes(text.encode("utf-8"))
