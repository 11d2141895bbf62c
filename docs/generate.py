"""Write the pages that are made from the code: formulation, nomenclature, strategy catalogue; and their picture.

`python docs/generate.py` rewrites them; with `--check` it writes nothing and ends with exit code 1 if one differs.
The formulation is read from models of every strategy, topology and permission, as the tests of the formulation build
them, so a constraint that is not on the page does not exist.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
from matplotlib.figure import Figure
from PIL import Image

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))
import reference  # noqa: E402 - beside this file, wherever it is called from

DRAWN_FROM = "Drawn from numbers"
MADE = "<!-- made by docs/generate.py -->\n"
SETS = {
    "steps": "each step t",
    "days": "each local day",
    "cycle_days": "each local day",
    "cycles_per_day_index": "each local day (alike month, year and horizon)",
    "cycles_within_hours_index": "the window that begins before the horizon",
    "cycles_within_hours_window_index": "each step that begins a window",
    "stated_cycles_at_most_index": "each local day",
    "measured_sources": "each peak that a billed peak looks at",
    "mean_sources": "each mean of peaks that a billed peak looks at",
    "means": "each mean of the highest peaks",
    "measured_members": "each peak that such a mean may hold",
    "known_members": "each such peak from before the start",
    "demand_over_mw_dearer": "each threshold of a billed peak where it gets dearer",
    "demand_over_mw_cheaper": "each threshold of a billed peak where it gets cheaper",
    "overrun_over_mw_dearer": "each contracted power",
    "counters": "each row of energy and period of its tiers",
    "counted_over_mwh_dearer": "each threshold of energy where it gets dearer",
    "counted_over_mwh_cheaper": "each threshold of energy where it gets cheaper",
    "months": "each local month",
    "origins": "each month that leaves a credit",
    "intervals": "each billing interval",
    "cut_intervals": "each billing interval of another length than most",
    "ramp_pairs": "each pair of steps within the ramp window",
    "ramp_first_steps": "the steps of the first ramp window",
    "ramped_steps": "each step into which a clause limits the ramp",
    "first_ramped_step": "the first step",
    "window_steps": "each step of a delivery",
    "deliveries": "each delivery",
    "firm_periods": "each firm period",
    "product_name_inside_blocks": "each step that is not its block's first",
    "product_name_blocks": "each block",
    "call_group_0_starts": "each step in which a block of the group begins",
    "call_up_limited": "each step with an export limit",
    "call_down_limited": "each step with an import limit",
}
ROOMS = {
    "ledger": "Load in an outage",
    "storage": "Battery", "warranty.cycle_caps": "Caps on cycles", "warranty.wear": "Wear by depth of cycle",
    "site": "Site", "dc_bus": "DC bus",
    "one_way": "One way at a time",
    "demand": "Demand charges", "bends": "Tiers", "energy_rates": "Energy counters", "account": "The bill of a month",
    "connection": "Clauses of the connection",
    "cycles": "Stated cycles", "ramp": "Ramp limit",
    "firm": "Firm delivery",
    "products.market_products": "Market products", "products.calls": "Calls of market products",
    "products.activation": "Expected calls of market products",
}  # fmt: skip
COMMON = (
    "storage",
    "warranty.cycle_caps",
    "warranty.wear",
    "site",
    "dc_bus",
    "one_way",
    "demand",
    "connection",
    "ledger",
    "bends",
    "energy_rates",
    "account",
    "products.market_products",
    "products.calls",
    "products.activation",
)  # rooms that any strategy may need


@dataclass
class Row:
    """A constraint as the page shows it."""

    room: str
    name: str
    equation: str
    over: str
    unit: str
    strategies: set[str] = field(default_factory=set)


def constraints() -> list[Row]:
    """Every constraint that any strategy, topology or permission brings, by the file of its rule."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support.models import all_variants, key, of_any, wanted

    found: dict[str, Row] = {}
    for _, case, one_way in all_variants():
        model, _ = wanted(case, one_way=one_way)
        strategies = {entry.name for entry in case.scenario().strategies}
        for part in model.component_objects(pyo.Constraint):
            name = key(part)
            if name not in found and not len(part.index_set()):
                continue
            if name not in found:
                over = of_any(str(part.index_set().local_name))
                found[name] = _row(name, part, SETS.get(over, over))
            found[name].strategies |= strategies
    order = list(ROOMS)
    return sorted(found.values(), key=lambda row: (order.index(row.room), row.name))


