"""DER-VET's battery size at a site, found through the public interface from the site's own files."""

from __future__ import annotations

import pytest
from test_dervet_bill import folder, site

import bess_opt as bo
from bess_opt.comparison.published.cases import CAPITAL, PRESENT_VALUE


@pytest.mark.slow
@pytest.mark.real_data
def test_dervet_size_and_every_cost() -> None:
    """1,993 kW and 11,958 kWh, the optimum in whole kW and kWh, with each cost term to the tenth of a cent.

    The scenario begins at another size: nothing of the answer is in it. With the loss split evenly or daylight
    saving on the clock, another size wins.
    """
    folder()
    start = site(1000.0, 4000.0)
    assert start.finance is not None
    assert start.finance.present_value_factor == PRESENT_VALUE
    assert start.finance.capital_per_mw == CAPITAL["capital_per_mw"] == 800e3
    best = bo.size(start, power_mw=(0.1, 5), duration_h=(0.5, 12), power_step_mw=0.001, energy_step_mwh=0.001)
    assert best.power_mw == pytest.approx(1.993, abs=1e-9)
    assert best.energy_mwh == pytest.approx(11.958, abs=1e-9)
    costs = best.costs
    assert costs["energy_bill"] == pytest.approx(55_745_904.163, abs=5e-4)
    assert costs["demand_charges"] == pytest.approx(9_522_419.643, abs=5e-4)
    assert costs["fixed_om"] == pytest.approx(288_068.343, abs=5e-4)
    assert costs["capital"] == pytest.approx(4_583_900.0, abs=1e-6)
    assert costs["total"] == pytest.approx(70_140_292.148, abs=1e-3)
    assert best.bound is not None
    assert best.gap == pytest.approx(0.0, abs=1e-6)
