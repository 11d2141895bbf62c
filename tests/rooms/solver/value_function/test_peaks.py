"""Demand peaks beside the recursion: value, limits and proof against HiGHS with binaries, and who is left to it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import case
from support.stepwise import Referee, stepwise_scenario

import bess_opt as bo
from bess_opt.dispatch.optimum.explain import marginals
from bess_opt.solver.value_function.on_top import PeakPrices
from bess_opt.solver.value_function.plan import solve_by_value_functions
from bess_opt.solver.value_function.recursion import RecursionFailedError, compiled_part
from bess_opt.solver.value_function.step_program import NotStepwiseError

QUICK, LONG = 40, 600

pytestmark = pytest.mark.skipif(compiled_part() is None, reason="the compiled part was not built")


def with_demand(seed: int) -> bo.Scenario:
    """A random scenario with a load over two months' boundary, and one or two rows of demand charges."""
    rng = np.random.default_rng(seed + 2_000_000)
    scenario = stepwise_scenario(seed, most_steps=30)
    series = scenario.series.copy()
    step = series.index[1] - series.index[0]
    series.index = pd.date_range(pd.Timestamp("2025-03-01", tz="UTC") - 8 * step, periods=len(series), freq=step)
    if "load_mw" not in series or rng.random() < 0.5:
        series["load_mw"] = (2.0 * rng.random(len(series))).round(3)
    strategy = str(rng.choice(["arbitrage", "self_consumption"]))
    return scenario.replace(strategy=strategy, series=series, tariff={"demand": [_row(rng) for _ in range(int(rng.integers(1, 3)))]})


def _row(rng: np.random.Generator) -> dict[str, Any]:
    row: dict[str, Any] = {"period": str(rng.choice(["month", "month", "year", "horizon"]))}
    if rng.random() < 0.3:
        row["tiers"] = [[0.8, float(rng.choice([0.0, 20.0]))], [float("inf"), float(rng.choice([60.0, 500.0]))]]
    else:
        row["price_per_mw_month"] = float(rng.choice([10.0, 100.0, 3_000.0]))
    more: dict[str, tuple[float, Any]] = {
        "minimum_mw": (0.2, 0.8),
        "incurred_mw": (0.2, 0.6),
        "part_months": (0.3, "share"),
        "hours": (0.3, [[int(rng.integers(0, 12)), int(rng.integers(13, 24))]]),
    }
    if row["period"] == "month":
        more["ratchet"] = (0.3, {"share": 0.8, "months": 11})
        more["peaks"] = (0.3, {"n": 2})
    return row | {key: value for key, (share, value) in more.items() if rng.random() < share}


def against_binaries(seed: int) -> str:
    """Hold one random scenario to HiGHS; what came of it."""
    try:
        referee = Referee(with_demand(seed))
    except bo.BessOptError as error:
        return f"refused as input: {type(error).__name__} {error}"[:200]
    right = referee.best()
    model, objectives = referee.without_binaries()
    try:
        plan = solve_by_value_functions(model, objectives, referee.pairs)
    except NotStepwiseError as error:
        return "left to HiGHS" + str(error.rows)
    except RecursionFailedError as error:
        if error.no_plan and right is not None:
            pytest.fail(f"seed {seed}: {error}, where {right} is possible")
        return "no plan"
    assert right is not None, f"seed {seed}: a plan where none exists"
    scale = max(referee.scale, 1e-9)
    assert plan.objective == pytest.approx(right, rel=0.0, abs=1e-9 * scale), f"seed {seed}"
    proof = plan.certificate()
    size = max(referee.plant.scale_mw, referee.plant.storage.energy_mwh)
    assert proof.primal_violation <= 1e-8 * size, f"seed {seed}"
    assert abs(proof.dual - proof.primal) <= 1e-9 * scale, f"seed {seed}: {proof}"
    assert proof.dual_violation <= 1e-7 * np.abs(referee.linear.cost).max(), f"seed {seed}: {proof}"
    for first, second in plan.step_program.pairs:
        assert np.minimum(plan.schedule.flow[first], plan.schedule.flow[second]).max() <= 1e-9 * size, f"seed {seed}"
    assert isinstance(plan.on_top, PeakPrices)
    return "planned"
