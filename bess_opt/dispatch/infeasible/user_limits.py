"""The limits that a user stated and could give way on: where each stands, and the scenario with another value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bess_opt.common.findings import number
from bess_opt.inputs.scenario import Scenario
from bess_opt.models.meaning import Limit
from bess_opt.plant.plant import Plant
from bess_opt.solver.program import Program
from bess_opt.strategies.shared.stack import ActiveStrategy

POWER, DURATION, END = "battery.power_mw", "battery.duration_h", "battery.soc_end"
LOWEST, HIGHEST = "battery.technology.soc_min", "battery.technology.soc_max"
RESERVE = "series.energy_min_mwh"
CAPS, DAILY = "battery.max_cycles", "battery.max_cycles_per_day"
Values = Mapping[str, float | bool]


@dataclass(frozen=True)
class UserLimit:
    """A stated number that may move from `stated` towards `end`; changes are measured against `reference`."""

    where: str
    stated: float
    end: float
    unit: str
    reference: float

    @property
    def sense(self) -> float:
        """+1 if more of it gives room, −1 if less does."""
        return 1.0 if self.end > self.stated else -1.0

    def at(self, change: float) -> float:
        """The value after a change of so many references, no further than `end`."""
        value = self.stated + self.sense * change * self.reference
        return min(value, self.end) if self.sense > 0 else max(value, self.end)


def user_limits_of(scenario: Scenario, plant: Plant, program: Program, active: ActiveStrategy) -> list[UserLimit]:
    """Every number of `scenario` that can give way; with several batteries the site's.

    Those of the site are what the components of `program` name as their limits.
    """
    found = _of_battery(scenario) if len(scenario.batteries) == 1 else []
    limits = [block.meaning.limit for block in program.variables.values() if block.meaning.limit is not None]
    found += _of_site(scenario, plant, [limit for limit in limits if limit.meter])
    for place, clause in enumerate(scenario.connection):
        keys = ("import_mw", "export_mw") if clause.overrun_price_per_mwh is None else ()
        for key, unit in (*((key, "MW") for key in keys), ("ramp_mw_per_min", "MW/min")):
            if getattr(clause, key) is not None:
                found.append(_more(f"connection[{place}].{key}", getattr(clause, key), unit, plant.scale_mw))
    found += _of_site(scenario, plant, [limit for limit in limits if not limit.meter])
    if RESERVE.removeprefix("series.") in scenario.series and len(scenario.batteries) == 1:
        peak = float(scenario.series["energy_min_mwh"].max())
        found.append(UserLimit(RESERVE, peak, 0.0, "MWh", peak))
    found += [_more(where, stated, "", plant.scale_mw) for where, stated in active.hard_limits.items()]
    return [limit for limit in found if limit.end != limit.stated and limit.reference > 0.0]


def _of_site(scenario: Scenario, plant: Plant, limits: Sequence[Limit]) -> list[UserLimit]:
    """The numbers of the site that these limits come from, each once."""
    stated = {key: _of_key(scenario, key) for key in dict.fromkeys(limit.stated_at for limit in limits)}
    numbers = {key: value for key, value in stated.items() if isinstance(value, float)}
    return [_more(key, value, "MW", plant.scale_mw) for key, value in numbers.items()]


def _of_key(scenario: Scenario, key: str) -> Any:
    """What a key of the site states, None where it states nothing or is not the site's."""
    return getattr(scenario.site, key.removeprefix("site."), None) if key.startswith("site.") else None


def _of_battery(scenario: Scenario) -> list[UserLimit]:
    battery, tech = scenario.battery, scenario.battery.tech
    limits = battery.cycle_limits()
    return [
        _more(POWER, battery.power_mw, "MW"),
        _more(DURATION, battery.duration_h, "h"),
        UserLimit(LOWEST, tech.soc_min, 0.0, "", tech.soc_min),
        UserLimit(HIGHEST, tech.soc_max, 1.0, "", tech.soc_max),
        *_end(scenario),
        *(_more(_number_of(where), limit.count, f"per {limit.period}") for where, limit in limits),
    ]


def _number_of(where: str) -> str:
    """Key path of the number of a cap on cycles, from that of the cap."""
    return where if where == DAILY else f"{where}.count"


