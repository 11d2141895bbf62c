"""The wear in a plan is that of rainflow counting, and no order of segments makes it cheaper."""

from __future__ import annotations

import numpy as np
import pytest
from support.worn_sites import counted_wear, random_wear, worn_case

import bess_opt as bo
from bess_opt.models.warranty import wear as wear_model
from bess_opt.plant.warranty.depth_wear import depth_wear_of, rainflow_cost, worn

EXACT = 1e-9


def _holds(seed: int) -> None:
    plan = worn_case(seed).optimize()
    (row,) = plan.report.certificate.wear
    scale = max(1.0, plan.scenario.battery.energy_mwh * plan.scenario.battery.wear.cost_per_mwh[-1])
    assert row.claimed
    assert abs(row.difference) <= EXACT * scale
    assert plan.metrics.wear_cost == pytest.approx(counted_wear(plan), abs=EXACT * scale)
    assert plan.metrics.wear_cost == pytest.approx(row.rainflow, abs=EXACT * scale)
    assert plan.report.gap <= 1e-9 or plan.report.gap <= plan.scenario.solver.rel_gap


@pytest.mark.parametrize("seed", range(23))
def test_modelled_wear_is_that_of_rainflow(seed: int) -> None:
    _holds(seed)


@pytest.mark.second_tier
@pytest.mark.parametrize("block", range(20))
def test_modelled_wear_is_that_of_rainflow_on_many(block: int) -> None:
    for seed in range(1000 + 25 * block, 1025 + 25 * block):
        _holds(seed)


@pytest.mark.parametrize("seed", range(40))
def test_cheapest_first_is_rainflow_on_any_path(seed: int) -> None:
    """A path of charge and discharge alone costs the same by segments and by counting, wherever it begins."""
    rng = np.random.default_rng(seed)
    stated = random_wear(rng)
    path = rng.uniform(0.0, 3.0, 200).round(int(rng.integers(0, 6)))  # round numbers make plateaus
    moves = np.diff(path)
    wear = depth_wear_of(stated["depth"], stated["cost_per_mwh"], 3.0, float(path[0]))
    found = worn(wear, 1.0, np.maximum(moves, 0.0), np.maximum(-moves, 0.0))
    assert found.cost.sum() == pytest.approx(rainflow_cost(wear, path), abs=1e-9)
    assert found.stand_mwh.sum() == pytest.approx(path[-1])


@pytest.mark.parametrize("seed", range(6))
def test_what_lies_under_the_window_changes_no_wear(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting sees ranges alone: segments that hold the energy above the window's floor give the same optimum."""
    technology = {"eta_charge": 0.95, "eta_discharge": 0.9, "soc_min": 0.15, "soc_max": 0.95, "c_rate_max": 2.0}
    of = worn_case(seed, technology=technology, soc_start=0.15 + 0.1 * seed)
    above = of.optimize()
    monkeypatch.setattr(wear_model, "_below", lambda _battery, _wear: 0.0)
    whole = of.optimize()
    assert above.report.objective == pytest.approx(whole.report.objective, rel=1e-9, abs=1e-9)
    assert above.report.certificate.wear[0].modelled == pytest.approx(whole.metrics.wear_cost, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_the_schedule_costs_what_the_model_says_with_losses_too(seed: int) -> None:
    """Self-discharge and drawn energy: counting does not hold, the model's own cost and the schedule's are one."""
    of = worn_case(seed, self_discharge_per_h=0.01, soc_end="free")
    drawn = np.zeros(len(of.series))
    drawn[10:14] = 0.05
    plan = of.but(series=of.series.assign(drawn_mw=drawn)).optimize()
    (row,) = plan.report.certificate.wear
    assert [reason.split()[0] for reason in row.reasons] == ["self-discharge", "drawn_mw"]
    assert plan.metrics.wear_cost == pytest.approx(row.modelled, abs=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_a_plan_cut_in_two_goes_on_as_one(seed: int) -> None:
    """`bo.used` hands the segments over: the second half, solved anew, earns what the whole plan earns there."""
    of = worn_case(seed, soc_end="free")
    plan, middle = of.optimize(), len(of.series) // 2 + seed
    handed = bo.used(plan, until=plan.schedule.index[middle])
    rest = bo.optimize(plan.scenario.replace(series=plan.scenario.series.iloc[middle:], **handed))
    storage_wear = _wear_by_step(plan)
    kept = plan.schedule["revenue"].iloc[middle:].sum() - storage_wear[middle:].sum()
    assert rest.metrics.net_revenue - rest.metrics.wear_cost == pytest.approx(kept, abs=1e-6)


def _wear_by_step(plan: bo.Dispatch) -> np.ndarray:
    from bess_opt.plant.from_scenario import plant_of

    plant = plant_of(plan.scenario)
    charge, discharge = (plan.schedule[name].to_numpy() for name in ("charge_mw", "discharge_mw"))
    return plant.storage.worn(charge, discharge, plant.step_h).cost
