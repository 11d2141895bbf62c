"""The battery alone: ends of the horizon, self-discharge, C-rate, warranty cycles, reserve. All by hand."""

from __future__ import annotations

from typing import Any

import pytest
from support.cases import IDEAL, case

import bess_opt as bo
from bess_opt.models.one_way import add_one_way, pairs_of


def value(plan: bo.Dispatch) -> float:
    """What was maximised."""
    assert plan.report is not None
    return plan.report.objective


@pytest.mark.parametrize(
    ("end", "at_100", "at_minus_5"),
    [
        ("free", 100.0, 5.0),
        ("at_least_start", 0.0, 5.0),
        ("equal", 0.0, 0.0),
        (0.25, 50.0, -2.5),
        (0.0, 100.0, -5.0),
        (1.0, -100.0, 5.0),
        ({"value_per_mwh": 120.0}, 20.0, 125.0),
        ({"value_per_mwh": 80.0}, 20.0, 85.0),
        ({"value_per_mwh": -10.0}, 110.0, 5.0),
    ],
)
def test_each_kind_of_end(end: Any, at_100: float, at_minus_5: float) -> None:
    """1 MWh in a lossless store of 2 MWh; two hours at one price, so only the end condition decides.

    At 100: free sells all, equal and at_least_start nothing, 0.25 half a MWh; a value of 120 per MWh buys
    one more (+120 − 100), a value of 80 sells (+100 − 80). At −5, where charging is paid: at_least_start
    may fill up (+5), equal may not. If `equal` were taken for `at_least_start` it would earn 5 at −5.
    """
    for price, expected in ((100.0, at_100), (-5.0, at_minus_5)):
        plan = case(price_per_mwh=[price, price], battery={"soc_start": 0.5, "soc_end": end}).optimize()
        assert value(plan) == pytest.approx(expected, abs=1e-9)
        change = plan.schedule["energy_mwh"].iloc[-1] - 1.0
        worth = end["value_per_mwh"] * change if isinstance(end, dict) else 0.0
        assert plan.metrics.stored_value == pytest.approx(worth, abs=1e-9)
        assert plan.metrics.net_revenue == pytest.approx(expected - worth, abs=1e-9)


def test_start_is_the_middle_of_the_window_by_default() -> None:
    """Window 0.2 to 0.9 of 2 MWh: 1.1 MWh at the start, 0.7 MWh to sell. A start at 0.5 would sell 0.6."""
    cells = IDEAL | {"soc_min": 0.2, "soc_max": 0.9}
    plan = case(price_per_mwh=[100.0, 100.0], battery={"technology": cells, "soc_start": None}).optimize()
    assert value(plan) == pytest.approx(70.0)
    assert plan.metrics.soc_min == pytest.approx(0.2)


@pytest.mark.parametrize(("step_min", "steps"), [(60, 1), (15, 4)])
def test_self_discharge_costs_a_share_per_hour(step_min: int, steps: int) -> None:
    """2 MWh that lose 10 % per hour: after three hours 2·0.9³ = 1.458 MWh are left to sell at 100.

    Per quarter of an hour it is the fourth root, so the step length does not matter. Without self-discharge
    it would be 200; with 10 % per step of 15 min, 2·0.9¹² = 0.565 MWh.
    """
    prices = [0.0] * (2 * steps) + [0.0] * (steps - 1) + [100.0]
    battery = {"power_mw": 8.0, "duration_h": 0.25, "soc_start": 1.0, "self_discharge_per_h": 0.1}
    plan = case(price_per_mwh=prices, step_min=step_min, battery=battery, site={"grid_charging": False}).optimize()
    assert value(plan) == pytest.approx(100.0 * 2.0 * 0.9**3)
    assert plan.metrics.losses_mwh == pytest.approx(2.0 * (1.0 - 0.9**3))


@pytest.mark.parametrize(("now", "sold_now"), [(80.0, False), (82.0, True)])
def test_waiting_is_weighed_against_self_discharge(now: float, sold_now: bool) -> None:
    """2 MWh less 10 % per hour: 1.8 now or 1.458 at 100 in two hours. The prices balance at 81."""
    plan = case(
        price_per_mwh=[now, 0.0, 100.0],
        battery={"power_mw": 2.0, "duration_h": 1.0, "soc_start": 1.0, "self_discharge_per_h": 0.1},
        site={"grid_charging": False},
    ).optimize()
    assert value(plan) == pytest.approx(1.8 * now if sold_now else 145.8)


