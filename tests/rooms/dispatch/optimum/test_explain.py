"""Prices, limits and reasons of optimal plans: each reason in a case where no other one would be true."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import case
from support.places import ROOT

import bess_opt as bo
from bess_opt.dispatch.optimum.explain import NotExplainableError, explain
from bess_opt.dispatch.optimum.solve_scenario import solve_scenario

SCENARIOS = ROOT / "scenarios"


def explained(**tables: Any) -> pd.DataFrame:
    return case(**tables).optimize().explain()


def test_break_even_prices_by_hand() -> None:
    """Energy sold at 90 through η_d = 0.9 at a wear of 5 is worth (90 − 5)·0.9 = 76.5 per MWh in the cells.

    Charging at η_c = 0.8 pays below 76.5·0.8 = 61.2, discharging above 76.5/0.9 + 5 = 90. Left out, wear or
    an efficiency would move both.
    """
    cells = {"eta_charge": 0.8, "eta_discharge": 0.9, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
    table = explained(
        price_per_mwh=[40.0, 70.0, 90.0],
        battery={"technology": cells, "wear_cost_per_mwh": 5.0, "duration_h": 4.0},
    )
    assert table["stored_energy_value_per_mwh"].to_numpy() == pytest.approx(76.5)
    assert table["charge_below_per_mwh"].to_numpy() == pytest.approx(61.2)
    assert table["discharge_above_per_mwh"].to_numpy() == pytest.approx(90.0)
    assert table["local_price_per_mwh"].to_numpy() == pytest.approx([40.0, 70.0, 90.0])
    assert list(table["reason"].str.split(":").str[0]) == ["charges", "idle", "discharges"]
    assert "spread is below the losses" in table["reason"].iloc[1]
    assert table["binds"].iloc[0] == "charge limit"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("solar_merchant", "2025-03-08", "2025-03-21"),
        ("solar_evening", "2025-03-03", "2025-03-16"),
        ("arbitrage_15min", "2025-05-05", "2025-05-08"),
    ],
)
def test_actions_obey_their_break_even_prices(name: str, first: str, last: str) -> None:
    """On shipped data: who charges has a local price at or below the lower one, who discharges at or above
    the upper one, who rests lies between, save where the one-way rule closes a way. Energy has the plan's own value.
    """
    scenario = bo.load(SCENARIOS / name)
    plan = bo.optimize(scenario.replace(series=scenario.series.loc[first:last]))
    table = plan.explain()
    local, slack = table["local_price_per_mwh"], 1e-4
    charging, discharging = table["battery_mw"] < -1e-6, table["battery_mw"] > 1e-6
    free = ~table["binds"].str.contains("one way at a time")
    above, below = local - table["charge_below_per_mwh"], local - table["discharge_above_per_mwh"]
    assert (above[charging] <= slack).all()
    assert (below[discharging] >= -slack).all()
    rests = ~charging & ~discharging & free
    assert (above[rests] >= -slack).all()
    assert (below[rests] <= slack).all()
    assert table["reason"].str.startswith("charges").equals(charging.rename("reason"))
    assert table["reason"].str.startswith("discharges").equals(discharging.rename("reason"))
    assert plan.stored_energy_value is not None
    assert table["stored_energy_value_per_mwh"].to_numpy() == pytest.approx(plan.stored_energy_value.to_numpy())


def test_full_and_empty() -> None:
    """Two cheap hours fill 2 MWh, the third finds it full; after the two dear ones it is empty."""
    table = explained(price_per_mwh=[10.0, 10.0, 20.0, 90.0, 80.0, 30.0])
    reasons = list(table["reason"])
    assert "full" in reasons[2]
    assert "empty" in reasons[5]
    assert "SOC max" in ", ".join(table["binds"])


def test_reserve() -> None:
    """A reserve of 2 MWh until the end keeps the battery from a dear hour, and says so."""
    table = explained(price_per_mwh=[10.0, 90.0, 20.0], energy_min_mwh=[2.0, 2.0, 2.0], battery={"soc_start": 1.0})
    assert "held as reserve" in table["reason"].iloc[1]
    assert "reserve" in ", ".join(table["binds"])


def test_end_condition() -> None:
    """What must be there at the end is not sold, although the price is the highest."""
    table = explained(price_per_mwh=[50.0, 60.0], battery={"soc_start": 0.5, "soc_end": 0.5, "power_mw": 0.001})
    flat = explained(price_per_mwh=[50.0, 50.0], battery={"soc_start": 0.5, "soc_end": "at_least_start"})
    assert "end condition" in table["binds"].iloc[-1]
    assert list(flat["reason"]) == ["idle: what is stored is held for the end condition"] * 2


def test_paid_to_take() -> None:
    """At −30 the battery is paid for charging; the local price is negative."""
    table = explained(price_per_mwh=[-30.0, 40.0])
    assert table["reason"].iloc[0] == "charges: it is paid to take energy"
    assert table["local_price_per_mwh"].iloc[0] == pytest.approx(-30.0)


def test_pv_without_another_way() -> None:
    """Behind an export limit, PV that would be curtailed is stored: locally it is worth nothing."""
    table = explained(price_per_mwh=[30.0, 40.0], solar_mw=[3.0, 0.0], site={"export_limit_mw": 1.0})
    assert table["reason"].iloc[0] == "charges: PV power finds no other way out"
    assert table["local_price_per_mwh"].iloc[0] == pytest.approx(0.0)
    assert "export limit" in table["binds"].iloc[0]


def test_the_billed_peak() -> None:
    """At one price all day only the demand charge moves the battery, and the local price shows it."""
    tariff = {"demand": [{"price_per_mw_month": 10_000.0}]}
    plan = case(
        price_per_mwh=[50.0] * 6,
        load_mw=[1.0, 1.0, 3.0, 1.0, 1.0, 1.0],
        tariff=tariff,
        battery={"soc_start": 0.5},
    ).optimize()
    table = plan.explain()
    assert table["reason"].iloc[2] == "discharges: it keeps the billed peak down"
    assert table["binds"].iloc[2].endswith("peak")
    assert table["local_price_per_mwh"].iloc[2] > 50.0
    highest = plan.schedule["import_mw"] > plan.schedule["import_mw"].max() - 1e-6
    assert not table.loc[~highest, "binds"].str.contains("peak").any()


def test_the_connection() -> None:
    """A load beyond the connection is what the battery was charged for."""
    table = explained(price_per_mwh=[50.0, 40.0], load_mw=[0.0, 1.5], site={"import_limit_mw": 1.0})
    assert table["reason"].iloc[1] == "discharges: the load is more than the connection gives"


def test_warranty_cycles() -> None:
    """One cycle a day: the second best hour is left out although its price beats losses."""
    table = explained(price_per_mwh=[10.0, 50.0, 10.0, 90.0], battery={"max_cycles_per_day": 0.5, "duration_h": 2.0})
    assert table["reason"].iloc[1].endswith("warranty cycles are worth more at another time")
    assert "cycles" in table["binds"].iloc[1]


def test_rule_ten_closes_a_way() -> None:
    """Full at −50 with losses: it would pay to waste energy by running in and out at once; that is named."""
    table = explained(
        price_per_mwh=[-50.0, -50.0, -50.0, -50.0, 20.0],
        battery={"technology": "modern_lfp", "soc_start": 0.95, "soc_end": "free"},
        site={"import_limit_mw": 3.0},
    )
    assert "one way at a time" in ", ".join(table["binds"])


def test_a_first_objective_that_does_not_mind() -> None:
    """time_shift counts delivery in its window; what it sells outside is left to its second objective."""
    table = explained(
        price_per_mwh=[80.0, 20.0, 60.0, 60.0],
        solar_mw=[0.0, 2.0, 1.0, 0.0],
        strategy={"name": "time_shift", "window": ["02:00", "04:00"]},
        battery={"soc_start": 1.0},
    )
    assert table["reason"].iloc[0].endswith("the first objective does not mind, a later one decides")


def test_only_optimal_plans_have_duals() -> None:
    """Rule and replay are refused by name; the error is one of the package."""
    scenario = case(price_per_mwh=[10.0, 50.0]).scenario()
    for plan in (bo.simulate(scenario), bo.replay(bo.optimize(scenario))):
        with pytest.raises(NotExplainableError, match=f"made by the {plan.twin} twin; only optimal plans"):
            plan.explain()
    assert issubclass(NotExplainableError, bo.BessOptError)


def test_another_plan_than_the_scenarios_is_refused() -> None:
    """A plan that its scenario does not give again is not explained with the duals of another one."""
    plan = case(price_per_mwh=[10.0, 50.0]).optimize()
    other = dataclasses.replace(plan, schedule=plan.schedule.assign(battery_mw=0.0))
    with pytest.raises(NotExplainableError, match="now gives another plan"):
        other.explain()


def test_a_saved_plan_explains_itself(tmp_path: Path) -> None:
    """Read back from its folder, or from another process, the plan gives the same table."""
    plan = case(price_per_mwh=[10.0, 30.0, 50.0]).optimize()
    table = plan.explain()
    pd.testing.assert_frame_equal(bo.load_dispatch(plan.save(tmp_path / "plan")).explain(), table, check_freq=False)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(plan)).explain(), table)
    assert table.attrs["marginals"]["power_mw"] > 0.0


def test_the_table_is_the_callers_own() -> None:
    """What a caller writes into it does not come back with the next call."""
    plan = case(price_per_mwh=[10.0, 50.0]).optimize()
    mine = plan.explain()
    mine["reason"] = ""
    assert (plan.explain()["reason"] != "").all()


def test_dc_port_has_its_own_price() -> None:
    """Behind the shared inverter the port's price is the market's times its efficiency."""
    plan = case(
        price_per_mwh=[20.0, 60.0],
        solar_dc_mw=[0.8, 0.0],
        battery={"topology": "series_dc", "converters": {"ac_to_dc": 0.9, "dc_to_ac": 0.9, "dc_to_dc": 1.0}},
        site={"inverter_mw": 5.0, "import_limit_mw": 0.0},
    ).optimize()
    local = explain(plan)["local_price_per_mwh"].to_numpy()
    assert local[1] == pytest.approx(60.0 * 0.9)
    assert np.isfinite(local).all()
    assert solve_scenario(plan.scenario).plant.bus is not None


@pytest.mark.parametrize("name", list(bo.strategies().index))
def test_every_strategy_explains_itself(name: str) -> None:
    """Columns and rows of a strategy's own, other units: prices are finite and every step has a reason."""
    hours = np.arange(48)
    sun = np.clip(3.0 - np.abs(hours % 24 - 12.5) * 0.7, 0.0, None)
    plant = case(
        battery={"power_mw": 1.5, "technology": "modern_lfp", "soc_start": 0.5},
        site={"export_limit_mw": 1.6, "import_limit_mw": 5.0, "solar_capacity_mw": 3.0},
        solar_mw=sun,
        load_mw=0.8 + 0.6 * (np.abs(hours % 24 - 18) < 3),
        price_per_mwh=np.round(45.0 + 35.0 * np.cos((hours - 19.0) / 12 * np.pi), 1),
        strategy=name,
    )
    try:
        table = plant.optimize().explain()
    except bo.StrategyError as error:
        pytest.skip(f"needs more than this scenario has: {error}")
    assert np.isfinite(table.filter(like="per_mwh").to_numpy()).all()
    assert table["reason"].str.contains("^(?:charges|discharges|idle): ").all()
    assert np.isfinite(list(table.attrs["marginals"].values())).all()


def test_peaks_that_look_back_on_each_other() -> None:
    """Twelve months that each look back on all before are tied in thousands of ways; each is looked at once."""
    plan = bo.optimize(bo.load(ROOT / "scenarios" / "office_with_tariff"))
    told = plan.explain()
    assert len(told) == len(plan.schedule)
    assert told["reason"].str.len().min() > 0
