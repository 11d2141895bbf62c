"""Errors that ordinary use does not meet, each with its message: guards, a solver that refuses, a clock that ran out."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo
import pytest
import typer
from support.cases import case

import bess_opt as bo
from bess_opt.common.findings import Findings
from bess_opt.common.progress import UNTOLD
from bess_opt.dispatch.optimum import marginals
from bess_opt.dispatch.optimum.solve_scenario import solve_scenario
from bess_opt.interfaces.cli import output as cli_output
from bess_opt.interfaces.cli.new_scenario import new_scenario
from bess_opt.models.assemble import model_of
from bess_opt.models.dc_bus import add_dc_bus
from bess_opt.models.ledger import add_term
from bess_opt.plant.billing import billing_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.optimum import LinearOptimum
from bess_opt.solver.program import Program
from bess_opt.solver.search.one_way_search import OneWaySearch
from bess_opt.solver.search.way_branches import MOST_CHOICES, Ways
from bess_opt.solver.solution import LimitReachedError
from bess_opt.strategies.shared.activation import activate

PLAIN = case(price_per_mwh=[10.0, 20.0, 30.0])
INDEX = pd.date_range("2025-01-01", periods=6, freq="h", tz="UTC")


def program() -> Program:
    scenario = PLAIN.scenario()
    plant = plant_of(scenario)
    built, _ = model_of(plant, activate(scenario, plant))
    return expand(built)


def search() -> Any:
    of = object.__new__(OneWaySearch)
    of.told = UNTOLD
    return of


def test_a_table_that_is_not_known() -> None:
    with pytest.raises(bo.ScenarioError, match=r"batery: unknown table 'batery'; did you mean 'battery'\?"):
        bo.Scenario(batery={}, battery=PLAIN.battery, series=PLAIN.series)  # type: ignore[call-arg]


def test_a_table_of_a_file_that_is_not_known(tmp_path: Path) -> None:
    folder = new_scenario(tmp_path / "week")
    file = folder / "scenario.toml"
    file.write_text(file.read_text("utf-8") + "\n[sitte]\nx = 1\n", "utf-8")
    with pytest.raises(
        bo.ScenarioError, match=r"sitte: unknown table 'sitte' in scenario\.toml; did you mean 'site'\?"
    ):
        bo.load(folder)


def test_a_billing_interval_that_is_no_whole_number_of_steps() -> None:
    tariff = bo.Tariff(demand=({"price_per_mw_month": 1.0, "interval_min": 90.0},))
    message = r"tariff\.demand\[0\]\.interval_min: found 90, but steps are 60 min; give a whole number of steps"
    with pytest.raises(bo.ScenarioError, match=message):
        billing_of(tariff, {}, INDEX, 1.0)


def test_no_gap_without_a_rule() -> None:
    compared = bo.compare(PLAIN.scenario())
    none = dataclasses.replace(compared, gaps={}, notes=Findings())
    with pytest.raises(bo.StrategyError, match="gap: no rule could be compared; see notes"):
        _ = none.gap


def test_stdout_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "full").open("w") as full:

        def write(_text: str) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(sys, "stdout", SimpleNamespace(write=write, flush=full.flush, fileno=full.fileno))
        with pytest.raises(typer.Exit) as caught:
            cli_output.write("x")
    assert caught.value.exit_code == cli_output.BAD_INPUT


# ---- the search for one-way plan


def test_a_plan_that_is_not_proven() -> None:
    of = search()
    of.tolerance = 1e-9
    plan = SimpleNamespace(solution=SimpleNamespace(objective=5.0), bound=3.0)
    with pytest.raises(bo.SolveError, match=r"proven only to 2 of its objective; state a larger solver\.rel_gap"):
        of._proven(plan)


def test_a_search_whose_time_is_over() -> None:
    of = search()
    of.deadline = 0.0
    with pytest.raises(LimitReachedError, match="the time limit ended the search for an one-way plan"):
        of._left_s()


def test_a_window_whose_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    of = search()
    small = program()
    of.solver, of.scale_mw, of.deadline = Solver(small), 1.0, None
    of._small_options, of._only_ways = of.solver.options, True
    monkeypatch.setattr(Solver, "solve", lambda *_a, **_k: SimpleNamespace(limited=True))
    with pytest.raises(LimitReachedError, match="the time limit ended the search for an one-way plan"):
        of.solve_small(small, Ways(*(np.zeros(MOST_CHOICES + 1, dtype=int) for _ in range(3))), 1.0)


# ---- the solver


def test_a_model_that_the_solver_refuses() -> None:
    wrong = program()
    wrong.value[0] = 1e20
    with pytest.raises(bo.SolveError, match="the solver refused the model; a bound or coefficient is out of range"):
        Solver(wrong)


def test_a_basis_of_another_model() -> None:
    solver, other = Solver(program()), Solver(_shorter())
    solver.solve()
    with pytest.raises(bo.SolveError, match="the stored basis does not fit this model"):
        other.set_basis(solver.basis())


def _shorter() -> Program:
    scenario = case(price_per_mwh=[10.0, 20.0]).scenario()
    plant = plant_of(scenario)
    return expand(model_of(plant, activate(scenario, plant))[0])


def test_a_model_without_an_end() -> None:
    endless = program()
    columns = endless.variables["export_mw"].slice
    endless.cost[columns], endless.cost[endless.variables["import_mw"].slice] = -2.0, 1.0
    with pytest.raises(bo.SolveError, match="the solver ended with status 'Unbounded'"):
        Solver(endless).solve()


# ---- slopes


def test_no_slope_where_the_model_changes_its_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    solved = solve_scenario(PLAIN.scenario())
    monkeypatch.setattr(marginals, "_program", lambda *_: _shorter())
    with pytest.raises(bo.SolveError, match="power_mw: the model changes its shape at 1, so it has no slope there"):
        marginals.subgradient(solved, ["power_mw"])


def test_no_duals_of_whole_numbers() -> None:
    solved = solve_scenario(PLAIN.scenario())
    found = dataclasses.replace(solved.found.solution, row_dual=np.zeros(0))
    optimum = LinearOptimum(solved.program, dataclasses.replace(solved.found, solution=found))
    without = dataclasses.replace(solved, optimum=optimum)
    with pytest.raises(bo.SolveError, match="a model with whole-number variables of its own has no duals"):
        marginals.duals_of(without)


# ---- guards of the models


def test_guards_of_the_models() -> None:
    numbers, m = plant_of(PLAIN.scenario()), pyo.ConcreteModel()
    with pytest.raises(ValueError, match="this plant has no DC bus"):
        add_dc_bus(m, numbers)
    m.ledger = []
    add_term(m, "energy", lambda _m, _t: 0.0, None)
    with pytest.raises(ValueError, match="the ledger has this part of the line 'energy' already"):
        add_term(m, "energy", lambda _m, _t: 0.0, None)
    with pytest.raises(ValueError, match="the ledger has no line 'rent'; state it in"):
        add_term(m, "rent", lambda _m, _t: 0.0, None)


def test_a_row_that_the_program_has_not() -> None:
    with pytest.raises(IndexError, match=r"^1000000$"):
        program().row_name(1_000_000)


def test_a_strategy_in_a_file_that_is_no_python(tmp_path: Path) -> None:
    file = tmp_path / "strategy.txt"
    file.write_text("no Python", "utf-8")
    with pytest.raises(bo.StrategyError, match=r"strategy\.txt: cannot be read as a Python file"):
        importlib.import_module("bess_opt.strategies.shared.discovery")._load(file)


def test_a_window_without_length() -> None:
    of = case(
        price_per_mwh=[1.0, 2.0], solar_mw=[1.0, 1.0], strategy={"name": "time_shift", "window": ["18:00", "18:00"]}
    )
    with pytest.raises(
        bo.StrategyError, match=r"strategy\.window: found .*18:00.*; give local clock times of the target window"
    ):
        of.optimize()
