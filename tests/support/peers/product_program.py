"""Market products beside energy as rows of a mixed-integer program, written from the meaning of their keys alone.

A call moves a battery's port from its base point; what it takes from or puts into the cells is the difference of both,
each converted with its own efficiency. Where the program would gain by both directions at once, binaries hold it to one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from support.peers.bill import Meter
from support.peers.billing_program import demand
from support.peers.plant_program import (
    SiteCase,
    Table,
    active_steps,
    add_end,
    converters,
    on_dc,
    outage_steps,
    pv_parts,
)
from support.peers.plant_program import Unit as Battery
from support.peers.program import Linear, Program, total
from support.peers.rates import active

UP, DOWN = 1, -1


@dataclass
class ProductCase:
    """A site and the products that its batteries may hold."""

    site: SiteCase
    products: list[Table] = field(default_factory=list)


@dataclass
class Sold:
    """Variables of one product: its bid in each step, and the part of each battery."""

    table: Table
    directions: tuple[int, ...]
    bid: list[Linear]
    parts: list[list[Linear]]  # [battery][step]
    on: list[Linear]
    shares: dict[int, np.ndarray]  # share of each step's time in which it is called, by direction

    @property
    def hours(self) -> float:
        return float(self.table.get("headroom_h", 0.25))


def blocks_of(index: pd.DatetimeIndex, product: Table, step_h: float) -> list[int]:
    """The number of the block of each step, on the product's clock."""
    local = index.tz_convert(product.get("time_zone", index.tz))
    length = float(product.get("block_h", step_h))
    numbers, number, last_key, last = [], 0, None, None
    for stamp in local:
        clock = stamp.hour + stamp.minute / 60
        key = stamp.isocalendar()[:2] if length == 168 else (stamp.date(), math.floor(clock / length + 1e-9))
        if last is not None:
            back = stamp.utcoffset() < last.utcoffset()
            reached = (last.hour + last.minute / 60 + step_h) / length
            ended = back and length != 168 and abs(reached - round(reached)) < 1e-9
            number += int(key != last_key or ended)
        numbers.append(number)
        last_key, last = key, stamp
    return numbers


def directions_of(product: Table) -> tuple[int, ...]:
    return {"symmetric": (UP, DOWN), "up": (UP,), "down": (DOWN,)}[product.get("direction", "symmetric")]


def shares_of(case: SiteCase, product: Table) -> dict[int, np.ndarray]:
    name, kinds = product["name"], directions_of(product)
    accepted = float(product.get("acceptance_share", 1.0))
    one = case.column(f"{name}_activation", 0.0)
    if len(kinds) == 1:
        return {kinds[0]: one * accepted}
    up = np.maximum(one, 0) + case.column(f"{name}_activation_up", 0.0)
    down = np.maximum(-one, 0) + case.column(f"{name}_activation_down", 0.0)
    return {UP: up * accepted, DOWN: down * accepted}


def most_of(case: SiteCase, product: Table) -> float:
    """The largest bid: stated, by share of power, or what all batteries can move by."""
    discharge = [b["power_mw"] for b in case.batteries]
    charge = [b.get("charge_power_mw", b["power_mw"]) for b in case.batteries]
    port = [1.0 if not on_dc(b) else converters(b)["ac_to_dc"] for b in case.batteries]
    wide = sum((a + b) / c for a, b, c in zip(discharge, charge, port, strict=True))
    most = min(wide, float(product.get("max_mw", wide)))
    if "share_of_power" in product:
        pairs = zip(discharge, charge, strict=True)
        each = {"up": discharge, "down": charge, "symmetric": [min(a, b) for a, b in pairs]}
        most = min(most, product["share_of_power"] * sum(each[product.get("direction", "symmetric")]))
    return most


def add_product(program: Program, case: SiteCase, product: Table) -> Sold:
    index, steps = case.series.index, len(case.series)
    blocks = blocks_of(index, product, case.step_h)
    local = index.tz_convert(product.get("time_zone", index.tz))
    allowed = active(local, product, case.holidays)
    allowed &= ~outage_steps(case)[0]
    most = most_of(case, product)
    least, step = float(product.get("min_bid_mw", 0.0)), product.get("step_mw")
    bids, ons = {}, {}
    for block in dict.fromkeys(blocks):
        free = all(allowed[t] for t in range(steps) if blocks[t] == block)
        bid, on = program.variable(0.0, most if free else 0.0), program.variable(0, 1, whole=True)
        program.keep(bid - on * most, high=0.0)
        program.keep(bid - on * least, low=0.0)
        if step:
            count = program.variable(0, math.floor(most / step + 1e-9), whole=True)
            program.keep(bid - count * step, 0.0, 0.0)
        bids[block], ons[block] = bid, on
    if "held_mw" in product:
        program.keep(bids[blocks[0]], product["held_mw"], product["held_mw"])
    bid = [bids[block] for block in blocks]
    parts = [[program.variable(0.0, most) for _ in range(steps)] for _ in case.batteries]
    for t in range(steps):
        program.keep(total([part[t] for part in parts]) - bid[t], 0.0, 0.0)
    on = [ons[block] for block in blocks]
    return Sold(product, directions_of(product), bid, parts, on, shares_of(case, product))


