"""What makes a question about sizes senseless, said before anything is solved."""

from __future__ import annotations

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.wording import show
from bess_opt.inputs.batteries import place_of, starts_outside
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.lifetime.repeated_end import free_ends
from bess_opt.investment.sizing.objectives import OBJECTIVES


def check_question(
    scenario: Scenario, tolerance: float, objective: str, budget: float | None, energy_min_mwh: float | None
) -> None:
    """ScenarioError for a tolerance that is no share, a free end, a start outside, an objective without cost."""
    problems = []
    if not 0.0 < tolerance < 1.0:
        problems.append(
            Finding(
                "wrong_value", "tolerance", f"found {show(tolerance)}", "give a share between 0 and 1, such as 1e-3"
            )
        )
    problems += free_ends(scenario.batteries, "which sizing does not take", "a battery sold empty is no income")
    for battery in scenario.batteries:
        if starts_outside(battery):
            where = f"{place_of(battery, scenario.batteries)}.soc_start"
            found = f"{battery.soc_start_resolved:.12g} lies outside the technology's window"
            expected = "size with a start inside: no life begins so"
            problems.append(Finding("outside_window", where, found, expected))
    if objective in OBJECTIVES and OBJECTIVES[objective].wins and budget is None and energy_min_mwh is None:
        found = f"{objective!r} has no cost in it, so the {OBJECTIVES[objective].wins} battery of the range wins"
        expected = "give a budget or energy_min_mwh, or take npv, irr or lcos"
        problems.append(Finding("no_cost", "objective", found, expected))
    if problems:
        raise ScenarioError(problems)


def require_optimal(twin: str) -> None:
    """ScenarioError for a twin other than the optimal one."""
    if twin != "optimal":
        expected = 'leave it "optimal"; rules are sized for one battery and one year'
        raise ScenarioError([Finding("wrong_value", "twin", f"found {twin!r}", expected)])
