"""A strategy as an input: a name and its options, not yet bound to anything that knows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.wording import show


@dataclass(frozen=True, eq=False)
class StrategyEntry:
    """`name` of a strategy and its `options` as plain data (numbers, text, flags, lists, tables)."""

    name: str
    options: Mapping[str, object]

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def to_plain(self) -> dict[str, Any]:
        """The table of a scenario file; an option that is None is left out."""
        return {"name": self.name, **{k: v for k, v in self.options.items() if v is not None}}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StrategyEntry) and self.to_plain() == other.to_plain()

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[type[StrategyEntry], tuple[str, dict[str, object]]]:
        return StrategyEntry, (self.name, dict(self.options))


def read_strategies(value: object) -> tuple[tuple[StrategyEntry, ...], list[Finding]]:
    """Entries from a name, a table, a list of either, or None; and every problem."""
    if value is None:
        return (), []
    listed = isinstance(value, list | tuple)
    items = list(value) if isinstance(value, list | tuple) else [value]
    entries: list[StrategyEntry] = []
    problems: list[Finding] = []
    for number, item in enumerate(items):
        try:
            entries.append(_entry(item, f"strategy[{number}]" if listed else "strategy"))
        except ScenarioError as error:
            problems += error.problems
    return tuple(entries), problems


def _entry(item: object, where: str) -> StrategyEntry:
    if isinstance(item, StrategyEntry):
        return item
    table = {"name": item} if isinstance(item, str) else item
    if not isinstance(table, Mapping):
        expected = 'give a name, or a table with the key "name" and the options beside it'
        raise ScenarioError([Finding("no_table", where, f"found {show(item)}", expected)])
    problems: list[Finding] = []
    name = table.get("name")
    if not isinstance(name, str) or not name:
        found = f"found {show(name)}" if "name" in table else "is missing"
        problems.append(Finding("missing_key", f"{where}.name", found, "give the name of a strategy"))
    options = {}
    for key, value in table.items():
        try:
            options[str(key)] = _plain(value)
        except TypeError:
            found = f"found {show(value)}"
            expected = "give plain data: a number, text, true or false, a list or a table"
            problems.append(Finding("wrong_value", f"{where}.{key}", found, expected))
    if problems:
        raise ScenarioError(problems)
    options.pop("name")
    return StrategyEntry(str(name), options)


def _plain(value: object) -> object:
    """A copy as plain data; TypeError for what a scenario file cannot hold."""
    match value:
        case np.generic():
            return value.item()
        case np.ndarray():
            return _plain(value.tolist())
        case None | bool() | int() | float() | str() | dt.datetime() | dt.date() | dt.time():
            return value
        case list() | tuple():
            return [_plain(item) for item in value]
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
    raise TypeError(type(value).__name__)
