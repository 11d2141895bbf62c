"""The lines of money, once: what each is called, which figure shows it, whether it is cash, and what it comes to.

Model, metrics, books, reports and command line read this table; a new line of money is a row of `MoneyFigures`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, get_type_hints

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array, ReadColumns
from bess_opt.plant import money
from bess_opt.plant.plant import Plant, Storage
from bess_opt.plant.products.activation import settled


@dataclass(frozen=True)
class Booked:
    """A schedule and its plant, and the bill of the two."""

    columns: ReadColumns
    plant: Plant

    @cached_property
    def charges(self) -> dict[str, float]:
        """What the bill holds beside energy, by line, currency paid."""
        if self.plant.billing is None:
            return {}
        bought, sold = (self.columns[name] for name in ("import_mw", "export_mw"))
        return self.plant.billing.amounts(bought, sold, settled(self.columns, self.plant))

    def over_batteries(self, amount: Callable[[Storage, Array], float], column: str) -> float:
        """Sum over the batteries of what `amount` makes of a battery and its `column`."""
        return sum(amount(battery, self.columns[f"{battery.prefix}{column}"]) for battery in self.plant.batteries)


@dataclass(frozen=True)
class Line:
    """A line of money: `name` is its key in the ledger, `amount` what a schedule comes to, received positive.

    `cash` lines make up the net revenue; the others steer a plan and stand apart. Costs are `paid`: their figure is
    positive when money leaves. `parts` are what the amount is made of, by a name of their own; none where it is one.
    """

    name: str
    label: str
    amount: Callable[[Booked], float]
    cash: bool = True
    paid: bool = False
    parts: Callable[[Booked], dict[str, float]] | None = None

    def shown(self, received: float) -> float:
        """The figure of the line for `received` money: the same, or with the sign turned where the line is paid."""
        return 0.0 - received if self.paid else received


def _energy(booked: Booked) -> float:
    return float(np.nansum(booked.columns["revenue"]))  # none where a step has no price


def _charge(name: str) -> Callable[[Booked], float]:
    return lambda booked: 0.0 - booked.charges.get(name, 0.0)


def _overrun(booked: Booked) -> float:
    """Paid for power above contracted power and above the caps of clauses."""
    columns = booked.columns
    energy = booked.plant.connection.overrun_cost(columns["import_mw"], columns["export_mw"])
    return 0.0 - booked.charges.get("overrun", 0.0) - energy


def _offers(line: str) -> Callable[[Booked], float]:
    """Pay for the capacity held of the products of a line, and for calls that have a price of their own."""

    def paid(booked: Booked) -> float:
        pay = np.zeros(booked.plant.steps)
        for offer in booked.plant.offers:
            if offer.line == line:
                bid = booked.columns[offer.column]
                pay = pay + money.capacity_revenue(bid, offer.price, booked.plant.step_h)
                pay = pay + offer.activation_revenue(bid, booked.plant.step_h)
        return float(pay.sum())

    return paid


def _by_product(booked: Booked) -> dict[str, float]:
    """Pay of each market product, for its capacity and for calls that have a price of their own."""
    found: dict[str, float] = {}
    for offer in booked.plant.offers:
        if offer.line == "products":
            bid, h = booked.columns[offer.column], booked.plant.step_h
            found[f"{offer.name}_capacity"] = float(money.capacity_revenue(bid, offer.price, h).sum())
            found[f"{offer.name}_activation"] = float(offer.activation_revenue(bid, h).sum())
    return found


def _variable_om(booked: Booked) -> float:
    def cost(battery: Storage, discharge: Array) -> float:
        spent = money.throughput_cost(float(discharge.sum()), battery.variable_om_per_mwh, booked.plant.step_h)
        return float(spent)

    return 0.0 - booked.over_batteries(cost, "discharge_mw")


def _wear(booked: Booked) -> float:
    def cost(battery: Storage, discharge: Array) -> float:
        spent = money.throughput_cost(float(discharge.sum()), battery.wear_cost_per_mwh, booked.plant.step_h)
        if battery.wear is None:
            return float(spent)
        charge = booked.columns[f"{battery.prefix}charge_mw"]
        worn = battery.worn(charge, discharge, booked.plant.step_h)
        return float(spent) + math.fsum(worn.cost)

    return 0.0 - booked.over_batteries(cost, "discharge_mw")


def _unserved(booked: Booked) -> float:
    unserved = float((booked.columns["unserved_mw"] - booked.columns["shed_mw"]).sum())
    price = booked.plant.unserved_price_per_mwh or 0.0
    return 0.0 - float(money.unserved_cost(unserved, price, booked.plant.step_h))


def _stored(booked: Booked) -> float:
    def worth(battery: Storage, energy: Array) -> float:
        return float(money.stored_value(float(energy[-1]), battery.start_mwh, battery.end_value_per_mwh))

    return booked.over_batteries(worth, "energy_mwh")


@dataclass(frozen=True)
class MoneyFigures:
    """Figures of money over the horizon, each a row of the ledger, in the site's currency."""

    energy_revenue: Annotated[float, Line("energy", "energy", _energy)]
    regulation_revenue: Annotated[float, Line("regulation", "regulation", _offers("regulation"))]
    product_revenue: Annotated[float, Line("products", "market products", _offers("products"), parts=_by_product)]
    demand_charges: Annotated[float, Line("demand", "demand charges", _charge("demand"), paid=True)]
    overrun_charges: Annotated[
        float, Line("overrun", "overruns of contracted power and of clauses", _overrun, paid=True)
    ]
    fixed_charges: Annotated[float, Line("fixed", "fixed charges", _charge("fixed"), paid=True)]
    minimum_charges: Annotated[float, Line("minimum", "charges up to the minimum", _charge("minimum"), paid=True)]
    credits: Annotated[float, Line("credits", "credits withheld less used", _charge("credits"), paid=True)]
    variable_om: Annotated[float, Line("variable_om", "variable O&M", _variable_om, paid=True)]
    unserved_cost: Annotated[float, Line("unserved", "unserved load", _unserved, paid=True)]
    wear_cost: Annotated[float, Line("wear", "wear (shadow price, no cash)", _wear, cash=False, paid=True)]
    stored_value: Annotated[float, Line("stored_value", "value of stored energy (no cash)", _stored, cash=False)]


