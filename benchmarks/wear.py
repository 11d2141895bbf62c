"""A year with wear by depth of cycle, 16 segments, beside raw HiGHS on the same linear program.

`python benchmarks/wear.py [hours|quarters] [--free] [--floors rows textbook] [--clock cpu]`. The floors, each a
plain HiGHS, cold, and so without the one-way rule: `rows` are the package's own rows and columns, `textbook` is the
program of the literature (charge, discharge and energy of each segment), which takes HiGHS longer. The plan is whole,
one way, proven and audited. The quarter-hours of raw HiGHS take minutes. `--free` makes the cheapest segment cost
nothing, where negative prices would have a plan charge and discharge at once. Prices: the year of the scenario
`arbitrage_15min`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import highspy
import numpy as np
import pandas as pd
from measure import CLOCKS
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


def raw_seconds(program: Program, now: Callable[[], float]) -> tuple[float, float]:
    """(seconds, objective) of a plain HiGHS on the program, cold."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = program.columns, program.rows
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.lower, program.upper
    lp.row_lower_, lp.row_upper_, lp.offset_ = program.row_lower, program.row_upper, program.offset
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = program.start, program.column, program.value
    return _run(lp, now)


def textbook_seconds(scenario: bo.Scenario, now: Callable[[], float]) -> tuple[float, float]:
    """(seconds, objective) of a plain HiGHS, cold, on the program as it stands in papers.

    Charge, discharge and energy of each segment in each step, a balance for each, and one row for power: a share of
    the step charged and a share discharged, together at most the whole step.
    """
    price = scenario.series["price_per_mwh"].to_numpy()
    steps, step_h = len(price), (scenario.series.index[1] - scenario.series.index[0]) / pd.Timedelta(hours=1)
    battery, wear = scenario.battery, scenario.battery.wear
    eta = 0.86**0.5
    width = np.diff([0.0, *wear.depth]) * battery.energy_mwh
    segments = len(width)
    most_in, most_out = battery.power_mw * eta * step_h, battery.power_mw * step_h / eta
    cost = np.concatenate(
        [
            np.repeat(price[:, None] / eta, segments, axis=1),
            np.array(wear.cost_per_mwh)[None, :] - (price * eta)[:, None],
            np.zeros((steps, segments)),
        ],
        axis=1,
    )
    upper = np.full((steps, 3 * segments), np.inf)
    upper[:, 2 * segments :] = width
    own = np.arange(segments)
    balance = np.arange(steps)[:, None] * (segments + 1) + own
    power = np.broadcast_to(np.arange(steps)[:, None] * (segments + 1) + segments, (steps, segments))
    rows = np.empty((steps, 3 * segments, 2), dtype=np.int32)
    value = np.empty((steps, 3 * segments, 2))
    enters, leaves, holds = own, segments + own, 2 * segments + own
    for columns, sign, other, share in ((enters, -1.0, power, 1.0 / most_in), (leaves, 1.0, power, 1.0 / most_out)):
        rows[:, columns, 0], rows[:, columns, 1], value[:, columns, 0], value[:, columns, 1] = (
            balance,
            other,
            sign,
            share,
        )
    rows[:, holds, 0], rows[:, holds, 1] = balance, balance + segments + 1
    value[:, holds, 0], value[:, holds, 1] = 1.0, -1.0
    there = np.ones(rows.shape, dtype=bool)
    there[-1, holds, 1] = False
    side = np.zeros((steps, segments + 1))
    side[:, segments] = 1.0
    low = side.copy()
    low[:, segments] = -np.inf
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = cost.size, side.size
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost.ravel(), np.zeros(cost.size), upper.ravel()
    lp.row_lower_, lp.row_upper_ = low.ravel(), side.ravel()
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(there.sum(2).ravel())]).astype(np.int32)
    lp.a_matrix_.index_, lp.a_matrix_.value_ = rows[there], value[there]
    return _run(lp, now)


def _run(lp: highspy.HighsLp, now: Callable[[], float]) -> tuple[float, float]:
    solver = new_highs()
    solver.setOptionValue("output_flag", False)
    began = now()
    solver.passModel(lp)
    run_highs(solver)
    return now() - began, -float(solver.getInfo().objective_function_value)


def main() -> None:
    """Print seconds, money and the ratios."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("step", nargs="?", choices=("hours", "quarters"), default="hours")
    asked.add_argument("--free", action="store_true")
    asked.add_argument("--floors", nargs="+", choices=("rows", "textbook"), default=("rows", "textbook"))
    asked.add_argument("--clock", choices=list(CLOCKS), default="wall", help="cpu where others use the machine too")
    chosen = asked.parse_args()
    now = CLOCKS[chosen.clock]
    scenario = scenario_of(chosen.step, free=chosen.free)
    bo.optimize(bo.load(SCENARIOS / "arbitrage_15min"))  # everything is imported before anything is timed
    began = now()
    plan = bo.optimize(scenario)
    ours = now() - began
    report = plan.report
    if report is None or report.certificate is None:
        raise RuntimeError("the plan came without its proof")
    (row,) = report.certificate.wear
    print(f"plan {ours:.2f} s, objective {report.objective:.6f}, gap {report.gap:.1e}")
    print(f"wear {row.modelled:.6f}, by rainflow counting {row.rainflow:.6f}, difference {row.difference:.1e}")
    for floor in chosen.floors:
        if floor == "rows":
            seconds, relaxed = raw_seconds(program_of(scenario), now)
        else:
            seconds, relaxed = textbook_seconds(scenario, now)
        print(f"raw HiGHS, {floor}: {seconds:.2f} s, relaxed {relaxed:.6f}, ratio {ours / seconds:.3f}")


if __name__ == "__main__":
    main()
