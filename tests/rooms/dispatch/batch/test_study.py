"""Studies: the same rows on every executor, kept as they come, taken up where they stopped, whoever dies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support import actions
from support.cases import case, random_case

import bess_opt as bo


def scenarios(count: int = 6) -> dict[str, bo.Scenario]:
    """Random ones that can be solved, under names."""
    return {f"case {seed}": random_case(seed, plain=True).scenario() for seed in range(count)}


def spread(high: float, name: str = "scenario") -> bo.Scenario:
    """Buys 2 MWh at 10, sells them at `high`."""
    return case(price_per_mwh=[10.0, 10.0, high, high]).scenario(name=name)


def hopeless() -> bo.Scenario:
    """Load above the connection, and an empty battery."""
    return case(price_per_mwh=[10.0] * 4, load_mw=[5.0] * 4, site={"import_limit_mw": 1.0}).scenario()


class Counted:
    """An action that remembers whom it served."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.served: list[float] = []
        self.stop_at = stop_at

    def __call__(self, scenario: bo.Scenario) -> dict[str, Any]:
        if len(self.served) == self.stop_at:
            raise KeyboardInterrupt
        self.served.append(float(scenario.series["price_per_mwh"].iloc[-1]))
        return {"worth": self.served[-1] * 2}


def test_market_products_have_columns_of_their_own() -> None:
    """Pay and bids by product, and what is left in the worst call; nothing where a scenario sells none."""
    plain = spread(60.0)
    sold = plain.replace(
        series=plain.series.assign(fcr_price_per_mw=200.0),
        product=[{"name": "fcr", "direction": "down", "headroom_h": 0.5}],
    )
    rows = bo.study({"plain": plain, "sold": sold}, workers=1)
    plan = bo.optimize(sold)
    assert rows.loc["sold", "fcr.capacity_revenue"] == plan.products.loc["fcr", "capacity_revenue"] > 0.0
    assert rows.loc["sold", "fcr.mean_mw"] == plan.schedule["fcr_mw"].mean()
    assert rows.loc["sold", "margin_mwh"] == pytest.approx(plan.delivery["margin_mwh"].min(), abs=1e-12)
    assert rows.loc["plain", ["fcr.mean_mw", "margin_mw"]].isna().all()
    assert "fcr.mean_mw" not in bo.study({"plain": plain}, workers=1)


def test_rows_are_the_figures_of_the_plans() -> None:
    """Metrics under their own names, how it was solved, and no times."""
    table = bo.study({"a": spread(50.0), "b": spread(30.0)}, workers=1)
    plan = bo.optimize(spread(50.0))
    row = table.loc["a"]
    assert row["digest"] == plan.scenario.digest()
    assert {name: row[name] for name in ("net_revenue", "equivalent_full_cycles", "score_unit")} == {
        name: plan.metrics.to_dict()[name] for name in ("net_revenue", "equivalent_full_cycles", "score_unit")
    }
    assert (row["status"], row["gap"], row["error"]) == ("optimal", 0.0, "")
    assert table.index.name == "name"
    assert not [column for column in table.columns if "second" in column]
    rule = bo.study([spread(50.0)], action="simulate", workers=1)
    assert rule.loc["scenario", "net_revenue"] == bo.simulate(spread(50.0)).metrics.net_revenue
    assert "status" not in rule.columns


@pytest.mark.slow
def test_every_executor_gives_the_same_rows() -> None:
    """This process, threads and two spawned processes, in any order: equal to the last bit."""
    asked = scenarios()
    serial = bo.study(asked, workers=1)
    pool = bo.study(asked, workers=2)
    pd.testing.assert_frame_equal(pool, serial, check_exact=True)
    with ThreadPoolExecutor(2) as threads:
        pd.testing.assert_frame_equal(bo.study(asked, executor=threads, in_flight=3), serial, check_exact=True)
    turned = bo.study(dict(reversed(asked.items())), workers=1)
    pd.testing.assert_frame_equal(turned.loc[list(asked), list(serial.columns)], serial, check_exact=True)


def test_a_failing_scenario_is_a_row() -> None:
    """Infeasible beside a good one: its error stands in the row, its figures are missing, the rest goes on."""
    table = bo.study({"bad": hopeless(), "good": spread(50.0)}, workers=1)
    assert table.loc["bad", "error_kind"] == "InfeasibleError"
    assert "MW" in table.loc["bad", "error"]
    assert pd.isna(table.loc["bad", "net_revenue"])
    assert table.loc["good", "net_revenue"] == pytest.approx(80.0)


