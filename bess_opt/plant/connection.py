"""The connection in numbers, step by step: clauses with caps and ramps at the meter, and outages.

Hard caps are also part of the plant's limits on import and export, the lowest of all; what is here is the rest:
caps that may be overrun at a price, limits on ramps, and which clause a limit comes from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.common.clock import Mask
from bess_opt.inputs.connection import Clause
from bess_opt.inputs.outage import Outage, steps_away

FLOWS = ("import_mw", "export_mw")  # of the meter, each with a cap of its own


@dataclass(frozen=True)
class ClauseNumbers:
    """One clause over the steps of a horizon; `caps` has the flows that it caps, MW.

    `ramp_mw` is the most change of the grid power from step to step, inf where the clause states none, and
    `before_mw` the grid power before the horizon, None where the first step's ramp is free.
    """

    name: str
    where: str
    active: Mask
    caps: dict[str, float]
    ramp_mw: float
    before_mw: float | None
    overrun_price_per_mwh: float | None

    @property
    def hard(self) -> bool:
        """Whether its caps must hold whatever it costs."""
        return self.overrun_price_per_mwh is None

    def cap_mw(self, flow: str) -> Array:
        """Most of `flow` per step, inf where the clause says nothing."""
        most: Array = np.where(self.active, self.caps.get(flow, np.inf), np.inf)
        return most

    def overrun_mw(self, flow: str, power_mw: Array) -> Array:
        """How far `power_mw` of `flow` is above the cap in each step."""
        over: Array = np.maximum(power_mw - self.cap_mw(flow), 0.0)
        return over


@dataclass(frozen=True)
class Connection:
    """All clauses of a site; none where `clauses` is empty."""

    clauses: tuple[ClauseNumbers, ...]
    steps: int
    step_h: float
    away: Mask | None = None  # steps without the grid: no change into, within or out of them is bound

    def cap_mw(self, flow: str) -> Array:
        """Most of `flow` per step under every hard clause."""
        return self._lowest([clause for clause in self.clauses if clause.hard], flow)

    def soft_cap_mw(self, flow: str) -> Array:
        """Most of `flow` per step that costs no overrun."""
        return self._lowest(self.soft, flow)

    def _lowest(self, clauses: Sequence[ClauseNumbers], flow: str) -> Array:
        lowest: Array = np.full(self.steps, np.inf)
        for clause in clauses:
            lowest = np.minimum(lowest, clause.cap_mw(flow))
        return lowest

    @property
    def soft(self) -> tuple[ClauseNumbers, ...]:
        """Clauses whose caps may be overrun at a price."""
        return tuple(clause for clause in self.clauses if not clause.hard)

    @property
    def ramp_mw(self) -> Array:
        """Most change of the grid power into each step, inf where it is free; the first step's stands apart."""
        most = np.full(self.steps, np.inf)
        for clause in self.clauses:
            most = np.minimum(most, np.where(clause.active, clause.ramp_mw, np.inf))
        most[:1] = np.inf
        if self.away is not None:
            most[self.away] = np.inf
            most[1:][self.away[:-1]] = np.inf
        return most

    @property
    def first_grid_mw(self) -> tuple[float, float]:
        """(least, most) grid power of the first step that ramps from before the horizon allow."""
        free = self.steps == 0 or (self.away is not None and bool(self.away[0]))
        known = [c for c in self.clauses if c.before_mw is not None and not free and c.active[0]]
        least = max((float(c.before_mw or 0.0) - c.ramp_mw for c in known), default=-np.inf)
        most = min((float(c.before_mw or 0.0) + c.ramp_mw for c in known), default=np.inf)
        return least, most

    @property
    def has_ramps(self) -> bool:
        """Whether the grid power of some step depends on the step before."""
        return bool(np.isfinite(self.ramp_mw).any() or np.isfinite(self.first_grid_mw).any())

    def some(self, numbers: Sequence[int]) -> Connection:
        """Those of the clauses alone, in this order, as if only they were stated."""
        clauses = (replace(self.clauses[number], where=f"connection[{n}]") for n, number in enumerate(numbers))
        return replace(self, clauses=tuple(clauses))

    def part(self, first: int, last: int, grid_mw: float | None) -> Connection:
        """The clauses on the steps `first` to `last` − 1 as a horizon of its own.

        `grid_mw` is the grid power of the step before, + exports; None at the horizon's start, of which a clause
        itself says what was before.
        """
        at, free = slice(first, last), self.away is not None and first > 0 and bool(self.away[first - 1])
        clauses = tuple(
            replace(
                clause,
                active=clause.active[at],
                before_mw=clause.before_mw
                if first == 0
                else grid_mw
                if np.isfinite(clause.ramp_mw) and not free
                else None,
            )
            for clause in self.clauses
        )
        return Connection(clauses, last - first, self.step_h, None if self.away is None else self.away[at])

    def overrun_cost(self, import_mw: Array, export_mw: Array) -> float:
        """What is paid for energy above soft caps, beside its own price, in currency."""
        flows = dict(zip(FLOWS, (import_mw, export_mw), strict=True))
        return sum(
            float(clause.overrun_price_per_mwh or 0.0) * self.step_h * float(clause.overrun_mw(flow, power).sum())
            for clause in self.soft
            for flow, power in flows.items()
            if flow in clause.caps
        )

    def ramp_excess_mw(self, grid_mw: Array) -> Array:
        """How far the change into each step is beyond its limit."""
        least, most = self.first_grid_mw
        excess = np.zeros(self.steps)
        excess[:1] = np.maximum(grid_mw[:1] - most, least - grid_mw[:1])
        excess[1:] = np.abs(np.diff(grid_mw)) - self.ramp_mw[1:]
        return np.maximum(excess, 0.0)

    def limiting(self, flow: str, step: int) -> ClauseNumbers | None:
        """The clause with the lowest hard cap on `flow` in `step`, the first of equal ones."""
        capped = [c for c in self.clauses if c.hard and np.isfinite(c.cap_mw(flow)[step])]
        return min(capped, key=lambda c: c.caps[flow], default=None)


