"""A site with several batteries: its schedules, files, rules and what refuses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.common.columns import SCHEDULE, UNIT

IDEAL = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
EMPTY = {"technology": IDEAL, "converters": LOSSLESS, "soc_start": 0.0, "soc_end": "free"}
NORTH = {"name": "north", "power_mw": 1.0, "duration_h": 1.0} | EMPTY
SOUTH = {"name": "south", "power_mw": 0.5, "duration_h": 4.0} | EMPTY
PRICES = [10.0, 20.0, 60.0, 90.0]


def scenario(*batteries: dict[str, Any], site: dict[str, Any] | None = None, **columns: Any) -> bo.Scenario:
    """Hours in March with a price, and what else is given."""
    series = {"price_per_mwh": PRICES} | columns
    index = pd.date_range("2025-03-01", periods=len(PRICES), freq="1h", tz="UTC")
    listed = list(batteries or (NORTH, SOUTH))
    return bo.Scenario(battery=listed, site=site, series=pd.DataFrame(series, index), strategy="arbitrage")


def test_schedules_of_site_and_batteries() -> None:
    """1 MW for an hour and 0.5 MW for two, no losses: 10·1 + 10·0.5 + 20·0.5 in, 90·1.5 + 60·0.5 out is 140."""
    plan = bo.optimize(scenario())
    assert list(plan.schedule.columns) == list(SCHEDULE)
    assert list(plan.units) == ["north", "south"]
    assert all(list(unit.columns) == list(UNIT) for unit in plan.units.values())
    assert plan.metrics.net_revenue == pytest.approx(140.0)
    assert plan.units["south"]["discharge_mw"].tolist() == pytest.approx([0.0, 0.0, 0.5, 0.5])
    assert plan.units["north"]["soc"].tolist() == pytest.approx([1.0, 1.0, 1.0, 0.0])
    assert plan.schedule["soc"].iloc[1] == pytest.approx((1.0 + 1.0) / 3.0)
    assert plan.metrics.equivalent_full_cycles == pytest.approx(2.0 / 3.0)
    assert plan.report is not None
    assert plan.report.engine == "highs"
    assert any("north.energy_mwh" in reason for reason in plan.report.engine_reasons)


def test_a_shared_connection_binds_the_sum() -> None:
    """With 1 MW between them the hours at 60 and 90 carry 1 MW each and those at 10 and 20 too: 150 − 30."""
    plan = bo.optimize(scenario(site={"import_limit_mw": 1.0, "export_limit_mw": 1.0}))
    assert plan.metrics.net_revenue == pytest.approx(120.0)
    assert plan.schedule["import_mw"].max() <= 1.0 + 1e-9


def test_one_battery_may_charge_another() -> None:
    """Without grid charging a full one fills an empty one that need not be empty at the end."""
    full = NORTH | {"soc_start": 1.0, "auxiliary_mw": 0.0}
    wants = SOUTH | {"soc_end": 0.5}
    plan = bo.optimize(scenario(full, wants, site={"grid_charging": False}))
    assert plan.units["south"]["energy_mwh"].iloc[-1] == pytest.approx(1.0)
    assert plan.schedule["import_mw"].max() == 0.0


def test_equal_plans_use_the_first_in_the_file() -> None:
    """Two equal batteries of which one is enough for the only pair of hours that pays."""
    one, other = NORTH | {"name": "a"}, NORTH | {"name": "b"}
    site = {"import_limit_mw": 1.0, "export_limit_mw": 1.0}
    given = scenario(one, other, site=site).replace(
        series=pd.DataFrame(
            {"price_per_mwh": [0.0, 50.0]}, pd.date_range("2025-03-01", periods=2, freq="1h", tz="UTC")
        )
    )
    plan = bo.optimize(given)
    assert plan.units["a"]["charge_mw"].tolist() == pytest.approx([1.0, 0.0])
    assert plan.units["b"]["charge_mw"].abs().max() == pytest.approx(0.0, abs=1e-9)


def test_columns_of_one_battery() -> None:
    """A battery that may not charge in the cheapest hour."""
    plan = bo.optimize(scenario(**{"north.charge_limit_mw": [0.0, 1.0, 1.0, 1.0]}))
    assert plan.units["north"]["charge_mw"].tolist() == pytest.approx([0.0, 1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("column", "batteries", "said"),
    [
        ("charge_limit_mw", (NORTH, SOUTH), "name the battery: north.charge_limit_mw, south.charge_limit_mw"),
        ("west.charge_limit_mw", (NORTH, SOUTH), "no battery is named 'west'"),
    ],
)
def test_whose_a_column_is(column: str, batteries: tuple[dict[str, Any], ...], said: str) -> None:
    with pytest.raises(bo.ScenarioError, match=said):
        scenario(*batteries, **{column: [1.0] * 4})


def test_both_forms_of_a_column_of_one_battery() -> None:
    """Each is read, together they are an error."""
    for column in ("charge_limit_mw", "north.charge_limit_mw"):
        plan = bo.optimize(scenario(NORTH, **{column: [0.25] * 4}))
        assert plan.schedule["charge_mw"].max() == pytest.approx(0.25)
    with pytest.raises(bo.ScenarioError, match="means the same battery"):
        scenario(NORTH, **{"charge_limit_mw": [1.0] * 4, "north.charge_limit_mw": [1.0] * 4})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([{"name": None}, {}], r"battery\[0\].name: is missing"),
        ([{"name": "south"}, {}], "stands twice"),
        ([{"name": "a.b"}, {}], "without a dot"),
        ([{"topology": "series_dc"}, {"topology": "hybrid"}], "one DC bus"),
        (
            [{"topology": "series_dc"}, {"topology": "series_dc", "converters": {"ac_to_dc": 0.9}}],
            "the shared inverter has one",
        ),
        ([{"topology": "hybrid"}, {}], "site.dc_share: is missing"),
        ([{"power_mw": -1.0}, {}], "battery.north.power_mw: found -1"),
    ],
)
def test_what_batteries_must_agree_in(changes: list[dict[str, Any]], said: str) -> None:
    batteries = [
        {k: v for k, v in (one | change).items() if v is not None}
        for one, change in zip((NORTH, SOUTH), changes, strict=True)
    ]
    with pytest.raises(bo.ScenarioError, match=said):
        scenario(*batteries)


def test_one_battery_in_a_list_gives_the_same_files(tmp_path: Path) -> None:
    """[[battery]] with one entry is [battery], byte for byte."""
    listed = scenario(NORTH)
    alone = bo.Scenario(battery=NORTH, series=listed.series, strategy="arbitrage")
    folders = [bo.optimize(one).save(tmp_path / name) for one, name in ((listed, "listed"), (alone, "alone"))]
    files = [sorted(f.relative_to(folder) for f in folder.rglob("*") if f.is_file()) for folder in folders]
    assert files[0] == files[1]
    assert all((folders[0] / f).read_bytes() == (folders[1] / f).read_bytes() for f in files[0])


def test_a_saved_plan_loads_equal_and_a_changed_one_is_refused(tmp_path: Path) -> None:
    plan = bo.optimize(scenario())
    folder = plan.save(tmp_path / "plan")
    again = bo.load_dispatch(folder)
    assert again.scenario == plan.scenario
    for name, unit in plan.units.items():
        pd.testing.assert_frame_equal(again.units[name], unit, check_freq=False)
    changed = pd.read_parquet(folder / "units.parquet")
    changed["north.charge_mw"] += 0.5
    changed.to_parquet(folder / "units.parquet")
    with pytest.raises(bo.ScenarioError, match=r"schedule.parquet|units.parquet"):
        bo.load_dispatch(folder)


def test_a_rule_is_shared_by_room_or_says_one_power_for_each() -> None:
    """0.9 MW for an empty 1 MW and an empty 0.5 MW battery are 0.6 and 0.3; a mapping stands as it is."""
    rule = bo.simulate(scenario(), rule=lambda state: -0.9 if state.step == 0 else 0.0)
    assert [unit["charge_mw"].iloc[0] for unit in rule.units.values()] == pytest.approx([0.6, 0.3])
    own = bo.simulate(scenario(), rule=lambda state: {"south": -0.4} if state.step == 0 else {})
    assert [unit["charge_mw"].iloc[0] for unit in own.units.values()] == pytest.approx([0.0, 0.4])
    more = bo.simulate(scenario(), rule=lambda state: -1.4 if state.step < 2 else 0.0)
    assert more.units["north"]["energy_mwh"].iloc[1] == pytest.approx(1.0)
    assert more.units["south"]["charge_mw"].iloc[1] == pytest.approx(0.5)
    assert more.schedule["limited_by"].iloc[1] == "energy"


@pytest.mark.parametrize(("answer", "said"), [({"west": 1.0}, "'west'"), (np.nan, "finite"), ("x", "finite")])
def test_what_a_rule_may_answer(answer: Any, said: str) -> None:
    with pytest.raises(bo.StrategyError, match=said):
        bo.simulate(scenario(), rule=lambda _state: answer)


def test_a_connection_limits_the_sum_of_a_rule() -> None:
    """Asked for 1.5 MW with 1 MW of import: each gives way in proportion."""
    rule = bo.simulate(scenario(site={"import_limit_mw": 1.0}), rule=lambda _state: -1.5)
    assert rule.schedule["import_mw"].iloc[0] == pytest.approx(1.0)
    assert [unit["charge_mw"].iloc[0] for unit in rule.units.values()] == pytest.approx([2.0 / 3.0, 1.0 / 3.0])
    assert rule.schedule["limited_by"].iloc[0] == "import limit"


def test_reasons_name_the_battery() -> None:
    """An end out of reach is one battery's."""
    with pytest.raises(bo.InfeasibleError, match=r"battery.south.soc_end"):
        bo.optimize(scenario(NORTH, SOUTH | {"duration_h": 20.0, "soc_end": 1.0}))


