"""Wear by depth of cycle: what plans do under it, worked by hand, and how it is carried and refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.cases import Case, case

import bess_opt as bo
from bess_opt.plant.warranty.depth_wear import (
    counted_by_segment,
    depth_wear_of,
    leaving_by_segment,
    rainflow_cost,
    worn,
)

TWO = {"depth": [0.5, 1.0], "cost_per_mwh": [10.0, 30.0]}


def swinging(prices: list[float], wear: Any = TWO, **battery: Any) -> Case:
    """1 MW, 1 MWh without losses, empty at first."""
    own = {"power_mw": 1.0, "duration_h": 1.0, "soc_start": 0.0, "soc_end": "free", "wear": wear}
    return case(price_per_mwh=prices, battery=own | battery)


@pytest.mark.parametrize(("spread", "moved"), [(9.0, 0.0), (20.0, 0.5), (29.0, 0.5), (31.0, 1.0)])
def test_a_cycle_is_as_deep_as_its_spread_pays(spread: float, moved: float) -> None:
    """Half a cycle costs 10 per MWh, the deeper half 30: each half is moved where the spread is above its price."""
    plan = swinging([0.0, spread]).optimize()
    assert plan.metrics.discharged_mwh == pytest.approx(moved)
    assert plan.metrics.wear_cost == pytest.approx(10.0 * min(moved, 0.5) + 30.0 * max(moved - 0.5, 0.0))
    assert plan.metrics.net_revenue == pytest.approx(spread * moved)


def test_two_shallow_cycles_cost_less_than_a_deep_one() -> None:
    """Twice half the depth is 10 each, one of the whole depth 20: the order of moves decides, not the MWh."""
    wear = depth_wear_of(TWO["depth"], TWO["cost_per_mwh"], 1.0, 1.0)
    deep = worn(wear, 1.0, np.array([0.0, 0.0]), np.array([0.5, 0.5]))
    shallow = worn(wear, 1.0, np.array([0.0, 0.5, 0.0]), np.array([0.5, 0.0, 0.5]))
    assert (deep.cost.sum(), shallow.cost.sum()) == (pytest.approx(20.0), pytest.approx(10.0))
    assert rainflow_cost(wear, np.array([1.0, 0.0])) == pytest.approx(20.0)
    assert rainflow_cost(wear, np.array([1.0, 0.5, 1.0, 0.5])) == pytest.approx(10.0)


def test_rising_ranges_cost_nothing_and_the_start_stands_in_the_cheapest() -> None:
    plan = swinging([50.0, -50.0, -50.0], soc_start=0.25).optimize()
    assert plan.metrics.wear_cost == pytest.approx(10.0 * 0.25)


def test_energy_under_the_window_fills_the_cheapest_segments_too() -> None:
    """Half the nameplate is never used and stands in the cheap half until a deeper fall has passed it."""
    technology = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.5, "soc_max": 1.0, "c_rate_max": 10.0}
    plan = swinging([0.0, 100.0], technology=technology, soc_start=0.5).optimize()
    (row,) = plan.report.certificate.wear
    assert plan.metrics.wear_cost == row.rainflow == pytest.approx(10.0 * 0.5)


def test_what_self_discharge_and_a_draw_take_is_not_priced() -> None:
    wear = depth_wear_of(TWO["depth"], TWO["cost_per_mwh"], 1.0, 1.0)
    found = worn(wear, 0.5, np.zeros(1), np.array([0.25]), 0.25)
    assert found.cost.tolist() == pytest.approx([2.5])  # from the cheap half, which is at 0.25 of 0.5
    assert found.stand_mwh.tolist() == pytest.approx([0.0, 0.0])


def test_what_goes_in_and_out_within_a_step_passes_the_cheapest_segment() -> None:
    wear = depth_wear_of(TWO["depth"], TWO["cost_per_mwh"], 1.0, 0.75)
    found = worn(wear, 1.0, np.array([0.4]), np.array([0.6]))
    assert found.cost.tolist() == pytest.approx([10.0 * 0.6])
    assert found.stand_mwh.tolist() == pytest.approx([0.3, 0.25])


def test_a_full_battery_gives_what_is_drawn_from_its_own_charge() -> None:
    wear = depth_wear_of(TWO["depth"], TWO["cost_per_mwh"], 1.0, 1.0)
    found = worn(wear, 1.0, np.array([0.2]), np.zeros(1), 0.2)
    assert found.stand_mwh.sum() == pytest.approx(1.0)


def test_one_price_at_all_depths_is_a_price_per_mwh_that_leaves_the_cells() -> None:
    same = {"depth": [0.3, 1.0], "cost_per_mwh": [12.0, 12.0]}
    plan = swinging([0.0, 40.0, 5.0, 10.0], same).optimize()
    assert plan.report.engine == "value_function"
    assert plan.metrics.wear_cost == pytest.approx(12.0 * plan.metrics.discharged_mwh) == pytest.approx(12.0)


def test_several_batteries_wear_each_by_its_own_table() -> None:
    prices = [0.0, 0.0, 20.0, 40.0]
    base = swinging(prices)
    cheap = {"depth": [1.0], "cost_per_mwh": [15.0]}
    batteries = [base.battery | {"name": "north"}, base.battery | {"name": "south", "wear": cheap}]
    plan = bo.optimize(bo.Scenario(battery=batteries, series=base.series, strategy="arbitrage"))
    alone = [swinging(prices, wear).optimize() for wear in (TWO, cheap)]
    assert plan.metrics.wear_cost == pytest.approx(sum(one.metrics.wear_cost for one in alone))
    assert plan.report.objective == pytest.approx(sum(one.report.objective for one in alone))
    assert [row.battery for row in plan.report.certificate.wear] == ["north", "south"]
    assert all(row.claimed and abs(row.difference) < 1e-9 for row in plan.report.certificate.wear)


def test_the_row_is_saved_with_the_plan_and_stands_in_its_books(tmp_path: Path) -> None:
    plan = swinging([0.0, 40.0, 5.0, 10.0]).optimize()
    again = bo.load_dispatch(plan.save(tmp_path / "plan"))
    assert again.report.certificate.wear == plan.report.certificate.wear
    assert again.scenario.battery == plan.scenario.battery
    books = bo.reconcile(plan)
    assert "wear of battery, by rainflow counting" in books.to_markdown()
    assert books.to_dict()["certificate"]["wear"][0]["claimed"] is True


def test_replay_rule_and_operation_are_charged_by_the_same_law() -> None:
    rng = np.random.default_rng(3)
    of = swinging(rng.normal(30.0, 30.0, 96).tolist())
    plan = of.optimize()
    whole = plan.metrics.net_revenue - plan.metrics.wear_cost
    replayed = bo.replay(plan)
    assert replayed.metrics.wear_cost == pytest.approx(plan.metrics.wear_cost, abs=1e-9)
    driven = bo.control(of.scenario(), "perfect", horizon_h=96.0, every_h=6.0)
    assert driven.metrics.net_revenue - driven.metrics.wear_cost == pytest.approx(whole, abs=1e-6)
    for plan_of in (bo.simulate(of.scenario()), bo.control(of.scenario(), "persistence", horizon_h=24.0)):
        assert plan_of.metrics.net_revenue - plan_of.metrics.wear_cost <= whole + 1e-9
        battery = plan_of.scenario.battery
        path = np.append(battery.soc_start_resolved, plan_of.schedule["energy_mwh"])
        assert plan_of.metrics.wear_cost == pytest.approx(rainflow_cost(_wear_of(battery), path), abs=1e-9)


def _wear_of(battery: bo.Battery) -> Any:
    start = battery.soc_start_resolved * battery.energy_mwh
    return depth_wear_of(battery.wear.depth, battery.wear.cost_per_mwh, battery.energy_mwh, start)


@pytest.mark.parametrize(
    ("battery", "sentence"),
    [
        ({"wear_cost_per_mwh": 2.0}, "found 2 beside wear; give one of the two"),
        ({"wear": {"depth": [0.5], "cost_per_mwh": [1.0]}}, "found [0.5]; give depths that rise from above 0 to 1"),
        ({"wear": {"depth": [0.5, 0.5, 1.0], "cost_per_mwh": [1.0] * 3}}, "give depths that rise"),
        ({"wear": {"depth": [0.5, 1.0], "cost_per_mwh": [1.0]}}, "found 2 depths and 1 prices"),
        (
            {"wear": {"depth": [1.0], "cost_per_mwh": [-1.0]}},
            "cost_per_mwh[0]: found -1.0; give money per MWh that leaves the cells in each segment, 0 or more",
        ),
        ({"wear": {"depth": [0.5, 1.0], "cost_per_mwh": [9.0, 8.0]}}, "falls from 9 to 8 at depth 0.5; give prices"),
        ({"wear_stand": [0.0]}, "found 1 values, and wear has 2 segments"),
        ({"wear_stand": [0.6, 0.0], "soc_start": 0.6}, "found 0.6 MWh of 0.5 in segment 1"),
        ({"wear_stand": [0.0, 0.4]}, "holds 0.4 MWh, and the battery starts with 0; give soc_start = 0.4"),
    ],
)
def test_what_cannot_be_is_refused(battery: dict[str, Any], sentence: str) -> None:
    with pytest.raises(bo.ScenarioError) as caught:
        swinging([0.0, 1.0]).but(battery=battery).scenario()
    assert sentence in str(caught.value)


def test_an_infeasible_site_is_told_in_words_that_know_no_wear() -> None:
    of = swinging([0.0, 1.0, 2.0], soc_end=1.0, power_mw=0.2, duration_h=5.0)
    with pytest.raises(bo.InfeasibleError) as caught:
        of.optimize()
    assert "wear" not in str(caught.value)


# ------------------------------------------------------------------------------------------ cycle-life tables


def test_a_cycle_life_table_costs_exactly_its_capital_over_cycles_at_each_depth() -> None:
    depths, cycles, capital = [0.1, 0.4, 0.8, 1.0], [40_000.0, 8_000.0, 3_000.0, 2_000.0], 200_000.0
    made = bo.wear_from_cycle_life(depths, cycles, capital)
    assert len(made.findings) == 0
    wear = depth_wear_of(made.depth, made.cost_per_mwh, 2.5, 0.0)
    assert wear.of_falls(2.5 * np.array(depths)) == pytest.approx([capital * 2.5 / n for n in cycles])


def test_a_table_whose_prices_fall_becomes_its_lower_convex_hull_with_a_finding() -> None:
    made = bo.wear_from_cycle_life([0.2, 0.5, 1.0], [5_000.0, 1_000.0, 800.0], 100_000.0)
    assert made.depth == (0.2, 1.0)
    assert made.cost_per_mwh == pytest.approx((100.0, 100_000.0 * (1 / 800 - 1 / 5_000) / 0.8))
    (finding,) = made.findings
    assert (finding.code, finding.severity) == ("wear_hull", "warning")
    assert "0.5" in finding.found
    plan = swinging([0.0, 500.0], made).optimize()
    assert [found.where for found in plan.findings.warnings if found.code == "wear_hull"] == ["battery.wear.depth"]


def test_a_table_of_one_depth_and_a_straight_one_are_one_price() -> None:
    assert bo.wear_from_cycle_life([1.0], [4_000.0], 200_000.0).cost_per_mwh == (50.0,)
    straight = bo.wear_from_cycle_life([0.25, 0.5, 1.0], [16_000.0, 8_000.0, 4_000.0], 200_000.0)
    assert straight.cost_per_mwh == pytest.approx((50.0, 50.0, 50.0))


@pytest.mark.parametrize(
    ("depths", "cycles", "capital", "sentence"),
    [
        ([0.5, 0.8], [2.0, 1.0], 1.0, "depths: found [0.5, 0.8]; give depths that rise"),
        ([0.5, 1.0], [2.0], 1.0, "cycles: found [2.0]; give a number of cycles above 0 for each depth"),
        ([0.5, 1.0], [2.0, 0.0], 1.0, "give a number of cycles above 0"),
        ([1.0], [2.0], -1.0, "capital_per_mwh: found -1.0; give what new cells cost"),
        ([0.5, "y"], [2.0, 1.0], 1.0, "depths: found [0.5, 'y']; give depths that rise"),
        ("1.0", [2.0], 1.0, "depths: found '1.0'; give depths that rise"),
        (1.0, [2.0], 1.0, "depths: found 1.0; give depths that rise"),
        ([0.5, 1.0], [2.0, None], 1.0, "cycles: found [2.0, None]; give a number of cycles above 0 for each depth"),
        ([1.0], [2.0], "x", "capital_per_mwh: found 'x'; give what new cells cost"),
        ([1.0], [2.0], True, "capital_per_mwh: found True; give what new cells cost"),
    ],
)
def test_a_wrong_table_is_refused(depths: Any, cycles: Any, capital: float, sentence: str) -> None:
    with pytest.raises(bo.ScenarioError, match="give") as caught:
        bo.wear_from_cycle_life(depths, cycles, capital)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("seed", range(4))
def test_what_leaves_each_segment_is_what_counting_finds_in_it(seed: int) -> None:
    """Not only their sum in money: the energy in every segment, whatever the path."""
    path = np.random.default_rng(seed).uniform(0.2, 2.0, 60).round(2)
    moves = np.diff(path)
    wear = depth_wear_of([0.2, 0.5, 1.0], [3.0, 8.0, 20.0], 2.0, float(path[0]))
    left = leaving_by_segment(wear, np.maximum(moves, 0.0), np.maximum(-moves, 0.0))
    assert left.sum(axis=0) == pytest.approx(counted_by_segment(wear, path), abs=1e-9)
    assert left.sum(axis=1) == pytest.approx(np.maximum(-moves, 0.0), abs=1e-9)


def test_the_picture_of_wear() -> None:
    plan = case(price_per_mwh=[60.0, 10.0, 15.0, 90.0, 40.0, 120.0], battery={"wear": TWO}).optimize()
    path, sums = plan.plot("wear").axes
    bars = [bar.get_height() for bar in sums.patches]
    assert len(bars) == 2 * len(TWO["depth"])
    assert bars[: len(bars) // 2] == pytest.approx(bars[len(bars) // 2 :])
    assert sum(bars) > 0.0
    assert path.get_ylabel() == "state of charge"
    with pytest.raises(bo.ScenarioError, match=r"what: found 'wear', but the battery has no wear by depth"):
        case(price_per_mwh=[60.0, 10.0, 90.0]).optimize().plot("wear")


@pytest.mark.parametrize("seed", range(4))
def test_wear_of_moves_alone_is_that_of_segments_filled_one_by_one(seed: int) -> None:
    """Next to nothing drawn from the cells is followed segment by segment, and must change nothing."""
    rng = np.random.default_rng(seed)
    depth = [*np.sort(rng.uniform(0.1, 0.9, 5)), 1.0]
    stand = rng.uniform(0.0, 1.0, 6) * np.diff([0.0, *depth]) * 4.0 if seed % 2 else None
    wear = depth_wear_of(depth, np.cumsum(rng.uniform(0.0, 9.0, 6)), 4.0, 1.0, stand)
    into, out = rng.uniform(0.0, 1.5, 300), rng.uniform(0.0, 1.5, 300)
    into[rng.random(300) < 0.4], out[rng.random(300) < 0.4] = 0.0, 0.0
    quick, slow = worn(wear, 1.0, into, out), worn(wear, 1.0, into, out, 1e-300)
    assert quick.cost == pytest.approx(slow.cost, abs=1e-11)
    assert quick.stand_mwh == pytest.approx(slow.stand_mwh, abs=1e-11)
    assert quick.cost == pytest.approx(leaving_by_segment(wear, into, out) @ wear.price_per_mwh, abs=1e-11)
    assert quick.cost.sum() > 0.0


def test_only_the_cheapest_first_is_cheapest_first() -> None:
    """Segments of 0.5 MWh each with 0.7 MWh: full and then the rest, and no other share of it."""
    of = {"depth": [0.5, 1.0], "price_per_mwh": [10.0, 30.0], "energy_mwh": 1.0, "start_mwh": 0.7}
    assert depth_wear_of(**of).cheapest_first
    assert not depth_wear_of(**of, stand_mwh=[0.4, 0.3]).cheapest_first


def test_steps_without_a_draw_move_beside_one_that_has_it() -> None:
    """0.2 drawn from the deeper half at first; later 0.4 enters and 0.6 leaves, 0.1 of it from the deeper half."""
    wear = depth_wear_of([0.5, 1.0], [10.0, 30.0], 1.0, 0.7)
    found = worn(wear, 1.0, np.array([0.0, 0.4, 0.0]), np.array([0.0, 0.0, 0.6]), np.array([0.2, 0.0, 0.0]))
    assert found.cost == pytest.approx([0.0, 0.0, 0.5 * 10.0 + 0.1 * 30.0])
    assert found.stand_mwh == pytest.approx([0.0, 0.3])


def test_a_draw_from_empty_cells_takes_what_the_step_charges() -> None:
    wear = depth_wear_of([0.5, 1.0], [10.0, 30.0], 1.0, 0.0)
    found = worn(wear, 1.0, np.array([0.3]), np.zeros(1), 0.2)
    assert found.cost == pytest.approx([0.0])
    assert found.stand_mwh == pytest.approx([0.1, 0.0])
