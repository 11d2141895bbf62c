"""What a plan leaves when its market products are called: from the meaning of the keys and the plan's columns alone.

Every product alone and all of a direction together, at both ends of each step; nothing of the package is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from support.peers.plant_program import SiteCase, Table, active_steps, converters, on_dc, pv_parts
from support.peers.product_program import DOWN, UP, ProductCase, directions_of, port_factor, shares_of

HELD = 1e-7  # MW: less is no bid


def calls_of(case: ProductCase) -> Iterator[tuple[str, int, list[Table]]]:
    """(name, direction, products called) of every call that a plan promises."""
    for direction in (UP, DOWN):
        together = [product for product in case.products if direction in directions_of(product)]
        yield from ((product["name"], direction, [product]) for product in together)
        if len(together) > 1:
            yield "all", direction, together


def left_when_called(
    case: ProductCase, schedule: pd.DataFrame, called: list[Table], direction: int, more_mw: float = 0.0
) -> tuple[float, float]:
    """(power [MW], energy [MWh]) left at the worst step in which a bid is held, with `more_mw` on each bid."""
    bids = {product["name"]: schedule[f"{product['name']}_mw"].to_numpy() for product in called}
    some = np.sum(list(bids.values()), axis=0) > HELD
    if not some.any():
        return math.inf, math.inf
    power, energy = [], []
    for battery in case.site.batteries:
        left_mw, left_mwh = _battery(case, schedule, battery, called, direction, more_mw)
        power.append(left_mw)
        energy.append(left_mwh)
    total = np.sum([bid + more_mw for bid in bids.values()], axis=0)
    power += list(_site(case, schedule, called, direction, total, more_mw))
    return float(np.min(power, axis=0)[some].min()), float(np.min(energy, axis=0)[some].min())


def _columns(schedule: pd.DataFrame, battery: Table, *names: str) -> list[np.ndarray]:
    prefix = f"{battery['name']}." if "name" in battery else ""
    return [schedule[f"{prefix}{name}" if f"{prefix}{name}" in schedule else name].to_numpy() for name in names]


def _battery(
    case: ProductCase, schedule: pd.DataFrame, battery: Table, called: list[Table], direction: int, more_mw: float
) -> tuple[np.ndarray, np.ndarray]:
    tech, own = battery["technology"], converters(battery)
    into, out = (own["dc_to_dc"],) * 2 if on_dc(battery) else (own["ac_to_dc"], own["dc_to_ac"])
    nameplate = battery["power_mw"] * battery["duration_h"]
    rate = tech["c_rate_max"] * nameplate
    most_in = min(battery.get("charge_power_mw", battery["power_mw"]), rate / into)
    most_out = min(battery["power_mw"], rate * out)
    base, after = _columns(schedule, battery, "base_mw", "energy_mwh")
    before = np.append(battery["soc_start"] * nameplate, after[:-1])
    parts = {p["name"]: _columns(schedule, battery, f"{p['name']}_mw")[0] + more_mw for p in called}
    factor = direction * port_factor(battery, direction)

    def leaving(port: np.ndarray) -> np.ndarray:
        """MW that leave the cells."""
        return np.where(port > 0.0, port / (tech["eta_discharge"] * out), port * (tech["eta_charge"] * into))

    moved = base + factor * np.sum(list(parts.values()), axis=0)
    power = most_out - moved if direction == UP else most_in + moved
    taken, last = np.zeros(len(base)), 0.0
    for until in sorted({p.get("headroom_h", 0.25) for p in called}):
        still = np.sum([parts[p["name"]] for p in called if p.get("headroom_h", 0.25) >= until], axis=0)
        taken = taken + (until - last) * (leaving(base + factor * still) - leaving(base))
        last = until
    if last == 0.0:  # no energy is promised
        return power, np.full(len(base), math.inf)
    least, most = tech["soc_min"] * nameplate, tech["soc_max"] * nameplate
    ends = [stored - taken - least if direction == UP else most - stored + taken for stored in (before, after)]
    return power, np.minimum(*ends)


def _site(
    case: ProductCase, schedule: pd.DataFrame, called: list[Table], direction: int, total: np.ndarray, more_mw: float
) -> Iterator[np.ndarray]:
    inner, site = case.site, case.site.site
    column = {name: schedule[name].to_numpy() for name in schedule if str(name).endswith("_mw")}
    load = column["load_mw"]
    means = {p["name"]: shares_of(inner, p) for p in case.products}
    given = sum((k * s * column[f"{n}_mw"] for n, shares in means.items() for k, s in shares.items()), 0.0 * load)
    net = column["export_mw"] - column["import_mw"] - given + direction * total
    most_in, most_out = _limits(inner, "import"), _limits(inner, "export")
    yield (most_out - net) if direction == UP else (most_in + net)
    if direction == DOWN and site.get("grid_charging", True) is False:
        yield np.maximum(load, 0.0) + net
    if direction == UP and site.get("battery_export", True) is not True:
        pv_ac, pv_dc, eta = pv_parts(inner)
        dc = column["curtailed_dc_mw"]
        used = pv_ac - (column["curtailed_mw"] - dc) + (pv_dc - dc) * eta
        strict = site["battery_export"] == "strict"
        yield (np.maximum(used - load, 0.0) if strict else used + np.maximum(-load, 0.0)) - net
    coupled = [battery for battery in inner.batteries if on_dc(battery)]
    if coupled and "inverter_mw" in site:
        parts = {n: sum(_columns(schedule, b, f"{n}_mw")[0] for b in coupled) for n in means}
        mean = sum((k * s * parts[n] for n, shares in means.items() for k, s in shares.items()), 0.0 * load)
        through = sum((parts[p["name"]] + more_mw * len(coupled) for p in called), 0.0 * load)
        yield site["inverter_mw"] - direction * (column["inverter_mw"] - mean) - through


def _limits(case: SiteCase, side: str) -> np.ndarray:
    """Most import or export of each step."""
    key = f"{side}_limit_mw"
    most = np.minimum(case.column(key, math.inf), case.site.get(key, math.inf))
    for clause in case.clauses:
        most = np.where(active_steps(case, clause), np.minimum(most, clause.get(f"{side}_mw", math.inf)), most)
    return most


def require_every_call_stands(case: ProductCase, schedule: pd.DataFrame, slack: float = 1e-5) -> None:
    """Each promised call stands at both ends of each step; one MW more does not, where its limit binds."""
    for name, direction, called in calls_of(case):
        power, energy = left_when_called(case, schedule, called, direction)
        assert power > -slack, (name, direction, power)
        assert energy > -slack, (name, direction, energy)
        if min(power, energy) < slack:
            power, energy = left_when_called(case, schedule, called, direction, more_mw=1.0)
            assert min(power, energy) < -slack, (name, direction, power, energy)
