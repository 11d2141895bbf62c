"""What each clause costs: value lost, rebate, and the price of a MW in every hour."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import IDEAL, LOSSLESS
from support.places import ROOT

import bess_opt as bo
from bess_opt.interfaces.cli.main import app

BATTERY = {
    "power_mw": 1.0, "duration_h": 2.0, "technology": IDEAL, "converters": LOSSLESS, "topology": "parallel_ac",
    "soc_start": 0.0, "soc_end": "free",
}  # fmt: skip


def scenario(clauses: Any, prices: Any, **more: Any) -> bo.Scenario:
    index = pd.date_range("2025-06-02", periods=len(prices), freq="h", tz="Europe/Berlin")
    columns = {"price_per_mwh": prices} | more.pop("columns", {})
    return bo.Scenario(
        battery=BATTERY, series=pd.DataFrame(columns, index=index), strategy="arbitrage", connection=clauses, **more
    )


def test_by_hand() -> None:
    """1 MW bought at 0 and sold at 100; with half the export 50 are lost in two hours: 219,000 a year for 0.5 MW."""
    cost = bo.connection(scenario([{"name": "half", "export_mw": 0.5}], [0.0, 100.0]))
    row = cost.table.loc["half"]
    assert row["value_lost"] == pytest.approx(50.0)
    assert row["value_lost_per_year"] == pytest.approx(50.0 * 8760 / 2)
    assert row["mw_taken"] == pytest.approx(0.5)
    assert row["rebate_per_mw_year"] == pytest.approx(2 * 50.0 * 8760 / 2)
    assert cost.prices["half"].tolist() == pytest.approx([0.0, 100.0])
    assert cost.table.loc["together", "value_lost"] == pytest.approx(50.0)
    assert cost.table.loc["interaction", "value_lost"] == pytest.approx(0.0, abs=1e-9)


def test_two_clauses_that_forbid_the_same_lose_less_together() -> None:
    """No export at all, twice: each loses 100, both lose 100."""
    clauses = [{"name": name, "export_mw": 0.0} for name in ("a", "b")]
    table = bo.connection(scenario(clauses, [0.0, 100.0])).table
    assert table.loc["together", "value_lost"] == pytest.approx(100.0)
    assert table.loc["interaction", "value_lost"] == pytest.approx(-100.0)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "clause",
    [
        {"export_mw": 0.4},
        {"import_mw": 0.3, "hours": [0, 12]},
        {"export_mw": 0.3, "overrun_price_per_mwh": 12.0},
        {"ramp_mw_per_min": 0.4 / 60},
    ],
)
def test_prices_lie_between_the_slopes(seed: int, clause: dict[str, Any]) -> None:
    """A little more and a little less of the cap, positive prices: the sum of the hours' prices lies between."""
    prices = np.random.default_rng(seed).uniform(5.0, 90.0, 48).round(1)
    named = {"name": "clause"} | clause
    key = next(key for key in ("export_mw", "import_mw", "ramp_mw_per_min") if key in clause)
    nudge = 1e-5 * clause[key]

    def value(change: float) -> float:
        plan = bo.optimize(scenario([named | {key: clause[key] + change}], prices))
        assert plan.report is not None
        return plan.report.objective

    cost = bo.connection(scenario([named], prices))
    total = float(cost.prices["clause"].sum())
    more, less = (value(nudge) - value(0.0)) / nudge, (value(0.0) - value(-nudge)) / nudge
    assert more - 1e-4 * abs(more) - 1e-4 <= total <= less + 1e-4 * abs(less) + 1e-4


def test_a_cap_of_zero_has_the_price_of_the_first_megawatt() -> None:
    """No charging in the cheap hour: a MW more there is bought at 10 instead of 40 and sold at 100 all the same."""
    cost = bo.connection(scenario([{"name": "none", "import_mw": 0.0, "hours": [0, 1]}], [10.0, 40.0, 40.0, 100.0]))
    assert cost.prices["none"].tolist() == pytest.approx([30.0, 0.0, 0.0, 0.0])


def test_a_clause_without_a_plan_is_noted() -> None:
    """2 MW of load all the time: a cap of 0.5 MW has no plan, the others are priced all the same."""
    clauses = [{"name": "tight", "import_mw": 0.5}, {"name": "wide", "import_mw": 2.5}]
    cost = bo.connection(scenario(clauses, [10.0, 40.0], columns={"load_mw": [2.0, 2.0]}))
    assert np.isnan(cost.table.loc["tight", "value_lost"])
    assert [note.where for note in cost.notes if note.code == "clause_infeasible"] == [
        "connection, tight", "connection, together",
    ]  # fmt: skip
    assert cost.table.loc["wide", "value_lost"] == pytest.approx(15.0)