@pytest.mark.parametrize(("c_rate", "charge", "discharge"), [(0.5, 2.0, 1.0), (0.25, 1.25, 0.5), (5.0, 2.0, 2.0)])
def test_c_rate_holds_at_the_cells(c_rate: float, charge: float, discharge: float) -> None:
    """2 MW, 4 MWh behind converters of 0.8 in and 0.5 out (rule 6).

    At 0.5 per h the cells take and give 2 MW: 2/0.8 = 2.5 at the port, capped by the 2 MW of the converter,
    and 2·0.5 = 1 out. At 0.25: 1.25 in, 0.5 out. At the port instead of the cells it would be 2 and 2, 1
    and 1.
    """
    battery = {
        "power_mw": 2.0,
        "technology": IDEAL | {"c_rate_max": c_rate},
        "converters": {"ac_to_dc": 0.8, "dc_to_ac": 0.5, "dc_to_dc": 1.0},
    }
    prices = [1.0, 1.0, 0.0, 0.0] + [1000.0] * 9
    schedule = case(price_per_mwh=prices, battery=battery).optimize().schedule
    assert schedule["charge_mw"].max() == pytest.approx(charge)
    assert schedule["discharge_mw"].max() == pytest.approx(discharge)


@pytest.mark.parametrize(("topology", "eta"), [("series_dc", 0.9), ("hybrid", 0.9), ("parallel_ac", 0.5)])
def test_c_rate_is_seen_through_the_converter_of_the_topology(topology: str, eta: float) -> None:
    """0.25 per h of 4 MWh is 1 MW at the cells: 0.9 MW at a DC port (0.9 DC to DC), 0.5 MW at an AC port."""
    battery = {
        "power_mw": 2.0,
        "soc_start": 1.0,
        "topology": topology,
        "technology": IDEAL | {"c_rate_max": 0.25},
        "converters": {"ac_to_dc": 0.5, "dc_to_ac": 0.5, "dc_to_dc": 0.9},
    }
    plan = case(price_per_mwh=[100.0, 100.0], battery=battery, site={"dc_share": 1.0, "inverter_mw": 9.0}).optimize()
    assert plan.schedule["discharge_mw"].tolist() == pytest.approx([eta, eta])


@pytest.mark.parametrize(("eta", "cycles", "per_day"), [(1.0, 1.5, 1.5), (0.5, 1.5, 0.75), (1.0, 20.0, 12.0)])
def test_cycles_per_day_count_what_leaves_the_cells(eta: float, cycles: float, per_day: float) -> None:
    """1 MW, 1 MWh at prices 0 and 100 by turns: 12 MWh a day could be sold.

    1.5 cycles allow 1.5 MWh out of the cells, which at 0.5 are 0.75 MWh at the port. Counted at the port it
    would be 1.5 again; over the horizon instead of per day the second day could take the share of the
    first.
    """
    battery = {"duration_h": 1.0, "technology": IDEAL | {"eta_discharge": eta}, "max_cycles_per_day": cycles}
    plan = case(price_per_mwh=[0.0, 100.0] * 24, battery=battery).optimize()
    assert value(plan) == pytest.approx(2 * 100.0 * per_day)
    assert plan.metrics.cycles_per_day == pytest.approx(per_day / eta)


@pytest.mark.parametrize(
    ("start", "zone", "days"), [("00:00", "UTC", 1), ("12:00", "UTC", 2), ("00:00", "Asia/Kolkata", 1)]
)
def test_a_warranty_day_is_a_local_calendar_day(start: str, zone: str, days: int) -> None:
    """24 hours of 0 and 100: one cycle if they are one local day, two if midnight lies within."""
    battery = {"duration_h": 1.0, "max_cycles_per_day": 1.0}
    plan = case(price_per_mwh=[0.0, 100.0] * 12, battery=battery, start=f"2025-06-02 {start}", zone=zone).optimize()
    assert value(plan) == pytest.approx(100.0 * days)


def test_reserve_is_kept() -> None:
    """2 MWh, of which 1.5 must be there after the first hour: 0.5 are sold at once, 1 later.

    150 in all. Without `energy_min_mwh`, or as a floor on the start of its step, 200 would be earned.
    """
    plan = case(price_per_mwh=[100.0, 100.0], energy_min_mwh=[1.5, 0.0], battery={"soc_start": 1.0}).optimize()
    assert value(plan) == pytest.approx(150.0)
    assert plan.schedule["discharge_mw"].tolist() == pytest.approx([0.5, 1.0])
    assert plan.schedule["energy_mwh"].tolist() == pytest.approx([1.5, 0.5])


def test_a_reserve_beyond_reach_names_itself() -> None:
    """An empty battery cannot hold 1.5 MWh after one hour at 1 MW."""
    with pytest.raises(bo.InfeasibleError, match="energy_min_mwh"):
        case(price_per_mwh=[100.0, 100.0], energy_min_mwh=[1.5, 0.0]).optimize()


