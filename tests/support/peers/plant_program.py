"""Batteries, PV, load and the grid of a site as rows of a program, from tables as a scenario states them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from support.peers.program import Linear, Program, total
from support.peers.rates import Row, active
from support.peers.wear_program import add_caps, add_wear

Table = dict[str, Any]


@dataclass
class SiteCase:
    """A scenario as plain tables; technologies are always tables."""

    series: pd.DataFrame
    batteries: list[Table]
    site: Table = field(default_factory=dict)
    clauses: list[Row] = field(default_factory=list)
    outages: list[Table] = field(default_factory=list)
    tariff: Table = field(default_factory=dict)
    finance: Table = field(default_factory=dict)
    holidays: list[str] = field(default_factory=list)

    @property
    def step_h(self) -> float:
        return float((self.series.index[1] - self.series.index[0]).total_seconds() / 3600)

    def column(self, name: str, default: float) -> np.ndarray:
        if name in self.series:
            return np.asarray(self.series[name].to_numpy(dtype=float))
        return np.full(len(self.series), default)

    def of_battery(self, battery: Table, name: str, default: float) -> np.ndarray:
        prefix = f"{battery.get('name')}."
        return self.column(prefix + name if prefix + name in self.series else name, default)


@dataclass
class Unit:
    """Variables of one battery."""

    table: Table
    charge: list[Linear]
    discharge: list[Linear]
    energy: list[Linear]
    eta_in: float
    eta_out: float
    wear: Linear = field(default_factory=Linear)
    distance: list[Linear] = field(default_factory=list)  # to the window, where the start lies outside it

    @property
    def nameplate(self) -> float:
        return float(self.table["power_mw"] * self.table["duration_h"])

    @property
    def start(self) -> float:
        tech = self.table["technology"]
        middle = (tech["soc_min"] + tech["soc_max"]) / 2
        return float(self.table.get("soc_start", middle)) * self.nameplate

    @property
    def window(self) -> tuple[float, float]:
        tech = self.table["technology"]
        return tech["soc_min"] * self.nameplate, tech["soc_max"] * self.nameplate

    @property
    def starts_outside(self) -> bool:
        low, high = self.window
        return not low - 1e-9 <= self.start <= high + 1e-9


def on_dc(battery: Table) -> bool:
    return battery.get("topology", "parallel_ac") in ("series_dc", "hybrid")


def converters(battery: Table) -> Table:
    return {"ac_to_dc": 0.96, "dc_to_ac": 0.96, "dc_to_dc": 0.99} | battery.get("converters", {})


def add_unit(program: Program, case: SiteCase, battery: Table) -> Unit:
    tech, own = battery["technology"], converters(battery)
    into, out = (own["dc_to_dc"],) * 2 if on_dc(battery) else (own["ac_to_dc"], own["dc_to_ac"])
    nameplate = battery["power_mw"] * battery["duration_h"]
    rate = tech["c_rate_max"] * nameplate
    most_in = np.minimum(
        min(battery.get("charge_power_mw", battery["power_mw"]), rate / into),
        case.of_battery(battery, "charge_limit_mw", math.inf),
    )
    most_out = np.minimum(
        min(battery["power_mw"], rate * out), case.of_battery(battery, "discharge_limit_mw", math.inf)
    )
    floor = np.maximum(tech["soc_min"] * nameplate, case.of_battery(battery, "energy_min_mwh", 0.0))
    ceiling = np.minimum(tech["soc_max"] * nameplate, case.of_battery(battery, "energy_max_mwh", math.inf))
    unit = Unit(
        battery,
        program.variables(most_in),
        program.variables(most_out),
        program.variables(np.full(len(case.series), nameplate)),
        tech["eta_charge"] * into,
        tech["eta_discharge"] * out,
    )
    drawn = case.of_battery(battery, "drawn_mw", 0.0)
    keep = (1 - battery.get("self_discharge_per_h", 0.0)) ** case.step_h
    before = Linear(constant=unit.start)
    for t in range(len(case.series)):
        change = unit.charge[t] * unit.eta_in - unit.discharge[t] * (1 / unit.eta_out) - float(drawn[t])
        program.keep(unit.energy[t] - before * keep - change * case.step_h, 0.0, 0.0)
        if unit.starts_outside:
            low, high = unit.window
            unit.distance.append(program.at_least(0.0, unit.energy[t] * -1.0 + low, unit.energy[t] - high))
        else:
            program.keep(unit.energy[t], float(floor[t]), float(ceiling[t]))
        program.not_both(unit.charge[t], unit.discharge[t])
        before = unit.energy[t]
    add_end(program, unit)
    into = [flow * (unit.eta_in * case.step_h) for flow in unit.charge]
    out = [flow * (case.step_h / unit.eta_out) for flow in unit.discharge]
    leaving = [flow + float(drawn[t]) * case.step_h for t, flow in enumerate(out)]
    add_caps(program, case.series.index, case.step_h, caps_of(battery), nameplate, into, leaving)
    if "wear" in battery:
        unit.wear = add_wear(program, battery["wear"], nameplate, unit.start, keep, into, out, drawn * case.step_h)
    return unit


def caps_of(battery: Table) -> list[Table]:
    caps = battery.get("max_cycles", [])
    caps = list(caps) if isinstance(caps, list) else [caps]
    if "max_cycles_per_day" in battery:
        caps.append({"count": battery["max_cycles_per_day"], "per": "day"})
    return caps


def add_end(program: Program, unit: Unit) -> None:
    end, last = unit.table.get("soc_end", "at_least_start"), unit.energy[-1]
    start = min(max(unit.start, unit.window[0]), unit.window[1])
    if end == "at_least_start":
        program.keep(last, low=start)
    elif end == "equal":
        program.keep(last, start, start)
    elif isinstance(end, dict):
        program.keep(
            last, end.get("at_least", -math.inf) * unit.nameplate, end.get("at_most", math.inf) * unit.nameplate
        )
    elif end != "free":
        program.keep(last, end * unit.nameplate, end * unit.nameplate)


@dataclass
class Plant:
    """Flows of the site: lists over steps."""

    units: list[Unit]
    bought: list[Linear]
    sold: list[Linear]
    paid_unserved: list[Linear]
    money: Linear  # received, the bill of import and export apart
    shadow: Linear  # stored value less wear


def pv_parts(case: SiteCase) -> tuple[np.ndarray, np.ndarray, float]:
    """(PV at the AC side, PV on the DC bus, efficiency from DC to AC)."""
    coupled = [battery for battery in case.batteries if on_dc(battery)]
    first = (coupled or case.batteries)[0]
    eta = converters(first)["dc_to_ac"]
    share = 0.0
    if coupled:
        share = 1.0 if coupled[0]["topology"] == "series_dc" else float(case.site["dc_share"])
    rating = case.site.get("pv_inverter_mw", math.inf if coupled else case.site.get("inverter_mw", math.inf))
    if "solar_dc_mw" in case.series:
        dc = case.column("solar_dc_mw", 0.0)
        return np.minimum((1 - share) * dc * eta, rating), share * dc, eta
    ac = case.column("solar_mw", 0.0)
    return (1 - share) * ac, share * ac / eta, eta


def outage_steps(case: SiteCase) -> tuple[np.ndarray, np.ndarray]:
    """(whether the grid is away, the critical share there) of each step."""
    away, critical = np.zeros(len(case.series), dtype=bool), np.ones(len(case.series))
    for outage in case.outages:
        start = pd.Timestamp(outage["start"])
        inside = (case.series.index >= start) & (case.series.index < start + pd.Timedelta(hours=outage["hours"]))
        away |= inside
        critical[inside] = outage.get("critical_share", 1.0)
    return away, critical


def add_plant(program: Program, case: SiteCase) -> Plant:
    steps, h, site = len(case.series), case.step_h, case.site
    units = [add_unit(program, case, battery) for battery in case.batteries]
    coupled = [unit for unit in units if on_dc(unit.table)]
    pv_ac, pv_dc, pv_eta = pv_parts(case)
    auxiliary = sum(battery.get("auxiliary_mw", 0.0) for battery in case.batteries)
    plain_load = case.column("load_mw", 0.0)
    load = plain_load + auxiliary
    away, critical = outage_steps(case)
    strongest = sum(b["power_mw"] + b.get("charge_power_mw", b["power_mw"]) for b in case.batteries)
    wide = float(np.abs(load).max() + (pv_ac + pv_dc).max()) + 2 * strongest + 1
    most_in = np.minimum(np.minimum(site.get("import_limit_mw", wide), case.column("import_limit_mw", wide)), wide)
    most_out = np.minimum(np.minimum(site.get("export_limit_mw", wide), case.column("export_limit_mw", wide)), wide)
    bought = program.variables(np.where(away, 0.0, most_in))
    sold = program.variables(np.where(away, 0.0, most_out))
    price = site.get("unserved_price_per_mwh")
    sheddable = np.maximum(plain_load, 0.0)
    paid = program.variables(np.where(away, critical, 1.0) * sheddable if price is not None else np.zeros(steps))
    free = program.variables(np.where(away, (1 - critical) * sheddable, 0.0))
    curtails = site.get("curtailment", True)
    curtailed_ac = program.variables(np.where(away, pv_ac, pv_ac if curtails else 0.0))
    curtailed_dc = program.variables(np.where(away, pv_dc, pv_dc if curtails else 0.0))
    inverter = math.inf if "inverter_mw" not in site else float(site["inverter_mw"])
    dc_own = converters(coupled[0].table) if coupled else converters({})
    for t in range(steps):
        program.not_both(bought[t], sold[t])
        unserved = paid[t] + free[t]
        used_ac, used_dc = curtailed_ac[t] * -1.0 + float(pv_ac[t]), curtailed_dc[t] * -1.0 + float(pv_dc[t])
        sources = [bought[t], sold[t] * -1.0, unserved, used_ac]
        sources += [u.discharge[t] - u.charge[t] for u in units if not on_dc(u.table)]
        if coupled:
            out, into = program.variable(0.0, min(inverter, wide)), program.variable(0.0, min(inverter, wide))
            program.not_both(out, into)
            bus = total([u.discharge[t] - u.charge[t] for u in coupled]) + used_dc
            program.keep(bus - out * (1 / dc_own["dc_to_ac"]) + into * dc_own["ac_to_dc"], 0.0, 0.0)
            sources += [out, into * -1.0]
        program.keep(total(sources), float(load[t]), float(load[t]))
        if site.get("grid_charging", True) is False:
            program.keep(bought[t] + unserved, high=max(float(load[t]), 0.0))
        pv_used = used_ac + used_dc * pv_eta
        permitted = site.get("battery_export", True)
        if permitted is False:
            program.keep(sold[t] - pv_used, high=max(-float(load[t]), 0.0))
        elif permitted == "strict":
            on = program.variable(0, 1, whole=True)
            program.keep(sold[t] - on * wide, high=0.0)
            program.keep(sold[t] - pv_used + on * (3 * wide), high=3 * wide - float(load[t]))
    overruns = add_clauses(program, case, bought, sold, away)
    op_cost = case.finance.get("variable_om_per_mwh", 0.0)
    out_all = total([d for unit in units for d in unit.discharge]) * h
    money = overruns * -1.0 - total(paid) * ((price or 0.0) * h) - out_all * op_cost
    return Plant(units, bought, sold, paid, money, shadow(units, h))


def shadow(units: list[Unit], h: float) -> Linear:
    sums = []
    for unit in units:
        sums.append(total(unit.discharge) * (-h * unit.table.get("wear_cost_per_mwh", 0.0)))
        sums.append(unit.wear * -1.0)
        end = unit.table.get("soc_end")
        if isinstance(end, dict) and "value_per_mwh" in end:
            sums.append((unit.energy[-1] - unit.start) * end["value_per_mwh"])
    return total(sums)


def active_steps(case: SiteCase, clause: Row) -> np.ndarray:
    held = active(case.series.index, clause, case.holidays)
    if "when" in clause:
        values = case.series[clause["when"]["series"]].to_numpy()
        if "below" in clause["when"]:
            held = held & (values < clause["when"]["below"])
        if "above" in clause["when"]:
            held = held & (values > clause["when"]["above"])
    return held


def add_clauses(
    program: Program, case: SiteCase, bought: list[Linear], sold: list[Linear], away: np.ndarray
) -> Linear:
    """Clauses of the connection; the money of overruns."""
    overruns = []
    for clause in case.clauses:
        price = clause.get("overrun_price_per_mwh")
        for t in np.flatnonzero(active_steps(case, clause)):
            for key, flow in (("import_mw", bought[t]), ("export_mw", sold[t])):
                if key in clause and price is None:
                    program.keep(flow, high=clause[key])
                elif key in clause:
                    over = program.variable()
                    program.keep(flow - over, high=clause[key])
                    overruns.append(over * (price * case.step_h))
            if "ramp_mw_per_min" in clause and not away[t] and not (t > 0 and away[t - 1]):
                if t == 0 and "before_mw" not in clause:
                    continue
                before = sold[t - 1] - bought[t - 1] if t > 0 else Linear(constant=clause["before_mw"])
                most = clause["ramp_mw_per_min"] * case.step_h * 60
                program.keep(sold[t] - bought[t] - before, -most, most)
    return total(overruns)
