"""The optimal twin: scenario in, proven and audited plan out."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from bess_opt.common.findings import Finding, Findings
from bess_opt.common.progress import UNTOLD, ShowProgress, Stretch
from bess_opt.common.progress_bar import followed
from bess_opt.common.provenance import Stopwatch
from bess_opt.dispatch.infeasible.least_changes import naming_least_changes
from bess_opt.dispatch.optimum.solve_scenario import Solved, flows_of, solve_scenario
from bess_opt.dispatch.optimum.wear_identity import wear_identities
from bess_opt.dispatch.result import Dispatch, SolveReport, result_of
from bess_opt.inputs.scenario import Scenario
from bess_opt.solver.optimum import Optimum
from bess_opt.solver.solution import LimitReachedError, require_bound

_CANCELLED = Finding(
    "cancelled",
    "progress",
    "the search was ended from outside",
    "this is the best plan so far; run it again to the end for the best of all",
    "warning",
)
SIDELESS = 1e-6  # currency per MWh: a price that presses on no side and is larger leaves a dual without a meaning


def optimize(scenario: Scenario, *, progress: ShowProgress = False) -> Dispatch:
    """The optimal dispatch of `scenario` under its strategy.

    Returns a plan proven optimal within `solver.rel_gap` and audited without the solver. Raises
    `StrategyError` (unknown strategy, wrong option, missing series), `InfeasibleError` (no schedule meets the
    limits; `.reasons` says which and when, `.relaxations` what would mend it), `SolveError` (limit reached
    without a plan), `AuditError`.
    `progress` is a callable that is told a `Progress` as the search goes on, or whether a bar is drawn; `best` and
    `bound` are in the unit of `report.objective`. If it raises StopIteration the best plan so far is returned with
    the bound proven so far, `report.status` "cancelled" and a finding `cancelled`; CancelledError where there is
    none yet.
    """
    with followed(progress, "optimizing") as told, naming_least_changes(scenario):
        try:
            solved = solve_scenario(scenario, told=told.part(0.0, 0.9))
        except LimitReachedError:
            told.go_on()
            raise
        told.tell(0.9, "auditing", best=solved.optimum.objective, bound=solved.optimum.bound)
        return dispatch_of(solved, told)


def dispatch_of(solved: Solved, told: Stretch = UNTOLD) -> Dispatch:
    """The audited result of a solved program; `told` may have ended the search."""
    flows = flows_of(solved.optimum, solved.plant)
    report = _report(solved.optimum, solved.plant.scale_mw, solved.watch)
    ended = told.cancelled and report.status == "time_limit"
    if ended:
        report = replace(report, status="cancelled")
    if report.certificate is not None:
        rows = wear_identities(solved.optimum, solved.plant, flows)
        report = replace(report, certificate=replace(report.certificate, wear=rows))
    return result_of(
        solved.scenario,
        solved.plant,
        solved.active,
        "optimal",
        flows,
        Findings([*solved.findings, *([_CANCELLED] if ended else [])]),
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
