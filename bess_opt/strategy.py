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
from bess_opt.plant import Plant
from bess_opt.stepper import Rule
from bess_opt.tables import Table

Objective = list[tuple[float, Any, Any]]  # (weight, rule(m, i) -> value, index set): maximised
Need = Literal["prices", "solar", "load", "regulation"]


class NoOptions(Table):
    """A strategy without options."""


def no_checks(_schedule: pd.DataFrame, _plant: Plant, _options: Any) -> list[Violation]:
    """For a strategy without laws of its own."""
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
    `score(schedule, plant, options)` measures both twins on a schedule, in `score_unit`.
    `rule(plant, options)` makes the rule twin: a function asked once per step for the battery power.
    `checks(schedule, plant, options)` are the strategy's own laws for the audit.
    """

    name: str
    summary: str
    options: type[Table]
    needs: tuple[Need, ...]
    score_unit: str
    score_sense: Literal["max", "min"]
    build: Callable[[Any, Plant, Any], Sequence[Objective]]
    rule: Callable[[Plant, Any], Rule]
    score: Callable[[pd.DataFrame, Plant, Any], float]
    checks: Callable[[pd.DataFrame, Plant, Any], list[Violation]]
    restrict: Callable[[Plant, Any], Plant] = unrestricted
    old_names: tuple[str, ...] = ()
