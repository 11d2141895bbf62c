"""The reserve that a cover asks of several batteries: two halves are the whole, and a little less is not enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

WHOLE: dict[str, Any] = {"power_mw": 1.2, "duration_h": 4.0, "technology": "modern_lfp", "soc_start": 0.6}


def site(batteries: list[dict[str, Any]], seed: int = 0, steps: int = 18, **columns: Any) -> bo.Scenario:
    """Hours with PV, a load and prices; `batteries` share it."""
    rng = np.random.default_rng(seed)
    given = {
        "price_per_mwh": rng.uniform(10.0, 90.0, steps),
        "load_mw": rng.uniform(0.2, 1.2, steps),
        "solar_mw": np.maximum(rng.uniform(-1.0, 1.6, steps), 0.0),
    }
    index = pd.date_range("2025-07-01", periods=steps, freq="1h", tz="UTC")
    series = pd.DataFrame(given | columns, index).round(3)
    return bo.Scenario(battery=batteries, site={"inverter_mw": 3.0}, series=series, strategy="arbitrage")


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc"])
def test_two_halves_need_what_the_whole_needs(topology: str) -> None:
    own = WHOLE | {"topology": topology}
    half = own | {"power_mw": 0.6}
    whole = bo.resilience(site([own]), 0.8, cover_h=2.5)
    halves = bo.resilience(site([half | {"name": "a"}, half | {"name": "b"}]), 0.8, cover_h=2.5)
    for column in ("needed_mwh", "hours_survived"):
        assert halves.table[column].to_numpy() == pytest.approx(whole.table[column].to_numpy(), abs=1e-6, nan_ok=True)
    floors = halves.energy_min_mwh
    assert isinstance(floors, pd.DataFrame)
    assert list(floors.columns) == ["a.energy_min_mwh", "b.energy_min_mwh"]
    assert floors.sum(axis=1).to_numpy() == pytest.approx(np.asarray(whole.energy_min_mwh), abs=1e-6)
    assert halves.holding_cost == pytest.approx(whole.holding_cost, abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_needed_is_enough_and_no_more(seed: int) -> None:
    """From the stated energies each start survives so long; from a thousandth less it does not. The plan keeps them."""
    rng = np.random.default_rng(seed)
    batteries = [
        {"name": name, "power_mw": float(rng.uniform(0.4, 1.0)), "duration_h": float(rng.uniform(1.0, 4.0)),
         "technology": kind, "soc_start": 0.7, "self_discharge_per_h": 0.002}
        for name, kind in (("north", "premium"), ("south", "standard"))
    ]  # fmt: skip
    given, cover, share = site(batteries, seed), 2.25, 0.6
    found = bo.resilience(given, share, cover_h=cover)
    floors, steps = found.energy_min_mwh, len(given.series)
    assert isinstance(floors, pd.DataFrame)
    nameplates = [battery.energy_mwh for battery in given.batteries]
    lowest = sum(battery.tech.soc_min * battery.energy_mwh for battery in given.batteries)
    looked_at = 0
    for t in range(1, steps - 3):
        needed, own = found.table["needed_mwh"].iloc[t], floors.iloc[t - 1].to_numpy()
        if np.isnan(needed) or needed < lowest + 1e-3:
            continue
        looked_at += 1
        series = given.series.iloc[t:]
        for change, survives in ((1e-7, True), (-1e-3, False)):
            socs = {
                battery.name: {"soc_start": float((energy + change) / nameplate)}
                for battery, energy, nameplate in zip(given.batteries, own, nameplates, strict=True)
            }
            hours = bo.resilience(given.replace(battery=socs, series=series), share).table["hours_survived"].iloc[0]
            assert (hours >= cover - 1e-6) == survives
    assert looked_at > 3
    if found.held is not None:
        for name, unit in found.held.units.items():
            assert (unit["energy_mwh"] >= floors[f"{name}.energy_min_mwh"] - 1e-6).all()
        assert found.holding_cost is not None
        assert found.holding_cost >= -1e-6


def test_what_is_out_of_reach_names_battery_and_start() -> None:
    pair = [WHOLE | {"name": "a", "power_mw": 0.3}, WHOLE | {"name": "b", "power_mw": 0.3, "soc_start": 0.1}]
    notes = bo.resilience(site(pair, solar_mw=0.0), 1.0, cover_h=3.0).notes
    assert any("full batteries are not enough" in note.found for note in notes)
    assert "battery.b.soc_start" in {note.where for note in notes}
