"""A second opinion: the rules of the model written once more as arrays, straight from a case's plain data.

Nothing of the package is imported. Every converter's direction is a binary, in every step, and SciPy's own
copy of HiGHS solves the whole at gap 0. Where both agree to 1e-6 on hundreds of random cases, a slip would
have to be made twice, in two ways of writing.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import highspy
import numpy as np
import scipy.optimize as so
import scipy.sparse as sp

from support.cases import Case

TECHNOLOGIES = {  # round trip, lowest and highest state of charge, C-rate
    "standard": (0.90, 0.20, 0.90, 0.5),
    "modern_lfp": (0.93, 0.10, 0.95, 1.0),
    "premium": (0.95, 0.05, 0.95, 2.0),
}
FLOWS = (
    "charge",
    "discharge",
    "energy",
    "import",
    "export",
    "curtail_ac",
    "curtail_dc",
    "unserved",
    "out",
    "in",
)
CHOICES = ("charging", "importing", "inverting")
PAIRS = {"charging": ("charge", "discharge"), "importing": ("import", "export"), "inverting": ("out", "in")}


@dataclass
class Problem:
    """max gain·x + constant, low <= A x <= high, lower <= x <= upper; the last blocks are binaries."""

    steps: int
    gain: np.ndarray
    constant: float
    rows: np.ndarray
    low: np.ndarray
    high: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    binary: np.ndarray
    choices: tuple[str, ...]

    def block(self, name: str) -> slice:
        """Columns of a flow or a choice."""
        first = (FLOWS + CHOICES).index(name) * self.steps
        return slice(first, first + self.steps)

    def at_least(self, gain: np.ndarray, value: float) -> Problem:
        """The same problem in which `gain`·x must reach `value`, but for rounding."""
        slack = 1e-8 * max(1.0, abs(value))
        rows = np.vstack([self.rows, gain])
        return replace(self, rows=rows, low=np.append(self.low, value - slack), high=np.append(self.high, np.inf))


@dataclass
class Solved:
    """Optimal value and schedule."""

    value: float
    x: np.ndarray


def cells(case: Case) -> dict[str, float]:
    """One-way efficiencies, window and C-rate of the cells."""
    technology = case.battery["technology"]
    if isinstance(technology, dict):
        return technology
    round_trip, low, high, c_rate = TECHNOLOGIES[technology]
    eta = sqrt(round_trip)
    return {"eta_charge": eta, "eta_discharge": eta, "soc_min": low, "soc_max": high, "c_rate_max": c_rate}


def solar(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """PV power on the AC bus and on the DC bus."""
    n, topology, site = len(case.series), case.battery["topology"], case.site
    to_ac = case.battery["converters"]["dc_to_ac"]
    if "solar_dc_mw" in case.series:
        array = case.series["solar_dc_mw"].to_numpy()
        rating = site.get("pv_inverter_mw", site.get("inverter_mw") if topology == "parallel_ac" else None)
        ac_of = lambda share: np.minimum(share * array * to_ac, np.inf if rating is None else rating)  # noqa: E731
    elif "solar_mw" in case.series:
        array = case.series["solar_mw"].to_numpy() / to_ac
        ac_of = lambda share: share * case.series["solar_mw"].to_numpy()  # noqa: E731
    else:
        return np.zeros(n), np.zeros(n)
    share = {"parallel_ac": 0.0, "series_dc": 1.0}.get(topology, site.get("dc_share", 0.0))
    return ac_of(1.0 - share), share * array


def problem(case: Case) -> Problem:
    """The exact mixed-integer problem of a case, objective: all money."""
    battery, site, series = case.battery, case.site, case.series
    n, h, tech = len(series), case.step_h, cells(case)
    width = n * len(FLOWS + CHOICES) + 1  # the last column is the billed peak
    p = Problem(
        n,
        np.zeros(width),
        0.0,
        *(np.zeros(0),) * 3,
        np.zeros(width),
        np.full(width, np.inf),
        np.zeros(width, dtype=bool),
        (),
    )
    rows: list[tuple[np.ndarray, float, float]] = []

    def row(terms: list[tuple[str, int, float]], low: float, high: float) -> None:
        entry = np.zeros(width)
        for name, t, factor in terms:
            entry[p.block(name).start + t] += factor
        rows.append((entry, low, high))

    on_dc = battery["topology"] != "parallel_ac"
    converters = battery["converters"]
    eta_in = converters["dc_to_dc"] if on_dc else converters["ac_to_dc"]
    eta_out = converters["dc_to_dc"] if on_dc else converters["dc_to_ac"]
    nameplate = battery["power_mw"] * battery["duration_h"]
    at_cells = tech["c_rate_max"] * nameplate
    most_charge = min(battery["power_mw"], at_cells / eta_in)
    most_discharge = min(battery["power_mw"], at_cells * eta_out)
    charged, drawn = eta_in * tech["eta_charge"] * h, h / (eta_out * tech["eta_discharge"])
    keep = (1.0 - battery.get("self_discharge_per_h", 0.0)) ** h
    start = battery.get("soc_start", (tech["soc_min"] + tech["soc_max"]) / 2) * nameplate

    # battery
    p.upper[p.block("charge")], p.upper[p.block("discharge")] = most_charge, most_discharge
    floor = np.full(n, tech["soc_min"] * nameplate)
    if "energy_min_mwh" in series:
        floor = np.maximum(floor, series["energy_min_mwh"].to_numpy())
    ceiling = np.full(n, tech["soc_max"] * nameplate)
    end, value = battery.get("soc_end", "at_least_start"), 0.0
    if end in ("at_least_start", "equal"):
        floor[-1] = max(floor[-1], start)
    if end == "equal":
        ceiling[-1] = min(ceiling[-1], start)
    if isinstance(end, float):
        floor[-1], ceiling[-1] = max(floor[-1], end * nameplate), min(ceiling[-1], end * nameplate)
    if isinstance(end, dict):
        value = end["value_per_mwh"]
    p.lower[p.block("energy")], p.upper[p.block("energy")] = floor, ceiling
    for t in range(n):
        before = [("energy", t - 1, -keep)] if t else []
        side = 0.0 if t else keep * start
        row([("energy", t, 1.0), *before, ("charge", t, -charged), ("discharge", t, drawn)], side, side)
    if "max_cycles_per_day" in battery:
        days = [stamp.date() for stamp in series.index.tz_convert(site["time_zone"])]
        for day in sorted(set(days)):
            of_day = [("discharge", t, drawn) for t in range(n) if days[t] == day]
            # energy leaving the cells: at the terminals of the cells' chemistry
            row(of_day, -np.inf, battery["max_cycles_per_day"] * nameplate)

    # site
    ac, dc = solar(case)
    load = (series["load_mw"].to_numpy() if "load_mw" in series else np.zeros(n)) + battery.get("auxiliary_mw", 0.0)
    thrown = 1.0 if site.get("curtailment", True) else 0.0
    p.upper[p.block("curtail_ac")], p.upper[p.block("curtail_dc")] = thrown * ac, thrown * dc
    shed = site.get("unserved_price_per_mwh")
    own = battery.get("auxiliary_mw", 0.0)  # the battery's own demand is never left unserved
    p.upper[p.block("unserved")] = 0.0 if shed is None else load - own
    big = battery["power_mw"] + ac + dc + load
    big_inverter = 2.0 * big / min(converters.values())
    limit = lambda key, most: np.minimum(most, site.get(key, np.inf))  # noqa: E731
    p.upper[p.block("import")] = limit("import_limit_mw", 2.0 * big / converters["ac_to_dc"])
    p.upper[p.block("export")] = limit("export_limit_mw", big)
    inverter = limit("inverter_mw", big_inverter) if on_dc else np.zeros(n)
    p.upper[p.block("out")] = p.upper[p.block("in")] = inverter
    for t in range(n):
        sources = [("import", t, 1.0), ("unserved", t, 1.0), ("curtail_ac", t, -1.0), ("export", t, -1.0)]
        if on_dc:
            net = load[t] - ac[t]
            row([*sources, ("out", t, 1.0), ("in", t, -1.0)], net, net)
            bus = [("curtail_dc", t, -1.0), ("discharge", t, 1.0), ("charge", t, -1.0)]
            row(
                [*bus, ("out", t, -1.0 / converters["dc_to_ac"]), ("in", t, converters["ac_to_dc"])],
                -dc[t],
                -dc[t],
            )
        else:
            net = load[t] - ac[t]
            row([*sources, ("discharge", t, 1.0), ("charge", t, -1.0)], net, net)
        if not site.get("grid_charging", True):
            row([("import", t, 1.0), ("unserved", t, 1.0)], -np.inf, load[t])
        if not site.get("battery_export", True):
            eta = converters["dc_to_ac"]
            pv = ac[t] + eta * dc[t]
            row([("export", t, 1.0), ("curtail_ac", t, 1.0), ("curtail_dc", t, eta)], -np.inf, pv)

    # one way at a time
    p.choices = tuple(c for c in CHOICES if on_dc or c != "inverting")
    for choice, (first, second) in PAIRS.items():
        p.upper[p.block(choice)] = 1.0 if choice in p.choices else 0.0
        p.binary[p.block(choice)] = True
        if choice in p.choices:
            for t in range(n):
                most = p.upper[p.block(first)][t], p.upper[p.block(second)][t]
                row([(first, t, 1.0), (choice, t, -most[0])], -np.inf, 0.0)
                row([(second, t, 1.0), (choice, t, most[1])], -np.inf, most[1])

    # money
    both = "price_per_mwh" in series
    if both or "import_price_per_mwh" in series:
        p.gain[p.block("import")] = -h * series["price_per_mwh" if both else "import_price_per_mwh"].to_numpy()
        p.gain[p.block("export")] = h * series["price_per_mwh" if both else "export_price_per_mwh"].to_numpy()
    per_mwh = battery.get("wear_cost_per_mwh", 0.0) + (case.finance or {}).get("variable_om_per_mwh", 0.0)
    p.gain[p.block("discharge")] = -h * per_mwh
    p.gain[p.block("unserved")] = -h * (shed or 0.0)
    p.gain[p.block("energy").stop - 1] += value
    p.constant = -value * start

    for rate in (case.tariff or {}).get("demand", ()):
        assert rate["period"] == "horizon", "the only period that this opinion knows"
        p.gain[-1] = -rate["price_per_mw_month"] * n * h / 730.5
        length = round(rate["interval_min"] / 60 / h)
        for first in range(0, n, length):
            steps = range(first, min(first + length, n))
            row([("import", t, 1.0 / len(steps)) for t in steps], -np.inf, 0.0)
            rows[-1][0][-1] = -1.0

    p.rows = np.array([r[0] for r in rows])
    p.low, p.high = np.array([r[1] for r in rows]), np.array([r[2] for r in rows])
    return p


def delivered(case: Case, window: list[str], weighted: bool) -> tuple[np.ndarray, float]:
    """(gain, constant) of the energy that the plant gives to load and grid in a local window."""
    p = problem(case)
    local = case.series.index.tz_convert(case.site["time_zone"])
    minute = local.hour * 60 + local.minute
    first, last = (int(text[:2]) * 60 + int(text[3:]) for text in window)
    inside = (minute >= first) & (minute < last) if first < last else (minute >= first) | (minute < last)
    load = (case.series["load_mw"].to_numpy() if "load_mw" in case.series else 0.0) + case.battery.get(
        "auxiliary_mw", 0.0
    )
    names = [c for c in ("price_per_mwh", "export_price_per_mwh") if c in case.series]
    weight = case.series[names[0]].to_numpy() if weighted and names else np.ones(p.steps)
    worth = inside * weight * case.step_h
    gain = np.zeros(len(p.gain))
    gain[p.block("export")], gain[p.block("import")], gain[p.block("unserved")] = worth, -worth, -worth
    return gain, float(np.sum(worth * load))


def best(p: Problem, gain: np.ndarray | None = None, constant: float | None = None) -> Solved | None:
    """The optimum with all binaries, or None if there is none."""
    chosen = p.gain if gain is None else gain
    if (p.lower > p.upper).any():
        return None
    for presolve in (True, False):
        found = so.milp(
            -chosen,
            integrality=p.binary.astype(int),
            bounds=so.Bounds(p.lower, p.upper),
            constraints=so.LinearConstraint(sp.csr_array(p.rows), p.low, p.high),
            options={"mip_rel_gap": 0.0, "presolve": presolve},
        )
        if found.status != 4:  # numerical trouble: a second try without presolve
            break
    if found.status == 2:
        return None
    assert found.status == 0, found.message
    return Solved(float(chosen @ found.x) + (p.constant if constant is None else constant), found.x)


def best_of_both(case: Case, window: list[str], weighted: bool) -> tuple[Solved, Solved] | None:
    """First the most delivered in the window, then the most money among those plans (PV charges alone)."""
    solar_only: dict[str, Any] = {"grid_charging": False}
    p = problem(case.but(site=solar_only))
    gain, constant = delivered(case, window, weighted)
    first = best(p, gain, constant)
    if first is None:
        return None
    second = best(p.at_least(gain, first.value - constant))
    assert second is not None
    return first, second


def least(case: Case, weight: dict[str, float]) -> float:
    """The least weighted sum of flows, in MW over all steps, that a plan of most money can have."""
    p = problem(case)
    first = best(p)
    assert first is not None
    gain = np.zeros(len(p.gain))
    for name, factor in weight.items():
        gain[p.block(name)] = -factor
    second = best(p.at_least(p.gain, first.value - p.constant), gain, 0.0)
    assert second is not None
    return -second.value


def by_patterns(case: Case) -> float | None:
    """The best over all on/off patterns, a linear problem each; for a handful of steps.

    Grid directions are tried only where export can pay more than import costs: elsewhere importing and
    exporting at once never helps, so both stay open.
    """
    p = problem(case)
    if (p.lower > p.upper).any():
        return None
    pays = p.gain[p.block("export")] > -p.gain[p.block("import")] + 1e-12
    tried = [c for c in p.choices if c != "importing" or pays.any()]
    rows = ~p.rows[:, p.binary].any(axis=1)
    flows = ~p.binary
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    matrix = sp.csr_array(p.rows[rows][:, flows])
    solver.passModel(
        int(flows.sum()),
        int(rows.sum()),
        matrix.nnz,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMaximize),
        0.0,
        p.gain[flows],
        p.lower[flows],
        p.upper[flows],
        p.low[rows],
        p.high[rows],
        matrix.indptr[:-1].astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data,
        np.zeros(int(flows.sum()), dtype=np.int32),
    )
    found: list[float] = []
    columns = np.concatenate([np.arange(p.block(f).start, p.block(f).stop) for c in tried for f in PAIRS[c]]).astype(
        np.int32
    )
    for pattern in itertools.product((False, True), repeat=len(tried) * p.steps):
        on = np.array(pattern).reshape(len(tried), p.steps)
        open_ = np.concatenate([side for row in on for side in (row, ~row)])
        solver.changeColsBounds(len(columns), columns, p.lower[columns], np.where(open_, p.upper[columns], 0.0))
        solver.run()
        if solver.getModelStatus() == highspy.HighsModelStatus.kOptimal:
            found.append(solver.getInfo().objective_function_value + p.constant)
    return max(found, default=None)
