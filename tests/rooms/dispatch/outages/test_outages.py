"""Hours without the grid: what is served, what is shed, what is refused, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.plant.audit import audit
from bess_opt.plant.from_scenario import plant_of

IDEAL = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
BATTERY = {
    "power_mw": 1.0, "duration_h": 4.0, "technology": IDEAL, "converters": LOSSLESS, "soc_start": 0.5,
    "soc_end": "free",
}  # fmt: skip
TWO_HOURS = {"start": "2025-07-01T02:00+02:00", "hours": 2.0}
PRICES = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]


def scenario(
    *outages: dict[str, Any],
    battery: dict[str, Any] | None = None,
    site: dict[str, Any] | None = None,
    **columns: Any,
) -> bo.Scenario:
    """Six hours with a price, a load of 1 MW and what else is given."""
    series = {"price_per_mwh": PRICES, "load_mw": 1.0} | columns
    index = pd.date_range("2025-07-01", periods=6, freq="1h", tz="Europe/Berlin")
    return bo.Scenario(
        battery=BATTERY | (battery or {}), site=site, series=pd.DataFrame(series, index), strategy="arbitrage",
        outage=list(outages),
    )  # fmt: skip


def test_critical_load_is_served_and_the_rest_is_shed_free_of_charge() -> None:
    """Energy kept is worth 50 and 60 later, so that 0.4 MW are shed in both hours.

    The battery gives 1.2 in the outage and serves the load after it, 3.2 in all: 2 are there, 1 is bought at 10 and
    0.2 at 20, beside the load of both hours.
    """
    plan = bo.optimize(scenario(TWO_HOURS | {"critical_share": 0.6}))
    assert plan.schedule["shed_mw"].tolist() == pytest.approx([0.0, 0.0, 0.4, 0.4, 0.0, 0.0])
    assert plan.schedule["unserved_mw"].tolist() == plan.schedule["shed_mw"].tolist()
    assert plan.schedule["battery_mw"].tolist()[2:4] == pytest.approx([0.6, 0.6])
    assert plan.schedule[["import_mw", "export_mw"]].iloc[2:4].to_numpy().max() == 0.0
    assert plan.metrics.shed_mwh == pytest.approx(0.8)
    assert plan.metrics.unserved_cost == 0.0
    assert plan.metrics.net_revenue == pytest.approx(-10.0 * 2.0 - 20.0 * 1.2)


def test_critical_load_has_a_price_where_one_is_stated() -> None:
    """At 5 per MWh nothing is served in the outage; 0.4 of each MW is free, 0.6 is paid."""
    plan = bo.optimize(scenario(TWO_HOURS | {"critical_share": 0.6}, site={"unserved_price_per_mwh": 5.0}))
    away = plan.schedule.iloc[2:4]
    assert away["unserved_mw"].tolist() == pytest.approx([1.0, 1.0])
    assert away["shed_mw"].tolist() == pytest.approx([0.4, 0.4])
    assert plan.metrics.unserved_cost >= 5.0 * 1.2 - 1e-9
    paid = plan.schedule["unserved_mw"].sum() - plan.schedule["shed_mw"].sum()
    assert plan.metrics.unserved_cost == pytest.approx(5.0 * paid)


def test_the_auxiliary_load_is_critical() -> None:
    """With no critical share of the load the battery still feeds its own 0.1 MW."""
    plan = bo.optimize(scenario(TWO_HOURS | {"critical_share": 0.0}, battery={"auxiliary_mw": 0.1}))
    assert plan.schedule["battery_mw"].iloc[2:4].tolist() == pytest.approx([0.1, 0.1])


def test_pv_may_always_be_curtailed_and_may_charge_while_the_rest_is_shed() -> None:
    """0.9 MW of PV: 0.5 for the critical load, 0.4 into the battery; 5 MW are cut though curtailment is forbidden."""
    dark = [0.0, 0.0, 0.9, 5.0, 0.0, 0.0]
    given = scenario(TWO_HOURS | {"critical_share": 0.5}, site={"curtailment": False}, solar_mw=dark)
    given = given.replace(battery={"soc_start": 0.0, "charge_power_mw": 0.4, "soc_end": 1.0, "duration_h": 1.2})
    plan = bo.optimize(given)
    assert plan.schedule["charge_mw"].tolist()[:4] == pytest.approx([0.4, 0.4, 0.4, 0.0], abs=1e-9) or plan.schedule[
        "charge_mw"
    ].iloc[2:4].sum() == pytest.approx(0.8)
    assert plan.schedule["curtailed_mw"].iloc[3] >= 3.6 - 1e-9
    assert plan.schedule["curtailed_mw"].drop(plan.schedule.index[2:4]).sum() == 0.0


def test_what_cannot_be_served_is_infeasible_with_the_outage_named() -> None:
    """2 MW of critical load and 1 MW of battery; then 6 hours of 1 MW and 2 MWh in store."""
    with pytest.raises(bo.InfeasibleError) as weak:
        bo.optimize(scenario(TWO_HOURS, load_mw=2.0))
    assert weak.value.reasons[0].where == "outage[0]"
    assert "2025-07-01 02:00" in str(weak.value)
    with pytest.raises(bo.InfeasibleError, match="the grid away"):
        bo.optimize(scenario({"start": "2025-07-01T00:00+02:00", "hours": 6.0}))
    with pytest.raises(bo.InfeasibleError, match=r"outage\[0\].*without the grid the site takes"):
        bo.simulate(scenario({"start": "2025-07-01T00:00+02:00", "hours": 6.0}))


def test_a_rule_is_changed_as_little_as_the_critical_load_asks_for() -> None:
    """An idle rule gives 0.6 MW in the outage; where load has a price nothing changes it and load is shed."""
    outage = TWO_HOURS | {"critical_share": 0.6}
    rule = bo.simulate(scenario(outage), rule=lambda _state: 0.0)
    assert rule.schedule["battery_mw"].tolist() == pytest.approx([0.0, 0.0, 0.6, 0.6, 0.0, 0.0])
    assert rule.schedule["limited_by"].tolist()[2:4] == ["import limit"] * 2
    priced = bo.simulate(scenario(outage, site={"unserved_price_per_mwh": 500.0}), rule=lambda _state: 0.0)
    assert priced.schedule["battery_mw"].abs().max() == 0.0
    assert priced.schedule["unserved_mw"].tolist() == pytest.approx([0.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    assert priced.metrics.unserved_cost == pytest.approx(500.0 * 1.2)


def test_ramps_do_not_bind_into_within_or_out_of_an_outage() -> None:
    """The grid power jumps from −1 to 0 and back; between the other hours it may move by 0.06 MW alone."""
    ramp = {"name": "ramp", "ramp_mw_per_min": 0.001}
    plan = bo.optimize(scenario(TWO_HOURS).replace(connection=[ramp]))
    grid = plan.schedule["grid_mw"].to_numpy()
    assert grid[2:4].tolist() == [0.0, 0.0]
    assert abs(np.diff(grid)[[0, 4]]).max() <= 0.06 + 1e-9
    assert abs(np.diff(grid)[[1, 3]]).max() > 0.06


def test_outages_are_replayed_saved_and_loaded(tmp_path: Any) -> None:
    """The plan runs through the step simulator unchanged, and comes back from its files."""
    plan = bo.optimize(scenario(TWO_HOURS | {"critical_share": 0.6}, site={"unserved_price_per_mwh": 35.0}))
    numbers = plan.schedule.select_dtypes("number")
    assert (bo.replay(plan).schedule[numbers.columns] - numbers).abs().max().max() < 1e-9
    plan.save(tmp_path / "plan")
    again = bo.load_dispatch(tmp_path / "plan")
    assert again.scenario == plan.scenario
    assert again.schedule["shed_mw"].tolist() == plan.schedule["shed_mw"].tolist()
    assert bo.Scenario(**_tables(plan.scenario)) == plan.scenario


def _tables(given: bo.Scenario) -> dict[str, Any]:
    tables = given.to_tables()
    tables.pop("series")
    return tables | {"series": given.series}


def test_the_audit_sees_shed_load_and_the_grid_in_an_outage() -> None:
    """Import without a grid, and load that is shed where it is not free, are violations."""
    plan = bo.optimize(scenario(TWO_HOURS | {"critical_share": 0.6}))
    plant = plant_of(plan.scenario)
    wrong = plan.schedule.copy()
    wrong.iloc[2, wrong.columns.get_loc("import_mw")] += 0.1
    assert any(violation.law == "import limit" for violation in audit(wrong, plant))
    wrong = plan.schedule.copy()
    wrong.iloc[0, wrong.columns.get_loc("shed_mw")] += 0.1
    assert any("shed" in violation.law for violation in audit(wrong, plant))


@pytest.mark.parametrize(
    ("outages", "code", "where", "words"),
    [
        ([TWO_HOURS | {"start": "2025-07-01T02:20+02:00"}], "edge_inside_step", "outage[0].start", "T02:00+02:00"),
        ([TWO_HOURS | {"hours": 1.75}], "edge_inside_step", "outage[0].hours", "T04:00+02:00"),
        ([TWO_HOURS | {"hours": 1e-300}], "edge_inside_step", "outage[0].hours", "T03:00+02:00"),
        ([TWO_HOURS, TWO_HOURS | {"hours": 1.0}], "outages_overlap", "outage[1].start", "T04:00+02:00"),
        ([TWO_HOURS | {"start": "2026-07-01T02:00+02:00"}], "outage_outside", "outage[0]", "horizon runs from"),
        ([TWO_HOURS | {"start": "2025-07-01T02:00"}], "wrong_value", "outage[0].start", "offset"),
        ([TWO_HOURS | {"hours": 0.0}], "wrong_value", "outage[0].hours", "> 0"),
        ([TWO_HOURS | {"critical_share": 1.5}], "wrong_value", "outage[0].critical_share", "<= 1"),
        ([TWO_HOURS | {"ends": 1}], "unknown_key", "outage[0].ends", "critical_share"),
        ([{"hours": 1.0}], "missing_key", "outage[0].start", "offset"),
    ],
)
def test_what_is_refused(outages: list[dict[str, Any]], code: str, where: str, words: str) -> None:
    """Each with its place and what would be right."""
    with pytest.raises(bo.ScenarioError) as refused:
        scenario(*outages)
    found = refused.value.problems[0]
    assert (found.code, found.where) == (code, where)
    assert words in found.expected


def test_an_outage_that_the_horizon_cuts_is_kept_in_part() -> None:
    """Of four hours from 04:00 two are left."""
    given = scenario({"start": "2025-07-01T04:00+02:00", "hours": 4.0}, battery={"soc_start": 1.0})
    assert [note.code for note in given.notes] == ["outage_cut"]
    assert "2 of its 4 hours" in given.notes[0].found
    plan = bo.optimize(given)
    assert plan.schedule["import_mw"].iloc[4:].tolist() == [0.0, 0.0]


def test_an_outage_over_a_change_of_the_clock_lasts_elapsed_hours() -> None:
    """Three hours from 01:00 on the night of 25 hours end at 03:00 on the local clock."""
    index = pd.date_range("2025-10-26", periods=6, freq="1h", tz="Europe/Berlin")
    series = pd.DataFrame({"price_per_mwh": 10.0, "load_mw": 0.5}, index)
    given = bo.Scenario(
        battery=BATTERY, series=series, strategy="arbitrage",
        outage=[{"start": "2025-10-26T01:00+02:00", "hours": 3.0}],
    )  # fmt: skip
    assert plant_of(given).away.tolist() == [False, True, True, True, False, False]
