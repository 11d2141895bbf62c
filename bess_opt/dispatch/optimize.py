"""The optimal twin: scenario in, proven and audited plan out."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from bess_opt.common.provenance import Stopwatch
from bess_opt.dispatch.infeasible.least_changes import naming_least_changes
from bess_opt.dispatch.optimum.solve_scenario import Solved, flows_of, solve_scenario
from bess_opt.dispatch.optimum.wear_identity import wear_identities
from bess_opt.dispatch.result import Dispatch, SolveReport, result_of
from bess_opt.inputs.scenario import Scenario
from bess_opt.solver.optimum import Optimum
from bess_opt.solver.solution import require_bound

SIDELESS = 1e-6  # currency per MWh: a price that presses on no side and is larger leaves a dual without a meaning


def optimize(scenario: Scenario) -> Dispatch:
    """The optimal dispatch of `scenario` under its strategy.

    Returns a plan proven optimal within `solver.rel_gap` and audited without the solver. Raises
    `StrategyError` (unknown strategy, wrong option, missing series), `InfeasibleError` (no schedule meets the
    limits; `.reasons` says which and when, `.relaxations` what would mend it), `SolveError` (limit reached
    without a plan), `AuditError`.
    """
    with naming_least_changes(scenario):
        return dispatch_of(solve_scenario(scenario))


def dispatch_of(solved: Solved) -> Dispatch:
    """The audited result of a solved program."""
    flows = flows_of(solved.optimum, solved.plant)
    report = _report(solved.optimum, solved.plant.scale_mw, solved.watch)
    if report.certificate is not None:
        rows = wear_identities(solved.optimum, solved.plant, flows)
        report = replace(report, certificate=replace(report.certificate, wear=rows))
    return result_of(
        solved.scenario,
        solved.plant,
        solved.active,
        "optimal",
        flows,
        solved.findings,
        solved.watch,
        report=report,
        stored_energy_value=_stored_energy_value(solved),
    )


def _stored_energy_value(solved: Solved) -> pd.Series | pd.DataFrame:
    """Worth of one MWh more in the cells at the end of each step; of several batteries a column each, by name."""
    values, index = solved.optimum.stored_energy_value, solved.plant.index
    if values.ndim == 1:
        return pd.Series(values, index=index, name="stored_energy_value_per_mwh")
    return pd.DataFrame(values.T, index=index, columns=[battery.name for battery in solved.plant.batteries])


def _report(optimum: Optimum, scale_mw: float, watch: Stopwatch) -> SolveReport:
    """How the plan was found. AuditError if it is better than its bound, or than the dual of its own program."""
    with watch.stage("certify"):
        proof = optimum.certificate()
    unit = optimum.dearest * scale_mw
    require_bound(-optimum.bound, -optimum.objective, proof.turnover, unit)
    if proof.dual_violation <= SIDELESS:
        require_bound(-proof.dual, -proof.primal, proof.turnover, unit)
    return SolveReport(
        status="time_limit" if optimum.limited else "optimal",
        objective=optimum.objective,
        bound=max(optimum.bound, optimum.objective),
        gap=optimum.gap,
        seconds=watch.seconds,
        solver=optimum.solver,
        rows=optimum.rows,
        columns=optimum.columns,
        windows=optimum.segments,
        certificate=proof,
        engine=optimum.engine,
        engine_reasons=optimum.reasons,
    )
