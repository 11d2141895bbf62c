"""`--set battery.power_mw=3`: single values of a scenario file, changed before it is checked."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.names import nearest
from bess_opt.inputs.reading.scenario_reading import LISTS, TABLES, file_source, read_toml, unknown_tables
from bess_opt.inputs.scenario import Scenario, load

KNOWN = [*TABLES, *LISTS, "strategy"]
_STEP = re.compile(r"([A-Za-z0-9_-]+)((?:\[\d+\])*)")


@dataclass(frozen=True)
class Override:
    """A value for the key at `path`, in which numbers count the rows of a list; `value` None removes it."""

    path: tuple[str | int, ...]
    value: Any

    @property
    def key(self) -> str:
        """The path as it is written."""
        return _written(self.path)


def parse(text: str) -> Override:
    """An override from KEY=VALUE. The value is TOML, or text if it is none. ValueError for another form."""
    key, equals, written = text.partition("=")
    path: list[str | int] = []
    for part in key.strip().split("."):
        found = _STEP.fullmatch(part)
        if not found or not equals:
            raise ValueError(f"{text!r} is not of the form battery.power_mw=3")
        path += [found[1], *map(int, re.findall(r"\d+", found[2]))]
    written = written.strip()
    if written == "none" and not _is_word(path, written):
        return Override(tuple(path), None)
    return Override(tuple(path), _toml(written))


def load_with(path: str | Path, overrides: Sequence[Override]) -> Scenario:
    """The scenario of `path` with `overrides` over its file. ScenarioError with every problem."""
    if not overrides:
        return load(path)
    file = Path(path) / "scenario.toml" if Path(path).is_dir() else Path(path)
    tables = read_toml(file)
    unknown = unknown_tables(tables, KNOWN, f" in {file.name}")
    changed = apply(tables, overrides)
    scenario = object.__new__(Scenario)
    try:
        scenario._adopt(changed, file_source(file.parent), file.resolve().parent.name, file.parent)
    except ScenarioError as error:
        raise ScenarioError([*unknown, *error.problems]) from None
    if unknown:
        raise ScenarioError(unknown)
    return scenario


def apply(tables: dict[str, Any], overrides: Iterable[Override]) -> dict[str, Any]:
    """A copy of `tables` with each override in turn. ScenarioError for a path that leads nowhere."""
    tables = copy.deepcopy(tables)
    problems: list[Finding] = []
    for override in overrides:
        name = str(override.path[0])
        try:
            if name not in KNOWN:
                raise _wrong("unknown_table", name, f"unknown table {name!r}", nearest(name, KNOWN))
            _put(tables, override)
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return tables


def _put(tables: dict[str, Any], override: Override) -> None:
    place: Any = tables
    for depth, step in enumerate(override.path[:-1]):
        step = _row_named(place, step)
        _require(place, (*override.path[:depth], step, *override.path[depth + 1 :]), depth)
        inside = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
        if isinstance(inside, str) and override.path[:1] == ("strategy",) and depth == 0:
            inside = place[step] = {"name": inside}
        place = inside[0] if depth == 0 and step == "battery" and _is_only(inside, override.path) else inside
    _require(place, override.path, len(override.path) - 1)
    last: Any = override.path[-1]
    if override.value is None:
        _remove(place, override)
    else:
        place[last] = override.value


def _is_only(inside: Any, path: tuple[str | int, ...]) -> bool:
    """Whether the key that follows is one of the only row of a list."""
    one = isinstance(inside, list) and len(inside) == 1
    return one and isinstance(path[1], str) and _row_named(inside, path[1]) == path[1]


def _row_named(place: Any, step: str | int) -> str | int:
    """The number of the row called `step` in a list of tables with names, else `step` as it is."""
    if not isinstance(place, list) or not isinstance(step, str):
        return step
    rows = [number for number, row in enumerate(place) if isinstance(row, dict) and row.get("name") == step]
    return rows[0] if len(rows) == 1 else step


def _require(place: Any, path: tuple[str | int, ...], depth: int) -> None:
    """That the next step of `path` can be taken: a key into a table, a number into a list that has it."""
    step, key, before = path[depth], _written(path), _written(path[:depth])
    if isinstance(place, list):
        if isinstance(step, str):
            raise _wrong("no_table", key, f"{before} is a list", f"name its row, e.g. {before}[0].{step}")
        if step >= len(place):
            raise _wrong("no_row", key, f"{before} has {len(place)} rows, counted from 0", "name one of them")
    elif not isinstance(place, dict) or isinstance(step, int):
        what = "is no list" if isinstance(step, int) else "holds no keys"
        raise _wrong("no_table", key, f"{before} {what}: found {place!r}", f"set {before} as a whole")


def _remove(place: Any, override: Override) -> None:
    """Take a key away; one that is not there must at least be known."""
    last: Any = override.path[-1]
    if isinstance(place, list) or last in place:
        del place[last]
        return
    kind = TABLES.get(str(override.path[0]))
    fields = list(kind.model_fields) if kind is not None and len(override.path) == 2 else []
    if last not in fields and len(override.path) > 1:
        known = [*fields, *place]
        raise _wrong("unknown_key", override.key, f"there is no key {last!r} to remove", nearest(str(last), known))


def _is_word(path: list[str | int], word: str) -> bool:
    """Whether the key at `path` takes `word` as a value, as tariff.export takes "none"."""
    kind = TABLES.get(str(path[0]))
    if kind is None or len(path) != 2 or str(path[1]) not in kind.model_fields:
        return False
    return word in _leaves(kind.model_fields[str(path[1])].annotation)


def _leaves(annotation: object) -> list[object]:
    inner = [leaf for argument in get_args(annotation) for leaf in _leaves(argument)]
    return inner or [annotation]


def _toml(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return table["value"] if len(table) == 1 else text


def _written(path: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _wrong(code: str, key: str, found: str, expected: str) -> ScenarioError:
    return ScenarioError([Finding(code, f"--set {key}", found, expected)])
