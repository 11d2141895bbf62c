"""The price of wear at which a battery is worth most over its life: no grid finds more, nothing beats the bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import Case, case

import bess_opt as bo

FINANCE = {"capital_per_mwh": 200_000.0, "discount_rate": 0.06, "lifetime_years": 15, "horizons_per_year": 365 / 20}
BY_DEPTH = {"depth": [0.2, 0.5, 1.0], "cost_per_mwh": [10.0, 20.0, 45.0]}


def site(seed: int, *, days: int = 20, finance: dict[str, Any] | None = None, **battery: Any) -> Case:
    rng = np.random.default_rng(seed)
    hours = np.arange(24 * days)
    prices = 40.0 + 30.0 * np.sin(hours * 2.0 * np.pi / 24.0) + rng.normal(0.0, 20.0, len(hours))
    own = {
        "power_mw": 1.0,
        "duration_h": 2.0,
        "technology": "modern_lfp",
        "soc_start": 0.5,
        "soc_end": "at_least_start",
    }
    made = case(price_per_mwh=prices, battery=own | battery, zone="Europe/Berlin")
    return made.but(finance=FINANCE | (finance or {}))


def at(scenario: bo.Scenario, factor: float) -> bo.Dispatch:
    """The plan at a factor on the stated wear, or at a wear cost."""
    wear = scenario.battery.wear
    if wear is None:
        return bo.optimize(scenario.replace(battery={"wear_cost_per_mwh": factor}))
    prices = [factor * price for price in wear.cost_per_mwh]
    return bo.optimize(scenario.replace(battery={"wear": {"depth": list(wear.depth), "cost_per_mwh": prices}}))


@pytest.mark.parametrize("seed", [0, 1, pytest.param(2, marks=pytest.mark.second_tier)])
@pytest.mark.parametrize(
    "finance", [{}, {"replacement_years": [7], "replacement_per_mwh": 90_000.0, "tax_rate": 0.2}]
)
def test_no_grid_finds_more_and_nothing_beats_the_bound(seed: int, finance: dict[str, Any]) -> None:
    """Without stated wear the life is that of `bo.ageing`, so that its own financials judge the grid."""
    scenario = site(seed, finance=finance).scenario()
    found = bo.wear_price(scenario)
    grid = [at(scenario, price) for price in np.linspace(0.0, 60.0, 31)]
    values = [bo.financials(plan, ageing=bo.ageing(plan)).npv for plan in grid]
    slack = 1e-5 * abs(found.value)
    assert max(values) <= found.value + slack
    assert found.value <= found.bound <= found.value + 1e-3 * abs(found.value)
    assert found.value == pytest.approx(bo.financials(found.plan, ageing=bo.ageing(found.plan)).npv, rel=1e-6)
    assert found.value > values[0]
    assert found.scenario.battery.wear_cost_per_mwh == found.factor


@pytest.mark.parametrize("seed", range(2))
def test_a_factor_on_wear_by_depth(seed: int) -> None:
    """The cycle life at each depth is the technology's, shared out as the stated wear: counted here on its own."""
    scenario = site(seed, days=10, wear=BY_DEPTH, finance={"horizons_per_year": 36.5}).scenario()
    found = bo.wear_price(scenario)
    assert found.by_depth
    assert found.table["factor"].is_monotonic_increasing
    assert found.table["wear"].is_monotonic_decreasing
    row = found.table[found.table["factor"] == found.factor].iloc[0]
    whole = 2.0 * (0.2 * 10.0 + 0.3 * 20.0 + 0.5 * 45.0)
    assert row["wear"] == pytest.approx(_wear(found.plan), rel=1e-9)
    life = scenario.battery.tech.cycle_life
    assert row["life_used_per_year"] == pytest.approx(36.5 * row["wear"] / (whole * life))
    assert row["value"] == pytest.approx(_value(scenario, row["net_revenue"], row["life_used_per_year"]), rel=1e-5)
    for factor in np.linspace(0.0, 2.0, 9):
        plan = at(scenario, float(factor))
        used = 36.5 * _wear(plan) / (whole * life)
        assert _value(scenario, plan.metrics.net_revenue, used) <= found.value + 1e-5 * abs(found.value)


def _wear(plan: bo.Dispatch) -> float:
    """Falling ranges of the plan at the stated prices."""
    import rainflow

    path = np.append(0.5, plan.schedule["soc"].to_numpy())
    edges, total = np.array([0.0, 0.2, 0.5, 1.0]), 0.0
    for depth, _mean, count, first, last in rainflow.extract_cycles(path.tolist()):
        if count == 1.0 or path[last] < path[first]:
            total += 2.0 * float(np.diff(np.clip(edges, 0.0, depth)) @ np.array([10.0, 20.0, 45.0]))
    return total


