"""What stands where in a table: columns of times, values and places, and what a kind of file is known to mean."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from bess_opt.inputs.readers.arguments import StampKind, Stated
from bess_opt.inputs.readers.file.opened import Form, Opened
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.reading import Log

Order = Literal["day first", "month first", "year first"]


@dataclass(frozen=True)
class Values:
    """Columns that hold a quantity: a pattern of their names, and the unit where a name states none."""

    pattern: str
    unit: str = ""


@dataclass(frozen=True)
class Layout:
    """How a table is read. What is None or empty is found out, or asked of the caller.

    Times: `start` (with `end` beside it), or `utc` (instants in UTC; `local` are the clock times beside them), or
    `date` with `period` (number or hour of the step). `clock` is that of bare times, `zone` the one in which results
    are shown.
    `summer` is a column that tells repeated hours apart, with its words for summer time or the first of both, and
    for winter time or the second. `keep` are (column, value, why) of rows that are used, `places` columns that name
    a place. `capacity` says that the file holds prices for capacity, and of what. `held` marks states at irregular
    times, `year` rows without times, which fill that year;
    `part` numbers the quarters within the hours of `period`; `made` are columns (name, cells) that the kind made.
    """

    values: Mapping[str, Values] = field(default_factory=dict)
    start: str | None = None
    end: str | None = None
    utc: str | None = None
    local: str | None = None
    date: str | None = None
    period: str | None = None
    time: str | None = None
    summer: tuple[str, tuple[str, ...], tuple[str, ...]] | None = None
    stamps: StampKind | None = None
    clock: str | None = None
    zone: str | None = None
    order: Order | None = None
    counted: bool | None = None
    first_period: int | None = None
    step_min: float | None = None
    keep: tuple[tuple[str, str, str], ...] = ()
    places: tuple[str, ...] = ()
    capacity: str = ""
    held: bool = False
    decimal: str | None = None
    year: int | None = None
    part: str | None = None
    made: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of file that recognises itself.

    `knows` looks at a table (form "table") or at an opened file before any table is made (other forms); `table`
    makes the table of a document; `layout` says what stands where. `source` is where the format is described.
    """

    name: str
    looks_like: str
    source: str
    knows: Callable[[Any], bool]
    layout: Callable[[Table, Stated, Log], Layout]
    form: Form | Literal["table"] = "table"
    table: Callable[[Opened, Stated, Log], Table] | None = None


@cache
def known_kinds() -> tuple[Kind, ...]:
    """Every kind of the folders `prices`, `meters` and `solar`: a module there with KIND, or KINDS, is one."""
    found: list[Kind] = []
    for folder in ("prices", "meters", "solar"):
        package = importlib.import_module(f"bess_opt.inputs.readers.{folder}")
        for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
            content = importlib.import_module(f"{package.__name__}.{module}")
            found += getattr(content, "KINDS", None) or [content.KIND]
    return tuple(found)


def kind_of_document(opened: Opened) -> Kind | None:
    """The kind of a file that shows before a table is made of it; None if there is none."""
    return next((k for k in known_kinds() if k.form == opened.form and k.table is not None and k.knows(opened)), None)


def kind_of_table(table: Table) -> Kind | None:
    """The kind of a table; None if it is a plain one."""
    return next((k for k in known_kinds() if k.form == "table" and k.knows(table)), None)


def matching(table: Table, pattern: str) -> list[str]:
    """Columns whose name the pattern finds, upper or lower case."""
    return [name for name in table.names if re.search(pattern, name, re.IGNORECASE)]
