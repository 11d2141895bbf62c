"""The optimal twin: scenario in, proven and audited plan out."""

from __future__ import annotations

import pandas as pd

from bess_opt.common.provenance import Stopwatch
from bess_opt.dispatch.infeasible.least_changes import naming_relaxations
from bess_opt.dispatch.optimum.solve_scenario import Solved, flows, solve_scenario
from bess_opt.dispatch.result import Dispatch, SolveReport, outcome
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant.plant import Plant
from bess_opt.solver import one_way
from bess_opt.solver.certificate import certificate
from bess_opt.solver.highs import solver_version
from bess_opt.solver.program import Program
from bess_opt.solver.solution import Solution


def optimize(scenario: Scenario) -> Dispatch:
    """The optimal dispatch of `scenario` under its strategy.

    Returns a plan proven optimal within `solver.rel_gap` and audited without the solver. Raises
    `StrategyError` (unknown strategy, wrong option, missing series), `InfeasibleError` (no schedule meets the
    limits; `.reasons` says which and when, `.relaxations` what would mend it), `SolveError` (limit reached
    without a plan), `AuditError`.
    """
    with naming_relaxations(scenario):
        return dispatch_of(solve_scenario(scenario))


def dispatch_of(solved: Solved) -> Dispatch:
    """The audited result of a solved program."""
    return outcome(
        solved.scenario,
        solved.plant,
        solved.bound,
        "optimal",
        flows(solved.program, solved.found.x, solved.plant),
        solved.findings,
        solved.watch,
        report=_report(solved.found, solved.program, solved.watch),
        stored_energy_value=_energy_value(solved.program, solved.found.solution, solved.plant),
    )


def _report(found: one_way.Exact, program: Program, watch: Stopwatch) -> SolveReport:
    return SolveReport(
        status="time_limit" if found.limited else "optimal",
        objective=-found.solution.objective,
        bound=-found.bound,
        gap=found.gap,
        seconds=watch.seconds,
        solver=solver_version(),
        rows=program.rows,
        columns=program.columns,
        windows=found.windows,
        certificate=certificate(program, found),
    )


def _energy_value(program: Program, solution: Solution, numbers: Plant) -> pd.Series:
    """Worth of one MWh more in the cells at the end of each step: the energy law's dual."""
    dual = -solution.row_dual[program.constraints["energy_balance"].slice]
    return pd.Series(dual, index=numbers.index, name="stored_energy_value_per_mwh")
