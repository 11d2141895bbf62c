"""Each command by hand: what stands on stdout, what on stderr, and the exit code."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import Ended

import bess_opt as bo
from bess_opt.interfaces.cli.new_scenario import HOURS

Run = Callable[..., Ended]
KEYS = [
    "scenario",
    "strategy",
    "status",
    "objective",
    "bound",
    "gap",
    "engine",
    "engine_reasons",
    "metrics",
    "findings",
    "ledger",
    "figures",
]


def test_optimize_prints_the_key_figures_with_units(run: Run, folder: Path) -> None:
    ended = run("optimize", folder)
    metrics = bo.optimize(bo.load(folder)).metrics
    assert (ended.code, ended.err) == (0, "")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in ended.out.splitlines() if "│" in line]
    assert ended.out.startswith("week: arbitrage, optimal")
    assert ["battery power", "2", "MW"] in rows
    assert ["battery energy", "8", "MWh"] in rows
    assert ["status", "optimal", ""] in rows
    assert ["solved by", "value functions", ""] in rows
    assert ["net revenue", f"{metrics.net_revenue:,.2f}", "EUR"] in rows
    assert ["full cycles per day", f"{metrics.cycles_per_day:.4g}", "1/day"] in rows
    assert not any(row[0] == "demand charges" for row in rows)  # there are none


def test_market_products_are_shown_each(run: Run, folder: Path, tmp_path: Path) -> None:
    """What each earns and what of it is held, and what is left in the worst call; nothing without products."""
    series = bo.load(folder).series.assign(fcr_price_per_mw=30.0, idle_price_per_mw=-1.0)
    rows = [{"name": "fcr", "block_h": 4.0}, {"name": "idle", "direction": "up"}]
    bo.optimize(bo.load(folder).replace(series=series, product=rows)).save(tmp_path / "plan")
    shutil.copytree(tmp_path / "plan" / "scenario", tmp_path / "sold")
    plan = bo.optimize(bo.load(tmp_path / "sold"))
    shown = run("optimize", tmp_path / "sold").out
    table = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.splitlines() if "│" in line]
    assert ["fcr", f"{plan.products.loc['fcr', 'capacity_revenue']:,.2f}", "EUR"] in table
    assert [row[2] for row in table if row[0] == "left in the worst call"] == ["MW", "MWh"]
    found = run("optimize", tmp_path / "sold", "--json").json
    assert list(found) == [*KEYS, "products", "delivery"]
    assert found["products"] == plan.products.to_dict("index")
    calls = {(row["product"], row["direction"]): row for row in found["delivery"]}
    assert calls["fcr", "down"]["margin_mwh"] == plan.delivery.loc[("fcr", "down"), "margin_mwh"]
    assert calls["fcr", "down"]["margin_mwh_at"].endswith("+02:00")
    assert calls["idle", "up"]["margin_mw"] is calls["idle", "up"]["margin_mw_at"] is None


def test_json_is_one_object_with_the_metrics_keys(run: Run, folder: Path) -> None:
    ended = run("optimize", folder, "--json")
    plan = bo.optimize(bo.load(folder))
    assert (ended.code, ended.err) == (0, "")
    assert list(ended.json) == KEYS
    assert ended.json["metrics"] == plan.metrics.to_dict()
    assert ended.json["ledger"] == plan.ledger
    assert (ended.json["scenario"], ended.json["strategy"], ended.json["status"]) == (
        "week",
        "arbitrage",
        "optimal",
    )
    assert ended.json["objective"] == plan.report.objective
    assert (ended.json["engine"], ended.json["engine_reasons"]) == ("value_function", [])
    assert ended.json["findings"] == []


def test_what_asked_for_highs_is_named(run: Run, folder: Path) -> None:
    """In the summary and in JSON: the row that ties the steps of a day together."""
    reason = "cycles_per_day: is not one row for each step"
    stated = "battery.max_cycles_per_day=1.0"
    ended = run("optimize", folder, "--json", "--set", stated)
    assert (ended.json["engine"], ended.json["engine_reasons"]) == ("highs", [reason])
    told = " ".join(run("optimize", folder, "--set", stated).out.replace("│", " ").split())
    assert f"solved by HiGHS ({reason})" in told
    several = ["--set", stated, "--set", 'connection=[{name="slow",ramp_mw_per_min=0.05}]']
    reasons = run("optimize", folder, "--json", *several).json["engine_reasons"]
    told = " ".join(run("optimize", folder, *several).out.replace("│", " ").split())
    assert len(reasons) > 1
    assert f"solved by HiGHS ({reasons[0]}, and {len(reasons) - 1} more reason" in told
    insisted = run("optimize", folder, "--json", "--set", stated, "--set", "solver.engine=highs")
    assert (insisted.json["engine"], insisted.json["engine_reasons"]) == ("highs", [])


def test_a_figure_without_meaning_is_null_in_json(run: Run, folder: Path) -> None:
    """Without any throughput a round-trip efficiency says nothing."""
    ended = run("optimize", folder, "--json", "--set", "battery.wear_cost_per_mwh=1e6")
    assert ended.json["metrics"]["round_trip_efficiency"] is None
    assert "NaN" not in ended.out


def test_simulate_is_the_rule_twin(run: Run, folder: Path) -> None:
    ended = run("simulate", folder, "--json")
    assert ended.code == 0
    assert ended.json["metrics"] == bo.simulate(bo.load(folder)).metrics.to_dict()
    assert (ended.json["status"], ended.json["objective"], ended.json["gap"]) == ("rule", None, None)
    assert run("simulate", folder).out.startswith("week: arbitrage, rule")


def test_out_saves_a_result_with_its_picture(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "result"
    ended = run("optimize", folder, "--out", out, "--json", "--set", "battery.power_mw=3")
    assert (ended.code, ended.err) == (0, f"saved: {out}\n")
    saved = bo.load_dispatch(out)
    assert saved.scenario.battery.power_mw == 3
    assert saved.metrics.to_dict() == ended.json["metrics"]
    assert (out / "dispatch.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_command_writes_the_same_bytes(run: Run, folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert run("optimize", folder, "--out", tmp_path / name).code == 0
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*"))
    assert files == sorted(path.relative_to(tmp_path / "two") for path in (tmp_path / "two").rglob("*"))
    for file in files:
        if (tmp_path / "one" / file).is_file():
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_the_theme_and_the_week_change_the_picture(run: Run, folder: Path, tmp_path: Path) -> None:
    for name, *options in (("light",), ("dark", "--theme", "dark"), ("third", "--week", "2025-06-03")):
        assert run("optimize", folder, "--out", tmp_path / name, *options).code == 0
    light, dark = ((tmp_path / name / "dispatch.png").read_bytes() for name in ("light", "dark"))
    assert light != dark


def test_describe_has_a_column_per_series(run: Run, folder: Path) -> None:
    ended = run("describe", folder)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("week: 168 steps of 60 min from 2025-06-02 00:00+02:00, Europe/Berlin")
    assert "EUR/MWh" in ended.out
    assert "2025-06-08 13:00+02:00" in ended.out  # the least price


def test_describe_as_json(run: Run, folder: Path) -> None:
    series = run("describe", folder, "--json").json["series"]
    table = bo.describe(bo.load(folder))
    assert list(series) == ["solar_mw", "price_per_mwh"]
    assert series["solar_mw"]["sum_mwh"] == pytest.approx(table.loc["solar_mw", "sum_mwh"])
    assert series["price_per_mwh"]["sum_mwh"] is None
    assert series["price_per_mwh"]["minimum_at"] == "2025-06-08T13:00:00+02:00"


def test_validate_says_valid(run: Run, folder: Path) -> None:
    ended = run("validate", folder)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("week: valid")
    assert run("validate", folder, "--json").json == {"scenario": "week", "valid": True, "findings": []}


def test_list_names_everything_there_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    ended = run("list")
    choices = run("list", "--json").json
    frames = {"technologies": bo.technologies(), "topologies": bo.topologies(), "strategies": bo.strategies()}
    frames["products"] = bo.products()
    for title, frame in frames.items():
        assert list(choices[title]) == list(frame.index)
        assert all(key in ended.out for key in frame.index)
    assert choices["topologies"]["parallel_ac"]["eta_dc_solar_battery_grid"] is None
    assert choices["products"]["de.fcr"]["in_force"] == "2020-07-01"
    assert 'window = ["18:00", "22:00"]' in ended.out


def test_tables_fit_a_narrow_screen(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("list").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any("eta_dc_solar_battery_grid" in line for line in lines)


def test_names_are_not_read_as_markup(run: Run, folder: Path) -> None:
    odd = folder.rename(folder.with_name("[red]a :smile:"))
    assert run("validate", odd).out.startswith("[red]a :smile:: valid")


def test_schema_prints_the_schema(run: Run) -> None:
    schema = run("schema").json
    assert schema["title"] == "bess_opt scenario.toml"
    assert {"battery", "site", "series", "strategy", "tariff", "finance", "solver"} <= set(schema["properties"])


def test_version(run: Run) -> None:
    ended = run("--version")
    assert (ended.code, ended.out.split()[0]) == (0, "bess-opt")


def test_new_writes_a_scenario_that_runs(run: Run, tmp_path: Path) -> None:
    ended = run("new", tmp_path / "mine")
    assert (ended.code, ended.err) == (0, "")
    assert f"next: bess-opt optimize {tmp_path / 'mine'}" in ended.out
    assert len(bo.load(tmp_path / "mine").series) == HOURS
    assert run("optimize", tmp_path / "mine").code == 0


def test_new_of_another_kind(run: Run, tmp_path: Path) -> None:
    assert run("new", tmp_path / "depot", "--kind", "ev_depot").code == 0
    assert run("validate", tmp_path / "depot").code == 0
    assert bo.load(tmp_path / "depot").site.import_limit_mw == 1.4
    ended = run("new", tmp_path / "other", "--kind", "ev-depot")
    assert (ended.code, ended.err) == (1, "error: kind: found 'ev-depot'; did you mean 'ev_depot'?\n")


def test_new_leaves_what_is_there_alone(run: Run, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ended = run("new", folder)
    assert (ended.code, ended.out) == (1, "")
    held = "holds other files (README.md, scenario.toml, series.csv), which are left alone"
    assert ended.err == f"error: {folder}: {held}; name a new folder\n"
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_control_is_the_forecast_driven_twin(run: Run, folder: Path) -> None:
    """Options reach the verb; a mode stands for all series, SERIES=MODE for one."""
    ended = run("control", folder, "--json", "--forecast", "published", "--horizon-h", "24", "--every-h", "2")
    plan = bo.control(bo.load(folder), "published", horizon_h=24, every_h=2)
    assert (ended.code, ended.json["status"]) == (0, "control")
    assert ended.json["metrics"] == plan.metrics.to_dict()
    assert ended.json["figures"]["decisions"] == 84.0
    mixed = run("control", folder, "--json", "--forecast", "persistence", "--forecast", "price_per_mwh=published")
    told = {"*": "persistence", "price_per_mwh": "published"}
    assert mixed.json["metrics"] == bo.control(bo.load(folder), told).metrics.to_dict()
    ahead = ("--commitment", "day_ahead", "--gate-hour", "11", "--terminal", "cyclic")
    plan = bo.control(bo.load(folder), commitment="day_ahead", gate_hour=11.0, terminal="cyclic")
    assert run("control", folder, "--json", *ahead).json["metrics"] == plan.metrics.to_dict()


def test_control_refuses_an_unknown_forecast(run: Run, folder: Path) -> None:
    ended = run("control", folder, "--forecast", "publishd")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == ("error: forecast.mode: found 'publishd'; did you mean 'published'?\n")
