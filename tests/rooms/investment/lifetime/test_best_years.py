"""Years of replacement that are looked for: the best of all choices, on the whole enumeration of them."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
from support.cases import case

import bess_opt as bo

FINANCE: dict[str, Any] = {"capital_per_mwh": 150_000.0, "discount_rate": 0.05, "horizons_per_year": 365.0}


def plan_of(seed: int, lifetime: int) -> bo.Dispatch:
    rng = np.random.default_rng(seed)
    finance = FINANCE | {
        "lifetime_years": lifetime,
        "discount_rate": float(rng.uniform(0.0, 0.12)),
        "escalation_rate": float(rng.uniform(-0.05, 0.03)),
        "fade_per_year": float(rng.uniform(0.0, 0.25)),
        "replacement_per_mwh": float(rng.uniform(0.0, 60_000.0)),
        "replacement_per_mw": float(rng.uniform(0.0, 20_000.0)),
        "replacement_cost": float(rng.uniform(1.0, 20_000.0)),
        "replacement_years": "search",
        "first_payment_year": int(rng.integers(0, 2)),
        "tax_rate": float(rng.choice([0.0, 0.25])),
    }
    columns = {"price_per_mwh": rng.normal(60.0, 50.0, 24)}
    if seed % 2:
        columns["load_mw"] = rng.uniform(0.0, 1.0, 24)
    of = case(battery={"soc_start": 0.5, "soc_end": "equal"}, **columns).but(finance=finance)
    return of.optimize()


def worth(plan: bo.Dispatch, years: tuple[int, ...]) -> float:
    """Net present value with these years stated."""
    costs = {} if years else dict.fromkeys(("replacement_per_mw", "replacement_per_mwh", "replacement_cost"), 0.0)
    stated = plan.scenario.replace(finance={"replacement_years": list(years)} | costs)
    return bo.financials(dataclasses.replace(plan, scenario=stated)).npv


@pytest.mark.parametrize("seed", range(6))
def test_no_choice_of_years_is_better(seed: int) -> None:
    lifetime = 6
    plan = plan_of(seed, lifetime)
    found = bo.financials(plan)
    every = [years for count in range(lifetime) for years in itertools.combinations(range(1, lifetime), count)]
    best = max(every, key=lambda years: worth(plan, years))
    assert found.npv == pytest.approx(worth(plan, best), rel=1e-9, abs=1e-6)
    assert found.npv == pytest.approx(worth(plan, found.replaced_after), rel=1e-9, abs=1e-6)
    paid = found.cash_flow["replacement"]
    assert tuple(paid.index[paid < 0.0]) == found.replaced_after


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", range(6, 50))
def test_no_choice_of_years_is_better_on_many(seed: int) -> None:
    test_no_choice_of_years_is_better(seed)


def test_fresh_cells_that_cost_nothing_are_bought_every_year() -> None:
    plan = plan_of(0, 5)
    free = {"replacement_per_mwh": 0.0, "replacement_per_mw": 0.0, "replacement_cost": 1e-6, "fade_per_year": 0.2}
    cheap = plan.scenario.replace(finance=free | {"escalation_rate": 0.0})
    assert bo.financials(bo.optimize(cheap)).replaced_after == (1, 2, 3, 4)
    dear = plan.scenario.replace(finance={"replacement_per_mwh": 1e9})
    assert bo.financials(bo.optimize(dear)).replaced_after == ()


def test_who_cannot_look_for_years_says_so() -> None:
    plan = plan_of(0, 5)
    for asked in (lambda: bo.size(plan.scenario, (1, 2), 2, "irr"), lambda: bo.ageing(plan)):
        with pytest.raises(bo.ScenarioError, match=r"finance\.replacement_years: is 'search'"):
            asked()


def test_sizing_refuses_cells_added_later_and_what_it_advises_works() -> None:
    scenario = plan_of(0, 5).scenario
    for asked, said in (("search", "is 'search'"), ([[2, 0.5]], "is stated")):
        expected = rf"finance\.augmentation: {said}.* by no straight line"
        with pytest.raises(bo.ScenarioError, match=expected) as refused:
            bo.size(scenario.replace(finance={"augmentation": asked}), (1, 2), 2)
    (problem,) = refused.value.problems
    sizing = bo.size(scenario, (1, 2), 2)
    advised = "bo.financials(bo.optimize(sizing.plan.scenario.replace(finance={'augmentation': 'search'})))"
    assert advised in problem.expected
    searched = sizing.plan.scenario.replace(finance={"augmentation": "search"})
    assert bo.financials(bo.optimize(searched)).npv >= bo.financials(sizing.plan).npv - 1e-6


def _no_size_with_other_years_is_better(seed: int) -> None:
    lifetime = 5
    scenario = plan_of(seed, lifetime).scenario.replace(finance={"capital_per_mwh": 20_000.0 + 8_000.0 * (seed % 7)})
    best = bo.size(scenario, (0.5, 2.0), (1.0, 4.0))
    every = [years for count in range(lifetime) for years in itertools.combinations(range(1, lifetime), count)]
    none = dict.fromkeys(("replacement_per_mw", "replacement_per_mwh", "replacement_cost"), 0.0)
    others = [
        bo.size(
            scenario.replace(finance={"replacement_years": list(years)} | ({} if years else none)),
            (0.5, 2.0), (1.0, 4.0),
        )
        for years in every
    ]  # fmt: skip
    most = max(other.value for other in others)
    allowed = 1e-3 * max(abs(most), *(abs(money) for money in best.costs.values()))
    assert best.value == pytest.approx(most, abs=allowed)
    assert best.bound is None or best.bound >= most - 1e-9 * abs(most)
    assert best.scenario.finance is not None
    assert not best.scenario.finance.searches_years


@pytest.mark.parametrize("seed", [2])
def test_sizing_looks_for_years_too(seed: int) -> None:
    _no_size_with_other_years_is_better(seed)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", range(50))
def test_sizing_looks_for_years_too_on_many(seed: int) -> None:
    _no_size_with_other_years_is_better(seed)


def test_other_words_are_refused() -> None:
    with pytest.raises(bo.ScenarioError, match=r"finance\.replacement_years"):
        bo.Finance(replacement_years="soon")
