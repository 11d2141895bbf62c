"""The scenario: every input of a question, checked as a whole, frozen."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd

from bess_opt.battery import Battery
from bess_opt.errors import ScenarioError, nearest
from bess_opt.finance_types import Finance
from bess_opt.findings import Finding
from bess_opt.scenario_checks import check_tables, check_tariff
from bess_opt.schema import json_schema
from bess_opt.series import CleanSeries, SeriesOptions, clean, lock
from bess_opt.series_files import from_file, from_frame
from bess_opt.series_statistics import describe_series
from bess_opt.site import Site
from bess_opt.solver_options import SolverOptions
from bess_opt.strategy_entries import StrategyEntry, read_strategies
from bess_opt.tables import Table, read_table, salvage, show
from bess_opt.tariff import Tariff

TABLES: dict[str, type[Table]] = {
    "battery": Battery,
    "site": Site,
    "series": SeriesOptions,
    "tariff": Tariff,
    "finance": Finance,
    "solver": SolverOptions,
}
_OPTIONAL = ("tariff", "finance")


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Scenario:
    """A battery at a site over a horizon, with what is wanted of it.

    Tables may be given as their types or as mappings, `series` as a DataFrame whose tz-aware index holds the
    starts of equal steps. `notes` lists what was filled, resampled or assumed. `==` compares tables and
    series, not name, folder or notes. ScenarioError lists every problem of all inputs at once.
    """

    battery: Battery
    site: Site
    tariff: Tariff | None
    finance: Finance | None
    solver: SolverOptions
    strategies: tuple[StrategyEntry, ...]
    notes: tuple[Finding, ...]
    name: str
    folder: Path | None
    _clean: CleanSeries

    def __init__(
        self,
        *,
        battery: Battery | Mapping[str, Any],
        series: pd.DataFrame,
        site: Site | Mapping[str, Any] | None = None,
        strategy: object = None,
        tariff: Tariff | Mapping[str, Any] | None = None,
        finance: Finance | Mapping[str, Any] | None = None,
        solver: SolverOptions | Mapping[str, Any] | None = None,
        series_options: SeriesOptions | Mapping[str, Any] | None = None,
        name: str = "scenario",
    ) -> None:
        tables = {"battery": battery, "site": site, "tariff": tariff, "finance": finance, "solver": solver}
        tables |= {"series": series_options, "strategy": strategy}
        self._adopt(tables, series, name, None)

    def _adopt(self, tables: Mapping[str, Any], series: object, name: str, folder: Path | None) -> None:
        """Check all and take it over; `series` is a DataFrame, a clean series, or None to read the file."""
        parts, problems = _read_tables(tables)
        entries, wrong = read_strategies(tables.get("strategy"))
        problems += wrong
        try:
            cleaned = _clean_series(tables, series, folder)
        except ScenarioError as error:
            problems += error.problems
            cleaned = None
        problems += check_tables(parts, cleaned)
        notes, wrong = check_tariff(parts.get("tariff"), cleaned)
        if problems or wrong or cleaned is None:
            raise ScenarioError([*problems, *wrong])
        values = {key: parts.get(key) for key in ("battery", "site", "tariff", "finance", "solver")}
        values |= {"strategies": entries, "notes": cleaned.notes + tuple(notes), "name": name}
        for key, value in (values | {"folder": folder, "_clean": cleaned}).items():
            object.__setattr__(self, key, value)

    @property
    def series(self) -> pd.DataFrame:
        """Clean series: float64, index "time" in `time_zone`. Writing to it does not change the scenario."""
        return self._clean.frame.copy(deep=False)

    @property
    def step_h(self) -> float:
        """Length of a step [h]."""
        return self._clean.step_h

    @property
    def time_zone(self) -> str:
        """IANA name of the local clock: the site's stated zone, else the series' own."""
        return self._clean.time_zone

    def replace(self, **tables: Any) -> Scenario:
        """A new scenario with `tables` over the present ones, checked again.

        battery, site, tariff, finance and solver merge with their stated keys when given as a mapping;
        technology, strategy and series are replaced whole; None takes the default. ScenarioError for an
        unknown table or a wrong value.
        """
        known = [
            "battery",
            "site",
            "tariff",
            "finance",
            "solver",
            "strategy",
            "series",
            "series_options",
            "name",
        ]
        unknown = [
            Finding("unknown_table", key, f"unknown table {key!r}", nearest(key, known))
            for key in tables
            if key not in known
        ]
        if unknown:
            raise ScenarioError(unknown)
        merged: dict[str, Any] = {"strategy": self.strategies}
        for key in ("battery", "site", "tariff", "finance", "solver"):
            merged[key] = _merged(getattr(self, key), tables.get(key, getattr(self, key)))
        merged["strategy"] = tables.get("strategy", self.strategies)
        merged["series"] = tables.get("series_options")
        result = object.__new__(Scenario)
        result._adopt(merged, tables.get("series", self._clean), tables.get("name", self.name), self.folder)
        return result

    def to_tables(self) -> dict[str, Any]:
        """Plain tables that, written as TOML beside the clean series, load as an equal scenario."""
        tables: dict[str, Any] = {"battery": self.battery.to_plain()}
        tables["site"] = self.site.to_plain() | {"time_zone": self.time_zone}
        tables["series"] = {"step_min": round(self.step_h * 60, 9)}
        if self.strategies:
            listed = [entry.to_plain() for entry in self.strategies]
            tables["strategy"] = listed if len(listed) > 1 else listed[0]
        for key in ("tariff", "finance", "solver"):
            table: Table | None = getattr(self, key)
            if table is not None:
                tables[key] = table.to_plain()
        return tables

    def digest(self) -> str:
        """sha256 over tables and series: equal scenarios have equal digests, on any machine."""
        frame = self._clean.frame
        text = json.dumps([self.to_tables(), list(frame.columns)], sort_keys=True, default=str)
        digest = hashlib.sha256(text.encode())
        digest.update(self._stamps().astype("<i8").tobytes())
        digest.update(frame.to_numpy().astype("<f8").tobytes())
        return digest.hexdigest()

    def _stamps(self) -> Any:
        return pd.DatetimeIndex(self._clean.frame.index).asi8

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scenario):
            return NotImplemented
        return self is other or self.digest() == other.digest()

    def __hash__(self) -> int:
        return hash(self.digest())

    def __repr__(self) -> str:
        names = ", ".join(entry.name for entry in self.strategies) or "no strategy"
        frame = self._clean.frame
        return (
            f"Scenario({self.name!r}: {self.battery.power_mw:g} MW, {self.battery.energy_mwh:g} MWh, {names}, "
            f"{len(frame)} steps of {self.step_h * 60:g} min from {frame.index[0].isoformat()})"
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key, value in state.items():
            object.__setattr__(self, key, value)
        # pickle forgets that arrays are read-only
        cleaned = self._clean
        locked = CleanSeries(lock(cleaned.frame), cleaned.step_h, cleaned.time_zone, cleaned.notes)
        object.__setattr__(self, "_clean", locked)


def load(path: str | Path) -> Scenario:
    """The scenario of a folder with scenario.toml, or of a .toml file. ScenarioError with every problem."""
    path = Path(path)
    file = path / "scenario.toml" if path.is_dir() else path
    tables = _read_toml(file)
    known = [*TABLES, "strategy"]
    unknown = [
        Finding("unknown_table", key, f"unknown table [{key}] in {file.name}", nearest(key, known))
        for key in tables
        if key not in known
    ]
    scenario = object.__new__(Scenario)
    try:
        scenario._adopt(tables, None, file.resolve().parent.name, file.parent)
    except ScenarioError as error:
        raise ScenarioError([*unknown, *error.problems]) from None
    if unknown:
        raise ScenarioError(unknown)
    return scenario


def describe(scenario: Scenario) -> pd.DataFrame:
    """Statistics of each series, one row per column; see `series_statistics.describe_series`."""
    return describe_series(scenario.series, scenario.step_h)


def _read_tables(tables: Mapping[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    """Each table as its type, if it is right, and the problems of all."""
    parts: dict[str, Any] = {}
    problems: list[Finding] = []
    for key, kind in TABLES.items():
        value = tables.get(key)
        if value is None and key in _OPTIONAL:
            continue
        if value is None and key == "battery":
            expected = "give [battery] with power_mw and duration_h"
            problems.append(Finding("missing_table", key, "is missing", expected))
            continue
        parts[key], wrong = read_table(kind, {} if value is None else value, key)
        problems += wrong
    return parts, problems


def _clean_series(tables: Mapping[str, Any], series: object, folder: Path | None) -> CleanSeries:
    """The clean series. What is wrong in [series] or [site] is left out here: their own check reports it."""
    zone = salvage(Site, tables.get("site"), "site").time_zone
    if isinstance(series, CleanSeries):
        return series if zone in (None, series.time_zone) else series.in_zone(str(zone))
    options = salvage(SeriesOptions, tables.get("series"), "series")
    raw = from_frame(series) if series is not None or folder is None else from_file(folder, options.file)
    return clean(raw, options, zone)


def _merged(present: Table | None, change: Any) -> Any:
    if isinstance(change, Mapping) and present is not None:
        return present.merged(change, whole=frozenset({"technology"}))
    return change


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{file.name} line {line[1]}" if line else file.name
        problem = Finding("toml_syntax", where, f"cannot be read: {error}", "mend the TOML syntax there")
    except UnicodeDecodeError as error:
        problem = Finding("not_utf8", file.name, f"byte {error.start} is not UTF-8", "save the file as UTF-8")
    except OSError as error:
        found = f"cannot be opened: {error.strerror or error}"
        problem = Finding(
            "missing_file", show(str(file)), found, "give a folder with scenario.toml, or a .toml file"
        )
    raise ScenarioError([problem])


__all__ = ["Scenario", "Self", "StrategyEntry", "describe", "json_schema", "load"]