def test_wear_steers_and_is_no_cash() -> None:
    """Spread 20 per MWh: wear of 25 stops the trade, of 15 lets it pass; net revenue is the full 20."""
    for wear, traded in ((25.0, 0.0), (15.0, 1.0)):
        plan = case(price_per_mwh=[10.0, 30.0], battery={"wear_cost_per_mwh": wear}).optimize()
        assert value(plan) == pytest.approx(5.0 * traded)
        assert plan.metrics.net_revenue == pytest.approx(20.0 * traded)
        assert plan.metrics.wear_cost == pytest.approx(wear * traded)


def test_variable_upkeep_steers_and_is_cash() -> None:
    """The same with `finance.variable_om_per_mwh`: it is paid, so net revenue is 5."""
    for upkeep, traded in ((25.0, 0.0), (15.0, 1.0)):
        plan = case(price_per_mwh=[10.0, 30.0], finance={"variable_om_per_mwh": upkeep}).optimize()
        assert value(plan) == pytest.approx(5.0 * traded)
        assert plan.metrics.net_revenue == pytest.approx(5.0 * traded)
        assert plan.metrics.variable_om == pytest.approx(upkeep * traded)


def test_auxiliary_demand_is_bought() -> None:
    """0.1 MW for four hours at 50 with nothing to trade: 20."""
    assert value(case(price_per_mwh=[50.0] * 4, battery={"auxiliary_mw": 0.1}).optimize()) == pytest.approx(-20.0)


@pytest.mark.parametrize(("step_min", "repeat"), [(60, 1), (30, 2), (15, 4), (5, 12)])
def test_shorter_steps_at_the_same_prices_earn_the_same(step_min: int, repeat: int) -> None:
    """Rule 3: every sum has the step in hours in it. Without it, four quarters would earn four times an hour.

    0.9 MWh of cells, 0.9 each way: twice 1 MWh in and 0.81 MWh out, 0.81·(60 + 90) − 10 − 20 = 91.5.
    """
    prices = [p for p in (10.0, 60.0, 20.0, 90.0) for _ in range(repeat)]
    cells = IDEAL | {"eta_charge": 0.9, "eta_discharge": 0.9}
    plan = case(price_per_mwh=prices, step_min=step_min, battery={"technology": cells, "duration_h": 0.9}).optimize()
    assert value(plan) == pytest.approx(0.9 * 0.9 * (60.0 + 90.0) - 10.0 - 20.0)


# --------------------------------------------------------------------------------------- one way at a time


def test_negative_prices_do_not_pay_for_waste() -> None:
    """A full battery of 0.8 that must end full, two hours at −50, so energy wasted is paid for (one way).

    Discharging 0.8 MWh costs 40 and charging it back takes 1 MWh for 50: 10 in all. The linear relaxation
    charges 1 and discharges 0.8 in both hours at once and earns 20.
    """
    battery = {
        "duration_h": 1.0,
        "technology": IDEAL | {"eta_charge": 0.8},
        "soc_start": 1.0,
        "soc_end": "equal",
    }
    of = case(price_per_mwh=[-50.0, -50.0], battery=battery)
    plan = of.optimize()
    assert value(plan) == pytest.approx(10.0)
    assert plan.schedule[["charge_mw", "discharge_mw"]].min(axis=1).max() == pytest.approx(0.0, abs=1e-9)
    assert relaxed(of) == pytest.approx(20.0)


def test_curtailing_and_discharging_at_negative_prices() -> None:
    """PV beside a battery at −10: what could be curtailed for nothing is not exported, and 1 MWh of import
    fills the store.

    Empty 2 MWh, one hour of 1 MW PV, then one without: curtail and import 1 MW twice, 20. Charging from PV
    in the first hour would earn 10.
    """
    plan = case(price_per_mwh=[-10.0, -10.0], solar_mw=[1.0, 0.0]).optimize()
    assert value(plan) == pytest.approx(20.0)
    assert plan.schedule["curtailed_mw"].tolist() == pytest.approx([1.0, 0.0])


def test_export_dearer_than_import_is_no_money_pump() -> None:
    """Import 10, export 30, no limits: bought in the first hour, sold in the second, 20 for 1 MWh.

    Importing and exporting at once would earn without bound (one way).
    """
    plan = case(import_price_per_mwh=[10.0, 10.0], export_price_per_mwh=[30.0, 30.0]).optimize()
    assert value(plan) == pytest.approx(20.0)
    assert plan.schedule[["import_mw", "export_mw"]].min(axis=1).max() == pytest.approx(0.0, abs=1e-9)


