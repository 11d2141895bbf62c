"""A scenario and its strategies become a model: options bound and checked, pieces put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyomo.environ as pyo

from bess_opt.audit import Violation
from bess_opt.errors import ScenarioError, StrategyError
from bess_opt.findings import Finding
from bess_opt.metrics import Score
from bess_opt.models.dc_bus import add_dc_bus
from bess_opt.models.demand import add_demand
from bess_opt.models.ledger import add_ledger
from bess_opt.models.site import add_site
from bess_opt.models.storage import add_storage
from bess_opt.plant import Plant
from bess_opt.scenario import Scenario
from bess_opt.stepper import Rule
from bess_opt.strategies import get
from bess_opt.strategy import Need, Objective, Strategy
from bess_opt.tables import Table

REMEDY: dict[Need, str] = {
    "prices": "add the series column price_per_mwh (or import_ and export_price_per_mwh) or [[tariff.energy]] rows",
    "solar": "add the series column solar_mw or solar_dc_mw",
    "load": "add the series column load_mw",
    "regulation": "add the series columns regulation_up_price_per_mw and regulation_down_price_per_mw",
}


@dataclass(frozen=True)
class Bound:
    """A strategy with its checked options."""

    strategy: Strategy
    options: Table

    def restrict(self, plant: Plant) -> Plant:
        """The plant with what the strategy forbids taken away."""
        return self.strategy.restrict(plant, self.options)

    def rule(self, plant: Plant) -> Rule:
        """The rule twin, ready to be asked."""
        return self.strategy.rule(plant, self.options)

    def score(self, schedule: pd.DataFrame, plant: Plant) -> Score:
        """The strategy's figure of merit for a schedule of either twin."""
        value = self.strategy.score(schedule, plant, self.options)
        return Score(value, self.strategy.unit(self.options), self.strategy.sense(self.options))

    def checks(self, schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
        """The strategy's own laws, for the audit."""
        return self.strategy.checks(schedule, plant, self.options)

    def figures(self, schedule: pd.DataFrame, plant: Plant) -> dict[str, float]:
        """What the strategy reports beside its score."""
        return self.strategy.figures(schedule, plant, self.options)

    def notes(self, plant: Plant) -> list[Finding]:
        """What the strategy assumes where the scenario says nothing."""
        return self.strategy.notes(plant, self.options)


def bind(scenario: Scenario, plant: Plant) -> Bound:
    """The scenario's strategy with its options checked and the series that it needs present.

    Raises `StrategyError` for an unknown strategy, a wrong option or a missing series (rule 12).
    """
    entries = scenario.strategies
    if not entries:
        raise StrategyError("strategy: none is stated; add [strategy] with name = one of the names of bess-opt list")
    if len(entries) > 1:
        names = ", ".join(repr(entry.name) for entry in entries)
        raise StrategyError(f"strategy: {names} cannot be stacked; state one [strategy]")
    entry = entries[0]
    strategy = get(entry.name)
    try:
        options = strategy.options(**dict(entry.options))
    except ScenarioError as error:
        lines = (f"strategy.{p.where}: {p.found}; {p.expected}" for p in error.problems)
        raise StrategyError("\n".join(lines)) from None
    for need in strategy.needs:
        if not _present(need, plant):
            raise StrategyError(
                f"strategy.name: {strategy.name!r} needs {need}, which the scenario has not; {REMEDY[need]}"
            )
    return Bound(strategy, options)


def _present(need: Need, plant: Plant) -> bool:
    if need == "prices":
        return plant.has_prices
    if need == "solar":
        return bool(plant.solar_mw.any())
    if need == "load":
        return bool(plant.load_mw.any())
    return {"regulation_up_price_per_mw", "regulation_down_price_per_mw"} <= plant.extra.keys()


def physical_model(plant: Plant) -> Any:
    """The model of what is possible, without objective: battery, DC bus, site, ledger."""
    m = pyo.ConcreteModel()
    m.steps = pyo.RangeSet(0, plant.steps - 1)
    m.instants = pyo.RangeSet(0, plant.steps)
    add_storage(m, plant)
    if plant.bus is not None:
        add_dc_bus(m, plant)
    add_site(m, plant)
    add_ledger(m, plant)
    if plant.billing is not None:
        add_demand(m, plant.billing)
    m.objective_terms = []
    return m


def model(plant: Plant, bound: Bound) -> tuple[Any, Sequence[Objective]]:
    """The model with the strategy's constraints, and its objectives in the order in which they count."""
    m = physical_model(plant)
    objectives = bound.strategy.build(m, plant, bound.options)
    m.objective_terms = objectives[0]
    return m, objectives


def add_objective(m: Any) -> None:
    """Write the first objective as a Pyomo `Objective`, for people and for writers; solving does not need it."""
    m.objective = pyo.Objective(
        expr=sum(weight * sum(rule(m, i) for i in index) for weight, rule, index in m.objective_terms),
        sense=pyo.maximize,
    )