def test_explanations_and_comparisons() -> None:
    given = scenario()
    reasons = bo.optimize(given).explain()
    assert {"north.reason", "south.stored_energy_value_per_mwh"} <= set(reasons.columns)
    assert reasons["north.reason"].iloc[0].startswith("charges")
    assert {"none", "rule", "optimal"} <= set(bo.compare(given).table.index.get_level_values("rung"))


def test_keys_are_replaced_by_name() -> None:
    given = scenario().replace(battery={"south": {"power_mw": 0.75}})
    assert [battery.power_mw for battery in given.batteries] == [1.0, 0.75]
    with pytest.raises(bo.ScenarioError, match="no battery is named 'power_mw'"):
        given.replace(battery={"power_mw": 2.0})
    with pytest.raises(bo.ScenarioError, match="2 batteries"):
        _ = given.battery


def test_what_each_battery_has_used_is_taken_up_by_name() -> None:
    """Caps and segments of wear of each: north gives 1 MWh of cells that hold 1, south 1 of cells that hold 2."""
    cap = {"max_cycles": {"count": 5.0, "per": "month"}}
    worn = {"wear": {"depth": [0.5, 1.0], "cost_per_mwh": [1.0, 2.0]}}
    plan = bo.optimize(scenario(NORTH | cap, SOUTH | worn))
    used = bo.used(plan)
    assert list(used["battery"]) == ["north", "south"]
    assert used["battery"]["north"]["max_cycles"][0]["used"] == pytest.approx(1.0)
    assert used["battery"]["south"]["soc_start"] == pytest.approx(plan.units["south"]["soc"].iloc[-1])
    later = plan.scenario.replace(**bo.used(plan, plan.schedule.index[2]))
    north, south = later.batteries
    assert north.max_cycles is not None
    assert south.soc_start_resolved * 2.0 == pytest.approx(sum(south.wear_stand or ()))
    assert south.soc_start_resolved == pytest.approx(plan.units["south"]["soc"].iloc[1])
    assert bo.used(bo.optimize(scenario())) == {}


