"""The gap between a rule and the optimum, split by step and cause, sums to the gap in every scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import Case, case, random_case
from support.places import ROOT

import bess_opt as bo
from bess_opt.comparison.gap import ONE_WAY, Gap, gap
from bess_opt.dispatch.optimize import dispatch_of
from bess_opt.dispatch.optimum.solve_scenario import solve_scenario

SCENARIOS = ROOT / "scenarios"
TO = 1e-6


def part(name: str, first: str, last: str, **tables: Any) -> bo.Scenario:
    scenario = bo.load(SCENARIOS / name)
    return scenario.replace(series=scenario.series.loc[first:last], **tables)


def split(scenario: bo.Scenario, rule: Any = None) -> tuple[Gap, bo.Dispatch, bo.Dispatch]:
    """(gap, optimum, rule) of a rule that meets the end condition, or of a scenario without one."""
    solved = solve_scenario(scenario)
    best, done = dispatch_of(solved), bo.simulate(scenario, rule)
    return gap(solved, best, done), best, done


def holds(found: Gap) -> None:
    size = max(found.table.abs().to_numpy().sum(), abs(found.objective), 1.0)
    assert found.table.to_numpy().sum() == pytest.approx(found.objective, abs=TO * size, rel=TO)
    assert found.by_cause().sum() == pytest.approx(found.objective, abs=TO * size, rel=TO)
    assert found.by_day().to_numpy().sum() == pytest.approx(found.objective, abs=TO * size, rel=TO)
    assert found.by_hour().to_numpy().sum() == pytest.approx(found.objective, abs=TO * size, rel=TO)
    assert (found.table.drop(columns=ONE_WAY, errors="ignore") >= -TO * size).to_numpy().all()


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("solar_merchant", "2025-03-01", "2025-03-30"),
        ("solar_merchant", "2025-12-08", "2025-12-14"),
        ("solar_evening", "2025-03-03", "2025-03-16"),
        ("arbitrage_15min", "2025-05-05", "2025-05-11"),
    ],
)
def test_shipped_scenarios_split_exactly(name: str, first: str, last: str) -> None:
    """Weeks and a month with negative prices, a clock change, wear, cycles and a DC bus.

    The rule of these scenarios misses its end, so the optimum is the one with the rule's own end. Were one
    kind of bound or row left out, the sum would miss the objective's difference.
    """
    compared = bo.compare(part(name, first, last))
    plans, found = compared.plans, compared.gap
    holds(found)
    label = compared.table.index[0][0]
    best = plans.get((label, "optimal at rule's end"), plans[(label, "optimal")])
    assert best.report is not None
    ruled = plans[(label, "rule")]
    own = sum(ruled.ledger.values()) if label == "arbitrage" else ruled.metrics.score
    assert found.objective == pytest.approx(best.report.objective - own, rel=TO)
    assert found.score == pytest.approx(best.metrics.score - ruled.metrics.score)
    assert found.objective > 0.0


def every_kind() -> Case:
    """Two days at half hours with everything a strategy may need; prices dip below zero."""
    hours = np.arange(96) / 2 % 24
    sun = np.clip(3.0 - np.abs(hours - 12.5) * 0.7, 0.0, None)
    price = 45.0 + 35.0 * np.cos((hours - 19.0) / 12 * np.pi) - 30.0 * (np.abs(hours - 13.0) < 2.0)
    return case(
        battery={"power_mw": 1.5, "technology": "modern_lfp", "soc_start": 0.5, "soc_end": "at_least_start"},
        site={"export_limit_mw": 1.6, "import_limit_mw": 5.0, "solar_capacity_mw": 3.0},
        zone="Europe/Berlin",
        step_min=30,
        solar_mw=sun,
        load_mw=0.8 + 0.6 * (np.abs(hours - 18.0) < 2.5),
        price_per_mwh=np.round(price, 1),
    )


@pytest.mark.parametrize("name", list(bo.strategies().index))
def test_every_strategy_splits_exactly(name: str) -> None:
    """Whatever a strategy adds to the model (columns, rows, another objective), the sum is the gap."""
    try:
        compared = bo.compare(every_kind().scenario(), name)
    except (bo.StrategyError, bo.ScenarioError) as error:
        pytest.skip(f"needs more than this scenario has: {error}")
    for found in compared.gaps.values():
        holds(found)
    assert compared.gaps


def test_random_rules_on_random_plants_split_exactly() -> None:
    """Any feasible rule, not only ours: all topologies, limits, prices of every sign, the one-way rule at work.

    Where the optimum's pattern closes a direction that the rule took, that term is negative; some cases do.
    """
    closed, seen = 0, 0
    for seed in range(27):
        plant = random_case(seed, plain=True)
        shared = {} if plant.battery["topology"] == "parallel_ac" else {"inverter_mw": 4.0}
        scenario = plant.but(battery={"soc_end": "free"}, site=shared | plant.site).scenario()
        rng = np.random.default_rng(seed)
        wishes = rng.uniform(-1.0, 1.0, len(scenario.series)) * scenario.battery.power_mw
        try:
            found, best, done = split(scenario, lambda state, wishes=wishes: wishes[state.step])
        except bo.InfeasibleError:
            continue
        holds(found)
        assert best.report is not None
        assert found.objective == pytest.approx(best.report.objective - sum(done.ledger.values()), rel=TO, abs=1e-6)
        seen += 1
        closed += ONE_WAY in found.table
    assert seen > 18
    assert closed > 0


def test_billed_peaks_are_a_cause() -> None:
    """A rule that lets the month's peak stand pays for it under "peak", on the steps of the billing interval.

    Without the mapping of the billed and measured peaks the demand charge of the rule would be missing.
    """
    load = np.ones(48)
    load[[12, 13, 36]] = 2.0
    tariff = {"demand": [{"price_per_mw_month": 1000.0, "interval_min": 60, "incurred_mw": 0.5}]}
    scenario = case(
        price_per_mwh=50.0 + np.zeros(48),
        load_mw=load,
        step_min=30,
        tariff=tariff,
        battery={"soc_start": 0.5},
    ).scenario()
    found, best, done = split(scenario, lambda _state: 0.0)
    holds(found)
    assert found.objective == pytest.approx(sum(best.ledger.values()) - sum(done.ledger.values()), rel=TO)
    assert found.table["peak"].sum() > 0.0
    assert set(np.flatnonzero(found.table["peak"])) <= set(range(48))


def test_ratchets_split_exactly() -> None:
    """Peaks of one month billed in the next, intervals of two steps, a window of the day: the exact sum."""
    rate = {"price_per_mw_month": 800.0, "interval_min": 60, "hours": [8, 20], "days": "weekday"}
    tariff = {"demand": [rate | {"ratchet": {"share": 0.9, "months": 2}}]}
    rng = np.random.default_rng(5)
    plant = case(
        start="2025-01-27 00:00",
        step_min=30,
        load_mw=rng.uniform(0.5, 2.0, 480),
        tariff=tariff,
        price_per_mwh=np.round(rng.normal(40.0, 40.0, 480), 1),
        battery={"soc_start": 0.5, "technology": "standard"},
    )
    found, best, done = split(plant.scenario(), lambda state: float(rng.uniform(-1.0, 1.0)))
    holds(found)
    assert found.objective == pytest.approx(sum(best.ledger.values()) - sum(done.ledger.values()), rel=TO)


def test_by_hand() -> None:
    """Buy at 10, sell at 50, lossless, 1 MW and 2 MWh: the optimum earns 80, a rule that charges once 40.

    The whole gap of 40 lies in charge, discharge and the energy between, whichever duals the solver took.
    """
    scenario = case(price_per_mwh=[10.0, 10.0, 50.0, 50.0]).scenario()
    asked = [-1.0, 0.0, 1.0, 0.0]
    found, best, _ = split(scenario, lambda state: asked[state.step])
    assert best.metrics.score == pytest.approx(80.0)
    assert found.objective == pytest.approx(40.0)
    assert found.score == pytest.approx(40.0)
    holds(found)
    assert set(found.table) <= {"missed charge", "missed discharge", "not full", "not empty", "end energy"}


def test_energy_left_at_the_end_is_a_cause() -> None:
    """A rule that charges in the last hour and never sells loses what it paid: bought or left over."""
    scenario = case(price_per_mwh=[30.0, 30.0, 30.0]).scenario()
    found, _, _ = split(scenario, lambda state: -1.0 if state.step == 2 else 0.0)
    assert found.objective == pytest.approx(30.0)
    assert found.table["end energy"].iloc[-1] + found.table.get("needless charge", pd.Series([0.0])).sum() == (
        pytest.approx(30.0)
    )
    holds(found)


def test_export_at_a_negative_price_is_a_cause() -> None:
    """A rule that exports solar power at −20 loses 20 per MWh against the optimum, which curtails it."""
    scenario = case(price_per_mwh=[-20.0, 40.0], solar_mw=[3.0, 0.0], site={"import_limit_mw": 0.0}).scenario()
    found, _, _ = split(scenario, lambda state: -1.0 if state.step == 0 else 1.0)
    assert found.by_cause().to_dict() == pytest.approx({"export": 40.0})
    holds(found)
