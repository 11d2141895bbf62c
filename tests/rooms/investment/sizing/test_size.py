"""What sizing answers: objectives, steps, blocks, budgets, executors, and clear words where there is no answer."""

from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.sites import MONEY, at_size, merchant, npv, solar_plant

import bess_opt as bo

RANGES: dict[str, Any] = {"power_mw": (0.5, 4.0), "duration_h": (1.0, 6.0)}


def codes(best: bo.Sizing) -> list[str]:
    return [finding.code for finding in best.findings]


class TestObjectives:
    def test_net_revenue_wants_all_it_can_get(self) -> None:
        """Without a cost the largest battery wins, and the result names the end of the range."""
        best = bo.size(merchant(), **RANGES, objective="net_revenue")
        assert (best.power_mw, best.energy_mwh) == (4.0, 24.0)
        assert codes(best) == ["at_the_end", "at_the_end"]
        assert best.value == best.plan.metrics.net_revenue
        assert best.bound == pytest.approx(best.value, rel=1e-3)
        assert best.costs == {}

    def test_irr_is_the_best_rate_of_all_sizes(self) -> None:
        """No size of a grid has a higher rate than the bound, and present values at that rate are nought or less."""
        scenario = merchant(lowest=5.0)
        best = bo.size(scenario, **RANGES, objective="irr", tolerance=1e-4)
        assert best.bound is not None
        assert best.value <= best.bound <= best.value + 1e-4
        assert best.without == 0.07
        rates = []
        for p in np.linspace(0.5, 4.0, 4):
            for h in np.linspace(1.0, 6.0, 6):
                rates.append(bo.financials(bo.optimize(at_size(scenario, p, p * h))).irr)
        assert np.nanmax(rates) <= best.bound + 1e-9
        assert bo.financials(best.plan).irr == pytest.approx(best.value)
        at_rate = scenario.replace(finance={"discount_rate": best.value})
        again = bo.optimize(at_size(at_rate, best.power_mw, best.energy_mwh))
        assert npv(again) == pytest.approx(0.0, abs=1.0)

    def test_irr_that_never_pays(self) -> None:
        """Capital a hundred times its worth: no rate above −50 % is earned; do not build."""
        dear = merchant(finance={"capital_per_mw": 9e7, "capital_per_mwh": 9e7})
        best = bo.size(dear, **RANGES, objective="irr")
        assert not best.build
        assert "do_not_build" in codes(best)

    def test_lcos_has_no_bound_and_says_why(self) -> None:
        best = bo.size(merchant(days=3), **RANGES, objective="lcos")
        assert best.bound is None
        assert best.gap is None
        (note,) = (f for f in best.findings if f.code == "no_bound")
        assert "quotient" in note.found
        assert len(best.table) == 49
        assert best.value == pytest.approx(best.table["value"].min())
        assert best.value == pytest.approx(bo.financials(best.plan).lcos_per_mwh)

    def test_the_score_of_a_strategy_in_its_own_sense(self) -> None:
        """Least curtailment: the bound lies below, and with the largest battery nothing better is left."""
        capped = solar_plant(strategy={"name": "export_cap", "cap_mw": 3.0})
        best = bo.size(capped, **RANGES, objective="score")
        assert best.value == best.plan.metrics.score
        assert best.bound is not None
        assert best.bound <= best.value + 1e-6
        values = [bo.optimize(at_size(capped, p, p * h)).metrics.score for p in (0.5, 2.0, 4.0) for h in (1.0, 6.0)]
        assert best.bound <= min(values) + 1e-6
        assert best.value <= min(values) * (1.0 + 1e-3) + 1e-6

    def test_efficiency_within_a_budget(self) -> None:
        found = bo.size(solar_plant(days=2), **RANGES, objective="energy_efficiency", energy_min_mwh=6.0)
        assert found.energy_mwh >= 6.0 - 1e-9
        assert found.value == pytest.approx(found.table["value"].max())
        least = bo.size(solar_plant(days=2), **RANGES, objective="curtailment", budget=1_000_000.0)
        capital = MONEY["capital_per_mw"] * least.power_mw + MONEY["capital_per_mwh"] * least.energy_mwh
        assert capital <= 1_000_000.0 * (1 + 1e-9)

    @pytest.mark.parametrize(("objective", "which"), [("energy_efficiency", "smallest"), ("curtailment", "largest")])
    def test_a_ratio_alone_is_refused(self, objective: str, which: str) -> None:
        with pytest.raises(
            bo.ScenarioError, match=rf"objective: '{objective}' has no cost in it, so the {which} battery"
        ):
            bo.size(solar_plant(), **RANGES, objective=objective)


