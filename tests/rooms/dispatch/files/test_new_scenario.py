"""What `bess-opt new` writes is right as it stands, and so is each choice it leaves open."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bess_opt as bo
from bess_opt.interfaces.cli.new_kinds import KINDS
from bess_opt.interfaces.cli.new_scenario import HOURS, SCENARIO, SOLAR_MW, kinds, new_scenario, series_csv

OPEN = [number for number, line in enumerate(SCENARIO.splitlines()) if re.match(r"# (\[|\w+ = )", line)]


def test_it_runs_at_once_and_without_findings(tmp_path: Path) -> None:
    folder = new_scenario(tmp_path / "first")
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "scenario.toml", "series.csv"]
    assert not len(bo.validate(folder))
    plan = bo.optimize(bo.load(folder))
    assert (
        plan.metrics.net_revenue > bo.optimize(plan.scenario.replace(battery={"power_mw": 0.01})).metrics.net_revenue
    )
    assert "# first" in (folder / "README.md").read_text("utf-8")


def test_the_week_has_sun_and_prices_below_zero(tmp_path: Path) -> None:
    series = bo.load(new_scenario(tmp_path / "first")).series
    assert len(series) == HOURS
    assert series.index[0].isoformat() == "2025-06-02T00:00:00+02:00"
    assert 0.7 * SOLAR_MW < series["solar_mw"].max() <= SOLAR_MW
    assert (series["solar_mw"] == 0).any()
    assert series["price_per_mwh"].min() < 0 < 100 < series["price_per_mwh"].max()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_plans_and_its_battery_pays_something(tmp_path: Path, kind: str) -> None:
    folder = new_scenario(tmp_path / "first", kind)
    assert not bo.validate(folder).errors
    assert not bo.validate(folder).warnings
    scenario = bo.load(folder)
    assert len(scenario.series) == HOURS * KINDS[kind].steps_per_hour
    assert set(scenario.series.columns) == set(KINDS[kind].columns)
    idle = scenario.replace(battery={"power_mw": scenario.battery.power_mw * 1e-3})
    assert bo.optimize(scenario).metrics.net_revenue > bo.optimize(idle).metrics.net_revenue
    assert KINDS[kind].question in (folder / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.second_tier) for kind in kinds() if kind != "home"] + ["home"]
)
def test_every_kind_sizes(tmp_path: Path, kind: str) -> None:
    scenario = bo.load(new_scenario(tmp_path / "first", kind))
    text = KINDS[kind].sizes if kind in KINDS else "--power 0:5 --duration 1:6"
    _, power, _, duration = text.split()
    ranges = [tuple(float(end) for end in part.split(":")) for part in (power, duration)]
    sized = bo.size(scenario, power_mw=ranges[0], duration_h=ranges[1])
    assert 0 < sized.power_mw <= ranges[0][1]


def test_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(bo.ScenarioError, match=r"^kind: found 'merchnt'; did you mean 'merchant'\?$"):
        new_scenario(tmp_path / "first", "merchnt")
    with pytest.raises(bo.ScenarioError, match=r"give one of solar, merchant, behind_the_meter, ev_depot, home"):
        new_scenario(tmp_path / "first", "quarry")
    assert not (tmp_path / "first").exists()


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    one, two = (new_scenario(tmp_path / name / "same") for name in ("a", "b"))
    for file in one.iterdir():
        assert file.read_bytes() == (two / file.name).read_bytes()
        assert b"\r" not in file.read_bytes()
    assert series_csv() == (one / "series.csv").read_text("utf-8")


@pytest.mark.parametrize("number", OPEN)
def test_every_open_choice_can_be_taken(tmp_path: Path, number: int) -> None:
    """The # in front of one line is taken away, and that of what it needs; what it replaces goes."""
    folder = new_scenario(tmp_path / "first")
    lines = SCENARIO.splitlines()
    if "window =" in lines[number] or "name =" in lines[number]:
        lines = [line.removeprefix("# ") if "time_shift" in line else line for line in lines]
        lines.remove('name = "arbitrage"')
        lines.insert(0, "")
    if number > lines.index("# [solver]"):
        lines[lines.index("# [solver]")] = "[solver]"
    lines[number] = lines[number].removeprefix("# ")
    (folder / "scenario.toml").write_text("\n".join(lines), "utf-8")
    assert not bo.validate(folder).errors


def test_open_choices_are_found() -> None:
    assert len(OPEN) == 7


def test_an_empty_folder_is_used_and_another_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    new_scenario(tmp_path / "empty")
    with pytest.raises(bo.ScenarioError, match=r"which are left alone; name a new folder$"):
        new_scenario(tmp_path / "empty")
