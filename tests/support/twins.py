"""What the tests of several strategies ask of a pair of twins."""

from __future__ import annotations

import numpy as np
import pytest

import bess_opt as bo
from support.cases import Case


def better_by(best: bo.Dispatch, other: bo.Dispatch) -> float:
    """How much better `best` scores than `other`, in the score's own sense."""
    sign = 1.0 if best.metrics.score_sense == "max" else -1.0
    return sign * (best.metrics.score - other.metrics.score)


def allowance(plan: bo.Dispatch) -> float:
    """Distance that the solver's tolerances explain."""
    return 1e-6 * max(1.0, abs(plan.metrics.score))


def both(of: Case) -> tuple[bo.Dispatch, bo.Dispatch]:
    """(rule, optimum) of a case as it stands."""
    return bo.simulate(of.scenario()), of.optimize()


def compared(of: Case) -> tuple[bo.Dispatch, bo.Dispatch] | None:
    """(rule, optimum with the rule's own end), the rule no better; None where no rule could keep the limits.

    Without a reserve and without self-discharge: no rule looks ahead for what these take.
    """
    of = of.but(
        series=of.series.drop(columns="energy_min_mwh", errors="ignore"), battery={"self_discharge_per_h": 0.0}
    )
    try:
        rule = bo.simulate(of.scenario())
    except bo.InfeasibleError:
        return None
    cells = of.scenario().battery.tech
    soc = float(np.clip(rule.schedule["soc"].iloc[-1], cells.soc_min, cells.soc_max))
    best = of.but(battery={"soc_end": soc}).optimize()
    assert better_by(best, rule) >= -allowance(best)
    return rule, best


def check_replay(plan: bo.Dispatch) -> None:
    """The plan's powers, run through the step simulator, give the plan."""
    again = bo.replay(plan)
    numbers = plan.schedule.select_dtypes("number")
    assert np.nanmax(np.abs(numbers.to_numpy() - again.schedule[numbers.columns].to_numpy())) < 1e-6
    assert again.metrics.score == pytest.approx(plan.metrics.score, rel=1e-6, abs=1e-6)


def check_idle(of: Case) -> None:
    """Doing nothing is no better than the optimum, where it is possible: nothing to build or keep up, end free."""
    of = of.but(
        series=of.series.drop(columns="energy_min_mwh", errors="ignore"),
        battery={"soc_end": "free", "self_discharge_per_h": 0.0},
    )
    try:
        idle = bo.simulate(of.scenario(), rule=lambda _state: 0.0)
    except bo.InfeasibleError:
        return
    plan = of.optimize()
    assert better_by(plan, idle) >= -allowance(plan)
