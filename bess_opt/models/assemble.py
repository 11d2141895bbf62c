"""The model of a plant put together from its parts, and with a strategy's own constraints and objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pyomo.core as pyo

from bess_opt.models.account import add_account
from bess_opt.models.connection import add_connection
from bess_opt.models.dc_bus import add_dc_bus
from bess_opt.models.demand import add_demand
from bess_opt.models.energy_rates import add_counters
from bess_opt.models.ledger import Objective, add_ledger
from bess_opt.models.products.market_products import add_products
from bess_opt.models.site import add_site
from bess_opt.models.storage import add_batteries
from bess_opt.plant.billing import Billing
from bess_opt.plant.plant import Plant


class Builder(Protocol):
    """What adds its own constraints to a model: an active strategy."""

    def build(self, m: Any, plant: Plant) -> Sequence[Objective]:
        """Add them; returns the objectives in the order in which they count, each maximised."""


def physical_model_of(plant: Plant) -> Any:
    """The model of what is possible, without objective: battery, DC bus, site, ledger."""
    m = pyo.ConcreteModel()
    m.steps = pyo.RangeSet(0, plant.steps - 1)
    m.instants = pyo.RangeSet(0, plant.steps)
    add_batteries(m, plant)
    if plant.bus is not None:
        add_dc_bus(m, plant)
    add_site(m, plant)
    add_ledger(m, plant)
    if plant.billing is not None:
        add_bill(m, plant, plant.billing)
    if plant.connection.clauses:
        add_connection(m, plant)
    if plant.offers:
        add_products(m, plant)
    m.objective_terms = []
    return m


def add_bill(m: Any, plant: Plant, billing: Billing) -> None:
    """Add what the bill holds beside the prices of the steps: counters, demand charges, and charges of the month."""
    if plant.has_prices:
        add_counters(m, plant, billing.energy.counters)
    if billing.demand.charges:
        add_demand(m, plant, billing.demand)
    add_account(m, plant, billing)


def model_of(plant: Plant, wanted: Builder) -> tuple[Any, Sequence[Objective]]:
    """The model with the strategy's constraints, and its objectives in the order in which they count."""
    m = physical_model_of(plant)
    objectives = wanted.build(m, plant)
    m.objective_terms = objectives[0]
    return m, objectives


def add_objective(m: Any) -> None:
    """Write the first objective as a Pyomo `Objective`, for people and for writers; solving does not need it."""
    m.objective = pyo.Objective(
        expr=sum(weight * sum(rule(m, i) for i in index) for weight, rule, index in m.objective_terms),
        sense=pyo.maximize,
    )
