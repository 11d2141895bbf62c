"""The ladder: rungs, the fair optimum, the captured share, and its picture."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from cases import case

import bess_opt as bo
from bess_opt.plots import figure_png

SPREAD = [10.0, 10.0, 50.0, 50.0]


def test_the_ladder_by_hand() -> None:
    """Nothing earns 0, the optimum 80 (2 MWh from 10 to 50, lossless); the share is the score by 80."""
    compared = bo.compare(case(price_per_mwh=SPREAD).scenario())
    rule = compared.table.loc[("arbitrage", "rule"), "score"]
    assert compared.table["score"].to_dict() == pytest.approx(
        {("arbitrage", "none"): 0.0, ("arbitrage", "rule"): rule, ("arbitrage", "optimal"): 80.0}
    )
    captured = compared.table["captured"]
    assert captured[("arbitrage", "none")] == 0.0
    assert captured[("arbitrage", "rule")] == pytest.approx(rule / 80.0)
    assert captured[("arbitrage", "optimal")] == 1.0
    assert compared.plans[("arbitrage", "optimal")].twin == "optimal"
    assert len(compared.notes) == 0


def test_rows_are_the_metrics_of_the_plans() -> None:
    """Every figure of the table is the plan's own, under the name it has there."""
    compared = bo.compare(case(price_per_mwh=SPREAD).scenario())
    for key, row in compared.table.drop(columns="captured").iterrows():
        assert {name: compared.plans[key].metrics.to_dict()[name] for name in row.index} == row.to_dict()


def test_a_rule_that_misses_its_end_is_compared_with_the_optimum_of_that_end() -> None:
    """The rule of time_shift empties the battery although half must be left: the fair optimum may do so too.

    Against the plain optimum the rule would seem to capture more than there is.
    """
    scenario = case(
        price_per_mwh=[20.0, 20.0, 60.0, 60.0],
        solar_mw=[1.0, 1.0, 0.0, 0.0],
        strategy={"name": "time_shift", "window": ["02:00", "04:00"]},
        battery={"soc_start": 0.5, "soc_end": "at_least_start"},
    ).scenario()
    compared = bo.compare(scenario)
    scores = compared.table["score"].droplevel("strategy")
    assert compared.table.loc[("time_shift", "rule"), "end_shortfall_mwh"] == pytest.approx(1.0)
    assert scores["rule"] > scores["optimal"]
    assert scores["optimal at rule's end"] >= scores["rule"] - 1e-9
    captured = compared.table["captured"].droplevel("strategy")
    assert captured["rule"] == pytest.approx(
        (scores["rule"] - scores["none"]) / (scores["optimal at rule's end"] - scores["none"])
    )
    assert math.isnan(captured["optimal"])
    assert compared.gap.objective == pytest.approx(scores["optimal at rule's end"] - scores["rule"], abs=1e-9)


def test_a_site_that_needs_its_battery_has_no_rung_none() -> None:
    """The load exceeds the connection for an hour: doing nothing is impossible, and that is said."""
    scenario = case(
        price_per_mwh=[10.0, 50.0],
        load_mw=[0.0, 1.5],
        site={"import_limit_mw": 1.0},
        battery={"soc_start": 0.5},
    ).scenario()
    compared = bo.compare(scenario)
    assert ("arbitrage", "none") not in compared.table.index
    assert compared.table["captured"].isna().all()
    (note,) = (n for n in compared.notes if "none" in n.where)
    assert note.code == "rung_left_out"
    assert "2025-06-02 01:00 the battery must give 0.5 MW for the import limit" in note.found


def test_nothing_to_gain_has_no_share() -> None:
    """One price all day: optimum and nothing are the same, and a share of nothing is not stated."""
    assert bo.compare(case(price_per_mwh=[30.0] * 4).scenario()).table["captured"].isna().all()


