"""A scenario's strategy with its options checked: one, or several that share the batteries, asked in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from bess_opt.common.errors import StrategyError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Table
from bess_opt.models.ledger import money_terms
from bess_opt.plant.audit import Violation
from bess_opt.plant.ledger import net_revenue
from bess_opt.plant.metrics import Score
from bess_opt.plant.plant import Plant
from bess_opt.plant.rule import AnyRule, Committing, Rule, State
from bess_opt.strategies.shared.contract import Objective, Sense, Strategy
from bess_opt.strategies.shared.cycle_budget import within_budget


class ActiveStrategy(Protocol):
    """What is wanted of the plant."""

    @property
    def names(self) -> tuple[str, ...]:
        """The strategies, in the order in which they are stated."""

    @property
    def hard_limits(self) -> dict[str, float]:
        """Stated options that, raised, leave both twins more room, by where they stand."""

    @property
    def sense(self) -> Sense:
        """Whether more or less of the score is better."""

    def restrict(self, plant: Plant) -> Plant:
        """The plant with what the strategies forbid taken away."""

    def build(self, m: Any, plant: Plant) -> Sequence[Objective]:
        """Own constraints added to the model; objectives in the order in which they count."""

    def rule(self, plant: Plant) -> AnyRule:
        """The rule twin, ready to be asked."""

    def score(self, schedule: pd.DataFrame, plant: Plant) -> Score:
        """The figure of merit for a schedule of either twin."""

    def penalties(self, schedule: pd.DataFrame, plant: Plant) -> dict[str, float]:
        """Stated penalties as lines of the ledger, money received positive."""

    def missed(self, schedule: pd.DataFrame, plant: Plant) -> list[Finding]:
        """Hard limits of a stack's strategies that a rule did not keep."""

    def checks(self, schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
        """The strategies' own laws, for the audit."""

    def figures(self, schedule: pd.DataFrame, plant: Plant) -> dict[str, float]:
        """What is reported beside the score."""

    def notes(self, plant: Plant) -> list[Finding]:
        """What is assumed where the scenario says nothing."""


@dataclass(frozen=True)
class SingleStrategy:
    """A strategy with its checked options."""

    strategy: Strategy
    options: Table

    @property
    def names(self) -> tuple[str, ...]:
        """Its name."""
        return (self.strategy.name,)

    @property
    def hard_limits(self) -> dict[str, float]:
        """See `ActiveStrategy`."""
        stated = {f"strategy.{name}": getattr(self.options, name) for name in self.strategy.hard_limits}
        return {where: value for where, value in stated.items() if value is not None}

    @property
    def sense(self) -> Sense:
        """See `ActiveStrategy`."""
        return self.strategy.sense(self.options)

    def restrict(self, plant: Plant) -> Plant:
        """See `ActiveStrategy`."""
        return self.strategy.restrict(plant, self.options)

    def build(self, m: Any, plant: Plant) -> Sequence[Objective]:
        """See `ActiveStrategy`."""
        return self.strategy.build(m, plant, self.options)

    def rule(self, plant: Plant) -> AnyRule:
        """See `ActiveStrategy`."""
        return within_budget(plant, self.strategy.rule(plant, self.options))

    def score(self, schedule: pd.DataFrame, plant: Plant) -> Score:
        """The strategy's own score."""
        value = self.strategy.score(schedule, plant, self.options)
        return Score(value, self.strategy.unit(self.options), self.sense)

    def penalties(self, _schedule: pd.DataFrame, _plant: Plant) -> dict[str, float]:
        """None: alone, a strategy has its score."""
        return {}

    def missed(self, _schedule: pd.DataFrame, _plant: Plant) -> list[Finding]:
        """None: alone, what is missed is in the score."""
        return []

    def checks(self, schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
        """See `ActiveStrategy`."""
        return self.strategy.checks(schedule, plant, self.options)

    def figures(self, schedule: pd.DataFrame, plant: Plant) -> dict[str, float]:
        """See `ActiveStrategy`."""
        return self.strategy.figures(schedule, plant, self.options)

    def notes(self, plant: Plant) -> list[Finding]:
        """See `ActiveStrategy`."""
        return self.strategy.notes(plant, self.options)


@dataclass(frozen=True)
class StrategyStack:
    """Several strategies on one battery.

    Each adds its constraints; the ledger is maximised once, less the penalties that strategies not scored in
    money state. The score is net revenue. The rule twin asks the rules in list order: an earlier one's power
    stands, a later one may add to it in the same direction, or use all of it where the earlier asked for none.
    """

    parts: tuple[SingleStrategy, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in list order."""
        return tuple(part.strategy.name for part in self.parts)

    @property
    def hard_limits(self) -> dict[str, float]:
        """Those of all, each at its place in the list."""
        return {
            where.replace("strategy", f"strategy[{i}]", 1): value
            for i, part in enumerate(self.parts)
            for where, value in part.hard_limits.items()
        }

    @property
    def sense(self) -> Sense:
        """More net revenue is better."""
        return "max"

    def require(self, plant: Plant) -> None:
        """Raise `StrategyError` where the strategies contradict each other."""
        restricted = self.restrict(plant)
        against = [
            f"strategy[{i}].{line}"
            for i, part in enumerate(self.parts)
            for line in part.strategy.stacked.against(restricted, part.options)
        ]
        if against:
            raise StrategyError("\n".join(against))

    def restrict(self, plant: Plant) -> Plant:
        """The plant under all restrictions together."""
        for part in self.parts:
            plant = part.restrict(plant)
        return plant

    def build(self, m: Any, plant: Plant) -> Sequence[Objective]:
        """max Σ ledger − Σ penalties."""
        for part in self.parts:
            part.build(m, plant)
        own = [term for part in self.parts for term in part.strategy.stacked.terms(m, plant, part.options)]
        return [[*money_terms(m), *own]]

    def rule(self, plant: Plant) -> AnyRule:
        """All rules as one, in list order."""
        together = in_order([part.strategy.rule(plant, part.options) for part in self.parts])
        return within_budget(plant, together)

    def score(self, schedule: pd.DataFrame, plant: Plant) -> Score:
        """Net revenue: cash."""
        return Score(net_revenue(schedule, plant), "currency", self.sense)

    def penalties(self, schedule: pd.DataFrame, plant: Plant) -> dict[str, float]:
        """One line per strategy that states a penalty, 0 or less."""
        return {
            f"{part.strategy.name} penalty": 0.0 - part.strategy.stacked.cost(schedule, plant, part.options)
            for part in self.parts
            if part.strategy.stacked.cost is not None
        }

    def missed(self, schedule: pd.DataFrame, plant: Plant) -> list[Finding]:
        """See `ActiveStrategy`."""
        return [f for part in self.parts for f in part.strategy.stacked.missed(schedule, plant, part.options)]

    def checks(self, schedule: pd.DataFrame, plant: Plant) -> list[Violation]:
        """The laws of all."""
        return [violation for part in self.parts for violation in part.checks(schedule, plant)]

    def figures(self, schedule: pd.DataFrame, plant: Plant) -> dict[str, float]:
        """Each strategy's own score and figures, under its name."""
        found = {}
        for part in self.parts:
            name = part.strategy.name
            found[f"{name}.score"] = part.score(schedule, plant).value
            found |= {f"{name}.{key}": value for key, value in part.figures(schedule, plant).items()}
        return found

    def notes(self, plant: Plant) -> list[Finding]:
        """The notes of all, and those that only a stack has."""
        own = [note for part in self.parts for note in part.notes(plant)]
        return own + [note for part in self.parts for note in part.strategy.stacked.notes(plant, part.options)]


def in_order(rules: Sequence[Rule | Committing]) -> Rule | Committing:
    """One rule of several: what an earlier one asks for stands, a later one uses the power that is left.

    A rule that commits capacity (`Committing`) is asked last, because its capacity depends on the others' power;
    its place in the list says whether it or they come first.
    """
    committing = [rule for rule in rules if isinstance(rule, Committing)]
    free = [rule for rule in rules if not isinstance(rule, Committing)]
    if len(committing) > 1:
        raise StrategyError(
            "strategy: two rules of this stack commit capacity; only one can, for each takes what is left"
        )
    if not committing:
        return lambda state: _wish(free, state)
    last = committing[0]
    last.beside_others(first=rules[0] is last)
    return _Committed(last, free)


def _wish(rules: Sequence[Rule], state: State) -> float:
    power = 0.0
    for rule in rules:
        asked = rule(state)
        if power == 0.0 or (asked > power if power > 0.0 else asked < power):
            power = asked
    return power


class _Committed:
    """A rule that commits capacity around the power that the others ask for."""

    def __init__(self, rule: Committing, free: Sequence[Rule]) -> None:
        self.held, self.wish = rule.held, 0.0
        self._rule, self._free = rule, free

    def beside_others(self, *, first: bool) -> None:
        """See `Committing`."""
        self._rule.beside_others(first=first)

    def __call__(self, state: State) -> float | Mapping[str, float]:
        self._rule.wish = self.wish + _wish(self._free, state)
        return self._rule(state)
