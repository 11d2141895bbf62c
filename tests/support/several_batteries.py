"""Sites with one to three batteries, and their optimum as arrays written from the meaning of the keys alone.

Nothing of the package is imported. Every converter's way is a binary in every step, and SciPy's own copy of HiGHS
solves the whole at gap 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.optimize as so
import scipy.sparse as sp

NAMES = ("north", "south", "east")
CELLS = {  # round trip, lowest and highest state of charge, C-rate
    "standard": (0.90, 0.20, 0.90, 0.5),
    "modern_lfp": (0.93, 0.10, 0.95, 1.0),
    "premium": (0.95, 0.05, 0.95, 2.0),
}


@dataclass(frozen=True)
class Site:
    """The tables and series of a scenario as plain data; `step_h` is the length of its steps."""

    batteries: list[dict[str, Any]]
    site: dict[str, Any]
    series: pd.DataFrame
    step_h: float
    om: float = 0.0
    outages: tuple[tuple[int, int, float], ...] = ()  # first step, steps, critical share

    def outage_tables(self) -> list[dict[str, Any]]:
        """The outages as a scenario states them."""
        return [
            {"start": self.series.index[first].isoformat(), "hours": count * self.step_h, "critical_share": share}
            for first, count, share in self.outages
        ]


def random_site(seed: int, steps: int = 9) -> Site:
    """One to three batteries of any topology with limits over time, PV, load and prices of either sign."""
    rng = np.random.default_rng(seed)
    count, step_h = int(rng.integers(1, 4)), float(rng.choice([0.25, 0.5, 1.0]))
    coupled = str(rng.choice(["series_dc", "hybrid"]))
    topologies = [str(rng.choice(["parallel_ac", coupled])) for _ in range(count)]
    columns: dict[str, np.ndarray] = {}
    price = rng.normal(30.0, 50.0, steps).round(2)
    if rng.random() < 0.5:
        columns |= {
            "import_price_per_mwh": price,
            "export_price_per_mwh": price - rng.normal(5.0, 12.0, steps).round(2),
        }
    else:
        columns["price_per_mwh"] = price
    if rng.random() < 0.7:
        columns["load_mw"] = rng.uniform(0.0, 2.0, steps).round(3)
    if rng.random() < 0.6:
        columns[str(rng.choice(["solar_mw", "solar_dc_mw"]))] = np.maximum(rng.uniform(-1.0, 3.0, steps), 0.0).round(
            3
        )
    shared = {"ac_to_dc": round(float(rng.uniform(0.9, 1.0)), 3), "dc_to_ac": round(float(rng.uniform(0.9, 1.0)), 3)}
    batteries = []
    for name, topology in zip(NAMES, topologies, strict=False):
        battery = _battery(rng, topology, shared)
        if count > 1:
            battery["name"] = name
        batteries.append(battery)
        _own_columns(rng, columns, battery, f"{name}." if count > 1 else "", steps)
    site = _site(rng, coupled in topologies, "hybrid" in topologies)
    if rng.random() < 0.3:
        columns["import_limit_mw"] = rng.uniform(0.5, 4.0, steps).round(3)
    index = pd.date_range("2024-03-01", periods=steps, freq=f"{int(60 * step_h)}min", tz="UTC")
    om = float(rng.choice([0.0, 1.5]))
    outages = ()
    if "load_mw" in columns and rng.random() < 0.3:
        columns["load_mw"] = (columns["load_mw"] - 0.5).round(3)
    if rng.random() < 0.3:
        first = int(rng.integers(0, steps - 3))
        outages = ((first, int(rng.integers(1, 4)), round(float(rng.choice([0.0, 0.4, 1.0])), 1)),)
    if rng.random() < 0.2:
        cells = CELLS[batteries[0]["technology"]]
        bounds = sorted(rng.uniform(cells[1], cells[2], 2).round(3).tolist())
        batteries[0]["soc_end"] = {"at_least": bounds[0], "at_most": bounds[1]}
    return Site(batteries, site, pd.DataFrame(columns, index=index), step_h, om, outages)


def _battery(rng: np.random.Generator, topology: str, shared: dict[str, float]) -> dict[str, Any]:
    technology = str(rng.choice(list(CELLS)))
    _, low, high, _ = CELLS[technology]
    battery: dict[str, Any] = {
        "power_mw": round(float(rng.uniform(0.3, 2.0)), 3),
        "duration_h": round(float(rng.uniform(0.4, 3.0)), 3),
        "technology": technology,
        "topology": topology,
        "converters": dict(shared) if topology != "parallel_ac" else {"ac_to_dc": 0.97, "dc_to_ac": 0.95},
        "soc_start": round(float(rng.uniform(low, high)), 3),
        "soc_end": rng.choice(["free", "at_least_start", "equal"]).item(),
    }
    battery["converters"]["dc_to_dc"] = round(float(rng.uniform(0.95, 1.0)), 3)
    extras = {
        "charge_power_mw": round(float(rng.uniform(0.2, 2.0)), 3),
        "wear_cost_per_mwh": 3.0,
        "self_discharge_per_h": 0.002,
        "auxiliary_mw": 0.02,
        "max_cycles_per_day": round(float(rng.uniform(0.1, 1.0)), 3),
        "soc_end": {"value_per_mwh": round(float(rng.normal(20.0, 30.0)), 2)},
    }
    return battery | {key: value for key, value in extras.items() if rng.random() < 0.25}


def _own_columns(
    rng: np.random.Generator, columns: dict[str, np.ndarray], battery: dict[str, Any], prefix: str, steps: int
) -> None:
    energy = battery["power_mw"] * battery["duration_h"]
    _, low, high, _ = CELLS[battery["technology"]]
    made = {
        "charge_limit_mw": rng.uniform(0.0, 1.5, steps),
        "discharge_limit_mw": rng.uniform(0.0, 1.5, steps),
        "drawn_mw": np.maximum(rng.uniform(-0.5, 0.08, steps), 0.0),
        "energy_min_mwh": np.where(rng.random(steps) < 0.2, energy * (low + 0.1), 0.0),
        "energy_max_mwh": np.where(rng.random(steps) < 0.2, energy * (high - 0.1), energy),
    }
    columns |= {f"{prefix}{name}": values.round(4) for name, values in made.items() if rng.random() < 0.2}


def _site(rng: np.random.Generator, coupled: bool, hybrid: bool) -> dict[str, Any]:
    site: dict[str, Any] = {
        "time_zone": "UTC",
        "grid_charging": bool(rng.random() < 0.7),
        "battery_export": [True, True, False, "strict"][int(rng.integers(4))],
        "curtailment": bool(rng.random() < 0.7),
    }
    if rng.random() < 0.6:
        site["import_limit_mw"] = round(float(rng.uniform(0.5, 4.0)), 3)
    if rng.random() < 0.6:
        site["export_limit_mw"] = round(float(rng.uniform(0.0, 4.0)), 3)
    if rng.random() < 0.4:
        site["unserved_price_per_mwh"] = 300.0
    if coupled or rng.random() < 0.3:
        site["inverter_mw"] = round(float(rng.uniform(0.5, 3.0)), 3)
    if hybrid:
        site["dc_share"] = round(float(rng.uniform(0.0, 1.0)), 3)
    return site


class Program:
    """Rows and columns as they are put down, one step after the other."""

    def __init__(self) -> None:
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.gain: list[float] = []
        self.whole: list[bool] = []
        self.entries: list[tuple[int, int, float]] = []
        self.sides: list[tuple[float, float]] = []

    def add(self, upper: float = np.inf, lower: float = 0.0, gain: float = 0.0, *, whole: bool = False) -> int:
        for column, value in ((self.lower, lower), (self.upper, upper), (self.gain, gain), (self.whole, whole)):
            column.append(value)  # type: ignore[attr-defined]
        return len(self.lower) - 1

    def row(self, terms: dict[int, float], low: float, high: float) -> None:
        self.entries += [(len(self.sides), column, value) for column, value in terms.items()]
        self.sides.append((low, high))

    def one_way(self, first: int, second: int, most_first: float, most_second: float) -> None:
        goes = self.add(1.0, whole=True)
        self.row({first: 1.0, goes: -most_first}, -np.inf, 0.0)
        self.row({second: 1.0, goes: most_second}, -np.inf, most_second)

    def most(self) -> float | None:
        rows, columns, values = (np.array(part) for part in zip(*self.entries, strict=True))
        matrix = sp.csr_matrix((values, (rows, columns)), shape=(len(self.sides), len(self.lower)))
        low, high = np.array(self.sides).T
        options = {"mip_rel_gap": 0.0, "presolve": True}
        found = so.milp(
            -np.array(self.gain),
            constraints=so.LinearConstraint(matrix, low, high),
            bounds=so.Bounds(np.array(self.lower), np.array(self.upper)),
            integrality=np.array(self.whole, dtype=float),
            options=options,
        )
        if found.status not in (0, 2):
            raise RuntimeError(found.message)
        return None if found.x is None else -float(found.fun)


def most_money(given: Site) -> float | None:
    """The most that the ledger can reach, or None where nothing meets all limits."""
    series, site, h = given.series, given.site, given.step_h
    steps = len(series)

    def column(name: str, default: float) -> np.ndarray:
        return series[name].to_numpy() if name in series else np.full(steps, default)

    several = len(given.batteries) > 1
    array = next((b for b in given.batteries if b["topology"] != "parallel_ac"), given.batteries[0])
    on_bus = [b["topology"] != "parallel_ac" for b in given.batteries]
    bus, to_ac, to_dc = any(on_bus), array["converters"]["dc_to_ac"], array["converters"]["ac_to_dc"]
    solar_ac, solar_dc = solar_parts(given, array, column)
    auxiliary = sum(b.get("auxiliary_mw", 0.0) for b in given.batteries)
    own_load = column("load_mw", 0.0)
    load = own_load + auxiliary
    price = column("price_per_mwh", 0.0)
    buy, sell = column("import_price_per_mwh", 0.0) + price, column("export_price_per_mwh", 0.0) + price
    most_import = np.minimum(column("import_limit_mw", np.inf), site.get("import_limit_mw", np.inf))
    most_export = np.minimum(column("export_limit_mw", np.inf), site.get("export_limit_mw", np.inf))
    rating, shed = site.get("inverter_mw", np.inf), site.get("unserved_price_per_mwh")
    away, free = np.zeros(steps, dtype=bool), np.zeros(steps)
    for first, count, share in given.outages:
        away[first : first + count] = True
        free[first : first + count] = (1.0 - share) * np.maximum(own_load[first : first + count], 0.0)
    most_import, most_export = np.where(away, 0.0, most_import), np.where(away, 0.0, most_export)
    program, constant = Program(), 0.0
    flows: list[list[tuple[int, int]]] = [[] for _ in range(steps)]
    for battery, name in zip(given.batteries, NAMES, strict=False):
        prefix = f"{name}." if several else ""
        own, more = _add_battery(program, battery, lambda key, p=prefix: series.get(f"{p}{key}"), steps, h, given.om)
        constant += more
        for t in range(steps):
            flows[t].append(own[t])
    huge = sum(program.upper[c] + program.upper[d] for c, d in flows[0]) + sum(
        b["power_mw"] + b.get("charge_power_mw", b["power_mw"]) for b in given.batteries
    )
    huge = 2.0 * huge + float(np.abs(load).max() + solar_ac.max() + solar_dc.max()) + 1.0
    for t in range(steps):
        limit_in, limit_out = min(most_import[t], huge), min(most_export[t], huge)
        bought, sold = program.add(limit_in, gain=-h * buy[t]), program.add(limit_out, gain=h * sell[t])
        program.one_way(bought, sold, limit_in, limit_out)
        cut_ac = program.add(solar_ac[t] if site["curtailment"] or away[t] else 0.0)
        cut_dc = program.add(solar_dc[t] if site["curtailment"] or away[t] else 0.0)
        demand = max(own_load[t], 0.0)
        unserved = program.add(demand - free[t] if shed is not None else 0.0, gain=-h * (shed or 0.0))
        spared = program.add(free[t])
        balance = {bought: 1.0, sold: -1.0, cut_ac: -1.0, unserved: 1.0, spared: 1.0}
        balance |= {c: -1.0 for (c, _), dc in zip(flows[t], on_bus, strict=True) if not dc}
        balance |= {d: 1.0 for (_, d), dc in zip(flows[t], on_bus, strict=True) if not dc}
        if bus:
            out, into = program.add(min(rating, huge)), program.add(min(rating, huge))
            program.one_way(out, into, min(rating, huge), min(rating, huge))
            balance |= {out: 1.0, into: -1.0}
            on_dc = {out: -1.0 / to_ac, into: to_dc, cut_dc: -1.0}
            on_dc |= {c: -1.0 for (c, _), dc in zip(flows[t], on_bus, strict=True) if dc}
            on_dc |= {d: 1.0 for (_, d), dc in zip(flows[t], on_bus, strict=True) if dc}
            program.row(on_dc, -solar_dc[t], -solar_dc[t])
        program.row(balance, load[t] - solar_ac[t], load[t] - solar_ac[t])
        used = solar_ac[t] + to_ac * solar_dc[t]
        cuts = {cut_ac: 1.0, cut_dc: to_ac}
        if not site["grid_charging"]:
            program.row({bought: 1.0, unserved: 1.0, spared: 1.0}, -np.inf, max(load[t], 0.0))
        if site["battery_export"] is False:
            program.row({sold: 1.0} | cuts, -np.inf, used + max(-load[t], 0.0))
        if site["battery_export"] == "strict":
            over, short = program.add(huge), program.add(huge)
            program.one_way(over, short, huge, huge)
            program.row({over: 1.0, short: -1.0} | cuts, used - load[t], used - load[t])
            program.row({sold: 1.0, over: -1.0}, -np.inf, 0.0)
    found = program.most()
    return None if found is None else found + constant


def solar_parts(given: Site, array: dict[str, Any], column: Any) -> tuple[np.ndarray, np.ndarray]:
    """(AC part, DC part) of the PV power."""
    to_ac, site, nothing = array["converters"]["dc_to_ac"], given.site, column("none", 0.0)
    before_inverter = "solar_dc_mw" in given.series
    own = np.inf if array["topology"] != "parallel_ac" else site.get("inverter_mw", np.inf)

    def on_ac(share: float) -> np.ndarray:
        if not before_inverter:
            return share * column("solar_mw", 0.0)
        return np.minimum(share * column("solar_dc_mw", 0.0) * to_ac, own)

    dc = column("solar_dc_mw", 0.0) if before_inverter else column("solar_mw", 0.0) / to_ac
    if array["topology"] == "parallel_ac":
        return on_ac(1.0), nothing
    if array["topology"] == "series_dc":
        return nothing, dc
    return on_ac(1.0 - site["dc_share"]), site["dc_share"] * dc


def _add_battery(
    program: Program, battery: dict[str, Any], own: Any, steps: int, h: float, om: float
) -> tuple[list[tuple[int, int]], float]:
    """(charge and discharge columns of each step, constant money)."""
    round_trip, low, high, rate = CELLS[battery["technology"]]
    converters, cells = battery["converters"], np.sqrt(round_trip)
    ac = battery["topology"] == "parallel_ac"
    eta_in, eta_out = (converters["ac_to_dc"], converters["dc_to_ac"]) if ac else (converters["dc_to_dc"],) * 2
    energy = battery["power_mw"] * battery["duration_h"]
    most_in = min(battery.get("charge_power_mw", battery["power_mw"]), rate * energy / eta_in)
    most_out = min(battery["power_mw"], rate * energy * eta_out)

    def of(name: str, default: float) -> np.ndarray:
        values = own(name)
        return np.full(steps, default) if values is None else values.to_numpy()

    takes, gives = (
        np.minimum(of("charge_limit_mw", np.inf), most_in),
        np.minimum(of("discharge_limit_mw", np.inf), most_out),
    )
    drawn = of("drawn_mw", 0.0)
    floor, ceiling = (
        np.maximum(of("energy_min_mwh", 0.0), low * energy),
        np.minimum(of("energy_max_mwh", np.inf), high * energy),
    )
    start, end = battery["soc_start"] * energy, battery["soc_end"]
    kept, worth = (1.0 - battery.get("self_discharge_per_h", 0.0)) ** h, 0.0
    least = start if end in ("equal", "at_least_start") else 0.0
    most = start if end == "equal" else np.inf
    if isinstance(end, dict):
        worth = end.get("value_per_mwh", 0.0)
        least, most = end.get("at_least", 0.0) * energy, end.get("at_most", np.inf) * energy
    before, flows = program.add(start, start), []
    spent = h * (battery.get("wear_cost_per_mwh", 0.0) + om)
    for t in range(steps):
        charge, discharge = program.add(takes[t]), program.add(gives[t], gain=-spent)
        program.one_way(charge, discharge, takes[t], gives[t])
        last = t == steps - 1
        lower = max(floor[t], least) if last else floor[t]
        upper = min(ceiling[t], most) if last else ceiling[t]
        if lower > upper:
            program.row({charge: 0.0}, 1.0, 1.0)
            lower = upper
        after = program.add(upper, lower, gain=worth if last else 0.0)
        law = {after: 1.0, before: -kept, charge: -h * eta_in * cells, discharge: h / (eta_out * cells)}
        program.row(law, -h * drawn[t], -h * drawn[t])
        before = after
        flows.append((charge, discharge))
    cap = battery.get("max_cycles_per_day")
    if cap is not None:
        leaving = {d: h / (eta_out * cells) for _, d in flows}
        program.row(leaving, -np.inf, cap * energy - h * float(drawn.sum()))
    return flows, -worth * start
