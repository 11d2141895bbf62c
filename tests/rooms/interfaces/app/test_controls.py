"""The controls' values as a scenario, its plans as cards and as a chart: no page is needed for any of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.app_sites import small

import bess_opt as bo
from bess_opt.common.wording import number, percent
from bess_opt.interfaces.app.chart import chart
from bess_opt.interfaces.app.controls import (
    STATED,
    Controls,
    cards,
    changed,
    choices,
    controls_of,
    error_lines,
    product_rows,
    scales,
)
from bess_opt.interfaces.app.page import products_table


def test_untouched_controls_change_nothing() -> None:
    """Also where technology and strategy are the user's own figures and options."""
    own = small(
        battery={
            "power_mw": 1.3, "duration_h": 2.7, "topology": "series_dc",
            "technology": {"eta_charge": 0.9, "eta_discharge": 0.9, "soc_min": 0.1, "soc_max": 0.9, "c_rate_max": 1.0},
        },
        strategy={"name": "time_shift", "window": ["18:00", "22:00"]},
    )  # fmt: skip
    for scenario in (small(), own):
        assert changed(scenario, controls_of(scenario)) == scenario
    assert controls_of(own).technology == STATED
    assert next(iter(choices(own)["technology"])) == STATED
    assert STATED not in choices(small())["technology"]


def test_every_control_reaches_the_scenario() -> None:
    asked = changed(small(), Controls("premium", "series_dc", 2.5, 3.25, "self_consumption"))
    battery = asked.battery
    assert (battery.technology, battery.topology) == ("premium", "series_dc")
    assert (battery.power_mw, battery.duration_h) == (2.5, 3.25)
    assert [entry.name for entry in asked.strategies] == ["self_consumption"]
    assert asked.site == small().site


def test_every_choice_is_known() -> None:
    offered = choices(small())
    assert set(offered["topology"]) == set(bo.topologies().index)
    assert set(offered["technology"]) == set(bo.technologies().index)
    assert set(offered["strategy"]) == {STATED, *bo.strategies().index}


@pytest.mark.parametrize(("power", "hours"), [(1.0, 2.0), (0.03, 0.5), (250.0, 30.0)])
def test_sliders_hold_what_is_stated(power: float, hours: float) -> None:
    """Within their ends, with room above and below."""
    ends = scales(small(battery={"power_mw": power, "duration_h": hours}))
    assert 0.0 < ends["power"].least < power < ends["power"].most
    assert 0.0 < ends["duration"].least < hours < ends["duration"].most


def test_an_impossible_wish_is_said_in_words() -> None:
    with pytest.raises(bo.ScenarioError) as caught:
        changed(small(), replace(controls_of(small()), power_mw=-1.0))
    lines = error_lines(caught.value)
    assert any("battery.power_mw" in line for line in lines)
    assert not any("Traceback" in line for line in lines)


def test_cards_are_the_figures_of_the_plan() -> None:
    scenario = changed(small(), replace(controls_of(small()), power_mw=2.0))
    best, rule = bo.optimize(scenario), bo.simulate(scenario)
    shown = {card.name: card for card in cards(best, best)}
    m = best.metrics
    assert list(shown) == ["net revenue", "full cycles", "curtailed", "gap"]
    assert shown["net revenue"].value == f"{number(m.net_revenue)} EUR"
    assert shown["full cycles"].value == number(m.equivalent_full_cycles)
    assert shown["curtailed"].value == percent(m.curtailment_ratio)
    assert best.report is not None
    assert float(shown["gap"].value) == pytest.approx(best.report.gap, abs=1e-9)
    behind = {card.name: card for card in cards(rule, best)}
    assert behind["net revenue"].value == f"{number(rule.metrics.net_revenue)} EUR"
    assert behind["gap"].value == f"{number(m.score - rule.metrics.score)} EUR"
    assert ("short" in behind["gap"].note) == (rule.metrics.end_shortfall_mwh > 1e-6)


def test_without_sun_nothing_is_curtailed() -> None:
    series = small().series.drop(columns="solar_mw")
    plan = bo.optimize(small(series=series))
    assert {card.name: (card.value, card.note) for card in cards(plan, plan)}["curtailed"] == (
        "–",
        "there is no solar",
    )


def test_market_products_are_drawn_and_told_each() -> None:
    """Bids as lines of the power panel; what each earns, and what is left when it is called, in a table."""
    series = small().series.assign(fcr_price_per_mw=9.0, idle_price_per_mw=-1.0)
    rows = [{"name": "fcr", "block_h": 4.0}, {"name": "idle", "direction": "up"}]
    plan = bo.optimize(small(series=series, product=rows))
    traces = {trace["name"]: trace for trace in chart(plan)["data"]}
    np.testing.assert_allclose(traces["fcr held"]["y"], plan.schedule["fcr_mw"], atol=1e-6)
    assert traces["fcr held"]["line"]["dash"] == "dot"
    assert "idle held" not in traces
    told = product_rows(plan)
    assert told is not None
    heads, (fcr, idle) = told
    assert fcr[heads.index("paid [EUR]")] == f"{plan.products.loc['fcr', 'capacity_revenue']:,.2f}"
    assert fcr[heads.index("left when called [MW]")] == "0"
    assert idle[-2:] == ["–", "–"]
    (shown,) = products_table(told)
    assert "The market products" in str(shown)
    assert products_table(product_rows(bo.optimize(small()))) == []


def test_the_chart_draws_the_schedule() -> None:
    """Every trace holds the plan's numbers over the whole horizon, charge below nought, SOC at the end of a step."""
    plan = bo.optimize(small())
    figure = chart(plan)
    traces = {trace["name"]: trace for trace in figure["data"]}
    np.testing.assert_allclose(traces["charge"]["y"], -plan.schedule["charge_mw"], atol=1e-6)
    np.testing.assert_allclose(traces["state of charge"]["y"], 100.0 * plan.schedule["soc"], atol=1e-6)
    assert traces["solar"]["x"][0] == "2025-06-02T00:00:00"
    assert traces["state of charge"]["x"][0] == "2025-06-02T01:00:00"
    assert "load" not in traces
    low, high = figure["layout"]["xaxis"]["range"]
    assert low < high
    objects = pytest.importorskip("plotly.graph_objects")
    objects.Figure(figure)  # plotly refuses what it does not know