def _row(name: str, part: Any, over: str) -> Row:
    room = part.array_rule.__module__.removeprefix("bess_opt.models.")
    member = part[next(iter(part.index_set()))]
    unit = str(pyo.units.get_units(member.body))
    return Row(room, name, _one_line(part.doc), over, unit.replace("**", "^"))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def formulation() -> str:
    """Equation, name and dual of every constraint, by the thing that it is about."""
    rows = constraints()
    parts = [
        "# Formulation",
        "Every constraint of every model: its equation, the name it bears in the model, the LP file and the errors, "
        "and the unit of its dual: what one unit more on its right-hand side is worth to the objective. A row of "
        "which a site, battery or tariff states nothing is left out of the model. Bounds of "
        "variables (power, SOC window, limits of the site) are bounds, not rows. The objective is the ledger, whose "
        "terms follow below.",
    ]
    for room, title in ROOMS.items():
        mine = [row for row in rows if row.room == room]
        if not mine:
            continue
        parts += [f"## {title}", f"`bess_opt/models/{room.replace('.', '/')}.py`: {_first(room)}"]
        for row in mine:
            who = ", ".join(f"`{name}`" for name in sorted(row.strategies))
            where = "" if room in COMMON else f"; in the models of {who}"
            parts.append(f"### `{row.name}`\n\n```equation\n{row.equation}\n```")
            parts.append(f"For {row.over}{where}. Dual: {_dual(row.unit)}.")
    return _page(parts + _terms())


def _dual(unit: str) -> str:
    if unit in ("dimensionless", "None", "1"):
        return "objective, the row being a share"
    return f"objective per {'MWh' if unit in ('h*MW', 'MW*h') else unit}"


def _first(room: str) -> str:
    module = __import__(f"bess_opt.models.{room}", fromlist=["x"])
    return _one_line((module.__doc__ or "").split("\n\n")[0])


def _terms() -> list[str]:
    from bess_opt.models import ledger

    parts = ["## Ledger", _one_line(ledger.__doc__ or "")]
    for name, rule in inspect.getmembers(ledger, inspect.isfunction):
        arguments = list(inspect.signature(rule).parameters)
        if (
            rule.__module__ == ledger.__name__
            and not name.startswith("add")
            and len(arguments) == 2
            and arguments[0] == "m"
            and rule.__doc__
        ):
            parts.append(f"### `{name}`\n\n```equation\n{_one_line(rule.__doc__)}\n```")
    return parts


def nomenclature() -> str:
    """Every time series, in and out, with unit and meaning."""
    from bess_opt.common.columns import SCHEDULE, SERIES

    parts = [
        "# Nomenclature",
        "A stamp is the start of its step on the local clock; a power is the mean over its step; `energy_mwh` and "
        "`soc` stand at its end. Money received is positive, power is positive when it leaves.",
    ]
    for title, columns in (("Series of a scenario", SERIES), ("Columns of a schedule", SCHEDULE)):
        lines = [f"## {title}", "", "| name | unit | meaning | range |", "|---|---|---|---|"]
        for name, column in columns.items():
            low, high = column.minimum, column.maximum
            span = (
                ""
                if low is None and high is None
                else f"{'' if low is None else f'{low:g}'} to {'' if high is None else f'{high:g}'}"
            )
            lines.append(f"| `{name}` | {column.unit} | {_cell(column.meaning)} | {span.strip()} |")
        parts.append("\n".join(lines))
    return _page(parts)


def catalogue() -> str:
    """Each strategy as its own file describes it, with its options."""
    from bess_opt.common.input_table import allowed
    from bess_opt.strategies.shared.discovery import discover

    parts = ["# Strategies", "Each is one file with two twins: the optimum and a rule, measured in the same score."]
    for name, strategy in sorted(discover().items()):
        module = inspect.getmodule(strategy.build)
        text = inspect.cleandoc((module.__doc__ if module else "") or strategy.summary)
        options = strategy.options.model_fields
        lines = ["| option | default | meaning |", "|---|---|---|"]
        for key, info in options.items():
            default = info.get_default(call_default_factory=True)
            shown = "required" if info.is_required() else "none" if default is None else f"`{default}`"
            lines.append(f"| `{key}` | {_cell(shown)} | {_cell(allowed(info))} |")
        default_options = strategy.options() if not any(info.is_required() for info in options.values()) else None
        unit = strategy.unit(default_options) if default_options is not None else "as its options say"
        sense = strategy.sense(default_options) if default_options is not None else "as its options say"
        better = {"max": "more is better", "min": "less is better"}.get(sense, sense)
        parts += [
            f"## `{name}`",
            text.replace("\n::\n", "\n"),
            f"Needs: {', '.join(strategy.needs) or 'nothing beyond the battery'}. Score: {unit}, {better}.",
            "\n".join(lines) if options else "No options.",
        ]
        if strategy.old_names:
            parts.append("Was called: " + ", ".join(f"`{old}`" for old in strategy.old_names) + ".")
    return _page(parts)


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")


