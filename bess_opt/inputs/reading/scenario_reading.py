"""The parts of a scenario from what the user gave, each with all its problems, and what must agree between them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bess_opt.common.bounded_reading import read_bounded
from bess_opt.common.clock import HOUR_NS
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import MOST_TOLD, Table, read_table, salvage, untold
from bess_opt.common.names import nearest
from bess_opt.common.wording import show
from bess_opt.inputs.batteries import read_batteries
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.connection import Clause
from bess_opt.inputs.finance import Finance
from bess_opt.inputs.outage import Outage
from bess_opt.inputs.products.market_product import MarketProduct
from bess_opt.inputs.reading.scenario_checks import Horizon
from bess_opt.inputs.series.clean import CleanSeries, SeriesOptions, clean, examine
from bess_opt.inputs.series.raw import RawSeries, from_file, from_frame
from bess_opt.inputs.site import Site
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.inputs.tariff import Tariff

TABLES: dict[str, type[Table]] = {
    "battery": Battery,
    "site": Site,
    "series": SeriesOptions,
    "tariff": Tariff,
    "finance": Finance,
    "solver": SolverOptions,
}
LISTS: dict[str, type[Table]] = {
    "connection": Clause,
    "outage": Outage,
    "product": MarketProduct,
}  # tables that may stand several times, [[connection]]
MOST_ROWS = 1_000  # of such a list
MOST_BYTES = 1_000_000  # of scenario.toml, which has some kilobytes
DEEPEST = 16  # tables within tables; a scenario needs five
_OPTIONAL = ("tariff", "finance")
SeriesSource = CleanSeries | Callable[[SeriesOptions], RawSeries]


def unknown_tables(tables: Iterable[str], known: list[str], place: str) -> list[Finding]:
    """A finding for each table that is not `known`; `place` says in which file."""
    unknown = [key for key in tables if key not in known]
    told = [
        Finding("unknown_table", key[:100], f"unknown table {show(key)}{place}", nearest(key[:100], known))
        for key in unknown[:MOST_TOLD]
    ]
    return told + untold("tables", len(unknown) - MOST_TOLD)


def read_tables(tables: Mapping[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    """Each table as its type, if it is right, and the problems of all; the batteries as a tuple."""
    parts: dict[str, Any] = {}
    parts["batteries"], problems = read_batteries(tables.get("battery"))
    for key, kind in TABLES.items():
        value = tables.get(key)
        if key == "battery" or (value is None and key in _OPTIONAL):
            continue
        parts[key], wrong = read_table(kind, {} if value is None else value, key)
        problems += wrong
    for key, kind in LISTS.items():
        parts[key], wrong = _read_list(kind, tables.get(key), key)
        problems += wrong
    return parts, problems


def _read_list(kind: type[Table], value: object, key: str) -> tuple[tuple[Any, ...] | None, list[Finding]]:
    """The tables of a list, a single one being a list of one; None with all problems where one is wrong."""
    if value is None:
        return (), []
    items = [value] if isinstance(value, Mapping | Table) else value
    if not isinstance(items, list | tuple) or len(items) > MOST_ROWS:
        found = f"found {show(value)}" if not isinstance(items, list | tuple) else f"found {len(items)} tables"
        return None, [Finding("no_table", key, found, f"give tables [[{key}]], at most {MOST_ROWS}")]
    read = [read_table(kind, item, f"{key}[{n}]") for n, item in enumerate(items)]
    problems = [problem for _, wrong in read for problem in wrong]
    return (None if problems else tuple(table for table, _ in read)), problems[:MOST_TOLD]


def frame_source(series: object) -> SeriesSource:
    """The series from a DataFrame; `file` has no place beside it."""

    def read(options: SeriesOptions) -> RawSeries:
        if options.file is not None:
            found = f"found {show(options.file)} beside a DataFrame"
            raise ScenarioError([Finding("contradiction", "series.file", found, "give one of the two")])
        return from_frame(series)

    return read


def file_source(folder: Path) -> SeriesSource:
    """The series from the file that the options name in `folder`."""
    return lambda options: from_file(folder, options.file)


def _states_zone(site: object) -> bool:
    return isinstance(site, Mapping) and site.get("time_zone") is not None


def read_series(
    tables: Mapping[str, Any], source: SeriesSource
) -> tuple[CleanSeries | None, Horizon | None, list[Finding]]:
    """The clean series, or its problems; the horizon also if only cells are wrong.

    What is wrong in [series] or [site] is left out here: the check of that table reports it.
    """
    zone = salvage(Site, tables.get("site"), "site").time_zone
    if zone is None and _states_zone(tables.get("site")):
        zone = "UTC"  # some zone, so that only the wrong one is reported
    if isinstance(source, CleanSeries):
        cleaned = source if zone in (None, source.time_zone) else source.in_zone(str(zone))
        return cleaned, Horizon(cleaned.index, cleaned.step_h), []
    options = salvage(SeriesOptions, tables.get("series"), "series")
    try:
        raw = source(options)
    except ScenarioError as error:
        return None, None, list(error.problems)
    examined = examine(raw, options, zone)
    horizon = None
    if examined.axis is not None and examined.step_ns is not None:
        horizon = Horizon(examined.axis.index, (options.step_ns or examined.step_ns) / HOUR_NS)
    try:
        cleaned = clean(raw, options, examined)
    except ScenarioError as error:
        return None, horizon, list(error.problems)
    return cleaned, Horizon(cleaned.index, cleaned.step_h), []


def read_toml(file: Path) -> dict[str, Any]:
    """The tables of a TOML file. ScenarioError with the line of a syntax error, or why it cannot be read."""
    try:
        tables = tomllib.loads(read_bounded(file, MOST_BYTES).decode("utf-8-sig"))
        if _depth(tables) <= DEEPEST:
            return tables
        problem = _too_deep(file)
    except RecursionError:
        problem = _too_deep(file)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{file.name} line {line[1]}" if line else file.name
        problem = Finding("toml_syntax", where, f"cannot be read: {error}", "mend the TOML syntax there")
    except UnicodeDecodeError as error:
        problem = Finding("not_utf8", file.name, f"byte {error.start} is not UTF-8", "save the file as UTF-8")
    except ValueError as error:  # a number with thousands of digits
        found, expected = f"cannot be read: {str(error).partition(';')[0]}", "write numbers of a usual length"
        problem = Finding("toml_syntax", file.name, found, expected)
    except OSError as error:
        found = f"cannot be opened: {error.strerror or error}"
        expected = "give a folder with scenario.toml, or a .toml file"
        problem = Finding("missing_file", str(file), found, expected)
    raise ScenarioError([problem])


def _too_deep(file: Path) -> Finding:
    found = f"tables or lists stand more than {DEEPEST} deep in each other"
    return Finding("toml_syntax", file.name, found, "write them as the documentation shows")


def _depth(value: object) -> int:
    """How deep tables and lists are nested, counted without recursion."""
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        inner = [list(item.values()) if isinstance(item, dict) else item for item in level]
        level = [part for item in inner if isinstance(item, list) for part in item]
        depth += 1
    return depth