FIGURE_OF: dict[str, str] = {}  # the figure that shows each line, by the line's name
LINES: dict[str, Line] = {}
for _figure, _hint in get_type_hints(MoneyFigures, include_extras=True).items():
    (_line,) = _hint.__metadata__
    FIGURE_OF[_line.name], LINES[_line.name] = _figure, _line


def ledger_of(schedule: pd.DataFrame | ReadColumns, plant: Plant) -> dict[str, float]:
    """Every line of a schedule's money, received positive; each enters once."""
    booked = Booked(ReadColumns.of(schedule), plant)
    return {name: line.amount(booked) for name, line in LINES.items()}


def ledger_by_part(ledger: Mapping[str, float], schedule: pd.DataFrame, plant: Plant) -> dict[str, float]:
    """A ledger in which the parts of a line stand in its place, each under its own name."""
    booked, found = Booked(ReadColumns.of(schedule), plant), dict[str, float]()
    for name, amount in ledger.items():
        parts = LINES[name].parts if name in LINES else None
        found |= (parts(booked) if parts else {}) or {name: amount}
    return found


def label_of(name: str) -> str:
    """What a line of a ledger, or a part of one, is called."""
    return LINES[name].label if name in LINES else name.replace("_", " ")


def cash(amounts: Mapping[str, float]) -> float:
    """Net revenue: the cash lines of a ledger."""
    return sum(amount for name, amount in amounts.items() if name in LINES and LINES[name].cash)


def net_revenue(schedule: pd.DataFrame, plant: Plant) -> float:
    """Cash of the horizon: all lines but wear and the value of stored energy."""
    booked = Booked(ReadColumns(schedule), plant)
    return cash({name: line.amount(booked) for name, line in LINES.items() if line.cash})
