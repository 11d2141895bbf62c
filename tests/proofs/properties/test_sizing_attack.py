"""Random sites against a grid of sizes planned one by one: no size beats the bound, none the answer by more than it says."""

from __future__ import annotations

import numpy as np
import pytest
from support.random_sites import question

import bess_opt as bo

QUICK, ALL = 24, 1000


def attacked(seed: int, points: int) -> None:
    asked = question(seed)
    best = bo.size(asked.scenario, **asked.ranges, objective=asked.objective)
    if best.bound is None:
        assert "no_bound" in [finding.code for finding in best.findings]
        return
    assert best.gap is not None
    assert best.gap >= 0.0
    open_gap = best.gap > 1e-3
    assert open_gap == ("gap_open" in [finding.code for finding in best.findings])
    scale = (best.bound - best.value) / best.gap if best.gap > 1e-9 else abs(best.value) + 1.0
    rounding = 1e-6 * scale + 1e-9 * abs(best.value)
    tolerance = max(best.gap, 1e-3) * scale + rounding if open_gap else 1e-3 * scale + rounding
    sizes = asked.sizes(points)
    if len(sizes) > points**2:
        chosen = np.random.default_rng(seed).choice(len(sizes), points**2, replace=False)
        sizes = [sizes[i] for i in chosen]
    for power, energy in sizes:
        try:
            plan = bo.optimize(asked.scenario.replace(battery={"power_mw": power, "duration_h": energy / power}))
        except bo.InfeasibleError:
            continue
        value = best.goal.value(plan)
        assert value <= best.bound + rounding, (seed, power, energy)
        assert value <= best.value + tolerance, (seed, power, energy)
    if best.region.holds_nothing and best.without is not None:
        assert best.without <= best.value + rounding
        assert best.build == (best.power_mw > 0.0)


@pytest.mark.parametrize("seed", range(QUICK))
def test_some_sites(seed: int) -> None:
    attacked(seed, points=3)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", range(QUICK, ALL))
def test_a_thousand_sites(seed: int) -> None:
    attacked(seed, points=6)