def test_less_is_better_turns_the_share_the_right_way() -> None:
    """export_cap counts curtailed MWh: nothing loses 2, the optimum 0; a rule that loses 0 captures all."""
    scenario = case(
        price_per_mwh=[20.0] * 4,
        solar_mw=[2.0, 2.0, 0.0, 0.0],
        site={"export_limit_mw": 1.0},
        strategy="export_cap",
    ).scenario()
    compared = bo.compare(scenario)
    assert compared.table.loc[("export_cap", "none"), "score"] == pytest.approx(2.0)
    assert compared.table.loc[("export_cap", "rule"), "captured"] == pytest.approx(1.0)
    assert (compared.table["score_sense"] == "min").all()


def test_several_strategies_stand_side_by_side() -> None:
    """Names and tables, twice the same name too; a name of the scenario's own strategy keeps its options."""
    own = {"name": "time_shift", "window": ["02:00", "04:00"]}
    scenario = case(price_per_mwh=[20.0, 20.0, 60.0, 60.0], solar_mw=[1.0, 1.0, 0.0, 0.0], strategy=own).scenario()
    compared = bo.compare(scenario, ["arbitrage", "time_shift", own | {"window": ["00:00", "02:00"]}])
    assert list(compared.gaps) == ["arbitrage", "time_shift", "time_shift (2)"]
    kept = compared.plans[("time_shift", "optimal")].scenario.strategies[0]
    assert list(kept.options["window"]) == ["02:00", "04:00"]  # type: ignore[call-overload]
    with pytest.raises(bo.StrategyError, match="several strategies"):
        _ = compared.gap


def test_unknown_and_empty_strategies_are_errors() -> None:
    """Rule 12, and an empty list, which would be a ladder of nothing."""
    scenario = case(price_per_mwh=SPREAD).scenario()
    with pytest.raises(bo.StrategyError, match="did you mean 'arbitrage'"):
        bo.compare(scenario, "arbitage")
    with pytest.raises(bo.StrategyError, match="the list is empty"):
        bo.compare(scenario, [])


def test_wear_stands_in_the_objective_and_not_in_the_score() -> None:
    """The optimum minds wear, the score is cash: both distances are given, and they differ by the wear."""
    scenario = case(price_per_mwh=SPREAD, battery={"wear_cost_per_mwh": 6.0}).scenario()
    compared = bo.compare(scenario)
    ruled, best = (compared.plans[("arbitrage", rung)] for rung in ("rule", "optimal"))
    wear = best.metrics.wear_cost - ruled.metrics.wear_cost
    assert compared.gap.score - compared.gap.objective == pytest.approx(wear)


def test_a_comparison_can_be_pickled() -> None:
    """It travels to another process: no solver object is kept."""
    compared = bo.compare(case(price_per_mwh=SPREAD).scenario())
    again = pickle.loads(pickle.dumps(compared))
    assert again.table.equals(compared.table)
    assert again.gap.table.equals(compared.gap.table)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture(theme: str) -> None:
    """A ladder and the gap by day and hour, whose bars add up to the gap; the same bytes twice."""
    scenario = case(
        price_per_mwh=np.tile([10.0, 80.0, 20.0, 50.0, -5.0, 30.0], 8), solar_mw=np.tile([0.0, 1.5], 24)
    ).scenario()
    compared = bo.compare(scenario)
    figure = compared.plot(theme=theme)
    ladder, days, hours = figure.axes
    assert [tick.get_text() for tick in ladder.get_yticklabels()] == ["none", "rule", "optimal"]
    assert "of the possible gain" in " ".join(text.get_text() for text in ladder.texts)
    drawn = sum(bar.get_height() for bars in hours.containers for bar in bars)
    assert drawn == pytest.approx(compared.gap.objective, rel=1e-6)
    assert sum(bar.get_height() for bars in days.containers for bar in bars) == pytest.approx(drawn)
    assert figure_png(figure, dpi=40) == figure_png(compared.plot(theme=theme), dpi=40)


def test_the_picture_of_several_strategies() -> None:
    """Scores have units of their own: one ladder each, and no gap."""
    scenario = case(price_per_mwh=[10.0, 80.0, 20.0, 50.0], solar_mw=[0.0, 1.5, 0.0, 1.5]).scenario()
    axes = bo.compare(scenario, ["arbitrage", "time_shift"]).plot().axes
    assert [panel.get_title(loc="left").split(":")[0] for panel in axes] == ["arbitrage", "time_shift"]
