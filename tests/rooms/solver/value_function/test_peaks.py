"""Demand peaks beside the recursion: value, limits and proof against HiGHS with binaries, and who is left to it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import case
from support.stepwise import Referee, stepwise_scenario

import bess_opt as bo
from bess_opt.dispatch.optimum.explain import marginals
from bess_opt.solver.value_function.on_top.priced import PeakPrices
from bess_opt.solver.value_function.plan import solve_by_value_functions
from bess_opt.solver.value_function.recursion import RecursionFailedError, compiled_part
from bess_opt.solver.value_function.step_program import NotStepwiseError

QUICK, LONG = 25, 600

pytestmark = pytest.mark.skipif(compiled_part() is None, reason="the compiled part was not built")


def with_demand(seed: int) -> bo.Scenario:
    """A random scenario with a load over two months' boundary, and one or two rows of demand charges."""
    rng = np.random.default_rng(seed + 2_000_000)
    scenario = stepwise_scenario(seed, most_steps=14)
    series = scenario.series.copy()
    step = series.index[1] - series.index[0]
    series.index = pd.date_range(pd.Timestamp("2025-03-01", tz="UTC") - 5 * step, periods=len(series), freq=step)
    if "load_mw" not in series or rng.random() < 0.5:
        series["load_mw"] = (2.0 * rng.random(len(series))).round(3)
    rows = [_row(rng) for _ in range(int(rng.integers(1, 3)))]
    strategy = str(rng.choice(["arbitrage", "self_consumption"]))
    made: bo.Scenario = scenario.replace(strategy=strategy, series=series, tariff={"demand": rows})
    return made


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
    except bo.BessOptError:
        return "refused as input"
    right = referee.best()
    model, objectives = referee.without_binaries()
    try:
        plan = solve_by_value_functions(model, objectives, referee.pairs)
    except NotStepwiseError:
        return "left to HiGHS"
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


def test_random_peaks_equal_binaries() -> None:
    """Months, years, windows, ratchets, tiers, means of several peaks, minima: where no gap is left the exact optimum."""
    found = Counter(against_binaries(seed) for seed in range(QUICK))
    assert found["planned"] > QUICK // 4
    assert found["refused as input"] == 0


def test_a_gap_of_the_one_way_rule_is_left_to_highs() -> None:
    """With its on/off pattern held the proof closes; the bound of all plans, which need not keep it, lies higher."""
    assert against_binaries(271) == "left to HiGHS"


@pytest.mark.second_tier
def test_many_random_peaks_equal_binaries() -> None:
    found = Counter(against_binaries(seed) for seed in range(QUICK, QUICK + LONG))
    assert found["planned"] > LONG // 4


def two_months(engine: str) -> bo.Dispatch:
    """A load of days and nights over two months, with a price on the peak of each."""
    rng, hour = np.random.default_rng(3), np.arange(59 * 24)
    load = 2.0 + np.sin((hour % 24 - 8.0) * np.pi / 12.0) + rng.uniform(0.0, 1.0, len(hour))
    price = (60.0 + 30.0 * np.sin(hour * np.pi / 12.0) + rng.normal(0.0, 10.0, len(hour))).round(2)
    at = pd.date_range("2025-01-01", periods=len(hour), freq="h", tz="UTC")
    return bo.optimize(
        bo.Scenario(
            battery={"power_mw": 1.0, "duration_h": 2.0},
            series=pd.DataFrame({"price_per_mwh": price, "load_mw": load}, index=at),
            tariff={"demand": [{"price_per_mw_month": 8_000.0}]},
            strategy="self_consumption",
            solver={"engine": engine},
        )
    )


def test_monthly_peaks_equal_highs() -> None:
    """Money, peaks, the worth of a MW at the peak, and a certificate that closes over both months."""
    ours, theirs = two_months("auto"), two_months("highs")
    assert ours.report is not None
    assert theirs.report is not None
    assert (ours.report.engine, theirs.report.engine) == ("value_function", "highs")
    assert ours.report.objective == pytest.approx(theirs.report.objective, rel=1e-10)
    assert ours.report.certificate is not None
    assert ours.report.certificate.gap <= 1e-10
    imported = [plan.schedule["import_mw"].to_numpy() for plan in (ours, theirs)]
    of_month = [[part.max() for part in np.split(values, [31 * 24])] for values in imported]
    assert of_month[0] == pytest.approx(of_month[1], abs=1e-6)
    assert (ours.report.rows, ours.report.columns) == (theirs.report.rows, theirs.report.columns)
    assert marginals(ours).energy_mwh == pytest.approx(marginals(theirs).energy_mwh, rel=1e-6)


FEWER = "measured_mw, billed_mw: belong to no step, and HiGHS takes less time for fewer than 97 steps"


@pytest.mark.parametrize(("engine", "asked"), [("value_function", ()), ("auto", (FEWER,))])
def test_a_peak_by_hand(engine: str, asked: tuple[str, ...]) -> None:
    """Load 1, 1, 3, 1 at one price, 1 MW for 2 h, no losses: 1 MWh charged before shaves the peak from 3 to 2.

    The charging raises no hour above 2: the peak costs 2 * 1,000 instead of 3 * 1,000, energy 6 * 10.
    """
    plan = case(
        price_per_mwh=10.0,
        load_mw=[1.0, 1.0, 3.0, 1.0],
        strategy="self_consumption",
        tariff={"demand": [{"price_per_mw_month": 1_000.0}]},
    ).optimize(solver={"engine": engine})
    assert plan.report is not None
    assert (plan.report.engine, plan.report.engine_reasons) == ("highs" if asked else "value_function", asked)
    assert plan.report.objective == pytest.approx(-2_060.0, abs=1e-6)


def test_many_ceilings_are_left_to_highs() -> None:
    """The mean of the two highest hours: each hour is a peak of its own."""
    demand = {"price_per_mw_month": 1_000.0, "peaks": {"n": 2}}
    plan = case(price_per_mwh=10.0, load_mw=[1.0, 1.0, 3.0, 1.0] * 25, tariff={"demand": [demand]}).optimize()
    assert plan.report is not None
    assert plan.report.engine == "highs"
    assert plan.report.engine_reasons[0].endswith("are 100 ceilings over the flows of many steps; at most 60")


def test_a_billing_interval_of_several_steps_is_left_to_highs() -> None:
    plan = case(
        price_per_mwh=10.0,
        load_mw=[1.0, 1.0, 3.0, 1.0] * 25,
        tariff={"demand": [{"price_per_mw_month": 1_000.0, "interval_min": 120.0}]},
    ).optimize()
    assert plan.report is not None
    assert plan.report.engine == "highs"
    assert plan.report.engine_reasons == (
        "measured_peak: measured_mw holds more than a flow of one step at a time below it",
    )