def port_factor(battery: Table, direction: int) -> float:
    """MW that the port moves by for one MW at the AC bus."""
    if not on_dc(battery):
        return 1.0
    own = converters(battery)
    return 1 / own["dc_to_ac"] if direction == UP else own["ac_to_dc"]


@dataclass
class Operating:
    """One battery's port at one point of operation: charge and discharge, never both."""

    charge: Linear
    discharge: Linear

    def leaving(self, unit: Battery) -> Linear:
        """Power that leaves the cells."""
        return self.discharge * (1 / unit.eta_out) - self.charge * unit.eta_in


def moved(program: Program, unit: Battery, t: int, by: Linear, most: tuple[float, float]) -> Operating:
    """The battery's port moved from its base point in step t."""
    point = Operating(program.variable(0.0, most[0]), program.variable(0.0, most[1]))
    base = unit.discharge[t] - unit.charge[t]
    program.keep(point.discharge - point.charge - base - by, 0.0, 0.0)
    program.not_both(point.charge, point.discharge)
    return point


def add_battery(program: Program, case: SiteCase, at: int, sold: list[Sold]) -> tuple[Battery, list[Linear]]:
    """A battery with its part of every product; and its mean discharge with activation."""
    battery = case.batteries[at]
    tech, own = battery["technology"], converters(battery)
    into, out = (own["dc_to_dc"],) * 2 if on_dc(battery) else (own["ac_to_dc"], own["dc_to_ac"])
    nameplate = battery["power_mw"] * battery["duration_h"]
    rate = tech["c_rate_max"] * nameplate
    steps, h = len(case.series), case.step_h
    most_in = np.minimum(
        min(battery.get("charge_power_mw", battery["power_mw"]), rate / into),
        case.of_battery(battery, "charge_limit_mw", math.inf),
    )
    most_out = np.minimum(
        min(battery["power_mw"], rate * out), case.of_battery(battery, "discharge_limit_mw", math.inf)
    )
    unit = Battery(
        battery,
        program.variables(most_in),
        program.variables(most_out),
        program.variables(np.full(steps, tech["soc_max"] * nameplate), low=tech["soc_min"] * nameplate),
        tech["eta_charge"] * into,
        tech["eta_discharge"] * out,
    )
    keep = (1 - battery.get("self_discharge_per_h", 0.0)) ** h
    before, means = Linear(constant=unit.start), []
    window = (tech["soc_min"] * nameplate, tech["soc_max"] * nameplate)
    for t in range(steps):
        program.not_both(unit.charge[t], unit.discharge[t])
        base = Operating(unit.charge[t], unit.discharge[t])
        most = (float(most_in[t]), float(most_out[t]))
        leaving, mean, rest = Linear(), Linear(), 1.0
        for product in sold:
            for direction in product.directions:
                share = float(product.shares[direction][t])
                if share > 0:
                    by = product.parts[at][t] * (direction * port_factor(battery, direction))
                    called = moved(program, unit, t, by, most)
                    leaving, mean = leaving + called.leaving(unit) * share, mean + called.discharge * share
                    rest -= share
        leaving, mean = leaving + base.leaving(unit) * rest, mean + base.discharge * rest
        program.keep(unit.energy[t] - before * keep + leaving * h, 0.0, 0.0)
        for direction in (UP, DOWN):
            taken = energy_of_all(program, unit, at, t, direction, sold, most)
            if taken is not None:
                for stored in (before, unit.energy[t]):
                    program.keep(stored - taken, *window)
        means.append(mean)
        before = unit.energy[t]
    add_end(program, unit)
    return unit, means


