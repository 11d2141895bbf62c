"""The batteries of a site: one table or several with names, and what must agree between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bess_opt.common.columns import OF_BATTERY, owner_of
from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.input_table import read_table
from bess_opt.common.names import nearest
from bess_opt.common.wording import show
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.site import Site
from bess_opt.inputs.technologies import ROUNDING

MOST = 20  # batteries of a site
REMEDY = "give [battery] with power_mw and duration_h"


def read_batteries(value: object) -> tuple[tuple[Battery, ...], list[Finding]]:
    """The batteries of one table or of a list of tables, in their order, or none with all problems."""
    if value is None:
        return (), [Finding("missing_table", "battery", "is missing", REMEDY)]
    tables = list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]
    if not tables:
        return (), [Finding("missing_table", "battery", "is an empty list", REMEDY)]
    if len(tables) > MOST:
        return (), [Finding("wrong_value", "battery", f"found {len(tables)} tables", f"give at most {MOST}")]
    places = [_place(table, number, len(tables)) for number, table in enumerate(tables)]
    read = [read_table(Battery, table, place) for table, place in zip(tables, places, strict=True)]
    problems = [problem for _, wrong in read for problem in wrong]
    batteries = tuple(battery for battery, _ in read if battery is not None)
    if not problems and len(batteries) > 1:
        problems = _name_problems(batteries)
    return (() if problems else batteries), problems


def _place(table: object, number: int, count: int) -> str:
    name = table.name if isinstance(table, Battery) else table.get("name") if isinstance(table, Mapping) else None
    return "battery" if count == 1 else f"battery.{name}" if isinstance(name, str) and name else f"battery[{number}]"


def _name_problems(batteries: Sequence[Battery]) -> list[Finding]:
    remedy = "give each of several batteries a name of its own"
    nameless = [number for number, battery in enumerate(batteries) if battery.name is None]
    problems = [Finding("missing_key", f"battery[{number}].name", "is missing", remedy) for number in nameless]
    counts = Counter(battery.name for battery in batteries if battery.name is not None)
    twice = [name for name, count in counts.items() if count > 1]
    return problems + [Finding("contradiction", f"battery.{name}.name", "stands twice", remedy) for name in twice]


def only_battery(batteries: Sequence[Battery]) -> Battery:
    """The one battery. ScenarioError where there are several: what asks for it serves one alone."""
    if len(batteries) > 1:
        raise ScenarioError([several_batteries([str(battery.name) for battery in batteries])])
    return batteries[0]


def several_batteries(names: Sequence[str], what: str = "this") -> Finding:
    """The finding for `what` serves a site with one battery alone."""
    found = f"the site has {len(names)} batteries, {', '.join(names)}"
    return Finding("several_batteries", "battery", found, f"{what} serves one battery alone: state one [battery]")


def starts_outside(battery: Battery) -> bool:
    """Whether the battery starts outside its technology's window, by more than rounding."""
    tech, start = battery.tech, battery.soc_start_resolved
    return not tech.soc_min - ROUNDING <= start <= tech.soc_max + ROUNDING


def place_of(battery: Battery, batteries: Sequence[Battery]) -> str:
    """Where a battery is stated: "battery", of several "battery.north"."""
    return "battery" if len(batteries) == 1 else f"battery.{battery.name}"


def battery_of_array(batteries: Sequence[Battery]) -> Battery:
    """The battery whose topology and converters are those of the array: the first DC-coupled one, else the first."""
    return next((battery for battery in batteries if battery.topology != "parallel_ac"), batteries[0])


def column_of(battery: Battery, batteries: Sequence[Battery], column: str, columns: Any) -> str | None:
    """The name under which a series has `column` of a battery; None if it has not."""
    named = f"{battery.name}.{column}"
    if battery.name is not None and named in columns:
        return named
    return column if len(batteries) == 1 and column in columns else None


def merged_batteries(present: Sequence[Battery], change: Any) -> Any:
    """The batteries with `change` over them: keys of the one there is, or of several by name; a list replaces all."""
    if not isinstance(change, Mapping):
        return change
    whole = frozenset({"technology"})
    if len(present) == 1:
        own = change.get(present[0].name) if len(change) == 1 else None
        return present[0].merged(own if isinstance(own, Mapping) else change, whole=whole)
    names = [str(battery.name) for battery in present]
    for key in change:
        if key not in names:
            expected = f"{nearest(str(key), names)}; the keys of one battery stand below its name"
            raise ScenarioError(
                [Finding("unknown_key", f"battery.{key}", f"no battery is named {show(key)}", expected)]
            )
    for name, keys in change.items():
        if not isinstance(keys, Mapping):
            raise ScenarioError(
                [Finding("no_table", f"battery.{name}", f"found {show(keys)}", "give a table of keys")]
            )
    return [battery.merged(change.get(str(battery.name), {}), whole=whole) for battery in present]


def check_batteries(batteries: Sequence[Battery], site: Site | None) -> list[Finding]:
    """What the DC bus asks of the batteries on it: one kind of topology, one pair of inverter efficiencies."""
    problems: list[Finding] = []
    on_bus = [battery for battery in batteries if battery.topology != "parallel_ac"]
    for battery in on_bus[1:]:
        where, first = place_of(battery, batteries), on_bus[0]
        if battery.topology != first.topology:
            found = f"is {battery.topology!r} beside {first.topology!r} of {first.name}"
            expected = "a site has one DC bus: give both the same, or parallel_ac"
            problems.append(Finding("contradiction", f"{where}.topology", found, expected))
        for key in ("ac_to_dc", "dc_to_ac"):
            own, shared = getattr(battery.converters, key), getattr(first.converters, key)
            if own != shared:
                found = f"is {own:g}, and {first.name} on the same DC bus has {shared:g}"
                expected = "the shared inverter has one: give both the same"
                problems.append(Finding("contradiction", f"{where}.converters.{key}", found, expected))
    if site is not None and site.dc_share is None:
        for battery in (battery for battery in batteries if battery.topology == "hybrid"):
            found = f'is missing, but {place_of(battery, batteries)}.topology is "hybrid"'
            expected = "give the share of the array on the battery's DC bus, 0 to 1"
            return [*problems, Finding("missing_key", "site.dc_share", found, expected)]
    return problems


def check_columns(batteries: Sequence[Battery], columns: Sequence[str]) -> list[Finding]:
    """Columns that belong to one battery: whose each is, said once."""
    problems = []
    names = [battery.name for battery in batteries if battery.name is not None]
    for column in columns:
        owner, own = owner_of(column), column.rpartition(".")[2]
        if owner is not None and owner not in names:
            expected = nearest(owner, names) if names else f"write {own}, or name the battery"
            problems.append(Finding("unknown_column", f"series.{column}", f"no battery is named {owner!r}", expected))
        elif owner is not None and len(batteries) == 1 and own in columns:
            found = f"stands beside {own}, which means the same battery"
            problems.append(Finding("contradiction", f"series.{column}", found, "give one of the two"))
        elif owner is None and own in OF_BATTERY and len(batteries) > 1:
            listed = ", ".join(f"{name}.{own}" for name in names)
            found = "does not say of which battery it is"
            problems.append(Finding("unknown_column", f"series.{column}", found, f"name the battery: {listed}"))
    return problems
