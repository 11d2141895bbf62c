"""What the caller states about a file, what a format makes of it, and how a format presents itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from bess_opt.common.clock import is_zone
from bess_opt.common.findings import Finding
from bess_opt.inputs.readers.problems import problem
from bess_opt.inputs.readers.sheet import Floats, Sheet
from bess_opt.inputs.readers.stamps import CLOCK_REMEDY, StampKind
from bess_opt.inputs.readers.units import KNOWN, Quantity, factor_of, fits, unit_in


@dataclass(frozen=True)
class Request:
    """What is wanted of a file, and what the caller knows about it that the file does not say."""

    quantity: Quantity
    clock: str | None = None
    column: str | None = None
    place: str | None = None
    unit: str | None = None
    stamps: StampKind | None = None
    year: int | None = None
    capacity_mw: float | None = None


@dataclass(frozen=True)
class Found:
    """Rows of a file as a format reads them: starts in UTC, values in `unit`, the zone that is local there."""

    starts: pd.DatetimeIndex
    values: Floats
    unit: str
    zone: str
    column: str
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Format:
    """A kind of file. `knows` looks at the header only; `read` raises ScenarioError for what does not fit."""

    name: str
    looks_like: str
    knows: Callable[[Sheet], bool]
    read: Callable[[Sheet, Request], Found]


def stated_clock(sheet: Sheet, request: Request) -> str:
    """The clock of the file's stamps. ScenarioError if it is not stated or not known."""
    if request.clock is None:
        raise problem("no_time_zone", f"{sheet.source}, times", "say no time zone", CLOCK_REMEDY)
    return checked_zone(request.clock, "clock")


def checked_zone(zone: str, where: str) -> str:
    """`zone` itself. ScenarioError if it is no IANA name."""
    if not is_zone(zone):
        raise problem("unknown_zone", where, f"found {zone!r}", "give an IANA name such as 'Europe/Berlin'")
    return zone


def choose(sheet: Sheet, request: Request, fitting: Sequence[str]) -> str:
    """The stated column, by its name or a part of it that no other has; else the only `fitting` one.

    ScenarioError names the choices.
    """
    word = request.column
    if word is None:
        if len(fitting) == 1:
            return fitting[0]
        if not fitting:
            expected = f"state column and unit; there are {', '.join(sheet.header)}"
            raise problem("missing_column", sheet.source, f"has no column for {request.quantity}", expected)
        found = f"has {len(fitting)} columns that may be meant"
        raise problem("several_columns", sheet.source, found, f"state column: {', '.join(fitting)}")
    exact = [name for name in sheet.header if name == word]
    part = exact or [name for name in sheet.header if word.lower() in name.lower()]
    if len(part) != 1:
        found = f"{word!r} is {'no' if not part else 'more than one'} column of {sheet.source}"
        raise problem("missing_column", "column", found, f"give one of {', '.join(part or sheet.header)}")
    return part[0]


def unit_for(sheet: Sheet, request: Request, column: str, default: str = "") -> str:
    """The stated unit, else the file's own, else `default`. ScenarioError if it does not fit the quantity."""
    written = unit_in(column) or unit_in(sheet.units[sheet.header.index(column)])
    given = request.unit or written or default
    if not given and request.capacity_mw is not None:
        return "kW/kWp"
    if not given or not fits(given, request.quantity):
        found = f"column {column!r} is in {given!r}" if given else f"column {column!r} states no unit"
        raise problem("unknown_unit", "unit" if request.unit else sheet.source, found, KNOWN[request.quantity])
    return given


def one_place(sheet: Sheet, request: Request, column: str) -> Sheet:
    """The rows of the one node or area that is meant. ScenarioError if there are several and none is stated."""
    cells = sheet.cells(column)
    places = list(dict.fromkeys(cells))
    wanted = request.place if request.place is not None else places[0]
    if wanted not in places or (request.place is None and len(places) > 1):
        found = f"column {column} holds {', '.join(places[:8])}{' …' if len(places) > 8 else ''}"
        raise problem("several_places", sheet.source, found, "state place, one of these")
    return sheet if len(places) == 1 else sheet.kept([i for i, cell in enumerate(cells) if cell == wanted])


def matching(sheet: Sheet, pattern: str) -> list[str]:
    """Columns whose name the pattern finds, upper or lower case."""
    return [name for name in sheet.header if re.search(pattern, name, re.IGNORECASE)]


def kind_and_factor(unit: str) -> tuple[str, float]:
    """(kind, factor) of a unit that `unit_for` has let through."""
    return factor_of(unit) or ("power", 1.0)
