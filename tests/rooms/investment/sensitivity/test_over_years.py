"""Sensitivity of a size over several years of prices: each factor changes every year as it changes the scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

RANGES: tuple[Any, Any] = ((0.0, 3.0), (1.0, 4.0))


def scenario(swing: float) -> bo.Scenario:
    """A day whose price swings so far about 80, with a connection of 2 MW."""
    time = pd.date_range("2025-06-02", periods=24, freq="h", tz="UTC")
    price = 80.0 + swing * np.sin(np.arange(24) / 24 * 4 * np.pi)
    finance = {
        "capital_per_mw": 150_000.0, "capital_per_mwh": 140_000.0, "lifetime_years": 15, "discount_rate": 0.06,
        "horizons_per_year": 365.0,
    }  # fmt: skip
    return bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0}, series=pd.DataFrame({"price_per_mwh": price}, time),
        site={"import_limit_mw": 2.0, "export_limit_mw": 2.0}, strategy="arbitrage", finance=finance,
    )  # fmt: skip


def test_years_are_changed_not_kept() -> None:
    """Of one size: twice the spread of the scenario is twice that of its years."""
    alone = (1.0, 1.0), (2.0, 2.0)
    found = bo.sensitivity(scenario(50.0), *alone, {"price_spread": [1.0]}, price_years=[scenario(20.0)])
    twice = bo.size(scenario(50.0), *alone, price_years=[scenario(40.0)])
    assert found.table["value"].iloc[0] == pytest.approx(twice.value, rel=1e-6)


@pytest.mark.second_tier
def test_every_year_changes_with_the_scenario() -> None:
    """Rows are sizings of the changed years; the base size is worth what a range of itself alone gives."""
    years = [scenario(40.0), scenario(60.0)]
    changes = {"capital_cost": [0.5], "price_spread": [-0.3]}
    found = bo.sensitivity(scenario(50.0), *RANGES, changes, price_years=years)
    base = found.base
    fixed = (base["power_mw"], base["power_mw"]), (base["duration_h"], base["duration_h"])
    dearer = {"capital_per_mw": 225_000.0, "capital_per_mwh": 210_000.0, "capital_fixed": 0.0}
    changed = (
        (scenario(50.0).replace(finance=dearer), [year.replace(finance=dearer) for year in years]),
        (scenario(35.0), [scenario(28.0), scenario(42.0)]),
    )
    for (_, row), (one, own) in zip(found.table.iterrows(), changed, strict=True):
        best = bo.size(one, *RANGES, price_years=own)
        assert row["value"] == pytest.approx(best.value, rel=1e-2)
        kept = bo.size(one, *fixed, price_years=own)
        assert row["value_of_base_size"] == pytest.approx(kept.value, rel=1e-6)
        assert row["value"] >= row["value_of_base_size"] * 0.99


@pytest.mark.parametrize("years", [scenario(40.0), [1], "2024", pd.DataFrame({"2024": [1.0]})])
@pytest.mark.parametrize("verb", [bo.size, bo.sensitivity])
def test_years_are_a_list_of_scenarios(verb: Any, years: object) -> None:
    """A scenario, a number and a frame of prices are none."""
    with pytest.raises(bo.ScenarioError, match=r"price_years: found .*; give a list of scenarios"):
        verb(scenario(50.0), *RANGES, price_years=years)