def test_one_connection_nets_pv_and_load() -> None:
    """1 MW of PV behind the meter of 1 MW of load: nothing passes, though selling at 30 and buying at 10
    would pay 20 per hour.

    With 0.5 MW more PV in the second hour, 0.5 MW are exported: 15. The battery is too small to matter.
    """
    small = {"power_mw": 1e-6}
    plan = case(
        import_price_per_mwh=[10.0, 10.0],
        export_price_per_mwh=[30.0, 30.0],
        solar_mw=[1.0, 1.5],
        load_mw=[1.0, 1.0],
        battery=small,
    ).optimize()
    assert value(plan) == pytest.approx(15.0, abs=1e-3)


def test_import_dearer_than_export_stores_pv_for_the_load() -> None:
    """Import 40, export 5: 1 MWh of PV is kept for the load of the next hour; sold it would fetch 5 and
    cost 40.
    """
    plan = case(
        import_price_per_mwh=[40.0, 40.0],
        export_price_per_mwh=[5.0, 5.0],
        solar_mw=[1.0, 0.0],
        load_mw=[0.0, 1.0],
    ).optimize()
    assert value(plan) == pytest.approx(0.0, abs=1e-9)
    assert plan.schedule["discharge_mw"].tolist() == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("topology", ["series_dc", "hybrid"])
def test_no_waste_through_an_inverter_without_rating(topology: str) -> None:
    """At −50 a DC-coupled site without any limit may take what the battery takes, no more: the inverter
    runs one way.

    Inverter 0.5 each way, battery 1 MW at its DC port, empty, 2 MWh: two hours of 2 MW import earn 200.
    Both ways at once the inverter would waste energy, and earn, without bound.
    """
    battery = {"topology": topology, "converters": {"ac_to_dc": 0.5, "dc_to_ac": 0.5, "dc_to_dc": 1.0}}
    plan = case(price_per_mwh=[-50.0, -50.0], battery=battery, site={"dc_share": 1.0}).optimize()
    assert value(plan) == pytest.approx(200.0)


def test_the_horizon_may_end_elsewhere_than_in_the_relaxation() -> None:
    """Stored energy is worth −30 per MWh at the end, prices are −50: filling the store is the only lawful
    way to be paid.

    Inverter of 1 MW and 0.5 each way, 0.5 MW lossless battery at the DC bus: 1 MW imported for two hours
    earns 100 and leaves 1 MWh, 70 in all. The relaxation wastes in the inverter what it imports (2·37.5 =
    75) and ends empty; a plan that must end empty too gets 37.5.
    """
    battery = {
        "power_mw": 0.5,
        "duration_h": 4.0,
        "topology": "series_dc",
        "soc_end": {"value_per_mwh": -30.0},
        "converters": {"ac_to_dc": 0.5, "dc_to_ac": 0.5, "dc_to_dc": 1.0},
    }
    of = case(price_per_mwh=[-50.0, -50.0], battery=battery, site={"inverter_mw": 1.0})
    assert relaxed(of) == pytest.approx(75.0)
    plan = of.optimize()
    assert value(plan) == pytest.approx(70.0)
    assert plan.report is not None
    assert plan.report.gap <= 1e-6


def relaxed(of: Any) -> float:
    """Value of the linear relaxation of the plain model."""
    from bess_opt.models.assemble import model_of
    from bess_opt.plant.from_scenario import plant_of
    from bess_opt.solver.expand import expand
    from bess_opt.solver.highs import Solver
    from bess_opt.strategies.shared.activation import activate

    scenario = of.scenario()
    plant = plant_of(scenario)
    m, _ = model_of(plant, activate(scenario, plant))
    return -Solver(expand(m)).solve().objective


def test_the_cuts_bring_the_relaxation_close() -> None:
    """With the one-way rows but fractional binaries the waste of the full battery above is cut off: 20
    becomes 10.
    """
    import numpy as np

    from bess_opt.models.assemble import model_of
    from bess_opt.plant.from_scenario import plant_of
    from bess_opt.solver.expand import expand
    from bess_opt.solver.highs import Solver
    from bess_opt.strategies.shared.activation import activate

    battery = {
        "duration_h": 1.0,
        "technology": IDEAL | {"eta_charge": 0.8},
        "soc_start": 1.0,
        "soc_end": "equal",
    }
    scenario = case(price_per_mwh=[-50.0, -50.0], battery=battery).scenario()
    plant = plant_of(scenario)
    m, _ = model_of(plant, activate(scenario, plant))
    add_one_way(m, plant, pairs_of(plant))
    program = expand(m)
    program.integer = np.zeros_like(program.integer)
    assert -Solver(program).solve().objective == pytest.approx(10.0)
