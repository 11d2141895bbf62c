"""Pyomo components that remember their data as arrays; a member comes into being only when touched.

A year of five-minute steps is 105,120 members per component: creating them costs far more than solving.
So `m.charge_mw[5]`, the LP writer and unit checks work as with plain Pyomo, while `bess_opt.solver.expand`
reads the arrays and calls each rule once for all steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyomo.core as pyo
from pyomo.core.base.constraint import IndexedConstraint
from pyomo.core.base.initializer import IndexedCallInitializer
from pyomo.core.base.param import IndexedParam, ScalarParam
from pyomo.core.base.var import IndexedVar

from bess_opt.models.meaning import NOTHING_SAID, Meaning
from bess_opt.models.units import Unit, WithUnits

Rule = Callable[[Any, Any], Any]


def members(index: Any) -> np.ndarray:
    """The integers of a Pyomo index set, in order."""
    if len(index):
        first, last = index.bounds()  # first() and last() would walk the whole set
        if last - first + 1 == len(index):
            return np.arange(first, last + 1)
    return np.fromiter(index, dtype=np.int64, count=len(index))


def _span(index: Any) -> tuple[int, int]:
    """(first, how many) of the consecutive integers of a Pyomo index set."""
    size = len(index)
    return (int(index.bounds()[0]) if size else 0), size


def _one_each(values: Any, size: int) -> np.ndarray:
    """`values`, a number or one per member, as an array of `size` of its own."""
    each = np.empty(size)
    each[...] = values
    return each


def asked_by_index(rule: Rule) -> Any:
    """`rule(model, i)` as Pyomo keeps it: so given, Pyomo does not look into its signature at each declaration."""
    return IndexedCallInitializer(rule)


class ArrayVar(WithUnits, IndexedVar):
    """Variable over consecutive integers; `lower` and `upper` are a number or one value per member.

    `binary` takes 0 and 1 alone, `integer` whole numbers within the bounds. `battery` names the one of several
    batteries that it belongs to, see `bess_opt.models.assets`.
    """

    def __init__(
        self,
        index: Any,
        *,
        lower: Any = 0.0,
        upper: Any = np.inf,
        units: Unit | None = None,
        binary: bool = False,
        integer: bool = False,
        doc: str,
        meaning: Meaning = NOTHING_SAID,
    ) -> None:
        self.first, self.size = _span(index)
        self.lower_values = _one_each(lower, self.size)
        self.upper_values = _one_each(upper, self.size)
        self.integer = binary or integer
        self.meaning, self.battery, self.stated_units = meaning, "", units
        super().__init__(
            index,
            dense=False,
            bounds=asked_by_index(self._member_bounds),
            domain=pyo.Binary if binary else pyo.Integers if integer else pyo.Reals,
            doc=doc,
        )

    def _member_bounds(self, _block: Any, i: int) -> tuple[float | None, float | None]:
        lower, upper = self.lower_values[i - self.first], self.upper_values[i - self.first]
        return (
            float(lower) if np.isfinite(lower) else None,
            float(upper) if np.isfinite(upper) else None,
        )


class ArrayParam(WithUnits, IndexedParam):
    """Parameter over a set of consecutive integers with one value per member."""

    def __init__(self, index: Any, values: Any, *, units: Unit | None = None, doc: str) -> None:
        self.first, size = _span(index)
        self.values_array = _one_each(values, size)
        self.stated_units = units
        super().__init__(
            index,
            default=lambda _block, i: float(self.values_array[i - self.first]),
            within=pyo.Any,  # unstated, Pyomo makes a set of its own for each parameter
            mutable=True,
            doc=doc,
        )


class Constant(WithUnits, ScalarParam):
    """A number of the model with a unit, `value` in `units`."""

    def __init__(self, value: float, units: Unit) -> None:
        self.stated_units = units
        super().__init__(initialize=value, within=pyo.Any, mutable=True)


class ArrayConstraint(IndexedConstraint):
    """Constraint over a set of integers whose `rule(m, i)` holds for single members and for arrays of them.

    The rule must not branch on the index: start, end and windows are told apart by the index set.
    With `by_member=True` the rule is called member by member (few members, each over many steps).
    """

    def __init__(self, index: Any, *, rule: Rule, by_member: bool = False, meaning: Meaning = NOTHING_SAID) -> None:
        self.array_rule = rule
        self.by_member = by_member
        self.meaning, self.battery = meaning, ""
        self._waiting = True
        super().__init__(index, rule=asked_by_index(rule), doc=(rule.__doc__ or "").strip())

    def construct(self, data: Any = None) -> None:  # noqa: ARG002 - the signature is Pyomo's
        """Declare the component; its members wait until they are touched."""
        self._constructed = True
        for anonymous in self._anonymous_sets or ():
            anonymous.construct()

    def create_members(self) -> None:
        """Bring every member into being, as plain Pyomo does at declaration."""
        if self._waiting:
            self._waiting = False
            for i in self.index_set():
                self[i]

    def keys(self, *args: Any, **kwargs: Any) -> Any:
        """All indices; creates the members."""
        self.create_members()
        return super().keys(*args, **kwargs)

    def values(self, *args: Any, **kwargs: Any) -> Any:
        """All members; creates them."""
        self.create_members()
        return super().values(*args, **kwargs)

    def items(self, *args: Any, **kwargs: Any) -> Any:
        """All (index, member) pairs; creates the members."""
        self.create_members()
        return super().items(*args, **kwargs)

    def __len__(self) -> int:
        self.create_members()
        return len(self._data)

    def __iter__(self) -> Iterator[Any]:
        self.create_members()
        return iter(super().__iter__())


def total(variable: Any, steps: np.ndarray) -> Any:
    """Sum of `variable` over `steps`, in a model or in its expansion."""
    if hasattr(variable, "ctype"):
        return pyo.quicksum(variable[int(t)] for t in steps)
    return variable[steps].sum()
