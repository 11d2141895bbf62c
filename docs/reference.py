"""The pages that look things up, made from the code: keys of scenario.toml, commands, public names, published cases.

Imported by `docs/generate.py`, which writes them and holds them to the code.
"""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Iterator
from typing import Any, get_args

import typer

ROOMS = {  # of the package, as a reader asks for them
    "inputs": ("State a scenario and read files", "What a site is, and how it comes from your files."),
    "dispatch": ("Plan, simulate, operate", "Schedules: the optimum, rules, operation on forecasts, many at once."),
    "investment": ("Size, life and money", "Which battery to buy, how it ages, what it is worth over its life."),
    "comparison": ("Compare and check", "A plan held against nothing, the rule, other tools and published numbers."),
    "strategies": ("Strategies", "What a battery can be wanted for."),
    "interfaces": ("Report", "One page to read or print."),
    "common": ("Errors and findings", "What is raised, and what it holds."),
}


def one_line(text: str) -> str:
    """The text without line breaks."""
    return " ".join(text.split())


def cell(text: str) -> str:
    """Text of a table's cell."""
    return one_line(text).replace("|", "\\|").replace("<", "&lt;").replace("{", "&#123;")


# ---- scenario.toml


def scenario_keys() -> list[str]:
    """Every table of scenario.toml with its keys, as the types take them."""
    from bess_opt.inputs.reading.scenario_reading import LISTS, TABLES

    parts = [
        "# Reference of scenario.toml",
        "Every table and key, made from the types that read them. A key whose default is empty may be left out; `1` "
        "as a unit is a share of 1. An unknown key is refused with the nearest known one. Tables in double brackets "
        "may stand several times. The options of `[[strategy]]` stand with [each strategy](strategies.md), "
        "the columns of the series in the [nomenclature](nomenclature.md). `bess-opt schema` prints a JSON schema.",
    ]
    several = {*LISTS, "battery"}
    for name, kind in {**TABLES, **LISTS}.items():
        title = f"[{name}]" + (f" or [[{name}]]" if name == "battery" else "") if name not in LISTS else f"[[{name}]]"
        parts += list(_table(title, name, kind, set(several)))
    return parts


def _table(title: str, place: str, kind: type[Any], seen: set[str]) -> Iterator[str]:
    yield f"## {title}"
    yield one_line(inspect.getdoc(kind) or "")
    lines = ["| key | unit | default | takes |", "|---|---|---|---|"]
    inner: list[tuple[str, str, type[Any]]] = []
    for key, field in kind.model_fields.items():
        name = field.alias or key
        meaning, unit = _meaning(field)
        lines.append(f"| `{name}` | {unit} | {cell(_default(field))} | {cell(meaning)} |")
        for listed, other in _inner(field.annotation):
            inner.append((name, f"[[{place}.{name}]]" if listed else f"[{place}.{name}]", other))
    yield "\n".join(lines)
    for name, heading, other in inner:
        if other.__name__ not in seen:
            seen.add(other.__name__)
            yield from _table(heading, f"{place}.{name}", other, seen)


def _meaning(field: Any) -> tuple[str, str]:
    from bess_opt.common.input_table import allowed

    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    return allowed(field), unit


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value == () or value == {}:
        return ""
    if hasattr(value, "model_fields"):
        return "its own defaults"
    if isinstance(value, float) and math.isinf(value):
        return "`inf`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _inner(annotation: object, listed: bool = False) -> Iterator[tuple[bool, type[Any]]]:
    """The tables inside an annotation, and whether they stand in a list."""
    from bess_opt.common.input_table import Table

    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield listed, annotation
    origin = getattr(annotation, "__origin__", None)
    for argument in get_args(annotation):
        yield from _inner(argument, listed or origin in (list, tuple))


# ---- command line


def commands() -> list[str]:
    """Every command with its arguments and options, as the command line describes itself."""
    from bess_opt.interfaces.cli.main import app

    group: Any = typer.main.get_command(app)
    parts = [
        "# Command line",
        one_line(str(group.help)),
        "`--set table.key=value` changes any key of the scenario, `--out` writes results, `--json` prints one "
        "object. Progress and warnings go to stderr; stdout belongs to the answer. "
        + one_line(str(group.epilog or "")),
    ]
    for name, command in group.commands.items():
        parts += [f"## bess-opt {name}", one_line(str(command.help or ""))]
        given = [item for item in command.params if item.name != "help"]
        words = [_word(item) if item.required else f"[{_word(item)}]" for item in given if _is_argument(item)]
        parts.append("```text\n" + " ".join([f"bess-opt {name}", *words, "[OPTIONS]"]) + "\n```")
        lines = ["| argument or option | takes | default | meaning |", "|---|---|---|---|"]
        for item in given:
            shown = _word(item) if _is_argument(item) else ", ".join(f"`{word}`" for word in item.opts)
            taken = "" if _is_argument(item) or getattr(item, "is_flag", False) else _word(item)
            told = (
                "required" if item.required else "" if item.default in (None, (), [], False) else f"`{item.default}`"
            )
            told = "" if callable(item.default) else told
            lines.append(
                f"| {cell(shown)} | {cell(taken)} | {cell(told)} | {cell(str(getattr(item, 'help', '') or ''))} |"
            )
        parts.append("\n".join(lines))
    return parts


