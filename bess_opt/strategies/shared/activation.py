"""From the strategies that a scenario names to one that can be asked: options checked, series present."""

from __future__ import annotations

from typing import NamedTuple

from bess_opt.common.columns import REGULATION
from bess_opt.common.errors import ScenarioError, StrategyError
from bess_opt.inputs.reading.magnitudes import far_beside
from bess_opt.inputs.reading.strategy_entry import StrategyEntry
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.from_scenario import kept, plant_of
from bess_opt.plant.plant import Plant
from bess_opt.strategies.shared.contract import Need
from bess_opt.strategies.shared.discovery import get
from bess_opt.strategies.shared.stack import ActiveStrategy, SingleStrategy, StrategyStack

REMEDY: dict[Need, str] = {
    "prices": "add the series column price_per_mwh (or import_ and export_price_per_mwh) or [[tariff.energy]] rows",
    "solar": "add the series column solar_mw or solar_dc_mw",
    "load": "add the series column load_mw",
    "regulation": "add the series columns regulation_up_price_per_mw and regulation_down_price_per_mw",
}


class Prepared(NamedTuple):
    """What every way to operate a scenario begins with."""

    plant: Plant  # under what the strategies forbid
    strategy: ActiveStrategy


def prepare(scenario: Scenario, stated_plant: Plant | None = None) -> Prepared:
    """The scenario's plant and its strategy, options checked. Raises as `plant_of` and `activate` do.

    `stated_plant` stands for the scenario's own plant, where some of its numbers are others.
    """
    if stated_plant is None:
        return kept(scenario, "prepared", lambda: prepare(scenario, plant_of(scenario)))
    strategy = activate(scenario, stated_plant)
    return Prepared(strategy.restrict(stated_plant), strategy)


def activate(scenario: Scenario, plant: Plant) -> ActiveStrategy:
    """The scenario's strategy, or stack of strategies, with options checked and the series that it needs present.

    Raises `StrategyError` for an unknown strategy, a wrong option or a missing series, and for a stack
    whose strategies contradict each other.
    """
    entries = scenario.strategies
    if not entries:
        raise StrategyError("strategy: none is stated; add [strategy] with name = one of the names of bess-opt list")
    if len(entries) == 1:
        single = _single(entries[0], scenario, plant, "strategy")
        _require_products_fit(scenario, single.strategy.unit(single.options))
        return single
    _require_products_fit(scenario, "currency")
    twice = sorted({e.name for e in entries if sum(e.name == other.name for other in entries) > 1})
    if twice:
        raise StrategyError(f"strategy: {twice[0]!r} is stated twice; a stack holds each strategy once")
    stack = StrategyStack(tuple(_single(entry, scenario, plant, f"strategy[{i}]") for i, entry in enumerate(entries)))
    stack.require(plant)
    return stack


def _require_products_fit(scenario: Scenario, unit: str) -> None:
    """Raise `StrategyError` where market products stand beside what cannot hold them."""
    if not scenario.product:
        return
    names = ", ".join(repr(product.name) for product in scenario.product)
    if unit != "currency":
        raise StrategyError(f"product: found {names} beside a strategy scored in {unit}; use one scored in money")


def _single(entry: StrategyEntry, scenario: Scenario, plant: Plant, where: str) -> SingleStrategy:
    strategy = get(entry.name)
    try:
        options = strategy.options(**dict(entry.options))
    except ScenarioError as error:
        lines = (f"{where}.{p.where}: {p.found}; {p.expected}" for p in error.problems)
        raise StrategyError("\n".join(lines)) from None
    far = far_beside(options, where, scenario.batteries, scenario.series, scenario.tariff)
    if far:
        raise StrategyError("\n".join(finding.sentence() for finding in far))
    for need in strategy.needs:
        if not _present(need, plant):
            raise StrategyError(
                f"{where}.name: {strategy.name!r} needs {need}, which the scenario has not; {REMEDY[need]}"
            )
    return SingleStrategy(strategy, options)


def _present(need: Need, plant: Plant) -> bool:
    if need == "prices":
        return plant.has_prices
    if need == "solar":
        return bool(plant.solar_mw.any())
    if need == "load":
        return bool(plant.load_mw.any())
    asked = (product for name, product in REGULATION.items() if name.startswith(f"{need}_"))
    return {product.price_column for product in asked} <= plant.extra.keys()
