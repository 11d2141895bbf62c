"""Hours that a site without the grid can last at the most, written from the meaning of the keys alone.

PV serves the load first; what it has over charges batteries on either bus; no battery charges another. Every way of
a converter and of a battery is a binary in every step, solved by SciPy's own copy of HiGHS at gap 0. Nothing of the
package is imported.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from support.several_batteries import CELLS, NAMES, Program, Site, solar_parts


def most_hours(given: Site, first: int, start_mwh: list[float], share: float) -> float:
    """Hours from step `first` on with so much in each battery, `share` of the load being critical."""
    hours = 0.0
    for last in range(first, len(given.series)):
        served = _served(given, first, last, start_mwh, share)
        if served < 1.0 - 1e-7:
            return hours + given.step_h * max(served, 0.0)
        hours += given.step_h
    return hours


def _served(given: Site, first: int, last: int, start_mwh: list[float], share: float) -> float:
    """Share of step `last` that can be served after all steps before it whole; below zero where those cannot."""
    program = Program()
    part = program.add(1.0, gain=1.0)
    energy = [program.add(start, start) for start in start_mwh]
    for t in range(first, last + 1):
        energy = _step(program, given, t, energy, share, part if t == last else None)
    found = program.most()
    return -1.0 if found is None else found


def _step(program: Program, given: Site, t: int, energy: list[int], share: float, part: int | None) -> list[int]:
    """The columns of the energies after step `t`; its flows and limits are scaled by `part` where that is given."""

    def at(name: str, default: float) -> float:
        return float(given.series[name].iloc[t]) if name in given.series else default

    whole = program.add(1.0, 1.0) if part is None else part
    array = next((b for b in given.batteries if b["topology"] != "parallel_ac"), given.batteries[0])
    out, into, rating = array["converters"]["dc_to_ac"], array["converters"]["ac_to_dc"], np.inf
    if array["topology"] != "parallel_ac":
        rating = given.site["inverter_mw"]
    own = np.array([at("load_mw", 0.0)])
    net = sum(b.get("auxiliary_mw", 0.0) for b in given.batteries) + min(own[0], 0.0) + share * max(own[0], 0.0)
    load, taken = max(net, 0.0), max(-net, 0.0)

    def column(name: str, default: float) -> np.ndarray:
        return np.array([at(name, default)])

    (pv_ac,), (pv_dc,) = solar_parts(given, array, column)
    by_pv = min(load, pv_ac + min(out * pv_dc, rating))
    most = pv_ac + pv_dc + load + taken + 1.0

    def flow(limit: float) -> int:
        made = program.add()
        program.row({made: 1.0, whole: -limit}, -np.inf, 0.0)
        return made

    straight, through, over, back, given_dc = (flow(pv_ac), *(flow(min(rating, most)) for _ in range(4)))
    program.row({straight: 1.0, through: 1.0, whole: -by_pv}, 0.0, 0.0)
    ways = program.add(1.0, whole=True)
    program.row({back: 1.0, ways: min(rating, most)}, -np.inf, min(rating, most))
    for forth in (through, over, given_dc):
        program.row({forth: 1.0, ways: -min(rating, most)}, -np.inf, 0.0)
    if np.isfinite(rating):
        program.row({through: 1.0, over: 1.0, given_dc: 1.0, whole: -rating}, -np.inf, 0.0)
    after, charges, discharges = [], [], []
    for battery, name, before in zip(given.batteries, NAMES, energy, strict=False):
        prefix = f"{name}." if len(given.batteries) > 1 else ""
        c, d, e = _battery(
            program, battery, lambda key, default, p=prefix: at(p + key, default), before, whole, given.step_h
        )
        charges.append(c), discharges.append(d), after.append(e)
    on_dc = [b["topology"] != "parallel_ac" for b in given.batteries]
    ac_in = {c: 1.0 for c, dc in zip(charges, on_dc, strict=True) if not dc}
    dc_in = {c: 1.0 for c, dc in zip(charges, on_dc, strict=True) if dc}
    ac_out = {d: 1.0 for d, dc in zip(discharges, on_dc, strict=True) if not dc}
    dc_out = {d: 1.0 for d, dc in zip(discharges, on_dc, strict=True) if dc}
    program.row(ac_in | {back: 1.0, straight: 1.0, over: -1.0, whole: -pv_ac - taken}, -np.inf, 0.0)
    program.row(ac_in | {back: 1.0, over: -1.0, whole: -taken}, 0.0, np.inf)
    program.row(dc_in | {through: 1.0 / out, over: 1.0 / out, back: -into, whole: -pv_dc}, -np.inf, 0.0)
    program.row(ac_out | {given_dc: 1.0, whole: by_pv - load}, 0.0, 0.0)
    program.row(dc_out | {given_dc: -1.0 / out}, 0.0, 0.0)
    return after


def _battery(
    program: Program, battery: dict[str, Any], at: Any, before: int, whole: int, h: float
) -> tuple[int, int, int]:
    """(charge, discharge, energy after the step); self-discharge alone may take it below its floor."""
    round_trip, low, high, rate = CELLS[battery["technology"]]
    converters, cells = battery["converters"], np.sqrt(round_trip)
    ac = battery["topology"] == "parallel_ac"
    eta_in, eta_out = (converters["ac_to_dc"], converters["dc_to_ac"]) if ac else (converters["dc_to_dc"],) * 2
    energy = battery["power_mw"] * battery["duration_h"]
    takes = min(
        battery.get("charge_power_mw", battery["power_mw"]), rate * energy / eta_in, at("charge_limit_mw", np.inf)
    )
    gives = min(battery["power_mw"], rate * energy * eta_out, at("discharge_limit_mw", np.inf))
    drawn, floor = at("drawn_mw", 0.0), low * energy
    ceiling = max(min(high * energy, at("energy_max_mwh", np.inf)), 0.0)
    charge, discharge = program.add(takes), program.add(gives)
    program.row({charge: 1.0, whole: -takes}, -np.inf, 0.0)
    program.row({discharge: 1.0, whole: -gives}, -np.inf, 0.0)
    program.one_way(charge, discharge, takes, gives)
    after, lost, moves = program.add(ceiling, -np.inf), program.add(energy), program.add(1.0, whole=True)
    kept = (1.0 - battery.get("self_discharge_per_h", 0.0)) ** h
    law = {after: 1.0, lost: 1.0, before: -kept, charge: -h * eta_in * cells, discharge: h / (eta_out * cells)}
    program.row(law, -h * drawn, -h * drawn)
    # What a ceiling that falls leaves no room for is lost; a battery that charges loses nothing.
    program.row({charge: 1.0, moves: -takes}, -np.inf, 0.0)
    program.row({lost: 1.0, moves: energy}, -np.inf, energy)
    above = program.add(1.0, 1.0 if drawn > 0.0 else 0.0, whole=True)
    program.row({discharge: 1.0, above: -gives}, -np.inf, 0.0)
    program.row({after: 1.0, above: -energy}, floor - energy, np.inf)
    return charge, discharge, after