def test_a_folder_of_scenarios(tmp_path: Path) -> None:
    """Each subfolder with a scenario.toml, in the order of names; one that cannot be read is a row."""
    for name, high in (("b", 50.0), ("a", 30.0)):
        plan = bo.optimize(spread(high))
        shutil.copytree(plan.save(tmp_path / "saved" / name) / "scenario", tmp_path / "all" / name)
    (tmp_path / "all" / "broken").mkdir()
    (tmp_path / "all" / "broken" / "scenario.toml").write_text("[batery]\n")
    table = bo.study(tmp_path / "all", workers=1)
    assert list(table.index) == ["a", "b", "broken"]
    assert table.loc["broken", "error_kind"] == "ScenarioError"
    assert "did you mean 'battery'" in table.loc["broken", "error"]
    assert table["net_revenue"].iloc[:2].to_list() == pytest.approx([40.0, 80.0])
    with pytest.raises(bo.ScenarioError, match="holds no scenario folders; name a folder whose subfolders"):
        bo.study(tmp_path / "saved", workers=1)


def test_names_that_come_again_get_a_number() -> None:
    """Variants made by `replace` have one name; a generator is taken as it comes."""
    made: Iterator[bo.Scenario] = (spread(high) for high in (20.0, 30.0, 40.0))
    assert list(bo.study(made, workers=1).index) == ["scenario", "scenario (2)", "scenario (3)"]


def test_it_takes_up_where_it_stopped(tmp_path: Path) -> None:
    """Stopped at the third of four: the second call computes two, the third none, and all give one table."""
    asked = {str(high): spread(high) for high in (20.0, 30.0, 40.0, 50.0)}
    first = Counted(stop_at=2)
    with pytest.raises(KeyboardInterrupt):
        bo.study(asked, action=first, out=tmp_path / "out", workers=1)
    assert not (tmp_path / "out" / "study.parquet").exists()
    second = Counted()
    table = bo.study(asked, action=second, out=tmp_path / "out", workers=1)
    assert (first.served, second.served) == ([20.0, 30.0], [40.0, 50.0])
    third = Counted()
    again = bo.study(asked, action=third, out=tmp_path / "out", workers=1)
    assert third.served == []
    pd.testing.assert_frame_equal(again, table, check_exact=True)
    pd.testing.assert_frame_equal(table, bo.study(asked, action=Counted(), workers=1), check_exact=True)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out" / "study.parquet"), table, check_exact=True)
    assert not [file for file in (tmp_path / "out").rglob("*") if file.name.startswith(".")]


def test_what_has_changed_is_computed_again(tmp_path: Path) -> None:
    """Another scenario under an old name, and a new one; the old ones stay."""
    asked = {"a": spread(20.0), "b": spread(30.0)}
    bo.study(asked, action=Counted(), out=tmp_path / "s.parquet", workers=1)
    counted = Counted()
    table = bo.study(
        asked | {"a": spread(25.0), "c": spread(60.0)}, action=counted, out=tmp_path / "s.parquet", workers=1
    )
    assert counted.served == [25.0, 60.0]
    assert table["worth"].to_list() == [50.0, 60.0, 120.0]
    assert len(pd.read_parquet(tmp_path / "s.parquet")) == 3


def test_another_action_has_rows_of_its_own(tmp_path: Path) -> None:
    """The optimum's row is not taken for the rule's."""
    asked = {"a": case(price_per_mwh=[30.0, 10.0, 60.0, 20.0, 50.0, 15.0]).scenario()}
    best = bo.study(asked, out=tmp_path, workers=1)
    rule = bo.study(asked, action="simulate", out=tmp_path, workers=1)
    assert rule["net_revenue"].iloc[0] < best["net_revenue"].iloc[0]


def test_errors_of_the_package_are_kept_and_others_tried_again(tmp_path: Path) -> None:
    """Infeasible stays so; a bug in a function may have been mended."""
    calls: list[int] = []

    def buggy(scenario: bo.Scenario) -> Any:
        calls.append(1)
        if scenario.battery.power_mw == 1.0 and len(calls) < 3:
            raise ZeroDivisionError("not yet")
        return bo.optimize(scenario)

    asked = {"good": spread(50.0), "bad": hopeless().replace(battery={"power_mw": 1.5})}
    first = bo.study(asked, action=buggy, out=tmp_path / "o", workers=1)
    assert first["error_kind"].to_list() == ["ZeroDivisionError", "InfeasibleError"]
    second = bo.study(asked, action=buggy, out=tmp_path / "o", workers=1)
    assert second["error_kind"].to_list() == ["", "InfeasibleError"]
    assert len(calls) == 3


def test_a_spoilt_part_is_made_again(tmp_path: Path) -> None:
    """A file that cannot be read is no row."""
    bo.study([spread(20.0)], action=Counted(), out=tmp_path / "o", workers=1)
    (part,) = (tmp_path / "o" / "parts").iterdir()
    part.write_bytes(b"half")
    counted = Counted()
    assert bo.study([spread(20.0)], action=counted, out=tmp_path / "o", workers=1)["worth"].to_list() == [40.0]
    assert counted.served == [20.0]


