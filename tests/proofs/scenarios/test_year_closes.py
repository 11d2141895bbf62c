"""A year of the shipped site closes in MWh for every topology and technology, and no path beats its efficiencies."""

from __future__ import annotations

import pytest
from support.places import ROOT

import bess_opt as bo

SCENARIO = ROOT / "scenarios" / "solar_merchant"
BETWEEN_PORT_AND_CELLS = {"parallel_ac": 0.96**2, "series_dc": 0.99**2, "hybrid": 0.99**2}


@pytest.mark.parametrize("technology", ["standard", "modern_lfp", "premium"])
@pytest.mark.parametrize("topology", BETWEEN_PORT_AND_CELLS)
def test_a_year_closes(topology: str, technology: str) -> None:
    """Energy given equals energy taken, lost and kept; an efficiency applied twice or not at all shows in the second."""
    share = 0.6 if topology == "hybrid" else None
    scenario = bo.load(SCENARIO).replace(
        battery={"topology": topology, "technology": technology}, site={"dc_share": share}
    )
    m = bo.optimize(scenario).metrics
    given = m.solar_mwh + m.import_mwh + m.unserved_mwh
    taken = m.load_mwh + m.export_mwh + m.curtailed_mwh + m.losses_mwh + m.stored_change_mwh
    assert m.discharged_mwh > 1000.0
    assert given == pytest.approx(taken, abs=1e-6)
    tech = scenario.battery.tech
    path = BETWEEN_PORT_AND_CELLS[topology] * tech.eta_charge * tech.eta_discharge
    assert m.round_trip_efficiency == pytest.approx(path, rel=1e-9)
