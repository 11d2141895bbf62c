"""Money over life of several batteries: two halves are worth what the whole is, in every figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo

WHOLE: dict[str, Any] = {"power_mw": 2.0, "duration_h": 2.0, "technology": "modern_lfp", "soc_end": "equal"}
FINANCE: dict[str, Any] = {
    "capital_per_mw": 90_000.0, "capital_per_mwh": 120_000.0, "fixed_om_per_mw_year": 3_000.0,
    "variable_om_per_mwh": 0.5, "replacement_per_mwh": 40_000.0, "replacement_years": [8],
    "lifetime_years": 15, "discount_rate": 0.06, "horizons_per_year": 182.5,
}  # fmt: skip


def site(*, halves: bool, **more: Any) -> bo.Scenario:
    """Two days of prices with PV and load, and one battery or two of half its size."""
    rng, hours = np.random.default_rng(4), np.arange(48)
    columns = {
        "price_per_mwh": 60.0 + 50.0 * np.sin(2.0 * np.pi * (hours - 9) / 12.0) + rng.normal(0.0, 8.0, 48),
        "load_mw": 1.0 + 0.4 * np.sin(2.0 * np.pi * (hours - 12) / 24.0),
        "solar_mw": np.maximum(1.5 * np.sin(2.0 * np.pi * (hours % 24 - 6) / 24.0), 0.0),
    }
    index = pd.date_range("2025-03-01", periods=48, freq="1h", tz="UTC")
    half = WHOLE | {"power_mw": 1.0}
    batteries = [half | {"name": "north"}, half | {"name": "south"}] if halves else [WHOLE]
    series = pd.DataFrame(columns, index=index).round(2).clip(lower=0.0)
    return bo.Scenario(battery=batteries, series=series, finance=FINANCE, strategy="arbitrage").replace(**more)


@pytest.mark.parametrize("finance", [{}, {"augmentation": [[5, 1.0]]}, {"replacement_years": "search"}])
def test_two_halves_are_worth_the_whole(finance: dict[str, Any]) -> None:
    whole, halves = (
        bo.financials(bo.optimize(site(halves=several, finance=finance)), bo.simulate(site(halves=several), lambda _: 0.0))
        for several in (False, True)
    )  # fmt: skip
    one, two = whole.to_dict(), halves.to_dict()
    numbers = [key for key, value in one.items() if isinstance(value, float) and value == value]
    assert {"npv", "irr", "lcos_per_mwh", "capital"} <= set(numbers)
    assert [two[key] for key in numbers] == pytest.approx([one[key] for key in numbers], rel=1e-7)
    assert {key: two[key] for key in one if key not in numbers and key != "npv_bound"} == {
        key: one[key] for key in one if key not in numbers and key != "npv_bound"
    }


def test_the_technology_that_fades_fastest_counts_for_all() -> None:
    mixed = site(halves=True).replace(battery={"south": {"technology": "premium"}})
    basis = bo.financials(bo.optimize(mixed)).ageing_basis
    assert "which fades fastest of the batteries" in basis


def test_findings_name_the_battery() -> None:
    free = bo.optimize(site(halves=True, battery={"south": {"soc_end": "free"}}))
    with pytest.raises(bo.ScenarioError, match=r"battery\.south\.soc_end: is \"free\", and the horizon repeats"):
        bo.financials(free)
    worn = bo.financials(bo.optimize(site(halves=True, battery={"north": {"wear_cost_per_mwh": 2.0}})))
    assert [f.where for f in worn.findings if f.code == "wear_and_replacement"] == ["battery.north.wear_cost_per_mwh"]


def test_two_halves_age_as_the_whole() -> None:
    """A rule shares by room, so that each half has the whole's state of charge and ages as it does."""
    whole, halves = (bo.simulate(site(halves=several)) for several in (False, True))
    one, two = bo.ageing(whole), bo.ageing(halves)
    assert isinstance(one, bo.Ageing)
    assert isinstance(two, bo.SiteAgeing)
    assert two.shares == {"north": 0.5, "south": 0.5}
    for unit in two.units.values():
        assert unit.damage_per_year == pytest.approx(one.damage_per_year)
    assert two.mean_capacity.to_numpy() == pytest.approx(one.mean_capacity.to_numpy())
    assert two.path["capacity"].iloc[0] == pytest.approx(1.0, abs=0.02)
    assert two.capacities(3) == (two.units["north"].mean_capacity[3], two.units["south"].mean_capacity[3])


def test_cells_of_each_battery_fade_on_their_own() -> None:
    """A battery that rests ages by the calendar alone; plans made anew have each at its own capacity."""
    rests = {"south": {"max_cycles": {"count": 0.0, "per": "horizon"}}}
    plan = bo.optimize(site(halves=True, battery=rests))
    life = bo.ageing(plan)
    assert isinstance(life, bo.SiteAgeing)
    assert life.units["south"].damage_per_year == 0.0
    assert life.units["north"].damage_per_year > 0.0
    money = bo.financials(plan, ageing=life)
    assert "north: " in money.ageing_basis
    assert "south: " in money.ageing_basis
    faded = bo.faded_dispatch(plan, life, years=(5,))
    assert faded.table.loc[5, "capacity"] == pytest.approx(sum(life.capacities(5)) / 2.0)
    assert faded.table.loc[5, "net_revenue"] < faded.table.loc[0, "net_revenue"]
    assert "north: " in bo.financials(plan, ageing=faded).ageing_basis
