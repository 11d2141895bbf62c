"""The door to HiGHS: re-solving after changes equals solving anew, statuses are exceptions, ties break one way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.dispatch.optimize import dispatch_of
from bess_opt.dispatch.optimum.solve_scenario import solve_scenario
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.models.assemble import model_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.plant import Plant
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver, solver_version
from bess_opt.solver.program import Program
from bess_opt.solver.solution import InfeasibleProgramError, LimitReachedError, require_bound
from bess_opt.solver.tie_break import tie_break_cost
from bess_opt.strategies.shared.activation import activate


def scenario(**battery: object) -> bo.Scenario:
    """Two days with an evening peak; export pays less than import, so that nothing runs in and out at once."""
    index = pd.date_range("2025-06-02", periods=48, freq="h", tz="UTC")
    hour = index.hour.to_numpy()
    price = 60.0 + 40.0 * np.sin((hour - 9.0) / 24.0 * 2.0 * np.pi) + 0.1 * np.arange(48)
    series = pd.DataFrame({"import_price_per_mwh": price + 2.0, "export_price_per_mwh": price}, index=index)
    table = {"power_mw": 1.0, "duration_h": 2.0, "soc_end": "equal"} | battery
    return bo.Scenario(battery=table, series=series, strategy="arbitrage")


def built(of: bo.Scenario) -> tuple[Program, Plant]:
    plant = plant_of(of)
    return expand(model_of(plant, activate(of, plant))[0]), plant


def columns_of(program: Program, name: str) -> np.ndarray:
    block = program.variables[name]
    return np.arange(block.first, block.first + len(block.positions))


def test_changed_bounds_give_what_a_new_model_gives() -> None:
    """A battery of half the power: the persistent object finds the objective of a model built for it."""
    program, numbers = built(scenario())
    solver = Solver(program, scale_mw=numbers.scale_mw)
    full = solver.solve().objective
    for name in ("charge_mw", "discharge_mw"):
        columns = columns_of(program, name)
        solver.set_bounds(columns, program.lower[columns], np.minimum(program.upper[columns], 0.5))
    narrowed = solver.solve().objective
    fresh, fresh_numbers = built(scenario(power_mw=0.5, duration_h=4.0))
    assert narrowed > full + 1.0
    assert narrowed == pytest.approx(Solver(fresh, scale_mw=fresh_numbers.scale_mw).solve().objective, rel=1e-9)


def test_changed_costs_and_rows_give_what_a_new_program_gives() -> None:
    program, numbers = built(scenario())
    solver = Solver(program, scale_mw=numbers.scale_mw)
    solver.solve()
    rows = np.arange(program.rows)[program.constraints["energy_balance"].slice][:5]
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[rows] -= 0.01
    upper[rows] -= 0.01
    solver.set_costs(program.cost * 1.5)
    solver.set_rows(rows, lower[rows], upper[rows])
    changed = replace(program, cost=program.cost * 1.5, row_lower=lower, row_upper=upper)
    assert solver.solve().objective == pytest.approx(Solver(changed).solve().objective, rel=1e-9)


def test_a_stored_basis_makes_the_way_irrelevant() -> None:
    """From one basis the same question has the same answer, whatever was asked in between."""
    program, numbers = built(scenario())
    solver = Solver(program, scale_mw=numbers.scale_mw)
    first = solver.solve()
    basis = solver.basis()
    columns = columns_of(program, "charge_mw")
    solver.set_bounds(columns, program.lower[columns], 0.3 * np.ones(len(columns)))
    solver.solve()
    solver.set_bounds(columns, program.lower[columns], program.upper[columns])
    solver.set_basis(basis)
    again = solver.solve()
    assert again.iterations == 0
    assert np.array_equal(first.x, again.x)


def test_duals_are_the_slope_of_the_objective() -> None:
    """A MWh put into the cells at step 10 is worth the dual of that step's energy law, by finite difference."""
    program, numbers = built(scenario())
    solver = Solver(program, scale_mw=numbers.scale_mw)
    solved = solver.solve()
    row = program.constraints["energy_balance"].first + 10
    slopes = []
    for change in (-1e-4, 1e-4):
        at = np.array([row])
        solver.set_rows(at, program.row_lower[at] + change, program.row_upper[at] + change)
        slopes.append((solver.solve().objective - solved.objective) / change)
    assert min(slopes) - 1e-6 <= solved.row_dual[row] <= max(slopes) + 1e-6


