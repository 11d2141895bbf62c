"""A plan's books close, its proof is computed without the solver, and both notice when something is off."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.dispatch.optimum.solve_scenario import solve_scenario
from bess_opt.dispatch.reconciliation_tables import tables_of
from bess_opt.dispatch.saving import plain
from bess_opt.solver.certificate import certificate_of

TARIFF = {
    "energy": [{"price_per_mwh": 80.0}],
    "demand": [{"price_per_mw_month": 9000.0}, {"price_per_mw_month": 500.0, "hours": [16, 21], "days": "weekday"}],
    "export": 30.0,
}


def scenario(**changes: Any) -> bo.Scenario:
    """Four days with load, sun, prices of both signs and every money term that can stand beside them."""
    hours = np.arange(96)
    series = pd.DataFrame(
        {
            "solar_mw": np.maximum(0.0, 3.0 * np.sin((hours - 6) * np.pi / 12)),
            "load_mw": 1.0 + 0.5 * np.cos(hours / 5.0),
            "price_per_mwh": 40.0 + 70.0 * np.sin(hours / 3.3),
        },
        index=pd.date_range("2025-05-30", periods=96, freq="h", tz="Europe/Berlin"),
    )
    tables: dict[str, Any] = {
        "battery": {"power_mw": 1.0, "duration_h": 3.0, "wear_cost_per_mwh": 2.0, "self_discharge_per_h": 0.001},
        "site": {"currency": "EUR"},
        "series": series,
        "strategy": "arbitrage",
        "finance": {"variable_om_per_mwh": 0.5},
    }
    return bo.Scenario(**(tables | changes))


CASES: dict[str, dict[str, Any]] = {
    "arbitrage": {},
    "dc": {"battery": {"power_mw": 1.0, "duration_h": 3.0, "topology": "series_dc"}, "site": {"inverter_mw": 1.5}},
    "priced end": {"battery": {"power_mw": 1.0, "duration_h": 3.0, "soc_end": {"value_per_mwh": 31.0}}},
    "demand": {"tariff": TARIFF, "strategy": "peak_shaving"},
    "unserved": {"site": {"import_limit_mw": 0.2, "unserved_price_per_mwh": 3000.0}},
    "choices": {
        "strategy": {"name": "firm_delivery", "window": ["18:00", "20:00"], "share_of_days": 0.75, "period": "month"}
    },
    "stack": {"strategy": [{"name": "arbitrage"}, {"name": "export_cap", "cap_mw": 1.2}]},
}


def planned(name: str) -> bo.Dispatch:
    return bo.optimize(scenario(**CASES[name]))


@pytest.mark.parametrize("name", CASES)
def test_the_books_of_every_kind_of_plan_close(name: str) -> None:
    """Accounts and money close to rounding, and primal meets dual, with negative prices and binaries too."""
    books = bo.reconcile(planned(name))
    assert books.energy_residual < 1e-9
    assert books.money_residual < 1e-12
    assert books.certificate is not None
    assert books.certificate.gap < 1e-9
    assert books.certificate.primal_violation < 1e-6
    assert books.certificate.dual_violation < 1e-6
    assert books.certificate.primal == pytest.approx(books.objective, rel=1e-9, abs=1e-6)
    assert books.bound is not None
    assert books.bound >= books.certificate.primal - 1e-6 * books.certificate.turnover


def test_terms_are_those_of_the_metrics() -> None:
    """The accounts' terms, each from its own column, are the metrics' figures; demand stands period by period."""
    plan = planned("demand")
    books, figures = bo.reconcile(plan), plan.metrics
    terms = books.energy["site"].terms
    assert terms["import"] == pytest.approx(figures.import_mwh)
    assert terms["losses"] == pytest.approx(-figures.losses_mwh)
    assert books.energy["cells"].terms["charged at the port"] == pytest.approx(figures.charged_mwh)
    assert "DC bus" not in books.energy
    periods = {name: amount for name, amount in books.detail.items() if name.startswith("tariff.demand")}
    assert set(periods) == {f"tariff.demand[{row}] 2025-{month}" for row in (0, 1) for month in ("05", "06")}
    assert sum(periods.values()) == pytest.approx(-figures.demand_charges)
    assert books.detail["export revenue"] + books.detail["import cost"] == pytest.approx(figures.energy_revenue)
    assert books.ledger["wear"].booked == pytest.approx(-figures.wear_cost)


def test_a_plan_that_was_tampered_with_does_not_close() -> None:
    """0.1 MW more export in one step: 0.1 MWh open at that step, and its money too."""
    plan = planned("arbitrage")
    moment = plan.schedule.index[40]
    wrong = plan.schedule.copy()
    wrong.loc[moment, "export_mw"] += 0.1
    books = bo.reconcile(dataclasses.replace(plan, schedule=wrong))
    site = books.energy["site"]
    assert site.residual == pytest.approx(-0.1)
    assert (site.worst_step, site.worst_time) == (pytest.approx(0.1), moment)
    due = 0.1 * wrong.loc[moment, "export_price_per_mwh"]
    assert books.ledger["energy"].residual == pytest.approx(-due)
    assert books.net_revenue.residual == pytest.approx(-due)
    assert books.money_residual > 1e-5


def test_the_tables_name_the_step_that_is_open_and_no_step_of_rounding() -> None:
    """The step that was tampered with stands in the table of its plan only; a plan that closes names none."""
    plan = planned("arbitrage")
    wrong = plan.schedule.copy()
    wrong.loc[plan.schedule.index[40], "export_mw"] += 0.1
    books, open_ones = bo.reconcile(plan), bo.reconcile(dataclasses.replace(plan, schedule=wrong))
    site = tables_of(open_ones, {"as planned": books})[0]
    cells = {row.term: row.cells for row in site.rows}
    assert site.heads == ("MWh", "optimal", "as planned")
    assert cells["residual"][0] == "-1.0e-01"
    assert cells["in the step from"] == ("2025-05-31 16:00+0200", "–")
    assert "in the step from" not in {row.term for row in tables_of(books)[0].rows}


def test_energy_has_seven_figures_whatever_the_size() -> None:
    """A battery of 1 kW shows what it moves, one of 1 GW no digits that mean nothing."""
    small, large = (
        scenario(
            battery={"power_mw": power, "duration_h": 2.0},
            series=scenario().series.assign(solar_mw=power, load_mw=power),
        )
        for power in (0.001, 1000.0)
    )
    firsts = [tables_of(bo.reconcile(bo.optimize(case)))[0].rows[0].cells[0] for case in (small, large)]
    assert firsts == ["0.09600000", "96,000.00"]


def test_booked_money_is_computed_again() -> None:
    """A ledger line that was changed stands out with the difference, the others do not."""
    plan = planned("arbitrage")
    books = bo.reconcile(dataclasses.replace(plan, ledger={**plan.ledger, "wear": plan.ledger["wear"] - 1.0}))
    assert books.ledger["wear"].residual == pytest.approx(-1.0)
    assert books.ledger["variable_om"].residual == pytest.approx(0.0, abs=1e-12)


def test_the_certificate_sees_a_worse_plan_and_broken_limits() -> None:
    """A plan for other prices stays below the dual bound; twice a plan breaks limits; wrong duals prove less."""
    series = scenario().series
    prices = (60.0 + 0.3 * series["price_per_mwh"], 60.0 - 0.3 * series["price_per_mwh"])
    highs = {"engine": "highs"}  # value functions close every flow that rests, and another plan would break that
    solved, other = (solve_scenario(scenario(series=series.assign(price_per_mwh=p), solver=highs)) for p in prices)
    right = certificate_of(solved.program, solved.found)
    worse = certificate_of(solved.program, dataclasses.replace(solved.found, x=other.found.x))
    assert worse.dual == right.dual
    assert worse.primal_violation < 1e-9
    assert worse.primal < right.primal - 1.0
    assert worse.gap > 1e-3
    beyond = certificate_of(solved.program, dataclasses.replace(solved.found, x=2.0 * solved.found.x))
    assert beyond.primal_violation > 0.1
    wrong = dataclasses.replace(solved.found.solution, row_dual=1.1 * solved.found.solution.row_dual)
    loose = certificate_of(solved.program, dataclasses.replace(solved.found, solution=wrong))
    assert loose.dual_violation > 1.0 or loose.dual > right.dual + 1.0


@pytest.mark.parametrize("make", [bo.simulate, lambda s: bo.replay(bo.optimize(s))], ids=["rule", "replay"])
def test_a_plan_carried_out_step_by_step_has_no_certificate(make: Any) -> None:
    books = bo.reconcile(make(scenario()))
    assert books.certificate is None
    assert "step by step" in books.no_certificate
    assert books.energy_residual < 1e-9
    assert "None: a plan of the kind" in books.to_markdown()


def test_an_optimal_plan_without_certificate_says_so() -> None:
    plan = planned("arbitrage")
    assert plan.report is not None
    books = bo.reconcile(dataclasses.replace(plan, report=dataclasses.replace(plan.report, certificate=None)))
    assert books.no_certificate == "the plan was made or saved by a version that kept none"


def test_what_was_done_to_the_input_is_listed() -> None:
    """Filled, resampled, defaulted and derated, each as its finding; a plain scenario lists nothing."""
    frame = scenario().series.copy()
    frame.iloc[5, 1] = np.nan
    changed = scenario(
        series=frame,
        series_options={"fill": {"load_mw": "previous"}, "step_min": 30, "resample": dict.fromkeys(frame, "hold")},
        battery={"power_mw": 1.0, "duration_h": 0.5, "technology": "standard"},
    )
    books = bo.reconcile(bo.optimize(changed))
    assert [f.code for f in books.done["derated"]] == ["c_rate_limits_power"]
    assert [f.where for f in books.done["filled"]] == ["series column load_mw"]
    assert len(books.done["resampled"]) == 3
    page = books.to_markdown()
    assert "- filled: series column load_mw: 1 empty cell filled with the previous value" in page
    assert "- defaulted: nothing" in page
    assert not any(bo.reconcile(planned("arbitrage")).done.values())


def test_saved_with_the_plan_and_equal_when_read_back(tmp_path: Path) -> None:
    """The page is part of the folder; the plan that is read back gives the same books, so the same page."""
    plan = planned("demand")
    books = bo.reconcile(plan)
    folder = plan.save(tmp_path / "result")
    assert (folder / "reconciliation.md").read_text("utf-8") == books.to_markdown()
    assert bo.reconcile(bo.load_dispatch(folder)) == books
    stored = json.loads((folder / "report.json").read_text("utf-8"))
    assert stored["certificate"]["dual"] == books.certificate.dual  # type: ignore[union-attr]


def test_plain_data_hold_everything() -> None:
    books = bo.reconcile(planned("dc"))
    data = plain(books.to_dict())
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["ledger"]["energy"]["residual"] == books.ledger["energy"].residual
    assert data["certificate"]["gap"] == books.certificate.gap  # type: ignore[union-attr]
    assert data["digest"] == books.digest == scenario(**CASES["dc"]).digest()
    assert data["versions"]["highspy"] == bo.reconcile(bo.simulate(scenario())).versions["highspy"]
    assert set(data["energy"]) == {"site", "cells", "DC bus"}


def test_the_residual_is_a_share_of_what_the_battery_moves() -> None:
    """A load a thousand times the battery does not hide what its books leave open."""
    plan = planned("arbitrage")
    moved = plan.metrics.charged_mwh + plan.metrics.discharged_mwh
    books = bo.reconcile(plan)
    assert books.scale_mwh == pytest.approx(moved, rel=1e-12)
    idle = bo.reconcile(bo.simulate(plan.scenario, rule=lambda _state: 0.0))
    assert idle.scale_mwh == plan.scenario.battery.energy_mwh
    assert idle.energy_residual < 1e-9