def energy_of_all(
    program: Program,
    unit: Battery,
    at: int,
    t: int,
    direction: int,
    sold: list[Sold],
    most: tuple[float, float],
) -> Linear | None:
    """MWh that all products of a direction take from the cells, called at once, each for its own time."""
    called = [product for product in sold if direction in product.directions]
    if not called:
        return None
    base = Operating(unit.charge[t], unit.discharge[t])
    factor = direction * port_factor(unit.table, direction)
    parts, last = [], 0.0
    for until in sorted({product.hours for product in called}):
        still = [product.parts[at][t] for product in called if product.hours >= until]
        point = moved(program, unit, t, total(still) * factor, most)
        parts.append((point.leaving(unit) - base.leaving(unit)) * (until - last))
        last = until
    if last == 0.0:
        return None
    return total(parts)


def add_site(program: Program, case: ProductCase) -> Linear:
    """The whole site; the money that it makes, with shadow prices."""
    inner = case.site
    steps, h = len(inner.series), inner.step_h
    sold = [add_product(program, inner, product) for product in case.products]
    one_of_a_group(program, sold, steps)
    made = [add_battery(program, inner, at, sold) for at in range(len(inner.batteries))]
    units = [unit for unit, _ in made]
    bought, exported = add_grid(program, case, units, sold)
    paid_in, paid_out = without_priced_calls(program, inner, bought, exported, sold)
    price_in, price_out = prices_of(inner)
    parts = [paid_out[t] * (h * price_out[t]) - paid_in[t] * (h * price_in[t]) for t in range(steps)]
    parts += [money_of(inner, product) for product in sold]
    for row in inner.tariff.get("demand", []):
        money, outside = demand(program, meter_of(inner), row, bought)
        parts += [part * -1.0 for part in (*money.values(), outside)]
    om = inner.finance.get("variable_om_per_mwh", 0.0)
    for unit, means in made:
        parts.append(total(means) * (-h * (unit.table.get("wear_cost_per_mwh", 0.0) + om)))
        end = unit.table.get("soc_end")
        if isinstance(end, dict) and "value_per_mwh" in end:
            parts.append((unit.energy[-1] - unit.start) * end["value_per_mwh"])
    return total(parts)


def meter_of(case: SiteCase) -> Meter:
    nothing = np.zeros(len(case.series))
    return Meter(pd.DatetimeIndex(case.series.index), nothing, nothing, holidays=case.holidays)


def money_of(case: SiteCase, product: Sold) -> Linear:
    """Capacity and, where it has a price of its own, activation in either direction."""
    name, h = product.table["name"], case.step_h
    capacity = case.column(f"{name}_price_per_mw", 0.0) * float(product.table.get("acceptance_share", 1.0))
    worth = case.column(f"{name}_activation_price_per_mwh", 0.0)
    shares = np.sum(list(product.shares.values()), axis=0)
    return total([product.bid[t] * float((capacity[t] + worth[t] * shares[t]) * h) for t in range(len(case.series))])


def mean_called(case: SiteCase, sold: list[Sold], t: int, priced: bool | None = None) -> Linear:
    """Mean power of the calls of step t, + towards the grid; of products with an activation price alone, or none."""
    chosen = [p for p in sold if priced in (None, f"{p.table['name']}_activation_price_per_mwh" in case.series)]
    return total([p.bid[t] * (k * float(shares[t])) for p in chosen for k, shares in p.shares.items()])


def without_priced_calls(
    program: Program, case: SiteCase, bought: list[Linear], exported: list[Linear], sold: list[Sold]
) -> tuple[list[Linear], list[Linear]]:
    """Import and export that energy prices see: the meter's without the calls that have a price of their own."""
    paid_in, paid_out = [], []
    for t in range(len(case.series)):
        called = mean_called(case, sold, t, priced=True)
        if not any(value for _, value in called.terms):
            paid_in.append(bought[t])
            paid_out.append(exported[t])
            continue
        wide = sum(max(abs(end) for end in program.bounds(part)) for part in (bought[t], exported[t], called))
        into, out = program.variable(0.0, wide), program.variable(0.0, wide)
        program.not_both(into, out)
        program.keep(out - into - exported[t] + bought[t] + called, 0.0, 0.0)
        paid_in.append(into)
        paid_out.append(out)
    return paid_in, paid_out


def prices_of(case: SiteCase) -> tuple[np.ndarray, np.ndarray]:
    both = case.column("price_per_mwh", 0.0)
    return case.column("import_price_per_mwh", 0.0) + both, case.column("export_price_per_mwh", 0.0) + both


def one_of_a_group(program: Program, sold: list[Sold], steps: int) -> None:
    groups: dict[str, list[Sold]] = defaultdict(list)
    for product in sold:
        if "exclusive_group" in product.table:
            groups[product.table["exclusive_group"]].append(product)
    for members in groups.values():
        for t in range(steps):
            program.keep(total([product.on[t] for product in members]), high=1.0)


