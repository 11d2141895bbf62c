"""The scenario: every input of a question, checked as a whole, frozen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import Table
from bess_opt.common.wording import counted
from bess_opt.inputs.batteries import check_columns, merged_batteries, only_battery, read_batteries
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.calendar.holidays import holidays_in
from bess_opt.inputs.connection import Clause, clause_notes, condition_findings
from bess_opt.inputs.describe import describe_series, scenario_html
from bess_opt.inputs.finance import Finance
from bess_opt.inputs.outage import Outage, outage_notes
from bess_opt.inputs.products.market_product import (
    MarketProduct,
    column_findings,
    resolved,
    sign_findings,
    unused_columns,
)
from bess_opt.inputs.reading.json_schema import json_schema
from bess_opt.inputs.reading.magnitudes import Largest, check_magnitudes
from bess_opt.inputs.reading.scenario_checks import battery_findings, check_tables
from bess_opt.inputs.reading.scenario_reading import (
    LISTS,
    TABLES,
    SeriesSource,
    file_source,
    frame_source,
    read_series,
    read_tables,
    read_toml,
    unknown_tables,
)
from bess_opt.inputs.reading.strategy_entry import StrategyEntry, read_strategies
from bess_opt.inputs.series.clean import CleanSeries, SeriesOptions, lock
from bess_opt.inputs.site import Site
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.inputs.tariff import Tariff
from bess_opt.inputs.tariff_checks import price_findings, price_notes

_HELD = ("site", "tariff", "finance", "solver")
_KNOWN = [*TABLES, *LISTS, "strategy", "series_options", "name"]


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Scenario:
    """Batteries at a site over a horizon, with what is wanted of them.

    `battery` is one table, or a list of tables with names. Tables may be given as their types or as mappings,
    `series` as a DataFrame whose tz-aware index holds the starts of equal steps. `notes` lists what was filled,
    resampled or assumed. `==` compares tables and series, not name, folder or notes. ScenarioError lists every
    problem of all inputs at once.
    """

    batteries: tuple[Battery, ...]
    site: Site
    tariff: Tariff | None
    finance: Finance | None
    solver: SolverOptions
    connection: tuple[Clause, ...]
    outage: tuple[Outage, ...]
    product: tuple[MarketProduct, ...]
    strategies: tuple[StrategyEntry, ...]
    notes: tuple[Finding, ...]
    name: str
    folder: Path | None
    _clean: CleanSeries

    def __init__(
        self,
        *,
        battery: Battery | Mapping[str, Any] | Sequence[Battery | Mapping[str, Any]],
        series: pd.DataFrame,
        site: Site | Mapping[str, Any] | None = None,
        strategy: str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]] | None = None,
        tariff: Tariff | Mapping[str, Any] | None = None,
        finance: Finance | Mapping[str, Any] | None = None,
        solver: SolverOptions | Mapping[str, Any] | None = None,
        connection: Sequence[Clause | Mapping[str, Any]] | None = None,
        outage: Sequence[Outage | Mapping[str, Any]] | None = None,
        product: Sequence[MarketProduct | Mapping[str, Any]] | None = None,
        series_options: SeriesOptions | Mapping[str, Any] | None = None,
        name: str = "scenario",
        **unknown: Any,
    ) -> None:
        problems = unknown_tables(unknown, _KNOWN, "")
        if problems:
            raise ScenarioError(problems)
        tables: dict[str, object] = {"battery": battery, "site": site, "series": series_options}
        tables |= {"strategy": strategy, "tariff": tariff, "finance": finance, "solver": solver}
        tables |= {"connection": connection, "outage": outage, "product": product}
        self._adopt(tables, frame_source(series), name, None)

    def _adopt(self, tables: Mapping[str, Any], source: SeriesSource, name: str, folder: Path | None) -> None:
        """Check everything, and take it over if all is right."""
        parts, problems = read_tables(tables)
        entries, wrong = read_strategies(tables.get("strategy"))
        cleaned, horizon, wrong_series = read_series(tables, source)
        problems += [*wrong, *wrong_series, *check_tables(parts, horizon)]
        if cleaned is not None and not wrong_series:
            problems += check_columns(parts["batteries"], list(cleaned.frame.columns)) if parts["batteries"] else []
        if cleaned is not None and not problems:
            products = resolved(parts["product"], cleaned.index[0])[0]
            problems += column_findings(products, [str(name) for name in cleaned.frame.columns])
        if cleaned is not None and not problems:
            problems += price_findings(parts.get("tariff"), {str(k): v.to_numpy() for k, v in cleaned.frame.items()})
            problems += check_magnitudes(parts, cleaned.frame)
            problems += condition_findings(parts["connection"], [str(name) for name in cleaned.frame.columns])
            problems += sign_findings(resolved(parts["product"], cleaned.index[0])[0], cleaned.frame)
        if problems or cleaned is None:
            raise ScenarioError(problems)
        notes = price_notes(parts.get("tariff"), list(cleaned.frame.columns))
        holidays = holidays_in(parts["site"].holidays, cleaned.index)
        notes = [*notes, *clause_notes(parts["connection"], cleaned.frame, holidays)]
        notes += outage_notes(parts["outage"], cleaned.index, cleaned.step_h)
        notes += resolved(parts["product"], cleaned.index[0], cleaned.index[-1])[2]
        notes += unused_columns(parts["product"], [str(name) for name in cleaned.frame.columns])
        values = {key: parts.get(key) for key in ("batteries", *_HELD, *LISTS)}
        values |= {"strategies": entries, "notes": (*cleaned.notes, *notes), "name": name}
        for key, value in (values | {"folder": folder, "_clean": cleaned}).items():
            object.__setattr__(self, key, value)

    @property
    def battery(self) -> Battery:
        """The one battery. ScenarioError where there are several, see `batteries`."""
        return only_battery(self.batteries)

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

    @property
    def products(self) -> tuple[MarketProduct, ...]:
        """The market products with the keys of the definitions that they use, in force at the first step."""
        return resolved(self.product, self._clean.index[0])[0]

    @property
    def holidays(self) -> tuple[str, ...]:
        """Local dates of the horizon that are holidays by `site.holidays`, "YYYY-MM-DD" each."""
        return holidays_in(self.site.holidays, self._clean.index)

    def replace(self, **tables: Any) -> Scenario:
        """A new scenario with `tables` over the present ones, checked again.

        battery, site, tariff, finance and solver merge with their stated keys when given as a mapping, several
        batteries by name, `battery={"north": {"power_mw": 3.0}}`; technology, strategy, connection, outage, product,
        series and a list of batteries are replaced whole; None takes the default. ScenarioError for what is wrong.
        """
        unknown = unknown_tables(tables, _KNOWN, "")
        if unknown:
            raise ScenarioError(unknown)
        if "series_options" in tables and "series" not in tables:
            found = "stand without a series, and the present one is already clean"
            raise ScenarioError([Finding("no_series", "series_options", found, "give series too")])
        batteries = merged_batteries(self.batteries, tables.get("battery", self.batteries))
        other = self._of_batteries(batteries) if tables.keys() == {"battery"} else None
        if other is not None:
            return other
        merged = {key: _merged(getattr(self, key), tables.get(key, getattr(self, key))) for key in _HELD}
        merged["battery"] = batteries
        merged |= {key: tables.get(key, getattr(self, key)) for key in LISTS}
        merged["strategy"] = tables.get("strategy", self.strategies)
        merged["series"] = tables.get("series_options")
        source = frame_source(tables["series"]) if "series" in tables else self._clean
        result = object.__new__(Scenario)
        result._adopt(merged, source, tables.get("name", self.name), self.folder)
        return result

    def _of_batteries(self, tables: Any) -> Scenario | None:
        """This scenario with other batteries, None where they are not right; all else was checked with it."""
        batteries, problems = read_batteries(tables)
        if problems:
            return None
        problems = battery_findings(batteries, self.site, self.step_h)
        problems += check_columns(batteries, list(self._clean.frame.columns))
        if problems or not self._largest.stands_beside(batteries):
            return None
        return self._with({"batteries": batteries})

    @cached_property
    def _largest(self) -> Largest:
        """What any batteries of this scenario must stand beside."""
        return Largest.of({key: getattr(self, key) for key in (*_HELD, *LISTS)}, self._clean.frame)

    def _with(self, parts: Mapping[str, Any]) -> Scenario:
        """This scenario with other parts that were checked."""
        result = object.__new__(Scenario)
        for key, value in (vars(self) | dict(parts)).items():
            object.__setattr__(result, key, value)
        return result

    def under(self, numbers: Sequence[int]) -> Scenario:
        """The same scenario under those of its clauses alone, by place in `connection`; they were checked with it."""
        place = {f"connection[{number}]": f"connection[{n}]" for n, number in enumerate(numbers)}
        notes = []
        for note in self.notes:
            clause, _, rest = note.where.partition(".")
            if clause in place or not clause.startswith("connection["):
                notes.append(replace(note, where=".".join(filter(None, (place.get(clause, clause), rest)))))
        changed = {"connection": tuple(self.connection[number] for number in numbers), "notes": tuple(notes)}
        return self._with(changed)

    def to_tables(self) -> dict[str, Any]:
        """Plain tables that, written as TOML beside the clean series, load as an equal scenario."""
        batteries = [battery.to_plain() for battery in self.batteries]
        tables: dict[str, Any] = {"battery": batteries if len(batteries) > 1 else batteries[0]}
        tables["site"] = self.site.to_plain() | {"time_zone": self.time_zone}
        if self.site.holidays is not None:
            tables["site"]["holidays"] = list(self.holidays)
        tables["series"] = {"step_min": round(self.step_h * 60, 9)}
        if self.strategies:
            listed = [entry.to_plain() for entry in self.strategies]
            tables["strategy"] = listed if len(listed) > 1 else listed[0]
        for key in _HELD[1:]:
            table: Table | None = getattr(self, key)
            if table is not None:
                tables[key] = table.to_plain()
        for key in LISTS:
            if getattr(self, key):
                tables[key] = [table.to_plain() for table in getattr(self, key)]
        return tables

    def digest(self) -> str:
        """sha256 over tables and series: equal scenarios have equal digests, on any machine."""
        frame = self._clean.frame
        text = json.dumps([self.to_tables(), list(frame.columns)], sort_keys=True, default=str)
        digest = hashlib.sha256(text.encode())
        digest.update(self._clean.index.asi8.astype("<i8").tobytes())
        digest.update(frame.to_numpy().astype("<f8").tobytes())
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scenario):
            return NotImplemented
        return self is other or self.digest() == other.digest()

    def __hash__(self) -> int:
        return hash(self.digest())

    def _repr_html_(self) -> str:
        return scenario_html(self)

    def __repr__(self) -> str:
        names = ", ".join(entry.name for entry in self.strategies) or "no strategy"
        steps = f"{counted(len(self._clean.frame), 'step')} of {self.step_h * 60:g} min"
        size = " + ".join(f"{battery.power_mw:g} MW, {battery.energy_mwh:g} MWh" for battery in self.batteries)
        return f"Scenario({self.name!r}: {size}, {names}, {steps} from {self._clean.index[0].isoformat()})"

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key, value in state.items():
            object.__setattr__(self, key, value)
        # A pickled array is writable again, and pandas before 3 would hand it out as it is.
        cleaned = self._clean
        locked = CleanSeries(lock(cleaned.frame), cleaned.step_h, cleaned.time_zone, cleaned.notes)
        object.__setattr__(self, "_clean", locked)


def load(path: str | Path) -> Scenario:
    """The scenario of a folder with scenario.toml, or of a .toml file. ScenarioError with every problem."""
    path = Path(path)
    file = path / "scenario.toml" if path.is_dir() else path
    tables = read_toml(file)
    unknown = unknown_tables(tables, [*TABLES, *LISTS, "strategy"], f" in {file.name}")
    scenario = object.__new__(Scenario)
    try:
        scenario._adopt(tables, file_source(file.parent), file.resolve().parent.name, file.parent)
    except ScenarioError as error:
        raise ScenarioError([*unknown, *error.problems]) from None
    if unknown:
        raise ScenarioError(unknown)
    return scenario


def describe(scenario: Scenario) -> pd.DataFrame:
    """Statistics of each series, one row per column; see `inputs.describe.describe_series`."""
    return describe_series(scenario.series, scenario.step_h)


def _merged(present: Table | None, change: Any) -> Any:
    return present.merged(change) if isinstance(change, Mapping) and present is not None else change


__all__ = ["Scenario", "StrategyEntry", "describe", "json_schema", "load"]
