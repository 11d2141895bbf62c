"""Random sites against a grid of sizes planned one by one: no size beats the bound, none the answer by more than it says."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from support.npv_by_hand import npv_by_hand
from support.random_sites import Question, question

import bess_opt as bo
from bess_opt.investment.sizing.sized_program import resized

QUICK, ALL = 20, 1000
TOLERANCE = 1e-3  # that of `bo.size`


@dataclass(frozen=True)
class Worth:
    """A size that was planned exactly: its objective and its net revenue of a horizon."""

    power_mw: float
    energy_mwh: float
    value: float
    revenue: float


def worth(best: bo.Sizing, power_mw: float, energy_mwh: float) -> Worth | None:
    """What a size is worth; None if it has no plan. Money over life is summed by hand beside it."""
    goal = best.goal
    try:
        plan = bo.optimize(resized(goal.scenario, power_mw, energy_mwh))
    except bo.InfeasibleError:
        return None
    value, revenue, finance = goal.value(plan), plan.metrics.net_revenue, goal.scenario.finance
    if goal.name == "npv" and finance is not None:
        without, fade = (0.0, 0.0) if goal.idle_revenue is None else (goal.idle_revenue, goal.fade.per_year)
        by_hand = npv_by_hand(finance, revenue, without, power_mw, energy_mwh, fade)
        size = abs(goal.priced.revenue * revenue) + abs(goal.priced.revenue * without)
        assert value == pytest.approx(by_hand, rel=1e-9, abs=1e-6 + 1e-11 * size)
    return Worth(power_mw, energy_mwh, value, revenue)


def scale_of(best: bo.Sizing, planned: list[Worth], own: Worth | None) -> float:
    """What the battery earns or costs, worked out from the exact plans alone; 1 for a rate."""
    if best.objective == "irr":
        return 1.0
    goal, known = best.goal, [one.revenue for one in [*planned, *([own] if own else [])]]
    idle = goal.idle_revenue if goal.idle_revenue is not None else min(known, default=0.0)
    earned = [own.revenue - idle] if own else [revenue - idle for revenue in known]
    cost = goal.priced.per_mw * best.power_mw + goal.priced.per_mwh * best.energy_mwh
    return max(goal.priced.revenue * max(map(abs, earned), default=0.0), cost, 1e-9)


def attacked(seed: int, points: int) -> None:
    asked, rng = question(seed), np.random.default_rng(seed)
    try:
        best = bo.size(asked.scenario, **asked.ranges, objective=asked.objective)
    except bo.InfeasibleError:
        none_has_a_plan(asked, points, rng)
        return
    codes = [finding.code for finding in best.findings]
    if best.bound is None:  # a few programs are not concave in the size, and say that a grid was searched
        assert "no_bound" in codes
        return
    if math.isnan(best.value):  # money that never comes back has no rate of return, and no size has one
        assert (asked.objective, best.gap, best.build) == ("irr", None, False)
        found = [worth(best, *size) for size in asked.sizes(points, rng)]
        assert all(one is None or math.isnan(one.value) or one.value <= best.bound + 1e-6 for one in found)
        return
    assert best.gap is not None
    own = worth(best, best.power_mw, best.energy_mwh) if best.power_mw > 0.0 else None
    found = [worth(best, *size) for size in asked.sizes(points, rng)]
    planned = [one for one in found if one is not None and not math.isnan(one.value)]
    scale = scale_of(best, planned, own)
    site = abs(best.goal.priced.revenue * (best.goal.idle_revenue or 0.0)) if best.objective != "irr" else 0.0
    rounding = 1e-6 * scale + 1e-9 * site + 1e-6
    assert best.gap >= 0.0
    assert (best.gap > TOLERANCE) == ("gap_open" in codes)
    allowed = (abs(best.bound - best.value) if "gap_open" in codes else TOLERANCE * scale) + rounding
    for one in planned:
        assert one.value <= best.bound + rounding, one
        assert one.value <= best.value + allowed, one
    if best.without is not None and asked.objective != "irr":
        assert best.build or best.value <= best.without + rounding
        if best.region.holds_nothing:
            assert best.without <= best.value + rounding
            assert best.without <= best.bound + rounding


def none_has_a_plan(asked: Question, points: int, rng: np.random.Generator) -> None:
    for power, energy in asked.sizes(points, rng):
        with pytest.raises(bo.InfeasibleError):
            bo.optimize(resized(asked.scenario, power, energy))


@pytest.mark.parametrize("seed", range(QUICK))
def test_some_sites(seed: int) -> None:
    attacked(seed, points=2)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", range(QUICK, ALL))
def test_a_thousand_sites(seed: int) -> None:
    attacked(seed, points=3)
