"""The site by hand: paths and their efficiency, limits, permissions, load, tariff, windows, and the value
of energy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import IDEAL, LOSSLESS, Case, case

import bess_opt as bo

ROUND_TRIP = {"standard": 0.90, "modern_lfp": 0.93, "premium": 0.95}
REAL = {"ac_to_dc": 0.96, "dc_to_ac": 0.96, "dc_to_dc": 0.99}
LARGE = {"power_mw": 10.0, "duration_h": 4.0, "soc_start": None, "soc_end": "equal", "converters": REAL}


def value(plan: bo.Dispatch) -> float:
    """What was maximised."""
    assert plan.report is not None
    return plan.report.objective


# -------------------------------------------------------------------------------------------------- paths


def through_the_battery(topology: str, technology: str, share: float, **column: float) -> float:
    """MWh that reach the grid of 1 MWh of PV stored an hour before; the grid may not charge."""
    pv = {name: [mw, 0.0] for name, mw in column.items()}
    of = case(
        price_per_mwh=[0.0, 100.0],
        battery=LARGE | {"topology": topology, "technology": technology},
        site={"grid_charging": False, "dc_share": share},
        **pv,
    )
    return value(of.optimize()) / 100.0


@pytest.mark.parametrize("technology", ROUND_TRIP)
@pytest.mark.parametrize(
    ("topology", "share", "path"),
    [
        ("series_dc", 1.0, 0.99**2 * 0.96),
        ("hybrid", 1.0, 0.99**2 * 0.96),
        ("hybrid", 0.0, 0.96 * 0.96 * 0.99**2 * 0.96),
        ("hybrid", 0.5, 0.5 * 0.99**2 * 0.96 + 0.5 * 0.96**2 * 0.99**2 * 0.96),
        ("parallel_ac", 1.0, 0.96 * 0.96 * 0.96),
    ],
)
def test_pv_through_the_battery_to_the_grid(topology: str, share: float, path: float, technology: str) -> None:
    """1 MWh of the array before any inverter: DC-coupled 0.99²·0.96·rt, AC-coupled 0.96·0.96·rt·0.96.

    With the round trip on one converter only, or an inverter counted twice, every one of these moves by
    percents.
    """
    delivered = through_the_battery(topology, technology, share, solar_dc_mw=1.0)
    assert delivered == pytest.approx(path * ROUND_TRIP[technology], rel=1e-9)


@pytest.mark.parametrize("technology", ROUND_TRIP)
def test_ac_pv_through_an_ac_battery(technology: str) -> None:
    """`solar_mw` is given behind its inverter: 1 MWh comes back as 0.96²·rt, at most."""
    delivered = through_the_battery("parallel_ac", technology, 1.0, solar_mw=1.0)
    assert delivered == pytest.approx(0.96**2 * ROUND_TRIP[technology], rel=1e-9)


@pytest.mark.parametrize(("topology", "path"), [("series_dc", 0.99**2), ("parallel_ac", 0.96**2)])
def test_solar_behind_its_inverter_is_taken_back_to_the_array(topology: str, path: float) -> None:
    """`solar_mw` of 1 MW on a DC bus is 1/0.96 MW of array: its one inverter is passed once, going out."""
    delivered = through_the_battery(topology, "modern_lfp", 1.0, solar_mw=1.0)
    assert delivered == pytest.approx(path * 0.93, rel=1e-9)


@pytest.mark.parametrize("technology", ROUND_TRIP)
@pytest.mark.parametrize(
    ("topology", "path"),
    [("parallel_ac", 0.96**2), ("series_dc", 0.96**2 * 0.99**2), ("hybrid", 0.96**2 * 0.99**2)],
)
def test_grid_through_the_battery_to_the_grid(topology: str, path: float, technology: str) -> None:
    """1 MWh bought at 0 comes back as both AC-DC conversions, twice DC-DC behind a DC bus, and the cells."""
    of = case(
        price_per_mwh=[0.0, 100.0],
        battery=LARGE | {"topology": topology, "technology": technology},
        site={"import_limit_mw": 1.0, "dc_share": 1.0},
    )
    assert value(of.optimize()) / 100.0 == pytest.approx(path * ROUND_TRIP[technology], rel=1e-9)


@pytest.mark.parametrize("technology", ROUND_TRIP)
def test_the_table_of_topologies_says_the_same(technology: str) -> None:
    """The paths that `bo.topologies()` prints are those that the model takes."""
    table, cells = bo.topologies(), ROUND_TRIP[technology]
    shares = {"series_dc": 1.0, "hybrid": 1.0}
    for topology, share in shares.items():
        printed = table.loc[topology, "eta_dc_solar_battery_grid"]
        assert through_the_battery(topology, technology, share, solar_dc_mw=1.0) == pytest.approx(printed * cells)
    for topology in ("parallel_ac", "hybrid"):
        printed = table.loc[topology, "eta_ac_solar_battery_grid"]
        assert through_the_battery(topology, technology, 0.0, solar_dc_mw=1.0) == pytest.approx(printed * cells)


def test_a_hybrid_with_all_on_dc_is_series_dc() -> None:
    """Every column of the schedule, over a day with clipping and negative prices."""
    columns = {
        "solar_dc_mw": [0.0, 1.0, 3.0, 4.0, 2.0, 0.0, 0.0, 0.0],
        "price_per_mwh": [20.0, 10.0, -5.0, -5.0, 15.0, 90.0, 60.0, 30.0],
    }
    battery = LARGE | {"power_mw": 1.0, "duration_h": 2.0}
    site = {"inverter_mw": 1.5, "import_limit_mw": 3.0}
    series = case(battery=battery | {"topology": "series_dc"}, site=site, **columns).optimize()
    hybrid = case(battery=battery | {"topology": "hybrid"}, site=site | {"dc_share": 1.0}, **columns).optimize()
    ours = series.schedule.drop(columns="limited_by").to_numpy(dtype=float)
    assert np.allclose(ours, hybrid.schedule.drop(columns="limited_by").to_numpy(dtype=float), atol=1e-7)


# ------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("topology", "expected"),
    [("series_dc", 50.0 * (2.0 + 0.972)), ("hybrid", 50.0 * (2.0 + 0.972)), ("parallel_ac", 100.0)],
)
def test_clipped_pv_is_recaptured_on_a_dc_bus_only(topology: str, expected: float) -> None:
    """Array 4 MW, inverter and export limit 2 MW, one price of 50, DC-DC 0.9, inverter 0.8.

    On a DC bus 2/0.8 = 2.5 MW leave and 1.5 MW charge: 1.5·0.9·0.9·0.8 = 0.972 MWh are sold later. Behind
    its own inverter the array is clipped before the battery sees it: 2 MWh, 100.
    """
    of = case(
        solar_dc_mw=[4.0, 0.0],
        price_per_mwh=[50.0, 50.0],
        battery={
            "power_mw": 2.0,
            "topology": topology,
            "converters": {"ac_to_dc": 0.8, "dc_to_ac": 0.8, "dc_to_dc": 0.9},
        },
        site={"inverter_mw": 2.0, "export_limit_mw": 2.0, "grid_charging": False, "dc_share": 1.0},
    )
    plan = of.optimize()
    assert value(plan) == pytest.approx(expected)
    if topology != "parallel_ac":
        assert plan.schedule["inverter_mw"].max() == pytest.approx(2.0)
        assert plan.schedule["curtailed_mw"].max() == pytest.approx(0.0, abs=1e-9)


def test_an_ac_battery_takes_what_the_export_limit_cuts() -> None:
    """`solar_mw` of 4 MW against an export limit of 2 MW, battery 1 MW: 1 MW is stored, 1 MW curtailed,
    150 at 50.
    """
    plan = case(solar_mw=[4.0, 0.0], price_per_mwh=[50.0, 50.0], site={"export_limit_mw": 2.0}).optimize()
    assert value(plan) == pytest.approx(150.0)
    assert plan.schedule["curtailed_mw"].tolist() == pytest.approx([1.0, 0.0])


def test_the_shared_inverter_is_rated_at_its_ac_side_both_ways() -> None:
    """1 MW at the AC side, 0.5 each way: 1 MW in gives 0.5 MW on the bus, 1 MW out takes 2 MW from it.

    Two hours at 0 fill 1 MWh, sold at 100 as 0.5 MWh. A rating at the DC side would let 1 MWh per hour in.
    """
    battery = {
        "power_mw": 4.0,
        "duration_h": 1.0,
        "topology": "series_dc",
        "converters": {"ac_to_dc": 0.5, "dc_to_ac": 0.5, "dc_to_dc": 1.0},
    }
    plan = case(price_per_mwh=[0.0, 0.0, 100.0], battery=battery, site={"inverter_mw": 1.0}).optimize()
    assert value(plan) == pytest.approx(50.0)
    assert plan.schedule["inverter_mw"].tolist() == pytest.approx([-1.0, -1.0, 0.5])
    assert plan.schedule["inverter_loss_mw"].tolist() == pytest.approx([0.5, 0.5, 0.5])


def test_import_limit() -> None:
    """0.25 MW of import for a battery of 1 MW: a quarter of the trade."""
    assert value(case(price_per_mwh=[0.0, 100.0], site={"import_limit_mw": 0.25}).optimize()) == pytest.approx(25.0)


# -------------------------------------------------------------------------------------------- permissions


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
def test_without_grid_charging_pv_alone_is_stored(topology: str) -> None:
    """Prices 0 and 100, PV 0.5 MW at first: 50 with PV alone, 100 if the grid may charge; import still
    serves load.
    """
    for allowed, expected in ((False, 50.0), (True, 100.0)):
        of = case(
            price_per_mwh=[0.0, 100.0],
            solar_mw=[0.5, 0.0],
            load_mw=[0.3, 0.0],
            battery={"topology": topology},
            site={"grid_charging": allowed, "dc_share": 0.5},
        )
        plan = of.optimize()
        assert value(plan) == pytest.approx(expected)
        if not allowed:
            assert plan.schedule["import_mw"].tolist() == pytest.approx([0.3, 0.0])


def test_without_grid_charging_unserved_load_gives_nothing_to_store() -> None:
    """Load that is shed for nothing must not charge the battery in place of the grid.

    Load 1 MW, shedding costs 0, prices 10 and 100: nothing is bought, nothing stored. If the load were shed and
    1 MWh "for the load" bought, the battery would sell it for a profit of 90.
    """
    site = {"grid_charging": False, "unserved_price_per_mwh": 0.0}
    plan = case(price_per_mwh=[10.0, 100.0], load_mw=[1.0, 0.0], site=site).optimize()
    assert value(plan) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
def test_without_battery_export_the_load_alone_is_served(topology: str) -> None:
    """Prices 10 and 100, load 0.4 MW in the dear hour: −4 from the battery, +50 if it may feed the grid,
    −40 without it.

    PV of 0.2 MW in the dear hour is worth 20 in every case: it may be exported even while the battery
    serves the load.
    """
    for allowed, expected in ((False, -4.0 + 20.0), (True, 50.0 + 20.0)):
        of = case(
            price_per_mwh=[10.0, 100.0],
            load_mw=[0.0, 0.4],
            solar_mw=[0.0, 0.2],
            battery={"topology": topology},
            site={"battery_export": allowed, "dc_share": 0.5},
        )
        plan = of.optimize()
        assert value(plan) == pytest.approx(expected)


def test_without_curtailment_pv_must_go_somewhere() -> None:
    """PV 1 MW at −20, battery 0.25 MW: three quarters are exported and cost 15; with curtailment 5 are
    earned by charging.
    """
    battery = {"power_mw": 0.25}
    of = case(price_per_mwh=[-20.0, 0.0], solar_mw=[1.0, 0.0], battery=battery, site={"curtailment": False})
    assert value(of.optimize()) == pytest.approx(-15.0)
    assert value(of.but(site={"curtailment": True}).optimize()) == pytest.approx(5.0)


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
def test_pv_that_nothing_can_take_is_infeasible(topology: str) -> None:
    """2 MW of PV, no export, no curtailment, 1 MW of battery: an error with reasons, not a plan."""
    of = case(
        price_per_mwh=[10.0, 10.0],
        solar_mw=[2.0, 0.0],
        battery={"topology": topology},
        site={"curtailment": False, "export_limit_mw": 0.0, "dc_share": 0.5},
    )
    with pytest.raises(bo.InfeasibleError) as caught:
        of.optimize()
    assert caught.value.reasons


# --------------------------------------------------------------------------------------------------- load


def test_unserved_load_has_its_price() -> None:
    """Load 3 MW for two hours, import 1 MW, 1 MWh in store: 3 MWh are missing, 3,000 at 1,000 per MWh.

    It is a cost of the ledger: net revenue is −3,000. Without a price the case is infeasible, and says when.
    """
    of = case(
        price_per_mwh=[0.0, 0.0],
        load_mw=[3.0, 3.0],
        battery={"soc_start": 0.5},
        site={"import_limit_mw": 1.0, "unserved_price_per_mwh": 1000.0},
    )
    plan = of.optimize()
    assert value(plan) == pytest.approx(-3000.0)
    assert plan.metrics.unserved_mwh == pytest.approx(3.0)
    assert plan.metrics.unserved_cost == pytest.approx(3000.0)
    assert plan.metrics.net_revenue == pytest.approx(-3000.0)
    with pytest.raises(bo.InfeasibleError, match="2025-06-02 00:00"):
        of.but(site={"unserved_price_per_mwh": None}).optimize()


def test_cheap_shedding_is_taken_before_dear_import() -> None:
    """Import at 100 against shedding at 40: the load of 1 MWh is shed for 40. At 400 it is served for 100."""
    for price, expected in ((40.0, -40.0), (400.0, -100.0)):
        of = case(price_per_mwh=[100.0, 100.0], load_mw=[1.0, 0.0], site={"unserved_price_per_mwh": price})
        assert value(of.optimize()) == pytest.approx(expected)


# ------------------------------------------------------------------------------------------------- tariff


def tariff_case(**changes: Any) -> Case:
    """Energy rows of 50 before and 200 from noon on, load 0.5 MW all day."""
    rows = [{"price_per_mwh": 50.0, "hours": [0, 12]}, {"price_per_mwh": 200.0, "hours": [12, 24]}]
    return case(load_mw=[0.5] * 24, tariff={"energy": rows} | changes, battery={"duration_h": 2.0})


@pytest.mark.parametrize(
    ("export", "expected"),
    [("same", 300.0), ("none", 300.0), (30.0, 300.0)],
)
def test_energy_rows_are_prices(export: Any, expected: float) -> None:
    """12 h·0.5 MW at 50 and at 200 cost 1,500; 2 MWh moved from dear to cheap save 300.

    What export pays does not matter, the load takes the 2 MWh. At one price all day the battery would save
    nothing.
    """
    plan = tariff_case(export=export).optimize()
    assert value(plan) == pytest.approx(-1500.0 + expected)
    assert plan.schedule["import_price_per_mwh"].tolist() == [50.0] * 12 + [200.0] * 12


@pytest.mark.parametrize(("export", "expected"), [("same", 0.0), ("none", 0.0), (80.0, 30.0), (-5.0, 0.0)])
def test_the_tariff_says_what_export_pays(export: Any, expected: float) -> None:
    """Import at 50 in both hours: 1 MWh bought and sold is worth 30 at an export price of 80, and nothing
    at 50 or less.
    """
    rows = [{"price_per_mwh": 50.0}]
    of = case(load_mw=[0.0, 0.0], tariff={"energy": rows, "export": export})
    assert value(of.optimize()) == pytest.approx(expected, abs=1e-9)


def test_energy_rows_add_to_a_price_series() -> None:
    """A series of 10 and 30 on top of a row of 5: 15 and 35 are paid, the spread stays 20."""
    plan = case(price_per_mwh=[10.0, 30.0], tariff={"energy": [{"price_per_mwh": 5.0}]}).optimize()
    assert plan.schedule["import_price_per_mwh"].tolist() == [15.0, 35.0]
    assert plan.schedule["export_price_per_mwh"].tolist() == [15.0, 35.0]
    assert value(plan) == pytest.approx(20.0)
    assert len(plan.findings.warnings) >= 1


def test_a_demand_charge_is_shaved() -> None:
    """Load 1, 3, 1, 1 MW at a price of 0 and 18,000 per MW and month: 1 MW out of the battery makes 2 MW
    the peak.

    June is billed whole: 36,000 instead of 54,000. 1 MWh is charged before without a new peak (1 + 1 = 2).
    """
    rows = [{"price_per_mw_month": 18_000.0}]
    plan = case(price_per_mwh=[0.0] * 4, load_mw=[1.0, 3.0, 1.0, 1.0], tariff={"demand": rows}).optimize()
    assert value(plan) == pytest.approx(-36_000.0)
    assert plan.metrics.demand_charges == pytest.approx(36_000.0)
    assert plan.metrics.peak_import_mw == pytest.approx(2.0)


# ------------------------------------------------------------------------------------------------ windows


def window_case(start: str, steps: int, window: list[str], **changes: Any) -> Case:
    """PV of 1 MW around the clock beside 1 MW, 2 MWh, in Berlin."""
    strategy = {"name": "time_shift", "window": window, "price_weighted": False}
    return case(solar_mw=[1.0] * steps, start=start, zone="Europe/Berlin", strategy=strategy, **changes)


@pytest.mark.parametrize(
    ("day", "hours", "delivered"), [("2025-03-29", 24, 4.0), ("2025-03-30", 23, 2.0), ("2025-10-26", 25, 5.0)]
)
def test_the_window_follows_the_clock(day: str, hours: int, delivered: float) -> None:
    """Window 02:00 to 04:00 (rule 2): two hours on a plain day, one in spring, three in autumn.

    PV 1 MWh per hour, and 2 MWh stored from 00:00 on, of which one hour can give 1: 2 + 2, 1 + 1, 3 + 2
    MWh. Hours counted from midnight instead would give 4 on every day.
    """
    plan = window_case(day, hours, ["02:00", "04:00"]).optimize()
    assert len(set(plan.schedule.index.date)) == 1
    assert plan.metrics.score == pytest.approx(delivered)


def test_a_warranty_day_of_25_hours_is_one_day() -> None:
    """One cycle per local day, prices 0 and 100 by turns over the 25 h of 2025-10-26: one cycle, 100. Days
    of 24 h would be two.
    """
    battery = {"duration_h": 1.0, "max_cycles_per_day": 1.0}
    of = case(price_per_mwh=([0.0, 100.0] * 13)[:25], battery=battery, start="2025-10-26", zone="Europe/Berlin")
    assert value(of.optimize()) == pytest.approx(100.0)


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc", "hybrid"])
def test_time_shift_delivers_pv_alone(topology: str) -> None:
    """0.5 MWh of PV at noon and grid energy for nothing: only the 0.5 MWh are delivered in the evening.

    Charging from the grid would deliver 1 MWh per hour of the window, 2 MWh.
    """
    solar = [0.0] * 24
    solar[12] = 0.5
    of = case(
        solar_mw=solar,
        price_per_mwh=[0.0] * 18 + [100.0] * 6,
        battery={"topology": topology},
        site={"dc_share": 0.5},
        strategy={"name": "time_shift", "window": ["18:00", "20:00"], "price_weighted": False},
    )
    plan = of.optimize()
    assert plan.metrics.score == pytest.approx(0.5)
    assert plan.schedule["import_mw"].max() == pytest.approx(0.0, abs=1e-9)
    assert plan.schedule["export_mw"].to_numpy()[18:20].sum() == pytest.approx(0.5)


def test_time_shift_weighs_by_price_if_told() -> None:
    """1 MWh for a window with prices 10 and 90: weighted it goes to the second hour (score 90), unweighted
    it counts as 1.
    """
    for weighted, score in ((True, 90.0), (False, 1.0)):
        strategy = {"name": "time_shift", "window": ["01:00", "03:00"], "price_weighted": weighted}
        plan = case(solar_mw=[1.0, 0.0, 0.0], price_per_mwh=[0.0, 10.0, 90.0], strategy=strategy).optimize()
        assert plan.metrics.score == pytest.approx(score)
        assert plan.metrics.energy_revenue == pytest.approx(90.0), "money breaks the tie"


def test_a_window_over_midnight() -> None:
    """23:00 to 01:00 is one window: PV of the hour before it is delivered in it."""
    strategy = {"name": "time_shift", "window": ["23:00", "01:00"], "price_weighted": False}
    plan = case(solar_mw=[1.0, 0.0, 0.0, 0.0], start="2025-06-02 22:00", strategy=strategy).optimize()
    assert plan.metrics.score == pytest.approx(1.0)
    assert plan.schedule["export_mw"].tolist()[3] == pytest.approx(0.0, abs=1e-9)


# ----------------------------------------------------------------------------------- value of stored energy


def test_stored_energy_is_worth_what_it_will_be_sold_for() -> None:
    """Store of 0.5 MWh left after the first hour, sold at 100 through 0.9: one MWh more is worth +90, not
    −90 and not 100.
    """
    cells = IDEAL | {"eta_discharge": 0.9}
    plan = case(
        price_per_mwh=[20.0, 100.0, 30.0],
        battery={"technology": cells, "soc_start": 0.25},
        site={"grid_charging": False},
    ).optimize()
    assert plan.stored_energy_value is not None
    assert plan.stored_energy_value.iloc[0] == pytest.approx(90.0)


def test_stored_energy_that_blocks_paid_charging_is_worth_less_than_nothing() -> None:
    """1 MWh in 2 MWh, two hours at −50: one MWh more is one MWh less to be paid for."""
    plan = case(price_per_mwh=[-50.0, -50.0], battery={"soc_start": 0.5}).optimize()
    assert plan.stored_energy_value is not None
    assert plan.stored_energy_value.iloc[0] == pytest.approx(-50.0)


@pytest.mark.parametrize("topology", ["parallel_ac", "series_dc"])
@pytest.mark.parametrize("end", ["free", 0.5, {"value_per_mwh": 33.0}])
def test_value_of_stored_energy_is_the_slope_of_the_objective(topology: str, end: Any) -> None:
    """Central difference of the objective in the starting energy: retention times the value after the
    first hour.

    Without the sign, or with money per step instead of per MWh, this fails by a factor; 30 min steps tell
    the two apart.
    """
    battery = {
        "power_mw": 1.0,
        "duration_h": 3.0,
        "technology": "modern_lfp",
        "topology": topology,
        "converters": REAL,
        "self_discharge_per_h": 0.02,
        "soc_end": end,
    }
    prices = [40.0, 25.0, 18.0, 60.0, 95.0, 70.0, 30.0, 55.0, 81.0, 12.0]
    of = case(price_per_mwh=prices, solar_mw=[0.0, 0.2, 0.5, 0.9, 0.4] + [0.0] * 5, step_min=30, battery=battery)
    middle, step = 0.437, 1e-4

    def at(soc: float) -> bo.Dispatch:
        start = {"soc_start": soc}
        return of.but(battery=start).optimize()

    rise = value(at(middle + step)) - value(at(middle - step))
    # a priced end counts the change since the start: the start's own worth is not the dual's business
    moved = end["value_per_mwh"] if isinstance(end, dict) else 0.0
    slope = rise / (2.0 * step * 3.0) + moved
    plan = at(middle)
    assert plan.stored_energy_value is not None
    assert slope == pytest.approx(0.98**0.5 * plan.stored_energy_value.iloc[0], rel=1e-6)


def test_lossless_means_lossless() -> None:
    """With all efficiencies 1 a day of trading and PV loses nothing; the figures say so."""
    plan = case(price_per_mwh=[10.0, 50.0] * 6, solar_mw=[0.3] * 12, battery={"converters": LOSSLESS}).optimize()
    assert plan.metrics.losses_mwh == pytest.approx(0.0, abs=1e-9)
    assert plan.metrics.round_trip_efficiency == pytest.approx(1.0)
