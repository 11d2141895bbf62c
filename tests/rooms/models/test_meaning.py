"""What a component means is said where it is declared, and known wherever a plan is explained or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cases import case

import bess_opt as bo

QUIET = '''
from dataclasses import replace

from bess_opt.models.components import ArrayConstraint
from bess_opt.models.meaning import Meaning
from bess_opt.strategies.arbitrage import STRATEGY as ARBITRAGE

MEANING = Meaning("quiet hours", stated_at="strategy.quiet", words="quiet hours, in which little is sold")


def little_is_sold(m, t):
    """export[t] <= 0.25."""
    return m.export_mw[t] <= 0.25


def build(m, plant, options):
    m.quiet = ArrayConstraint(m.steps, rule=little_is_sold, meaning=MEANING)
    return ARBITRAGE.build(m, plant, options)


STRATEGY = replace(ARBITRAGE, name="quiet", build=build)
'''


@pytest.fixture
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "quiet.py").write_text(QUIET, encoding="utf-8")
    monkeypatch.setenv("BESS_OPT_STRATEGIES", str(tmp_path))
    return "quiet"


def test_a_row_of_a_strategy_binds_by_its_cause(quiet: str) -> None:
    plan = bo.optimize(case(price_per_mwh=[10.0, 10.0, 90.0, 90.0], strategy=quiet).scenario())
    binds = plan.explain()["binds"].tolist()
    assert plan.schedule["export_mw"].max() == pytest.approx(0.25)
    assert [("quiet hours" in text) for text in binds] == [False, False, True, True]


def test_a_row_of_a_strategy_is_named_where_it_leaves_no_plan(quiet: str) -> None:
    of = case(
        price_per_mwh=[10.0] * 4,
        solar_mw=[2.0] * 4,
        strategy=quiet,
        battery={"power_mw": 0.1, "duration_h": 1.0},
        site={"curtailment": False},
    )
    with pytest.raises(bo.InfeasibleError) as raised:
        bo.optimize(of.scenario())
    reason = raised.value.reasons[0]
    assert reason.code == "limits_in_conflict"
    assert "quiet hours, in which little is sold" in reason.expected