@pytest.mark.slow
def test_a_dead_worker_costs_nothing_but_time(tmp_path: Path) -> None:
    """A worker of the pool is killed in the middle: the rows are those of a quiet run."""
    asked = {str(seed): random_case(seed, plain=True).scenario() for seed in range(6)}
    asked["3"] = asked["3"].replace(name=str(tmp_path / "x.once"))
    table = bo.study(asked, action=actions.die_once, workers=2)
    assert (tmp_path / "x.once").exists()
    quiet = bo.study(asked, action=actions.net_revenue, workers=1)
    pd.testing.assert_frame_equal(table, quiet, check_exact=True)


@pytest.mark.slow
def test_a_scenario_that_kills_is_a_row_and_alone_to_blame(tmp_path: Path) -> None:
    """It takes every worker with it; the others, broken along with it, still get their rows."""
    asked = {"a": spread(20.0), "poison": spread(30.0, "poison"), "b": spread(40.0), "c": spread(50.0)}
    table = bo.study(asked, action=actions.die_always, workers=2, retries=1, out=tmp_path / "o")
    assert table["error_kind"].to_list() == ["", "WorkerDiedError", "", ""]
    assert "its worker died 2 times" in table.loc["poison", "error"]
    assert table["net_revenue"].dropna().to_list() == pytest.approx([20.0, 60.0, 80.0])
    assert len(list((tmp_path / "o" / "parts").iterdir())) == 3


@pytest.mark.slow
def test_a_broken_executor_of_the_users_is_said(tmp_path: Path) -> None:
    """It cannot be renewed from here; what was done is kept."""
    asked = {"a": spread(20.0), "poison": spread(30.0, "poison"), "b": spread(40.0)}
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(bo.BessOptError, match="executor: a worker died and broke it; give a new one"),
    ):
        bo.study(asked, action=actions.die_always, executor=pool, out=tmp_path / "o", in_flight=1)
    assert len(list((tmp_path / "o" / "parts").iterdir())) == 1


def test_progress_is_on_stderr_and_optional(capfd: pytest.CaptureFixture[str]) -> None:
    """Asked for: a bar with count and rate. By default nothing where no terminal is; stdout stays clean."""
    bo.study([spread(20.0), spread(30.0)], workers=1, progress=True)
    shown = capfd.readouterr()
    assert "2/2" in shown.err
    assert "/s" in shown.err
    assert shown.out == ""
    bo.study([spread(20.0)], workers=1)
    assert capfd.readouterr().err == ""


def test_values_of_a_function_are_plain() -> None:
    """Numbers, flags and texts; None is no figure; anything else is the row's error, as is a name of ours."""
    row = bo.study([spread(50.0)], action=actions.net_revenue, workers=1).iloc[0]
    assert (row["rank"], row["good"]) == (3, True)
    assert pd.isna(row["note"])
    for made, said in (
        (7, "returned int; give a Dispatch or a mapping"),
        ({"x": [1]}, "'x' is list; give single numbers"),
        ({"digest": 1}, "returned 'digest', a column of the study's own"),
    ):
        wrong = bo.study([spread(50.0)], action=lambda scenario, made=made: made, workers=1).iloc[0]
        assert said in wrong["error"]


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    """Actions, numbers and places."""
    asked = [spread(50.0)]
    with pytest.raises(bo.ScenarioError, match="action: found 'optimise'; did you mean 'optimize'"):
        bo.study(asked, action="optimise")
    with pytest.raises(bo.ScenarioError, match=r"action: cannot travel: .*; define it at the top of a module"):
        bo.study(asked, action=lambda scenario: {}, workers=2)
    with pytest.raises(bo.ScenarioError, match="workers: found 0; give 1 or more"):
        bo.study(asked, workers=0)
    with (
        ThreadPoolExecutor(1) as threads,
        pytest.raises(bo.ScenarioError, match="workers: found 2 beside an executor"),
    ):
        bo.study(asked, executor=threads, workers=2)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(bo.ScenarioError, match=r"holds other files \(notes\.txt\), which are left alone"):
        bo.study(asked, out=tmp_path)
    with pytest.raises(bo.ScenarioError, match=r"is a file; name a folder or a \.parquet file"):
        bo.study(asked, out=tmp_path / "notes.txt")
    (tmp_path / "prices.parquet").write_bytes(b"mine")
    with pytest.raises(bo.ScenarioError, match="is there already and not a study's; name a new file"):
        bo.study(asked, out=tmp_path / "prices.parquet")
    with pytest.raises(bo.ScenarioError, match="cannot be written"):
        bo.study(asked, out=tmp_path / "notes.txt" / "deeper")
