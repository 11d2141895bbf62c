"""The lines of money, once: what each is called, which figure shows it, whether it is cash, and what it comes to.

Model, metrics, books, reports and command line read this table; a new line of money is a row here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from bess_opt.plant import money
from bess_opt.plant.plant import Plant, Storage


@dataclass(frozen=True)
class Booked:
    """A schedule and its plant, and the bill of the two."""

    schedule: pd.DataFrame
    plant: Plant

    @cached_property
    def charges(self) -> dict[str, float]:
        """What the bill holds beside energy, by line, currency paid."""
        if self.plant.billing is None:
            return {}
        bought, sold = (self.schedule[name].to_numpy() for name in ("import_mw", "export_mw"))
        return self.plant.billing.amounts(bought, sold)

    def over_batteries(self, amount: Callable[[Storage, pd.Series], float], column: str) -> float:
        """Sum over the batteries of what `amount` makes of a battery and its `column`."""
        return sum(amount(battery, self.schedule[f"{battery.prefix}{column}"]) for battery in self.plant.batteries)


@dataclass(frozen=True)
class Line:
    """A line of money: `figure` is its key in the metrics, `amount` what a schedule comes to, received positive.

    `cash` lines make up the net revenue; the others steer a plan and stand apart. Costs are `paid`: their figure is
    positive when money leaves.
    """

    figure: str
    label: str
    cash: bool
    paid: bool
    amount: Callable[[Booked], float]

    def shown(self, received: float) -> float:
        """The figure for an amount received."""
        return 0.0 - received if self.paid else received


def _charge(name: str) -> Callable[[Booked], float]:
    return lambda booked: 0.0 - booked.charges.get(name, 0.0)


def _overrun(booked: Booked) -> float:
    """Paid for power above contracted power and above the caps of clauses."""
    schedule = booked.schedule
    energy = booked.plant.connection.overrun_cost(schedule["import_mw"].to_numpy(), schedule["export_mw"].to_numpy())
    return 0.0 - booked.charges.get("overrun", 0.0) - energy


def _regulation(booked: Booked) -> float:
    """Pay for the regulation capacity held; 0 for a plant that sells none."""
    reserves, schedule = booked.plant.reserves, booked.schedule
    if reserves is None:
        return 0.0
    up, down = schedule["regulation_up_mw"].to_numpy(), schedule["regulation_down_mw"].to_numpy()
    return float(money.capacity_revenue(up, down, reserves.up_price, reserves.down_price, booked.plant.step_h).sum())


def _variable_om(booked: Booked) -> float:
    def cost(battery: Storage, discharge: pd.Series) -> float:
        spent = money.throughput_cost(float(discharge.sum()), battery.variable_om_per_mwh, booked.plant.step_h)
        return float(spent)

    return 0.0 - booked.over_batteries(cost, "discharge_mw")


def _wear(booked: Booked) -> float:
    def cost(battery: Storage, discharge: pd.Series) -> float:
        spent = money.throughput_cost(float(discharge.sum()), battery.wear_cost_per_mwh, booked.plant.step_h)
        return float(spent)

    return 0.0 - booked.over_batteries(cost, "discharge_mw")


def _unserved(booked: Booked) -> float:
    unserved = float((booked.schedule["unserved_mw"] - booked.schedule["shed_mw"]).sum())
    price = booked.plant.unserved_price_per_mwh or 0.0
    return 0.0 - float(money.unserved_cost(unserved, price, booked.plant.step_h))


def _stored(booked: Booked) -> float:
    def worth(battery: Storage, energy: pd.Series) -> float:
        return float(money.stored_value(float(energy.iloc[-1]), battery.start_mwh, battery.end_value_per_mwh))

    return booked.over_batteries(worth, "energy_mwh")


LINES: dict[str, Line] = {
    "energy": Line("energy_revenue", "energy", True, False, lambda booked: float(booked.schedule["revenue"].sum())),
    "regulation": Line("regulation_revenue", "regulation", True, False, _regulation),
    "demand": Line("demand_charges", "demand charges", True, True, _charge("demand")),
    "overrun": Line("overrun_charges", "overruns of contracted power and of clauses", True, True, _overrun),
    "fixed": Line("fixed_charges", "fixed charges", True, True, _charge("fixed")),
    "minimum": Line("minimum_charges", "charges up to the minimum", True, True, _charge("minimum")),
    "credits": Line("credits", "credits withheld less used", True, True, _charge("credits")),
    "variable_om": Line("variable_om", "variable O&M", True, True, _variable_om),
    "unserved": Line("unserved_cost", "unserved load", True, True, _unserved),
    "wear": Line("wear_cost", "wear (shadow price, no cash)", False, True, _wear),
    "stored_value": Line("stored_value", "value of stored energy (no cash)", False, False, _stored),
}


def ledger_of(schedule: pd.DataFrame, plant: Plant) -> dict[str, float]:
    """Every line of a schedule's money, received positive; each enters once (rule 15)."""
    booked = Booked(schedule, plant)
    return {name: line.amount(booked) for name, line in LINES.items()}


def cash(amounts: dict[str, float]) -> float:
    """Net revenue: the cash lines of a ledger."""
    return sum(amount for name, amount in amounts.items() if name in LINES and LINES[name].cash)


def net_revenue(schedule: pd.DataFrame, plant: Plant) -> float:
    """Cash of the horizon: all lines but wear and the value of stored energy."""
    return cash(ledger_of(schedule, plant))