def add_grid(
    program: Program, case: ProductCase, units: list[Battery], sold: list[Sold]
) -> tuple[list[Linear], list[Linear]]:
    """Import and export at the meter, calls included; limits hold at the base point and with all of a direction."""
    site, inner = case.site.site, case.site
    steps = len(inner.series)
    coupled = [at for at, unit in enumerate(units) if on_dc(unit.table)]
    pv_ac, pv_dc, pv_eta = pv_parts(inner)
    load = inner.column("load_mw", 0.0) + sum(b.get("auxiliary_mw", 0.0) for b in inner.batteries)
    away, _ = outage_steps(inner)
    wide = float(np.abs(load).max() + (pv_ac + pv_dc).max()) + 4 * sum(
        b["power_mw"] + b.get("charge_power_mw", b["power_mw"]) for b in inner.batteries
    )
    most_in = np.minimum(inner.column("import_limit_mw", wide), site.get("import_limit_mw", wide))
    most_out = np.minimum(inner.column("export_limit_mw", wide), site.get("export_limit_mw", wide))
    for clause in inner.clauses:
        held = active_steps(inner, clause)
        most_in = np.where(held, np.minimum(most_in, clause.get("import_mw", wide)), most_in)
        most_out = np.where(held, np.minimum(most_out, clause.get("export_mw", wide)), most_out)
    bought, exported = program.variables(np.full(steps, wide)), program.variables(np.full(steps, wide))
    curtails = site.get("curtailment", True)
    inverter = float(site.get("inverter_mw", wide))
    nets: list[Linear] = []
    for t in range(steps):
        up = total([product.bid[t] for product in sold if UP in product.directions])
        down = total([product.bid[t] for product in sold if DOWN in product.directions])
        program.not_both(bought[t], exported[t])
        lost = program.variable(0.0, float(pv_ac[t]) if curtails else 0.0)
        lost_dc = program.variable(0.0, float(pv_dc[t]) if curtails else 0.0)
        used, used_dc = lost * -1.0 + float(pv_ac[t]), lost_dc * -1.0 + float(pv_dc[t])
        net = exported[t] - bought[t] - mean_called(inner, sold, t)  # of the base point
        nets.append(net)
        sources = [net * -1.0, used]
        sources += [u.discharge[t] - u.charge[t] for u in units if not on_dc(u.table)]
        if coupled:
            own = converters(units[coupled[0]].table)
            out, into = program.variable(0.0, min(inverter, wide)), program.variable(0.0, min(inverter, wide))
            program.not_both(out, into)
            bus = total([units[at].discharge[t] - units[at].charge[t] for at in coupled]) + used_dc
            program.keep(bus - out * (1 / own["dc_to_ac"]) + into * own["ac_to_dc"], 0.0, 0.0)
            sources += [out, into * -1.0]
            for direction in (UP, DOWN):
                calls = [p.parts[at][t] for p in sold if direction in p.directions for at in coupled]
                program.keep(out - into + total(calls) * direction, -inverter, inverter)
        program.keep(total(sources), float(load[t]), float(load[t]))
        program.keep(net + up, high=0.0 if away[t] else float(most_out[t]))
        program.keep(net - down, low=0.0 if away[t] else -float(most_in[t]))
        if site.get("grid_charging", True) is False:
            program.keep(net - down, low=-max(float(load[t]), 0.0))
        pv_used = used + used_dc * pv_eta
        permitted = site.get("battery_export", True)
        if permitted is False:
            program.keep(net + up - pv_used, high=max(-float(load[t]), 0.0))
        elif permitted == "strict":
            on = program.variable(0, 1, whole=True)
            program.keep(net + up - on * (2 * wide), high=0.0)
            program.keep(net + up - pv_used + on * (6 * wide), high=6 * wide - float(load[t]))
    add_ramps(program, inner, nets)
    return bought, exported


def add_ramps(program: Program, case: SiteCase, nets: list[Linear]) -> None:
    """Ramps of clauses hold for the base point."""
    for clause in case.clauses:
        if "ramp_mw_per_min" not in clause:
            continue
        most = clause["ramp_mw_per_min"] * case.step_h * 60
        for t in np.flatnonzero(active_steps(case, clause)):
            if t > 0:
                program.keep(nets[t] - nets[t - 1], -most, most)


def most_money(case: ProductCase, seconds: float = 120.0) -> float | None:
    """Net revenue less wear plus stored value at its largest, None where nothing is feasible."""
    program = Program()
    program.objective = add_site(program, case)
    return program.solve(seconds)
