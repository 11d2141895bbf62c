"""A cap on the whole horizon's throughput beside the recursion: value, limit and proof against HiGHS with binaries."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.cases import case
from support.stepwise import Referee, stepwise_scenario

import bess_opt as bo
from bess_opt.dispatch.optimum.explain import marginals
from bess_opt.solver.value_function.on_top.priced import RowPrice
from bess_opt.solver.value_function.plan import solve_by_value_functions
from bess_opt.solver.value_function.recursion import RecursionFailedError, compiled_part
from bess_opt.solver.value_function.step_program import NotStepwiseError

QUICK, LONG = 60, 1_000
LOSSY = {"eta_charge": 0.95, "eta_discharge": 0.95, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0}
SQUARE = float(np.sqrt(0.86))  # round trip of 0.86, split evenly

pytestmark = pytest.mark.skipif(compiled_part() is None, reason="the compiled part was not built")


def against_binaries(seed: int) -> str:
    """Hold one random scenario under a random cap to HiGHS; what came of it."""
    rng = np.random.default_rng(seed + 1_000_000)
    cap = {
        "count": float(rng.uniform(0.1, 2.0)),
        "per": "horizon",
        "counts": str(rng.choice(["charged", "discharged"])),
    }
    try:
        referee = Referee(stepwise_scenario(seed, most_steps=16).replace(battery={"max_cycles": cap}))
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
    for first, second in plan.step_program.pairs:
        assert np.minimum(plan.schedule.flow[first], plan.schedule.flow[second]).max() <= 1e-9 * size, f"seed {seed}"
    return "capped" if isinstance(plan.on_top, RowPrice) and plan.on_top.price else "free"


def test_random_caps_equal_binaries() -> None:
    found = Counter(against_binaries(seed) for seed in range(QUICK))
    assert found["capped"] + found["free"] > QUICK // 3  # two objectives are left to HiGHS
    assert found["capped"] > QUICK // 10


@pytest.mark.second_tier
def test_many_random_caps_equal_binaries() -> None:
    found = Counter(against_binaries(seed) for seed in range(QUICK, QUICK + LONG))
    assert found["capped"] > LONG // 10


def test_a_cap_that_does_not_bind_changes_nothing() -> None:
    prices = np.random.default_rng(1).normal(40.0, 30.0, 96).round(2)
    of = {"technology": LOSSY, "soc_start": 0.5}
    free = case(price_per_mwh=prices, battery=of).optimize()
    wide = case(price_per_mwh=prices, battery=of | {"max_cycles": {"count": 50.0, "per": "horizon"}}).optimize()
    assert wide.schedule.equals(free.schedule)
    assert wide.report is not None
    assert wide.report.engine == "value_function"


def test_half_a_cycle_by_hand() -> None:
    """Three price peaks over the same trough, 1 MWh may leave the cells: all of it at the dearest hour, 90 − 5."""
    battery = {"max_cycles": {"count": 0.5, "per": "horizon"}}
    plan = case(price_per_mwh=[5.0, 70.0, 5.0, 90.0, 5.0, 80.0], battery=battery).optimize()
    assert plan.metrics.net_revenue == pytest.approx(85.0, abs=1e-9)
    assert plan.schedule["discharge_mw"].to_numpy() == pytest.approx([0.0, 0.0, 0.0, 1.0, 0.0, 0.0], abs=1e-9)
    assert plan.report is not None
    assert (plan.report.engine, plan.report.gap) == ("value_function", 0.0)
    assert plan.report.certificate is not None
    assert plan.report.certificate.gap <= 1e-12


def test_what_one_more_cycle_is_worth() -> None:
    """The price of the cap is the dual that HiGHS gives: the next best spread."""
    rng = np.random.default_rng(2)
    scenario = case(
        price_per_mwh=rng.normal(40.0, 30.0, 72).round(2),
        battery={"technology": LOSSY, "max_cycles": {"count": 1.3, "per": "horizon"}},
    ).scenario()
    ours, theirs = bo.optimize(scenario), bo.optimize(scenario.replace(solver={"engine": "highs"}))
    assert ours.report is not None
    assert ours.report.engine == "value_function"
    assert ours.metrics.net_revenue == pytest.approx(theirs.metrics.net_revenue, rel=1e-9)
    assert marginals(ours).energy_mwh == pytest.approx(marginals(theirs).energy_mwh, rel=1e-6)


def test_two_caps_on_the_horizon_ask_for_highs() -> None:
    caps: list[dict[str, Any]] = [{"count": 1.0, "per": "horizon"}, {"count": 1.0, "per": "year"}]
    plan = case(price_per_mwh=[5.0, 70.0, 5.0, 90.0], battery={"max_cycles": caps}).optimize()
    assert plan.report is not None
    assert plan.report.engine == "highs"
    assert "is not one row for each step" in plan.report.engine_reasons[0]


@pytest.mark.real_data
@pytest.mark.parametrize(("most_mwh", "right"), [(100.0, 19_274.977), (365.0, 35_829.392)])
def test_german_intraday_prices_under_a_cap_of_the_year(most_mwh: float, right: float) -> None:
    """1 MWh, 0.5 MW, 0.86 round trip, quarter-hours of 2021; `most_mwh` may enter the cells."""
    if "BESS_OPT_DATA" not in os.environ:
        pytest.skip("BESS_OPT_DATA is not set")
    file = Path(os.environ["BESS_OPT_DATA"]) / "prices_de_id1" / "electricity_prices_germany_2021.csv"
    series = bo.read_prices(file, column="ID3").iloc[:, :1].set_axis(["price_per_mwh"], axis=1)
    battery: dict[str, Any] = {"power_mw": 0.5, "duration_h": 2.0, "soc_start": 0.0, "soc_end": "free"}
    battery["technology"] = LOSSY | {"eta_charge": SQUARE, "eta_discharge": SQUARE}
    battery["converters"] = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
    battery["max_cycles"] = {"count": most_mwh, "per": "year", "counts": "charged"}
    solver = {"engine": "value_function"}
    plan = bo.optimize(bo.Scenario(battery=battery, series=series, strategy="arbitrage", solver=solver))
    assert plan.report is not None
    assert plan.report.gap == 0.0
    assert plan.metrics.net_revenue == pytest.approx(right, abs=6e-4)
