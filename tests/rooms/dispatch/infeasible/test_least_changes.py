"""An infeasible scenario is told the least change that mends it, and the change is neither too small nor too large."""

from __future__ import annotations

import importlib.util
import json
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.infeasible_scenarios import IMPOSSIBLE, TWOFOLD, with_values
from support.places import ROOT
from typer.testing import CliRunner

import bess_opt as bo
from bess_opt.dispatch.infeasible import least_changes
from bess_opt.interfaces.cli.main import app
from bess_opt.interfaces.cli.new_scenario import new_scenario


@cache
def refused(name: str) -> bo.InfeasibleError:
    with pytest.raises(bo.InfeasibleError) as caught:
        bo.optimize(IMPOSSIBLE[name].scenario())
    return caught.value


def feasible(scenario: bo.Scenario) -> bool:
    try:
        bo.optimize(scenario)
    except bo.InfeasibleError:
        return False
    return True


def test_there_are_enough_kinds() -> None:
    assert len(IMPOSSIBLE) >= 30
    assert len({one.kind for one in IMPOSSIBLE.values()}) >= 8


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_the_right_limits_are_named(name: str) -> None:
    """All that must mend it alone are there, the smallest change first, permissions after numbers of less than 100 %."""
    error = refused(name)
    named = [relaxation.where for relaxation in error.relaxations]
    assert set(IMPOSSIBLE[name].mends) <= set(named)
    shares = [relaxation.share for relaxation in error.relaxations]
    assert shares == sorted(shares)
    assert all(len(relaxation.changes) == 1 for relaxation in error.relaxations)


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_each_change_is_enough_and_no_more(name: str) -> None:
    """Applied as it is printed it makes a plan possible; 1 % less of the change does not."""
    scenario = IMPOSSIBLE[name].scenario()
    for relaxation in refused(name).relaxations:
        change = relaxation.changes[0]
        assert feasible(scenario.replace(**relaxation.tables)), relaxation
        assert feasible(with_values(scenario, relaxation, 1.0)), relaxation
        if not isinstance(change.value, bool):
            assert not feasible(with_values(scenario, relaxation, 0.99)), relaxation


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_reasons_have_times_and_end_with_the_changes(name: str) -> None:
    error = refused(name)
    assert any("2025-06-0" in reason.found + reason.expected for reason in error.reasons)
    told = [reason for reason in error.reasons if reason.code == "relaxation"]
    assert [reason.where for reason in told] == [relaxation.where for relaxation in error.relaxations]
    for reason, relaxation in zip(told, error.relaxations, strict=True):
        value = relaxation.value
        assert ("true" if value is True else f"{value:.12g}") in reason.expected
        assert reason.sentence() in str(error)


@pytest.mark.parametrize("name", TWOFOLD)
def test_a_combination_where_no_single_change_is_enough(name: str) -> None:
    scenario = TWOFOLD[name]().scenario()
    with pytest.raises(bo.InfeasibleError) as caught:
        bo.optimize(scenario)
    (relaxation,) = caught.value.relaxations
    assert len(relaxation.changes) > 1
    assert feasible(scenario.replace(**relaxation.tables))
    assert not feasible(with_values(scenario, relaxation, 0.99))
    assert "no single limit mends it" in str(caught.value)


def test_the_sentences_are_for_people() -> None:
    assert str(refused("hump")).splitlines() == [
        "site.import_limit_mw: from 2025-06-02 01:00 to 2025-06-02 06:00 the load of 2.5 to 2.7 MW; cannot hold "
        "together with the import limit of 2 MW, the SOC window's lower end of 0 MWh at 2025-06-02 06:00, "
        "the SOC window's upper end of 2 MWh at 2025-06-02 01:00",
        "site.import_limit_mw: this change alone mends it; raise site.import_limit_mw from 2 to 2.18 MW",
        "battery.duration_h: this change alone mends it; raise battery.duration_h from 2 to 3.8 h",
    ]


def test_a_time_limit_ends_the_search_for_changes() -> None:
    """The reasons that need no solve are there all the same."""
    scenario = IMPOSSIBLE["end too high"].scenario().replace(solver={"time_limit_s": 1e-9})
    with pytest.raises(bo.InfeasibleError, match=r"battery\.soc_end: asks for SOC 0\.8") as caught:
        bo.optimize(scenario)
    assert caught.value.relaxations == ()


def test_an_error_crosses_processes_whole() -> None:
    again = pickle.loads(pickle.dumps(refused("hump")))
    assert (again.reasons, again.relaxations) == (refused("hump").reasons, refused("hump").relaxations)
    wrong = bo.ScenarioError(refused("hump").reasons)
    assert pickle.loads(pickle.dumps(wrong)).problems == wrong.problems


