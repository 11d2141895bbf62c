"""A year of hours with four market products in blocks of four hours, beside raw HiGHS on the same linear program.

`python benchmarks/products.py [--days N] [--least MW] [--step MW] [--gap G] [--limit S]`: the raw program is the
package's own rows and columns in a plain HiGHS, cold, without the one-way rule; the plan is whole, one way, proven
and audited. `--least` gives the products a least bid, `--step` a step, which make choices of each block; `--gap` is
`solver.rel_gap`, `--limit` the most seconds of a search. Seconds are of work, wall clock in brackets.
Goals, of a year: `--gap 1e-4` at most `MOST_TIMES` the raw program's work, `--least 1 --limit 60` a gap of at most
`MOST_GAP`.
Energy prices: the year of the scenario `arbitrage_15min`; prices of capacity are drawn, one for each block.
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

PRODUCTS = (("a", "symmetric", 0.25, 9.0), ("b", "up", 1.0, 7.0), ("c", "down", 1.0, 6.0), ("d", "up", 2.0, 4.0))


MOST_TIMES, MOST_GAP = 3.0, 1e-4


def scenario_of(
    days: int, least_mw: float | None, gap: float, limit_s: float | None, step_mw: float | None = None
) -> bo.Scenario:
    """10 MW, 2 h, and four products that differ in direction, head-room and mean price."""
    series = bo.load(SCENARIOS / "arbitrage_15min").series[["price_per_mwh"]]
    hourly = series.groupby(series.index.tz_convert("UTC").floor("h")).mean()
    frame = hourly.set_axis(pd.DatetimeIndex(hourly.index).tz_convert(series.index.tz), axis=0)
    frame = frame[: frame.index[0] + pd.DateOffset(days=days) - pd.Timedelta(hours=1)]
    blocks = pd.factorize(frame.index.normalize() + pd.to_timedelta(frame.index.hour // 4 * 4, unit="h"))[0]
    draws = np.random.default_rng(5)
    for name, _, _, mean in PRODUCTS:
        frame[f"{name}_price_per_mw"] = draws.gamma(2.0, mean / 2.0, blocks.max() + 1)[blocks]
    rows = [
        {
            "name": name,
            "direction": way,
            "headroom_h": hours,
            "block_h": 4.0,
            "min_bid_mw": least_mw,
            "step_mw": step_mw,
        }
        for name, way, hours, _ in PRODUCTS
    ]
    rows = [{key: value for key, value in row.items() if value is not None} for row in rows]
    return bo.Scenario(
        battery={"power_mw": 10.0, "duration_h": 2.0},
        series=frame,
        product=rows,
        strategy="arbitrage",
        solver={"rel_gap": gap} | ({"time_limit_s": limit_s} if limit_s else {}),
    )


def raw_seconds(program: Program) -> tuple[float, float]:
    """(seconds of work, objective) of a plain HiGHS on the program without its choices, cold."""
    highs = new_highs()
    highs.setOptionValue("output_flag", False)
    highs.passModel(
        program.columns, program.rows, len(program.value), int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize), program.offset, program.cost, program.lower, program.upper,
        program.row_lower, program.row_upper, program.start[:-1], program.column, program.value,
        np.zeros(program.columns, dtype=np.int32),
    )  # fmt: skip
    began = time.process_time()
    run_highs(highs)
    return time.process_time() - began, -float(highs.getInfo().objective_function_value)


def main() -> None:
    """Measure and print one line each for the floor and the plan."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--days", type=int, default=365)
    asked.add_argument("--least", type=float, default=None)
    asked.add_argument("--step", type=float, default=None)
    asked.add_argument("--gap", type=float, default=1e-6)
    asked.add_argument("--limit", type=float, default=None)
    given = asked.parse_args()
    scenario = scenario_of(given.days, given.least, given.gap, given.limit, given.step)
    made = prepare(scenario)
    floor, relaxed = raw_seconds(expand(model_of(made.plant, made.strategy)[0]))
    print(f"raw HiGHS, linear: {floor:.1f} s, objective {relaxed:,.2f}")
    began, clock = time.process_time(), time.perf_counter()
    plan = bo.optimize(scenario)
    work, passed = time.process_time() - began, time.perf_counter() - clock
    assert plan.report is not None
    share, earned = work / floor, plan.report.objective
    print(f"plan: {work:.1f} s of work ({passed:.1f} s), {share:.1f} times, objective {earned:,.2f}")
    print(f"gap {plan.report.gap:.1e}, {plan.report.status}; {plan.report.seconds}")
    if given.least is not None:
        print(f"goal of a gap of at most {MOST_GAP:.0e}: {'met' if plan.report.gap <= MOST_GAP else 'missed'}")
    elif given.step is None and given.gap >= MOST_GAP:
        print(f"goal of at most {MOST_TIMES:.0f} times raw HiGHS: {'met' if share <= MOST_TIMES else 'missed'}")


if __name__ == "__main__":
    main()
