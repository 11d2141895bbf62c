"""Every error the package raises on purpose.

::

    BessOptError                 catch this to catch them all
    ├── ScenarioError            an input is wrong; `.problems` holds every problem at once
    ├── StrategyError            unknown strategy or option, missing series, contradiction
    ├── SolveError               the solver ended without a plan
    │   └── InfeasibleError      no schedule can meet the limits; `.reasons` says which and when
    ├── CancelledError           a long run was ended by its own `progress=` before it had a result
    └── AuditError               a plan broke the physics or its books; never returned to the caller
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bess_opt.common.findings import Finding, Relaxation


class BessOptError(Exception):
    """Base of all errors raised on purpose."""


class ScenarioError(BessOptError):
    """An input is wrong. The message lists every problem: where, what was found, what would be right."""

    def __init__(self, problems: Iterable[Finding]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.sentence() for problem in self.problems))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[Any, ...]]:
        return type(self), (self.problems,)  # from its data: the message alone could not cross processes


class StrategyError(BessOptError):
    """A strategy or one of its options is unknown, contradicts another, or lacks a series."""


class SolveError(BessOptError):
    """The solver ended without a usable plan."""


class InfeasibleError(SolveError):
    """No schedule meets all limits. `reasons` names them with times and numbers.

    `relaxations` are the least changes that each make a plan possible, as data; `reasons` says them too.
    """

    def __init__(self, reasons: Iterable[Finding], relaxations: Iterable[Relaxation] = ()) -> None:
        self.reasons, self.relaxations = tuple(reasons), tuple(relaxations)
        super().__init__("\n".join(reason.sentence() for reason in self.reasons))

    def __reduce__(self) -> tuple[type[InfeasibleError], tuple[Any, ...]]:
        return type(self), (self.reasons, self.relaxations)


class CancelledError(BessOptError):
    """A long run was ended by whom its `progress=` tells, before it had anything to return."""


class AuditError(BessOptError):
    """A schedule violates the physics or its ledger does not close."""
