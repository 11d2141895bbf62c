"""Which column, which place, which unit: the caller's word, the only one that fits, or a question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bess_opt.inputs.readers.arguments import Quantity, Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Layout, matching
from bess_opt.inputs.readers.problems import listed, problem
from bess_opt.inputs.readers.reading import Log
from bess_opt.inputs.readers.units import KNOWN, fits, unit_in

CAPACITY = (
    r"(?<![a-z])(reg(ulation)?[ _]?(up|down|dn)|fr price|nsr price|sr price|spin|rrs|ecrs|mcpc|a?frr|mfrr|fcr|ffr|"
    r"rmccp|rmpcp|rmcp)(?![a-z])|non[ _-]?spin|ancillary|capacity[ _]?(price|payment|clearing)|leistungspreis|"
    r"clr_prc|reserve|(eur|usd|gbp|[€$£])\)?(/| per |_per_)mw(?!h)|price_per_mw(?!h)"
)
# Columns and cells that only files on reserves have.
_RESERVE_NAMES = r"^(as[_ ]type|mcp type|ancillary ?type|type_of_reserves|(raise|lower)\w*rrp)$"
_RESERVE_CELLS = (
    r"fcr|a?frr|mfrr|(neg|pos|negpos)_\d\d_\d\d|reg(up|dn|down)?|nspin|spin|rrs|ecrs|d[cmr][hl]|ffr|gen\w+mcp"
)
WORDS: dict[Quantity, str] = {
    "price": r"price|preis|lmp|tariff|\bspot\b|unit_load_cost|\brrp\b",
    "load": r"load|demand|last\b|verbrauch|consumption|usage|import_kw|netzbezug",
    "solar": r"\bpv|solar|photovolt|_pv\b|production|produced|erzeugung|generation",
}

_VERBS = {"price": "bo.read_prices", "load": "bo.read_load", "solar": "bo.read_solar"}
THINGS = {"price": "prices", "load": "load", "solar": "solar power"}


def refuse_reserves(table: Table, quantity: Quantity) -> None:
    """ScenarioError for a table on market products for reserves, known by the names or cells of its columns."""
    for name in table.names:
        if re.search(_RESERVE_NAMES, name, re.IGNORECASE):
            raise _capacity(table.source, f"holds prices for capacity (column {name})", quantity)
        cell = table.first(name)
        if re.fullmatch(_RESERVE_CELLS, cell, re.IGNORECASE):
            raise _capacity(table.source, f"holds prices for capacity ({cell} in column {name})", quantity)


def refuse_capacity(table: Table, layout: Layout, quantity: Quantity) -> None:
    """ScenarioError where a file holds prices for capacity, which are neither energy prices nor a load."""
    if layout.capacity:
        raise _capacity(table.source, f"holds prices for capacity ({layout.capacity})", quantity)


def _capacity(where: str, found: str, quantity: Quantity) -> Exception:
    thing = {"price": "energy price", "load": "load", "solar": "solar power"}[quantity]
    expected = f"give a file with the {thing}; bo.read_products reads prices for capacity"
    return problem("capacity_price", where, f"{found}, no {thing}", expected)


def choose_column(table: Table, layout: Layout, stated: Stated, log: Log) -> str:
    """The stated column, by its name or a part of it that no other has; else the only fitting one.

    ScenarioError names the choices.
    """
    known = layout.values.get(stated.quantity)
    fitting = matching(table, known.pattern) if known else []
    word = stated.take("column")
    if word is None:
        column = _only(table, layout, stated, fitting)
        others = len(fitting) > 1
        log.decide("column", column, "choice" if others else "kind" if known else "file")
    else:
        column = _named(table, str(word))
        log.decide("column", column, "stated")
    if re.search(CAPACITY, column, re.IGNORECASE):
        raise _capacity(f"{table.source} column {column}", "is a price for capacity", stated.quantity)
    return column


def _only(table: Table, layout: Layout, stated: Stated, fitting: Sequence[str]) -> str:
    if len(fitting) == 1:
        return fitting[0]
    if len(fitting) > 1:
        found = f"has {len(fitting)} columns that may be meant"
        raise problem("several_columns", table.source, found, f"state column: {listed(list(fitting))}")
    held = [quantity for quantity in layout.values if quantity != stated.quantity]
    names = [name for name in table.names if name]
    if held and not layout.values.get(stated.quantity):
        verbs = " or ".join(
            {"price": "bo.read_prices", "load": "bo.read_load", "solar": "bo.read_solar"}[q] for q in held
        )
        what = " and ".join(THINGS[q] for q in held)
        thing = THINGS[stated.quantity]
        raise problem("missing_column", table.source, f"holds {what}, no {thing}", f"read it with {verbs}")
    expected = f"state column and unit; there are {listed(names)}"
    raise problem("missing_column", table.source, f"has no column for {stated.quantity}", expected)


def _named(table: Table, word: str, argument: str = "column") -> str:
    exact = [name for name in table.names if name == word]
    part = exact or [name for name in table.names if word and word.lower() in name.lower()]
    if len(part) != 1:
        found = f"{word!r} is {'no' if not part else 'more than one'} column of {table.source}"
        raise problem(
            "missing_column", argument, found, f"give one of {listed(part or [n for n in table.names if n])}"
        )
    return part[0]


def named_column(table: Table, word: str, argument: str) -> str:
    """A column that an argument other than `column` names; `word` may be "" for a column without a name."""
    if word == "" and "" in table.names:
        return ""
    return _named(table, word, argument)


def choose_unit(table: Table, layout: Layout, column: str, stated: Stated, log: Log) -> str:
    """The stated unit, else the file's own, else that of the kind. ScenarioError if it does not fit the quantity."""
    known = layout.values.get(stated.quantity)
    written = unit_in(column) or unit_in(table.unit(column)) or _bare_unit(table.unit(column), stated.quantity)
    given = stated.take("unit")
    if given is None and stated.has("capacity_mw") and not written and not (known and known.unit):
        log.decide("unit", "kW/kWp", "stated")
        return "kW/kWp"
    fitting = written if written and fits(written, stated.quantity) else ""
    unit = given or fitting or (known.unit if known else "") or written
    if not unit or not fits(str(unit), stated.quantity):
        found = f"column {column!r} is in {unit!r}" if unit else f"column {column!r} states no unit"
        expected = KNOWN[stated.quantity]
        raise problem(
            "unknown_unit", "unit" if given else table.source, found, expected if given else f"state unit: {expected}"
        )
    log.decide("unit", unit, "stated" if given else "file" if written else "kind")
    return str(unit)


