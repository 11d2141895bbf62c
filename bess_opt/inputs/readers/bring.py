"""Several files of different kinds, steps and zones as one series, with how each was read."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.common.wording import minutes
from bess_opt.inputs.products.catalogue import published_as
from bess_opt.inputs.products.read_products import SUFFIX, read_products
from bess_opt.inputs.readers.arguments import Quantity, Stated
from bess_opt.inputs.readers.pipeline import COLUMNS, read_file
from bess_opt.inputs.readers.problems import listed, problem, question
from bess_opt.inputs.readers.times.steps import step_of
from bess_opt.inputs.series.imported import ImportedSeries

READING = "series.reading.toml"
Wants = Quantity | Literal["capacity"]
ENERGY: tuple[Quantity, ...] = get_args(Quantity)
QUANTITIES: tuple[Wants, ...] = (*ENERGY, "capacity")
_OTHER_QUANTITY = ("missing_column", "unknown_unit", "capacity_price", "missing_capacity", "negative_solar")


@dataclass(frozen=True)
class Wanted:
    """A file to read, as which quantity (None: whatever it holds), and what is stated about it."""

    path: Path
    quantity: Wants | None
    stated: Mapping[str, Any]


@dataclass(frozen=True)
class Brought:
    """The series of one quantity of a file; of capacity, a column for each product."""

    wanted: Wanted
    quantity: Wants
    series: ImportedSeries

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its columns in a scenario's series: a product that is shipped has its definition's name."""
        if self.quantity != "capacity":
            return (COLUMNS[self.quantity],)
        return tuple(f"{name}{SUFFIX}" for name in self.products)

    @property
    def products(self) -> dict[str, str | None]:
        """Products by name, each with the shipped definition that it is, "caiso.reg_up", or None."""
        words = [str(column).removesuffix(SUFFIX) for column in self.series.columns]
        known = [published_as(str(self.series.reading.figures["market"]), word) for word in words]
        return {word if use is None else use.partition(".")[2]: use for word, use in zip(words, known, strict=True)}

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        with self.wanted.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


def bring(
    wanted: Sequence[Wanted], shared: Mapping[str, Any], progress: Callable[[str, float], None] | None = None
) -> list[Brought]:
    """Every quantity of every file. `shared` arguments hold for each file in which they have an effect.

    `progress` is told the name of a long file and which share of it has been looked through.

    ScenarioError for what a file is refused for, for an argument that no file uses, for a quantity that comes twice.
    """
    unused = set(shared)
    brought: list[Brought] = []
    for one in wanted:
        found = _all_of(one, shared, None if progress is None else partial(progress, one.path.name))
        brought += found
        for each in found:
            unused -= set(each.series.reading.arguments)
    if unused:
        name = min(unused)
        found_text = f"found {shared[name]!r}, which changes nothing in any file"
        raise problem("unused_argument", name, found_text, "leave it out")
    for quantity in QUANTITIES:
        files = [b.wanted.path.name for b in brought if b.quantity == quantity]
        if len(files) > 1:
            found_text = f"{quantity} comes from {' and '.join(files)}"
            raise problem("several_places", "files", found_text, f"write {quantity}=FILE for the one that is meant")
    return brought


def _all_of(one: Wanted, shared: Mapping[str, Any], told: Callable[[float], None] | None) -> list[Brought]:
    quantities = ENERGY if one.quantity is None else (one.quantity,)
    found: list[Brought] = []
    errors: list[ScenarioError] = []
    for quantity in quantities:
        try:
            found.append(Brought(one, quantity, _read(one, quantity, shared, told)))
        except ScenarioError as error:
            errors.append(error)
    if one.quantity is None and not found and {e.problems[0].code for e in errors} == {"capacity_price"}:
        return [Brought(one, "capacity", _read(one, "capacity", shared, told))]
    serious = [e for e in errors if e.problems[0].code not in _OTHER_QUANTITY]
    if serious or not found:
        raise (serious or errors)[0]
    columns = [_column(b.series) for b in found] if len(found) > 1 else []
    if len(set(columns)) < len(columns):
        readings = [
            (f"{b.quantity}={one.path.name}", f"a first value of {float(b.series.to_numpy()[0, 0]):g}") for b in found
        ]
        may_be = f"column {columns[0]} may be {' or '.join(b.quantity for b in found)}"
        raise question("several_columns", one.path.name, may_be, readings)
    return found


