"""A year with wear by depth of cycle, 16 segments, beside raw HiGHS on the same linear program.

`python benchmarks/wear.py [hours|quarters] [--free]`: the raw program is the package's own rows and columns in a
plain HiGHS, cold, and so without the one-way rule; the plan is whole, one way, proven and audited. The quarter-hours
of raw HiGHS take minutes. `--free` makes the cheapest segment cost nothing, where negative prices would have a plan
charge and discharge at once. Prices: the year of the scenario `arbitrage_15min`.
"""

from __future__ import annotations

import argparse
import time

import highspy
import numpy as np
import pandas as pd
from workloads import SCENARIOS

import bess_opt as bo
from bess_opt.models.assemble import model_of
from bess_opt.solver.expand import expand
from bess_opt.solver.highs_process import new_highs, run_highs
from bess_opt.solver.program import Program
from bess_opt.strategies.shared.activation import prepare

SEGMENTS = 16


def scenario_of(step: str, *, free: bool) -> bo.Scenario:
    """A 1 MW, 2 h battery, 0.86 for a round trip, empty at first; wear rises with depth by 20 per MWh."""
    series = bo.load(SCENARIOS / "arbitrage_15min").series
    if step == "hours":
        hourly = series.groupby(series.index.tz_convert("UTC").floor("h")).mean()
        series = hourly.set_axis(pd.DatetimeIndex(hourly.index).tz_convert(series.index.tz), axis=0)
    depth = (np.arange(SEGMENTS) + 1.0) / SEGMENTS
    price = (0.0 if free else 10.0) + 20.0 * (depth - 0.5 / SEGMENTS)
    price[0] = 0.0 if free else price[0]
    one_way = 0.86**0.5
    cells = {"eta_charge": one_way, "eta_discharge": one_way, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 5.0}
    battery = {
        "power_mw": 1.0,
        "duration_h": 2.0,
        "soc_start": 0.0,
        "soc_end": "free",
        "technology": cells,
        "converters": {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0},
        "wear": {"depth": depth.tolist(), "cost_per_mwh": price.tolist()},
    }
    return bo.Scenario(battery=battery, series=series, strategy="arbitrage")


def program_of(scenario: bo.Scenario) -> Program:
    """The linear program of the scenario, without the one-way rule."""
    made = prepare(scenario)
    return expand(model_of(made.plant, made.strategy)[0])


def raw_seconds(program: Program) -> tuple[float, float]:
    """(seconds, objective) of a plain HiGHS on the program, cold."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = program.columns, program.rows
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.lower, program.upper
    lp.row_lower_, lp.row_upper_, lp.offset_ = program.row_lower, program.row_upper, program.offset
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = program.start, program.column, program.value
    solver = new_highs()
    solver.setOptionValue("output_flag", False)
    began = time.perf_counter()
    solver.passModel(lp)
    run_highs(solver)
    return time.perf_counter() - began, -float(solver.getInfo().objective_function_value)


def main() -> None:
    """Print seconds, money and the ratio."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("step", nargs="?", choices=("hours", "quarters"), default="hours")
    asked.add_argument("--free", action="store_true")
    chosen = asked.parse_args()
    scenario = scenario_of(chosen.step, free=chosen.free)
    began = time.perf_counter()
    plan = bo.optimize(scenario)
    ours = time.perf_counter() - began
    raw, relaxed = raw_seconds(program_of(scenario))
    (row,) = plan.report.certificate.wear
    print(f"plan {ours:.2f} s, raw HiGHS {raw:.2f} s, ratio {ours / raw:.3f}")
    print(f"objective {plan.report.objective:.6f}, gap {plan.report.gap:.1e}, relaxed {relaxed:.6f}")
    print(f"wear {row.modelled:.6f}, by rainflow counting {row.rainflow:.6f}, difference {row.difference:.1e}")


if __name__ == "__main__":
    main()
