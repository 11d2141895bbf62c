"""The ladder: rungs, the fair optimum, the captured share, and its picture."""

from __future__ import annotations

import dataclasses
import math
import pickle

import numpy as np
import pytest
from support.cases import case
from support.drawn_bars import bars_of

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
    assert "2025-06-02 01:00 the site takes 1.5 MW, the limit is 1 MW" in note.found


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
    drawn = sum(heights.sum() for _, heights in bars_of(hours).values())
    assert drawn == pytest.approx(compared.gap.objective, rel=1e-6)
    assert sum(heights.sum() for _, heights in bars_of(days).values()) == pytest.approx(drawn)
    assert figure_png(figure, dpi=40) == figure_png(compared.plot(theme=theme), dpi=40)


def test_the_picture_of_several_strategies() -> None:
    """Scores have units of their own: one ladder each, and no gap."""
    scenario = case(price_per_mwh=[10.0, 80.0, 20.0, 50.0], solar_mw=[0.0, 1.5, 0.0, 1.5]).scenario()
    axes = bo.compare(scenario, ["arbitrage", "time_shift"]).plot().axes
    assert [panel.get_title(loc="left").split(":")[0] for panel in axes] == ["arbitrage", "time_shift"]


def test_forecasts_are_rungs_between_rule_and_optimum() -> None:
    """A spike of 200 that a held price does not show: nothing earned, and seeing it is worth all of its 180.

    Windows of the whole horizon that know everything are the optimum; shares are of its gain.
    """
    scenario = case(price_per_mwh=[20.0, 20.0, 20.0, 20.0, 200.0, 20.0]).scenario()
    compared = bo.compare(scenario, forecast="observed", horizon_h=6)
    rungs = compared.table.index.get_level_values("rung").tolist()
    assert rungs == ["none", "rule", "forecast-driven", "perfect forecast", "optimal"]
    part = compared.table.droplevel("strategy")
    assert part.loc["forecast-driven", ["score", "captured"]].tolist() == pytest.approx([0.0, 0.0])
    assert part.loc["perfect forecast", ["score", "captured"]].tolist() == pytest.approx([180.0, 1.0])
    assert compared.forecast_values == {"arbitrage": pytest.approx(180.0)}
    assert compared.plans["arbitrage", "forecast-driven"].twin == "control"
    assert bo.compare(scenario).forecast_values == {}


def test_the_worth_of_a_forecast_is_positive_where_less_is_better() -> None:
    """A bill that a forecast lowers: its worth is what is saved."""
    scenario = case(
        price_per_mwh=[20.0, 20.0, 200.0, 20.0], load_mw=[0.5] * 4, strategy="self_consumption"
    ).scenario()
    compared = bo.compare(scenario, forecast="observed", horizon_h=4)
    scores = compared.table["score"].droplevel("strategy")
    assert compared.forecast_values["self_consumption"] == pytest.approx(
        scores["forecast-driven"] - scores["perfect forecast"]
    )
    assert compared.forecast_values["self_consumption"] > 0.0


def test_a_forecast_driven_plan_without_its_end_has_no_share() -> None:
    """Sun was promised for the last hour and does not come: what was sold for it is no gain to be shared."""
    of = case(
        price_per_mwh=[90.0, 20.0, 20.0],
        solar_mw=[0.0, 0.0, 0.1],
        battery={"soc_start": 0.5, "soc_end": "at_least_start"},
        site={"grid_charging": False},
    )
    sun = of.series["solar_mw"].where(of.series["solar_mw"] == 0.0, 1.0)
    compared = bo.compare(of.scenario(), forecast={"solar_mw": sun, "*": "perfect"}, horizon_h=3)
    captured = compared.table["captured"].droplevel("strategy")
    assert math.isnan(captured["forecast-driven"])
    assert captured["perfect forecast"] == pytest.approx(1.0)


def test_a_strategy_without_windows_is_noted() -> None:
    """Whole-number choices over a month: the ladder stands without the two rungs, and says why."""
    strategy = {"name": "firm_delivery", "window": ["18:00", "20:00"], "period": "month", "share_of_days": 0.5}
    scenario = case(solar_mw=[0.0, 1.0] * 48, strategy=strategy).scenario()
    compared = bo.compare(scenario, forecast="perfect", horizon_h=24)
    assert "forecast-driven" not in compared.table.index.get_level_values("rung")
    assert any(n.where.endswith("forecast-driven") and "yes-or-no choices" in n.found for n in compared.notes)


def test_the_picture_of_forecasts_names_their_worth() -> None:
    """Both rungs have a bar with their share, and the heading the worth of a perfect forecast."""
    scenario = case(price_per_mwh=[20.0, 20.0, 20.0, 20.0, 200.0, 20.0]).scenario()
    axes = bo.compare(scenario, forecast="observed", horizon_h=6).plot().axes[0]
    assert axes.get_title(loc="left").endswith("more is better; worth of a perfect forecast 180")
    assert [label.get_text() for label in axes.get_yticklabels()][2:4] == ["forecast-\ndriven", "perfect\nforecast"]
    assert "0, 0% of the possible gain" in [text.get_text() for text in axes.texts]


def test_each_product_has_lines_of_its_own() -> None:
    """Capacity and calls of each apart, as `plan.products` has them; with energy they come to the total."""
    columns = {"up_price_per_mw": 20.0, "up_activation": 0.25, "up_activation_price_per_mwh": 90.0}
    rows = [{"name": "up", "direction": "up", "max_mw": 0.5}, {"name": "fcr", "max_mw": 0.25}]
    site = case(price_per_mwh=SPREAD, **columns, fcr_price_per_mw=15.0, battery={"soc_start": 0.5})
    scenario = dataclasses.replace(site, product=rows).scenario()
    compared = bo.compare(scenario)
    lines = compared.lines.loc["arbitrage"]
    assert lines.index.tolist() == ["energy", "up_capacity", "up_activation", "fcr_capacity", "total"]
    products = compared.plans["arbitrage", "optimal"].products
    assert lines.loc["up_activation", "optimal"] == pytest.approx(products.loc["up", "activation_revenue"])
    assert lines.loc["up_capacity", "optimal"] == pytest.approx(products.loc["up", "capacity_revenue"])
    assert lines.loc["fcr_capacity", "value"] == pytest.approx(products.loc["fcr", "capacity_revenue"])
    assert lines["optimal"].drop("total").sum() == pytest.approx(lines.loc["total", "optimal"])
    assert lines.loc["total", "none"] == 0.0
