"""Several strategies on one battery: the ledger counts once, limits are shared, each rule leaves room for the next."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.cases import case
from test_twins import NAMES, STATED, allowance, ending_at
from test_twins import case as day_of

import bess_opt as bo
from bess_opt.plant.rule import Held
from bess_opt.strategies.shared.stack import in_order

OPTIONS = STATED | {
    "cycling": {"cycles_per_day": 0.5, "shortfall_price_per_cycle": 500.0},
    "firm_delivery": {"window": ["18:00", "21:00"], "block_mw": 2.0, "shortfall_price_per_mwh": 300.0},
    "time_shift": {"window": ["18:00", "22:00"], "premium_per_mwh": 20.0},
}
SOLVER = {"rel_gap": 1e-5}
MIXED = ("export_cap", "arbitrage", "frequency_regulation")


def entry(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name} | OPTIONS.get(name, {}) | options


def stack(*names: str, topology: str = "parallel_ac", step_min: int = 60) -> bo.Scenario:
    """The day of the contract tests under several strategies."""
    base = day_of("arbitrage", topology, step_min)
    return base.replace(strategy=[entry(name) for name in names], solver=SOLVER)


@pytest.mark.parametrize("names", list(itertools.combinations(NAMES, 2)), ids="+".join)
def test_every_pair_of_strategies_stacks(names: tuple[str, str]) -> None:
    """Both twins pass their audit and every law of both strategies; replay equals plan; the optimum of the rule's
    own end has at least the rule's total, penalties included."""
    scenario = stack(*names)
    rule = bo.simulate(scenario)
    best = bo.optimize(ending_at(scenario, rule.schedule["soc"].iloc[-1]))
    assert best.report is not None
    assert sum(best.ledger.values()) == pytest.approx(best.report.objective, rel=1e-6, abs=1e-4)
    assert sum(best.ledger.values()) >= sum(rule.ledger.values()) - allowance(best)
    for dispatch in (best, rule):
        assert dispatch.metrics.balance_residual_mwh == pytest.approx(0.0, abs=1e-6)
        assert (dispatch.metrics.score_unit, dispatch.metrics.score_sense) == ("currency", "max")
        assert dispatch.metrics.score == dispatch.metrics.net_revenue
    again = bo.replay(best)
    numbers = best.schedule.select_dtypes("number")
    assert np.abs(numbers.to_numpy() - again.schedule[numbers.columns].to_numpy()).max() < 1e-6


@pytest.mark.parametrize(("topology", "step_min"), [("series_dc", 60), ("hybrid", 60), ("parallel_ac", 15)])
def test_a_stack_on_every_topology_and_step(topology: str, step_min: int) -> None:
    """Cap, energy and regulation together: audited, replayed, no worse than their rules."""
    scenario = stack(*MIXED, topology=topology, step_min=step_min)
    hours = scenario.series.iloc[40:64] if step_min == 15 else scenario.series.iloc[:24]
    scenario = scenario.replace(series=hours, solver={"rel_gap": 1e-4, "time_limit_s": 60})
    rule = bo.simulate(scenario)
    best = bo.optimize(ending_at(scenario, rule.schedule["soc"].iloc[-1]))
    assert best.report is not None
    slack = best.report.bound - best.report.objective
    assert sum(best.ledger.values()) >= sum(rule.ledger.values()) - slack - allowance(best)
    bo.replay(best)


def test_order_does_not_change_the_optimum() -> None:
    first, second = (bo.optimize(stack(*names)) for names in (MIXED, MIXED[::-1]))
    assert first.metrics.net_revenue == pytest.approx(second.metrics.net_revenue, rel=1e-5)


def test_money_counts_once() -> None:
    """Three strategies that are all scored in money: the ledger is that of one, not three times it."""
    alone = bo.optimize(stack("arbitrage"))
    together = bo.optimize(stack("arbitrage", "peak_shaving", "self_consumption"))
    assert together.metrics.net_revenue == pytest.approx(alone.metrics.net_revenue, rel=1e-9)
    assert together.report is not None
    assert alone.report is not None
    assert together.report.objective == pytest.approx(alone.report.objective, rel=1e-9)
    assert np.allclose(together.schedule["battery_mw"], alone.schedule["battery_mw"], atol=1e-6)


