"""Clauses of a connection: what they allow, against a formulation of its own, by hand, and in messages."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import IDEAL, LOSSLESS, Case
from support.independent_clauses import best
from support.random_clauses import HOLIDAYS, random_case

import bess_opt as bo

PLAIN = {
    "power_mw": 1.0, "duration_h": 2.0, "technology": IDEAL, "converters": LOSSLESS, "topology": "parallel_ac",
    "soc_start": 0.0, "soc_end": "free",
}  # fmt: skip


def site(clauses: Any, prices: list[float], **more: Any) -> bo.Scenario:
    """A lossless battery of 1 MW and 2 MWh, empty at first, in hours from midnight on in Berlin."""
    index = pd.date_range("2025-06-02", periods=len(prices), freq="h", tz="Europe/Berlin")
    columns = {"price_per_mwh": prices} | more.pop("columns", {})
    return bo.Scenario(
        battery=PLAIN | more.pop("battery", {}), series=pd.DataFrame(columns, index=index), strategy="arbitrage",
        connection=clauses, **more,
    )  # fmt: skip


def equal_to_the_independent(seed: int) -> str:
    """Optimum, replay and rule of a random site held against the formulation of its own; "none" without a plan."""
    case, clauses = random_case(seed)
    truth, scenario = best(case, clauses, HOLIDAYS), dataclasses.replace(case, connection=clauses).scenario()
    if truth is None:
        with pytest.raises(bo.InfeasibleError):
            bo.optimize(scenario)
        return "none"
    plan, close = bo.optimize(scenario), pytest.approx(truth, rel=1e-6, abs=1e-6)
    assert plan.report is not None
    assert plan.report.objective == close, seed
    assert plan.metrics.net_revenue == close, seed
    assert bo.replay(plan).metrics.net_revenue == close, seed
    try:
        rule = bo.simulate(scenario)
    except bo.InfeasibleError:
        return "no rule"
    if rule.metrics.end_shortfall_mwh < 1e-9:
        assert rule.metrics.net_revenue <= truth + 1e-6 * max(1.0, abs(truth)), seed
    return "plan"


@pytest.mark.parametrize("seed", range(40))
def test_equals_an_independent_program(seed: int) -> None:
    """Caps, conditions, overruns and ramps, calendars with clock changes and holidays, two topologies, or no plan."""
    equal_to_the_independent(seed)


@pytest.mark.second_tier
def test_a_thousand_sites_equal_an_independent_program() -> None:
    found = [equal_to_the_independent(seed) for seed in range(1_000, 2_000)]
    assert found.count("plan") > 500
    assert found.count("none") > 50


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("clause", "right"),
    [
        (None, 129_130.026620),
        ({"import_mw": 0.0, "months": [4, 5, 6, 7, 8, 9], "hours": [10, 16]}, 118_392.392160),
        ({"export_mw": 0.5, "overrun_price_per_mwh": 50.0}, 105_325.969454),
    ],
)
def test_german_quarter_hours(clause: dict[str, Any] | None, right: float) -> None:
    """1 MW, 2 MWh, 0.95 each way on the intraday prices of 2021, one way at a time."""
    plan = bo.optimize(german([] if clause is None else [{"name": "clause"} | clause]))
    assert plan.report is not None
    assert (plan.report.gap, plan.report.engine) == (0.0, "value_function")
    assert plan.report.objective == pytest.approx(right, abs=1e-6)


@pytest.mark.real_data
@pytest.mark.second_tier
def test_german_quarter_hours_with_a_ramp() -> None:
    """3 % of the power per minute: 0.45 MW from one quarter-hour to the next."""
    plan = bo.optimize(german([{"name": "ramp", "ramp_mw_per_min": 0.03}]))
    assert plan.report is not None
    assert plan.report.objective == pytest.approx(100_416.483315, abs=1e-4)


def german(clauses: list[dict[str, Any]]) -> bo.Scenario:
    """The intraday prices of 2021 by the quarter-hour, or a skip."""
    if "BESS_OPT_DATA" not in os.environ:
        pytest.skip("BESS_OPT_DATA is not set")
    file = Path(os.environ["BESS_OPT_DATA"]) / "prices_de_id1" / "electricity_prices_germany_2021.csv"
    series = bo.read_prices(file, column="ID1").iloc[:, :1].set_axis(["price_per_mwh"], axis=1)
    cells = IDEAL | {"eta_charge": 0.95, "eta_discharge": 0.95}
    return bo.Scenario(battery=PLAIN | {"technology": cells}, series=series, strategy="arbitrage", connection=clauses)


def test_every_active_clause_holds_on_its_own() -> None:
    """Two priced caps on export, 0.6 at 10 and 0.2 at 5: a MW above both pays for 0.4 and for 0.8 MW."""
    clauses = [
        {"name": "a", "export_mw": 0.6, "overrun_price_per_mwh": 10.0},
        {"name": "b", "export_mw": 0.2, "overrun_price_per_mwh": 5.0},
    ]
    plan = bo.optimize(site(clauses, [0.0, 100.0]))
    assert plan.schedule["export_mw"].tolist() == pytest.approx([0.0, 1.0])
    assert plan.metrics.overrun_charges == pytest.approx(0.4 * 10 + 0.8 * 5)
    assert plan.metrics.net_revenue == pytest.approx(100.0 - 8.0)
    assert bo.reconcile(plan).ledger["overrun"].residual == pytest.approx(0.0, abs=1e-9)


def test_a_ramp_holds_into_the_first_step_where_it_is_stated() -> None:
    """0.5 MW in an hour from 0: the battery of 1 MW comes to −0.5 at first, and by 0.5 a step from there."""
    ramp = {"name": "ramp", "ramp_mw_per_min": 0.5 / 60}
    free = bo.optimize(site([ramp], [-500.0, 50.0, 50.0, 50.0])).schedule["grid_mw"]
    assert free.iloc[0] == pytest.approx(-1.0)
    held = bo.optimize(site([ramp | {"before_mw": 0.0}], [-500.0, 50.0, 50.0, 50.0])).schedule["grid_mw"]
    assert held.iloc[0] == pytest.approx(-0.5)
    assert np.abs(np.diff(held)).max() <= 0.5 + 1e-9
    plan = bo.optimize(site([ramp], [-500.0, 50.0, 50.0, 50.0]))
    assert bo.used(plan)["connection"][0]["before_mw"] == pytest.approx(plan.schedule["grid_mw"].iloc[-1])


def test_a_ramp_binds_the_change_into_a_window_and_not_out_of_it() -> None:
    ramp = {"name": "ramp", "ramp_mw_per_min": 0.25 / 60, "hours": [1, 3]}
    grid = bo.optimize(site([ramp], [-50.0, -10.0, 80.0, 90.0])).schedule["grid_mw"]
    steps = np.abs(np.diff(grid.to_numpy()))
    assert steps[:2].max() <= 0.25 + 1e-9
    assert steps[2] > 0.25


def test_a_rule_keeps_a_priced_cap_where_it_can() -> None:
    """Solar of 2 MW under a priced cap of 0.5: the battery takes 1 MW, the rest is curtailed; if it must not be,
    the cap is overrun.
    """
    cap = {"name": "cap", "export_mw": 0.5, "overrun_price_per_mwh": 1.0}
    idle = lambda _state: 0.0  # noqa: E731
    sunny = {"columns": {"solar_mw": [2.0, 0.0]}}
    kept = bo.simulate(site([cap], [50.0, 50.0], **sunny), rule=idle)
    assert kept.schedule["curtailed_mw"].iloc[0] == pytest.approx(1.5)
    assert kept.metrics.overrun_charges == 0.0
    over = bo.simulate(site([cap], [50.0, 50.0], site={"curtailment": False}, **sunny), rule=idle)
    assert over.schedule["battery_mw"].iloc[0] == pytest.approx(-1.0)
    assert over.metrics.overrun_charges == pytest.approx(0.5)


def test_a_rule_that_a_hard_clause_stops_says_when_and_which() -> None:
    """2 MW of load behind an import cap of 0.5 MW and an empty battery."""
    cap = {"name": "evening", "import_mw": 0.5, "hours": [1, 2]}
    loaded = site([cap], [50.0, 50.0], columns={"load_mw": [0.0, 2.0]})
    with pytest.raises(bo.InfeasibleError, match=r"connection\[0\]: at 2025-06-02 01:00 under the clause 'evening'"):
        bo.simulate(loaded, rule=lambda _state: 0.0)


def test_no_plan_names_the_clause_and_the_cap_that_would_do() -> None:
    cap = {"name": "evening", "import_mw": 0.25, "hours": [1, 2]}
    loaded = site([cap], [50.0, 50.0], columns={"load_mw": [0.0, 2.0]}, site={"import_limit_mw": 3.0})
    with pytest.raises(bo.InfeasibleError) as told:
        bo.optimize(loaded)
    assert "connection[0]" in str(told.value)
    changed = [r for r in told.value.relaxations if r.where == "connection[0].import_mw"]
    assert changed
    assert changed[0].value == pytest.approx(1.0)
    bo.optimize(loaded.replace(**changed[0].tables))


@pytest.mark.parametrize(
    ("clause", "where", "says"),
    [
        ({"name": "a"}, "connection[0].export_mw", "give import_mw, export_mw or ramp_mw_per_min"),
        ({"name": "a", "export_mw": -1.0}, "connection[0].export_mw", "a number >= 0"),
        ({"name": "a", "ramp_mw_per_min": 0.0}, "connection[0].ramp_mw_per_min", "a number > 0"),
        (
            {"name": "a", "ramp_mw_per_min": 1.0, "overrun_price_per_mwh": 5.0},
            "connection[0].overrun_price_per_mwh",
            "stands beside ramp_mw_per_min",
        ),
        ({"name": "a", "export_mw": 1.0, "before_mw": 0.0}, "connection[0].before_mw", "stands without"),
        ({"name": "a", "export_mw": 1.0, "when": {"series": "price_per_mwh"}}, "connection[0].when.below", "below"),
        (
            {"name": "a", "export_mw": 1.0, "when": {"series": "price", "below": 0.0}},
            "connection[0].when.series",
            "price_per_mwh",
        ),
        ({"name": "a", "export_mw": 1.0, "days": ["holiday"]}, "connection[0].days", "site.holidays"),
        ({"name": "a", "export_mw": 1.0, "hours": [10.5, 15]}, "connection[0].hours", "30 min"),
        ({"name": "a", "eksport_mw": 1.0}, "connection[0].eksport_mw", "export_mw"),
        ({"export_mw": 1.0}, "connection[0].name", "is missing"),
    ],
)
def test_a_wrong_clause_is_refused_with_place_and_remedy(clause: dict[str, Any], where: str, says: str) -> None:
    with pytest.raises(bo.ScenarioError) as told:
        site([clause], [10.0, 20.0] * 12)
    told_of = [problem for problem in told.value.problems if problem.where == where]
    assert told_of
    assert says in told_of[0].sentence()


def test_names_are_unique_and_tables_are_tables() -> None:
    twice = {"name": "a", "export_mw": 1.0}
    with pytest.raises(bo.ScenarioError, match=r"connection\[1\]\.name: 'a' is the name of another clause"):
        site([twice, twice], [10.0, 20.0])
    with pytest.raises(
        bo.ScenarioError, match=r"connection: found 'noon'; give tables \[\[connection\]\], at most 1000"
    ):
        site("noon", [10.0, 20.0])
    with pytest.raises(bo.ScenarioError, match=r"connection\[0\]: found 'noon'; give a table"):
        site(["noon"], [10.0, 20.0])


def test_a_clause_that_is_never_active_is_told() -> None:
    scenario = site([{"name": "winter", "export_mw": 0.1, "months": [1]}], [10.0, 20.0])
    assert [note.code for note in scenario.notes] == ["connection_never_active"]
    assert "clause 'winter' is active in no step" in scenario.notes[0].found
    assert any(finding.code == "connection_never_active" for finding in bo.validate(scenario).warnings)


def test_clauses_are_saved_with_the_scenario(tmp_path: Path) -> None:
    """Tables, digest and a saved plan know them; a changed cap is another scenario."""
    clauses = [
        {
            "name": "noon",
            "export_mw": 0.4,
            "hours": [[0, 1], [2, 3]],
            "when": {"series": "price_per_mwh", "above": 0.0},
        },
        {"name": "ramp", "ramp_mw_per_min": 0.01, "from": "03-01", "to": "10-31"},
    ]
    scenario = site(clauses, [-10.0, 50.0, 20.0, 80.0])
    plan = bo.optimize(scenario)
    plan.save(tmp_path / "plan")
    again = bo.load_dispatch(tmp_path / "plan")
    assert again.scenario == scenario
    assert [clause.to_plain() for clause in again.scenario.connection] == [c.to_plain() for c in scenario.connection]
    other = scenario.replace(connection=[clauses[0] | {"export_mw": 0.3}, clauses[1]])
    assert other != scenario
    assert scenario.replace(connection=None).connection == ()


def test_a_case_without_clauses_has_none() -> None:
    assert Case(battery=PLAIN, series=site([], [1.0, 2.0]).series).scenario().connection == ()
