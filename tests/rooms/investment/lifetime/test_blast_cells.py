"""Ageing by BLAST-Lite: the library's own trajectory, temperature and charge, and where money names it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.investment.lifetime.blast import fade_by_blast

DAY = [10.0] * 2 + [50.0] * 2 + [20.0] * 20  # two hours in, two hours out, then rest
CELL = "Lfp_Gr_250AhPrismatic"


def plan_of(finance: dict[str, Any] | None = None) -> bo.Dispatch:
    """A full cycle in a day, lossless."""
    return case(price_per_mwh=DAY, battery={"soc_end": "at_least_start"}, finance=finance).optimize()


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "blast", None)
    with pytest.raises(bo.ScenarioError, match=r"blast-lite is not installed.*bess-opt\[ageing\]"):
        bo.ageing(plan_of(), bo.BlastCells())


def test_cells_at_rest_fade_as_the_published_law() -> None:
    """At rest the 250 Ah LFP cell loses k·t^0.526 [days], k = 83,700·exp(−5,210/T)·exp(−3,560·Ua/T), see the cell's file.

    Ua is the anode's potential at the state of charge (Safari and Delacourt 2011).
    """
    pytest.importorskip("blast")
    soc, kelvin = 0.5, 298.15
    lithium = 8.5e-3 + soc * (0.78 - 8.5e-3)
    tanh = np.tanh
    potential = (
        0.6379 + 0.5416 * np.exp(-305.5309 * lithium) + 0.044 * tanh(-(lithium - 0.1958) / 0.1088)
        - 0.1978 * tanh((lithium - 1.0571) / 0.0854) - 0.6875 * tanh((lithium + 0.0117) / 0.0529)
        - 0.0175 * tanh((lithium - 0.5692) / 0.0875)
    )  # fmt: skip
    rate = 8.37e4 * np.exp(-5210.0 / kelvin) * np.exp(-3560.0 * potential / kelvin)
    found = fade_by_blast(CELL, np.full(25, soc), np.full(24, 25.0), 1.0, 8760.0, 2)
    days = np.array([0.0, 365.0, 730.0])
    assert found["capacity"].to_numpy() == pytest.approx(1.0 - rate * days**0.526, abs=2e-3)
    assert found["cycle"].to_numpy() == pytest.approx(1.0)


def test_heat_and_a_full_charge_age() -> None:
    pytest.importorskip("blast")
    low, high = np.full(25, 0.3), np.full(25, 0.95)
    cool, hot = np.full(24, 15.0), np.full(24, 40.0)
    left = [
        fade_by_blast(CELL, soc, t, 1.0, 8760.0, 1)["capacity"].iloc[-1] for soc in (low, high) for t in (cool, hot)
    ]
    assert left[0] > left[1] > left[3]
    assert left[0] > left[2] > left[3]


def test_a_short_horizon_repeats_and_a_step_is_only_a_step() -> None:
    """A day is a year of such days, and quarter-hours of the same path age as hours do."""
    pytest.importorskip("blast")
    day = np.interp(np.arange(25), [0, 6, 12, 18, 24], [0.5, 0.9, 0.2, 0.5, 0.5])
    quarters = np.interp(np.arange(97) / 4.0, np.arange(25), day)
    of_day = fade_by_blast(CELL, day, np.full(24, 25.0), 1.0, 8760.0, 1)["capacity"].iloc[-1]
    of_year = fade_by_blast(CELL, np.append(np.tile(day[:-1], 365), 0.5), np.full(8760, 25.0), 1.0, 8760.0, 1)
    of_quarters = fade_by_blast(CELL, quarters, np.full(96, 25.0), 0.25, 8760.0, 1)["capacity"].iloc[-1]
    assert of_year["capacity"].iloc[-1] == pytest.approx(of_day, abs=1e-12)
    assert of_quarters == pytest.approx(of_day, abs=2e-3)


def test_money_names_the_cells() -> None:
    pytest.importorskip("blast")
    finance = {
        "horizons_per_year": 365.0,
        "capital_per_mwh": 100_000.0,
        "discount_rate": 0.05,
        "lifetime_years": 4,
        "replacement_years": [2],
    }
    plan = plan_of(finance)
    idle = bo.simulate(plan.scenario, rule=lambda _state: 0.0)
    own, blast = bo.ageing(plan), bo.ageing(plan, bo.BlastCells(temperature_c=30.0))
    assert np.isnan(blast.damage_per_year)
    assert list(blast.path.columns) == list(own.path.columns)
    capacity = blast.path["capacity"]
    assert capacity[0] == 1.0
    assert (capacity.diff()[[1, 2]] < 0.0).all()
    assert capacity[3] == pytest.approx(capacity[1])  # new cells
    assert bo.financials(plan, idle, ageing=blast).npv != pytest.approx(bo.financials(plan, idle, ageing=own).npv)
    assert f"cells that age as {CELL} of BLAST-Lite" in bo.financials(plan, idle, ageing=blast).assumptions


def test_other_cells_and_names() -> None:
    pytest.importorskip("blast")
    with pytest.raises(bo.ScenarioError, match=r"no cell of BLAST-Lite.*did you mean 'Lfp_Gr_250AhPrismatic'"):
        bo.ageing(plan_of(), bo.BlastCells(cell="Lfp_Gr_250AhPrismatik"))
    soc, hot = np.append(np.tile([0.2, 0.9], 12), 0.2), np.full(24, 35.0)
    for cell in ("Nmc_Lto_10Ah_Battery", "Nmc111_Gr_Kokam75Ah_Battery", "Lfp_Gr_SonyMurata3Ah_Battery"):
        capacity = fade_by_blast(cell, soc, hot, 1.0, 8760.0, 2)["capacity"]
        assert capacity.notna().all()
        assert capacity.iloc[-1] < capacity.iloc[0]
