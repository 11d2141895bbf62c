"""What is wrong with an input, and what its numbers mean that its author may not have meant."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from bess_opt.assemble import bind
from bess_opt.bound import Bound
from bess_opt.errors import BessOptError, InfeasibleError, ScenarioError
from bess_opt.findings import Finding, Findings
from bess_opt.infeasible import unreachable
from bess_opt.plant import Plant, plant, port_efficiency
from bess_opt.scenario import Scenario, load


def validate(scenario: Scenario | str | Path) -> Findings:
    """Every finding about a scenario, or about the folder or file of one. Bad input is a finding, not raised.

    Limits that no schedule can meet are errors too, as far as they show without a solve.
    """
    return examine(scenario)[0]


def examine(scenario: Scenario | str | Path) -> tuple[Findings, type[BessOptError] | None]:
    """The findings, and the kind of error that a solve would end with, if they hold one."""
    try:
        read = scenario if isinstance(scenario, Scenario) else load(scenario)
        numbers = plant(read)
        bound = bind(read, numbers) if read.strategies else None
        if bound is not None:
            numbers = bound.restrict(numbers)
    except BessOptError as error:
        return Findings(problems_of(error)), type(error)
    conflicts = unreachable(numbers)
    found = Findings([*conflicts, *_no_strategy(read), *findings(read, numbers, bound)])
    return found, InfeasibleError if conflicts else None


def problems_of(error: BessOptError) -> list[Finding]:
    """What an error says, one finding for each problem."""
    if isinstance(error, ScenarioError):
        return list(error.problems)
    if isinstance(error, InfeasibleError):
        return list(error.reasons)
    code = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__.removesuffix("Error")).lower()
    return [_from_line(code, line) for line in str(error).splitlines()]


def _from_line(code: str, line: str) -> Finding:
    """A finding from "where: found; expected", of which the outer parts may be missing."""
    where, colon, rest = line.partition(": ")
    if not colon or " " in where:
        where, rest = "", line
    found, _, expected = rest.partition("; ")
    return Finding(code, where, found, expected)


def _no_strategy(scenario: Scenario) -> list[Finding]:
    if scenario.strategies:
        return []
    expected = "add [strategy] with name = one of the names that bess-opt list shows"
    return [Finding("no_strategy", "strategy", "none is stated", expected, "warning")]


def findings(scenario: Scenario, plant: Plant, bound: Bound | None = None) -> Findings:
    """Warnings about a valid scenario, after what reading it noted (resampled, filled, defaulted)."""
    assumed = bound.notes(plant) if bound is not None else []
    own = [*_c_rate(scenario), *_unused(scenario, plant), *_coincident(scenario, plant)]
    return Findings([*scenario.notes, *own, *assumed])


def _c_rate(scenario: Scenario) -> list[Finding]:
    """The C-rate at the cells below the stated power: the battery is derated, and says so."""
    battery = scenario.battery
    eta_in, eta_out = port_efficiency(battery)
    limit, power = battery.tech.c_rate_max * battery.energy_mwh, battery.power_mw
    charge, discharge = min(power, limit / eta_in), min(power, limit * eta_out)
    if charge >= power and discharge >= power:
        return []
    found = (
        f"{power:g} MW over {battery.duration_h:g} h asks for a C-rate of {1.0 / battery.duration_h:.4g} "
        f"per h, the technology allows {battery.tech.c_rate_max:g} at the cells"
    )
    expected = (
        f"charging is limited to {charge:.4g} MW and discharging to {discharge:.4g} MW at the port; "
        "lengthen duration_h or choose another technology"
    )
    return [Finding("c_rate_limits_power", "battery.power_mw", found, expected, "warning")]


def _unused(scenario: Scenario, plant: Plant) -> list[Finding]:
    """Stated numbers that this topology or these series do not use."""
    site, notes = scenario.site, []
    if plant.bus is None and site.inverter_mw is not None and "solar_mw" in scenario.series:
        found = "solar_mw is given behind its inverter and parallel_ac shares none"
        notes.append(
            Finding("inverter_unused", "site.inverter_mw", found, "the rating is not used", "recommendation")
        )
    if site.dc_share is not None and scenario.battery.topology != "hybrid":
        found = f"the topology is {scenario.battery.topology!r}"
        notes.append(Finding("dc_share_unused", "site.dc_share", found, "only hybrid uses it", "recommendation"))
    return notes


def _coincident(scenario: Scenario, plant: Plant) -> list[Finding]:
    """Rows whose coincident times all lie beyond the horizon: nothing is measured."""
    rows = scenario.tariff.demand if scenario.tariff is not None else ()
    end = plant.index[-1] + pd.Timedelta(hours=plant.step_h)
    return [
        Finding(
            "coincident_outside",
            f"tariff.demand[{number}].coincident",
            f"no time lies between {plant.index[0]:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M}",
            "only the row's minimum is billed; give times within the horizon",
            "warning",
        )
        for number, row in enumerate(rows)
        if row.coincident and not any(plant.index[0] <= pd.Timestamp(stamp) < end for stamp in row.coincident)
    ]