class TestWhatHasNoProof:
    def test_a_rule_is_searched_on_a_grid(self) -> None:
        scenario = merchant()
        best = bo.size(scenario, **RANGES, twin="rule")
        assert best.bound is None
        assert "no_bound" in codes(best)
        assert best.plan.twin == "rule"
        assert best.value == pytest.approx(npv(bo.simulate(best.scenario)))
        assert best.value == pytest.approx(best.table["value"].max())
        proven = bo.size(scenario, **RANGES)
        assert proven.value >= best.value
        assert proven.bound is not None
        assert proven.bound >= best.value

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"battery": {"wear_cost_per_mwh": 3.0}}, "wear, which is no cash"),
            ({"battery": {"soc_end": {"value_per_mwh": 20.0}}}, "stored_value, which is no cash"),
            ({"strategy": {"name": "cycling", "cycles_per_day": 0.5}}, "not after cash"),
            ({"strategy": {"name": "time_shift", "window": ["18:00", "22:00"]}}, "not after cash"),
        ],
        ids=["wear", "stored value", "cycling", "time_shift"],
    )
    def test_money_that_dispatch_is_not_after(self, change: dict[str, Any], why: str) -> None:
        """Then the planes would bound something else: no bound, and the result says why."""
        scenario = solar_plant(days=2, **change)
        best = bo.size(scenario, power_mw=(1.0, 2.0), duration_h=2.0)
        assert best.bound is None
        (note,) = (f for f in best.findings if f.code == "no_bound")
        assert why in note.found

    def test_sizes_that_cannot_serve_the_load(self) -> None:
        """A connection below the load: small batteries have no plan, the rest is searched."""
        hours = np.arange(48) % 24
        index = pd.date_range("2025-03-03", periods=48, freq="h", tz="UTC")
        scenario = merchant(days=2).replace(
            series=pd.DataFrame({"price_per_mwh": 50.0, "load_mw": np.where(hours == 18, 3.0, 0.5)}, index=index),
            site={"import_limit_mw": 1.5},
        )
        best = bo.size(scenario, power_mw=(0.5, 3.0), duration_h=(1.0, 4.0))
        assert best.power_mw >= 1.5 * (1.0 - 1e-9)
        assert best.table["value"].isna().any()
        assert best.without is None
        assert best.build
        with pytest.raises(bo.InfeasibleError, match="no size of the range has a plan"):
            bo.size(scenario, power_mw=(0.5, 1.0), duration_h=(1.0, 4.0))