def connection_of(
    clauses: Sequence[Clause],
    series: pd.DataFrame,
    step_h: float,
    holidays: Collection[str],
    away: Mask | None = None,
) -> Connection:
    """The clauses of a scenario over the steps of `series`; in those `away` there is no grid."""
    numbers = tuple(
        ClauseNumbers(
            name=clause.name,
            where=f"connection[{n}]",
            active=clause.active(series, holidays),
            caps={flow: float(cap) for flow in FLOWS if (cap := getattr(clause, flow)) is not None},
            ramp_mw=np.inf if clause.ramp_mw_per_min is None else clause.ramp_mw_per_min * step_h * 60.0,
            before_mw=clause.before_mw,
            overrun_price_per_mwh=clause.overrun_price_per_mwh,
        )
        for n, clause in enumerate(clauses)
    )
    return Connection(numbers, len(series), step_h, away)


@dataclass(frozen=True)
class Outages:
    """`number` is the outage that holds each step, -1 for none; `shares` are the critical shares of the load."""

    number: np.ndarray
    shares: tuple[float, ...]

    @property
    def away(self) -> Mask:
        """Steps without the grid."""
        away: Mask = self.number >= 0
        return away

    @property
    def free_share(self) -> Array:
        """Share of the load that may go unserved free of charge in each step."""
        rest = np.array([*(1.0 - share for share in self.shares), 0.0])
        free: Array = rest[self.number]
        return free

    def part(self, steps: slice) -> Outages:
        """Those of some of the steps."""
        return Outages(self.number[steps], self.shares)

    def where(self, step: int) -> str | None:
        """Where the outage of a step is stated, None with the grid there."""
        number = int(self.number[step])
        return f"outage[{number}]" if number >= 0 else None


def outages_of(outages: Sequence[Outage], index: pd.DatetimeIndex, step_h: float) -> Outages | None:
    """The outages of a scenario over its steps; None where it states none."""
    if not outages:
        return None
    return Outages(steps_away(outages, index, step_h), tuple(outage.critical_share for outage in outages))