def _read(
    one: Wanted, quantity: Wants, shared: Mapping[str, Any], told: Callable[[float], None] | None
) -> ImportedSeries:
    """The series, with those of the shared arguments that have an effect on it."""
    own = dict(one.stated)
    common = {name: value for name, value in shared.items() if name not in own}
    while True:
        try:
            if quantity == "capacity":
                return _read_capacity(one.path, {**common, **own})
            return read_file(one.path, Stated(quantity, {**common, **own}), told)
        except ScenarioError as error:
            idle = {p.where for p in error.problems if p.code == "unused_argument"} & set(common)
            if not idle:
                raise
            common = {name: value for name, value in common.items() if name not in idle}


def _read_capacity(path: Path, stated: Mapping[str, Any]) -> ImportedSeries:
    """Prices of products for capacity. ScenarioError for an argument that they do not take."""
    known = set(signature(read_products).parameters)
    for name, value in stated.items():
        if name not in known:
            found = f"found {value!r}, which prices for capacity do not take"
            raise problem("unused_argument", name, found, "leave it out")
    return read_products(path, **stated)


def _column(series: ImportedSeries) -> str:
    return next(d.value for d in series.reading.decisions if d.name == "column")


def joined(brought: Sequence[Brought], time_zone: str | None) -> tuple[pd.DataFrame, list[str]]:
    """One frame over the span that all series share, in the shortest of their steps, and what was done for it.

    Prices and mean powers hold over a longer step, so it is repeated; a row that a file lacks is empty. ScenarioError
    where the steps are no multiples of each other, or no span is shared.
    """
    zone = time_zone or zone_of(brought[0].series)
    stamps = [pd.DatetimeIndex(b.series.index).as_unit("ns").tz_convert("UTC").asi8 for b in brought]
    steps = [step_of(np.asarray(s, dtype=np.int64)) for s in stamps]
    step = min(steps)
    said = []
    for b, length in zip(brought, steps, strict=True):
        if length % step:
            found = f"has steps of {minutes(length)}, another file of {minutes(step)}"
            raise problem("mixed_steps", b.wanted.path.name, found, "give files whose steps are multiples")
        if length > step:
            names = listed(list(b.names))
            said.append(f"{names}: steps of {minutes(length)} are repeated in steps of {minutes(step)}")
    first = max(int(s[0]) for s in stamps)
    last = min(int(s[-1]) + length for s, length in zip(stamps, steps, strict=True))
    if last <= first:
        spans = ", ".join(f"{b.wanted.path.name} {b.series.index[0]} to {b.series.index[-1]}" for b in brought)
        raise problem("mixed_steps", "files", f"share no time: {spans}", "give files of the same time")
    grid = np.arange(first, last, step, dtype=np.int64)
    columns = {}
    for b, starts, length in zip(brought, stamps, steps, strict=True):
        at = np.searchsorted(starts, grid, side="right") - 1
        there = (at >= 0) & (grid < starts[np.maximum(at, 0)] + length)
        if ((grid[there] - starts[at[there]]) % step).any():
            found = f"has steps that begin at other minutes than those of {brought[0].wanted.path.name}"
            raise problem("mixed_steps", b.wanted.path.name, found, "give files on one grid of steps")
        for name, values in zip(b.names, b.series.to_numpy().T, strict=True):
            columns[name] = np.where(there, values[np.maximum(at, 0)], np.nan)
        if first > int(starts[0]) or last < int(starts[-1]) + length:
            said.append(f"{b.wanted.path.name}: rows outside the span that all files share are left out")
    index = pd.DatetimeIndex(grid.astype("datetime64[ns]")).tz_localize("UTC").tz_convert(zone).rename("time")
    return pd.DataFrame(columns, index=index), said


def zone_of(frame: pd.DataFrame) -> str:
    """The time zone of a frame's index."""
    return str(pd.DatetimeIndex(frame.index).tz)


def from_reading(file: Path) -> list[Wanted]:
    """The files of a record of an earlier import, with what was stated. ScenarioError if it is none of ours."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        return [
            Wanted((file.parent / entry["path"]).resolve(), entry["quantity"], entry["arguments"])
            for entry in content["file"]
        ]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        expected = f"give the {READING} that an import wrote"
        raise problem("unreadable_file", file.name, f"is no record of an import: {error}", expected) from None
