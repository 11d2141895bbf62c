"""The picture of stored energy's worth: right slopes in right places, the planned energy, and what takes its place."""

from __future__ import annotations

import numpy as np
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.dispatch.optimum.value_map import LEVELS, value_map
from bess_opt.solver.value_function import recursion

DAY = [20.0, 20.0, 60.0, 90.0]


def plan_of(**battery: object) -> bo.Dispatch:
    return bo.optimize(case(price_per_mwh=DAY, battery={"duration_h": 2.0, "soc_end": "free", **battery}).scenario())


def test_slopes_are_the_prices_at_which_a_mwh_is_sold() -> None:
    """Lossless, 1 MW. Before the last hour a first MWh brings 90, a second nothing; an hour before, one more is sold
    at 60 or saves buying at 60; before that, where 1 MWh is still bought at 20, it saves this once one is there.
    """
    worth = value_map(plan_of().scenario, 0, 4)
    low, high = worth.iloc[:, : LEVELS // 2], worth.iloc[:, LEVELS // 2 : LEVELS]
    assert worth.columns[0] == 0.0
    assert worth.columns[-1] == pytest.approx(2.0)
    for row, (first, second) in enumerate([(60.0, 20.0), (60.0, 60.0), (90.0, 0.0), (0.0, 0.0)]):
        assert np.allclose(low.iloc[row], first), row
        assert np.allclose(high.iloc[row], second), row
    assert worth.iloc[:, -1].isna().all()


def test_a_window_of_a_long_horizon_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after the window counts, in however many parts it is gone through."""
    scenario = case(price_per_mwh=DAY * 12, battery={"duration_h": 2.0, "self_discharge_per_h": 0.01}).scenario()
    whole = value_map(scenario, 0, 48)
    monkeypatch.setattr(recursion, "CHUNK", 5)
    part = value_map(scenario, 17, 23)
    assert part.equals(whole.iloc[17:23])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_planned_energy_runs_through_it(theme: str) -> None:
    """From the start to the end of the steps; the colours' scale and both axes have units."""
    plan = plan_of(soc_start=0.5)
    axes = plan.plot("value", theme=theme).axes[0]
    drawn = np.asarray(axes.lines[0].get_ydata())
    assert drawn.tolist() == [1.0, *plan.schedule["energy_mwh"].tolist()]
    assert "[MWh]" in axes.get_ylabel()
    assert axes.child_axes[0].get_ylabel() == "worth of a MWh [EUR/MWh]"


def test_where_value_functions_do_not_fit_the_worth_along_the_plan_is_drawn() -> None:
    axes = plan_of(max_cycles_per_day=0.5).plot("value").axes[0]
    assert not axes.collections
    assert "stored energy" in [line.get_label() for line in axes.lines]


def test_a_rule_has_no_worth_and_says_so() -> None:
    with pytest.raises(bo.ScenarioError, match="what: found 'value', but a plan of twin 'rule' does not say"):
        bo.simulate(plan_of().scenario).plot("value")