def _more(where: str, stated: float, unit: str, otherwise: float = 1.0) -> UserLimit:
    return UserLimit(where, stated, np.inf, unit, stated or otherwise)


def _end(scenario: Scenario) -> list[UserLimit]:
    """The end condition as a state of charge, towards either end of the window."""
    battery, tech = scenario.battery, scenario.battery.tech
    end = battery.soc_end
    if not isinstance(end, float) and end not in ("at_least_start", "equal"):
        return []
    stated = end if isinstance(end, float) else battery.soc_start_resolved
    lower = UserLimit(END, stated, tech.soc_min, "", stated or 1.0)
    upper = UserLimit(END, stated, tech.soc_max, "", stated or 1.0)
    return [lower] if end == "at_least_start" else [lower, upper]


def denied(scenario: Scenario, program: Program) -> list[str]:
    """Permissions that the scenario withholds: keys of the site behind components of `program`, not numbers."""
    limits = [block.meaning.limit for block in program.variables.values() if block.meaning.limit is not None]
    keys = [limit.stated_at for limit in limits]
    keys += [block.meaning.stated_at for block in program.constraints.values()]
    stated = {key: _of_key(scenario, key) for key in dict.fromkeys(keys)}
    return [key for key, value in stated.items() if isinstance(value, bool | str) and value is not True]


def tables_of(scenario: Scenario, values: Values) -> dict[str, Any]:
    """What `scenario.replace` takes to put all of `values` in their places.

    Power moves at constant energy, duration at the stated power: together they are a power and an energy.
    """
    battery: dict[str, Any] = {}
    tables: dict[str, dict[str, Any]] = {"battery": battery, "site": {}}
    stated, tech = scenario.batteries[0], {}  # of several none gives way
    for where, value in values.items():
        table, _, key = where.partition(".")
        if where in (LOWEST, HIGHEST):
            tech[key.removeprefix("technology.")] = value
        elif where == RESERVE:
            peak = float(scenario.series["energy_min_mwh"].max())
            lower = np.minimum(scenario.series["energy_min_mwh"] * (float(value) / peak), float(value))
            tables["series"] = scenario.series.assign(energy_min_mwh=lower)  # type: ignore[assignment]
            tables["series_options"] = {"step_min": scenario.step_h * 60.0}
        elif where.startswith(CAPS) and where != DAILY:
            battery["max_cycles"] = _with_count(
                battery.get("max_cycles", stated.to_plain()["max_cycles"]), key, value
            )
        elif table.startswith("connection"):
            rows = tables.setdefault("connection", [clause.to_plain() for clause in scenario.connection])  # type: ignore[arg-type]
            place = int(table.removeprefix("connection").strip("[]"))
            rows[place] = rows[place] | {key: value}  # type: ignore[index]
        elif table.startswith("strategy"):
            entries = tables.setdefault("strategy", [entry.to_plain() for entry in scenario.strategies])  # type: ignore[arg-type]
            place = int(table.removeprefix("strategy").strip("[]") or 0)
            entries[place] = entries[place] | {key: value}  # type: ignore[index]
        else:
            tables[table][key] = value
    if POWER in values:
        energy = stated.power_mw * values.get(DURATION, stated.duration_h)
        battery["duration_h"] = energy / float(values[POWER])
    if tech:
        battery["technology"] = stated.tech.to_plain() | tech
    return {key: table for key, table in tables.items() if len(table)}


def _with_count(stated: Any, key: str, count: float) -> Any:
    """The caps on cycles with another count in the one that `key` names."""
    if isinstance(stated, dict):
        return stated | {"count": count}
    place = int(key.removesuffix(".count").removeprefix("max_cycles").strip("[]"))
    return [limit | {"count": count} if i == place else limit for i, limit in enumerate(stated)]


def note(where: str, scenario: Scenario, values: Values) -> str:
    """What else a change brings with it."""
    if where == POWER:
        hours = tables_of(scenario, values)["battery"]["duration_h"]
        return f" with battery.duration_h = {number(hours)}"
    if where == RESERVE:
        factor = float(values[where]) / float(scenario.series["energy_min_mwh"].max())
        return f" at its highest, all of it by the same factor of {factor:.6g}"
    if where == END and scenario.battery.soc_end in ("at_least_start", "equal"):
        return f" (it is {scenario.battery.soc_end!r})"
    return ""