def test_reduced_costs_close_the_objective() -> None:
    """Strong duality: Σ row dual · side + Σ reduced cost · bound = objective."""
    program, numbers = built(scenario())
    solved = Solver(program, scale_mw=numbers.scale_mw).solve()
    side = np.where(solved.row_dual > 0, program.row_lower, program.row_upper)
    bound = np.where(solved.column_dual > 0, program.lower, program.upper)
    used_rows, used = solved.row_dual != 0, np.abs(solved.column_dual) > 1e-12
    value = solved.row_dual[used_rows] @ side[used_rows] + solved.column_dual[used] @ bound[used]
    assert value + program.offset == pytest.approx(solved.objective, rel=1e-9)


def test_preference_keeps_the_objective_and_the_program() -> None:
    """Flat prices: any cycling is as good as none when nothing is lost; least throughput is none (rule 11)."""
    ideal = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 1.0}
    of = scenario(technology=ideal, converters={"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0})
    series = of.series.assign(import_price_per_mwh=50.0, export_price_per_mwh=50.0)
    program, numbers = built(of.replace(series=series))
    solver = Solver(program, scale_mw=numbers.scale_mw)
    solved = solver.solve()
    x = solver.prefer(solved, [tie_break_cost(program)])
    assert program.cost @ x + program.offset == pytest.approx(solved.objective, abs=1e-9)
    assert np.abs(x[columns_of(program, "charge_mw")]).max() == pytest.approx(0.0, abs=1e-9)
    assert solver.solve().objective == pytest.approx(solved.objective, abs=1e-9)


def test_no_solution_is_an_exception_and_names_the_rows_in_conflict() -> None:
    program, numbers = built(scenario())
    columns = columns_of(program, "energy_mwh")[[5]]
    solver = Solver(program, scale_mw=numbers.scale_mw)
    solver.set_bounds(columns, np.array([5.0]), np.array([6.0]))
    with pytest.raises(InfeasibleProgramError, match="no schedule meets all limits"):
        solver.solve()
    proof = solver.conflict()
    rows = np.flatnonzero(proof.row)
    assert len(rows)
    assert {program.row_name(r)[0] for r in rows} <= {"energy_balance", "ac_balance"}
    assert proof.column[columns[0]] != 0.0, "the bound that was changed is part of the contradiction"


def test_a_time_limit_without_a_plan_is_an_exception() -> None:
    program, numbers = built(scenario())
    options = SolverOptions(time_limit_s=1e-9)
    with pytest.raises(LimitReachedError, match="time limit ended the solve before any plan was found"):
        Solver(program, options, scale_mw=numbers.scale_mw).solve()


def test_scale_does_not_change_the_answer() -> None:
    """A kilowatt and a gigawatt meet the same relative tolerance."""
    values = []
    for power in (1e-3, 1.0, 1e3):
        program, numbers = built(scenario(power_mw=power))
        values.append(Solver(program, scale_mw=numbers.scale_mw).solve().objective / power)
    assert values == pytest.approx([values[1]] * 3, rel=1e-9)


def test_another_number_of_threads_works_in_the_same_process() -> None:
    program, numbers = built(scenario())
    values = [
        Solver(program, SolverOptions(threads=n), scale_mw=numbers.scale_mw).solve().objective for n in (1, 2, 1)
    ]
    assert values == pytest.approx([values[0]] * 3, rel=1e-12)


def test_version_is_one_to_trust() -> None:
    """HiGHS 1.14 returned wrong answers on mixed-integer models."""
    name, version = solver_version().split()
    assert name == "HiGHS"
    assert tuple(int(part) for part in version.split(".")[:2]) >= (1, 15)


def test_a_plan_better_than_its_bound_is_never_returned() -> None:
    """Both minimised: 90 reached against a bound of 91 is a false proof; a millionth of the turnover is rounding."""
    require_bound(91.0, 91.0 - 0.9e-6 * 100.0, 100.0, 1.0)
    require_bound(-np.inf, 5.0, 1.0, 1.0)
    require_bound(0.0, -4e-15, 4e-15, 50.0)  # nothing changes hands: rounding is of the dearest unit
    with pytest.raises(bo.AuditError, match="above its proven bound"):
        require_bound(0.0, -1e-9, 1e-9, 50.0 * 1e-9)  # a plant of a milliwatt has its own rounding
    with pytest.raises(bo.AuditError, match=r"the plan reaches -90, above its proven bound -91: one of the two is"):
        require_bound(91.0, 90.0, 100.0, 1.0)


def test_a_plan_above_its_own_dual_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that promises less than its own plan earns ends in an error, not in a gap of 0."""
    solved = solve_scenario(scenario())
    honest = solved.optimum.certificate()
    lying = replace(honest, dual=honest.primal - 1.0, dual_violation=0.0)
    assert dispatch_of(solved).report.gap == 0.0
    monkeypatch.setattr(type(solved.optimum), "certificate", lambda _: lying)
    with pytest.raises(bo.AuditError, match="above its proven bound"):
        dispatch_of(solved)