def _value(scenario: bo.Scenario, cash: float, used: float) -> float:
    """Net present value year by year: 36.5 horizons a year at the mean capacity of its ends."""
    model = bo.AgeingModel.of_technology(scenario.battery.tech)
    rate = float(model.calendar_rate(np.array(0.5), model.temperature_c))
    total = -200_000.0 * 2.0
    capacity = [min(1.02 - rate * np.sqrt(365.0 * y), 1.0 - 0.2 * used * y) for y in range(16)]
    for year in range(15):
        mean = 0.5 * (capacity[year] + capacity[year + 1])
        total += 36.5 * cash * mean / 1.06 ** (year + 1)
    return total


def test_the_picture_shows_value_bound_and_best() -> None:
    figure = bo.wear_price(site(0, days=5, finance={"horizons_per_year": 73.0}).scenario()).plot()
    (axes,) = figure.axes
    labels = {line.get_label() for line in axes.get_lines()}
    assert {"prices tried", "proven bound", "highest"} <= labels


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"finance": None}, "finance: is missing"),
        ({"finance": FINANCE | {"fade_per_year": 0.02}}, "finance.fade_per_year: leaves no life that wear could"),
        ({"battery": {"soc_end": "free"}}, 'battery.soc_end: is "free", and the horizon repeats'),
        ({"battery": {"wear": {"depth": [1.0], "cost_per_mwh": [0.0]}}}, "battery.wear.cost_per_mwh: all are 0"),
        (
            {
                "battery": {
                    "technology": {
                        "eta_charge": 0.9,
                        "eta_discharge": 0.9,
                        "soc_min": 0.0,
                        "soc_max": 1.0,
                        "c_rate_max": 1.0,
                    }
                }
            },
            "battery.technology.cycle_life: is missing",
        ),
    ],
)
def test_what_has_no_wear_price_is_refused(changes: dict[str, Any], sentence: str) -> None:
    of = site(0, days=3).but(**changes)
    with pytest.raises(bo.ScenarioError) as caught:
        bo.wear_price(of.scenario())
    assert sentence in str(caught.value)


def test_a_strategy_that_does_not_maximise_money_is_refused() -> None:
    of = site(0, days=3)
    shifting = {"name": "time_shift", "window": ["18:00", "20:00"]}
    with pytest.raises(bo.ScenarioError, match="strategy: the strategy's objective is not the site's money"):
        bo.wear_price(of.but(series=of.series.assign(solar_mw=1.0), strategy=shifting).scenario())


def test_a_tolerance_is_a_share() -> None:
    with pytest.raises(bo.ScenarioError, match="tolerance: found 0"):
        bo.wear_price(site(0, days=3).scenario(), tolerance=0)


def test_faded_cells_keep_caps_and_wear_as_bought() -> None:
    """A cap of 1 cycle of 2 MWh a day and a first segment of 0.4 MWh stay so many MWh when the cells hold less."""
    from bess_opt.investment.lifetime.faded_dispatch import with_capacity

    cap = {"count": 20.0, "per": "horizon", "used": 2.0}
    scenario = site(0, days=4, wear=BY_DEPTH, max_cycles=cap, max_cycles_per_day=1.0).scenario()
    faded = scenario.replace(battery=with_capacity(scenario.battery, 0.8)).battery
    assert faded.energy_mwh == pytest.approx(1.6)
    assert faded.max_cycles_per_day * faded.energy_mwh == pytest.approx(2.0)
    assert [(c.count * 1.6, c.used * 1.6) for c in faded.max_cycles] == [(pytest.approx(40.0), pytest.approx(4.0))]
    assert [depth * 1.6 for depth in faded.wear.depth] == pytest.approx([0.4, 1.0, 1.6])
    assert faded.wear.cost_per_mwh == (10.0, 20.0, 45.0)
    less = scenario.replace(battery=with_capacity(scenario.battery, 0.5)).battery
    assert (less.wear.depth, less.wear.cost_per_mwh) == ((0.4, 1.0), (10.0, 20.0))
    plan = bo.optimize(scenario)
    again = bo.faded_dispatch(plan, bo.ageing(plan), years=(1, 10))
    assert again.table["discharged_mwh"].is_monotonic_decreasing
