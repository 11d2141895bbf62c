"""A price that changes at a threshold: what lies above it is measured, exactly, whichever way the price turns.

Where it gets dearer, the part above needs no choice: costs alone press it down to what it must be. Where it gets
cheaper, a yes-or-no choice says whether the threshold is passed, and only then does the cheaper price count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.core as pyo

from bess_opt.common.arrays import Array
from bess_opt.models.components import ArrayConstraint, ArrayParam, ArrayVar
from bess_opt.models.meaning import Meaning
from bess_opt.models.units import PER_UNIT, Unit
from bess_opt.plant.billing.curve import Curve

CHOICE = Meaning(kind="choice")


@dataclass(frozen=True)
class Bends:
    """Thresholds of several amounts: bend b is of amount `of[b]`, at `at[b]`, and changes its cost by `change[b]`.

    `least` and `most` are what that amount can be.
    """

    of: Array
    at: Array
    change: Array
    least: Array
    most: Array


def bends_of(curves: Sequence[Curve], least: Array, most: Array) -> Bends:
    """The bends of one curve per amount that can be passed and may not be.

    A bend towards dearer stays where it is out of reach above, too: what is in reach may depend on a battery's size,
    and the shape of the program should not. One towards cheaper costs a choice, and goes.
    """
    found = [
        (number, at, change, least[number], most[number])
        for number, curve in enumerate(curves)
        for at, change in zip(curve.at, curve.change, strict=True)
        if least[number] < at and change and (change > 0.0 or at < most[number])
    ]
    of, at, change, low, high = (
        (np.array(part, dtype=float) for part in zip(*found, strict=True))
        if found
        else (np.zeros(0) for _ in range(5))
    )
    return Bends(of.astype(np.int64), at, change, low, high)


def add_bends(m: Any, name: str, amount: str, bends: Bends, units: Unit, price_units: Unit, meaning: Meaning) -> None:
    """Add `<name>`, the part of the variable `amount` above each threshold, and its cost `<name>_change`.

    `meaning` is that of the amount; what measures the part above has the same.
    """
    count = len(bends.of)
    index = pyo.RangeSet(0, count - 1)
    setattr(m, f"{name}_bends", index)
    setattr(m, f"{name}_of", bends.of)
    setattr(m, f"{name}_change", ArrayParam(index, bends.change, units=price_units, doc="change of the price there"))
    setattr(m, f"{name}_at", ArrayParam(index, bends.at, units=units, doc="threshold"))
    setattr(m, name, ArrayVar(index, units=units, doc="part of the amount above the threshold", meaning=meaning))
    dearer, cheaper = np.flatnonzero(bends.change > 0.0), np.flatnonzero(bends.change < 0.0)
    if len(dearer):
        setattr(m, f"{name}_dearer", pyo.Set(initialize=dearer.tolist(), dimen=1))
        rows = ArrayConstraint(getattr(m, f"{name}_dearer"), rule=_above(name, amount), meaning=meaning)
        setattr(m, f"{name}_at_least", rows)
    if len(cheaper):
        _add_choices(m, name, amount, bends, cheaper, units, meaning)


def _add_choices(m: Any, name: str, amount: str, bends: Bends, cheaper: Array, units: Unit, meaning: Meaning) -> None:
    index = pyo.Set(initialize=cheaper.tolist(), dimen=1)
    setattr(m, f"{name}_cheaper", index)
    every = getattr(m, f"{name}_bends")
    setattr(m, f"{name}_room", ArrayParam(every, bends.most - bends.at, units=units, doc="most above the threshold"))
    setattr(
        m, f"{name}_short", ArrayParam(every, bends.at - bends.least, units=units, doc="most below the threshold")
    )
    most = np.where(bends.change < 0.0, 1.0, 0.0)
    choice = ArrayVar(
        every, upper=most, binary=True, units=PER_UNIT, doc="1: the threshold is passed", meaning=CHOICE
    )
    setattr(m, f"{name}_passed", choice)
    setattr(m, f"{name}_only_past", ArrayConstraint(index, rule=_only_past(name), meaning=meaning))
    setattr(m, f"{name}_at_most", ArrayConstraint(index, rule=_at_most(name, amount), meaning=meaning))


def _above(name: str, amount: str) -> Any:
    def rule(m: Any, b: Any) -> Any:
        """over[b] >= amount[of(b)] − at[b]."""
        base = getattr(m, amount)[getattr(m, f"{name}_of")[b]]
        return getattr(m, name)[b] >= base - getattr(m, f"{name}_at")[b]

    return rule


def _only_past(name: str) -> Any:
    def rule(m: Any, b: Any) -> Any:
        """over[b] <= room[b]·passed[b]."""
        return getattr(m, name)[b] <= getattr(m, f"{name}_room")[b] * getattr(m, f"{name}_passed")[b]

    return rule


def _at_most(name: str, amount: str) -> Any:
    def rule(m: Any, b: Any) -> Any:
        """over[b] <= amount[of(b)] − at[b] + short[b]·(1 − passed[b])."""
        base = getattr(m, amount)[getattr(m, f"{name}_of")[b]] - getattr(m, f"{name}_at")[b]
        short = getattr(m, f"{name}_short")[b]
        return getattr(m, name)[b] <= base + short - short * getattr(m, f"{name}_passed")[b]

    return rule


def bend_cost(name: str) -> Any:
    """The rule of a ledger's term for the bends `name`: their cost, received positive."""

    def rule(m: Any, b: Any) -> Any:
        """−change[b]·over[b]."""
        return -getattr(m, f"{name}_change")[b] * getattr(m, name)[b]

    return rule