class TestWhatCanBeBought:
    def test_steps_are_proven_exactly(self) -> None:
        """Half megawatts and whole megawatt-hours: the best of all of them, each planned by itself."""
        scenario = merchant(lowest=5.0)
        best = bo.size(scenario, **RANGES, power_step_mw=0.5, energy_step_mwh=1.0)
        sizes = [(0.5 * n, float(e)) for n in range(1, 9) for e in range(1, 25) if 0.5 * n <= e <= 3.0 * n]
        values = {size: npv(bo.optimize(at_size(scenario, *size))) for size in sizes}
        winner = max(values, key=lambda size: values[size])
        assert (best.power_mw, best.energy_mwh) == winner
        assert best.gap == pytest.approx(0.0, abs=1e-9)
        assert best.bound_continuous is not None
        assert best.bound_continuous >= (best.bound or 0.0) - 1e-6

    def test_only_energy_has_steps(self) -> None:
        best = bo.size(merchant(lowest=5.0), **RANGES, energy_step_mwh=2.5)
        assert best.energy_mwh / 2.5 == pytest.approx(round(best.energy_mwh / 2.5))
        assert best.gap is not None
        assert best.gap <= 1e-3

    def test_whole_blocks(self) -> None:
        """Blocks of 0.5 MW and 1 MWh: eight of them at most, and the best number is proven."""
        scenario = merchant(lowest=5.0)
        best = bo.size(scenario, **RANGES, module=(0.5, 1.0))
        values = [npv(bo.optimize(at_size(scenario, 0.5 * n, 1.0 * n))) for n in range(1, 9)]
        assert best.power_mw == 0.5 * (1 + int(np.argmax(values)))
        assert best.energy_mwh == 2.0 * best.power_mw
        assert best.value == pytest.approx(max(values))

    def test_a_budget_binds(self) -> None:
        best = bo.size(merchant(spread=90.0), **RANGES, budget=500_000.0)
        capital = MONEY["capital_per_mw"] * best.power_mw + MONEY["capital_per_mwh"] * best.energy_mwh
        assert capital == pytest.approx(500_000.0)
        assert [f.where for f in best.findings if f.code == "at_the_end"].count("budget") == 1

    def test_a_budget_ends_an_open_range(self) -> None:
        best = bo.size(merchant(), power_mw=(0.5, math.inf), duration_h=(1.0, math.inf), budget=700_000.0)
        assert best.costs["capital"] <= 700_000.0 * (1 + 1e-9)

    def test_one_dimension(self) -> None:
        """A stated power, or a stated duration, leaves one question."""
        power = bo.size(merchant(), power_mw=2.0, duration_h=(1.0, 6.0))
        assert power.power_mw == 2.0
        duration = bo.size(merchant(), power_mw=(0.5, 4.0), duration_h=2.0)
        assert duration.energy_mwh == pytest.approx(2.0 * duration.power_mw)
        single = bo.size(merchant(lowest=5.0), power_mw=2.0, duration_h=2.0)
        assert single.gap == pytest.approx(0.0, abs=1e-9)

    def test_what_the_relaxation_leaves_open_is_said(self) -> None:
        """One size only, and prices that pay for wasting energy: the bound stays above the exact plan."""
        single = bo.size(merchant(lowest=-80.0, spread=90.0), power_mw=2.0, duration_h=2.0)
        assert single.gap is not None
        assert single.gap > 1e-3
        (note,) = (f for f in single.findings if f.code == "gap_open")
        assert "the one-way rule" in note.expected

    def test_costs_add_up(self) -> None:
        best = bo.size(solar_plant(finance={"tax_rate": 0.25, "replacement_year": 8, "replacement_cost": 1e5, "variable_om_per_mwh": 1.0}), **RANGES)  # fmt: skip
        assert sum(value for name, value in best.costs.items() if name != "total") == pytest.approx(
            best.costs["total"]
        )
        assert best.costs["total"] == pytest.approx(-best.value)
        assert best.costs["tax"] > 0.0
        assert best.costs["variable_om"] > 0.0


class TestNotBuilding:
    def test_a_battery_that_never_pays(self) -> None:
        """The least loss is that of the smallest battery, and the advice is not to build."""
        dear = solar_plant(finance={"capital_per_mw": 2e6, "capital_per_mwh": 2e6})
        best = bo.size(dear, **RANGES)
        assert not best.build
        (note,) = (f for f in best.findings if f.code == "do_not_build")
        assert "do not build: npv is" in note.found
        assert (best.power_mw, best.energy_mwh) == pytest.approx((0.5, 0.5), rel=1e-3)
        assert best.without is not None
        assert best.value < best.without
        idle = bo.simulate(dear.replace(battery={"power_mw": 1.0}), rule=lambda _state: 0.0).metrics.net_revenue
        years = sum(1.07**-y for y in range(1, 16))
        assert best.without >= idle * 365.0 / 7.0 * years - 1.0

    def test_a_fixed_sum_is_weighed_against_not_building(self) -> None:
        """The same sizes win with or without it; enough of it turns the advice."""
        cheap = bo.size(merchant(spread=90.0), **RANGES)
        assert cheap.build
        over = cheap.value - (cheap.without or 0.0)
        dear = bo.size(merchant(spread=90.0, finance={"capital_fixed": over + 1_000.0}), **RANGES)
        assert (dear.power_mw, dear.energy_mwh) == (cheap.power_mw, cheap.energy_mwh)
        assert not dear.build


