"""What a plan costs without this package: the same linear program, written by hand in three usual ways.

`arrays` is the least anyone can do: numpy and scipy matrices straight into HiGHS. `pyomo_plain` is the model
a practitioner writes in Pyomo; `pyomo_members` is this package's own model through Pyomo's ordinary path. The
first two read the scenario only, none of the package's formulas, so that agreement means something. All solve
the relaxation, without each converter runs one way: their optimum is never below the exact one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
import pyomo.environ as pyo
import scipy.sparse as sp
from pyomo.contrib.appsi.solvers import Highs as PyomoHighs

from bess_opt.inputs.scenario import Scenario
from bess_opt.models.assemble import add_objective, model_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.highs_process import run_highs
from bess_opt.strategies.shared.activation import activate

Array = np.ndarray


@dataclass(frozen=True)
class Numbers:
    """A scenario as plain numbers: AC-coupled battery, optional solar and load, two prices."""

    steps: int
    hours: float
    charge_max: float
    discharge_max: float
    gain: float  # MWh in the cells per MW charged
    drain: float  # MWh out of the cells per MW discharged
    start: float
    least: Array
    most: float
    solar: Array
    load: Array
    import_price: Array
    export_price: Array
    import_max: float
    export_max: float
    wear: float
    days: Array
    daily_energy: float | None


def numbers_of(scenario: Scenario) -> Numbers:
    """Read `scenario`; ValueError for what the hand-written programs do not cover."""
    battery, site, series = scenario.battery, scenario.site, scenario.series
    cells, converters = battery.tech, battery.converters
    covered = (
        battery.topology == "parallel_ac"
        and battery.soc_end in ("at_least_start", "free")
        and battery.self_discharge_per_h == 0.0
        and scenario.tariff is None
        and site.grid_charging
        and site.battery_export
        and site.curtailment
        and site.unserved_price_per_mwh is None
        and [entry.name for entry in scenario.strategies] == ["arbitrage"]
    )
    if not covered:
        raise ValueError(f"{scenario.name}: the floors cover AC-coupled arbitrage without a tariff only")
    steps, hours = len(series), scenario.step_h
    nothing = np.zeros(steps)
    energy = battery.energy_mwh
    start = energy * ((cells.soc_min + cells.soc_max) / 2 if battery.soc_start is None else battery.soc_start)
    least = np.full(steps, cells.soc_min * energy)
    if battery.soc_end == "at_least_start":
        least[-1] = max(least[-1], start)
    both = series["price_per_mwh"].to_numpy() if "price_per_mwh" in series else None
    return Numbers(
        steps=steps,
        hours=hours,
        charge_max=min(battery.power_mw, cells.c_rate_max * energy / converters.ac_to_dc),
        discharge_max=min(battery.power_mw, cells.c_rate_max * energy * converters.dc_to_ac),
        gain=hours * converters.ac_to_dc * cells.eta_charge,
        drain=hours / (converters.dc_to_ac * cells.eta_discharge),
        start=start,
        least=least,
        most=cells.soc_max * energy,
        solar=series["solar_mw"].to_numpy() if "solar_mw" in series else nothing,
        load=(series["load_mw"].to_numpy() if "load_mw" in series else nothing) + battery.auxiliary_mw,
        import_price=series["import_price_per_mwh"].to_numpy() if both is None else both,
        export_price=series["export_price_per_mwh"].to_numpy() if both is None else both,
        import_max=np.inf if site.import_limit_mw is None else site.import_limit_mw,
        export_max=np.inf if site.export_limit_mw is None else site.export_limit_mw,
        wear=battery.wear_cost_per_mwh + (scenario.finance.variable_om_per_mwh if scenario.finance else 0.0),
        days=np.unique(series.index.normalize(), return_inverse=True)[1],
        daily_energy=None if battery.max_cycles_per_day is None else battery.max_cycles_per_day * energy,
    )


def arrays(scenario: Scenario, most_seconds: float = np.inf) -> float:
    """Optimum of the program passed to HiGHS as arrays, built as sparse blocks; NaN if it takes `most_seconds`."""
    s = numbers_of(scenario)
    n, one, none = s.steps, sp.identity(s.steps, format="csr"), None
    before = sp.eye(n, k=-1, format="csr")
    sunny = bool(s.solar.any())  # without solar there is nothing to curtail: no column for it
    # columns: charge, discharge, energy, import, export, curtailed
    rows = [
        [-s.gain * one, s.drain * one, one - before, none, none],
        [-one, one, none, one, -one],
    ]
    first = np.zeros(n)
    first[0] = s.start
    lower = [first, s.load - s.solar]
    upper = list(lower)
    if s.daily_energy is not None:
        days = int(s.days[-1]) + 1
        daily = sp.csr_matrix((np.full(n, s.drain), (s.days, np.arange(n))), shape=(days, n))
        rows.append([none, daily, none, none, none])
        lower.append(np.full(days, -np.inf))
        upper.append(np.full(days, s.daily_energy))
    zero = np.zeros(n)
    cost = [zero, np.full(n, s.wear * s.hours), zero, s.hours * s.import_price, -s.hours * s.export_price]
    least = [zero, zero, s.least, zero, zero]
    most = [np.full(n, b) for b in (s.charge_max, s.discharge_max, s.most, s.import_max, s.export_max)]
    if sunny:
        for row, block in zip(rows, [none, -one, none], strict=False):
            row.append(block)
        cost.append(zero)
        least.append(zero)
        most.append(s.solar)
    matrix = sp.bmat(rows, format="csr")
    parts = [np.concatenate(part) for part in (cost, least, most, lower, upper)]
    return _run(matrix, parts, scenario.solver.threads, most_seconds)


def _run(matrix: sp.csr_matrix, parts: list[Array], threads: int, most_seconds: float) -> float:
    cost, least, most, lower, upper = parts
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", threads)
    highs.setOptionValue("time_limit", float(most_seconds))
    rows, columns = matrix.shape
    highs.passModel(
        columns,
        rows,
        matrix.nnz,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        cost,
        least,
        most,
        lower,
        upper,
        matrix.indptr[:-1],
        matrix.indices,
        matrix.data,
        np.zeros(columns, dtype=np.int32),
    )
    run_highs(highs)
    if highs.getModelStatus() == highspy.HighsModelStatus.kTimeLimit:
        return float("nan")
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"floor: {highs.modelStatusToString(highs.getModelStatus())}")
    highs.getSolution()
    return -float(highs.getInfo().objective_function_value)


def pyomo_plain(scenario: Scenario) -> float:
    """Optimum of the same program in plain Pyomo rules and numbers, through Pyomo's HiGHS interface."""
    s = numbers_of(scenario)
    m = pyo.ConcreteModel()
    m.t = pyo.RangeSet(0, s.steps - 1)
    m.charge = pyo.Var(m.t, bounds=(0.0, s.charge_max))
    m.discharge = pyo.Var(m.t, bounds=(0.0, s.discharge_max))
    m.energy = pyo.Var(m.t, bounds=lambda _m, t: (float(s.least[t]), s.most))
    m.bought = pyo.Var(m.t, bounds=(0.0, _or_none(s.import_max)))
    m.sold = pyo.Var(m.t, bounds=(0.0, _or_none(s.export_max)))
    m.curtailed = pyo.Var(m.t, bounds=lambda _m, t: (0.0, float(s.solar[t])))
    solar, load = s.solar.tolist(), s.load.tolist()

    def law(m: pyo.ConcreteModel, t: int) -> object:
        before = s.start if t == 0 else m.energy[t - 1]
        return m.energy[t] == before + s.gain * m.charge[t] - s.drain * m.discharge[t]

    def balance(m: pyo.ConcreteModel, t: int) -> object:
        sources = solar[t] - m.curtailed[t] + m.discharge[t] + m.bought[t]
        return sources == load[t] + m.charge[t] + m.sold[t]

    m.law = pyo.Constraint(m.t, rule=law)
    m.balance = pyo.Constraint(m.t, rule=balance)
    if s.daily_energy is not None:
        of_day = [np.flatnonzero(s.days == day).tolist() for day in range(int(s.days[-1]) + 1)]
        m.daily = pyo.Constraint(
            range(len(of_day)),
            rule=lambda m, day: s.drain * pyo.quicksum(m.discharge[t] for t in of_day[day]) <= s.daily_energy,
        )
    paid, got = (s.hours * s.import_price).tolist(), (s.hours * s.export_price).tolist()
    wear = s.wear * s.hours
    m.profit = pyo.Objective(
        expr=pyo.quicksum(got[t] * m.sold[t] - paid[t] * m.bought[t] - wear * m.discharge[t] for t in m.t),
        sense=pyo.maximize,
    )
    return _through_pyomo(m, scenario.solver.threads)


def pyomo_members(scenario: Scenario) -> float:
    """Optimum of this package's model with every member created, through Pyomo's HiGHS interface."""
    plant = plant_of(scenario)
    m, _objectives = model_of(plant, activate(scenario, plant))
    for constraint in m.component_objects(pyo.Constraint):
        constraint.create_members()
    add_objective(m)
    return _through_pyomo(m, scenario.solver.threads)


def _through_pyomo(m: pyo.ConcreteModel, threads: int) -> float:
    solver = PyomoHighs()
    solver.highs_options = {"threads": threads}
    return float(solver.solve(m).best_feasible_objective)


def _or_none(limit: float) -> float | None:
    return None if np.isinf(limit) else limit


FLOORS: dict[str, Callable[[Scenario], float]] = {
    "arrays": arrays,
    "pyomo_plain": pyomo_plain,
    "pyomo_members": pyomo_members,
}
