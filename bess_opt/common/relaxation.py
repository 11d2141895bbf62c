"""The least change of what a user stated that makes an infeasible scenario possible, as data and as a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bess_opt.common.findings import Finding

DIGITS = 4  # of the change: a value is rounded to the side on which a plan exists, by at most 0.1 % of the change


@dataclass(frozen=True)
class Change:
    """One number or permission of the scenario: the key path `where`, what is stated and what would do.

    `note` says what changes with it.
    """

    where: str
    stated: float | bool
    value: float | bool
    unit: str = ""
    note: str = ""

    def sentence(self) -> str:
        """What to do, e.g. "raise site.import_limit_mw from 2 to 2.41 MW"."""
        if isinstance(self.value, bool):
            return f"set {self.where} = {'true' if self.value else 'false'}"
        verb = "raise" if self.value > self.stated else "lower"
        unit = f" {self.unit}" if self.unit else ""
        return f"{verb} {self.where} from {number(self.stated)} to {number(self.value)}{unit}{self.note}"


@dataclass(frozen=True)
class Relaxation:
    """Changes that together make a plan possible, none of them larger than it must be.

    `scenario.replace(**relaxation.tables)` applies them. `share` is the sum of the changes relative to what is
    stated; a permission counts 1.
    """

    changes: tuple[Change, ...]
    share: float
    tables: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def where(self) -> str:
        """Key path of the change, or all of them joined by " and "."""
        return " and ".join(change.where for change in self.changes)

    @property
    def value(self) -> float | bool:
        """New value of the first change."""
        return self.changes[0].value

    def to_dict(self) -> dict[str, Any]:
        """Plain data: `changes` with where, stated, value and unit, and the `share`."""
        keys = ("where", "stated", "value", "unit")
        return {"changes": [{key: getattr(c, key) for key in keys} for c in self.changes], "share": self.share}

    def finding(self) -> Finding:
        """The relaxation beside the reasons of an `InfeasibleError`."""
        todo = " and ".join(change.sentence() for change in self.changes)
        found = "no single limit mends it" if len(self.changes) > 1 else "this change alone mends it"
        return Finding("relaxation", self.where, found, todo, "recommendation")


def number(value: float) -> str:
    """A number in as many digits as it has, up to 12."""
    return f"{value:.12g}"


def rounded_beyond(stated: float, value: float) -> float:
    """`value` rounded away from `stated` to `DIGITS` digits of the change, so that what is printed is enough."""
    change = abs(value - stated)
    if change == 0.0:
        return value
    unit = 10.0 ** (math.floor(math.log10(change)) + 1 - DIGITS)
    steps = value / unit
    beyond = math.ceil(steps - 1e-6) if value > stated else math.floor(steps + 1e-6)
    return float(f"{beyond * unit:.12g}")