def test_the_command_line_tells_them_to_people_and_programs(tmp_path: Path) -> None:
    """Exit code 3, a line for each reason and change on stderr, the numbers in the JSON object."""
    folder = new_scenario(tmp_path / "week")
    ended = CliRunner().invoke(
        app, ["optimize", str(folder), "--json", "--set", "battery.soc_start=0.1", "--set", "battery.soc_end=0.9",
              "--set", "site.grid_charging=false", "--set", "battery.duration_h=400"]
    )  # fmt: skip
    assert ended.exit_code == 3
    assert (
        "infeasible: battery.soc_end: this change alone mends it; lower battery.soc_end from 0.9 to " in ended.stderr
    )
    told = json.loads(ended.stdout)["error"]
    assert told["kind"] == "InfeasibleError"
    (change,) = told["relaxations"][0]["changes"]
    assert (change["where"], change["stated"], change["unit"]) == ("battery.soc_end", 0.9, "")
    assert change["value"] < 0.9


def test_comparing_tells_them_too() -> None:
    with pytest.raises(bo.InfeasibleError) as caught:
        bo.compare(IMPOSSIBLE["hump"].scenario())
    assert caught.value.relaxations == refused("hump").relaxations


def test_a_combination_asks_for_no_permission_that_it_does_not_need() -> None:
    """The import limit is a little short, and PV has nowhere to go: leave to charge from the grid would not help."""
    index = pd.date_range("2025-01-18 03:00", periods=6, freq="h", tz="Europe/Berlin")
    columns = {
        "price_per_mwh": [54.6, 39.1, 31.6, 26.6, 68.9, 9.1],
        "load_mw": [0.90, 0.93, 0.98, 0.28, 0.31, 0.40],
        "solar_mw": [0.0, 0.0, 1.16, 0.0, 0.20, 1.37],
    }
    cells = {"eta_charge": 0.87, "eta_discharge": 0.88, "soc_min": 0.07, "soc_max": 0.96, "c_rate_max": 1.0}
    battery = {"power_mw": 1.0, "duration_h": 3.0, "topology": "series_dc", "soc_start": 0.42, "soc_end": 0.14}
    site = {"import_limit_mw": 0.45, "export_limit_mw": 0.31, "grid_charging": False, "curtailment": False}
    scenario = bo.Scenario(
        battery=battery | {"technology": cells, "max_cycles_per_day": 0.8},
        series=pd.DataFrame(columns, index=index),
        site=site,
        strategy="self_consumption",
    )
    with pytest.raises(bo.InfeasibleError) as caught:
        bo.optimize(scenario)
    (relaxation,) = caught.value.relaxations
    assert [change.where for change in relaxation.changes] == ["site.import_limit_mw", "site.curtailment"]
    assert feasible(scenario.replace(**relaxation.tables))
    assert "inf MW" not in str(caught.value)


def drawn(seed: int) -> bo.Scenario:
    """An infeasible site of the benchmark whose relaxation is feasible: only the one-way rule stands in the way."""
    spec = importlib.util.spec_from_file_location("infeasible", ROOT / "benchmarks" / "infeasible.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.drawn(seed, 100)
    assert isinstance(made, bo.Scenario)
    return made


@pytest.mark.parametrize("seed", [22, 26])
def test_a_limit_takes_a_handful_of_exact_solves(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Directions that a plan takes are kept while the limit goes back; halving took up to 37 solves for one limit."""
    solves: list[int] = []
    exact, halved = least_changes.one_way_program, least_changes._Search._halved

    def counted(*given: Any) -> Any:
        solves[-1:] = [solves[-1] + 1] if solves else []
        return exact(*given)

    def of_a_limit(search: Any, limit: Any, impossible: float) -> float | None:
        solves.append(0)
        return halved(search, limit, impossible)

    monkeypatch.setattr(least_changes, "one_way_program", counted)
    monkeypatch.setattr(least_changes._Search, "_halved", of_a_limit)
    scenario = drawn(seed)
    with pytest.raises(bo.InfeasibleError) as caught:
        bo.optimize(scenario)
    named = [relaxation.where for relaxation in caught.value.relaxations]
    assert {"battery.power_mw", "site.export_limit_mw"} <= set(named)
    assert sum(solves) > 0
    assert max(solves[:-1]) <= 5
    for relaxation in caught.value.relaxations:
        assert least_changes._Search(scenario)._possible({relaxation.where: relaxation.value})
