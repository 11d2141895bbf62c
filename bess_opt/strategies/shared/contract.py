"""What a strategy file must offer, and nothing about any single strategy.

A strategy is a pair of twins in one file: an optimal model (objective and own constraints) and a rule.
The file ends with `STRATEGY = Strategy(...)`; that is all the package needs to find, check and run it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Table
from bess_opt.models.ledger import Objective as Objective
from bess_opt.plant.audit import Violation
from bess_opt.plant.plant import Plant
from bess_opt.plant.rule import Committing, Rule

Need = Literal["prices", "solar", "load", "regulation"]
Sense = Literal["max", "min"]


class NoOptions(Table):
    """A strategy without options."""


def no_checks(_schedule: pd.DataFrame, _plant: Plant, _options: Any) -> list[Violation]:
    """For a strategy without laws of its own."""
    return []


def no_figures(_schedule: pd.DataFrame, _plant: Plant, _options: Any) -> dict[str, float]:
    """For a strategy whose score says it all."""
    return {}


def no_notes(_plant: Plant, _options: Any) -> list[Finding]:
    """For a strategy that assumes nothing."""
    return []


def unrestricted(plant: Plant, _options: Any) -> Plant:
    """For a strategy that leaves the plant as it is."""
    return plant


def no_terms(_m: Any, _plant: Plant, _options: Any) -> Objective:
    """For a strategy whose aims are in the ledger already, or are hard limits."""
    return []


def nothing_missed(_schedule: pd.DataFrame, _plant: Plant, _options: Any) -> list[Finding]:
    """For a strategy whose hard limits the step simulator holds by itself."""
    return []


def nothing_against(_plant: Plant, _options: Any) -> list[str]:
    """For a strategy that goes with every other."""
    return []


@dataclass(frozen=True)
class Stacked:
    """What a strategy brings into a stack beside its own constraints; the ledger is there once.

    `terms(m, plant, options)`, called after `build`, adds hard limits and returns what is maximised beside the
    ledger, in currency: a stated penalty. `cost(schedule, plant, options)` is that penalty on a schedule, minus
    the sum of those terms. `missed(schedule, plant, options)` are hard limits that a rule did not keep.
    `against(plant, options)` says why the strategy cannot stand in this stack, "where: found; expected", once
    all have restricted the plant. `notes(plant, options)` are warnings that only a stack has.
    """

    terms: Callable[[Any, Plant, Any], Objective] = no_terms
    cost: Callable[[pd.DataFrame, Plant, Any], float] | None = None
    missed: Callable[[pd.DataFrame, Plant, Any], list[Finding]] = nothing_missed
    against: Callable[[Plant, Any], list[str]] = nothing_against
    notes: Callable[[Plant, Any], list[Finding]] = no_notes


@dataclass(frozen=True)
class Strategy:
    """A pair of twins.

    `restrict(plant, options)` tightens what the plant may do, for both twins alike (no grid charging, a cap).
    `build(m, plant, options)` adds the strategy's own constraints to the model and returns its objectives in
    the order in which they count: the first is maximised, a later one only among the optima of those before.
    `score(schedule, plant, options)` measures both twins on a schedule, in `score_unit`; unit and sense may be
    functions of the options, where these change what is measured.
    `rule(plant, options)` makes the rule twin: a function asked once per step for the battery power.
    `checks(schedule, plant, options)` are the strategy's own laws for the audit.
    `figures(schedule, plant, options)` are further figures beside the score, by name; fractions are 0 to 1.
    `notes(plant, options)` says what the strategy assumes where the scenario says nothing.
    `stacked` says what it brings into a stack of several; by default its hard limits only.
    `hard_limits` are the numeric options that, raised, leave both twins more room.
    `exact_steps`: so many steps are planned exactly within seconds, more may take very long; None: a year is quick.
    """

    name: str
    summary: str
    options: type[Table]
    needs: tuple[Need, ...]
    score_unit: str | Callable[[Any], str]
    score_sense: Sense | Callable[[Any], Sense]
    build: Callable[[Any, Plant, Any], Sequence[Objective]]
    rule: Callable[[Plant, Any], Rule | Committing]
    score: Callable[[pd.DataFrame, Plant, Any], float]
    checks: Callable[[pd.DataFrame, Plant, Any], list[Violation]]
    restrict: Callable[[Plant, Any], Plant] = unrestricted
    figures: Callable[[pd.DataFrame, Plant, Any], dict[str, float]] = no_figures
    notes: Callable[[Plant, Any], list[Finding]] = no_notes
    hard_limits: tuple[str, ...] = ()
    old_names: tuple[str, ...] = ()
    stacked: Stacked = Stacked()
    exact_steps: int | None = None

    def unit(self, options: Table) -> str:
        """Unit of the score under `options`."""
        return self.score_unit(options) if callable(self.score_unit) else self.score_unit

    def sense(self, options: Table) -> Sense:
        """Whether more or less of the score is better under `options`."""
        return self.score_sense(options) if callable(self.score_sense) else self.score_sense
