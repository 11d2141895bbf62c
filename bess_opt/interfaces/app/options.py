"""A strategy's options as boxes of the interactive page, and what is written in these as options: pure functions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import tomli_w
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bess_opt.inputs.reading.strategy_entry import StrategyEntry
from bess_opt.inputs.scenario import Scenario
from bess_opt.strategies.shared.discovery import discover

STATED = "as stated"  # the choice that leaves what the scenario says
YES_NO = {"true": "yes", "false": "no"}
LEFT_OUT = "default"

_UNIT_AT_END = re.compile(r"_(per_)?(mwh|mw|h|min|day|cycle|k)$")
_EXAMPLE = re.compile(r': \["[^]]*"\]')
_SPAN = re.compile(r"\s*(\S+?)\s*(?:–|-|to|,)\s*(\S+)\s*")
Kind = Literal["number", "choice", "span", "text", "toml"]
Touched = tuple[int, str, str]


@dataclass(frozen=True)
class Box:
    """An option as the page shows it: `text` stands in it untouched; empty means that the option is left out.

    `entry` counts the strategies of a stack; `choices` are values and labels, for the kind "choice" only.
    """

    entry: int
    key: str
    kind: Kind
    label: str
    note: str
    text: str
    choices: tuple[tuple[str, str], ...] = ()


def entries_of(scenario: Scenario, strategy: str) -> tuple[StrategyEntry, ...]:
    """The strategies that the picker's choice stands for: the stated ones, or one with its default options."""
    return scenario.strategies if strategy == STATED else (StrategyEntry(strategy, {}),)


def boxes(scenario: Scenario, strategy: str) -> list[Box]:
    """A box per option of each strategy; none for a name that is not known."""
    known, currency = discover(), scenario.site.currency
    return [
        _box(number, key, field, entry, currency)
        for number, entry in enumerate(entries_of(scenario, strategy))
        if entry.name in known
        for key, field in known[entry.name].options.model_fields.items()
    ]


def touched(shown: Iterable[Box], written: Iterable[Touched]) -> tuple[Touched, ...]:
    """(entry, key, text) of the boxes in which something else stands than at the start."""
    before = {(box.entry, box.key): box.text for box in shown}
    return tuple((entry, key, text) for entry, key, text in written if text != before.get((entry, key), text))


def with_options(scenario: Scenario, strategy: str, written: Sequence[Touched]) -> object:
    """The value of a scenario's `strategy`: what is stated, with what was written over it.

    What cannot be read stays text, so that the check of the options says what is wrong with it.
    """
    kinds = {(box.entry, box.key): box.kind for box in boxes(scenario, strategy)}
    tables = [entry.to_plain() for entry in entries_of(scenario, strategy)]
    for entry, key, text in written:
        if text.strip():
            tables[entry][key] = _read(kinds[entry, key], text.strip())
        else:
            tables[entry].pop(key, None)
    return tables[0] if len(tables) == 1 else tables


def _box(number: int, key: str, field: FieldInfo, entry: StrategyEntry, currency: str) -> Box:
    default = field.get_default(call_default_factory=True)
    value = entry.options.get(key, None if default is PydanticUndefined else default)
    kind, choices = _kind(field)
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    words = _UNIT_AT_END.sub("", key).replace("_", " ") if unit else key.replace("_", " ")
    words = " ".join("SOC" if word == "soc" else word for word in words.split())
    label = words[0].upper() + words[1:] + ("" if unit in ("", "1") else f" [{unit.replace('currency', currency)}]")
    note = (field.description or "").removesuffix(f" [{unit}]").removeprefix("true or false: ")
    if kind == "span":
        note = _EXAMPLE.sub("", note)  # the box itself shows how it is written
    return Box(number, key, kind, label, note, _write(kind, value), choices)


def _kind(field: FieldInfo) -> tuple[Kind, tuple[tuple[str, str], ...]]:
    """What a field takes, and its choices where it has some."""
    either = _either(field.annotation)
    optional = (("", LEFT_OUT),) if type(None) in either else ()
    plain = [one for one in either if one is not type(None)]
    if len(plain) != 1:
        return "toml", ()
    if plain[0] is bool:
        return "choice", (*optional, *YES_NO.items())
    inner = get_args(plain[0])
    if get_origin(plain[0]) is Literal and all(isinstance(word, str) for word in inner):
        return "choice", (*optional, *((word, word) for word in inner))
    if get_origin(plain[0]) is tuple and [_either(part) for part in inner] == [[str], [str]]:
        return "span", ()
    words: dict[object, Kind] = {float: "number", int: "number", str: "text"}
    return words.get(plain[0], "toml"), ()


def _either(annotation: object) -> list[object]:
    """The kinds of value that an annotation allows, without what else it says of them."""
    if get_origin(annotation) is Annotated:
        return _either(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [one for argument in get_args(annotation) for one in _either(argument)]
    return [annotation]


def _write(kind: Kind, value: Any) -> str:
    """A value as the text of its box."""
    if value is None:
        return ""
    if kind == "number" and isinstance(value, int | float):
        return f"{value:.12g}"
    if kind == "span" and isinstance(value, list | tuple) and len(value) == 2:
        return f"{value[0]} to {value[1]}"
    if kind == "choice" and isinstance(value, bool):
        return str(value).lower()
    if kind in ("choice", "text") and isinstance(value, str):
        return value
    return tomli_w.dumps({"v": value}).removeprefix("v = ").strip()


def _read(kind: Kind, text: str) -> object:
    """The value that a text stands for, or the text itself."""
    if kind == "choice":
        return text == "true" if text in YES_NO else text
    if kind == "span":
        found = _SPAN.fullmatch(text)
        return [found[1], found[2]] if found else text
    if kind == "text":
        return text
    try:
        return _number(text) if kind == "number" else tomllib.loads(f"v = {text}")["v"]
    except ValueError:
        return text


def _number(text: str) -> float:
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
