"""What a strategy file must offer, and nothing about any single strategy.

A strategy is a pair of twins in one file: an optimal model (objective and own constraints) and a rule.
The file ends with `STRATEGY = Strategy(...)`; that is all the package needs to find, check and run it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from bess_opt.audit import Violation
from bess_opt.findings import Finding
from bess_opt.plant import Plant
from bess_opt.stepper import Rule
from bess_opt.tables import Table

Objective = list[tuple[float, Any, Any]]  # (weight, rule(m, i) -> value, index set): maximised
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
    `hard_limits` are the numeric options that, raised, leave both twins more room.
    """

    name: str
    summary: str
    options: type[Table]
    needs: tuple[Need, ...]
    score_unit: str | Callable[[Any], str]
    score_sense: Sense | Callable[[Any], Sense]
    build: Callable[[Any, Plant, Any], Sequence[Objective]]
    rule: Callable[[Plant, Any], Rule]
    score: Callable[[pd.DataFrame, Plant, Any], float]
    checks: Callable[[pd.DataFrame, Plant, Any], list[Violation]]
    restrict: Callable[[Plant, Any], Plant] = unrestricted
    figures: Callable[[pd.DataFrame, Plant, Any], dict[str, float]] = no_figures
    notes: Callable[[Plant, Any], list[Finding]] = no_notes
    hard_limits: tuple[str, ...] = ()
    old_names: tuple[str, ...] = ()

    def unit(self, options: Table) -> str:
        """Unit of the score under `options`."""
        return self.score_unit(options) if callable(self.score_unit) else self.score_unit

    def sense(self, options: Table) -> Sense:
        """Whether more or less of the score is better under `options`."""
        return self.score_sense(options) if callable(self.score_sense) else self.score_sense
