"""What is said to be within reach without a solve is what a mixed-integer program finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.cases import case, random_case

import bess_opt as bo
from bess_opt.dispatch.infeasible.unreachable import unreachable
from bess_opt.models.assemble import physical_model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.reach import may_rest, power_bounds, within_reach
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import one_way_program
from bess_opt.solver.solution import InfeasibleProgramError


def drawn(seed: int) -> bo.Scenario:
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(3, 14))
    low = float(rng.choice([0.0, 0.2]))
    battery = {
        "power_mw": float(rng.uniform(0.3, 2)), "duration_h": float(rng.uniform(0.5, 3)),
        "topology": str(rng.choice(["parallel_ac", "series_dc", "hybrid"])),
        "technology": {"eta_charge": 0.85, "eta_discharge": 0.9, "soc_min": low, "soc_max": 0.9, "c_rate_max": 2.0},
        "soc_start": float(rng.uniform(low, 0.9)), "soc_end": float(rng.uniform(low, 0.9)),
        "self_discharge_per_h": float(rng.choice([0.0, 0.02])),
    }  # fmt: skip
    site = {
        "import_limit_mw": float(rng.uniform(0.0, 2)), "export_limit_mw": float(rng.uniform(0.0, 2)),
        "grid_charging": bool(rng.random() < 0.6), "curtailment": bool(rng.random() < 0.6),
        "battery_export": [True, False, "strict"][int(rng.integers(3))],
    }  # fmt: skip
    if battery["topology"] != "parallel_ac":
        site["inverter_mw"] = float(rng.uniform(0.4, 2))
    if battery["topology"] == "hybrid":
        site["dc_share"] = 0.5
    if rng.random() < 0.3:
        site["unserved_price_per_mwh"] = 1000.0
    series = {
        "load_mw": rng.uniform(0, 1.2, steps).tolist(),
        "solar_mw": np.maximum(rng.normal(0.5, 1, steps), 0).tolist(),
    }
    return case(price_per_mwh=[1.0] * steps, battery=battery, site=site, **series).scenario()


def has_a_plan(scenario: bo.Scenario) -> bool:
    plant = plant_of(scenario)
    m = physical_model_of(plant)
    m.objective_terms = []
    program = expand(m)
    full = one_way_program(m, plant, program, pairs_of(plant))
    try:
        Solver(replace(full, cost=np.zeros(full.columns)), scale_mw=plant.scale_mw).solve()
    except InfeasibleProgramError:
        return False
    return True


@pytest.mark.slow
def test_reach_is_what_binaries_find() -> None:
    answers = []
    for seed in range(150):
        scenario = drawn(seed)
        answers.append(has_a_plan(scenario))
        assert within_reach(plant_of(scenario)) == answers[-1], seed
    assert 30 < sum(answers) < 120


def test_what_is_said_without_a_solve_is_true() -> None:
    said = 0
    for seed in range(300, 400):
        scenario = drawn(seed)
        if unreachable(plant_of(scenario)):
            said += 1
            assert not has_a_plan(scenario), seed
    assert said > 10


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc"])
def test_the_reason_and_the_remedy_name_one_number(topology: str) -> None:
    """A load eats half of what the connection gives: what can be reached is said as the relaxation says it."""
    made = case(
        price_per_mwh=[10.0] * 4, load_mw=[0.5] * 4, site={"import_limit_mw": 0.8},
        battery={"power_mw": 1.0, "duration_h": 4.0, "soc_start": 0.1, "soc_end": 0.8, "topology": topology},
    )  # fmt: skip
    with pytest.raises(bo.InfeasibleError) as caught:
        made.optimize()
    (end,) = (r for r in caught.value.relaxations if r.where == "battery.soc_end")
    assert caught.value.reasons[0].code == "end_out_of_reach"
    assert f"at most {end.value:.4g} can be reached" in caught.value.reasons[0].expected


def test_nothing_that_can_take_it_is_found_at_once() -> None:
    """Energy that nothing takes, unless the battery wastes it by running in and out at once: said without a solve."""
    made = case(
        price_per_mwh=[40.0] * 36, solar_dc_mw=[1.0] * 36, site={"import_limit_mw": 0.4, "battery_export": False},
        battery={"power_mw": 1.0, "duration_h": 3.0, "topology": "series_dc", "soc_start": 0.5, "soc_end": 0.3},
    )  # fmt: skip
    with pytest.raises(bo.InfeasibleError) as caught:
        made.optimize()
    assert "no less than 0.5 can be reached" in caught.value.reasons[0].expected
    assert {r.where for r in caught.value.relaxations} >= {"battery.soc_end", "site.battery_export"}


def test_a_battery_that_may_rest_reaches_everything() -> None:
    """Said without going through the steps, and never where going through them finds a conflict."""
    said = 0
    for seed in range(120):
        plant = plant_of(random_case(seed, plain=seed % 2 == 0).scenario())
        least, most = power_bounds(plant)
        if may_rest(plant, least, most):
            said += 1
            assert within_reach(plant), seed
    assert said > 20
