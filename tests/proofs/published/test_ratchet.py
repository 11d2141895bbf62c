"""A demand ratchet whose bill other people worked out, through the public interface."""

from __future__ import annotations

import pytest

import bess_opt as bo
from bess_opt.comparison.published.cases import ratchet_site


def test_reopt_ratchet() -> None:
    """REopt.jl, test of demand look-back: 1 kW all year, 100 kW in one hour of January, 35 % of it later.

    100·(10.5 + 0.35·10.5·5 + 0.35·11.5·6): full in January, 35 % in the five other months at 10.5 $/kW and in
    the six at 11.5 $/kW. Without the ratchet the eleven months would be billed for 1 kW each.
    """
    scenario = ratchet_site()
    idle = bo.simulate(scenario, rule=lambda _state: 0.0)
    expected = 100 * (10.5 + 0.35 * 10.5 * 5 + 0.35 * 11.5 * 6)
    assert expected == pytest.approx(5302.5)
    assert idle.metrics.demand_charges == pytest.approx(expected, rel=1e-12)
    history = {
        "share": 0.35,
        "months": 11,
        "history_mw": [0.1],
    }  # December's 100 kW counts in November, not in December
    rows = [row.to_plain() | {"ratchet": history} for row in scenario.tariff.demand]
    calm = scenario.replace(tariff={"demand": rows}, series=scenario.series.assign(load_mw=0.001))
    after = bo.simulate(calm, rule=lambda _state: 0.0)
    assert after.metrics.demand_charges == pytest.approx(35 * (10.5 * 5 + 11.5 * 6) + 10.5, rel=1e-12)