def _is_argument(item: Any) -> bool:
    return str(item.param_type_name) == "argument"


def _word(item: Any) -> str:
    return str(item.metavar or item.name.upper()).strip("<>{}[]")


# ---- public names


def public_names() -> dict[str, list[str]]:
    """Every public name of the package, by the room it comes from."""
    import bess_opt

    found: dict[str, list[str]] = {room: [] for room in ROOMS}
    for name in sorted(bess_opt.__all__, key=lambda name: (name[0].isupper(), name.lower())):
        thing = getattr(bess_opt, name)
        if not callable(thing):
            continue
        home = thing.__module__.split(".")[1]
        found[home].append(name)
    return found


def api(room: str) -> list[str]:
    """A page of the public names of one room; the site fills in signatures and texts from the docstrings."""
    title, about = ROOMS[room]
    parts = [f"# {title}", about + " All of them are names of `import bess_opt as bo`."]
    for name in public_names()[room]:
        thing = getattr(importlib.import_module("bess_opt"), name)
        first = one_line((inspect.getdoc(thing) or "").split("\n\n")[0])
        if not first:
            raise ValueError(f"{name} has no docstring")
        parts += [f"## bo.{name}", f"::: {thing.__module__}.{thing.__qualname__}"]
    return parts


# ---- published cases


def validation() -> list[str]:
    """What others published beside what this package computes, as its tests hold it."""
    from bess_opt.comparison.published.numbers import NUMBERS, SOURCES
    from bess_opt.comparison.published.verify import INSIDE

    parts = [
        "# Validation",
        "Numbers that other tools, standards and market operators published, beside those of this package. "
        "`bess-opt verify` computes them again on your machine; the tests hold each to half of the last digit of its "
        "source. Cases that need large files of their authors read them from the folder that the environment "
        "variable `BESS_OPT_DATA` names, and say so where it is missing.",
    ]
    for case, source in SOURCES.items():
        ours = INSIDE[case]() if case in INSIDE else {}
        lines = ["| figure | theirs | ours | tolerance | unit |", "|---|---:|---:|---:|---|"]
        for row in (number for number in NUMBERS if number.case == case):
            digits = max(0, math.ceil(-math.log10(2.0 * row.tolerance) - 1e-9))
            mine = f"{ours[row.figure]:,.{digits}f}" if row.figure in ours else "the same, from the files"
            lines.append(
                f"| {cell(row.figure)} | {row.value:,.{digits}f} | {mine} | {row.tolerance:g} | {cell(row.unit)} |"
            )
        parts += [f"## {case}", f"Source: {source}.", "\n".join(lines)]
    return parts


# ---- market products


def product_definitions() -> list[str]:
    """The shipped definitions of market products, a table a market, with their sources below."""
    import bess_opt

    known, parts = bess_opt.products(), list[str]()
    for market, rows in known.groupby("market"):
        lines = [
            "| `use` | what | direction | block [h] | call [h] | bid, step [MW] | in force | expires | assumed |",
            "|---|---|---|---:|---:|---|---|---|---|",
        ]
        for name, row in rows.iterrows():
            block = "a step" if row["block_h"] != row["block_h"] else f"{row['block_h']:g}"
            bids = f"{row['min_bid_mw']:g}, {row['step_mw']:g}"
            assumed = row["assumed"].replace("_", "\\_")
            cells = [f"`{name}`", row["meaning"], row["direction"], block, f"{row['headroom_h']:.3g}", bids]
            cells += [str(row["in_force"]), str(row["expires"]), assumed]
            lines.append("| " + " | ".join(cell(text) for text in cells) + " |")
        sources = "\n".join(f"- {source}" for source in dict.fromkeys(rows["source"]))
        parts += [f"### {market}", "\n".join(lines), f"Sources:\n\n{sources}"]
    return parts
