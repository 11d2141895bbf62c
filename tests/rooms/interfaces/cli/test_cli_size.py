"""`bess-opt size` and `bess-opt compare`: what stands on stdout and in the folder, and the exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support.command_line import Ended
from support.sites import SCENARIOS

import bess_opt as bo
from bess_opt.interfaces.cli.tables import number
from bess_opt.investment.sizing.key_figures import sizing_rows

Run = Callable[..., Ended]
MONEY = (
    "--set", "finance.capital_per_mw=60000.0", "--set", "finance.capital_per_mwh=40000.0",
    "--set", "finance.lifetime_years=15", "--set", "finance.discount_rate=0.06",
    "--set", "finance.horizons_per_year=52.0",
)  # fmt: skip
RANGE = ("--power", "0.5:4", "--duration", "1:5")


@pytest.fixture
def priced(folder: Path) -> bo.Scenario:
    finance = {
        "capital_per_mw": 60000.0, "capital_per_mwh": 40000.0, "lifetime_years": 15, "discount_rate": 0.06,
        "horizons_per_year": 52.0,
    }  # fmt: skip
    return bo.load(folder).replace(finance=finance)


def test_size_as_json_is_the_sizing(run: Run, folder: Path, priced: bo.Scenario) -> None:
    ended = run("size", folder, *RANGE, *MONEY, "--json")
    best = bo.size(priced, (0.5, 4), (1, 5))
    assert ended.code == 0
    content = ended.json
    for name in (
        "power_mw",
        "duration_h",
        "energy_mwh",
        "value",
        "bound",
        "gap",
        "without",
        "build",
        "costs",
        "calls",
    ):
        assert content[name] == getattr(best, name), name
    assert content["metrics"] == best.plan.metrics.to_dict()
    assert len(content["table"]) == len(best.table)


def test_size_shows_the_best_size_with_units(run: Run, folder: Path, priced: bo.Scenario) -> None:
    """The rows that notebook and report show too."""
    ended = run("size", folder, *RANGE, *MONEY)
    assert ended.code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in ended.out.splitlines() if "│" in line]
    shown: list[tuple[str, str]] = []
    for name, value in rows:  # a long line goes on below
        if name:
            shown.append((name, value))
        else:
            shown[-1] = (shown[-1][0], f"{shown[-1][1]} {value}")
    assert shown == sizing_rows(bo.size(priced, (0.5, 4), (1, 5)))


def test_size_takes_blocks_budget_steps_and_the_rule(run: Run, folder: Path) -> None:
    blocks = run("size", folder, *RANGE, *MONEY, "--module", "0.5,1", "--budget", "400000", "--json").json
    assert blocks["energy_mwh"] / blocks["power_mw"] == 2.0
    assert 60000.0 * blocks["power_mw"] + 40000.0 * blocks["energy_mwh"] <= 400000.0
    steps = run("size", folder, *RANGE, *MONEY, "--power-step", "0.5", "--energy-step", "2", "--json").json
    assert (steps["power_mw"] % 0.5, steps["energy_mwh"] % 2.0) == (0.0, 0.0)
    ruled = run("size", folder, "--power", "1", "--duration", "1:2", *MONEY, "--twin", "rule", "--json")
    assert (ruled.code, ruled.json["twin"], ruled.json["bound"]) == (0, "rule", None)
    assert "warning: objective: a rule does not maximise anything" in ruled.err


@pytest.mark.slow
def test_size_saves_the_same_bytes(run: Run, folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        ended = run("size", folder, *RANGE, *MONEY, "--out", tmp_path / name, "--json")
        assert ended.code == 0
        assert f"saved: {tmp_path / name}" in ended.err
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["sizing.json", "surface.png", "table.parquet"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    saved = json.loads((tmp_path / "one" / "sizing.json").read_text("utf-8"))
    assert {key: saved[key] for key in ended.json} == ended.json
    assert len(pd.read_parquet(tmp_path / "one" / "table.parquet")) == len(saved["table"])
    assert run("size", folder, *RANGE, *MONEY, "--out", tmp_path / "one").code == 0  # its own folder it may replace
    assert run("compare", folder, "--out", tmp_path / "one").code == 1  # another's not


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--power", "1:x", "--duration", "2"), 2, "'1:x' is not of the form 1:10 or 4"),
        (("--power", "1", "--duration", "2", "--module", "a"), 2, "'a' is not of the form 2.5,5"),
        (("--power", "1"), 2, "Missing option '--duration'"),
        (("--power", "3:1", "--duration", "2"), 1, "error: power_mw: found [3.0, 1.0]; give (least, most)"),
        (("--power", "1:2:3", "--duration", "2"), 1, "error: power_mw: found [1.0, 2.0, 3.0]; give a number"),
        (("--power", "1", "--duration", "2", "--objective", "npx"), 1, "error: objective: found 'npx'"),
    ],
)
def test_size_says_what_is_wrong(run: Run, folder: Path, words: tuple[str, ...], code: int, message: str) -> None:
    ended = run("size", folder, *MONEY, *words)
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err


def test_size_without_costs_says_what_is_missing(run: Run, folder: Path) -> None:
    text = (folder / "scenario.toml").read_text("utf-8")
    first, last = text.index("[finance]"), text.index("# [solver]")
    (folder / "scenario.toml").write_text(text[:first] + text[last:], "utf-8")
    ended = run("size", folder, *RANGE)
    assert (ended.code, ended.out) == (1, "")
    assert "error: finance: 'npv' needs it; add [finance]" in ended.err


def test_size_of_a_site_that_no_battery_can_serve_is_infeasible(run: Run, folder: Path) -> None:
    impossible = ("--set", "site.export_limit_mw=0.0", "--set", "site.curtailment=false")
    ended = run("size", folder, "--power", "1:2", "--duration", "1:2", *MONEY, *impossible)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.lstrip().startswith("infeasible: ")


def test_compare_shows_the_ladder(run: Run, folder: Path) -> None:
    ended = run("compare", folder)
    table = bo.compare(bo.load(folder)).table
    assert ended.code == 0
    shown = " ".join(ended.out.split())
    for _, rung in table.index:
        assert rung.split()[0] in shown
    assert "100.0 %" in ended.out


def test_compare_as_json_has_the_metrics_of_every_rung(run: Run, folder: Path) -> None:
    content = run("compare", folder, "--strategies", "arbitrage, arbitrage", "--json")
    found = bo.compare(bo.load(folder), ["arbitrage", "arbitrage"])
    assert content.code == 0
    assert list(content.json["metrics"]) == ["arbitrage", "arbitrage (2)"]
    for (strategy, rung), plan in found.plans.items():
        assert content.json["metrics"][strategy][rung] == plan.metrics.to_dict()
    assert len(content.json["table"]) == len(found.table)


def test_compare_saves_tables_and_picture(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("compare", folder, "--out", tmp_path / "one").code == 0
    assert run("compare", folder, "--out", tmp_path / "two").code == 0
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["comparison.json", "ladder.png", "lines.parquet", "removed.parquet", "table.parquet"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "one" / "table.parquet"), bo.compare(bo.load(folder)).table
    )


def test_compare_operates_on_the_forecast_that_is_stated(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rungs of `bo.compare(forecast=)`, in its order; a table says where the money of each comes from."""
    monkeypatch.setenv("COLUMNS", "160")
    stated = ("--forecast", "persistence", "--horizon-h", "24", "--every-h", "12")
    shown = run("compare", folder, *stated)
    assert shown.code == 0
    assert "forecast-driven" in shown.out
    assert "worth of the battery" in shown.out
    found = bo.compare(bo.load(folder), forecast="persistence", horizon_h=24.0, every_h=12.0)
    told = json.loads(run("compare", folder, *stated, "--json").out)
    assert [row["rung"] for row in told["table"]] == found.table.index.get_level_values("rung").tolist()
    assert told["table"][2]["score"] == found.table["score"].iloc[2]
    worth = number(found.lines["value"].iloc[-1])  # without cents, beside ten thousand
    assert re.search(rf"│ sum +(│ +-?[\d,.]+ )+│ +{worth} │", shown.out)
    refused = run("compare", folder, "--forecast", "clairvoyance")
    assert refused.code == 1
    assert "clairvoyance" in refused.err


