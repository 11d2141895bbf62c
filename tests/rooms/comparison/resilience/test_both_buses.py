"""Hours survived by batteries on both buses: what the shared inverter lets through, and where PV that is over goes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import bess_opt as bo

IDEAL = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
OWN = {"power_mw": 1.0, "technology": IDEAL, "soc_end": "at_least_start"}


def scenario(
    energies: tuple[float, float], full: tuple[float, float], eta: float = 1.0, **series: Any
) -> bo.Scenario:
    """Hours with a flat price and an inverter of 0.5 MW; of two batteries of 1 MW "dc" stands behind it."""
    converters = {"ac_to_dc": eta, "dc_to_ac": eta, "dc_to_dc": 1.0}
    pair = [
        OWN | {"name": name, "topology": topology, "duration_h": energy, "soc_start": share, "converters": converters}
        for name, topology, energy, share in zip(
            ("dc", "ac"), ("series_dc", "parallel_ac"), energies, full, strict=True
        )
    ]
    index = pd.date_range("2025-07-01", periods=6, freq="1h", tz="Europe/Berlin")
    frame = pd.DataFrame({"price_per_mwh": 30.0, "load_mw": 1.0} | series, index)
    return bo.Scenario(battery=pair, site={"inverter_mw": 0.5}, series=frame, strategy="arbitrage")


@pytest.mark.parametrize(("load", "hours"), [(1.0, 3.0), (1.5, 2.0), (1.6, 0.0), (0.5, 6.0)])
def test_the_inverter_is_shared_by_load_and_battery(load: float, hours: float) -> None:
    """1 MWh behind an inverter of 0.5 MW beside 2 MWh: 3 MWh for 1 MW, 0.5 + 1 MW for two hours, never more."""
    found = bo.resilience(scenario((1.0, 2.0), (1.0, 1.0), load_mw=load))
    assert found.table["hours_survived"].iloc[0] == pytest.approx(hours)


def test_the_inverter_takes_its_loss() -> None:
    """0.5 MW at the AC side are 0.625 MW of the cells at 0.8: 1 MWh lasts 1.6 hours."""
    assert bo.resilience(scenario((1.0, 0.1), (1.0, 0.0), 0.8, load_mw=0.5)).table["hours_survived"].iloc[0] == (
        pytest.approx(1.6)
    )


def test_pv_serves_the_load_then_its_own_bus_then_the_other() -> None:
    """PV of 2 MW and a load of 0.2 MW for an hour: 0.3 MW more pass the inverter to the AC battery.

    From empty there are then 1 + 0.3 MWh. With 0.5 MW of load the inverter has no room: 1 MWh, which it lets through
    at 0.5 MW.
    """
    solar = [2.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    spare = scenario((1.0, 2.0), (0.0, 0.0), solar_dc_mw=solar, load_mw=[0.2, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert bo.resilience(spare).table["hours_survived"].iloc[0] == pytest.approx(1.0 + 1.3 / 0.5)
    without = scenario((1.0, 2.0), (0.0, 0.0), solar_dc_mw=solar, load_mw=0.5)
    assert bo.resilience(without).table["hours_survived"].iloc[0] == pytest.approx(1.0 + 1.0 / 0.5)
