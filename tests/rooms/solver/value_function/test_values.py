"""Questions to the value functions: from any start, under other prices, from the middle, and what a change is worth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import case
from support.stepwise import Referee, stepwise_scenario

import bess_opt as bo
from bess_opt.solver.value_function.recursion import RecursionFailedError, compiled_part
from bess_opt.solver.value_function.step_program import StepProgram, objective_costs, read
from bess_opt.solver.value_function.values import ValueFunctions

SLOPES = 200
LOSSY = {"eta_charge": 0.95, "eta_discharge": 0.95, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0}

pytestmark = pytest.mark.skipif(compiled_part() is None, reason="the compiled part was not built")


def of(scenario: bo.Scenario, **options: bool) -> ValueFunctions:
    referee = Referee(scenario)
    model, objectives = referee.without_binaries()
    return ValueFunctions.of(model, objectives, referee.pairs, **options)


def step_program(scenario: bo.Scenario) -> StepProgram:
    referee = Referee(scenario)
    model, objectives = referee.without_binaries()
    return read(model, objectives, referee.pairs)


def scenario_of(prices: Any, **battery: Any) -> bo.Scenario:
    return case(price_per_mwh=prices, battery={"technology": LOSSY, "soc_start": 0.5} | battery).scenario()


def test_the_value_from_other_energies_is_that_of_a_start_there() -> None:
    prices = np.random.default_rng(3).normal(20.0, 40.0, 48).round(2)
    starts = np.array([0.0, 0.3, 0.5, 1.0])
    scenario = scenario_of(prices, soc_end="free")
    found = of(scenario).value_from(starts * scenario.battery.energy_mwh)
    for share, value in zip(starts, found, strict=True):
        own = bo.optimize(scenario.replace(battery={"soc_start": float(share)}))
        assert value == pytest.approx(own.metrics.net_revenue, abs=1e-9)


def test_many_objectives_are_answered_at_once() -> None:
    rng = np.random.default_rng(4)
    rows = [rng.normal(20.0, 40.0, 48).round(2) for _ in range(5)]
    asked = of(scenario_of(rows[0]))
    costs = []
    for row in rows:
        referee = Referee(scenario_of(row))
        model, objectives = referee.without_binaries()
        costs.append(objective_costs(model, asked.program, objectives[0])[0])
    own = [bo.optimize(scenario_of(row)).metrics.net_revenue for row in rows]
    assert asked.values(costs) == pytest.approx(own, abs=1e-9)


def test_a_plan_from_the_middle_on_is_the_rest_of_the_whole() -> None:
    prices = np.random.default_rng(5).normal(20.0, 40.0, 96).round(2)
    asked = of(scenario_of(prices), changeable=True)
    whole = asked.schedule()
    for first in (0, 17, 95):
        rest = asked.replan(first, 96, float(whole.energy[first]))
        assert np.allclose(rest.energy, whole.energy[first:], rtol=0.0, atol=1e-9)
        assert np.allclose(rest.flow, whole.flow[:, first:], rtol=0.0, atol=1e-9)
        assert rest.value[0] == pytest.approx(float((asked.program.cost[0] * whole.flow)[:, first:].sum()), abs=1e-9)


def test_a_window_with_other_prices_and_a_worth_at_its_end() -> None:
    """Steps 10 to 33 of a horizon, their prices written anew, and 35 for each MWh that is left."""
    rng = np.random.default_rng(6)
    old, new = (rng.normal(20.0, 40.0, 96).round(2) for _ in range(2))
    asked = of(scenario_of(old), changeable=True)
    fresh = of(scenario_of(new)).program
    for mine, other in zip(asked.program.cost[0], fresh.cost[0], strict=True):
        mine[10:34] = np.broadcast_to(other, 96)[10:34]
    found = asked.replan(10, 34, 0.7, asked.end(34, 35.0))
    energy_mwh = scenario_of(old).battery.energy_mwh
    window = scenario_of(new[10:34], soc_start=0.7 / energy_mwh, soc_end={"value_per_mwh": 35.0})
    plan = bo.optimize(window)
    assert np.allclose(found.energy[1:], plan.schedule["energy_mwh"], rtol=0.0, atol=1e-9)
    assert found.value[0] == pytest.approx(plan.metrics.net_revenue + 35.0 * found.energy[-1], abs=1e-9)


def test_value_functions_over_time_are_concave_where_prices_are_positive() -> None:
    prices = np.random.default_rng(7).uniform(1.0, 90.0, 48).round(2)
    asked = of(scenario_of(prices))
    whole = asked.schedule()
    for instant, curve in zip((0, 1, 24, 48), asked.value_at((0, 1, 24, 48)), strict=True):
        assert (np.diff(curve.slope[:, 0]) <= 1e-12).all()
        assert curve.energy[0] - 1e-12 <= whole.energy[instant] <= curve.energy[-1] + 1e-12


def _sized(scenario: bo.Scenario, power_mw: float, energy_mwh: float) -> bo.Scenario:
    return scenario.replace(battery={"power_mw": power_mw, "duration_h": energy_mwh / power_mw})


def slopes_of(seed: int) -> bool:
    """Hold the slopes in power and energy of one random scenario's relaxation to finite differences."""
    try:
        scenario = stepwise_scenario(seed, most_steps=16)
        relaxed = of(scenario, one_way=False)
        prices = relaxed.prices()
    except (bo.BessOptError, RecursionFailedError):
        return False
    program = relaxed.program
    value = relaxed.value()
    scale = max(abs(value), 1.0, float(max(np.abs(c).max() for c in program.cost[0])) * program.steps)
    assert prices.bound(program) == pytest.approx(value, abs=1e-9 * scale), f"seed {seed}"
    power, energy = scenario.battery.power_mw, scenario.battery.energy_mwh
    for size, nudge in (("power", 1e-5 * power), ("energy", 1e-5 * energy)):
        step = (nudge, 0.0) if size == "power" else (0.0, nudge)
        values, programs = [], []
        for sign in (-1.0, 1.0):
            try:
                other = _sized(scenario, power + sign * step[0], energy + sign * step[1])
                programs.append(step_program(other))
                values.append(ValueFunctions.of_program(programs[-1], one_way=False).value())
            except (bo.BessOptError, RecursionFailedError):
                return False
            assert prices.bound(programs[-1]) >= values[-1] - 1e-9 * scale, f"seed {seed}: {size}"
        low, high = (values[1] - value) / nudge, (value - values[0]) / nudge
        slope = prices.worth(*programs) / (2.0 * nudge)
        room = 1e-9 * scale / nudge
        assert low - room <= slope <= high + room, f"seed {seed}: {size}"
    return True


@pytest.mark.slow
def test_slopes_lie_between_both_finite_differences() -> None:
    """By power and by energy; the prices bound what every other size brings."""
    held, seed = 0, 0
    while held < SLOPES // 5:
        held += slopes_of(seed)
        seed += 1


@pytest.mark.second_tier
def test_slopes_of_many_scenarios_lie_between_both_finite_differences() -> None:
    held, seed = 0, 1_000
    while held < SLOPES:
        held += slopes_of(seed)
        seed += 1


def test_prices_press_on_no_limit_that_is_not_there() -> None:
    """A limit that is taken away where a price presses makes the bound endless; nothing else is pretended."""
    asked = of(scenario_of([10.0, 90.0, 20.0, 80.0]), one_way=False)
    prices, program = asked.prices(), asked.program
    pressed = next(j for j in range(len(program.columns)) if (prices.on_flow(program, j) > 1e-3).any())
    upper = [np.full(1, np.inf) if j == pressed else limit for j, limit in enumerate(program.upper)]
    assert prices.bound(replace(program, upper=upper)) == np.inf
    assert pd.notna(prices.bound(program))