def test_hand_solved_block_beside_arbitrage() -> None:
    """1 MW / 2 MWh, lossless, full. Prices 10, 90, 20, 20; a block of 0.5 MW at 02:00 and 03:00.

    Alone, arbitrage sells 1 MWh at 90 and 1 at 20: 110. The block asks for 0.5 + 0.5 MWh at 20, which leaves
    1 MWh for the 90: 110 as well. A block of 0.75 MW leaves 0.5 MWh: 45 + 1.5·20 = 75. At a price of 10 for a
    missing MWh it pays to miss 0.5 MWh of it: 90 + 20 − 0.5·10 = 105 in all.
    """

    def plan(block: float, **price: float) -> bo.Dispatch:
        firm = {"name": "firm_delivery", "window": ["02:00", "04:00"], "block_mw": block} | price
        return bo.optimize(
            case(
                price_per_mwh=[10.0, 90.0, 20.0, 20.0],
                strategy=[firm, {"name": "arbitrage"}],
                site={"grid_charging": False},
                battery={"soc_start": 1.0, "soc_end": "free"},
            ).scenario()
        )

    assert plan(0.5).metrics.net_revenue == pytest.approx(110.0)
    assert plan(0.75).metrics.net_revenue == pytest.approx(75.0)
    priced = plan(0.75, shortfall_price_per_mwh=10.0)
    assert priced.metrics.net_revenue == pytest.approx(110.0)
    assert priced.ledger["firm_delivery penalty"] == pytest.approx(-5.0)
    assert priced.figures["firm_delivery.score"] == pytest.approx(0.5)


class TestRulesInOrder:
    """List order; what an earlier one asks for stands, a later one uses what is left."""

    def test_earlier_stands_later_adds(self) -> None:
        asks = [[1.0, -1.0, 0.0, 2.0], [3.0, 2.0, -0.5, -9.0]]
        rules = [lambda state, asked=asked: asked[state] for asked in asks]
        both = in_order(rules)  # type: ignore[arg-type]
        assert [both(t) for t in range(4)] == [3.0, -1.0, -0.5, 2.0]  # type: ignore[arg-type]

    def test_two_that_commit_are_refused(self) -> None:
        class Holds:
            held, wish = Held.nothing(1), 0.0

            def beside_others(self, *, first: bool) -> None:
                raise AssertionError(first)

            def __call__(self, _state: object) -> float:
                return 0.0

        with pytest.raises(bo.StrategyError, match="two rules of this stack commit capacity"):
            in_order([Holds(), Holds()])

    def test_order_decides_in_the_rule(self) -> None:
        """Regulation first holds more capacity than regulation after arbitrage, which trades more."""
        first = bo.simulate(stack("frequency_regulation", "arbitrage"))
        last = bo.simulate(stack("arbitrage", "frequency_regulation"))
        assert first.metrics.regulation_revenue > 1.2 * last.metrics.regulation_revenue > 0.0
        held = last.schedule[last.schedule["regulation_up_mw"] > 0.0]
        assert (held["limited_by"] == "").all()


class TestCompare:
    def test_lines_add_up_and_the_value_is_against_no_battery(self) -> None:
        compared = bo.compare(stack(*MIXED))
        lines = compared.lines.droplevel("strategy")
        for rung in ("none", "rule", "optimal", "value"):
            assert lines[rung].drop("total").sum() == pytest.approx(lines.loc["total", rung], abs=1e-6)
        plans = {rung: plan for (_, rung), plan in compared.plans.items()}
        for rung, plan in plans.items():
            cash = sum(plan.ledger[line] for line in ("energy", "regulation", "demand", "variable_om"))
            assert cash == pytest.approx(plan.metrics.net_revenue)
            assert lines.loc["regulation", rung] == pytest.approx(plan.metrics.regulation_revenue)
        assert lines.loc["total", "value"] == pytest.approx(
            plans["optimal"].metrics.net_revenue - plans["none"].metrics.net_revenue
        )

    def test_loss_by_removal_is_that_of_the_scenario_without_it(self) -> None:
        scenario = stack(*MIXED)
        compared = bo.compare(scenario)
        removed = compared.removed.droplevel("strategy")
        whole = bo.optimize(scenario)
        assert list(removed.index) == list(MIXED)
        for name in MIXED:
            rest = scenario.replace(strategy=[entry(other) for other in MIXED if other != name])
            expected = whole.metrics.net_revenue - bo.optimize(rest).metrics.net_revenue
            assert removed.loc[name, "net_revenue_loss"] == pytest.approx(expected, abs=1e-6)
        assert removed.loc["frequency_regulation", "loss"] > 0.0 > removed.loc["export_cap", "loss"]

    def test_the_gap_of_a_stack_sums_up(self) -> None:
        scenario = stack("solar_smoothing", "arbitrage")
        compared = bo.compare(scenario)
        label = "solar_smoothing + arbitrage"
        plans = {rung: plan for (_, rung), plan in compared.plans.items()}
        best = plans.get("optimal at rule's end", plans["optimal"])
        lost = sum(best.ledger.values()) - sum(plans["rule"].ledger.values())
        gap = compared.gaps[label]
        assert gap.table.to_numpy().sum() == pytest.approx(gap.objective, rel=1e-6)
        assert gap.objective == pytest.approx(lost, rel=1e-6)

    def test_one_strategy_has_no_removal(self) -> None:
        compared = bo.compare(stack("arbitrage"))
        assert compared.removed.empty

    def test_what_cannot_do_without_is_noted(self) -> None:
        """Without self_consumption the rest is a block that the site cannot hold: the removal is left out."""
        firm = {
            "name": "firm_delivery",
            "window": ["00:00", "02:00"],
            "block_mw": 0.5,
            "shortfall_price_per_mwh": 9.0,
        }
        hard = firm | {"shortfall_price_per_mwh": None}
        scenario = case(
            price_per_mwh=[10.0, 10.0], battery={"soc_start": 0.0, "soc_end": "free"}, strategy=[hard, "arbitrage"]
        ).scenario()
        with pytest.raises(bo.InfeasibleError):
            bo.compare(scenario)
        priced = bo.compare(scenario.replace(strategy=[firm, "arbitrage"]))
        assert set(priced.removed.index.get_level_values("removed")) == {"firm_delivery", "arbitrage"}


