"""One battery's part of a model: its components under the names that they have where there is one battery.

With several batteries the name of each stands before its components, "north.charge_mw". A rule of one battery is
written once, for `m.charge_mw[t]`, and sees the battery that it is made for.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from bess_opt.models.components import ArrayConstraint, ArrayVar, Rule
from bess_opt.plant.plant import Storage


class Asset:
    """A model as one battery sees it: its own components first, then those that all share."""

    __slots__ = ("_model", "_prefix")

    def __init__(self, model: Any, prefix: str) -> None:
        object.__setattr__(self, "_model", model)
        object.__setattr__(self, "_prefix", prefix)

    def __getattr__(self, name: str) -> Any:
        own = f"{self._prefix}{name}"
        return getattr(self._model, own if hasattr(self._model, own) else name)

    def __setattr__(self, name: str, component: Any) -> None:
        setattr(self._model, f"{self._prefix}{name}", _belonging(self._prefix, component))


def _belonging(prefix: str, component: Any) -> Any:
    if isinstance(component, ArrayVar | ArrayConstraint):
        component.battery = prefix.removesuffix(".")
    return component


def add_own(m: Any, prefix: str, name: str, component: Any) -> None:
    """Add a component of the battery with `prefix` under a name that has it already."""
    setattr(m, name, _belonging(prefix, component))


def asset(m: Any, battery: Storage) -> Any:
    """The model as `battery` sees it; the model itself where there is one battery."""
    return Asset(m, battery.prefix) if battery.prefix else m


def rule_of(battery: Storage, rule: Rule) -> Rule:
    """`rule` for the components of `battery`; the rule itself where there is one battery."""
    if not battery.prefix:
        return rule

    @wraps(rule)
    def own(m: Any, i: Any) -> Any:
        return rule(Asset(m, battery.prefix), i)

    return own


def net_power(m: Any, prefixes: tuple[str, ...], t: Any) -> Any:
    """Σ (d − c) over batteries: what they give at their ports in step t."""
    power = getattr(m, f"{prefixes[0]}discharge_mw")[t] - getattr(m, f"{prefixes[0]}charge_mw")[t]
    for prefix in prefixes[1:]:
        power = power + getattr(m, f"{prefix}discharge_mw")[t] - getattr(m, f"{prefix}charge_mw")[t]
    return power