class TestExecutors:
    @pytest.mark.slow
    def test_any_executor_gives_the_same_bits(self) -> None:
        scenario = merchant(days=3)
        ranges = {"power_mw": (0.5, 2.0), "duration_h": (1.0, 4.0), "power_step_mw": 0.5, "energy_step_mwh": 0.5}
        serial = bo.size(scenario, **ranges, twin="rule")
        with ThreadPoolExecutor(2) as threads, ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
            others = [bo.size(scenario, **ranges, twin="rule", executor=pool) for pool in (threads, processes)]
        for other in others:
            pd.testing.assert_frame_equal(serial.table, other.table, check_exact=True)
            assert (other.power_mw, other.energy_mwh, other.value) == (
                serial.power_mw,
                serial.energy_mwh,
                serial.value,
            )

    def test_the_same_call_gives_the_same_bits(self) -> None:
        first, second = (bo.size(merchant(), **RANGES) for _ in range(2))
        pd.testing.assert_frame_equal(first.table, second.table, check_exact=True)
        assert (first.value, first.bound) == (second.value, second.bound)


REFUSED = [
    (
        {"power_mw": (3.0, 1.0)},
        r"power_mw: found \(3.0, 1.0\); give \(least, most\) with 0 <= least <= most, most above 0",
    ),
    ({"power_mw": 0.0}, "power_mw: found 0.0"),
    ({"power_mw": (-1.0, 2.0)}, "power_mw: found"),
    ({"power_mw": "2"}, "power_mw: found '2'; give a number, or a pair"),
    ({"power_mw": (1.0, 2.0, 3.0)}, "power_mw: found .*give a number, or a pair"),
    ({"duration_h": (1.0, math.nan)}, "duration_h: found .*give a number, or a pair"),
    ({"power_mw": (1.0, math.inf)}, "power_mw: the range of sizes has no end; give upper ends, or a budget"),
    ({"power_mw": (0.0, 1e300)}, r"power_mw: found .*; give sizes of at most 1e\+09, or no upper end"),
    ({"duration_h": (1.0, 1e7)}, r"duration_h: found .*; give sizes of at most 1e\+06"),
    ({"module": 1}, r"module: found 1; give \(MW, MWh\) of one block"),
    ({"power_step_mw": -0.5}, "power_step_mw: found -0.5; give a number above 0"),
    ({"energy_step_mwh": True}, "energy_step_mwh: found True"),
    ({"module": (2.5,)}, r"module: found \(2.5,\); give \(MW, MWh\) of one block"),
    ({"module": (0.5, 1.0), "power_step_mw": 0.5}, "module: is given beside steps"),
    ({"power_step_mw": 7.0}, "power_mw: no size lies within ranges, steps, least energy and budget"),
    ({"budget": 10.0}, "power_mw: no size lies within ranges, steps, least energy and budget"),
    ({"power_step_mw": 1e-7}, "power_step_mw: .* powers lie in the range; give a step"),
    ({"tolerance": 0.0}, "tolerance: found 0.0; give a share between 0 and 1"),
    ({"objective": "nvp"}, "objective: found 'nvp'; did you mean 'npv'"),
    ({"twin": "rules"}, "twin: found 'rules'; did you mean 'rule'"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_senseless_questions_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        bo.size(merchant(), **(RANGES | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"finance": None}, r"finance: 'npv' needs it; add \[finance\]"),
        ({"finance": {"horizons_per_year": None}}, "finance.horizons_per_year: is missing, and the horizon is 240 h"),
        ({"finance": {"lifetime_years": None}}, "finance.lifetime_years: is missing"),
        ({"battery": {"soc_end": "free"}}, 'battery.soc_end: is "free", which sizing does not take'),
    ],
)
def test_a_scenario_that_cannot_be_sized(change: dict[str, Any], message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        bo.size(merchant(**change), **RANGES)


def test_a_budget_without_a_cost() -> None:
    with pytest.raises(bo.ScenarioError, match="budget: is given, but no capital cost is stated"):
        bo.size(merchant(finance=None), **RANGES, objective="net_revenue", budget=1e6)