def _page(parts: Sequence[str]) -> str:
    return MADE + "\n" + "\n\n".join(parts) + "\n"


def your_own_data() -> str:
    """The page on users' files, with its tables of arguments and of kinds; the rest of it is written by hand."""
    from bess_opt.inputs.readers.arguments import MEANINGS
    from bess_opt.inputs.readers.layout import known_kinds

    arguments = ["| argument | what it says |", "|---|---|"]
    arguments += [f"| `{name}` | {_cell(meaning)} |" for name, meaning in MEANINGS.items()]
    kinds = ["| kind | looks like | described at |", "|---|---|---|"]
    rows = sorted(known_kinds(), key=lambda kind: kind.name.lower())
    kinds += [f"| {kind.name} | `{_cell(kind.looks_like)}` | {_cell(kind.source)} |" for kind in rows]
    text = (HERE / "your_own_data.md").read_text("utf-8")
    for name, lines in (("arguments", arguments), ("kinds", kinds)):
        before, rest = text.split(f"<!-- {name}: made by docs/generate.py -->\n", 1)
        after = rest.split("<!-- end -->", 1)[1]
        text = f"{before}<!-- {name}: made by docs/generate.py -->\n" + "\n".join([*lines, "<!-- end -->"]) + after
    return text


def design() -> str:
    """The page on the house, with its table of what a change touches; the rest of it is written by hand."""
    sys.path.insert(0, str(HERE))
    from touched_files import table

    before, rest = (HERE / "design.md").read_text("utf-8").split("<!-- touched: made by docs/generate.py -->\n", 1)
    after = rest.split("<!-- end -->", 1)[1]
    return f"{before}<!-- touched: made by docs/generate.py -->\n" + "\n".join([*table(), "<!-- end -->"]) + after


def products() -> str:
    """The page on market products, with the tables of the shipped definitions; the rest of it is written by hand."""
    mark = "<!-- products: made by docs/generate.py -->\n"
    before, rest = (HERE / "products.md").read_text("utf-8").split(mark, 1)
    after = rest.split("<!-- end -->", 1)[1]
    return (
        f"{before}{mark}" + "\n\n".join(["", *reference.product_definitions(), "<!-- end -->"]).lstrip("\n") + after
    )


def value_map() -> tuple[Figure, str]:
    """What stored energy is worth over energy and time, in a week of a shipped scenario."""
    import numpy as np

    import bess_opt as bo

    plan = bo.optimize(bo.load(ROOT / "scenarios" / "solar_merchant"))
    figure = plan.plot("value", "2025-06-23")
    shown = figure.axes[0]
    numbers = [shown.collections[0].get_array().filled(np.nan).ravel(), shown.lines[0].get_ydata()]
    rounded = np.round(np.concatenate(numbers).astype(float), 4) + 0.0
    return figure, hashlib.sha256(rounded.tobytes()).hexdigest()


PICTURES = {"value_map.png": value_map}


def drawn_from(file: Path) -> str:
    """What a picture was drawn from, as it says itself: other versions of matplotlib draw other bytes."""
    if not file.is_file():
        return ""
    with Image.open(file) as picture:
        return str(picture.info.get(DRAWN_FROM, ""))


def _reference(parts: Callable[[], Sequence[str]]) -> Callable[[], str]:
    return lambda: _page(parts())


PAGES = {
    **{f"api_{room}.md": _reference(partial(reference.api, room)) for room in reference.ROOMS},
    "commands.md": _reference(reference.commands),
    "design.md": design,
    "formulation.md": formulation,
    "nomenclature.md": nomenclature,
    "products.md": products,
    "scenario_toml.md": _reference(reference.scenario_keys),
    "strategies.md": catalogue,
    "validation.md": _reference(reference.validation),
    "your_own_data.md": your_own_data,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or with --check say which differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    check = parser.parse_args(arguments).check
    stale = []
    for name, make in PAGES.items():
        file, text = HERE / name, make()
        if not file.is_file() or file.read_text("utf-8") != text:
            stale.append(name)
            if not check:
                file.write_text(text, "utf-8")
    for name, draw in PICTURES.items():
        figure, numbers = draw()
        if drawn_from(HERE / name) != numbers:
            stale.append(name)
            if not check:
                metadata = {"Software": None, DRAWN_FROM: numbers}
                figure.savefig(HERE / name, dpi=70, facecolor=figure.get_facecolor(), metadata=metadata)
    if check and stale:
        sys.stderr.write(f"stale: {', '.join(stale)}; run python docs/generate.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
