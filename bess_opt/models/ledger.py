"""The ledger of the model: each term enters once, as a rule that gives money received per step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyomo.core as pyo

from bess_opt.models.assets import asset, rule_of
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar, Constant
from bess_opt.models.meaning import Meaning
from bess_opt.models.units import MW, MWH, PER_MWH
from bess_opt.models.warranty.wear import wear_by_depth, wear_of_one_price
from bess_opt.plant import money
from bess_opt.plant.ledger import LINES
from bess_opt.plant.plant import Plant

PAID = Meaning(kind="gauge", flow="unserved_mw")
Objective = list[tuple[float, Any, Any]]  # (weight, rule(m, i) -> value, index set): maximised


@dataclass(frozen=True)
class Term:
    """A part of a line of the ledger: `rule(m, i)` gives currency received for member i of `index`."""

    line: str
    rule: Callable[[Any, Any], Any]
    index: Any
    owner: str = ""


def add_ledger(m: Any, plant: Plant) -> None:
    """Add the prices and the terms that they make; `m.ledger` lists them."""
    m.ledger = []
    for battery in plant.batteries:
        own = asset(m, battery)
        own.wear_cost_per_mwh = Constant(battery.wear_cost_per_mwh, PER_MWH)
        own.variable_om_per_mwh = Constant(battery.variable_om_per_mwh, PER_MWH)
        own.stored_value_per_mwh = Constant(battery.end_value_per_mwh, PER_MWH)
    if plant.has_prices:
        m.import_price = ArrayParam(m.steps, plant.import_price, units=PER_MWH, doc="price paid for import")
        m.export_price = ArrayParam(m.steps, plant.export_price, units=PER_MWH, doc="price received for export")
        add_term(m, "energy", energy_revenue, m.steps)
    for battery in plant.batteries:
        if battery.wear_cost_per_mwh:
            add_term(m, "wear", rule_of(battery, wear), m.steps, battery.prefix)
        if battery.wear is not None:
            by_depth = wear_of_one_price if battery.wear.one_price else wear_by_depth
            add_term(m, "wear", rule_of(battery, by_depth), m.steps, battery.prefix)
        if battery.variable_om_per_mwh:
            add_term(m, "variable_om", rule_of(battery, variable_om), m.steps, battery.prefix)
    if plant.unserved_price_per_mwh is not None:
        m.unserved_price_per_mwh = Constant(plant.unserved_price_per_mwh, PER_MWH)
        if plant.free_shed_mw.any():
            add_paid_unserved(m, plant)
        add_term(m, "unserved", unserved_beyond if plant.free_shed_mw.any() else unserved, m.steps)
    if any(battery.end_value_per_mwh for battery in plant.batteries):
        m.horizon = pyo.RangeSet(plant.steps, plant.steps)
    for battery in plant.batteries:
        if battery.end_value_per_mwh:
            own = asset(m, battery)
            own.energy_start_mwh = Constant(battery.start_mwh, MWH)
            add_term(m, "stored_value", rule_of(battery, stored_value), m.horizon, battery.prefix)


def add_term(m: Any, line: str, rule: Callable[[Any, Any], Any], index: Any, owner: str = "") -> None:
    """Enter a part of a line of `bess_opt.plant.ledger`; each rule enters once.

    `owner` is the prefix of the battery that the part is about, where there are several.
    """
    if line not in LINES:
        raise ValueError(f"the ledger has no line {line!r}; state it in bess_opt.plant.ledger")
    if any((term.line, term.owner) == (line, owner) and term.index is index for term in m.ledger):
        raise ValueError(f"the ledger has this part of the line {line!r} already")
    m.ledger.append(Term(line, rule, index, owner))


def energy_revenue(m: Any, t: Any) -> Any:
    """h·(p_export·export − p_import·import)."""
    bought, sold = settled_flows(m)
    return money.energy_revenue(bought[t], sold[t], m.import_price[t], m.export_price[t], m.step_h)


def settled_flows(m: Any) -> tuple[Any, Any]:
    """(import, export) that energy prices see: the meter's, or without calls that have a price of their own."""
    if hasattr(m, "settled_import_mw"):
        return m.settled_import_mw, m.settled_export_mw
    return m.import_mw, m.export_mw


def wear(m: Any, t: Any) -> Any:
    """−wear·h·d: a shadow price, no cash."""
    return -money.throughput_cost(m.discharge_mw[t], m.wear_cost_per_mwh, m.step_h)


def variable_om(m: Any, t: Any) -> Any:
    """−om·h·d: cash."""
    return -money.throughput_cost(m.discharge_mw[t], m.variable_om_per_mwh, m.step_h)


def unserved(m: Any, t: Any) -> Any:
    """−price·h·unserved."""
    return -money.unserved_cost(m.unserved_mw[t], m.unserved_price_per_mwh, m.step_h)


def add_paid_unserved(m: Any, plant: Plant) -> None:
    """Add the part of the unserved load that is not free of charge."""
    m.free_shed_mw = ArrayParam(m.steps, plant.free_shed_mw, units=MW, doc="load that may go unserved free of charge")
    m.unserved_paid_mw = ArrayVar(
        m.steps, upper=plant.sheddable_mw, units=MW, doc="unserved load that has a price", meaning=PAID
    )
    m.unserved_beyond_free = ArrayConstraint(m.steps, rule=unserved_beyond_free, meaning=PAID)


def unserved_beyond_free(m: Any, t: Any) -> Any:
    """unserved[t] − paid[t] <= what is free of charge."""
    return m.unserved_mw[t] - m.unserved_paid_mw[t] <= m.free_shed_mw[t]


def unserved_beyond(m: Any, t: Any) -> Any:
    """−price·h·paid."""
    return -money.unserved_cost(m.unserved_paid_mw[t], m.unserved_price_per_mwh, m.step_h)


def stored_value(m: Any, end: Any) -> Any:
    """value·(e[T] − e_start)."""
    return money.stored_value(m.energy_mwh[end], m.energy_start_mwh, m.stored_value_per_mwh)


def money_terms(m: Any) -> list[tuple[float, Any, Any]]:
    """All terms of the ledger with weight 1: what a strategy scored in money maximises."""
    return [(1.0, term.rule, term.index) for term in m.ledger]


def cash_terms(m: Any) -> list[tuple[float, Any, Any]]:
    """The terms that make up the net revenue, with weight 1."""
    return [(1.0, term.rule, term.index) for term in m.ledger if LINES[term.line].cash]


def same_terms(one: Sequence[tuple[float, Any, Any]], other: Sequence[tuple[float, Any, Any]]) -> bool:
    """Whether two objectives of a model are the same rules over the same members with the same weights."""
    return len(one) == len(other) and all(
        weight == of_weight and rule is of_rule and index is of_index
        for (weight, rule, index), (of_weight, of_rule, of_index) in zip(one, other, strict=True)
    )


def shadow_lines(m: Any) -> list[str]:
    """Lines of the ledger that are no cash: they steer a plan and stand apart."""
    return sorted({term.line for term in m.ledger if not LINES[term.line].cash})
