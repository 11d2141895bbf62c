"""Tables of a scenario as TOML that people edit: each table of a list under a heading of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomli_w


def toml_text(tables: Mapping[str, Any]) -> str:
    """`tables` as TOML; of a list each table is a `[[heading]]`, so that one more is a heading more."""
    lists: list[tuple[str, Mapping[str, Any]]] = []
    text = tomli_w.dumps(_apart(tables, "", lists))
    return text + "".join(f"\n[[{name}]]\n{_lines(table)}" for name, table in lists)


def _apart(tables: Mapping[str, Any], place: str, lists: list[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """The tables without those that stand in lists, which go to `lists`, each by the name of its list."""
    kept: dict[str, Any] = {}
    for key, value in tables.items():
        if isinstance(value, Mapping):
            kept[key] = _apart(value, f"{place}{key}.", lists)
        elif isinstance(value, list | tuple) and value and all(isinstance(one, Mapping) for one in value):
            lists += [(f"{place}{key}", one) for one in value]
        else:
            kept[key] = value
    return kept


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: Any) -> str:
    """A value in one place: a table within it in braces."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    return tomli_w.dumps({"v": value}).removeprefix("v = ").strip()
