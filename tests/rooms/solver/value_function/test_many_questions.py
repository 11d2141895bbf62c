"""Who asks many questions is answered by value functions where they fit: counted, and the same as by HiGHS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.comparison.compare import FORECAST
from bess_opt.dispatch.optimum import solve_scenario
from bess_opt.solver.highs import Solver
from bess_opt.solver.value_function import engine

FINANCE = {
    "capital_per_mw": 100e3,
    "capital_per_mwh": 150e3,
    "lifetime_years": 15,
    "discount_rate": 0.06,
    "horizons_per_year": 26.0,
}


def fortnight(**solver: Any) -> bo.Scenario:
    """Two weeks of sun, load and prices by the hour, some of them negative, behind a connection of 2 MW."""
    rng = np.random.default_rng(2)
    hour = np.arange(14 * 24) % 24
    of = case(
        price_per_mwh=60.0 - 50.0 * np.cos(2 * np.pi * (hour - 4) / 12) + rng.normal(0.0, 20.0, len(hour)),
        solar_mw=np.maximum(2.0 * np.sin((hour - 6) / 12 * np.pi), 0.0),
        load_mw=0.4 + 0.2 * rng.random(len(hour)),
        battery={"technology": "modern_lfp", "duration_h": 2.0, "soc_start": 0.5, "soc_end": "at_least_start"},
        site={"import_limit_mw": 2.0, "export_limit_mw": 2.0},
        finance=FINANCE,
    )
    return of.scenario().replace(solver=solver) if solver else of.scenario()


def years(scenario: bo.Scenario) -> pd.DataFrame:
    price = scenario.series["price_per_mwh"].to_numpy()
    rolled = {f"year {i}": np.roll(price, 24 * i) for i in range(3)}
    return pd.DataFrame(rolled, index=scenario.series.index)


def studied(scenario: bo.Scenario) -> pd.DataFrame:
    table = bo.study(bo.monte_carlo(scenario, 3, seed=1), workers=1, progress=False)
    assert (table["error"] == "").all(), table["error"].tolist()
    return table[["net_revenue", "objective", "gap"]]


def compared(scenario: bo.Scenario) -> pd.DataFrame:
    """The scores of all rungs; the forecast-driven ones are asked for in `control`, where several are right."""
    comparison = bo.compare(scenario, forecast="persistence", horizon_h=24, every_h=12)
    assert len(comparison.forecast_values) == 1
    return comparison.table[["score"]].drop(index=FORECAST, level="rung")


QUESTIONS: dict[str, Callable[[bo.Scenario], pd.DataFrame]] = {
    "optimize_many": lambda scenario: bo.optimize_many(scenario, years(scenario)).table[["value"]],
    "monte_carlo and study": studied,
    "compare": compared,
    "control": lambda scenario: bo.control(scenario, "perfect", horizon_h=24).schedule[["battery_mw"]],
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_goes_to_highs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With HiGHS' door shut every question is answered all the same."""

    def shut(*_given: Any, **_named: Any) -> None:
        raise RuntimeError("HiGHS was asked")

    monkeypatch.setattr(Solver, "__init__", shut)
    assert QUESTIONS[name](fortnight()).notna().all(axis=None)


@pytest.mark.parametrize("name", ["optimize_many", "monte_carlo and study", "compare"])
def test_the_answers_are_those_of_highs(name: str) -> None:
    ours, theirs = (QUESTIONS[name](fortnight(**solver)) for solver in ({}, {"engine": "highs"}))
    apart = np.abs(ours.to_numpy(dtype=float) - theirs.to_numpy(dtype=float))
    assert apart.max() < 1e-6 * np.abs(theirs.to_numpy(dtype=float)).max()


def test_the_plan_of_a_size_and_of_a_sensitivity_is_by_value_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every exact plan of a sizing, and of sizing again under changes; the bound alone is the relaxation's."""
    engines: list[str] = []
    solve = solve_scenario.solve_plant

    def noting(*given: Any) -> Any:
        m, optimum = solve(*given)
        engines.append(optimum.engine)
        return m, optimum

    monkeypatch.setattr(solve_scenario, "solve_plant", noting)
    found = bo.sensitivity(fortnight(), (0.5, 2.0), 2.0, {"capital_cost": [-0.2]}, workers=1)
    assert len(found.table) >= 1
    assert len(engines) >= 2
    assert set(engines) == {"value_function"}


def test_whether_it_fits_is_read_before_the_matrix_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario that fits is never expanded; of one that does not, the rows are known before it is."""
    told: list[str] = []
    expand, read = solve_scenario.expand, engine.solve_by_value_functions
    monkeypatch.setattr(solve_scenario, "expand", lambda *a, **k: (told.append("expanded"), expand(*a, **k))[1])

    def reading(*given: Any, **named: Any) -> Any:
        told.append("read")
        return read(*given, **named)

    monkeypatch.setattr(engine, "solve_by_value_functions", reading)
    bo.optimize(fortnight())
    assert told == ["read"]
    told.clear()
    capped = bo.optimize(fortnight().replace(battery={"max_cycles_per_day": 1.0}))
    assert told[:2] == ["read", "expanded"]
    assert capped.report is not None
    assert capped.report.engine_reasons == ("cycles_per_day: is not one row for each step",)


def test_a_surface_goes_to_highs_for_its_bound_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sizing = bo.size(fortnight(), (0.5, 2.0), (1.0, 4.0), workers=1)

    def shut(*_given: Any, **_named: Any) -> None:
        raise RuntimeError("HiGHS was asked")

    monkeypatch.setattr(Solver, "__init__", shut)
    assert sizing.surface(3, 2, workers=1)["value"].notna().all()