def test_studies_and_drawn_price_years_keep_what_each_battery_states() -> None:
    """A row of a study is the plan's; drawn years change prices alone, or the battery's own column where it is named."""
    hours = 24 * 28
    index = pd.date_range("2025-03-03", periods=hours, freq="h", tz="UTC")
    rng = np.random.default_rng(0)
    series = {"price_per_mwh": rng.normal(50.0, 20.0, hours), "north.charge_limit_mw": rng.uniform(0.2, 1.0, hours)}
    given = scenario().replace(series=pd.DataFrame(series, index=index))
    table = bo.study({"stated": given, "larger": given.replace(battery={"south": {"power_mw": 1.5}})}, workers=1)
    assert table.loc["stated", "net_revenue"] == bo.optimize(given).metrics.net_revenue
    assert table.loc["larger", "net_revenue"] > table.loc["stated", "net_revenue"]
    own = "north.charge_limit_mw"
    for drawn in bo.monte_carlo(given, 2, seed=1):
        assert drawn.batteries == given.batteries
        assert (drawn.series[own] == given.series[own]).all()
        assert not (drawn.series["price_per_mwh"] == given.series["price_per_mwh"]).all()
    for drawn in bo.monte_carlo(given, 2, seed=1, columns=["price_per_mwh", own]):
        shown = drawn.series.merge(given.series, on=["price_per_mwh", own])
        assert len(shown) == hours


def test_what_energy_is_worth_is_drawn_for_each_battery() -> None:
    plan = bo.optimize(scenario())
    (axes,) = plan.plot("value").axes
    drawn = {str(line.get_label()): line for line in axes.get_lines()}
    assert isinstance(plan.stored_energy_value, pd.DataFrame)
    for name in ("north", "south"):
        line = drawn[f"stored, {name}"]
        assert np.asarray(line.get_ydata(), dtype=float) == pytest.approx(plan.stored_energy_value[name].to_numpy())
    assert drawn["stored, north"].get_linestyle() != drawn["stored, south"].get_linestyle()