class TestContradictions:
    def refused(self, match: str, *strategies: dict[str, Any], **changes: Any) -> None:
        base = case(price_per_mwh=[10.0, 50.0], solar_mw=[1.0, 0.0], load_mw=[0.1, 0.1], strategy=list(strategies))
        with pytest.raises(bo.StrategyError, match=match):
            bo.optimize(base.but(**changes).scenario())
        with pytest.raises(bo.StrategyError, match=match):
            bo.simulate(base.but(**changes).scenario())

    def test_the_same_strategy_twice(self) -> None:
        self.refused("'arbitrage' is stated twice; a stack holds", {"name": "arbitrage"}, {"name": "arbitrage"})

    def test_a_block_that_is_to_be_found(self) -> None:
        self.refused(
            r"strategy\[1\].block_mw: is missing; in a stack state", {"name": "arbitrage"}, {"name": "firm_delivery"}
        )

    def test_a_block_above_the_cap_of_another(self) -> None:
        self.refused(
            r"strategy\[0\].block_mw: found 0.8, above the 0.5 MW that may be exported in this stack",
            {"name": "firm_delivery", "block_mw": 0.8},
            {"name": "export_cap", "cap_mw": 0.5},
        )

    def test_the_place_of_a_wrong_option(self) -> None:
        self.refused(
            r"strategy\[1\].windw: .*did you mean 'window'",
            {"name": "arbitrage"},
            {"name": "time_shift", "windw": ["18:00", "22:00"]},
        )

    def test_a_missing_series(self) -> None:
        self.refused(
            r"strategy\[1\].name: 'frequency_regulation' needs regulation",
            {"name": "arbitrage"},
            {"name": "frequency_regulation"},
        )


def test_a_rule_that_cannot_keep_a_hard_block_says_when() -> None:
    """An empty battery and no PV: the block of the window's first hour is beyond the rule."""
    firm = {"name": "firm_delivery", "window": ["01:00", "03:00"], "block_mw": 1.0}
    scenario = case(
        price_per_mwh=[10.0, 50.0, 60.0],
        battery={"soc_start": 1.0, "soc_end": "free"},
        strategy=[{"name": "time_shift", "window": ["00:00", "01:00"]}, firm],
        solar_mw=[0.1, 0.0, 0.0],
    ).scenario()
    with pytest.raises(bo.InfeasibleError, match=r"02:00 the block of 1 MW is short by .* put firm_delivery first"):
        bo.simulate(scenario)


def test_a_window_without_a_premium_is_noted() -> None:
    """Only in a stack: alone, the window is the objective."""
    plan = bo.optimize(stack("arbitrage").replace(strategy=["arbitrage", "time_shift"]))
    assert [f.code for f in plan.findings if f.code == "no_premium"] == ["no_premium"]
    alone = bo.optimize(stack("time_shift"))
    assert not [f for f in alone.findings if f.code == "no_premium"]


def test_a_premium_moves_energy_into_the_window() -> None:
    """The premium adds to the price of the window, and stands in the ledger as earned."""
    worth = [bo.optimize(stack("time_shift", "arbitrage").replace(strategy=[entry("time_shift", premium_per_mwh=p), "arbitrage"])) for p in (0.0, 200.0)]  # fmt: skip
    scores = [plan.figures["time_shift.score"] for plan in worth]
    assert scores[1] > scores[0]
    assert worth[1].ledger["time_shift penalty"] > 0.0


def test_a_stack_in_a_file(tmp_path: Path) -> None:
    """[[strategy]] twice in a scenario file is a stack, and saving and loading keeps it."""
    plan = bo.optimize(stack("export_cap", "arbitrage"))
    folder = tmp_path / "plan"
    plan.save(folder)
    again = bo.load_dispatch(folder)
    assert [e.name for e in again.scenario.strategies] == ["export_cap", "arbitrage"]
    assert again.metrics.to_dict() == plan.metrics.to_dict()
    assert dict(again.ledger) == dict(plan.ledger)