def test_compare_shows_what_each_product_earns(run: Run) -> None:
    """A line of the ledger for each, of the rule too, in words and as JSON."""
    place = SCENARIOS / "energy_and_reserve"
    shown = run("compare", place).out
    assert re.search(r"fcr capacity +│ +0.00 │ +1,622.01 │", shown)
    assert "afrr up capacity" in shown
    lines = {row["line"]: row for row in json.loads(run("compare", place, "--json").out)["lines"]}
    assert lines["afrr_up_capacity"]["optimal"] == pytest.approx(458.54, abs=0.05)


def test_size_says_what_the_products_of_its_plan_earn(run: Run) -> None:
    """As `optimize` does, for the plan of the best size."""
    found = run("size", SCENARIOS / "energy_and_reserve", "--power", "10", "--duration", "2:4", "--json")
    told = json.loads(found.out)
    assert list(told["products"]) == ["fcr", "afrr_up"]
    paid = sum(row["capacity_revenue"] for row in told["products"].values())
    assert paid == pytest.approx(told["metrics"]["product_revenue"])
    assert min(row["margin_mw"] for row in told["delivery"] if row["margin_mw"] is not None) > -1e-6


def test_compare_names_an_unknown_strategy(run: Run, folder: Path) -> None:
    ended = run("compare", folder, "--strategies", "arbitrge")
    assert (ended.code, ended.out) == (1, "")
    assert "arbitrage" in ended.err


def test_sizes_of_several_batteries_by_name(run: Run, folder: Path, priced: bo.Scenario, tmp_path: Path) -> None:
    """Ranges by name and a further year: the same as in Python, in the folder and on stdout."""
    names = ("--set", "battery.name=north")
    ended = run(
        "size", folder, "--power", "north=0:2", "--duration", "1:4", "--price-year", folder, *names, *MONEY, "--json",
        "--out", tmp_path / "found",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    named = priced.replace(battery={"name": "north"})
    best = bo.size(named, {"north": (0, 2)}, (1, 4), price_years=[named])
    assert ended.json["power_mw"] == best.power_mw
    assert (ended.json["value"], ended.json["bound"], ended.json["p90"]) == (best.value, best.bound, best.p90)
    assert len(ended.json["years"]) == 1
    assert len(pd.read_parquet(tmp_path / "found" / "years.parquet")) == 1


@pytest.mark.parametrize("power", ["north=0:2,south", "=0:2", "north=0:2,north=0:1", "north=a"])
def test_ranges_by_name_that_are_none(run: Run, folder: Path, power: str) -> None:
    ended = run("size", folder, "--power", power, "--duration", "1:4")
    assert ended.code == 2
    assert "is not of the form" in ended.err
