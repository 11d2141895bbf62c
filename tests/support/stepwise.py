"""Random scenarios that value functions solve, and HiGHS with binaries as their referee."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
import pandas as pd

import bess_opt as bo
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant
from bess_opt.solver.expand import expand, term_costs
from bess_opt.solver.highs_process import new_highs, run_highs
from bess_opt.solver.one_way import one_way_program
from bess_opt.solver.program import Program
from bess_opt.solver.tie_break import tie_break_cost
from bess_opt.strategies.shared.activation import activate

TIGHT = ("primal_feasibility_tolerance", "dual_feasibility_tolerance", "mip_feasibility_tolerance")


def stepwise_scenario(seed: int, *, most_steps: int = 24, ties: bool = False) -> bo.Scenario:
    """A scenario of any topology, permission and limit; with `ties` its prices are few round numbers."""
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(6, most_steps + 1))
    topology = str(rng.choice(["parallel_ac", "series_dc", "hybrid"]))
    columns = _series(rng, steps, topology, ties)
    names = ["arbitrage"]
    if np.any(columns.get("load_mw", 0.0)):
        names += ["self_consumption", "peak_shaving"]
    if any(name.startswith("solar") and values.any() for name, values in columns.items()):
        names += ["time_shift", "export_cap"]
    strategy: dict[str, Any] = {"name": str(rng.choice(names))}
    if strategy["name"] == "export_cap":
        strategy["cap_mw"] = float(rng.choice([0.3, 1.0, 3.0]))
    index = pd.date_range("2025-03-01", periods=steps, freq=str(rng.choice(["h", "30min", "15min"])), tz="UTC")
    return bo.Scenario(
        battery=_battery(rng, topology),
        site=_site(rng, topology),
        series=pd.DataFrame(columns, index=index),
        strategy=strategy,
    )


def _series(rng: np.random.Generator, steps: int, topology: str, ties: bool) -> dict[str, np.ndarray]:
    prices = [
        rng.choice([-20.0, 0.0, 10.0, 50.0, 50.0, 100.0], steps),
        np.full(steps, rng.choice([-10.0, 0.0, 30.0])),
        rng.normal(40.0, 60.0, steps).round(2),
        rng.normal(-10.0, 30.0, steps).round(0),
        rng.normal(60.0, 20.0, steps).round(2),
    ]
    price = prices[int(rng.integers(2 if ties else len(prices)))]
    columns = {"price_per_mwh": price}
    if rng.random() < 0.5:
        export = price * rng.choice([0.4, 0.9, 1.0]) if rng.random() < 0.7 else rng.permutation(price)
        columns = {"import_price_per_mwh": price, "export_price_per_mwh": export}
    if rng.random() < 0.8 or topology != "parallel_ac":
        name = "solar_dc_mw" if topology == "series_dc" and rng.random() < 0.5 else "solar_mw"
        columns[name] = np.maximum(rng.normal(0.0, 2.0, steps), 0.0).round(3)
    if rng.random() < 0.6:
        columns["load_mw"] = (2.0 * rng.random(steps) - (0.3 if rng.random() < 0.2 else 0.0)).round(3)
    if rng.random() < 0.15:
        columns["energy_min_mwh"] = np.where(rng.random(steps) < 0.2, 0.15, 0.0)
    return columns


def _battery(rng: np.random.Generator, topology: str) -> dict[str, Any]:
    energy, power = float(rng.choice([0.5, 1.0, 2.0, 4.0])), float(rng.choice([0.5, 1.0, 2.0]))
    ends: list[Any] = ["at_least_start", "equal", "free", 0.4, {"value_per_mwh": 30.0}]
    battery: dict[str, Any] = {
        "power_mw": power,
        "duration_h": energy / power,
        "topology": topology,
        "technology": {
            "eta_charge": float(rng.choice([1.0, 0.95, 0.8])),
            "eta_discharge": float(rng.choice([1.0, 0.95, 0.8])),
            "soc_min": float(rng.choice([0.0, 0.1])),
            "soc_max": float(rng.choice([1.0, 0.9])),
            "c_rate_max": float(rng.choice([0.7, 2.0])),
        },
        "soc_start": float(rng.choice([0.1, 0.5, 0.9])),
        "soc_end": ends[int(rng.integers(len(ends)))],
    }
    more = {"wear_cost_per_mwh": 5.0, "self_discharge_per_h": 0.01, "auxiliary_mw": 0.05}
    return battery | {key: value for key, value in more.items() if rng.random() < 0.3}


def _site(rng: np.random.Generator, topology: str) -> dict[str, Any]:
    numbers = {
        "import_limit_mw": (0.4, [0.5, 2.0, 5.0]),
        "export_limit_mw": (0.4, [0.0, 0.5, 2.0, 5.0]),
        "unserved_price_per_mwh": (0.3, [100.0, 5000.0]),
    }
    site: dict[str, Any] = {
        key: float(rng.choice(values)) for key, (share, values) in numbers.items() if rng.random() < share
    }
    denied = {"grid_charging": 0.2, "battery_export": 0.2, "curtailment": 0.3}
    site |= {key: False for key, share in denied.items() if rng.random() < share}
    if topology != "parallel_ac" and rng.random() < 0.7:
        site["inverter_mw"] = float(rng.choice([0.7, 1.5]))
    if topology == "hybrid":
        site["dc_share"] = float(rng.choice([0.0, 0.4, 1.0]))
    return site


class Referee:
    """HiGHS with a binary for every converter and step, at gap 0, on the whole horizon at once."""

    def __init__(self, scenario: bo.Scenario) -> None:
        stated_plant = plant_of(scenario)
        active = activate(scenario, stated_plant)
        self.plant: Plant = active.restrict(stated_plant)
        self.pairs, self._bound = pairs_of(self.plant), active
        self.model, objectives = model_of(self.plant, active)
        self.linear = expand(self.model)
        later = [term_costs(self.model, objective, self.linear) for objective in objectives[1:]]
        self.levels = [self.linear.cost, *later, tie_break_cost(self.linear)]
        self.program = one_way_program(self.model, self.plant, self.linear, self.pairs)
        self.scale = float(np.abs(self.linear.cost).max()) * self.plant.scale_mw * self.plant.steps

    def without_binaries(self) -> tuple[Any, Any]:
        """(model, objectives) as a plan is made from; that of the referee has its binaries by now."""
        return model_of(self.plant, self._bound)

    def best(self) -> float | None:
        """What the first objective can bring; None if no plan exists."""
        found = self._solve(self.program, self._padded(0))
        return None if found is None else -(found + self.linear.offset)

    def least(self, level: int, values: list[float]) -> float:
        """Least cost of a level among plans whose earlier levels cost no more than `values`."""
        rows = [self._padded(k) for k in range(level)]
        found = self._solve(self.program, self._padded(level), rows, values)
        if found is None:
            raise AssertionError("the referee lost the plan that it had")
        return found

    def _padded(self, level: int) -> np.ndarray:
        cost = np.zeros(self.program.columns)
        cost[: self.linear.columns] = self.levels[level]
        return cost

    def _solve(
        self,
        program: Program,
        cost: np.ndarray,
        rows: list[np.ndarray] | None = None,
        most: list[float] | None = None,
    ) -> float | None:
        highs = _loaded(program, cost)
        for row, value in zip(rows or [], most or [], strict=True):
            places = np.flatnonzero(row).astype(np.int32)
            highs.addRow(-highspy.kHighsInf, value, len(places), places, row[places])
        run_highs(highs)
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        choice = np.round(np.array(highs.getSolution().col_value))
        places = np.flatnonzero(program.integer).astype(np.int32)
        highs.changeColsBounds(len(places), places, choice[places], choice[places])
        highs.changeColsIntegrality(
            len(places), places, np.full(len(places), highspy.HighsVarType.kContinuous, dtype=np.uint8)
        )
        mixed = float(highs.getInfo().objective_function_value)
        run_highs(highs)
        fixed = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return float(highs.getInfo().objective_function_value) if fixed else mixed


def _loaded(program: Program, cost: np.ndarray) -> Any:
    highs = new_highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    for option in TIGHT:
        highs.setOptionValue(option, 1e-10)
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", 0.0)
    highs.passModel(
        program.columns,
        program.rows,
        len(program.value),
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        cost,
        program.lower,
        program.upper,
        program.row_lower,
        program.row_upper,
        program.start[:-1],
        program.column,
        program.value,
        program.integer.astype(np.int32),
    )
    return highs
