"""The same battery in other tools' words, and what their conventions would be worth on one's own scenario."""

from __future__ import annotations

from math import nan
from typing import Any

import pandas as pd

from bess_opt.common.errors import InfeasibleError
from bess_opt.comparison.other_tools import PARAMETERS, TOOLS, Efficiencies, Tool, as_stated, evenly
from bess_opt.dispatch.optimize import dispatch_of
from bess_opt.dispatch.optimum.solve_scenario import solve_scenario
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.battery import EndLimits, EndValue
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant import physics
from bess_opt.plant.from_scenario import plant_of, port_efficiency
from bess_opt.plant.plant import Plant

EVENLY = "round trip split evenly"
WORTH = (
    "eta_charge",
    "eta_discharge",
    "charge_max_mw",
    "discharge_max_mw",
    "net_revenue",
    "difference",
    "share",
    "score",
)


def convention(scenario: Scenario | None = None) -> pd.DataFrame:
    """What a battery's figures are called in other tools, one row per tool (index `tool`).

    Columns: power, energy, efficiency, boundary, soc_window, self_discharge, cycle_cost, start, end (the tool's
    names, with the scenario's values in the tool's units if one is given) and source. With a scenario also what
    the convention is worth there: the plan is optimised again with the same round trip from port to port put
    where the tool puts it, and with power at the cells where the tool rates it there: eta_charge, eta_discharge
    [1], charge_max_mw, discharge_max_mw [MW] at the port, net_revenue, difference to one's own (both in the
    site's currency), share = difference / |own|, score in the strategy's unit, note. A last row splits the round
    trip evenly. Start, end, window and everything else stay the scenario's. NaN where that has no plan.

    Raises as `optimize` does.
    """
    if scenario is None:
        names = {name: {p: tool.cells[p][0] for p in PARAMETERS} for name, tool in TOOLS.items()}
        table = pd.DataFrame.from_dict(names, orient="index").rename_axis(index="tool")
        return table.assign(source=[tool.source for tool in TOOLS.values()])
    stated_plant = plant_of(scenario)
    eta = _efficiencies(scenario)
    others = TOOLS | {EVENLY: Tool(dict.fromkeys(PARAMETERS, ("", "")), evenly, "for comparison")}
    solved: dict[tuple[float, ...], Dispatch | str] = {}
    own: Dispatch | None = None
    rows: dict[str, dict[str, Any]] = {}
    for name, tool in others.items():
        changed = _placed(scenario, stated_plant, tool, eta)
        storage = changed.storage
        key = (storage.eta_charge, storage.eta_discharge, storage.charge_max_mw, storage.discharge_max_mw)
        if key not in solved:
            solved[key] = _plan(scenario, changed, must=own is None)
        found = solved[key]
        if own is None and isinstance(found, Dispatch):
            own = found
        facts = _facts(scenario, eta, tool)
        worth = dict(zip(WORTH, [*key, *_worth(found, own)], strict=True))
        note = found if isinstance(found, str) else ""
        rows[name] = {p: _cell(tool.cells[p], facts) for p in PARAMETERS} | {
            "source": tool.source,
            **worth,
            "note": note,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="tool")


def _efficiencies(scenario: Scenario) -> Efficiencies:
    cells = scenario.battery.tech
    return Efficiencies(*port_efficiency(scenario.battery), cells.eta_charge, cells.eta_discharge)


def _placed(scenario: Scenario, stated_plant: Plant, tool: Tool, eta: Efficiencies) -> Plant:
    """The plant with losses and rating where the tool has them."""
    if tool.place is as_stated:
        return stated_plant
    eta_in, eta_out = tool.place(eta)
    changes: dict[str, float] = {"eta_charge": eta_in, "eta_discharge": eta_out}
    if tool.rated_at_cells:
        battery, rate = scenario.battery, scenario.battery.tech.c_rate_max
        power, energy = battery.power_mw, battery.energy_mwh
        changes["charge_max_mw"] = physics.charge_limit_mw(power / eta.converter_in, energy, rate, eta.converter_in)
        changes["discharge_max_mw"] = physics.discharge_limit_mw(
            power * eta.converter_out, energy, rate, eta.converter_out
        )
    return stated_plant.with_storage(**changes)


def _plan(scenario: Scenario, changed: Plant, *, must: bool) -> Dispatch | str:
    """The optimal plan, or why there is none; one's own plan must be there."""
    try:
        return dispatch_of(solve_scenario(scenario, changed))
    except InfeasibleError as error:
        if must:
            raise
        return str(error).partition("\n")[0]


def _worth(found: Dispatch | str, own: Dispatch | None) -> tuple[float, float, float, float]:
    """(net revenue, difference to one's own, its share, score)."""
    if isinstance(found, str) or own is None:
        return nan, nan, nan, nan
    mine, value = own.metrics.net_revenue, found.metrics.net_revenue
    difference = value - mine
    return value, difference, difference / abs(mine) if mine else nan, found.metrics.score


def _cell(cell: tuple[str, str], facts: dict[str, Any]) -> str:
    words, value = cell
    return f"{words} = {value.format(**facts)}" if value else words


def _end(end: str | float | EndValue | EndLimits) -> str | float:
    if isinstance(end, EndValue):
        return f"{end.value_per_mwh:g} per MWh"
    if isinstance(end, EndLimits):
        bounds = (("at least", end.at_least), ("at most", end.at_most))
        return " and ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)
    return end


def _facts(scenario: Scenario, eta: Efficiencies, tool: Tool) -> dict[str, Any]:
    """The scenario's battery as numbers of every unit that a tool asks for."""
    battery, cells = scenario.battery, scenario.battery.tech
    eta_in, eta_out = tool.place(eta)
    width, start = cells.soc_max - cells.soc_min, battery.soc_start_resolved
    usable = width * battery.energy_mwh
    end = battery.soc_end
    return {
        "power_mw": battery.power_mw,
        "power_kw": battery.power_mw * 1000.0,
        "energy_mwh": battery.energy_mwh,
        "energy_kwh": battery.energy_mwh * 1000.0,
        "usable_mwh": usable,
        "usable_h": usable / battery.power_mw,
        "eta_in": eta_in,
        "eta_out": eta_out,
        "converter_in": eta.converter_in,
        "converter_out": eta.converter_out,
        "converter_in_percent": 100.0 * eta.converter_in,
        "converter_out_percent": 100.0 * eta.converter_out,
        "cells": eta.cells_in * eta.cells_out,
        "round_trip": eta.round_trip,
        "round_trip_percent": 100.0 * eta.round_trip,
        "soc_min": cells.soc_min,
        "soc_max": cells.soc_max,
        "soc_min_percent": 100.0 * cells.soc_min,
        "soc_max_percent": 100.0 * cells.soc_max,
        "loss_per_h": battery.self_discharge_per_h,
        "loss_percent_per_h": 100.0 * battery.self_discharge_per_h,
        "wear": battery.wear_cost_per_mwh,
        "soc_start": start,
        "soc_start_percent": 100.0 * start,
        "start_usable_mwh": (start - cells.soc_min) * battery.energy_mwh,
        "target_percent": 100.0 * start / cells.soc_max,
        "soc_end": _end(end),
    }