def _bare_unit(text: str, quantity: Quantity) -> str:
    return text if text and fits(text, quantity) else ""


def one_place(table: Table, layout: Layout, stated: Stated, log: Log) -> Table:
    """The rows of the node, area or meter that is meant. ScenarioError if there are several and none is stated."""
    for column in layout.places:
        if not table.has(column):
            continue
        places = table.uniques(column)
        wanted = stated.take("place")
        if wanted is None and len(places) > 1:
            found = f"column {column} holds {listed(places, 8)}"
            raise problem("several_places", table.source, found, "state place, one of these")
        chosen = places[0] if wanted is None else _place(table, column, places, str(wanted))
        log.decide(
            "place",
            chosen,
            "file" if wanted is None else "stated",
            f"the series is {chosen}",
            where=f"column {column}",
        )
        return table.where(table.equal(column, chosen))
    return table


def _place(table: Table, column: str, places: Sequence[str], wanted: str) -> str:
    part = [p for p in places if p == wanted] or [p for p in places if wanted and wanted.lower() in p.lower()]
    if len(part) != 1:
        found = f"column {column} holds {listed(list(places), 8)}, " + (
            "none of which" if not part else "of which several"
        )
        raise problem("several_places", table.source, f"{found} fit {wanted!r}", "state place, one of these")
    return part[0]


def kept_rows(table: Table, layout: Layout, log: Log) -> Table:
    """The rows that a kind of file is read from, where it also lists others. ScenarioError if none is left."""
    for column, value, why in layout.keep:
        if not table.has(column):
            continue
        values = table.uniques(column)
        wanted = value.split("|")
        rest = not set(values) <= set(wanted)
        table = table.where(table.among(column, wanted))
        if not len(table):
            expected = f"give a file with rows of {value}"
            raise problem("empty_series", table.source, f"has no row of {value} in column {column}", expected)
        if rest and why:
            log.decide("rows", f"{column} = {value}", "kind", why, where=f"column {column}")
    return table
