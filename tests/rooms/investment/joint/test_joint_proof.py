"""No sizes of two batteries beat the proven bound, held to a program written apart on a grid of sizes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from support.sizes_by_hand import ByHand, two_batteries

import bess_opt as bo

POWERS, DURATIONS = (0.0, 2.0), (0.5, 4.0)
ORDINARY = (0, 1, 3)


def _hold(seed: int, points: int) -> None:
    site = two_batteries(seed)
    scenario = bo.Scenario(
        battery=site.batteries, site=site.site, series=site.series, strategy="arbitrage", finance=site.finance
    )
    best = bo.size(scenario, {"north": POWERS, "south": POWERS}, DURATIONS, tolerance=1e-4)
    assert best.bound is not None, [finding.found for finding in best.findings]
    by_hand = ByHand(site)
    rounding = 1e-9 * max(abs(best.bound), abs(best.bound - best.value), 1.0)
    chosen = tuple((best.power_mw[name], best.energy_mwh[name]) for name in ("north", "south"))
    assert by_hand.value(chosen) == pytest.approx(best.value, abs=100.0 * rounding)
    assert best.gap is not None
    assert best.gap <= 1e-4
    sizes = [
        (power, power * hours) for power in np.linspace(*POWERS, points) for hours in np.linspace(*DURATIONS, points)
    ]
    highest = max(by_hand.value(choice) for choice in product(sizes, repeat=2))
    assert highest <= best.bound + rounding


@pytest.mark.parametrize("seed", ORDINARY)
def test_no_sizes_of_a_grid_beat_the_bound(seed: int) -> None:
    """A coarse grid with the corners of the ranges, no battery among them."""
    _hold(seed, 3)


@pytest.mark.second_tier
@pytest.mark.parametrize("seed", range(50))
def test_no_sizes_of_a_fine_grid_beat_the_bound(seed: int) -> None:
    """10 × 10 × 10 × 10 sizes on fifty sites."""
    _hold(seed, 10)
