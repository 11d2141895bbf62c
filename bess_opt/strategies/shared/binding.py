"""A scenario and its strategies become a model: options bound and checked, pieces put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyomo.environ as pyo

from bess_opt.common.errors import ScenarioError, StrategyError
from bess_opt.inputs.magnitudes import batteries_power_mw, too_large, usual_price
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.strategy_entry import StrategyEntry
from bess_opt.models.account import add_account
from bess_opt.models.dc_bus import add_dc_bus
from bess_opt.models.demand import add_demand
from bess_opt.models.energy_rates import add_counters
from bess_opt.models.ledger import add_ledger
from bess_opt.models.site import add_site
from bess_opt.models.storage import add_batteries
from bess_opt.plant.billing import Billing
from bess_opt.plant.plant import Plant
from bess_opt.strategies.shared.contract import Need, Objective
from bess_opt.strategies.shared.discovery import get
from bess_opt.strategies.shared.stack import Bound, One, Stack

REMEDY: dict[Need, str] = {
    "prices": "add the series column price_per_mwh (or import_ and export_price_per_mwh) or [[tariff.energy]] rows",
    "solar": "add the series column solar_mw or solar_dc_mw",
    "load": "add the series column load_mw",
    "regulation": "add the series columns regulation_up_price_per_mw and regulation_down_price_per_mw",
}


def bind(scenario: Scenario, plant: Plant) -> Bound:
    """The scenario's strategy, or stack of strategies, with options checked and the series that it needs present.

    Raises `StrategyError` for an unknown strategy, a wrong option or a missing series (rule 12), and for a stack
    whose strategies contradict each other.
    """
    entries = scenario.strategies
    if not entries:
        raise StrategyError("strategy: none is stated; add [strategy] with name = one of the names of bess-opt list")
    if len(entries) == 1:
        return _bound(entries[0], scenario, plant, "strategy")
    twice = sorted({e.name for e in entries if sum(e.name == other.name for other in entries) > 1})
    if twice:
        raise StrategyError(f"strategy: {twice[0]!r} is stated twice; a stack holds each strategy once")
    stack = Stack(tuple(_bound(entry, scenario, plant, f"strategy[{i}]") for i, entry in enumerate(entries)))
    stack.require(plant)
    return stack


def _bound(entry: StrategyEntry, scenario: Scenario, plant: Plant, where: str) -> One:
    strategy = get(entry.name)
    try:
        options = strategy.options(**dict(entry.options))
    except ScenarioError as error:
        lines = (f"{where}.{p.where}: {p.found}; {p.expected}" for p in error.problems)
        raise StrategyError("\n".join(lines)) from None
    power, price = batteries_power_mw(scenario.batteries), usual_price(scenario.series, scenario.tariff)
    far = [finding.sentence() for finding in too_large(options, where, power, price)]
    if far:
        raise StrategyError("\n".join(far))
    for need in strategy.needs:
        if not _present(need, plant):
            raise StrategyError(
                f"{where}.name: {strategy.name!r} needs {need}, which the scenario has not; {REMEDY[need]}"
            )
    return One(strategy, options)


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
    add_batteries(m, plant)
    if plant.bus is not None:
        add_dc_bus(m, plant)
    add_site(m, plant)
    add_ledger(m, plant)
    if plant.billing is not None:
        add_bill(m, plant, plant.billing)
    m.objective_terms = []
    return m


def add_bill(m: Any, plant: Plant, billing: Billing) -> None:
    """Add what the bill holds beside the prices of the steps: counters, demand charges, and charges of the month."""
    if plant.has_prices:
        add_counters(m, plant, billing.energy.counters)
    if billing.demand.charges:
        add_demand(m, plant, billing.demand)
    add_account(m, plant, billing)


def model(plant: Plant, bound: Bound) -> tuple[Any, Sequence[Objective]]:
    """The model with the strategy's constraints, and its objectives in the order in which they count."""
    m = physical_model(plant)
    objectives = bound.build(m, plant)
    m.objective_terms = objectives[0]
    return m, objectives


def add_objective(m: Any) -> None:
    """Write the first objective as a Pyomo `Objective`, for people and for writers; solving does not need it."""
    m.objective = pyo.Objective(
        expr=sum(weight * sum(rule(m, i) for i in index) for weight, rule, index in m.objective_terms),
        sense=pyo.maximize,
    )