def test_no_clause_or_no_money_is_an_error() -> None:
    with pytest.raises(bo.ScenarioError, match="the scenario states no clause"):
        bo.connection(scenario([], [0.0, 1.0]))
    of = scenario([{"name": "a", "export_mw": 0.5}], [0.0, 1.0]).replace(
        strategy={"name": "firm_delivery", "window": ["00:00", "01:00"]}
    )
    with pytest.raises(bo.SolveError, match="not scored in money"):
        bo.connection(of)
    cost = bo.connection(scenario([{"name": "a", "export_mw": 0.5}], [0.0, 1.0]))
    with pytest.raises(bo.ScenarioError, match="give one of a"):
        cost.plot("b")


def test_a_clause_with_a_ramp_has_no_rebate_per_megawatt() -> None:
    cost = bo.connection(scenario([{"name": "ramp", "ramp_mw_per_min": 0.001}], [0.0, 100.0]))
    assert [note.code for note in cost.notes] == ["rebate_unstated"]
    assert np.isnan(cost.table.loc["ramp", "rebate_per_mw_year"])
    assert cost.table.loc["ramp", "price_unit"] == "per MW/min"


def test_picture_and_page() -> None:
    cost = bo.connection(scenario([{"name": "half", "export_mw": 0.5}], [0.0, 100.0]))
    texts = [text.get_text() for axes in cost.plot().axes for text in axes.texts]
    assert "50" in texts
    assert "half" in cost._repr_html_()


def test_command_line(tmp_path: Path) -> None:
    """Table for people, one object for others, and files."""
    out = tmp_path / "out"
    arguments = ["connection", str(ROOT / "scenarios" / "flexible_connection"), "--out", str(out), "--json"]
    shown = io.StringIO()
    with redirect_stdout(shown), redirect_stderr(io.StringIO()), pytest.raises(SystemExit) as ended:
        app(arguments, prog_name="bess-opt")
    assert not ended.value.code
    said = json.loads(shown.getvalue())
    rows = {row["clause"]: row for row in said["clauses"]}
    assert rows["summer noon"]["rebate_per_mw_year"] == pytest.approx(3477.80, abs=0.01)
    assert sorted(path.name for path in out.iterdir()) == ["connection.json", "connection.png", "prices.parquet"]


def test_several_batteries_at_one_connection() -> None:
    """Two of 1 MW behind a cap of 0.5 MW: 1.5 of 2 MW are taken away, and a MW more of the cap sells at 100."""
    several = [BATTERY | {"name": name} for name in ("north", "south")]
    index = pd.date_range("2025-06-02", periods=2, freq="h", tz="Europe/Berlin")
    site = bo.Scenario(
        battery=several, series=pd.DataFrame({"price_per_mwh": [0.0, 100.0]}, index=index), strategy="arbitrage",
        connection=[{"name": "half", "export_mw": 0.5}],
    )  # fmt: skip
    cost = bo.connection(site)
    assert cost.table.loc["half", "value_lost"] == pytest.approx(150.0)
    assert cost.table.loc["half", "mw_taken"] == pytest.approx(1.5)
    assert cost.prices["half"].tolist() == pytest.approx([0.0, 100.0])


def test_a_clause_does_not_bear_the_name_of_a_row() -> None:
    with pytest.raises(
        bo.ScenarioError, match="'together' is the name of a row of the answer; give the clause another"
    ):
        bo.connection(scenario([{"name": "together", "export_mw": 0.5}], [0.0, 100.0]))


def test_a_plan_of_a_clause_is_that_of_the_scenario_with_it_alone() -> None:
    """A clause out of season is noted at its place among those that are planned with."""
    clauses = [
        {"name": "half", "export_mw": 0.5},
        {"name": "winter", "import_mw": 0.0, "months": [12]},
        {"name": "late", "export_mw": 0.2, "hours": [1, 2]},
    ]
    given = scenario(clauses, [0.0, 100.0], site={"export_limit_mw": 0.9})
    plans = bo.connection(given).plans
    for name, numbers in {"no clause": [], "winter": [1], "late": [2], "together": [0, 1, 2]}.items():
        alone = given.replace(connection=[given.connection[n] for n in numbers])
        assert plans[name].scenario == alone
        assert plans[name].scenario.notes == alone.notes
        again = bo.optimize(alone)
        pd.testing.assert_frame_equal(plans[name].schedule, again.schedule, check_exact=True)
        assert list(plans[name].findings) == list(again.findings)
